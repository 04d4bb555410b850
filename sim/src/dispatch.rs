//! Dispatcher and sequencer, one cycle per call: `docs/machine.md` section 6, rule by rule.
//!
//! | register | type | meaning |
//! |----------|------|---------|
//! | `slots[2]` | valid, model, record, fresh | job whose input arrives or is being processed; `fresh`: it initialises its model |
//! | `beats[2]` | count | input beats accepted for the slot |
//! | `taken` | count | of these, taken by ticks of the running job |
//! | `alloc_par`, `in_par`, `run_par` | 0 or 1 | slot of the next look-up, of the next input beat, of the running job |
//! | `initialised[model]` | flag | a job looked up since the model's last reset initialises it |
//! | `credit` | beats | output FIFO entries not promised to a job |
//!
//! **Contract.** All right-hand sides are values at the start of the cycle.
//! **Errors.** None: a bad index, or a reset of a model that is not resettable, is counted and does nothing.

use sluice_isa::words::ModelRecord;
use sluice_isa::{Program, SELECT_RESET};

/// What reaches the dispatcher in a cycle.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one field per pin")]
pub struct DispatchIn {
    /// A select beat is offered.
    pub select_valid: bool,
    /// Its model index, or with [`SELECT_RESET`] the model whose state it resets.
    pub select_data: u16,
    /// An input beat is offered.
    pub input_valid: bool,
    /// An output beat is taken in this cycle.
    pub output_pop: bool,
    /// The accelerator is enabled.
    pub enable: bool,
}

/// Phase of the running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Phase {
    /// One-time initialisation of the model.
    Init,
    /// The job itself.
    #[default]
    Main,
}

/// A tick being issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TickIssue {
    /// Program counter.
    pub pc: u32,
    /// Model of the running job.
    pub model: u16,
    /// Half of the input bank the job uses, 0 or 1.
    pub parity: u8,
    /// Phase.
    pub phase: Phase,
}

/// What the dispatcher does in a cycle.
#[derive(Debug, Clone, Copy, Default)]
pub struct DispatchOut {
    /// Ready of the select stream.
    pub select_ready: bool,
    /// Ready of the input stream.
    pub input_ready: bool,
    /// Slot and beat number of the accepted input beat.
    pub accept: Option<(u8, u32)>,
    /// Tick issued.
    pub issue: Option<TickIssue>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    valid: bool,
    model: u16,
    record: ModelRecord,
    fresh: bool,
}

#[derive(Debug, Clone, Copy)]
struct Word {
    last: bool,
    beat: bool,
}

/// The state of section 6.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    table: Vec<ModelRecord>,
    store: Vec<Word>,
    fifo_credit: u32,
    select: Vec<u16>,
    select_head: usize,
    select_count: usize,
    slots: [Slot; 2],
    beats: [u32; 2],
    taken: u32,
    alloc_par: u8,
    in_par: u8,
    run_par: u8,
    running: bool,
    credit: u32,
    initialised: Vec<bool>,
    run: bool,
    pc: u32,
    phase: Phase,
    word: Word,
    jobs_done: u32,
    bad_select_count: u32,
    last_bad_select: u16,
}

impl Dispatcher {
    /// The dispatcher of a validated program, after reset.
    pub fn new(program: &Program) -> Self {
        let config = &program.config;
        let table: Vec<_> = program
            .models
            .iter()
            .map(sluice_isa::ModelInfo::record)
            .collect();
        let mut this = Self {
            initialised: vec![false; table.len()],
            table,
            store: program
                .control
                .iter()
                .map(|w| Word {
                    last: w.last,
                    beat: w.beat,
                })
                .collect(),
            fifo_credit: config.output_fifo_depth,
            select: vec![0; config.select_fifo_depth as usize],
            select_head: 0,
            select_count: 0,
            slots: [Slot::default(); 2],
            beats: [0; 2],
            taken: 0,
            alloc_par: 0,
            in_par: 0,
            run_par: 0,
            running: false,
            credit: 0,
            run: false,
            pc: 0,
            phase: Phase::Main,
            word: Word {
                last: false,
                beat: false,
            },
            jobs_done: 0,
            bad_select_count: 0,
            last_bad_select: 0,
        };
        this.reset();
        this
    }

    /// Rule 7.
    pub fn reset(&mut self) {
        self.select_head = 0;
        self.select_count = 0;
        self.slots = [Slot::default(); 2];
        self.beats = [0; 2];
        self.taken = 0;
        self.alloc_par = 0;
        self.in_par = 0;
        self.run_par = 0;
        self.running = false;
        self.credit = self.fifo_credit;
        self.initialised.fill(false);
        self.run = false;
        self.pc = 0;
        self.phase = Phase::Main;
        self.jobs_done = 0;
        self.bad_select_count = 0;
        self.last_bad_select = 0;
    }

    /// One cycle.
    pub fn step(&mut self, i: DispatchIn) -> DispatchOut {
        let (alloc, inp, cur) = (
            usize::from(self.alloc_par),
            usize::from(self.in_par),
            usize::from(self.run_par),
        );
        // Rules 1 to 5, right-hand sides.
        let select_ready = self.select_count < self.select.len();
        let head = self.select[self.select_head];
        let is_reset = head & SELECT_RESET != 0;
        let look_up = i.enable && self.select_count != 0 && (is_reset || !self.slots[alloc].valid);
        let input_ready = self.slots[inp].valid && self.beats[inp] != self.slots[inp].record.n_in;
        let accept = i.input_valid && input_ready;
        let np = if self.running { cur ^ 1 } else { cur };
        let start_ok =
            i.enable && self.slots[np].valid && self.credit >= self.slots[np].record.n_out;
        let here = self.beats[cur] + u32::from(accept && inp == cur);
        let issue = self.run && (!self.word.beat || here > self.taken);
        let mut out = DispatchOut {
            select_ready,
            input_ready,
            accept: None,
            issue: None,
        };

        if issue {
            out.issue = Some(TickIssue {
                pc: self.pc,
                model: self.slots[cur].model,
                parity: self.run_par,
                phase: self.phase,
            });
            self.taken += u32::from(self.word.beat);
            match (self.word.last, self.phase) {
                (false, _) => self.fetch(self.pc + 1),
                (true, Phase::Init) => {
                    self.phase = Phase::Main;
                    self.fetch(self.slots[cur].record.entry_pc);
                }
                (true, Phase::Main) => {
                    self.slots[cur].valid = false;
                    self.jobs_done = self.jobs_done.wrapping_add(1);
                    if start_ok {
                        self.take(np);
                    } else {
                        self.run = false;
                        self.running = false;
                        self.run_par ^= 1;
                    }
                }
            }
        } else if !self.run && start_ok {
            self.take(np);
        }

        if accept {
            out.accept = Some((self.in_par, self.beats[inp]));
            self.beats[inp] += 1;
            if self.beats[inp] == self.slots[inp].record.n_in {
                self.in_par ^= 1;
            }
        }
        if look_up {
            self.select_head = (self.select_head + 1) % self.select.len();
            self.select_count -= 1;
            let model = head & !SELECT_RESET;
            let record = self.table.get(usize::from(model)).copied();
            match record {
                Some(record) if is_reset && record.resettable => {
                    self.initialised[usize::from(model)] = false;
                }
                Some(record) if !is_reset => {
                    let known = &mut self.initialised[usize::from(model)];
                    let fresh = record.has_init && !*known;
                    *known |= fresh;
                    self.slots[alloc] = Slot {
                        valid: true,
                        model,
                        record,
                        fresh,
                    };
                    self.beats[alloc] = 0;
                    self.alloc_par ^= 1;
                }
                _ => {
                    self.bad_select_count = self.bad_select_count.wrapping_add(1);
                    self.last_bad_select = head;
                }
            }
        }
        if i.select_valid && select_ready {
            let tail = (self.select_head + self.select_count) % self.select.len();
            self.select[tail] = i.select_data;
            self.select_count += 1;
        }
        self.credit += u32::from(i.output_pop);
        out
    }

    fn fetch(&mut self, pc: u32) {
        self.pc = pc;
        self.word = self.store[pc as usize];
    }

    fn take(&mut self, np: usize) {
        let slot = self.slots[np];
        self.phase = if slot.fresh { Phase::Init } else { Phase::Main };
        self.fetch(if slot.fresh {
            slot.record.init_pc
        } else {
            slot.record.entry_pc
        });
        self.taken = 0;
        self.run = true;
        self.running = true;
        self.run_par = u8::from(np == 1);
        self.credit -= slot.record.n_out;
    }

    /// Completed jobs, modulo 2^32.
    pub const fn jobs_done(&self) -> u32 {
        self.jobs_done
    }

    /// Select beats that named no model, and resets of models that are not resettable, modulo 2^32.
    pub const fn bad_select_count(&self) -> u32 {
        self.bad_select_count
    }

    /// The last such beat.
    pub const fn last_bad_select(&self) -> u16 {
        self.last_bad_select
    }

    /// A job is being processed.
    pub const fn running(&self) -> bool {
        self.running
    }

    /// The next tick of the running job waits for an input beat.
    pub const fn holding(&self) -> bool {
        self.run && self.word.beat && self.beats[self.run_par as usize] == self.taken
    }

    /// No job is accepted or waiting to be looked up.
    pub const fn idle(&self) -> bool {
        !self.run && self.select_count == 0 && !self.slots[0].valid && !self.slots[1].valid
    }
}
