//! How many pods may be too many or missing (`MaxSurge` and `MaxUnavailable` in utils/replicaset/replicaset.go v1.9.1).

use serde_json::Value;

use crate::argo::rollout::{Canary, Rollout};

/// What a Rollout means when it does not say.
const DEFAULT: &str = "25%";

/// How many pods more than wanted a canary may run.
pub(super) fn max_surge(rollout: &Rollout) -> i32 {
    rollout.spec.strategy.canary.as_ref().map_or(0, |canary| resolve(canary, rollout.replicas()).0)
}

/// How many pods of those wanted may be unavailable.
pub(super) fn max_unavailable(rollout: &Rollout) -> i32 {
    let (strategy, replicas) = (&rollout.spec.strategy, rollout.replicas());
    if replicas == 0 {
        return 0;
    }
    let number = match (&strategy.canary, &strategy.blue_green) {
        (Some(canary), _) => resolve(canary, replicas).1,
        (None, blue_green) => {
            let wish = blue_green.as_ref().and_then(|strategy| strategy.max_unavailable.as_ref());
            scaled(wish, replicas, Rounding::Down).unwrap_or(0)
        }
    };
    number.min(replicas)
}

/// `resolveFenceposts`: both at once, because both may not be zero; what cannot be read is zero all the same.
fn resolve(canary: &Canary, replicas: i32) -> (i32, i32) {
    let surge = scaled(canary.max_surge.as_ref(), replicas, Rounding::Up);
    let unavailable = scaled(canary.max_unavailable.as_ref(), replicas, Rounding::Down);
    match (surge, unavailable) {
        (Some(0), Some(0)) => (0, 1),
        (Some(surge), Some(unavailable)) => (surge, unavailable),
        _ => (0, 0),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Up,
    Down,
}

/// `GetValueFromIntOrPercent`: a number, or a percentage; a text without a percent sign is one all the same.
fn scaled(wish: Option<&Value>, total: i32, rounding: Rounding) -> Option<i32> {
    let text = match wish {
        Some(Value::Number(number)) => return i32::try_from(number.as_i64()?).ok(),
        Some(other) => other.as_str()?,
        None => DEFAULT,
    };
    let percent: i64 = text.replace('%', "").parse().ok()?;
    let hundredfold = percent.checked_mul(i64::from(total))?;
    let down = hundredfold.div_euclid(100);
    let up = i64::from(rounding == Rounding::Up && hundredfold.rem_euclid(100) != 0);
    i32::try_from(down + up).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Surge and unavailable.
    fn check(replicas: i32, canary: Value, expect: (i32, i32)) {
        let spec = json!({"replicas": replicas, "strategy": {"canary": canary}});
        let rollout = Rollout::read(&json!({"spec": spec})).expect("a Rollout");
        assert_eq!((max_surge(&rollout), max_unavailable(&rollout)), expect);
    }

    #[test]
    fn surge_is_rounded_up_and_unavailable_down() {
        check(5, json!({}), (2, 1));
        check(10, json!({}), (3, 2));
        check(10, json!({"maxSurge": 1, "maxUnavailable": "50%"}), (1, 5));
    }

    #[test]
    fn both_cannot_be_zero_whatever_was_asked() {
        check(3, json!({"maxSurge": 0, "maxUnavailable": "25%"}), (0, 1));
        check(3, json!({"maxSurge": 0, "maxUnavailable": 1}), (0, 1));
    }

    #[test]
    fn a_text_without_a_percent_sign_is_a_percentage() {
        check(10, json!({"maxSurge": "2", "maxUnavailable": "20"}), (1, 2));
    }

    #[test]
    fn no_pods_cannot_be_missing_and_never_more_than_all() {
        check(0, json!({"maxSurge": 1, "maxUnavailable": 1}), (1, 0));
        check(2, json!({"maxUnavailable": 7}), (1, 2));
    }

    #[test]
    fn what_cannot_be_read_counts_as_nothing() {
        check(4, json!({"maxSurge": "many", "maxUnavailable": 1}), (0, 0));
    }
}
