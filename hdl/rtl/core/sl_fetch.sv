// Instruction store and instruction registers of a core.
//
// Timing     A tick registered in cycle tau+1 has its words in matrix_o and vector_o in c0 = tau+3; without a tick they are zero,
//            which does nothing.
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

    input logic        tick_valid_i,
    input logic [15:0] tick_pc_i,
    input logic        tick_parity_i,

    input logic                                       load_valid_i,
    input logic [                               15:0] load_addr_i,
    input logic [MatrixWordWidth+VectorWordWidth-1:0] load_data_i,

    output matrix_t matrix_o,
    output vector_t vector_o
);
  localparam int unsigned PcBits = $clog2(InstrDepth);
  localparam int unsigned ParityBit = $clog2(TensorDepth) - 1;

  logic [MatrixWordWidth+VectorWordWidth-1:0] word;
  matrix_t matrix, matrix_q;
  vector_t vector, vector_q;
  logic valid_q, parity_q;

  sl_ram_1r1w #(
      .Width(MatrixWordWidth + VectorWordWidth),
      .Depth(InstrDepth),
      .InitFile(InitFile)
  ) u_store (
      .clk_i,
      .we_i(load_valid_i),
      .waddr_i(load_addr_i[PcBits-1:0]),
      .wdata_i(load_data_i),
      .re_i(tick_valid_i),
      .raddr_i(tick_pc_i[PcBits-1:0]),
      .rdata_o(word)
  );

  always_comb begin
    matrix = matrix_t'(word[MatrixWordWidth-1:0]);
    vector = vector_t'(word[MatrixWordWidth+:VectorWordWidth]);
    if (matrix.bank == 5'(NumCores)) matrix.addr[ParityBit] = parity_q;
    if (vector.y_bank == 5'(NumCores)) vector.y_addr[ParityBit] = parity_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= tick_valid_i;
  end
  always_ff @(posedge clk_i) parity_q <= tick_parity_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || !valid_q) begin
      matrix_q <= '0;
      vector_q <= '0;
    end else begin
      matrix_q <= matrix;
      vector_q <= vector;
    end
  end

  // Widths are the architectural maxima: a configuration leaves upper bits unused.
  logic unused;
  assign unused   = ^{tick_pc_i, load_addr_i};

  assign matrix_o = matrix_q;
  assign vector_o = vector_q;
endmodule
