// Which operation stands in which stage of the fp32 arithmetic, for all lanes (sl_fp_lane).
//
// Timing     valid_i, op_i in p1; stages_o belongs to every cycle.
// Contract   valid_i with op pass is an addition whose result nobody may use. No reset: what is in the pipeline after power-up leaves it
//            unseen.

module sl_fp_stages
  import sl_pkg::*;
  import sl_fp_pkg::*;
(
    input logic clk_i,

    input logic       valid_i,
    input vector_op_e op_i,

    output stages_t stages_o
);
  logic [6:2] add_q, mul_q, choice_q;
  vector_op_e p2_op_q;

  assign stages_o.choice = {choice_q, valid_i && op_i >= VectorOpMax};
  assign stages_o.mul = {mul_q, valid_i && op_i == VectorOpMul};
  assign stages_o.add = {add_q, valid_i && op_i < VectorOpMax && op_i != VectorOpMul};
  assign stages_o.negate_a = op_i == VectorOpRsub;
  assign stages_o.negate_b = op_i == VectorOpSub;
  assign stages_o.p2_op = p2_op_q;

  always_ff @(posedge clk_i) begin
    add_q <= stages_o.add[5:1];
    mul_q <= stages_o.mul[5:1];
    choice_q <= stages_o.choice[5:1];
    p2_op_q <= op_i;
  end
endmodule
