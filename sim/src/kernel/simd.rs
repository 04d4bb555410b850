//! The kernels with 256-bit vectors. All `unsafe` of the crate stands in this file.
//!
//! | loop | registers |
//! |------|-----------|
//! | `8 * G` rows, `U` lanes at a time | `2 * G * U = 8` accumulators of 4 `f64`, so that the multiply-adds never wait for each other |
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
pub(super) fn flat(lines: &[Line]) -> &[u32] {
    // SAFETY: `Line` is `repr(C)` with exactly 16 `u32` and no padding (64 bytes, align 64).
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast::<u32>(), lines.len() * 16) }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::super::generic;
    use super::{Block, Column, Operand};
    use std::arch::x86_64::{
        __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_pd, _mm256_and_si256, _mm256_castpd_si256,
        _mm256_castsi256_pd, _mm256_fmadd_pd, _mm256_load_si256, _mm256_set1_epi64x,
        _mm256_set1_pd, _mm256_setzero_pd, _mm256_slli_epi64, _mm256_storeu_si256,
        _mm256_sub_epi64,
    };

    /// Added to an integral `f64` below 2^51 in magnitude it leaves the integer in the lower bits.
    const MAGIC: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn align<const B: usize>(x: &[u16], l: &[u32], out: &mut Operand) {
        generic::align::<B>(x, l, out);
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn accumulate<const B: usize>(w: Block<'_>, a: &Operand, acc: &mut Column<'_>) {
        if a.poison {
            acc.poison.fill(true);
        }
        if !a.any {
            return; // as in the generic kernel
        }
        // Exponents stand behind the words; a hint that cannot fault.
        for line in 0..(2 * B).div_ceil(16) {
            let next = w.next.as_ptr().wrapping_add(w.words.len() + 16 * line);
            _mm_prefetch::<_MM_HINT_T0>(next.cast());
        }
        let mut row = 0;
        while row < B {
            if B >= 32 {
                group::<B, 4, 1, 32>(w, a, row, acc);
                row += 32;
            } else if B >= 16 {
                group::<B, 2, 2, 16>(w, a, row, acc);
                row += 16;
            } else {
                group::<B, 1, 4, 8>(w, a, row, acc);
                row += 8;
            }
        }
    }

    /// The rows `row .. row + N`, `N = 8 * G`.
    #[expect(
        clippy::cast_ptr_alignment,
        reason = "loads are from aligned lines, stores are of the unaligned kind"
    )]
    #[target_feature(enable = "avx2,fma")]
    fn group<const B: usize, const G: usize, const U: usize, const N: usize>(
        w: Block<'_>,
        a: &Operand,
        row: usize,
        acc: &mut Column<'_>,
    ) {
        let words = w.words;
        assert!(words.len() >= B * B && row + N <= B && N == 8 * G && B.is_multiple_of(U));
        let upper = _mm256_set1_epi64x(-1 << 32);
        let mut first = [[_mm256_setzero_pd(); G]; U];
        let mut second = [[_mm256_setzero_pd(); G]; U];
        for k in (0..B).step_by(U) {
            for u in 0..U {
                let x = _mm256_set1_pd(a.a[k + u]);
                for g in 0..G {
                    // SAFETY: k + u < B and row + 8 * g + 8 <= B, so the eight words end at or before B * B <= len; blocks start on a
                    // 64-byte line and every offset is a multiple of 8 words, so the address is 32-byte aligned.
                    let m = unsafe {
                        let at = words.as_ptr().add((k + u) * B + row + 8 * g);
                        if g % 2 == 0 {
                            // A hint that cannot fault; the next block has the same shape.
                            let next = w.next.as_ptr().wrapping_add((k + u) * B + row + 8 * g);
                            _mm_prefetch::<_MM_HINT_T0>(next.cast());
                        }
                        _mm256_load_si256(at.cast::<__m256i>())
                    };
                    let even = _mm256_castsi256_pd(_mm256_slli_epi64::<32>(m));
                    let odd = _mm256_castsi256_pd(_mm256_and_si256(m, upper));
                    first[u][g] = _mm256_fmadd_pd(even, x, first[u][g]);
                    second[u][g] = _mm256_fmadd_pd(odd, x, second[u][g]);
                }
            }
        }
        let magic = _mm256_set1_pd(MAGIC);
        let mut s = [0i64; N];
        for (g, s) in s.as_chunks_mut::<8>().0.iter_mut().enumerate() {
            let whole = |parts: &[[_; G]; U]| {
                let sum = parts[1..]
                    .iter()
                    .fold(parts[0][g], |sum, p| _mm256_add_pd(sum, p[g]));
                _mm256_sub_epi64(
                    _mm256_castpd_si256(_mm256_add_pd(sum, magic)),
                    _mm256_castpd_si256(magic),
                )
            };
            // SAFETY: `s` has eight values.
            unsafe {
                _mm256_storeu_si256(s.as_mut_ptr().cast::<__m256i>(), whole(&first));
                _mm256_storeu_si256(s.as_mut_ptr().add(4).cast::<__m256i>(), whole(&second));
            }
        }
        generic::add_terms::<N>(&s, row, w.r, a.f, acc);
    }
}

/// [`super::align`] for one block size.
pub(super) fn align<const B: usize>(_: Avx2Token, x: &[u16], l: &[u32], out: &mut Operand) {
    // SAFETY: the token proves that the processor has AVX2 and FMA.
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
    // SAFETY: the token proves that the processor has AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        x86::accumulate::<B>(w, a, acc);
    }
    #[cfg(not(target_arch = "x86_64"))]
    super::generic::accumulate::<B>(w, a, acc);
}
