"""Programs: compiling, several models, figures, files, and what is refused."""

import os
import pty
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
import vollo_compiler
from compiler_models import cnn, mlp, small, two_in_two_out
from vollo_compiler import NNIR, Config, NumberFormat, Program, ProgramBuilder
from vollo_compiler._native import GraphBuilder


@pytest.fixture(scope="module")
def both() -> Program:
    builder = ProgramBuilder(Config.ia_420f_c6b32())
    streamed, _ = cnn().streaming_transform(2)
    assert builder.add_nnir(mlp()) == 0
    assert builder.add_nnir(streamed, "conv") == 1
    assert "[mlp, conv]" in repr(builder)
    return builder.to_program()


def test_signature(both):
    assert both.num_models() == 2
    assert [both.model_name(i) for i in range(2)] == ["mlp", "conv"]
    assert both.model_num_inputs() == both.model_num_outputs() == 1
    assert (both.model_input_shape(), both.model_output_shape()) == ((12,), (5,))
    assert (both.model_input_shape(1), both.model_output_shape(1, 0)) == ((1, 6), (1, 2))
    assert both.model_input_streaming_dim() is None
    assert both.model_input_streaming_dim(1) == both.model_output_streaming_dim(model_index=1) == 2
    assert both.model_input_number_format() == both.model_output_number_format(1) == NumberFormat.BF16
    assert both.hw_config() == Config.ia_420f_c6b32()
    both.pack()


@pytest.mark.parametrize("index", [2, -1])
def test_model_index_out_of_range(both, index):
    for call in [
        both.cycle_count_per_inference, both.cycle_summary_per_inference, both.compute_duration_per_inference_us,
        both.model_num_inputs, both.model_num_outputs, both.model_input_shape, both.model_output_shape,
        both.model_input_streaming_dim, both.model_output_streaming_dim, both.model_input_number_format,
        both.model_output_number_format, both.model_is_resettable, both.model_name,
    ]:  # fmt: skip
        with pytest.raises(IndexError, match=f"no model {index}: the program holds 2"):
            call(model_index=index)
    with pytest.raises(IndexError, match="no input 1"):
        both.model_input_shape(0, 1)
    with pytest.raises(IndexError, match="no output -1"):
        both.model_output_shape(0, -1)


@pytest.mark.parametrize("model", [0, 1])
def test_cycle_counts_are_what_the_vm_counts(both, model):
    spaced = both.cycle_count_per_inference(model_index=model)
    contiguous = both.cycle_count_per_inference(model_index=model, spaced=False)
    vm = both.to_vm()
    zeros = np.zeros(both.model_input_shape(model), np.float32)
    for runs in range(1, 4):
        vm.run(zeros, model)
        assert vm.cycle_count() == runs * spaced
    summary = both.cycle_summary_per_inference(model_index=model)
    assert summary["last_output"] + 1 == summary["cycles"] == spaced
    assert summary["first_input"] == 0 <= summary["last_input"] < summary["first_output"] <= summary["last_output"]
    assert both.cycle_summary_per_inference(model_index=model, spaced=False)["cycles"] == contiguous
    assert both.compute_duration_per_inference_us(model_index=model) == spaced / 320
    assert both.compute_duration_per_inference_us(100, model_index=model, spaced=False) == contiguous / 100
    assert vm.compute_duration_us() == 3 * spaced / 320


def test_metrics(both):
    m = both.metrics()
    cores = both.hw_config().num_cores
    assert m.model_names == ["mlp", "conv"]
    assert m.input_bytes == [64, 64] and m.output_bytes == [64, 64]
    for used, depth in [
        (m.weight_store_used, m.weight_store_depth), (m.tensor_ram_used, m.tensor_ram_depth),
        (m.clamp_store_used, m.clamp_store_depth), (m.const_store_used, m.const_store_depth),
    ]:  # fmt: skip
        assert len(used) == cores and 0 < max(used) <= depth
    assert len(m.num_instrs) == cores
    assert all(i <= n <= 2 * i for i, n in zip(m.num_instrs, m.num_micro_instructions))
    assert "weight_store_used" in repr(m)
    vm = both.to_vm()
    assert vm.metrics().model_names == m.model_names


def test_files(both, tmp_path):
    path = tmp_path / "both.sluice"
    both.save(path)
    data = both.save_bytes()
    assert path.read_bytes() == data
    x = np.linspace(-1, 1, 12, dtype=np.float32)
    expected = both.to_vm().run(x)
    for again in [Program.load(str(path)), Program.load_bytes(data)]:
        assert again.save_bytes() == data
        assert np.array_equal(again.to_vm().run(x), expected)
        with pytest.raises(ValueError, match="bit_accurate"):
            again.to_vm(bit_accurate=False)
    with pytest.raises(vollo_compiler.SaveError, match="nowhere"):
        both.save(tmp_path / "nowhere" / "x.sluice")
    with pytest.raises(vollo_compiler.LoadError, match="missing.sluice"):
        Program.load(tmp_path / "missing.sluice")
    for bad in [b"", b"not a program", data[:-1], data[:1000]]:
        with pytest.raises(vollo_compiler.LoadError, match="corrupt"):
            Program.load_bytes(bad)
    flipped = bytearray(data)
    flipped[-1] ^= 1
    with pytest.raises(vollo_compiler.LoadError, match="digest"):
        Program.load_bytes(bytes(flipped))
    newer = data.replace(b'format_version\\":3,', b'format_version\\":9,')
    assert newer != data
    with pytest.raises(vollo_compiler.LoadError, match="version 9"):
        Program.load_bytes(newer)


def test_compiling_is_deterministic():
    programs = [mlp((40, 50, 7)).to_program(Config.v80_c6b32()).save_bytes() for _ in range(2)]
    assert programs[0] == programs[1]


def test_core_indices():
    config = Config.ia_420f_c6b32()
    builder = ProgramBuilder(config, remember_allocations=True)
    builder.add_nnir(mlp((64, 64)), core_indices=[4])
    used = builder.to_program().metrics().weight_store_used
    assert [i for i, n in enumerate(used) if n] == [4]
    with pytest.raises(ValueError, match="core 6 does not exist"):
        builder.add_nnir(mlp((64, 64)), "other", core_indices=[6])
    with pytest.raises(ValueError, match="empty"):
        builder.add_nnir(mlp((64, 64)), "other", core_indices=[])
    assert builder.to_program().num_models() == 1


def test_names_are_unique_and_programs_not_empty():
    builder = ProgramBuilder(small())
    with pytest.raises(ValueError, match="no model"):
        builder.to_program()
    builder.add_nnir(mlp())
    with pytest.raises(ValueError, match="'mlp' already"):
        builder.add_nnir(mlp())
    assert builder.add_nnir(mlp(), name="second") == 1
    assert builder.to_program().model_name(1) == "second"


def test_allocation_error_has_need_and_capacity():
    assert issubclass(vollo_compiler.AllocationError, ValueError)
    with pytest.raises(vollo_compiler.AllocationError, match=r"needs \d+ .*has \d+"):
        mlp((400, 400, 400)).to_program(small())


OPTIONS = {
    "optimize_transforms": False, "allow_dynamic_weights": True, "allow_mixed_precision_fusion": False, "max_sparse_entries": 3,
    "quick_compile": True, "output_buffer_capacity": 8, "write_queue_capacity": 4, "random_seeds": [1, 2], "allow_unserializable": True,
    "stateful_accumulators_in_tensor_ram": True,
}  # fmt: skip


def test_options_without_effect_are_taken():
    plain = mlp().to_program(small())
    assert mlp().to_program(small(), "mlp", **OPTIONS).save_bytes() == plain.save_bytes()
    builder = ProgramBuilder(small())
    builder.add_nnir(mlp(), None, core_indices=None, **OPTIONS)
    assert builder.to_program().save_bytes() == plain.save_bytes()


@pytest.mark.parametrize(
    "option", [{"max_sparse_entries": 0}, {"output_buffer_capacity": 0}, {"write_queue_capacity": -1}, {"random_seeds": []},
               {"random_seeds": [-3]}],
)  # fmt: skip
def test_options_are_checked(option):
    name = next(iter(option))
    with pytest.raises(ValueError, match=name):
        mlp().to_program(small(), **option)
    with pytest.raises(ValueError, match=name):
        ProgramBuilder(small()).add_nnir(mlp(), **option)


def test_options_are_keywords():
    with pytest.raises(TypeError):
        mlp().to_program(small(), "mlp", True)  # type: ignore[misc]
    with pytest.raises(TypeError):
        mlp().to_program("c2b8")  # type: ignore[arg-type]


def test_models_are_resettable_as_they_were_compiled():
    first, _ = cnn().streaming_transform(2)
    builder = ProgramBuilder(small())
    builder.add_nnir(first, "a", generate_state_reset=True)
    builder.add_nnir(mlp(), generate_state_reset=True)  # no state: legal, and nothing to do
    builder.add_nnir(first, "b")
    program = builder.to_program()
    for loaded in [program, Program.load_bytes(program.save_bytes())]:
        assert [loaded.model_is_resettable(i) for i in range(3)] == [True, True, False]
    # It costs nothing: same cycles, same stores.
    plain, reset = first.to_program(small()), first.to_program(small(), generate_state_reset=True)
    for spaced in [True, False]:
        assert plain.cycle_count_per_inference(spaced=spaced) == reset.cycle_count_per_inference(spaced=spaced)
    assert plain.metrics().num_instrs == reset.metrics().num_instrs
    assert plain.metrics().tensor_ram_used == reset.metrics().tensor_ram_used


@pytest.mark.parametrize("n_in, n_out", [(1, 1), (8, 100), (100, 8), (33, 47)])
def test_io_only(n_in, n_out):
    config = small()
    program = Program.io_only_test(config, n_in, n_out)
    assert (program.model_input_shape(), program.model_output_shape()) == ((n_in,), (n_out,))
    summary = program.cycle_summary_per_inference()
    beats_in, beats_out = -(-n_in // 8), -(-n_out // 8)
    assert summary["last_input"] == beats_in - 1 < summary["first_output"]
    assert summary["last_output"] - summary["first_output"] == beats_out - 1
    assert summary["cycles"] == program.cycle_count_per_inference() == summary["last_output"] + 1
    vm = program.to_vm()
    x = np.arange(n_in, dtype=np.float32)
    assert vm.run(x).shape == (n_out,)
    assert vm.cycle_count() == summary["cycles"]
    assert Program.load_bytes(program.save_bytes()).num_models() == 1
    assert max(program.metrics().num_instrs) == 0


def test_io_only_limits():
    with pytest.raises(ValueError, match="input_values = 0"):
        Program.io_only_test(small(), 0, 8)
    with pytest.raises(vollo_compiler.AllocationError, match="input"):
        Program.io_only_test(small(), 100_000, 8)
    with pytest.raises(vollo_compiler.AllocationError, match="output"):
        Program.io_only_test(small(), 8, 100_000)


def test_transform_to_io_only(both):
    bare = both.transform_to_io_only_test()
    for model in range(2):
        assert bare.model_input_shape(model) == both.model_input_shape(model)
        assert bare.model_output_streaming_dim(model) == both.model_output_streaming_dim(model)
        assert bare.cycle_count_per_inference(model_index=model) < both.cycle_count_per_inference(model_index=model)
    pair = two_in_two_out().to_program(small()).transform_to_io_only_test()
    a = np.ones((2, 7), np.float32)
    assert [y.shape for y in pair.to_vm().run([a, a])] == [(2, 7), (2, 7)]


def test_onnx_end_to_end(tmp_path):
    onnx = pytest.importorskip("onnx")
    w = np.arange(12, dtype=np.float32).reshape(3, 4) / 8
    h = onnx.helper
    graph = h.make_graph(
        [h.make_node("Gemm", ["x", "w"], ["y"], transB=1), h.make_node("Relu", ["y"], ["z"])],
        "net",
        [h.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 4])],
        [h.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["n", 3])],
        [onnx.numpy_helper.from_array(w, "w")],
    )
    path = tmp_path / "net.onnx"
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)]), path)
    with pytest.raises(ValueError, match="SL-C044"):
        NNIR.from_onnx(path, None)
    x = np.array([[1, -2, 3, 0.5]], np.float32)
    for shapes in [(1, 4), [(1, 4)], [[1, 4]]]:
        vm = NNIR.from_onnx(path, shapes).to_program(small()).to_vm()
        np.testing.assert_allclose(vm.run(x), np.maximum(x @ w.T, 0), rtol=1e-2)


def interruptible(code: str) -> subprocess.Popen:
    # Whoever runs the tests in the background hands an ignored SIGINT on.
    head = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    return subprocess.Popen([sys.executable, "-c", head + textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)


def test_ctrl_c_stops_long_calls():
    # The compiler is busy until it is stopped, whatever the machine.
    process = interruptible(
        f"""
        import sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from compiler_models import mlp
        import vollo_compiler
        nnir = mlp((1024,) * 24)
        print("ready", flush=True)
        try:
            while True:
                builder = vollo_compiler.ProgramBuilder(vollo_compiler.Config.v80_c6b32())
                builder.add_nnir(nnir)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        try:
            builder.to_program()
        except ValueError as error:
            print(error)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.4)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    line = process.stdout.readline()
    elapsed = time.monotonic() - start
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 0
    assert line == "interrupted\n"
    assert elapsed < 1.0
    assert "interrupted; make a new one" in rest


def test_progress_is_for_terminals_only():
    code = f"""
        import sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from compiler_models import mlp
        import vollo_compiler
        mlp((1024,) * 24, "large").to_program(vollo_compiler.Config.v80_c6b32())
        """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    silent = subprocess.run(command, stderr=subprocess.PIPE, check=True)
    assert silent.stderr == b""
    reader, writer = pty.openpty()
    process = subprocess.Popen(command, stderr=writer)
    os.close(writer)
    seen = b""
    while True:
        try:
            part = os.read(reader, 4096)
        except OSError:  # how a pseudo terminal says that its other end is closed
            break
        if not part:
            break
        seen += part
    assert process.wait() == 0
    os.close(reader)
    assert b"compiling large: 1 s" in seen, seen
    assert seen.endswith(b"\r\x1b[K"), "wiped at the end"


def test_other_threads_run_while_the_compiler_works():
    nnir = mlp((512,) * 9)
    ticks = 0
    done = threading.Event()

    def count() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    start = time.monotonic()
    nnir.to_program(Config.v80_c6b32())
    elapsed = time.monotonic() - start
    done.set()
    thread.join()
    assert ticks > elapsed * 1000 / 20


def test_graphs_of_a_million_parameters_compile_in_seconds():
    rng = np.random.default_rng(3)
    matrices = [rng.standard_normal((512, 512)).astype(np.float32) for _ in range(4)]
    start = time.monotonic()
    g = GraphBuilder("large")
    x = g.input("x", (512,))
    for i, w in enumerate(matrices):
        x = g.clamp(f"relu{i}", g.linear(f"fc{i}", x, w), 0, float("inf"))
    g.output(x)
    g.finish().to_program(Config.ia_420f_c6b32())
    assert time.monotonic() - start < 3
