// Small memory with one write port and one asynchronous read port (LUT RAM).
//
// Timing     rdata_o follows raddr_i in the same cycle; a write is seen from the next cycle on.
// Contract   Contents are undefined until written, or come from InitFile ($readmemh) when it is not empty. No reset.

module sl_ram_async #(
    parameter int unsigned Width = 32,  // bits
    parameter int unsigned Depth = 32,  // words
    parameter string InitFile = "",
    localparam int unsigned AddrWidth = Depth > 1 ? $clog2(Depth) : 1
) (
    input logic clk_i,

    input logic                 we_i,
    input logic [AddrWidth-1:0] waddr_i,
    input logic [    Width-1:0] wdata_i,

    input  logic [AddrWidth-1:0] raddr_i,
    output logic [    Width-1:0] rdata_o
);
  (* ram_style = "distributed" *) logic [Width-1:0] mem[Depth];

  if (InitFile != "") begin : gen_init
    initial $readmemh(InitFile, mem);
  end

  always_ff @(posedge clk_i) begin
    if (we_i) mem[waddr_i] <= wdata_i;
  end

  assign rdata_o = mem[raddr_i];
endmodule
