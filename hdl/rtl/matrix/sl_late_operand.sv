// fp32 value that enters a row's accumulator late: an add32 operand, which comes as two planes, or a start value (bias).
//
// Timing     (cycles c(s+2T) of docs/machine.md section 3, written s)
//              2  const_i, or y_i = upper plane
//              3  y_i = lower plane; exp_o, poison_o (combinational)
//              4  sign
//              5  shift
//              6  term_o
// Numbers    isa acc::Term::from_f32: value = term_o * 2^(8 * exp_o); zero and subnormal give 0 at the lowest exponent, as do NaN
//            and infinity, which also set poison_o.
// Contract   valid_i[s] is set in the stages that work; it only saves work. No reset.

module sl_late_operand (
    input logic       clk_i,
    input logic [5:2] valid_i,
    input logic       planes2_i,
    input logic       planes3_i,

    input logic [15:0] y_i,
    input logic [31:0] const_i,

    output logic signed [ 6:0] exp_o,
    output logic               poison_o,
    output logic signed [39:0] term_o
);
  logic [31:0] value_q3;

  always_ff @(posedge clk_i) begin
    if (valid_i[2]) value_q3 <= {planes2_i ? y_i : const_i[31:16], const_i[15:0]};
  end

  // g = e - 150; exponent (g >> 3) - 1 = (e - 158) >> 3; fine = g & 7 = (e + 2) & 7.
  logic on;
  logic signed [9:0] exp_eighths;

  assign on = value_q3[30:23] != '0 && value_q3[30:23] != 8'hFF;
  assign exp_eighths = $signed({2'b00, value_q3[30:23]}) - 10'sd158;
  assign exp_o = on ? exp_eighths[9:3] : 7'(sl_pkg::AccExpMin);
  assign poison_o = value_q3[30:23] == 8'hFF;

  logic sign_q4;
  logic [2:0] fine_q4, fine_q5;
  logic [23:0] sig_q4;
  logic signed [24:0] sig_q5;

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      sign_q4 <= value_q3[31];
      fine_q4 <= exp_eighths[2:0];
      sig_q4  <= on ? {1'b1, value_q3[22:16], planes3_i ? y_i : value_q3[15:0]} : '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      fine_q5 <= fine_q4;
      sig_q5  <= sign_q4 ? -25'($signed({1'b0, sig_q4})) : $signed({1'b0, sig_q4});
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[5]) term_o <= 40'($signed({sig_q5, 8'b0})) <<< fine_q5;
  end
endmodule
