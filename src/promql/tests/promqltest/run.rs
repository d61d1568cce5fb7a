//! Runs the commands of one file against a fresh storage.

use std::collections::BTreeMap;
use std::fmt;

use super::compare;
use super::file::{self, Command, Eval, Expect, Load, When, Wording};
use super::native::Natives;
use super::series::{Item, Starts};
use crate::promql::{self, Annotation, Annotations, Expr, Labels, Level, Options, Storage, Value};

/// What became of the cases of a file.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    native: usize,
    pub(super) differences: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.native += other.native;
        self.differences.extend(other.differences);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} passed", self.passed, self.passed + self.differences.len())?;
        if self.native > 0 {
            write!(f, "; {} left out (they read or expect native histograms)", self.native)?;
        }
        Ok(())
    }
}

enum Outcome {
    Passed,
    Native,
}

/// Storage and what could not be stored in it.
#[derive(Default)]
pub(in super::super) struct World {
    pub(in super::super) storage: Storage,
    natives: Natives,
}

/// The world after the loads of a text.
pub(in super::super) fn world(text: &str) -> World {
    let mut world = World::default();
    for command in file::parse(text) {
        match command {
            Command::Load(load) => world.load(load).expect("series that can be stored"),
            _ => panic!("only loads are expected"),
        }
    }
    world
}

pub(super) fn file(text: &str) -> Tally {
    let mut tally = Tally::default();
    let mut world = World::default();
    for command in file::parse(text) {
        match command {
            Command::Clear => world = World::default(),
            Command::Load(load) => {
                if let Err(why) = world.load(load) {
                    tally.differences.push(format!("load: {why}"));
                }
            }
            Command::Eval(eval) => match world.eval(&eval) {
                Ok(Outcome::Passed) => tally.passed += 1,
                Ok(Outcome::Native) => tally.native += 1,
                Err(difference) => {
                    tally.differences.push(format!("{}: {}: {difference}", eval.line, eval.query))
                }
            },
            Command::Unreadable { line, why } => tally.differences.push(format!("{line}: unreadable: {why}")),
        }
    }
    tally
}

/// The engine upstream runs its files with.
pub(super) fn options() -> Options {
    Options { delayed_name_removal: true, use_start_timestamps: true, ..Options::default() }
}

impl World {
    fn load(&mut self, load: Load) -> Result<(), String> {
        // Within one command a series given twice is the one given last.
        let last: BTreeMap<Labels, Vec<Option<Item>>> =
            load.series.into_iter().map(|s| (s.labels, s.values)).collect();
        for (labels, values) in last {
            let starts = load.starts.iter().find(|starts| starts.labels == labels);
            let times = values.into_iter().enumerate().map(|(i, item)| (i, load.step * i as i64, item));
            for (i, t, item) in times {
                self.store(&labels, t, item, starts.and_then(|starts| start_of(starts, i, t)))?;
                if let (true, Some(labels), Some(_)) = (load.with_native, file::converted(&labels), item) {
                    self.natives.add(&labels, t);
                }
            }
        }
        Ok(())
    }

    fn store(
        &mut self,
        labels: &Labels,
        t: i64,
        item: Option<Item>,
        start: Option<i64>,
    ) -> Result<(), String> {
        match item {
            None => {}
            Some(Item::Native) => self.natives.add(labels, t),
            Some(Item::Number(v)) => {
                let id = self.storage.series_id(labels);
                let stored = match start {
                    Some(start) => self.storage.append_started(id, t, v, start),
                    None => self.storage.append(id, t, v),
                };
                stored.map_err(|e| e.to_string())?;
            }
        }
        Ok(())
    }

    fn eval(&self, eval: &Eval) -> Result<Outcome, String> {
        let expr = match promql::parse(&eval.query) {
            Ok(expr) => expr,
            Err(error) => {
                let full = error.display_in(&eval.query);
                return failed(&eval.expect, &error.message, &full);
            }
        };
        if eval.expect.native || self.natives.are_read_by(&expr, eval.when, &options()) {
            return Ok(Outcome::Native);
        }
        match self.answer(&expr, eval.when) {
            Err(error) => failed(&eval.expect, &error.message, &error.message),
            Ok(_) if eval.expect.fail.is_some() => Err("should fail".to_owned()),
            Ok((value, annotations)) => {
                compare::value(&eval.expect, eval.when, &value)?;
                remarks(&eval.expect, &annotations, &eval.query)?;
                self.same_in_a_range(eval, &expr, &value)?;
                Ok(Outcome::Passed)
            }
        }
    }

    fn answer(&self, expr: &Expr, when: When) -> Result<(Value, Annotations), promql::EvalError> {
        match when {
            When::At(t) => {
                let answer = promql::instant(expr, &self.storage, t, &options())?;
                Ok((answer.value, answer.annotations))
            }
            When::Range { start, end, step } => {
                let answer = promql::range(expr, &self.storage, start, end, step, &options())?;
                Ok((Value::Matrix(answer.value), answer.annotations))
            }
        }
    }

    /// An instant query gives the same as the middle step of a range query around it, unless it asks for the bounds.
    fn same_in_a_range(&self, eval: &Eval, expr: &Expr, value: &Value) -> Result<(), String> {
        let asks = ["start()", "end()", "range()", "step()"].iter().any(|word| eval.query.contains(word));
        let (When::At(t), Value::Vector(_), false) = (eval.when, value, eval.expect.ordered || asks) else {
            return Ok(());
        };
        let answer = promql::range(expr, &self.storage, t - 60_000, t + 60_000, 60_000, &options());
        let answer = answer.map_err(|e| format!("in a range: {e}"))?;
        let at_t = |series: promql::RangeSeries| {
            let point = series.points.iter().find(|p| p.t == t)?;
            Some(promql::Sample { labels: series.labels.clone(), t, v: point.v })
        };
        let samples = answer.value.into_iter().filter_map(at_t).collect();
        compare::value(&eval.expect, eval.when, &Value::Vector(samples))
            .map_err(|e| format!("in a range: {e}"))
    }
}

fn start_of(starts: &Starts, i: usize, t: i64) -> Option<i64> {
    starts.offsets.get(i).copied().flatten().map(|offset| t + offset)
}

fn failed(expect: &Expect, message: &str, full: &str) -> Result<Outcome, String> {
    match &expect.fail {
        Some(wording) if wording.accepts(message) || wording.accepts(full) => Ok(Outcome::Passed),
        Some(_) => Err(format!("fails with other words: {full}")),
        None => Err(format!("fails: {full}")),
    }
}

fn remarks(expect: &Expect, annotations: &Annotations, query: &str) -> Result<(), String> {
    let of = |level| annotations.iter().filter(|a| a.level == level).collect::<Vec<_>>();
    level("warning", &expect.warn, expect.no_warn, &of(Level::Warning), query)?;
    level("info", &expect.info, expect.no_info, &of(Level::Info), query)
}

/// Every expected remark must have been made and, where any is expected, no other.
fn level(name: &str, wanted: &[Wording], none: bool, got: &[Annotation], query: &str) -> Result<(), String> {
    let texts: Vec<_> = got.iter().map(|a| a.display_in(query)).collect();
    if none && !got.is_empty() {
        return Err(format!("unexpected {name}: {texts:?}"));
    }
    // Whether the place is part of the text depends on the version the file was written for.
    let fits = |wording: &Wording, a: &Annotation| {
        wording.accepts(&a.headline()) || wording.accepts(&a.display_in(query))
    };
    if wanted.iter().any(|wording| !got.iter().any(|a| fits(wording, a))) {
        return Err(format!("missing {name}; got {texts:?}"));
    }
    match got.iter().find(|a| !wanted.is_empty() && !wanted.iter().any(|wording| fits(wording, a))) {
        Some(other) => Err(format!("unexpected {name}: {}", other.display_in(query))),
        None => Ok(()),
    }
}
