//! The chart of a run as inline SVG: requests by revision, harm on top, moments as lines.
//!
//! Hand-made paths styled by CSS classes, so that dark mode and print work; a title on every marker, so that it reads
//! without scripts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::timeline::{Event, Instant, Timeline};
use crate::verdict::Verdict;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 46.0;
const BOTTOM: f64 = 24.0;
const TOP: f64 = 76.0;
/// Labels of moments that come together are written below each other.
const ROWS: u32 = 6;
/// At most so many columns: a longer run is summed up into wider ones.
const COLUMNS: usize = 240;

struct Column {
    harmed: u64,
    by: BTreeMap<String, u64>,
    seconds: u64,
}

/// The chart, or nothing when there was no traffic.
#[must_use]
pub(crate) fn svg(timeline: &Timeline, verdict: &Verdict) -> Option<String> {
    let seconds: Vec<(Instant, &crate::timeline::Second)> = timeline
        .entries()
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Traffic(second) => Some((second.from, second)),
            _ => None,
        })
        .collect();
    let (first, last) = (seconds.first()?.0, seconds.last()?.0);
    let whole = last.since(first).as_secs() + 1;
    let width = usize::try_from(whole).ok()?.div_ceil(COLUMNS).max(1);
    let mut columns: BTreeMap<usize, Column> = BTreeMap::new();
    for (from, second) in &seconds {
        let index = usize::try_from(from.since(first).as_secs()).ok()? / width;
        let column = columns.entry(index).or_insert(Column { harmed: 0, by: BTreeMap::new(), seconds: 0 });
        column.seconds += 1;
        column.harmed += second.harmed();
        for (revision, tally) in &second.by {
            *column.by.entry(revision.clone()).or_default() += tally.sent;
        }
    }
    let count = columns.keys().last()? + 1;
    let scale = Scale::new(&columns, count);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"requests per second by revision\">"
    );
    axis(&mut svg, &scale);
    let revisions: std::collections::BTreeSet<String> =
        columns.values().flat_map(|column| column.by.keys().cloned()).collect();
    let revisions: Vec<String> = revisions.into_iter().collect();
    for (index, column) in &columns {
        bar(&mut svg, &scale, *index, column, &revisions);
    }
    let zero =
        verdict.moments.iter().find(|moment| moment.name == "applied").map_or(first, |moment| moment.at);
    markers(&mut svg, verdict, first, zero, whole);
    legend(&mut svg, &revisions);
    svg.push_str("</svg>");
    Some(svg)
}

struct Scale {
    column: f64,
    top: f64,
}

#[expect(clippy::cast_precision_loss, reason = "pixels need no more than 52 bits")]
fn number(count: u64) -> f64 {
    count as f64
}

impl Scale {
    fn new(columns: &BTreeMap<usize, Column>, count: usize) -> Scale {
        let rates =
            columns.values().map(|column| number(column.by.values().sum()) / number(column.seconds.max(1)));
        let top = rates.fold(1.0_f64, f64::max);
        Scale { column: (WIDTH - LEFT) / number(count as u64), top }
    }

    fn height(&self, rate: f64) -> f64 {
        (HEIGHT - BOTTOM - TOP) * rate / self.top
    }
}

fn axis(svg: &mut String, scale: &Scale) {
    let base = HEIGHT - BOTTOM;
    let _ = write!(svg, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\"/>");
    let _ = write!(
        svg,
        "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{:.0}/s</text>",
        LEFT - 4.0,
        TOP + 8.0,
        scale.top
    );
}

fn bar(svg: &mut String, scale: &Scale, index: usize, column: &Column, revisions: &[String]) {
    let x = LEFT + number(index as u64) * scale.column;
    let wide = (scale.column - 0.3).max(0.5);
    let per = number(column.seconds.max(1));
    let mut y = HEIGHT - BOTTOM;
    for (nth, revision) in revisions.iter().enumerate() {
        let Some(sent) = column.by.get(revision).filter(|sent| **sent > 0) else { continue };
        let high = scale.height(number(*sent) / per);
        y -= high;
        let class = class(nth, revision);
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\"/>"
        );
    }
    if column.harmed > 0 {
        let high = scale.height(number(column.harmed) / per).max(1.5);
        let y = HEIGHT - BOTTOM - high;
        let harmed = column.harmed;
        let _ = write!(
            svg,
            "<rect class=\"harm\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\"><title>{harmed} harmed</title></rect>"
        );
    }
}

fn class(nth: usize, revision: &str) -> String {
    if revision.is_empty() { "nobody".to_owned() } else { format!("rev{}", nth % 4) }
}

fn markers(svg: &mut String, verdict: &Verdict, first: Instant, zero: Instant, whole: u64) {
    let mut row = 0_u32;
    let mut last_x = f64::NEG_INFINITY;
    for moment in &verdict.moments {
        if moment.at < first {
            continue;
        }
        let x = LEFT + (WIDTH - LEFT) * moment.at.since(first).as_secs_f64() / number(whole);
        row = if x - last_x < 80.0 { (row + 1) % ROWS } else { 0 };
        last_x = x;
        let y = 10.0 + 11.0 * f64::from(row);
        let after = crate::verdict::seconds(moment.at.since(zero));
        let anchor = if x > WIDTH - 90.0 { "end" } else { "start" };
        let shift = if anchor == "end" { -3.0 } else { 3.0 };
        let _ = write!(
            svg,
            "<g class=\"moment\"><line x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{}\"/><text x=\"{:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text><title>{} {after} after the release</title></g>",
            y - 7.0,
            HEIGHT - BOTTOM,
            x + shift,
            moment.name,
            moment.name,
        );
    }
}

fn legend(svg: &mut String, revisions: &[String]) {
    let mut x = LEFT;
    let y = HEIGHT - 5.0;
    let named = revisions.iter().enumerate().map(|(nth, revision)| {
        let name = if revision.is_empty() { "nobody answered" } else { revision };
        (class(nth, revision), name.to_owned())
    });
    for (class, name) in named.chain([("harm".to_owned(), "harmed".to_owned())]) {
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{x:.0}\" y=\"{:.0}\" width=\"9\" height=\"9\"/><text class=\"tick\" x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
            y - 9.0,
            x + 13.0,
            escape(&name)
        );
        x += 30.0 + 7.0 * number(name.chars().count() as u64);
    }
}

/// Text inside XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
