// One lane of the special functions: decode, address, quadratic, pack.
//
// Timing     x_i in p1, y_o from p7: six register stages for every function, one per cycle, in any mix.
//            p1_line_i in p1, p2_fn_i of the same operation in p2; addr_o in p2, its row in row_i in p3.
// Numbers    isa special::apply, bit for bit.
// Contract   valid_i[s] belongs to ps and only saves work: a stage that has nothing to do holds its registers, its other outputs mean
//            nothing then. No reset.
//
// p1 classify, shift | p2 row and offset | p3 memory, partial products | p4 slope | p5 product | p6 add, normalise, pack

module sl_special_lane
  import sl_special_pkg::*;
(
    input logic       clk_i,
    input logic [6:1] valid_i,

    input line_t   p1_line_i,
    input select_t p2_fn_i,

    input logic [31:0] x_i,

    output logic [10:0] addr_o,
    input  row_t        row_i,


    output logic [31:0] y_o
);
  // p1
  logic sign_q1, near_q1, below_q1, m_zero_q1;
  logic [7:0] bits_q1;
  logic [4:0] binade_q1, zeros_q1, amount_q1;
  logic [ 7:0] e_q1;
  logic [10:0] first_q1;
  logic [22:0] m_q1;
  logic [25:0] source_q1;
  logic [29:0] fixed_q1;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic [7:0] e = x_i[30:23];
      automatic logic [22:0] m = x_i[22:0];
      automatic logic near = p1_line_i.log2 && (e == 8'd126 || e == 8'd127);
      automatic logic tiny = p1_line_i.has_small && e < 8'(SmallExponent);

      // Distance of the logarithm's operand from 1 and its leading zeros; below 1 but for one unit of the last place. Two halves of three
      // groups of four, a zero below the last bit.
      automatic logic [22:0] distance = e[0] ? m : ~m;
      automatic logic [23:0] groups = {distance, 1'b0};
      automatic logic [1:0][3:0] half;  // zeros
      automatic logic [4:0] zeros;

      // Look-up by sign and binade.
      automatic entry_t line = p1_line_i.lines[{x_i[31], e[3:0]}];


      // Fixed point for exp2, 23 fraction bits; |x| < 128.
      automatic logic [4:0] down = '0;
      for (int unsigned i = 0; i < 32; i++) if (e[4:0] == 5'(i)) down = 5'(133 - i);

      for (int unsigned h = 0; h < 2; h++) begin
        for (int unsigned i = 0; i < 3; i++) begin
          automatic logic [3:0] group = groups[12*h+4*i+:4];
          automatic logic [1:0] place = group[3] ? 2'd0 : group[2] ? 2'd1 : group[1] ? 2'd2 : 2'd3;
          if (i == 0 || group != '0) half[h] = {2'(2 - i), place};
        end
      end
      // 12 zeros in the upper half: three groups more.
      zeros = {1'b0, half[1]};
      if (groups[23:12] == '0) begin
        zeros = {half[0][3:2] != '0, half[0][3:2] == '0, !half[0][2], half[0][1:0]};
      end

      sign_q1   <= x_i[31];
      near_q1   <= near;
      m_zero_q1 <= m == '0;
      // Place in a line of the map: the low bits of the exponent, held at both ends of the window.
      binade_q1 <= e[4:0];
      if (e < 8'(FirstExponent)) binade_q1 <= 5'(FirstExponent);
      if (e >= 8'(FirstExponent + Binades)) binade_q1 <= 5'(FirstExponent + Binades - 1);
      first_q1 <= tiny ? p1_line_i.small_row[x_i[31]] | {8'b0, e[2:0]} : line.first;
      below_q1 <= e < 8'd127;
      bits_q1 <= line.bits & {8{!tiny}} | {3'b0, p1_line_i.log2 && !near, 4'b0};
      amount_q1 <= (zeros & {5{near}}) | {1'b0, line.places & {4{!near && !tiny}}};
      zeros_q1 <= zeros;
      e_q1 <= e;
      m_q1 <= m;
      fixed_q1 <= {1'b1, m, 6'b0} >> down;
      source_q1 <= near ? {distance, 3'b0} : {3'b0, m};
    end
  end

  // p2: the leading bits of the fraction choose the row, the rest is the offset. `shifted` has those bits shifted out but for one when
  // the offset is a bit narrower.
  logic p2_odd;
  logic [30:0] p2_fixed;
  logic [24:5] p2_shifted;
  (* keep *) logic [10:0] p2_addr;  // of all but exp2, whose bits come late out of a carry chain

  always_comb begin
    p2_odd = 'x;
    p2_fixed = 'x;
    p2_shifted = 'x;
    p2_addr = 'x;
    addr_o = 'x;
    if (valid_i[2]) begin
      automatic logic [10:0] near;
      automatic logic [ 7:0] index = '0;
      p2_odd = p2_fn_i.root && !e_q1[0];
      p2_fixed = ({1'b0, fixed_q1} ^ {31{sign_q1}}) + 31'(sign_q1);
      p2_shifted = 20'((source_q1 << amount_q1) >> 5);
      near = {5'b0, zeros_q1[4] ? 4'hF : zeros_q1[3:0], p2_shifted[24:23]};
      for (int unsigned i = 0; i < 8; i++) begin
        index |= 8'(source_q1[22:15] >> (7 - i)) & {8{bits_q1[i]}};
      end
      p2_addr = first_q1 | {5'b0, p2_odd, 5'b0} | {3'b0, index} | (near & {11{near_q1}}) |
          (LogRow[{near_q1, below_q1}] & {11{p2_fn_i.is[SpecialLog2]}});
      addr_o = p2_addr | {5'b0, p2_fixed[22:17] & {6{p2_fn_i.is[SpecialExp2]}}};
    end
  end

  // Results the tables know nothing of: zero and infinity (the reciprocals and the logarithm of zero are infinite, the reciprocals of
  // infinity zero), the logarithms of 1 and 1/2, NaN.
  typedef enum logic [1:0] {
    Powers,  // what the map says
    AllZeros,
    AllOnes,
    OneExponent
  } domain_e;

  logic sign_q2, m_zero_q2, exact_q2, under_q2, large_q2, log2_q2, nan_q2, zero_q2;
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
    if (valid_i[2]) begin
      automatic logic recip = p2_fn_i.is[SpecialRecip];
      automatic logic sqrt = p2_fn_i.is[SpecialSqrt];
      automatic logic log2 = p2_fn_i.is[SpecialLog2];
      automatic logic zero = e_q1 == '0;
      automatic logic infinite = e_q1 == '1;

      automatic
      logic [7:0]
      half = 8'((9'(e_q1) + 9'd1) >> 1);  // (e - 127) / 2 rounded down, and 64
      automatic logic [22:5] place = p2_fn_i.is[SpecialExp2] ? p2_fixed[17:0] : p2_shifted[22:5];
      automatic logic exact = m_zero_q1 && (recip || (p2_fn_i.root && !p2_odd));
      automatic logic [2:0] kind = '0;

      if (p2_fn_i.is[SpecialExp2]) exact = fixed_q1[22:0] == '0;
      for (int unsigned i = 0; i < Functions; i++) begin
        kind |= Kinds[{4'(i), sign_q1, binade_q1}] & {3{p2_fn_i.is[i]}};
      end

      // What the operand adds to the row's exponent.
      add_q2 <= '0;
      if (recip) add_q2 <= -$signed({2'b0, e_q1});
      if (p2_fn_i.is[SpecialRsqrt]) add_q2 <= 10'sd64 - $signed({2'b0, half});
      if (sqrt) add_q2 <= $signed({2'b0, half}) - 10'sd64;
      if (log2) add_q2 <= -$signed({5'b0, zeros_q1});

      domain_q2 <= Powers;
      if (recip || p2_fn_i.root || log2) begin
        if (zero) domain_q2 <= sqrt ? AllZeros : AllOnes;
        if (infinite) domain_q2 <= log2 || sqrt ? AllOnes : AllZeros;
      end
      if (near_q1 && m_zero_q1) domain_q2 <= e_q1[0] ? AllZeros : OneExponent;

      sign_q2 <= sign_q1;
      e_q2 <= e_q1;
      m_q2 <= m_q1;
      m_zero_q2 <= m_zero_q1;
      zero_q2 <= zero;
      kind_q2 <= kind_e'(kind);
      under_q2 <= sign_q1 && {e_q1, m_q1[22:16]} >= p2_fn_i.limit;
      nan_q2 <= (infinite && (!m_zero_q1 || (sign_q1 && p2_fn_i.gated))) ||
          (sign_q1 && !zero && (p2_fn_i.root || log2));
      negative_q2 <= log2 ? below_q1 :
          sign_q1 && (recip || p2_fn_i.root || p2_fn_i.gated || p2_fn_i.is[SpecialTanh]);
      exp2_q2 <= p2_fn_i.is[SpecialExp2];
      log2_q2 <= log2;
      base_q2 <= p2_fn_i.base;
      low_q2 <= p2_fn_i.base && !p2_fn_i.is[SpecialTanh];
      large_q2 <= log2 && !near_q1;
      integer_q2 <= below_q1 ? 7'(8'd126 - e_q1 + 8'(m_zero_q1)) : 7'(e_q1 - 8'd127);
      exact_q2 <= exact;
      step_q2 <= exact && (recip || p2_fn_i.is[SpecialRsqrt]);  // 1.0 is the table's end
      fixed_q2 <= p2_fixed[30:23];
      offset_q2 <= {p2_fn_i.base ? ~place[21] : ~place[22], place[21] ^ p2_fn_i.base, place[20:5]};
    end
  end

  // p3: what is no value of a row; the logarithm's scale.
  logic exact_q3, large_q3, base_q3, low_q3, evaluate_q3;
  logic [2:0] top_q3;
  logic [6:0] integer_q3;
  logic [7:0] exp_q3;
  logic [23:0] c0_q3;
  logic [31:0] other_q3;
  logic signed [9:0] add_q3;
  logic signed [17:0] offset_q3;

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      automatic logic [ 7:0] power;
      automatic logic [31:0] other;
      automatic logic [ 2:0] top = '0;

      case (kind_q2)
        KindOneHalf: power = 8'd126;
        KindOne: power = 8'd127;
        KindInfinity: power = 8'd255;
        default: power = 8'd0;
      endcase
      if (under_q2) power = '0;
      case (domain_q2)
        AllZeros: power = '0;
        AllOnes: power = '1;
        OneExponent: power = 8'd127;
        default: ;
      endcase
      other = {negative_q2, power, 23'b0};
      if (domain_q2 == Powers && !under_q2) begin
        case (kind_q2)
          KindRows: other[22:0] = 23'h7F_FFFE;  // where the fraction is held below 2
          KindOperand: other = {sign_q2, e_q2, zero_q2 ? 23'b0 : m_q2};
          KindHalf: other = {sign_q2, e_q2[7:1] != '0 ? {e_q2 - 8'd1, m_q2} : 31'b0};
          KindLn2: other = 32'h3F31_7218;
          default: ;
        endcase
      end
      if (nan_q2) other = 32'h7FC0_0000;
      for (int unsigned i = 0; i < 7; i++) if (integer_q2[i]) top = 3'(i);

      c0_q3 <= row_i.c0;
      exp_q3 <= row_i.exp;
      offset_q3 <= offset_q2;
      if (large_q2) add_q3 <= $signed({7'b0, top}) - 10'sd1;
      else add_q3 <= (exp2_q2 ? 10'(fixed_q2) : add_q2) + 10'(step_q2);
      top_q3 <= top;
      integer_q3 <= integer_q2;
      exact_q3 <= exact_q2 || (log2_q2 && m_zero_q2);
      large_q3 <= large_q2;
      low_q3 <= low_q2;
      base_q3 <= base_q2;
      evaluate_q3 <= kind_q2 == KindRows && domain_q2 == Powers && !under_q2 && !nan_q2;
      other_q3 <= other;
    end
  end

  // The logarithm's offset has 17 bits in the slope and is scaled in the product.
  logic signed [21:0] slope_q4;

  sl_special_slope u_slope (
      .clk_i,
      .valid_i (valid_i[4:3]),
      .offset_i(large_q2 ? {offset_q2[17], offset_q2[17:9]} : offset_q2[17:8]),
      .c1_i    (row_i.c1),
      .c2_i    (row_i.c2),
      .slope_o (slope_q4)
  );

  // p4: the logarithm's integer part is joined to the fraction, leading one at bit 23. The exponent for each place the significand may
  // have its leading one in.
  logic exact_q4, base_q4, low_q4, evaluate_q4;
  logic [23:0] c0_q4;
  logic [31:0] other_q4;
  logic signed [2:0][9:0] exp_q4;
  logic signed [17:0] offset_q4;

  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      automatic logic exact = exact_q3 && !large_q3;
      automatic logic signed [9:0] exp = $signed({2'b0, exp_q3}) + add_q3;
      offset_q4 <= offset_q3 >>> (large_q3 ? top_q3 : 3'd0);
      c0_q4 <= c0_q3;
      if (large_q3) begin
        if (exact_q3) offset_q4 <= '0;
        c0_q4 <= 24'({integer_q3, exact_q3 ? 22'b0 : c0_q3[21:0], 1'b0} >> top_q3);
      end
      exp_q4[0] <= low_q3 || exact ? exp : exp - 10'sd1;
      exp_q4[1] <= exp;
      exp_q4[2] <= base_q3 || exact ? exp : exp + 10'sd1;
      exact_q4 <= exact;
      base_q4 <= base_q3;
      low_q4 <= low_q3;
      evaluate_q4 <= evaluate_q3;
      other_q4 <= other_q3;
    end
  end

  // p5: the product; the fraction for each place is that of the sum, or `other`, or zero.
  logic sign_q5;
  logic [2:0][7:0] exp_q5;
  logic [2:0] sum_q5, hold_q5;
  logic [23:0] c0_q5;
  logic signed [24:0] rise_q5;
  logic [22:0] other_q5;

  always_ff @(posedge clk_i) begin
    if (valid_i[5]) begin
      automatic logic signed [39:0] product = offset_q4 * slope_q4;
      rise_q5 <= 25'(product >>> 15);
      c0_q5 <= c0_q4;
      {sign_q5, other_q5} <= {other_q4[31], other_q4[22:0]};
      for (int unsigned i = 0; i < 3; i++) begin
        automatic logic tiny = exp_q4[i][9] || exp_q4[i][8:0] == '0;
        automatic logic huge = !exp_q4[i][9] && (exp_q4[i][8] || exp_q4[i][7:0] == '1);
        automatic logic zero = tiny || huge || exact_q4 || (i == 0 && low_q4);
        automatic logic base = i == 2 && base_q4;
        exp_q5[i]  <= !evaluate_q4 ? other_q4[30:23] : exp_q4[i][7:0] & {8{!tiny}} | {8{huge}};
        sum_q5[i]  <= evaluate_q4 && !zero && !base;
        hold_q5[i] <= !evaluate_q4 || (!zero && base);
      end
    end
  end

  // p6: one fraction for each place; the place itself comes last out of the carry chain.
  always_ff @(posedge clk_i) begin
    if (valid_i[6]) begin
      automatic logic [23:0] y = 24'(25'(c0_q5) + rise_q5);
      automatic logic [2:0][22:0] fraction;
      for (int unsigned i = 0; i < 3; i++) begin
        fraction[i] = (23'(y << (2 - i)) & {23{sum_q5[i]}}) | (other_q5 & {23{hold_q5[i]}});
      end
      y_o[31] <= sign_q5;
      y_o[30:0] <= y[23] ? {exp_q5[2], fraction[2]} :
          y[22] ? {exp_q5[1], fraction[1]} : {exp_q5[0], fraction[0]};
    end
  end
endmodule
