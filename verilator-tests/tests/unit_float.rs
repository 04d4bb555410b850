//! `hdl/rtl/float/` against `isa::float`, bit for bit: one lane in any mix of operations.

#![expect(
    clippy::cast_possible_truncation,
    reason = "vectors are cut to the widths of the formats under test"
)]

mod support;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use sluice_isa::float;
use support::Random;
use verilator_sys::{Build, Library, Model, ModelOptions, Port, tools_or_skip};

const STAGES: usize = 6;
const VECTORS: usize = 1_000_000;
const SEED: u64 = 0x5EED_F10A;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn library() -> Library {
    let rtl = root().join("hdl/rtl");
    let float = ["pkg", "stages", "add", "mul", "choice", "lane"];
    Build::new("fp_bench")
        .top("fp_bench")
        .source(rtl.join("sl_pkg.sv"))
        .sources(float.map(|name| rtl.join(format!("float/sl_fp_{name}.sv"))))
        .source(root().join("verilator-tests/tests/rtl/fp_bench.sv"))
        .build()
        .unwrap()
}

const SPECIAL: [u32; 16] = [
    0,
    1,
    0x007F_FFFF,
    0x0080_0000,
    0x0080_0001,
    0x00FF_FFFF,
    0x0100_0000,
    0x3F7F_FFFF,
    0x3F80_0000,
    0x3F80_0001,
    0x7F7F_FFFF,
    0x7F7F_FFFE,
    0x7F80_0000,
    0x7F80_0001,
    0x7FC0_0000,
    0x7FFF_FFFF,
];

/// Operands that reach the corners: specials, close exponents, cancellation, both ends of the exponent range, long ties.
fn operands(random: &mut Random) -> [u32; 2] {
    let sign = |random: &mut Random| random.word() & 0x8000_0000;
    let special = |random: &mut Random| SPECIAL[random.below(16) as usize] | sign(random);
    let a = random.word();
    let b = random.word();
    match random.below(10) {
        0 => [special(random), special(random)],
        1 => [special(random), b],
        2 => [a, special(random)],
        // Exponents within 31 of each other.
        3 | 4 => {
            let e = (a >> 23 & 0xFF)
                .saturating_add(random.below(31))
                .min(254)
                .saturating_sub(random.below(31));
            [a, (b & 0x807F_FFFF) | e << 23]
        }
        // Nearly equal magnitudes.
        5 => [a, (a ^ random.below(8)) ^ sign(random)],
        // Products around the smallest normal number and around the largest.
        6 => {
            let ea = 1 + random.below(254);
            let edge = if random.below(2) == 0 { 127 } else { 381 };
            let eb = (edge + 2 - random.below(5))
                .saturating_sub(ea)
                .clamp(1, 254);
            [(a & 0x807F_FFFF) | ea << 23, (b & 0x807F_FFFF) | eb << 23]
        }
        // Tiny sums.
        7 => [
            (a & 0x807F_FFFF) | (1 + random.below(26)) << 23,
            (b & 0x807F_FFFF) | (1 + random.below(3)) << 23,
        ],
        // Few fraction bits: ties and exact results.
        8 => {
            let mask = 0xFFFF_FFFFu32 << random.below(24);
            [
                (a & 0xBFFF_FFFF | 0x3000_0000) & mask,
                (b & 0xBFFF_FFFF | 0x3000_0000) & mask,
            ]
        }
        _ => [a, b],
    }
}

fn expected(op: u32, a: u32, b: u32) -> u32 {
    match op {
        1 => float::add(a, b),
        2 => float::sub(a, b),
        3 => float::sub(b, a),
        4 => float::mul(a, b),
        5 => float::max(a, b),
        _ => float::min(a, b),
    }
}

struct Bench {
    model: Model,
    clk: Port,
    inputs: [Port; 4],
    lane: Port,
}

impl Bench {
    fn new(library: &Library, seed: u32) -> Self {
        let model = library.new_model(&ModelOptions::seeded(seed)).unwrap();
        let port = |name| model.port(name).unwrap();
        Self {
            clk: port("clk_i"),
            inputs: ["valid_i", "op_i", "a_i", "b_i"].map(port),
            lane: port("lane_o"),
            model,
        }
    }

    /// Drives one cycle; returns what the output shows in it before the clock edge.
    fn cycle(&mut self, inputs: [u32; 4]) -> u32 {
        self.model.set_u64(self.clk, 0).unwrap();
        for (port, value) in self.inputs.into_iter().zip(inputs) {
            self.model.set_u64(port, u64::from(value)).unwrap();
        }
        self.model.eval().unwrap();
        let seen = self.model.get_u64(self.lane).unwrap() as u32;
        self.model.set_u64(self.clk, 1).unwrap();
        self.model.eval().unwrap();
        seen
    }
}

/// First difference of a run, with `mutate` applied to every expectation of the lane.
fn run(library: &Library, vectors: usize, mutate: impl Fn(usize, u32) -> u32) -> Option<String> {
    let mut random = Random(SEED);
    let mut bench = Bench::new(library, 7);
    let mut pending: VecDeque<Option<(u32, String)>> = VecDeque::new();
    for i in 0..vectors + STAGES {
        let [a, b] = operands(&mut random);
        let valid = random.below(8) != 0;
        let op = 1 + random.below(6);
        let lane = bench.cycle([u32::from(valid), op, a, b]);
        let text = format!("vector {i}, seed {SEED:x}: op {op} {a:08x} {b:08x}");
        pending.push_back(valid.then(|| (mutate(i, expected(op, a, b)), text)));
        if pending.len() > STAGES
            && let Some(Some((want, text))) = pending.pop_front()
            && want != lane
        {
            return Some(format!("{text}: lane {lane:08x}, expected {want:08x}"));
        }
    }
    None
}

#[test]
fn float_modules_equal_the_model() {
    if !tools_or_skip("float_modules_equal_the_model") {
        return;
    }
    let library = library();
    assert_eq!(run(&library, VECTORS, |_, want| want), None);

    // The comparison can fail: one flipped bit in one expectation is found.
    let wrong = run(&library, 2000, |i, want| want ^ u32::from(i >= 1000));
    assert!(wrong.is_some_and(|text| text.contains("expected")));
}
