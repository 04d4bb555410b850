//! `sluice cosim`: a program on the Verilated RTL, held against the VM.
//!
//! **Contract.** Random jobs of all models, interleaved, under stall patterns; every pin is compared in every cycle, so bits and cycles of every
//! output beat among them. The model of a configuration is built once and found in the cache of `build/` afterwards.
//! **Errors.** [`CliError::Verilator`] for missing tools, [`CliError::Suite`] for what the RTL or its build says, and for a difference.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde::Serialize;
use sluice_isa::{Program, TensorInfo};
use sluice_sim::{Job, StallPattern};
use sluice_suite::{Executor as _, Outcome as Run, SuiteError, VmExecutor, difference};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::Toolchain;

use super::{Outcome, metrics};
use crate::build::{self, ModelArgs};
use crate::config_args::OptionalConfigArgs;
use crate::error::{CliError, Result};
use crate::rng::Rng;
use crate::table::Table;
use crate::{progress, table};

const EXAMPLES: &str = "\
Examples:
  sluice cosim mlp.sluice
  sluice cosim mlp.nnir cnn.onnx --config c2b8 --streaming-transform none --streaming-transform 2
  sluice cosim mlp.sluice --jobs 100 --seed 7 --stalls free --json
  SLUICE_TRACE=waves sluice cosim mlp.sluice --jobs 2 --stalls free";

/// Run a program on the Verilated RTL and compare every pin of every cycle with the VM
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Cosim {
    /// A program file, or models (.nnir, .onnx) to compile with --config or --config-file
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    config: OptionalConfigArgs,
    #[command(flatten)]
    args: ModelArgs,
    /// Random inferences per stall pattern, the models in turn
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    jobs: u32,
    /// Seed of inputs, stalls and the power-up state of memories
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Who holds the streams back
    #[arg(long, value_enum, default_value_t = Stalls::All)]
    stalls: Stalls,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Stalls {
    /// Nobody
    Free,
    /// Every combination of source, sink and select timing
    All,
}

#[derive(Serialize)]
struct Pattern {
    stalls: String,
    select: String,
    jobs: usize,
    beats: usize,
    cycles: usize,
    equal: bool,
}

#[derive(Serialize)]
struct Report {
    configuration: String,
    models: Vec<String>,
    seed: u64,
    model_from_cache: bool,
    model_seconds: f64,
    patterns: Vec<Pattern>,
}

impl Cosim {
    pub fn run(&self) -> Result<Outcome> {
        let program = Arc::new(self.program()?);
        let config = &program.config;
        Toolchain::find()?;
        let bar = progress::bar(1, "RTL model");
        bar.set_message(format!("{} (seconds to minutes, then cached)", config.name));
        let mut rtl = RtlExecutor::new(config)?.reuse();
        bar.finish_and_clear();

        let jobs = jobs(&program, self.jobs, self.seed);
        let patterns = match self.stalls {
            Stalls::Free => vec![StallPattern {
                seed: self.seed,
                ..StallPattern::FREE
            }],
            Stalls::All => StallPattern::all(self.seed),
        };
        let start = Instant::now();
        let bar = progress::bar(patterns.len(), "comparing");
        let mut rows = Vec::with_capacity(patterns.len());
        for pattern in &patterns {
            bar.set_message(format!("stalls: {:?}", pattern.stalls));
            let expected = VmExecutor.run(&program, &jobs, pattern)?;
            let found = rtl.run(&program, &jobs, pattern)?;
            compare(pattern, &expected, &found)?;
            rows.push(Pattern {
                stalls: format!("{:?}", pattern.stalls),
                select: format!("{:?}", pattern.select),
                jobs: jobs.len(),
                beats: found.beats.len(),
                cycles: found.cycles(),
                equal: true,
            });
            bar.inc(1);
        }
        bar.finish_and_clear();
        let report = Report {
            configuration: config.name.clone(),
            models: program.models.iter().map(|m| m.name.clone()).collect(),
            seed: self.seed,
            model_from_cache: rtl.from_cache(),
            model_seconds: rtl.build_time().as_secs_f64(),
            patterns: rows,
        };
        if self.json {
            return Outcome::json(&report);
        }
        Ok(Outcome::ok(text(&report, start.elapsed().as_secs_f64())))
    }

    fn program(&self) -> Result<Program> {
        let is_model = |path: &PathBuf| {
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            matches!(extension.as_deref(), Some("nnir" | "onnx"))
        };
        let config = self.config.load()?;
        match (self.files.as_slice(), config) {
            ([file], config) if !is_model(file) => {
                let program = metrics::load(file)?;
                if let Some(config) = config {
                    program.check_machine(&config)?;
                }
                Ok(program)
            }
            (files, Some(config)) => Ok(build::program(files, &self.args, &config)?.build()?),
            (_, None) => Err(CliError::Usage(
                "models are compiled first: for which accelerator? give --config or --config-file"
                    .into(),
            )),
        }
    }
}

/// Jobs of all models in turn, with uniform inputs in -1..1.
fn jobs(program: &Program, count: u32, seed: u64) -> Vec<Job> {
    let block = program.config.block_size as usize;
    let mut rng = Rng::new(seed);
    let mut beats = |t: &TensorInfo| -> Vec<Vec<u16>> {
        let values: Vec<f32> = (0..t.num_elements()).map(|_| rng.unit()).collect();
        let words = t.words(&values);
        let lane = |l: Option<usize>| l.map_or(0, |at| words[at]);
        let layout = t.layout(block).into_iter();
        layout
            .map(|lanes| lanes.into_iter().map(lane).collect())
            .collect()
    };
    let models = (0u16..).zip(&program.models).cycle();
    models
        .take(usize::try_from(count).unwrap_or(usize::MAX))
        .map(|(model, m)| Job {
            model,
            beats: m.inputs.iter().flat_map(&mut beats).collect(),
        })
        .collect()
}

fn compare(pattern: &StallPattern, expected: &Run, found: &Run) -> Result<()> {
    match difference(expected, found) {
        Some(d) => Err(SuiteError::Mismatch(format!(
            "VM against RTL, stalls {:?}, select {:?}, seed {}: {d}; please report it",
            pattern.stalls, pattern.select, pattern.seed
        ))
        .into()),
        None => Ok(()),
    }
}

fn text(report: &Report, seconds: f64) -> String {
    let mut t = Table::new(&["stalls", "select", "jobs", "beats", "cycles", "RTL == VM"]);
    for p in &report.patterns {
        t.row([
            p.stalls.clone(),
            p.select.clone(),
            p.jobs.to_string(),
            p.beats.to_string(),
            p.cycles.to_string(),
            "yes".into(),
        ]);
    }
    let total = |f: fn(&Pattern) -> usize| report.patterns.iter().map(f).sum::<usize>();
    format!(
        "configuration {}: RTL model {} in {:.1} s; models {}\n{}RTL == VM: {}, {}, {}, every pin, in {seconds:.1} s (seed {})\n",
        report.configuration,
        if report.model_from_cache {
            "found in the cache"
        } else {
            "Verilated"
        },
        report.model_seconds,
        report.models.join(", "),
        t.text(),
        table::count(total(|p| p.jobs), "job"),
        table::count(total(|p| p.beats), "beat"),
        table::count(total(|p| p.cycles), "cycle"),
        report.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use sluice_sim::OutBeat;

    #[test]
    fn a_flipped_bit_and_a_late_beat_are_seen() {
        let run = Run {
            beats: vec![OutBeat {
                cycle: 9,
                last: true,
                data: vec![1, 2],
            }],
            ..Run::default()
        };
        assert!(compare(&StallPattern::FREE, &run, &run).is_ok());
        let mut flipped = run.clone();
        flipped.beats[0].data[1] ^= 1;
        let mut late = run.clone();
        late.beats[0].cycle += 1;
        for other in [flipped, late] {
            let error = compare(&StallPattern::FREE, &run, &other).unwrap_err();
            assert_eq!((error.code(), error.exit()), ("SL-T005", Exit::Bug));
            assert!(error.line().contains("output beat 0"), "{error}");
        }
    }
}
