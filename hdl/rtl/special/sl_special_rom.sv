// Rows of the special functions for two lanes.
//
// Timing     Address in one cycle (re_i), row in the next; both lanes every cycle.
// Contract   No reset: a row is worth what its address was.

module sl_special_rom
  import sl_special_pkg::*;
(
    input logic clk_i,

    input  logic        re_i,
    input  logic [10:0] addr0_i,
    input  logic [10:0] addr1_i,
    output row_t        row0_o,
    output row_t        row1_o
);
  (* rom_style = "block" *) logic [71:0] memory[Depth];

  // As a whole: an elaborator that looks up one row copies the table for it.
  initial memory = Rows;

  always_ff @(posedge clk_i) if (re_i) row0_o <= memory[addr0_i];
  always_ff @(posedge clk_i) if (re_i) row1_o <= memory[addr1_i];
endmodule
