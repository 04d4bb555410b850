//! What can go wrong between a list of sources and a running model.
//!
//! Every variant says what to do next, or carries the tool's own words when only they can.

use std::io;
use std::path::{Path, PathBuf};

/// The one error type of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable Verilator was found.
    #[error(
        "VSYS-001: Verilator not found (looked at: {searched}). Run `make setup`, which installs a pinned one into .tools/venv, \
         or set VERILATOR to the path of one"
    )]
    VerilatorMissing {
        /// Where it was looked for, in order.
        searched: String,
    },
    /// A program Verilator itself needs is absent.
    #[error(
        "VSYS-002: `{tool}` is needed to build a Verilated model and is not on PATH ({package}): run `make setup` or install it"
    )]
    ToolMissing {
        /// The program.
        tool: String,
        /// The Debian package that carries it.
        package: &'static str,
    },
    /// A source or include folder named in the build cannot be read.
    #[error("VSYS-003: cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The model cache cannot be written.
    #[error("VSYS-004: cannot write {path}: {source}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The build description cannot work.
    #[error("VSYS-005: model `{name}`: {reason}")]
    Description {
        /// The model.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Verilator rejected the sources.
    #[error("VSYS-006: model `{name}`: Verilator rejected the sources; full log {log}\n{excerpt}")]
    Verilate {
        /// The model.
        name: String,
        /// The kept log.
        log: PathBuf,
        /// Its telling lines.
        excerpt: String,
    },
    /// The C++ compiler or the linker failed.
    #[error("VSYS-007: model `{name}`: the C++ build failed; full log {log}\n{excerpt}")]
    Compile {
        /// The model.
        name: String,
        /// The kept log.
        log: PathBuf,
        /// Its telling lines.
        excerpt: String,
    },
    /// A top-level port has a shape the interface has no word for.
    #[error(
        "VSYS-008: model `{name}`: port declaration `{declaration}` is not a packed vector; unpacked arrays stay inside the top level"
    )]
    UnsupportedPort {
        /// The model.
        name: String,
        /// The line of Verilator's header.
        declaration: String,
    },
    /// The finished library cannot be loaded.
    #[error("VSYS-009: cannot load {path}: {reason}; delete the file to have it built again")]
    Load {
        /// The library.
        path: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// No port has this name.
    #[error("VSYS-010: no port `{port}`; the model has {known}")]
    NoSuchPort {
        /// The name asked for.
        port: String,
        /// The names there are.
        known: String,
    },
    /// A `Port` of one library was used with a model of another.
    #[error("VSYS-011: port handle belongs to another library")]
    ForeignPort,
    /// An access does not fit the port.
    #[error("VSYS-012: port `{port}` ({width} bits): {reason}")]
    Access {
        /// The port.
        port: String,
        /// Its width in bits.
        width: u32,
        /// What does not fit.
        reason: &'static str,
    },
    /// `$error`, `$fatal`, `$stop` or a failed assertion inside the model, or a failure of Verilator's run time.
    #[error("VSYS-013: the model stopped at time {time}: {text}")]
    Simulation {
        /// Model time.
        time: u64,
        /// What the model printed in that step.
        text: String,
    },
    /// The model failed before and its state means nothing.
    #[error("VSYS-014: the model failed earlier and cannot go on: {text}")]
    Poisoned {
        /// The first failure.
        text: String,
    },
    /// Trace or coverage was asked of a model built without it.
    #[error("VSYS-015: the model was built without {feature}: set `Build::{feature}(true)`")]
    NotBuiltWith {
        /// `trace` or `coverage`.
        feature: &'static str,
    },
    /// Text with a zero byte cannot go to the model.
    #[error("VSYS-016: `{text}` holds a zero byte")]
    ZeroByte {
        /// The text.
        text: String,
    },
}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;

pub(crate) fn read_error(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Read {
        path: path.to_owned(),
        source,
    }
}

pub(crate) fn write_error(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |source| Error::Write {
        path: path.to_owned(),
        source,
    }
}
