//! Lane arithmetic of the vector unit over whole blocks.
//!
//! | value | type | meaning |
//! |-------|------|---------|
//! | lanes | `[u32]` | fp32 bits |
//! | blocks | `[u16]` | bf16, or one half of fp32 |
//!
//! **Contract.** Bit-equal to [`sluice_isa::float`], lane by lane; written without branches so that the compiler vectorises it. The one
//! case that native arithmetic rounds differently (products near the smallest normal number) goes through the definition.
//! **Errors.** None.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::inline_always,
    clippy::needless_bitwise_bool,
    reason = "bit patterns: halves of 32-bit words and order keys; loops over lanes without branches"
)]

use sluice_isa::Op;
use sluice_isa::float::{self, BF16_QNAN, QNAN};
use sluice_isa::special::{self, Function};

const SIGN: u32 = 0x8000_0000;
const EXPONENT: u32 = 0x7F80_0000;

#[inline(always)]
const fn is_nan(u: u32) -> bool {
    u & !SIGN > EXPONENT
}

#[inline(always)]
const fn daz(u: u32) -> u32 {
    if u & EXPONENT == 0 { u & SIGN } else { u }
}

#[inline(always)]
const fn key(u: u32) -> i32 {
    (u ^ (((u as i32 >> 31) as u32) >> 1)) as i32
}

#[inline(always)]
const fn max(a: u32, b: u32) -> u32 {
    let (x, y) = (daz(a), daz(b));
    let r = if key(x) >= key(y) { x } else { y };
    if is_nan(a) | is_nan(b) { QNAN } else { r }
}

#[inline(always)]
const fn min(a: u32, b: u32) -> u32 {
    let (x, y) = (daz(a), daz(b));
    let r = if key(x) <= key(y) { x } else { y };
    if is_nan(a) | is_nan(b) { QNAN } else { r }
}

#[inline(always)]
fn add(a: u32, b: u32) -> u32 {
    let r = (f32::from_bits(daz(a)) + f32::from_bits(daz(b))).to_bits();
    let r = daz(r);
    if is_nan(r) { QNAN } else { r }
}

/// `min(max(x, lo), hi)` in every lane.
pub fn clamp(x: &mut [u32], lo: u32, hi: u32) {
    for x in x {
        *x = min(max(*x, lo), hi);
    }
}

/// `a = a op b` in every lane; [`Op::Pass`] leaves `a`.
pub fn apply(op: Op, a: &mut [u32], b: &[u32]) {
    let each = |a: &mut [u32], f: fn(u32, u32) -> u32| {
        for (a, &b) in a.iter_mut().zip(b) {
            *a = f(*a, b);
        }
    };
    match op {
        Op::Pass => {}
        Op::Add => {
            for (a, &b) in a.iter_mut().zip(b) {
                *a = add(*a, b);
            }
        }
        // The sign of a NaN does not matter: every NaN becomes the canonical one.
        Op::Sub => {
            for (a, &b) in a.iter_mut().zip(b) {
                *a = add(*a, b ^ SIGN);
            }
        }
        Op::Rsub => {
            for (a, &b) in a.iter_mut().zip(b) {
                *a = add(b, *a ^ SIGN);
            }
        }
        Op::Mul => mul(a, b),
        Op::Max => each(a, max),
        Op::Min => each(a, min),
        Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Eq | Op::Ne | Op::Keep | Op::Drop => {
            for (a, &b) in a.iter_mut().zip(b) {
                *a = float::arithmetic(op, *a, b);
            }
        }
    }
}

fn mul(a: &mut [u32], b: &[u32]) {
    for (a, b) in a.chunks_mut(8).zip(b.chunks(8)) {
        let mut near = false;
        let mut r = [0u32; 8];
        for ((r, &x), &y) in r.iter_mut().zip(a.iter()).zip(b) {
            let (x, y) = (daz(x), daz(y));
            let p = (f32::from_bits(x) * f32::from_bits(y)).to_bits();
            near |= (p & !SIGN <= 0x0080_0000) & (x & !SIGN != 0) & (y & !SIGN != 0);
            *r = if is_nan(p) { QNAN } else { p };
        }
        if near {
            for (a, &b) in a.iter_mut().zip(b) {
                *a = float::mul(*a, b);
            }
        } else {
            for (a, &r) in a.iter_mut().zip(&r) {
                *a = r;
            }
        }
    }
}

/// The special function in every lane.
pub fn special(function: Function, x: &mut [u32]) {
    for x in x {
        *x = special::apply(function, *x);
    }
}

/// bf16 to fp32 bits.
pub fn widen(x: &[u16], out: &mut [u32]) {
    for (out, &h) in out.iter_mut().zip(x) {
        *out = daz(u32::from(h) << 16);
    }
}

/// Words as upper halves, as they are.
pub fn widen_raw(x: &[u16], out: &mut [u32]) {
    for (out, &h) in out.iter_mut().zip(x) {
        *out = u32::from(h) << 16;
    }
}

/// Lower halves into words whose upper halves stand there.
pub fn join_lower(x: &[u16], out: &mut [u32]) {
    for (out, &l) in out.iter_mut().zip(x) {
        *out |= u32::from(l);
    }
}

/// Lanes rotated on their way: result lane i is source lane `(i + rot) mod len`.
pub fn rotated(x: &[u16], rot: usize, out: &mut [u32], widen: fn(&[u16], &mut [u32])) {
    let (tail, head) = x.split_at(rot.min(x.len()));
    let (first, second) = out.split_at_mut(head.len().min(out.len()));
    widen(head, first);
    widen(tail, second);
}

/// fp32 to bf16, nearest even.
pub fn narrow(x: &[u32], out: &mut [u16]) {
    for (out, &u) in out.iter_mut().zip(x) {
        let rounded = (u.wrapping_add(0x7FFF + (u >> 16 & 1)) >> 16) as u16;
        let small = (u >> 16) as u16 & 0x8000;
        let r = if u & EXPONENT == 0 { small } else { rounded };
        *out = if is_nan(u) { BF16_QNAN } else { r };
    }
}

/// Upper halves of fp32 bits.
pub fn upper(x: &[u32], out: &mut [u16]) {
    for (out, &u) in out.iter_mut().zip(x) {
        *out = (u >> 16) as u16;
    }
}

/// Lower halves of fp32 bits.
pub fn lower(x: &[u32], out: &mut [u16]) {
    for (out, &u) in out.iter_mut().zip(x) {
        *out = u as u16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns() -> Vec<u32> {
        let mut v = vec![
            0,
            SIGN,
            1,
            0x007F_FFFF,
            0x0080_0000,
            0x8080_0000,
            0x0080_0001,
            0x3F80_0000,
            0xBF80_0000,
            0x7F7F_FFFF,
            EXPONENT,
            SIGN | EXPONENT,
            QNAN,
            0x7F80_0001,
            0xFFC0_1234,
            0x1FFF_FFFF,
            0x2000_0000,
            0x2000_0001,
            0x5F7F_FFFF,
        ];
        let mut x = 0x9E37_79B9u32;
        while v.len() < 700 {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            v.push(x);
            v.push(x & 0x807F_FFFF | 0x1F80_0000 | (x & 0x0080_0000)); // products near 2^-126
            v.push(x & 0x81FF_FFFF); // near the smallest normal
        }
        v
    }

    #[test]
    fn arithmetic_equals_the_definition() {
        let p = patterns();
        for op in [
            Op::Pass,
            Op::Add,
            Op::Sub,
            Op::Rsub,
            Op::Mul,
            Op::Max,
            Op::Min,
        ] {
            for &b in &p {
                let mut got = p.clone();
                apply(op, &mut got, &vec![b; p.len()]);
                for (&a, &got) in p.iter().zip(&got) {
                    assert_eq!(got, float::arithmetic(op, a, b), "{a:08x} {op} {b:08x}");
                }
            }
        }
    }

    #[test]
    fn wrong_rules_are_caught() {
        // Native multiplication with plain flushing is the tempting wrong rule; the patterns must tell it apart.
        let p = patterns();
        let differs = p.iter().any(|&a| {
            p.iter().any(|&b| {
                let native = daz((f32::from_bits(daz(a)) * f32::from_bits(daz(b))).to_bits());
                !is_nan(native) && native != float::mul(a, b)
            })
        });
        assert!(differs, "no pattern needs the slow path");
        // Likewise native comparison does not order the zeros.
        assert_ne!(max(SIGN, 0), SIGN);
    }

    #[test]
    fn clamps_equal_the_definition() {
        let p = patterns();
        for (&lo, &hi) in p.iter().step_by(7).zip(p.iter().rev().step_by(5)) {
            let mut got = p.clone();
            clamp(&mut got, lo, hi);
            for (&x, &got) in p.iter().zip(&got) {
                assert_eq!(
                    got,
                    float::clamp(x, lo, hi),
                    "{x:08x} in {lo:08x}..{hi:08x}"
                );
            }
        }
    }

    #[test]
    fn conversions_equal_the_definition() {
        for h in 0..=u16::MAX {
            let mut wide = [0];
            widen(&[h], &mut wide);
            assert_eq!(wide[0], float::bf16_to_f32(h));
            for low in [0u32, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF] {
                let u = u32::from(h) << 16 | low;
                let mut out = [0];
                narrow(&[u], &mut out);
                assert_eq!(out[0], float::f32_to_bf16(u), "{u:08x}");
            }
        }
    }

    #[test]
    fn rotation() {
        let x = [0x3F80, 0x4000, 0x4040, 0x4080];
        let mut out = [0; 4];
        rotated(&x, 1, &mut out, widen);
        assert_eq!(out, [2f32, 3.0, 4.0, 1.0].map(f32::to_bits));
        rotated(&x, 0, &mut out, widen);
        assert_eq!(out, [1f32, 2.0, 3.0, 4.0].map(f32::to_bits));
    }

    #[test]
    fn planes_are_put_together_as_they_are() {
        let mut out = [0; 3];
        widen_raw(&[0x0001, 0x7F81, 0x3F80], &mut out);
        join_lower(&[0xFFFF, 0x0002, 0x8000], &mut out);
        assert_eq!(out, [0x0001_FFFF, 0x7F81_0002, 0x3F80_8000]);
    }
}
