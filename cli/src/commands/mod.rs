//! The commands, one file each.
//!
//! **Contract.** A command returns everything it has to say as an [`Outcome`]; only progress is written before the end.
//! **Errors.** [`CliError`](crate::error::CliError).

mod compile;
mod config;
mod cosim;
mod doctor;
mod example;
mod load_image;
mod metrics;
mod rtl;
mod run;
mod schedule;

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::error::{CliError, Exit, Result};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  what was given is at fault: a file, a model that does not fit, a missing tool
  2  the command line is at fault
  3  sluice is at fault; please report it

Examples:
  sluice example mlp -o mlp.nnir
  sluice compile mlp.nnir --config c6b32 -o mlp.sluice
  sluice run mlp.sluice --random 1
  sluice rtl --config c6b32 -o rtl --program mlp.sluice";

/// Neural networks in, streaming accelerator out.
#[derive(Debug, Parser)]
#[command(name = "sluice", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compile(compile::Compile),
    Run(run::Run),
    Metrics(metrics::Metrics),
    Schedule(schedule::Schedule),
    Rtl(rtl::Rtl),
    LoadImage(load_image::LoadImage),
    Cosim(cosim::Cosim),
    Config(config::Config),
    Example(example::Example),
    Doctor(doctor::Doctor),
}

/// What a command has to say.
#[derive(Debug)]
pub struct Outcome {
    /// For the output stream.
    pub text: String,
    /// Exit code.
    pub exit: Exit,
}

impl Outcome {
    /// Done.
    pub const fn ok(text: String) -> Self {
        Self {
            text,
            exit: Exit::Ok,
        }
    }

    /// Done, as JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        Ok(Self::ok(to_json(value)?))
    }
}

fn to_json(value: &impl Serialize) -> Result<String> {
    let text =
        serde_json::to_string_pretty(value).map_err(|e| CliError::Internal(e.to_string()))?;
    Ok(text + "\n")
}

/// Runs the command asked for.
pub fn run(cli: Cli) -> Result<Outcome> {
    match cli.command {
        Command::Compile(c) => c.run(),
        Command::Run(c) => c.run(),
        Command::Metrics(c) => c.run(),
        Command::Schedule(c) => c.run(),
        Command::Rtl(c) => c.run(),
        Command::LoadImage(c) => c.run(),
        Command::Cosim(c) => c.run(),
        Command::Config(c) => c.run(),
        Command::Example(c) => c.run(),
        Command::Doctor(c) => c.run(),
    }
}
