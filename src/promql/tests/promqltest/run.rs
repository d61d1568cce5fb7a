//! Runs the commands of one file against a fresh storage.

use std::collections::BTreeMap;
use std::fmt;

use super::compare;
use super::file::{self, Command, Eval, Expect, When, Wording};
use super::series::Sequence;
use crate::promql::{self, Annotations, Expr, Labels, Level, Options, Storage, Value};

/// What became of the cases of a file.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    native: usize,
    unsupported: BTreeMap<String, usize>,
    pub(super) differences: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.native += other.native;
        for (what, count) in other.unsupported {
            *self.unsupported.entry(what).or_default() += count;
        }
        self.differences.extend(other.differences);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} passed", self.passed, self.passed + self.differences.len())?;
        if self.native > 0 {
            write!(f, "; {} left out (native histograms or start timestamps)", self.native)?;
        }
        for (what, count) in &self.unsupported {
            write!(f, "; {count} left out ({what})")?;
        }
        Ok(())
    }
}

enum Outcome {
    Passed,
    Native,
    Unsupported(String),
}

/// Storage and what could not be stored in it.
#[derive(Default)]
struct World {
    storage: Storage,
    unsupported: Vec<Labels>,
}

pub(super) fn file(text: &str) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let mut world = World::default();
    for command in file::parse(text)? {
        match command {
            Command::Clear => world = World::default(),
            Command::Load { step, series, unsupported } => {
                world.load(step, series)?;
                world.unsupported.extend(unsupported);
            }
            Command::Eval(eval) => match world.eval(&eval) {
                Ok(Outcome::Passed) => tally.passed += 1,
                Ok(Outcome::Native) => tally.native += 1,
                Ok(Outcome::Unsupported(what)) => *tally.unsupported.entry(what).or_default() += 1,
                Err(difference) => {
                    tally.differences.push(format!("{}: {}: {difference}", eval.line, eval.query))
                }
            },
        }
    }
    Ok(tally)
}

/// The engine upstream runs its files with.
fn options() -> Options {
    Options { delayed_name_removal: true, ..Options::default() }
}

impl World {
    fn load(&mut self, step: i64, series: Vec<Sequence>) -> Result<(), String> {
        // Within one command a series given twice is the one given last.
        let last: BTreeMap<Labels, Vec<Option<f64>>> =
            series.into_iter().filter_map(|s| s.values.map(|values| (s.labels, values))).collect();
        for (labels, values) in last {
            let id = self.storage.series_id(&labels);
            for (i, v) in values.into_iter().enumerate() {
                if let Some(v) = v {
                    self.storage.append(id, step * i as i64, v).map_err(|e| e.to_string())?;
                }
            }
        }
        Ok(())
    }

    fn eval(&self, eval: &Eval) -> Result<Outcome, String> {
        let expr = match promql::parse(&eval.query) {
            Ok(expr) => expr,
            Err(error) => match error.message.strip_prefix("unsupported: ") {
                Some(what) => return Ok(Outcome::Unsupported(what.to_owned())),
                None => {
                    return failed(&eval.expect, &error.message, &error.display_in(&eval.query));
                }
            },
        };
        if eval.expect.native || self.reads_unsupported(&expr) {
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

    fn reads_unsupported(&self, expr: &Expr) -> bool {
        let reads = |labels: &Labels| {
            expr.selectors()
                .iter()
                .any(|found| found.selector.matchers.iter().all(|m| m.matches_labels(labels)))
        };
        self.unsupported.iter().any(reads)
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

    /// An instant query gives the same as the middle step of a range query around it.
    fn same_in_a_range(&self, eval: &Eval, expr: &Expr, value: &Value) -> Result<(), String> {
        let (When::At(t), Value::Vector(_), false) = (eval.when, value, eval.expect.ordered) else {
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

fn failed(expect: &Expect, message: &str, full: &str) -> Result<Outcome, String> {
    match &expect.fail {
        Some(wording) if wording.accepts(message) || wording.accepts(full) => Ok(Outcome::Passed),
        Some(_) => Err(format!("fails with other words: {full}")),
        None => Err(format!("fails: {full}")),
    }
}

fn remarks(expect: &Expect, annotations: &Annotations, query: &str) -> Result<(), String> {
    let texts = |level| annotations.iter().filter(move |a| a.level == level).map(|a| a.display_in(query));
    level("warning", &expect.warn, expect.no_warn, texts(Level::Warning).collect())?;
    level("info", &expect.info, expect.no_info, texts(Level::Info).collect())
}

fn level(name: &str, wanted: &Option<Wording>, none: bool, got: Vec<String>) -> Result<(), String> {
    if none && !got.is_empty() {
        return Err(format!("unexpected {name}: {got:?}"));
    }
    match wanted {
        Some(wording) if !got.iter().any(|text| wording.accepts(text)) => {
            Err(format!("missing {name}; got {got:?}"))
        }
        _ => Ok(()),
    }
}
