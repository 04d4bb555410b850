//! Special functions of the vector unit: one table look-up and one quadratic for each.
//!
//! | value | type | meaning |
//! |-------|------|---------|
//! | operand, result | `u32`, fp32 bits | dimensionless |
//! | [`Row`] | 72 bits | coefficients of one segment and its result's exponent |
//! | [`Entry`] | per function, sign and binade of the operand | the segments of that binade, or a result without a table |
//! | offset `t` | 17 or 18 bits signed | place in the segment, 0 at its centre |
//! | `y` | 24 bits | significand of the result, 22 fraction bits, in `[1/2, 4)` |
//!
//! The logarithm's fraction is joined to its integer part, so that its `c0` and `t` are first scaled by a power of two.
//! `y = c0 + ((t * (c1 + (((t >> 8) * c2) >> 8))) >> 15)`, shifts being floor. `recip`, `rsqrt`, `exp2` and `tanh` have the constants of
//! [`base`], a 17-bit `t` and a `y` held below 2; all other functions have fitted rows, an 18-bit `t`, and exponents of their own per row, so that
//! they are relatively accurate as far as fp32 reaches. Nothing is multiplied after it, and no result is renormalised by more than one place.
//!
//! **Contract.** Operands with exponent 0 read as zero with their sign; a result below the normal range is a signed zero, above it a
//! signed infinity; every NaN is [`QNAN`]. This file defines the numerics; `hdl/rtl/special/*.sv` follows it bit for bit. Errors
//! against float64: `docs/special.md`.
//! **Errors.** None: every input has a result.
//! **Source.** Project numerics 8.4; the fit of the other rows is `isa/tests/special/fit.rs`.

pub mod base;
pub mod reference;
pub mod rows;
pub mod sv;

use crate::float::{QNAN, is_nan};
use rows::{MAP, ROWS};

/// What the unit computes. The discriminant is the code on its `fn_i` port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Function {
    /// `1 / x`.
    Recip = 0,
    /// `1 / sqrt(x)`.
    Rsqrt = 1,
    /// `sqrt(x)`.
    Sqrt = 2,
    /// `2^x`.
    Exp2 = 3,
    /// `log2(x)`.
    Log2 = 4,
    /// `tanh(x)`.
    Tanh = 5,
    /// `1 / (1 + exp(-x))`.
    Sigmoid = 6,
    /// `x * sigmoid(x)`.
    Silu = 7,
    /// `x * Phi(x)`, `Phi` the normal distribution function (GELU, erf form).
    Gelu = 8,
    /// `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))` (GELU, tanh form).
    GeluTanh = 9,
    /// `ln(1 + exp(x))`.
    Softplus = 10,
}

impl Function {
    /// Every function, in the order of the codes.
    pub const ALL: [Self; 11] = [
        Self::Recip,
        Self::Rsqrt,
        Self::Sqrt,
        Self::Exp2,
        Self::Log2,
        Self::Tanh,
        Self::Sigmoid,
        Self::Silu,
        Self::Gelu,
        Self::GeluTanh,
        Self::Softplus,
    ];

    /// Name in texts and, in camel case, in the package.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recip => "recip",
            Self::Rsqrt => "rsqrt",
            Self::Sqrt => "sqrt",
            Self::Exp2 => "exp2",
            Self::Log2 => "log2",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Softplus => "softplus",
        }
    }

    /// Uses the constants of [`base`]: 17-bit offset, `y` held in `[1, 2)`.
    pub const fn is_base(self) -> bool {
        matches!(self, Self::Recip | Self::Rsqrt | Self::Exp2 | Self::Tanh)
    }

    /// Product of the operand and a factor that is 0 at -Inf: NaN there, as that product is.
    pub const fn is_gated(self) -> bool {
        matches!(self, Self::Silu | Self::Gelu | Self::GeluTanh)
    }

    /// Has one row for each binade of small operands, at consecutive places.
    pub const fn has_small_rows(self) -> bool {
        self.is_gated() || matches!(self, Self::Sigmoid | Self::Softplus)
    }

    /// Negative operands of at least this magnitude (upper half of an fp32) give a signed zero.
    pub const fn underflow(self) -> u32 {
        match self {
            Self::Sigmoid | Self::Softplus => 0x42AF, // 87.5
            Self::Silu => 0x42B8,                     // 92
            Self::Gelu => 0x4153,                     // 13.1875
            Self::GeluTanh => 0x4122,                 // 10.125
            _ => 0x7FFF,
        }
    }
}

/// One segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Value at the centre, 24 bits unsigned.
    pub c0: u32,
    /// Slope, 22 bits signed.
    pub c1: i32,
    /// Curvature, 18 bits signed.
    pub c2: i32,
    /// Biased exponent of `y = 1.0`, before what the operand's exponent adds.
    pub exp: u8,
}

/// Widths of `c0`, `c1`, `c2` and `exp`.
pub const ROW_BITS: [u32; 4] = [24, 22, 18, 8];

impl Row {
    /// Slope at the offset `t`.
    pub const fn slope(self, t: i32) -> i64 {
        self.c1 as i64 + (((t as i64 >> 8) * self.c2 as i64) >> 8)
    }

    /// The quadratic.
    pub const fn eval(self, t: i32) -> i64 {
        self.c0 as i64 + ((t as i64 * self.slope(t)) >> 15)
    }
}

/// How one binade of operands is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `2^log2_rows` segments from row `first`, a multiple of their number.
    Rows {
        /// First row.
        first: u16,
        /// Leading fraction bits that choose the row.
        log2_rows: u8,
    },
    /// A power of two, 0 or infinity: this biased exponent and no fraction.
    Fixed(u8),
    /// The natural logarithm of 2.
    Ln2,
    /// The operand.
    Pass,
    /// Half of the operand.
    Half,
}

/// Exponent of the first binade of [`MAP`]; smaller operands share its entry, and larger ones that of the last.
pub const FIRST_EXPONENT: i32 = 103 - 127;

/// Binades of [`MAP`].
pub const BINADES: usize = 32;

const FRAC: u32 = 0x7F_FFFF;
const INF: u32 = 0x7F80_0000;
const LN_2: u32 = 0x3F31_7218;

/// `x` in fixed point, 23 fraction bits, magnitude truncated: integer part (floor) and fraction. `|x| < 128`.
pub const fn split(s: u32, e: i32, m: u32) -> (i32, u32) {
    let significand = (m | 1 << 23) as i32;
    let shift = e - 127;
    let magnitude = if shift >= 0 {
        significand << shift
    } else if shift > -24 {
        significand >> -shift
    } else {
        0
    };
    let fixed = if s == 1 { -magnitude } else { magnitude };
    (fixed >> 23, fixed as u32 & FRAC)
}

/// Offset from the centre of a segment: `u` is the place in it with 23 bits.
const fn offset(base: bool, u: u32) -> i32 {
    (u as i32 - (1 << 22)) >> if base { 6 } else { 5 }
}

/// Row, fraction within it and what is added to its exponent.
struct Segment {
    row: usize,
    u: u32,
    add: i32,
}

const fn segment(first: u16, log2_rows: u8, m: u32, add: i32) -> Segment {
    Segment {
        row: first as usize + (m >> (23 - log2_rows)) as usize,
        u: (m << log2_rows) & FRAC,
        add,
    }
}

fn pack(negative: bool, exponent: i32, fraction: u32) -> u32 {
    let sign = u32::from(negative) << 31;
    match exponent {
        255.. => sign | INF,
        1.. => sign | (exponent as u32) << 23 | fraction,
        _ => sign,
    }
}

/// One operation of the unit.
pub fn apply(function: Function, x: u32) -> u32 {
    use Function as F;
    let (s, e, m) = (x >> 31, (x >> 23 & 0xFF) as i32, x & FRAC);
    let (zero, inf) = (e == 0, e == 255);
    if is_nan(x) {
        return QNAN;
    }
    match function {
        F::Recip if zero || inf => return s << 31 | if zero { INF } else { 0 },
        F::Rsqrt if zero => return s << 31 | INF,
        F::Sqrt if zero => return s << 31,
        F::Log2 if zero => return 1 << 31 | INF,
        F::Rsqrt | F::Sqrt | F::Log2 if s == 1 => return QNAN,
        F::Rsqrt if inf => return 0,
        F::Sqrt | F::Log2 if inf => return INF,
        F::Silu | F::Gelu | F::GeluTanh if inf && s == 1 => return QNAN,
        _ => {}
    }
    let negative = match function {
        F::Recip | F::Tanh => s == 1,
        _ => function.is_gated() && s == 1,
    };
    if s == 1 && (x >> 16 & 0x7FFF) >= function.underflow() {
        return pack(negative, 0, 0);
    }
    let binade = (e - 127 - FIRST_EXPONENT).clamp(0, BINADES as i32 - 1);
    let (first, k) = match MAP[2 * function as usize + s as usize][binade as usize] {
        Entry::Rows { first, log2_rows } => (first, log2_rows),
        Entry::Fixed(exponent) => return pack(negative, i32::from(exponent), 0),
        Entry::Ln2 => return LN_2,
        Entry::Pass => return if zero { s << 31 } else { x },
        Entry::Half => return pack(s == 1, e - 1, m),
    };
    if function == F::Log2 {
        return log2(first, k, e, m);
    }
    let odd = (e - 127) & 1;
    let half = (e - 127 - odd) / 2;
    let at = match function {
        F::Recip if m == 0 => return pack(negative, 254 - e, 0),
        F::Recip => segment(first, k, m, -e),
        F::Rsqrt if m == 0 && odd == 0 => return pack(negative, 127 - half, 0),
        F::Rsqrt => segment(first + ((odd as u16) << k), k, m, -half),
        F::Sqrt if m == 0 && odd == 0 => return pack(negative, 127 + half, 0),
        F::Sqrt => segment(first + ((odd as u16) << k), k, m, half),
        F::Exp2 => {
            let (i, f) = split(s, e, m);
            if f == 0 {
                return pack(negative, 127 + i, 0);
            }
            segment(first, k, f, i)
        }
        _ => segment(first, k, m, 0),
    };
    finish(function, negative, &at)
}

fn finish(function: Function, negative: bool, at: &Segment) -> u32 {
    let row = ROWS[at.row];
    let y = row.eval(offset(function.is_base(), at.u)) as u32;
    normalise(function, negative, i32::from(row.exp) + at.add, y)
}

/// Moves `y` by at most one place and packs.
fn normalise(function: Function, negative: bool, exponent: i32, y: u32) -> u32 {
    match y >> 22 {
        0 if function.is_base() && function != Function::Tanh => pack(negative, exponent, 0),
        0 => pack(negative, exponent - 1, y << 2 & FRAC),
        1 => pack(negative, exponent, y << 1 & FRAC),
        _ if function.is_base() => pack(negative, exponent, 0x7F_FFFE),
        _ => pack(negative, exponent + 1, y & FRAC),
    }
}

/// Logarithm of a positive normal number. In `[1/2, 2)` the distance to 1 chooses four rows by its own binade, so that results near 0 are
/// relatively accurate; elsewhere the table gives the fraction of the result's magnitude.
fn log2(first: u16, k: u8, e: i32, m: u32) -> u32 {
    let i = e - 127;
    let below = i < 0;
    if m == 0 && (-1..=0).contains(&i) {
        return if below { 1 << 31 | 127 << 23 } else { 0 };
    }
    if !(-1..=0).contains(&i) {
        let integer = if below { -i - i32::from(m != 0) } else { i } as u32;
        let top = integer.ilog2();
        let at = segment(first, k, m, 0);
        let row = ROWS[at.row];
        let t = offset(false, at.u);
        // Leading one at bit 23, unless the fraction is a hair below 0.
        let (c0, t_scaled) = if m == 0 { (0, 0) } else { (row.c0, t >> top) };
        let joined = i64::from(((u64::from(integer) << 22 | u64::from(c0)) << 1 >> top) as u32);
        let y = (joined + ((i64::from(t_scaled) * row.slope(t >> 1)) >> 15)) as u32;
        return normalise(
            Function::Log2,
            below,
            i32::from(row.exp) + top as i32 - 1,
            y,
        );
    }
    // Below 1 the complement is the distance but for one unit of the last place.
    let distance = if below { !m & FRAC } else { m };
    let zeros = distance.leading_zeros() - 9;
    let u = distance << (zeros + 1) & FRAC;
    let first = first + 4 * zeros.min(15) as u16;
    finish(
        Function::Log2,
        below,
        &segment(first, k, u, -(zeros as i32)),
    )
}
