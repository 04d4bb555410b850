//! A device under test, cycle by cycle, and runs of it.
//!
//! | type | what |
//! |------|------|
//! | [`Device`] | steps one compute clock cycle: pins in, [`Sample`] out |
//! | [`Executor`] | makes devices for programs: the VM, the RTL of a configuration |
//! | [`Outcome`] | everything seen at the pins in a run, with cycles counted from the first enabled cycle |
//! | [`difference`] | the first thing two outcomes disagree in |
//!
//! **Contract.** A run starts right after reset with the program loaded; cycle 0 is the first with `enable` = 1. The pins are those of
//! [`Stimulus`]. It ends [`TAIL`] cycles after the last expected output beat was taken and the last job is done, so that surplus beats show.
//! **Errors.** Those of the device, and [`SuiteError::Stuck`].

use std::sync::Arc;

use sluice_isa::Program;
use sluice_sim::{Job, OutBeat, Pins, StallPattern, Status, Stimulus};

use crate::error::SuiteError;

/// Cycles a run goes on after everything expected has come.
pub const TAIL: u64 = 48;

/// A tick on its way to the cores, one cycle after the sequencer issued it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Program counter.
    pub pc: u32,
    /// Half of the input bank, 0 or 1.
    pub parity: u8,
}

/// What the pins showed in a cycle, before its clock edge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a pin")]
pub struct Sample {
    /// Ready of the select stream.
    pub select_ready: bool,
    /// Ready of the input stream.
    pub input_ready: bool,
    /// An output beat is offered.
    pub output_valid: bool,
    /// It ends a tensor; false without a beat.
    pub output_last: bool,
    /// Its block; unspecified without a beat.
    pub output_data: Vec<u16>,
    /// Counters; `busy` is left false, devices may fall idle in their own time.
    pub status: Status,
    /// Tick register.
    pub tick: Option<Tick>,
}

/// One accelerator, loaded.
pub trait Device {
    /// One cycle.
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError>;
}

/// A way to run programs.
pub trait Executor {
    /// Name for messages.
    fn name(&self) -> String;

    /// A device in its state after reset with the program loaded; `seed` chooses the power-up state where there is one.
    fn device(
        &mut self,
        program: &Arc<Program>,
        seed: u32,
    ) -> Result<Box<dyn Device + '_>, SuiteError>;

    /// Runs jobs under a stall pattern.
    fn run(
        &mut self,
        program: &Arc<Program>,
        jobs: &[Job],
        pattern: &StallPattern,
    ) -> Result<Outcome, SuiteError> {
        let name = self.name();
        let seed = u32::try_from(pattern.seed & 0xFFFF_FFFF).unwrap_or(1);
        let mut device = self.device(program, seed)?;
        drive(&name, device.as_mut(), program, jobs, pattern)
    }
}

/// A run as seen at the pins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Output beats taken.
    pub beats: Vec<OutBeat>,
    /// Cycles in which input beats were accepted.
    pub accepts: Vec<u64>,
    /// Per cycle: select ready (1), input ready (2), output valid (4), output last (8).
    pub handshakes: Vec<u8>,
    /// Ticks with their cycles.
    pub ticks: Vec<(u64, Tick)>,
    /// Counters at the end.
    pub status: Status,
}

impl Outcome {
    /// Cycles of the run.
    pub fn cycles(&self) -> usize {
        self.handshakes.len()
    }
}

/// Latency of a job within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSpan {
    /// Model.
    pub model: usize,
    /// Cycle of the first accepted input beat.
    pub first_input: u64,
    /// Cycle of the last output beat.
    pub last_output: u64,
}

impl JobSpan {
    /// From the first input beat to the last output beat, both inclusive.
    pub const fn spaced(&self) -> u64 {
        self.last_output - self.first_input + 1
    }
}

/// The jobs of a run, those of unknown models left out.
pub fn spans(program: &Program, jobs: &[Job], outcome: &Outcome) -> Vec<JobSpan> {
    let (mut input, mut output) = (0, 0);
    let mut all = Vec::new();
    for job in jobs {
        let model = usize::from(job.model);
        let Some(m) = program.models.get(model) else {
            continue;
        };
        let first_input = outcome.accepts.get(input).copied();
        input += m.n_in as usize;
        output += m.n_out as usize;
        if let (Some(first_input), Some(beat)) =
            (first_input, outcome.beats.get(output.wrapping_sub(1)))
        {
            all.push(JobSpan {
                model,
                first_input,
                last_output: beat.cycle,
            });
        }
    }
    all
}

/// Runs jobs on a device.
pub fn drive(
    name: &str,
    device: &mut dyn Device,
    program: &Program,
    jobs: &[Job],
    pattern: &StallPattern,
) -> Result<Outcome, SuiteError> {
    let (mut expected, mut expected_jobs) = (0, 0);
    for job in jobs {
        if let Some(m) = program.models.get(usize::from(job.model)) {
            expected += m.n_out as usize;
            expected_jobs += 1;
        }
    }
    let patience = 5_000 + 64 * program.control.len() as u64;
    let mut stimulus = Stimulus::new(jobs, *pattern);
    let mut out = Outcome::default();
    let mut sample = Sample::default();
    let mut progress = 0;
    while !(stimulus.exhausted()
        && out.beats.len() >= expected
        && sample.status.jobs_done >= expected_jobs
        && stimulus.cycle() > progress + TAIL)
    {
        let cycle = stimulus.cycle();
        if cycle > progress + patience {
            return Err(SuiteError::Stuck {
                device: name.into(),
                cycle,
                beats: out.beats.len(),
                expected,
            });
        }
        let pins = stimulus.pins();
        device.step(&pins, &mut sample)?;
        out.handshakes.push(
            u8::from(sample.select_ready)
                | u8::from(sample.input_ready) << 1
                | u8::from(sample.output_valid) << 2
                | u8::from(sample.output_valid && sample.output_last) << 3,
        );
        if pins.input_valid && sample.input_ready {
            out.accepts.push(cycle);
            progress = cycle;
        }
        if pins.select_valid && sample.select_ready {
            progress = cycle;
        }
        if sample.output_valid && pins.output_ready {
            out.beats.push(OutBeat {
                cycle,
                last: sample.output_last,
                data: sample.output_data.clone(),
            });
            progress = cycle;
        }
        if let Some(tick) = sample.tick {
            out.ticks.push((cycle, tick));
        }
        if sample.status != out.status {
            out.status = sample.status;
            progress = cycle;
        }
        stimulus.commit(sample.select_ready, sample.input_ready);
    }
    Ok(out)
}

/// The first difference of two outcomes, in words; `None` when they agree in every bit and cycle.
pub fn difference(a: &Outcome, b: &Outcome) -> Option<String> {
    for (i, (x, y)) in a.beats.iter().zip(&b.beats).enumerate() {
        if x.data != y.data {
            let lane = x
                .data
                .iter()
                .zip(&y.data)
                .position(|(x, y)| x != y)
                .unwrap_or(0);
            return Some(format!(
                "output beat {i}, lane {lane}: {:04x} against {:04x} (cycles {} and {})",
                x.data[lane], y.data[lane], x.cycle, y.cycle
            ));
        }
        if x.cycle != y.cycle {
            return Some(format!(
                "output beat {i}: cycle {} against {}",
                x.cycle, y.cycle
            ));
        }
        if x.last != y.last {
            return Some(format!(
                "output beat {i}: last {} against {}",
                x.last, y.last
            ));
        }
    }
    if a.beats.len() != b.beats.len() {
        return Some(format!(
            "{} output beats against {}",
            a.beats.len(),
            b.beats.len()
        ));
    }
    for (i, (x, y)) in a.ticks.iter().zip(&b.ticks).enumerate() {
        if x != y {
            return Some(format!("tick {i}: {x:?} against {y:?}"));
        }
    }
    if let Some(i) = a
        .handshakes
        .iter()
        .zip(&b.handshakes)
        .position(|(x, y)| x != y)
    {
        return Some(format!(
            "cycle {i}: select ready, input ready, output valid, last {:04b} against {:04b}",
            a.handshakes[i].reverse_bits() >> 4,
            b.handshakes[i].reverse_bits() >> 4
        ));
    }
    if a.handshakes.len() != b.handshakes.len() {
        return Some(format!("{} cycles against {}", a.cycles(), b.cycles()));
    }
    (a != b).then(|| format!("status {:?} against {:?}", a.status, b.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        let beat = |cycle| OutBeat {
            cycle,
            last: true,
            data: vec![1, 2, 3, 4],
        };
        Outcome {
            beats: vec![beat(10), beat(20)],
            accepts: vec![2],
            handshakes: vec![1, 3, 7],
            ticks: vec![(3, Tick { pc: 1, parity: 0 })],
            status: Status::default(),
        }
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        let a = outcome();
        assert_eq!(difference(&a, &a), None);
        let changes: [fn(&mut Outcome); 8] = [
            |o| o.beats[1].data[2] ^= 1,
            |o| o.beats[1].cycle += 1,
            |o| o.beats[1].last = false,
            |o| drop(o.beats.pop()),
            |o| o.ticks[0].1.pc = 2,
            |o| o.handshakes[2] = 3,
            |o| o.handshakes.push(0),
            |o| o.status.jobs_done += 1,
        ];
        for change in changes {
            let mut b = outcome();
            change(&mut b);
            assert!(difference(&a, &b).is_some(), "{b:?}");
            assert!(difference(&b, &a).is_some(), "{b:?}");
        }
    }
}
