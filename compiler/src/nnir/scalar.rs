//! Functions of one and two values, as the float reference computes them.
//!
//! | function  | computed in | note                                                             |
//! |-----------|-------------|------------------------------------------------------------------|
//! | unary     | `f64`       | rounded to `f32` once; tails keep their relative precision       |
//! | pointwise | `f32`       | comparisons give 1 or 0; `keep` and `drop` choose `a` or +0      |
//!
//! **Contract.** Infinities, poles and NaN as IEEE 754 and torch have them: `recip(0) = inf`, `log(0) = -inf`, `sqrt(-1) = NaN`.
//! **Errors.** None: every input has a result.
//! **Source.** The error function: Abramowitz and Stegun, 7.1.6 (series) and 7.1.14 (continued fraction).
#![expect(
    clippy::cast_possible_truncation,
    reason = "f64 results are rounded to f32 once"
)]

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use super::op::{PointwiseOp, UnaryOp};

/// `f(x)`.
pub(crate) fn unary(op: UnaryOp, x: f32) -> f32 {
    let x = f64::from(x);
    let y = match op {
        UnaryOp::Recip => x.recip(),
        UnaryOp::Rsqrt => x.sqrt().recip(),
        UnaryOp::Sqrt => x.sqrt(),
        UnaryOp::Exp => x.exp(),
        UnaryOp::Exp2 => x.exp2(),
        UnaryOp::Log => x.ln(),
        UnaryOp::Log2 => x.log2(),
        UnaryOp::Tanh => x.tanh(),
        UnaryOp::Sigmoid => sigmoid(x),
        UnaryOp::Silu => x * sigmoid(x),
        UnaryOp::Gelu => 0.5 * x * erfc(-x * FRAC_1_SQRT_2),
        UnaryOp::GeluTanh => {
            let u = FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (x + 0.044_715 * x * x * x);
            x * sigmoid(2.0 * u)
        }
        UnaryOp::Softplus => {
            let above = if x > 0.0 { x } else { 0.0 };
            above + (-x.abs()).exp().ln_1p()
        }
    };
    y as f32
}

fn sigmoid(x: f64) -> f64 {
    (1.0 + (-x).exp()).recip()
}

/// `1 - erf(x)`, with relative precision in the tail.
fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x.is_nan() {
        return x;
    }
    // Beyond this erfc(x) is smaller than the smallest f64.
    if x > 27.3 {
        return 0.0;
    }
    if x < 2.0 {
        // erf(x) = 2 / sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (1 3 .. (2n+1)), every term positive.
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > sum * 1.0e-18 {
            odd += 2.0;
            term *= 2.0 * x * x / odd;
            sum += term;
        }
        return 1.0 - FRAC_2_SQRT_PI * (-x * x).exp() * sum;
    }
    // sqrt(pi) e^(x^2) erfc(x) = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + ..)))), from the inside; 200 levels settle it from x = 2 on.
    let tail = (1..=200)
        .rev()
        .fold(x, |inner, k| x + 0.5 * f64::from(k) / inner);
    0.5 * FRAC_2_SQRT_PI * (-x * x).exp() / tail
}

/// `a op b`.
pub(crate) fn pointwise(op: PointwiseOp, a: f32, b: f32) -> f32 {
    let truth = |holds: bool| if holds { 1.0 } else { 0.0 };
    match op {
        PointwiseOp::Add => a + b,
        PointwiseOp::Sub => a - b,
        PointwiseOp::Mul => a * b,
        PointwiseOp::Div => a / b,
        PointwiseOp::Max | PointwiseOp::Min if a.is_nan() || b.is_nan() => f32::NAN,
        PointwiseOp::Max if a < b => b,
        PointwiseOp::Min if a > b => b,
        PointwiseOp::Lt => truth(a < b),
        PointwiseOp::Le => truth(a <= b),
        PointwiseOp::Gt => truth(a > b),
        PointwiseOp::Ge => truth(a >= b),
        PointwiseOp::Eq => truth(equal(a, b)),
        PointwiseOp::Ne => truth(!equal(a, b)),
        PointwiseOp::Keep if equal(b, 0.0) => 0.0,
        PointwiseOp::Drop if !equal(b, 0.0) => 0.0,
        PointwiseOp::Max | PointwiseOp::Min | PointwiseOp::Keep | PointwiseOp::Drop => a,
    }
}

/// Equality of IEEE 754: zeros of both signs are equal, NaN equals nothing.
fn equal(a: f32, b: f32) -> bool {
    a.partial_cmp(&b) == Some(std::cmp::Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values to 8 digits from published tables.
    #[test]
    fn functions_have_their_known_values() {
        let cases: [(UnaryOp, f32, f32); 24] = [
            (UnaryOp::Recip, 4.0, 0.25),
            (UnaryOp::Recip, 0.0, f32::INFINITY),
            (UnaryOp::Rsqrt, 4.0, 0.5),
            (UnaryOp::Rsqrt, 0.0, f32::INFINITY),
            (UnaryOp::Sqrt, 2.0, std::f32::consts::SQRT_2),
            (UnaryOp::Exp, 1.0, std::f32::consts::E),
            (UnaryOp::Exp, -200.0, 0.0),
            (UnaryOp::Exp2, -3.0, 0.125),
            (UnaryOp::Log, 2.0, std::f32::consts::LN_2),
            (UnaryOp::Log, 0.0, f32::NEG_INFINITY),
            (UnaryOp::Log2, 8.0, 3.0),
            (UnaryOp::Tanh, 0.5, 0.462_117_16),
            (UnaryOp::Tanh, -50.0, -1.0),
            (UnaryOp::Sigmoid, 0.0, 0.5),
            (UnaryOp::Sigmoid, 1.0, 0.731_058_6),
            (UnaryOp::Sigmoid, -800.0, 0.0),
            (UnaryOp::Silu, 2.0, 1.761_594_2),
            (UnaryOp::Gelu, 1.0, 0.841_344_8),
            (UnaryOp::Gelu, -1.0, -0.158_655_25),
            (UnaryOp::Gelu, -6.0, -5.919_526e-9),
            (UnaryOp::GeluTanh, 1.0, 0.841_192),
            (UnaryOp::Softplus, 0.0, std::f32::consts::LN_2),
            (UnaryOp::Softplus, 200.0, 200.0),
            (UnaryOp::Softplus, -20.0, 2.061_153_6e-9),
        ];
        for (op, x, expected) in cases {
            let y = unary(op, x);
            let close = y.to_bits() == expected.to_bits()
                || (y - expected).abs() <= 2.0e-7 * expected.abs();
            assert!(close, "{op}({x}) is {y}, not {expected}");
        }
        for op in UnaryOp::ALL {
            assert!(unary(op, f32::NAN).is_nan(), "{op} swallows NaN");
        }
        for op in [UnaryOp::Sqrt, UnaryOp::Rsqrt, UnaryOp::Log, UnaryOp::Log2] {
            assert!(unary(op, -1.0).is_nan(), "{op}(-1)");
        }
    }

    #[test]
    fn both_ways_to_the_error_function_meet() {
        let (below, above) = (erfc(2.0 - 1.0e-12), erfc(2.0));
        assert!((below / above - 1.0).abs() < 1.0e-10, "{below} {above}");
        assert!((erfc(0.5) - 0.479_500_122_186_953_5).abs() < 1.0e-15);
        assert!((erfc(3.0) / 2.209_049_699_858_544e-5 - 1.0).abs() < 1.0e-12);
        assert!((erfc(-1.0) - 1.842_700_792_949_715).abs() < 1.0e-15);
    }

    #[test]
    fn max_and_min_propagate_nan() {
        for op in [PointwiseOp::Max, PointwiseOp::Min] {
            assert!(pointwise(op, f32::NAN, 1.0).is_nan() && pointwise(op, 1.0, f32::NAN).is_nan());
        }
        assert_eq!(
            (
                pointwise(PointwiseOp::Max, 1.0, 2.0),
                pointwise(PointwiseOp::Min, 1.0, 2.0)
            ),
            (2.0, 1.0)
        );
    }

    #[test]
    fn comparisons_are_one_or_zero() {
        use PointwiseOp::{Eq, Ge, Gt, Le, Lt, Ne};
        let row = |a, b| [Lt, Le, Gt, Ge, Eq, Ne].map(|op| pointwise(op, a, b).to_bits());
        let bits = |v: [f32; 6]| v.map(f32::to_bits);
        assert_eq!(row(1.0, 2.0), bits([1., 1., 0., 0., 0., 1.]));
        assert_eq!(row(2.0, 1.0), bits([0., 0., 1., 1., 0., 1.]));
        assert_eq!(row(-0.0, 0.0), bits([0., 1., 0., 1., 1., 0.]));
        assert_eq!(row(f32::NAN, f32::NAN), bits([0., 0., 0., 0., 0., 1.]));
    }

    #[test]
    fn keep_and_drop_complement_each_other() {
        use PointwiseOp::{Drop, Keep};
        for (condition, kept) in [(1.0, true), (-2.0, true), (f32::NAN, true), (-0.0, false)] {
            let (k, d) = (
                pointwise(Keep, -0.0, condition),
                pointwise(Drop, -0.0, condition),
            );
            let (yes, no) = ((-0.0_f32).to_bits(), 0.0_f32.to_bits());
            assert_eq!(
                (k.to_bits(), d.to_bits()),
                if kept { (yes, no) } else { (no, yes) },
                "{condition}"
            );
        }
        assert_eq!(pointwise(Keep, f32::NAN, 0.0).to_bits(), 0);
    }
}
