//! `info()`: adds labels of info metrics (`target_info` above all) to the series of the same target
//! (Prometheus `promql/info.go`, v0.313.5). Targets are told apart by `instance` and `job`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::ast::{Call, Expr, ExprKind};
use super::super::error::EvalError;
use super::super::eval::{Element, Evaluator, ensure_unique};
use super::super::labels::{Labels, METRIC_NAME};
use super::super::matcher::{MatchOp, Matcher};

const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// Which info metrics are read, and which of their labels are wanted.
struct Wish<'c> {
    names: Vec<Matcher>,
    /// Conditions on data labels; without any, all labels are wanted.
    data: Vec<&'c Matcher>,
}

/// The info samples by metric name and target.
type Found = BTreeMap<(Arc<str>, Target), Element>;
type Target = [Arc<str>; 2];

/// `info(v, {label selector})`
pub(super) fn call(ev: &Evaluator<'_>, call: &Call, t: i64) -> Result<Vec<Element>, EvalError> {
    let base = ev.vector(&call.args[0], t)?;
    let wish = Wish::of(call.args.get(1));
    let found = fetch(ev, &wish, &base, call, t)?;
    let mut out = Vec::with_capacity(base.len());
    for element in base {
        let labels = if wish.is_info(&element.labels) {
            element.labels
        } else {
            match enriched(&element.labels, &found, &wish).map_err(|e| error(call, &e))? {
                Some(labels) => labels,
                None => continue,
            }
        };
        out.push(Element { labels, ..Element::new(Labels::default(), element.v, t) });
    }
    ensure_unique(&out, call.args[0].span())?;
    Ok(out)
}

fn error(call: &Call, message: &str) -> EvalError {
    EvalError::new(call.args[0].span(), message)
}

impl<'c> Wish<'c> {
    fn of(arg: Option<&'c Expr>) -> Self {
        let matchers: &[Matcher] = match arg.map(|arg| &arg.kind) {
            Some(ExprKind::Selector(selector)) => &selector.matchers,
            _ => &[],
        };
        let (names, data): (Vec<_>, Vec<_>) = matchers.iter().partition(|m| &*m.name == METRIC_NAME);
        let positive = names.iter().any(|m| matches!(m.op, MatchOp::Equal | MatchOp::Regex));
        let mut names: Vec<Matcher> = names.into_iter().cloned().collect();
        if names.is_empty() {
            names.push(Matcher::metric_name("target_info"));
        } else if !positive {
            names.extend(Matcher::new(METRIC_NAME, MatchOp::Regex, ".+_info"));
        }
        Self { names, data }
    }

    /// Info series themselves are left as they are.
    fn is_info(&self, labels: &Labels) -> bool {
        self.names.iter().all(|m| m.matches_labels(labels))
    }

    fn wants(&self, label: &str) -> bool {
        self.data.is_empty() || self.data.iter().any(|m| *m.name == *label)
    }
}

fn target(labels: &Labels) -> Target {
    IDENTIFYING.map(|name| labels.value(name).into())
}

/// The newest info sample per metric and target, of the targets the base vector is about.
fn fetch(
    ev: &Evaluator<'_>,
    wish: &Wish<'_>,
    base: &[Element],
    call: &Call,
    t: i64,
) -> Result<Found, EvalError> {
    let mut found = Found::new();
    let about: Vec<Target> =
        base.iter().filter(|e| !wish.is_info(&e.labels)).map(|e| target(&e.labels)).collect();
    for series in ev.storage.select(&wish.names) {
        let labels = series.labels();
        let key = target(labels);
        if !about.contains(&key) || !wish.data.iter().all(|m| m.matches_labels(labels)) {
            continue;
        }
        let Some(point) = series.at(t, ev.options.lookback_ms) else { continue };
        let name: Arc<str> = labels.metric_name().unwrap_or("").into();
        let new = Element::new(labels.clone(), point.v, point.t);
        match found.get(&(name.clone(), key.clone())) {
            Some(old) if old.taken > new.taken => {}
            Some(old) if old.taken == new.taken => return Err(duplicate(call, old, &new)),
            _ => drop(found.insert((name, key), new)),
        }
    }
    ev.spend(found.len(), &call.args[0].span())?;
    Ok(found)
}

fn duplicate(call: &Call, old: &Element, new: &Element) -> EvalError {
    let message = format!(
        "found duplicate series for info metric: existing {} @ {}, new {} @ {}",
        old.labels, old.taken, new.labels, new.taken
    );
    error(call, &message)
}

/// The labels with those of all info metrics of the target; nothing when a wanted label could not be found.
fn enriched(base: &Labels, found: &Found, wish: &Wish<'_>) -> Result<Option<Labels>, String> {
    let key = target(base);
    let mut added = Labels::default();
    let mut matched = false;
    for ((_, _), info) in found.iter().filter(|((_, other), _)| *other == key) {
        matched = true;
        for (name, value) in info.labels.iter().filter(|(name, _)| *name != METRIC_NAME && wish.wants(name)) {
            if added.get(name).is_some_and(|known| known != value) {
                return Err(format!("conflicting label: {name}"));
            }
            if base.get(name).is_none() {
                added = added.with(name, value);
            }
        }
    }
    if !matched && !wish.data.iter().all(|m| m.matches("")) {
        return Ok(None);
    }
    Ok(Some(added.iter().fold(base.clone(), |labels, (name, value)| labels.with(name, value))))
}
