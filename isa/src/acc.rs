//! Block-exponent accumulator: what a row of the matrix unit adds its block products into.
//!
//! | value      | type  | unit                                        |
//! |------------|-------|---------------------------------------------|
//! | `mantissa` | `i64` | `2^(8 * exponent)`                          |
//! | `exponent` | `i8`  | eights of a binary exponent, -64..63        |
//! | `poison`   | bool  | a NaN or infinite operand took part         |
//!
//! **Contract.** A term `s * 2^g` enters at exponent `(g >> 3) - 1` with its mantissa shifted left by `8 + (g & 7)`, that is with
//! 8 to 15 guard bits. The sum's exponent is the largest seen; what is aligned to it is shifted right arithmetically (floor).
//! With `|s| < 2^39` and at most [`MAX_TERMS`] terms 64 bits never overflow. The final value is rounded once to fp32.
//! More accurate than float32 accumulation (whose 24 bits follow the running sum) and associative while exponents are equal.
//! `hdl/rtl/matrix/sl_accumulator.sv` and `sl_acc_to_float.sv` follow it bit for bit.
//! **Errors.** None.
//! **Source.** ADR 0002; replaces steps 5 and 6 of project numerics 8.2.

use crate::float::{QNAN, round_exact};

/// Exponent of an empty sum, and of a term that must not raise the exponent.
pub const MIN_EXPONENT: i8 = -64;
/// Largest number of terms one sum may have.
pub const MAX_TERMS: usize = 512;
/// Shift distance, in eights, from which on only the sign is left.
pub const FULL_SHIFT: i32 = 8;

/// A term on its way into an accumulator: mantissa already shifted left by `8 + fine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Mantissa with guard bits.
    pub mantissa: i64,
    /// Exponent in eights.
    pub exponent: i8,
    /// NaN or infinity took part.
    pub poison: bool,
}

impl Term {
    /// A term that changes nothing.
    pub const ZERO: Self = Self {
        mantissa: 0,
        exponent: MIN_EXPONENT,
        poison: false,
    };

    /// The term `s * 2^g`; `|s| < 2^39`, `-412 <= g <= 350`.
    pub const fn new(s: i64, g: i32) -> Self {
        Self {
            mantissa: s << (8 + (g & 7)),
            exponent: ((g >> 3) - 1) as i8,
            poison: false,
        }
    }

    /// An fp32 value as a term: zero exponent field is nothing, NaN and infinity poison.
    pub const fn from_f32(u: u32) -> Self {
        let e = (u >> 23 & 0xFF) as i32;
        if e == 0 {
            return Self::ZERO;
        }
        if e == 255 {
            return Self {
                poison: true,
                ..Self::ZERO
            };
        }
        let m = ((u & 0x7F_FFFF) | 0x80_0000) as i64;
        Self::new(if u >> 31 == 1 { -m } else { m }, e - 150)
    }
}

/// One accumulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acc {
    /// Mantissa.
    pub mantissa: i64,
    /// Exponent in eights.
    pub exponent: i8,
    /// NaN or infinity took part.
    pub poison: bool,
}

impl Acc {
    /// The empty sum.
    pub const ZERO: Self = Self {
        mantissa: 0,
        exponent: MIN_EXPONENT,
        poison: false,
    };

    /// A sum that starts with the fp32 constant `u` (a bias; NaN and infinity are the compiler's errors and read as zero).
    pub const fn from_bias(u: u32) -> Self {
        let t = Term::from_f32(u);
        Self {
            mantissa: t.mantissa,
            exponent: t.exponent,
            poison: false,
        }
    }

    /// Adds a term.
    #[must_use]
    pub const fn add(self, t: Term) -> Self {
        let exponent = if self.exponent > t.exponent {
            self.exponent
        } else {
            t.exponent
        };
        let old = shift_right(self.mantissa, exponent as i32 - self.exponent as i32);
        let new = shift_right(t.mantissa, exponent as i32 - t.exponent as i32);
        Self {
            mantissa: old.wrapping_add(new),
            exponent,
            poison: self.poison | t.poison,
        }
    }

    /// Rounds to fp32: nearest even, underflow and zero to +0, overflow to a signed infinity, poison to NaN.
    pub const fn to_f32(self) -> u32 {
        if self.poison {
            return QNAN;
        }
        let u = round_exact(
            self.mantissa < 0,
            self.mantissa.unsigned_abs() as u128,
            8 * self.exponent as i32,
        );
        if u & 0x7FFF_FFFF == 0 { 0 } else { u }
    }
}

/// Arithmetic shift right by `8 * eights`, saturating at the sign.
pub const fn shift_right(v: i64, eights: i32) -> i64 {
    if eights >= FULL_SHIFT {
        v >> 63
    } else {
        v >> (8 * eights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_constant_comes_back() {
        for u in [
            0x3F80_0000u32,
            0xC12F_1234,
            0x0080_0000,
            0x7F7F_FFFF,
            0x8080_0001,
        ] {
            assert_eq!(Acc::from_bias(u).to_f32(), u, "{u:08x}");
            assert_eq!(Acc::ZERO.add(Term::from_f32(u)).to_f32(), u, "{u:08x}");
        }
    }

    #[test]
    fn specials() {
        assert_eq!(Acc::ZERO.to_f32(), 0);
        assert_eq!(Acc::from_bias(0x8000_0000).to_f32(), 0, "-0 becomes +0");
        assert_eq!(Acc::ZERO.add(Term::from_f32(0x7F80_0000)).to_f32(), QNAN);
        assert_eq!(Acc::ZERO.add(Term::new(1 << 38, 350)).to_f32(), 0x7F80_0000);
        assert_eq!(
            Acc::ZERO.add(Term::new(-(1 << 38), 350)).to_f32(),
            0xFF80_0000
        );
        assert_eq!(
            Acc::ZERO.add(Term::new(-5, -412)).to_f32(),
            0,
            "underflow is +0"
        );
    }

    #[test]
    fn sums_equal_exact_sums_when_exponents_are_close() {
        let a = Acc::ZERO
            .add(Term::new(12345, -20))
            .add(Term::new(-777, -15))
            .add(Term::new(1, -24));
        let exact = 12345.0 * 2f64.powi(-20) - 777.0 * 2f64.powi(-15) + 2f64.powi(-24);
        assert_eq!(a.to_f32(), (exact as f32).to_bits());
    }

    #[test]
    fn longest_sum_does_not_overflow() {
        let mut a = Acc::ZERO;
        for _ in 0..MAX_TERMS {
            a = a.add(Term::new((1 << 39) - 1, 7));
        }
        assert!(a.mantissa > 0);
        assert_eq!(
            a.to_f32(),
            ((((1u64 << 39) - 1) as f64 * 512.0 * 128.0) as f32).to_bits()
        );
    }
}
