//! `sluice compile`: models to one program file.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use crate::build::{self, ModelArgs};
use crate::config_args::ConfigArgs;
use crate::error::{CliError, Result};
use crate::report::Report;

const EXAMPLES: &str = "\
Examples:
  sluice compile mlp.nnir --config c6b32 -o mlp.sluice
  sluice compile cnn.nnir --config c6b32 --streaming-transform 2 -o cnn.sluice
  sluice compile a.nnir b.nnir --config-file board.json --model-name first --model-name second -o both.sluice
  sluice compile mlp.nnir --config c6b32 -o mlp.sluice --json";

/// Compile models into one program file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Compile {
    /// Model files, .nnir or .onnx; the first becomes model 0 of the program
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Program file to write
    #[arg(short, long, value_name = "FILE", default_value = "program.sluice")]
    output: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    args: ModelArgs,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

impl Compile {
    pub fn run(&self) -> Result<Outcome> {
        if self.models.contains(&self.output) {
            return Err(CliError::Usage(format!(
                "--output {} would overwrite a model; choose another name",
                self.output.display()
            )));
        }
        let config = self.config.load()?;
        let program = build::program(&self.models, &self.args, &config)?.build()?;
        program.save(&self.output)?;
        let report = Report::new(&program);
        if self.json {
            return Outcome::json(&report);
        }
        Ok(Outcome::ok(format!(
            "{}{}written to {}\n",
            report.headline(),
            report.models_table(),
            self.output.display()
        )))
    }
}
