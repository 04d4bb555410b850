"""Recurrent models, streamed: an LSTM stack, and a layer with a recurrence of its own."""

import torch
import vollo_compiler
import vollo_torch
from torch import nn
from torch.nn import functional as F


class LstmStack(nn.Module):
    """Two layers and a linear head, one result per step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = vollo_torch.nn.LSTM(32, 64, num_layers=2, batch_first=True)
        self.head = nn.Linear(64, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x))


class Decay(nn.Module):
    """One step of a leaky memory whose decay depends on the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.decay = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, memory: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        keep = torch.sigmoid(self.decay(x))
        memory = keep * memory + (1 - keep) * x
        return memory, memory


class LeakyMemory(nn.Module):
    """The step above over a sequence, with a norm before and the input added after."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = vollo_torch.nn.RMSNorm(width)
        self.scan = vollo_torch.nn.Scan(Decay(width))
        self.register_buffer("start", torch.zeros(1, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + F.gelu(self.scan(self.norm(x), self.start, input_axis=1, output_axis=1))


def main() -> None:
    torch.manual_seed(0)
    for model in (LstmStack().eval(), LeakyMemory(32).eval()):
        x = torch.randn(1, 8, 32)
        module, expected = vollo_torch.fx.prepare_shape(model, x)
        # Axis 1 is time: one step per inference, the state stays in the machine.
        nnir, output_axis = vollo_torch.fx.nnir.to_nnir(module).streaming_transform(1)
        program = nnir.to_program(vollo_compiler.Config.ia_420f_c6b32(), generate_state_reset=True)
        vm = program.to_vm()
        for _ in range(2):
            output = vm.run_timesteps(x.numpy(), 1, output_axis)
            torch.testing.assert_close(torch.from_numpy(output), expected, atol=1e-2, rtol=1e-2)
            vm.reset()
        cycles = program.cycle_count_per_inference()
        duration = program.compute_duration_per_inference_us()
        print(f"{type(model).__name__}: {cycles} cycles, {duration:.2f} us per step, agrees with torch")


if __name__ == "__main__":
    main()
