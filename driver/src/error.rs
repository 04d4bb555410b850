//! Errors of the driver, each with a stable code, and the accelerator's own error bits.

use core::fmt;

use thiserror::Error;

use crate::map;

/// Bits of the register `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Errors(pub u32);

/// Mask and name of every bit.
const NAMES: &[(u32, &str)] = &[
    (map::ERROR_BAD_ADDRESS, "bad address"),
    (map::ERROR_BAD_STROBE, "bad strobe"),
    (map::ERROR_LOAD_REFUSED, "load refused"),
    (map::ERROR_LOAD_TARGET, "load target"),
    (map::ERROR_LOAD_ORDER, "load order"),
    (map::ERROR_CHECKSUM, "checksum"),
    (map::ERROR_ENABLE_REFUSED, "enable refused"),
    (map::ERROR_TIMEOUT, "timeout"),
    (map::ERROR_BAD_SELECT, "bad select"),
];

impl Errors {
    /// What loading and enabling can raise.
    pub const LOADING: Self = Self(
        map::ERROR_BAD_ADDRESS
            | map::ERROR_BAD_STROBE
            | map::ERROR_LOAD_REFUSED
            | map::ERROR_LOAD_TARGET
            | map::ERROR_LOAD_ORDER
            | map::ERROR_CHECKSUM
            | map::ERROR_ENABLE_REFUSED
            | map::ERROR_TIMEOUT,
    );

    /// No bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One of the bits of a mask is set.
    pub const fn any(self, mask: u32) -> bool {
        self.0 & mask != 0
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut separator = "";
        for (mask, name) in NAMES {
            if self.any(*mask) {
                write!(f, "{separator}{name}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// Why the accelerator could not be used. `E` is the bus's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The bus failed, and the accelerator knows nothing of it.
    #[error("[SL-D001] configuration bus: {0}")]
    Bus(E),
    /// Something else stands at the address.
    #[error(
        "[SL-D002] identity register reads {found:#010x}, an accelerator has {expected:#010x}; check base address and config clock",
        expected = map::IDENTITY_VALUE
    )]
    Identity {
        /// What was read.
        found: u32,
    },
    /// The register map is of another version.
    #[error(
        "[SL-D003] register map {}.{}, this driver knows {}.{}; use the driver of that release",
        found.0, found.1, map::VERSION_MAJOR_VALUE, map::VERSION_MINOR_VALUE
    )]
    Version {
        /// Major and minor number.
        found: (u16, u16),
    },
    /// The program was compiled for another configuration.
    #[error(
        "[SL-D004] the program is for configuration {program:016x}, the accelerator is {device:016x}; compile it for this accelerator's configuration"
    )]
    Configuration {
        /// Hash in the accelerator.
        device: u64,
        /// Hash in the program.
        program: u64,
    },
    /// A load image is damaged.
    #[error("[SL-D005] load image: {0}")]
    Corrupt(&'static str),
    /// A load image is of another version.
    #[error(
        "[SL-D006] load image version {found}, this driver reads {}; write it with this release",
        map::IMAGE_VERSION
    )]
    ImageVersion {
        /// Version found.
        found: u32,
    },
    /// What arrived is not what was sent.
    #[error(
        "[SL-D007] program checksum {expected:#010x}, the accelerator received {found:#010x}; the bus loses or alters writes"
    )]
    Checksum {
        /// The program's.
        expected: u32,
        /// The accelerator's.
        found: u32,
    },
    /// The accelerator refused.
    #[error("[SL-D008] the accelerator refused: {0}")]
    Refused(Errors),
    /// The accelerator did not get there in time.
    #[error(
        "[SL-D009] the accelerator did not become {0}; is the compute clock running and compute_reset released?"
    )]
    Timeout(&'static str),
    /// A model index beyond the accelerator's.
    #[error("[SL-D010] model {model}, the accelerator has room for {limit}")]
    Model {
        /// Index asked for.
        model: u32,
        /// Models the accelerator can hold.
        limit: u32,
    },
    /// A load stream that is not there, or not as wide as its beats.
    #[error(
        "[SL-D011] a load stream with beats of {asked} words, the accelerator's has {found} (0: none); emit it with `--load-stream`, or load over the bus"
    )]
    LoadStream {
        /// Words of the caller's beats.
        asked: usize,
        /// Words of the accelerator's.
        found: u32,
    },
}

impl<E> Error<E> {
    /// Stable error code, e.g. `SL-D001`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bus(_) => "SL-D001",
            Self::Identity { .. } => "SL-D002",
            Self::Version { .. } => "SL-D003",
            Self::Configuration { .. } => "SL-D004",
            Self::Corrupt(_) => "SL-D005",
            Self::ImageVersion { .. } => "SL-D006",
            Self::Checksum { .. } => "SL-D007",
            Self::Refused(_) => "SL-D008",
            Self::Timeout(_) => "SL-D009",
            Self::Model { .. } => "SL-D010",
            Self::LoadStream { .. } => "SL-D011",
        }
    }
}
