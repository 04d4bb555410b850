//! List scheduling: every operation of a placed model gets its tick.
//!
//! | time | unit |
//! |------|------|
//! | tick | one matrix word and one vector word per core, one output word |
//! | use  | tick + offset of a shared resource (port Y, constant port, stage p0, operand register, exchange register) |
//!
//! **Contract.** The result respects docs/machine.md: operands are read when they are readable, no resource serves two operations in a cycle,
//! state is overwritten after its last reader, and uses across a tick that may wait for input stay in tick order. What does
//! not depend on the input stands before `t0`, the first tick that waits. Input beat `n` is awaited by tick `t0 + n`. Deterministic.
//! **Errors.** A schedule that stops making progress is our bug ([`CompileError::Internal`]).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use sluice_isa::HardwareConfig;
use sluice_isa::timing::{TENSOR_P0, Timing};

use super::block::{BlockId, Operand, Origin, Source, Term};
use super::place::Placed;
use crate::error::{CompileError, Result};

/// One matrix word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatrixSlot {
    /// Operation it belongs to.
    pub op: usize,
    /// The term, or `None` for a read of port X.
    pub term: Option<Term>,
    /// First term of its sum.
    pub first: bool,
    /// Accumulator.
    pub acc: usize,
}

/// Slots of one core, by tick.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoreSlots {
    /// Matrix words.
    pub matrix: BTreeMap<usize, MatrixSlot>,
    /// Vector words: operation.
    pub vector: BTreeMap<usize, usize>,
}

/// When a block is written, and the last time it is read; for the allocator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Life {
    /// Core that writes it.
    pub core: usize,
    /// Earliest tick of a writer.
    pub write_tick: usize,
    /// Earliest write (tick + offset).
    pub first_write: usize,
    /// Latest write.
    pub last_write: usize,
    /// Latest tick of a reader.
    pub read_tick: usize,
    /// Latest read (tick + offset).
    pub last_read: usize,
    /// Earliest read.
    pub first_read: Option<usize>,
}

/// A scheduled model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Per core.
    pub cores: Vec<CoreSlots>,
    /// Tick of each output beat.
    pub outputs: Vec<usize>,
    /// First tick that waits for input.
    pub t0: usize,
    /// Ticks of the job.
    pub ticks: usize,
    /// Per block.
    pub life: Vec<Life>,
    /// Cycles from the first accepted input beat to the last output beat, inclusive.
    pub spaced: usize,
    /// Largest number of accumulators in use, per core.
    pub accumulators: Vec<usize>,
}

/// Shared resources of a core that are used at an offset from the tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    PortY,
    ConstPort,
    P0,
    Exchange,
    /// Register of the operand that enters a special function or the arithmetic.
    Operand,
}
const RESOURCES: usize = 5;

#[derive(Default)]
struct Uses {
    taken: BTreeSet<usize>,
    /// Uses by operations before the last tick that may wait: later ones must come after.
    floor: usize,
    last: usize,
}

struct OpState {
    ready_terms: VecDeque<usize>,
    terms_left: usize,
    started: bool,
    acc: usize,
    /// Tick from which on operand B (arithmetic) is readable in time; `None` = not written yet.
    b_ready: Option<usize>,
    /// Same for a block source.
    a_ready: Option<usize>,
}

struct Scheduler<'a> {
    config: &'a HardwareConfig,
    placed: &'a Placed,
    timing: Timing,
    state: Vec<OpState>,
    priority: Vec<Key>,
    /// Per core, operations that may have something to issue.
    active: Vec<BTreeSet<Key>>,
    /// Per core, sums not started yet, in priority order.
    unstarted: Vec<BTreeSet<Key>>,
    free_accs: Vec<BTreeSet<usize>>,
    uses: Vec<[Uses; RESOURCES]>,
    events: BTreeMap<usize, Vec<Event>>,
    readers: Vec<Vec<Reader>>,
    writers_left: Vec<usize>,
    readers_left: Vec<usize>,
    ready: Vec<Option<usize>>,
    result: Schedule,
    outputs_done: usize,
    remaining: usize,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Term(usize, usize),
    A(usize),
    B(usize),
}

#[derive(Debug, Clone, Copy)]
enum Reader {
    Term(usize, usize),
    A(usize),
    B(usize),
}

/// What is issued first among what is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The longest way to the end of the job.
    Depth,
    /// The same layer first, in it everything for one block of its result, so that first results leave early.
    Blocks,
}

/// Place of an operation in an [`Order`]; the smallest is issued first. State updates come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tail: bool,
    level: Reverse<usize>,
    block: usize,
    length: Reverse<usize>,
    op: usize,
}

/// Schedules a placed model with everything that does not need the input before `t0`.
pub fn schedule(placed: &Placed, config: &HardwareConfig) -> Result<Schedule> {
    schedule_from(placed, config, Order::Depth, usize::MAX)
}

/// The best of both orders: first with everything that does not need the input before `t0`, which gives the fewest cycles from input to
/// output; then with as much of it behind `t0` as that number allows, in cycles nothing else uses, which makes the job shorter.
pub fn refine(placed: &Placed, config: &HardwareConfig, first: Schedule) -> Result<Schedule> {
    let (mut best, mut order) = (first, Order::Depth);
    let other = schedule_from(placed, config, Order::Blocks, usize::MAX)?;
    if (other.spaced, other.ticks) < (best.spaced, best.ticks) {
        (best, order) = (other, Order::Blocks);
    }
    let (mut low, mut high) = (0, best.t0);
    while low < high {
        let limit = low.midpoint(high);
        let candidate = schedule_from(placed, config, order, limit)?;
        if candidate.spaced <= best.spaced && candidate.ticks <= best.ticks {
            high = limit.min(candidate.t0);
            best = candidate;
        } else {
            low = limit + 1;
        }
    }
    Ok(best)
}

/// The same with `t0` no later than `limit` if the machine allows it.
fn schedule_from(
    placed: &Placed,
    config: &HardwareConfig,
    order: Order,
    limit: usize,
) -> Result<Schedule> {
    let mut s = Scheduler::new(placed, config, order);
    s.run(limit)?;
    s.finish();
    Ok(s.result)
}

impl<'a> Scheduler<'a> {
    fn new(placed: &'a Placed, config: &'a HardwareConfig, order: Order) -> Self {
        let model = &placed.model;
        let timing = Timing::of(config);
        let cores = config.num_cores as usize;
        let mut readers = vec![Vec::new(); model.blocks.len()];
        let mut writers_left = vec![0; model.blocks.len()];
        let mut readers_left = vec![0; model.blocks.len()];
        let mut state = Vec::new();
        for (i, op) in model.ops.iter().enumerate() {
            writers_left[op.dst.0] += 1;
            let terms_left = match &op.source {
                Source::Sum { terms, .. } => {
                    for (j, t) in terms.iter().enumerate() {
                        readers[t.operand().0].push(Reader::Term(i, j));
                    }
                    terms.len()
                }
                Source::Block(b, _) | Source::Plane(b, ..) => {
                    readers[b.0].push(Reader::A(i));
                    0
                }
                Source::Const(_) => 0,
            };
            if let Some((_, Operand::Block(b))) = op.alu {
                readers[b.0].push(Reader::B(i));
            }
            state.push(OpState {
                ready_terms: VecDeque::new(),
                terms_left,
                started: false,
                acc: 0,
                b_ready: if matches!(op.alu, Some((_, Operand::Block(_)))) {
                    None
                } else {
                    Some(0)
                },
                a_ready: if op.operand_a().is_some() {
                    None
                } else {
                    Some(0)
                },
            });
        }
        for (b, r) in readers.iter().enumerate() {
            readers_left[b] = r.len();
        }
        for beat in &model.outputs {
            readers_left[beat.block.0] += 1;
        }
        let priority = priorities(placed, timing, order);
        let mut active = vec![BTreeSet::new(); cores];
        let mut unstarted = vec![BTreeSet::new(); cores];
        for (i, op) in model.ops.iter().enumerate() {
            match op.source {
                Source::Sum { .. } => unstarted[placed.core[i]].insert(priority[i]),
                Source::Const(_) if state[i].b_ready.is_some() => {
                    active[placed.core[i]].insert(priority[i])
                }
                Source::Const(_) | Source::Block(..) | Source::Plane(..) => false,
            };
        }
        let free: BTreeSet<usize> = (0..config.accum_store_depth as usize).collect();
        let life = model
            .blocks
            .iter()
            .map(|_| Life {
                first_write: usize::MAX,
                write_tick: usize::MAX,
                ..Life::default()
            })
            .collect();
        let result = Schedule {
            cores: vec![CoreSlots::default(); cores],
            outputs: vec![],
            t0: 0,
            ticks: 0,
            life,
            spaced: 0,
            accumulators: vec![0; cores],
        };
        let remaining = model.ops.len();
        Self {
            config,
            placed,
            timing,
            state,
            priority,
            active,
            unstarted,
            free_accs: vec![free; cores],
            uses: (0..cores).map(|_| Default::default()).collect(),
            events: BTreeMap::new(),
            readers,
            writers_left,
            readers_left,
            ready: vec![None; model.blocks.len()],
            result,
            outputs_done: 0,
            remaining,
        }
    }

    fn run(&mut self, limit: usize) -> Result<()> {
        // Sums that the job before leaves are read no earlier than their way through the pipeline takes, so that its last ticks may make them.
        let ops = self.placed.model.ops.iter().enumerate();
        let sums: BTreeMap<usize, usize> = ops
            .filter(|(_, o)| o.tail && matches!(o.source, Source::Sum { .. }))
            .map(|(i, o)| (o.dst.0, self.write_offset(i)))
            .collect();
        for b in 0..self.placed.model.blocks.len() {
            if self.placed.model.blocks[b].origin == Origin::State {
                self.block_ready(b, sums.get(&b).copied().unwrap_or(0), 0);
            }
        }
        let beats = self.placed.model.input_beats;
        let mut tick = 0;
        let mut idle = 0;
        let mut waiting = true; // before t0; a job's outputs follow its first input
        while self.remaining > 0 || self.outputs_done < self.placed.model.outputs.len() {
            self.fire_events(tick);
            let mut progress = false;
            if waiting {
                let idle = tick < limit && {
                    progress = self.issue(tick);
                    !progress && self.events.is_empty()
                };
                if (idle || tick >= limit) && tick >= self.earliest_t0() {
                    waiting = false;
                    self.result.t0 = tick;
                    for b in 0..self.placed.model.blocks.len() {
                        if let Origin::Input(n) = self.placed.model.blocks[b].origin {
                            // Of planes both beats: a tick before the second could read it too early after a pause.
                            let last = tick + n + self.placed.model.size(BlockId(b)) - 1;
                            self.block_ready(b, last, last);
                        }
                    }
                    self.fire_events(tick);
                }
            }
            if !waiting {
                if tick < self.result.t0 + beats {
                    for uses in self.uses.iter_mut().flatten() {
                        uses.floor = uses.last;
                    }
                }
                progress |= self.output(tick);
                progress |= self.issue(tick);
            }
            idle = if progress || waiting || !self.events.is_empty() {
                0
            } else {
                idle + 1
            };
            if idle > 1000 {
                return Err(CompileError::Internal(format!(
                    "schedule of model '{}' stops at tick {tick} with {} operations left",
                    self.placed.model.name, self.remaining
                )));
            }
            tick += 1;
        }
        Ok(())
    }

    /// Issues what can be issued at a tick; true if that brought the job's own work on.
    fn issue(&mut self, tick: usize) -> bool {
        let mut progress = false;
        for core in 0..self.uses.len() {
            progress |= self.core(core, tick);
        }
        progress
    }

    /// Tensor operations may not start in a job's first ticks (a previous job's results may still be on their way), so a model that begins with one
    /// waits for its input a little later.
    fn earliest_t0(&self) -> usize {
        let model = &self.placed.model;
        let starts = model.ops.iter().any(|op| {
            !op.tail
                && op
                    .operand_a()
                    .is_some_and(|b| matches!(model.blocks[b.0].origin, Origin::Input(_)))
        });
        if starts { self.guard() } else { 0 }
    }

    fn guard(&self) -> usize {
        (self.timing.acc_p0() - TENSOR_P0) as usize
    }

    /// The block can be read from `tick` on. Whoever reads it later in its pipeline may be issued earlier, but not before `since`, the tick
    /// that makes the block: a pause between the two would let the reader overtake.
    fn block_ready(&mut self, b: usize, tick: usize, since: usize) {
        self.ready[b] = Some(tick);
        for r in self.readers[b].clone() {
            let (op, event) = match r {
                Reader::Term(op, t) => (op, Event::Term(op, t)),
                Reader::A(op) => (op, Event::A(op)),
                Reader::B(op) => (op, Event::B(op)),
            };
            let offset = self.read_offset(op, r);
            // The lower plane is written a cycle after the upper one.
            let tick = match (r, &self.placed.model.ops[op].source) {
                (Reader::A(_), Source::Plane(_, _, plane)) => tick + plane.offset(),
                _ => tick,
            };
            self.events
                .entry(tick.saturating_sub(offset).max(since))
                .or_default()
                .push(event);
        }
    }

    /// Offset from an operation's tick at which it reads the operand.
    fn read_offset(&self, op: usize, r: Reader) -> usize {
        let op = &self.placed.model.ops[op];
        (match r {
            Reader::A(_) => 0,
            Reader::B(_) => {
                let p0 = match op.source {
                    Source::Sum { .. } => self.timing.acc_p0(),
                    _ => TENSOR_P0,
                };
                let planes = matches!(op.alu, Some((_, Operand::Block(b))) if self.placed.model.is_planes(b));
                p0 + op.operand_b_delay() - Timing::operand_b_read(planes)
            }
            Reader::Term(_, t) => match &op.source {
                Source::Sum { terms, .. } if matches!(terms[t], Term::Planes(_)) => {
                    self.timing.late_read()
                }
                _ => 0,
            },
        }) as usize
    }

    fn fire_events(&mut self, tick: usize) {
        while let Some(entry) = self.events.first_entry() {
            if *entry.key() > tick {
                break;
            }
            for event in entry.remove() {
                match event {
                    Event::Term(op, t) => {
                        self.state[op].ready_terms.push_back(t);
                        self.active[self.placed.core[op]].insert(self.priority[op]);
                    }
                    Event::A(op) => {
                        self.state[op].a_ready = Some(tick);
                        self.wake(op);
                    }
                    Event::B(op) => {
                        self.state[op].b_ready = Some(tick);
                        self.wake(op);
                    }
                }
            }
        }
    }

    fn wake(&mut self, op: usize) {
        let s = &self.state[op];
        let is_sum = matches!(self.placed.model.ops[op].source, Source::Sum { .. });
        if !is_sum && s.a_ready.is_some() && s.b_ready.is_some() {
            self.active[self.placed.core[op]].insert(self.priority[op]);
        }
    }

    fn output(&mut self, tick: usize) -> bool {
        let model = &self.placed.model;
        let Some(beat) = model.outputs.get(self.outputs_done) else {
            return false;
        };
        if self.ready[beat.block.0].is_none_or(|r| r + beat.plane.offset() > tick) {
            return false;
        }
        self.result.outputs.push(tick);
        self.outputs_done += 1;
        self.read_at(beat.block.0, tick, 0);
        true
    }

    fn read_at(&mut self, b: usize, tick: usize, offset: usize) {
        let life = &mut self.result.life[b];
        life.read_tick = life.read_tick.max(tick);
        life.last_read = life.last_read.max(tick + offset);
        life.first_read = Some(
            life.first_read
                .map_or(tick + offset, |f| f.min(tick + offset)),
        );
        self.readers_left[b] -= 1;
    }

    /// Issues what one core can at one tick; true if it was more than state updates.
    fn core(&mut self, core: usize, tick: usize) -> bool {
        let slots = &self.result.cores[core];
        let (mut matrix_free, mut vector_free) = (
            !slots.matrix.contains_key(&tick),
            !slots.vector.contains_key(&tick),
        );
        let mut progress = false;
        let candidates: Vec<_> = self.active[core].iter().copied().collect();
        for key in candidates {
            if !matrix_free && !vector_free {
                break;
            }
            let op = key.op;
            match self.placed.model.ops[op].source {
                Source::Sum { .. } if matrix_free => {
                    if let Some(used_vector) = self.try_term(core, op, tick, vector_free) {
                        matrix_free = false;
                        vector_free &= !used_vector;
                        progress = true;
                    }
                }
                Source::Sum { .. } => {}
                _ if vector_free => {
                    if let Some(used_matrix) = self.try_tensor(core, op, tick, matrix_free) {
                        vector_free = false;
                        matrix_free &= !used_matrix;
                        progress |= !key.tail;
                    }
                }
                _ => {}
            }
        }
        progress
    }

    fn allowed(&self, core: usize, wanted: &[(Resource, usize)]) -> bool {
        wanted.iter().all(|&(r, at)| {
            let uses = &self.uses[core][r as usize];
            !uses.taken.contains(&at) && (uses.floor == 0 || at > uses.floor)
        })
    }

    fn take(&mut self, core: usize, wanted: &[(Resource, usize)]) {
        for &(r, at) in wanted {
            let uses = &mut self.uses[core][r as usize];
            uses.taken.insert(at);
            uses.last = uses.last.max(at);
        }
    }

    /// Resources of an operation's vector word.
    fn vector_uses(&self, op: usize, tick: usize) -> Vec<(Resource, usize)> {
        let op = &self.placed.model.ops[op];
        let (p0, from_acc) = match op.source {
            Source::Sum { .. } => (self.timing.acc_p0() as usize, true),
            _ => (TENSOR_P0 as usize, false),
        };
        let mut wanted = vec![(Resource::P0, tick + p0)];
        let two_blocks = !from_acc && matches!(op.alu, Some((_, Operand::Block(_))));
        match op.source {
            Source::Block(..) if !two_blocks => wanted.push((Resource::PortY, tick)),
            Source::Plane(..) => wanted.push((Resource::PortY, tick)),
            Source::Const(_) => wanted.push((Resource::ConstPort, tick)),
            _ => {}
        }
        let b_at = tick + p0 - 1 + op.operand_b_delay() as usize;
        match op.alu {
            Some((_, Operand::Block(b))) => {
                wanted.push((Resource::PortY, b_at));
                if self.placed.model.is_planes(b) {
                    wanted.push((Resource::PortY, b_at - 1));
                }
            }
            Some((_, Operand::Const(_))) => wanted.push((Resource::ConstPort, b_at)),
            None => {}
        }
        if op.special.is_some() {
            wanted.push((Resource::Operand, tick + p0 + 1));
        }
        if op.alu.is_some() {
            wanted.push((Resource::Operand, b_at + 2));
        }
        let out = tick + p0 + op.to_output() as usize;
        wanted.push((Resource::Exchange, out));
        let whole = !matches!(op.source, Source::Plane(..));
        if whole && self.placed.model.is_planes(op.dst) {
            wanted.push((Resource::Exchange, out + 1));
        }
        wanted
    }

    /// Issues a term of a sum; `Some(true)` if its vector word was issued with it.
    fn try_term(&mut self, core: usize, op: usize, tick: usize, vector_free: bool) -> Option<bool> {
        let model = &self.placed.model;
        let Source::Sum { terms, bias } = &model.ops[op].source else {
            return None;
        };
        let s = &self.state[op];
        let starts = !s.started;
        // A sum with a bias must begin with a product.
        let pick = s
            .ready_terms
            .iter()
            .position(|&t| !(starts && bias.is_some() && matches!(terms[t], Term::Planes(_))))?;
        let term = terms[s.ready_terms[pick]];
        let last = s.terms_left == 1;
        let mut wanted = Vec::new();
        let late = tick + self.timing.late_read() as usize;
        if matches!(term, Term::Planes(_)) {
            wanted.extend([(Resource::PortY, late), (Resource::PortY, late + 1)]);
        }
        if starts && bias.is_some() {
            wanted.push((Resource::ConstPort, late));
        }
        if last {
            if !vector_free || s.b_ready.is_none() || !self.may_write(op, tick, Some(term)) {
                return None;
            }
            wanted.extend(self.vector_uses(op, tick));
        }
        if starts {
            // The last free accumulator is kept for the sum that everything else may be waiting for.
            let first_in_line = self.unstarted[core].first() == Some(&self.priority[op]);
            let free = self.free_accs[core].len();
            if free == 0 || (free == 1 && !first_in_line) {
                return None;
            }
        }
        if !self.allowed(core, &wanted) {
            return None;
        }
        self.take(core, &wanted);
        if starts {
            let acc = self.free_accs[core].pop_first().unwrap_or(0);
            self.unstarted[core].remove(&self.priority[op]);
            let in_use = self.config.accum_store_depth as usize - self.free_accs[core].len();
            self.result.accumulators[core] = self.result.accumulators[core].max(in_use);
            self.state[op].acc = acc;
            self.state[op].started = true;
        }
        let s = &mut self.state[op];
        s.ready_terms.remove(pick);
        s.terms_left -= 1;
        let acc = s.acc;
        if s.ready_terms.is_empty() {
            self.active[core].remove(&self.priority[op]);
        }
        self.result.cores[core].matrix.insert(
            tick,
            MatrixSlot {
                op,
                term: Some(term),
                first: starts,
                acc,
            },
        );
        match term {
            Term::Product(_, b) => self.read_at(b.0, tick, 0),
            Term::Planes(b) => self.read_at(b.0, tick, self.timing.late_read() as usize + 1),
        }
        if last {
            self.free_accs[core].insert(acc);
            self.finish_op(core, op, tick);
        }
        Some(last)
    }

    /// Issues an operation on blocks or constants; `Some(true)` if it needed the matrix word too (port X).
    fn try_tensor(
        &mut self,
        core: usize,
        op: usize,
        tick: usize,
        matrix_free: bool,
    ) -> Option<bool> {
        let model = &self.placed.model;
        let o = &model.ops[op];
        let two_blocks = matches!(
            (&o.source, o.alu),
            (Source::Block(..), Some((_, Operand::Block(_))))
        );
        if tick < self.guard() || (two_blocks && !matrix_free) {
            return None;
        }
        if !self.may_write(op, tick, None) {
            return None;
        }
        let wanted = self.vector_uses(op, tick);
        if !self.allowed(core, &wanted) {
            return None;
        }
        self.take(core, &wanted);
        self.active[core].remove(&self.priority[op]);
        if let Some(b) = o.operand_a() {
            self.read_at(b.0, tick, 0);
        }
        if two_blocks {
            self.result.cores[core].matrix.insert(
                tick,
                MatrixSlot {
                    op,
                    term: None,
                    first: false,
                    acc: 0,
                },
            );
        }
        self.finish_op(core, op, tick);
        Some(two_blocks)
    }

    /// State is overwritten only after everybody has read it; the operation itself, at its last term, may read it now.
    fn may_write(&self, op: usize, tick: usize, term: Option<Term>) -> bool {
        let o = &self.placed.model.ops[op];
        let old = match self.placed.model.replaces.get(&o.dst) {
            Some(old) => old.0,
            None if o.tail => o.dst.0,
            None => return true,
        };
        let life = self.result.life[old];
        let mut own = match (&o.source, term) {
            (Source::Block(b, _) | Source::Plane(b, ..), _) => usize::from(b.0 == old),
            (_, Some(t)) => usize::from(t.operand().0 == old),
            _ => 0,
        };
        if let Some((_, Operand::Block(b))) = o.alu {
            own += usize::from(b.0 == old);
        }
        self.readers_left[old] == own
            && tick >= life.read_tick
            && tick + self.write_offset(op) > life.last_read
    }

    /// Offset from an operation's tick to the write of its (first) block.
    fn write_offset(&self, op: usize) -> usize {
        let o = &self.placed.model.ops[op];
        let p0 = if matches!(o.source, Source::Sum { .. }) {
            self.timing.acc_p0()
        } else {
            TENSOR_P0
        };
        (p0 + o.to_output() + self.timing.write_after_output()) as usize
    }

    fn finish_op(&mut self, core: usize, op: usize, tick: usize) {
        let o = &self.placed.model.ops[op];
        self.result.cores[core].vector.insert(tick, op);
        self.remaining -= 1;
        let write = tick + self.write_offset(op);
        let planes = usize::from(self.placed.model.is_planes(o.dst));
        if let Some((_, Operand::Block(b))) = o.alu {
            let last = self.placed.model.size(b) - 1;
            let offset = self.read_offset(op, Reader::B(op)) + last;
            self.read_at(b.0, tick, offset);
        }
        let dst = o.dst.0;
        let life = &mut self.result.life[dst];
        life.core = core;
        life.write_tick = life.write_tick.min(tick);
        life.first_write = life.first_write.min(write);
        life.last_write = life.last_write.max(write + planes);
        self.writers_left[dst] -= 1;
        if self.writers_left[dst] == 0 && self.placed.model.blocks[dst].origin == Origin::Computed {
            // Readable in the cycle of the write, that of the upper halves.
            let ready = self.result.life[dst].last_write - planes;
            self.block_ready(dst, ready, tick);
        }
    }

    /// Length of the job: nothing of it may meet the next job's first uses.
    fn finish(&mut self) {
        let r = &self.result;
        let model = &self.placed.model;
        let late = self.timing.late_read() as usize;
        let first_out = self.timing.acc_p0() as usize;
        let mut ticks = r.t0 + model.input_beats;
        ticks = ticks.max(r.outputs.last().map_or(0, |t| t + 1));
        for c in &r.cores {
            ticks = ticks
                .max(c.matrix.keys().next_back().map_or(0, |t| t + 1))
                .max(c.vector.keys().next_back().map_or(0, |t| t + 1));
        }
        for uses in &self.uses {
            for (resource, first) in [
                (Resource::PortY, late),
                (Resource::ConstPort, late),
                (Resource::P0, first_out),
                (Resource::Exchange, first_out),
                (Resource::Operand, first_out + 1),
            ] {
                let u = &uses[resource as usize];
                if !u.taken.is_empty() {
                    ticks = ticks.max((u.last + 1).saturating_sub(first));
                }
            }
        }
        for (new, old) in &model.replaces {
            // The next job's value is written after this one's last reader, and read after it is written.
            let (new, old) = (r.life[new.0], r.life[old.0]);
            ticks = ticks.max((new.last_read + 1).saturating_sub(new.first_write));
            if let Some(first) = old.first_read {
                ticks = ticks.max(new.last_write.saturating_sub(first));
            }
        }
        for (b, life) in r.life.iter().enumerate() {
            match model.blocks[b].origin {
                // The cycle after its last tick looks up a job for the slot, the next one accepts a beat for it.
                Origin::Input(_) => {
                    let read = life.last_read + self.timing.fetch() as usize;
                    ticks = ticks.max(read.saturating_sub(self.timing.input_write() as usize));
                }
                // The next job of this model reads what this one left.
                Origin::State => {
                    if let Some(first) = life.first_read
                        && life.last_write > 0
                    {
                        ticks = ticks.max(life.last_write.saturating_sub(first));
                    }
                }
                Origin::Computed => {}
            }
        }
        let last_output = r.outputs.last().copied().unwrap_or(0);
        // The first beat is accepted in the cycle of tick t0; an output word's beat stands on the port `fetch + OUTPUT` cycles after its tick.
        let spaced =
            last_output - r.t0 + (self.timing.fetch() + sluice_isa::timing::OUTPUT) as usize + 1;
        for (new, old) in &model.replaces {
            self.result.life[old.0].core = self.result.life[new.0].core;
        }
        self.result.ticks = ticks.max(2);
        self.result.spaced = spaced;
    }
}

/// Places of all operations in an order.
fn priorities(placed: &Placed, timing: Timing, order: Order) -> Vec<Key> {
    let model = &placed.model;
    let mut position = vec![0; model.layers.len()];
    let mut keys: Vec<Key> = model
        .ops
        .iter()
        .enumerate()
        .map(|(op, o)| {
            let block = position[o.layer.0];
            position[o.layer.0] += 1;
            Key {
                tail: o.tail,
                level: Reverse(0),
                block,
                length: Reverse(0),
                op,
            }
        })
        .collect();
    // Per block: cycles and sums behind it, and the first block of the operations that take it lane by lane.
    let mut length = vec![0; model.blocks.len()];
    let mut level = vec![0; model.blocks.len()];
    let mut lane_wise: Vec<Option<usize>> = vec![None; model.blocks.len()];
    for (i, op) in model.ops.iter().enumerate().rev() {
        let key = &mut keys[i];
        let is_sum = matches!(op.source, Source::Sum { .. });
        let own = op.to_output()
            + if is_sum {
                timing.dense_latency()
            } else {
                TENSOR_P0 + timing.readable_after_output()
            };
        if !op.tail {
            key.length = Reverse(length[op.dst.0] + own as usize);
            key.level = Reverse(level[op.dst.0]);
        }
        let sums = level[op.dst.0] + usize::from(is_sum);
        key.block = lane_wise[op.dst.0].unwrap_or(key.block);
        for b in op.reads() {
            length[b.0] = length[b.0].max(key.length.0);
            level[b.0] = level[b.0].max(sums);
        }
        let operand_a = op.operand_a();
        let operand_b = match op.alu {
            Some((_, Operand::Block(b))) => Some(b),
            _ => None,
        };
        for b in [operand_a, operand_b].into_iter().flatten() {
            let first = lane_wise[b.0].unwrap_or(key.block).min(key.block);
            lane_wise[b.0] = Some(first);
        }
    }
    if order == Order::Depth {
        for key in &mut keys {
            (key.level, key.block) = (Reverse(0), 0);
        }
    }
    keys
}
