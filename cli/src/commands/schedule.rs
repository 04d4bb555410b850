//! `sluice schedule`: what every unit does in every tick, as text and as a picture.

use std::path::PathBuf;

use clap::Args;
use sluice_compiler::backend::listing;

use super::Outcome;
use crate::build::{self, ModelArgs};
use crate::config_args::ConfigArgs;
use crate::error::{CliError, Result};
use crate::gantt;

const EXAMPLES: &str = "\
Examples:
  sluice schedule mlp.nnir --config c6b32
  sluice schedule mlp.nnir --config c6b32 --svg mlp.svg
  sluice schedule cnn.nnir --config c6b32 --streaming-transform 2 --svg cnn.svg";

/// Show the schedule of a model, tick by tick
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Schedule {
    /// Model file, .nnir or .onnx
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    args: ModelArgs,
    /// Draw it into this file instead of listing it
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

impl Schedule {
    pub fn run(&self) -> Result<Outcome> {
        let config = self.config.load()?;
        let builder = build::program(std::slice::from_ref(&self.model), &self.args, &config)?;
        let Some(model) = builder.models().first() else {
            return Err(CliError::Internal("a compiled model is missing".into()));
        };
        let Some(path) = &self.svg else {
            return Ok(Outcome::ok(listing::schedule(model)));
        };
        std::fs::write(path, gantt::svg(model)).map_err(|e| CliError::io("write", path, &e))?;
        Ok(Outcome::ok(format!(
            "{}: {} ticks, {} cycles spaced; drawn into {}\n",
            model.name,
            model.schedule.ticks,
            model.schedule.spaced,
            path.display()
        )))
    }
}
