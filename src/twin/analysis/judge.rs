//! What a measurement means: the two conditions of a metric, and the language they are written in.
//!
//! The language itself lives elsewhere and is plugged in as two functions. Upstream: `utils/evaluate/evaluate.go`.

use super::Controller;
use crate::argo::Version;
use crate::argo::analysis::{Metric, Phase};
use crate::clock::Moment;

/// What a provider measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// One number.
    Scalar(f64),
    /// The values of a vector, or of all samples of a matrix, in the order they came.
    Vector(Vec<f64>),
}

/// How conditions and moments are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Language {
    /// Evaluates a condition over `result`; an error carries the text Argo would show.
    pub condition: fn(&str, &Measured, Moment, Version) -> Result<bool, String>,
    /// Evaluates an expression that is a moment, such as `now() - duration("5m")`.
    pub moment: fn(&str, Moment, Version) -> Result<Moment, String>,
}

/// The phase of a measurement.
pub(super) fn judge(
    controller: &Controller,
    metric: &Metric,
    measured: &Measured,
    now: Moment,
) -> Result<Phase, String> {
    let evaluate = |name: &str, condition: &str| {
        let result = (controller.language.condition)(condition, measured, now, controller.version);
        result.map_err(|cause| told(controller.version, name, condition, measured, cause))
    };
    let given = |condition: &String| !condition.is_empty();
    let success = given(&metric.success_condition)
        .then(|| evaluate("successCondition", &metric.success_condition))
        .transpose()?;
    let failure = given(&metric.failure_condition)
        .then(|| evaluate("failureCondition", &metric.failure_condition))
        .transpose()?;
    Ok(match (success, failure) {
        (None, None) => Phase::Successful,
        (_, Some(true)) | (Some(false), None) => Phase::Failed,
        (Some(true), _) | (None, Some(false)) => Phase::Successful,
        (Some(false), Some(false)) => Phase::Inconclusive,
    })
}

/// v1.9 shows the error of the expression library as it is, v1.10 says where it comes from (spec 0.2).
fn told(version: Version, name: &str, condition: &str, measured: &Measured, cause: String) -> String {
    if version == Version::V1_9 {
        return cause;
    }
    let empty = matches!(measured, Measured::Vector(values) if values.is_empty());
    let nothing = "metric result is nil or empty: no data returned from the metric provider";
    let cause = if empty { nothing } else { &cause };
    format!("could not evaluate {name} \"{condition}\": {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(version: Version) -> Controller {
        let condition = |text: &str, _: &Measured, _, _| match text {
            "yes" => Ok(true),
            "no" => Ok(false),
            _ => Err("reflect: slice index out of range".to_owned()),
        };
        let moment = |_: &str, now, _| Ok(now);
        Controller { version, language: Language { condition, moment }, prometheus_address: None }
    }

    fn check(success: &str, failure: &str, expect: Result<Phase, &str>) {
        let metric = Metric {
            success_condition: success.into(),
            failure_condition: failure.into(),
            ..Metric::default()
        };
        let phase = judge(&controller(Version::V1_9), &metric, &Measured::Scalar(1.0), Moment::default());
        assert_eq!(phase, expect.map_err(str::to_owned), "{success} / {failure}");
    }

    #[test]
    fn the_truth_table_of_two_conditions() {
        check("", "", Ok(Phase::Successful));
        check("yes", "", Ok(Phase::Successful));
        check("no", "", Ok(Phase::Failed));
        check("", "yes", Ok(Phase::Failed));
        check("", "no", Ok(Phase::Successful));
        check("yes", "yes", Ok(Phase::Failed));
        check("no", "yes", Ok(Phase::Failed));
        check("yes", "no", Ok(Phase::Successful));
        check("no", "no", Ok(Phase::Inconclusive));
        check("?", "yes", Err("reflect: slice index out of range"));
        check("yes", "?", Err("reflect: slice index out of range"));
    }

    #[test]
    fn the_coming_line_says_which_condition_failed() {
        let metric = Metric { failure_condition: "?".into(), ..Metric::default() };
        let tell =
            |measured| judge(&controller(Version::V1_10), &metric, &measured, Moment::default()).unwrap_err();
        assert_eq!(
            tell(Measured::Vector(vec![])),
            "could not evaluate failureCondition \"?\": metric result is nil or empty: no data returned from the metric provider"
        );
        assert_eq!(
            tell(Measured::Vector(vec![1.0])),
            "could not evaluate failureCondition \"?\": reflect: slice index out of range"
        );
    }
}
