// fp32 arithmetic of one lane of the vector unit: sums, products, maxima, comparisons, selections.
//
// Timing     a_i, b_i in p1, result_o from p7: six register stages for every operation, one per cycle, in any mix. stages_i says what is
//            where (sl_fp_stages).
// Numbers    isa float: bit for bit.
// Contract   No reset: an operation depends on nothing before it.

module sl_fp_lane
  import sl_fp_pkg::*;
(
    input logic clk_i,

    input stages_t        stages_i,
    input logic    [31:0] a_i,
    input logic    [31:0] b_i,

    output logic [31:0] result_o
);
  logic [31:0] choice, product;

  sl_fp_choice u_choice (
      .clk_i,
      .valid_i (stages_i.choice[4:1]),
      .a_i,
      .b_i,
      .p2_op_i (stages_i.p2_op),
      .result_o(choice)
  );

  sl_fp_mul u_mul (
      .clk_i,
      .valid_i       (stages_i.mul[5:1]),
      .a_i,
      .b_i,
      .bypass_valid_i(stages_i.choice[5]),
      .bypass_i      (choice),
      .product_o     (product)
  );

  sl_fp_add u_add (
      .clk_i,
      .valid_i       (stages_i.add),
      .a_i           ({a_i[31] ^ stages_i.negate_a, a_i[30:0]}),
      .b_i           ({b_i[31] ^ stages_i.negate_b, b_i[30:0]}),
      .bypass_valid_i(stages_i.mul[6] || stages_i.choice[6]),
      .bypass_i      (product),
      .sum_o         (result_o)
  );
endmodule
