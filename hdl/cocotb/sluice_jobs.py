"""Jobs of the bench: arrays of the command line as stream bytes.

| value | shape | from |
|-------|-------|------|
| inputs, expected outputs | the tensor's, with its sequence axis | `NAME.in.npy`, `NAME.out.npy` |
| stream bytes | beats x block size x 2 | packed here, as docs/cli.md says |

**Contract.** Step k of a model's sequence is its k-th job since its state began; outputs are the VM's bits.
**Errors.** An assertion when an expected value is no bf16 number.
"""

import dataclasses
import json
import os
import pathlib

import numpy

FOLDER = pathlib.Path(os.environ["SLUICE_BENCH"])
REPORT = json.loads((FOLDER / "both.json").read_text())
BLOCK = REPORT["configuration"]["block_size"]


@dataclasses.dataclass(frozen=True)
class Job:
    """One inference: the model's index, bytes of its input beats, bytes of each output frame."""

    model: int
    input: bytes
    outputs: tuple[bytes, ...]


def bf16(values):
    """fp32 to bf16, nearest even, finite values."""
    bits = values.astype("<f4").view("<u4").astype("u8")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2")


def pack(values, tensor):
    """A tensor as stream bytes: vectors along `data_dim`, each padded to whole blocks; fp32 as a beat of upper and one of lower halves."""
    vectors = numpy.moveaxis(values.reshape(tensor["shape"]), tensor["data_dim"], -1)
    vectors = vectors.reshape(-1, tensor["shape"][tensor["data_dim"]])
    padded = numpy.pad(vectors, ((0, 0), (0, -vectors.shape[1] % BLOCK)))
    if tensor["format"] == "fp32":
        bits = padded.astype("<f4").view("<u4").reshape(-1, BLOCK)
        words = numpy.stack([bits >> 16, bits & 0xFFFF], axis=1).astype("<u2")
    else:
        words = bf16(padded)
    data = words.tobytes()
    assert len(data) == 2 * BLOCK * tensor["beats"], tensor
    return data


def sequence(model):
    """The jobs of a model's sequence, in order."""
    source, sink = (numpy.load(FOLDER / f"{model['name']}.{end}.npy") for end in ("in", "out"))
    (given,), (wanted,) = model["inputs"], model["outputs"]
    assert not (sink.view("<u4") & 0xFFFF).any() or wanted["format"] == "fp32", "expected outputs are bf16 numbers"
    steps = (numpy.moveaxis(a, t["streaming_dim"] or 0, 0) for a, t in ((source, given), (sink, wanted)))
    jobs = [Job(model["index"], pack(x, given), (pack(y, wanted),)) for x, y in zip(*steps)]
    if os.environ.get("SLUICE_BENCH_FLAW") == "expected":
        jobs[-1] = flawed(jobs[-1])
    return jobs


def flawed(job, bit=0):
    """The same job with one bit of its expected output flipped."""
    first = bytearray(job.outputs[0])
    first[bit // 8] ^= 1 << bit % 8
    return dataclasses.replace(job, outputs=(bytes(first), *job.outputs[1:]))


SEQUENCES = [sequence(model) for model in REPORT["models"]]
DENSE, STREAM = (next(m["index"] for m in REPORT["models"] if m["has_state"] == state) for state in (False, True))
