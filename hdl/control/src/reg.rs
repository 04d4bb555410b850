//! One register: synchronous reset to zero, active low.
//!
//! | port      | direction | meaning                           |
//! |-----------|-----------|-----------------------------------|
//! | `clock`   | in        | rising edge                       |
//! | `reset_n` | in        | low at the edge: `q` becomes zero |
//! | `d`       | in        | next value                        |
//! | `q`       | out       | value                             |
//!
//! **Contract.** rust-hdl's own flip-flop has no reset, and its initial literal has the wrong width. The Verilog text below is
//! written by hand beside the behaviour; the lock-step test is what holds the two together.
//! **Errors.** None.

use rust_hdl::prelude::*;

/// A register of any synthesisable type.
#[derive(Clone, Debug, LogicBlock)]
pub struct Reg<T: Synth> {
    /// Rising edge.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset, active low.
    pub reset_n: Signal<In, Bit>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Value.
    pub q: Signal<Out, T>,
}

impl<T: Synth> Default for Reg<T> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset_n: Signal::default(),
            d: Signal::default(),
            q: Signal::default(),
        }
    }
}

impl<T: Synth> Logic for Reg<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = if self.reset_n.val() {
                self.d.val()
            } else {
                T::default()
            };
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "always @(posedge clock) begin\n  if (!reset_n) q <= {}'h0;\n  else q <= d;\nend\n",
            T::BITS
        ))
    }
}
