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
  // Leading zeros within each 16-bit group of a word, all nibbles and then all groups at once: few bits go into each step.
  function automatic logic [15:0] zeros16(logic [63:0] t);
    logic [63:0] p1, p0, any, any3, any2, any1, n3, n2, n1, n0;
    logic [15:0] zeros;
    // Bit 4i: nibble i is not zero; leading zeros of it (p1 p0).
    any = t | (t >> 1) | (t >> 2) | (t >> 3);
    p1 = ~((t >> 3) | (t >> 2));
    p0 = ~(t >> 3) & ((t >> 2) | ~(t >> 1));
    // Bit 16i: nibbles of group i before its first one that is not zero (n3 n2), and the zeros within that one (n1 n0).
    any3 = any >> 12;
    any2 = any >> 8;
    any1 = any >> 4;
    n3 = ~(any3 | any2);
    n2 = ~any3 & (any2 | ~any1);
    n1 = (any3 & (p1 >> 12)) | (~any3 & any2 & (p1 >> 8)) |
        (n3 & any1 & (p1 >> 4)) | (n3 & ~any1 & p1);
    n0 = (any3 & (p0 >> 12)) | (~any3 & any2 & (p0 >> 8)) |
        (n3 & any1 & (p0 >> 4)) | (n3 & ~any1 & p0);
    for (int unsigned i = 0; i < 4; i++) zeros[4*i+:4] = {n3[16*i], n2[16*i], n1[16*i], n0[16*i]};
    return zeros;
  endfunction

  // Count the bits equal to the sign below it, 0..63; which group's count it is, is only selected in the next stage.
  logic signed [63:0] mantissa_q1;
  logic signed [6:0] exp_q1;
  logic poison_q1;
  logic [1:0] group_q1;
  logic [15:0] zeros_q1;
  logic [3:0] bytes_q1;  // of mantissa bits 31..0: not zero

  always_ff @(posedge clk_i) begin
    if (valid_i[0]) begin
      automatic logic [63:0] flips = {mantissa_i[62:0] ^ {63{mantissa_i[63]}}, 1'b1};
      mantissa_q1 <= mantissa_i;
      exp_q1 <= exp_i;
      poison_q1 <= poison_i;
      zeros_q1 <= zeros16(flips);
      if (flips[63:48] != '0) group_q1 <= 2'd0;
      else if (flips[47:32] != '0) group_q1 <= 2'd1;
      else group_q1 <= flips[31:16] != '0 ? 2'd2 : 2'd3;
      for (int unsigned i = 0; i < 4; i++) bytes_q1[i] <= mantissa_i[8*i+:8] != '0;
    end
  end

  logic [3:0] zeros;
  logic [5:0] count;

  assign zeros = zeros_q1[{~group_q1, 2'b00}+:4];
  assign count = {group_q1, zeros};

  // Normalise: bit 62 becomes the first one that differs from the sign; 61..39 is the fraction, 38 the guard bit. Sticky are the
  // eight places below, and every byte that ends below the guard bit: together that is all of the rest.
  function automatic logic bytes_below(logic [3:0] bytes, logic [5:0] shift);
    logic [3:0] below;
    for (int unsigned i = 0; i < 4; i++) below[i] = bytes[i] && 32'(shift) < 31 - 8 * i;
    return below != '0;
  endfunction

  logic sign_q2, zero_q2, poison_q2, guard_q2;
  logic signed [10:0] exp_q2;
  logic [22:0] frac_q2;
  logic [4:0] sticky_q2;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic [48:0] coarse = 49'((mantissa_q1 << {group_q1, 4'b0}) >> 15);
      automatic logic [31:0] norm = 32'((coarse << zeros) >> 15);
      sign_q2 <= mantissa_q1[63];
      zero_q2 <= !mantissa_q1[63] && count == 6'd63;
      poison_q2 <= poison_q1;
      exp_q2 <= 11'($signed({exp_q1, 3'b000})) + 11'sd189 - $signed(11'(count));
      {frac_q2, guard_q2} <= norm[31:8];
      sticky_q2[0] <= bytes_below(bytes_q1, count);
      for (int unsigned i = 0; i < 4; i++) sticky_q2[i+1] <= norm[2*i+:2] != '0;
    end
  end

  // Round the magnitude. Of a negative number it is ~m + 1: below the fraction that leaves 2^c - r of the r that stands there,
  // so it goes up for every r under one half, zero included. A carry out of the fraction steps the exponent.
  always_ff @(posedge clk_i) begin
    if (valid_i[2]) begin
      automatic logic half = guard_q2 && sticky_q2 == '0;
      automatic logic odd = frac_q2[0] != sign_q2;
      automatic logic up = half ? odd : guard_q2 != sign_q2;
      automatic logic [22:0] magnitude = frac_q2 ^ {23{sign_q2}};
      // Both outcomes of the rounding, so that its decision comes late.
      automatic logic [30:0] down = {exp_q2[7:0], magnitude};
      automatic logic [30:0] next = {exp_q2[7:0], magnitude} + 31'd1;
      automatic logic full = up && magnitude == '1;
      automatic logic none = exp_q2[7:0] == '0;
      automatic logic huge = !exp_q2[10] && (exp_q2[9:8] != '0 || exp_q2[7:0] == '1);
      automatic logic keep = !poison_q2 && !zero_q2 && exp_q2[10:8] == '0 && !none && !huge;
      automatic logic max = poison_q2 || (huge && !zero_q2);
      // The largest subnormal rounds up to the smallest normal number.
      automatic logic least = full && none && !poison_q2 && !zero_q2 && exp_q2[10:8] == '0;
      value_o[31] <= sign_q2 && !poison_q2 && (keep || max || least);
      value_o[30:0] <= (next & {31{keep && up}}) | (down & {31{keep && !up}}) |
          {{8{max}} | {7'd0, least}, poison_q2, 22'd0};
    end
  end
endmodule
