// Loader: gathers the 32-bit words of the load window, or the beats of the load stream, into one wide load word and keeps the program's
// checksum.
//
// Timing     Words are taken in the cycle they are offered while ready_o; after the last word of a load word ready_o is low until it
//            has gone, one cycle when the crossing has room. The checksum follows three cycles later (settled_o).
// Contract   A load word goes out whole or not at all: words come lowest first, as many as the space needs (SpaceWords), to a target this
//            accelerator has. With wide_i as many words are taken as a beat has or the load word still needs, else words_i[0] alone.
//            The checksum covers the words, then the address, of every load word. Bits above a space's last word are
//            those of earlier load words and mean nothing. start_i begins a program and is not given while a word is on its way.
// Model      isa::load::checksum, isa::load_image.

module sl_bus_loader
  import sl_pkg::*;
#(
    parameter int unsigned NumCores = 1,
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned LoadWords = 5,  // window words of the widest load word
    parameter int unsigned BeatWords = 1,  // words of a load stream beat, 1 without a load stream
    parameter logic [6:0][6:0] SpaceWords = '1,  // window words, by space
    parameter logic [6:0][16:0] SpaceDepth = '1  // addresses, by space
) (
    input logic clk_i,
    input logic rst_ni,
    input logic start_i,

    output logic        ready_o,        // an address or a word can be taken
    output logic        settled_o,      // and everything taken is in the checksum
    input  logic        address_we_i,   // to words_i[0]
    input  logic        word_valid_i,
    input  logic        wide_i,         // words of a beat; their index is not asked
    input  logic [ 5:0] word_index_i,
    output logic        word_target_o,  // the target exists
    output logic        word_order_o,   // this index is the next
    output logic        word_whole_o,   // the words offered complete the load word
    output logic [31:0] address_o,
    output logic [31:0] count_o,
    output logic [31:0] crc_o,
    output logic [15:0] num_models_o,

    input logic [BeatWords-1:0][31:0] words_i,

    // Model record as it goes out.
    output logic                        table_we_o,
    output logic [                 7:0] table_addr_o,
    output logic [ModelRecordWidth-1:0] table_data_o,

    output logic                     out_valid_o,
    input  logic                     out_ready_i,
    output logic [31+LoadWords*32:0] out_data_o
);
  if (LoadWords < 1 || LoadWords > 64) begin : gen_bad_words
    $error("sl_bus_loader: LoadWords must be 1 to 64");
  end
  if (32 * LoadWords < ModelRecordWidth) begin : gen_bad_record
    $error("sl_bus_loader: a model record needs more than LoadWords");
  end

  // Words that are taken together: one from the window, full beats and the rest of a load word.
  function automatic logic [16:1] counts();
    counts = 16'd1;
    for (int unsigned n = 1; n <= BeatWords; n++) begin
      for (int unsigned s = 0; s < 7; s++) begin
        if (n == BeatWords && 32'(SpaceWords[s]) >= n) counts[n] = 1'b1;
        if (32'(SpaceWords[s]) % BeatWords == n) counts[n] = 1'b1;
      end
    end
  endfunction

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
  logic [31:0] count_q;
  logic [15:0] num_models_q;
  logic take, sent;
  logic [6:0] left_q;  // words the load word still needs
  logic [4:0] taken;  // words at hand

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

  assign taken = !wide_i ? 5'd1 : left_q < 7'(BeatWords) ? left_q[4:0] : 5'(BeatWords);
  assign word_whole_o = left_q <= (wide_i ? 7'(BeatWords) : 7'd1);

  assign ready_o = !push_q;
  assign take = word_valid_i && ready_o && word_target_o && (wide_i || word_order_o);
  assign sent = push_q && out_ready_i;

  logic crc_settled;
  logic [BeatWords-1:0][31:0] crc_words;
  always_comb begin
    crc_words = words_i;
    if (push_q) crc_words[0] = address_q;
  end
  sl_crc32 #(
      .Words (BeatWords),
      .Counts(counts())
  ) u_crc (
      .clk_i,
      .rst_ni,
      .clear_i  (start_i),
      .valid_i  (take || sent),
      .count_i  (push_q ? 5'd1 : taken),
      .words_i  (crc_words),
      .settled_o(crc_settled),
      .crc_o
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      index_q      <= '0;
      left_q       <= SpaceWords[0];
      push_q       <= 1'b0;
      count_q      <= '0;
      address_q    <= '0;
      num_models_q <= '0;
    end else if (start_i) begin
      index_q      <= '0;
      left_q       <= SpaceWords[0];
      count_q      <= '0;
      address_q    <= '0;
      num_models_q <= '0;
    end else begin
      if (take) begin
        count_q <= count_q + 32'(taken);
        if (word_whole_o) begin
          index_q <= '0;
          left_q  <= SpaceWords[space];
          push_q  <= 1'b1;
        end else begin
          index_q <= index_q + 7'(taken);
          left_q  <= left_q - 7'(taken);
        end
        if (address_q.space == SpaceNumModels) num_models_q <= words_i[0][15:0];
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
        address_q <= words_i[0];
        index_q   <= '0;
        left_q    <= SpaceWords[words_i[0][30:28]];
      end
    end
  end
  for (genvar i = 0; i < LoadWords; i++) begin : gen_word
    logic from_window, from_beat;
    assign from_window = !wide_i && index_q == 7'(i);
    assign from_beat   = wide_i && index_q == 7'(i - i % BeatWords);
    always_ff @(posedge clk_i) begin
      if (take && (from_window || from_beat)) begin
        data_q[i] <= words_i[wide_i?i%BeatWords : 0];
      end
    end
  end

  assign address_o = address_q;
  assign count_o = count_q;
  assign num_models_o = num_models_q;
  assign settled_o = ready_o && crc_settled;
  assign table_we_o = sent && address_q.space == SpaceModels;
  assign table_addr_o = address_q.addr[7:0];
  assign table_data_o = out_data_o[ModelRecordWidth-1:0];
  assign out_valid_o = push_q;
  assign out_data_o = {address_q, data_q};
endmodule
