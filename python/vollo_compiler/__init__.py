"""Neural networks in, one streaming-accelerator program out: compile, simulate bit for bit, write the hardware."""

from ._native import (
    NNIR,
    VM,
    AllocationError,
    Config,
    InternalError,
    LoadError,
    Metrics,
    NumberFormat,
    Program,
    ProgramBuilder,
    RtlSim,
    RtlSimError,
    SaveError,
    __version__,
)

__all__ = [
    "NNIR",
    "VM",
    "AllocationError",
    "Config",
    "InternalError",
    "LoadError",
    "Metrics",
    "NumberFormat",
    "Program",
    "ProgramBuilder",
    "RtlSim",
    "RtlSimError",
    "SaveError",
    "__version__",
]
