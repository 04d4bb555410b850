//! Errors of the command line, one line each: `sluice: [code] what, and the way out`.
//!
//! | codes | from |
//! |-------|------|
//! | `SL-X001..` | this crate |
//! | `SL-C..`, `SL-I..`, `SL-S..`, `SL-H..`, `SL-T..` | compiler, formats, VM, generator, RTL against VM, unchanged |
//!
//! **Contract.** Text never spans lines. [`CliError::exit`] says whose fault it is.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use sluice_compiler::error::CompileError;
use sluice_hdl::HdlError;
use sluice_isa::IsaError;
use sluice_sim::SimError;
use sluice_suite::SuiteError;
use thiserror::Error;

/// Shorthand used all over the crate.
pub type Result<T, E = CliError> = std::result::Result<T, E>;

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nobody's.
    Ok = 0,
    /// The input's.
    Input = 1,
    /// The command line's.
    Usage = 2,
    /// Ours.
    Bug = 3,
}

/// Why a command ended early.
#[derive(Debug, Error)]
pub enum CliError {
    /// A file or folder that cannot be read or written.
    #[error("cannot {doing} {}: {why}", path.display())]
    Io {
        /// `read`, `write` or `create`.
        doing: &'static str,
        /// Path.
        path: PathBuf,
        /// Operating system's message.
        why: String,
    },
    /// A model file of a kind nobody reads.
    #[error("{}: models are read from {known} files, this is {found}; export the model to one of them", path.display())]
    UnknownModelFormat {
        /// Path.
        path: PathBuf,
        /// What it ends with.
        found: String,
        /// What can be read.
        known: &'static str,
    },
    /// An array file that cannot be used.
    #[error("{}: {problem}", path.display())]
    Array {
        /// Path.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// An array of another shape than the model's tensor.
    #[error("{}: input `{tensor}` of model `{model}` expects shape {expected}, got {got:?}{hint}", path.display())]
    Shape {
        /// Path.
        path: PathBuf,
        /// Tensor.
        tensor: String,
        /// Model.
        model: String,
        /// Its shape, as text, because a streamed axis may have any length.
        expected: String,
        /// Shape in the file.
        got: Vec<usize>,
        /// The way out, if there is a likely one.
        hint: String,
    },
    /// A model that is not in the program.
    #[error("the program holds no model `{name}`; it holds {known}")]
    NoSuchModel {
        /// As asked for.
        name: String,
        /// Index and name of each.
        known: String,
    },
    /// Two models of one program with the same name.
    #[error("two models are called `{0}`; tell them apart with --model-name, once per model")]
    DuplicateName(String),
    /// The compiler and the VM count different cycles.
    #[error(
        "model `{model}`: the program says {stated} {kind} cycles, the VM counts {measured}; please report it"
    )]
    Cycles {
        /// Model.
        model: String,
        /// `spaced` or `contiguous`.
        kind: &'static str,
        /// In the program.
        stated: u64,
        /// Measured.
        measured: u64,
    },
    /// Options that do not go together.
    #[error("{0}")]
    Usage(String),
    /// A model the compiler refuses.
    #[error("{}: {source}", path.display())]
    Model {
        /// Model file.
        path: PathBuf,
        /// Why.
        source: CompileError,
    },
    /// The compiler refuses the program as a whole.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A program or configuration file that cannot be used.
    #[error("{}: {}{}", path.display(), bare(source), way_out(source))]
    File {
        /// Path.
        path: PathBuf,
        /// Why.
        source: IsaError,
    },
    /// A configuration or program that cannot be used.
    #[error("{}", bare(.0))]
    Isa(#[from] IsaError),
    /// The VM stopped.
    #[error("{}", bare(.0))]
    Sim(#[from] SimError),
    /// The generator stopped.
    #[error("{}", bare(.0))]
    Hdl(#[from] HdlError),
    /// A program that building the RTL as a model needs is missing.
    #[error(transparent)]
    Verilator(#[from] verilator_sys::Error),
    /// The RTL stopped or differs, or its model could not be built.
    #[error("{}", bare(.0))]
    Suite(#[from] SuiteError),
    /// Our own bug.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl CliError {
    /// An error of the operating system.
    pub fn io(doing: &'static str, path: &Path, why: &impl Display) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            why: why.to_string(),
        }
    }

    /// What `isa` says of a file; it names the path only when the operating system refused.
    pub fn file(path: &Path, source: IsaError) -> Self {
        match source {
            source @ IsaError::Io { .. } => Self::Isa(source),
            source => Self::File {
                path: path.to_owned(),
                source,
            },
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "SL-X001",
            Self::UnknownModelFormat { .. } => "SL-X002",
            Self::Array { .. } => "SL-X003",
            Self::Shape { .. } => "SL-X004",
            Self::NoSuchModel { .. } => "SL-X005",
            Self::DuplicateName(_) => "SL-X006",
            Self::Verilator(_) => "SL-X007",
            Self::Usage(_) => "SL-X010",
            Self::Cycles { .. } => "SL-X090",
            Self::Internal(_) => "SL-X091",
            Self::Model { source, .. } | Self::Compile(source) => source.code(),
            Self::File { source, .. } | Self::Isa(source) => source.code(),
            Self::Sim(e) => e.code(),
            Self::Hdl(e) => e.code(),
            Self::Suite(e) => e.code(),
        }
    }

    /// Whose fault it is.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Isa(IsaError::UnknownPreset { .. }) => Exit::Usage,
            Self::Cycles { .. }
            | Self::Internal(_)
            | Self::Suite(SuiteError::Mismatch(_) | SuiteError::Stuck { .. })
            | Self::Hdl(HdlError::Internal(_))
            | Self::Sim(
                SimError::Conflict { .. }
                | SimError::OutputOverflow { .. }
                | SimError::Stuck { .. },
            ) => Exit::Bug,
            Self::Model { source, .. } | Self::Compile(source) => match source {
                CompileError::Internal(_) | CompileError::Pass { .. } => Exit::Bug,
                _ => Exit::Input,
            },
            _ => Exit::Input,
        }
    }

    /// The line printed.
    pub fn line(&self) -> String {
        let text = self.to_string();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("sluice: [{}] {text}", self.code())
    }
}

/// Text without the leading `[code] ` that some crates print themselves.
fn bare(error: &impl Display) -> String {
    let text = error.to_string();
    match text.split_once("] ") {
        Some((code, rest)) if code.starts_with("[SL-") => rest.to_owned(),
        _ => text,
    }
}

fn way_out(error: &IsaError) -> &'static str {
    match error {
        IsaError::Corrupt {
            what: "program file",
            ..
        }
        | IsaError::Program { .. }
        | IsaError::ReservedCode { .. } => "; write it again with `sluice compile`",
        IsaError::Corrupt { .. } => {
            "; `sluice config NAME --save FILE` writes a good one to start from"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_bugs_exit_3() {
        let bug = |e: CliError| assert_eq!(e.exit(), Exit::Bug, "{e}");
        bug(CliError::Internal(String::new()));
        bug(CompileError::Internal(String::new()).into());
        bug(HdlError::Internal(String::new()).into());
        bug(SimError::OutputOverflow { cycle: 1, depth: 2 }.into());
        bug(CliError::Cycles {
            model: String::new(),
            kind: "spaced",
            stated: 1,
            measured: 2,
        });
        assert_eq!(
            CliError::from(CompileError::Config(String::new())).exit(),
            Exit::Input
        );
    }

    #[test]
    fn one_line_one_code() {
        let e = CliError::file(
            Path::new("p.sluice"),
            IsaError::Corrupt {
                what: "program file",
                why: "two\nlines".into(),
            },
        );
        assert_eq!(
            e.line(),
            "sluice: [SL-I003] p.sluice: program file is corrupt: two lines; write it again with `sluice compile`"
        );
    }
}
