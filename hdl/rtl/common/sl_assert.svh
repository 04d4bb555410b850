// Assertions of the RTL.
//
// `SL_ASSERT(Name_A, property)` checks a property in every cycle out of reset: it is clocked on clk_i and disabled while rst_ni is
// low, so it stands in modules that have both. `SL_ASSERT_INIT(Name_A, condition)` checks a parameter at the start of a simulation.
// Both vanish for synthesis (SYNTHESIS or YOSYS defined); a use needs no semicolon.

`ifndef SL_ASSERT_SVH
`define SL_ASSERT_SVH

`ifdef YOSYS
`define SL_NO_ASSERT
`endif
`ifdef SYNTHESIS
`define SL_NO_ASSERT
`endif

`ifdef SL_NO_ASSERT
`define SL_ASSERT(name, prop)
`define SL_ASSERT_INIT(name, cond)
`else
`define SL_ASSERT(name, prop) \
  name : assert property (@(posedge clk_i) disable iff (!rst_ni) (prop)) \
  else $error("assertion failed: %m");
`define SL_ASSERT_INIT(name, cond) \
  initial begin \
    name : assert (cond) else $fatal(1, "parameter check failed: %m"); \
  end
`endif

`endif  // SL_ASSERT_SVH
