// One lane of the vector unit: clamp, fp32 arithmetic, clamp, conversion (docs/machine.md section 4).
//
// Timing     p0: operand A, clamp `pre`. p1..p6: sl_fp_lane. p7: clamp `post`. The converted result of p0 (op `pass`) or p7 stands in
//            data_o one cycle later; the lower plane follows in the cycle after that.
// Contract   Control inputs are worth something in the stage they are named after. No reset: the unit's valid bits say what
//            data_o is worth.

module sl_vector_lane
  import sl_pkg::*;
(
    input logic clk_i,

    input logic        p0_use_acc_i,
    input logic [31:0] p0_acc_i,
    input logic [31:0] p0_tensor_i,
    input logic [31:0] p0_lo_i,
    input logic [31:0] p0_hi_i,
    input logic        p0_alu_i,      // A and B go on to the arithmetic
    input logic [31:0] p0_b_i,

    input logic       p1_valid_i,
    input vector_op_e p1_op_i,

    input logic [31:0] p7_lo_i,
    input logic [31:0] p7_hi_i,
    input logic        p7_valid_i,

    input  logic        out_en_i,      // a result or a lower plane leaves in this cycle
    input  logic        out_planes_i,  // of the result that leaves
    input  logic        out_low_i,     // the lower plane of the previous result leaves
    output logic [15:0] data_o
);
  logic [31:0] p0_a, p0_clamped, p1_a_q, p1_b_q, p7_result, p7_clamped;
  logic [15:0] p0_bf16, p7_bf16, upper, low_q;

  assign p0_a = p0_use_acc_i ? p0_acc_i : p0_tensor_i;

  sl_fp_clamp u_pre (
      .x_i (p0_a),
      .lo_i(p0_lo_i),
      .hi_i(p0_hi_i),
      .y_o (p0_clamped)
  );

  always_ff @(posedge clk_i) begin
    if (p0_alu_i) begin
      p1_a_q <= p0_clamped;
      p1_b_q <= p0_b_i;
    end
  end

  sl_fp_lane u_alu (
      .clk_i,
      .valid_i(p1_valid_i),
      .op_i(p1_op_i),
      .a_i(p1_a_q),
      .b_i(p1_b_q),
      .result_o(p7_result)
  );

  sl_fp_clamp u_post (
      .x_i (p7_result),
      .lo_i(p7_lo_i),
      .hi_i(p7_hi_i),
      .y_o (p7_clamped)
  );

  // Both results are rounded before the choice: the choice comes late, the rounding does not depend on it.
  sl_fp_to_bf16 u_p0_bf16 (
      .value_i(p0_clamped),
      .bf16_o (p0_bf16)
  );
  sl_fp_to_bf16 u_p7_bf16 (
      .value_i(p7_clamped),
      .bf16_o (p7_bf16)
  );

  always_comb begin
    if (p7_valid_i) upper = out_planes_i ? p7_clamped[31:16] : p7_bf16;
    else upper = out_planes_i ? p0_clamped[31:16] : p0_bf16;
  end

  always_ff @(posedge clk_i) begin
    if (out_en_i) begin
      data_o <= out_low_i ? low_q : upper;
      low_q  <= p7_valid_i ? p7_clamped[15:0] : p0_clamped[15:0];
    end
  end
endmodule
