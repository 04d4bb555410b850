// fp32 arithmetic of one lane of the vector unit: sums, products, maxima, comparisons, selections.
//
// Timing     op_i, a_i, b_i in p1 (valid_i), result_o from p7: six register stages for every operation, one per cycle, in any mix.
// Numbers    isa float: bit for bit.
// Contract   valid_i with op pass is an addition whose result nobody may use. No reset: an operation depends on nothing before it.

module sl_fp_lane (
    input logic clk_i,

    input logic                      valid_i,
    input sl_pkg::vector_op_e        op_i,
    input logic               [31:0] a_i,
    input logic               [31:0] b_i,

    output logic [31:0] result_o
);
  import sl_pkg::*;

  logic is_mul, is_choice, is_add;
  logic [31:0] add_a, add_b;

  assign is_mul = valid_i && op_i == VectorOpMul;
  assign is_choice = valid_i && op_i >= VectorOpMax;
  assign is_add = valid_i && !is_mul && !is_choice;
  assign add_a = {a_i[31] ^ (op_i == VectorOpRsub), a_i[30:0]};
  assign add_b = {b_i[31] ^ (op_i == VectorOpSub), b_i[30:0]};

  // Which of the three produced what arrives in p5 and p6.
  logic [4:1] choice_q;
  logic [5:1] other_q;

  always_ff @(posedge clk_i) begin
    choice_q <= {choice_q[3:1], is_choice};
    other_q  <= {other_q[4:1], is_mul || is_choice};
  end

  logic [31:0] choice, product;

  sl_fp_choice u_choice (
      .clk_i,
      .valid_i (is_choice),
      .op_i,
      .a_i,
      .b_i,
      .result_o(choice)
  );

  sl_fp_mul u_mul (
      .clk_i,
      .valid_i       (is_mul),
      .a_i,
      .b_i,
      .bypass_valid_i(choice_q[4]),
      .bypass_i      (choice),
      .product_o     (product)
  );

  sl_fp_add u_add (
      .clk_i,
      .valid_i       (is_add),
      .a_i           (add_a),
      .b_i           (add_b),
      .bypass_valid_i(other_q[5]),
      .bypass_i      (product),
      .sum_o         (result_o)
  );
endmodule
