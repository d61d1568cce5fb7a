//! Lengths of time that are computed: `1h / 2`, `step() * 2`, `min_of(range(), 5m)`. What depends on the query's step
//! or range is kept as an expression until the query is evaluated (Prometheus `promql/durations.go`, v0.313.5).

use super::ast::BinaryOp;
use super::duration;
use super::error::Span;

/// A length in seconds, or the way to compute it.
#[derive(Debug, Clone, PartialEq)]
pub struct Length {
    pub(crate) kind: LengthKind,
    pub(crate) span: Span,
    /// Levels below and including this one; bounded by the parser.
    pub(crate) depth: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LengthKind {
    /// A number or duration as it was written, in seconds.
    Literal(f64),
    /// `step()`
    Step,
    /// `range()`
    Range,
    Negated(Box<Length>),
    Binary(BinaryOp, Box<[Length; 2]>),
    /// `min_of(a, b)`
    Least(Box<[Length; 2]>),
    /// `max_of(a, b)`
    Most(Box<[Length; 2]>),
}

/// Step and range of the query under way, in milliseconds; both are zero for an instant query.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Frame {
    pub(crate) step_ms: i64,
    pub(crate) range_ms: i64,
}

/// What is wrong with a length, and where.
pub(crate) type Flaw = (Span, &'static str);

impl Length {
    /// Whether the length is known before the query runs.
    pub(crate) fn is_constant(&self) -> bool {
        match &self.kind {
            LengthKind::Literal(_) => true,
            LengthKind::Step | LengthKind::Range => false,
            LengthKind::Negated(inner) => inner.is_constant(),
            LengthKind::Binary(_, pair) | LengthKind::Least(pair) | LengthKind::Most(pair) => {
                pair.iter().all(Self::is_constant)
            }
        }
    }

    /// The length in milliseconds. Ranges and steps must be positive, offsets need not.
    pub(crate) fn milliseconds(&self, frame: Frame, any_sign: bool) -> Result<i64, Flaw> {
        let seconds = self.seconds(frame)?;
        let flaw = |message| Err((self.span.clone(), message));
        if !seconds.is_finite() {
            return flaw("duration is NaN or infinite");
        }
        if seconds <= 0.0 && !any_sign {
            return flaw("duration must be greater than 0");
        }
        if seconds.abs() > duration::MAX_MS as f64 / 1000.0 {
            return flaw("duration is out of range");
        }
        // Upstream rounds what was written and cuts what was computed.
        let ms = seconds * 1000.0;
        Ok(if matches!(self.kind, LengthKind::Literal(_)) { ms.round() } else { ms } as i64)
    }

    fn seconds(&self, frame: Frame) -> Result<f64, Flaw> {
        let both = |pair: &[Self; 2]| Ok((pair[0].seconds(frame)?, pair[1].seconds(frame)?));
        Ok(match &self.kind {
            LengthKind::Literal(seconds) => *seconds,
            LengthKind::Step => frame.step_ms as f64 / 1000.0,
            LengthKind::Range => frame.range_ms as f64 / 1000.0,
            LengthKind::Negated(inner) => -inner.seconds(frame)?,
            LengthKind::Least(pair) => both(pair).map(|(l, r)| l.min(r))?,
            LengthKind::Most(pair) => both(pair).map(|(l, r)| l.max(r))?,
            LengthKind::Binary(op, pair) => {
                let (l, r) = both(pair)?;
                self.arithmetic(*op, l, r)?
            }
        })
    }

    fn arithmetic(&self, op: BinaryOp, l: f64, r: f64) -> Result<f64, Flaw> {
        match op {
            BinaryOp::Add => Ok(l + r),
            BinaryOp::Sub => Ok(l - r),
            BinaryOp::Mul => Ok(l * r),
            BinaryOp::Div if r == 0.0 => Err((self.span.clone(), "division by zero")),
            BinaryOp::Div => Ok(l / r),
            BinaryOp::Mod if r == 0.0 => Err((self.span.clone(), "modulo by zero")),
            BinaryOp::Mod => Ok(l % r),
            // The parser lets no other operator in.
            _ => Ok(l.powf(r)),
        }
    }
}
