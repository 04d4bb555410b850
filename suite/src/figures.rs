//! Latencies: what the compiler says, what a device shows at its pins, what others publish.
//!
//! | figure | unit | meaning |
//! |--------|------|---------|
//! | spaced | cycles | first accepted input beat to last output beat, both inclusive, of an isolated job whose select came well before |
//! | contiguous | cycles | steady-state distance of the last output beats of back-to-back jobs of one model |
//! | floor | cycles | weight blocks over cores: no schedule of dense layers can be shorter |
//!
//! **Contract.** [`measure`] drives any device through the same pins, so the VM's and the RTL's figures are comparable by construction.
//! **Errors.** Those of the device; [`SuiteError::Stuck`].

use std::fmt::Write as _;
use std::sync::Arc;

use sluice_isa::{HardwareConfig, Program};
use sluice_sim::{Job, Pins, StallPattern};

use crate::bundle::Bundle;
use crate::device::{Device, Executor, Sample, spans};
use crate::error::SuiteError;
use crate::models::Published;
use crate::rng::Rng;

/// Cycles without a tick after which everything that needs no input is done.
const QUIET: u64 = 32;
/// Back-to-back jobs; the last distance is the steady state.
const JOBS: usize = 8;

/// Cycles of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// Isolated.
    pub spaced: u64,
    /// Back to back.
    pub contiguous: u64,
}

impl std::fmt::Display for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} / {}", self.spaced, self.contiguous)
    }
}

/// What the compiler promises.
pub fn promised(program: &Program, model: usize) -> Option<Latency> {
    program.models.get(model).map(|m| Latency {
        spaced: m.cycles_spaced.into(),
        contiguous: m.cycles_contiguous.into(),
    })
}

/// What an executor's device shows.
pub fn measure(
    executor: &mut dyn Executor,
    bundle: &Bundle,
    model: usize,
) -> Result<Latency, SuiteError> {
    let mut rng = Rng::labelled(1, "latency");
    let requests: Vec<_> = (0..JOBS).map(|_| bundle.request(model, &mut rng)).collect();
    let jobs = bundle.jobs(&requests, 1);
    let name = executor.name();
    let spaced = {
        let mut device = executor.device(&bundle.program, 1)?;
        // The second job counts: the model is initialised and the machine has seen work.
        isolated(&name, device.as_mut(), &bundle.program, &jobs[0])?;
        isolated(&name, device.as_mut(), &bundle.program, &jobs[1])?
    };
    let run = executor.run(&bundle.program, &jobs, &StallPattern::FREE)?;
    let spans = spans(&bundle.program, &jobs, &run);
    let contiguous = match spans[..] {
        [.., a, b] => b.last_output - a.last_output,
        _ => 0,
    };
    Ok(Latency { spaced, contiguous })
}

/// Spaced cycles of one job on an idle device.
pub fn isolated(
    name: &str,
    device: &mut dyn Device,
    program: &Arc<Program>,
    job: &Job,
) -> Result<u64, SuiteError> {
    let expected = program
        .models
        .get(usize::from(job.model))
        .map_or(0, |m| m.n_out as usize);
    let mut sample = Sample::default();
    let (mut cycle, mut quiet, mut beat, mut taken) = (0_u64, 0_u64, 0, 0);
    let (mut selected, mut first, mut last) = (false, None, 0);
    let done_before = loop {
        let pins = Pins {
            select_valid: !selected,
            select_data: job.model,
            input_valid: quiet > QUIET && beat < job.beats.len(),
            input_data: job.beats.get(beat).map_or(&[], Vec::as_slice),
            output_ready: true,
            enable: true,
            reset: false,
        };
        device.step(&pins, &mut sample)?;
        selected |= sample.select_ready;
        quiet = if beat > 0 || sample.tick.is_none() {
            quiet + 1
        } else {
            0
        };
        if pins.input_valid && sample.input_ready {
            first.get_or_insert(cycle);
            beat += 1;
        }
        if sample.output_valid {
            taken += 1;
            last = cycle;
        }
        cycle += 1;
        if taken >= expected && beat >= job.beats.len() {
            break sample.status.jobs_done;
        }
        if cycle > 1_000_000 {
            return Err(SuiteError::Stuck {
                device: name.into(),
                cycle,
                beats: taken,
                expected,
            });
        }
    };
    // The job may go on for the benefit of the next one.
    let idle = Pins {
        output_ready: true,
        enable: true,
        ..Pins::default()
    };
    let mut quiet = 0;
    while quiet < 2 * QUIET {
        device.step(&idle, &mut sample)?;
        quiet = if sample.tick.is_none() && sample.status.jobs_done >= done_before {
            quiet + 1
        } else {
            0
        };
    }
    Ok(first.map_or(0, |f| last - f + 1))
}

/// One line of the comparison with published figures.
#[derive(Debug, Clone)]
pub struct Row {
    /// The published row.
    pub published: Published,
    /// Parameters.
    pub parameters: u64,
    /// The compiler's figure.
    pub promised: Latency,
    /// The VM's.
    pub vm: Latency,
    /// Another executor's, if one was asked.
    pub other: Option<Latency>,
    /// Weight blocks over cores.
    pub floor: f64,
    /// Layers of the network.
    pub layers: usize,
}

impl Row {
    /// Cycles above the floor, per layer.
    pub fn overhead(&self) -> f64 {
        let layers = u32::try_from(self.layers.max(1)).map_or(1.0, f64::from);
        (cycles(self.vm.spaced) - self.floor) / layers
    }
}

/// Cycle counts are far below 2^32.
fn cycles(n: u64) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

/// Measures published rows on a configuration.
pub fn rows(
    set: &[Published],
    config: &HardwareConfig,
    vm: &mut dyn Executor,
    mut other: Option<&mut dyn Executor>,
) -> Result<Vec<Row>, SuiteError> {
    let mut all = Vec::new();
    for &published in set {
        let net = published.network.net(1);
        let bundle = Bundle::compile(&[net], config)?;
        let m = &bundle.program.models[0];
        all.push(Row {
            published,
            parameters: m.parameters,
            promised: Latency {
                spaced: m.cycles_spaced.into(),
                contiguous: m.cycles_contiguous.into(),
            },
            vm: measure(vm, &bundle, 0)?,
            other: match &mut other {
                Some(e) => Some(measure(*e, &bundle, 0)?),
                None => None,
            },
            floor: cycles(m.weight_blocks) / f64::from(config.num_cores),
            layers: published.network.layers(),
        });
    }
    Ok(all)
}

/// Published counts of one board, by row.
pub type Board = (&'static str, fn(&Published) -> (u32, u32));

/// Boards with six cores of block size 32.
pub const BOARDS_C6B32: &[Board] = &[("V80", |p| p.v80), ("IA-420f", |p| p.ia420f)];
/// Boards with three cores of block size 64.
pub const BOARDS_C3B64: &[Board] = &[("IA-840f", |p| p.ia840f)];

/// Geometric means of our cycles over a board's, spaced and contiguous.
pub fn ratios(rows: &[Row], board: Board) -> (f64, f64) {
    let n = u32::try_from(rows.len().max(1)).map_or(1.0, f64::from);
    let mean = |ratio: &dyn Fn(&Row) -> f64| {
        let logs: f64 = rows.iter().map(|r| ratio(r).ln()).sum();
        (logs / n).exp()
    };
    (
        mean(&|r| cycles(r.vm.spaced) / f64::from(board.1(&r.published).0)),
        mean(&|r| cycles(r.vm.contiguous) / f64::from(board.1(&r.published).1)),
    )
}

/// The comparison as text.
pub fn table(config: &HardwareConfig, rows: &[Row], boards: &[Board]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} cores of block size {}: cycles spaced / contiguous, ours measured at the pins (first input beat to last output beat)",
        config.num_cores, config.block_size
    );
    let mut head = format!("{:<16} {:>10} {:>13}", "network", "parameters", "ours");
    for b in boards {
        let _ = write!(head, " {:>13} {:>13}", b.0, "ratios");
    }
    let _ = writeln!(text, "{head} {:>7} {:>15}", "floor", "overhead/layer");
    for r in rows {
        let mut line = format!(
            "{:<16} {:>10} {:>13}",
            r.published.name,
            r.parameters,
            r.vm.to_string()
        );
        for b in boards {
            let p = b.1(&r.published);
            let _ = write!(
                line,
                " {:>13} {:>13}",
                format!("{} / {}", p.0, p.1),
                format!(
                    "{:.3} / {:.3}",
                    cycles(r.vm.spaced) / f64::from(p.0),
                    cycles(r.vm.contiguous) / f64::from(p.1)
                )
            );
        }
        let _ = writeln!(text, "{line} {:>7.1} {:>15.1}", r.floor, r.overhead());
    }
    for &b in boards {
        let (spaced, contiguous) = ratios(rows, b);
        let _ = writeln!(
            text,
            "geometric means of the ratios to {}: {spaced:.3} / {contiguous:.3}",
            b.0
        );
    }
    text
}
