//! The seven functions as project numerics 8.4 first defined them, on six shared tables.
//!
//! | function | range that is relatively accurate |
//! |----------|-----------------------------------|
//! | [`recip`], [`rsqrt`], [`exp2`], [`tanh`] | all |
//! | [`log2`] | away from 1; absolute 2^-20 near it |
//! | [`sigmoid`], [`phi`] | down to about -8 and -4; absolute 2^-22 below, 0 from -16 and -8 |
//!
//! The unit ([`super::apply`]) gives the same bits for `recip`, `rsqrt`, `exp2` and `tanh`, and replaces the others by tables that stay
//! relatively accurate. The page `docs/special.md` prints both beside each other.
//!
//! **Contract.** Integers only; operands and results are fp32 bit patterns.
//! **Errors.** None: every input has a result.
//! **Source.** Project numerics 8.4, golden vectors of its appendix B.

use super::base::{BASE_ROWS, ERFH, EXP2, LOG2P, RECIP, RSQRT, TANH};
use crate::float::{QNAN, is_nan};

const INF: u32 = 0x7F80_0000;
const FRAC: u32 = 0x7F_FFFF;

/// Quadratic of one row at the offset `t` from the segment's centre.
fn eval(row: usize, t: i32) -> i64 {
    let bits = BASE_ROWS[row];
    let c0 = (bits >> 30) as i64;
    let c1 = ((bits << 34) as i64) >> 46;
    let c2 = ((bits << 52) as i64) >> 52;
    let t = i64::from(t);
    c0 + ((t * (c1 + (((t >> 8) * c2) >> 8))) >> 15)
}

/// Fraction of a value in `[1, 2)` with 22 fraction bits.
fn fraction(y: i64) -> u32 {
    ((y.clamp(1 << 22, (1 << 23) - 1) & 0x3F_FFFF) << 1) as u32
}

/// Sign, unbounded exponent and fraction as fp32.
fn pack(sign: u32, exponent: i32, fraction: u32) -> u32 {
    match exponent {
        255.. => sign << 31 | INF,
        1.. => sign << 31 | (exponent as u32) << 23 | fraction,
        _ => sign << 31,
    }
}

const fn fields(x: u32) -> (u32, i32, u32) {
    (x >> 31, (x >> 23 & 0xFF) as i32, x & FRAC)
}

/// `1 / x`.
pub fn recip(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    match (e, m) {
        _ if is_nan(x) => QNAN,
        (255, _) => s << 31,
        (0, _) => s << 31 | INF,
        (_, 0) => pack(s, 254 - e, 0),
        _ => pack(
            s,
            253 - e,
            fraction(eval(
                RECIP + (m >> 17) as usize,
                (m & 0x1_FFFF) as i32 - 0x1_0000,
            )),
        ),
    }
}

/// `1 / sqrt(x)`.
pub fn rsqrt(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    if is_nan(x) {
        return QNAN;
    }
    if e == 0 {
        return s << 31 | INF;
    }
    if s == 1 {
        return QNAN;
    }
    if e == 255 {
        return 0;
    }
    let odd = (e - 127) & 1;
    let half = (e - 127 - odd) / 2;
    if m == 0 && odd == 0 {
        return pack(0, 127 - half, 0);
    }
    let row = RSQRT + 32 * odd as usize + (m >> 18) as usize;
    let t = (m >> 1 & 0x1_FFFF) as i32 - 0x1_0000;
    pack(0, 126 - half, fraction(eval(row, t)))
}

/// `2^x`.
pub fn exp2(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    if is_nan(x) {
        return QNAN;
    }
    if e >= 134 {
        return if s == 1 { 0 } else { INF };
    }
    let (i, f) = super::split(s, e, m);
    if f == 0 {
        return pack(0, i + 127, 0);
    }
    let y = eval(EXP2 + (f >> 17) as usize, (f & 0x1_FFFF) as i32 - 0x1_0000);
    pack(0, i + 127, fraction(y))
}

/// `log2(x)`.
pub fn log2(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    if e == 0 {
        return 0x8000_0000 | INF;
    }
    if is_nan(x) || s == 1 {
        return QNAN;
    }
    if e == 255 {
        return INF;
    }
    let y = if m == 0 {
        0
    } else {
        eval(LOG2P + (m >> 17) as usize, (m & 0x1_FFFF) as i32 - 0x1_0000).clamp(0, 1 << 22)
    };
    let value = (i64::from(e - 127) << 22) + y;
    crate::float::round_exact(value < 0, u128::from(value.unsigned_abs()), -22)
}

/// Row and offset of the tables over binades -7..=2.
fn odd_segment(exponent: i32, m: u32) -> (usize, i32) {
    let m = m as usize;
    let (row, drop) = match exponent {
        2 => (48 + (m >> 19), 2),
        -1 => (64 + (m >> 19), 2),
        0 => (80 + (m >> 19), 2),
        1 => (96 + (m >> 18), 1),
        _ => (8 * (exponent + 7) as usize + (m >> 20), 3),
    };
    (row, (m >> drop & 0x1_FFFF) as i32 - 0x1_0000)
}

/// `tanh(x)`.
pub fn tanh(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    if is_nan(x) {
        return QNAN;
    }
    match e - 127 {
        _ if e == 0 => s << 31,
        3.. => s << 31 | 0x3F80_0000,
        ..-7 => x,
        exponent => {
            let (row, t) = odd_segment(exponent, m);
            let y = eval(TANH + row, t).min((1 << 23) - 1);
            crate::float::round_exact(s == 1, y as u128, -22 + exponent.min(-1))
        }
    }
}

/// `(1 +- v) / 2` of an odd function `v` that saturates at 1; `slope` is its derivative at 0 in 1/1024.
fn saturating(table: usize, slope: u64, s: u32, e: i32, m: u32) -> u32 {
    let one = 1u64 << 23;
    let exponent = e - 127;
    let v = match exponent {
        _ if e <= 0 => 0,
        3.. => one,
        -7.. => {
            let (row, t) = odd_segment(exponent, m);
            (eval(table + row, t).min((1 << 23) - 1) as u64) >> (-1 - exponent).max(0)
        }
        -31.. => (((u64::from(m) | one) >> -exponent) * slope) >> 10,
        _ => 0,
    };
    let sum = if s == 1 { one - v } else { one + v };
    crate::float::round_exact(false, u128::from(sum), -24)
}

/// `1 / (1 + exp(-x))`, from the table of tanh at `x / 2`.
pub fn sigmoid(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    if is_nan(x) {
        return QNAN;
    }
    saturating(TANH, 1024, s, e - 1, m)
}

/// Normal distribution function `(1 + erf(x / sqrt 2)) / 2`.
pub fn phi(x: u32) -> u32 {
    let (s, e, m) = fields(x);
    if is_nan(x) {
        return QNAN;
    }
    saturating(ERFH, 817, s, e, m)
}
