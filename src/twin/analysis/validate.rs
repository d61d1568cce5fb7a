//! What makes a run invalid before anything is measured, in upstream's order and words.
//!
//! Upstream: `ValidateMetrics` in `utils/analysis/factory.go` and the rule matching in `utils/analysis/helpers.go`.

use std::collections::{BTreeMap, BTreeSet};

use fake_app::duration;

use super::run::Run;
use crate::argo::analysis::{IntOrString, Metric};

/// The rules of a run, by metric name.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    pub(super) dry_run: BTreeSet<String>,
    pub(super) retention: BTreeMap<String, i64>,
}

/// Checks resolved metrics and works out which rules apply to which of them.
pub(super) fn rules(run: &Run, metrics: &[Metric]) -> Result<Rules, String> {
    validate(metrics)?;
    let mut rules = Rules::default();
    for (index, rule) in run.spec.dry_run.iter().enumerate() {
        rules.dry_run.extend(matching("dryRun", index, &rule.metric_name, metrics)?);
    }
    for (index, rule) in run.spec.measurement_retention.iter().enumerate() {
        let names = matching("measurementRetention", index, &rule.metric_name, metrics)?;
        rules.retention.extend(names.into_iter().map(|name| (name, rule.limit)));
    }
    Ok(rules)
}

/// The metrics whose name contains a match; a pattern that is no regular expression matches nothing.
fn matching(field: &str, index: usize, pattern: &str, metrics: &[Metric]) -> Result<Vec<String>, String> {
    let regex = regex::Regex::new(pattern).ok();
    let matches = |metric: &&Metric| regex.as_ref().is_some_and(|regex| regex.is_match(&metric.name));
    let names: Vec<String> = metrics.iter().filter(matches).map(|metric| metric.name.clone()).collect();
    if names.is_empty() {
        return Err(format!("{field}[{index}]: Rule didn't match any metric name(s)"));
    }
    Ok(names)
}

fn validate(metrics: &[Metric]) -> Result<(), String> {
    if metrics.is_empty() {
        return Err("no metrics specified".into());
    }
    let mut names = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        if !names.insert(&metric.name) {
            return Err(format!("metrics[{index}]: duplicate name '{}'", metric.name));
        }
        limits(metric)
            .and_then(|()| counts(metric))
            .and_then(|()| times(metric))
            .and_then(|()| provider(metric))
            .map_err(|error| format!("metrics[{index}]: {error}"))?;
    }
    Ok(())
}

fn int(value: Option<&IntOrString>) -> i64 {
    value.map_or(0, IntOrString::int)
}

fn limits(metric: &Metric) -> Result<(), String> {
    let successes = int(metric.consecutive_success_limit.as_ref());
    let failures = int(metric.failure_limit.as_ref());
    let refusal = if successes < 0 {
        "consecutiveSuccessLimit must be >= 0"
    } else if failures < -1 {
        "failureLimit must be >= 0, or -1 to be disabled"
    } else if successes == 0 && failures == -1 {
        "failureLimit and consecutiveSuccessLimit cannot both be disabled"
    } else if int(metric.inconclusive_limit.as_ref()) < 0 {
        "inconclusiveLimit must be >= 0"
    } else if int(metric.consecutive_error_limit.as_ref()) < 0 {
        "consecutiveErrorLimit must be >= 0"
    } else {
        return Ok(());
    };
    Err(refusal.into())
}

fn counts(metric: &Metric) -> Result<(), String> {
    let count = int(metric.count.as_ref());
    let successes = int(metric.consecutive_success_limit.as_ref());
    let failures = int(metric.failure_limit.as_ref());
    if count > 0 {
        if failures >= 0 && count < failures.saturating_add(successes) {
            return Err(format!(
                "count ({count}) must be >= failureLimit + consecutiveSuccessLimit ({failures} + {successes}) if both >= 0"
            ));
        }
        if failures < 0 && count < successes {
            return Err("count must be >= consecutiveSuccessLimit".into());
        }
        if count < int(metric.inconclusive_limit.as_ref()) {
            return Err("count must be >= inconclusiveLimit".into());
        }
    }
    if count > 1 && metric.interval.is_empty() {
        return Err("interval must be specified when count > 1".into());
    }
    Ok(())
}

fn times(metric: &Metric) -> Result<(), String> {
    if !metric.interval.is_empty() {
        duration::parse_nanos(&metric.interval)
            .map_err(|error| format!("invalid interval string: {error}"))?;
    }
    if !metric.initial_delay.is_empty() {
        duration::parse_nanos(&metric.initial_delay)
            .map_err(|error| format!("invalid startDelay string: {error}"))?;
    }
    Ok(())
}

/// The providers upstream counts; a `plugin` counts once per plugin.
pub(super) const OTHER_PROVIDERS: [&str; 10] = [
    "job",
    "web",
    "wavefront",
    "kayenta",
    "datadog",
    "newRelic",
    "cloudWatch",
    "graphite",
    "influxdb",
    "skywalking",
];

fn provider(metric: &Metric) -> Result<(), String> {
    let others = &metric.provider.others;
    let given = |name: &&&str| others.get(**name).is_some_and(|value| !value.is_null());
    let plugins = others.get("plugin").and_then(|plugin| plugin.as_object()).map_or(0, serde_json::Map::len);
    let prometheus = usize::from(metric.provider.prometheus.is_some());
    match prometheus + OTHER_PROVIDERS.iter().filter(given).count() + plugins {
        0 => Err("no provider specified".into()),
        1 => Ok(()),
        _ => Err("multiple providers specified".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(spec: Value, expect: Result<(), &str>) {
        let mut metric = json!({"name": "a", "provider": {"prometheus": {"query": "up"}}});
        metric.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let metric: Metric = serde_json::from_value(metric).unwrap();
        let expect = expect.map_err(|error| format!("metrics[0]: {error}"));
        assert_eq!(validate(&[metric]), expect, "{spec}");
    }

    #[test]
    fn defaults_are_valid() {
        check(json!({}), Ok(()));
        check(json!({"count": 3, "interval": "5s", "failureLimit": 3}), Ok(()));
    }

    #[test]
    fn limits_are_refused_in_upstreams_words() {
        check(json!({"consecutiveSuccessLimit": -1}), Err("consecutiveSuccessLimit must be >= 0"));
        check(json!({"failureLimit": -2}), Err("failureLimit must be >= 0, or -1 to be disabled"));
        check(
            json!({"failureLimit": -1}),
            Err("failureLimit and consecutiveSuccessLimit cannot both be disabled"),
        );
        check(json!({"failureLimit": -1, "consecutiveSuccessLimit": 1}), Ok(()));
        check(json!({"inconclusiveLimit": -1}), Err("inconclusiveLimit must be >= 0"));
        check(json!({"consecutiveErrorLimit": "-1"}), Err("consecutiveErrorLimit must be >= 0"));
    }

    #[test]
    fn counts_must_leave_room_for_their_limits() {
        check(
            json!({"count": 2, "interval": "1s", "failureLimit": 2, "consecutiveSuccessLimit": 1}),
            Err("count (2) must be >= failureLimit + consecutiveSuccessLimit (2 + 1) if both >= 0"),
        );
        check(
            json!({"count": 1, "failureLimit": -1, "consecutiveSuccessLimit": 2}),
            Err("count must be >= consecutiveSuccessLimit"),
        );
        check(json!({"count": 1, "inconclusiveLimit": 2}), Err("count must be >= inconclusiveLimit"));
        check(json!({"count": 2}), Err("interval must be specified when count > 1"));
    }

    #[test]
    fn times_must_be_durations() {
        check(json!({"interval": "5"}), Err("invalid interval string: time: missing unit in duration \"5\""));
        check(json!({"initialDelay": "x"}), Err("invalid startDelay string: time: invalid duration \"x\""));
    }

    #[test]
    fn a_metric_has_exactly_one_provider() {
        check(json!({"provider": {}}), Err("no provider specified"));
        check(
            json!({"provider": {"prometheus": {}, "web": {"url": "x"}}}),
            Err("multiple providers specified"),
        );
        check(json!({"provider": {"plugin": {"a": {}, "b": {}}}}), Err("multiple providers specified"));
        assert_eq!(validate(&[]), Err("no metrics specified".into()));
    }
}
