//! Prometheus: scrapes every pod on its own beat, forgets slowly, and answers queries with the real evaluator.
//!
//! Prometheus 3 (scrape/scrape.go): a target's series get its labels, a clash renames the exposed label to
//! `exported_…`, what a scrape no longer shows is marked stale, and `up` says whether it worked. Neighbours: `promql`
//! evaluates; `fake_app::metrics` is what there is to scrape. Every Prometheus address of a policy reaches this one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fake_app::metrics::SampleId;
use serde_json::{Value, json};

use super::analysis::{Outcome, Range, prometheus::refusal};
use super::endpoints::selects;
use super::pods::Kubelet;
use super::store::{Key, Kind, Store, labels_of, text_at};
use crate::clock::{Moment, Seed};
use crate::promql::{self, Labels, SeriesId, Storage};

/// How Prometheus scrapes.
#[derive(Debug, Clone)]
pub struct Scraping {
    /// `scrape_interval`.
    pub interval: Duration,
    /// What a target is.
    pub role: Role,
    /// How long samples are kept.
    pub retention: Duration,
}

/// What a target is (`kubernetes_sd_configs.role`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Every pod, with its labels.
    Pods,
    /// Every pod behind every Service, with the Service's name: what a `ServiceMonitor` gives.
    Endpoints,
}

/// The server.
#[derive(Debug)]
pub struct Prometheus {
    scraping: Scraping,
    seed: Seed,
    storage: Storage,
    targets: BTreeMap<Key, BTreeMap<String, Target>>,
    scheduled: BTreeSet<Key>,
    scrapes: u64,
    parsed: Parsed,
}

/// A target, by what it exposed last.
#[derive(Debug, Default)]
struct Target {
    labels: Vec<(String, String)>,
    series: BTreeMap<SampleId, SeriesId>,
    up: Option<SeriesId>,
}

/// Where a pod says that it is not to be scraped: a custom that scrape configurations for pods keep, not Prometheus.
const PASSED_OVER: &str = "/metadata/annotations/prometheus.io~1scrape";

/// Old samples are dropped once in so many scrapes.
const TRUNCATE_EVERY: u64 = 200;

impl Prometheus {
    /// A server without targets.
    #[must_use]
    pub fn new(scraping: Scraping, seed: Seed) -> Prometheus {
        Prometheus {
            scraping,
            seed: seed.child("prometheus"),
            storage: Storage::new(),
            targets: BTreeMap::new(),
            scheduled: BTreeSet::new(),
            scrapes: 0,
            parsed: BTreeMap::new(),
        }
    }

    /// A pod runs: answers when it is scraped first, if it is not scraped already.
    pub fn discover(&mut self, now: Moment, pod: &Key) -> Option<Moment> {
        self.scheduled.insert(pod.clone()).then(|| self.beat(now, pod))
    }

    /// The next beat of a target: its own offset, then every interval (scrape.go `offset`).
    fn beat(&self, now: Moment, pod: &Key) -> Moment {
        let interval = i64::try_from(self.scraping.interval.as_nanos()).unwrap_or(i64::MAX).max(1);
        let seed = self.seed.child(&pod.namespace).child(&pod.name).get();
        let offset = i64::try_from(seed >> 1).unwrap_or(0) % interval;
        let into = (now.unix_nanos() - offset).rem_euclid(interval);
        Moment::from_unix_nanos(now.unix_nanos() - into + interval)
    }

    /// Scrapes a pod. Answers when it is due again; `None` when it is gone.
    pub fn scrape(
        &mut self,
        now: Moment,
        pod: &Key,
        object: Option<&Value>,
        store: &Store,
        pods: &mut Kubelet,
    ) -> Option<Moment> {
        self.scrapes += 1;
        if self.scrapes.is_multiple_of(TRUNCATE_EVERY) {
            self.storage.truncate_before((now - self.scraping.retention).unix_millis());
        }
        let t = now.unix_millis();
        let Some(object) = object else {
            for target in self.targets.remove(pod).unwrap_or_default().into_values() {
                target.end(&mut self.storage, t);
            }
            self.scheduled.remove(pod);
            return None;
        };
        let wanted = self.wanted(pod, object, store);
        let targets = self.targets.entry(pod.clone()).or_default();
        let gone: Vec<String> = targets.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
        for name in gone {
            if let Some(target) = targets.remove(&name) {
                target.end(&mut self.storage, t);
            }
        }
        for (name, labels) in wanted {
            let target = targets.entry(name).or_default();
            if target.labels != labels {
                std::mem::take(target).end(&mut self.storage, t);
                target.labels = labels;
            }
            target.scrape(&mut self.storage, t, now, pod, pods);
        }
        Some(self.beat(now, pod))
    }

    /// The targets a pod makes, by name, with their labels.
    fn wanted(&self, pod: &Key, object: &Value, store: &Store) -> BTreeMap<String, Vec<(String, String)>> {
        let mut base: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in labels_of(object) {
            base.insert(sanitized(name), value.to_owned());
        }
        base.insert("namespace".to_owned(), pod.namespace.to_string());
        base.insert("pod".to_owned(), pod.name.to_string());
        base.insert("instance".to_owned(), format!("{}:8080", text_at(object, "/status/podIP")));
        let container = object.pointer("/spec/containers/0/name").and_then(Value::as_str).unwrap_or("");
        base.insert("container".to_owned(), container.to_owned());
        if self.scraping.role == Role::Pods {
            if object.pointer(PASSED_OVER).is_some_and(|word| word == "false") {
                return BTreeMap::new();
            }
            base.insert("job".to_owned(), "kubernetes-pods".to_owned());
            return BTreeMap::from([(String::new(), base.into_iter().collect())]);
        }
        let services =
            store.list(Kind::Service, Some(&pod.namespace)).filter(|(_, service)| selects(service, object));
        let targets = services.map(|(service, _)| {
            let mut labels = base.clone();
            labels.insert("service".to_owned(), service.name.to_string());
            labels.insert("job".to_owned(), service.name.to_string());
            labels.insert("endpoint".to_owned(), "http".to_owned());
            (service.name.to_string(), labels.into_iter().collect())
        });
        targets.collect()
    }

    /// What a measurement gets to see.
    pub fn ask(&mut self, query: &str, now: Moment) -> Outcome {
        match self.evaluate(query, now) {
            Ok(promql::Value::Scalar(point)) => Outcome::Scalar(point.v),
            Ok(promql::Value::Vector(samples)) => {
                Outcome::Vector(samples.iter().map(|sample| sample.v).collect())
            }
            Ok(promql::Value::Matrix(series)) => Outcome::Matrix(flat(&series)),
            Ok(promql::Value::String { text, .. }) => Outcome::Text(text.to_string()),
            Err(error) => refused(&error),
        }
    }

    /// What a measurement over a range gets to see.
    pub fn ask_range(&mut self, query: &str, range: Range) -> Outcome {
        let step = i64::try_from(range.step.as_millis()).unwrap_or(i64::MAX);
        let (start, end) = (range.start.unix_millis(), range.end.unix_millis());
        let parsed = parsed(&mut self.parsed, query).map_err(|error| error.to_string());
        let answer = parsed.and_then(|expr| {
            let answer = promql::range(&expr, &self.storage, start, end, step, &promql::Options::default());
            answer.map_err(|error| error.to_string())
        });
        match answer {
            Ok(answer) => Outcome::Matrix(flat(&answer.value)),
            Err(error) => refused(&error),
        }
    }

    /// What the HTTP API answers to an instant query.
    pub fn api(&mut self, query: &str, now: Moment) -> Value {
        match self.evaluate(query, now) {
            Ok(value) => {
                let data = serde_json::from_str(&promql::json::data(&value)).unwrap_or(Value::Null);
                json!({ "status": "success", "data": data })
            }
            Err(error) => json!({ "status": "error", "errorType": "bad_data", "error": error }),
        }
    }

    fn evaluate(&mut self, query: &str, now: Moment) -> Result<promql::Value, String> {
        let expr = parsed(&mut self.parsed, query)?;
        let answer = promql::instant(&expr, &self.storage, now.unix_millis(), &promql::Options::default());
        answer.map(|answer| answer.value).map_err(|error| error.to_string())
    }
}

/// Queries are asked again and again, and there are few of them.
type Parsed = BTreeMap<String, Result<Arc<promql::Expr>, String>>;

fn parsed(known: &mut Parsed, query: &str) -> Result<Arc<promql::Expr>, String> {
    let parse = || promql::parse(query).map(Arc::new).map_err(|error| error.display_in(query).to_string());
    if let Some(parsed) = known.get(query) {
        return parsed.clone();
    }
    let parsed = parse();
    // Arguments change with every release, so that a long run would keep them all.
    if known.len() >= MOST_QUERIES {
        known.clear();
    }
    known.insert(query.to_owned(), parsed.clone());
    parsed
}

const MOST_QUERIES: usize = 1000;

/// All samples of all series, one after the other: the labels are lost, as in the controller.
fn flat(series: &[promql::RangeSeries]) -> Vec<f64> {
    series.iter().flat_map(|series| series.points.iter().map(|point| point.v)).collect()
}

/// A query that Prometheus does not accept.
fn refused(error: &str) -> Outcome {
    let body = json!({ "status": "error", "errorType": "bad_data", "error": format!("invalid parameter \"query\": {error}") });
    Outcome::Error(refusal(400, &body.to_string()))
}

impl Target {
    fn scrape(&mut self, storage: &mut Storage, t: i64, now: Moment, pod: &Key, pods: &mut Kubelet) {
        let Some(process) = pods.process(pod) else {
            let up = self.up;
            std::mem::take(&mut self.series).into_values().for_each(|series| mark_stale(storage, series, t));
            self.up = up;
            self.say_up(storage, t, 0.0);
            return;
        };
        let (registry, age) = process.metrics(now);
        let mut shown: BTreeMap<SampleId, SeriesId> = BTreeMap::new();
        registry.visit(age, |sample| {
            let known = self.series.get(&sample.id).copied();
            let series = known
                .filter(|series| storage.append(*series, t, sample.value).is_ok())
                .unwrap_or_else(|| {
                    let series = storage.series_id(&labels(&self.labels, &sample.name(), sample.labels()));
                    // A restarted process may tell the same series again within one millisecond; the first telling stays.
                    let _ = storage.append(series, t, sample.value);
                    series
                });
            shown.insert(sample.id, series);
        });
        let now_shown: BTreeSet<SeriesId> = shown.values().copied().collect();
        for series in self.series.values().filter(|series| !now_shown.contains(series)) {
            mark_stale(storage, *series, t);
        }
        self.series = shown;
        self.say_up(storage, t, 1.0);
    }

    fn say_up(&mut self, storage: &mut Storage, t: i64, value: f64) {
        let up = *self
            .up
            .get_or_insert_with(|| storage.series_id(&labels(&self.labels, "up", std::iter::empty())));
        if storage.append(up, t, value).is_err() {
            // Retention dropped the series behind the handle.
            let up = storage.series_id(&labels(&self.labels, "up", std::iter::empty()));
            let _ = storage.append(up, t, value);
            self.up = Some(up);
        }
    }

    /// The target is gone: all it ever said ends here.
    fn end(self, storage: &mut Storage, t: i64) {
        self.series.into_values().chain(self.up).for_each(|series| mark_stale(storage, series, t));
    }
}

/// A series that retention has dropped already needs no mark.
fn mark_stale(storage: &mut Storage, series: SeriesId, t: i64) {
    let _ = storage.append_stale(series, t);
}

fn labels<'a>(
    target: &[(String, String)],
    name: &str,
    exposed: impl Iterator<Item = (&'a str, &'a str)>,
) -> Labels {
    let mut all: BTreeMap<String, String> = target.iter().cloned().collect();
    for (label, value) in exposed {
        let label = if all.contains_key(label) { format!("exported_{label}") } else { label.to_owned() };
        all.insert(label, value.to_owned());
    }
    Labels::metric(name, all.iter().map(|(label, value)| (label.as_str(), value.as_str())))
}

/// A Kubernetes label as a Prometheus one (util/strutil `SanitizeLabelName`).
fn sanitized(label: &str) -> String {
    label.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}
