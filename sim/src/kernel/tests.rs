//! The kernels against `sluice_isa::lbfp` and `sluice_isa::acc`, all engines, all block sizes.

use super::*;
use sluice_isa::acc::Acc;
use sluice_isa::lbfp;

struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }
}

fn block(rng: &mut Rng, b: usize, style: u64) -> WeightBlock {
    let mut w = WeightBlock::off(b);
    for m in &mut w.m {
        *m = match style {
            0 => lbfp::WEIGHT_MAX * if rng.below(2) == 0 { 1 } else { -1 },
            _ => rng.below(131_071) as i32 - 65535,
        };
    }
    for r in &mut w.r {
        *r = match style {
            2 => rng.below(256) as i8,
            _ => rng.below(9) as i8 - 4,
        };
    }
    for l in &mut w.l {
        *l = match (style, rng.below(6)) {
            (0, _) => 0,
            (1..=2, 0) | (3, _) => LANE_OFF,
            (2, _) => rng.below(256) as i8,
            _ => rng.below(12) as i8 - 6,
        };
    }
    w
}

fn operand(rng: &mut Rng, b: usize, style: u64) -> Vec<u16> {
    (0..b)
        .map(|_| match style {
            0 => 0x7F | (rng.below(2) as u16) << 15 | 0x3F80,
            1 => (rng.below(0x0A00) + 0x3C00) as u16 | (rng.below(2) as u16) << 15,
            2 => (rng.next() & 0xFF7F) as u16 & !0x4000, // no NaN, no infinity
            3 => [0, 0x8000, 0x0012][rng.below(3) as usize],
            _ => rng.next() as u16,
        })
        .collect()
}

/// Sums some products both ways.
fn agree(engine: Engine, b: usize, seed: u64, flip: bool) -> bool {
    let mut rng = Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    // The twin flips one sign; it uses operands in which that lane is not switched off or shifted out.
    let styles = if flip {
        (4, 1)
    } else {
        (rng.below(5), rng.below(5))
    };
    let steps = 1 + rng.below(12) as usize;
    let blocks: Vec<_> = (0..steps).map(|_| block(&mut rng, b, styles.0)).collect();
    let weights = Weights::new(b, &blocks);
    let bias: Vec<u32> = (0..b)
        .map(|_| (rng.next() as u32 & 0x87FF_FFFF) | 0x3800_0000)
        .collect();
    let mut reference: Vec<_> = bias.iter().map(|&u| Acc::from_bias(u)).collect();
    let mut mantissa: Vec<_> = reference.iter().map(|a| a.mantissa).collect();
    let mut exponent: Vec<_> = reference.iter().map(|a| i32::from(a.exponent)).collect();
    let mut poison = vec![false; b];
    let mut a = Operand::default();
    for (i, block) in blocks.iter().enumerate() {
        let mut x = operand(&mut rng, b, styles.1);
        lbfp::accumulate(&mut reference, block, &x);
        if flip && i == 0 {
            let e = |k: usize| i32::from(x[k] >> 7 & 0xFF) + i32::from(block.l[k]);
            let k = (0..b).max_by_key(|&k| e(k)).unwrap_or(0);
            x[k] ^= 0x8000;
        }
        let mut column = Column {
            mantissa: &mut mantissa,
            exponent: &mut exponent,
            poison: &mut poison,
        };
        align(engine, &weights, i, &x, &mut a);
        let next = (i + 1) % steps;
        accumulate(engine, &weights, (i, next), &a, &mut column);
    }
    let mut out = vec![0; b];
    to_f32(&mantissa, &exponent, &poison, &mut out);
    reference.iter().enumerate().all(|(n, r)| {
        r.mantissa == mantissa[n]
            && i32::from(r.exponent) == exponent[n]
            && r.poison == poison[n]
            && r.to_f32() == out[n]
    })
}

fn engines() -> Vec<Engine> {
    let mut e = vec![Engine::Portable];
    if Engine::detect() != Engine::Portable {
        e.push(Engine::detect());
    }
    e
}

#[test]
fn products_equal_the_definition() {
    for engine in engines() {
        for b in [4, 8, 16, 32, 64] {
            for seed in 1..600 {
                assert!(
                    agree(engine, b, seed, false),
                    "{engine:?} b {b} seed {seed}"
                );
            }
        }
    }
}

#[test]
fn a_flipped_sign_is_seen() {
    for engine in engines() {
        for b in [4, 8, 16, 32, 64] {
            let caught = (1..200)
                .filter(|&seed| !agree(engine, b, seed, true))
                .count();
            assert!(caught > 190, "{engine:?} b {b}: {caught} of 199");
        }
    }
}

#[test]
fn rounding_of_columns_equals_the_definition() {
    let mut rng = Rng(77);
    for i in 0..200_000u64 {
        let m = (rng.next() as i64) >> rng.below(64);
        let e = rng.below(128) as i32 - 64;
        let poison = i % 50 == 0;
        let want = Acc {
            mantissa: m,
            exponent: e as i8,
            poison,
        }
        .to_f32();
        let mut got = [0];
        to_f32(&[m], &[e], &[poison], &mut got);
        assert_eq!(got[0], want, "{m:x} {e}");
    }
}

#[test]
fn add32_takes_any_value() {
    let mut rng = Rng(5);
    for _ in 0..5000 {
        let values: Vec<u32> = (0..4).map(|_| rng.next() as u32).collect();
        let hi: Vec<u16> = values.iter().map(|u| (u >> 16) as u16).collect();
        let lo: Vec<u16> = values.iter().map(|&u| u as u16).collect();
        let (mut mantissa, mut exponent) = (vec![1 << 40; 4], vec![-3; 4]);
        let mut poison = vec![false; 4];
        Column {
            mantissa: &mut mantissa,
            exponent: &mut exponent,
            poison: &mut poison,
        }
        .add32(&hi, &lo);
        for n in 0..4 {
            let want = Acc {
                mantissa: 1 << 40,
                exponent: -3,
                poison: false,
            }
            .add(sluice_isa::acc::Term::from_f32(values[n]));
            assert_eq!(
                (mantissa[n], exponent[n] as i8),
                (want.mantissa, want.exponent)
            );
            assert_eq!(poison[n], want.poison);
        }
    }
}
