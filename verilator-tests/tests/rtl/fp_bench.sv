// Bench of the float modules: one lane.

module fp_bench (
    input logic clk_i,

    input  logic        valid_i,
    input  logic [ 2:0] op_i,
    input  logic [31:0] a_i,
    input  logic [31:0] b_i,
    output logic [31:0] lane_o
);
  sl_fp_pkg::stages_t stages;

  sl_fp_stages u_stages (
      .clk_i,
      .valid_i,
      .op_i    (sl_pkg::vector_op_e'(op_i)),
      .stages_o(stages)
  );

  sl_fp_lane u_lane (
      .clk_i,
      .stages_i(stages),
      .a_i,
      .b_i,
      .result_o(lane_o)
  );
endmodule
