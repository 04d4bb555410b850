// Memory with one write port with a lane mask and one synchronous read port.
//
// Timing     rdata_o holds the word one cycle after re_i (two with OutputRegister, one read per cycle) until the next read.
// Contract   Only lanes whose bit of wmask_i is set are written. A read of the address that is written in the same cycle
//            returns the old word. Contents are undefined until written, or come from InitFile ($readmemh). No reset.

module sl_ram_mask #(
    parameter int unsigned Lanes = 4,
    parameter int unsigned LaneWidth = 16,  // bits
    parameter int unsigned Depth = 512,  // words
    parameter bit OutputRegister = 1'b0,
    parameter string InitFile = "",
    localparam int unsigned Width = Lanes * LaneWidth,
    localparam int unsigned AddrWidth = Depth > 1 ? $clog2(Depth) : 1
) (
    input logic clk_i,

    input logic                 we_i,
    input logic [    Lanes-1:0] wmask_i,
    input logic [AddrWidth-1:0] waddr_i,
    input logic [    Width-1:0] wdata_i,

    input  logic                 re_i,
    input  logic [AddrWidth-1:0] raddr_i,
    output logic [    Width-1:0] rdata_o
);
  (* ram_style = "block" *) logic [Width-1:0] mem[Depth];
  logic [Width-1:0] read_q;

  if (InitFile != "") begin : gen_init
    initial $readmemh(InitFile, mem);
  end

  always_ff @(posedge clk_i) begin
    if (we_i) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (wmask_i[i]) mem[waddr_i][i*LaneWidth+:LaneWidth] <= wdata_i[i*LaneWidth+:LaneWidth];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (re_i) read_q <= mem[raddr_i];
  end

  if (OutputRegister) begin : gen_output_register
    logic re_q;
    logic [Width-1:0] out_q;
    always_ff @(posedge clk_i) re_q <= re_i;
    always_ff @(posedge clk_i) begin
      if (re_q) out_q <= read_q;
    end
    assign rdata_o = out_q;
  end else begin : gen_direct
    assign rdata_o = read_q;
  end
endmodule
