// Loader: gathers the 32-bit words of the load window into one wide load word and keeps the program's checksum.
//
// Timing     A window word is taken in the cycle it is offered while ready_o; after the last word of a load word ready_o is low until it
//            has gone, one cycle when the crossing has room.
// Contract   A load word goes out whole or not at all: words come lowest first, as many as the space needs (SpaceWords), to a target this
//            accelerator has. The checksum covers the words, then the address, of every load word. Bits above a space's last word are
//            those of earlier load words and mean nothing. start_i begins a program and is not given while a word is on its way.
// Model      isa::load::checksum, isa::load_image.

module sl_bus_loader
  import sl_pkg::*;
#(
    parameter int unsigned NumCores = 1,
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned LoadWords = 5,  // window words of the widest load word
    parameter logic [6:0][6:0] SpaceWords = '1,  // window words, by space
    parameter logic [6:0][16:0] SpaceDepth = '1  // addresses, by space
) (
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,

    output logic        ready_o,        // an address or a word can be taken
    input  logic        address_we_i,
    input  logic [31:0] data_i,         // address or word
    input  logic        word_valid_i,
    input  logic [ 5:0] word_index_i,
    output logic        word_target_o,  // the target exists
    output logic        word_order_o,   // this index is the next
    output logic [31:0] address_o,
    output logic [31:0] count_o,
    output logic [31:0] crc_o,
    output logic [15:0] num_models_o,
    output logic        table_we_o,     // a word of a model record
    output logic [ 9:0] table_addr_o,

    output logic                     out_valid_o,
    input  logic                     out_ready_i,
    output logic [31+LoadWords*32:0] out_data_o
);
  if (LoadWords < 1 || LoadWords > 64) begin : gen_bad_words
    $error("sl_bus_loader: LoadWords must be 1 to 64");
  end

  typedef struct packed {
    logic [3:0]  space;
    logic [4:0]  core;
    logic [6:0]  row;
    logic [15:0] addr;
  } address_t;

  address_t address_q;
  logic [LoadWords-1:0][31:0] data_q;
  logic [6:0] index_q;  // next word
  logic push_q;  // the load word is complete
  logic [31:0] crc_q, crc_d, count_q;
  logic [15:0] num_models_q;
  logic take, sent;

  // Target.
  logic [2:0] space;
  logic per_core, core_ok, row_ok, addr_ok;
  assign space = address_q.space[2:0];
  assign per_core = address_q.space <= SpaceClamps;
  assign core_ok = per_core ? 32'(address_q.core) < NumCores : address_q.core == '0;
  assign row_ok = address_q.space == SpaceWeights ? 32'(address_q.row) < BlockSize
      : address_q.row == '0;
  assign addr_ok = {1'b0, address_q.addr} < SpaceDepth[space];
  assign word_target_o = address_q.space <= SpaceNumModels && core_ok && row_ok && addr_ok;
  assign word_order_o = index_q == {1'b0, word_index_i};

  assign ready_o = !push_q;
  assign take = word_valid_i && ready_o && word_target_o && word_order_o;
  assign sent = push_q && out_ready_i;

  sl_crc32 u_crc (
      .state_i(crc_q),
      .data_i (push_q ? address_q : data_i),
      .state_o(crc_d)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      index_q      <= '0;
      push_q       <= 1'b0;
      crc_q        <= '1;
      count_q      <= '0;
      address_q    <= '0;
      num_models_q <= '0;
    end else if (start_i) begin
      index_q      <= '0;
      crc_q        <= '1;
      count_q      <= '0;
      address_q    <= '0;
      num_models_q <= '0;
    end else begin
      if (take || sent) crc_q <= crc_d;
      if (take) begin
        count_q <= count_q + 1'b1;
        if (index_q + 1'b1 == SpaceWords[space]) begin
          index_q <= '0;
          push_q  <= 1'b1;
        end else begin
          index_q <= index_q + 1'b1;
        end
        if (address_q.space == SpaceNumModels) num_models_q <= data_i[15:0];
      end
      if (sent) begin
        push_q <= 1'b0;
        if (address_q.space == SpaceWeights && 32'(address_q.row) + 1 < BlockSize) begin
          address_q.row <= address_q.row + 1'b1;
        end else begin
          address_q.row  <= '0;
          address_q.addr <= address_q.addr + 1'b1;
        end
      end
      if (address_we_i && ready_o) begin
        address_q <= data_i;
        index_q   <= '0;
      end
    end
  end
  for (genvar i = 0; i < LoadWords; i++) begin : gen_word
    always_ff @(posedge clk_i) begin
      if (take && index_q == 7'(i)) data_q[i] <= data_i;
    end
  end

  assign address_o = address_q;
  assign count_o = count_q;
  assign crc_o = ~crc_q;
  assign num_models_o = num_models_q;
  assign table_we_o = take && address_q.space == SpaceModels;
  assign table_addr_o = {address_q.addr[7:0], index_q[1:0]};
  assign out_valid_o = push_q;
  assign out_data_o = {address_q, data_q};
endmodule
