// Accumulator to fp32.
//
// Timing     mantissa_i, exp_i, poison_i in c(8+2T), value_o from c(11+2T): count, normalise, round. One per cycle.
// Numbers    isa acc::Acc::to_f32: nearest even with unbounded exponent, then biased exponent <= 0 to +0, >= 255 to a signed
//            infinity; poison gives NaN 0x7FC00000.
// Contract   valid_i[s] belongs to stage s = 0..2; it only saves work. No reset.

module sl_acc_to_float (
    input logic       clk_i,
    input logic [2:0] valid_i,

    input logic signed [63:0] mantissa_i,
    input logic signed [ 6:0] exp_i,
    input logic               poison_i,

    output logic [31:0] value_o
);
  // Count the bits equal to the sign below it, which ends where two neighbours differ first. All bytes at once: do two differ in it, in its
  // upper three places, in the three below? Then the first byte where two do, of each group of three, 7..5, 4..2 and 1..0; which group
  // it is, is only selected in the next stage.
  logic signed [7:0] exp_q1;
  logic poison_q1;
  logic [1:0] groups_q1;  // digit of 24
  logic [63:0] mantissa_q1;
  logic [7:1] any_q1;
  logic [2:0][3:0] digits_q1;  // digit of 3; that of 1, whose second flag says 2
  logic [3:0] some_q1;  // of mantissa bytes 3..0: not zero

  always_ff @(posedge clk_i) begin
    if (valid_i[0]) begin
      automatic logic [63:0] flips = {mantissa_i[63:1] ^ mantissa_i[62:0], 1'b1};
      automatic logic [7:1] any;
      automatic logic [7:0][3:0] digits;  // of 3 and 1 of every byte, without its last place
      for (int unsigned i = 1; i < 8; i++) any[i] = flips[8*i+:8] != '0;
      for (int unsigned i = 0; i < 8; i++) begin
        automatic logic [7:1] t = flips[8*i+1+:7];
        digits[i][3] = t[7:5] != '0;
        digits[i][2] = t[4:2] != '0;
        digits[i][1] = t[7] || (t[6:5] == '0 && (t[4] || (t[3:2] == '0 && t[1])));
        digits[i][0] = t[7:6] == '0 && (t[5] || (t[4:3] == '0 && t[2]));
      end
      mantissa_q1 <= mantissa_i;
      exp_q1 <= 8'(exp_i) + 8'sd23;
      poison_q1 <= poison_i;
      groups_q1 <= {any[7:5] != '0, any[4:2] != '0};
      any_q1 <= any;
      digits_q1 <= {
        digits[7] | ({4{!any[7]}} & (digits[6] | ({4{!any[6]}} & digits[5]))),
        digits[4] | ({4{!any[4]}} & (digits[3] | ({4{!any[3]}} & digits[2]))),
        digits[1] | ({4{!any[1]}} & digits[0])
      };
      for (int unsigned i = 0; i < 4; i++) some_q1[i] <= mantissa_i[8*i+:8] != '0;
    end
  end

  // Normalise: bit 62 becomes the first one that differs from the sign; 61..39 is the fraction, 38 the guard bit. Sticky is what ends
  // below it, found on the way, where the shifts still to come are small. The shift, 0..63, is a sum of four terms of three values each:
  // 24, 8, 3 and 1, times 0, 1 or 2. A digit is two flags: the first says 0, the second, worth something only without the first, 1.
  logic sign_q2, normal_q2, poison_q2, guard_q2;
  logic signed [10:0] exp_q2;
  logic [22:0] frac_q2;
  logic [5:0] sticky_q2;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic [1:0] bytes, triples, bits;  // digits of 8, 3 and 1
      automatic logic [  2:0] rest;  // 5 - the rest of the count modulo 8
      automatic logic [  2:0] eights = 3'd7;
      automatic logic [61:36] norm;
      automatic logic [61:34] fine;
      automatic logic [63:0] by_groups, coarse;
      automatic logic zero = {mantissa_q1[63], any_q1[7:1], digits_q1[0][3:1]} == '0;
      automatic
      logic [3:0]
      reach = {
        any_q1[7], any_q1[7:6] != '0, any_q1[7:5] != '0, any_q1[7:4] != '0
      };
      bytes = groups_q1[1] ? any_q1[7:6] : groups_q1[0] ? any_q1[4:3] : {any_q1[1], 1'b1};
      {triples, bits} = groups_q1[1] ? digits_q1[2] : groups_q1[0] ? digits_q1[1] : digits_q1[0];
      by_groups = groups_q1[1] ? mantissa_q1 : groups_q1[0] ? mantissa_q1 << 24 : mantissa_q1 << 48;
      coarse = bytes[1] ? by_groups : bytes[0] ? by_groups << 8 : by_groups << 16;
      fine = 28'((triples[1] ? coarse : triples[0] ? coarse << 3 : coarse << 6) >> 34);
      norm = bits[1] ? fine[61:36] : bits[0] ? fine[59:34] : fine[60:35];
      if (triples[1]) rest = bits[1] ? 3'd5 : bits[0] ? 3'd3 : 3'd4;
      else if (triples[0]) rest = bits[1] ? 3'd2 : bits[0] ? 3'd0 : 3'd1;
      else rest = bits[1] ? 3'd7 : 3'd6;
      for (int unsigned i = 1; i < 8; i++) if (any_q1[i]) eights = 3'(7 - i);
      sign_q2 <= mantissa_q1[63];
      normal_q2 <= !poison_q1 && !zero;
      poison_q2 <= poison_q1;
      exp_q2 <= {8'(({exp_q1, 1'b1} + {5'h1F, ~eights, triples != '0}) >> 1), rest};
      {frac_q2, guard_q2} <= norm[61:38];
      // Below the guard bit always, unless the rest of the count is 6 or 7, and if it is 0 to 2; and the two places next to it.
      sticky_q2[0] <= (some_q1[2:0] & reach[3:1]) != '0;
      sticky_q2[1] <= coarse[29:24] != '0;
      sticky_q2[2] <= coarse[32] || (some_q1 & reach) != '0;
      sticky_q2[3] <= coarse[35:33] != '0;
      sticky_q2[5:4] <= norm[37:36];
    end
  end

  // Round the magnitude. Of a negative number it is ~m + 1: below the fraction that leaves 2^c - r of the r that stands there,
  // so it goes up for every r under one half, zero included. A carry out of the fraction steps the exponent.
  always_ff @(posedge clk_i) begin
    if (valid_i[2]) begin
      automatic logic odd = frac_q2[0] != sign_q2;
      automatic
      logic
      exact = sticky_q2[1:0] == '0 && sticky_q2[5:4] == '0 &&
          !(sticky_q2[2] && exp_q2[2:1] != 2'b11) &&
          !(sticky_q2[3] && exp_q2[2:0] inside {3'd3, 3'd4, 3'd5});
      automatic logic up = guard_q2 && exact ? odd : guard_q2 != sign_q2;
      automatic logic [22:0] magnitude = frac_q2 ^ {23{sign_q2}};
      // Both outcomes of the rounding, so that its decision comes late.
      automatic logic [30:0] down = {exp_q2[7:0], magnitude};
      automatic logic [30:0] next = {exp_q2[7:0], magnitude} + 31'd1;
      automatic logic fits = normal_q2 && exp_q2[10:8] == '0;
      automatic logic none = fits && exp_q2[7:0] == '0;
      automatic logic keep = fits && exp_q2[7:0] != '0 && exp_q2[7:0] != '1;
      automatic logic huge = normal_q2 && !exp_q2[10] && (exp_q2[9:8] != '0 || exp_q2[7:0] == '1);
      // The largest subnormal rounds up to the smallest normal number: only the last bit of the exponent can be set. If it is negative,
      // the fraction is 0 here and rounding goes up for no guard bit or a tie.
      automatic logic [30:0] on = {{7{keep}}, keep || none, {23{keep}}};
      automatic logic least = none && next[23] && (!guard_q2 || exact);
      value_o[31]   <= sign_q2 && (keep || huge || least);
      value_o[30:0] <= ((up ? next : down) & on) | {{8{huge || poison_q2}}, poison_q2, 22'd0};
    end
  end
endmodule
