// fp32 adder, one lane.
//
// Timing     a_i, b_i in p1, sum_o from p7: six register stages, one addition per cycle.
// Bypass     bypass_i in p6 (bypass_valid_i) takes the place of the sum, so that a lane's other results share the last stage.
// Numbers    isa float::add: operands DAZ, round to nearest even, tiny results to signed zero, overflow to infinity, NaN 0x7FC00000.
// Contract   valid_i[s] belongs to ps and only saves work: a stage that has nothing to do holds its registers. No reset.
//
// p1 compare and swap | p2 align | p3 add | p4 count leading zeros | p5 normalise | p6 round and pack

module sl_fp_add (
    input logic clk_i,

    input logic [ 6:1] valid_i,
    input logic [31:0] a_i,
    input logic [31:0] b_i,

    input logic        bypass_valid_i,
    input logic [31:0] bypass_i,

    output logic [31:0] sum_o
);
  typedef enum logic [1:0] {
    Normal,
    Nan,
    Inf,
    Zero
  } kind_e;

  // p1: the operand of larger magnitude becomes `big`. A NaN or an infinity is always `big`. A zero exponent field reads as zero
  // (DAZ), whatever the fraction says.
  logic far_q1, small_on_q1;
  logic [31:0] big_q1, small_q1;
  logic [4:0] distance_q1;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic swap = a_i[30:0] < b_i[30:0];
      automatic logic a_on = a_i[30:23] != '0;
      automatic logic b_on = b_i[30:23] != '0;
      automatic logic [7:0] a_above = a_i[30:23] - b_i[30:23];
      automatic logic [7:0] b_above = b_i[30:23] - a_i[30:23];
      big_q1 <= swap ? b_i : a_i;
      small_q1[31:23] <= swap ? a_i[31:23] : b_i[31:23];
      small_q1[22:0] <= swap ? a_i[22:0] & {23{a_on}} : b_i[22:0] & {23{b_on}};
      small_on_q1 <= swap ? a_on : b_on;
      distance_q1 <= swap ? b_above[4:0] : a_above[4:0];
      far_q1 <= swap ? b_above[7:5] != '0 : a_above[7:5] != '0;
    end
  end

  // p2: significand of `small` with guard and round bits, shifted to the exponent of `big`. Bit i is lost when it falls below the
  // round bit; what is lost is sticky, gathered in four groups here and in one bit in p3. What is far away is lost as a whole.
  logic sign_q2, subtract_q2;
  kind_e kind_q2;
  logic [7:0] exp_q2;
  logic [22:0] big_frac_q2;
  logic [25:0] small_sig_q2;
  logic [3:0] sticky_q2;

  always_ff @(posedge clk_i) begin
    if (valid_i[2]) begin
      automatic logic big_max = big_q1[30:23] == 8'hFF;
      automatic logic big_on = big_q1[30:23] != '0;
      automatic logic [23:0] lost;
      for (int unsigned i = 0; i < 24; i++) begin
        lost[i] = (i == 23 ? small_on_q1 : small_q1[i]) && (far_q1 || 32'(distance_q1) > i + 2);
      end
      sign_q2 <= big_on ? big_q1[31] : big_q1[31] && small_q1[31];
      subtract_q2 <= big_q1[31] != small_q1[31];
      exp_q2 <= big_q1[30:23];
      big_frac_q2 <= big_q1[22:0];
      small_sig_q2 <= far_q1 ? '0 : {small_on_q1, small_q1[22:0], 2'b00} >> distance_q1;
      for (int unsigned i = 0; i < 4; i++) sticky_q2[i] <= lost[6*i+:6] != '0;
      if (big_max) begin
        kind_q2 <= (big_q1[22:0] != '0) ||
            ((small_q1[30:23] == 8'hFF) && (big_q1[31] != small_q1[31])) ? Nan : Inf;
      end else begin
        kind_q2 <= big_on ? Normal : Zero;
      end
    end
  end

  // p3: never negative, because |small| <= |big|.
  logic sign_q3;
  kind_e kind_q3;
  logic [7:0] exp_q3;
  logic [27:0] sum_q3;

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      sign_q3 <= sign_q2;
      kind_q3 <= kind_q2;
      exp_q3 <= exp_q2;
      sum_q3 <= {2'b01, big_frac_q2, 3'b000} +
          ({1'b0, small_sig_q2, sticky_q2 != '0} ^ {28{subtract_q2}}) + 28'(subtract_q2);
    end
  end

  // p4: all nibbles at once, then two halves of four; which half it is, is only selected in p5.
  logic sign_q4, low_q4;
  kind_e kind_q4;
  logic [7:0] exp_q4;
  logic [27:0] sum_q4;
  logic [1:0][3:0] zeros_q4;

  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      automatic logic [31:0] padded = {sum_q3, 4'hF};
      for (int unsigned h = 0; h < 2; h++) begin
        for (int unsigned i = 0; i < 4; i++) begin
          automatic logic [3:0] nibble = padded[16*h+4*i+:4];
          automatic
          logic [1:0]
          zeros = nibble[3] ? 2'd0 : nibble[2] ? 2'd1 : nibble[1] ? 2'd2 : 2'd3;
          if (i == 0 || nibble != '0) zeros_q4[h] <= {2'(3 - i), zeros};
        end
      end
      sign_q4 <= sign_q3;
      kind_q4 <= kind_q3;
      exp_q4  <= exp_q3;
      sum_q4  <= sum_q3;
      low_q4  <= sum_q3[27:12] == '0;
    end
  end

  // p5: the leading one to bit 27.
  logic sign_q5;
  kind_e kind_q5;
  logic negative_q5;  // exponent
  logic [7:0] exp_q5;
  logic [26:0] frac_q5;

  always_ff @(posedge clk_i) begin
    if (valid_i[5]) begin
      automatic logic [3:0] zeros = zeros_q4[!low_q4];
      // Twelve zeros below the upper half: the padding's one has been found, the sum is zero.
      automatic logic cancelled = low_q4 && zeros == 4'd12 && kind_q4 == Normal;
      sign_q5 <= sign_q4 && !cancelled;
      kind_q5 <= cancelled ? Zero : kind_q4;
      {negative_q5, exp_q5} <= {1'b0, exp_q4} + 9'd1 - {4'b0, low_q4, zeros};
      frac_q5 <= 27'((low_q4 ? sum_q4 << 16 : sum_q4) << zeros);
    end
  end

  // p6: a sum below the smallest normal number is exact, so it can be flushed before rounding; a carry out of the fraction
  // goes into the exponent field and gives the infinity where it should. The exponent lies between -26 and 255.
  always_ff @(posedge clk_i) begin
    if (bypass_valid_i || valid_i[6]) begin
      automatic logic up = frac_q5[3] && (frac_q5[2:0] != '0 || frac_q5[4]);
      automatic logic [30:0] down = {exp_q5, frac_q5[26:4]};
      automatic logic [30:0] next = {exp_q5, frac_q5[26:4]} + 31'd1;
      automatic logic tiny = negative_q5 || exp_q5 == '0;
      automatic logic huge = !negative_q5 && exp_q5 == '1;
      automatic logic keep = !bypass_valid_i && kind_q5 == Normal && !tiny && !huge;
      automatic
      logic
      max = !bypass_valid_i && (kind_q5 == Nan || kind_q5 == Inf || (kind_q5 == Normal && huge));
      automatic logic nan = !bypass_valid_i && kind_q5 == Nan;
      automatic logic [31:0] other = bypass_i & {32{bypass_valid_i}};
      sum_o[31] <= other[31] || (sign_q5 && !nan && !bypass_valid_i);
      sum_o[30:0] <= (next & {31{keep && up}}) | (down & {31{keep && !up}}) | other[30:0] |
          {{8{max}}, nan, 22'd0};
    end
  end
endmodule
