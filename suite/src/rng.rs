//! Small seeded generator: the same numbers on every machine and in every release.
//!
//! **Contract.** `SplitMix64`; a child stream depends on the seed and its label alone, so dropping a layer leaves the weights of the others.
//! **Source.** Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.

use sluice_isa::float::{bf16_to_f32, f32_to_bf16};

/// The generator.
#[derive(Debug, Clone)]
pub struct Rng(u64);

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// A stream.
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x5175_1CE0))
    }

    /// The stream of a label under a seed.
    pub fn labelled(seed: u64, label: &str) -> Self {
        let hash = label.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
        });
        Self(mix(mix(seed) ^ hash))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `n`, or 0 when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        let wide = u128::from(self.next_u64()) * u128::try_from(n).unwrap_or(0);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `lo..=hi`.
    pub fn within(&mut self, lo: usize, hi: usize) -> usize {
        lo + self.below(hi.saturating_sub(lo) + 1)
    }

    /// True `num` times in `den`.
    pub fn chance(&mut self, num: usize, den: usize) -> bool {
        self.below(den) < num
    }

    /// One of the elements; `None` of an empty slice.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }

    /// Uniform in -1..1, 24 random bits.
    pub fn unit(&mut self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "24 bits are exact in f32")]
        let v = (self.next_u64() >> 40) as f32 / 8_388_608.0;
        v - 1.0
    }

    /// Close to a standard normal: the sum of twelve uniform numbers.
    pub fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() * 0.5
    }

    /// A normal number the input stream can carry exactly.
    pub fn activation(&mut self) -> f32 {
        f32::from_bits(bf16_to_f32(f32_to_bf16(self.normal().to_bits())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_and_distinct() {
        assert_eq!(Rng::new(1).next_u64(), Rng::new(1).next_u64());
        assert_ne!(Rng::new(1).next_u64(), Rng::new(2).next_u64());
        assert_ne!(
            Rng::labelled(1, "fc1").next_u64(),
            Rng::labelled(1, "fc2").next_u64()
        );
    }

    #[test]
    fn moments() {
        let mut r = Rng::new(3);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..20_000 {
            let x = f64::from(r.normal());
            sum += x;
            squares += x * x;
        }
        assert!((sum / 20_000.0).abs() < 0.03 && (squares / 20_000.0 - 1.0).abs() < 0.03);
        assert!((0..1000).all(|_| r.below(7) < 7 && (2..=4).contains(&r.within(2, 4))));
    }
}
