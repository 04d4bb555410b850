//! The accelerator, one compute clock cycle per call.
//!
//! | part | state |
//! |------|-------|
//! | dispatcher, sequencer | [`crate::dispatch::Dispatcher`] |
//! | pipelines | a ring: per cycle a bit mask of the stages due, per issue cycle the tick |
//! | banks, accumulators | `datapath.rs` |
//!
//! **Contract.** `docs/machine.md`. Outputs of a call are those of the cycle, before its clock edge. Reads see what was written in
//! earlier cycles only. Memories read zero before their first write. A reset ends what is in flight; the write that happens at its
//! first edge still lands.
//! **Errors.** [`SimError::Conflict`], [`SimError::OutputOverflow`], [`SimError::BeatLength`].
#![expect(
    clippy::cast_possible_truncation,
    reason = "ring positions (below 64), core numbers (below 16) and word offsets of a validated program"
)]

use std::sync::Arc;

use sluice_isa::Program;
use sluice_isa::timing::Timing;

use crate::datapath::{Datapath, Fixed, InFlight};
pub use crate::dispatch::TickIssue;
use crate::dispatch::{DispatchIn, Dispatcher};
use crate::error::{Resource, SimError};
use crate::fifo::Fifo;
use crate::image::{IN_WRITE, OUT_PUSH, RING};
use crate::kernel::Engine;

/// Cycles after the last tick of a job in which its pipelines empty and loads are still refused.
pub const DRAIN: u64 = 64;

/// Input pins of one cycle.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one field per pin")]
pub struct Pins<'a> {
    /// A select beat is offered.
    pub select_valid: bool,
    /// Its model index, or with [`sluice_isa::SELECT_RESET`] the model whose state it resets.
    pub select_data: u16,
    /// An input beat is offered.
    pub input_valid: bool,
    /// Its block; looked at only when it is accepted.
    pub input_data: &'a [u16],
    /// The sink takes an output beat if there is one.
    pub output_ready: bool,
    /// The accelerator is enabled.
    pub enable: bool,
    /// Reset is asserted.
    pub reset: bool,
}

/// Counters and flags, registered values of the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Completed jobs.
    pub jobs_done: u32,
    /// Select beats that named no model, and resets of models that are not resettable.
    pub bad_select_count: u32,
    /// The last such beat.
    pub last_bad_select: u16,
    /// A job is being processed, or ended less than [`DRAIN`] cycles ago.
    pub busy: bool,
}

/// Output pins of one cycle.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one field per pin")]
pub struct Outputs<'a> {
    /// The select beat offered in this cycle is taken if valid.
    pub select_ready: bool,
    /// The input beat offered in this cycle is taken if valid.
    pub input_ready: bool,
    /// An output beat is offered.
    pub output_valid: bool,
    /// Its block.
    pub output_data: &'a [u16],
    /// It ends a tensor.
    pub output_last: bool,
    /// Status registers.
    pub status: Status,
    /// Tick issued in this cycle.
    pub issue: Option<TickIssue>,
}

/// The accelerator with a program loaded.
#[derive(Debug, Clone)]
pub struct Machine {
    program: Arc<Program>,
    fixed: Arc<Fixed>,
    input_write: u32,
    cycle: u64,
    quiet_from: u64,
    busy_before: u64,
    dispatch: Dispatcher,
    fifo: Fifo,
    /// Stages due in the cycle, one word per ring position.
    due: [u32; RING],
    /// Resources in use, one word per ring position.
    used: [u128; RING],
    flight: [InFlight; RING],
    /// Word offsets of input beats on their way, by ring position of the acceptance.
    input_at: [u32; RING],
    input_beats: Vec<u16>,
    data: Datapath,
}

impl Machine {
    /// A machine with the program loaded, in its state after reset.
    pub fn new(program: Arc<Program>) -> Result<Self, SimError> {
        program.validate()?;
        let c = &program.config;
        Ok(Self {
            fixed: Arc::new(Fixed::new(&program)),
            input_write: Timing::of(c).input_write(),
            cycle: 0,
            quiet_from: 0,
            busy_before: 0,
            dispatch: Dispatcher::new(&program),
            fifo: Fifo::new(c.output_fifo_depth as usize, c.block_size as usize),
            due: [0; RING],
            used: [0; RING],
            flight: [InFlight::default(); RING],
            input_at: [0; RING],
            input_beats: vec![0; RING * c.block_size as usize],
            data: Datapath::new(c),
            program,
        })
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Cycles since the machine was made.
    pub const fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Chooses the code that computes products; results do not depend on it.
    pub fn set_engine(&mut self, engine: Engine) {
        Arc::make_mut(&mut self.fixed).engine = engine;
    }

    /// Without computing every output beat has its cycle but no meaningful value: for measuring cycles.
    pub fn set_compute(&mut self, compute: bool) {
        Arc::make_mut(&mut self.fixed).compute = compute;
    }

    /// Nothing is in flight in the pipelines, the input lane or the output FIFO.
    pub fn drained(&self) -> bool {
        self.cycle >= self.quiet_from && self.fifo.is_empty()
    }

    /// The machine as [`Machine::new`] made it, memories included.
    pub fn restart(&mut self) {
        self.dispatch.reset();
        self.fifo.clear();
        self.due = [0; RING];
        self.used = [0; RING];
        self.cycle = 0;
        self.quiet_from = 0;
        self.busy_before = 0;
        self.data = Datapath::new(&self.program.config);
    }

    /// The dispatcher.
    pub const fn dispatcher(&self) -> &Dispatcher {
        &self.dispatch
    }

    /// Contents of a tensor block; `addr` counts both halves of the input bank.
    pub fn block(&self, bank: usize, addr: usize) -> Option<&[u16]> {
        let depth = self.program.config.tensor_ram_depth as usize;
        let at = (bank * depth + addr) * self.fixed.b;
        (bank <= self.program.config.num_cores as usize && addr < depth)
            .then(|| &self.data.banks[at..at + self.fixed.b])
    }

    /// One cycle.
    pub fn step(&mut self, pins: &Pins<'_>) -> Result<Outputs<'_>, SimError> {
        let now = (self.cycle % RING as u64) as usize;
        let output_valid = !self.fifo.is_empty();
        let head = self.fifo.head();
        let status = Status {
            jobs_done: self.dispatch.jobs_done(),
            bad_select_count: self.dispatch.bad_select_count(),
            last_bad_select: self.dispatch.last_bad_select(),
            busy: self.dispatch.running() || self.cycle < self.busy_before,
        };
        if self.dispatch.running() {
            self.busy_before = self.cycle + DRAIN;
        }
        let pop = output_valid && pins.output_ready;
        let d = self.dispatch.step(DispatchIn {
            select_valid: pins.select_valid,
            select_data: pins.select_data,
            input_valid: pins.input_valid,
            output_pop: pop,
            enable: pins.enable,
        });
        if pop {
            self.fifo.pop();
        }
        self.used[now] = 0;
        let due = std::mem::take(&mut self.due[now]);
        if due != 0 {
            self.run_due(now, due)?;
        }
        if let Some((slot, beat)) = d.accept {
            self.accept(now, slot, beat, pins.input_data)?;
        }
        if let Some(t) = d.issue {
            self.launch(now, t)?;
        }
        if pins.reset {
            self.reset_registers();
        }
        self.cycle += 1;
        let (output_data, output_last) = self.fifo.beat(head);
        Ok(Outputs {
            select_ready: d.select_ready,
            input_ready: d.input_ready,
            output_valid,
            output_data,
            output_last,
            status,
            issue: d.issue,
        })
    }

    fn reset_registers(&mut self) {
        self.dispatch.reset();
        self.fifo.clear();
        self.due = [0; RING];
        self.used = [0; RING];
        self.quiet_from = self.cycle + 1;
        self.busy_before = 0;
    }

    fn accept(&mut self, now: usize, slot: u8, beat: u32, data: &[u16]) -> Result<(), SimError> {
        if data.len() != self.fixed.b {
            return Err(SimError::BeatLength {
                expected: self.fixed.b,
                got: data.len(),
            });
        }
        self.input_at[now] = self.fixed.image.input_base
            + u32::from(slot) * self.fixed.image.input_half
            + beat * self.fixed.b as u32;
        self.input_beats[now * self.fixed.b..(now + 1) * self.fixed.b].copy_from_slice(data);
        self.due[(now + self.input_write as usize) % RING] |= 1 << IN_WRITE;
        self.quiet_from = self
            .quiet_from
            .max(self.cycle + u64::from(self.input_write) + 1);
        Ok(())
    }

    fn launch(&mut self, now: usize, t: TickIssue) -> Result<(), SimError> {
        self.flight[now] = InFlight {
            pc: t.pc,
            parity: t.parity,
        };
        let image = &self.fixed.image;
        let tick = &image.ticks[t.pc as usize];
        let (first, end) = tick.reservations;
        for r in &image.reservations[first as usize..end as usize] {
            let used = &mut self.used[(now + r.offset as usize) % RING];
            if *used & r.bits != 0 {
                let bit = r.bits.trailing_zeros() as usize;
                return Err(SimError::Conflict {
                    core: bit % 16,
                    tick: t.pc,
                    resource: Resource::ALL[bit / 16],
                    cycle: self.cycle + u64::from(r.offset),
                });
            }
            *used |= r.bits;
        }
        let mut stages = tick.stages;
        let mut last = 0;
        while stages != 0 {
            let stage = stages.trailing_zeros() as usize;
            stages &= stages - 1;
            let offset = image.offsets[stage];
            self.due[(now + offset as usize) % RING] |= 1 << stage;
            last = last.max(offset);
        }
        self.quiet_from = self.quiet_from.max(self.cycle + u64::from(last) + 1);
        Ok(())
    }

    fn run_due(&mut self, now: usize, mut due: u32) -> Result<(), SimError> {
        while due != 0 {
            let stage = due.trailing_zeros() as usize;
            due &= due - 1;
            match stage {
                OUT_PUSH => {
                    if !self.fifo.push(&self.data.out_beat.0, self.data.out_beat.1) {
                        return Err(SimError::OutputOverflow {
                            cycle: self.cycle,
                            depth: self.program.config.output_fifo_depth,
                        });
                    }
                }
                IN_WRITE => {
                    let from = (now + RING - self.input_write as usize) % RING;
                    let at = self.input_at[from] as usize;
                    self.data.banks[at..at + self.fixed.b].copy_from_slice(
                        &self.input_beats[from * self.fixed.b..(from + 1) * self.fixed.b],
                    );
                }
                _ => {
                    let offset = self.fixed.image.offsets[stage] as usize;
                    let slot = (now + RING - offset) % RING;
                    self.data.run(&self.fixed, stage, slot, self.flight[slot]);
                }
            }
        }
        Ok(())
    }
}
