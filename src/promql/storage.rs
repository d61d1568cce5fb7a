//! The samples a Prometheus would hold, in memory: series by label set, each an ordered run of points.
//! Writers keep a [`SeriesId`] and append by it, so that a scrape of a thousand samples looks up no labels.
//! No persistence, no compression, no exemplars, no native histograms.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::labels::{Labels, METRIC_NAME};
use super::matcher::{MatchOp, Matcher};
use super::value::{Point, STALE, is_stale};

/// A handle to one series. Stays valid until the series is dropped by [`Storage::truncate_before`]; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesId(usize);

/// Why a sample was not stored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// The series already has a later sample.
    #[error("out of order sample for {labels}: {t} ms is before {last} ms")]
    OutOfOrder {
        /// The series.
        labels: Labels,
        /// Time of the refused sample.
        t: i64,
        /// Time of the last stored sample.
        last: i64,
    },
    /// The series already has another value at that time.
    #[error("duplicate sample for {labels} at {t} ms with another value")]
    Duplicate {
        /// The series.
        labels: Labels,
        /// The time in question.
        t: i64,
    },
    /// The series behind the handle has been dropped; ask for a new handle.
    #[error("the series behind this handle has been dropped")]
    Gone,
}

/// One series: its labels and its points, oldest first.
#[derive(Debug, Clone)]
pub struct Series {
    labels: Labels,
    /// The labels a computed value carries. Kept here because `rate` needs them at every evaluation.
    bare: Labels,
    points: Vec<Point>,
    /// When the counts of a sample began, for the samples that say so; in the order of the samples.
    starts: Vec<Start>,
}

/// The start timestamp of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// Time of the sample.
    pub(crate) t: i64,
    /// When its count began.
    pub(crate) since: i64,
}

/// All series.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    /// Indexed by [`SeriesId`]; dropped series leave an empty slot so that old handles cannot reach new series.
    slots: Vec<Option<Series>>,
    by_labels: BTreeMap<Labels, SeriesId>,
    /// Ids per metric name, in label order. Nearly every query names its metric.
    by_name: BTreeMap<Arc<str>, Vec<SeriesId>>,
}

impl Series {
    /// The labels, with the metric name.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The labels without metric name, type and unit.
    pub(crate) fn bare(&self) -> &Labels {
        &self.bare
    }

    /// All points, oldest first, staleness markers included.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The start timestamps there are, in the order of their samples.
    pub(crate) fn starts(&self) -> &[Start] {
        &self.starts
    }

    /// The newest point that is not older than `lookback` at time `t`; nothing when the series was stale then.
    pub fn at(&self, t: i64, lookback: i64) -> Option<Point> {
        let end = self.points.partition_point(|p| p.t <= t);
        let point = *self.points[..end].last()?;
        (point.t > t.saturating_sub(lookback) && !is_stale(point.v)).then_some(point)
    }

    /// The points after `start` up to and including `end`, staleness markers included.
    pub fn window(&self, start: i64, end: i64) -> &[Point] {
        let to = self.points.partition_point(|p| p.t <= end);
        let from = self.points[..to].partition_point(|p| p.t <= start);
        &self.points[from..to]
    }

    fn append(&mut self, t: i64, v: f64) -> Result<(), AppendError> {
        match self.points.last() {
            Some(last) if last.t > t => {
                Err(AppendError::OutOfOrder { labels: self.labels.clone(), t, last: last.t })
            }
            // The same sample twice is harmless; that is how Prometheus sees it, too.
            Some(last) if last.t == t && last.v.to_bits() == v.to_bits() => Ok(()),
            Some(last) if last.t == t => Err(AppendError::Duplicate { labels: self.labels.clone(), t }),
            _ => {
                self.points.push(Point { t, v });
                Ok(())
            }
        }
    }
}

impl Storage {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// The handle of a series, which is created when it does not exist.
    pub fn series_id(&mut self, labels: &Labels) -> SeriesId {
        if let Some(id) = self.by_labels.get(labels) {
            return *id;
        }
        let id = SeriesId(self.slots.len());
        let series = Series {
            labels: labels.clone(),
            bare: labels.without_metadata(),
            points: Vec::new(),
            starts: Vec::new(),
        };
        self.slots.push(Some(series));
        self.by_labels.insert(labels.clone(), id);
        self.index_name(labels, id);
        id
    }

    fn index_name(&mut self, labels: &Labels, id: SeriesId) {
        let slots = &self.slots;
        let ids = self.by_name.entry(labels.value(METRIC_NAME).into()).or_default();
        let at = ids.partition_point(|other| slots[other.0].as_ref().is_some_and(|s| s.labels < *labels));
        ids.insert(at, id);
    }

    /// Adds a sample to the series behind a handle.
    pub fn append(&mut self, id: SeriesId, t: i64, v: f64) -> Result<(), AppendError> {
        match self.slots.get_mut(id.0) {
            Some(Some(series)) => series.append(t, v),
            _ => Err(AppendError::Gone),
        }
    }

    /// Adds a sample that says when its count began.
    pub fn append_started(&mut self, id: SeriesId, t: i64, v: f64, since: i64) -> Result<(), AppendError> {
        self.append(id, t, v)?;
        let series = self.slots.get_mut(id.0).and_then(Option::as_mut).ok_or(AppendError::Gone)?;
        if series.starts.last().is_none_or(|last| last.t < t) {
            series.starts.push(Start { t, since });
        }
        Ok(())
    }

    /// Adds a sample by labels: [`series_id`](Self::series_id) and [`append`](Self::append) in one.
    pub fn append_labels(&mut self, labels: &Labels, t: i64, v: f64) -> Result<(), AppendError> {
        let id = self.series_id(labels);
        self.append(id, t, v)
    }

    /// Marks a series as ended at `t`, which is what a scrape does to series that were not exposed any more.
    pub fn append_stale(&mut self, id: SeriesId, t: i64) -> Result<(), AppendError> {
        self.append(id, t, STALE)
    }

    /// The series behind a handle.
    pub fn series(&self, id: SeriesId) -> Option<&Series> {
        self.slots.get(id.0)?.as_ref()
    }

    /// All series, in label order.
    pub fn iter(&self) -> impl Iterator<Item = &Series> {
        self.by_labels.values().filter_map(|id| self.series(*id))
    }

    /// The series that pass every matcher, in label order.
    pub fn select<'a, 'm>(
        &'a self,
        matchers: &'m [Matcher],
    ) -> impl Iterator<Item = &'a Series> + use<'a, 'm> {
        let named = matchers.iter().find(|m| m.op == MatchOp::Equal && &*m.name == METRIC_NAME);
        // One of the two sides is empty: either the ids under the name, or everything.
        let by_name = named.and_then(|m| self.by_name.get(&m.value)).map_or(&[][..], Vec::as_slice).iter();
        let all = named.is_none().then(|| self.by_labels.values()).into_iter().flatten();
        let wanted = by_name.chain(all).filter_map(|id| self.series(*id));
        wanted.filter(move |s| {
            let mut rest = matchers.iter().filter(|m| !named.is_some_and(|n| std::ptr::eq(*m, n)));
            rest.all(|m| m.matches_labels(&s.labels))
        })
    }

    /// Forgets points older than `t`, and series that have none left. Call it now and then in a long run:
    /// memory then follows the window, not the length of the run. Returns how many points went.
    pub fn truncate_before(&mut self, t: i64) -> usize {
        let mut dropped = 0;
        for slot in &mut self.slots {
            let Some(series) = slot else { continue };
            let cut = series.points.partition_point(|p| p.t < t);
            series.points.drain(..cut);
            series.starts.retain(|start| start.t >= t);
            dropped += cut;
            if series.points.is_empty() {
                let labels = series.labels.clone();
                *slot = None;
                self.by_labels.remove(&labels);
            }
        }
        if dropped > 0 {
            self.drop_dead_names();
        }
        dropped
    }

    fn drop_dead_names(&mut self) {
        let slots = &self.slots;
        self.by_name.retain(|_, ids| {
            ids.retain(|id| slots[id.0].is_some());
            !ids.is_empty()
        });
    }

    /// How many series there are.
    pub fn series_count(&self) -> usize {
        self.by_labels.len()
    }

    /// How many points there are.
    pub fn point_count(&self) -> usize {
        self.slots.iter().flatten().map(|s| s.points.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(name: &str, pod: &str) -> Labels {
        Labels::metric(name, [("pod", pod)])
    }

    #[test]
    fn series_come_in_label_order_whatever_the_order_of_arrival() {
        let mut storage = Storage::new();
        for pod in ["c", "a", "b"] {
            storage.append_labels(&labels("up", pod), 1, 1.0).expect("in order");
        }
        let name = Matcher::metric_name("up");
        let pods: Vec<_> =
            storage.select(std::slice::from_ref(&name)).map(|s| s.labels().value("pod")).collect();
        assert_eq!(pods, ["a", "b", "c"]);
    }

    #[test]
    fn a_window_is_open_on_the_left_and_closed_on_the_right() {
        let mut storage = Storage::new();
        let id = storage.series_id(&labels("up", "a"));
        for t in [10, 20, 30] {
            storage.append(id, t, t as f64).expect("in order");
        }
        let series = storage.series(id).expect("just made");
        assert_eq!(series.window(10, 30).iter().map(|p| p.t).collect::<Vec<_>>(), [20, 30]);
        assert_eq!(series.at(29, 10).map(|p| p.t), Some(20));
        assert_eq!(series.at(30, 10).map(|p| p.t), Some(30));
        assert_eq!(series.at(40, 10), None);
    }

    #[test]
    fn a_stale_series_has_no_current_value() {
        let mut storage = Storage::new();
        let id = storage.series_id(&labels("up", "a"));
        storage.append(id, 10, 1.0).expect("in order");
        storage.append_stale(id, 20).expect("in order");
        let series = storage.series(id).expect("just made");
        assert_eq!((series.at(19, 300).map(|p| p.v), series.at(20, 300)), (Some(1.0), None));
    }

    #[test]
    fn samples_out_of_order_are_refused_and_repeats_are_not() {
        let mut storage = Storage::new();
        let id = storage.series_id(&labels("up", "a"));
        assert_eq!(storage.append(id, 10, 1.0), Ok(()));
        assert_eq!(storage.append(id, 10, 1.0), Ok(()));
        assert!(matches!(storage.append(id, 10, 2.0), Err(AppendError::Duplicate { .. })));
        assert!(matches!(storage.append(id, 9, 1.0), Err(AppendError::OutOfOrder { .. })));
        assert_eq!(storage.point_count(), 1);
    }

    #[test]
    fn truncation_drops_old_points_and_dead_series_and_their_handles() {
        let mut storage = Storage::new();
        let (old, live) = (storage.series_id(&labels("up", "old")), storage.series_id(&labels("up", "live")));
        storage.append(old, 10, 1.0).expect("in order");
        storage.append(live, 10, 1.0).expect("in order");
        storage.append(live, 100, 1.0).expect("in order");
        assert_eq!(storage.truncate_before(50), 2);
        assert_eq!((storage.series_count(), storage.point_count()), (1, 1));
        assert_eq!(storage.append(old, 200, 1.0), Err(AppendError::Gone));
        assert_ne!(storage.series_id(&labels("up", "old")), old);
        assert_eq!(storage.append(live, 110, 1.0), Ok(()));
    }

    #[test]
    fn memory_stays_flat_over_ten_hours_of_scrapes() {
        let mut storage = Storage::new();
        let ids: Vec<_> = (0..20).map(|i| storage.series_id(&labels("up", &i.to_string()))).collect();
        let mut most = 0;
        for scrape in 0..7_200_i64 {
            let t = scrape * 5_000;
            for id in &ids {
                storage.append(*id, t, scrape as f64).expect("in order");
            }
            if scrape % 60 == 0 {
                storage.truncate_before(t - 3_600_000);
                most = most.max(storage.point_count());
            }
        }
        assert!(most <= 20 * (721 + 60), "{most}");
    }
}
