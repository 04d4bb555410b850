//! The RTL as an executor of the suite, and the suites that hold it to the VM.
//!
//! | module | what |
//! |--------|------|
//! | [`board`] | the self test of a configuration on a board: images, ROMs, sizes |
//! | [`rtl`] | one configuration's RTL: emitted, Verilated (cached), loaded through its load port, stepped cycle by cycle |
//!
//! **Contract.** An RTL device sees the same pins as a VM device and answers with the same [`Sample`](sluice_suite::Sample), so every
//! comparison is of pins. One build per configuration, shared by all tests and programs through the cache of `verilator-sys`.
//! **Errors.** [`SuiteError::Device`](sluice_suite::SuiteError::Device) with what the tool or the assertion said.
#![expect(
    clippy::missing_errors_doc,
    reason = "the header of each module states its errors"
)]

pub mod board;
pub mod rtl;

pub use rtl::{RtlDevice, RtlExecutor};
