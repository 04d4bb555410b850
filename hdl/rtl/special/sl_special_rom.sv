// Rows of the special functions for two lanes.
//
// Timing     Address in one cycle, row two cycles later; both lanes every cycle.
// Contract   No reset: a row is worth what its address was.

module sl_special_rom
  import sl_special_pkg::*;
(
    input logic clk_i,

    input  logic [10:0] addr0_i,
    input  logic [10:0] addr1_i,
    output row_t        row0_o,
    output row_t        row1_o
);
  (* rom_style = "block" *) logic [71:0] memory[Depth];
  logic [71:0] row0_q, row1_q;

  initial begin
    for (int unsigned i = 0; i < Depth; i++) memory[i] = Rows[i];
  end

  always_ff @(posedge clk_i) begin
    row0_q <= memory[addr0_i];
    row0_o <= row0_q;
  end
  always_ff @(posedge clk_i) begin
    row1_q <= memory[addr1_i];
    row1_o <= row1_q;
  end
endmodule
