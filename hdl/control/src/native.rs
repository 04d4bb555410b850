//! The rust-hdl state machine stepped natively, alone and with plain memories around it.
//!
//! **Contract.** [`FsmBench`] sets inputs, settles, reads outputs, and ticks the clock, through `simulate()` (rust-hdl's `Simulation`
//! hands the circuit between threads at every edge and is hundreds of times slower). [`Dispatcher`] has the interface of
//! [`crate::model::Dispatcher`] and stands for `sl_dispatcher.sv`: FIFO, model table, control store and initialised bits in plain Rust.
//! **Errors.** None; a circuit that does not settle panics, because that is a bug of this crate.

use rust_hdl::prelude::*;
use sluice_isa::config::HardwareConfig;
use sluice_isa::load::Space;
use sluice_isa::words::{ControlWord, ModelRecord};

use crate::fsm::DispatchFsm;
use crate::model::{Fifo, Inputs, OutCommand, Outputs, Tick};

/// Upper bound of settling passes; the longest chain of local signals has about ten.
const SETTLE: usize = 64;

macro_rules! ports {
    ($(#[$meta:meta])* $name:ident, $all:ident { $($field:ident : $width:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[expect(missing_docs, reason = "the fields are the ports of DispatchFsm and documented there")]
        pub struct $name { $(pub $field: u32),+ }
        impl $name {
            /// Names and widths.
            pub const PORTS: &'static [(&'static str, u32)] = &[$((stringify!($field), $width)),+];
            /// Values in the order of [`Self::PORTS`].
            pub fn values(&self) -> Vec<u32> { vec![$(self.$field),+] }
            /// From values in the order of [`Self::PORTS`], each cut to its width.
            pub fn from_values(mut value: impl FnMut() -> u32) -> Self {
                Self { $($field: value() & (u32::MAX >> (32 - $width))),+ }
            }
        }
    };
}

ports! {
    /// Inputs of the state machine, clock excluded.
    FsmInputs, INPUTS {
        reset_n: 1, enable: 1, credit_full: 16, num_models: 16, head_valid: 1, head_index: 16, head_initialised: 1, rec_entry: 16,
        rec_init: 16, rec_has_init: 1, rec_resettable: 1, rec_n_in: 16, rec_n_out: 16, input_valid: 1, output_pop: 1, word_last: 1, word_beat: 1,
    }
}
ports! {
    /// Outputs of the state machine.
    FsmOutputs, OUTPUTS {
        head_pop: 1, input_ready: 1, beat: 1, beat_parity: 1, beat_addr: 16, issue: 1, tick_pc: 16, tick_parity: 1, fetch: 1,
        fetch_addr: 16, init_set: 1, init_clear: 1, init_done: 1, job_done: 1, run_model: 8, run_left: 16, run_avail: 16, run_n_out: 16, running: 1,
        jobs_done: 32, bad_select_count: 32, last_bad_select: 16, bad_select_pulse: 1,
    }
}

/// A value as the 32 bits all ports fit in.
fn low<const N: usize>(bits: Bits<N>) -> u32 {
    u32::try_from(bits.to_u64()).unwrap_or(u32::MAX)
}

/// The circuit and its clock.
pub struct FsmBench {
    uut: DispatchFsm,
}

impl Default for FsmBench {
    fn default() -> Self {
        let mut uut = DispatchFsm::default();
        uut.connect_all();
        Self { uut }
    }
}

impl FsmBench {
    fn settle(&mut self) {
        assert!(
            simulate(&mut self.uut, SETTLE),
            "the circuit does not settle"
        );
    }

    /// Outputs for these inputs, before the clock edge.
    pub fn eval(&mut self, i: &FsmInputs) -> FsmOutputs {
        let u = &mut self.uut;
        let bits = u64::from;
        u.reset_n.next = i.reset_n != 0;
        u.enable.next = i.enable != 0;
        u.credit_full.next = bits(i.credit_full).into();
        u.num_models.next = bits(i.num_models).into();
        u.head_valid.next = i.head_valid != 0;
        u.head_index.next = bits(i.head_index).into();
        u.head_initialised.next = i.head_initialised != 0;
        u.rec_entry.next = bits(i.rec_entry).into();
        u.rec_init.next = bits(i.rec_init).into();
        u.rec_has_init.next = i.rec_has_init != 0;
        u.rec_resettable.next = i.rec_resettable != 0;
        u.rec_n_in.next = bits(i.rec_n_in).into();
        u.rec_n_out.next = bits(i.rec_n_out).into();
        u.input_valid.next = i.input_valid != 0;
        u.output_pop.next = i.output_pop != 0;
        u.word_last.next = i.word_last != 0;
        u.word_beat.next = i.word_beat != 0;
        self.settle();
        let u = &self.uut;
        FsmOutputs {
            head_pop: u.head_pop.val().into(),
            input_ready: u.input_ready.val().into(),
            beat: u.beat.val().into(),
            beat_parity: u.beat_parity.val().into(),
            beat_addr: low(u.beat_addr.val()),
            issue: u.issue.val().into(),
            tick_pc: low(u.tick_pc.val()),
            tick_parity: u.tick_parity.val().into(),
            fetch: u.fetch.val().into(),
            fetch_addr: low(u.fetch_addr.val()),
            init_set: u.init_set.val().into(),
            init_clear: u.init_clear.val().into(),
            init_done: u.init_done.val().into(),
            job_done: u.job_done.val().into(),
            run_model: low(u.run_model.val()),
            run_left: low(u.run_left.val()),
            run_avail: low(u.run_avail.val()),
            run_n_out: low(u.run_n_out.val()),
            running: u.running.val().into(),
            jobs_done: low(u.jobs_done.val()),
            bad_select_count: low(u.bad_select_count.val()),
            last_bad_select: low(u.last_bad_select.val()),
            bad_select_pulse: u.bad_select_pulse.val().into(),
        }
    }

    /// The clock edge.
    pub fn clock(&mut self) {
        for level in [true, false] {
            self.uut.clock.next = level.into();
            self.settle();
        }
    }
}

/// The state machine with its memories: `sl_dispatcher.sv` without the load port.
pub struct Dispatcher {
    config: HardwareConfig,
    fsm: FsmBench,
    select: Fifo<u16>,
    control: Vec<ControlWord>,
    table: Vec<ModelRecord>,
    initialised: Vec<bool>,
    word: ControlWord,
    in_lane: Option<u32>,
    tick: Option<Tick>,
    commands: [Option<OutCommand>; 3],
    num_models: u32,
}

impl Dispatcher {
    /// Empty machine; the first cycle must be a reset.
    pub fn new(config: &HardwareConfig) -> Self {
        Self {
            fsm: FsmBench::default(),
            select: Fifo::new(config.select_fifo_depth as usize),
            control: vec![ControlWord::default(); config.instr_store_depth as usize],
            table: vec![ModelRecord::default(); config.max_models as usize],
            initialised: vec![false; config.max_models as usize],
            word: ControlWord::default(),
            in_lane: None,
            tick: None,
            commands: [None; 3],
            num_models: 0,
            config: config.clone(),
        }
    }

    fn physical(&self, parity: u32, addr: u32) -> u32 {
        let half = self.config.tensor_ram_depth / 2;
        parity * half + addr % half
    }

    fn load(&mut self, i: &Inputs) {
        if let Some(load) = i.load {
            match load.space {
                Space::Control => {
                    self.control[load.addr as usize] =
                        ControlWord::unpack(load.data).unwrap_or_default();
                }
                Space::Models => {
                    self.table[load.addr as usize] =
                        ModelRecord::unpack(load.data).unwrap_or_default();
                }
                Space::NumModels => self.num_models = u32::try_from(load.data).unwrap_or(0),
                _ => {}
            }
        }
    }

    /// One cycle; the load fields of the outputs are not modelled here: loads are always taken.
    pub fn step(&mut self, i: &Inputs) -> Outputs {
        let head = self.select.head().copied();
        let index = head.unwrap_or(0);
        let model = usize::from(index) % self.table.len();
        let record = self.table[model];
        let f = self.fsm.eval(&FsmInputs {
            reset_n: i.reset_n.into(),
            enable: i.enable.into(),
            credit_full: self.config.output_fifo_depth,
            num_models: self.num_models,
            head_valid: head.is_some().into(),
            head_index: index.into(),
            head_initialised: self.initialised[model].into(),
            rec_entry: record.entry_pc,
            rec_init: record.init_pc,
            rec_has_init: record.has_init.into(),
            rec_resettable: record.resettable.into(),
            rec_n_in: record.n_in,
            rec_n_out: record.n_out,
            input_valid: i.input_valid.into(),
            output_pop: i.output_pop.into(),
            word_last: self.word.last.into(),
            word_beat: self.word.beat.into(),
        });
        let outputs = Outputs {
            select_ready: self.select.ready(),
            input_ready: f.input_ready != 0,
            in_lane: self.in_lane,
            tick: self.tick,
            out_command: self.commands[self.config.exchange_stages as usize],
            busy: false,
            load_ok: false,
            load_error: false,
            jobs_done: f.jobs_done,
            bad_select_count: f.bad_select_count,
            last_bad_select: u16::try_from(f.last_bad_select).unwrap_or(u16::MAX),
            bad_select_pulse: f.bad_select_pulse != 0,
        };
        self.clock(i, &f, model);
        self.load(i);
        outputs
    }

    fn clock(&mut self, i: &Inputs, f: &FsmOutputs, model: usize) {
        self.fsm.clock();
        let word = self.word;
        if f.fetch != 0 {
            let at = f.fetch_addr as usize % self.control.len();
            self.word = self.control[at];
        }
        if !i.reset_n {
            self.select.reset();
            self.initialised.fill(false);
            self.in_lane = None;
            self.tick = None;
            self.commands = [None; 3];
            return;
        }
        self.select.clock(i.select, f.head_pop != 0);
        if f.init_set != 0 || f.init_clear != 0 {
            self.initialised[model] = f.init_set != 0;
        }
        self.in_lane = (f.beat != 0).then(|| self.physical(f.beat_parity, f.beat_addr));
        let issue = f.issue != 0;
        self.tick = issue.then_some(Tick {
            pc: f.tick_pc,
            parity: f.tick_parity != 0,
            model: f.run_model,
        });
        let addr = if word.out_bank == self.config.num_cores {
            self.physical(f.tick_parity, word.out_addr)
        } else {
            word.out_addr
        };
        let command = (issue && word.out_valid).then_some(OutCommand {
            last: word.out_last,
            bank: word.out_bank,
            addr,
            lanes: word.out_lanes,
        });
        self.commands = [command, self.commands[0], self.commands[1]];
    }
}
