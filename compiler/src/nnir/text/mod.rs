//! The text form of a graph: one line per node, for people, diffs and files.
//!
//! ```text
//! graph "mlp" {
//!   %0 = input "x" () index=0 : bf16[2] data_dim=0
//!   %1 = linear "fc1" (%0) weights=[[1, 2]{0.5, -1.0}] bias=[1]{0.25} : bf16[1] data_dim=0
//!   %2 = clamp "relu1" (%1) min=0.0 max=inf : bf16[1] data_dim=0
//!   output %2
//! }
//! ```
//!
//! A state's next value stands before the outputs, `update %state %value`; the body of a scan follows the line of its node, as
//! a graph of its own.
//!
//! | constant   | text                                     | when                              |
//! |------------|------------------------------------------|-----------------------------------|
//! | short      | `[2]{0.5, -1.0}`                         | up to [`INLINE`] values, no NaN   |
//! | long, full | `[2]0x3f000000bf800000`                  | bits of the `f32`, 8 digits each  |
//! | long, short form | `[64, 64]#a1b2c3d4e5f60718`        | [`Constants::Summary`]: FNV-1a 64 |
//!
//! **Contract.** Full text parses back to an equal graph, node numbers and bits included; same graph, same text. Parsing
//! verifies, so a graph from a file obeys the same rules as one from the builder.
//! **Errors.** `Parse` with the line; `SummaryText` for text that was never meant to be read back; verification's own.

mod parse;
mod print;

/// Constants up to this many values are written as decimal numbers.
pub const INLINE: usize = 8;

/// What to do with long constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constants {
    /// Every bit: parses back.
    Full,
    /// Shape and digest: for people.
    Summary,
}
