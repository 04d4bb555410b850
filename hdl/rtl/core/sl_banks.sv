// A core's mirror of all tensor banks, with read ports X and Y.
//
// Timing     Lanes are written at the end of the cycle they are valid in. Read data is valid in the cycle after the request, combinational
//            behind the bank multiplexer.
// Contract   Bank s is written by exchange lane s only. Each port reads one block per cycle; a read of the block that is written in the
//            same cycle returns the old one.

module sl_banks #(
    parameter int unsigned NumBanks = 2,
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned TensorDepth = 16  // blocks per bank
) (
    input logic clk_i,

    input logic [             NumBanks-1:0] lane_valid_i,
    input logic [          NumBanks*12-1:0] lane_addr_i,
    input logic [   NumBanks*BlockSize-1:0] lane_mask_i,
    input logic [NumBanks*BlockSize*16-1:0] lane_data_i,

    input  logic                    x_valid_i,
    input  logic [             4:0] x_bank_i,
    input  logic [            11:0] x_addr_i,
    output logic [BlockSize*16-1:0] x_data_o,

    input  logic                    y_valid_i,
    input  logic [             4:0] y_bank_i,
    input  logic [            11:0] y_addr_i,
    output logic [BlockSize*16-1:0] y_data_o
);
  localparam int unsigned AddrBits = $clog2(TensorDepth);
  localparam int unsigned SelBits = $clog2(NumBanks);

  logic [BlockSize*16-1:0] x_bank_data[NumBanks];
  logic [BlockSize*16-1:0] y_bank_data[NumBanks];
  logic [SelBits-1:0] x_sel_q, y_sel_q;

  for (genvar s = 0; s < NumBanks; s++) begin : gen_bank
    sl_ram_mask #(
        .Lanes(BlockSize),
        .LaneWidth(16),
        .Depth(TensorDepth)
    ) u_x (
        .clk_i,
        .we_i(lane_valid_i[s]),
        .wmask_i(lane_mask_i[s*BlockSize+:BlockSize]),
        .waddr_i(lane_addr_i[s*12+:AddrBits]),
        .wdata_i(lane_data_i[s*BlockSize*16+:BlockSize*16]),
        .re_i(x_valid_i && x_bank_i == 5'(s)),
        .raddr_i(x_addr_i[AddrBits-1:0]),
        .rdata_o(x_bank_data[s])
    );
    sl_ram_mask #(
        .Lanes(BlockSize),
        .LaneWidth(16),
        .Depth(TensorDepth)
    ) u_y (
        .clk_i,
        .we_i(lane_valid_i[s]),
        .wmask_i(lane_mask_i[s*BlockSize+:BlockSize]),
        .waddr_i(lane_addr_i[s*12+:AddrBits]),
        .wdata_i(lane_data_i[s*BlockSize*16+:BlockSize*16]),
        .re_i(y_valid_i && y_bank_i == 5'(s)),
        .raddr_i(y_addr_i[AddrBits-1:0]),
        .rdata_o(y_bank_data[s])
    );
  end

  always_ff @(posedge clk_i) begin
    if (x_valid_i) x_sel_q <= x_bank_i[SelBits-1:0];
    if (y_valid_i) y_sel_q <= y_bank_i[SelBits-1:0];
  end
  // Widths are the architectural maxima: a configuration leaves upper bits unused.
  logic unused;
  assign unused   = ^{lane_addr_i, x_addr_i, y_addr_i};

  assign x_data_o = x_bank_data[x_sel_q];
  assign y_data_o = y_bank_data[y_sel_q];
endmodule
