//! A queue of jobs through a [`Machine`], beat by beat.
//!
//! **Contract.** The pins are those of [`Stimulus`]; the result is every output beat taken, with the cycle counted from the first cycle
//! of the run. The run ends when all beats are consumed, all jobs with a valid model are done and all their output is taken.
//! **Errors.** Those of the machine, and [`SimError::Stuck`] when nothing moves for a long time.

use crate::error::SimError;
use crate::machine::Machine;
use crate::stimulus::{Job, StallPattern, Stimulus};

/// An output beat that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutBeat {
    /// Cycle, 0 = first cycle of the run.
    pub cycle: u64,
    /// It ends a tensor.
    pub last: bool,
    /// Its block.
    pub data: Vec<u16>,
}

/// Runs the jobs under a stall pattern.
pub fn run_stream(
    machine: &mut Machine,
    jobs: &[Job],
    pattern: &StallPattern,
) -> Result<Vec<OutBeat>, SimError> {
    let models = machine.program().models.clone();
    let mut expected = 0;
    for job in jobs {
        if let Some(m) = models.get(usize::from(job.model)) {
            expected += m.n_out as usize;
        }
    }
    let patience = 10_000 + 64 * machine.program().control.len() as u64;
    let mut stimulus = Stimulus::new(jobs, *pattern);
    let mut beats = Vec::with_capacity(expected);
    let mut progress = 0;
    while !(stimulus.exhausted()
        && beats.len() >= expected
        && machine.dispatcher().idle()
        && machine.drained())
    {
        let cycle = stimulus.cycle();
        if cycle - progress > patience {
            return Err(SimError::Stuck {
                model: String::from("(stream)"),
                cycle,
                what: format!("{} of {expected} output beats have come", beats.len()),
            });
        }
        let pins = stimulus.pins();
        let out = machine.step(&pins)?;
        if out.output_valid && pins.output_ready {
            beats.push(OutBeat {
                cycle,
                last: out.output_last,
                data: out.output_data.to_vec(),
            });
            progress = cycle;
        }
        if (pins.select_valid && out.select_ready) || (pins.input_valid && out.input_ready) {
            progress = cycle;
        }
        let (s, i) = (out.select_ready, out.input_ready);
        stimulus.commit(s, i);
    }
    Ok(beats)
}
