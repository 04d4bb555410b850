// One lane of the special functions: decode, address, quadratic, pack.
//
// Timing     fn_i, x_i in p1 (valid_i), y_o from p7: six register stages for every function, one per cycle, in any mix.
//            addr_o in p2, its row in row_i in p3.
// Numbers    isa special::apply, bit for bit.
// Contract   valid_i only saves work: a stage that has nothing to do holds its registers. No reset.
//
// p1 classify, shift | p2 row and offset | p3 memory, partial products | p4 slope | p5 product | p6 add, normalise, pack

module sl_special_lane
  import sl_special_pkg::*;
(
    input logic clk_i,

    input logic               valid_i,
    input special_fn_e        fn_i,
    input logic        [31:0] x_i,

    output logic [10:0] addr_o,
    input  row_t        row_i,

    output logic [31:0] y_o
);
  // p1
  logic p1_log2, p1_near;
  logic [ 7:0] p1_e;
  logic [22:0] p1_m;

  assign p1_e = x_i[30:23];
  assign p1_m = x_i[22:0];
  assign p1_log2 = fn_i == SpecialLog2;
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
  always_comb begin
    p1_zeros = 5'd23;
    for (int unsigned i = 0; i < 23; i++) if (p1_distance[i]) p1_zeros = 5'(22 - i);
  end

  // Fixed point for exp2, 23 fraction bits; |x| < 128.
  logic [29:0] p1_fixed;

  function automatic logic [4:0] fixed_shift(logic [4:0] e);
    for (int unsigned i = 0; i < 32; i++) if (e == 5'(i)) return 5'(133 - i);
    return '0;
  endfunction

  assign p1_fixed = {1'b1, p1_m, 6'b0} >> fixed_shift(p1_e[4:0]);

  logic valid_q1, sign_q1, near_q1, m_zero_q1, exp2_q1, base_q1;
  special_fn_e fn_q1;
  logic [3:0] segments_q1, places_q1;
  logic [4:0] binade_q1, zeros_q1;
  logic [ 7:0] e_q1;
  logic [10:0] first_q1;
  logic [22:0] m_q1;
  logic [25:0] source_q1;
  logic [29:0] fixed_q1;

  always_ff @(posedge clk_i) begin
    valid_q1 <= valid_i;
    if (valid_i) begin
      fn_q1 <= fn_i;
      exp2_q1 <= fn_i == SpecialExp2;
      base_q1 <= fn_i == SpecialExp2 || fn_i == SpecialRecip || fn_i == SpecialRsqrt ||
          fn_i == SpecialTanh;
      sign_q1 <= x_i[31];
      near_q1 <= p1_near;
      m_zero_q1 <= p1_m == '0;
      binade_q1 <= p1_binade;
      first_q1 <= p1_log2 ? LogRow[{p1_near, p1_e<8'd127}] : FirstRow[{fn_i, x_i[31], p1_e[4:0]}];
      segments_q1 <= Segments[{fn_i, x_i[31], p1_e[4:0]}];
      places_q1 <= Places[{fn_i, x_i[31], p1_e[4:0]}];
      zeros_q1 <= p1_zeros;
      e_q1 <= p1_e;
      m_q1 <= p1_m;
      fixed_q1 <= p1_fixed;
      source_q1 <= p1_near ? {p1_distance, 3'b0} : {3'b0, p1_m};
    end
  end

  // p2: the leading bits of the fraction choose the row, the rest is the offset. `shifted` has those bits shifted out but for one when
  // the offset is a bit narrower.
  logic p2_root, p2_odd;
  logic [30:0] p2_fixed;
  logic [24:5] p2_shifted;
  logic [22:5] p2_place;
  logic [ 7:0] p2_index;
  logic [10:0] p2_near;

  assign p2_root = fn_q1 == SpecialRsqrt || fn_q1 == SpecialSqrt;
  assign p2_odd = p2_root && !e_q1[0];
  assign p2_fixed = ({1'b0, fixed_q1} ^ {31{sign_q1}}) + 31'(sign_q1);
  assign p2_shifted = 20'((source_q1 << (near_q1 ? zeros_q1 : 5'(places_q1))) >> 5);
  assign p2_place = exp2_q1 ? p2_fixed[17:0] : p2_shifted[22:5];
  assign p2_near = {5'b0, zeros_q1[4] ? 4'hF : zeros_q1[3:0], p2_shifted[24:23]};
  always_comb begin
    p2_index = source_q1[22:15] >> 4'(4'd8 - segments_q1);
    if (exp2_q1) p2_index = {2'b0, p2_fixed[22:17]};
    addr_o = first_q1 | {5'b0, p2_odd, 5'b0} | (near_q1 ? p2_near : {3'b0, p2_index});
  end

  // What the operand adds to the row's exponent, and the logarithm's integer part.
  logic p2_below, p2_exact;
  logic [7:0] p2_half;
  logic signed [9:0] p2_add;

  assign p2_below = e_q1 < 8'd127;
  assign p2_half  = 8'((9'(e_q1) + 9'd1) >> 1);  // (e - 127) / 2 rounded down, and 64
  always_comb begin
    p2_exact = m_zero_q1 && (fn_q1 == SpecialRecip || (p2_root && !p2_odd));
    if (exp2_q1) p2_exact = fixed_q1[22:0] == '0;
    unique case (fn_q1)
      SpecialRecip: p2_add = -$signed({2'b0, e_q1});
      SpecialRsqrt: p2_add = 10'sd64 - $signed({2'b0, p2_half});
      SpecialSqrt: p2_add = $signed({2'b0, p2_half}) - 10'sd64;
      SpecialLog2: p2_add = -$signed({5'b0, zeros_q1});
      default: p2_add = '0;
    endcase
  end

  logic valid_q2, sign_q2, near_q2, m_zero_q2, exact_q2, below_q2, under_q2, large_q2;
  special_fn_e fn_q2;
  kind_e kind_q2;
  logic [6:0] integer_q2;
  logic [7:0] e_q2;
  logic signed [7:0] fixed_q2;
  logic [22:0] m_q2;
  logic signed [9:0] add_q2;
  logic signed [17:0] offset_q2;

  always_ff @(posedge clk_i) begin
    valid_q2 <= valid_q1;
    if (valid_q1) begin
      fn_q2 <= fn_q1;
      sign_q2 <= sign_q1;
      near_q2 <= near_q1;
      e_q2 <= e_q1;
      m_q2 <= m_q1;
      m_zero_q2 <= m_zero_q1;
      kind_q2 <= kind_e'(Kinds[{fn_q1, sign_q1, binade_q1}]);
      under_q2 <= sign_q1 && {e_q1, m_q1[22:16]} >= Underflow[fn_q1];
      below_q2 <= p2_below;
      large_q2 <= fn_q1 == SpecialLog2 && !near_q1;
      integer_q2 <= p2_below ? 7'(8'd126 - e_q1 + 8'(m_zero_q1)) : 7'(e_q1 - 8'd127);
      exact_q2 <= p2_exact;
      add_q2 <= p2_add;
      fixed_q2 <= p2_fixed[30:23];
      offset_q2 <= {
        base_q1 ? ~p2_place[21] : ~p2_place[22], p2_place[21] ^ base_q1, p2_place[20:5]
      };
    end
  end

  // p3: what is no value of a row; the logarithm's scale.
  typedef enum logic [2:0] {
    Evaluate,
    Nan,
    Power,  // this exponent, no fraction
    Constant,  // ln 2
    Operand,
    Half
  } how_e;

  how_e p3_how;
  logic p3_step, p3_recip, p3_sqrt, p3_log2, p3_root, p3_gated, p3_negative, p3_zero, p3_inf;
  logic [7:0] p3_power;
  logic [2:0] p3_top;

  assign p3_recip = fn_q2 == SpecialRecip;
  assign p3_sqrt  = fn_q2 == SpecialSqrt;
  assign p3_log2  = fn_q2 == SpecialLog2;
  assign p3_root  = p3_sqrt || fn_q2 == SpecialRsqrt;
  assign p3_gated = fn_q2 == SpecialSilu || fn_q2 == SpecialGelu || fn_q2 == SpecialGeluTanh;
  assign p3_step  = exact_q2 && (p3_recip || fn_q2 == SpecialRsqrt);  // 1.0 is the table's end
  assign p3_zero  = e_q2 == '0;
  assign p3_inf   = e_q2 == '1;

  always_comb begin
    p3_negative = sign_q2 && (p3_recip || p3_gated || fn_q2 == SpecialTanh);
    unique case (kind_q2)
      KindOneHalf: p3_power = 8'd126;
      KindOne: p3_power = 8'd127;
      KindInfinity: p3_power = 8'd255;
      default: p3_power = 8'd0;
    endcase
    unique case (kind_q2)
      KindRows: p3_how = Evaluate;
      KindOperand: p3_how = Operand;
      KindHalf: p3_how = Half;
      KindLn2: p3_how = Constant;
      default: p3_how = Power;
    endcase
    if (under_q2) begin
      p3_how   = Power;
      p3_power = '0;
    end
    if (p3_recip || p3_root || p3_log2) begin
      // Zero: the reciprocals and the logarithm are infinite. Infinity: the reciprocals are zero.
      if (p3_zero || p3_inf) p3_how = Power;
      p3_power = {8{p3_sqrt ? p3_inf : p3_log2 ? p3_inf || p3_zero : p3_zero}};
      if (p3_log2) p3_negative = below_q2;
      if (p3_root) p3_negative = sign_q2;
      if (near_q2 && m_zero_q2) begin  // log2 of 1 and of 1/2
        p3_how   = Power;
        p3_power = e_q2[0] ? 8'd0 : 8'd127;
      end
    end
    if (p3_inf && (!m_zero_q2 || (sign_q2 && p3_gated))) p3_how = Nan;
    if (sign_q2 && !p3_zero && (p3_root || p3_log2)) p3_how = Nan;
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
      else add_q3 <= (fn_q2 == SpecialExp2 ? 10'(fixed_q2) : add_q2) + 10'(p3_step);
      top_q3 <= p3_top;
      integer_q3 <= integer_q2;
      exact_q3 <= exact_q2 || (large_q2 && m_zero_q2);
      large_q3 <= large_q2;
      low_q3 <= p3_recip || fn_q2 == SpecialRsqrt || fn_q2 == SpecialExp2;
      base_q3 <= p3_recip || fn_q2 == SpecialRsqrt || fn_q2 == SpecialExp2 || fn_q2 == SpecialTanh;
      evaluate_q3 <= p3_how == Evaluate;
      unique case (p3_how)
        Evaluate: other_q3 <= {p3_negative, 31'h007F_FFFE};
        Nan: other_q3 <= 32'h7FC0_0000;
        Power: other_q3 <= {p3_negative, p3_power, 23'b0};
        Constant: other_q3 <= 32'h3F31_7218;
        Half: other_q3 <= {sign_q2, e_q2 > 8'd1 ? {e_q2 - 8'd1, m_q2} : 31'b0};
        default: other_q3 <= {sign_q2, e_q2, p3_zero ? 23'b0 : m_q2};
      endcase
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

  // p4: the logarithm's integer part is joined to the fraction, leading one at bit 23.
  logic valid_q4, exact_q4, large_q4, base_q4, low_q4, evaluate_q4;
  logic [23:0] c0_q4;
  logic [31:0] other_q4;
  logic signed [9:0] exp_q4;
  logic signed [17:0] offset_q4;

  always_ff @(posedge clk_i) begin
    valid_q4 <= valid_q3;
    if (valid_q3) begin
      offset_q4 <= offset_q3 >>> (large_q3 ? top_q3 : 3'd0);
      if (large_q3 && exact_q3) offset_q4 <= '0;
      c0_q4 <= large_q3 ? 24'({integer_q3, exact_q3 ? 22'b0 : c0_q3[21:0], 1'b0} >> top_q3) : c0_q3;
      exp_q4 <= $signed({2'b0, exp_q3}) + add_q3;
      exact_q4 <= exact_q3;
      large_q4 <= large_q3;
      base_q4 <= base_q3;
      low_q4 <= low_q3;
      evaluate_q4 <= evaluate_q3;
      other_q4 <= other_q3;
    end
  end

  // p5: the product; for each place the significand may have its leading one in, exponent and source of the fraction.
  typedef enum logic [2:0] {
    Shift0,
    Shift1,
    Shift2,
    Zero,
    Other
  } source_e;

  logic p5_exact;
  logic [2:0][9:0] p5_exp;
  logic valid_q5;
  logic [2:0][7:0] exp_q5;
  source_e [2:0] source_q5;
  logic [23:0] c0_q5;
  logic signed [39:0] p5_product;
  logic signed [24:0] rise_q5;
  logic [22:0] other_q5;
  logic sign_q5;

  assign p5_product = offset_q4 * slope_q4;
  assign p5_exact   = exact_q4 && !large_q4;
  assign p5_exp[0]  = low_q4 || p5_exact ? exp_q4 : exp_q4 - 10'sd1;
  assign p5_exp[1]  = exp_q4;
  assign p5_exp[2]  = base_q4 || p5_exact ? exp_q4 : exp_q4 + 10'sd1;

  always_ff @(posedge clk_i) begin
    valid_q5 <= valid_q4;
    if (valid_q4) begin
      rise_q5 <= 25'(p5_product >>> 15);
      c0_q5 <= c0_q4;
      {sign_q5, other_q5} <= {other_q4[31], other_q4[22:0]};
      for (int unsigned i = 0; i < 3; i++) begin
        automatic logic tiny = $signed(p5_exp[i]) <= 10'sd0;
        automatic logic huge = $signed(p5_exp[i]) >= 10'sd255;
        exp_q5[i] <= !evaluate_q4 ? other_q4[30:23] : tiny ? 8'd0 : huge ? 8'd255 : p5_exp[i][7:0];
        if (!evaluate_q4) source_q5[i] <= Other;
        else if (tiny || huge || p5_exact || (i == 0 && low_q4)) source_q5[i] <= Zero;
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

  always_ff @(posedge clk_i) begin
    if (valid_q5) begin
      y_o[31]    <= sign_q5;
      y_o[30:23] <= exp_q5[p6_place];
      unique case (source_q5[p6_place])
        Shift0:  y_o[22:0] <= p6_y[22:0];
        Shift1:  y_o[22:0] <= {p6_y[21:0], 1'b0};
        Shift2:  y_o[22:0] <= {p6_y[20:0], 2'b00};
        Other:   y_o[22:0] <= other_q5;
        default: y_o[22:0] <= '0;
      endcase
    end
  end
endmodule
