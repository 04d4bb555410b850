//! The kernels in plain Rust; the vector engine compiles the same bodies with wider instructions and its own multiplier loop.
//!
//! **Contract.** See [`super`]. `B` is the block size; slices have at least `B` values.

use super::{Block, Column, OFF_LIMIT, Operand, ROWS};

/// Steps 1 to 4 of the matrix pipeline: exponents, maximum, shift, rounding.
#[inline(always)]
pub(super) fn align<const B: usize>(x: &[u16], l: &[i32], out: &mut Operand) {
    let (Some(x), Some(l)) = (x.first_chunk::<B>(), l.first_chunk::<B>()) else {
        return;
    };
    let mut f = [0i32; B];
    let mut largest = i32::MIN;
    let mut poison = 0;
    for k in 0..B {
        let e = i32::from(x[k] >> 7 & 0xFF);
        f[k] = if e == 0 { super::OFF } else { e + l[k] };
        largest = largest.max(f[k]);
        poison |= i32::from(e == 255) & i32::from(l[k] > OFF_LIMIT);
    }
    for k in 0..B {
        let d = if f[k] < OFF_LIMIT {
            18
        } else {
            (largest - f[k]).min(18)
        };
        // Twice the value, one place more to shift: the rounding bit then exists for d = 0 too.
        let wide = (i32::from(x[k] & 0x7F) | 0x80) << 10;
        let q = (wide + ((1 << d) - 1) + (wide >> (d + 1) & 1)) >> (d + 1);
        let sign = -i32::from(x[k] >> 15);
        let a = (q ^ sign) - sign;
        let low = ((a + 256) & 511) - 256;
        let high = (a - low) >> 9;
        out.hi[k] = (high << 7 & 0xFFFF) | high << 16;
        out.lo[k] = (low << 7 & 0xFFFF) | low << 16;
    }
    out.any = largest > OFF_LIMIT;
    out.f = if out.any { largest } else { 0 };
    out.poison = poison != 0;
}

/// The dot products of all rows, without vector instructions of its own.
#[inline(always)]
fn dot<const B: usize>(pairs: &[i32], a: &Operand) -> [i64; B] {
    let mut high = [0i32; B];
    let mut low = [0i32; B];
    for (k, row) in pairs.chunks_exact(B.max(ROWS)).take(B).enumerate() {
        let (h, l) = (a.hi[k] >> 16, a.lo[k] >> 16);
        for n in 0..B {
            let m = (row[n] << 16 >> 9) + (row[n] >> 16);
            high[n] += m * h;
            low[n] += m * l;
        }
    }
    std::array::from_fn(|n| (i64::from(high[n]) << 9) + i64::from(low[n]))
}

/// Exponent loop, two shifts and the sum.
#[inline(always)]
pub(super) fn add_terms<const B: usize>(
    s: &[i64; B],
    r: &[i32],
    a: &Operand,
    acc: &mut Column<'_>,
) {
    *acc.poison |= a.poison;
    if !a.any {
        return; // bin = -64 and mantissa 0 in every row
    }
    let (Some(r), Some(mantissa), Some(exponent)) = (
        r.first_chunk::<B>(),
        acc.mantissa.first_chunk_mut::<B>(),
        acc.exponent.first_chunk_mut::<B>(),
    ) else {
        return;
    };
    let mut fine = [0i64; B];
    let mut shift_in = [0i64; B];
    let mut shift_acc = [0i64; B];
    for n in 0..B {
        let g = r[n] + (a.f - 158);
        let e = (g >> 3) - 1;
        let new = exponent[n].max(e);
        fine[n] = i64::from(8 + (g & 7));
        // 8 eights and more leave only the sign, as a shift by 63 does.
        shift_in[n] = i64::from((8 * (new - e)).min(63));
        shift_acc[n] = i64::from((8 * (new - exponent[n])).min(63));
        exponent[n] = new;
    }
    for n in 0..B {
        let term = s[n] << fine[n] >> shift_in[n];
        mantissa[n] = (mantissa[n] >> shift_acc[n]).wrapping_add(term);
    }
}

/// A product without special instructions.
pub(super) fn accumulate<const B: usize>(w: Block<'_>, a: &Operand, acc: &mut Column<'_>) {
    let s = dot::<B>(w.pairs, a);
    add_terms::<B>(&s, w.r, a, acc);
}
