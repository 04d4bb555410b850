// Prepares a clamp entry for all lanes: what does not depend on the operand is decided before it arrives.
//
// Timing     entry_i three cycles before the outputs.
// Numbers    isa float::clamp: subnormal bounds read as signed zero, a NaN bound makes every result NaN, hi < lo gives hi.

module sl_clamp_entry
  import sl_vector_pkg::*;
(
    input logic clk_i,

    input  logic    [63:0] entry_i,   // {hi, lo}
    output limits_t        limits_o,
    output logic    [63:0] bounds_o,  // {hi, lo} as results
    output logic    [31:0] rounded_o  // as bf16
);
  logic nan_q2, swapped_q2;
  logic [1:0] up_q2;
  logic [63:0] entry_q1, entry_q2;

  always_ff @(posedge clk_i) begin
    entry_q1 <= entry_i;
    nan_q2 <= is_nan(entry_q1[30:0]) || is_nan(entry_q1[62:32]);
    swapped_q2 <= order_key(entry_q1[63:32]) < order_key(entry_q1[31:0]);
    up_q2 <= {round_up(entry_q1[48:32]), round_up(entry_q1[16:0])};
    entry_q2 <= entry_q1;
    limits_o <= '{always_hi: nan_q2 || swapped_q2, lo: entry_q2[31:0], hi: entry_q2[63:32]};
    rounded_o <= {
      rounded(entry_q2[63:48], up_q2[1], nan_q2), rounded(entry_q2[31:16], up_q2[0], nan_q2)
    };
    bounds_o <= {bound(entry_q2[63:32], nan_q2), bound(entry_q2[31:0], nan_q2)};
  end
endmodule
