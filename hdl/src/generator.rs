//! Writes an accelerator for one configuration into a folder.
//!
//! | file | content |
//! |------|---------|
//! | `sl_top.sv`, `sl_core_block.sv` | generated accelerator and core |
//! | `sl_ip_top.sv` | generated top level: the accelerator with its configuration bus |
//! | `sl_example.sv` | an example around it: one stream in, one out, no host |
//! | `sl_cdc.sdc` | timing constraints of the clock crossings, for any tool |
//! | `sl_cdc*`, `sl_clocks.*`, `sl_quartus.tcl`, `sl_vivado.tcl` | the same in the vendors' words, and their scripts: [`constraints`] |
//! | `sl_*.sv`, `sl_*.svh`, `sl_*.v` | the hand-written modules, unchanged |
//! | `sl_verilator.vlt` | control file for fast Verilator models |
//! | `sl_filelist.f` | all of them in compile order, paths relative to the folder |
//! | `sluice.core`, `Bender.yml`, `sl_*.ipxact.xml`, `sl_*_hw.tcl` | the same as packages: [`packaging`] |
//! | `config.json` | the configuration |
//! | `manifest.json` | [`Manifest`] |
//!
//! **Contract.** Same configuration and load stream, same bytes. Nothing depends on a program. Files of the folder that are already right are left
//! alone (their time stamps too); files of other names are never touched.
//! **Errors.** [`HdlError::Isa`] for an invalid configuration, [`HdlError::Io`] for a folder or file that cannot be written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sluice_isa::HardwareConfig;
use sluice_isa::load::STREAM_WORDS;

use crate::error::HdlError;
use crate::{constraints, packaging, sources, top};

/// Name of the accelerator's module, loaded through its internal port.
pub const TOP: &str = "sl_top";
/// Name of the module a design instantiates: the accelerator with its configuration bus.
pub const IP_TOP: &str = "sl_ip_top";
/// Name of the module that shows how to use it.
pub const EXAMPLE: &str = "sl_example";
/// Timing constraints of the clock crossings.
const CONSTRAINTS: (&str, &str) = ("sl_cdc.sdc", include_str!("../constraints/sl_cdc.sdc"));
/// What makes Verilator's model of it fast: a source of its command line, and the options that belong to it.
pub const VERILATOR_CONTROL: &str = "sl_verilator.vlt";
/// Options that go with [`VERILATOR_CONTROL`].
pub const VERILATOR_OPTIONS: [&str; 2] = ["-fno-dfg-scoped", "-fno-table"];
const VERILATOR_CONTROL_TEXT: &str = include_str!("../constraints/sl_verilator.vlt");
/// Name of the file list.
pub const FILE_LIST: &str = "sl_filelist.f";

/// What was emitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the generator.
    pub generator: String,
    /// Top module of a co-simulation through the internal load port.
    pub top: String,
    /// Module a design instantiates.
    pub ip_top: String,
    /// The configuration.
    pub config: HardwareConfig,
    /// 32-bit words of a load stream beat, 0 without a load stream.
    #[serde(default)]
    pub load_stream_words: u32,
    /// Files to compile, in order.
    pub compile: Vec<String>,
    /// BLAKE3 digest of every file but the manifest.
    pub digests: BTreeMap<String, String>,
}

impl Manifest {
    /// Files to compile, in order, as paths in the folder they were emitted to.
    pub fn compile_paths(&self, dir: &Path) -> Vec<PathBuf> {
        self.compile.iter().map(|f| dir.join(f)).collect()
    }
}

/// Generator for one validated configuration.
#[derive(Debug, Clone)]
pub struct Generator {
    config: HardwareConfig,
    load_stream_words: u32,
}

impl Generator {
    /// Checks the configuration.
    pub fn new(config: &HardwareConfig) -> Result<Self, HdlError> {
        config.validate()?;
        Ok(Self {
            config: config.clone(),
            load_stream_words: 0,
        })
    }

    /// Gives `sl_ip_top` a load stream so many bits wide: 32 times one of [`STREAM_WORDS`], or 0 for none.
    pub fn load_stream(mut self, bits: u32) -> Result<Self, HdlError> {
        if bits != 0 && !STREAM_WORDS.iter().any(|words| 32 * words == bits) {
            return Err(HdlError::LoadStream { bits });
        }
        self.load_stream_words = bits / 32;
        Ok(self)
    }

    /// Every file but the manifest, as text.
    pub fn files(&self) -> Result<BTreeMap<String, String>, HdlError> {
        let mut files = BTreeMap::new();
        for source in sources::all() {
            files.insert(source.name.to_owned(), source.text.to_owned());
        }
        for (name, text) in top::render(&self.config, self.load_stream_words)? {
            files.insert(name.into(), text);
        }
        files.insert(
            format!("{EXAMPLE}.sv"),
            top::example(&self.config, self.load_stream_words)?,
        );
        let ports = |top: &str| packaging::ports(top, &files[&format!("{top}.sv")]);
        let (ip_ports, core_ports) = (ports(IP_TOP)?, ports(TOP)?);
        for (name, text) in constraints::render(&self.config, &compile_order(), &ip_ports)? {
            files.insert(name.into(), text);
        }
        for (name, text) in packaging::render(&self.config, &compile_order(), ip_ports, core_ports)?
        {
            files.insert(name, text);
        }
        let list = compile_order().join("\n");
        files.insert(FILE_LIST.into(), format!("+incdir+.\n{list}\n"));
        files.insert("config.json".into(), self.config.to_json());
        files.insert(CONSTRAINTS.0.into(), CONSTRAINTS.1.into());
        files.insert(VERILATOR_CONTROL.into(), VERILATOR_CONTROL_TEXT.into());
        Ok(files)
    }

    /// Writes everything into `dir`, which is created if need be.
    pub fn emit(&self, dir: &Path) -> Result<Manifest, HdlError> {
        let files = self.files()?;
        let manifest = Manifest {
            generator: format!("sluice-hdl {}", env!("CARGO_PKG_VERSION")),
            top: TOP.into(),
            ip_top: IP_TOP.into(),
            config: self.config.clone(),
            load_stream_words: self.load_stream_words,
            compile: compile_order(),
            digests: files
                .iter()
                .map(|(name, text)| {
                    (
                        name.clone(),
                        blake3::hash(text.as_bytes()).to_hex().to_string(),
                    )
                })
                .collect(),
        };
        fs::create_dir_all(dir).map_err(|e| io_error(dir, &e))?;
        for (name, text) in &files {
            write_if_new(&dir.join(name), text)?;
        }
        let mut json = serde_json::to_string_pretty(&manifest)
            .map_err(|e| HdlError::Internal(e.to_string()))?;
        json.push('\n');
        write_if_new(&dir.join("manifest.json"), &json)?;
        Ok(manifest)
    }
}

fn compile_order() -> Vec<String> {
    sources::all()
        .iter()
        .filter(|s| !s.is_header())
        .map(|s| s.name.to_owned())
        .chain(["sl_core_block", TOP, IP_TOP].map(|module| format!("{module}.sv")))
        .collect()
}

pub(crate) fn write_if_new(path: &Path, text: &str) -> Result<(), HdlError> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    fs::write(path, text).map_err(|e| io_error(path, &e))
}

pub(crate) fn io_error(path: &Path, e: &std::io::Error) -> HdlError {
    HdlError::Io {
        path: path.display().to_string(),
        why: e.to_string(),
    }
}
