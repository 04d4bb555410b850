//! Errors of the VM, each with a stable code, the limit, the value and the way out.

use sluice_isa::IsaError;
use thiserror::Error;

/// A part of a core that serves one operation per cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Port Y of the tensor banks.
    PortY,
    /// Read port of the constant store.
    ConstantPort,
    /// First stage of the vector pipeline.
    VectorStage,
    /// Exchange register.
    ExchangeRegister,
    /// Register of the operand that enters a special function or the arithmetic.
    OperandRegister,
}

impl Resource {
    /// All of them, in the order of their reservation bits.
    pub const ALL: [Self; 5] = [
        Self::PortY,
        Self::ConstantPort,
        Self::VectorStage,
        Self::ExchangeRegister,
        Self::OperandRegister,
    ];
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PortY => "port Y",
            Self::ConstantPort => "the constant port",
            Self::VectorStage => "vector stage p0",
            Self::ExchangeRegister => "the exchange register",
            Self::OperandRegister => "the operand register of the vector unit",
        })
    }
}

/// What can go wrong while running a program.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimError {
    /// The program does not respect its own configuration.
    #[error("[SL-S001] the program cannot run: {0}")]
    Program(#[from] IsaError),
    /// A model index beyond the models of the program.
    #[error("[SL-S002] there is no model {index}: the program holds {count} (0 to {last})", last = .count.saturating_sub(1))]
    NoSuchModel {
        /// Index asked for.
        index: usize,
        /// Models in the program.
        count: usize,
    },
    /// Wrong number of input tensors.
    #[error("[SL-S003] model `{model}` takes {expected} inputs, got {got}")]
    InputCount {
        /// Model.
        model: String,
        /// Tensors it takes.
        expected: usize,
        /// Tensors given.
        got: usize,
    },
    /// An input tensor of the wrong size.
    #[error(
        "[SL-S004] model `{model}`: input `{input}` has {expected} values (shape {shape:?}), got {got}"
    )]
    InputLength {
        /// Model.
        model: String,
        /// Input.
        input: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Values it has.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// Two operations of one core need the same resource in the same cycle.
    #[error(
        "[SL-S005] core {core}, tick {tick}: {resource} is already in use in cycle {cycle}; the schedule is at fault"
    )]
    Conflict {
        /// Core.
        core: usize,
        /// Tick (program counter) of the later operation.
        tick: u32,
        /// What both need.
        resource: Resource,
        /// Cycle in which they need it.
        cycle: u64,
    },
    /// An output beat was pushed into a full FIFO. Validated programs cannot do that: the dispatcher reserves space for a job's beats.
    #[error(
        "[SL-S006] cycle {cycle}: output FIFO of {depth} beats overflows; a model sends more beats than it declares"
    )]
    OutputOverflow {
        /// Cycle.
        cycle: u64,
        /// FIFO depth.
        depth: u32,
    },
    /// Nothing will happen any more.
    #[error("[SL-S007] model `{model}` stands still at cycle {cycle}: {what}")]
    Stuck {
        /// Model.
        model: String,
        /// Cycle.
        cycle: u64,
        /// What was being waited for.
        what: String,
    },
    /// An input beat is not one block.
    #[error("[SL-S008] an input beat has {expected} values (the block size), got {got}")]
    BeatLength {
        /// Block size.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// The state of this model alone cannot be reset.
    #[error(
        "[SL-S009] model `{model}` cannot be reset: it was compiled without generate_state_reset; compile it with the option, or reset the whole machine"
    )]
    NotResettable {
        /// Model.
        model: String,
    },
}

impl SimError {
    /// Stable error code, e.g. `SL-S005`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Program(_) => "SL-S001",
            Self::NoSuchModel { .. } => "SL-S002",
            Self::InputCount { .. } => "SL-S003",
            Self::InputLength { .. } => "SL-S004",
            Self::Conflict { .. } => "SL-S005",
            Self::OutputOverflow { .. } => "SL-S006",
            Self::Stuck { .. } => "SL-S007",
            Self::BeatLength { .. } => "SL-S008",
            Self::NotResettable { .. } => "SL-S009",
        }
    }
}
