//! The registry as a scraper sees it.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn example() -> Registry {
    let mut registry = Registry::default();
    let requests =
        registry.counter_family("http_requests_total", "Requests,\nall of them \\ \"here\".").unwrap();
    let buckets = Buckets::new(&[0.1, 0.8], Style::Go).unwrap();
    let duration = registry.histogram_family("duration_seconds", "How long.", &buckets).unwrap();
    let gauges = registry.gauge_family("zeal", "").unwrap();
    let summaries = registry.summary_family("body_bytes", "Sizes.").unwrap();
    let ok = registry.counter(requests, &labels(&[("status", "200"), ("path", "/a\"b\\c\nd")])).unwrap();
    let bad = registry.counter(requests, &labels(&[("status", "503")])).unwrap();
    let fast = registry.histogram(duration, &labels(&[("zone", "a"), ("app", "x")])).unwrap();
    let zeal = registry.gauge(gauges, &Labels::new()).unwrap();
    let body = registry.summary(summaries, &Labels::new()).unwrap();
    registry.add(ok, 3.0);
    registry.add(bad, 1.0);
    registry.add(bad, -5.0);
    registry.observe(fast, 0.05, 2);
    registry.observe(fast, 0.8, 1);
    registry.observe(fast, 3.0, 1);
    registry.set(zeal, -0.5);
    registry.summarize(body, 10.0, 4);
    registry
}

#[test]
fn the_text_is_what_a_scraper_reads() {
    insta::assert_snapshot!(example().write_text(Duration::ZERO), @r#"
    # HELP body_bytes Sizes.
    # TYPE body_bytes summary
    body_bytes_sum 40
    body_bytes_count 4
    # HELP duration_seconds How long.
    # TYPE duration_seconds histogram
    duration_seconds_bucket{app="x",le="0.1",zone="a"} 2
    duration_seconds_bucket{app="x",le="0.8",zone="a"} 3
    duration_seconds_bucket{app="x",le="+Inf",zone="a"} 4
    duration_seconds_sum{app="x",zone="a"} 3.9
    duration_seconds_count{app="x",zone="a"} 4
    # HELP http_requests_total Requests,\nall of them \\ "here".
    # TYPE http_requests_total counter
    http_requests_total{path="/a\"b\\c\nd",status="200"} 3
    http_requests_total{status="503"} 1
    # HELP zeal 
    # TYPE zeal gauge
    zeal -0.5
    "#);
}

#[test]
fn asking_twice_gives_the_same_series() {
    let mut registry = Registry::default();
    let family = registry.counter_family("a", "").unwrap();
    assert_eq!(registry.counter_family("a", ""), Ok(family));
    let one = registry.counter(family, &labels(&[("x", "1")])).unwrap();
    assert_eq!(registry.counter(family, &labels(&[("x", "1")])), Ok(one));
    assert_ne!(registry.counter(family, &labels(&[("x", "2")])), Ok(one));
}

#[test]
fn names_and_kinds_are_held_to() {
    let mut registry = Registry::default();
    let family = registry.counter_family("a", "").unwrap();
    assert_eq!(registry.gauge_family("a", ""), Err(RegistryError::OtherKind("a".to_owned(), Kind::Counter)));
    assert_eq!(registry.gauge_family("a b", ""), Err(RegistryError::MetricName("a b".to_owned())));
    assert!(registry.counter(family, &labels(&[("__name__", "x")])).is_err());
    let histograms = registry.histogram_family("h", "", &Buckets::new(&[1.0], Style::Go).unwrap()).unwrap();
    assert!(registry.histogram(histograms, &labels(&[("le", "1")])).is_err());
}

#[test]
fn a_sample_keeps_its_identity_when_series_are_added() {
    let mut registry = example();
    let ids = |registry: &Registry| {
        let mut seen = Vec::new();
        registry.visit(Duration::ZERO, |sample| {
            seen.push((sample.id, sample.name(), format!("{:?}", sample.labels().collect::<Vec<_>>())))
        });
        seen
    };
    let before = ids(&registry);
    let family = registry.counter_family("http_requests_total", "").unwrap();
    registry.counter(family, &labels(&[("status", "100")])).unwrap();
    let after = ids(&registry);
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|sample| after.contains(sample)));
}

#[test]
fn le_stands_in_its_place_among_the_labels() {
    let mut first = None;
    example().visit(Duration::ZERO, |sample| {
        if sample.name() == "duration_seconds_bucket" && first.is_none() {
            first = Some(sample.labels().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>());
        }
    });
    assert_eq!(first.unwrap(), ["app=x", "le=0.1", "zone=a"]);
}

/// What a reader of the text format makes of a line: name, labels, value.
type Line = (String, Vec<(String, String)>, f64);

/// A reader of the format, written from its description and not from the writer.
fn read(text: &str) -> Vec<Line> {
    text.lines().filter(|line| !line.starts_with('#')).map(read_line).collect()
}

fn read_line(line: &str) -> Line {
    let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap());
    let mut labels = Vec::new();
    while let Some(tail) = rest.strip_prefix('{').or_else(|| rest.strip_prefix(',')) {
        let (label, tail) = tail.split_once("=\"").unwrap();
        let (value, tail) = read_value(tail);
        labels.push((label.to_owned(), value));
        rest = tail.strip_prefix('}').unwrap_or(tail);
    }
    (name.to_owned(), labels, rest.trim().parse().unwrap())
}

fn read_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().unwrap().1 {
                'n' => '\n',
                other => other,
            }),
            c => value.push(c),
        }
    }
    panic!("a label value ends: {text}");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        values in proptest::collection::vec(("[a-z_][a-z0-9_]{0,8}", proptest::collection::btree_map("[a-km-z][a-z0-9_]{0,6}", "\\PC{0,12}|[\\\\\"\n]{0,6}", 0..4), any::<f64>()), 1..20),
        observed in proptest::collection::vec(0.0..5.0_f64, 0..20),
    ) {
        let mut registry = Registry::default();
        for (name, labels, value) in &values {
            let family = registry.gauge_family(&format!("g_{name}"), "any\nhelp").unwrap();
            let gauge = registry.gauge(family, labels).unwrap();
            registry.set(gauge, *value);
        }
        let buckets = Buckets::new(&[0.5, 1.0, 2.5], Style::Java).unwrap();
        let family = registry.histogram_family("h", "", &buckets).unwrap();
        let histogram = registry.histogram(family, &values[0].1).unwrap();
        for value in &observed {
            registry.observe(histogram, *value, 1);
        }
        let mut visited = Vec::new();
        registry.visit(Duration::ZERO, |sample| {
            let labels = sample.labels().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
            visited.push((sample.name(), labels, sample.value));
        });
        let text = registry.write_text(Duration::ZERO);
        let shown = |lines: &[Line]| lines.iter().map(|line| format!("{line:?}")).collect::<Vec<_>>();
        prop_assert_eq!(shown(&read(&text)), shown(&visited));
    }
}
