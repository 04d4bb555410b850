// Instruction store and instruction registers of a core.
//
// Timing     The store is read at every address that may become a tick; tick_valid_i, one cycle later, says whether it did. One
//            cycle after that, in c0, its words stand in matrix_o and vector_o; without a tick they are zero, which does nothing.
// Contract   Tensor addresses leave here physical: in the input bank the top address bit is the parity of the job.

module sl_fetch
  import sl_pkg::*;
#(
    parameter int unsigned NumCores = 1,
    parameter int unsigned TensorDepth = 16,  // blocks per bank
    parameter int unsigned InstrDepth = 16,  // ticks
    parameter string InitFile = ""
) (
    input logic clk_i,
    input logic rst_ni,

    input logic [15:0] tick_pc_i,
    input logic        tick_valid_i,  // of the address of the cycle before
    input logic        tick_parity_i,

    input logic                                       load_valid_i,
    input logic [                               15:0] load_addr_i,
    input logic [MatrixWordWidth+VectorWordWidth-1:0] load_data_i,

    output matrix_t matrix_o,
    output vector_t vector_o,

    // Port Y request of operand A, one cycle before its word: port Y is asked a cycle ahead.
    output logic        y_valid_o,
    output logic [ 4:0] y_bank_o,
    output logic [11:0] y_addr_o
);
  localparam int unsigned PcBits = $clog2(InstrDepth);
  localparam int unsigned ParityBit = $clog2(TensorDepth) - 1;

  logic [MatrixWordWidth+VectorWordWidth-1:0] word;
  matrix_t matrix, matrix_q;
  vector_t vector, vector_q;

  sl_ram_1r1w #(
      .Width(MatrixWordWidth + VectorWordWidth),
      .Depth(InstrDepth),
      .InitFile(InitFile)
  ) u_store (
      .clk_i,
      .we_i(load_valid_i),
      .waddr_i(load_addr_i[PcBits-1:0]),
      .wdata_i(load_data_i),
      .re_i(1'b1),
      .raddr_i(tick_pc_i[PcBits-1:0]),
      .rdata_o(word)
  );

  always_comb begin
    matrix = matrix_t'(word[MatrixWordWidth-1:0]);
    vector = vector_t'(word[MatrixWordWidth+:VectorWordWidth]);
    if (matrix.bank == 5'(NumCores)) matrix.addr[ParityBit] = tick_parity_i;
    if (vector.y_bank == 5'(NumCores)) vector.y_addr[ParityBit] = tick_parity_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || !tick_valid_i) begin
      matrix_q <= '0;
      vector_q <= '0;
    end else begin
      matrix_q <= matrix;
      vector_q <= vector;
    end
  end

  // Widths are the architectural maxima: a configuration leaves upper bits unused.
  logic unused;
  assign unused = ^{tick_pc_i, load_addr_i};

  assign y_valid_o = tick_valid_i && vector.valid && vector.a_src == ASrcY;
  assign y_bank_o = vector.y_bank;
  assign y_addr_o = vector.y_addr;
  assign matrix_o = matrix_q;
  assign vector_o = vector_q;
endmodule
