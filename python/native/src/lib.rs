//! `vollo_compiler._native`: the compiler, the VM and the RTL for Python.
//!
//! | file | Python |
//! |------|--------|
//! | `config.rs` | `Config` |
//! | `builder.rs`, `nnir.rs` | `GraphBuilder`, `NNIR` |
//! | `options.rs`, `program_builder.rs`, `program.rs`, `io_only.rs`, `metrics.rs` | `ProgramBuilder`, `Program`, `Metrics` |
//! | `session.rs`, `vm.rs`, `rtl_sim.rs` | `VM` and `RtlSim`, one inference or a whole sequence |
//! | `arrays.rs`, `errors.rs`, `long.rs` | arrays in and out, exceptions, interruptible work |
//!
//! **Contract.** Names, arguments and defaults of `docs/python.md`. Nothing panics into Python: every entry that does work goes through
//! [`errors::guard`]. Arrays are float32, never converted silently.
//! **Errors.** `errors.rs` has the table.
#![expect(
    clippy::needless_pass_by_value,
    reason = "signatures are Python's: the stubs and docs/python.md document them, arguments arrive by value"
)]

mod arrays;
mod builder;
mod config;
mod errors;
mod io_only;
mod long;
mod metrics;
mod nnir;
mod options;
mod program;
mod program_builder;
mod rtl_sim;
mod session;
mod vm;

use pyo3::prelude::*;

/// The native half of `vollo_compiler`.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    errors::register(m)?;
    m.add_class::<config::Config>()?;
    m.add_class::<nnir::NumberFormat>()?;
    m.add_class::<builder::GraphBuilder>()?;
    m.add_class::<nnir::Nnir>()?;
    m.add_class::<program_builder::ProgramBuilder>()?;
    m.add_class::<program::Program>()?;
    m.add_class::<metrics::Metrics>()?;
    m.add_class::<vm::Vm>()?;
    m.add_class::<rtl_sim::RtlSim>()?;
    // `vollo_compiler` says what is public.
    m.delattr("__all__")
}
