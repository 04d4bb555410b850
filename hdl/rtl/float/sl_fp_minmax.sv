// fp32 maximum and minimum, one lane.
//
// Timing     max_i, a_i, b_i in p1 (valid_i), result_o from p5: four register stages, one result per cycle.
// Numbers    isa float::max and float::min: -0 < +0, subnormals read as signed zero, NaN 0x7FC00000 if either operand is NaN.
// Contract   valid_i only saves work: a stage that has nothing to do holds its registers. No reset.

module sl_fp_minmax (
    input logic clk_i,

    input logic        valid_i,
    input logic        max_i,
    input logic [31:0] a_i,
    input logic [31:0] b_i,

    output logic [31:0] result_o
);
  // p1: order of the words as they are; flushing a subnormal never changes which of two different results is right.
  logic valid_q1, take_b_q1, nan_q1;
  logic [31:0] a_q1, b_q1;

  always_ff @(posedge clk_i) begin
    valid_q1 <= valid_i;
    if (valid_i) begin
      // Of two equal words it does not matter which one is taken.
      automatic logic smaller = a_i[30:0] < b_i[30:0];
      automatic logic below = a_i[31] == b_i[31] ? smaller != a_i[31] : a_i[31];
      take_b_q1 <= below == max_i;
      nan_q1 <= (a_i[30:23] == 8'hFF && a_i[22:0] != '0) ||
          (b_i[30:23] == 8'hFF && b_i[22:0] != '0);
      a_q1 <= a_i;
      b_q1 <= b_i;
    end
  end

  // p2
  logic valid_q2, nan_q2;
  logic [31:0] value_q2;

  always_ff @(posedge clk_i) begin
    valid_q2 <= valid_q1;
    if (valid_q1) begin
      nan_q2   <= nan_q1;
      value_q2 <= take_b_q1 ? b_q1 : a_q1;
    end
  end

  // p3
  logic valid_q3;
  logic [31:0] value_q3;

  always_ff @(posedge clk_i) begin
    valid_q3 <= valid_q2;
    if (valid_q2) begin
      if (nan_q2) value_q3 <= 32'h7FC0_0000;
      else if (value_q2[30:23] == '0) value_q3 <= {value_q2[31], 31'b0};
      else value_q3 <= value_q2;
    end
  end

  // p4: waits for the multiplier's last stage.
  always_ff @(posedge clk_i) begin
    if (valid_q3) result_o <= value_q3;
  end
endmodule
