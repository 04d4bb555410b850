//! `sluice rtl`: the accelerator as SystemVerilog, and a program as memory images.
//!
//! **Contract.** Modules go into the folder itself, images into `images/` under it: set the top's `InitDir` to that.
//! **Errors.** A program of another configuration, a folder that cannot be written.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use sluice_hdl::{Generator, images};

use super::{Outcome, metrics};
use crate::config_args::OptionalConfigArgs;
use crate::error::{CliError, Result};

const EXAMPLES: &str = "\
Examples:
  sluice rtl --config c6b32 -o rtl
  sluice rtl --config-file board.json -o rtl
  sluice rtl --config c6b32 --load-stream 128 -o rtl
  sluice rtl --program mlp.sluice -o rtl";

/// Write the accelerator as SystemVerilog
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Rtl {
    #[command(flatten)]
    config: OptionalConfigArgs,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Also write memory images of this program, for an accelerator that wakes up with it
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Add an AXI4-Stream for loading programs, so many bits wide: 32, 64, 128, 256 or 512
    #[arg(
        long,
        value_name = "BITS",
        default_value_t = 0,
        hide_default_value = true
    )]
    load_stream: u32,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    manifest: sluice_hdl::Manifest,
    images: Vec<String>,
}

impl Rtl {
    pub fn run(&self) -> Result<Outcome> {
        let program = self.program.as_deref().map(metrics::load).transpose()?;
        let config = match (self.config.load()?, &program) {
            (Some(config), Some(program)) => {
                program.check_machine(&config)?;
                config
            }
            (Some(config), None) => config,
            (None, Some(program)) => program.config.clone(),
            (None, None) => {
                return Err(CliError::Usage(
                    "for which accelerator? give --config, --config-file or --program".into(),
                ));
            }
        };
        let manifest = Generator::new(&config)?
            .load_stream(self.load_stream)?
            .emit(&self.output)?;
        let folder = self.output.join("images");
        let images = match &program {
            Some(program) => images(program, &folder)?,
            None => vec![],
        };
        if self.json {
            return Outcome::json(&Report { manifest, images });
        }
        let mut text = format!(
            "configuration {}: top {}, {} files in {}; compile with -f {}\n",
            config.name,
            manifest.top,
            manifest.digests.len() + 1,
            self.output.display(),
            self.output.join(sluice_hdl::generator::FILE_LIST).display()
        );
        if program.is_some() {
            let _ = writeln!(
                text,
                "{} memory images in {}; preload them with InitDir = \"{}\"",
                images.len(),
                folder.display(),
                folder.display()
            );
        }
        Ok(Outcome::ok(text))
    }
}
