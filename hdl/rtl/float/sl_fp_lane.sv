// fp32 arithmetic of one lane of the vector unit: add, sub, rsub, mul, max, min.
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

  logic is_mul, is_minmax, is_add;
  logic [31:0] add_a, add_b;

  assign is_mul = valid_i && op_i == VectorOpMul;
  assign is_minmax = valid_i && (op_i == VectorOpMax || op_i == VectorOpMin);
  assign is_add = valid_i && !is_mul && !is_minmax;
  assign add_a = {a_i[31] ^ (op_i == VectorOpRsub), a_i[30:0]};
  assign add_b = {b_i[31] ^ (op_i == VectorOpSub), b_i[30:0]};

  // Which of the three produced what arrives in p5 and p6.
  logic [4:1] minmax_q;
  logic [5:1] other_q;

  always_ff @(posedge clk_i) begin
    minmax_q <= {minmax_q[3:1], is_minmax};
    other_q  <= {other_q[4:1], is_mul || is_minmax};
  end

  logic [31:0] minmax, product;

  sl_fp_minmax u_minmax (
      .clk_i,
      .valid_i (is_minmax),
      .max_i   (op_i == VectorOpMax),
      .a_i,
      .b_i,
      .result_o(minmax)
  );

  sl_fp_mul u_mul (
      .clk_i,
      .valid_i       (is_mul),
      .a_i,
      .b_i,
      .bypass_valid_i(minmax_q[4]),
      .bypass_i      (minmax),
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
