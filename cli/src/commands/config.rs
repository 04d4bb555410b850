//! `sluice config`: the accelerators a program can be compiled for.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use sluice_isa::{HardwareConfig, presets};

use super::Outcome;
use crate::config_args;
use crate::error::{CliError, Result};
use crate::table::Table;

const EXAMPLES: &str = "\
Examples:
  sluice config
  sluice config c6b32
  sluice config c6b32 --save board.json
  sluice config board.json";

/// List configurations, or show, save or check one
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Config {
    /// A named configuration, or a .json file to check
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Write it as JSON, to edit and give back with --config-file
    #[arg(long, value_name = "FILE", requires = "name")]
    save: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Config {
    pub fn run(&self) -> Result<Outcome> {
        let Some(name) = &self.name else {
            return self.list();
        };
        let path = Path::new(name);
        let config = if path.extension().is_some_and(|e| e == "json") {
            config_args::from_file(path)?
        } else {
            presets::preset(name)?
        };
        let mut text = if self.json {
            config.to_json()
        } else {
            fields(&config)?
        };
        if let Some(path) = &self.save {
            config.save(path)?;
            if !self.json {
                let _ = writeln!(text, "\nwritten to {}", path.display());
            }
        }
        Ok(Outcome::ok(text))
    }

    fn list(&self) -> Result<Outcome> {
        let all = presets::names()
            .into_iter()
            .map(presets::preset)
            .collect::<Result<Vec<_>, _>>()?;
        if self.json {
            return Outcome::json(&all);
        }
        let mut t = Table::new(&[
            "name", "cores", "block", "weights", "ticks", "models", "MHz",
        ]);
        for c in &all {
            t.row([
                c.name.clone(),
                c.num_cores.to_string(),
                c.block_size.to_string(),
                c.weight_capacity().to_string(),
                c.instr_store_depth.to_string(),
                c.max_models.to_string(),
                c.clock_mhz.to_string(),
            ]);
        }
        Ok(Outcome::ok(t.text()))
    }
}

fn fields(config: &HardwareConfig) -> Result<String> {
    let value = serde_json::to_value(config).map_err(|e| CliError::Internal(e.to_string()))?;
    let mut t = Table::new(&["field", "value"]);
    for (field, value) in value.as_object().into_iter().flatten() {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        t.row([field.clone(), value]);
    }
    t.row([
        "(weights it holds)".to_owned(),
        config.weight_capacity().to_string(),
    ]);
    Ok(t.text())
}
