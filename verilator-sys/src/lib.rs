//! Raw FFI to Verilated models and the helper that builds them.
//!
//! ```no_run
//! use verilator_sys::{Build, ModelOptions};
//!
//! # fn main() -> Result<(), verilator_sys::Error> {
//! let library = Build::new("counter").top("counter").source("counter.sv").param("Width", 8).build()?;
//! let mut model = library.new_model(&ModelOptions::seeded(1))?;
//! let (clk, count) = (model.port("clk_i")?, model.port("count_o")?);
//! for level in [0, 1, 0, 1] {
//!     model.set_u64(clk, level)?;
//!     model.eval()?;
//!     model.advance(1);
//! }
//! println!("{}", model.get_u64(count)?);
//! # Ok(())
//! # }
//! ```
//!
//! **Contract.** Thin: a model is ports, `eval` and time. Clocks, stream drivers and scoreboards live one layer up. Nothing here
//! is needed to build or test the other crates; Verilator is looked for when a model is built.
//! **Errors.** One enum, [`Error`]; a failed assertion in a model is one of its values, never the end of the process.

mod abi;
mod builder;
mod cache;
mod error;
mod model;
mod ports;
mod toolchain;

pub use builder::Build;
pub use error::{Error, Result};
pub use model::{Library, Model, ModelOptions, Port};
pub use ports::Direction;
pub use toolchain::{Toolchain, project_root};

/// For tests: whether models can be built here. Absent tools are announced on the error stream at home; with `CI` set, that is
/// a failure.
///
/// # Panics
/// When `CI` is set and the tools are missing.
pub fn tools_or_skip(test: &str) -> bool {
    let strict = std::env::var_os("CI").is_some_and(|v| !v.is_empty());
    Toolchain::find().map_or_else(|error| skip(test, &error, strict), |_| true)
}

fn skip(test: &str, error: &Error, strict: bool) -> bool {
    use std::io::Write as _;
    assert!(!strict, "{test}: {error}");
    // Straight to the stream: the test harness hides what a passing test prints.
    let _ = writeln!(std::io::stderr(), "\n*** SKIPPED {test}: {error}\n");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing() -> Error {
        Error::VerilatorMissing {
            searched: "nowhere".to_owned(),
        }
    }

    #[test]
    fn missing_tools_skip_at_home() {
        assert!(!skip("(a sample of this message)", &missing(), false));
    }

    #[test]
    #[should_panic(expected = "a_test: VSYS-001")]
    fn missing_tools_fail_in_ci() {
        skip("a_test", &missing(), true);
    }
}
