//! `--config` and `--config-file`: which accelerator.
//!
//! **Errors.** [`CliError::Isa`] for a preset that is not there, [`CliError::File`] for a file that does not hold one.

use std::path::{Path, PathBuf};

use clap::Args;
use sluice_isa::{HardwareConfig, presets};

use crate::error::{CliError, Result};

/// The accelerator, required.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ConfigArgs {
    /// Named configuration, e.g. c6b32; `sluice config` lists them
    #[arg(short, long, value_name = "NAME")]
    config: Option<String>,
    /// Configuration from a JSON file, as `sluice config NAME --save FILE` writes it
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// The accelerator, when something else may say it.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct OptionalConfigArgs {
    /// Named configuration, e.g. c6b32; `sluice config` lists them
    #[arg(short, long, value_name = "NAME")]
    config: Option<String>,
    /// Configuration from a JSON file, as `sluice config NAME --save FILE` writes it
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
}

impl ConfigArgs {
    /// The configuration, valid.
    pub fn load(&self) -> Result<HardwareConfig> {
        load(self.config.as_deref(), self.config_file.as_deref())?
            .ok_or_else(|| CliError::Internal("no configuration was asked for".into()))
    }
}

impl OptionalConfigArgs {
    /// The configuration, if one is named.
    pub fn load(&self) -> Result<Option<HardwareConfig>> {
        load(self.config.as_deref(), self.config_file.as_deref())
    }
}

fn load(name: Option<&str>, path: Option<&Path>) -> Result<Option<HardwareConfig>> {
    if let Some(name) = name {
        return Ok(Some(presets::preset(name)?));
    }
    path.map(from_file).transpose()
}

/// The configuration in a JSON file.
pub fn from_file(path: &Path) -> Result<HardwareConfig> {
    HardwareConfig::load(path).map_err(|e| CliError::file(path, e))
}
