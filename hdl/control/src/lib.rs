//! Control state machines written in rust-hdl and emitted as Verilog.
