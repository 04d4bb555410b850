//! `sluice load-image`: a program as the words that load it over the configuration bus.
//!
//! **Contract.** 32-bit words, little-endian, laid out as `sluice_isa::load_image` says; same program, same bytes.
//! **Errors.** A program that cannot be read, a file that cannot be written.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use sluice_isa::load_image::{load_image, to_bytes};

use super::{Outcome, metrics};
use crate::error::{CliError, Result};

const EXAMPLES: &str = "\
Examples:
  sluice load-image mlp.sluice -o mlp.load
  sluice load-image mlp.sluice -o mlp.load --json

docs/cli.md has the layout of the file, docs/bus.md what to write where.";

/// Write a program as the words that load it over the configuration bus
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LoadImage {
    /// Program file
    #[arg(value_name = "PROGRAM")]
    program: PathBuf,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    config_hash: String,
    program_checksum: String,
    words: usize,
}

impl LoadImage {
    pub fn run(&self) -> Result<Outcome> {
        if self.program == self.output {
            return Err(CliError::Usage(format!(
                "--output {} would overwrite the program; choose another name",
                self.output.display()
            )));
        }
        let program = metrics::load(&self.program)?;
        let image = load_image(&program)?;
        std::fs::write(&self.output, to_bytes(&image))
            .map_err(|e| CliError::io("write", &self.output, &e))?;
        let &[_, _, hash_low, hash_high, checksum, ..] = image.as_slice() else {
            return Err(CliError::Internal("a load image without header".into()));
        };
        let report = Report {
            config_hash: format!("{hash_high:08x}{hash_low:08x}"),
            program_checksum: format!("{checksum:08x}"),
            words: image.len(),
        };
        if self.json {
            return Outcome::json(&report);
        }
        Ok(Outcome::ok(format!(
            "configuration {} (hash {}): {} words, checksum {}, written to {}\n",
            program.config.name,
            report.config_hash,
            report.words,
            report.program_checksum,
            self.output.display()
        )))
    }
}
