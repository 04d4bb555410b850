//! Pin schedule of a list of jobs under back-pressure: the same for the VM and for the RTL.
//!
//! | part | rule |
//! |------|------|
//! | select | beat `k` is offered by [`SelectTiming`]; once valid it stays until taken |
//! | input | the beats of all jobs in order; a new beat may be held back by the seed, once valid it stays until taken |
//! | output | ready is a function of seed and cycle alone |
//!
//! **Contract.** [`Stimulus::pins`] depends only on the seed, the cycle number and the ready values reported to [`Stimulus::commit`]
//! in earlier cycles. Two machines with equal ready behaviour see equal pins.
//! **Errors.** None; jobs are checked by the machine that runs them.

use crate::machine::Pins;

/// One job: the model and its input beats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Model index, in or out of range.
    pub model: u16,
    /// Input blocks; none for an index that is out of range.
    pub beats: Vec<Vec<u16>>,
}

/// Who holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Stalls {
    /// Nobody.
    #[default]
    None,
    /// The source pauses between beats.
    SourceIdles,
    /// The sink is not always ready.
    SinkStalls,
    /// Both.
    Both,
}

/// When a select beat comes, compared to the first input beat of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum SelectTiming {
    /// As soon as the select stream takes it.
    #[default]
    Early,
    /// Offered in the same cycle as the job's first input beat.
    WithData,
    /// Offered 1 to 16 cycles after the job's first input beat.
    Late,
}

/// A stall pattern: same pattern, same pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct StallPattern {
    /// Who holds back.
    pub stalls: Stalls,
    /// Select timing.
    pub select: SelectTiming,
    /// Seed.
    pub seed: u64,
}

impl StallPattern {
    /// Nobody holds back, selects come early.
    pub const FREE: Self = Self {
        stalls: Stalls::None,
        select: SelectTiming::Early,
        seed: 0,
    };

    /// Every combination of stalls and select timing, with one seed.
    pub fn all(seed: u64) -> Vec<Self> {
        let stalls = [
            Stalls::None,
            Stalls::SourceIdles,
            Stalls::SinkStalls,
            Stalls::Both,
        ];
        let selects = [
            SelectTiming::Early,
            SelectTiming::WithData,
            SelectTiming::Late,
        ];
        stalls
            .into_iter()
            .flat_map(|stalls| {
                selects.map(|select| Self {
                    stalls,
                    select,
                    seed,
                })
            })
            .collect()
    }

    /// Ready of the sink in a cycle.
    pub fn sink_ready(&self, cycle: u64) -> bool {
        match self.stalls {
            Stalls::None | Stalls::SourceIdles => true,
            Stalls::SinkStalls | Stalls::Both => self.chance(1, cycle),
        }
    }

    /// The source may raise valid in a cycle.
    pub fn source_offers(&self, cycle: u64) -> bool {
        match self.stalls {
            Stalls::None | Stalls::SinkStalls => true,
            Stalls::SourceIdles | Stalls::Both => self.chance(2, cycle),
        }
    }

    /// Busy and quiet stretches of 64 cycles: one in two, one in eight, or always.
    fn chance(&self, stream: u64, cycle: u64) -> bool {
        let stretch = self.hash(stream, cycle / 64, 1);
        let bits = self.hash(stream, cycle, 0);
        match stretch % 4 {
            0 => true,
            1 => bits.is_multiple_of(8),
            _ => bits.is_multiple_of(2),
        }
    }

    fn hash(&self, stream: u64, value: u64, domain: u64) -> u64 {
        let mut z = self
            .seed
            .wrapping_add(stream.wrapping_mul(0xD6E8_FEB8_6659_FD93))
            .wrapping_add(value.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .wrapping_add(domain << 61);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) >> 8
    }
}

/// The schedule in progress.
#[derive(Debug, Clone)]
pub struct Stimulus<'a> {
    jobs: &'a [Job],
    pattern: StallPattern,
    cycle: u64,
    /// Next select beat.
    select: usize,
    select_valid: bool,
    /// Next input beat: job, beat.
    input: (usize, usize),
    input_valid: bool,
    /// Cycle in which the first beat of the job at `input.0` was first offered.
    first_offer: Option<u64>,
}

impl<'a> Stimulus<'a> {
    /// A schedule that starts in cycle 0.
    pub fn new(jobs: &'a [Job], pattern: StallPattern) -> Self {
        let mut this = Self {
            jobs,
            pattern,
            cycle: 0,
            select: 0,
            select_valid: false,
            input: (0, 0),
            input_valid: false,
            first_offer: None,
        };
        this.skip_empty();
        this.decide();
        this
    }

    /// Cycle number of the next pins.
    pub const fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Pins of this cycle: enabled, not in reset.
    pub fn pins(&self) -> Pins<'a> {
        let beat = if self.input_valid {
            self.jobs[self.input.0].beats[self.input.1].as_slice()
        } else {
            &[]
        };
        Pins {
            select_valid: self.select_valid,
            select_data: if self.select_valid {
                self.jobs[self.select].model
            } else {
                0
            },
            input_valid: self.input_valid,
            input_data: beat,
            output_ready: self.pattern.sink_ready(self.cycle),
            enable: true,
            reset: false,
        }
    }

    /// Ends the cycle: what the machine said it took.
    pub fn commit(&mut self, select_ready: bool, input_ready: bool) {
        if self.select_valid && select_ready {
            self.select += 1;
            self.select_valid = false;
        }
        if self.input_valid && input_ready {
            self.input.1 += 1;
            self.input_valid = false;
            self.skip_empty();
        }
        self.cycle += 1;
        self.decide();
    }

    /// Every select and input beat was taken.
    pub const fn exhausted(&self) -> bool {
        self.select == self.jobs.len() && self.input.0 == self.jobs.len()
    }

    fn skip_empty(&mut self) {
        while self
            .jobs
            .get(self.input.0)
            .is_some_and(|j| self.input.1 >= j.beats.len())
        {
            self.input = (self.input.0 + 1, 0);
            self.first_offer = None;
        }
    }

    fn decide(&mut self) {
        if !self.input_valid
            && self.input.0 < self.jobs.len()
            && self.pattern.source_offers(self.cycle)
        {
            self.input_valid = true;
            self.first_offer.get_or_insert(self.cycle);
        }
        if !self.select_valid && self.select < self.jobs.len() {
            // Selects of jobs whose data is behind us, or that have none, are not held back.
            let due = match (self.pattern.select, self.select >= self.input.0) {
                (SelectTiming::Early, _) | (_, false) => true,
                (_, true) if self.select > self.input.0 => self.jobs[self.select].beats.is_empty(),
                (SelectTiming::WithData, true) => self.first_offer.is_some(),
                (SelectTiming::Late, true) => {
                    let late = 1 + self.pattern.hash(3, self.select as u64, 0) % 16;
                    self.first_offer.is_some_and(|c| self.cycle >= c + late)
                }
            };
            self.select_valid = due;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs() -> Vec<Job> {
        (0..5u16)
            .map(|model| Job {
                model,
                beats: (0..u16::from(model != 3) * 3)
                    .map(|i| vec![model * 16 + i; 4])
                    .collect(),
            })
            .collect()
    }

    /// Runs against a random receiver; returns what it saw.
    fn drive(pattern: StallPattern, receiver: u64) -> (Vec<u16>, Vec<u16>, u64) {
        let jobs = jobs();
        let mut s = Stimulus::new(&jobs, pattern);
        let (mut selects, mut inputs) = (vec![], vec![]);
        let other = StallPattern {
            seed: receiver,
            ..pattern
        };
        let mut before: Option<(bool, u16, bool, Vec<u16>)> = None;
        while !s.exhausted() {
            assert!(s.cycle() < 10_000, "{pattern:?} does not end");
            let p = s.pins();
            if let Some((sv, sd, iv, id)) = before.take() {
                assert!(
                    !sv || (p.select_valid && p.select_data == sd),
                    "select held"
                );
                assert!(!iv || (p.input_valid && p.input_data == id), "input held");
            }
            let ready = (other.chance(7, s.cycle()), other.chance(8, s.cycle()));
            if p.select_valid && ready.0 {
                selects.push(p.select_data);
            }
            if p.input_valid && ready.1 {
                inputs.push(p.input_data[0]);
            }
            before = Some((
                p.select_valid && !ready.0,
                p.select_data,
                p.input_valid && !ready.1,
                p.input_data.to_vec(),
            ));
            s.commit(ready.0, ready.1);
        }
        (selects, inputs, s.cycle())
    }

    #[test]
    fn every_beat_once_in_order_and_held() {
        for seed in 0..20 {
            for pattern in StallPattern::all(seed) {
                let (selects, inputs, _) = drive(pattern, seed + 100);
                assert_eq!(selects, [0, 1, 2, 3, 4]);
                assert_eq!(inputs, [0, 1, 2, 16, 17, 18, 32, 33, 34, 64, 65, 66]);
            }
        }
    }

    #[test]
    fn same_seed_same_pins_other_seed_other_pins() {
        let p = |seed| StallPattern {
            stalls: Stalls::Both,
            select: SelectTiming::Late,
            seed,
        };
        assert_eq!(drive(p(1), 5), drive(p(1), 5));
        let ready = |seed| (0..64).map(|c| p(seed).sink_ready(c)).collect::<Vec<_>>();
        assert!((2..20).any(|s| ready(s) != ready(1)));
    }
}
