//! Random programs and random traffic for the dispatcher's tests.
//!
//! **Contract.** Deterministic in the seed. Programs obey what the RTL asserts: `n_in >= 1`, waits within `n_in`, all input awaited
//! before the last tick, exactly `n_out` output words, outputs that fit the FIFO. Traffic obeys the streams: what is offered stays
//! offered until taken; output beats are taken only when the output FIFO (two cycles behind the output command) has one.
//! **Errors.** None.

use std::collections::VecDeque;

use sluice_isa::SELECT_RESET;
use sluice_isa::config::HardwareConfig;
use sluice_isa::error::IsaError;
use sluice_isa::load::Space;
use sluice_isa::words::{ControlWord, ModelRecord};

use crate::model::{Inputs, Load, Outputs};

/// Small generator (splitmix64): tests want speed and a seed, not quality.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Next 32 bits.
    pub fn word(&mut self) -> u32 {
        u32::try_from(self.bits() >> 32).unwrap_or(0)
    }

    /// In `lo..=hi`.
    pub fn range(&mut self, lo: u32, hi: u32) -> u32 {
        lo + self.word() % (hi - lo + 1)
    }

    /// True in `percent` of 100.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.range(0, 99) < percent
    }
}

/// Who makes whom wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Nobody.
    Free,
    /// Select and input idle at random.
    SourceIdles,
    /// Output beats are taken at random.
    SinkStalls,
    /// Both.
    Both,
}

impl Pattern {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Free, Self::SourceIdles, Self::SinkStalls, Self::Both];
}

/// A control program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlProgram {
    /// Control store.
    pub control: Vec<ControlWord>,
    /// Model table.
    pub models: Vec<ModelRecord>,
}

impl ControlProgram {
    /// A random one that fits the configuration.
    pub fn random(config: &HardwareConfig, random: &mut Random) -> Self {
        let mut p = Self {
            control: Vec::new(),
            models: Vec::new(),
        };
        let count = random.range(1, config.max_models.min(6));
        for _ in 0..count {
            let n_in = random.range(1, config.input_capacity().min(7));
            let n_out = random.range(0, config.output_fifo_depth.min(6));
            let has_init = random.chance(50);
            let init_pc = p.control.len();
            if has_init {
                let ticks = random.range(1, 4);
                p.phase(config, random, ticks, 0, 0);
            }
            let entry_pc = p.control.len();
            let ticks = n_out.max(n_in) + random.range(0, 5);
            p.phase(config, random, ticks, n_out, n_in);
            p.models.push(ModelRecord {
                entry_pc: u32::try_from(entry_pc).unwrap_or(0),
                init_pc: u32::try_from(init_pc).unwrap_or(0),
                has_init,
                n_in,
                n_out,
                resettable: random.chance(70),
            });
        }
        p
    }

    /// Appends a phase of `ticks` that takes `n_in` beats and has `n_out` output words, at random places.
    fn phase(
        &mut self,
        config: &HardwareConfig,
        random: &mut Random,
        ticks: u32,
        n_out: u32,
        n_in: u32,
    ) {
        let (mut outs_left, mut beats_left) = (n_out, n_in);
        for t in 0..ticks {
            let out_valid = random.range(0, ticks - t - 1) < outs_left;
            outs_left -= u32::from(out_valid);
            let beat = random.range(0, ticks - t - 1) < beats_left;
            beats_left -= u32::from(beat);
            let out_bank = random.range(0, config.num_cores);
            self.control.push(ControlWord {
                last: t + 1 == ticks,
                beat,
                out_valid,
                out_last: random.chance(50),
                out_bank,
                out_addr: random.range(0, config.tensor_ram_depth / 2 - 1),
                out_lanes: random.range(0, config.block_size),
            });
        }
    }

    /// The writes that load it.
    ///
    /// # Errors
    /// Packing errors of the words.
    pub fn loads(&self) -> Result<Vec<Load>, IsaError> {
        let word = |space, addr: usize, data| Load {
            space,
            addr: u32::try_from(addr).unwrap_or(u32::MAX),
            data,
        };
        let mut out = Vec::new();
        for (addr, w) in self.control.iter().enumerate() {
            out.push(word(Space::Control, addr, w.pack()?));
        }
        for (addr, m) in self.models.iter().enumerate() {
            out.push(word(Space::Models, addr, m.pack()?));
        }
        out.push(word(Space::NumModels, 0, self.models.len() as u128));
        Ok(out)
    }
}

/// Random traffic: inputs of a cycle from the outputs of the cycles before.
#[derive(Debug, Clone)]
pub struct Traffic {
    random: Random,
    pattern: Pattern,
    num_models: u32,
    fifo: u32,
    on_the_way: VecDeque<bool>,
    pending: Inputs,
    reset_cycles: u32,
    disabled_cycles: u32,
    chatty: (u32, u32, u32),
    until_mood: u32,
}

impl Traffic {
    /// Traffic for `num_models` resident models; the first cycles are a reset.
    pub fn new(seed: u64, pattern: Pattern, num_models: u32) -> Self {
        Self {
            random: Random::new(seed),
            pattern,
            num_models,
            fifo: 0,
            on_the_way: VecDeque::from([false]),
            pending: Inputs::IDLE,
            reset_cycles: 3,
            disabled_cycles: 0,
            chatty: (100, 100, 100),
            until_mood: 0,
        }
    }

    /// Inputs of the next cycle; `resets` allows random resets, `disables` random drops of enable.
    pub fn next(&mut self, resets: bool, disables: bool) -> Inputs {
        let r = &mut self.random;
        // Speeds change now and then, so that queues run full and empty.
        if self.until_mood == 0 {
            self.until_mood = r.range(20, 400);
            let mut speed = |slow: bool| {
                if slow {
                    [3, 20, 60, 95][r.range(0, 3) as usize]
                } else {
                    100
                }
            };
            let sources = matches!(self.pattern, Pattern::SourceIdles | Pattern::Both);
            let sink = matches!(self.pattern, Pattern::SinkStalls | Pattern::Both);
            self.chatty = (speed(sources), speed(sources), speed(sink));
        }
        self.until_mood -= 1;
        if self.reset_cycles > 0 {
            self.reset_cycles -= 1;
        } else if resets && r.chance(1) && r.chance(25) {
            self.reset_cycles = r.range(1, 3);
        }
        let reset_n = self.reset_cycles == 0;
        if !reset_n {
            self.pending = Inputs::IDLE;
            self.fifo = 0;
            self.on_the_way = VecDeque::from([false]);
        }
        if self.disabled_cycles > 0 {
            self.disabled_cycles -= 1;
        } else if disables && r.chance(1) {
            self.disabled_cycles = r.range(1, 40);
        }
        if self.pending.select.is_none() && r.chance(self.chatty.0) {
            let index = if r.chance(10) {
                [
                    self.num_models,
                    255,
                    256,
                    0xFFFF,
                    r.range(self.num_models, 0xFFFF),
                ][r.range(0, 4) as usize]
            } else {
                r.range(0, self.num_models - 1)
            };
            let reset = u32::from(SELECT_RESET) * u32::from(r.chance(20));
            let index = index | reset;
            self.pending.select = u16::try_from(index).ok();
        }
        self.pending.input_valid |= r.chance(self.chatty.1);
        Inputs {
            reset_n,
            enable: self.disabled_cycles == 0,
            select: self.pending.select.filter(|_| reset_n),
            input_valid: self.pending.input_valid && reset_n,
            output_pop: reset_n && self.fifo > 0 && r.chance(self.chatty.2),
            load: None,
        }
    }

    /// What came of it.
    pub fn observe(&mut self, i: &Inputs, o: &Outputs) {
        if !i.reset_n {
            return;
        }
        if o.select_ready {
            self.pending.select = None;
        }
        if o.input_ready {
            self.pending.input_valid = false;
        }
        // Command in c0, push in c1, takeable from c2 on.
        self.on_the_way.push_back(o.out_command.is_some());
        let pushed = self.on_the_way.pop_front().unwrap_or(false);
        self.fifo = self.fifo + u32::from(pushed) - u32::from(i.output_pop);
    }
}
