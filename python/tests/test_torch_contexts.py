"""What contexts ask for reaches the nodes, nests, and is refused by name."""

from __future__ import annotations

import threading

import pytest
import vollo_torch
from torch_support import Function, refusal, torch
from vollo_torch import CorePartition, Fp8Weights, Fp32Activations
from vollo_torch.contexts import requests


def nodes(function, *inputs):
    module, _ = vollo_torch.fx.prepare_shape(Function(function), *inputs)
    return {
        n.name: (
            n.meta["vollo_fp32_activations"],
            n.meta["vollo_fp8_weights"],
            n.meta["vollo_core_partition"],
        )
        for n in module.graph.nodes
        if n.op.startswith("call")
    }


def test_nodes_know_what_was_asked():
    def forward(x):
        x = torch.relu(x)
        with Fp32Activations(), CorePartition([0, 2]):
            y = x + 1
            with Fp8Weights(), CorePartition([2]):
                y = y - 1
        return y * 2

    assert nodes(forward, torch.randn(4)) == {
        "relu": (False, False, None),
        "add": (True, False, (0, 2)),
        "sub": (True, True, (2,)),
        "mul": (False, False, None),
    }


def test_partitions_nest():
    with CorePartition([0, 1, 2]):
        with CorePartition([1, 2]), CorePartition([2]):
            assert requests().core_partition == (2,)
        with pytest.raises(ValueError, match=r"CorePartition\[1, 3\] inside CorePartition\[0, 1, 2\]: cores \[3\]"):
            CorePartition([1, 3]).__enter__()
        assert requests().core_partition == (0, 1, 2)
        with CorePartition([7], override=True):
            assert requests().core_partition == (7,)
    assert requests().core_partition is None


@pytest.mark.parametrize("cores", [[], [1, 1], [-1]])
def test_partitions_are_checked(cores):
    with pytest.raises(ValueError, match="distinct core numbers"):
        CorePartition(cores)
    with pytest.raises(TypeError):
        CorePartition([0.5])


def test_one_instance_may_be_entered_again_and_by_threads():
    context = Fp32Activations()
    seen = []
    with context:
        with context:
            pass
        assert requests().fp32_activations
        thread = threading.Thread(target=lambda: seen.append(requests().fp32_activations))
        thread.start()
        thread.join()
    assert seen == [False]
    assert not requests().fp32_activations


def test_a_failing_block_leaves_nothing_behind():
    with pytest.raises(RuntimeError), Fp8Weights():
        raise RuntimeError
    assert not requests().fp8_weights


def test_what_the_compiler_cannot_honour_is_refused():
    def forward(x):
        with CorePartition([1]):
            return torch.relu(x)

    message = refusal(forward, torch.randn(4))
    assert "relu with CorePartition([1]) around it" in message
    assert message.startswith("graph 'Function': 1 form is not supported (docs/torch.md lists what is):")
