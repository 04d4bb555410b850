//! Tensor banks, pipelines' contents and accumulators: what the stages of a tick do to them.
//!
//! | part | shape |
//! |------|-------|
//! | tensor banks | `[bank][block][lane]` bf16; one copy, since the hardware's copies are always equal |
//! | blocks travelling with a tick | `[ring position][core][lane]` |
//! | accumulators | `[core][accumulator][row]` mantissas and exponents, poison |
//!
//! **Contract.** Called once per stage and cycle, all reading stages of a cycle before all writing ones. What a later stage needs is
//! copied when it is read, so that later writes cannot reach it.
//! **Errors.** None; addresses were validated.

use sluice_isa::{Acc, Format, HardwareConfig, Op as Alu, Program};

use crate::image::{Image, Op, RING, Start};
use crate::kernel::{self, Column, Engine, Operand, Weights};
use crate::lanes;

/// A tick on its way through the pipelines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct InFlight {
    pub(crate) pc: u32,
    pub(crate) parity: u8,
}

/// Everything that does not change while a program runs.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    pub(crate) image: Image,
    weights: Weights,
    /// Constants as accumulator start values.
    bias: Bias,
    pub(crate) engine: Engine,
    pub(crate) compute: bool,
    pub(crate) b: usize,
    cores: usize,
}

#[derive(Debug, Clone)]
struct Bias {
    mantissa: Vec<i64>,
    exponent: Vec<i32>,
}

impl Fixed {
    pub(crate) fn new(program: &Program) -> Self {
        let b = program.config.block_size as usize;
        let blocks = program
            .cores
            .iter()
            .flat_map(|core| core.weights.iter().chain(&core.fp8));
        let weights = Weights::new(b, blocks);
        let image = Image::new(program, &weights);
        let starts = image.constants.iter().map(|&u| Acc::from_bias(u));
        Self {
            bias: Bias {
                mantissa: starts.clone().map(|a| a.mantissa).collect(),
                exponent: starts.map(|a| i32::from(a.exponent)).collect(),
            },
            weights,
            image,
            engine: Engine::detect(),
            compute: true,
            b,
            cores: program.config.num_cores as usize,
        }
    }
}

/// The memories and the blocks in flight.
#[derive(Debug, Clone)]
pub(crate) struct Datapath {
    pub(crate) banks: Vec<u16>,
    mantissa: Vec<i64>,
    exponent: Vec<i32>,
    poison: Vec<bool>,
    operands: Vec<u16>,
    a: Vec<u32>,
    b: Vec<u32>,
    planes: Vec<u16>,
    /// Beat between port O and the output FIFO.
    pub(crate) out_beat: (Vec<u16>, bool),
    operand: Box<Operand>,
}

impl Datapath {
    pub(crate) fn new(c: &HardwareConfig) -> Self {
        let (b, cores) = (c.block_size as usize, c.num_cores as usize);
        let columns = cores * c.accum_store_depth as usize;
        let travelling = RING * cores * b;
        Self {
            banks: vec![0; (cores + 1) * c.tensor_ram_depth as usize * b],
            mantissa: vec![0; columns * b],
            exponent: vec![i32::from(sluice_isa::acc::MIN_EXPONENT); columns * b],
            poison: vec![false; columns * b],
            operands: vec![0; travelling],
            a: vec![0; travelling],
            b: vec![0; travelling],
            planes: vec![0; 2 * travelling],
            out_beat: (vec![0; b], false),
            operand: Box::default(),
        }
    }

    /// Runs one stage of the tick issued at ring position `slot`.
    pub(crate) fn run(&mut self, fixed: &Fixed, stage: usize, slot: usize, tick: InFlight) {
        let image = &fixed.image;
        let (b, parity) = (fixed.b, tick.parity);
        let t = &image.ticks[tick.pc as usize];
        let ops = &image.ops[t.starts[stage] as usize..t.starts[stage + 1] as usize];
        let place = |core: u32| (slot * fixed.cores + core as usize) * b;
        for op in ops {
            match *op {
                Op::Output { src, lanes, last } => {
                    let src = src.at(parity);
                    let lanes = (lanes as usize).min(b);
                    let (out, flag) = &mut self.out_beat;
                    out[..lanes].copy_from_slice(&self.banks[src..src + lanes]);
                    out[lanes..].fill(0);
                    *flag = last;
                }
                _ if !fixed.compute => {}
                Op::Operand { to, src } => {
                    let (to, src) = (place(to), src.at(parity));
                    self.operands[to..to + b].copy_from_slice(&self.banks[src..src + b]);
                }
                Op::LaneA {
                    core,
                    rot,
                    src,
                    raw,
                } => {
                    let (to, src) = (place(core), src.at(parity));
                    let widen = if raw { lanes::widen_raw } else { lanes::widen };
                    let (from, to) = (&self.banks[src..src + b], &mut self.a[to..to + b]);
                    lanes::rotated(from, rot as usize, to, widen);
                }
                Op::LaneB { core, src } => {
                    let (to, src) = (place(core), src.at(parity));
                    lanes::widen(&self.banks[src..src + b], &mut self.b[to..to + b]);
                }
                Op::LaneBHi { core, src } => {
                    let (to, src) = (place(core), src.at(parity));
                    lanes::widen_raw(&self.banks[src..src + b], &mut self.b[to..to + b]);
                }
                Op::LaneBLo { core, src } => {
                    let (to, src) = (place(core), src.at(parity));
                    lanes::join_lower(&self.banks[src..src + b], &mut self.b[to..to + b]);
                }
                Op::ConstA { core, at } => {
                    let (to, at) = (place(core), at as usize * b);
                    self.a[to..to + b].copy_from_slice(&image.constants[at..at + b]);
                }
                Op::ConstB { core, at } => {
                    let (to, at) = (place(core), at as usize * b);
                    self.b[to..to + b].copy_from_slice(&image.constants[at..at + b]);
                }
                Op::PlaneHi { core, src } => {
                    let (to, src) = (2 * place(core), src.at(parity));
                    self.planes[to..to + b].copy_from_slice(&self.banks[src..src + b]);
                }
                Op::PlaneLo { core, src } => {
                    let (to, src) = (2 * place(core) + b, src.at(parity));
                    self.planes[to..to + b].copy_from_slice(&self.banks[src..src + b]);
                }
                Op::Product {
                    core,
                    operand,
                    weight,
                    next,
                    acc,
                    start,
                    take,
                    align,
                } => {
                    if align {
                        let from = place(operand);
                        kernel::align(
                            fixed.engine,
                            &fixed.weights,
                            weight as usize,
                            &self.operands[from..from + b],
                            &mut self.operand,
                        );
                    }
                    let mut column = column(
                        &mut self.mantissa,
                        &mut self.exponent,
                        &mut self.poison,
                        acc,
                        b,
                    );
                    match start {
                        Start::Keep => {}
                        Start::Zero => column.clear(),
                        Start::Const(at) => {
                            let at = at as usize * b;
                            column
                                .mantissa
                                .copy_from_slice(&fixed.bias.mantissa[at..at + b]);
                            column
                                .exponent
                                .copy_from_slice(&fixed.bias.exponent[at..at + b]);
                            column.poison.fill(false);
                        }
                    }
                    kernel::accumulate(
                        fixed.engine,
                        &fixed.weights,
                        (weight as usize, next as usize),
                        &self.operand,
                        &mut column,
                    );
                    if take {
                        let to = place(core);
                        kernel::to_f32(
                            column.mantissa,
                            column.exponent,
                            column.poison,
                            &mut self.a[to..to + b],
                        );
                    }
                }
                Op::Add32 {
                    core,
                    acc,
                    first,
                    take,
                } => {
                    let (to, from) = (place(core), 2 * place(core));
                    let mut column = column(
                        &mut self.mantissa,
                        &mut self.exponent,
                        &mut self.poison,
                        acc,
                        b,
                    );
                    if first {
                        column.clear();
                    }
                    let (hi, lo) = self.planes[from..from + 2 * b].split_at(b);
                    column.add32(hi, lo);
                    if take {
                        kernel::to_f32(
                            column.mantissa,
                            column.exponent,
                            column.poison,
                            &mut self.a[to..to + b],
                        );
                    }
                }
                Op::Write { vector } => {
                    let v = &image.vectors[vector as usize];
                    let from = place(v.core);
                    let a = &mut self.a[from..from + b];
                    if v.format != Format::Raw {
                        lanes::clamp(a, v.pre.0, v.pre.1);
                    }
                    if let Some(function) = v.special {
                        lanes::special(function, a);
                    }
                    lanes::apply(v.op, a, &self.b[from..from + b]);
                    if v.op != Alu::Pass || v.special.is_some() {
                        lanes::clamp(a, v.post.0, v.post.1);
                    }
                    let (lo, hi) = (v.lanes.0 as usize, v.lanes.1 as usize);
                    let dst = v.dst as usize;
                    let out = &mut self.banks[dst + lo..dst + hi];
                    match v.format {
                        Format::Bf16 => lanes::narrow(&a[lo..hi], out),
                        Format::Planes | Format::Raw => lanes::upper(&a[lo..hi], out),
                    }
                }
                Op::WriteLow { vector } => {
                    let v = &image.vectors[vector as usize];
                    let from = place(v.core);
                    let (lo, hi) = (v.lanes.0 as usize, v.lanes.1 as usize);
                    let dst = v.dst as usize + b;
                    lanes::lower(
                        &self.a[from + lo..from + hi],
                        &mut self.banks[dst + lo..dst + hi],
                    );
                }
            }
        }
    }
}

fn column<'a>(
    mantissa: &'a mut [i64],
    exponent: &'a mut [i32],
    poison: &'a mut [bool],
    acc: u32,
    b: usize,
) -> Column<'a> {
    let at = acc as usize * b;
    Column {
        mantissa: &mut mantissa[at..at + b],
        exponent: &mut exponent[at..at + b],
        poison: &mut poison[at..at + b],
    }
}
