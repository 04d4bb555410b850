#!/usr/bin/env python3
"""Writes the ONNX files and expected values of compiler/tests/onnx. What onnxruntime computes is what is expected.

    python3 -m venv /tmp/onnx && /tmp/onnx/bin/pip install -r tools/onnx/requirements.txt
    /tmp/onnx/bin/python tools/onnx/make_fixtures.py

good/<case>.onnx, .json   operators used, shapes given, inputs, outputs
bad/<case>.onnx, .json    code and words of the error
Seeds are fixed: the same packages write the same bytes.
"""

import json
import pathlib
import shutil

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent / "compiler" / "tests" / "onnx"
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def values(shape, seed):
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(np.float32)


def tensor(name, array, raw=True):
    array = np.asarray(array)
    if raw:
        return numpy_helper.from_array(array, name)
    kind = FLOAT if array.dtype == np.float32 else INT64
    return helper.make_tensor(name, kind, array.shape, array.flatten().tolist())


def node(op, inputs, outputs, name=None, **attributes):
    return helper.make_node(op, inputs, outputs, name=name or f"{op.lower()}_{outputs[0]}", **attributes)


def model(nodes, inputs, outputs, constants=(), opset=17, annotate=(), name="net"):
    """inputs, outputs: name -> shape (or (shape, type)); constants: name -> array or tensor."""

    def info(items):
        return [
            helper.make_tensor_value_info(n, *(s[::-1] if isinstance(s, tuple) else (FLOAT, s))) for n, s in items
        ]

    held = [c if isinstance(c, TensorProto) else tensor(n, c) for n, c in dict(constants).items()]
    graph = helper.make_graph(nodes, name, info(inputs.items()), info(outputs.items()), held, value_info=info(annotate))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def text(array):
    array = np.asarray(array, np.float32)
    return {"shape": list(array.shape), "data": [float(v) for v in array.flatten()]}


def good(case, built, feeds, overrides=(), external=None, same=None, tolerance=None):
    """`same`: a model of the same values that onnxruntime can run; `tolerance`: of what is not exact in float32 either."""
    if not all(o.type.tensor_type.HasField("shape") for o in built.graph.output):
        built = onnx.shape_inference.infer_shapes(built)
    onnx.checker.check_model(built)
    folder = ROOT / "good"
    path = folder / f"{case}.onnx"
    if external:
        onnx.save(built, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save(built, path)
    runnable = same.SerializeToString() if same else str(path)
    session = onnxruntime.InferenceSession(runnable, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    known = {n.op_type for n in built.graph.node}
    record = {
        "operators": sorted(known),
        "overrides": [list(s) for s in overrides],
        "inputs": [text(feeds[i.name]) for i in session.get_inputs()],
        "outputs": [text(o) for o in outputs],
    }
    if tolerance:
        record["tolerance"] = tolerance
    (folder / f"{case}.json").write_text(json.dumps(record) + "\n")


def bad(case, built, code, says, overrides=()):
    folder = ROOT / "bad"
    data = built if isinstance(built, bytes) else built.SerializeToString()
    (folder / f"{case}.onnx").write_bytes(data)
    record = {"code": code, "says": list(says), "overrides": [list(s) for s in overrides]}
    (folder / f"{case}.json").write_text(json.dumps(record) + "\n")


def one(case, op, shapes, constants=(), opset=17, operands=None, tolerance=None, **attributes):
    """One operator on run-time operands x0, x1.. followed by constants, in the order given by `operands`."""
    constants = dict(constants)
    inputs = {f"x{i}": list(s) for i, s in enumerate(shapes)}
    operands = operands or [*inputs, *constants]
    built = model([node(op, operands, ["y"], **attributes)], inputs, {"y": None}, constants, opset)
    feeds = {n: values(s, 100 + i) for i, (n, s) in enumerate(inputs.items())}
    good(case, built, feeds, tolerance=tolerance)


def elementwise():
    for op in ["Add", "Sub", "Mul"]:
        one(f"{op.lower()}_runtime", op, [[2, 6], [2, 6]])
        one(f"{op.lower()}_constant", op, [[2, 6]], {"c": values([6], 1)})
        one(f"{op.lower()}_column", op, [[2, 6]], {"c": values([2, 1], 1)}, operands=["c", "x0"])
    one("sub_scalar_left", "Sub", [[2, 6]], {"c": values([], 3)}, operands=["c", "x0"])
    for op in ["Max", "Min"]:
        one(f"{op.lower()}_one", op, [[6]])
        one(f"{op.lower()}_three", op, [[2, 6], [2, 6]], {"c": values([6], 2)})
    one("neg", "Neg", [[2, 6]])
    one("relu", "Relu", [[2, 6]])
    one("div_powers_of_two", "Div", [[2, 6]], {"c": np.array([0.5, -4, 8, 1, 2, 0.125], np.float32)})
    one("div_constant", "Div", [[2, 6]], {"c": np.array([3, -0.1, 7, 1, 1.5, 10], np.float32)})
    one("div_runtime", "Div", [[2, 6], [2, 1]])
    one("div_constant_left", "Div", [[2, 6]], {"c": np.float32(3)}, operands=["c", "x0"])
    for op in ["Exp", "Tanh", "Sigmoid", "Softplus", "Reciprocal"]:
        one(op.lower(), op, [[2, 6]])
    one("erf", "Erf", [[2, 6]], tolerance=4e-4)
    one("gelu", "Gelu", [[2, 6]], opset=20)
    one("gelu_tanh", "Gelu", [[2, 6]], opset=20, approximate="tanh")
    for op in ["Log", "Sqrt"]:
        # Of numbers above 0.
        nodes = [node("Mul", ["x", "x"], ["s"]), node(op, ["s"], ["y"])]
        good(op.lower(), model(nodes, {"x": [2, 6]}, {"y": [2, 6]}), {"x": values([2, 6], 5)})
    one("pow_square", "Pow", [[2, 6]], {"e": np.float32(2)})
    one("pow_square_int", "Pow", [[2, 6]], {"e": np.int64(2)})
    one("pow_reciprocal", "Pow", [[2, 6]], {"e": np.array([-1], np.float32)})
    for exponent in [0.5, -0.5]:
        nodes = [node("Mul", ["x", "x"], ["s"]), node("Pow", ["s", "e"], ["y"])]
        built = model(nodes, {"x": [2, 6]}, {"y": [2, 6]}, {"e": np.float32(exponent)})
        good(f"pow_root_{'down' if exponent < 0 else 'up'}", built, {"x": values([2, 6], 5)})
    for op in ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"]:
        nodes = [node(op, ["x", "c"], ["t"]), node("Where", ["t", "x", "d"], ["y"])]
        built = model(nodes, {"x": [2, 6], "c": [6]}, {"y": [2, 6]}, {"d": np.float32(-7.5)})
        good(f"where_{op.lower()}", built, {"x": np.round(values([2, 6], 5)), "c": np.round(values([6], 6))})
    nodes = [node("Greater", ["x", "zero"], ["t"]), node("Cast", ["t"], ["y"], to=FLOAT)]
    good("greater_cast", model(nodes, {"x": [2, 6]}, {"y": [2, 6]}, {"zero": np.float32(0)}), {"x": values([2, 6], 5)})
    mask = {"m": np.array([[True, False, True], [False, False, True]])}
    one("where_constant_condition", "Where", [[2, 3], [3]], mask, operands=["m", "x0", "x1"])
    one("where_broadcast", "Where", [[2, 3]], mask | {"c": np.float32(4)}, operands=["m", "c", "x0"])
    bounds = {"lo": np.float32(-0.5), "hi": np.float32(0.75)}
    one("clip_both", "Clip", [[2, 6]], bounds)
    one("clip_low", "Clip", [[2, 6]], {"lo": bounds["lo"]})
    one("clip_high", "Clip", [[2, 6]], {"hi": bounds["hi"]}, operands=["x0", "", "hi"])
    one("clip_opset11", "Clip", [[2, 6]], bounds, opset=11)


def products():
    one("matmul_right", "MatMul", [[3, 5]], {"w": values([5, 4], 1)})
    one("matmul_right_batch", "MatMul", [[2, 3, 5]], {"w": values([1, 5, 4], 1)})
    one("matmul_right_vector", "MatMul", [[3, 5]], {"w": values([5], 1)})
    one("matmul_left", "MatMul", [[5, 3]], {"w": values([4, 5], 1)}, operands=["w", "x0"])
    one("matmul_left_batch", "MatMul", [[2, 5, 3]], {"w": values([4, 5], 1)}, operands=["w", "x0"])
    one("matmul_left_vector", "MatMul", [[5]], {"w": values([4, 5], 1)}, operands=["w", "x0"])
    one("matmul_vector_right", "MatMul", [[5]], {"w": values([5, 4], 1)})
    one("gemm_plain", "Gemm", [[3, 5]], {"w": values([5, 4], 1)})
    one("gemm_linear", "Gemm", [[1, 5]], {"w": values([4, 5], 1), "b": values([4], 2)}, transB=1)
    one("gemm_alpha_beta", "Gemm", [[3, 5]], {"w": values([4, 5], 1), "b": values([1, 4], 2)}, transB=1, alpha=0.3, beta=1.7)
    one("gemm_scalar_bias", "Gemm", [[3, 5]], {"w": values([5, 4], 1), "b": values([], 2)}, beta=0.5)
    one("gemm_matrix_bias", "Gemm", [[3, 5]], {"w": values([5, 4], 1), "b": values([3, 4], 2)}, beta=-2.0)
    one("gemm_runtime_bias", "Gemm", [[3, 5], [3, 4]], {"w": values([5, 4], 1)}, operands=["x0", "w", "x1"], beta=0.7)
    one("gemm_left", "Gemm", [[5, 3]], {"w": values([4, 5], 1)}, operands=["w", "x0"], alpha=2.0)
    one("gemm_left_trans", "Gemm", [[5, 3]], {"w": values([5, 4], 1), "b": values([4, 1], 2)}, operands=["w", "x0", "b"], transA=1)
    one("conv_causal", "Conv", [[1, 3, 7]], {"w": values([4, 3, 3], 1), "b": values([4], 2)}, pads=[2, 0], kernel_shape=[3])
    one("conv_dilated", "Conv", [[2, 3, 9]], {"w": values([4, 3, 2], 1)}, pads=[4, 0], dilations=[4])
    one("conv_depthwise", "Conv", [[1, 4, 7]], {"w": values([4, 1, 3], 1), "b": values([4], 2)}, pads=[2, 0], group=4, strides=[1])
    one("conv_pointwise", "Conv", [[1, 3, 5]], {"w": values([2, 3, 1], 1)}, opset=22, auto_pad="NOTSET")
    one("conv_valid", "Conv", [[1, 3, 9]], {"w": values([4, 3, 3], 1), "b": values([4], 2)}, dilations=[2])
    one("conv_same", "Conv", [[1, 3, 7]], {"w": values([4, 3, 3], 1)}, pads=[1, 1])
    one("conv_wide", "Conv", [[2, 3, 5]], {"w": values([4, 3, 2], 1)}, pads=[3, 2], strides=[2])
    one("conv_strided", "Conv", [[1, 3, 8]], {"w": values([4, 3, 3], 1)}, pads=[2, 0], strides=[3])
    one("conv_auto_valid", "Conv", [[1, 3, 8]], {"w": values([4, 3, 3], 1)}, auto_pad="VALID")
    # What a padded convolution of PyTorch becomes.
    held = {"p": np.array([0, 0, 4, 0, 0, 0], np.int64), "w": values([4, 3, 3], 1), "b": values([4], 2)}
    nodes = [node("Pad", ["x", "p"], ["q"]), node("Conv", ["q", "w", "b"], ["y"], dilations=[2])]
    good("pad_conv", model(nodes, {"x": [1, 3, 9]}, {"y": [1, 4, 9]}, held), {"x": values([1, 3, 9], 5)})
    held |= {"p": np.array([1, 2], np.int64), "v": np.float32(0), "a": np.array([-1], np.int64)}
    nodes = [node("Pad", ["x", "p", "v", "a"], ["y"])]
    good("pad", model(nodes, {"x": [1, 3, 5]}, {"y": [1, 3, 8]}, held, opset=18), {"x": values([1, 3, 5], 5)})
    nodes = [node("Pad", ["x", "p"], ["q"]), node("Conv", ["q", "w"], ["c"], pads=[1, 0]), node("Slice", ["q", "s", "e"], ["y"])]
    held |= {"p": np.array([0, 0, 1, 0, 0, 2], np.int64), "s": np.array([0], np.int64), "e": np.array([1], np.int64)}
    built = model(nodes, {"x": [1, 3, 5]}, {"c": [1, 4, 7], "y": [1, 3, 8]}, held)
    good("pad_read_twice", built, {"x": values([1, 3, 5], 5)})
    one("matmul_runtime", "MatMul", [[3, 5], [5, 4]])
    one("matmul_runtime_batch", "MatMul", [[2, 1, 3, 5], [4, 5, 2]])
    one("gemm_runtime", "Gemm", [[5, 3], [4, 5]], {"b": values([4], 2)}, transA=1, transB=1, alpha=0.5, beta=2.0)
    one("gemm_runtime_plain", "Gemm", [[3, 5], [5, 4]])
    attention()
    for rank, shape in {2: [3, 5], 3: [2, 5, 4]}.items():
        statistics = {n: values([5], i) for i, n in enumerate(["scale", "bias", "mean"])}
        statistics["var"] = np.abs(values([5], 9)) + np.float32(0.1)
        one(f"batch_normalization_{rank}d", "BatchNormalization", [shape], statistics, epsilon=1e-3)
    one("batch_normalization_opset11", "BatchNormalization", [shape], statistics, opset=11)


def attention():
    """One head over five steps: products of run-time matrices around a softmax."""
    steps, width = 5, 8
    weights = {f"w{n}": values([width, width], 20 + i) / 2 for i, n in enumerate("qkvo")}
    nodes = [node("MatMul", ["x", f"w{n}"], [n], name=f"{n}_proj") for n in "qkv"]
    nodes += [
        node("Transpose", ["k"], ["kt"], name="turn", perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], ["s"], name="scores"),
        node("Mul", ["s", "scale"], ["s2"], name="scaled"),
        node("Softmax", ["s2"], ["a"], name="attention", axis=-1),
        node("MatMul", ["a", "v"], ["c"], name="context"),
        node("MatMul", ["c", "wo"], ["y"], name="out"),
    ]
    built = model(nodes, {"x": [1, steps, width]}, {"y": [1, steps, width]}, weights | {"scale": np.float32(width**-0.5)})
    good("model_attention", built, {"x": values([1, steps, width], 60)})


def axes():
    """Operators that look at whole axes."""
    def ints(*v):
        return np.array(v, np.int64)

    for op in ["Sum", "Mean", "Max", "Min"]:
        one(f"reduce_{op.lower()}", f"Reduce{op}", [[2, 3, 4]], {"a": ints(-1)}, opset=18)
        one(f"reduce_{op.lower()}_two", f"Reduce{op}", [[2, 3, 4]], {"a": ints(2, 0)}, opset=18, keepdims=0)
        one(f"reduce_{op.lower()}_all", f"Reduce{op}", [[2, 3]], opset=18)
        one(f"reduce_{op.lower()}_opset11", f"Reduce{op}", [[2, 3, 4]], opset=11, axes=[1])
    one("reduce_nothing", "ReduceSum", [[2, 3]], opset=18, noop_with_empty_axes=1)
    for op in ["Softmax", "LogSoftmax"]:
        one(op.lower(), op, [[2, 5]])
        one(f"{op.lower()}_first", op, [[2, 5]], axis=0)
        one(f"{op.lower()}_opset11", op, [[2, 5]], opset=11)
    scale = {"s": values([4], 1), "b": values([4], 2)}
    one("layer_norm", "LayerNormalization", [[2, 3, 4]], scale, epsilon=0.01)
    one("layer_norm_no_bias", "LayerNormalization", [[2, 3, 4]], {"s": scale["s"]}, axis=2)
    one("layer_norm_two_axes", "LayerNormalization", [[2, 3, 4]], {"s": values([3, 4], 1), "b": values([3, 4], 2)}, axis=1)
    one("rms_norm", "RMSNormalization", [[2, 3, 4]], {"s": scale["s"]}, opset=23, epsilon=0.01)
    one("transpose", "Transpose", [[2, 3, 4]], perm=[2, 0, 1])
    one("transpose_reverse", "Transpose", [[2, 3, 4]])
    one("gather", "Gather", [[2, 5]], {"i": ints(3, 0, -1, 3)}, axis=1)
    one("gather_scalar", "Gather", [[3, 5]], {"i": np.array(-1, np.int64)})
    one("gather_matrix", "Gather", [[4, 5]], {"i": np.array([[0, 3], [2, 1]], np.int64)})
    one("expand", "Expand", [[3, 1]], {"s": ints(2, 3, 4)})
    one("expand_both_ways", "Expand", [[2, 1, 4]], {"s": ints(3, 1)})
    one("max_pool", "MaxPool", [[1, 3, 9]], kernel_shape=[3])
    one("max_pool_strided", "MaxPool", [[2, 3, 10]], kernel_shape=[2], strides=[3], dilations=[2], pads=[0, 0])


def recurrent():
    """Whole sequences, and stacks as torch exports them."""
    steps, batch, inputs, hidden = 5, 2, 3, 4
    for op, gates in [("LSTM", 4), ("GRU", 3)]:
        for direction, count in [("forward", 1), ("reverse", 1), ("bidirectional", 2)]:
            for form in ["plain", "full"]:
                held = {"w": values([count, gates * hidden, inputs], 1), "r": values([count, gates * hidden, hidden], 2)}
                operands = ["x", "w", "r"]
                outputs = {"y": [steps, count, batch, hidden]}
                attributes = {}
                if form == "full":
                    held |= {"b": values([count, 2 * gates * hidden], 3), "h0": values([count, batch, hidden], 4)}
                    operands += ["b", "", "h0"]
                    outputs |= {"h": [count, batch, hidden]}
                    if op == "LSTM":
                        held |= {"c0": values([count, batch, hidden], 5)}
                        operands += ["c0"]
                        outputs |= {"c": [count, batch, hidden]}
                    else:
                        attributes = {"linear_before_reset": 1}
                nodes = [node(op, operands, list(outputs), name="rnn", hidden_size=hidden, direction=direction, **attributes)]
                built = model(nodes, {"x": [steps, batch, inputs]}, outputs, held)
                good(f"{op.lower()}_{direction}_{form}", built, {"x": values([steps, batch, inputs], 9)})
    # The batch first, which onnxruntime does not run: its values are those of transpositions around the other layout.
    for op, gates in [("LSTM", 4), ("GRU", 3)]:
        held = {"w": values([2, gates * hidden, inputs], 1), "r": values([2, gates * hidden, hidden], 2), "b": values([2, 2 * gates * hidden], 3)}
        first = values([batch, 2, hidden], 4)
        attributes = {"name": "rnn", "hidden_size": hidden, "direction": "bidirectional"}
        operands = ["w", "r", "b", "", "h0"]
        x, outputs = {"x": [batch, steps, inputs]}, {"y": [batch, steps, 2, hidden], "h": [batch, 2, hidden]}
        built = model([node(op, ["x", *operands], ["y", "h"], layout=1, **attributes)], x, outputs, held | {"h0": first})
        nodes = [
            node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
            node(op, ["xt", *operands], ["yt", "ht"], **attributes),
            node("Transpose", ["yt"], ["y"], perm=[2, 0, 1, 3]),
            node("Transpose", ["ht"], ["h"], perm=[1, 0, 2]),
        ]
        same = model(nodes, x, outputs, held | {"h0": first.transpose(1, 0, 2)})
        good(f"{op.lower()}_batch_first", built, {"x": values([batch, steps, inputs], 9)}, same=same)
    # Two bidirectional layers, batch first, and a head on the last hidden states.
    held = {"perm": np.array([0, 0, -1], np.int64), "wh": values([2 * hidden, 2], 30)}
    nodes = [node("Transpose", ["x"], ["s0"], name="time_first", perm=[1, 0, 2])]
    for i in range(2):
        wide = inputs if i == 0 else 2 * hidden
        held |= {f"w{i}": values([2, 4 * hidden, wide], 40 + i), f"r{i}": values([2, 4 * hidden, hidden], 50 + i), f"b{i}": values([2, 8 * hidden], 60 + i)}
        nodes += [
            node("LSTM", [f"s{i}", f"w{i}", f"r{i}", f"b{i}"], [f"y{i}", f"h{i}", f"c{i}"], name=f"lstm{i}", hidden_size=hidden, direction="bidirectional"),
            node("Transpose", [f"y{i}"], [f"t{i}"], name=f"beside{i}", perm=[0, 2, 1, 3]),
            node("Reshape", [f"t{i}", "perm"], [f"s{i + 1}"], name=f"joined{i}"),
        ]
    nodes += [node("Gather", ["s2", "last"], ["z"], name="last_step"), node("MatMul", ["z", "wh"], ["y"], name="head")]
    built = model(nodes, {"x": [1, steps, inputs]}, {"y": [1, 2]}, held | {"last": np.array(-1, np.int64)})
    good("model_lstm", built, {"x": values([1, steps, inputs], 70)})


def scan_body(nodes, inputs, outputs, constants=()):
    """The graph inside a Scan; extents as in `model`."""
    return model(nodes, inputs, outputs, constants).graph


def scanned(case, body, sequences, outputs, initial=(), constants=(), around=(), after=(), more=(), unread=(), opset=17, **attributes):
    """`sequences` are run-time inputs, `unread` constant ones, `around` layers before the Scan, `after` layers behind it, `more` further inputs."""
    initial = dict(initial)
    nodes = [
        *around,
        node("Scan", [*initial, *sequences, *unread], list(outputs) if not after else after[0], name="scan", body=body, num_scan_inputs=len(sequences) + len(unread), **attributes),
        *(after[1] if after else []),
    ]
    inputs = sequences | dict(more)
    built = model(nodes, inputs, outputs, initial | dict(constants) | dict(unread), opset)
    good(f"scan_{case}", built, {n: values(s, 200 + i) for i, (n, s) in enumerate(inputs.items())})


def scans():
    steps, width, hidden = 5, 3, 4
    held = {"wx": values([width, hidden], 1), "wh": values([hidden, hidden], 2) / 4}
    # A recurrent layer whose weights are around the body, or in it.
    cell = [
        node("MatMul", ["x", "wx"], ["a"]),
        node("MatMul", ["h", "wh"], ["b"]),
        node("Add", ["a", "b"], ["s"]),
        node("Tanh", ["s"], ["h_new"]),
        node("Identity", ["h_new"], ["y"]),
    ]
    io = {"h": [1, hidden], "x": [1, width]}, {"h_new": [1, hidden], "y": [1, hidden]}
    sequence, results = {"xs": [steps, 1, width]}, {"last": [1, hidden], "ys": [steps, 1, hidden]}
    first = {"h0": values([1, hidden], 3)}
    scanned("cell", scan_body(cell, *io), sequence, results, first, held)
    scanned("weights_inside", scan_body(cell, *io, held), sequence, results, first)
    scanned("opset11", scan_body(cell, *io), sequence, results, first, held, opset=11)
    scanned("reverse", scan_body(cell, *io), sequence, results, first, held, scan_input_directions=[1])
    scanned("prepend", scan_body(cell, *io), sequence, results, first, held, scan_output_directions=[1])
    scanned("backward", scan_body(cell, *io), sequence, results, first, held, scan_input_directions=[1], scan_output_directions=[1])
    # Steps along other axes: the same for both, and not.
    scanned("axis", scan_body(cell, *io), {"xs": [1, steps, width]}, {"last": [1, hidden], "ys": [1, steps, hidden]}, first, held, scan_input_axes=[1], scan_output_axes=[-2])
    scanned("axes", scan_body(cell, *io), {"xs": [1, width, steps]}, {"last": [1, hidden], "ys": [1, steps, hidden]}, first, held, scan_input_axes=[-1], scan_output_axes=[1])
    # The last state only, and the sequence only.
    scanned("last_only", scan_body(cell, *io), sequence, {"last": [1, hidden]}, first, held, after=(["r", "unread"], [node("Relu", ["r"], ["last"])]))
    scanned("sequence_only", scan_body(cell, *io), sequence, {"ys": [steps, 1, hidden]}, first, held, after=(["unread", "ys"], []))
    # Two sequences from both ends, two states, three outputs one of which is constant, a state nobody reads, an unread sequence.
    nodes = [
        node("Add", ["p", "u"], ["p_new"]),
        node("Max", ["m", "v"], ["m_new"]),
        node("Sub", ["p_new", "v"], ["d"]),
        node("Mul", ["u", "v"], ["n_new"]),
        node("Mul", ["two", "two"], ["four"]),
        node("Sub", ["p", "four"], ["e"]),
    ]
    body = scan_body(nodes, {"p": [6], "m": [6], "n": [6], "u": [6], "v": [6], "w": [2]}, {"p_new": [6], "m_new": [6], "n_new": [6], "d": [6], "four": [6], "e": [6]}, {"two": np.full([6], 2, np.float32)})
    initial = {"p0": np.zeros([6], np.float32), "m0": values([6], 4), "n0": values([6], 5)}
    results = {"p1": [6], "m1": [6], "n1": [6], "ds": [6, 4], "fours": [4, 6], "es": [4, 6]}
    scanned("several", body, {"us": [4, 6], "vs": [6, 4]}, results, initial, unread={"ws": values([4, 2], 13)}, scan_input_axes=[0, 1, 0], scan_input_directions=[0, 1, 0], scan_output_axes=[1, 0, 0], scan_output_directions=[1, 0, 1])
    # What is computed around the body, of constants and at run time; layers listed after their readers.
    nodes = [node("Mul", ["x", "scale"], ["a"]), node("Add", ["a", "shift"], ["b"]), node("Add", ["b", "s"], ["s_new"]), node("Identity", ["s_new"], ["y"])]
    body = scan_body(nodes, {"s": [2, 6], "x": [2, 6]}, {"s_new": [2, 6], "y": [2, 6]})
    around = [node("Relu", ["z"], ["shift"]), node("Mul", ["c", "c"], ["scale"])]
    scanned("captures", body, {"xs": [4, 2, 6]}, {"last": [2, 6], "ys": [4, 2, 6]}, {"s0": np.zeros([2, 6], np.float32)}, {"c": values([6], 6)}, around, more={"z": [2, 6]})
    # A scan in a scan: the sum of a window, carried on.
    inner = scan_body([node("Add", ["t", "v"], ["t_new"]), node("Mul", ["t_new", "gain"], ["q"])], {"t": [6], "v": [6]}, {"t_new": [6], "q": [6]})
    nodes = [
        node("Scan", ["t0", "x"], ["sum", "qs"], name="inner", body=inner, num_scan_inputs=1),
        node("Add", ["s", "sum"], ["s_new"]),
        node("Identity", ["qs"], ["y"]),
    ]
    body = scan_body(nodes, {"s": [6], "x": [3, 6]}, {"s_new": [6], "y": [3, 6]}, {"t0": np.zeros([6], np.float32)})
    scanned("nested", body, {"xs": [4, 3, 6]}, {"last": [6], "ys": [4, 3, 6]}, {"s0": values([6], 7)}, {"gain": values([6], 8)})
    # Constants only, computed while the file is read, and a state that is its own update.
    body = scan_body([node("Add", ["s", "c"], ["s_new"]), node("Identity", ["s_new"], ["y"])], {"s": [6], "c": [6]}, {"s_new": [6], "y": [6]})
    built = model([node("Scan", ["s0", "cs"], ["last", "ys"], name="scan", body=body, num_scan_inputs=1), node("Add", ["x", "ys"], ["y"])], {"x": [3, 6]}, {"y": [3, 6]}, {"s0": values([6], 9), "cs": values([3, 6], 10)})
    good("constants_scan", built, {"x": values([3, 6], 11)})
    body = scan_body([node("Mul", ["x", "k"], ["y"]), node("Identity", ["k"], ["k_new"])], {"k": [6], "x": [6]}, {"k_new": [6], "y": [6]})
    scanned("kept_state", body, {"xs": [4, 6]}, {"last": [6], "ys": [4, 6]}, {"k0": values([6], 12)})


def shapes():
    def ints(*v):
        return np.array(v, np.int64)

    one("concat", "Concat", [[2, 3], [2, 2]], {"c": values([2, 1], 1)}, axis=-1)
    one("concat_rows", "Concat", [[2, 3], [1, 3]], axis=0)
    for case, opset, held, attributes, parts in [
        ("split", 17, {"n": ints(1, 4, 2)}, {"axis": 1}, [1, 4, 2]),
        ("split_even", 17, {}, {"axis": -1}, [3, 3]),
        ("split_opset11", 11, {}, {"axis": 1, "split": [2, 5]}, [2, 5]),
        ("split_number", 18, {}, {"axis": 1, "num_outputs": 3}, [3, 3, 1]),
        ("split_one", 18, {}, {"axis": 1, "num_outputs": 1}, [7]),
    ]:
        width = sum(parts)
        names = [f"y{i}" for i in range(len(parts))]
        built = model([node("Split", ["x", *held], names, **attributes)], {"x": [2, width]}, {n: [2, p] for n, p in zip(names, parts)}, held, opset)
        good(case, built, {"x": values([2, width], 6)})
    # A part that nobody reads.
    nodes = [node("Split", ["x"], ["unread", "p"], name="split", axis=0, num_outputs=2), node("Relu", ["p"], ["y"])]
    good("split_unread", model(nodes, {"x": [2, 5]}, {"y": [1, 5]}, opset=18), {"x": values([2, 5], 8)})
    one("slice", "Slice", [[2, 6]], {"s": ints(1), "e": ints(4), "a": ints(1)})
    far = np.iinfo(np.int64).max
    one("slice_negative", "Slice", [[3, 6]], {"s": ints(-2, -4), "e": ints(far, -1), "a": ints(-2, -1), "t": ints(1, 1)})
    one("slice_default_axes", "Slice", [[3, 6]], {"s": ints(0, 2), "e": ints(2, 100)})
    one("slice_int32", "Slice", [[3, 6]], {"s": np.array([1], np.int32), "e": np.array([3], np.int32)})
    one("squeeze", "Squeeze", [[1, 4, 1]], {"a": ints(0, -1)})
    one("squeeze_all", "Squeeze", [[1, 4, 1]])
    # A head with one value per row, without its last axis.
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Squeeze", ["h", "a"], ["y"])]
    for rows in [1, 3]:
        built = model(nodes, {"x": [rows, 5]}, {"y": [rows]}, {"w": values([5, 1], 1), "a": ints(-1)})
        good(f"squeeze_head_{rows}", built, {"x": values([rows, 5], 7)})
    one("squeeze_opset11", "Squeeze", [[1, 4, 1]], opset=11, axes=[0])
    one("unsqueeze", "Unsqueeze", [[3, 4]], {"a": ints(0, -2)})
    one("unsqueeze_opset11", "Unsqueeze", [[3, 4]], opset=11, axes=[1])
    one("reshape", "Reshape", [[2, 3, 4]], {"s": ints(6, 4)})
    one("reshape_open", "Reshape", [[2, 3, 4]], {"s": ints(0, 1, -1, 4)})
    one("flatten", "Flatten", [[2, 3, 4]], axis=2)
    one("flatten_negative", "Flatten", [[2, 3, 4]], axis=-1)


def passing():
    one("identity", "Identity", [[2, 3]])
    one("cast", "Cast", [[2, 3]], to=FLOAT)
    one("dropout_opset11", "Dropout", [[2, 3]], opset=11, ratio=0.3)
    one("dropout", "Dropout", [[2, 3]], {"r": np.float32(0.3), "t": np.array(False)})
    named = {
        "value": dict(value=tensor("", values([3], 1))),
        "typed": dict(value=tensor("", values([3], 1), raw=False)),
        "float": dict(value_float=0.375),
        "floats": dict(value_floats=[1.0, 2.5, -3.0]),
    }
    for kind, attributes in named.items():
        nodes = [node("Constant", [], ["c"], **attributes), node("Add", ["x", "c"], ["y"])]
        good(f"constant_{kind}", model(nodes, {"x": [2, 3]}, {"y": [2, 3]}), {"x": values([2, 3], 5)})
    nodes = [
        node("Constant", [], ["axis"], value_ints=[1]),
        node("Unsqueeze", ["x", "axis"], ["u"]),
        node("Constant", [], ["n"], value_int=3),
        node("Cast", ["n"], ["f"], to=FLOAT),
        node("Mul", ["u", "f"], ["y"]),
    ]
    good("constant_ints", model(nodes, {"x": [2, 3]}, {"y": [2, 1, 3]}), {"x": values([2, 3], 5)})
    # A weight that is computed from constants, listed after its reader, beside a layer nothing reads.
    nodes = [
        node("Mul", ["w", "two"], ["w2"]),
        node("Sigmoid", ["x"], ["unused"]),
        node("Reshape", ["w2", "shape"], ["w3"]),
        node("MatMul", ["x", "w3"], ["y"]),
    ]
    held = {"w": tensor("w", values([12], 1), raw=False), "two": np.float32(2), "shape": tensor("shape", np.array([3, -1], np.int64), raw=False)}
    built = model(nodes, {"x": [2, 3]}, {"y": [2, 4]}, held)
    good("constants_folded", built, {"x": values([2, 3], 5)})
    # The same in no order at all; onnxruntime wants it sorted, so the values are those of the sorted one.
    nodes = [built.graph.node[i] for i in [3, 2, 1, 0]]
    del built.graph.node[:]
    built.graph.node.extend(nodes)
    onnx.save(built, ROOT / "good" / "constants_unsorted.onnx")
    shutil.copy(ROOT / "good" / "constants_folded.json", ROOT / "good" / "constants_unsorted.json")
    # External data.
    built = model([node("Gemm", ["x", "w", "b"], ["y"])], {"x": [1, 3]}, {"y": [1, 2]}, {"w": values([3, 2], 1), "b": values([2], 2)})
    good("external", built, {"x": values([1, 3], 5)}, external="external.data")


def mlp():
    """Residual MLP with symbolic batch and annotated values; layers are named as torch names them."""
    width = 16
    nodes, constants, x = [], {}, "x"
    for i in range(3):
        constants |= {f"fc{i}.weight": values([width, width], 10 + i) / 4, f"fc{i}.bias": values([width], 20 + i)}
        nodes += [
            node("Gemm", [x, f"fc{i}.weight", f"fc{i}.bias"], [f"g{i}"], name=f"fc{i}", transB=1),
            node("Relu", [f"g{i}"], [f"r{i}"], name=f"relu{i}"),
            node("Add", [f"r{i}", x], [f"s{i}"], name=f"residual{i}"),
        ]
        x = f"s{i}"
    constants["head.weight"] = values([width, 4], 30)
    constants["head.bias"] = values([4], 31)
    nodes += [node("MatMul", [x, "head.weight"], ["h"], name="head.matmul"), node("Add", ["h", "head.bias"], ["y"], name="head.add")]
    built = model(nodes, {"x": ["batch", width]}, {"y": ["batch", 4]}, constants, annotate=[("g1", ["batch", width])])
    return built, {"x": values([2, width], 40)}


def tcn(head=True):
    """Dilated causal convolutions with batch normalisation and residuals; the last step goes into a dense head, if there is one."""
    channels, length = 8, 12
    nodes, constants, x = [], {}, "x"
    for i in range(3):
        inner = 4 if i == 0 else channels
        constants |= {f"conv{i}.weight": values([channels, inner, 3], 50 + i) / 4, f"conv{i}.bias": values([channels], 60 + i)}
        constants |= {f"bn{i}.{n}": values([channels], 70 + 4 * i + k) for k, n in enumerate(["weight", "bias", "mean"])}
        constants[f"bn{i}.var"] = np.abs(values([channels], 90 + i)) + np.float32(0.5)
        nodes += [
            node("Conv", [x, f"conv{i}.weight", f"conv{i}.bias"], [f"c{i}"], name=f"conv{i}", pads=[2 << i, 0], dilations=[1 << i], kernel_shape=[3]),
            node("BatchNormalization", [f"c{i}", *(f"bn{i}.{n}" for n in ["weight", "bias", "mean", "var"])], [f"n{i}"], name=f"bn{i}"),
            node("Relu", [f"n{i}"], [f"r{i}"], name=f"relu{i}"),
        ]
        out = f"r{i}"
        if i > 0:
            nodes.append(node("Add", [f"r{i}", x], [f"s{i}"], name=f"residual{i}"))
            out = f"s{i}"
        x = out
    if not head:
        built = model(nodes, {"x": [1, 4, length]}, {x: [1, channels, length]}, constants, name="tcn_steps")
        return built, {"x": values([1, 4, length], 99)}
    one_int = {n: np.array([v], np.int64) for n, v in {"last": -1, "end": np.iinfo(np.int64).max, "time": 2}.items()}
    constants |= one_int | {"head.weight": values([3, channels], 95), "head.bias": values([3], 96)}
    nodes += [
        node("Slice", [x, "last", "end", "time"], ["step"], name="last_step"),
        node("Squeeze", ["step", "time"], ["features"], name="squeeze"),
        node("Gemm", ["features", "head.weight", "head.bias"], ["y"], name="head", transB=1),
    ]
    built = model(nodes, {"x": [1, 4, length]}, {"y": [1, 3]}, constants, name="tcn")
    built = onnx.shape_inference.infer_shapes(built)
    return built, {"x": values([1, 4, length], 99)}


def errors():
    built, _ = mlp()
    bad("dynamic", built, "SL-C044", ["'x'", "[batch, 16]", "dimension 0 ('batch')"])
    bad("override_count", built, "SL-C014", ["2 input shapes", "1 inputs"], [[1, 16], [1, 16]])
    bad("override_static", built, "SL-C014", ["[1, 15]", "'x'", "16 for dimension 1"], [[1, 15]])
    bad("override_rank", built, "SL-C014", ["[16]", "2 dimensions"], [[16]])
    bad("override_zero", built, "SL-C008", ["'x'", "[0, 16]"], [[0, 16]])
    two = model([node("Add", ["a", "b"], ["y"])], {"a": ["n", 2], "b": ["n", 2]}, {"y": ["n", 2]})
    bad("override_symbol", two, "SL-C014", ["'b'", "'n' is 3"], [[3, 2], [1, 2]])
    built.graph.value_info[0].type.tensor_type.shape.dim[1].dim_value = 17
    bad("annotation", built, "SL-C041", ["'fc1'", "'g1'", "[batch, 17]", "[2, 16]"], [[2, 16]])
    bad("annotation_symbol", model([node("Relu", ["x"], ["y"])], {"x": ["n", 2]}, {"y": [2, "n"]}), "SL-C041", ["'y'", "[2, n]", "[3, 2]"], [[3, 2]])

    x, y = {"x": [2, 6]}, {"y": [2, 6]}
    relu = [node("Relu", ["x"], ["y"], name="r")]
    for opset in [0, 7, 99]:
        built = model(relu, x, y)
        del built.opset_import[:]
        if opset:
            built.opset_import.append(helper.make_opsetid("", opset))
        bad(f"opset_{opset}", built, "SL-C043", [f"version {opset};", "11 to 28"])
    bad("empty", b"", "SL-C040", ["no graph"])
    bad("no_protobuf", b"this is not a model", "SL-C040", ["not an ONNX model"])
    whole = model(relu, x, y).SerializeToString()
    bad("truncated", whole[:-3], "SL-C040", ["not an ONNX model"])
    cyclic = [node("Add", ["x", "b"], ["a"], name="first"), node("Relu", ["a"], ["b"], name="second"), node("Relu", ["b"], ["y"], name="third")]
    bad("cycle", model(cyclic, x, y), "SL-C002", ["'first' -> 'second'"])
    bad("duplicate_layer", model([node("Relu", ["x"], ["a"], name="r"), node("Relu", ["a"], ["y"], name="r")], x, y), "SL-C042", ["layer 'r'"])
    bad("duplicate_value", model([node("Relu", ["x"], ["y"], name="r"), node("Neg", ["x"], ["y"], name="n")], x, y), "SL-C042", ["value 'y'"])
    bad("duplicate_initializer", model(relu, x, y, {"a": tensor("w", values([2], 1)), "b": tensor("w", values([2], 1))}), "SL-C042", ["initializer 'w'"])
    bad("dangling", model([node("Relu", ["nothing"], ["y"], name="r")], x, y), "SL-C003", ["'r'", "'nothing'"])
    bad("dangling_output", model(relu, x, {"z": [2, 6]}), "SL-C003", ["output", "'z'"])
    bad("no_output", model(relu, x, {}), "SL-C001", ["no output"])
    bad("unused_input", model(relu, x | {"extra": [3]}, y), "SL-C010", ["'extra'"])
    bad("matmul_shapes", model([node("MatMul", ["x", "w"], ["y"], name="mm")], x, {"y": None}, {"w": values([5, 4], 1)}), "SL-C004", ["'mm'", "x [2, 6]", "[4, 5]"])
    bad("data_dimension", model([node("MatMul", ["w", "x"], ["h"], name="mix"), node("Reshape", ["h", "s"], ["y"], name="fold")], x, {"y": None}, {"w": values([4, 2], 1), "s": np.array([8, 3], np.int64)}), "SL-C005", ["'fold'", "stride"])
    bad("not_finite", model([node("Add", ["x", "w"], ["y"], name="a")], x, y, {"w": np.array([1, 2, 3, np.nan, 5, 6], np.float32)}), "SL-C007", ["'w'", "[3]"])
    short = tensor("w", values([6], 1))
    short.raw_data = short.raw_data[:-4]
    bad("short_initializer", model([node("Add", ["x", "w"], ["y"])], x, y, {"w": short}), "SL-C041", ["'w'", "6 values", "5"])
    negative = tensor("w", values([6], 1))
    negative.dims[0] = -6
    bad("negative_extent", model([node("Add", ["x", "w"], ["y"])], x, y, {"w": negative}), "SL-C041", ["'w'", "[-6]"])
    for case, location, word in [("missing", "nowhere.data", "nowhere.data"), ("escape", "../good/external.data", "below the model's folder"), ("absolute", "/etc/hostname", "below the model's folder")]:
        outside = tensor("w", values([6], 1))
        outside.ClearField("raw_data")
        outside.data_location = TensorProto.EXTERNAL
        outside.external_data.add(key="location", value=location)
        bad(f"external_{case}", model([node("Add", ["x", "w"], ["y"])], x, y, {"w": outside}), "SL-C045", ["'w'", word])

    # One report for everything, attributes of layers behind unsupported ones included.
    w = {"w": values([4, 4, 3], 1), "w2": values([4, 2, 3], 2), "three": np.float32(3)}
    nodes = [
        node("Sinh", ["x"], ["a"], name="gate1"),
        node("Sinh", ["a"], ["b"], name="gate2"),
        node("Conv", ["b", "w"], ["c"], name="conv1", pads=[-1, 1], auto_pad="NOTSET"),
        node("Conv", ["c", "w2"], ["d"], name="conv2", pads=[2, 0], group=2),
        node("Pow", ["d", "three"], ["e"], name="third"),
        node("Cosh", ["e"], ["y"], name=""),
    ]
    nodes[-1].ClearField("name")
    says = ["'net'", "5 forms are", "Pow with exponent [3.0]: 1 x, layers 'third'", "Sinh: 2 x, layers 'gate1', 'gate2'", "Conv with pads=[-1, 1]: 1 x, layers 'conv1'", "group=2", "'conv2'", "Cosh: 1 x, layers 'y'"]
    bad("unsupported_many", model(nodes, {"x": [1, 4, 8]}, {"y": None}, w), "SL-C046", says)

    def unsupported(case, nodes, says, inputs=x, constants=(), opset=17):
        bad(f"unsupported_{case}", model(nodes, inputs, {"y": None}, constants, opset), "SL-C046", says)

    def ints(*v):
        return np.array(v, np.int64)

    unsupported("domain", [helper.make_node("Gelu", ["x"], ["y"], name="g", domain="com.microsoft")], ["com.microsoft:Gelu", "'g'"])
    unsupported("attribute", [node("Relu", ["x"], ["y"], name="r", strange=1)], ["Relu with strange"])
    unsupported("matmul_batch", [node("MatMul", ["x", "w"], ["y"], name="m")], ["constant of shape [2, 6, 3]"], {"x": [2, 1, 6]}, {"w": values([2, 6, 3], 1)})
    unsupported("gemm_trans", [node("Gemm", ["x", "w"], ["y"], name="g", transA=1)], ["transA=1"], x, {"w": values([2, 3], 1)})
    unsupported("gemm_trans_left", [node("Gemm", ["w", "x"], ["y"], name="g", transB=1)], ["transB=1"], x, {"w": values([3, 6], 1)})
    unsupported("clip_runtime", [node("Clip", ["x", "lo"], ["y"], name="c")], ["Clip with operand 1 computed at run time", "a constant"], {"x": [2, 6], "lo": [1]})
    unsupported("slice_step", [node("Slice", ["x", "s", "e", "a", "t"], ["y"], name="s")], ["Slice with steps=[2]"], x, {"s": ints(0), "e": ints(6), "a": ints(1), "t": ints(2)})
    unsupported("slice_runtime", [node("Slice", ["x", "s", "e"], ["y"], name="s")], ["element type INT64", "'s'"], {"x": [2, 6], "s": ([1], INT64)}, {"e": ints(6)})
    unsupported("reshape_runtime", [node("Reshape", ["x", "s"], ["y"], name="r")], ["Input with element type INT64"], {"x": [2, 6], "s": ([2], INT64)})
    unsupported("conv_2d", [node("Conv", ["x", "w"], ["y"], name="c")], ["[4, 3, 2, 2]", "1-D"], {"x": [1, 3, 5, 5]}, {"w": values([4, 3, 2, 2], 1)})
    unsupported("conv_auto_pad", [node("Conv", ["x", "w"], ["y"], name="c", auto_pad="SAME_UPPER")], ["auto_pad=SAME_UPPER"], {"x": [1, 3, 5]}, {"w": values([4, 3, 2], 1)})
    unsupported("pow", [node("Pow", ["x", "e"], ["y"], name="p")], ["Pow with exponent [3.0]", "2, 0.5"], x, {"e": np.float32(3)})
    unsupported("pow_runtime", [node("Pow", ["x", "e"], ["y"], name="p")], ["Pow with exponent []"], {"x": [2, 6], "e": [1]})
    unsupported("pad_value", [node("Pad", ["x", "p", "v"], ["y"], name="p")], ["Pad with value [1.0]"], x, {"p": ints(0, 1, 0, 0), "v": np.float32(1)})
    unsupported("pad_rows", [node("Pad", ["x", "p"], ["y"], name="p")], ["along axis 0"], x, {"p": ints(1, 1, 0, 0)})
    unsupported("pad_mode", [node("Pad", ["x", "p"], ["y"], name="p", mode="reflect")], ["mode=reflect"], x, {"p": ints(0, 1, 0, 0)})
    unsupported("matmul_open", [node("MatMul", ["w", "x"], ["a"], name="left"), node("MatMul", ["z", "v"], ["b"], name="right"), node("MatMul", ["a", "b"], ["y"], name="m")], ["MatMul with a contraction along neither"], {"x": [4, 6], "z": [6, 3]}, {"w": values([5, 4], 1), "v": values([3, 2], 2)})
    unsupported("matmul_vectors", [node("MatMul", ["x", "z"], ["y"], name="m")], ["run-time operands of 2 and 1 axes"], {"x": [2, 6], "z": [6]})
    bad("unsupported_truth", model([node("Greater", ["x", "z"], ["y"], name="g")], {"x": [2, 6], "z": [2, 6]}, {"y": ([2, 6], TensorProto.BOOL)}), "SL-C046", ["Output with an element type"])
    unsupported("softmax_opset11", [node("Softmax", ["x"], ["y"], name="s", axis=0)], ["axis=0 of operator set 11"], opset=11)
    unsupported("pool_pads", [node("MaxPool", ["x"], ["y"], name="p", kernel_shape=[2], pads=[1, 0])], ["MaxPool with pads=[1, 0]"], {"x": [1, 3, 5]})
    unsupported("pool_2d", [node("MaxPool", ["x"], ["y"], name="p", kernel_shape=[2, 2])], ["kernel_shape=[2, 2]"], {"x": [1, 3, 5, 5]})
    unsupported("pool_indices", [node("MaxPool", ["x"], ["m", "i"], name="p", kernel_shape=[2]), node("Cast", ["i"], ["y"], name="c", to=FLOAT)], ["MaxPool with output 1 read", "'p'"], {"x": [1, 3, 5]})
    rnn = {"w": values([1, 16, 3], 1), "r": values([1, 16, 4], 2), "n": np.array([5, 5], np.int32)}
    sequence = {"x": [5, 2, 3]}
    unsupported("lstm_functions", [node("LSTM", ["x", "w", "r"], ["y"], name="l", hidden_size=4, activations=["Sigmoid", "Relu", "Tanh"])], ["activations", "Relu"], sequence, rnn)
    unsupported("lstm_lengths", [node("LSTM", ["x", "w", "r", "", "n"], ["y"], name="l", hidden_size=4)], ["LSTM with sequence lengths"], sequence, rnn)
    unsupported("lstm_state", [node("LSTM", ["x", "w", "r", "", "", "h"], ["y"], name="l", hidden_size=4)], ["operand 5 computed at run time"], sequence | {"h": [1, 2, 4]}, rnn)
    bad("lstm_weights", model([node("LSTM", ["x", "w", "r"], ["y"], name="l", hidden_size=4)], sequence, {"y": None}, rnn | {"w": values([1, 16, 2], 1)}), "SL-C041", ["'l'", "'w'", "[1, 16, 2]", "[1, 16, 3]"])
    cell = [node("Add", ["h", "v"], ["n"], name="sum"), node("Tanh", ["n"], ["o"], name="squash")]
    io = {"h": [6], "v": [6]}, {"n": [6], "o": [6]}
    held = {"h0": values([6], 1)}

    def scan(case, says, code="SL-C046", nodes=cell, inputs=io[0], outputs=io[1], operands=("h0", "x"), given=x, constants=held, results=("l", "y"), **attributes):
        body = scan_body(nodes, inputs, outputs)
        attributes = {"num_scan_inputs": 1} | attributes
        built = model([node("Scan", list(operands), list(results), name="loop", body=body, **attributes)], given, {"y": None}, constants)
        bad(f"{'unsupported_' if code == 'SL-C046' else ''}scan_{case}", built, code, says)

    scan("state", ["Scan with operand 0 computed at run time: 1 x, layers 'loop'; nearest supported form: a constant"], given={"h0": [6]} | x, constants={})
    scan("inside", ["Sinh: 1 x, layers 'loop.odd'", "Scan with operand 0 computed at run time", "Pow with exponent [3.0]: 1 x, layers 'loop.cube'"], nodes=[node("Sinh", ["v"], ["s"], name="odd"), node("Add", ["h", "s"], ["n"]), node("Pow", ["v", "three"], ["o"], name="cube")], given={"h0": [6]} | x, constants={"three": np.float32(3)})
    scan("integers", ["Scan with 'v' of its body of type INT64", "layers 'loop'", "FLOAT"], inputs={"h": [6], "v": ([6], INT64)})
    scan("truth", ["Scan with 'o' of its body not float32", "layers 'loop'"], nodes=[cell[0], node("Greater", ["h", "v"], ["o"])], outputs={"n": [6], "o": ([6], TensorProto.BOOL)})
    scan("scalar", ["Scan with 'h' of its body without axes", "a value of shape [1]"], inputs={"h": [], "v": [6]}, nodes=[node("Identity", ["h"], ["n"]), node("Add", ["h", "v"], ["o"])], outputs={"n": [], "o": [6]}, constants={"h0": np.float32(1)})
    scan("unread", ["Scan with a body that reads none of its sequences"], nodes=[node("Tanh", ["h"], ["n"]), node("Neg", ["h"], ["o"])])
    scan("known", ["Scan with 'n' of its body known now", "a state that follows from inputs or states"], nodes=[node("Identity", ["h0"], ["n"]), node("Add", ["h", "v"], ["o"])])
    scan("direction", ["'loop'", "scan_input_directions=[2]", "0 or 1"], "SL-C041", scan_input_directions=[2])
    scan("axis", ["'loop'", "axis 2 does not exist"], "SL-C041", scan_input_axes=[2])
    scan("axes", ["'loop'", "scan_output_axes=[0, 0]", "1 axes"], "SL-C041", scan_output_axes=[0, 0])
    scan("count", ["'loop'", "num_scan_inputs=3"], "SL-C041", num_scan_inputs=3)
    scan("results", ["'loop'", "2 inputs and 2 outputs", "1 outputs"], "SL-C041", results=("y",))
    scan("shape", ["'loop'", "'v' [7]", "[6]"], "SL-C041", inputs={"h": [6], "v": [7]})
    scan("steps", ["'loop'", "2 and 3 steps"], "SL-C041", inputs={"v": [6], "w": [6]}, nodes=[node("Add", ["v", "w"], ["o"])], outputs={"o": [6]}, operands=("x", "z"), given=x | {"z": [3, 6]}, constants={}, results=("y",), num_scan_inputs=2)
    scan("update", ["'h'", "same shape"], "SL-C004", nodes=[node("Concat", ["h", "v"], ["n"], axis=0), cell[1]], inputs=io[0], outputs={"n": [12], "o": [12]})
    scan("dangling", ["'loop'", "'nowhere'"], "SL-C003", nodes=[node("Add", ["h", "nowhere"], ["n"], name="sum"), node("Tanh", ["v"], ["o"])])
    bad("gather_index", model([node("Gather", ["x", "i"], ["y"], name="g")], x, {"y": None}, {"i": ints(2)}), "SL-C041", ["'g'", "index 2 of axis 0"])
    bad("expand_shape", model([node("Expand", ["x", "s"], ["y"], name="e")], x, {"y": None}, {"s": ints(3, 6)}), "SL-C041", ["'e'", "[2, 6]"])
    bad("conv_short", model([node("Conv", ["x", "w"], ["y"], name="c")], {"x": [1, 3, 5]}, {"y": None}, {"w": values([4, 3, 6], 1)}), "SL-C041", ["'c'", "does not fit 5 steps"])
    unsupported("conv_weight", [node("Conv", ["x", "w"], ["y"], name="c")], ["operand 1 computed at run time"], {"x": [1, 3, 5], "w": [4, 3, 1]})
    statistics = {n: np.ones(6, np.float32) for n in ["s", "b", "m", "v"]}
    unsupported("batch_normalization_training", [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y", "m2", "v2"], name="bn", training_mode=1)], ["training_mode=1", "output 1", "output 2"], x, statistics)
    unsupported("dropout_training", [node("Dropout", ["x", "r", "t"], ["y"], name="d")], ["training_mode=true"], x, {"r": np.float32(0.5), "t": np.array(True)})
    unsupported("cast", [node("Cast", ["x"], ["y"], name="c", to=INT64)], ["Cast with to=INT64"])
    unsupported("float16", [node("Add", ["x", "w"], ["y"], name="a")], ["FLOAT16"], x, {"w": values([6], 1).astype(np.float16)})
    unsupported("double_input", [node("Relu", ["x"], ["y"], name="r")], ["Input with element type DOUBLE", "'x'"], {"x": ([2, 6], TensorProto.DOUBLE)})
    unsupported("mask", [node("Dropout", ["x"], ["d", "mask"], name="d"), node("Cast", ["mask"], ["y"], name="c", to=FLOAT)], ["Dropout with output 1 read", "'d'"])


def main():
    for folder in ["good", "bad"]:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
        (ROOT / folder).mkdir(parents=True)
    elementwise()
    products()
    axes()
    recurrent()
    scans()
    shapes()
    passing()
    built, feeds = mlp()
    good("model_mlp", built, feeds, overrides=[[2, 16]])
    good("model_tcn", *tcn())
    good("model_tcn_steps", *tcn(head=False))
    errors()


if __name__ == "__main__":
    main()
