//! Generator of the accelerator's SystemVerilog for one hardware configuration.
//!
//! The modules are hand-written under `hdl/rtl` and carried inside this crate; generated are the top level, the file list, the
//! manifest, packages and constraints for other tools, and the memory images of a program.
#![expect(
    clippy::missing_errors_doc,
    reason = "the header of each module says what can go wrong"
)]

pub mod constraints;
pub mod error;
pub mod generated;
pub mod generator;
pub mod images;
pub mod packaging;
pub mod sources;
pub mod top;

pub use error::HdlError;
pub use generator::{Generator, Manifest};
pub use images::images;
