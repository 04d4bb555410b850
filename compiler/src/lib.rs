//! Networks in, one multi-model program out.
//!
//! [`nnir`] is the graph a network is compiled from, [`onnx`] reads one from a file, [`passes`] rewrite it, [`backend`] makes a
//! program of it, [`error`] says why not.
#![expect(
    clippy::missing_errors_doc,
    reason = "the header of each module states its errors"
)]

pub mod backend;
pub mod error;
pub mod nnir;
pub mod onnx;
pub mod passes;
