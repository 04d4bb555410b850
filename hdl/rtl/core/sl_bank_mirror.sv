// Mirror of all tensor banks with one read port.
//
// Timing     Lanes are written at the end of the cycle they are valid in. Read data is valid in the cycle after the request, combinational
//            behind the bank multiplexer, until the next request.
// Contract   Bank s is written by exchange lane s only. A read of the block that is written in the same cycle returns the new lanes.

module sl_bank_mirror #(
    parameter int unsigned NumBanks = 2,
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned TensorDepth = 16  // blocks per bank
) (
    input logic clk_i,

    input logic [             NumBanks-1:0] lane_valid_i,
    input logic [          NumBanks*12-1:0] lane_addr_i,
    input logic [   NumBanks*BlockSize-1:0] lane_mask_i,
    input logic [NumBanks*BlockSize*16-1:0] lane_data_i,

    input  logic                    re_i,
    input  logic [             4:0] bank_i,
    input  logic [            11:0] addr_i,
    output logic [BlockSize*16-1:0] data_o
);
  localparam int unsigned AddrBits = $clog2(TensorDepth);
  localparam int unsigned SelBits = $clog2(NumBanks);
  localparam int unsigned Width = BlockSize * 16;

  logic [Width-1:0] bank_data[NumBanks];
  logic [NumBanks-1:0] hit;  // the block read is written in this cycle

  for (genvar s = 0; s < NumBanks; s++) begin : gen_bank
    logic selected, same;
    assign selected = bank_i == 5'(s);
    assign same = lane_addr_i[s*12+:AddrBits] == addr_i[AddrBits-1:0];
    assign hit[s] = lane_valid_i[s] && selected && same;

    sl_ram_mask #(
        .Lanes(BlockSize),
        .LaneWidth(16),
        .Depth(TensorDepth)
    ) u_ram (
        .clk_i,
        .we_i(lane_valid_i[s]),
        .wmask_i(lane_mask_i[s*BlockSize+:BlockSize]),
        .waddr_i(lane_addr_i[s*12+:AddrBits]),
        .wdata_i(lane_data_i[s*Width+:Width]),
        .re_i(re_i && selected),
        .raddr_i(addr_i[AddrBits-1:0]),
        .rdata_o(bank_data[s])
    );
  end

  // What is written is kept beside the memories, which return the old block.
  logic [SelBits-1:0] sel_q;
  logic [BlockSize-1:0] new_lane, new_lane_q;
  logic [Width-1:0] new_data_q;

  always_comb begin
    new_lane = '0;
    for (int unsigned s = 0; s < NumBanks; s++) begin
      new_lane |= lane_mask_i[s*BlockSize+:BlockSize] & {BlockSize{hit[s]}};
    end
  end

  always_ff @(posedge clk_i) begin
    if (re_i) begin
      sel_q <= bank_i[SelBits-1:0];
      new_lane_q <= new_lane;
      new_data_q <= lane_data_i[32'(bank_i[SelBits-1:0])*Width+:Width];
    end
  end

  logic [Width-1:0] old_data;
  assign old_data = bank_data[sel_q];
  for (genvar i = 0; i < BlockSize; i++) begin : gen_lane
    assign data_o[i*16+:16] = new_lane_q[i] ? new_data_q[i*16+:16] : old_data[i*16+:16];
  end

  // Widths are the architectural maxima: a configuration leaves upper bits unused.
  logic unused;
  assign unused = ^{lane_addr_i, addr_i, bank_i};
endmodule
