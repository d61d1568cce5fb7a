//! Dates and times, always in UTC: `hour()`, `day_of_week()` and their like, and `timestamp()`.

use super::super::ast::{Call, Expr, ExprKind};
use super::super::calendar::Date;
use super::super::error::EvalError;
use super::super::eval::{Element, Evaluator};
use super::super::labels::Labels;
use super::map;

/// The part of a date (given in seconds since the epoch) called `name`.
pub(super) fn function(name: &str) -> Option<fn(i128) -> i64> {
    Some(match name {
        "minute" => |s| s.rem_euclid(3_600) as i64 / 60,
        "hour" => |s| s.rem_euclid(86_400) as i64 / 3_600,
        // The epoch was a Thursday.
        "day_of_week" => |s| (s.div_euclid(86_400) + 4).rem_euclid(7) as i64,
        "day_of_month" => |s| Date::of(s).day,
        "day_of_year" => |s| Date::of(s).day_of_year(),
        "days_in_month" => |s| Date::of(s).days_in_month(),
        "month" => |s| Date::of(s).month,
        "year" => |s| Date::of(s).year,
        _ => return None,
    })
}

/// Applies a date function to every value, or to the moment of evaluation when there is no argument.
pub(super) fn part(
    ev: &Evaluator<'_>,
    call: &Call,
    f: fn(i128) -> i64,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    match call.args.first() {
        None => Ok(vec![Element::new(Labels::default(), f(t.div_euclid(1000).into()) as f64, t)]),
        Some(arg) => map(ev, ev.vector(arg, t)?, |v| f(whole_seconds(v)) as f64, expr),
    }
}

/// Seconds as Go on amd64 reads them: what no `i64` can hold becomes the least one, and the dates around that one wrap
/// around (Go 1.26 `time/time.go` `unixToAbsolute`).
fn whole_seconds(v: f64) -> i128 {
    const FROM_FIRST_YEAR: i128 =
        (719_162 + 292_277_022_400 / 10_000 * 3_652_425 + 2_400 / 400 * 146_097 + 306) * 86_400;
    let fits = v >= i64::MIN as f64 && v < -(i64::MIN as f64);
    let seconds = i128::from(if fits { v as i64 } else { i64::MIN });
    if seconds + FROM_FIRST_YEAR < 0 { seconds + (1 << 64) } else { seconds }
}

/// When the samples were taken; computed values were taken now.
pub(super) fn timestamp(
    ev: &Evaluator<'_>,
    call: &Call,
    expr: &Expr,
    t: i64,
) -> Result<Vec<Element>, EvalError> {
    let mut elements = ev.vector(&call.args[0], t)?;
    let raw = matches!(call.args[0].unparen().kind, ExprKind::Selector(_));
    for element in &mut elements {
        element.v = if raw { element.taken } else { t } as f64 / 1000.0;
        element.taken = t;
    }
    ev.drop_names(&mut elements, expr.span())?;
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, seconds: i64, want: i64) {
        let f = function(name).expect("known");
        assert_eq!(f(seconds.into()), want, "{name}({seconds})");
    }

    #[test]
    fn dates_before_and_after_the_epoch() {
        let cases = [
            ("year", 0, 1970),
            ("year", -1, 1969),
            ("month", -1, 12),
            ("day_of_month", -1, 31),
            ("day_of_week", 0, 4),
            ("day_of_week", -86_400, 3),
            ("hour", -1, 23),
            ("minute", 1_136_239_445, 4),
            ("day_of_year", 1_456_790_399, 60),
            ("days_in_month", 1_454_284_800, 29),
            ("days_in_month", 951_782_400, 29),
            ("days_in_month", 4_105_123_200, 28),
        ];
        for (name, seconds, want) in cases {
            check(name, seconds, want);
        }
    }

    #[test]
    fn the_end_of_time_does_not_overflow() {
        for name in ["year", "month", "day_of_year", "day_of_week", "days_in_month"] {
            let f = function(name).expect("known");
            f(i64::MAX.into());
            f(i64::MIN.into());
        }
    }
}
