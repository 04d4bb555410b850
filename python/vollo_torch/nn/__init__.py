"""Modules with a meaning on a streaming machine; in PyTorch they compute the same values.

| module               | computes                                                               |
|----------------------|------------------------------------------------------------------------|
| `PaddedConv1d`       | causal convolution, output as long as the input                         |
| `LSTM`               | `torch.nn.LSTM`, output sequence only                                   |
| `RecurrentStateLSTM` | the same, its state kept from call to call                              |
| `LSTMCell`           | one step, cell state inside, hidden state from and to the caller        |
| `Scan`               | a module applied step by step along an axis, a state threaded through   |
| `RMSNorm`            | division by the root of the mean square                                 |
| `Ones`, `Zeros`      | constants                                                               |
"""

from vollo_torch.nn.constants import Ones, Zeros
from vollo_torch.nn.lstm import LSTM
from vollo_torch.nn.lstm_cell import LSTMCell
from vollo_torch.nn.padded_conv1d import PaddedConv1d
from vollo_torch.nn.recurrent_state_lstm import RecurrentStateLSTM
from vollo_torch.nn.rms_norm import RMSNorm
from vollo_torch.nn.scan import Scan

__all__ = ["LSTM", "LSTMCell", "Ones", "PaddedConv1d", "RMSNorm", "RecurrentStateLSTM", "Scan", "Zeros"]
