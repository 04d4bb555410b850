//! The kernels with 256-bit vectors. All `unsafe` of the crate stands in this file.
//!
//! | loop | registers |
//! |------|-----------|
//! | 4 groups of 8 rows | 2 accumulators each (`m * h`, `m * l`), one broadcast pair of each operand half per lane `k` |
//!
//! **Contract.** Bit-equal to [`super::generic`]: the integer sums are exact in both, the rest is the same source.
//! **Safety.** The processor has the instructions because an [`super::Avx2Token`] exists only after detection. Loads stay inside the
//! slices: their lengths are checked before the loop.
#![allow(
    unsafe_code,
    reason = "vector loads and calls into code compiled for detected processor features"
)]

use super::{Avx2Token, Block, Column, Line, Operand};

/// The values of consecutive lines.
pub(super) fn flat(lines: &[Line]) -> &[i32] {
    // SAFETY: `Line` is `repr(C)` with exactly 16 `i32` and no padding (64 bytes, align 64).
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast::<i32>(), lines.len() * 16) }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::generic;
    use super::{Block, Column, Operand};
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_castsi256_si128, _mm256_cvtepi32_epi64,
        _mm256_extracti128_si256, _mm256_load_si256, _mm256_madd_epi16, _mm256_set1_epi32,
        _mm256_setzero_si256, _mm256_slli_epi64, _mm256_storeu_si256,
    };

    #[target_feature(enable = "avx2")]
    pub(super) fn align<const B: usize>(x: &[u16], l: &[i32], out: &mut Operand) {
        generic::align::<B>(x, l, out);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn accumulate<const B: usize>(w: Block<'_>, a: &Operand, acc: &mut Column<'_>) {
        let mut s = [0i64; B];
        if w.pairs.len() < B * B {
            return;
        }
        let mut row = 0;
        while row < B {
            if B - row >= 32 {
                group::<B, 4>(w.pairs, a, row, &mut s);
                row += 32;
            } else if B - row >= 16 {
                group::<B, 2>(w.pairs, a, row, &mut s);
                row += 16;
            } else {
                group::<B, 1>(w.pairs, a, row, &mut s);
                row += 8;
            }
        }
        generic::add_terms::<B>(&s, w.r, a, acc);
    }

    /// Dot products of the rows `row .. row + 8 * G`.
    #[target_feature(enable = "avx2")]
    fn group<const B: usize, const G: usize>(
        pairs: &[i32],
        a: &Operand,
        row: usize,
        s: &mut [i64; B],
    ) {
        assert!(pairs.len() >= B * B && row + 8 * G <= B);
        let mut high = [_mm256_setzero_si256(); G];
        let mut low = [_mm256_setzero_si256(); G];
        for k in 0..B {
            let h = _mm256_set1_epi32(a.hi[k]);
            let l = _mm256_set1_epi32(a.lo[k]);
            for g in 0..G {
                // SAFETY: k < B and row + 8 * g + 8 <= B, so the eight values end at k * B + row + 8 * g + 8 <= B * B <= len;
                // blocks start on a 64-byte line and every offset is a multiple of 8 values, so the address is 32-byte aligned.
                let m = unsafe {
                    _mm256_load_si256(pairs.as_ptr().add(k * B + row + 8 * g).cast::<__m256i>())
                };
                high[g] = _mm256_add_epi32(high[g], _mm256_madd_epi16(m, h));
                low[g] = _mm256_add_epi32(low[g], _mm256_madd_epi16(m, l));
            }
        }
        for g in 0..G {
            let wide = |h, l| {
                _mm256_add_epi64(
                    _mm256_slli_epi64::<9>(_mm256_cvtepi32_epi64(h)),
                    _mm256_cvtepi32_epi64(l),
                )
            };
            let first = wide(
                _mm256_castsi256_si128(high[g]),
                _mm256_castsi256_si128(low[g]),
            );
            let second = wide(
                _mm256_extracti128_si256::<1>(high[g]),
                _mm256_extracti128_si256::<1>(low[g]),
            );
            let at = row + 8 * g;
            // SAFETY: at + 8 <= B, the length of `s`.
            unsafe {
                _mm256_storeu_si256(s.as_mut_ptr().add(at).cast::<__m256i>(), first);
                _mm256_storeu_si256(s.as_mut_ptr().add(at + 4).cast::<__m256i>(), second);
            }
        }
    }
}

/// [`super::align`] for one block size.
pub(super) fn align<const B: usize>(_: Avx2Token, x: &[u16], l: &[i32], out: &mut Operand) {
    // SAFETY: the token proves that the processor has AVX2.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        x86::align::<B>(x, l, out);
    }
    #[cfg(not(target_arch = "x86_64"))]
    super::generic::align::<B>(x, l, out);
}

/// [`super::accumulate`] for one block size.
pub(super) fn accumulate<const B: usize>(
    _: Avx2Token,
    w: Block<'_>,
    a: &Operand,
    acc: &mut Column<'_>,
) {
    // SAFETY: the token proves that the processor has AVX2.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        x86::accumulate::<B>(w, a, acc);
    }
    #[cfg(not(target_arch = "x86_64"))]
    super::generic::accumulate::<B>(w, a, acc);
}
