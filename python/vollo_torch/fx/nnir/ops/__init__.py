"""The rows of the operation table."""

from __future__ import annotations

from vollo_torch.fx.nnir.ops import conv, elementwise, index, linear, passing, shape
from vollo_torch.fx.nnir.table import Module, Operation

_BROADCAST = "broadcasting along the data dimension for constants only"
_STRIDE = "the stride of the data dimension is kept"
_DATA_DIM = "operands agree in data dimension"
_CONSTANT_SIDE = "one side constant, without a batch; the data dimension of the other side is contracted"
_CAUSAL = (
    "1-D; constant weight and bias; stride 1; `groups` 1, or as many as channels in and out; one tap, or causal: "
    "`dilation * (kernel_size - 1)` zeros padded on the left, or on both sides and that many steps cut off the end"
)
_PRODUCT = "`linear` for a constant on the right; `conv1d` with one tap for one on the left"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "abs", "none", "`mul` by -1, `max`", elementwise.absolute, ("torch.abs", "torch.absolute", "operator.abs"),
        ("abs", "absolute"),
    ),
    Operation("add", _BROADCAST, "`add`", elementwise.add, ("torch.add", "operator.add"), ("add", "__add__", "__radd__")),
    Operation("addmm", _CONSTANT_SIDE, "as `matmul`, then `add`", linear.addmm, ("torch.addmm",), ("addmm",)),
    Operation(
        "batch_norm", "constant statistics, not training", "`mul`, `add`", conv.batch_norm, ("F.batch_norm", "torch.batch_norm")
    ),
    Operation(
        "broadcast_tensors", "not along the data dimension", "`mul` by 1", shape.broadcast_tensors, ("torch.broadcast_tensors",)
    ),
    Operation(
        "cat", _DATA_DIM, "`concat`", shape.cat, ("torch.cat", "torch.concat", "torch.concatenate"),
    ),
    Operation("chunk", "none", "`slice` per part", shape.chunk, ("torch.chunk",), ("chunk",)),
    Operation(
        "clamp", "constant bounds", "`clamp`; `max`, `min` for bounds that are tensors", elementwise.clamp,
        ("torch.clamp", "torch.clip"), ("clamp", "clip"),
    ),
    Operation("clamp_max", "constant bound", "`clamp`", elementwise.clamp_max, ("torch.clamp_max",), ("clamp_max",)),
    Operation("clamp_min", "constant bound", "`clamp`", elementwise.clamp_min, ("torch.clamp_min",), ("clamp_min",)),
    Operation(
        "clone", "none", "none", passing.same, ("torch.clone", "torch.detach", "torch.positive", "operator.pos"),
        ("clone", "contiguous", "detach", "float", "cpu", "positive", "__pos__"),
    ),
    Operation("column_stack", _DATA_DIM, "`reshape`, `concat`", shape.column_stack, ("torch.column_stack",)),
    Operation("conv1d", _CAUSAL, "`conv1d`", conv.conv1d, ("F.conv1d", "torch.conv1d")),
    Operation("data", "none", "none", passing.same, attribute="data"),
    Operation(
        "div", "by a constant whose values are powers of two, where multiplying by the reciprocal is exact", "`mul`",
        elementwise.div, ("torch.div", "torch.divide", "torch.true_divide", "operator.truediv"),
        ("div", "divide", "true_divide", "__truediv__"),
    ),
    Operation(
        "dropout", "`training=False`", "none", passing.dropout,
        ("F.dropout", "F.dropout1d", "F.dropout2d", "F.dropout3d", "F.alpha_dropout", "F.feature_alpha_dropout"),
    ),
    Operation("dstack", _DATA_DIM, "`reshape`, `concat`", shape.dstack, ("torch.dstack",)),
    Operation(
        "expand", "not along the data dimension", "`mul` by 1", shape.expand, ("torch.broadcast_to",),
        ("expand", "broadcast_to"),
    ),
    Operation("expand_as", "not along the data dimension", "`mul` by 1", shape.expand_as, (), ("expand_as",)),
    Operation("flatten", _STRIDE, "`reshape`", shape.flatten, ("torch.flatten",), ("flatten",)),
    Operation("full_like", "constant value", "`constant`", elementwise.full_like, ("torch.full_like",)),
    Operation(
        "getitem", "numbers, slices of step 1, `...`, `None`, one constant list of indices; at least one value left",
        "a chain of `slice`, `reshape`", index.getitem, ("operator.getitem",), ("__getitem__",),
    ),
    Operation("hardtanh", "not in place", "`clamp`", elementwise.hardtanh, ("F.hardtanh",)),
    Operation("hstack", _DATA_DIM, "`concat`", shape.hstack, ("torch.hstack",)),
    Operation(
        "index_select", f"constant indices in at most {index.MAX_RUNS} runs", "`slice`, `concat`", index.index_select,
        ("torch.index_select",), ("index_select",),
    ),
    Operation(
        "leaky_relu", "slope from 0 to 1; not in place", "`mul`, `max`", elementwise.leaky_relu, ("F.leaky_relu",)
    ),
    Operation("linear", "constant weight", "`linear`", linear.linear, ("F.linear",)),
    Operation(
        "matmul", _CONSTANT_SIDE, _PRODUCT, linear.matmul,
        ("torch.matmul", "torch.mm", "torch.mv", "operator.matmul"), ("matmul", "mm", "mv", "__matmul__", "__rmatmul__"),
    ),
    Operation("max", "of two tensors, as `add`", "`max`", elementwise.maximum_of, ("torch.max",), ("max",)),
    Operation("maximum", "as `add`", "`max`", elementwise.maximum, ("torch.maximum",), ("maximum",)),
    Operation("min", "of two tensors, as `add`", "`min`", elementwise.minimum_of, ("torch.min",), ("min",)),
    Operation("minimum", "as `add`", "`min`", elementwise.minimum, ("torch.minimum",), ("minimum",)),
    Operation("mT", "moves axes of extent 1 only; " + _STRIDE, "`reshape`", shape.swap_last, attribute="mT"),
    Operation(
        "mul", "as `add`", "`mul`", elementwise.mul, ("torch.mul", "torch.multiply", "operator.mul"),
        ("mul", "multiply", "__mul__", "__rmul__"),
    ),
    Operation("narrow", "constant start", "`slice`", index.narrow, ("torch.narrow",), ("narrow",)),
    Operation(
        "neg", "none", "`mul` by -1", elementwise.neg, ("torch.neg", "torch.negative", "operator.neg"),
        ("neg", "negative", "__neg__"),
    ),
    Operation("new_full", "constant value", "`constant`", elementwise.new_full, (), ("new_full",)),
    Operation("new_ones", "none", "`constant`", elementwise.new_ones, (), ("new_ones",)),
    Operation("new_zeros", "none", "`constant`", elementwise.new_zeros, (), ("new_zeros",)),
    Operation("ones_like", "none", "`constant`", elementwise.ones_like, ("torch.ones_like",)),
    Operation(
        "pad", "`mode='constant'`; amounts from 0 on", "none before a convolution it makes causal, else `concat`", conv.pad,
        ("F.pad",),
    ),
    Operation(
        "permute", "moves axes of extent 1 only; " + _STRIDE, "`reshape`", shape.permute, ("torch.permute",), ("permute",)
    ),
    Operation(
        "pow", "exponent 1, 2 or 3", "`mul`", elementwise.power, ("torch.pow", "operator.pow"), ("pow", "__pow__")
    ),
    Operation("ravel", _STRIDE, "`reshape`", shape.ravel, ("torch.ravel",), ("ravel",)),
    Operation("relu", "not in place", "`clamp` from 0", elementwise.relu, ("F.relu", "torch.relu"), ("relu",)),
    Operation("relu6", "not in place", "`clamp` from 0 to 6", elementwise.relu6, ("F.relu6",)),
    Operation("reshape", _STRIDE, "`reshape`", shape.reshape, ("torch.reshape",), ("reshape",)),
    Operation("reshape_as", _STRIDE, "`reshape`", shape.reshape_as, (), ("reshape_as", "view_as")),
    Operation("rsub", "as `add`", "`sub`", elementwise.rsub, ("torch.rsub",), ("__rsub__", "rsub")),
    Operation("select", "none", "`slice`, `reshape`", index.select, ("torch.select",), ("select",)),
    Operation("split", "none", "`slice` per part", shape.split, ("torch.split",), ("split",)),
    Operation("square", "none", "`mul`", elementwise.square, ("torch.square",), ("square",)),
    Operation("squeeze", _STRIDE, "`reshape`", shape.squeeze, ("torch.squeeze",), ("squeeze",)),
    Operation("stack", _DATA_DIM, "`reshape`, `concat`", shape.stack, ("torch.stack",)),
    Operation(
        "sub", "as `add`", "`sub`", elementwise.sub, ("torch.sub", "torch.subtract", "operator.sub"),
        ("sub", "subtract", "__sub__"),
    ),
    Operation("T", "moves axes of extent 1 only; " + _STRIDE, "`reshape`", shape.reverse_axes, attribute="T"),
    Operation(
        "t", "moves axes of extent 1 only; " + _STRIDE, "`reshape`", shape.reverse_axes, ("torch.t",), ("t",)
    ),
    Operation(
        "threshold", "value equal to threshold; not in place", "`clamp`", elementwise.threshold,
        ("F.threshold", "torch.threshold"),
    ),
    Operation("to", "to float32", "none", passing.converted, (), ("to", "type_as")),
    Operation(
        "transpose", "moves axes of extent 1 only; " + _STRIDE, "`reshape`", shape.transpose,
        ("torch.transpose", "torch.swapaxes", "torch.swapdims"), ("transpose", "swapaxes", "swapdims"),
    ),
    Operation("unbind", "none", "`slice`, `reshape` per part", shape.unbind, ("torch.unbind",), ("unbind",)),
    Operation("unflatten", _STRIDE, "`reshape`", shape.unflatten, ("torch.unflatten",), ("unflatten",)),
    Operation("unsqueeze", _STRIDE, "`reshape`", shape.unsqueeze, ("torch.unsqueeze",), ("unsqueeze",)),
    Operation("view", _STRIDE + "; no other element type", "`reshape`", shape.view, (), ("view",)),
    Operation("vstack", _DATA_DIM, "`reshape`, `concat`", shape.vstack, ("torch.vstack", "torch.row_stack")),
    Operation("zeros_like", "none", "`constant`", elementwise.zeros_like, ("torch.zeros_like",)),
)

MODULES: tuple[Module, ...] = (
    Module(
        ("nn.BatchNorm1d", "nn.BatchNorm2d", "nn.BatchNorm3d"),
        ("num_features", "eps", "momentum", "affine", "track_running_stats"),
        "eval mode, with statistics kept in training",
        "none after a layer only it reads, else `mul`, `add`",
        conv.batch_norm_module,
    ),
    Module(
        ("nn.ConstantPad1d", "nn.ZeroPad1d"),
        ("padding", "value"),
        "amounts from 0 on",
        "as `pad`",
        conv.pad_module,
    ),
    Module(
        ("nn.Conv1d",),
        ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "padding_mode"),
        _CAUSAL + "; `padding_mode='zeros'`",
        "`conv1d`",
        conv.conv1d_module,
    ),
    Module(
        ("nn.Dropout", "nn.Dropout1d", "nn.Dropout2d", "nn.Dropout3d", "nn.AlphaDropout", "nn.FeatureAlphaDropout"),
        ("p", "inplace"),
        "eval mode; not in place",
        "none",
        passing.dropout_module,
    ),
    Module(("nn.Flatten",), ("start_dim", "end_dim"), _STRIDE, "`reshape`", shape.reshaped_module),
    Module(
        ("nn.Hardtanh",), ("min_val", "max_val", "inplace"), "not in place", "`clamp`", elementwise.hardtanh_module
    ),
    Module(("nn.Identity",), (), "none", "none", passing.same_module),
    Module(
        ("nn.LeakyReLU",), ("negative_slope", "inplace"), "slope from 0 to 1; not in place", "`mul`, `max`",
        elementwise.leaky_relu_module,
    ),
    Module(("nn.Linear",), ("in_features", "out_features", "bias"), "none", "`linear`", linear.linear_module),
    Module(
        ("vollo.PaddedConv1d",),
        ("in_channels", "out_channels", "kernel_size", "dilation", "groups", "bias"),
        "none",
        "`conv1d`",
        conv.padded_conv1d,
    ),
    Module(("nn.ReLU",), ("inplace",), "not in place", "`clamp` from 0", elementwise.relu_module),
    Module(("nn.ReLU6",), ("inplace",), "not in place", "`clamp` from 0 to 6", elementwise.relu6_module),
    Module(
        ("nn.Threshold",), ("threshold", "value", "inplace"), "value equal to threshold; not in place", "`clamp`",
        elementwise.threshold_module,
    ),
    Module(("nn.Unflatten",), ("dim", "unflattened_size"), _STRIDE, "`reshape`", shape.reshaped_module),
)
