//! FP8 weights: OCP E4M3 (bias 7, no infinities, NaN is `S.1111.111`), a power of two per row, two blocks at one store address.
//!
//! | value | type | is |
//! |-------|------|----|
//! | code  | `u8`, `S.EEEE.MMM` | `(8 + M) 2^(E - 10)`, for `E = 0` `M 2^-9` |
//! | stored code | the same, `E <= 13` | mantissa `m = value 2^9` of an LBFP block, `|m| <= 61440` |
//! | weight | `f32` | `m 2^(R[n] + L[k] - 15)`, as in any other block |
//!
//! **Contract.** [`round_rows`] decides the values: the row is scaled so that its largest weight, rounded, lies in 64..128, every weight is
//! rounded to E4M3, nearest even, and scaled back. So a weight is never further from the original than its E4M3 cast, equals it where the weight is
//! at least 2^-6, E4M3's least normal number, and E4M3 values stay what they are, as long as the row's largest is below 128; in a row of larger weights what
//! lies below 2^-16 of the largest is lost, as in any LBFP block. [`block`] stores such values exactly. `hdl/rtl/matrix/sl_fp8_lane.sv`
//! follows [`mantissa`] bit for bit.
//! **Errors.** [`block`] gives `None` for values that are not [`round_rows`]'s.
//! **Source.** OCP 8-bit Floating Point Specification (OFP8) 1.0; ADR 0011.

use crate::lbfp::{LANE_OFF, WeightBlock, quantize};

/// Width of a code in bits.
pub const CODE_BITS: u32 = 8;
/// Largest exponent field of a stored code.
pub const STORED_EXPONENT_MAX: u8 = 13;
/// Largest E4M3 value.
pub const MAX: f32 = 448.0;
/// The NaN code without sign.
pub const NAN: u8 = 0x7F;

/// E4M3 nearest to `x`, ties to even; beyond 464, and for NaN, the NaN.
pub fn from_f32(x: f32) -> u8 {
    let sign = if x.is_sign_negative() { 0x80 } else { 0 };
    let units = nearest(f64::from(x.abs())) * 512.0;
    // NaN fails the comparison.
    if units <= f64::from(MAX) * 512.0 {
        sign | exact(units as i32).unwrap_or(NAN)
    } else {
        sign | NAN
    }
}

/// Value of a code.
pub fn to_f32(code: u8) -> f32 {
    let (e, m) = (i32::from(code >> 3 & 15), f32::from(code & 7));
    let magnitude = match (e, code & 7) {
        (15, 7) => f32::NAN,
        (0, _) => m / 512.0,
        _ => (8.0 + m) * 2f32.powi(e - 10),
    };
    if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// Nearest number of 4 significant bits and no finer than 2^-9.
fn nearest(x: f64) -> f64 {
    let step = 2f64.powi(log2_floor(x).max(-6) - 3);
    (x / step).round_ties_even() * step
}

fn log2_floor(x: f64) -> i32 {
    (x.to_bits() >> 52 & 0x7FF) as i32 - 1023
}

/// Code of a magnitude in units of 2^-9.
fn exact(units: i32) -> Option<u8> {
    let e = if units < 16 {
        units >> 3
    } else {
        units.ilog2() as i32 - 2
    };
    let shift = (e - 1).max(0);
    let fits = units >> shift << shift == units && e <= 15;
    fits.then_some((e << 3 | (units >> shift & 7)) as u8)
}

/// Mantissa of a stored code.
pub fn mantissa(code: u8) -> i32 {
    let (e, f) = (code >> 3 & 15, i32::from(code & 7));
    let magnitude = if e == 0 { f } else { (8 + f) << (e - 1) };
    if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// A code that the store may hold.
pub const fn is_stored(code: u8) -> bool {
    code >> 3 & 15 <= STORED_EXPONENT_MAX
}

/// Stored code of a mantissa, if it has one.
pub fn code(m: i32) -> Option<u8> {
    let code = exact(m.checked_abs()?)?;
    is_stored(code).then_some(if m < 0 { code | 0x80 } else { code })
}

/// Rounds the rows of a weight matrix (row-major, `cols` weights each); weights too small for `f32`'s normal range become zero.
pub fn round_rows(w: &mut [f32], cols: usize) {
    for row in w.chunks_mut(cols.max(1)) {
        let largest = row.iter().fold(0f32, |max, x| max.max(x.abs()));
        if largest < f32::MIN_POSITIVE || !largest.is_finite() {
            row.iter_mut()
                .filter(|x| x.is_finite())
                .for_each(|x| *x = 0.0);
            continue;
        }
        let binade = log2_floor(f64::from(largest));
        let rounded = nearest(f64::from(largest) * 2f64.powi(-binade)) * 2f64.powi(binade);
        let scale = 2f64.powi(6 - log2_floor(rounded));
        for x in row {
            let y = (nearest(f64::from(x.abs()) * scale) / scale) as f32;
            *x = if y < f32::MIN_POSITIVE {
                0.0
            } else {
                y.copysign(*x)
            };
        }
    }
}

/// Block of a `rows x cols` piece of a rounded matrix, exact; `None` if a weight has no code.
///
/// Lane exponents are those of an ordinary block if the weights allow it, which aligns operands best, else 0.
pub fn block(b: usize, rows: usize, cols: usize, w: &[f32]) -> Option<WeightBlock> {
    let scaled = quantize(b, rows, cols, w);
    if holds(&scaled, rows, cols, w) {
        return Some(scaled);
    }
    let mut plain = WeightBlock::off(b);
    for (l, scaled) in plain.l.iter_mut().zip(&scaled.l) {
        *l = if *scaled == LANE_OFF { LANE_OFF } else { 0 };
    }
    for n in 0..rows {
        let row = &w[n * cols..(n + 1) * cols];
        let largest = row.iter().fold(0f32, |max, x| max.max(x.abs()));
        if largest < f32::MIN_POSITIVE {
            continue;
        }
        let r = log2_floor(f64::from(largest));
        plain.r[n] = r as i8;
        for (m, &x) in plain.m[n * b..].iter_mut().zip(row) {
            *m = (f64::from(x) * 2f64.powi(15 - r)) as i32;
        }
    }
    holds(&plain, rows, cols, w).then_some(plain)
}

/// The block has codes and stands for exactly these weights.
fn holds(block: &WeightBlock, rows: usize, cols: usize, w: &[f32]) -> bool {
    let same = |n: usize, k: usize| {
        let x = f64::from(w[n * cols + k]);
        block.weight(n, k).to_bits() & !(1 << 63) == x.to_bits() & !(1 << 63)
            && (block.weight(n, k) < 0.0) == (x < 0.0)
    };
    block.m.iter().all(|&m| code(m).is_some()) && (0..rows).all(|n| (0..cols).all(|k| same(n, k)))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the conversions are exact or nearest")]
mod tests {
    use super::*;

    /// The 127 magnitudes and the NaN, from the definition.
    fn magnitudes() -> Vec<f64> {
        let mut all: Vec<f64> = (0..8).map(|m| f64::from(m) / 512.0).collect();
        for e in 1..=15 {
            for m in 0..8 {
                all.push((1.0 + f64::from(m) / 8.0) * 2f64.powi(e - 7));
            }
        }
        all
    }

    #[test]
    fn all_codes() {
        let reference = magnitudes();
        for c in 0..=255u8 {
            let (value, want) = (f64::from(to_f32(c)), reference[usize::from(c & 0x7F)]);
            if c & 0x7F == NAN {
                assert!(value.is_nan());
                continue;
            }
            assert_eq!(value.abs(), want, "{c:02x}");
            assert_eq!(value.is_sign_negative(), c & 0x80 != 0, "{c:02x}");
            assert_eq!(from_f32(to_f32(c)), c);
            assert_eq!(is_stored(c), want < 128.0, "{c:02x}");
            if is_stored(c) {
                assert_eq!(f64::from(mantissa(c)), value * 512.0, "{c:02x}");
                assert_eq!(
                    code(mantissa(c)),
                    Some(if c == 0x80 { 0 } else { c }),
                    "{c:02x}"
                );
            }
        }
        let coded = (-65535..=65535).filter(|&m| code(m).is_some()).count();
        assert_eq!(
            coded,
            2 * 14 * 8 - 1,
            "every mantissa has one code or none, zero has one"
        );
        assert_eq!(code(65536), None);
        assert_eq!(code(i32::MIN), None);
    }

    /// Nearest magnitude by search, ties to the even code.
    fn search(x: f64, reference: &[f64]) -> u8 {
        let distance = |i: usize| (reference[i] - x).abs();
        // The NaN's place takes part in the rounding, as the value 480 it would have.
        let best = (0..128).min_by(|&i, &j| {
            distance(i)
                .total_cmp(&distance(j))
                .then((i % 2).cmp(&(j % 2)))
        });
        best.unwrap() as u8
    }

    #[test]
    fn conversion_of_every_bf16_and_of_the_ties() {
        let reference = magnitudes();
        let check = |x: f32| {
            let want = if x.is_nan() {
                NAN
            } else {
                search(f64::from(x.abs()).min(1e3), &reference)
            };
            let sign = if x.is_sign_negative() { 0x80 } else { 0 };
            assert_eq!(from_f32(x), sign | want, "{x:e}");
        };
        for word in 0..=u16::MAX {
            check(f32::from_bits(u32::from(word) << 16));
        }
        for pair in reference.windows(2) {
            let tie = f64::midpoint(pair[0], pair[1]) as f32;
            for x in [tie, tie.next_up(), tie.next_down(), -tie] {
                check(x);
            }
        }
        assert_eq!(to_f32(from_f32(464.0)), 448.0);
        assert_eq!(from_f32(464.0f32.next_up()), NAN);
        assert_eq!(from_f32(f32::NEG_INFINITY), NAN | 0x80);
    }

    /// Rows of all scales, with spans from narrow to all of `f32`.
    fn rows(cols: usize) -> Vec<Vec<f32>> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        (0..600)
            .map(|i| {
                let (top, span) = ((i % 280) - 140, 1 + i % 37);
                (0..cols)
                    .map(|_| {
                        let significand = 1.0 + f64::from(next()) / 16_777_216.0;
                        let exponent = top - i32::try_from(next() % 37).unwrap() % span;
                        let x = (significand * 2f64.powi(exponent.clamp(-160, 126))) as f32;
                        match next() % 18 {
                            0 | 1 => 0.0,
                            i if i % 2 == 0 => x,
                            _ => -x,
                        }
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn rounding_is_never_worse_than_the_cast_and_keeps_what_is_rounded() {
        let mut better = 0;
        for row in rows(32) {
            let mut rounded = row.clone();
            round_rows(&mut rounded, 32);
            let largest = rounded.iter().fold(0f32, |max, x| max.max(x.abs()));
            for (&x, &y) in row.iter().zip(&rounded) {
                let cast = to_f32(from_f32(x));
                let (near, far) = ((x - y).abs(), (x - cast).abs());
                if largest < 128.0 {
                    assert!(near <= far, "{x:e}: {y:e}, cast {cast:e}");
                    better += u32::from(near < far);
                    if x.abs() >= 2f32.powi(-6) {
                        assert_eq!(y, cast);
                    }
                }
                let allowed = f64::from(x.abs()) / 16.0
                    + f64::from(largest) / 65536.0
                    + f64::from(f32::MIN_POSITIVE);
                assert!(f64::from(near) <= allowed, "{x:e}: {y:e}, {largest:e}");
            }
            let mut again = rounded.clone();
            round_rows(&mut again, 32);
            assert_eq!(again, rounded);
            // What is E4M3 already stays.
            let mut casts: Vec<f32> = row
                .iter()
                .map(|&x| to_f32(from_f32(x)))
                .map(|x| if x.abs() < 128.0 { x } else { 1.0 })
                .collect();
            let before = casts.clone();
            round_rows(&mut casts, 32);
            assert_eq!(casts, before);
        }
        assert!(better > 1000, "{better}");
    }

    #[test]
    fn blocks_hold_rounded_weights_exactly_and_no_others() {
        let mut lanes = 0;
        for b in [4, 8, 32] {
            for group in rows(b).chunks(b) {
                let mut w = group.concat();
                let raw = block(b, group.len(), b, &w);
                assert!(raw.is_none(), "unrounded weights");
                round_rows(&mut w, b);
                let exact = block(b, group.len(), b, &w).unwrap();
                for n in 0..group.len() {
                    for k in 0..b {
                        assert_eq!(exact.weight(n, k), f64::from(w[n * b + k]));
                    }
                }
                assert!(exact.m.iter().all(|&m| code(m).is_some()));
                lanes += exact.l.iter().filter(|&&l| l != 0 && l != LANE_OFF).count();
            }
        }
        assert!(lanes > 0, "lane exponents are used where they fit");
    }
}
