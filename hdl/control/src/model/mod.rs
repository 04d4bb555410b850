//! Plain models: the yardstick the RTL of this folder is measured with, cycle by cycle.
//!
//! | model          | RTL                                    |
//! |----------------|----------------------------------------|
//! | [`Dispatcher`] | `hdl/rtl/control/sl_dispatcher.sv`     |
//! | [`Fifo`]       | `hdl/rtl/stream/sl_fifo.sv`            |
//! | [`OutputUnit`] | `hdl/rtl/stream/sl_output_unit.sv`     |
//!
//! **Contract.** `step` takes the inputs of a cycle and returns the outputs of the same cycle, then the clock ticks. Written from
//! docs/machine.md, rule by rule, with no thought for speed or hardware; the VM has its own, independent implementation.
//! **Errors.** None: what a program must not do is asserted by the RTL.

mod dispatcher;
mod stream;

pub use dispatcher::{Dispatcher, Inputs, Load, Mutation, OutCommand, Outputs, Tick};
pub use stream::{Fifo, LaneWrite, OutputBeat, OutputUnit};
