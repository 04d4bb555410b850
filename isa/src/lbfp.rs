//! Lane-scaled block floating point (LBFP 17/18): the operands of the matrix unit.
//!
//! | value | shape | type | unit |
//! |-------|-------|------|------|
//! | `m`   | `[B][B]` row-major | 17-bit signed, `|m| <= 65535` | `2^(R[n] + L[k] - 15)` |
//! | `r`   | `[B]` | `i8` | row exponent |
//! | `l`   | `[B]` | `i8` | lane exponent, -128 = lane off |
//! | `a`   | `[B]` | 18-bit signed | `2^(F - 143)` |
//!
//! **Contract.** `w[n][k] = m * 2^(R + L - 15)`. An operand block is aligned to its largest lane, `a` rounded to nearest even; the
//! dot products are exact integers. `hdl/rtl/matrix/` follows [`align`] and [`step`] bit for bit.
//! **Errors.** [`quantize`] needs finite weights (the compiler checks that, naming the layer).
//! **Source.** Project numerics 8.2, steps 1 to 4; the accumulator is [`crate::acc`].

use crate::acc::{Acc, MIN_EXPONENT, Term};

/// Width of a weight mantissa in bits.
pub const WEIGHT_BITS: u32 = 17;
/// Width of an aligned operand in bits.
pub const OPERAND_BITS: u32 = 18;
/// Largest weight mantissa.
pub const WEIGHT_MAX: i32 = (1 << (WEIGHT_BITS - 1)) - 1;
/// Lane exponent that switches a lane off.
pub const LANE_OFF: i8 = -128;
/// Alignment distance from which on nothing is left of an operand.
pub const SHIFT_OUT: i32 = 18;

/// One `B x B` block of the weight store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WeightBlock {
    /// Mantissas, row-major `[n][k]`.
    pub m: Vec<i32>,
    /// Row exponents.
    pub r: Vec<i8>,
    /// Lane exponents.
    pub l: Vec<i8>,
}

impl WeightBlock {
    /// A block of size `b` with every lane off.
    pub fn off(b: usize) -> Self {
        Self {
            m: vec![0; b * b],
            r: vec![i8::MIN; b],
            l: vec![LANE_OFF; b],
        }
    }

    /// Block size.
    pub fn size(&self) -> usize {
        self.r.len()
    }

    /// The weight that `m`, `r`, `l` stand for.
    pub fn weight(&self, n: usize, k: usize) -> f64 {
        if self.l[k] == LANE_OFF {
            return 0.0;
        }
        f64::from(self.m[n * self.size() + k])
            * 2f64.powi(i32::from(self.r[n]) + i32::from(self.l[k]) - 15)
    }
}

/// Quantises a `rows x cols` piece of a weight matrix (row-major, `rows, cols <= b`) to a block; the rest is off.
///
/// Lane exponents follow the row-normalised column RMS, row exponents the largest remaining weight; rounding is to nearest
/// even from the fp32 originals.
pub fn quantize(b: usize, rows: usize, cols: usize, w: &[f32]) -> WeightBlock {
    assert!(
        rows <= b && cols <= b && w.len() == rows * cols,
        "a piece of {rows} x {cols} in a block of {b}"
    );
    let mut block = WeightBlock::off(b);
    let w: Vec<f64> = w
        .iter()
        .map(|&x| {
            if x.abs() < f32::MIN_POSITIVE {
                0.0
            } else {
                f64::from(x)
            }
        })
        .collect();
    let rho: Vec<f64> = w
        .chunks(cols.max(1))
        .map(|row| {
            let sum: f64 = row.iter().map(|x| x * x).sum();
            if sum == 0.0 {
                1.0
            } else {
                (sum / cols as f64).sqrt()
            }
        })
        .collect();
    for k in 0..cols {
        let gamma = ((0..rows)
            .map(|n| (w[n * cols + k] / rho[n]).powi(2))
            .sum::<f64>()
            / rows as f64)
            .sqrt();
        if gamma > 0.0 {
            block.l[k] = log2_floor(gamma).clamp(-127, 127) as i8;
        }
    }
    for n in 0..rows {
        let largest = (0..cols)
            .filter(|&k| w[n * cols + k] != 0.0)
            .map(|k| log2_floor(w[n * cols + k].abs()) - i32::from(block.l[k]))
            .max();
        let Some(largest) = largest else { continue };
        let r = largest.clamp(-128, 127);
        block.r[n] = r as i8;
        for k in 0..cols {
            if block.l[k] != LANE_OFF {
                let scaled = w[n * cols + k] * 2f64.powi(15 - r - i32::from(block.l[k]));
                block.m[n * b + k] = scaled
                    .round_ties_even()
                    .clamp(-f64::from(WEIGHT_MAX), f64::from(WEIGHT_MAX))
                    as i32;
            }
        }
    }
    block
}

fn log2_floor(x: f64) -> i32 {
    ((x.to_bits() >> 52 & 0x7FF) as i32) - 1023
}

/// An operand block aligned for one weight block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aligned {
    /// Largest lane exponent, -126..=381; meaningless if `any` is false.
    pub f: i32,
    /// At least one lane takes part.
    pub any: bool,
    /// A taking-part lane is NaN or infinite.
    pub poison: bool,
    /// Aligned mantissas.
    pub a: Vec<i32>,
}

/// Aligns the bf16 words `x` to the lane exponents `l`.
pub fn align(x: &[u16], l: &[i8]) -> Aligned {
    let exponent = |k: usize| i32::from(x[k] >> 7 & 0xFF);
    let on = |k: usize| exponent(k) != 0 && l[k] != LANE_OFF;
    let f = (0..x.len())
        .filter(|&k| on(k))
        .map(|k| exponent(k) + i32::from(l[k]))
        .max();
    let poison = (0..x.len()).any(|k| on(k) && exponent(k) == 255);
    let a = (0..x.len())
        .map(|k| {
            if !on(k) {
                return 0;
            }
            let d = f.unwrap_or(0) - exponent(k) - i32::from(l[k]);
            let q = shift_round(i32::from(x[k] & 0x7F) | 0x80, d);
            if x[k] >> 15 == 1 { -q } else { q }
        })
        .collect();
    Aligned {
        f: f.unwrap_or(0),
        any: f.is_some(),
        poison,
        a,
    }
}

/// `RNE((sig << 9) >> d)` of an 8-bit significand.
pub fn shift_round(sig: i32, d: i32) -> i32 {
    if d >= SHIFT_OUT {
        return 0;
    }
    let wide = i64::from(sig) << 27 >> d; // 18 fraction bits below the result: exact for d < 18
    let (kept, rest) = (wide >> 18, wide & ((1 << 18) - 1));
    let up = rest > 1 << 17 || (rest == 1 << 17 && kept & 1 == 1);
    kept as i32 + i32::from(up)
}

/// The exact dot products of a block with an aligned operand.
pub fn dot(block: &WeightBlock, a: &[i32]) -> Vec<i64> {
    let b = block.size();
    block
        .m
        .chunks(b)
        .map(|row| {
            row.iter()
                .zip(a)
                .map(|(&m, &a)| i64::from(m) * i64::from(a))
                .sum()
        })
        .collect()
}

/// The terms one block product adds to the accumulators of its rows.
pub fn step(block: &WeightBlock, x: &[u16]) -> Vec<Term> {
    let aligned = align(x, &block.l);
    dot(block, &aligned.a)
        .into_iter()
        .zip(&block.r)
        .map(|(s, &r)| {
            let mut t = Term::new(s, i32::from(r) + aligned.f - 158);
            if !aligned.any {
                t = Term {
                    mantissa: 0,
                    exponent: MIN_EXPONENT,
                    poison: false,
                };
            }
            t.poison = aligned.poison;
            t
        })
        .collect()
}

/// Adds one block product to a column of accumulators.
pub fn accumulate(acc: &mut [Acc], block: &WeightBlock, x: &[u16]) {
    for (acc, term) in acc.iter_mut().zip(step(block, x)) {
        *acc = acc.add(term);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The golden tile step of the numerics document (its appendix B).
    #[test]
    fn golden_tile_step() {
        let mut x: Vec<u16> = (0..32u16)
            .map(|k| (0x3F80 + 37 * k) | if k % 3 == 1 { 0x8000 } else { 0 })
            .collect();
        x[30] = 0x0012;
        x[31] = 0x7FC0;
        let m: Vec<i32> = (0..32u64)
            .map(|k| ((k * 2654435761 % (1 << 32)) % 131071) as i32 - 65535)
            .collect();
        let mut l: Vec<i8> = (0..32).map(|k| (k % 5) as i8 - 2).collect();
        l[31] = LANE_OFF;
        let aligned = align(&x, &l);
        assert_eq!(aligned.f, 137);
        let golden = [
            16, -41, 101, 239, -592, 46, 111, -262, 672, 1640, -121, 302, 752, -1800, 4288, 342,
            -832, 1960, 4928, -12224, 912, 2192, -5568, 13504, 31744, -2512, 6208, 14784, -35840,
            90624, 0, 0,
        ];
        assert_eq!(aligned.a, golden);
        let mut block = WeightBlock::off(32);
        block.l = l;
        block.m[..32].copy_from_slice(&m);
        block.r[0] = -3;
        assert_eq!(dot(&block, &aligned.a)[0], 895766403);
        let terms = step(&block, &x);
        assert_eq!(Acc::ZERO.add(terms[0]).to_f32(), 0x4255913E, "P");
        assert_eq!(
            Acc::from_bias(0x3F80_0000).add(terms[0]).to_f32(),
            0x4259913E,
            "acc'"
        );
        assert!(!terms[0].poison, "the NaN stands in an off lane");
    }

    #[test]
    fn poison_and_empty_blocks() {
        let mut block = quantize(4, 1, 2, &[1.0, 2.0]);
        assert!(step(&block, &[0x7F80, 0, 0, 0])[0].poison);
        assert_eq!(
            step(&block, &[0, 0, 0x7F80, 0])[0],
            Term::ZERO,
            "lane 2 is off, lanes 0 and 1 are zero"
        );
        block.l[0] = LANE_OFF;
        assert!(!step(&block, &[0x7F80, 0, 0, 0])[0].poison);
    }

    #[test]
    fn quantised_weights_are_close() {
        let w: Vec<f32> = (0..32 * 32)
            .map(|i| ((i * 7919 % 2003) as f32 / 1001.0 - 1.0) * 10f32.powi(i % 32 / 4 - 4))
            .collect();
        let block = quantize(32, 32, 32, &w);
        for n in 0..32 {
            for k in 0..32 {
                let (want, got) = (f64::from(w[n * 32 + k]), block.weight(n, k));
                assert!(
                    (want - got).abs()
                        <= 2f64.powi(i32::from(block.r[n]) + i32::from(block.l[k]) - 16),
                    "{n} {k} {want} {got}"
                );
            }
        }
    }

    #[test]
    fn rounding_of_the_aligner() {
        assert_eq!(shift_round(0x80, 0), 0x80 << 9);
        assert_eq!(shift_round(0x81, 9), 0x81);
        assert_eq!(shift_round(0x81, 10), 0x40, "tie to even");
        assert_eq!(shift_round(0x83, 10), 0x42);
        assert_eq!(shift_round(0x80, 17), 0, "exactly half, to even");
        assert_eq!(shift_round(0x81, 17), 1);
        assert_eq!(shift_round(0xFF, 18), 0);
    }
}
