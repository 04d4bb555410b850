//! Element-wise operators.

use crate::nnir::{Op, PointwiseOp, Tensor, UnaryOp};
use crate::onnx::importer::{Context, Mapped};
use crate::onnx::tensors::Value;

/// `Add`, `Sub`, `Mul`.
pub(in crate::onnx) fn binary(c: &mut Context<'_, '_, '_>, op: PointwiseOp) -> Mapped {
    let operands = [c.float(0)?, c.float(1)?];
    c.emit(Op::Pointwise(op), &operands)
}

/// `Max`, `Min`: from left to right, the last step carries the layer's name.
pub(in crate::onnx) fn variadic(c: &mut Context<'_, '_, '_>, op: PointwiseOp) -> Mapped {
    let mut result = c.float(0)?;
    let count = c.operand_count();
    for position in 1..count {
        let operands = [result, c.float(position)?];
        result = if position + 1 == count {
            c.emit(Op::Pointwise(op), &operands)?
        } else {
            c.emit_part(&position.to_string(), Op::Pointwise(op), &operands)?
        };
    }
    Ok(result)
}

pub(in crate::onnx) fn neg(c: &mut Context<'_, '_, '_>) -> Mapped {
    let x = c.float(0)?;
    let minus_one = c.own_constant("minus_one", Tensor::scalar(-1.0));
    c.emit(Op::Pointwise(PointwiseOp::Mul), &[x, minus_one])
}

/// By a constant of powers of two a multiplication, which is exact and cheaper.
pub(in crate::onnx) fn div(c: &mut Context<'_, '_, '_>) -> Mapped {
    let operands = [c.float(0)?, c.float(1)?];
    let [x, Value::Constant(divisor)] = &operands else {
        return c.emit(Op::Pointwise(PointwiseOp::Div), &operands);
    };
    if !divisor.tensor.data.iter().all(|&v| has_exact_reciprocal(v)) {
        return c.emit(Op::Pointwise(PointwiseOp::Div), &operands);
    }
    let reciprocals = divisor.tensor.data.iter().map(|v| 1.0 / v).collect();
    let tensor = Tensor::new(divisor.tensor.shape.clone(), reciprocals)?;
    let factor = c.own_constant("reciprocal", tensor);
    c.emit(Op::Pointwise(PointwiseOp::Mul), &[x.clone(), factor])
}

/// A function of one value.
pub(in crate::onnx) fn unary(c: &mut Context<'_, '_, '_>, op: UnaryOp) -> Mapped {
    let x = c.float(0)?;
    c.emit(Op::Unary(op), &[x])
}

/// `tanh(2 / sqrt(pi) (x + 0.08943 x^3))`, as in `gelu_tanh`: at most 4e-4 from `erf`, and as close in proportion near 0.
pub(in crate::onnx) fn erf(c: &mut Context<'_, '_, '_>) -> Mapped {
    let x = c.float(0)?;
    let number =
        |c: &mut Context<'_, '_, '_>, part: &str, v: f32| c.own_constant(part, Tensor::scalar(v));
    let mul = Op::Pointwise(PointwiseOp::Mul);
    let square = c.emit_part("square", mul.clone(), &[x.clone(), x.clone()])?;
    // (k c x^2 + k) x
    let slope = std::f32::consts::FRAC_2_SQRT_PI;
    let factor = number(c, "cubic", slope * 0.089_430);
    let cubic = c.emit_part("scaled", mul.clone(), &[square, factor])?;
    let offset = number(c, "slope", slope);
    let sum = c.emit_part("sum", Op::Pointwise(PointwiseOp::Add), &[cubic, offset])?;
    let argument = c.emit_part("argument", mul, &[sum, x])?;
    c.emit(Op::Unary(UnaryOp::Tanh), &[argument])
}

pub(in crate::onnx) fn gelu(c: &mut Context<'_, '_, '_>) -> Mapped {
    let form = c.text("approximate").unwrap_or_else(|| "none".to_owned());
    match form.as_str() {
        "none" => unary(c, UnaryOp::Gelu),
        "tanh" => unary(c, UnaryOp::GeluTanh),
        _ => Err(c.invalid(format!("approximate={form}"))),
    }
}

/// Exponents that are a multiplication or a root.
pub(in crate::onnx) fn pow(c: &mut Context<'_, '_, '_>) -> Mapped {
    let exponent = match c.any(1)? {
        Value::Constant(exponent) => exponent.tensor.data.clone(),
        Value::Integers(exponent) if exponent.data[..] == [2] => vec![2.0],
        _ => vec![],
    };
    let is = |wanted: f32| exponent.iter().map(|e| e.to_bits()).eq([wanted.to_bits()]);
    if ![2.0, 0.5, -0.5, -1.0].into_iter().any(is) {
        let attribute = format!("exponent {exponent:?}");
        return Err(c.unsupported(&attribute, "the constant 2, 0.5, -0.5 or -1"));
    }
    let x = c.float(0)?;
    if is(2.0) {
        return c.emit(Op::Pointwise(PointwiseOp::Mul), &[x.clone(), x]);
    }
    let function = if is(0.5) {
        UnaryOp::Sqrt
    } else if is(-0.5) {
        UnaryOp::Rsqrt
    } else {
        UnaryOp::Recip
    };
    c.emit(Op::Unary(function), &[x])
}

/// `a` where the condition holds, else `b`.
pub(in crate::onnx) fn choose(c: &mut Context<'_, '_, '_>) -> Mapped {
    let condition = match c.any(0)? {
        Value::Integers(truth) => {
            let data = truth.data.iter().map(|&t| if t == 0 { 0.0 } else { 1.0 });
            c.own_constant(
                "condition",
                Tensor::new(truth.shape.clone(), data.collect())?,
            )
        }
        condition => condition,
    };
    let operands = [condition, c.float(1)?, c.float(2)?];
    c.compose(&operands, |g, name, of| g.select(name, of[0], of[1], of[2]))
}

/// A power of two whose reciprocal is a finite number too.
fn has_exact_reciprocal(value: f32) -> bool {
    const FRACTION: u32 = (1 << 23) - 1;
    let reciprocal = 1.0 / value;
    let power = |v: f32| {
        let (bits, fraction) = (v.to_bits(), v.to_bits() & FRACTION);
        // Subnormal powers of two have one fraction bit instead of an exponent.
        if bits & 0x7f80_0000 == 0 {
            fraction.is_power_of_two()
        } else {
            fraction == 0
        }
    };
    value.is_finite() && reciprocal.is_finite() && power(value) && power(reciprocal)
}

pub(in crate::onnx) fn relu(c: &mut Context<'_, '_, '_>) -> Mapped {
    let x = c.float(0)?;
    let (min, max) = (0.0, f32::INFINITY);
    c.emit(Op::Clamp { min, max }, &[x])
}

pub(in crate::onnx) fn clip(c: &mut Context<'_, '_, '_>) -> Mapped {
    let min = bound(c, 1, f32::NEG_INFINITY);
    let max = bound(c, 2, f32::INFINITY);
    let (min, max) = (min?, max?);
    let x = c.float(0)?;
    c.emit(Op::Clamp { min, max }, &[x])
}

fn bound(c: &mut Context<'_, '_, '_>, position: usize, open: f32) -> Mapped<f32> {
    match c.constant(position)? {
        None => Ok(open),
        Some(bound) => match bound.tensor.data[..] {
            [value] => Ok(value),
            _ => Err(c.invalid(format!("operand {position} must be a scalar"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_are_exact_or_refused() {
        for exponent in -127_i16..=127 {
            let value = 2.0_f32.powi(exponent.into());
            assert!(
                has_exact_reciprocal(value) && has_exact_reciprocal(-value),
                "2^{exponent}"
            );
        }
        for value in [
            0.0,
            -0.0,
            3.0,
            0.1,
            f32::MAX,
            f32::MIN_POSITIVE / 4.0,
            f32::INFINITY,
            f32::NAN,
        ] {
            assert!(!has_exact_reciprocal(value), "{value:?}");
        }
    }
}
