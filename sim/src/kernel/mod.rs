//! Matrix unit arithmetic, laid out for speed: packed weight blocks, aligned operands, accumulator columns.
//!
//! | value | shape | type | meaning |
//! |-------|-------|------|---------|
//! | packed weights | `[k][n]`, rows padded to [`ROWS`] | `u32` | upper half of `f64::from(m)`; the lower half is zero, as `m` has 17 bits |
//! | operand | `[k]` | `f64` | `a`, an 18-bit integer |
//! | mantissas, exponents | `[n]` | `i64`, `i32` | as [`sluice_isa::acc`] |
//!
//! Products are below 2^34 and sums of 64 below 2^40, so `f64` multiply-add is exact in any order. Within eight rows the packed order is
//! 0 4 1 5 2 6 3 7: of a 256-bit load the even words, shifted up, are rows 0..4 as `f64`, the odd words, masked, rows 4..8.
//!
//! **Contract.** Bit-equal to `sluice_isa::lbfp` and `sluice_isa::acc`, one poison bit per row.
//! **Errors.** None.
//!
//! **Numeric code and `as`.** Mantissas have 17 and 18 bits, exponents 10; every narrowing keeps all bits by those ranges.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "bit-level code: every width is architectural and stated beside the value"
)]

mod generic;
mod simd;

use sluice_isa::acc::Acc;
use sluice_isa::lbfp::{LANE_OFF, WeightBlock};

/// Rows of a packed block are padded to a multiple of this.
pub const ROWS: usize = 8;
/// Largest block size.
pub const MAX_B: usize = 64;
/// Exponent that marks a lane as off; any sum with an 8-bit exponent stays below [`OFF_LIMIT`].
const OFF: i32 = -(1 << 20);
const OFF_LIMIT: i32 = -(1 << 19);

/// A cache line of packed weights.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([u32; 16]);

/// Which code computes the products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Plain Rust.
    Portable,
    /// 256-bit vectors with fused multiply-add; only made by [`Engine::detect`].
    Avx2(Avx2Token),
}

/// Proof that the processor has AVX2 and FMA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2Token(());

impl Engine {
    /// The fastest engine of this processor.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            return Self::Avx2(Avx2Token(()));
        }
        Self::Portable
    }
}

/// All weight blocks of a program, packed: per block the words, then row exponents, then lane exponents (`i32`, off lanes `OFF`).
#[derive(Debug, Clone)]
pub struct Weights {
    b: usize,
    lines: Vec<Line>,
    lane_id: Vec<u32>,
}

/// One packed block and, to be fetched meanwhile, the one that will be used next.
#[derive(Debug, Clone, Copy)]
struct Block<'a> {
    words: &'a [u32],
    r: &'a [u32],
    next: &'a [u32],
}

impl Weights {
    /// Packs `blocks`, all of size `b`.
    pub fn new<'a>(b: usize, blocks: impl IntoIterator<Item = &'a WeightBlock>) -> Self {
        let mut this = Self {
            b,
            lines: Vec::new(),
            lane_id: Vec::new(),
        };
        // Blocks with equal lane exponents get equal numbers, so that one alignment serves them all.
        let mut known: std::collections::HashMap<&[i8], u32> = std::collections::HashMap::new();
        let rows = b.max(ROWS);
        for block in blocks {
            let mut record = vec![0u32; this.lines_per_block() * 16];
            for n in 0..b {
                for k in 0..b {
                    let m = f64::from(block.m[n * b + k]);
                    record[k * rows + place(n)] = (m.to_bits() >> 32) as u32;
                }
                let l = match block.l[n] {
                    LANE_OFF => OFF,
                    l => i32::from(l),
                };
                record[rows * b + n] = i32::from(block.r[n]) as u32;
                record[rows * b + b + n] = l as u32;
            }
            this.lines
                .extend(record.as_chunks::<16>().0.iter().map(|c| Line(*c)));
            let next = known.len() as u32;
            this.lane_id.push(*known.entry(&block.l).or_insert(next));
        }
        this
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.lane_id.len()
    }

    /// No blocks at all.
    pub fn is_empty(&self) -> bool {
        self.lane_id.is_empty()
    }

    /// Lane exponents are equal exactly where this is equal.
    pub fn lane_id(&self, at: usize) -> u32 {
        self.lane_id[at]
    }

    fn lines_per_block(&self) -> usize {
        (self.b.max(ROWS) * self.b + 2 * self.b).div_ceil(16)
    }

    fn record(&self, at: usize) -> &[u32] {
        let lines = self.lines_per_block();
        simd::flat(&self.lines[at * lines..(at + 1) * lines])
    }

    fn block(&self, at: usize, next: usize) -> Block<'_> {
        let (words, rest) = self.record(at).split_at(self.b.max(ROWS) * self.b);
        Block {
            words,
            r: &rest[..self.b],
            next: self.record(next),
        }
    }

    fn lanes_of(&self, at: usize) -> &[u32] {
        let start = self.b.max(ROWS) * self.b + self.b;
        &self.record(at)[start..start + self.b]
    }
}

/// Place of row `n` in the packed order.
const fn place(n: usize) -> usize {
    n / 8 * 8 + n % 4 * 2 + n / 4 % 2
}

/// An operand aligned to lane exponents, split for the multipliers.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Operand {
    a: [f64; MAX_B],
    /// Largest lane exponent.
    f: i32,
    any: bool,
    poison: bool,
}

impl Default for Operand {
    fn default() -> Self {
        Self {
            a: [0.0; MAX_B],
            f: 0,
            any: false,
            poison: false,
        }
    }
}

/// One column of accumulators: mantissas, exponents and poison of the rows.
#[derive(Debug)]
pub struct Column<'a> {
    /// Mantissas.
    pub mantissa: &'a mut [i64],
    /// Exponents in eights.
    pub exponent: &'a mut [i32],
    /// A NaN or infinity took part.
    pub poison: &'a mut [bool],
}

impl Column<'_> {
    /// Empties the sums.
    pub fn clear(&mut self) {
        self.mantissa.fill(0);
        self.exponent.fill(i32::from(sluice_isa::acc::MIN_EXPONENT));
        self.poison.fill(false);
    }

    /// Adds a block of fp32 values: the `add32` operation.
    pub fn add32(&mut self, hi: &[u16], lo: &[u16]) {
        for (n, (&h, &l)) in hi.iter().zip(lo).enumerate() {
            let term = sluice_isa::acc::Term::from_f32(u32::from(h) << 16 | u32::from(l));
            self.poison[n] |= term.poison;
            let sum = Acc {
                mantissa: self.mantissa[n],
                exponent: self.exponent[n] as i8,
                poison: false,
            }
            .add(term);
            self.mantissa[n] = sum.mantissa;
            self.exponent[n] = i32::from(sum.exponent);
        }
    }
}

/// Aligns the bf16 block `x` to the lane exponents of block `at`.
pub fn align(engine: Engine, weights: &Weights, at: usize, x: &[u16], out: &mut Operand) {
    let l = weights.lanes_of(at);
    match (engine, weights.b) {
        (Engine::Avx2(t), 8) => simd::align::<8>(t, x, l, out),
        (Engine::Avx2(t), 16) => simd::align::<16>(t, x, l, out),
        (Engine::Avx2(t), 32) => simd::align::<32>(t, x, l, out),
        (Engine::Avx2(t), 64) => simd::align::<64>(t, x, l, out),
        (_, 4) => generic::align::<4>(x, l, out),
        (_, 8) => generic::align::<8>(x, l, out),
        (_, 16) => generic::align::<16>(x, l, out),
        (_, 32) => generic::align::<32>(x, l, out),
        (_, _) => generic::align::<64>(x, l, out),
    }
}

/// Adds the product of block `at` with an operand aligned for it to a column, and fetches block `next` into the cache meanwhile.
pub fn accumulate(
    engine: Engine,
    weights: &Weights,
    (at, next): (usize, usize),
    a: &Operand,
    acc: &mut Column<'_>,
) {
    let w = weights.block(at, next);
    match (engine, weights.b) {
        (Engine::Avx2(t), 8) => simd::accumulate::<8>(t, w, a, acc),
        (Engine::Avx2(t), 16) => simd::accumulate::<16>(t, w, a, acc),
        (Engine::Avx2(t), 32) => simd::accumulate::<32>(t, w, a, acc),
        (Engine::Avx2(t), 64) => simd::accumulate::<64>(t, w, a, acc),
        (_, 4) => generic::accumulate::<4>(w, a, acc),
        (_, 8) => generic::accumulate::<8>(w, a, acc),
        (_, 16) => generic::accumulate::<16>(w, a, acc),
        (_, 32) => generic::accumulate::<32>(w, a, acc),
        (_, _) => generic::accumulate::<64>(w, a, acc),
    }
}

/// Rounds a column to fp32.
pub fn to_f32(mantissa: &[i64], exponent: &[i32], poison: &[bool], out: &mut [u32]) {
    for (((&m, &e), &poison), out) in mantissa.iter().zip(exponent).zip(poison).zip(out) {
        // `as f32` rounds the 64 bits once, to nearest even; the scale is then a matter of the exponent field alone.
        let u = (m as f32).to_bits();
        let biased = (u >> 23 & 0xFF) as i32 + 8 * e;
        *out = if poison {
            sluice_isa::float::QNAN
        } else if m == 0 || biased <= 0 {
            0
        } else if biased >= 255 {
            u & 0x8000_0000 | 0x7F80_0000
        } else {
            u & 0x807F_FFFF | (biased as u32) << 23
        };
    }
}

#[cfg(test)]
mod tests;
