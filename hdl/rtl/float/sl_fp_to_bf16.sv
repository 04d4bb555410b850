// fp32 to bf16, combinational.
//
// Numbers    isa float::f32_to_bf16: round to nearest even, subnormals to signed zero, overflow to infinity, NaN 0x7FC0.

module sl_fp_to_bf16 (
    input  logic [31:0] value_i,
    output logic [15:0] bf16_o
);
  logic nan, zero, up;
  logic [15:0] rounded;

  assign nan = value_i[30:23] == 8'hFF && value_i[22:0] != '0;
  assign zero = value_i[30:23] == '0;
  assign up = value_i[15] && (value_i[14:0] != '0 || value_i[16]);
  assign rounded = value_i[31:16] + 16'(up);
  assign bf16_o = nan ? 16'h7FC0 : zero ? {value_i[31], 15'b0} : rounded;
endmodule
