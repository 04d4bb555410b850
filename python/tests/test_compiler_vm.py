"""VM: every way to run, state, both kinds of numbers, and what is refused."""

import threading
import time

import numpy as np
import pytest
from compiler_models import bf16, cnn, cnn_reference, mlp, small, two_in_two_out
from hypothesis import given, settings
from hypothesis import strategies as st
from vollo_compiler import Config, ProgramBuilder

RNG = np.random.default_rng(5)


def random(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def close(a, b) -> None:
    np.testing.assert_allclose(a, b, atol=1e-2, rtol=1e-2)


@pytest.fixture(scope="module")
def streamed():
    nnir, axis = cnn().streaming_transform(2)
    assert axis == 2
    return nnir.to_program(Config.ia_420f_c6b32(), generate_state_reset=True)


def test_outputs_are_bf16_and_close_to_the_float_reference():
    program = mlp((100, 60, 30)).to_program(Config.ia_420f_c6b32())
    vm, reference = program.to_vm(), program.to_vm(bit_accurate=False)
    for _ in range(5):
        x = random(100)
        y, z = vm.run(x), reference.run(x)
        assert y.dtype == z.dtype == np.float32 and y.shape == z.shape == (30,)
        assert np.array_equal(y, bf16(y)) and not np.array_equal(z, bf16(z))
        close(y, z)
    assert vm.cycle_count() == reference.cycle_count() == 5 * program.cycle_count_per_inference()


def test_whole_sequences_agree_with_steps(streamed):
    x = random(1, 6, 9)
    whole = cnn_reference(x)
    reference = streamed.to_vm(bit_accurate=False).run_timesteps(x, 2, 2)
    np.testing.assert_allclose(reference, whole, atol=1e-5, rtol=1e-5)

    vm = streamed.to_vm()
    steps = np.stack([vm.run(x[:, :, i]) for i in range(9)], axis=2)
    close(steps, whole)
    stacked = streamed.to_vm().run_timesteps(x, 2, 2)
    assert stacked.shape == (1, 2, 9) and np.array_equal(stacked, steps)
    flat = streamed.to_vm().run_flat_timesteps(x.ravel(), 2, 2)
    assert flat.shape == (18,) and np.array_equal(flat.reshape(1, 2, 9), steps)
    # Other time axes, from either end, and strided views.
    first = np.moveaxis(x, 2, 0)
    assert np.array_equal(streamed.to_vm().run_timesteps(first, 0, -1), steps)
    assert np.array_equal(streamed.to_vm().run_timesteps([first], [0], [0], 0), np.moveaxis(steps, 2, 0))


def test_state_persists_and_resets(streamed):
    x = random(1, 6, 4)
    for bit_accurate in [True, False]:
        vm = streamed.to_vm(bit_accurate=bit_accurate)
        first = vm.run_timesteps(x, 2, 2)
        assert not np.array_equal(vm.run_timesteps(x, 2, 2), first)
        vm.reset()
        assert np.array_equal(vm.run_timesteps(x, 2, 2), first)
        vm.reset_all()
        assert np.array_equal(vm.run_timesteps(x, 2, 2), first)
        with pytest.raises(IndexError, match="no model 1"):
            vm.reset(1)
    plain, _ = cnn().streaming_transform(2)
    for bit_accurate in [True, False]:
        vm = plain.to_program(small()).to_vm(bit_accurate=bit_accurate)
        with pytest.raises(ValueError, match="without generate_state_reset"):
            vm.reset()


def test_models_are_reset_one_by_one():
    nnir, _ = cnn().streaming_transform(2)
    builder = ProgramBuilder(small())
    builder.add_nnir(nnir, "a", generate_state_reset=True)
    builder.add_nnir(nnir, "b", generate_state_reset=True)
    builder.add_nnir(nnir, "c")
    builder.add_nnir(mlp(), generate_state_reset=True)
    program = builder.to_program()
    x = random(1, 6)
    for bit_accurate in [True, False]:
        vm = program.to_vm(bit_accurate=bit_accurate)
        first = [vm.run(x, i) for i in range(3)]
        second = [vm.run(x, i) for i in range(3)]
        vm.reset(1)
        vm.reset(3)  # no state: nothing to do
        assert np.array_equal(vm.run(x, 1), first[1])
        for i in [0, 2]:
            third = vm.run(x, i)
            assert not np.array_equal(third, first[i]) and not np.array_equal(third, second[i])
        with pytest.raises(ValueError, match="'c' cannot be reset: it was compiled without generate_state_reset"):
            vm.reset(2)
        vm.reset_all()
        assert all(np.array_equal(vm.run(x, i), first[i]) for i in range(3))


def test_several_inputs_and_outputs():
    program = two_in_two_out().to_program(small())
    a, b = bf16(random(2, 7)), bf16(random(2, 7))
    total, product = program.to_vm().run([a, b])
    assert np.array_equal(total, bf16(a + b)) and np.array_equal(product, bf16(a * b))
    flat = program.to_vm().run_flat((a.ravel(), b.ravel()))
    assert isinstance(flat, tuple) and [y.shape for y in flat] == [(14,), (14,)]
    assert np.array_equal(flat[0], total.ravel())
    time_first = program.to_vm().run_timesteps([np.stack([a, b]), np.stack([b, a], axis=2)], [0, 2], [1, 0])
    assert [y.shape for y in time_first] == [(2, 2, 7), (2, 2, 7)]
    assert np.array_equal(time_first[0][:, 0], total) and np.array_equal(time_first[1][1], product)


def test_lists_go_with_single_input_models():
    program = mlp().to_program(small())
    x = random(12)
    assert np.array_equal(program.to_vm().run([x]), program.to_vm().run(x))


def test_f32_round():
    program = two_in_two_out().to_program(small())
    a = np.full((2, 7), 1 + 3 / 256, np.float32)  # halfway between two bf16 numbers, and beyond
    zero = np.zeros((2, 7), np.float32)
    assert program.to_vm().run([a, zero])[0][0, 0] == 1 + 4 / 256
    assert program.to_vm().run([a, zero], f32_round=False)[0][0, 0] == 1 + 2 / 256


def test_no_compute_counts_the_same_cycles():
    program = mlp((100, 60, 30)).to_program(Config.ia_420f_c6b32())
    vm = program.to_vm(no_compute=True)
    assert vm.run(random(100)).shape == (30,)
    assert vm.cycle_count() == program.cycle_count_per_inference()


@pytest.mark.parametrize("bit_accurate", [True, False])
@pytest.mark.parametrize(
    "call, error, says",
    [
        (lambda vm: vm.run(random(11)), ValueError, r"expected shape \(12,\), got \(11,\)"),
        (lambda vm: vm.run(random(1, 12)), ValueError, r"expected shape \(12,\), got \(1, 12\); reshape it"),
        (lambda vm: vm.run_flat(random(3, 4)), ValueError, r"expected shape \(12,\), got \(3, 4\); flatten it"),
        (lambda vm: vm.run(np.zeros(12)), TypeError, "expected dtype float32, got float64"),
        (lambda vm: vm.run(np.zeros(12, np.float16)), TypeError, "expected dtype float32, got float16"),
        (lambda vm: vm.run([1.0] * 12), TypeError, r"inputs\[0\]: expected a float32 numpy.ndarray, got float"),
        (lambda vm: vm.run(None), TypeError, "got NoneType"),
        (lambda vm: vm.run([random(12), random(12)]), ValueError, "expected 1 input arrays, got 2"),
        (lambda vm: vm.run([]), ValueError, "expected 1 input arrays, got 0"),
        (lambda vm: vm.run(random(12), 1), IndexError, "no model 1: the program holds 1"),
        (lambda vm: vm.run(random(12), model_index=-1), IndexError, "no model -1"),
        (lambda vm: vm.run_timesteps(random(3, 12), 2, 0), ValueError, "input_timestep_dims: 2 is not an axis"),
        (lambda vm: vm.run_timesteps(random(3, 12), 0, 2), ValueError, "output_timestep_dims: 2 is not an axis"),
        (lambda vm: vm.run_timesteps(random(3, 11), 0, 0), ValueError, r"expected shape \(T, 12\), got \(3, 11\)"),
        (lambda vm: vm.run_timesteps(random(12), 0, 0), ValueError, r"expected shape \(T, 12\), got \(12,\)"),
        (lambda vm: vm.run_timesteps(random(3, 12), [0, 0], 0), ValueError, "2 axes are given"),
        (lambda vm: vm.run_timesteps(random(3, 12), "time", 0), TypeError, "input_timestep_dims"),
        (lambda vm: vm.run_flat_timesteps(random(13), 0, 0), ValueError, r"\(T \* 12,\), got \(13,\)"),
    ],
)
def test_refusals_say_expected_and_got(bit_accurate, call, error, says):
    vm = mlp().to_program(small()).to_vm(bit_accurate=bit_accurate)
    with pytest.raises(error, match=says):
        call(vm)
    assert vm.run(random(12)).shape == (5,)


def test_more_refusals(streamed):
    with pytest.raises(ValueError, match="give them as a list"):
        two_in_two_out().to_program(small()).to_vm().run(random(2, 7))
    with pytest.raises(ValueError, match="run_timesteps"):
        streamed.to_vm().run(random(1, 6, 9))
    pair = two_in_two_out().to_program(small()).to_vm()
    with pytest.raises(ValueError, match="3 time steps, the inputs before it 2"):
        pair.run_timesteps([random(2, 2, 7), random(3, 2, 7)], 0, 0)
    with pytest.raises(ValueError, match="clock_mhz = 0"):
        pair.compute_duration_us(0)
    with pytest.raises(ValueError, match="write_queue_capacity"):
        streamed.to_vm(write_queue_capacity=0)


def test_no_steps_give_no_results(streamed):
    assert streamed.to_vm().run_timesteps(random(1, 6, 0), 2, 2).shape == (1, 2, 0)


def test_results_are_the_callers():
    program = mlp().to_program(small())
    vm = program.to_vm()
    x = random(12)
    first = vm.run(x)
    kept = first.copy()
    assert first.flags.owndata or first.base is not None
    assert first.flags.writeable
    vm.run(-x)
    assert np.array_equal(first, kept)


def test_one_vm_in_two_threads_is_refused_not_mixed_up():
    program = mlp((512, 512, 512)).to_program(Config.ia_420f_c6b32())
    vm = program.to_vm()
    x = random(200, 512)
    expected = program.to_vm().run_timesteps(x, 0, 0)
    results = []
    worker = threading.Thread(target=lambda: results.append(vm.run_timesteps(x, 0, 0)))
    worker.start()
    refused = 0
    while worker.is_alive():
        try:
            vm.cycle_count()
        except RuntimeError:
            refused += 1
        time.sleep(0.001)
    worker.join()
    assert refused > 0
    assert np.array_equal(results[0], expected)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 24), min_size=2, max_size=4),
    seed=st.integers(0, 2**31),
    preset=st.sampled_from(["c1b4", "c2b8", "bittware_ia420f_c6b32"]),
)
def test_random_networks(sizes, seed, preset):
    program = mlp(tuple(sizes), seed=seed).to_program(Config.preset(preset))
    x = np.random.default_rng(seed).standard_normal(sizes[0]).astype(np.float32)
    vm = program.to_vm()
    close(vm.run(x), program.to_vm(bit_accurate=False).run(x))
    assert vm.cycle_count() == program.cycle_count_per_inference()
