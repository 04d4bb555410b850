//! The kernels in plain Rust; the vector engine compiles the same bodies with wider instructions and its own multiplier loop.
//!
//! **Contract.** See [`super`]. `B` is the block size; slices have at least `B` values.
#![expect(
    clippy::inline_always,
    reason = "the bodies must be compiled inside the functions that enable wider vectors"
)]

use super::{Block, Column, MAX_B, OFF_LIMIT, Operand, ROWS, place};

/// 1.5 * 2^23.
const ROUND: f32 = 12_582_912.0;

/// Steps 1 to 4 of the matrix pipeline: exponents, maximum, shift, rounding.
#[inline(always)]
pub(super) fn align<const B: usize>(x: &[u16], l: &[u32], out: &mut Operand) {
    let (Some(x), Some(l)) = (x.first_chunk::<B>(), l.first_chunk::<B>()) else {
        return;
    };
    let mut f = [0i32; B];
    let mut largest = i32::MIN;
    let mut poison = 0;
    for k in 0..B {
        let e = i32::from(x[k] >> 7 & 0xFF);
        f[k] = if e == 0 { super::OFF } else { e + l[k] as i32 };
        largest = largest.max(f[k]);
        poison |= i32::from(e == 255) & i32::from(l[k] as i32 > OFF_LIMIT);
    }
    // The aligned value is 1.m * 2^(16 - d) with d = largest - f, at least 18 for what is shifted out or off: as an f32 it is exact
    // below 2^17, and adding 1.5 * 2^23 rounds it to an integer, ties to even.
    for k in 0..B {
        let exponent = (f[k] - largest + 143).max(125);
        let bits = u32::from(x[k] & 0x807F) << 16 | (exponent as u32) << 23;
        out.a[k] = f64::from((f32::from_bits(bits) + ROUND) - ROUND);
    }
    out.any = largest > OFF_LIMIT;
    out.f = if out.any { largest } else { 0 };
    out.poison = poison != 0;
}

/// The dot products of all rows, without vector instructions of its own.
#[inline(always)]
fn dot<const B: usize>(words: &[u32], a: &Operand) -> [i64; B] {
    let mut sums = [0f64; MAX_B];
    for (row, &a) in words.chunks_exact(B.max(ROWS)).zip(&a.a[..B]) {
        for (w, sum) in row
            .as_chunks::<8>()
            .0
            .iter()
            .zip(sums.as_chunks_mut::<8>().0)
        {
            for n in 0..8 {
                sum[n] += f64::from_bits(u64::from(w[place(n)]) << 32) * a;
            }
        }
    }
    std::array::from_fn(|n| sums[n] as i64)
}

/// Exponent loop, two shifts and the sum of the rows `row .. row + N`.
#[inline(always)]
pub(super) fn add_terms<const N: usize>(
    s: &[i64; N],
    row: usize,
    r: &[u32],
    f: i32,
    acc: &mut Column<'_>,
) {
    let end = row + N;
    let (Some(r), Some(mantissa), Some(exponent)) = (
        r.get(row..end).and_then(|v| v.first_chunk::<N>()),
        acc.mantissa
            .get_mut(row..end)
            .and_then(|v| v.first_chunk_mut::<N>()),
        acc.exponent
            .get_mut(row..end)
            .and_then(|v| v.first_chunk_mut::<N>()),
    ) else {
        return;
    };
    // Two loops, because the first is 32 bits wide and the second 64.
    let mut fine = [0i32; N];
    let mut ahead = [0i32; N];
    for n in 0..N {
        let g = r[n] as i32 + (f - 158);
        let e = (g >> 3) - 1;
        fine[n] = 8 + (g & 7);
        ahead[n] = e - exponent[n];
        exponent[n] = exponent[n].max(e);
    }
    for n in 0..N {
        let (term, sum) = (s[n] << fine[n], mantissa[n]);
        // Whichever has the smaller exponent is shifted; 8 eights and more leave only the sign, as a shift by 63 does.
        let (large, small) = if ahead[n] > 0 {
            (term, sum)
        } else {
            (sum, term)
        };
        mantissa[n] = large.wrapping_add(small >> (8 * ahead[n].abs()).min(63));
    }
}

/// A product without special instructions.
pub(super) fn accumulate<const B: usize>(w: Block<'_>, a: &Operand, acc: &mut Column<'_>) {
    if a.poison {
        acc.poison.fill(true);
    }
    // Without a lane that takes part every row has exponent -64 and mantissa 0: nothing to add.
    if a.any {
        let s = dot::<B>(w.words, a);
        add_terms::<B>(&s, 0, w.r, a.f, acc);
    }
}
