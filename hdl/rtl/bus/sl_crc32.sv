// CRC-32 (polynomial 0x04C11DB7, reflected) of one 32-bit word, lowest byte first.
//
// Timing     Combinational.
// Contract   Start from all ones and invert the last state: the result is that of zlib.
// Model      isa::load::crc32_from.

module sl_crc32 (
    input  logic [31:0] state_i,
    input  logic [31:0] data_i,
    output logic [31:0] state_o
);
  localparam logic [31:0] Polynomial = 32'hEDB8_8320;

  always_comb begin
    state_o = state_i ^ data_i;
    for (int unsigned i = 0; i < 32; i++) begin
      state_o = {1'b0, state_o[31:1]} ^ (state_o[0] ? Polynomial : 32'h0);
    end
  end
endmodule
