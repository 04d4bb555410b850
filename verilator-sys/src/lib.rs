//! Raw FFI to Verilated models and the helper that builds them.
