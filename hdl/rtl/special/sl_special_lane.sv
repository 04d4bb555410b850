// One lane of the special functions: decode, address, quadratic, pack.
//
// Timing     fn_i, x_i in p1 (valid_i), y_o from p7: six register stages for every function, one per cycle, in any mix.
//            addr_o in p2, its row in row_i in p4.
// Numbers    isa special::apply, bit for bit.
// Contract   valid_i only saves work: a stage that has nothing to do holds its registers. No reset.
//
// p1 classify, look up the binade | p2 row and offset | p3 memory | p4 inner product | p5 outer product | p6 normalise and pack

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
  // What a result is when it does not come from a row.
  typedef enum logic [2:0] {
    Evaluate,
    Nan,
    Power,  // this exponent, no fraction
    Operand,
    Half
  } how_e;

  // p1
  logic is_exp2, is_log2, is_root, is_gated, is_base;
  logic sign, e_zero, e_max, m_zero, near, below;
  logic [ 7:0] e;
  logic [22:0] m;

  assign {sign, e, m} = x_i;
  assign is_exp2 = fn_i == SpecialExp2;
  assign is_log2 = fn_i == SpecialLog2;
  assign is_root = fn_i == SpecialRsqrt || fn_i == SpecialSqrt;
  assign is_gated = fn_i == SpecialSilu || fn_i == SpecialGelu || fn_i == SpecialGeluTanh;
  assign is_base = fn_i == SpecialRecip || fn_i == SpecialRsqrt || is_exp2 || fn_i == SpecialTanh;
  assign e_zero = e == '0;
  assign e_max = e == '1;
  assign m_zero = m == '0;
  assign below = e < 8'd127;
  assign near = is_log2 && (e == 8'd126 || e == 8'd127);

  logic [4:0] binade;
  entry_t entry;

  always_comb begin
    if (e < 8'(FirstExponent)) binade = '0;
    else if (e >= 8'(FirstExponent + Binades - 1)) binade = '1;
    else binade = 5'(e - 8'(FirstExponent));
  end
  assign entry = entry_t'(Map[{fn_i, sign, binade}]);

  how_e how;
  logic negative;
  logic [7:0] power;

  always_comb begin
    negative = sign && (fn_i == SpecialRecip || fn_i == SpecialTanh || is_gated);
    power = entry.first[7:0];
    unique case (entry.kind)
      KindFixed: how = Power;
      KindPass:  how = Operand;
      KindHalf:  how = Half;
      default:   how = Evaluate;
    endcase
    if (sign && x_i[30:16] >= Underflow[fn_i]) begin
      how   = Power;
      power = '0;
    end
    if (is_root || is_log2 || fn_i == SpecialRecip) begin
      if (e_zero || e_max) how = Power;
      // Zero: the reciprocals and the logarithm are infinite. Infinity: the reciprocals are zero.
      power = {8{(fn_i == SpecialSqrt || is_log2) ? e_max || (is_log2 && e_zero) : e_zero}};
      if (e_zero && is_root) negative = sign;
      if (is_log2) negative = below;
      if (near && m_zero) begin  // log2 of 1 and of 1/2
        how   = Power;
        power = e[0] ? 8'd0 : 8'd127;
      end
    end
    if ((e_max && !m_zero) || (sign && !e_zero && (is_root || is_log2)) || (sign && e_max && is_gated)) begin
      how = Nan;
    end
  end

  // Distance of the logarithm's operand from 1 and its leading zeros; below 1 but for one unit of the last place.
  logic [22:0] distance;
  logic [ 4:0] zeros;

  assign distance = e[0] ? m : ~m;
  always_comb begin
    zeros = 5'd23;
    for (int unsigned i = 0; i < 23; i++) if (distance[i]) zeros = 5'(22 - i);
  end

  // Fixed point for exp2, 23 fraction bits; |x| < 128.
  logic [29:0] fixed;

  assign fixed = {1'b1, m, 6'b0} >> 5'(5'd5 - e[4:0]);  // 133 - e

  logic valid_q1, sign_q1, negative_q1, below_q1, near_q1, m_zero_q1, odd_q1;
  logic exp2_q1, log2_q1, base_q1;
  special_fn_e fn_q1;
  how_e how_q1;
  logic [3:0] k_q1;
  logic [4:0] zeros_q1;
  logic [6:0] integer_q1;
  logic [7:0] e_q1, power_q1;
  logic [10:0] first_q1;
  logic [22:0] m_q1;
  logic [25:0] source_q1;

  always_ff @(posedge clk_i) begin
    valid_q1 <= valid_i;
    if (valid_i) begin
      fn_q1 <= fn_i;
      exp2_q1 <= is_exp2;
      log2_q1 <= is_log2;
      base_q1 <= is_base;
      sign_q1 <= sign;
      negative_q1 <= negative;
      below_q1 <= below;
      near_q1 <= near;
      m_zero_q1 <= m_zero;
      odd_q1 <= is_root && !e[0];
      how_q1 <= how;
      power_q1 <= power;
      k_q1 <= entry.log2_rows;
      first_q1 <= entry.first;
      zeros_q1 <= zeros;
      integer_q1 <= fixed[29:23];
      e_q1 <= e;
      m_q1 <= m;
      source_q1 <= near ? {distance, 3'b0} : {3'b0, is_exp2 ? fixed[22:0] : m};
    end
  end

  // p2: the leading bits of the fraction choose the row, the rest is the offset. `shifted` has those bits shifted out but for one when
  // the offset is a bit narrower.
  logic p2_source_zero;
  logic [30:0] p2_fixed;
  logic [22:0] p2_exp2_fraction;
  logic [24:0] p2_shifted;
  logic [22:5] p2_place;
  logic [7:0] p2_index;
  logic [10:0] p2_near;
  logic signed [17:0] p2_offset;

  assign p2_source_zero = source_q1 == '0;
  assign p2_fixed = ({1'b0, integer_q1, source_q1[22:0]} ^ {31{sign_q1}}) + 31'(sign_q1);
  assign p2_exp2_fraction = p2_fixed[22:0];
  assign p2_shifted = 25'(source_q1 << (near_q1 ? zeros_q1 : 5'(k_q1) - 5'(base_q1)));
  assign p2_place = exp2_q1 ? p2_exp2_fraction[17:0] : p2_shifted[22:5];
  assign p2_offset = {
    base_q1 ? ~p2_place[21] : ~p2_place[22], p2_place[21] ^ base_q1, p2_place[20:5]
  };
  assign p2_near = {5'b0, zeros_q1[4] ? 4'hF : zeros_q1[3:0], p2_shifted[24:23]};
  always_comb begin
    p2_index = source_q1[22:15] >> 4'(4'd8 - k_q1);
    if (exp2_q1) p2_index = {2'b0, p2_exp2_fraction[22:17]};
    addr_o = first_q1 | {5'b0, odd_q1, 5'b0} | (near_q1 ? p2_near : {3'b0, p2_index});
  end

  // What the operand adds to the row's exponent, and the logarithm's integer part.
  logic p2_exact, p2_large;
  logic [6:0] p2_integer;
  logic [7:0] p2_half;
  logic signed [9:0] p2_add;

  assign p2_half = 8'((9'(e_q1) + 9'd1) >> 1);  // (e - 127) / 2 rounded down, and 64
  assign p2_large = log2_q1 && !near_q1;
  assign p2_integer = below_q1 ? 7'(8'd126 - e_q1 + 8'(m_zero_q1)) : 7'(e_q1 - 8'd127);

  always_comb begin
    p2_exact = 1'b0;
    p2_add   = '0;
    unique case (fn_q1)
      SpecialRecip: begin
        p2_exact = p2_source_zero;
        p2_add   = -$signed({2'b0, e_q1});
      end
      SpecialRsqrt: begin
        p2_exact = p2_source_zero && !odd_q1;
        p2_add   = 10'sd64 - $signed({2'b0, p2_half});
      end
      SpecialSqrt: begin
        p2_exact = p2_source_zero && !odd_q1;
        p2_add   = $signed({2'b0, p2_half}) - 10'sd64;
      end
      SpecialExp2: begin
        p2_exact = p2_source_zero;
        p2_add   = 10'(signed'(p2_fixed[30:23]));
      end
      SpecialLog2: begin
        p2_exact = m_zero_q1;
        p2_add   = -$signed({5'b0, zeros_q1});
      end
      default: ;
    endcase
  end

  logic valid_q2, exact_q2, large_q2, base_q2, round_up_q2, low_q2, evaluate_q2, negative_q2;
  logic [6:0] integer_q2;
  logic [31:0] other_q2;
  logic signed [9:0] add_q2;
  logic signed [17:0] offset_q2;

  always_ff @(posedge clk_i) begin
    valid_q2 <= valid_q1;
    if (valid_q1) begin
      offset_q2 <= p2_offset;
      add_q2 <= p2_add;
      exact_q2 <= p2_exact;
      round_up_q2 <= p2_exact && (fn_q1 == SpecialRecip || fn_q1 == SpecialRsqrt);
      large_q2 <= p2_large;
      integer_q2 <= p2_integer;
      base_q2 <= base_q1;
      low_q2 <= base_q1 && fn_q1 != SpecialTanh;
      negative_q2 <= negative_q1;
      evaluate_q2 <= how_q1 == Evaluate;
      unique case (how_q1)
        Nan: other_q2 <= 32'h7FC0_0000;
        Power: other_q2 <= {negative_q1, power_q1, 23'b0};
        Half: other_q2 <= {sign_q1, e_q1 > 8'd1 ? {e_q1 - 8'd1, m_q1} : 31'b0};
        default: other_q2 <= {sign_q1, e_q1, e_q1 != '0 ? m_q1 : 23'b0};
      endcase
    end
  end

  // p3
  logic valid_q3, exact_q3, large_q3, base_q3, low_q3, evaluate_q3, negative_q3;
  logic [2:0] p3_top, left_q3;
  logic [6:0] integer_q3;
  logic [31:0] other_q3;
  logic signed [9:0] add_q3;
  logic signed [17:0] offset_q3;

  always_comb begin
    p3_top = '0;
    for (int unsigned i = 0; i < 7; i++) if (integer_q2[i]) p3_top = 3'(i);
  end

  always_ff @(posedge clk_i) begin
    valid_q3 <= valid_q2;
    if (valid_q2) begin
      offset_q3 <= offset_q2;
      add_q3 <= large_q2 ? $signed({7'b0, p3_top}) : add_q2 + 10'(round_up_q2);
      left_q3 <= 3'd6 - p3_top;
      exact_q3 <= exact_q2;
      large_q3 <= large_q2;
      integer_q3 <= integer_q2;
      base_q3 <= base_q2;
      low_q3 <= low_q2;
      evaluate_q3 <= evaluate_q2;
      negative_q3 <= negative_q2;
      other_q3 <= other_q2;
    end
  end

  // p4: the slope at the offset, 22 bits for every row and offset.
  logic valid_q4, exact_q4, large_q4, base_q4, low_q4, evaluate_q4, negative_q4;
  logic [ 2:0] left_q4;
  logic [ 6:0] integer_q4;
  logic [23:0] c0_q4;
  logic [31:0] other_q4;
  logic signed [9:0] exp_q4, offset_high;
  logic signed [17:0] offset_q4;
  logic signed [27:0] bend;
  logic signed [21:0] slope_q4;

  assign offset_high = offset_q3[17:8];
  assign bend = offset_high * row_i.c2;

  always_ff @(posedge clk_i) begin
    valid_q4 <= valid_q3;
    if (valid_q3) begin
      slope_q4 <= 22'(($signed({row_i.c1, 8'b0}) + 30'(bend)) >>> 8);
      offset_q4 <= offset_q3;
      c0_q4 <= row_i.c0;
      exp_q4 <= $signed({2'b0, row_i.exp}) + add_q3;
      left_q4 <= left_q3;
      exact_q4 <= exact_q3;
      large_q4 <= large_q3;
      integer_q4 <= integer_q3;
      base_q4 <= base_q3;
      low_q4 <= low_q3;
      evaluate_q4 <= evaluate_q3;
      negative_q4 <= negative_q3;
      other_q4 <= other_q3;
    end
  end

  // p5: the significand, and the exponent for each place it may have its leading one in.
  logic up_q5, down_q5, base_q5, low_q5, exact_q5, large_q5, evaluate_q5, negative_q5, valid_q5;
  logic [2:0] left_q5, zero_q5, inf_q5;
  logic [6:0] integer_q5;
  logic [2:0][7:0] exp_q5;
  logic [31:0] other_q5;
  logic signed [39:0] rise;
  logic [23:0] y_q5;

  assign rise = offset_q4 * slope_q4;

  always_ff @(posedge clk_i) begin
    valid_q5 <= valid_q4;
    if (valid_q4) begin
      y_q5 <= 24'(($signed({1'b0, c0_q4, 15'b0}) + rise) >>> 15);
      for (int i = 0; i < 3; i++) begin
        exp_q5[i]  <= 8'(exp_q4 + 10'(i - 1));
        zero_q5[i] <= exp_q4 <= 10'(1 - i);
        inf_q5[i]  <= exp_q4 >= 10'(256 - i);
      end
      up_q5 <= !base_q4 && !exact_q4 && !large_q4;
      down_q5 <= !low_q4 && !exact_q4 && !large_q4;
      base_q5 <= base_q4;
      low_q5 <= low_q4;
      exact_q5 <= exact_q4;
      large_q5 <= large_q4;
      left_q5 <= left_q4;
      integer_q5 <= integer_q4;
      evaluate_q5 <= evaluate_q4;
      negative_q5 <= negative_q4;
      other_q5 <= other_q4;
    end
  end

  // p6
  logic [ 1:0] p6_place;
  logic [22:0] p6_fraction;
  logic [22:0] p6_joined;

  // The leading one falls off at bit 28.
  assign p6_joined = 23'(({integer_q5, y_q5[21:0] & {22{!exact_q5}}} << left_q5) >> 5);

  always_comb begin
    p6_place = 2'd1;
    if (up_q5 && y_q5[23]) p6_place = 2'd2;
    if (down_q5 && y_q5[23:22] == '0) p6_place = 2'd0;
    if (y_q5[23]) p6_fraction = base_q5 ? 23'h7F_FFFE : y_q5[22:0];
    else if (y_q5[22]) p6_fraction = {y_q5[21:0], 1'b0};
    else p6_fraction = low_q5 ? '0 : {y_q5[20:0], 2'b00};
    if (exact_q5) p6_fraction = '0;
    if (large_q5) p6_fraction = p6_joined;
  end

  always_ff @(posedge clk_i) begin
    if (valid_q5) begin
      if (!evaluate_q5) y_o <= other_q5;
      else if (zero_q5[p6_place]) y_o <= {negative_q5, 31'b0};
      else if (inf_q5[p6_place]) y_o <= {negative_q5, 8'hFF, 23'b0};
      else y_o <= {negative_q5, exp_q5[p6_place], p6_fraction};
    end
  end
endmodule
