"""GraphBuilder and NNIR: building, text, ONNX, streaming, and what each refuses."""

import numpy as np
import pytest
from compiler_models import cnn, mlp, two_in_two_out, weights
from vollo_compiler import NNIR, NumberFormat
from vollo_compiler._native import GraphBuilder

RNG = np.random.default_rng(0)


def test_every_layer():
    g = GraphBuilder("all")
    x = g.input("x", (4, 6))
    assert x == 0 and g.shape(x) == (4, 6)
    y = g.linear("linear", x, weights(RNG, 5, 6))
    assert g.shape(y) == (4, 5)
    z = g.concat("concat", [y, g.slice("slice", x, 1, 0, 3)], 1)
    assert g.shape(z) == (4, 8)
    c = g.constant("two", np.full((8,), 2, np.float32))
    for op in ["add", "sub", "mul", "max", "min"]:
        z = g.pointwise(op, op, z, c)
    z = g.delay("delay", g.clamp("clamp", z, -1.0, 1.0), 2)
    g.output(g.reshape("reshape", z, (2, 2, 8)))
    nnir = g.finish()
    text = str(nnir)
    for name in ["linear", "concat", "slice", "two", "add", "clamp", "delay", "reshape"]:
        assert f'"{name}"' in text
    assert "'all'" in repr(nnir) and "[4, 6]" in repr(nnir)
    with pytest.raises(ValueError, match="finished"):
        g.input("late", (1,))


@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda g, x: g.linear("fc", x, weights(RNG, 5, 7)), ValueError, ["fc", "[4, 6]", "7"]),
        (lambda g, x: g.linear("fc", 17, weights(RNG, 5, 6)), ValueError, ["no tensor 17"]),
        (lambda g, x: g.linear("fc", x, np.zeros((5, 6))), TypeError, ["fc.weight", "float32", "float64"]),
        (lambda g, x: g.linear("fc", x, [1.0]), TypeError, ["fc.weight", "numpy.ndarray", "list"]),
        (lambda g, x: (g.output(g.linear("fc", x, np.full((5, 6), np.nan, np.float32))), g.finish()), ValueError, ["fc", "NaN"]),
        (lambda g, x: g.pointwise("p", "pow", x, x), ValueError, ["pow", "add", "min"]),
        (lambda g, x: g.reshape("r", x, (5, 5)), ValueError, ["r", "[4, 6]"]),
        (lambda g, x: g.slice("s", x, 1, 4, 9), ValueError, ["s", "9"]),
        (lambda g, x: g.input("negative", (-1,)), OverflowError, [""]),
        (lambda g, x: g.finish(), ValueError, ["no output"]),
    ],
)  # fmt: skip
def test_refusals_name_layer_and_values(call, error, says):
    g = GraphBuilder("g")
    x = g.input("x", (4, 6))
    with pytest.raises(error) as caught:
        call(g, x)
    for text in says:
        assert text in str(caught.value)


def test_a_refused_layer_leaves_the_graph_alone():
    g = GraphBuilder("g")
    x = g.input("x", (6,))
    with pytest.raises(ValueError):
        g.linear("fc", x, weights(RNG, 5, 7))
    y = g.linear("fc", x, weights(RNG, 5, 6))
    assert y == 1
    g.output(y)
    assert "fc" in str(g.finish())


def test_strided_and_foreign_arrays_are_read_as_they_are():
    class Wrapper:
        def __init__(self, array):
            self.array = array

        def __array__(self, dtype=None, copy=None):
            return self.array

    w = weights(RNG, 6, 5)
    texts = []
    for given in [np.ascontiguousarray(w.T), w.T, Wrapper(w.T)]:
        g = GraphBuilder("g")
        g.output(g.linear("fc", g.input("x", (6,)), given))
        texts.append(g.finish().to_text())
    assert texts[0] == texts[1] == texts[2]
    swapped = w.T.astype(">f4")
    with pytest.raises(TypeError, match="float32"):
        GraphBuilder("g").constant("c", swapped)
    misaligned = np.frombuffer(b"\0" + w.tobytes(), np.uint8)[1:].view(np.float32)
    with pytest.raises(ValueError, match="misaligned"):
        GraphBuilder("g").constant("c", misaligned)


def test_text_round_trip():
    nnir = mlp()
    again = NNIR.from_text(nnir.to_text())
    assert again.to_text() == nnir.to_text()
    with pytest.raises(ValueError, match="Constants::Full|summar"):
        NNIR.from_text(str(nnir))
    with pytest.raises(ValueError, match="line 1"):
        NNIR.from_text("graph nonsense")


def test_streaming_returns_the_output_axes():
    streamed, axis = cnn().streaming_transform(2)
    assert axis == 2
    assert "[1, 6]" in repr(streamed)
    _, negative = cnn().streaming_transform(-1)
    assert negative == 2
    _, axes = two_in_two_out().streaming_transform([0, 0])
    assert axes == (0, 0)


@pytest.mark.parametrize(
    "nnir, axes, error, says",
    [
        (cnn, 1, ValueError, "SL-C013"),
        (cnn, 7, ValueError, "axis"),
        (cnn, -4, ValueError, "not an axis"),
        (cnn, [2, 2], ValueError, "2 given"),
        (cnn, "time", TypeError, "int"),
        (two_in_two_out, 0, ValueError, "one axis for each"),
    ],
)
def test_streaming_refusals(nnir, axes, error, says):
    with pytest.raises(error, match=says):
        nnir().streaming_transform(axes)


def test_streaming_twice_is_refused():
    streamed, _ = cnn().streaming_transform(2)
    with pytest.raises(ValueError, match="already"):
        streamed.streaming_transform(1)


def test_onnx_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.onnx"):
        NNIR.from_onnx(tmp_path / "missing.onnx", None)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\xff\xff")
    with pytest.raises(ValueError, match="SL-C040.*broken"):
        NNIR.from_onnx(broken, None)
    with pytest.raises(TypeError, match="override_input_shapes"):
        NNIR.from_onnx(broken, "1,64")
    with pytest.raises(TypeError):
        NNIR.from_onnx(broken)  # type: ignore[call-arg]


def test_number_format():
    assert NumberFormat.BF16 != NumberFormat.FP32
    assert len({NumberFormat.BF16, NumberFormat.BF16, NumberFormat.FP32}) == 2
