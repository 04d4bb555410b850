//! The VM: runs programs bit for bit and cycle for cycle as the RTL does.
//!
//! | type | level | use |
//! |------|-------|-----|
//! | [`Machine`] | one compute clock cycle, pins in and out | lock-step comparison with the RTL |
//! | [`stream::run_stream`] | a queue of jobs under a stall pattern | co-simulation cases |
//! | [`Vm`] | one inference, tensors in and out | everything else: results, latencies |
//!
//! **Contract.** `docs/machine.md`: every output bit, and the cycle of every output beat. Reads and writes happen in the cycles
//! stated there, so a program with a data hazard gives what the hardware gives.
//! **Errors.** [`SimError`], codes `SL-S001` and up. Nothing here panics on a bad program or bad input.
#![expect(
    clippy::missing_errors_doc,
    reason = "each module's header has an Errors line"
)]

mod datapath;
pub mod dispatch;
pub mod error;
mod fifo;
mod image;
pub mod kernel;
pub mod lanes;
pub mod machine;
pub mod stimulus;
pub mod stream;
pub mod vm;

pub use error::{Resource, SimError};
pub use machine::{Machine, Outputs, Pins, Status, TickIssue};
pub use stimulus::{Job, SelectTiming, StallPattern, Stalls, Stimulus};
pub use stream::{OutBeat, run_stream};
pub use vm::{JobCycles, Rounding, Run, Vm};
