//! NNIR: a network as a typed graph, at the level of ONNX.
//!
//! | part        | what it does                                                        |
//! |-------------|---------------------------------------------------------------------|
//! | [`op`]      | the operations                                                      |
//! | [`graph`]   | nodes, edges, deterministic order                                   |
//! | [`builder`] | the only way in for front ends: type-checks every call              |
//! | [`compose`] | layers made of several operations                                   |
//! | `infer`     | shapes and data dimensions                                          |
//! | `streaming` | from whole sequences to one step per inference                      |
//! | [`eval`]    | the float reference                                                 |
//! | `scalar`    | the functions of one and two values behind it                       |
//! | [`text`]    | prints, parses back, diffs                                          |
//! | `verify`    | the rules a graph must keep, after building and after every pass    |
//!
//! **Contract.** A graph that [`GraphBuilder::finish`] returned, and that passes rewrote, satisfies [`Graph::verify`].
//! Same input, same graph, same order, same text.
//! **Errors.** [`CompileError`](crate::error::CompileError), naming layers as the user did.

pub mod builder;
pub mod compose;
pub mod eval;
pub mod graph;
pub(crate) mod infer;
pub mod op;
pub(crate) mod scalar;
pub(crate) mod streaming;
pub mod tensor;
pub mod text;
pub mod types;
mod verify;

pub use builder::GraphBuilder;
pub use eval::Evaluator;
pub use graph::{Graph, Node};
pub use op::{Op, PointwiseOp, ReduceOp, UnaryOp};
pub use tensor::Tensor;
pub use text::Constants;
pub use types::{NodeId, Precision, TensorType};
