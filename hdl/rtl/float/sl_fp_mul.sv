// fp32 multiplier, one lane.
//
// Timing     a_i, b_i in p1, product_o from p6: five register stages, one product per cycle.
// Bypass     bypass_i in p5 (bypass_valid_i) takes the place of the product.
// Numbers    isa float::mul: operands DAZ, round to nearest even with unbounded exponent, then biased exponent <= 0 to signed
//            zero and >= 255 to infinity, NaN 0x7FC00000.
// Contract   valid_i[s] belongs to ps and only saves work: a stage that has nothing to do holds its registers. No reset.
//
// p1 operands | p2 two partial products, 24 x 17 and 24 x 7 bits | p3 their sum | p4 normalise | p5 round and pack

module sl_fp_mul (
    input logic clk_i,

    input logic [ 5:1] valid_i,
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

  // p1: operands straight into registers, which a multiplier block may take as its own.
  class_t class_a_q1, class_b_q1;
  logic [31:0] a_q1, b_q1;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      a_q1 <= a_i;
      b_q1 <= b_i;
      class_a_q1 <= '{zero: a_i[30:23] == '0, max: a_i[30:23] == '1, frac: a_i[22:0] != '0};
      class_b_q1 <= '{zero: b_i[30:23] == '0, max: b_i[30:23] == '1, frac: b_i[22:0] != '0};
    end
  end

  // p2, p3: a zero operand keeps its hidden one here and is zero by its kind.
  logic sign_q2, sign_q3;
  kind_e kind_q2, kind_q3;
  logic signed [9:0] exp_q2, exp_q3;
  logic [40:0] low_q2;
  logic [30:0] high_q2;
  logic [47:0] product_q3;

  always_ff @(posedge clk_i) begin
    if (valid_i[2]) begin
      sign_q2 <= a_q1[31] != b_q1[31];
      if ((class_a_q1.max && (class_a_q1.frac || class_b_q1.zero)) ||
          (class_b_q1.max && (class_b_q1.frac || class_a_q1.zero)))
        kind_q2 <= Nan;
      else if (class_a_q1.max || class_b_q1.max) kind_q2 <= Inf;
      else kind_q2 <= class_a_q1.zero || class_b_q1.zero ? Zero : Normal;
      exp_q2  <= $signed({2'b00, a_q1[30:23]}) + $signed({2'b00, b_q1[30:23]}) - 10'sd127;
      low_q2  <= 41'({1'b1, a_q1[22:0]}) * 41'(b_q1[16:0]);
      high_q2 <= 31'({1'b1, a_q1[22:0]}) * 31'({1'b1, b_q1[22:17]});
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      sign_q3 <= sign_q2;
      kind_q3 <= kind_q2;
      exp_q3 <= exp_q2;
      product_q3 <= {high_q2 + 31'(low_q2[40:17]), low_q2[16:0]};
    end
  end

  // p4: the product of two significands lies in [1, 4).
  logic sign_q4, guard_q4, sticky_q4;
  logic normal_q4, nan_q4, inf_q4, none_q4, huge_q4, keep_q4;
  logic [ 7:0] exp_q4;
  logic [22:0] frac_q4;

  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      automatic logic two = product_q3[47];
      automatic logic signed [9:0] exp = exp_q3 + 10'(two);
      none_q4 <= exp == '0;
      huge_q4 <= !exp[9] && (exp[8] || exp[7:0] == '1);
      keep_q4 <= kind_q3 == Normal && exp[9:8] == '0 && exp[7:0] != '0 && exp[7:0] != '1;
      sign_q4 <= sign_q3;
      normal_q4 <= kind_q3 == Normal;
      nan_q4 <= kind_q3 == Nan;
      inf_q4 <= kind_q3 == Inf;
      exp_q4 <= exp[7:0];
      frac_q4 <= two ? product_q3[46:24] : product_q3[45:23];
      guard_q4 <= two ? product_q3[23] : product_q3[22];
      sticky_q4 <= product_q3[21:0] != '0 || (two && product_q3[22]);
    end
  end

  // p5: a carry out of the fraction goes into the exponent field and gives the infinity where it should.
  always_ff @(posedge clk_i) begin
    if (bypass_valid_i || valid_i[5]) begin
      automatic logic up = guard_q4 && (sticky_q4 || frac_q4[0]);
      automatic logic [30:0] down = {exp_q4, frac_q4};
      automatic logic [30:0] next = {exp_q4, frac_q4} + 31'd1;
      automatic logic normal = !bypass_valid_i && normal_q4;
      automatic logic keep = !bypass_valid_i && keep_q4;
      automatic logic nan = !bypass_valid_i && nan_q4;
      automatic logic max = (!bypass_valid_i && (nan_q4 || inf_q4)) || (normal && huge_q4);
      // The largest subnormal rounds up to the smallest normal number.
      automatic logic least = normal && none_q4 && up && frac_q4 == '1;
      automatic logic [31:0] other = bypass_i & {32{bypass_valid_i}};
      product_o[31] <= other[31] || (sign_q4 && !nan && !bypass_valid_i);
      product_o[30:0] <= (next & {31{keep && up}}) | (down & {31{keep && !up}}) | other[30:0] |
          {{8{max}} | {7'd0, least}, nan, 22'd0};
    end
  end
endmodule
