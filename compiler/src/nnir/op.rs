//! The operations of NNIR.
//!
//! | op          | operands            | result                                    | data dimension             |
//! |-------------|---------------------|-------------------------------------------|----------------------------|
//! | `input`     | none                | as declared                               | inferred from use          |
//! | `constant`  | none                | the tensor                                | none                       |
//! | `state`     | none                | what the last inference left, at first `init` | agrees with its update |
//! | `linear`    | n of `[.., in_i]`   | `[.., out]`, `sum_i W_i x_i + b`          | last axis, in and out      |
//! | `clamp`     | 1                   | same shape, `min(max(x, lo), hi)`         | kept                       |
//! | unary       | 1                   | same shape, `f(x)`                        | kept                       |
//! | pointwise   | 2                   | numpy broadcast of both                   | must agree, extent 1 or n  |
//! | reduction   | 1                   | the axes at extent 1, or gone             | kept; if gone, the last axis left |
//! | `transpose` | 1                   | axis i is axis `perm[i]` of the operand   | follows its axis           |
//! | `index_select` | 1                | the listed indices of one axis            | kept                       |
//! | `expand`    | 1                   | numpy `broadcast_to`                      | follows its axis           |
//! | `conv1d`    | `[C, T]`, `[N, C, T]` | length kept (padded on the left)        | the channel axis           |
//! | `concat`    | n >= 1              | extents added along the axis              | must agree                 |
//! | `slice`     | 1                   | `start..end` of one axis                  | kept                       |
//! | `reshape`   | 1                   | same elements in the same order           | axis of unchanged stride   |
//! | `delay`     | 1                   | the operand `steps` inferences ago        | kept                       |
//! | `scan`      | one per body input  | an output of the body, stacked            | as in the body             |
//!
//! **Contract.** NaN propagates through `clamp`, `max` and `min`, reductions included, as in torch; bounds with `min > max` give
//! `max`. Comparisons give 1 or 0; with a NaN only `ne` holds. `keep` and `drop` take a NaN condition for true.
//! Weights marked `fp8` keep their values through every pass: rows and columns may be cut out, never scaled or added.
//! A scan runs its body once per step of `axis`, from the first (or, reversed, from the last); its operands lose that axis, the
//! body's states start from their `init` in every inference, and step t of the result is what the body gave for step t.

use std::fmt;
use std::sync::Arc;

use sluice_isa::fp8;

use super::graph::Graph;
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
        /// The weights are FP8 values ([`sluice_isa::fp8::round_rows`]) and are stored as such.
        fp8: bool,
    },
    /// `min(max(x, min), max)`; an infinite bound is open. `ReLU` is `(0, inf)`.
    Clamp {
        /// Lower bound.
        min: f32,
        /// Upper bound; wins when `min > max`.
        max: f32,
    },
    /// A function of one value.
    Unary(UnaryOp),
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
        /// As for `Linear`.
        fp8: bool,
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
    /// One value for many along some axes.
    Reduce {
        /// How.
        op: ReduceOp,
        /// Ascending, at least one.
        axes: Vec<usize>,
        /// Leaves the axes in place, at extent 1.
        keep: bool,
    },
    /// Axes in another order.
    Transpose {
        /// Axis `i` of the result is axis `perm[i]` of the operand.
        perm: Vec<usize>,
    },
    /// Chosen indices of one axis, in the order given.
    IndexSelect {
        /// The axis.
        axis: usize,
        /// Any number, any order, repeated or not.
        indices: Vec<usize>,
    },
    /// Numpy's `broadcast_to`.
    Expand {
        /// New extents.
        shape: Vec<usize>,
    },
    /// A value carried from inference to inference; [`Graph::updates`] names what it becomes.
    State {
        /// What the first inference reads.
        init: Arc<Tensor>,
    },
    /// A recurrence over one axis of its operands.
    Scan {
        /// One step; its states are carried from step to step.
        body: Arc<Graph>,
        /// The axis the operands lose and the result gains.
        axis: usize,
        /// From the last step to the first.
        reverse: bool,
        /// Which output of the body; scans that differ in nothing else run as one.
        output: usize,
    },
}

/// Functions of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnaryOp {
    /// `1 / x`
    Recip,
    /// `1 / sqrt(x)`
    Rsqrt,
    /// `sqrt(x)`
    Sqrt,
    /// `e^x`
    Exp,
    /// `2^x`
    Exp2,
    /// The natural logarithm.
    Log,
    /// The logarithm to base 2.
    Log2,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e^-x)`
    Sigmoid,
    /// `x sigmoid(x)`
    Silu,
    /// `x Phi(x)`, `Phi` of the normal distribution.
    Gelu,
    /// The `tanh` form: `x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3))`.
    GeluTanh,
    /// `log(1 + e^x)`
    Softplus,
}

impl UnaryOp {
    /// Every function, in text order.
    pub const ALL: [Self; 13] = [
        Self::Recip,
        Self::Rsqrt,
        Self::Sqrt,
        Self::Exp,
        Self::Exp2,
        Self::Log,
        Self::Log2,
        Self::Tanh,
        Self::Sigmoid,
        Self::Silu,
        Self::Gelu,
        Self::GeluTanh,
        Self::Softplus,
    ];

    /// The word used in text and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recip => "recip",
            Self::Rsqrt => "rsqrt",
            Self::Sqrt => "sqrt",
            Self::Exp => "exp",
            Self::Exp2 => "exp2",
            Self::Log => "log",
            Self::Log2 => "log2",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Softplus => "softplus",
        }
    }
}

impl fmt::Display for UnaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Ways to make one value of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReduceOp {
    /// The sum.
    Sum,
    /// The sum over the count.
    Mean,
    /// The largest; NaN if any is.
    Max,
    /// The smallest; NaN if any is.
    Min,
}

impl ReduceOp {
    /// Every reduction, in text order.
    pub const ALL: [Self; 4] = [Self::Sum, Self::Mean, Self::Max, Self::Min];

    /// The word used in text and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "reduce_sum",
            Self::Mean => "reduce_mean",
            Self::Max => "reduce_max",
            Self::Min => "reduce_min",
        }
    }
}

impl fmt::Display for ReduceOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
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
    /// `a / b`
    Div,
    /// `a < b`
    Lt,
    /// `a <= b`
    Le,
    /// `a > b`
    Gt,
    /// `a >= b`
    Ge,
    /// `a == b`
    Eq,
    /// `a != b`
    Ne,
    /// `a` where `b` is not 0, else +0.
    Keep,
    /// `a` where `b` is 0, else +0.
    Drop,
}

impl PointwiseOp {
    /// Every operation, in text order.
    pub const ALL: [Self; 14] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Max,
        Self::Min,
        Self::Div,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::Eq,
        Self::Ne,
        Self::Keep,
        Self::Drop,
    ];

    /// The word used in text and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Max => "max",
            Self::Min => "min",
            Self::Div => "div",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Keep => "keep",
            Self::Drop => "drop",
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
            Self::Unary(op) => op.name(),
            Self::Pointwise(op) => op.name(),
            Self::Conv1d { .. } => "conv1d",
            Self::Concat { .. } => "concat",
            Self::Slice { .. } => "slice",
            Self::Reshape { .. } => "reshape",
            Self::Delay { .. } => "delay",
            Self::Reduce { op, .. } => op.name(),
            Self::Transpose { .. } => "transpose",
            Self::IndexSelect { .. } => "index_select",
            Self::Expand { .. } => "expand",
            Self::State { .. } => "state",
            Self::Scan { .. } => "scan",
        }
    }

    /// Rounds the weights of a `linear` or `conv1d` to FP8 values, row by row, and marks them.
    pub(super) fn store_fp8(&mut self) {
        let round = |w: &mut Arc<Tensor>| {
            let w = Arc::make_mut(w);
            fp8::round_rows(&mut w.data, w.shape[1..].iter().product());
        };
        match self {
            Self::Linear { weights, fp8, .. } => {
                weights.iter_mut().for_each(round);
                *fp8 = true;
            }
            Self::Conv1d { weight, fp8, .. } => {
                round(weight);
                *fp8 = true;
            }
            _ => {}
        }
    }

    /// Weights marked `fp8`.
    pub(super) fn fp8_weights(&self) -> &[Arc<Tensor>] {
        match self {
            Self::Linear {
                weights, fp8: true, ..
            } => weights,
            Self::Conv1d {
                weight, fp8: true, ..
            } => std::slice::from_ref(weight),
            _ => &[],
        }
    }

    /// Two scans that differ in the output they give, at most.
    pub fn runs_with(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Scan {
                    body: b1,
                    axis: a1,
                    reverse: r1,
                    ..
                },
                Self::Scan {
                    body: b2,
                    axis: a2,
                    reverse: r2,
                    ..
                },
            ) => a1 == a2 && r1 == r2 && (Arc::ptr_eq(b1, b2) || b1 == b2),
            _ => false,
        }
    }

    /// Every tensor the operation owns, named as in messages; those of a scan's body are the body's.
    pub fn tensors(&self) -> Vec<(String, &Arc<Tensor>)> {
        match self {
            Self::Constant(value) => vec![("value".to_owned(), value)],
            Self::State { init } => vec![("init".to_owned(), init)],
            Self::Linear { weights, bias, .. } => {
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
