// One lane of a weight row: the 17-bit mantissa itself, or that of one of two FP8 codes in its place.
//
// Timing     Combinational, between the row store and its output register.
// Formats    field_i is a mantissa, or {0, second code, first code}. A code S.EEEE.MMM stands for (8 + M) << (E - 1), for E = 0 for M,
//            negated if S; E is at most 13 (isa fp8: what the store may hold), so 17 bits are enough.
// Depth      Four levels and no carry: choice of the code, its significand, two shifts with the choice of the mantissa in the second.

module sl_fp8_lane
  import sl_pkg::*;
(
    input logic fp8_i,
    input logic second_i,
    input logic [WeightBits-1:0] field_i,
    output logic [WeightBits-1:0] m_o
);
  logic [Fp8Bits-1:0] code;
  logic [4:0] significand;
  logic [7:0] fine;
  logic signed [WeightBits+2:0] value;

  assign code = second_i ? field_i[2*Fp8Bits-1:Fp8Bits] : field_i[Fp8Bits-1:0];

  // Twice the significand with its sign, shifted by the lower exponent bits: E = 0 shifts as far as E = 1.
  always_comb begin
    automatic logic normal = code[6:3] != 0;
    significand = {
      code[7] && (normal || code[2:0] != 0),
      normal ^ (code[7] && code[2:0] != 0),
      code[2] ^ (code[7] && code[1:0] != 0),
      code[1] ^ (code[7] && code[0]),
      code[0]
    };
    unique case (code[4:3])
      2'd0:
      fine = normal ? {{3{significand[4]}}, significand} : {{2{significand[4]}}, significand, 1'b0};
      2'd1: fine = {{2{significand[4]}}, significand, 1'b0};
      2'd2: fine = {significand[4], significand, 2'b00};
      default: fine = {significand, 3'b000};
    endcase
    unique case (code[6:5])
      2'd0: value = (WeightBits + 3)'($signed(fine));
      2'd1: value = (WeightBits + 3)'($signed({fine, 4'b0}));
      2'd2: value = (WeightBits + 3)'($signed({fine, 8'b0}));
      default: value = $signed({fine, 12'b0});
    endcase
  end

  assign m_o = fp8_i ? value[WeightBits:1] : field_i;

  logic unused;
  assign unused = ^{value[WeightBits+2:WeightBits+1], value[0]};
endmodule
