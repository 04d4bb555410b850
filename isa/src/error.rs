//! Errors of the `isa` crate, each with a stable code, the limit, the value and the way out.

use thiserror::Error;

/// What can be wrong with a configuration, an instruction word or a program file.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IsaError {
    /// A configuration field is outside its limits.
    #[error("[SL-I001] configuration `{config}`: {field} = {value}, but {limit}")]
    Config {
        /// Name of the configuration.
        config: String,
        /// Field at fault.
        field: &'static str,
        /// Its value.
        value: String,
        /// The rule it breaks.
        limit: String,
    },
    /// A configuration or program was written by a different format version.
    #[error("[SL-I002] {what} has format version {found}, this build reads {supported}: {hint}")]
    Version {
        /// File kind.
        what: &'static str,
        /// Version in the file.
        found: String,
        /// Version supported.
        supported: u32,
        /// What to do.
        hint: &'static str,
    },
    /// A file is damaged or is not what it claims to be.
    #[error("[SL-I003] {what} is corrupt: {why}")]
    Corrupt {
        /// File kind.
        what: &'static str,
        /// What was found.
        why: String,
    },
    /// A value does not fit an instruction field.
    #[error("[SL-I004] {word}.{field} = {value} does not fit {width} bits")]
    FieldRange {
        /// Word.
        word: &'static str,
        /// Field.
        field: &'static str,
        /// Value.
        value: u64,
        /// Field width in bits.
        width: u32,
    },
    /// A word read from outside holds a code that has no meaning.
    #[error("[SL-I005] {word}.{field} holds the reserved code {value}")]
    ReservedCode {
        /// Word.
        word: &'static str,
        /// Field.
        field: &'static str,
        /// Code.
        value: u64,
    },
    /// A program was built for another configuration.
    #[error(
        "[SL-I006] the program was built for configuration `{program}`, this accelerator is `{machine}`: {difference}; recompile for it"
    )]
    ConfigMismatch {
        /// Configuration of the program.
        program: String,
        /// Configuration of the machine.
        machine: String,
        /// First difference.
        difference: String,
    },
    /// A program does not respect its own configuration.
    #[error("[SL-I007] program: {what} = {value}, but {limit}")]
    Program {
        /// What is wrong.
        what: String,
        /// Its value.
        value: u64,
        /// The limit.
        limit: String,
    },
    /// Reading or writing a file failed.
    #[error("[SL-I008] {path}: {why}")]
    Io {
        /// Path.
        path: String,
        /// Operating system's message.
        why: String,
    },
    /// A preset name is not known.
    #[error("[SL-I009] no preset called `{name}`; presets are {known}")]
    UnknownPreset {
        /// The name asked for.
        name: String,
        /// Known names.
        known: String,
    },
}

impl IsaError {
    /// Stable error code, e.g. `SL-I003`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "SL-I001",
            Self::Version { .. } => "SL-I002",
            Self::Corrupt { .. } => "SL-I003",
            Self::FieldRange { .. } => "SL-I004",
            Self::ReservedCode { .. } => "SL-I005",
            Self::ConfigMismatch { .. } => "SL-I006",
            Self::Program { .. } => "SL-I007",
            Self::Io { .. } => "SL-I008",
            Self::UnknownPreset { .. } => "SL-I009",
        }
    }
}
