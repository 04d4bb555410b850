// One lane of a weight row: the 17-bit mantissa itself, or that of one of two FP8 codes in its place.
//
// Timing     Combinational, between the row store and its output register.
// Formats    field_i is a mantissa, or {0, second code, first code}. A code S.EEEE.MMM stands for (8 + M) << (E - 1), for E = 0 for M,
//            negated if S; E is at most 13 (isa fp8: what the store may hold), so 17 bits are enough.
// Depth      Each bit of the result depends on the eight bits of one code: one level chooses the code, two make the bit, one chooses
//            between it and the mantissa.

module sl_fp8_lane
  import sl_pkg::*;
(
    input logic fp8_i,
    input logic second_i,
    input logic [WeightBits-1:0] field_i,
    output logic [WeightBits-1:0] m_o
);
  logic [Fp8Bits-1:0] code;
  logic [3:0] exponent;
  logic signed [4:0] significand, negated;
  logic signed [WeightBits-1:0] value;

  assign code = second_i ? field_i[2*Fp8Bits-1:Fp8Bits] : field_i[Fp8Bits-1:0];
  assign exponent = code[6:3];
  // Signed in front of the shift, so that no carry follows it.
  assign significand = $signed({1'b0, exponent != 0, code[2:0]});
  assign negated = code[7] ? -significand : significand;
  assign value = WeightBits'(negated) <<< (exponent == 0 ? 4'd0 : exponent - 4'd1);
  assign m_o = fp8_i ? value : field_i;
endmodule
