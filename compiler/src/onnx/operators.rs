//! The operators a file may use: one row each, with the function that maps it.
//!
//! **Contract.** The table is the only list there is: what is not in it, or has an attribute that is not in its row, is
//! reported as unsupported. [`table`] is `docs/operators.md`; a test holds the page to it, another every row to a fixture.
//! **Errors.** None.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::importer::{Context, Mapped};
use super::ops::{conv, elementwise, linear, passing, shape};
use super::structure::OPSETS;
use crate::nnir::PointwiseOp;

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
        restriction: "broadcasting along the data dimension for constants only",
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
        restriction: "1-D; constant weight and bias; `pads=[dilation * (kernel - 1), 0]`, so that the length is kept; strides 1; \
                      `group` 1, or as many as channels in and out",
        nnir: "`conv1d`",
        operands: 2..=3,
        spare_outputs: false,
        map: conv::conv,
    },
    Operator {
        name: "Div",
        attributes: &[],
        restriction: "by a constant whose values are powers of two, where multiplying by the reciprocal is exact",
        nnir: "`mul`",
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
        name: "Flatten",
        attributes: &["axis"],
        restriction: "the stride of the data dimension is kept",
        nnir: "`reshape`",
        operands: 1..=1,
        spare_outputs: false,
        map: shape::flatten,
    },
    Operator {
        name: "Gemm",
        attributes: &["alpha", "beta", "transA", "transB"],
        restriction: "A or B constant; `transA=0` for a run-time A, `transB=0` for a run-time B",
        nnir: "`linear` with alpha, beta and the bias folded; `conv1d` with one tap for a run-time B; `add` for a C that is no bias",
        operands: 2..=3,
        spare_outputs: false,
        map: linear::gemm,
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
        name: "MatMul",
        attributes: &[],
        restriction: "one side constant, without a batch; the data dimension of the other side is contracted",
        nnir: "`linear` for a constant on the right; `conv1d` with one tap for one on the left",
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
        name: "Slice",
        attributes: &[],
        restriction: "step 1; constant starts, ends and axes; at least one value left",
        nnir: "a chain of `slice`",
        operands: 3..=5,
        spare_outputs: false,
        map: shape::slice,
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
        name: "Unsqueeze",
        attributes: &["axes"],
        restriction: "constant axes; the stride of the data dimension is kept",
        nnir: "`reshape`",
        operands: 1..=2,
        spare_outputs: false,
        map: shape::unsqueeze,
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
