//! The operators a file may use: one row each, with the function that maps it.
//!
//! **Contract.** The table is the only list there is: what is not in it, or has an attribute that is not in its row, is
//! reported as unsupported. [`table`] is `docs/operators.md`; a test holds the page to it, another every row to a fixture.
//! **Errors.** None.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::importer::{Context, Mapped};
use super::ops::{conv, elementwise, linear, passing, recurrent, reduce, scan, shape, window};
use super::structure::OPSETS;
use crate::nnir::{PointwiseOp, ReduceOp, UnaryOp};

/// One operator.
pub struct Operator {
    /// Its ONNX name.
    pub name: &'static str,
    /// Attributes it may have.
    pub attributes: &'static [&'static str],
    /// What is asked of it beyond the ONNX definition.
    pub restriction: &'static str,
    /// What it becomes.
    pub nnir: &'static str,
    pub(super) operands: RangeInclusive<usize>,
    /// Outputs besides the first are ignored here and reported where they are read.
    pub(super) spare_outputs: bool,
    pub(super) map: fn(&mut Context<'_, '_, '_>) -> Mapped,
}

const ANY: usize = usize::MAX;

/// Every operator, by name.
pub const OPERATORS: &[Operator] = &[
    Operator {
        name: "Add",
        attributes: &[],
        restriction: "a run-time operand has the axis that is packed, at extent 1 at least",
        nnir: "`add`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Add),
    },
    Operator {
        name: "BatchNormalization",
        attributes: &["epsilon", "momentum", "training_mode", "spatial"],
        restriction: "inference form; constant scale, bias, mean and variance; at least 2 axes",
        nnir: "`mul`, `add` with `scale / sqrt(var + epsilon)` and `bias - mean * that`",
        operands: 5..=5,
        spare_outputs: false,
        map: conv::batch_normalization,
    },
    Operator {
        name: "Cast",
        attributes: &["to", "saturate", "round_mode"],
        restriction: "to FLOAT; integers must be constants",
        nnir: "none",
        operands: 1..=1,
        spare_outputs: false,
        map: passing::cast,
    },
    Operator {
        name: "Clip",
        attributes: &[],
        restriction: "constant bounds; an absent bound is open",
        nnir: "`clamp`",
        operands: 1..=3,
        spare_outputs: false,
        map: elementwise::clip,
    },
    Operator {
        name: "Concat",
        attributes: &["axis"],
        restriction: "operands agree in data dimension",
        nnir: "`concat`",
        operands: 1..=ANY,
        spare_outputs: false,
        map: shape::concat,
    },
    Operator {
        name: "Constant",
        attributes: &[
            "value",
            "value_float",
            "value_floats",
            "value_int",
            "value_ints",
        ],
        restriction: "float32, or int64 for indices",
        nnir: "`constant`",
        operands: 0..=0,
        spare_outputs: false,
        map: passing::constant,
    },
    Operator {
        name: "Conv",
        attributes: &[
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "pads",
            "strides",
        ],
        restriction: "1-D; constant weight and bias; `group` 1, or as many as channels in and out; to stream it, `strides` 1 and \
                      `pads=[dilation * (kernel - 1), 0]` (its own or of a `Pad` before it), so that the length is kept",
        nnir: "`conv1d`; zeros by `concat`, shorter padding by `slice`, strides by `index_select`",
        operands: 2..=3,
        spare_outputs: false,
        map: conv::conv,
    },
    Operator {
        name: "Div",
        attributes: &[],
        restriction: "as `Add`",
        nnir: "`div`; `mul` for a constant whose values are powers of two",
        operands: 2..=2,
        spare_outputs: false,
        map: elementwise::div,
    },
    Operator {
        name: "Dropout",
        attributes: &["ratio", "seed"],
        restriction: "inference form; the mask is not read",
        nnir: "none",
        operands: 1..=3,
        spare_outputs: true,
        map: passing::dropout,
    },
    Operator {
        name: "Equal",
        attributes: &[],
        restriction: "float32 operands; the result is 1 or 0, for `Where` and `Cast` to FLOAT",
        nnir: "`eq`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Eq),
    },
    Operator {
        name: "Erf",
        attributes: &[],
        restriction: "at most 4e-4 from erf before rounding to bf16; for GELU use `Gelu`",
        nnir: "`tanh` of `mul`, `add`",
        operands: 1..=1,
        spare_outputs: false,
        map: elementwise::erf,
    },
    Operator {
        name: "Exp",
        attributes: &[],
        restriction: "none",
        nnir: "`exp`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Exp),
    },
    Operator {
        name: "Expand",
        attributes: &[],
        restriction: "constant shape",
        nnir: "`expand`",
        operands: 2..=2,
        spare_outputs: false,
        map: shape::expand,
    },
    Operator {
        name: "Flatten",
        attributes: &["axis"],
        restriction: "the stride of the data dimension is kept",
        nnir: "`reshape`",
        operands: 1..=1,
        spare_outputs: false,
        map: shape::flatten,
    },
    Operator {
        name: "GRU",
        attributes: &[
            "activations",
            "direction",
            "hidden_size",
            "layout",
            "linear_before_reset",
        ],
        restriction: "as `LSTM`",
        nnir: "as `LSTM`",
        operands: 3..=6,
        spare_outputs: true,
        map: recurrent::gru,
    },
    Operator {
        name: "Gather",
        attributes: &["axis"],
        restriction: "constant indices",
        nnir: "`index_select`, and `reshape` unless the indices have one axis",
        operands: 2..=2,
        spare_outputs: false,
        map: shape::gather,
    },
    Operator {
        name: "Gelu",
        attributes: &["approximate"],
        restriction: "none",
        nnir: "`gelu`, `gelu_tanh`",
        operands: 1..=1,
        spare_outputs: false,
        map: elementwise::gelu,
    },
    Operator {
        name: "Gemm",
        attributes: &["alpha", "beta", "transA", "transB"],
        restriction: "with a constant A or B: `transA=0` for a run-time A, `transB=0` for a run-time B",
        nnir: "`linear` with alpha, beta and the bias folded; `conv1d` with one tap for a run-time B; `add` for a C that is no bias; as `MatMul` for two run-time matrices",
        operands: 2..=3,
        spare_outputs: false,
        map: linear::gemm,
    },
    Operator {
        name: "Greater",
        attributes: &[],
        restriction: "float32 operands; the result is 1 or 0, for `Where` and `Cast` to FLOAT",
        nnir: "`gt`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Gt),
    },
    Operator {
        name: "GreaterOrEqual",
        attributes: &[],
        restriction: "float32 operands; the result is 1 or 0, for `Where` and `Cast` to FLOAT",
        nnir: "`ge`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Ge),
    },
    Operator {
        name: "Identity",
        attributes: &[],
        restriction: "none",
        nnir: "none",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| c.any(0),
    },
    Operator {
        name: "LSTM",
        attributes: &[
            "activations",
            "direction",
            "hidden_size",
            "layout",
            "input_forget",
        ],
        restriction: "default functions; constant weights and first states; neither sequence lengths nor peepholes",
        nnir: "a `scan` per direction, a `linear` per gate",
        operands: 3..=8,
        spare_outputs: true,
        map: recurrent::lstm,
    },
    Operator {
        name: "LayerNormalization",
        attributes: &["axis", "epsilon", "stash_type"],
        restriction: "constant scale and bias; only the first output is read",
        nnir: "`reduce_mean`, `sub`, `mul`, `rsqrt`, `add`",
        operands: 2..=3,
        spare_outputs: true,
        map: |c| reduce::normalization(c, true),
    },
    Operator {
        name: "Less",
        attributes: &[],
        restriction: "float32 operands; the result is 1 or 0, for `Where` and `Cast` to FLOAT",
        nnir: "`lt`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Lt),
    },
    Operator {
        name: "LessOrEqual",
        attributes: &[],
        restriction: "float32 operands; the result is 1 or 0, for `Where` and `Cast` to FLOAT",
        nnir: "`le`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Le),
    },
    Operator {
        name: "Log",
        attributes: &[],
        restriction: "none",
        nnir: "`log`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Log),
    },
    Operator {
        name: "LogSoftmax",
        attributes: &["axis"],
        restriction: "as `Softmax`",
        nnir: "as `Softmax`, with `log` and `sub`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| reduce::softmax(c, true),
    },
    Operator {
        name: "MatMul",
        attributes: &[],
        restriction: "a constant side without a batch; the data dimension of one side at least is contracted",
        nnir: "`linear` for a constant on the right; `conv1d` with one tap for one on the left; `mul` and `reduce_sum` for two run-time matrices",
        operands: 2..=2,
        spare_outputs: false,
        map: linear::matmul,
    },
    Operator {
        name: "Max",
        attributes: &[],
        restriction: "as `Add`",
        nnir: "a chain of `max`",
        operands: 1..=ANY,
        spare_outputs: false,
        map: |c| elementwise::variadic(c, PointwiseOp::Max),
    },
    Operator {
        name: "MaxPool",
        attributes: &[
            "auto_pad",
            "ceil_mode",
            "dilations",
            "kernel_shape",
            "pads",
            "storage_order",
            "strides",
        ],
        restriction: "1-D; no padding, `ceil_mode` 0; only the first output is read",
        nnir: "`index_select` per tap, `max`",
        operands: 1..=1,
        spare_outputs: true,
        map: window::max_pool,
    },
    Operator {
        name: "Min",
        attributes: &[],
        restriction: "as `Add`",
        nnir: "a chain of `min`",
        operands: 1..=ANY,
        spare_outputs: false,
        map: |c| elementwise::variadic(c, PointwiseOp::Min),
    },
    Operator {
        name: "Mul",
        attributes: &[],
        restriction: "as `Add`",
        nnir: "`mul`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Mul),
    },
    Operator {
        name: "Neg",
        attributes: &[],
        restriction: "none",
        nnir: "`mul` by -1",
        operands: 1..=1,
        spare_outputs: false,
        map: elementwise::neg,
    },
    Operator {
        name: "Pad",
        attributes: &["mode"],
        restriction: "zeros along the last axis; constant pads",
        nnir: "part of the `Conv` that reads it; otherwise `concat`",
        operands: 2..=4,
        spare_outputs: false,
        map: window::pad,
    },
    Operator {
        name: "Pow",
        attributes: &[],
        restriction: "constant exponent 2, 0.5, -0.5 or -1",
        nnir: "`mul`, `sqrt`, `rsqrt`, `recip`",
        operands: 2..=2,
        spare_outputs: false,
        map: elementwise::pow,
    },
    Operator {
        name: "RMSNormalization",
        attributes: &["axis", "epsilon", "stash_type"],
        restriction: "constant scale",
        nnir: "`mul`, `reduce_mean`, `add`, `rsqrt`, `mul`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| reduce::normalization(c, false),
    },
    Operator {
        name: "Reciprocal",
        attributes: &[],
        restriction: "none",
        nnir: "`recip`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Recip),
    },
    Operator {
        name: "ReduceMax",
        attributes: &["axes", "keepdims", "noop_with_empty_axes"],
        restriction: "constant axes; at least one axis left",
        nnir: "`reduce_max`",
        operands: 1..=2,
        spare_outputs: false,
        map: |c| reduce::reduce(c, ReduceOp::Max),
    },
    Operator {
        name: "ReduceMean",
        attributes: &["axes", "keepdims", "noop_with_empty_axes"],
        restriction: "constant axes; at least one axis left",
        nnir: "`reduce_mean`",
        operands: 1..=2,
        spare_outputs: false,
        map: |c| reduce::reduce(c, ReduceOp::Mean),
    },
    Operator {
        name: "ReduceMin",
        attributes: &["axes", "keepdims", "noop_with_empty_axes"],
        restriction: "constant axes; at least one axis left",
        nnir: "`reduce_min`",
        operands: 1..=2,
        spare_outputs: false,
        map: |c| reduce::reduce(c, ReduceOp::Min),
    },
    Operator {
        name: "ReduceSum",
        attributes: &["axes", "keepdims", "noop_with_empty_axes"],
        restriction: "constant axes; at least one axis left",
        nnir: "`reduce_sum`",
        operands: 1..=2,
        spare_outputs: false,
        map: |c| reduce::reduce(c, ReduceOp::Sum),
    },
    Operator {
        name: "Relu",
        attributes: &[],
        restriction: "none",
        nnir: "`clamp` from 0",
        operands: 1..=1,
        spare_outputs: false,
        map: elementwise::relu,
    },
    Operator {
        name: "Reshape",
        attributes: &["allowzero"],
        restriction: "constant shape; the stride of the data dimension is kept",
        nnir: "`reshape`",
        operands: 2..=2,
        spare_outputs: false,
        map: shape::reshape,
    },
    Operator {
        name: "Scan",
        attributes: &[
            "body",
            "num_scan_inputs",
            "scan_input_axes",
            "scan_input_directions",
            "scan_output_axes",
            "scan_output_directions",
        ],
        restriction: "float32 throughout; constant initial states; sequences of at least 2 axes, one of which the body reads; \
                      the body may read values around it",
        nnir: "`scan`, one per output; `transpose` where axes differ, `index_select` where directions do, `slice` for last states, \
               `expand` for run-time values around the body",
        operands: 1..=ANY,
        spare_outputs: true,
        map: scan::scan,
    },
    Operator {
        name: "Sigmoid",
        attributes: &[],
        restriction: "none",
        nnir: "`sigmoid`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Sigmoid),
    },
    Operator {
        name: "Slice",
        attributes: &[],
        restriction: "step 1; constant starts, ends and axes; at least one value left",
        nnir: "a chain of `slice`",
        operands: 3..=5,
        spare_outputs: false,
        map: shape::slice,
    },
    Operator {
        name: "Softmax",
        attributes: &["axis"],
        restriction: "before operator set 13 the last axis only",
        nnir: "`reduce_max`, `sub`, `exp`, `reduce_sum`, `recip`, `mul`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| reduce::softmax(c, false),
    },
    Operator {
        name: "Softplus",
        attributes: &[],
        restriction: "none",
        nnir: "`softplus`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Softplus),
    },
    Operator {
        name: "Split",
        attributes: &["axis", "num_outputs", "split"],
        restriction: "constant lengths; at least one value in each part",
        nnir: "`slice` per output",
        operands: 1..=2,
        spare_outputs: true,
        map: shape::split,
    },
    Operator {
        name: "Sqrt",
        attributes: &[],
        restriction: "none",
        nnir: "`sqrt`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Sqrt),
    },
    Operator {
        name: "Squeeze",
        attributes: &["axes"],
        restriction: "constant axes; the stride of the data dimension is kept",
        nnir: "`reshape`",
        operands: 1..=2,
        spare_outputs: false,
        map: shape::squeeze,
    },
    Operator {
        name: "Sub",
        attributes: &[],
        restriction: "as `Add`",
        nnir: "`sub`",
        operands: 2..=2,
        spare_outputs: false,
        map: |c| elementwise::binary(c, PointwiseOp::Sub),
    },
    Operator {
        name: "Tanh",
        attributes: &[],
        restriction: "none",
        nnir: "`tanh`",
        operands: 1..=1,
        spare_outputs: false,
        map: |c| elementwise::unary(c, UnaryOp::Tanh),
    },
    Operator {
        name: "Transpose",
        attributes: &["perm"],
        restriction: "none",
        nnir: "`transpose`",
        operands: 1..=1,
        spare_outputs: false,
        map: shape::transpose,
    },
    Operator {
        name: "Unsqueeze",
        attributes: &["axes"],
        restriction: "constant axes; the stride of the data dimension is kept",
        nnir: "`reshape`",
        operands: 1..=2,
        spare_outputs: false,
        map: shape::unsqueeze,
    },
    Operator {
        name: "Where",
        attributes: &[],
        restriction: "none",
        nnir: "`keep`, `drop`, `add`",
        operands: 3..=3,
        spare_outputs: false,
        map: elementwise::choose,
    },
];

/// The row of an operator.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    OPERATORS.iter().find(|operator| operator.name == name)
}

/// The page for people.
pub fn table() -> String {
    let mut text = format!(
        "# ONNX operators\n\n\
         What a model may use: operator sets {} to {} of the standard domain, float32 values, int64 (or int32) indices, static shapes\n\
         (or one given per input). `sluice_compiler::onnx::operators` is this table; everything else is reported at once, with layer\n\
         names. Layers that read constants only are computed while the file is read.\n\n\
         Every run-time tensor has one *data dimension*, the axis packed into blocks: the one a matrix product or convolution contracts,\n\
         inferred over the whole graph. Reshaping keeps the product of the extents to its right.\n\n\
         Operators become the operations of the column NNIR, in bf16: what each costs, its error, and where the RTL is held to the VM,\n\
         is in [operations.md](operations.md).\n\n\
         | operator | attributes | restriction | NNIR |\n|---|---|---|---|\n",
        OPSETS.start(),
        OPSETS.end()
    );
    for operator in OPERATORS {
        let attributes: Vec<_> = operator
            .attributes
            .iter()
            .map(|a| format!("`{a}`"))
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            operator.name,
            attributes.join(", "),
            operator.restriction,
            operator.nnir
        );
    }
    text
}
