//! Errors of the suite, each with a stable code.

use sluice_compiler::error::CompileError;
use sluice_sim::SimError;
use thiserror::Error;

/// Why a case could not be read, built or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// A network's description contradicts itself.
    #[error("[SL-T001] network `{net}`, layer `{layer}`: {problem}")]
    Net {
        /// Network.
        net: String,
        /// Layer.
        layer: String,
        /// What is wrong.
        problem: String,
    },
    /// A case file that cannot be read or understood.
    #[error("[SL-T002] {path}: {why}")]
    File {
        /// Path.
        path: String,
        /// Reason.
        why: String,
    },
    /// The compiler refused.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The configuration or program is not usable.
    #[error(transparent)]
    Isa(#[from] sluice_isa::IsaError),
    /// The VM refused or found the program at fault.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A device failed: an assertion of the RTL, a tool that is missing.
    #[error("[SL-T003] {device}: {why}")]
    Device {
        /// Device.
        device: String,
        /// Reason.
        why: String,
    },
    /// A run did not end.
    #[error(
        "[SL-T004] {device} stands still at cycle {cycle}: {beats} of {expected} output beats have come"
    )]
    Stuck {
        /// Device.
        device: String,
        /// Cycle.
        cycle: u64,
        /// Beats taken.
        beats: usize,
        /// Beats expected.
        expected: usize,
    },
    /// Two executors disagree, or one is outside its error budget.
    #[error("[SL-T005] {0}")]
    Mismatch(String),
}

impl SuiteError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Net { .. } => "SL-T001",
            Self::File { .. } => "SL-T002",
            Self::Compile(e) => e.code(),
            Self::Isa(e) => e.code(),
            Self::Sim(e) => e.code(),
            Self::Device { .. } => "SL-T003",
            Self::Stuck { .. } => "SL-T004",
            Self::Mismatch(_) => "SL-T005",
        }
    }
}
