//! Dispatcher and sequencer, docs/machine.md sections 5 to 7, rule by rule.

use std::collections::VecDeque;

use sluice_isa::SELECT_RESET;
use sluice_isa::config::HardwareConfig;
use sluice_isa::load::Space;
use sluice_isa::words::{ControlWord, ModelRecord};

/// Cycles after a job's last tick in which the pipelines empty and loads are refused.
const DRAIN_CYCLES: u32 = 64;

/// One write of the load port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Address space; only control, models and number of models matter here.
    pub space: Space,
    /// Word address.
    pub addr: u32,
    /// The word.
    pub data: u128,
}

/// Inputs of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a wire or a register of the machine"
)]
pub struct Inputs {
    /// Synchronous reset, active low.
    pub reset_n: bool,
    /// Look-ups and starts are allowed.
    pub enable: bool,
    /// Beat offered on the model select stream.
    pub select: Option<u16>,
    /// A beat is offered on the input stream.
    pub input_valid: bool,
    /// An output beat is taken.
    pub output_pop: bool,
    /// Load port.
    pub load: Option<Load>,
}

impl Inputs {
    /// Nothing happens.
    pub const IDLE: Self = Self {
        reset_n: true,
        enable: true,
        select: None,
        input_valid: false,
        output_pop: false,
        load: None,
    };
}

/// A tick on its way to the cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Its address in the stores.
    pub pc: u32,
    /// Parity of its job.
    pub parity: bool,
    /// Model of its job.
    pub model: u32,
}

/// Command to the output unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutCommand {
    /// The beat ends a packet.
    pub last: bool,
    /// Bank.
    pub bank: u32,
    /// Physical address.
    pub addr: u32,
    /// Lanes sent.
    pub lanes: u32,
}

/// Outputs of a cycle; payloads only where they are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a wire of the RTL's port list"
)]
pub struct Outputs {
    /// Model select: ready.
    pub select_ready: bool,
    /// Input: ready.
    pub input_ready: bool,
    /// Physical address of the beat accepted in the cycle before.
    pub in_lane: Option<u32>,
    /// Tick issued in the cycle before.
    pub tick: Option<Tick>,
    /// Command of the tick issued two cycles before, three with two exchange stages.
    pub out_command: Option<OutCommand>,
    /// A job runs or its pipelines empty.
    pub busy: bool,
    /// Loads are taken.
    pub load_ok: bool,
    /// A load was refused.
    pub load_error: bool,
    /// Jobs completed.
    pub jobs_done: u32,
    /// Indices out of range.
    pub bad_select_count: u32,
    /// The latest of them.
    pub last_bad_select: u16,
    /// The count has just changed.
    pub bad_select_pulse: bool,
}

/// A rule broken on purpose: a comparison that does not notice is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A beat counts from the cycle after its acceptance only.
    BeatLate,
    /// The next job starts with one beat of credit missing.
    CreditShort,
    /// Output beats taken in the cycle of a start are forgotten.
    CreditLost,
    /// An index equal to the number of models is accepted.
    IndexOffByOne,
    /// A job after another starts one cycle late.
    Bubble,
    /// The initialisation runs before every job.
    InitAlways,
    /// A reset of a model's state does nothing.
    ResetDropped,
    /// It reaches the job that was looked up before it, too.
    ResetEarly,
    /// It waits for a free slot.
    ResetWaits,
    /// It resets models that are not resettable.
    ResetAny,
    /// It takes a slot, as a job does.
    ResetRuns,
    /// Input parity does not change after a job's last beat.
    ParityStuck,
    /// The parity of the input bank is missing in output reads.
    OutputParity,
    /// Select FIFO accepts one beat more.
    SelectDepth,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::BeatLate,
        Self::CreditShort,
        Self::CreditLost,
        Self::IndexOffByOne,
        Self::Bubble,
        Self::InitAlways,
        Self::ResetDropped,
        Self::ResetEarly,
        Self::ResetWaits,
        Self::ResetAny,
        Self::ResetRuns,
        Self::ParityStuck,
        Self::OutputParity,
        Self::SelectDepth,
    ];
}

/// A job in a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    valid: bool,
    model: u32,
    record: ModelRecord,
    fresh: bool,
}

/// The dispatcher.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a wire or a register of the machine"
)]
pub struct Dispatcher {
    config: HardwareConfig,
    mutation: Option<Mutation>,
    // Memories.
    control: Vec<ControlWord>,
    table: Vec<ModelRecord>,
    num_models: u32,
    // Registers, section 6.
    select: VecDeque<u16>,
    slot: [Slot; 2],
    beats: [u32; 2],
    taken: u32,
    alloc_par: usize,
    in_par: usize,
    run_par: usize,
    running: bool,
    credit: u32,
    initialised: Vec<bool>,
    run: bool,
    in_init: bool,
    pc: u32,
    word: ControlWord,
    jobs_done: u32,
    bad_select_count: u32,
    last_bad_select: u16,
    bad_select_pulse: bool,
    load_error: bool,
    drain: u32,
    // Pipelines.
    in_lane: Option<u32>,
    tick: Option<Tick>,
    commands: [Option<OutCommand>; 3],
}

impl Dispatcher {
    /// An empty machine after reset.
    pub fn new(config: &HardwareConfig) -> Self {
        let mut d = Self {
            config: config.clone(),
            mutation: None,
            control: vec![ControlWord::default(); config.instr_store_depth as usize],
            table: vec![ModelRecord::default(); config.max_models as usize],
            num_models: 0,
            select: VecDeque::new(),
            slot: [Slot::default(); 2],
            beats: [0; 2],
            taken: 0,
            alloc_par: 0,
            in_par: 0,
            run_par: 0,
            running: false,
            credit: 0,
            initialised: Vec::new(),
            run: false,
            in_init: false,
            pc: 0,
            word: ControlWord::default(),
            jobs_done: 0,
            bad_select_count: 0,
            last_bad_select: 0,
            bad_select_pulse: false,
            load_error: false,
            drain: 0,
            in_lane: None,
            tick: None,
            commands: [None; 3],
        };
        d.reset();
        d
    }

    /// The same machine with one rule broken.
    #[must_use]
    pub fn mutated(mut self, mutation: Mutation) -> Self {
        self.mutation = Some(mutation);
        self
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Rule 7: everything but the memories.
    fn reset(&mut self) {
        self.select.clear();
        self.slot = [Slot::default(); 2];
        self.beats = [0; 2];
        self.taken = 0;
        (self.alloc_par, self.in_par, self.run_par) = (0, 0, 0);
        (self.running, self.run, self.in_init) = (false, false, false);
        self.credit = self.config.output_fifo_depth;
        self.initialised = vec![false; self.config.max_models as usize];
        (self.jobs_done, self.bad_select_count) = (0, 0);
        self.last_bad_select = 0;
        self.bad_select_pulse = false;
        self.load_error = false;
        self.drain = 0;
        self.in_lane = None;
        self.tick = None;
        self.commands = [None; 3];
    }

    /// Rule 2, a reset of a model's state; whether there is such a model.
    fn reset_state(&mut self, model: u32) -> bool {
        let known = model < self.num_models
            && (self.table[model as usize].resettable || self.is(Mutation::ResetAny));
        if known && !self.is(Mutation::ResetDropped) {
            self.initialised[model as usize] = false;
            if self.is(Mutation::ResetEarly) {
                for slot in self.slot.iter_mut().filter(|s| s.model == model) {
                    slot.fresh = slot.record.has_init;
                }
            }
        }
        known
    }

    /// Rule 4: start address and whether it is the initialisation's.
    fn start_of(&self, slot: &Slot) -> (u32, bool) {
        if slot.fresh || (slot.record.has_init && self.is(Mutation::InitAlways)) {
            (slot.record.init_pc, true)
        } else {
            (slot.record.entry_pc, false)
        }
    }

    fn physical(&self, parity: usize, addr: u32) -> u32 {
        let half = self.config.tensor_ram_depth / 2;
        let parity = u32::from(parity == 1);
        parity * half + addr % half
    }

    fn busy(&self) -> bool {
        self.run || self.drain != 0
    }

    fn take_load(&mut self, load: Load) {
        let addr = load.addr as usize;
        match load.space {
            Space::Control if addr < self.control.len() => {
                self.control[addr] = ControlWord::unpack(load.data).unwrap_or_default();
            }
            Space::Models if addr < self.table.len() => {
                self.table[addr] = ModelRecord::unpack(load.data).unwrap_or_default();
            }
            Space::NumModels => self.num_models = u32::try_from(load.data).unwrap_or(0),
            _ => {}
        }
    }

    /// One cycle.
    pub fn step(&mut self, i: &Inputs) -> Outputs {
        // Rule 1, and the input handshake of rule 3.
        let depth =
            self.config.select_fifo_depth as usize + usize::from(self.is(Mutation::SelectDepth));
        let select_ready = self.select.len() < depth;
        let in_slot = self.slot[self.in_par];
        let input_ready = in_slot.valid && self.beats[self.in_par] != in_slot.record.n_in;
        let load_ok = !i.enable && !self.busy();
        let outputs = Outputs {
            select_ready,
            input_ready,
            in_lane: self.in_lane,
            tick: self.tick,
            out_command: self.commands[self.config.exchange_stages as usize],
            busy: self.busy(),
            load_ok,
            load_error: self.load_error,
            jobs_done: self.jobs_done,
            bad_select_count: self.bad_select_count,
            last_bad_select: self.last_bad_select,
            bad_select_pulse: self.bad_select_pulse,
        };
        let load = i.load.filter(|_| load_ok);
        if i.reset_n {
            self.clock(i, select_ready, input_ready);
            self.load_error |= i.load.is_some() && !load_ok;
        } else {
            self.reset();
        }
        if let Some(load) = load {
            self.take_load(load);
        }
        outputs
    }

    /// The clock edge; `old` holds the values at the start of the cycle.
    fn clock(&mut self, i: &Inputs, select_ready: bool, input_ready: bool) {
        let old = self.clone();

        // Rule 1.
        if let Some(index) = i.select.filter(|_| select_ready) {
            self.select.push_back(index);
        }

        // Rule 2.
        self.bad_select_pulse = false;
        let free = !old.slot[old.alloc_par].valid;
        if i.enable
            && let Some(&beat) = old.select.front()
            && (free || (beat & SELECT_RESET != 0 && !self.is(Mutation::ResetWaits)))
        {
            self.select.pop_front();
            let index = u32::from(beat & !SELECT_RESET);
            let is_job = beat & SELECT_RESET == 0
                || (self.is(Mutation::ResetRuns) && free && index < old.num_models);
            let known = index < old.num_models
                || (self.is(Mutation::IndexOffByOne)
                    && index == old.num_models
                    && old.num_models < self.config.max_models);
            if is_job && known {
                let record = old.table[index as usize];
                let fresh = record.has_init && !old.initialised[index as usize];
                self.initialised[index as usize] |= fresh;
                self.slot[old.alloc_par] = Slot {
                    valid: true,
                    model: index,
                    record,
                    fresh,
                };
                self.beats[old.alloc_par] = 0;
                self.alloc_par ^= 1;
            } else if is_job || !self.reset_state(index) {
                self.bad_select_count = old.bad_select_count.wrapping_add(1);
                self.last_bad_select = beat;
                self.bad_select_pulse = true;
            }
        }

        // Rule 3.
        self.in_lane = None;
        if i.input_valid && input_ready {
            let s = old.in_par;
            self.in_lane = Some(self.physical(s, old.beats[s]));
            self.beats[s] = old.beats[s] + 1;
            if old.beats[s] + 1 == old.slot[s].record.n_in && !self.is(Mutation::ParityStuck) {
                self.in_par ^= 1;
            }
        }

        // Rule 4.
        let np = if old.running {
            old.run_par ^ 1
        } else {
            old.run_par
        };
        let next = old.slot[np];
        let credit_seen = old
            .credit
            .saturating_sub(u32::from(self.is(Mutation::CreditShort)));
        let start_ok = i.enable && next.valid && credit_seen >= next.record.n_out;
        let (start_pc, start_init) = old.start_of(&next);

        // Rule 5.
        let accepted = i.input_valid && input_ready && old.in_par == old.run_par;
        let counts = accepted && !self.is(Mutation::BeatLate);
        let here = old.beats[old.run_par] + u32::from(counts) > old.taken;
        let issue = old.run && (!old.word.beat || here);
        self.taken += u32::from(issue && old.word.beat);
        let mut take = false;
        let mut read = None;
        if !old.run {
            read = Some(start_pc);
            take = start_ok;
        } else if issue && !old.word.last {
            read = Some(old.pc + 1);
        } else if issue && old.in_init {
            read = Some(old.slot[old.run_par].record.entry_pc);
            self.in_init = false;
        } else if issue {
            self.slot[old.run_par].valid = false;
            self.jobs_done = old.jobs_done.wrapping_add(1);
            if start_ok && !self.is(Mutation::Bubble) {
                read = Some(start_pc);
                take = true;
            } else {
                self.run = false;
                self.running = false;
                self.run_par ^= 1;
            }
        }
        if let Some(pc) = read {
            self.pc = pc;
            self.word = old.control.get(pc as usize).copied().unwrap_or_default();
        }
        // Rule 6 and take.
        if i.output_pop && !(take && self.is(Mutation::CreditLost)) {
            self.credit += 1;
        }
        if take {
            self.taken = 0;
            self.run = true;
            self.in_init = start_init;
            self.running = true;
            self.run_par = np;
            self.credit -= next.record.n_out;
        }

        self.pipelines(&old, issue);
    }

    /// Section 2: tick at tau+1; section 5: output command at c0. Section 7: draining.
    fn pipelines(&mut self, old: &Self, issue: bool) {
        self.tick = issue.then_some(Tick {
            pc: old.pc,
            parity: old.run_par == 1,
            model: old.slot[old.run_par].model,
        });
        let word = old.word;
        let parity = if self.is(Mutation::OutputParity) {
            0
        } else {
            old.run_par
        };
        let addr = if word.out_bank == self.config.num_cores {
            self.physical(parity, word.out_addr)
        } else {
            word.out_addr
        };
        let command = (issue && word.out_valid).then_some(OutCommand {
            last: word.out_last,
            bank: word.out_bank,
            addr,
            lanes: word.out_lanes,
        });
        self.commands = [command, old.commands[0], old.commands[1]];
        self.drain = if old.run {
            DRAIN_CYCLES - 1
        } else {
            old.drain.saturating_sub(1)
        };
    }
}
