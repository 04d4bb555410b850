// fp32 multiplier, one lane.
//
// Timing     a_i, b_i in p1 (valid_i), product_o from p6: five register stages, one product per cycle.
// Bypass     bypass_i in p5 (bypass_valid_i) takes the place of the product.
// Numbers    isa float::mul: operands DAZ, round to nearest even with unbounded exponent, then biased exponent <= 0 to signed
//            zero and >= 255 to infinity, NaN 0x7FC00000.
// Contract   valid_i only saves work: a stage that has nothing to do holds its registers. No reset.
//
// p1 two partial products, 24 x 17 and 24 x 7 bits | p2 their sum | p3 normalise | p4 round | p5 pack

module sl_fp_mul (
    input logic clk_i,

    input logic        valid_i,
    input logic [31:0] a_i,
    input logic [31:0] b_i,

    input logic        bypass_valid_i,
    input logic [31:0] bypass_i,

    output logic [31:0] product_o
);
  typedef enum logic [1:0] {
    Normal,
    Nan,
    Inf,
    Zero
  } kind_e;

  // What an operand is, gathered in p1.
  typedef struct packed {
    logic zero;  // exponent field
    logic max;
    logic frac;  // not zero
  } class_t;

  function automatic class_t class_of(logic [30:0] u);
    return '{zero: u[30:23] == '0, max: u[30:23] == '1, frac: u[22:0] != '0};
  endfunction

  function automatic kind_e classify(class_t a, class_t b);
    if ((a.max && (a.frac || b.zero)) || (b.max && (b.frac || a.zero))) return Nan;
    if (a.max || b.max) return Inf;
    return a.zero || b.zero ? Zero : Normal;
  endfunction

  // p1, p2: a zero operand keeps its hidden one here and is zero by its kind.
  logic valid_q1, sign_q1, valid_q2, sign_q2;
  class_t a_q1, b_q1;
  kind_e kind_q2;
  logic signed [9:0] exp_q1, exp_q2;
  logic [40:0] low_q1;
  logic [30:0] high_q1;
  logic [47:0] product_q2;

  always_ff @(posedge clk_i) begin
    valid_q1 <= valid_i;
    if (valid_i) begin
      sign_q1 <= a_i[31] != b_i[31];
      a_q1 <= class_of(a_i[30:0]);
      b_q1 <= class_of(b_i[30:0]);
      exp_q1  <= $signed({2'b00, a_i[30:23]}) + $signed({2'b00, b_i[30:23]}) - 10'sd127;
      low_q1  <= 41'({1'b1, a_i[22:0]}) * 41'(b_i[16:0]);
      high_q1 <= 31'({1'b1, a_i[22:0]}) * 31'({1'b1, b_i[22:17]});
    end
  end

  always_ff @(posedge clk_i) begin
    valid_q2 <= valid_q1;
    if (valid_q1) begin
      sign_q2 <= sign_q1;
      kind_q2 <= classify(a_q1, b_q1);
      exp_q2 <= exp_q1;
      product_q2 <= {high_q1 + 31'(low_q1[40:17]), low_q1[16:0]};
    end
  end

  // p3: the product of two significands lies in [1, 4).
  logic valid_q3, sign_q3, guard_q3, sticky_q3;
  kind_e kind_q3;
  logic signed [9:0] exp_q3;
  logic [22:0] frac_q3;

  always_ff @(posedge clk_i) begin
    valid_q3 <= valid_q2;
    if (valid_q2) begin
      automatic logic two = product_q2[47];
      sign_q3 <= sign_q2;
      kind_q3 <= kind_q2;
      exp_q3 <= exp_q2 + 10'(two);
      frac_q3 <= two ? product_q2[46:24] : product_q2[45:23];
      guard_q3 <= two ? product_q2[23] : product_q2[22];
      sticky_q3 <= product_q2[21:0] != '0 || (two && product_q2[22]);
    end
  end

  // p4: range checks for both outcomes of the rounding carry, which is known only at the end of the cycle.
  logic valid_q4, sign_q4;
  kind_e kind_q4;
  logic carry_q4, zero_q4, zero_carry_q4, inf_q4, inf_carry_q4;
  logic [7:0] exp_q4, exp_carry_q4;
  logic [22:0] frac_q4;

  always_ff @(posedge clk_i) begin
    valid_q4 <= valid_q3;
    if (valid_q3) begin
      automatic logic up = guard_q3 && (sticky_q3 || frac_q3[0]);
      {carry_q4, frac_q4} <= {1'b0, frac_q3} + 24'(up);
      sign_q4 <= sign_q3;
      kind_q4 <= kind_q3;
      exp_q4 <= exp_q3[7:0];
      exp_carry_q4 <= exp_q3[7:0] + 8'd1;
      zero_q4 <= exp_q3 <= 10'sd0;
      zero_carry_q4 <= exp_q3 < 10'sd0;
      inf_q4 <= exp_q3 >= 10'sd255;
      inf_carry_q4 <= exp_q3 >= 10'sd254;
    end
  end

  // p5
  always_ff @(posedge clk_i) begin
    if (bypass_valid_i) begin
      product_o <= bypass_i;
    end else if (valid_q4) begin
      automatic
      logic
      zero = kind_q4 == Zero || (kind_q4 == Normal && (carry_q4 ? zero_carry_q4 : zero_q4));
      automatic
      logic
      overflow = kind_q4 == Inf || (kind_q4 == Normal && (carry_q4 ? inf_carry_q4 : inf_q4));
      if (kind_q4 == Nan) product_o <= 32'h7FC0_0000;
      else if (zero) product_o <= {sign_q4, 31'b0};
      else if (overflow) product_o <= {sign_q4, 8'hFF, 23'b0};
      else product_o <= {sign_q4, carry_q4 ? exp_carry_q4 : exp_q4, frac_q4};
    end
  end
endmodule
