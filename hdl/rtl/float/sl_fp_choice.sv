// fp32 operations without rounding, one lane: maximum, minimum, comparisons, selections.
//
// Timing     op_i, a_i, b_i in p1 (valid_i), result_o from p5: four register stages, one result per cycle.
// Numbers    isa float::arithmetic. max and min: -0 < +0, NaN if either operand is NaN. Comparisons give 1.0 or +0, the zeros are equal,
//            with NaN only `ne` holds. keep and drop: A where B is not zero, or is, else +0. Subnormals read as signed zero.
// Contract   valid_i only saves work: a stage that has nothing to do holds its registers. No reset.

module sl_fp_choice
  import sl_pkg::*;
(
    input logic clk_i,

    input logic              valid_i,
    input vector_op_e        op_i,
    input logic       [31:0] a_i,
    input logic       [31:0] b_i,

    output logic [31:0] result_o
);
  // p1: order of the words as they are; flushing a subnormal never changes which of two different results is right.
  logic valid_q1, below_q1, same_q1, zero_a_q1, zero_b_q1, nan_a_q1, nan_b_q1;
  vector_op_e op_q1;
  logic [31:0] a_q1, b_q1;

  always_ff @(posedge clk_i) begin
    valid_q1 <= valid_i;
    if (valid_i) begin
      automatic logic smaller = a_i[30:0] < b_i[30:0];
      below_q1 <= a_i[31] == b_i[31] ? smaller != a_i[31] : a_i[31];
      same_q1 <= a_i == b_i;
      zero_a_q1 <= a_i[30:23] == '0;
      zero_b_q1 <= b_i[30:23] == '0;
      nan_a_q1 <= a_i[30:23] == 8'hFF && a_i[22:0] != '0;
      nan_b_q1 <= b_i[30:23] == 8'hFF && b_i[22:0] != '0;
      op_q1 <= op_i;
      a_q1 <= a_i;
      b_q1 <= b_i;
    end
  end

  // p2: which operand, or which constant. `below` of two equal words may say either.
  logic q1_equal, q1_holds;
  logic valid_q2, take_b_q2, fixed_q2, one_q2, nan_q2;
  logic [31:0] a_q2, b_q2;

  assign q1_equal = !nan_a_q1 && !nan_b_q1 && (same_q1 || (zero_a_q1 && zero_b_q1));

  always_comb begin
    unique case (op_q1)
      VectorOpLt: q1_holds = below_q1 && !q1_equal && !nan_a_q1 && !nan_b_q1;
      VectorOpLe: q1_holds = (below_q1 || q1_equal) && !nan_a_q1 && !nan_b_q1;
      VectorOpGt: q1_holds = !below_q1 && !q1_equal && !nan_a_q1 && !nan_b_q1;
      VectorOpGe: q1_holds = (!below_q1 || q1_equal) && !nan_a_q1 && !nan_b_q1;
      VectorOpEq: q1_holds = q1_equal;
      VectorOpNe: q1_holds = !q1_equal;
      VectorOpKeep: q1_holds = !zero_b_q1;
      default: q1_holds = zero_b_q1;  // drop
    endcase
  end

  always_ff @(posedge clk_i) begin
    valid_q2 <= valid_q1;
    if (valid_q1) begin
      take_b_q2 <= op_q1 == VectorOpMax && below_q1 || op_q1 == VectorOpMin && !below_q1;
      fixed_q2 <= op_q1 >= VectorOpLt && op_q1 <= VectorOpNe || op_q1 >= VectorOpKeep && !q1_holds;
      one_q2 <= op_q1 <= VectorOpNe && q1_holds;
      if (op_q1 >= VectorOpKeep) nan_q2 <= nan_a_q1 && q1_holds;
      else nan_q2 <= op_q1 <= VectorOpMin && (nan_a_q1 || nan_b_q1);
      a_q2 <= a_q1;
      b_q2 <= b_q1;
    end
  end

  // p3
  logic valid_q3, nan_q3, fixed_q3, one_q3;
  logic [31:0] value_q3;

  always_ff @(posedge clk_i) begin
    valid_q3 <= valid_q2;
    if (valid_q2) begin
      nan_q3   <= nan_q2;
      fixed_q3 <= fixed_q2;
      one_q3   <= one_q2;
      value_q3 <= take_b_q2 ? b_q2 : a_q2;
    end
  end

  // p4
  always_ff @(posedge clk_i) begin
    if (valid_q3) begin
      if (nan_q3) result_o <= 32'h7FC0_0000;
      else if (fixed_q3) result_o <= one_q3 ? 32'h3F80_0000 : '0;
      else if (value_q3[30:23] == '0) result_o <= {value_q3[31], 31'b0};
      else result_o <= value_q3;
    end
  end
endmodule
