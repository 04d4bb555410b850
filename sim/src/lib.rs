//! The VM: runs programs bit for bit and cycle for cycle as the RTL does.
