"""Two PyTorch models in one program: a residual MLP, and a causal CNN that takes one time step per inference."""

import torch
import vollo_compiler
import vollo_torch
from torch import nn
from torch.nn import functional as F


class ResidualMlp(nn.Module):
    """784 to 10 values, the middle layer around a short cut."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 128)
        self.out = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.fc1(x))
        return self.out(F.relu(self.fc2(x)) + x)


class CausalCnn(nn.Module):
    """32 channels to 1, each step seeing the last five."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = vollo_torch.nn.PaddedConv1d(32, 128, kernel_size=3)
        self.conv2 = vollo_torch.nn.PaddedConv1d(128, 1, kernel_size=3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(F.relu(self.conv1(x)))


def main() -> None:
    torch.manual_seed(0)
    mlp, cnn = ResidualMlp().eval(), CausalCnn().eval()
    mlp_input, cnn_input = torch.randn(784), torch.randn(1, 32, 5)

    mlp_module, mlp_expected = vollo_torch.fx.prepare_shape(mlp, mlp_input)
    mlp_nnir = vollo_torch.fx.nnir.to_nnir(mlp_module)

    cnn_module, cnn_expected = vollo_torch.fx.prepare_shape(cnn, cnn_input)
    cnn_nnir = vollo_torch.fx.nnir.to_nnir(cnn_module)
    # Axis 2 is time: the streamed model takes one step and remembers the steps before.
    cnn_nnir, output_axis = cnn_nnir.streaming_transform(2)

    builder = vollo_compiler.ProgramBuilder(vollo_compiler.Config.ia_420f_c6b32())
    builder.add_nnir(mlp_nnir)
    builder.add_nnir(cnn_nnir)
    program = builder.to_program()

    vm = program.to_vm()
    mlp_output = vm.run(mlp_input.numpy(), model_index=0)
    steps = [vm.run(cnn_input[:, :, i].numpy(), model_index=1) for i in range(cnn_input.shape[2])]
    cnn_output = torch.stack([torch.from_numpy(step) for step in steps], dim=output_axis)

    torch.testing.assert_close(torch.from_numpy(mlp_output), mlp_expected, atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(cnn_output, cnn_expected, atol=1e-2, rtol=1e-2)
    for index in range(program.num_models()):
        cycles = program.cycle_count_per_inference(model_index=index)
        duration = program.compute_duration_per_inference_us(model_index=index)
        print(f"{program.model_name(index)}: {cycles} cycles, {duration:.2f} us, agrees with torch")


if __name__ == "__main__":
    main()
