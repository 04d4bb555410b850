// Where a value stands between two bounds, combinational.
//
// Contract   valid_i only saves work: without it hi_o and lo_o mean nothing. Equal numbers count as they like, the result of the clamp is
//            the same; flushing a subnormal never changes which of two different results is right.

module sl_clamp_compare
  import sl_vector_pkg::*;
(
    input logic valid_i,

    input  logic    [31:0] x_i,
    input  limits_t        limits_i,
    output logic           hi_o,      // above the upper bound, or the upper bound in any case
    output logic           lo_o       // below the lower bound
);
  // Magnitudes first, signs last.
  always_comb begin
    hi_o = 'x;
    lo_o = 'x;
    if (valid_i) begin
      automatic logic more = x_i[30:0] > limits_i.hi[30:0];
      automatic logic less = x_i[30:0] < limits_i.lo[30:0];
      automatic logic above = x_i[31] == limits_i.hi[31] ? more != x_i[31] : limits_i.hi[31];
      hi_o = limits_i.always_hi || above;
      lo_o = x_i[31] == limits_i.lo[31] ? less != x_i[31] : x_i[31];
    end
  end
endmodule
