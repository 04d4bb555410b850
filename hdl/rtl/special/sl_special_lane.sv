// One lane of the special functions: decode, address, quadratic, pack.
//
// Timing     x_i in p1 (valid_i), y_o from p7: six register stages for every function, one per cycle, in any mix.
//            p1_line_i in p1, p2_fn_i of the same operation in p2; addr_o in p2, its row in row_i in p3.
// Numbers    isa special::apply, bit for bit.
// Contract   valid_i only saves work: a stage that has nothing to do holds its registers. No reset.
//
// p1 classify, shift | p2 row and offset | p3 memory, partial products | p4 slope | p5 product | p6 add, normalise, pack

module sl_special_lane
  import sl_special_pkg::*;
(
    input logic clk_i,

    input line_t   p1_line_i,
    input select_t p2_fn_i,

    input logic        valid_i,
    input logic [31:0] x_i,

    output logic [10:0] addr_o,
    input  row_t        row_i,

    output logic [31:0] p6_y_o,  // y_o as it enters its register
    output logic [31:0] y_o
);
  // p1
  logic p1_log2, p1_near;
  logic [ 7:0] p1_e;
  logic [22:0] p1_m;

  assign p1_e = x_i[30:23];
  assign p1_m = x_i[22:0];
  assign p1_log2 = p1_line_i.log2;
  assign p1_near = p1_log2 && (p1_e == 8'd126 || p1_e == 8'd127);

  // Place in a line of the map: the low bits of the exponent, held at both ends of the window.
  logic [4:0] p1_binade;

  always_comb begin
    p1_binade = p1_e[4:0];
    if (p1_e < 8'(FirstExponent)) p1_binade = 5'(FirstExponent);
    if (p1_e >= 8'(FirstExponent + Binades)) p1_binade = 5'(FirstExponent + Binades - 1);
  end

  // Distance of the logarithm's operand from 1 and its leading zeros; below 1 but for one unit of the last place.
  logic [22:0] p1_distance;
  logic [ 4:0] p1_zeros;

  assign p1_distance = p1_e[0] ? p1_m : ~p1_m;

  // Six groups of four, a zero below the last bit: the first that is not empty, and the place in it.
  logic [5:0] p1_group;
  logic [5:0][1:0] p1_within;

  for (genvar i = 0; i < 6; i++) begin : gen_group
    logic [3:0] bits;
    assign bits = 4'({p1_distance, 1'b0} >> (20 - 4 * i));
    assign p1_group[i] = bits != '0;
    assign p1_within[i] = bits[3] ? 2'd0 : bits[2] ? 2'd1 : bits[1] ? 2'd2 : 2'd3;
  end
  always_comb begin
    p1_zeros = 5'd23;
    for (int unsigned i = 0; i < 6; i++) begin
      if (p1_group[5-i]) p1_zeros = {3'(5 - i), p1_within[5-i]};
    end
  end

  // Fixed point for exp2, 23 fraction bits; |x| < 128.
  logic [29:0] p1_fixed;

  function automatic logic [4:0] fixed_shift(logic [4:0] e);
    for (int unsigned i = 0; i < 32; i++) if (e == 5'(i)) return 5'(133 - i);
    return '0;
  endfunction

  assign p1_fixed = {1'b1, p1_m, 6'b0} >> fixed_shift(p1_e[4:0]);

  // Look-ups by sign and binade. First rows are joined by OR a cycle later, so what is not wanted is zero.
  logic p1_small;
  logic [10:0] p1_first, p1_base;
  logic [7:0] p1_bits;
  logic [3:0] p1_places;

  assign p1_small = p1_line_i.has_small && p1_e < 8'(SmallExponent);
  always_comb begin
    {p1_first, p1_bits, p1_places} = p1_line_i.lines[{x_i[31], p1_e[3:0]}];
    p1_bits = p1_bits & {8{!p1_small}} | {3'b0, p1_log2 && !p1_near, 4'b0};
    p1_base = '0;
    if (p1_small) p1_base = p1_line_i.small_row[x_i[31]] | {8'b0, p1_e[2:0]};
    if (p1_log2) p1_base = LogRow[{p1_near, p1_e<8'd127}];
  end

  logic valid_q1, sign_q1, near_q1, m_zero_q1;
  logic [7:0] bits_q1;
  logic [4:0] binade_q1, zeros_q1, amount_q1;
  logic [7:0] e_q1;
  logic [10:0] first_q1, first_base_q1;
  logic [22:0] m_q1;
  logic [25:0] source_q1;
  logic [29:0] fixed_q1;

  always_ff @(posedge clk_i) begin
    valid_q1 <= valid_i;
    if (valid_i) begin
      sign_q1 <= x_i[31];
      near_q1 <= p1_near;
      m_zero_q1 <= p1_m == '0;
      binade_q1 <= p1_binade;
      first_q1 <= p1_small ? '0 : p1_first;
      first_base_q1 <= p1_base;
      bits_q1 <= p1_bits;
      amount_q1 <= (p1_zeros & {5{p1_near}}) | {1'b0, p1_places & {4{!p1_near && !p1_small}}};
      zeros_q1 <= p1_zeros;
      e_q1 <= p1_e;
      m_q1 <= p1_m;
      fixed_q1 <= p1_fixed;
      source_q1 <= p1_near ? {p1_distance, 3'b0} : {3'b0, p1_m};
    end
  end

  // p2: the leading bits of the fraction choose the row, the rest is the offset. `shifted` has those bits shifted out but for one when
  // the offset is a bit narrower.
  logic p2_odd;
  logic [30:0] p2_fixed;
  logic [24:5] p2_shifted;
  logic [22:5] p2_place;
  logic [7:0] p2_index;
  logic [10:0] p2_near;

  assign p2_odd = p2_fn_i.root && !e_q1[0];
  assign p2_fixed = ({1'b0, fixed_q1} ^ {31{sign_q1}}) + 31'(sign_q1);
  assign p2_shifted = 20'((source_q1 << amount_q1) >> 5);
  assign p2_place = p2_fn_i.is[SpecialExp2] ? p2_fixed[17:0] : p2_shifted[22:5];
  assign p2_near = {5'b0, zeros_q1[4] ? 4'hF : zeros_q1[3:0], p2_shifted[24:23]};
  always_comb begin
    p2_index = {2'b0, p2_fixed[22:17]} & {8{p2_fn_i.is[SpecialExp2]}};
    for (int unsigned i = 0; i < 8; i++) begin
      p2_index |= 8'(source_q1[22:15] >> (7 - i)) & {8{bits_q1[i]}};
    end
    addr_o = first_q1 | first_base_q1 | {5'b0, p2_odd, 5'b0};
    addr_o |= {3'b0, p2_index} | (p2_near & {11{near_q1}});
  end

  // What the operand adds to the row's exponent, and the logarithm's integer part.
  logic p2_below, p2_exact;
  logic [7:0] p2_half;
  logic signed [9:0] p2_add;

  assign p2_below = e_q1 < 8'd127;
  assign p2_half  = 8'((9'(e_q1) + 9'd1) >> 1);  // (e - 127) / 2 rounded down, and 64
  always_comb begin
    p2_exact = m_zero_q1 && (p2_fn_i.is[SpecialRecip] || (p2_fn_i.root && !p2_odd));
    if (p2_fn_i.is[SpecialExp2]) p2_exact = fixed_q1[22:0] == '0;
    p2_add = '0;
    if (p2_fn_i.is[SpecialRecip]) p2_add = -$signed({2'b0, e_q1});
    if (p2_fn_i.is[SpecialRsqrt]) p2_add = 10'sd64 - $signed({2'b0, p2_half});
    if (p2_fn_i.is[SpecialSqrt]) p2_add = $signed({2'b0, p2_half}) - 10'sd64;
    if (p2_fn_i.is[SpecialLog2]) p2_add = -$signed({5'b0, zeros_q1});
  end

  // Results the tables know nothing of: zero and infinity (the reciprocals and the logarithm of zero are infinite, the reciprocals of
  // infinity zero), the logarithms of 1 and 1/2, NaN.
  typedef enum logic [1:0] {
    Powers,  // what the map says
    AllZeros,
    AllOnes,
    OneExponent
  } domain_e;

  logic p2_recip, p2_sqrt, p2_log2, p2_zero, p2_inf;
  domain_e p2_domain;

  assign p2_recip = p2_fn_i.is[SpecialRecip];
  assign p2_sqrt  = p2_fn_i.is[SpecialSqrt];
  assign p2_log2  = p2_fn_i.is[SpecialLog2];
  assign p2_zero  = e_q1 == '0;
  assign p2_inf   = e_q1 == '1;

  logic [2:0] p2_kind;

  always_comb begin
    p2_kind = '0;
    for (int unsigned i = 0; i < Functions; i++) begin
      p2_kind |= Kinds[{4'(i), sign_q1, binade_q1}] & {3{p2_fn_i.is[i]}};
    end
  end

  always_comb begin
    p2_domain = Powers;
    if (p2_recip || p2_fn_i.root || p2_log2) begin
      if (p2_zero) p2_domain = p2_sqrt ? AllZeros : AllOnes;
      if (p2_inf) p2_domain = p2_log2 || p2_sqrt ? AllOnes : AllZeros;
    end
    if (near_q1 && m_zero_q1) p2_domain = e_q1[0] ? AllZeros : OneExponent;
  end

  logic valid_q2, sign_q2, m_zero_q2, exact_q2, under_q2, large_q2, log2_q2, nan_q2, zero_q2;
  logic exp2_q2, base_q2, low_q2, step_q2, negative_q2;
  kind_e kind_q2;
  domain_e domain_q2;
  logic [6:0] integer_q2;
  logic [7:0] e_q2;
  logic signed [7:0] fixed_q2;
  logic [22:0] m_q2;
  logic signed [9:0] add_q2;
  logic signed [17:0] offset_q2;

  always_ff @(posedge clk_i) begin
    valid_q2 <= valid_q1;
    if (valid_q1) begin
      sign_q2 <= sign_q1;
      e_q2 <= e_q1;
      m_q2 <= m_q1;
      m_zero_q2 <= m_zero_q1;
      zero_q2 <= p2_zero;
      kind_q2 <= kind_e'(p2_kind);
      domain_q2 <= p2_domain;
      under_q2 <= sign_q1 && {e_q1, m_q1[22:16]} >= p2_fn_i.limit;
      nan_q2 <= (p2_inf && (!m_zero_q1 || (sign_q1 && p2_fn_i.gated))) ||
          (sign_q1 && !p2_zero && (p2_fn_i.root || p2_log2));
      negative_q2 <= p2_log2 ? p2_below :
          sign_q1 && (p2_recip || p2_fn_i.root || p2_fn_i.gated || p2_fn_i.is[SpecialTanh]);
      exp2_q2 <= p2_fn_i.is[SpecialExp2];
      log2_q2 <= p2_log2;
      base_q2 <= p2_fn_i.base;
      low_q2 <= p2_fn_i.base && !p2_fn_i.is[SpecialTanh];
      large_q2 <= p2_log2 && !near_q1;
      integer_q2 <= p2_below ? 7'(8'd126 - e_q1 + 8'(m_zero_q1)) : 7'(e_q1 - 8'd127);
      exact_q2 <= p2_exact;
      step_q2 <= p2_exact && (p2_recip || p2_fn_i.is[SpecialRsqrt]);  // 1.0 is the table's end
      add_q2 <= p2_add;
      fixed_q2 <= p2_fixed[30:23];
      offset_q2 <= {
        p2_fn_i.base ? ~p2_place[21] : ~p2_place[22], p2_place[21] ^ p2_fn_i.base, p2_place[20:5]
      };
    end
  end

  // p3: what is no value of a row; the logarithm's scale.
  logic p3_evaluate;
  logic [7:0] p3_power;
  logic [2:0] p3_top;
  logic [31:0] p3_other;

  always_comb begin
    unique case (kind_q2)
      KindOneHalf: p3_power = 8'd126;
      KindOne: p3_power = 8'd127;
      KindInfinity: p3_power = 8'd255;
      default: p3_power = 8'd0;
    endcase
    if (under_q2) p3_power = '0;
    unique case (domain_q2)
      AllZeros: p3_power = '0;
      AllOnes: p3_power = '1;
      OneExponent: p3_power = 8'd127;
      default: ;
    endcase
    p3_evaluate = kind_q2 == KindRows && domain_q2 == Powers && !under_q2 && !nan_q2;
    p3_other = {negative_q2, p3_power, 23'b0};
    if (domain_q2 == Powers && !under_q2) begin
      unique case (kind_q2)
        KindRows: p3_other[22:0] = 23'h7F_FFFE;  // where the fraction is held below 2
        KindOperand: p3_other = {sign_q2, e_q2, zero_q2 ? 23'b0 : m_q2};
        KindHalf: p3_other = {sign_q2, e_q2[7:1] != '0 ? {e_q2 - 8'd1, m_q2} : 31'b0};
        KindLn2: p3_other = 32'h3F31_7218;
        default: ;
      endcase
    end
    if (nan_q2) p3_other = 32'h7FC0_0000;
    p3_top = '0;
    for (int unsigned i = 0; i < 7; i++) if (integer_q2[i]) p3_top = 3'(i);
  end

  logic valid_q3, exact_q3, large_q3, base_q3, low_q3, evaluate_q3;
  logic [2:0] top_q3;
  logic [6:0] integer_q3;
  logic [7:0] exp_q3;
  logic [23:0] c0_q3;
  logic [31:0] other_q3;
  logic signed [9:0] add_q3;
  logic signed [17:0] offset_q3;

  always_ff @(posedge clk_i) begin
    valid_q3 <= valid_q2;
    if (valid_q2) begin
      c0_q3 <= row_i.c0;
      exp_q3 <= row_i.exp;
      offset_q3 <= offset_q2;
      if (large_q2) add_q3 <= $signed({7'b0, p3_top}) - 10'sd1;
      else add_q3 <= (exp2_q2 ? 10'(fixed_q2) : add_q2) + 10'(step_q2);
      top_q3 <= p3_top;
      integer_q3 <= integer_q2;
      exact_q3 <= exact_q2 || (log2_q2 && m_zero_q2);
      large_q3 <= large_q2;
      low_q3 <= low_q2;
      base_q3 <= base_q2;
      evaluate_q3 <= p3_evaluate;
      other_q3 <= p3_other;
    end
  end

  // The logarithm's offset has 17 bits in the slope and is scaled in the product.
  logic signed [21:0] slope_q4;

  sl_special_slope u_slope (
      .clk_i,
      .valid_i (valid_q2),
      .offset_i(large_q2 ? {offset_q2[17], offset_q2[17:9]} : offset_q2[17:8]),
      .c1_i    (row_i.c1),
      .c2_i    (row_i.c2),
      .slope_o (slope_q4)
  );

  // p4: the logarithm's integer part is joined to the fraction, leading one at bit 23. The exponent for each place the significand may
  // have its leading one in.
  logic p4_exact;
  logic signed [9:0] p4_exp;
  logic valid_q4, exact_q4, base_q4, low_q4, evaluate_q4;
  logic [23:0] c0_q4;
  logic [31:0] other_q4;
  logic signed [2:0][9:0] exp_q4;
  logic signed [17:0] offset_q4;

  assign p4_exact = exact_q3 && !large_q3;
  assign p4_exp   = $signed({2'b0, exp_q3}) + add_q3;

  always_ff @(posedge clk_i) begin
    valid_q4 <= valid_q3;
    if (valid_q3) begin
      offset_q4 <= offset_q3 >>> (large_q3 ? top_q3 : 3'd0);
      c0_q4 <= c0_q3;
      if (large_q3) begin
        if (exact_q3) offset_q4 <= '0;
        c0_q4 <= 24'({integer_q3, exact_q3 ? 22'b0 : c0_q3[21:0], 1'b0} >> top_q3);
      end
      exp_q4[0] <= low_q3 || p4_exact ? p4_exp : p4_exp - 10'sd1;
      exp_q4[1] <= p4_exp;
      exp_q4[2] <= base_q3 || p4_exact ? p4_exp : p4_exp + 10'sd1;
      exact_q4 <= p4_exact;
      base_q4 <= base_q3;
      low_q4 <= low_q3;
      evaluate_q4 <= evaluate_q3;
      other_q4 <= other_q3;
    end
  end

  // p5: the product; the source of the fraction for each place.
  typedef enum logic [2:0] {
    Shift0,
    Shift1,
    Shift2,
    Zero,
    Other
  } source_e;

  logic valid_q5, sign_q5;
  logic [2:0][7:0] exp_q5;
  source_e [2:0] source_q5;
  logic [23:0] c0_q5;
  logic signed [39:0] p5_product;
  logic signed [24:0] rise_q5;
  logic [22:0] other_q5;

  assign p5_product = offset_q4 * slope_q4;

  always_ff @(posedge clk_i) begin
    valid_q5 <= valid_q4;
    if (valid_q4) begin
      rise_q5 <= 25'(p5_product >>> 15);
      c0_q5 <= c0_q4;
      {sign_q5, other_q5} <= {other_q4[31], other_q4[22:0]};
      for (int unsigned i = 0; i < 3; i++) begin
        automatic logic tiny = exp_q4[i][9] || exp_q4[i][8:0] == '0;
        automatic logic huge = !exp_q4[i][9] && (exp_q4[i][8] || exp_q4[i][7:0] == '1);
        exp_q5[i] <= !evaluate_q4 ? other_q4[30:23] : exp_q4[i][7:0] & {8{!tiny}} | {8{huge}};
        if (!evaluate_q4) source_q5[i] <= Other;
        else if (tiny || huge || exact_q4 || (i == 0 && low_q4)) source_q5[i] <= Zero;
        else if (i == 2 && base_q4) source_q5[i] <= Other;
        else source_q5[i] <= i == 2 ? Shift0 : i == 1 ? Shift1 : Shift2;
      end
    end
  end

  // p6
  logic [ 1:0] p6_place;
  logic [23:0] p6_y;

  assign p6_y = 24'(25'(c0_q5) + rise_q5);
  assign p6_place = p6_y[23] ? 2'd2 : p6_y[22] ? 2'd1 : 2'd0;

  always_comb begin
    p6_y_o[31]    = sign_q5;
    p6_y_o[30:23] = exp_q5[p6_place];
    unique case (source_q5[p6_place])
      Shift0:  p6_y_o[22:0] = p6_y[22:0];
      Shift1:  p6_y_o[22:0] = {p6_y[21:0], 1'b0};
      Shift2:  p6_y_o[22:0] = {p6_y[20:0], 2'b00};
      Other:   p6_y_o[22:0] = other_q5;
      default: p6_y_o[22:0] = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (valid_q5) y_o <= p6_y_o;
  end
endmodule
