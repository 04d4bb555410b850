// Output unit: mirror of all tensor banks, bank multiplexer, lane masking, output FIFO (docs/machine.md sections 1 and 5).
//
// Timing     cmd_* stands in the instruction register in c0 and addresses the banks; c1: multiplexer, masking, push; the beat
//            stands at output_valid_o from c2 on. A block written in cycle w is read by an address of cycle w or later.
// Handshake  output side valid/ready. Commands cannot be refused: the sequencer's credit keeps the FIFO from overflowing.
// Contract   cmd_bank_i <= NumCores; cmd_addr_i is physical (parity included). Lanes from cmd_lanes_i on are sent as zero.
// Model      control::model::OutputUnit, cycle by cycle.

`include "sl_assert.svh"

module sl_output_unit #(
    parameter int unsigned NumCores = 1,
    parameter int unsigned BlockSize = 4,  // lanes of 16 bits
    parameter int unsigned TensorDepth = 128,  // blocks per bank
    parameter int unsigned OutputFifoDepth = 64  // beats
) (
    input logic clk_i,
    input logic rst_ni,

    input logic        cmd_valid_i,
    input logic        cmd_last_i,
    input logic [ 4:0] cmd_bank_i,
    input logic [11:0] cmd_addr_i,
    input logic [ 6:0] cmd_lanes_i,

    // Exchange lanes, one per bank: lane s < NumCores is core s, lane NumCores the input.
    input logic [                   NumCores:0] lane_valid_i,
    input logic [          (NumCores+1)*12-1:0] lane_addr_i,
    input logic [   (NumCores+1)*BlockSize-1:0] lane_mask_i,
    input logic [(NumCores+1)*BlockSize*16-1:0] lane_data_i,

    output logic                    output_valid_o,
    input  logic                    output_ready_i,
    output logic                    output_last_o,
    output logic [BlockSize*16-1:0] output_data_o
);
  localparam int unsigned NumBanks = NumCores + 1;
  localparam int unsigned AddrWidth = $clog2(TensorDepth);
  localparam int unsigned Width = BlockSize * 16;

  if (NumCores < 1 || NumCores > 16) begin : gen_bad_cores
    $error("sl_output_unit: NumCores must be 1 to 16");
  end
  if (TensorDepth < 4 || TensorDepth > 4096 || 2 ** AddrWidth != TensorDepth) begin : gen_bad_depth
    $error("sl_output_unit: TensorDepth must be a power of two, 4 to 4096");
  end

  logic valid_q, last_q;
  logic [BlockSize-1:0] on_q;  // lanes that are sent
  logic [Width-1:0] selected, masked;
  logic fifo_ready;

  sl_bank_mirror #(
      .NumBanks(NumBanks),
      .BlockSize(BlockSize),
      .TensorDepth(TensorDepth)
  ) u_banks (
      .clk_i,
      .lane_valid_i,
      .lane_addr_i,
      .lane_mask_i,
      .lane_data_i,
      .re_i  (cmd_valid_i),
      .bank_i(cmd_bank_i),
      .addr_i(cmd_addr_i),
      .data_o(selected)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= cmd_valid_i;
  end
  always_ff @(posedge clk_i) begin
    last_q <= cmd_last_i;
    for (int unsigned i = 0; i < BlockSize; i++) on_q[i] <= 7'(i) < cmd_lanes_i;
  end

  always_comb begin
    for (int unsigned i = 0; i < BlockSize; i++) begin
      masked[i*16+:16] = on_q[i] ? selected[i*16+:16] : 16'h0;
    end
  end

  sl_fifo #(
      .Width(Width + 1),
      .Depth(OutputFifoDepth)
  ) u_fifo (
      .clk_i,
      .rst_ni,
      .in_valid_i (valid_q),
      .in_ready_o (fifo_ready),
      .in_data_i  ({last_q, masked}),
      .out_valid_o(output_valid_o),
      .out_ready_i(output_ready_i),
      .out_data_o ({output_last_o, output_data_o})
  );

  logic unused;  // serves an assertion only
  assign unused = fifo_ready;

  for (genvar b = 0; b < NumBanks; b++) begin : gen_lane_address
    `SL_ASSERT(LaneAddress_A, lane_valid_i[b] |-> 32'(lane_addr_i[b*12+:12]) < TensorDepth)
  end

  `SL_ASSERT(CreditHolds_A, valid_q |-> fifo_ready)
  `SL_ASSERT(CommandBank_A, cmd_valid_i |-> 32'(cmd_bank_i) < NumBanks)
  `SL_ASSERT(CommandAddress_A, cmd_valid_i |-> 32'(cmd_addr_i) < TensorDepth)
  `SL_ASSERT(CommandLanes_A, cmd_valid_i |-> 32'(cmd_lanes_i) <= BlockSize)
endmodule
