//! Tiny hand-written programs, and a driver that shows every pin.
#![allow(dead_code, reason = "each test file uses its own part")]
#![expect(
    clippy::cast_possible_truncation,
    reason = "literal sizes of tiny programs"
)]

use std::sync::Arc;

use sluice_isa::lbfp::{WeightBlock, quantize};
use sluice_isa::{
    ASrc, BSrc, ControlWord, CoreImage, Format, HardwareConfig, Init, MatrixKind, MatrixWord,
    ModelInfo, Op, Program, TensorInfo, VectorWord, presets,
};
use sluice_sim::{Machine, Pins, SimError, Status, TickIssue};

pub const NEG_INF: u32 = 0xFF80_0000;
pub const POS_INF: u32 = 0x7F80_0000;

/// One tick: control word, then `(core, matrix)` and `(core, vector)` words.
#[derive(Clone, Default)]
pub struct Tick {
    pub control: ControlWord,
    pub matrix: Vec<(usize, MatrixWord)>,
    pub vector: Vec<(usize, VectorWord)>,
    /// Ticks that take an input beat each and do nothing else, before this one.
    pub empty_before: u32,
}

pub fn tick() -> Tick {
    Tick::default()
}

impl Tick {
    pub fn m(mut self, core: usize, word: MatrixWord) -> Self {
        self.matrix.push((core, word));
        self
    }
    pub fn v(mut self, core: usize, word: VectorWord) -> Self {
        self.vector.push((core, word));
        self
    }
    /// Takes `n` input beats: one with this tick, the others with empty ticks before it.
    pub fn beats(mut self, n: u32) -> Self {
        self.control.beat = true;
        self.empty_before = n - 1;
        self
    }
    pub fn out(mut self, bank: u32, addr: u32, lanes: u32) -> Self {
        self.control.out_valid = true;
        self.control.out_last = true;
        self.control.out_bank = bank;
        self.control.out_addr = addr;
        self.control.out_lanes = lanes;
        self
    }
}

pub fn product(bank: u32, addr: u32, weight: u32, acc: u32) -> MatrixWord {
    MatrixWord {
        kind: MatrixKind::Product,
        first: true,
        bank,
        addr,
        weight,
        acc,
        ..MatrixWord::default()
    }
}

pub fn more(word: MatrixWord) -> MatrixWord {
    MatrixWord {
        first: false,
        ..word
    }
}

pub fn with_bias(word: MatrixWord, at: u32) -> MatrixWord {
    MatrixWord {
        init: Init::Const,
        init_addr: at,
        ..word
    }
}

pub fn add32(bank: u32, addr: u32, acc: u32, first: bool) -> MatrixWord {
    MatrixWord {
        kind: MatrixKind::Add32,
        first,
        bank,
        addr,
        acc,
        ..MatrixWord::default()
    }
}

pub fn read(bank: u32, addr: u32) -> MatrixWord {
    MatrixWord {
        kind: MatrixKind::Read,
        bank,
        addr,
        ..MatrixWord::default()
    }
}

/// A pass of operand A into block `dst` of all lanes.
pub fn pass(a_src: ASrc, dst: u32, b: u32) -> VectorWord {
    VectorWord {
        valid: true,
        a_src,
        lane_hi: b,
        dst_addr: dst,
        ..VectorWord::default()
    }
}

pub fn y(word: VectorWord, bank: u32, addr: u32) -> VectorWord {
    VectorWord {
        y_bank: bank,
        y_addr: addr,
        ..word
    }
}

pub fn alu(word: VectorWord, op: Op, b_src: BSrc) -> VectorWord {
    VectorWord { op, b_src, ..word }
}

pub fn planes(word: VectorWord) -> VectorWord {
    VectorWord {
        format: Format::Planes,
        ..word
    }
}

/// A program under construction.
pub struct Build {
    pub config: HardwareConfig,
    pub ticks: Vec<Tick>,
    pub models: Vec<ModelInfo>,
    pub weights: Vec<WeightBlock>,
    pub fp8: Vec<WeightBlock>,
    pub constants: Vec<Vec<u32>>,
    pub clamps: Vec<(u32, u32)>,
}

impl Build {
    /// Configuration `c<cores>b<block>` with small stores, an identity weight block and the neutral clamp.
    pub fn new(cores: u32, block: u32) -> Self {
        let mut config = presets::preset("c1b4").unwrap();
        config.name = format!("c{cores}b{block}");
        config.num_cores = cores;
        config.block_size = block;
        let b = block as usize;
        let eye: Vec<f32> = (0..b * b)
            .map(|i| f32::from(u8::from(i / b == i % b)))
            .collect();
        Self {
            config,
            ticks: Vec::new(),
            models: Vec::new(),
            weights: vec![quantize(b, b, b, &eye)],
            fp8: Vec::new(),
            constants: Vec::new(),
            clamps: vec![(NEG_INF, POS_INF)],
        }
    }

    /// A block of fp32 constants, short ones filled with zeros; returns its address.
    pub fn constant(&mut self, values: &[f32]) -> u32 {
        let mut block = vec![0; self.config.block_size as usize];
        for (b, v) in block.iter_mut().zip(values) {
            *b = v.to_bits();
        }
        self.constants.push(block);
        self.constants.len() as u32 - 1
    }

    /// A model of `n_in` and `n_out` blocks; its last tick gets the last flag.
    pub fn model(&mut self, n_in: u32, n_out: u32, ticks: Vec<Tick>) -> &mut Self {
        self.model_with_init(n_in, n_out, None, ticks)
    }

    pub fn model_with_init(
        &mut self,
        n_in: u32,
        n_out: u32,
        init: Option<Vec<Tick>>,
        ticks: Vec<Tick>,
    ) -> &mut Self {
        let init_pc = init.map(|t| self.phase(t));
        let entry_pc = self.phase(ticks);
        let count = self.ticks.len() as u32 - entry_pc;
        let tensor = |name: &str, n: u32| TensorInfo {
            name: name.into(),
            shape: vec![(n * self.config.block_size) as usize],
            data_dim: 0,
            streaming_dim: None,
            format: sluice_isa::NumberFormat::Bf16,
        };
        self.models.push(ModelInfo {
            name: format!("model {}", self.models.len()),
            entry_pc,
            ticks: count,
            init_pc,
            resettable: init_pc.is_some(),
            inputs: vec![tensor("x", n_in)],
            outputs: vec![tensor("y", n_out)],
            n_in,
            n_out,
            cycles_spaced: 0,
            cycles_contiguous: 0,
            parameters: 0,
            weight_blocks: 0,
        });
        self
    }

    fn phase(&mut self, mut ticks: Vec<Tick>) -> u32 {
        let pc = self.ticks.len() as u32;
        ticks.last_mut().unwrap().control.last = true;
        for t in ticks {
            for _ in 0..t.empty_before {
                self.ticks.push(tick().beats(1));
            }
            self.ticks.push(t);
        }
        pc
    }

    pub fn program(&self) -> Arc<Program> {
        let mut cores = vec![
            CoreImage {
                weights: self.weights.clone(),
                fp8: self.fp8.clone(),
                constants: self.constants.clone(),
                clamps: self.clamps.clone(),
                ..CoreImage::default()
            };
            self.config.num_cores as usize
        ];
        for t in &self.ticks {
            for core in &mut cores {
                core.matrix.push(MatrixWord::default());
                core.vector.push(VectorWord::default());
            }
            for &(c, w) in &t.matrix {
                *cores[c].matrix.last_mut().unwrap() = w;
            }
            for &(c, w) in &t.vector {
                *cores[c].vector.last_mut().unwrap() = w;
            }
        }
        let program = Program {
            config: self.config.clone(),
            models: self.models.clone(),
            control: self.ticks.iter().map(|t| t.control).collect(),
            cores,
        };
        program.validate().unwrap();
        Arc::new(program)
    }

    pub fn machine(&self) -> Machine {
        Machine::new(self.program()).unwrap()
    }
}

/// `n` idle ticks.
pub fn idle(n: usize) -> Vec<Tick> {
    vec![tick(); n]
}

pub fn bf(x: f32) -> u16 {
    sluice_isa::float::f32_to_bf16(x.to_bits())
}

pub fn block(values: &[f32]) -> Vec<u16> {
    values.iter().map(|&x| bf(x)).collect()
}

pub fn floats(words: &[u16]) -> Vec<f32> {
    words
        .iter()
        .map(|&h| f32::from_bits(u32::from(h) << 16))
        .collect()
}

/// What was seen in one cycle.
#[derive(Debug, Clone)]
pub struct Seen {
    pub select_ready: bool,
    pub input_ready: bool,
    pub output: Option<(Vec<f32>, bool)>,
    pub status: Status,
    pub issue: Option<TickIssue>,
}

/// Steps a machine and keeps what it saw.
pub struct Bench {
    pub machine: Machine,
    pub log: Vec<Seen>,
}

impl Bench {
    pub fn new(machine: Machine) -> Self {
        Self {
            machine,
            log: Vec::new(),
        }
    }

    /// One cycle with the given select index, input block and sink.
    pub fn try_cycle(
        &mut self,
        select: Option<u16>,
        input: Option<&[u16]>,
        ready: bool,
    ) -> Result<Seen, SimError> {
        let out = self.machine.step(&Pins {
            select_valid: select.is_some(),
            select_data: select.unwrap_or(0),
            input_valid: input.is_some(),
            input_data: input.unwrap_or(&[]),
            output_ready: ready,
            enable: true,
            reset: false,
        })?;
        let seen = Seen {
            select_ready: out.select_ready,
            input_ready: out.input_ready,
            output: out
                .output_valid
                .then(|| (floats(out.output_data), out.output_last)),
            status: out.status,
            issue: out.issue,
        };
        self.log.push(seen.clone());
        Ok(seen)
    }

    pub fn cycle(&mut self, select: Option<u16>, input: Option<&[u16]>, ready: bool) -> Seen {
        self.try_cycle(select, input, ready).unwrap()
    }

    pub fn idle(&mut self, n: usize) {
        for _ in 0..n {
            self.cycle(None, None, true);
        }
    }

    /// Runs one job: select now, beats as soon as they are taken, until `n_out` beats came; `(first accept, beats with cycles)`.
    pub fn job(
        &mut self,
        model: u16,
        beats: &[Vec<u16>],
        n_out: usize,
    ) -> (usize, Vec<(usize, Vec<f32>)>) {
        let (mut select, mut at) = (Some(model), 0);
        let (mut accepted, mut out) = (None, Vec::new());
        for _ in 0..2000 {
            let t = self.log.len();
            let seen = self.cycle(select, beats.get(at).map(Vec::as_slice), true);
            if select.is_some() && seen.select_ready {
                select = None;
            }
            if at < beats.len() && seen.input_ready {
                accepted.get_or_insert(t);
                at += 1;
            }
            if let Some((data, _)) = seen.output {
                out.push((t, data));
            }
            if out.len() == n_out {
                return (accepted.unwrap_or(0), out);
            }
        }
        panic!("no output");
    }

    pub fn issues(&self) -> Vec<(usize, u32)> {
        self.log
            .iter()
            .enumerate()
            .filter_map(|(t, s)| s.issue.map(|i| (t, i.pc)))
            .collect()
    }
}
