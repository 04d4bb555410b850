//! Dispatcher and sequencer: which job runs, which tick issues (docs/machine.md section 6).
//!
//! | register       | bits | meaning                                                                        |
//! |----------------|------|--------------------------------------------------------------------------------|
//! | `valid[s]`     | 1    | slot s holds a job                                                             |
//! | `open[s]`      | 1    | `valid[s] && beats[s] != n_in`, the input handshake                            |
//! | `left[s]`      | 16   | `n_in - beats[s]`                                                              |
//! | `beats[s]`     | 16   | input beats accepted                                                           |
//! | `beats_plus[s]`| 16   | one more                                                                       |
//! | `any[s]`       | 1    | `beats[s] != 0`                                                                |
//! | `avail`        | 16   | input beats of the running job that no tick has taken                          |
//! | `some`         | 1    | `avail != 0`                                                                   |
//! | `entry[s]`     | 16   | first tick of the job proper                                                   |
//! | `start[s]`     | 16   | first tick to run: `entry`, or the initialisation's if the job begins with it  |
//! | `fresh[s]`     | 1    | `start` is the initialisation's                                                |
//! | `n_out[s]`     | 16   | output beats of the job; `n_out_less[s]` is one less                           |
//! | `alloc_par`    | 1    | slot the next look-up fills                                                    |
//! | `in_par`       | 1    | slot the next input beat belongs to                                            |
//! | `next_par`     | 1    | slot of the next job (`np`); the running job has the other one                 |
//! | `run`, `phase` | 1, 1 | a job runs; it is in its initialisation                                        |
//! | `pc`           | 16   | address of the word at the control store's output                              |
//! | `credit`       | 16   | output beats that may still be promised                                        |
//!
//! **Contract.** Same cycle behaviour as section 6, in a form whose paths are short: the control store's word decides with two
//! flags whether it issues, and neither the fetch address nor a counter waits for that. `running` of section 6 always
//! equals `run`, and `run_par` is `!next_par` while a job runs, so neither has a register. Widths are the architectural maxima; the
//! SystemVerilog wrapper ties off and slices. Memories (select FIFO, model table, control store, initialised bits) are outside.
//! **Errors.** None; what a program must not do is asserted in `sl_dispatcher.sv`.

use rust_hdl::prelude::*;
use sluice_isa::SELECT_RESET;

use crate::reg::Reg;

/// A comment of the emitted Verilog; nothing in Rust.
macro_rules! comment {
    ($text:literal) => {};
}

/// The state machine.
#[derive(LogicBlock)]
pub struct DispatchFsm {
    /// Compute clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset, active low.
    pub reset_n: Signal<In, Bit>,
    /// Look-ups and starts are allowed.
    pub enable: Signal<In, Bit>,
    /// Depth of the output FIFO.
    pub credit_full: Signal<In, Bits<16>>,
    /// Resident models.
    pub num_models: Signal<In, Bits<16>>,
    /// The select FIFO is not empty.
    pub head_valid: Signal<In, Bit>,
    /// Its oldest index.
    pub head_index: Signal<In, Bits<16>>,
    /// A job that initialises that model has been looked up since the model's last reset.
    pub head_initialised: Signal<In, Bit>,
    /// Its record: first tick of the job.
    pub rec_entry: Signal<In, Bits<16>>,
    /// First tick of the initialisation.
    pub rec_init: Signal<In, Bits<16>>,
    /// There is an initialisation.
    pub rec_has_init: Signal<In, Bit>,
    /// Its state may be reset.
    pub rec_resettable: Signal<In, Bit>,
    /// Input beats of a job.
    pub rec_n_in: Signal<In, Bits<16>>,
    /// Output beats of a job.
    pub rec_n_out: Signal<In, Bits<16>>,
    /// Input stream: a beat is offered.
    pub input_valid: Signal<In, Bit>,
    /// An output beat is taken.
    pub output_pop: Signal<In, Bit>,
    /// Word at the control store's output: last tick of the phase.
    pub word_last: Signal<In, Bit>,
    /// It takes an input beat.
    pub word_beat: Signal<In, Bit>,
    /// The oldest index is consumed.
    pub head_pop: Signal<Out, Bit>,
    /// Input stream: a beat is accepted when offered.
    pub input_ready: Signal<Out, Bit>,
    /// A beat is accepted.
    pub beat: Signal<Out, Bit>,
    /// Half of the input bank it goes to.
    pub beat_parity: Signal<Out, Bit>,
    /// Address in that half.
    pub beat_addr: Signal<Out, Bits<16>>,
    /// The word at the control store's output issues in this cycle.
    pub issue: Signal<Out, Bit>,
    /// Its address.
    pub tick_pc: Signal<Out, Bits<16>>,
    /// Parity of its job.
    pub tick_parity: Signal<Out, Bit>,
    /// Control store read enable.
    pub fetch: Signal<Out, Bit>,
    /// Control store read address.
    pub fetch_addr: Signal<Out, Bits<16>>,
    /// Set the initialised bit of the oldest index.
    pub init_set: Signal<Out, Bit>,
    /// Clear it.
    pub init_clear: Signal<Out, Bit>,
    /// An initialisation ends.
    pub init_done: Signal<Out, Bit>,
    /// A job ends.
    pub job_done: Signal<Out, Bit>,
    /// Model of the running job.
    pub run_model: Signal<Out, Bits<8>>,
    /// Input beats of the running job that are still to come.
    pub run_left: Signal<Out, Bits<16>>,
    /// Input beats of the running job that have come and that no tick has taken.
    pub run_avail: Signal<Out, Bits<16>>,
    /// Output beats of the running job.
    pub run_n_out: Signal<Out, Bits<16>>,
    /// A job runs.
    pub running: Signal<Out, Bit>,
    /// Jobs completed.
    pub jobs_done: Signal<Out, Bits<32>>,
    /// Indices out of range, and resets of models that are not resettable.
    pub bad_select_count: Signal<Out, Bits<32>>,
    /// The latest of them.
    pub last_bad_select: Signal<Out, Bits<16>>,
    /// One cycle, when the count has just changed.
    pub bad_select_pulse: Signal<Out, Bit>,

    valid: [Reg<Bit>; 2],
    open: [Reg<Bit>; 2],
    left: [Reg<Bits<16>>; 2],
    beats: [Reg<Bits<16>>; 2],
    beats_plus: [Reg<Bits<16>>; 2],
    entry: [Reg<Bits<16>>; 2],
    start: [Reg<Bits<16>>; 2],
    fresh: [Reg<Bit>; 2],
    n_out: [Reg<Bits<16>>; 2],
    n_out_less: [Reg<Bits<16>>; 2],
    model: [Reg<Bits<8>>; 2],
    alloc_par: Reg<Bit>,
    in_par: Reg<Bit>,
    next_par: Reg<Bit>,
    run: Reg<Bit>,
    phase: Reg<Bit>,
    pc: Reg<Bits<16>>,
    any: [Reg<Bit>; 2],
    avail: Reg<Bits<16>>,
    some: Reg<Bit>,
    credit: Reg<Bits<16>>,
    jobs: Reg<Bits<32>>,
    bad_count: Reg<Bits<32>>,
    bad_last: Reg<Bits<16>>,
    bad_pulse: Reg<Bit>,

    np: Signal<Local, Bit>,
    beats_next: [Signal<Local, Bits<16>>; 2],
    fits: [Signal<Local, Bit>; 2],
    load: [Signal<Local, Bit>; 2],
    accept: [Signal<Local, Bit>; 2],
    free: [Signal<Local, Bit>; 2],
    lookup: Signal<Local, Bit>,
    known: Signal<Local, Bit>,
    is_reset: Signal<Local, Bit>,
    accepts: Signal<Local, Bit>,
    named: Signal<Local, Bits<16>>,
    needs_init: Signal<Local, Bit>,
    start_ok: Signal<Local, Bit>,
    accept_run: Signal<Local, Bit>,
    here: Signal<Local, Bit>,
    reached: Signal<Local, Bit>,
    issue_now: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    avail_one: Signal<Local, Bit>,
    avail_used: Signal<Local, Bits<16>>,
    avail_kept: Signal<Local, Bits<16>>,
    avail_start: Signal<Local, Bits<16>>,
    some_start: Signal<Local, Bit>,
    consume_mask: Signal<Local, Bits<16>>,
    done_now: Signal<Local, Bit>,
    init_now: Signal<Local, Bit>,
    may_end: Signal<Local, Bit>,
    may_enter: Signal<Local, Bit>,
    may_follow: Signal<Local, Bit>,
    may_begin: Signal<Local, Bit>,
    end_0: Signal<Local, Bit>,
    end_1: Signal<Local, Bit>,
    take: Signal<Local, Bit>,
    accept_now: Signal<Local, Bit>,
    last_beat: Signal<Local, Bit>,
    model_now: Signal<Local, Bits<8>>,
    jump: Signal<Local, Bits<16>>,
    addr: Signal<Local, Bits<16>>,
    promise: Signal<Local, Bits<16>>,
    credit_kept: Signal<Local, Bits<16>>,
    credit_taken: Signal<Local, Bits<16>>,
    take_mask: Signal<Local, Bits<16>>,

    zero16: Constant<Bits<16>>,
    one16: Constant<Bits<16>>,
    ones16: Constant<Bits<16>>,
    one32: Constant<Bits<32>>,
    index_mask: Constant<Bits<16>>,
}

impl Default for DispatchFsm {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset_n: Signal::default(),
            enable: Signal::default(),
            credit_full: Signal::default(),
            num_models: Signal::default(),
            head_valid: Signal::default(),
            head_index: Signal::default(),
            head_initialised: Signal::default(),
            rec_entry: Signal::default(),
            rec_init: Signal::default(),
            rec_has_init: Signal::default(),
            rec_resettable: Signal::default(),
            rec_n_in: Signal::default(),
            rec_n_out: Signal::default(),
            input_valid: Signal::default(),
            output_pop: Signal::default(),
            word_last: Signal::default(),
            word_beat: Signal::default(),
            head_pop: Signal::default(),
            input_ready: Signal::default(),
            beat: Signal::default(),
            beat_parity: Signal::default(),
            beat_addr: Signal::default(),
            issue: Signal::default(),
            tick_pc: Signal::default(),
            tick_parity: Signal::default(),
            fetch: Signal::default(),
            fetch_addr: Signal::default(),
            init_set: Signal::default(),
            init_clear: Signal::default(),
            init_done: Signal::default(),
            job_done: Signal::default(),
            run_model: Signal::default(),
            run_left: Signal::default(),
            run_avail: Signal::default(),
            run_n_out: Signal::default(),
            running: Signal::default(),
            jobs_done: Signal::default(),
            bad_select_count: Signal::default(),
            last_bad_select: Signal::default(),
            bad_select_pulse: Signal::default(),
            valid: Default::default(),
            open: Default::default(),
            left: Default::default(),
            beats: Default::default(),
            beats_plus: Default::default(),
            entry: Default::default(),
            start: Default::default(),
            fresh: Default::default(),
            n_out: Default::default(),
            n_out_less: Default::default(),
            model: Default::default(),
            alloc_par: Reg::default(),
            in_par: Reg::default(),
            next_par: Reg::default(),
            run: Reg::default(),
            phase: Reg::default(),
            pc: Reg::default(),
            any: Default::default(),
            avail: Reg::default(),
            some: Reg::default(),
            credit: Reg::default(),
            jobs: Reg::default(),
            bad_count: Reg::default(),
            bad_last: Reg::default(),
            bad_pulse: Reg::default(),
            np: Signal::default(),
            beats_next: Default::default(),
            fits: Default::default(),
            load: Default::default(),
            accept: Default::default(),
            free: Default::default(),
            lookup: Signal::default(),
            known: Signal::default(),
            is_reset: Signal::default(),
            accepts: Signal::default(),
            named: Signal::default(),
            needs_init: Signal::default(),
            start_ok: Signal::default(),
            accept_run: Signal::default(),
            here: Signal::default(),
            reached: Signal::default(),
            issue_now: Signal::default(),
            consume: Signal::default(),
            avail_one: Signal::default(),
            avail_used: Signal::default(),
            avail_kept: Signal::default(),
            avail_start: Signal::default(),
            some_start: Signal::default(),
            consume_mask: Signal::default(),
            done_now: Signal::default(),
            init_now: Signal::default(),
            may_end: Signal::default(),
            may_enter: Signal::default(),
            may_follow: Signal::default(),
            may_begin: Signal::default(),
            end_0: Signal::default(),
            end_1: Signal::default(),
            take: Signal::default(),
            accept_now: Signal::default(),
            last_beat: Signal::default(),
            model_now: Signal::default(),
            jump: Signal::default(),
            addr: Signal::default(),
            promise: Signal::default(),
            credit_kept: Signal::default(),
            credit_taken: Signal::default(),
            take_mask: Signal::default(),
            zero16: Constant::new(0u64.into()),
            one16: Constant::new(1u64.into()),
            ones16: Constant::new(0xFFFFu64.into()),
            one32: Constant::new(1u64.into()),
            index_mask: Constant::new(u64::from(!SELECT_RESET).into()),
        }
    }
}

impl Logic for DispatchFsm {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("Every register is clocked, reset and keeps its value unless told otherwise.");
        for i in 0..2 {
            self.valid[i].clock.next = self.clock.val();
            self.open[i].clock.next = self.clock.val();
            self.left[i].clock.next = self.clock.val();
            self.beats[i].clock.next = self.clock.val();
            self.beats_plus[i].clock.next = self.clock.val();
            self.any[i].clock.next = self.clock.val();
            self.entry[i].clock.next = self.clock.val();
            self.start[i].clock.next = self.clock.val();
            self.fresh[i].clock.next = self.clock.val();
            self.n_out[i].clock.next = self.clock.val();
            self.n_out_less[i].clock.next = self.clock.val();
            self.model[i].clock.next = self.clock.val();
            self.valid[i].reset_n.next = self.reset_n.val();
            self.open[i].reset_n.next = self.reset_n.val();
            self.left[i].reset_n.next = self.reset_n.val();
            self.beats[i].reset_n.next = self.reset_n.val();
            self.beats_plus[i].reset_n.next = self.reset_n.val();
            self.any[i].reset_n.next = self.reset_n.val();
            self.entry[i].reset_n.next = self.reset_n.val();
            self.start[i].reset_n.next = self.reset_n.val();
            self.fresh[i].reset_n.next = self.reset_n.val();
            self.n_out[i].reset_n.next = self.reset_n.val();
            self.n_out_less[i].reset_n.next = self.reset_n.val();
            self.model[i].reset_n.next = self.reset_n.val();
            self.valid[i].d.next = self.valid[i].q.val();
            self.open[i].d.next = self.open[i].q.val();
            self.left[i].d.next = self.left[i].q.val();
            self.beats[i].d.next = self.beats[i].q.val();
            self.beats_plus[i].d.next = self.beats_plus[i].q.val();
            self.any[i].d.next = self.any[i].q.val();
            self.entry[i].d.next = self.entry[i].q.val();
            self.start[i].d.next = self.start[i].q.val();
            self.fresh[i].d.next = self.fresh[i].q.val();
            self.n_out[i].d.next = self.n_out[i].q.val();
            self.n_out_less[i].d.next = self.n_out_less[i].q.val();
            self.model[i].d.next = self.model[i].q.val();
        }
        self.alloc_par.clock.next = self.clock.val();
        self.in_par.clock.next = self.clock.val();
        self.next_par.clock.next = self.clock.val();
        self.run.clock.next = self.clock.val();
        self.phase.clock.next = self.clock.val();
        self.pc.clock.next = self.clock.val();
        self.avail.clock.next = self.clock.val();
        self.some.clock.next = self.clock.val();
        self.credit.clock.next = self.clock.val();
        self.jobs.clock.next = self.clock.val();
        self.bad_count.clock.next = self.clock.val();
        self.bad_last.clock.next = self.clock.val();
        self.bad_pulse.clock.next = self.clock.val();
        self.alloc_par.reset_n.next = self.reset_n.val();
        self.in_par.reset_n.next = self.reset_n.val();
        self.next_par.reset_n.next = self.reset_n.val();
        self.run.reset_n.next = self.reset_n.val();
        self.phase.reset_n.next = self.reset_n.val();
        self.pc.reset_n.next = self.reset_n.val();
        self.avail.reset_n.next = self.reset_n.val();
        self.some.reset_n.next = self.reset_n.val();
        comment!("Reset sets credit to full: below, through d.");
        self.credit.reset_n.next = true;
        self.jobs.reset_n.next = self.reset_n.val();
        self.bad_count.reset_n.next = self.reset_n.val();
        self.bad_last.reset_n.next = self.reset_n.val();
        self.bad_pulse.reset_n.next = self.reset_n.val();
        self.alloc_par.d.next = self.alloc_par.q.val();
        self.in_par.d.next = self.in_par.q.val();
        self.next_par.d.next = self.next_par.q.val();
        self.run.d.next = self.run.q.val();
        self.phase.d.next = self.phase.q.val();
        self.pc.d.next = self.pc.q.val();
        self.jobs.d.next = self.jobs.q.val();
        self.bad_count.d.next = self.bad_count.q.val();
        self.bad_last.d.next = self.bad_last.q.val();

        comment!("Conditions that depend on registers only.");
        self.np.next = self.next_par.q.val();
        for i in 0..2 {
            self.fits[i].next = self.credit.q.val() >= self.n_out[i].q.val();
        }
        self.start_ok.next = self.enable.val()
            & ((self.np.val() & self.valid[1].q.val() & self.fits[1].val())
                | (!self.np.val() & self.valid[0].q.val() & self.fits[0].val()));
        if self.np.val() {
            self.model_now.next = self.model[0].q.val();
        } else {
            self.model_now.next = self.model[1].q.val();
        }

        comment!(
            "Issue: the running job is in slot !np. The word comes last in the cycle, so it enters each term last. A beat counts in the cycle of its acceptance."
        );
        self.accept[0].next = self.input_valid.val() & self.open[0].q.val() & !self.in_par.q.val();
        self.accept[1].next = self.input_valid.val() & self.open[1].q.val() & self.in_par.q.val();
        self.accept_run.next =
            (self.np.val() & self.accept[0].val()) | (!self.np.val() & self.accept[1].val());
        self.here.next = self.some.q.val() | self.accept_run.val();
        self.reached.next = !self.word_beat.val() | self.here.val();
        self.may_end.next = self.run.q.val() & self.word_last.val() & !self.phase.q.val();
        self.may_enter.next = self.run.q.val() & self.word_last.val() & self.phase.q.val();
        self.may_follow.next = self.start_ok.val() & self.may_end.val();
        self.may_begin.next = self.start_ok.val() & !self.run.q.val();
        self.end_0.next = self.may_end.val() & self.np.val();
        self.end_1.next = self.may_end.val() & !self.np.val();
        self.issue_now.next = self.run.q.val() & self.reached.val();
        self.init_now.next = self.may_enter.val() & self.reached.val();
        self.done_now.next = self.may_end.val() & self.reached.val();
        self.take.next = self.may_begin.val() | (self.may_follow.val() & self.reached.val());
        self.free[0].next = self.end_0.val() & self.reached.val();
        self.free[1].next = self.end_1.val() & self.reached.val();

        comment!(
            "Fetch: an unused address is harmless, so the address does not wait for issue or start_ok."
        );
        if self.run.q.val() & self.phase.q.val() {
            if self.np.val() {
                self.jump.next = self.entry[0].q.val();
            } else {
                self.jump.next = self.entry[1].q.val();
            }
        } else {
            if self.np.val() {
                self.jump.next = self.start[1].q.val();
            } else {
                self.jump.next = self.start[0].q.val();
            }
        }
        if self.run.q.val() & !self.word_last.val() {
            self.addr.next = self.pc.q.val() + self.one16.val();
        } else {
            self.addr.next = self.jump.val();
        }
        self.fetch.next = !self.run.q.val() | self.issue_now.val();
        self.fetch_addr.next = self.addr.val();
        if !self.run.q.val() | self.issue_now.val() {
            self.pc.d.next = self.addr.val();
        }

        comment!("Sequencer state.");
        if self.init_now.val() {
            self.phase.d.next = false;
        }
        if self.done_now.val() {
            self.run.d.next = false;
            self.jobs.d.next = self.jobs.q.val() + self.one32.val();
        }
        if self.take.val() {
            self.run.d.next = true;
            self.next_par.d.next = !self.np.val();
            self.phase.d.next =
                (self.np.val() & self.fresh[1].q.val()) | (!self.np.val() & self.fresh[0].q.val());
        }

        comment!("Credit: subtract n_out, or one less when a beat leaves in the same cycle.");
        if self.np.val() {
            if self.output_pop.val() {
                self.promise.next = self.n_out_less[1].q.val();
            } else {
                self.promise.next = self.n_out[1].q.val();
            }
        } else {
            if self.output_pop.val() {
                self.promise.next = self.n_out_less[0].q.val();
            } else {
                self.promise.next = self.n_out[0].q.val();
            }
        }
        self.credit_taken.next = self.credit.q.val() - self.promise.val();
        if self.output_pop.val() {
            self.credit_kept.next = self.credit.q.val() + self.one16.val();
        } else {
            self.credit_kept.next = self.credit.q.val();
        }
        comment!(
            "Masks, not a selection: synthesis would share the adders and put the late decision before them."
        );
        if self.take.val() {
            self.take_mask.next = self.ones16.val();
        } else {
            self.take_mask.next = self.zero16.val();
        }
        if self.reset_n.val() {
            self.credit.d.next = (self.credit_taken.val() & self.take_mask.val())
                | (self.credit_kept.val() & !self.take_mask.val());
        } else {
            self.credit.d.next = self.credit_full.val();
        }

        comment!(
            "Look-up of the oldest select beat. A reset takes no slot, so it needs none to be free: it reaches the jobs looked up after it."
        );
        self.is_reset.next = self.head_index.val().get_bit(15);
        self.named.next = self.head_index.val() & self.index_mask.val();
        self.lookup.next = self.enable.val()
            & self.head_valid.val()
            & (self.is_reset.val()
                | (self.alloc_par.q.val() & !self.valid[1].q.val())
                | (!self.alloc_par.q.val() & !self.valid[0].q.val()));
        self.known.next = self.named.val() < self.num_models.val();
        self.accepts.next = self.known.val() & (!self.is_reset.val() | self.rec_resettable.val());
        self.needs_init.next = self.rec_has_init.val() & !self.head_initialised.val();
        self.load[0].next =
            self.lookup.val() & self.known.val() & !self.is_reset.val() & !self.alloc_par.q.val();
        self.load[1].next =
            self.lookup.val() & self.known.val() & !self.is_reset.val() & self.alloc_par.q.val();
        self.bad_pulse.d.next = self.lookup.val() & !self.accepts.val();
        if self.lookup.val() {
            if self.accepts.val() {
                self.alloc_par.d.next = self.alloc_par.q.val() ^ !self.is_reset.val();
            } else {
                self.bad_count.d.next = self.bad_count.q.val() + self.one32.val();
                self.bad_last.d.next = self.head_index.val();
            }
        }

        comment!("Input beats.");
        self.accept_now.next = self.accept[0].val() | self.accept[1].val();
        self.last_beat.next = (self.in_par.q.val() & (self.left[1].q.val() == self.one16.val()))
            | (!self.in_par.q.val() & (self.left[0].q.val() == self.one16.val()));
        if self.accept_now.val() & self.last_beat.val() {
            self.in_par.d.next = !self.in_par.q.val();
        }
        for i in 0..2 {
            if self.accept[i].val() {
                self.beats_next[i].next = self.beats_plus[i].q.val();
            } else {
                self.beats_next[i].next = self.beats[i].q.val();
            }
        }
        comment!("What the running job has: a job that starts has all that came for it.");
        self.consume.next = self.run.q.val() & self.word_beat.val() & self.here.val();
        self.avail_one.next = self.avail.q.val() == self.one16.val();
        if self.accept_run.val() {
            self.avail_used.next = self.avail.q.val();
            self.avail_kept.next = self.avail.q.val() + self.one16.val();
        } else {
            self.avail_used.next = self.avail.q.val() - self.one16.val();
            self.avail_kept.next = self.avail.q.val();
        }
        if self.np.val() {
            self.avail_start.next = self.beats_next[1].val();
            self.some_start.next = self.any[1].q.val() | self.accept[1].val();
        } else {
            self.avail_start.next = self.beats_next[0].val();
            self.some_start.next = self.any[0].q.val() | self.accept[0].val();
        }
        if self.consume.val() {
            self.consume_mask.next = self.ones16.val();
        } else {
            self.consume_mask.next = self.zero16.val();
        }
        self.avail.d.next = (self.avail_start.val() & self.take_mask.val())
            | (((self.avail_used.val() & self.consume_mask.val())
                | (self.avail_kept.val() & !self.consume_mask.val()))
                & !self.take_mask.val());
        self.some.d.next = (self.take.val() & self.some_start.val())
            | (!self.take.val()
                & ((self.consume.val()
                    & ((self.some.q.val() & !self.avail_one.val())
                        | (self.some.q.val() & self.accept_run.val())))
                    | (!self.consume.val() & self.here.val())));

        comment!(
            "Slots. A slot is loaded only while free and freed only while held, so the cases exclude each other."
        );
        for i in 0..2 {
            if self.accept[i].val() {
                self.any[i].d.next = true;
                self.beats[i].d.next = self.beats_plus[i].q.val();
                self.beats_plus[i].d.next = self.beats_plus[i].q.val() + self.one16.val();
                self.left[i].d.next = self.left[i].q.val() - self.one16.val();
                self.open[i].d.next = !self.last_beat.val();
            }
            if self.free[i].val() {
                self.valid[i].d.next = false;
                self.open[i].d.next = false;
            }
            if self.load[i].val() {
                self.valid[i].d.next = true;
                self.open[i].d.next = self.rec_n_in.val() != self.zero16.val();
                self.left[i].d.next = self.rec_n_in.val();
                self.any[i].d.next = false;
                self.beats[i].d.next = self.zero16.val();
                self.beats_plus[i].d.next = self.one16.val();
                self.entry[i].d.next = self.rec_entry.val();
                self.fresh[i].d.next = self.needs_init.val();
                self.n_out[i].d.next = self.rec_n_out.val();
                self.n_out_less[i].d.next = self.rec_n_out.val() - self.one16.val();
                self.model[i].d.next = self.head_index.val().get_bits::<8>(0);
                if self.needs_init.val() {
                    self.start[i].d.next = self.rec_init.val();
                } else {
                    self.start[i].d.next = self.rec_entry.val();
                }
            }
        }

        comment!("Ports.");
        self.head_pop.next = self.lookup.val();
        self.input_ready.next = (self.in_par.q.val() & self.open[1].q.val())
            | (!self.in_par.q.val() & self.open[0].q.val());
        self.beat.next = self.accept_now.val();
        self.beat_parity.next = self.in_par.q.val();
        if self.in_par.q.val() {
            self.beat_addr.next = self.beats[1].q.val();
        } else {
            self.beat_addr.next = self.beats[0].q.val();
        }
        self.issue.next = self.issue_now.val();
        self.tick_pc.next = self.pc.q.val();
        self.tick_parity.next = !self.np.val();
        self.init_set.next = self.needs_init.val() & (self.load[0].val() | self.load[1].val());
        self.init_clear.next = self.lookup.val() & self.accepts.val() & self.is_reset.val();
        self.init_done.next = self.init_now.val();
        self.job_done.next = self.done_now.val();
        self.run_model.next = self.model_now.val();
        if self.np.val() {
            self.run_left.next = self.left[0].q.val();
            self.run_n_out.next = self.n_out[0].q.val();
        } else {
            self.run_left.next = self.left[1].q.val();
            self.run_n_out.next = self.n_out[1].q.val();
        }
        self.run_avail.next = self.avail.q.val();
        self.running.next = self.run.q.val();
        self.jobs_done.next = self.jobs.q.val();
        self.bad_select_count.next = self.bad_count.q.val();
        self.last_bad_select.next = self.bad_last.q.val();
        self.bad_select_pulse.next = self.bad_pulse.q.val();
    }
}
