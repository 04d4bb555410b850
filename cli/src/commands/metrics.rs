//! `sluice metrics`: what a program file costs and holds, and whether the VM counts the same cycles.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use sluice_isa::Program;
use sluice_sim::Vm;

use super::Outcome;
use crate::error::{CliError, Result};
use crate::report::Report;
use crate::{progress, table};

const EXAMPLES: &str = "\
Examples:
  sluice metrics mlp.sluice
  sluice metrics mlp.sluice --measure
  sluice metrics mlp.sluice --json";

/// Show latency and store usage of a program file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Metrics {
    /// Program file
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// Count the cycles of every model on the VM and compare them with the program's figures
    #[arg(long)]
    measure: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Reads a program file.
pub fn load(path: &std::path::Path) -> Result<Program> {
    Program::load(path).map_err(|e| CliError::file(path, e))
}

impl Metrics {
    pub fn run(&self) -> Result<Outcome> {
        let program = load(&self.program)?;
        let report = Report::new(&program);
        let models = program.models.len();
        if self.measure {
            measure(program)?;
        }
        if self.json {
            return Outcome::json(&report);
        }
        let measured = if self.measure {
            format!(
                "\nthe VM counts the same cycles for {}\n",
                table::count(models, "model")
            )
        } else {
            String::new()
        };
        Ok(Outcome::ok(format!(
            "{}{}\n{}{measured}",
            report.headline(),
            report.models_table(),
            report.stores_table()
        )))
    }
}

fn measure(program: Program) -> Result<()> {
    let vm = Vm::new(Arc::new(program))?;
    let models = &vm.program().models;
    let bar = progress::bar(models.len(), "measuring");
    for (i, m) in models.iter().enumerate() {
        bar.set_message(m.name.clone());
        let figures = [
            ("spaced", m.cycles_spaced, vm.spaced(i)?),
            ("contiguous", m.cycles_contiguous, vm.contiguous(i)?),
        ];
        for (kind, stated, measured) in figures {
            if u64::from(stated) != measured {
                return Err(CliError::Cycles {
                    model: m.name.clone(),
                    kind,
                    stated: stated.into(),
                    measured,
                });
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}
