// CRC-32 (polynomial 0x04C11DB7, reflected) of 32-bit words, lowest byte first, several a cycle.
//
// Timing     Words taken in cycle u are in crc_o from u+3 on; settled_o: nothing is on its way.
// Contract   count_i words are taken, words_i[0] first. Counts names the counts that occur. clear_i begins anew; words of its cycle are
//            not taken. crc_o is that of zlib.
// Model      isa::load::crc32_from, isa::load::crc_advance.

module sl_crc32
  import sl_pkg::*;
#(
    parameter int unsigned Words = 1,  // 1 to 16
    parameter logic [16:1] Counts = 16'd1  // bit n: n words may come together
) (
    input logic clk_i,
    input logic rst_ni,
    input logic clear_i,

    input logic                   valid_i,
    input logic [      4:0]       count_i,
    input logic [Words-1:0][31:0] words_i,

    output logic        settled_o,
    output logic [31:0] crc_o
);
  if (Words < 1 || Words > 16) begin : gen_bad_words
    $error("sl_crc32: Words must be 1 to 16");
  end

  logic taken_q, folded_q;
  logic [4:0] taken_count_q, folded_count_q;
  logic [Words-1:0][31:0] words_q;
  logic [31:0] fold_q, state_q;

  // By count: the words on their own, and the state as many words later.
  logic [16:1][31:0] folds, states;
  logic [31:0] fold, state;
  for (genvar n = 1; n <= 16; n++) begin : gen_count
    if (n <= Words && Counts[n]) begin : gen_occurs
      for (genvar i = 0; i < 32; i++) begin : gen_bit
        logic [n-1:0] parts;
        for (genvar k = 0; k < n; k++) begin : gen_word
          assign parts[k] = ^(words_q[k] & CrcAdvance[n-k-1][i]);
        end
        assign folds[n][i]  = taken_count_q == 5'(n) && ^parts;
        assign states[n][i] = folded_count_q == 5'(n) && ^(state_q & CrcAdvance[n-1][i]);
      end
    end else begin : gen_never
      assign folds[n]  = '0;
      assign states[n] = '0;
    end
  end
  always_comb begin
    fold  = '0;
    state = '0;
    for (int unsigned n = 1; n <= 16; n++) begin
      fold |= folds[n];
      state |= states[n];
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      taken_q  <= 1'b0;
      folded_q <= 1'b0;
      state_q  <= '1;
    end else begin
      taken_q  <= valid_i;
      folded_q <= taken_q;
      if (folded_q) state_q <= state ^ fold_q;
    end
  end
  always_ff @(posedge clk_i) begin
    taken_count_q  <= count_i;
    folded_count_q <= taken_count_q;
    words_q        <= words_i;
    fold_q         <= fold;
  end

  assign settled_o = !taken_q && !folded_q;
  assign crc_o = ~state_q;
endmodule
