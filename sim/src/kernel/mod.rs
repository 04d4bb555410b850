//! Matrix unit arithmetic, laid out for speed: packed weight blocks, aligned operands, accumulator columns.
//!
//! | value | shape | type | meaning |
//! |-------|-------|------|---------|
//! | packed weights | `[k][n]`, rows padded to [`ROWS`] | 2 x `i16` in an `i32` | low half `m >> 7`, high half `m & 127` |
//! | operand | `[k]` | 2 x `i16` in an `i32`, twice | `a = 512 * h + l`; pairs `(128 h, h)` and `(128 l, l)` |
//! | mantissas, exponents | `[n]` | `i64`, `i32` | as [`sluice_isa::acc`] |
//!
//! One multiply-add of 16-bit pairs gives `m * h` exactly, another `m * l`; both sums stay below 2^30 for 64 lanes, and
//! `S = 512 * sum(m * h) + sum(m * l)`.
//!
//! **Contract.** Bit-equal to `sluice_isa::lbfp` and `sluice_isa::acc`, with one poison bit per accumulator block as in the hardware.
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
struct Line([i32; 16]);

/// Which code computes the products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Plain Rust.
    Portable,
    /// 256-bit vectors; only made by [`Engine::detect`].
    Avx2(Avx2Token),
}

/// Proof that the processor has AVX2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Avx2Token(());

impl Engine {
    /// The fastest engine of this processor.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2(Avx2Token(()));
        }
        Self::Portable
    }
}

/// All weight blocks of a program, packed.
#[derive(Debug, Clone)]
pub struct Weights {
    b: usize,
    lines: Vec<Line>,
    r: Vec<i32>,
    lanes: Vec<i32>,
    lane_id: Vec<u32>,
}

/// One packed block.
#[derive(Debug, Clone, Copy)]
struct Block<'a> {
    pairs: &'a [i32],
    r: &'a [i32],
}

impl Weights {
    /// Packs `blocks`, all of size `b`.
    pub fn new<'a>(b: usize, blocks: impl IntoIterator<Item = &'a WeightBlock>) -> Self {
        let mut this = Self {
            b,
            lines: Vec::new(),
            r: Vec::new(),
            lanes: Vec::new(),
            lane_id: Vec::new(),
        };
        // Blocks with equal lane exponents share one row of `lanes`, so that one alignment serves them all.
        let mut known: std::collections::HashMap<&[i8], u32> = std::collections::HashMap::new();
        let rows = b.max(ROWS);
        for block in blocks {
            let mut pairs = vec![0i32; rows * b];
            for n in 0..b {
                for k in 0..b {
                    let m = block.m[n * b + k];
                    pairs[k * rows + n] = ((m >> 7) & 0xFFFF) | ((m & 127) << 16);
                }
            }
            this.lines
                .extend(pairs.as_chunks::<16>().0.iter().map(|c| Line(*c)));
            this.r.extend(block.r.iter().map(|&r| i32::from(r)));
            let next = known.len() as u32;
            let id = *known.entry(&block.l).or_insert(next);
            if id == next {
                this.lanes.extend(
                    block
                        .l
                        .iter()
                        .map(|&l| if l == LANE_OFF { OFF } else { i32::from(l) }),
                );
            }
            this.lane_id.push(id);
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

    fn block(&self, at: usize) -> Block<'_> {
        let lines = self.b.max(ROWS) * self.b / 16;
        Block {
            pairs: flat(&self.lines[at * lines..(at + 1) * lines]),
            r: &self.r[at * self.b..(at + 1) * self.b],
        }
    }

    fn lanes_of(&self, at: usize) -> &[i32] {
        let id = self.lane_id[at] as usize;
        &self.lanes[id * self.b..(id + 1) * self.b]
    }
}

fn flat(lines: &[Line]) -> &[i32] {
    simd::flat(lines)
}

/// An operand aligned to lane exponents, split for the multipliers.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Operand {
    hi: [i32; MAX_B],
    lo: [i32; MAX_B],
    /// Largest lane exponent.
    f: i32,
    any: bool,
    poison: bool,
}

impl Default for Operand {
    fn default() -> Self {
        Self {
            hi: [0; MAX_B],
            lo: [0; MAX_B],
            f: 0,
            any: false,
            poison: false,
        }
    }
}

/// One column of accumulators: mantissas and exponents of the rows, one poison bit.
#[derive(Debug)]
pub struct Column<'a> {
    /// Mantissas.
    pub mantissa: &'a mut [i64],
    /// Exponents in eights.
    pub exponent: &'a mut [i32],
    /// A NaN or infinity took part.
    pub poison: &'a mut bool,
}

impl Column<'_> {
    /// Empties the sums.
    pub fn clear(&mut self) {
        self.mantissa.fill(0);
        self.exponent.fill(i32::from(sluice_isa::acc::MIN_EXPONENT));
        *self.poison = false;
    }

    /// Adds a block of fp32 values: the `add32` operation.
    pub fn add32(&mut self, hi: &[u16], lo: &[u16]) {
        let mut poison = *self.poison;
        for (n, (&h, &l)) in hi.iter().zip(lo).enumerate() {
            let term = sluice_isa::acc::Term::from_f32(u32::from(h) << 16 | u32::from(l));
            poison |= term.poison;
            let sum = Acc {
                mantissa: self.mantissa[n],
                exponent: self.exponent[n] as i8,
                poison: false,
            }
            .add(term);
            self.mantissa[n] = sum.mantissa;
            self.exponent[n] = i32::from(sum.exponent);
        }
        *self.poison = poison;
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

/// Adds the product of block `at` with an operand aligned for it to a column.
pub fn accumulate(engine: Engine, weights: &Weights, at: usize, a: &Operand, acc: &mut Column<'_>) {
    let w = weights.block(at);
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
pub fn to_f32(mantissa: &[i64], exponent: &[i32], poison: bool, out: &mut [u32]) {
    if poison {
        out.fill(sluice_isa::float::QNAN);
        return;
    }
    for ((&m, &e), out) in mantissa.iter().zip(exponent).zip(out) {
        // `as f32` rounds the 64 bits once, to nearest even; the scale is then a matter of the exponent field alone.
        let u = (m as f32).to_bits();
        let biased = (u >> 23 & 0xFF) as i32 + 8 * e;
        *out = if m == 0 || biased <= 0 {
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
