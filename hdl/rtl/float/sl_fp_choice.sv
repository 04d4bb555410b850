// fp32 operations without rounding, one lane: maximum, minimum, comparisons, selections.
//
// Timing     a_i, b_i in p1, p2_op_i of the same operation in p2, result_o from p5: four register stages, one result per cycle.
// Numbers    isa float::arithmetic. max and min: -0 < +0, NaN if either operand is NaN. Comparisons give 1.0 or +0, the zeros are equal,
//            with NaN only `ne` holds. keep and drop: A where B is not zero, or is, else +0. Subnormals read as signed zero.
// Contract   valid_i[s] belongs to ps and only saves work: a stage that has nothing to do holds its registers. No reset.

module sl_fp_choice
  import sl_pkg::*;
(
    input logic clk_i,

    input logic       [ 4:1] valid_i,
    input logic       [31:0] a_i,
    input logic       [31:0] b_i,
    input vector_op_e        p2_op_i,

    output logic [31:0] result_o
);
  // p1: order of the words as they are; flushing a subnormal never changes which of two different results is right.
  logic below_q1, same_q1, zero_a_q1, zero_b_q1, nan_a_q1, nan_b_q1;
  logic [31:0] a_q1, b_q1;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic smaller = a_i[30:0] < b_i[30:0];
      below_q1 <= a_i[31] == b_i[31] ? smaller != a_i[31] : a_i[31];
      same_q1 <= a_i == b_i;
      zero_a_q1 <= a_i[30:23] == '0;
      zero_b_q1 <= b_i[30:23] == '0;
      nan_a_q1 <= a_i[30:23] == 8'hFF && a_i[22:0] != '0;
      nan_b_q1 <= b_i[30:23] == 8'hFF && b_i[22:0] != '0;
      a_q1 <= a_i;
      b_q1 <= b_i;
    end
  end

  // p2: which operand, or which constant. `below` of two equal words may say either.
  logic take_b_q2, fixed_q2, one_q2, nan_q2;
  logic [31:0] a_q2, b_q2;

  always_ff @(posedge clk_i) begin
    if (valid_i[2]) begin
      automatic logic numbers = !nan_a_q1 && !nan_b_q1;
      automatic logic equal = numbers && (same_q1 || (zero_a_q1 && zero_b_q1));
      automatic logic holds;
      unique case (p2_op_i)
        VectorOpLt: holds = below_q1 && !equal && numbers;
        VectorOpLe: holds = (below_q1 || equal) && numbers;
        VectorOpGt: holds = !below_q1 && !equal && numbers;
        VectorOpGe: holds = (!below_q1 || equal) && numbers;
        VectorOpEq: holds = equal;
        VectorOpNe: holds = !equal;
        VectorOpKeep: holds = !zero_b_q1;
        default: holds = zero_b_q1;  // drop
      endcase
      take_b_q2 <= p2_op_i == VectorOpMax && below_q1 || p2_op_i == VectorOpMin && !below_q1;
      fixed_q2 <= p2_op_i >= VectorOpLt && p2_op_i <= VectorOpNe ||
          p2_op_i >= VectorOpKeep && !holds;
      one_q2 <= p2_op_i <= VectorOpNe && holds;
      if (p2_op_i >= VectorOpKeep) nan_q2 <= nan_a_q1 && holds;
      else nan_q2 <= p2_op_i <= VectorOpMin && !numbers;
      a_q2 <= a_q1;
      b_q2 <= b_q1;
    end
  end

  // p3
  logic nan_q3, fixed_q3, one_q3;
  logic [31:0] value_q3;

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      nan_q3   <= nan_q2;
      fixed_q3 <= fixed_q2;
      one_q3   <= one_q2;
      value_q3 <= take_b_q2 ? b_q2 : a_q2;
    end
  end

  // p4
  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      if (nan_q3) result_o <= 32'h7FC0_0000;
      else if (fixed_q3) result_o <= one_q3 ? 32'h3F80_0000 : '0;
      else if (value_q3[30:23] == '0) result_o <= {value_q3[31], 31'b0};
      else result_o <= value_q3;
    end
  end
endmodule
