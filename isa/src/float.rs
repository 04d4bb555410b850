//! Scalar formats: bf16 words and the fp32 lane operations of the vector unit.
//!
//! | value | type | meaning |
//! |-------|------|---------|
//! | bf16  | `u16` | sign, 8-bit exponent, 7-bit mantissa |
//! | fp32  | `u32` bits of an `f32` | lane value of the vector unit |
//!
//! **Contract.** Operands with exponent 0 are read as zero with their sign (DAZ). Results are rounded to nearest, ties to
//! even, as if the exponent were unbounded; then a biased exponent <= 0 becomes a signed zero (FTZ, tininess after
//! rounding) and >= 255 a signed infinity. Every NaN is canonical: [`QNAN`], as bf16 [`BF16_QNAN`].
//! This file defines the numerics; `hdl/rtl/vector/*.sv` follows it bit for bit.
//! **Errors.** None: every input has a result.
//! **Source.** IEEE 754-2019 4.3.1; project numerics 8.1 and 8.3.

use crate::words::Op;

/// Canonical fp32 NaN.
pub const QNAN: u32 = 0x7FC0_0000;
/// 1.0.
pub const ONE: u32 = 0x3F80_0000;
/// Canonical bf16 NaN.
pub const BF16_QNAN: u16 = 0x7FC0;

/// bf16 to fp32 bits: exact, sixteen zero bits appended; subnormals read as signed zero.
pub const fn bf16_to_f32(h: u16) -> u32 {
    daz((h as u32) << 16)
}

/// fp32 to bf16, round to nearest even; NaN becomes [`BF16_QNAN`], subnormals a signed zero, overflow an infinity.
pub const fn f32_to_bf16(u: u32) -> u16 {
    if is_nan(u) {
        return BF16_QNAN;
    }
    if u & 0x7F80_0000 == 0 {
        return (u >> 16) as u16 & 0x8000;
    }
    ((u + 0x7FFF + ((u >> 16) & 1)) >> 16) as u16
}

/// fp32 to bf16 by truncation (host option `f32_round=False`); NaN and subnormals as in [`f32_to_bf16`].
pub const fn f32_to_bf16_truncate(u: u32) -> u16 {
    if is_nan(u) {
        return BF16_QNAN;
    }
    if u & 0x7F80_0000 == 0 {
        return (u >> 16) as u16 & 0x8000;
    }
    (u >> 16) as u16
}

/// True for any fp32 NaN.
pub const fn is_nan(u: u32) -> bool {
    u & 0x7FFF_FFFF > 0x7F80_0000
}

/// Denormals are zero: a zero exponent field reads as zero with the operand's sign.
pub const fn daz(u: u32) -> u32 {
    if u & 0x7F80_0000 == 0 {
        u & 0x8000_0000
    } else {
        u
    }
}

/// Flushes a native result that stands for the exactly rounded value with unbounded exponent.
///
/// Takes the operation's result in `f64`-backed form: see [`round_f64`].
fn canon(u: u32) -> u32 {
    if is_nan(u) { QNAN } else { u }
}

/// Rounds a value given as `sign * mantissa * 2^exp` (mantissa any `u128`, exact) to fp32 by the contract of this file.
pub const fn round_exact(negative: bool, mantissa: u128, exp: i32) -> u32 {
    let sign = (negative as u32) << 31;
    if mantissa == 0 {
        return sign;
    }
    let top = 127 - mantissa.leading_zeros() as i32; // position of the leading one
    let biased = top + exp + 127;
    let (mut kept, rest, half) = if top <= 23 {
        (mantissa << (23 - top), 0, 1)
    } else {
        let cut = top - 23;
        (mantissa >> cut, mantissa & ((1 << cut) - 1), 1 << (cut - 1))
    };
    if rest > half || (rest == half && kept & 1 == 1) {
        kept += 1;
    }
    let biased = if kept >> 24 != 0 { biased + 1 } else { biased };
    if biased <= 0 {
        return sign;
    }
    if biased >= 255 {
        return sign | 0x7F80_0000;
    }
    sign | ((biased as u32) << 23) | (kept as u32 & 0x7F_FFFF)
}

/// fp32 addition.
pub fn add(a: u32, b: u32) -> u32 {
    let (a, b) = (daz(a), daz(b));
    // Sums of fp32 values are never subnormal-inexact: a tiny result of normal operands is exact, so plain flushing equals
    // tininess after rounding.
    canon(flush((f32::from_bits(a) + f32::from_bits(b)).to_bits()))
}

/// fp32 subtraction `a - b`.
pub fn sub(a: u32, b: u32) -> u32 {
    if is_nan(b) {
        QNAN
    } else {
        add(a, b ^ 0x8000_0000)
    }
}

/// fp32 multiplication.
pub fn mul(a: u32, b: u32) -> u32 {
    let (a, b) = (daz(a), daz(b));
    let native = f32::from_bits(a) * f32::from_bits(b);
    if native.is_nan() {
        return QNAN;
    }
    if native.abs() > f32::MIN_POSITIVE {
        return native.to_bits();
    }
    // At or below the smallest normal number gradual rounding may differ from rounding with unbounded exponent.
    let negative = (a ^ b) >> 31 == 1;
    if a & 0x7FFF_FFFF == 0 || b & 0x7FFF_FFFF == 0 {
        return (u32::from(negative)) << 31;
    }
    let m = |u: u32| u128::from((u & 0x7F_FFFF) | 0x80_0000);
    let e = |u: u32| ((u >> 23) & 0xFF) as i32 - 150;
    round_exact(negative, m(a) * m(b), e(a) + e(b))
}

fn flush(u: u32) -> u32 {
    if u & 0x7F80_0000 == 0 {
        u & 0x8000_0000
    } else {
        u
    }
}

/// Order-preserving key of a non-NaN fp32 (`-0 < +0`).
pub const fn order_key(u: u32) -> i32 {
    (u ^ (((u as i32 >> 31) as u32) >> 1)) as i32
}

/// fp32 maximum: NaN if either is NaN, `-0 < +0`.
pub const fn max(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return QNAN;
    }
    let (a, b) = (daz(a), daz(b));
    if order_key(a) >= order_key(b) { a } else { b }
}

/// fp32 minimum: NaN if either is NaN, `-0 < +0`.
pub const fn min(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        return QNAN;
    }
    let (a, b) = (daz(a), daz(b));
    if order_key(a) <= order_key(b) { a } else { b }
}

/// `min(max(x, lo), hi)`: with `hi < lo` the result is `hi`, as torch and ONNX define it.
pub const fn clamp(x: u32, lo: u32, hi: u32) -> u32 {
    min(max(x, lo), hi)
}

/// The arithmetic of a vector word: `a op b`. Comparisons give 1.0 or +0 and read the zeros as equal; with NaN only `ne` holds.
pub fn arithmetic(op: Op, a: u32, b: u32) -> u32 {
    let truth = |holds: bool| if holds { ONE } else { 0 };
    let zero = |u: u32| u & 0x7F80_0000 == 0;
    let (x, y) = (daz(a), daz(b));
    let ordered = !is_nan(a) && !is_nan(b);
    let equal = ordered && (x == y || (zero(a) && zero(b)));
    let less = ordered && !equal && order_key(x) < order_key(y);
    match op {
        Op::Pass => a,
        Op::Add => add(a, b),
        Op::Sub => sub(a, b),
        Op::Rsub => sub(b, a),
        Op::Mul => mul(a, b),
        Op::Max => max(a, b),
        Op::Min => min(a, b),
        Op::Lt => truth(less),
        Op::Le => truth(less || equal),
        Op::Gt => truth(ordered && !less && !equal),
        Op::Ge => truth(ordered && !less),
        Op::Eq => truth(equal),
        Op::Ne => truth(!equal),
        Op::Keep if zero(b) => 0,
        Op::Drop if !zero(b) => 0,
        Op::Keep | Op::Drop => canon(x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bf16_round_trips() {
        for h in 0..=u16::MAX {
            let wide = bf16_to_f32(h);
            let back = f32_to_bf16(wide);
            let (e, m) = (h >> 7 & 0xFF, h & 0x7F);
            let expected = match (e, m) {
                (0, _) => h & 0x8000,
                (255, 1..) => BF16_QNAN,
                _ => h,
            };
            assert_eq!(back, expected, "{h:04x}");
        }
    }

    #[test]
    fn bf16_rounding_equals_half_crate_on_all_upper_halves() {
        for h in 0..=u16::MAX {
            for low in [0u32, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
                let u = u32::from(h) << 16 | low;
                if u & 0x7F80_0000 == 0 || is_nan(u) {
                    continue; // flushed / canonical here, kept there
                }
                assert_eq!(
                    f32_to_bf16(u),
                    half::bf16::from_f32(f32::from_bits(u)).to_bits(),
                    "{u:08x}"
                );
            }
        }
    }

    fn directed() -> Vec<u32> {
        let mut v = vec![
            0,
            0x8000_0000,
            1,
            0x007F_FFFF,
            0x0080_0000,
            0x0080_0001,
            0x3F80_0000,
            0xBF80_0000,
            0x7F7F_FFFF,
            0x7F80_0000,
            0xFF80_0000,
            0x7FC0_0000,
            0x7F80_0001,
        ];
        let mut x = 0x1234_5678u32;
        for _ in 0..400 {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            v.push(x);
            v.push((x & 0x807F_FFFF) | 0x0100_0000 | (x & 0x0080_0000)); // near the smallest normal
        }
        v
    }

    #[test]
    fn add_and_mul_equal_exact_rounding() {
        let m = |u: u32| u128::from((u & 0x7F_FFFF) | 0x80_0000);
        let e = |u: u32| ((u >> 23) & 0xFF) as i32 - 150;
        let special = |u: u32| daz(u) & 0x7FFF_FFFF == 0 || u & 0x7F80_0000 == 0x7F80_0000;
        for &a in &directed() {
            for &b in &directed() {
                if special(a) || special(b) {
                    continue;
                }
                let exact = round_exact((a ^ b) >> 31 == 1, m(a) * m(b), e(a) + e(b));
                assert_eq!(mul(a, b), exact, "{a:08x} * {b:08x}");
                if (e(a) - e(b)).abs() < 90 {
                    let low = e(a).min(e(b));
                    let s = |u: u32| {
                        (if u >> 31 == 1 { -1i128 } else { 1 }) * ((m(u) << (e(u) - low)) as i128)
                    };
                    let sum = s(a) + s(b);
                    let exact = if sum == 0 {
                        0
                    } else {
                        round_exact(sum < 0, sum.unsigned_abs(), low)
                    };
                    assert_eq!(add(a, b), exact, "{a:08x} + {b:08x}");
                }
            }
        }
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the exact comparison is what is tested")]
    fn comparisons_and_selections_are_those_of_flushed_floats() {
        for &a in &directed() {
            for &b in &directed() {
                let (x, y) = (f32::from_bits(daz(a)), f32::from_bits(daz(b)));
                let kept = if x.is_nan() { QNAN } else { daz(a) };
                let truth = |holds: bool| if holds { ONE } else { 0 };
                let expected = [
                    (Op::Lt, truth(x < y)),
                    (Op::Le, truth(x <= y)),
                    (Op::Gt, truth(x > y)),
                    (Op::Ge, truth(x >= y)),
                    (Op::Eq, truth(x == y)),
                    (Op::Ne, truth(x != y)),
                    (Op::Keep, if y == 0.0 { 0 } else { kept }),
                    (Op::Drop, if y == 0.0 { kept } else { 0 }),
                ];
                for (op, expected) in expected {
                    assert_eq!(arithmetic(op, a, b), expected, "{a:08x} {op} {b:08x}");
                }
            }
        }
    }

    #[test]
    fn special_values() {
        let inf = 0x7F80_0000;
        assert_eq!(add(inf, inf | 0x8000_0000), QNAN);
        assert_eq!(mul(inf, 0), QNAN);
        assert_eq!(mul(0x8000_0000, 0x3F80_0000), 0x8000_0000);
        assert_eq!(add(0x8000_0000, 0x8000_0000), 0x8000_0000);
        assert_eq!(add(0x3F80_0000, 0xBF80_0000), 0);
        assert_eq!(sub(0x3F80_0000, 0x3F80_0000), 0);
        assert_eq!(sub(0x8000_0000, 0), 0x8000_0000);
        assert_eq!(max(0x8000_0000, 0), 0);
        assert_eq!(min(0x8000_0000, 0), 0x8000_0000);
        assert_eq!(max(0x7F80_0001, 0), QNAN);
        assert_eq!(clamp(0x8000_0000, 0, inf), 0, "relu(-0) = +0");
        assert_eq!(
            clamp(0x4000_0000, 0x4040_0000, 0x3F80_0000),
            0x3F80_0000,
            "hi < lo gives hi"
        );
    }
}
