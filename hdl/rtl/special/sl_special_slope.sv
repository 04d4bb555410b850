// Slope of a segment at an offset: c1 + ((offset * c2) >> 8), without a multiplier block.
//
// Timing     c1_i, c2_i, offset_i in p3, slope_o from p5: two register stages.
// Contract   valid_i[s] belongs to ps and only saves work. The sum fits 22 bits; isa checks it for every row and offset. No reset.
//
// p3 Booth digits of the offset choose 0, 1 or 2 times c2, added in pairs | p4 the three sums

module sl_special_slope (
    input logic clk_i,

    input logic        [ 4:3] valid_i,
    input logic        [ 9:0] offset_i,
    input logic signed [21:0] c1_i,
    input logic signed [17:0] c2_i,

    output logic signed [21:0] slope_o
);
  localparam int unsigned Digits = 5;

  logic signed [21:0] low_q, middle_q;
  logic signed [29:0] high_q;

  // A negative digit is the complement, and a one in its last place that stands where the other operand has no bits: that of digit 4
  // twice, one place lower.
  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      automatic logic [10:0] bits = {offset_i, 1'b0};
      automatic logic [Digits-1:0] negative;
      automatic logic signed [Digits-1:0][18:0] product;
      for (int unsigned i = 0; i < Digits; i++) begin
        automatic logic one = bits[2*i+1] != bits[2*i];
        automatic logic two = bits[2*i+2] != bits[2*i+1] && !one;
        automatic logic [18:0] magnitude = two ? {c2_i, 1'b0} : one ? {c2_i[17], c2_i} : '0;
        negative[i] = bits[2*i+2];
        product[i]  = magnitude ^ {19{negative[i]}};
      end
      low_q <= 22'($signed(product[0])) + 22'($signed({product[1], 1'b0, negative[0]}));
      middle_q <= 22'($signed(product[2])) + 22'($signed({product[3], 1'b0, negative[2]}));
      high_q <= 30'($signed(
          {product[4], negative[4], 7'b0}
      )) + 30'($signed(
          {c1_i, negative[4], negative[3], 3'b0, negative[1], 2'b0}
      ));
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      slope_o <= 22'((30'(low_q) + 30'($signed({middle_q, 4'b0})) + high_q) >>> 8);
    end
  end
endmodule
