//! A program prepared for execution: per tick, which stage does what, with every address resolved.
//!
//! | stage | cycle after issue | what happens |
//! |-------|-------------------|--------------|
//! | [`WRITE`] + 0..16 | c0 + o + 1 + E, planes one more | special function, arithmetic and write to the mirrored banks |
//! | [`IN_WRITE`] | 1 + E after acceptance | input beat written |
//! | [`OUT_PUSH`] | c0 + 1 | the output beat read one cycle before enters the FIFO |
//! | [`READ`] | c0 | port O, port X, port Y and constants for operand A |
//! | [`B_HI`] + 0..4 | one before | upper halves of an operand B of planes |
//! | [`B`] + 0..4 | c0 + p0 - 1, behind a special function later | operand B, of planes the lower halves |
//! | [`PLANE_HI`], [`PLANE_LO`] | c0 + late read | `add32` operand |
//! | [`ACCUMULATE`] | c0 + accumulate | product or `add32` enters the accumulator; the tick's vector word copies the result |
//!
//! **Contract.** Offsets come from `sluice_isa::timing`. Within a cycle stages run in numeric order: all writes before all reads, because a
//! read sees the block that is written in its cycle.
//! **Errors.** None; the program was validated.
#![expect(
    clippy::cast_possible_truncation,
    reason = "addresses, block counts and lane numbers of a validated program are far below 2^32; cores are at most 16"
)]

use sluice_isa::special::Function;
use sluice_isa::timing::{TENSOR_P0, Timing};
use sluice_isa::{
    ASrc, BSrc, Format, HardwareConfig, Init, MatrixKind, MatrixWord, Op as Alu, Program,
    VectorWord,
};

use crate::error::Resource;
use crate::kernel::Weights;

/// First of sixteen: bit 3 = special function, bit 2 = operand A is the accumulator, bit 1 = arithmetic, bit 0 = second plane.
pub(crate) const WRITE: usize = 0;
/// Not a stage of a tick: the input unit's write.
pub(crate) const IN_WRITE: usize = 16;
pub(crate) const OUT_PUSH: usize = 17;
pub(crate) const READ: usize = 18;
/// First of four: bit 1 = operand A is the accumulator, bit 0 = special function.
pub(crate) const B: usize = 19;
/// First of four, as of `B`.
pub(crate) const B_HI: usize = 23;
pub(crate) const PLANE_HI: usize = 27;
pub(crate) const PLANE_LO: usize = 28;
pub(crate) const ACCUMULATE: usize = 29;
pub(crate) const STAGES: usize = 30;

/// Cycles an event can lie in the future, rounded up to a power of two.
pub(crate) const RING: usize = 64;

/// A block in the banks: word offset, and what the parity of the job adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockRef {
    base: u32,
    parity_stride: u32,
}

impl BlockRef {
    pub(crate) fn at(self, parity: u8) -> usize {
        self.base as usize + usize::from(parity) * self.parity_stride as usize
    }
}

/// Where a sum starts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start {
    Keep,
    Zero,
    Const(u32),
}

/// One step of one tick.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Output {
        src: BlockRef,
        lanes: u32,
        last: bool,
    },
    Operand {
        to: u32,
        src: BlockRef,
    },
    LaneA {
        core: u32,
        rot: u32,
        src: BlockRef,
        /// The bits as they are.
        raw: bool,
    },
    ConstA {
        core: u32,
        at: u32,
    },
    LaneB {
        core: u32,
        src: BlockRef,
    },
    LaneBHi {
        core: u32,
        src: BlockRef,
    },
    LaneBLo {
        core: u32,
        src: BlockRef,
    },
    ConstB {
        core: u32,
        at: u32,
    },
    PlaneHi {
        core: u32,
        src: BlockRef,
    },
    PlaneLo {
        core: u32,
        src: BlockRef,
    },
    Product {
        core: u32,
        operand: u32,
        weight: u32,
        /// Block of the product that will most likely follow.
        next: u32,
        acc: u32,
        start: Start,
        take: bool,
        /// The operand must be aligned; otherwise the core before it in this tick has the same operand and lane exponents.
        align: bool,
    },
    Add32 {
        core: u32,
        acc: u32,
        first: bool,
        take: bool,
    },
    Write {
        vector: u32,
    },
    WriteLow {
        vector: u32,
    },
}

/// A vector word, resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VectorOp {
    pub(crate) core: u32,
    pub(crate) op: Alu,
    pub(crate) special: Option<Function>,
    pub(crate) pre: (u32, u32),
    pub(crate) post: (u32, u32),
    pub(crate) format: Format,
    pub(crate) lanes: (u32, u32),
    /// Word offset of the result block in the banks.
    pub(crate) dst: u32,
}

/// One use of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reservation {
    /// Cycles after issue.
    pub(crate) offset: u32,
    /// Bit `16 * resource + core`.
    pub(crate) bits: u128,
}

/// One tick.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tick {
    /// Stages with work.
    pub(crate) stages: u32,
    /// Operations of stage `s` are `starts[s] .. starts[s + 1]`.
    pub(crate) starts: [u32; STAGES + 1],
    pub(crate) reservations: (u32, u32),
}

/// The prepared program.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) ticks: Vec<Tick>,
    pub(crate) ops: Vec<Op>,
    pub(crate) vectors: Vec<VectorOp>,
    pub(crate) reservations: Vec<Reservation>,
    /// Cycles from issue to each stage.
    pub(crate) offsets: [u32; STAGES],
    /// Constants of all cores, `B` words each; core `c` starts at `const_base[c]` (folded into the operations).
    pub(crate) constants: Vec<u32>,
    /// Word offset of the input bank.
    pub(crate) input_base: u32,
    /// Words in half of the input bank.
    pub(crate) input_half: u32,
}

struct Builder<'a> {
    program: &'a Program,
    config: &'a HardwareConfig,
    timing: Timing,
    weight_base: Vec<u32>,
    const_base: Vec<u32>,
    vectors: Vec<VectorOp>,
    /// Operations of the tick under construction, by stage.
    staged: Vec<Vec<Op>>,
    reserved: Vec<Reservation>,
}

impl Image {
    pub(crate) fn new(program: &Program, weights: &Weights) -> Self {
        let config = &program.config;
        let timing = Timing::of(config);
        let bases = |count: fn(&sluice_isa::CoreImage) -> usize| {
            program
                .cores
                .iter()
                .scan(0u32, |next, core| {
                    let base = *next;
                    *next += count(core) as u32;
                    Some(base)
                })
                .collect::<Vec<_>>()
        };
        let mut builder = Builder {
            program,
            config,
            timing,
            weight_base: bases(|c| c.weights.len() + c.fp8.len()),
            const_base: bases(|c| c.constants.len()),
            vectors: Vec::new(),
            staged: vec![Vec::new(); STAGES],
            reserved: Vec::new(),
        };
        let mut image = Self {
            ticks: Vec::with_capacity(program.control.len()),
            ops: Vec::new(),
            vectors: Vec::new(),
            reservations: Vec::new(),
            offsets: offsets(timing),
            constants: program
                .cores
                .iter()
                .flat_map(|c| c.constants.iter().flatten().copied())
                .collect(),
            input_base: config.input_bank() * config.tensor_ram_depth * config.block_size,
            input_half: config.input_capacity() * config.block_size,
        };
        for pc in 0..program.control.len() {
            builder.tick(pc);
            let mut tick = Tick::default();
            for (stage, ops) in builder.staged.iter_mut().enumerate() {
                tick.starts[stage] = image.ops.len() as u32;
                tick.stages |= u32::from(!ops.is_empty()) << stage;
                image.ops.append(ops);
            }
            tick.starts[STAGES] = image.ops.len() as u32;
            // The push follows from the read.
            tick.stages |= u32::from(program.control[pc].out_valid) << OUT_PUSH;
            tick.reservations.0 = image.reservations.len() as u32;
            image.reservations.append(&mut builder.reserved);
            tick.reservations.1 = image.reservations.len() as u32;
            image.ticks.push(tick);
        }
        image.vectors = builder.vectors;
        for tick in &image.ticks {
            let range = tick.starts[ACCUMULATE] as usize..tick.starts[ACCUMULATE + 1] as usize;
            let mut before = None;
            for op in &mut image.ops[range] {
                if let Op::Product {
                    operand,
                    weight,
                    align,
                    ..
                } = op
                {
                    let key = (*operand, weights.lane_id(*weight as usize));
                    *align = before != Some(key);
                    before = Some(key);
                }
            }
        }
        let mut follower = 0;
        for op in image.ops.iter_mut().rev() {
            if let Op::Product { weight, next, .. } = op {
                *next = follower;
                follower = *weight;
            }
        }
        image
    }
}

/// Cycles from issue to each stage.
fn offsets(t: Timing) -> [u32; STAGES] {
    let mut o = [0; STAGES];
    let c0 = t.fetch();
    o[READ] = c0;
    o[OUT_PUSH] = c0 + 1;
    o[PLANE_HI] = c0 + t.late_read();
    o[PLANE_LO] = c0 + t.late_read() + 1;
    o[ACCUMULATE] = c0 + t.accumulate();
    for (i, o) in (0u32..4).zip(&mut o[B..]) {
        let p0 = if i & 2 != 0 { t.acc_p0() } else { TENSOR_P0 };
        *o = c0 + p0 + Timing::operand_b_delay(i & 1 != 0) - Timing::operand_b_read(false);
    }
    for i in 0..4 {
        o[B_HI + i] = o[B + i] - 1;
    }
    for (i, o) in (0u32..16).zip(&mut o[WRITE..]) {
        let p0 = if i & 4 != 0 { t.acc_p0() } else { TENSOR_P0 };
        let to_output = Timing::to_output(i & 8 != 0, i & 2 != 0);
        *o = c0 + p0 + to_output + t.write_after_output() + (i & 1);
    }
    o
}

impl Builder<'_> {
    fn block(&self, bank: u32, addr: u32) -> BlockRef {
        let b = self.config.block_size;
        BlockRef {
            base: (bank * self.config.tensor_ram_depth + addr) * b,
            parity_stride: if bank == self.config.input_bank() {
                self.config.input_capacity() * b
            } else {
                0
            },
        }
    }

    fn reserve(&mut self, core: u32, resource: Resource, offset: u32) {
        let index = Resource::ALL
            .iter()
            .position(|&r| r == resource)
            .unwrap_or(0) as u32;
        self.reserved.push(Reservation {
            offset: self.timing.fetch() + offset,
            bits: 1 << (16 * index + core),
        });
    }

    fn tick(&mut self, pc: usize) {
        let c = self.program.control[pc];
        if c.out_valid {
            let src = self.block(c.out_bank, c.out_addr);
            self.staged[READ].push(Op::Output {
                src,
                lanes: c.out_lanes,
                last: c.out_last,
            });
        }
        // Cores that multiply the same block share one copy of it.
        let mut operands: Vec<BlockRef> = Vec::new();
        for core in 0..self.config.num_cores {
            let image = &self.program.cores[core as usize];
            let (m, v) = (image.matrix[pc], image.vector[pc]);
            self.matrix(core, &m, &v, &mut operands);
            if v.valid {
                self.vector(core, &m, &v);
            }
        }
    }

    fn matrix(&mut self, core: u32, m: &MatrixWord, v: &VectorWord, operands: &mut Vec<BlockRef>) {
        let take = v.valid && v.a_src == ASrc::Acc;
        let acc = core * self.config.accum_store_depth + m.acc;
        match m.kind {
            MatrixKind::None | MatrixKind::Read => {}
            MatrixKind::Product => {
                let src = self.block(m.bank, m.addr);
                let operand = operands.iter().position(|&o| o == src).unwrap_or_else(|| {
                    operands.push(src);
                    let to = operands.len() - 1;
                    self.staged[READ].push(Op::Operand { to: to as u32, src });
                    to
                }) as u32;
                let start = match (m.first, m.init) {
                    (false, _) => Start::Keep,
                    (true, Init::Zero) => Start::Zero,
                    (true, Init::Const) => {
                        self.reserve(core, Resource::ConstantPort, self.timing.late_read());
                        Start::Const(self.const_base[core as usize] + m.init_addr)
                    }
                };
                let weight = self.program.cores[core as usize]
                    .weight_index(m.weight, m.weight_format)
                    .unwrap_or(0);
                self.staged[ACCUMULATE].push(Op::Product {
                    core,
                    operand,
                    weight: self.weight_base[core as usize] + weight as u32,
                    next: 0,
                    acc,
                    start,
                    take,
                    align: true,
                });
            }
            MatrixKind::Add32 => {
                let (hi, lo) = (self.block(m.bank, m.addr), self.block(m.bank, m.addr + 1));
                let late = self.timing.late_read();
                self.reserve(core, Resource::PortY, late);
                self.reserve(core, Resource::PortY, late + 1);
                self.staged[PLANE_HI].push(Op::PlaneHi { core, src: hi });
                self.staged[PLANE_LO].push(Op::PlaneLo { core, src: lo });
                self.staged[ACCUMULATE].push(Op::Add32 {
                    core,
                    acc,
                    first: m.first,
                    take,
                });
            }
        }
    }

    fn vector(&mut self, core: u32, m: &MatrixWord, v: &VectorWord) {
        let image = &self.program.cores[core as usize];
        let constant = self.const_base[core as usize] + v.const_addr;
        let y = self.block(v.y_bank, v.y_addr);
        let p0 = if v.a_src == ASrc::Acc {
            self.timing.acc_p0()
        } else {
            TENSOR_P0
        };
        let raw = v.format == Format::Raw;
        match v.a_src {
            ASrc::Acc => {}
            ASrc::X => {
                let src = self.block(m.bank, m.addr);
                self.staged[READ].push(Op::LaneA {
                    core,
                    rot: v.rot,
                    src,
                    raw,
                });
            }
            ASrc::Y => {
                self.reserve(core, Resource::PortY, 0);
                self.staged[READ].push(Op::LaneA {
                    core,
                    rot: v.rot,
                    src: y,
                    raw,
                });
            }
            ASrc::Const => {
                self.reserve(core, Resource::ConstantPort, 0);
                self.staged[READ].push(Op::ConstA { core, at: constant });
            }
        }
        let (arithmetic, special) = (v.op != Alu::Pass, v.special.function());
        let from_acc = usize::from(v.a_src == ASrc::Acc);
        if arithmetic {
            let delay = Timing::operand_b_delay(special.is_some());
            let which = 2 * from_acc + usize::from(special.is_some());
            let at = p0 + delay - Timing::operand_b_read(false);
            match v.b_src {
                BSrc::None => {}
                BSrc::Y => {
                    self.reserve(core, Resource::PortY, at);
                    self.staged[B + which].push(Op::LaneB { core, src: y });
                }
                BSrc::Const => {
                    self.reserve(core, Resource::ConstantPort, at);
                    self.staged[B + which].push(Op::ConstB { core, at: constant });
                }
                BSrc::Planes => {
                    let low = self.block(v.y_bank, v.y_addr + 1);
                    let first = p0 + delay - Timing::operand_b_read(true);
                    self.reserve(core, Resource::PortY, first);
                    self.reserve(core, Resource::PortY, at);
                    self.staged[B_HI + which].push(Op::LaneBHi { core, src: y });
                    self.staged[B + which].push(Op::LaneBLo { core, src: low });
                }
            }
        }
        if special.is_some() {
            self.reserve(core, Resource::OperandRegister, p0 + 1);
        }
        if arithmetic {
            let delay = Timing::operand_b_delay(special.is_some());
            self.reserve(core, Resource::OperandRegister, p0 + 1 + delay);
        }
        let o = p0 + Timing::to_output(special.is_some(), arithmetic);
        self.reserve(core, Resource::VectorStage, p0);
        self.reserve(core, Resource::ExchangeRegister, o);
        let vector = self.vectors.len() as u32;
        self.vectors.push(VectorOp {
            core,
            op: v.op,
            special,
            pre: image.clamps[v.pre as usize],
            post: image.clamps[v.post as usize],
            format: v.format,
            lanes: (v.lane_lo.min(v.lane_hi), v.lane_hi),
            dst: self.block(core, v.dst_addr).base,
        });
        let stage =
            WRITE + 8 * usize::from(special.is_some()) + 4 * from_acc + 2 * usize::from(arithmetic);
        self.staged[stage].push(Op::Write { vector });
        if v.format == Format::Planes {
            self.reserve(core, Resource::ExchangeRegister, o + 1);
            self.staged[stage + 1].push(Op::WriteLow { vector });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_the_contract() {
        let o = offsets(Timing {
            tree: 3,
            exchange: 1,
        });
        assert_eq!(o[READ], 2);
        assert_eq!(o[PLANE_HI], 2 + 7);
        assert_eq!(o[ACCUMULATE], 2 + 13);
        assert_eq!(o[WRITE], 2 + 3 + 2);
        assert_eq!(o[WRITE + 1], 2 + 3 + 2 + 1);
        assert_eq!(o[WRITE + 2], 2 + 3 + 7 + 2);
        assert_eq!(o[WRITE + 4], 2 + 17 + 2);
        assert_eq!(o[WRITE + 7], 2 + 17 + 7 + 2 + 1);
        assert_eq!(o[WRITE + 12], 2 + 17 + 7 + 2);
        assert_eq!(o[WRITE + 14], 2 + 17 + 13 + 2);
        assert_eq!(o[B], 2 + 2);
        assert_eq!(o[B + 3], 2 + 16 + 6);
        assert_eq!(o[B_HI], 2 + 1);
        assert_eq!(o[B_HI + 3], 2 + 15 + 6);
    }

    #[test]
    fn every_event_fits_the_ring() {
        for tree in 1..=3 {
            for exchange in 1..=2 {
                let o = offsets(Timing { tree, exchange });
                assert!(o.iter().all(|&o| (o as usize) < RING), "{o:?}");
            }
        }
    }

    #[test]
    fn within_one_core_two_stages_never_coincide_out_of_order() {
        // ACCUMULATE copies into the block that operand B and WRITE of the same tick use later.
        let o = offsets(Timing {
            tree: 1,
            exchange: 1,
        });
        assert!(o[ACCUMULATE] < o[B_HI + 2] && o[B + 2] < o[WRITE + 4]);
        assert!(o[B + 3] < o[WRITE + 12] && o[B] < o[WRITE]);
    }
}
