// min(max(x, lo), hi) of fp32 values, combinational.
//
// Numbers    isa float::clamp: -0 < +0, subnormals read as signed zero, NaN 0x7FC00000 if any operand is NaN, hi < lo gives hi.

module sl_fp_clamp (
    input  logic [31:0] x_i,
    input  logic [31:0] lo_i,
    input  logic [31:0] hi_i,
    output logic [31:0] y_o
);
  function automatic logic [31:0] key(logic [31:0] u);
    return {~u[31], u[30:0] ^ {31{u[31]}}};
  endfunction

  function automatic logic is_nan(logic [30:0] u);
    return u[30:23] == 8'hFF && u[22:0] != '0;
  endfunction

  function automatic logic [31:0] flush(logic [31:0] u);
    return {u[31], u[30:0] & {31{u[30:23] != '0}}};
  endfunction

  // Flushing before the choice keeps it off the path of the comparisons, and never changes which of two different values is
  // right.
  logic nan, take_lo, take_hi;

  assign nan = is_nan(x_i[30:0]) || is_nan(lo_i[30:0]) || is_nan(hi_i[30:0]);
  assign take_lo = key(x_i) < key(lo_i);
  assign take_hi = key(x_i) > key(hi_i) || key(lo_i) > key(hi_i);
  assign y_o = nan ? 32'h7FC0_0000 : take_hi ? flush(hi_i) : take_lo ? flush(lo_i) : flush(x_i);
endmodule
