//! Errors of the generator, each with a stable code.

use sluice_isa::IsaError;
use thiserror::Error;

/// Why an accelerator or its memory images could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HdlError {
    /// The configuration or the program breaks its own rules.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// Writing a file failed.
    #[error("[SL-H001] {path}: {why}")]
    Io {
        /// Path.
        path: String,
        /// Operating system's message.
        why: String,
    },
    /// No load stream has such beats.
    #[error(
        "[SL-H003] a load stream of {bits} bits; it can have 32, 64, 128, 256 or 512 (0: none)"
    )]
    LoadStream {
        /// Bits asked for.
        bits: u32,
    },
    /// A bug of this crate.
    #[error("[SL-H002] internal error, please report it: {0}")]
    Internal(String),
}

impl HdlError {
    /// Stable error code, e.g. `SL-H001`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Isa(e) => e.code(),
            Self::Io { .. } => "SL-H001",
            Self::Internal(_) => "SL-H002",
            Self::LoadStream { .. } => "SL-H003",
        }
    }
}
