//! What unit benches share: a Verilated module by the names of its ports, and random numbers.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "halves of random words; not every test file uses them"
)]

use std::path::{Path, PathBuf};

use verilator_sys::{Build, Library, Model, ModelOptions, Port};

/// The module `top`, built from files of `hdl/rtl`.
pub fn build(name: &str, top: &str, sources: &[&str], params: &[(&str, u32)]) -> Library {
    let rtl = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/rtl");
    let sources: Vec<PathBuf> = sources.iter().map(|s| rtl.join(s)).collect();
    let build = Build::new(name)
        .top(top)
        .include(rtl.join("common"))
        .sources(sources);
    params
        .iter()
        .fold(build, |b, (k, v)| b.param(k, v))
        .build()
        .unwrap()
}

/// A model with named ports and a clock.
pub struct Bench {
    pub model: Model,
    clock: Port,
}

impl Bench {
    pub fn new(library: &Library, clock: &str, seed: u32) -> Self {
        let mut model = library.new_model(&ModelOptions::seeded(seed)).unwrap();
        let clock = model.port(clock).unwrap();
        // The clock's power-up value is random, too: the first rising edge must be one.
        model.set_u64(clock, 0).unwrap();
        model.eval().unwrap();
        Self { model, clock }
    }

    pub fn port(&self, name: &str) -> Port {
        self.model.port(name).unwrap()
    }

    pub fn set(&mut self, name: &str, value: u64) {
        let port = self.port(name);
        if port.width() <= 64 {
            self.model.set_u64(port, value).unwrap();
        } else {
            self.set_wide(name, &[value.into()], 64);
        }
    }

    /// Elements of `width` bits, the first lowest.
    pub fn set_wide(&mut self, name: &str, elements: &[u128], width: usize) {
        let port = self.port(name);
        let mut words = vec![0u32; port.words()];
        for (k, element) in elements.iter().enumerate() {
            for bit in (0..width).filter(|bit| element >> bit & 1 == 1) {
                let at = k * width + bit;
                words[at / 32] |= 1 << (at % 32);
            }
        }
        if port.width() <= 64 {
            let value = words.iter().rev().fold(0, |v, &w| v << 32 | u64::from(w));
            self.model.set_u64(port, value).unwrap();
        } else {
            self.model.set_words(port, &words).unwrap();
        }
    }

    pub fn get(&self, name: &str) -> u64 {
        self.model.get_u64(self.port(name)).unwrap()
    }

    pub fn get32(&self, name: &str) -> u32 {
        u32::try_from(self.get(name)).unwrap()
    }

    pub fn bit(&self, name: &str) -> bool {
        self.get(name) != 0
    }

    pub fn lanes(&self, name: &str) -> Vec<u16> {
        let port = self.port(name);
        let words = if port.width() <= 64 {
            let v = self.get(name).to_le_bytes();
            v.chunks(4)
                .map(|c| u32::from_le_bytes(c.try_into().unwrap()))
                .collect()
        } else {
            self.model.words(port).unwrap().to_vec()
        };
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let lanes = bytes
            .chunks(2)
            .map(|c| u16::from_le_bytes(c.try_into().unwrap()));
        lanes.take(port.width() as usize / 16).collect()
    }

    pub fn settle(&mut self) {
        self.model.eval().unwrap();
    }

    /// The clock edge; an error is a failed assertion of the RTL.
    pub fn try_clock(&mut self) -> Result<(), verilator_sys::Error> {
        for level in [1, 0] {
            self.model.set_u64(self.clock, level)?;
            self.model.eval()?;
            self.model.advance(1);
        }
        Ok(())
    }

    pub fn clock(&mut self) {
        self.try_clock().unwrap();
    }
}

/// xorshift64*: the same vectors on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// Below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        ((u64::from(self.word()) * u64::from(limit)) >> 32) as u32
    }

    pub fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}
