// Bench of the float modules: one lane, one clamp, one narrowing, side by side.

module fp_bench (
    input logic clk_i,

    input  logic        valid_i,
    input  logic [ 2:0] op_i,
    input  logic [31:0] a_i,
    input  logic [31:0] b_i,
    input  logic [31:0] c_i,
    output logic [31:0] lane_o,
    output logic [31:0] clamp_o,
    output logic [15:0] bf16_o
);
  sl_fp_lane u_lane (
      .clk_i,
      .valid_i,
      .op_i    (sl_pkg::vector_op_e'(op_i)),
      .a_i,
      .b_i,
      .result_o(lane_o)
  );
  sl_fp_clamp u_clamp (
      .x_i (a_i),
      .lo_i(b_i),
      .hi_i(c_i),
      .y_o (clamp_o)
  );
  sl_fp_to_bf16 u_to_bf16 (
      .value_i(a_i),
      .bf16_o
  );
endmodule
