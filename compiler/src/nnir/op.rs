//! The operations of NNIR.
//!
//! | op          | operands            | result                                    | data dimension             |
//! |-------------|---------------------|-------------------------------------------|----------------------------|
//! | `input`     | none                | as declared                               | inferred from use          |
//! | `constant`  | none                | the tensor                                | none                       |
//! | `linear`    | n of `[.., in_i]`   | `[.., out]`, `sum_i W_i x_i + b`          | last axis, in and out      |
//! | `clamp`     | 1                   | same shape, `min(max(x, lo), hi)`         | kept                       |
//! | pointwise   | 2                   | numpy broadcast of both                   | must agree                 |
//! | `conv1d`    | `[C, T]`, `[N, C, T]` | length kept (padded on the left)        | the channel axis           |
//! | `concat`    | n >= 1              | extents added along the axis              | must agree                 |
//! | `slice`     | 1                   | `start..end` of one axis                  | kept                       |
//! | `reshape`   | 1                   | same elements in the same order           | axis of unchanged stride   |
//! | `delay`     | 1                   | the operand `steps` inferences ago        | kept                       |
//!
//! **Contract.** NaN propagates through `clamp`, `max` and `min`, as in torch; bounds with `min > max` give `max`.

use std::fmt;
use std::sync::Arc;

use super::tensor::Tensor;

/// One operation with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The `index`-th tensor of the model's signature.
    Input {
        /// Position in the signature.
        index: usize,
    },
    /// A value known at compile time.
    Constant(Arc<Tensor>),
    /// `y = sum_i W_i x_i + b` along the last axis.
    Linear {
        /// One `[out, in_i]` matrix per operand.
        weights: Vec<Arc<Tensor>>,
        /// `[out]`.
        bias: Option<Arc<Tensor>>,
    },
    /// `min(max(x, min), max)`; an infinite bound is open. `ReLU` is `(0, inf)`.
    Clamp {
        /// Lower bound.
        min: f32,
        /// Upper bound; wins when `min > max`.
        max: f32,
    },
    /// An element-wise operation on two operands, broadcast as numpy does.
    Pointwise(PointwiseOp),
    /// Causal convolution: `y[o, t] = b[o] + sum_{i, j} w[o, i, j] x[i, t - (k - 1 - j) dilation]`.
    Conv1d {
        /// `[out, in / groups, k]`.
        weight: Arc<Tensor>,
        /// `[out]`.
        bias: Option<Arc<Tensor>>,
        /// Steps between taps.
        dilation: usize,
        /// 1, or the channel count (depthwise).
        groups: usize,
    },
    /// Joins operands along one axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// `start..end` of one axis, step 1.
    Slice {
        /// The axis.
        axis: usize,
        /// First index kept.
        start: usize,
        /// First index not kept.
        end: usize,
    },
    /// Same elements, same order, other extents.
    Reshape {
        /// New extents.
        shape: Vec<usize>,
    },
    /// The operand's value `steps` inferences ago; zero before that.
    Delay {
        /// At least 1.
        steps: usize,
    },
}

/// Element-wise operations on two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointwiseOp {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// The larger; NaN if either is.
    Max,
    /// The smaller; NaN if either is.
    Min,
}

impl PointwiseOp {
    /// Every operation, in text order.
    pub const ALL: [Self; 5] = [Self::Add, Self::Sub, Self::Mul, Self::Max, Self::Min];

    /// The word used in text and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Max => "max",
            Self::Min => "min",
        }
    }
}

impl fmt::Display for PointwiseOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Op {
    /// The word used in text and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Constant(_) => "constant",
            Self::Linear { .. } => "linear",
            Self::Clamp { .. } => "clamp",
            Self::Pointwise(op) => op.name(),
            Self::Conv1d { .. } => "conv1d",
            Self::Concat { .. } => "concat",
            Self::Slice { .. } => "slice",
            Self::Reshape { .. } => "reshape",
            Self::Delay { .. } => "delay",
        }
    }

    /// Every tensor the operation owns, named as in messages.
    pub fn tensors(&self) -> Vec<(String, &Arc<Tensor>)> {
        match self {
            Self::Constant(value) => vec![("value".to_owned(), value)],
            Self::Linear { weights, bias } => {
                let name = |i: usize| {
                    if weights.len() == 1 {
                        "weight".to_owned()
                    } else {
                        format!("weight {i} ")
                    }
                };
                let mut all: Vec<_> = weights
                    .iter()
                    .enumerate()
                    .map(|(i, w)| (name(i), w))
                    .collect();
                all.extend(bias.iter().map(|b| ("bias".to_owned(), b)));
                all
            }
            Self::Conv1d { weight, bias, .. } => {
                let mut all = vec![("weight".to_owned(), weight)];
                all.extend(bias.iter().map(|b| ("bias".to_owned(), b)));
                all
            }
            _ => vec![],
        }
    }
}
