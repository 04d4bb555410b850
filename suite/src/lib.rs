//! Cases as data, executors as code: the same case runs on the VM, the RTL and the float reference.
//!
//! | module | what |
//! |--------|------|
//! | [`net`], [`models`], [`random`] | networks as data: written, named, random |
//! | [`bundle`] | networks compiled into a program; jobs; the float reference and its error budgets |
//! | [`device`], [`vm`] | devices stepped cycle by cycle; the VM as one |
//! | [`case`] | a case file: networks, jobs, stall patterns |
//! | [`figures`] | latencies, beside published ones |
//! | [`minimise`] | the smallest network that still fails |
//!
//! **Contract.** Everything is a function of seeds. **Errors.** [`SuiteError`].
#![expect(
    clippy::missing_errors_doc,
    reason = "the header of each module states its errors"
)]

pub mod bundle;
pub mod case;
pub mod device;
pub mod error;
pub mod figures;
pub mod fuzz;
pub mod minimise;
pub mod models;
pub mod net;
pub mod random;
pub mod rng;
pub mod vm;

pub use bundle::{Budget, Bundle, ErrorReport, Request};
pub use case::Case;
pub use device::{Device, Executor, Outcome, Sample, difference, drive};
pub use error::SuiteError;
pub use net::Net;
pub use vm::VmExecutor;
