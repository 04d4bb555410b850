//! `hdl/rtl/matrix/` against `isa::{lbfp, acc}`: every result of the matrix unit, bit for bit and in its cycle.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "vectors are cut to the widths of the formats under test"
)]

mod support;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use sluice_isa::acc::{Acc, MAX_TERMS, Term};
use sluice_isa::fp8;
use sluice_isa::lbfp::{LANE_OFF, WEIGHT_MAX, WeightBlock, quantize, step};
use sluice_isa::load::{fp8_row_record, row_record};
use sluice_isa::timing::tree_stages;
use sluice_isa::words::{Init, MatrixKind, MatrixWord, WeightFormat};
use support::Random;
use verilator_sys::{Build, Library, Model, ModelOptions, Port, tools_or_skip};

const SEED: u64 = 0x0AC1_D0C5;
const BLOCKS: usize = 40;
/// Addresses with 17-bit mantissas where there are FP8 blocks too.
const WIDE: usize = 16;
const ACCUMULATORS: u32 = 8;
const TENSORS: usize = 64;
const CONSTANTS: usize = 16;

fn library(block_size: usize, fp8: bool) -> Library {
    let rtl = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/rtl");
    let list = |names: &[&str]| -> Vec<PathBuf> { names.iter().map(|n| rtl.join(n)).collect() };
    Build::new(format!(
        "matrix_b{block_size}{}",
        if fp8 { "f8" } else { "" }
    ))
    .top("sl_matrix_unit")
    .include(rtl.join("common"))
    .sources(list(&[
        "sl_pkg.sv",
        "common/sl_ram_1r1w.sv",
        "common/sl_ram_mask.sv",
        "common/sl_ram_async.sv",
        "matrix/sl_align_lane.sv",
        "matrix/sl_align_max.sv",
        "matrix/sl_aligner.sv",
        "matrix/sl_dot_product.sv",
        "matrix/sl_fp8_lane.sv",
        "matrix/sl_late_operand.sv",
        "matrix/sl_accumulator.sv",
        "matrix/sl_acc_to_float.sv",
        "matrix/sl_matrix_row.sv",
        "matrix/sl_matrix_unit.sv",
    ]))
    .param("BlockSize", block_size)
    .param("WeightDepth", BLOCKS)
    .param("AccumDepth", ACCUMULATORS)
    .param("Fp8Weights", usize::from(fp8))
    .build()
    .unwrap()
}

/// bf16 with an exponent around `e`, sometimes zero, subnormal or the largest.
fn value(random: &mut Random, e: u32, spread: u32) -> u16 {
    let e = match random.below(24) {
        0 => 0,
        1 => 1,
        2 => 254,
        _ => (e + random.below(2 * spread + 1))
            .saturating_sub(spread)
            .clamp(1, 254),
    };
    ((random.word() & 0x8000) | e << 7 | (random.word() & 0x7F)) as u16
}

fn operand(random: &mut Random, b: usize) -> Vec<u16> {
    let (e, spread) = match random.below(8) {
        0 => (1 + random.below(254), 3),
        1 => (20, 20),
        2 => (235, 19),
        _ => (127, 1 + random.below(30)),
    };
    let plain = random.below(3) != 0;
    let mut x: Vec<u16> = (0..b)
        .map(|_| {
            if plain {
                ((random.word() & 0x8000)
                    | (e + random.below(spread)).min(254) << 7
                    | (random.word() & 0x7F)) as u16
            } else {
                value(random, e, spread)
            }
        })
        .collect();
    match random.below(40) {
        0 => x.fill(0),
        1 => x.fill(0x8000),
        2 => x[random.below(b as u32) as usize] = 0x7F80,
        3 => x[random.below(b as u32) as usize] = 0xFFC1,
        4 => x.fill(0x3FFF),
        _ => {}
    }
    x
}

fn weights(random: &mut Random, b: usize, style: usize) -> WeightBlock {
    let mut block = WeightBlock::off(b);
    let exponent = |random: &mut Random, half: u32| random.below(2 * half + 1) as i32 - half as i32;
    for n in 0..b {
        block.r[n] = match style % 8 {
            3 => exponent(random, 127) as i8,
            4 => 127,
            5 => i8::MIN,
            _ => exponent(random, 6) as i8,
        };
        block.l[n] = match style % 8 {
            2 if random.one_in(2) => LANE_OFF,
            3 => exponent(random, 127) as i8,
            4 => 127,
            5 => -127,
            6 => LANE_OFF,
            _ => exponent(random, 4) as i8,
        };
        for k in 0..b {
            block.m[n * b + k] = match random.below(6) {
                0 => 0,
                1 => WEIGHT_MAX,
                2 => -WEIGHT_MAX,
                _ => random.below(2 * WEIGHT_MAX as u32 + 1) as i32 - WEIGHT_MAX,
            };
        }
    }
    if style % 8 == 7 {
        let w: Vec<f32> = (0..b * b)
            .map(|_| (random.below(2001) as f32 - 1000.0) / 700.0)
            .collect();
        block = quantize(b, b, b, &w);
    }
    block
}

/// Mantissas of stored codes, block `i` with all of them in turn; exponents as in `weights`.
fn fp8_weights(random: &mut Random, b: usize, i: usize) -> WeightBlock {
    let mut block = weights(random, b, i);
    let stored: Vec<u8> = (0..=255).filter(|&c| fp8::is_stored(c)).collect();
    for (k, m) in block.m.iter_mut().enumerate() {
        *m = fp8::mantissa(stored[(i * b * b + k) % stored.len()]);
    }
    block
}

fn fp32(random: &mut Random) -> u32 {
    match random.below(20) {
        0 => random.word() & 0x807F_FFFF,
        1 => 0x7F80_0000 | (random.word() & 0x8000_0000),
        2 => 0x7FC0_0001,
        3 | 4 => random.word(),
        _ => (random.word() & 0x807F_FFFF) | (100 + random.below(50)) << 23,
    }
}

/// What the unit reads besides its words.
struct World {
    b: usize,
    weights: Vec<WeightBlock>,
    /// Two an address, behind `weights`; none without FP8 weights.
    fp8: Vec<WeightBlock>,
    /// Tensor blocks of the late port, by address; all banks show the same with the bank's number mixed in.
    tensors: Vec<Vec<u16>>,
    constants: Vec<Vec<u32>>,
}

impl World {
    fn new(b: usize, fp8: bool, random: &mut Random) -> Self {
        let mut tensors = Vec::new();
        for _ in 0..TENSORS / 2 {
            let planes: Vec<u32> = (0..b).map(|_| fp32(random)).collect();
            tensors.push(planes.iter().map(|u| (u >> 16) as u16).collect());
            tensors.push(planes.iter().map(|u| *u as u16).collect());
        }
        // The compiler never makes a start value NaN or infinite; isa reads such a one as zero, and so must the unit.
        let constants = (0..CONSTANTS)
            .map(|_| (0..b).map(|_| fp32(random)).collect())
            .collect();
        let wide = if fp8 { WIDE } else { BLOCKS };
        // The last address has one block only.
        let pairs = (2 * (BLOCKS - wide)).saturating_sub(1);
        Self {
            b,
            weights: (0..wide).map(|i| weights(random, b, i)).collect(),
            fp8: (0..pairs).map(|i| fp8_weights(random, b, i)).collect(),
            tensors,
            constants,
        }
    }

    /// The block a word takes.
    fn block(&self, word: &MatrixWord) -> &WeightBlock {
        let at = word.weight as usize;
        let half = match word.weight_format {
            WeightFormat::Lbfp17 => return &self.weights[at],
            WeightFormat::Fp8Low => 0,
            WeightFormat::Fp8High => 1,
        };
        &self.fp8[2 * (at - self.weights.len()) + half]
    }

    fn tensor(&self, bank: u32, addr: u32) -> Vec<u16> {
        let block = &self.tensors[addr as usize % TENSORS];
        block.iter().map(|h| h ^ (bank as u16 & 1)).collect()
    }
}

#[derive(Clone)]
struct Tick {
    word: MatrixWord,
    x: Vec<u16>,
}

/// Ticks of the scenarios, with the duty of the compiler kept: at most 512 terms, no two add32 in a row, no read before a first.
struct Script {
    ticks: Vec<Tick>,
    terms: [usize; ACCUMULATORS as usize],
}

impl Script {
    fn new() -> Self {
        Self {
            ticks: Vec::new(),
            terms: [0; ACCUMULATORS as usize],
        }
    }

    fn last_is_add32(&self) -> bool {
        self.ticks
            .last()
            .is_some_and(|t| t.word.kind == MatrixKind::Add32)
    }

    fn bubble(&mut self, random: &mut Random, b: usize) {
        let kind = if random.one_in(2) {
            MatrixKind::None
        } else {
            MatrixKind::Read
        };
        // Fields of a word that does nothing must not matter.
        let word = MatrixWord {
            kind,
            first: random.one_in(2),
            acc: random.below(ACCUMULATORS),
            ..MatrixWord::default()
        };
        self.ticks.push(Tick {
            word,
            x: operand(random, b),
        });
    }

    fn push(&mut self, random: &mut Random, mut word: MatrixWord, x: Vec<u16>) {
        if word.kind == MatrixKind::Add32 && self.last_is_add32() {
            self.bubble(random, x.len());
        }
        let terms = &mut self.terms[word.acc as usize];
        if *terms == 0 || *terms == MAX_TERMS {
            word.first = true;
        }
        *terms = if word.first { 1 } else { *terms + 1 };
        if word.kind == MatrixKind::Add32 && word.first {
            word.init = Init::Zero;
        }
        self.ticks.push(Tick { word, x });
    }

    fn product(&mut self, random: &mut Random, b: usize, acc: u32, first: bool) {
        let word = MatrixWord {
            kind: MatrixKind::Product,
            first,
            init: if random.one_in(2) {
                Init::Const
            } else {
                Init::Zero
            },
            bank: random.below(7),
            addr: random.below(4096),
            weight: random.below(BLOCKS as u32),
            acc,
            init_addr: random.below(CONSTANTS as u32),
            weight_format: WeightFormat::Lbfp17,
        };
        let x = operand(random, b);
        self.push(random, word, x);
    }

    fn any(&mut self, random: &mut Random, b: usize, acc: u32) {
        let first = random.one_in(9);
        if random.one_in(7) {
            let word = MatrixWord {
                kind: MatrixKind::Add32,
                first,
                bank: random.below(7),
                addr: 2 * random.below(TENSORS as u32 / 2),
                acc,
                ..MatrixWord::default()
            };
            let x = operand(random, b);
            self.push(random, word, x);
        } else {
            self.product(random, b, acc, first);
        }
    }
}

fn scenario(b: usize, random: &mut Random, scale: usize) -> Vec<Tick> {
    let mut s = Script::new();
    // Consecutive terms of one accumulator, then at distance 2 and 3, then round robin over all, then anything with bubbles.
    for distance in [1, 2, 3, ACCUMULATORS] {
        for i in 0..300 * scale {
            s.any(random, b, i as u32 % distance);
        }
    }
    for _ in 0..1500 * scale {
        match random.below(4) {
            0 => s.bubble(random, b),
            1 => s.any(random, b, 1),
            _ => {
                let acc = random.below(ACCUMULATORS);
                s.any(random, b, acc);
            }
        }
    }
    // Cancellation: the same block and its negative, exact zero in the end, then a small rest.
    for i in 0..40 * scale as u32 {
        let weight = i % BLOCKS as u32;
        let x = operand(random, b);
        let minus: Vec<u16> = x.iter().map(|h| h ^ 0x8000).collect();
        for (first, x) in [(true, x), (false, minus)] {
            let word = MatrixWord {
                kind: MatrixKind::Product,
                first,
                weight,
                acc: 3,
                ..MatrixWord::default()
            };
            s.push(random, word, x);
        }
        s.product(random, b, 3, false);
    }
    // Chains of the longest sum allowed, largest terms, both signs of one row pattern.
    for sign in [0, 0x8000] {
        for i in 0..MAX_TERMS {
            let word = MatrixWord {
                kind: MatrixKind::Product,
                first: i == 0,
                weight: 4,
                acc: 5,
                ..MatrixWord::default()
            };
            s.push(random, word, vec![0x3FFF | sign; b]);
        }
    }
    s.ticks
}

/// Spreads the weight addresses from [`WIDE`] on over the FP8 blocks.
fn halves(ticks: &mut [Tick]) {
    for (i, tick) in ticks.iter_mut().enumerate() {
        let word = &mut tick.word;
        if word.kind == MatrixKind::Product && word.weight as usize >= WIDE {
            let last = word.weight as usize == BLOCKS - 1;
            word.weight_format = if last || i % 2 == 0 {
                WeightFormat::Fp8Low
            } else {
                WeightFormat::Fp8High
            };
        }
    }
}

/// The machine's accumulators by the isa crate.
fn expected(world: &World, ticks: &[Tick]) -> Vec<Option<Vec<u32>>> {
    let mut accs = vec![vec![Acc::ZERO; world.b]; ACCUMULATORS as usize];
    let mut results = Vec::new();
    for Tick { word, x } in ticks {
        let terms = match word.kind {
            MatrixKind::None | MatrixKind::Read => {
                results.push(None);
                continue;
            }
            MatrixKind::Product => step(world.block(word), x),
            MatrixKind::Add32 => {
                let high = world.tensor(word.bank, word.addr);
                let low = world.tensor(word.bank, word.addr + 1);
                high.iter()
                    .zip(low)
                    .map(|(&h, l)| Term::from_f32(u32::from(h) << 16 | u32::from(l)))
                    .collect()
            }
        };
        let acc = &mut accs[word.acc as usize];
        if word.first {
            *acc = match word.init {
                Init::Zero => vec![Acc::ZERO; world.b],
                Init::Const => world.constants[word.init_addr as usize]
                    .iter()
                    .map(|&u| Acc::from_bias(u))
                    .collect(),
            };
        }
        for (acc, term) in acc.iter_mut().zip(terms) {
            *acc = acc.add(term);
        }
        results.push(Some(acc.iter().map(|a| a.to_f32()).collect()));
    }
    results
}

struct Bench {
    model: Model,
    clk: Port,
    rst: Port,
    word: Port,
    x: Port,
    y: Port,
    constant: Port,
    late_y: [Port; 3],
    late_const: [Port; 2],
    result: Port,
    load: [Port; 4],
}

fn pack16(values: &[u16]) -> Vec<u32> {
    values
        .chunks(2)
        .map(|c| u32::from(c[0]) | u32::from(c[1]) << 16)
        .collect()
}

impl Bench {
    fn new(library: &Library, seed: u32) -> Self {
        let model = library.new_model(&ModelOptions::seeded(seed)).unwrap();
        let port = |name| model.port(name).unwrap();
        Self {
            clk: port("clk_i"),
            rst: port("rst_ni"),
            word: port("word_i"),
            x: port("x_data_i"),
            y: port("y_data_i"),
            constant: port("const_data_i"),
            late_y: ["late_y_valid_o", "late_y_bank_o", "late_y_addr_o"].map(port),
            late_const: ["late_const_valid_o", "late_const_addr_o"].map(port),
            result: port("acc_value_o"),
            load: ["load_valid_i", "load_row_i", "load_addr_i", "load_data_i"].map(port),
            model,
        }
    }

    fn set(&mut self, port: Port, value: u64) {
        self.model.set_u64(port, value).unwrap();
    }

    fn get(&self, port: Port) -> u32 {
        self.model.get_u64(port).unwrap() as u32
    }

    fn set_wide(&mut self, port: Port, words: &[u32]) {
        if port.words() > 2 {
            self.model.set_words(port, words).unwrap();
        } else {
            let value = words.iter().rev().fold(0, |v, &w| v << 32 | u64::from(w));
            self.set(port, value);
        }
    }

    fn edge(&mut self) {
        for level in [1, 0] {
            self.set(self.clk, level);
            self.model.eval().unwrap();
        }
    }

    fn load(&mut self, world: &World) {
        self.set(self.rst, 0);
        self.set(self.word, 0);
        for _ in 0..3 {
            self.edge();
        }
        self.set(self.rst, 1);
        let scale = if world.fp8.is_empty() { 16 } else { 32 };
        let width = 17 * world.b as u32 + scale;
        let wide = world.weights.iter().map(std::slice::from_ref);
        for (addr, blocks) in wide.chain(world.fp8.chunks(2)).enumerate() {
            for n in 0..world.b {
                let [valid, row, address, data] = self.load;
                self.set(valid, 1);
                self.set(row, n as u64);
                self.set(address, addr as u64);
                let record = if addr < world.weights.len() {
                    row_record(&blocks[0], n, width)
                } else {
                    fp8_row_record(blocks, n, width)
                };
                self.set_wide(data, &record);
                self.edge();
            }
        }
        self.set(self.load[0], 0);
    }
}

/// First difference between the unit and `want`.
fn run(
    library: &Library,
    world: &World,
    ticks: &[Tick],
    want: &[Option<Vec<u32>>],
) -> Result<(), String> {
    let tree = tree_stages(world.b as u32) as usize;
    let latency = 11 + 2 * tree;
    let mut bench = Bench::new(library, 11);
    bench.load(world);
    let idle = Tick {
        word: MatrixWord::default(),
        x: vec![0; world.b],
    };
    let mut y_next = vec![0u16; world.b];
    let mut y_after = vec![0u16; world.b];
    let mut const_next = vec![0u32; world.b];
    // Late requests by cycle: what the unit has to ask for.
    let mut asks: VecDeque<(usize, u32, u32)> = VecDeque::new();
    for cycle in 0..=ticks.len() + latency {
        let tick = ticks.get(cycle).unwrap_or(&idle);
        let x = if cycle > 0 {
            &ticks.get(cycle - 1).unwrap_or(&idle).x
        } else {
            &idle.x
        };
        let word = tick.word.pack().map_err(|e| e.to_string())?;
        bench.set(bench.word, word as u64);
        bench.set_wide(bench.x, &pack16(x));
        bench.set_wide(bench.y, &pack16(&y_next));
        bench.set_wide(bench.constant, &const_next);
        bench.model.eval().unwrap();

        if tick.word.kind == MatrixKind::Add32 {
            asks.push_back((cycle + 2 * tree, tick.word.bank, tick.word.addr));
            asks.push_back((cycle + 1 + 2 * tree, tick.word.bank, tick.word.addr + 1));
        }
        let [valid, bank, addr] = bench.late_y.map(|p| bench.get(p));
        let asked = asks.pop_front_if(|a| a.0 == cycle);
        if (valid == 1).then_some((cycle, bank, addr)) != asked {
            return Err(format!(
                "cycle {cycle}: late port Y {valid} {bank} {addr}, expected {asked:?}"
            ));
        }
        // What nobody asked for is noise.
        y_next = std::mem::replace(
            &mut y_after,
            world.tensor(
                bank,
                if asked.is_some() {
                    addr
                } else {
                    addr.wrapping_mul(5)
                },
            ),
        );
        let [valid, addr] = bench.late_const.map(|p| bench.get(p));
        let start = cycle
            .checked_sub(1 + 2 * tree)
            .and_then(|c| ticks.get(c))
            .map(|t| t.word)
            .filter(|w| w.kind == MatrixKind::Product && w.first && w.init == Init::Const)
            .map(|w| w.init_addr);
        if (valid == 1).then_some(addr) != start {
            return Err(format!(
                "cycle {cycle}: late constant {valid} {addr}, expected {start:?}"
            ));
        }
        const_next.clone_from(&world.constants[(addr as usize * 3 + cycle) % CONSTANTS]);
        if let Some(addr) = start {
            const_next.clone_from(&world.constants[addr as usize]);
        }

        if let Some(done) = cycle.checked_sub(latency)
            && let Some(Some(want)) = want.get(done)
        {
            let got = bench.model.words(bench.result).unwrap();
            if got != want.as_slice() {
                return Err(format!(
                    "tick {done}, seed {SEED:x}: {:?}\n got {got:08x?}\nwant {want:08x?}",
                    ticks[done].word
                ));
            }
        }
        bench.edge();
    }
    Ok(())
}

fn check(block_size: usize, scale: usize, fp8: bool) {
    if !tools_or_skip("unit_matrix") {
        return;
    }
    let library = library(block_size, fp8);
    let mut random = Random(SEED + block_size as u64);
    let world = World::new(block_size, fp8, &mut random);
    let mut ticks = scenario(block_size, &mut random, scale);
    if fp8 {
        halves(&mut ticks);
    }
    let want = expected(&world, &ticks);
    run(&library, &world, &ticks, &want).unwrap();

    // The scenario reaches what it is meant to reach.
    let results: Vec<u32> = want.iter().flatten().flatten().copied().collect();
    for special in [0, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000] {
        assert!(
            results.contains(&special),
            "no {special:08x} among the results"
        );
    }

    if fp8 {
        // Every bit of a code that is used matters: the first product in a block of all codes tells.
        let mut other = World::new(block_size, fp8, &mut Random(SEED + block_size as u64));
        let block = &mut other.fp8[0];
        let n = (0..block_size).find(|&n| block.l[n] != LANE_OFF).unwrap();
        let code = fp8::code(block.m[n]).unwrap();
        block.m[n] = fp8::mantissa(code ^ 1);
        assert!(run(&library, &other, &ticks, &want).is_err());
    }

    // The comparison can fail: one flipped bit of one lane, and one tick late, are both found.
    let at = want.iter().rposition(Option::is_some).unwrap();
    let mut flipped = want.clone();
    if let Some(result) = &mut flipped[at] {
        result[block_size - 1] ^= 1;
    }
    assert!(run(&library, &world, &ticks, &flipped).is_err());
    let mut late = want;
    late.insert(0, None);
    assert!(run(&library, &world, &ticks, &late).is_err());
}

#[test]
fn block_size_4() {
    check(4, 4, false);
}

#[test]
fn block_size_8() {
    check(8, 4, false);
}

#[test]
fn block_size_32() {
    check(32, 1, false);
}

#[test]
fn fp8_block_size_4() {
    check(4, 4, true);
}

#[test]
fn fp8_block_size_32() {
    check(32, 1, true);
}
