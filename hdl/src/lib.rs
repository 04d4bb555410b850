//! Generator of the accelerator's SystemVerilog for one hardware configuration.

pub mod generated;
