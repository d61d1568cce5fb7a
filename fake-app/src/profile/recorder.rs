//! Counts requests under the names of the chosen profiles.
//!
//! A [`Track`] is all series of all profiles that one kind of request belongs to: found once, then counted by index. The number of tracks
//! is bounded, since paths and methods are whatever clients make up.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::time::Duration;

use super::family::{Family, Measure};
use super::{Profile, Unit};
use crate::fault::Problem;
use crate::metrics::{
    Counter, CounterFamily, GaugeFamily, Histogram, HistogramFamily, Labels, Maximum, Registry, RegistryError,
};

/// A kind of request: all that labels tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, without query.
    pub path: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// The exception behind an error.
    pub exception: Option<&'a str>,
}

/// All series of one kind of request, by index. It belongs to the recorder that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Track(usize);

/// The metrics of one server.
#[derive(Debug, Clone)]
pub struct Recorder {
    registry: Registry,
    identity: Labels,
    families: Vec<(Family, Bound)>,
    /// Every bound of every histogram in seconds, rising.
    grid: Vec<f64>,
    paths: BTreeSet<String>,
    /// In order of key.
    known: Vec<(OwnedKey, Track)>,
    tracks: Vec<Vec<Point>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OwnedKey {
    method: String,
    path: String,
    status: u16,
    exception: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Bound {
    Count(CounterFamily),
    Time(HistogramFamily, Unit),
    Longest(GaugeFamily, Unit),
}

#[derive(Debug, Clone, Copy)]
enum Point {
    Count(Counter),
    Time(Histogram, Unit),
    Longest(Maximum, Unit),
}

/// So many paths are told apart; what comes later is counted together.
const MOST_PATHS: usize = 100;
const OTHER_PATHS: &str = "/**";
const METHODS: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
const OTHER_METHODS: &str = "UNKNOWN";

impl Recorder {
    /// Founds the families of the profiles. `identity` says who the server is, for the labels of meshes and proxies that name it:
    /// `service`, `namespace`, `workload`, `app`, `version`, `ingress`, or any label such a profile has.
    ///
    /// # Errors
    ///
    /// When a custom profile makes no sense, or two profiles export the same name.
    pub fn new(profiles: &[Profile], identity: &Labels) -> Result<Self, Vec<Problem>> {
        let mut problems: Vec<Problem> = profiles.iter().flat_map(Profile::check).collect();
        problems.extend(collisions(profiles));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut registry = Registry::default();
        let mut families = Vec::new();
        for family in profiles.iter().flat_map(Profile::families) {
            let bound = found(&mut registry, &family).map_err(|error| {
                vec![Problem::new(&family.name, error.to_string(), "choose another name")]
            })?;
            families.push((family, bound));
        }
        let grid = grid(&families);
        Ok(Self {
            registry,
            identity: identity.clone(),
            families,
            grid,
            paths: BTreeSet::new(),
            known: Vec::new(),
            tracks: Vec::new(),
        })
    }

    /// The series of such requests.
    pub fn track(&mut self, key: Key<'_>) -> Track {
        let key = self.fold(key);
        match self.known.binary_search_by(|(there, _)| there.cmp(&key)) {
            Ok(at) => self.known[at].1,
            Err(at) => {
                let points = self.points(&key);
                let track = Track(self.tracks.len());
                self.tracks.push(points);
                self.known.insert(at, (OwnedKey::from(&key), track));
                track
            }
        }
    }

    /// Counts a number of requests of the same latency; `age` is that of the server.
    pub fn record(&mut self, track: Track, age: Duration, latency: Duration, times: u64) {
        let seconds = latency.as_secs_f64();
        for point in &self.tracks[track.0] {
            match *point {
                Point::Count(counter) => self.registry.add(counter, times as f64),
                Point::Time(histogram, unit) => {
                    self.registry.observe(histogram, seconds * unit.per_second(), times)
                }
                Point::Longest(maximum, unit) => {
                    self.registry.note(maximum, age, seconds * unit.per_second())
                }
            }
        }
    }

    /// The bounds in seconds between which no profile tells latencies apart, rising: for those who draw counts instead of requests.
    #[must_use]
    pub fn grid(&self) -> &[f64] {
        &self.grid
    }

    /// Counts requests by the cell of [`Self::grid`] they fall into (the last cell lies above the last bound); `sum` is that of their
    /// latencies and `longest` the largest, both in seconds.
    pub fn record_cells(&mut self, track: Track, age: Duration, cells: &[u64], sum: f64, longest: f64) {
        let times: u64 = cells.iter().sum();
        for point in &self.tracks[track.0] {
            match *point {
                Point::Count(counter) => self.registry.add(counter, times as f64),
                Point::Time(histogram, unit) => {
                    let counts = rebucket(self.registry.buckets(histogram).bounds(), unit, &self.grid, cells);
                    self.registry.observe_buckets(histogram, &counts, sum * unit.per_second());
                }
                Point::Longest(maximum, unit) => {
                    self.registry.note(maximum, age, longest * unit.per_second())
                }
            }
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Keeps the number of kinds bounded.
    fn fold<'a>(&mut self, key: Key<'a>) -> Key<'a> {
        let method = if METHODS.contains(&key.method) { key.method } else { OTHER_METHODS };
        let known = self.paths.contains(key.path);
        if !known && self.paths.len() < MOST_PATHS {
            self.paths.insert(key.path.to_owned());
        }
        let path = if self.paths.contains(key.path) { key.path } else { OTHER_PATHS };
        Key { method, path, ..key }
    }

    fn points(&mut self, key: &Key<'_>) -> Vec<Point> {
        let mut points = Vec::with_capacity(self.families.len());
        for (family, bound) in &self.families {
            let labels = family
                .labels
                .iter()
                .map(|(name, source)| (name.clone(), source.value(key, &self.identity)))
                .collect();
            points.push(
                bound.point(&mut self.registry, &labels).expect("label names were checked with the profile"),
            );
        }
        points
    }
}

impl Bound {
    fn point(self, registry: &mut Registry, labels: &Labels) -> Result<Point, RegistryError> {
        Ok(match self {
            Self::Count(family) => Point::Count(registry.counter(family, labels)?),
            Self::Time(family, unit) => Point::Time(registry.histogram(family, labels)?, unit),
            Self::Longest(family, unit) => Point::Longest(registry.maximum(family, labels)?, unit),
        })
    }
}

fn found(registry: &mut Registry, family: &Family) -> Result<Bound, RegistryError> {
    Ok(match &family.measure {
        Measure::Count => Bound::Count(registry.counter_family(&family.name, family.help)?),
        Measure::Time(unit, buckets) => {
            Bound::Time(registry.histogram_family(&family.name, family.help, buckets)?, *unit)
        }
        Measure::Longest(unit) => Bound::Longest(registry.gauge_family(&family.name, family.help)?, *unit),
    })
}

/// Names that more than one of the profiles exports: every request would be counted twice.
fn collisions(profiles: &[Profile]) -> Vec<Problem> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for profile in profiles {
        let names: BTreeSet<String> = profile.families().iter().flat_map(Family::sample_names).collect();
        for name in names.intersection(&taken) {
            let message = format!("{name} is exported by another profile as well");
            found.push(Problem::new(
                profile.name(),
                message,
                "remove one of the two, or choose another name",
            ));
        }
        taken.extend(names);
    }
    found
}

fn grid(families: &[(Family, Bound)]) -> Vec<f64> {
    let mut grid: Vec<f64> = families
        .iter()
        .filter_map(|(family, _)| match &family.measure {
            Measure::Time(unit, buckets) => {
                Some(buckets.bounds().iter().map(|bound| bound / unit.per_second()))
            }
            _ => None,
        })
        .flatten()
        .collect();
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    grid
}

/// Gathers cells into the coarser buckets of one histogram; every bound of it is a bound of the grid.
fn rebucket(bounds: &[f64], unit: Unit, grid: &[f64], cells: &[u64]) -> Vec<u64> {
    let mut counts = vec![0; bounds.len() + 1];
    for (index, count) in cells.iter().enumerate() {
        let bucket = grid
            .get(index)
            .map_or(bounds.len(), |upper| bounds.partition_point(|bound| bound / unit.per_second() < *upper));
        counts[bucket] += count;
    }
    counts
}

impl OwnedKey {
    fn cmp(&self, key: &Key<'_>) -> Ordering {
        Key {
            method: &self.method,
            path: &self.path,
            status: self.status,
            exception: self.exception.as_deref(),
        }
        .cmp(key)
    }
}

impl From<&Key<'_>> for OwnedKey {
    fn from(key: &Key<'_>) -> Self {
        Self {
            method: key.method.to_owned(),
            path: key.path.to_owned(),
            status: key.status,
            exception: key.exception.map(str::to_owned),
        }
    }
}
