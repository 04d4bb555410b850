// Load stream: packets of load words, beside the load window of the bus.
//
// Packet     The first beat holds the load address in word 0. Then load words, each from a new beat on, lowest word first; what its last
//            beat holds beyond it is ignored. tlast comes with the last beat of a load word, or with the first beat.
// Timing     A beat a cycle, and one more for each load word; a packet's first beat waits one cycle longer.
// Contract   While a packet has the loader (busy_o) the bus waits. A packet that comes without a load, that the end or restart of its load
//            overtakes, or whose target does not exist, is taken up to its tlast and loads nothing any more; a tlast inside a load word
//            drops that load word. One error per packet.
// Model      isa::load_image::stream_packets.

module sl_load_stream #(
    parameter int unsigned Words = 4  // 32-bit words of a beat
) (
    input logic clk_i,
    input logic rst_ni,

    input  logic                tvalid_i,
    output logic                tready_o,
    input  logic [32*Words-1:0] tdata_i,
    input  logic                tlast_i,

    // Register block: its requests while no packet has the loader, errors of a packet for one cycle.
    input  logic        loading_i,
    input  logic        start_i,
    input  logic        bus_address_we_i,
    input  logic        bus_word_valid_i,
    input  logic [31:0] bus_data_i,
    output logic        busy_o,
    output logic        refused_o,         // no load
    output logic        bad_target_o,
    output logic        bad_order_o,       // tlast inside a load word

    // Loader.
    input  logic                   ready_i,
    input  logic                   target_i,
    input  logic                   whole_i,
    output logic                   address_we_o,
    output logic                   word_valid_o,
    output logic                   wide_o,
    output logic [Words-1:0][31:0] words_o
);
  if (Words != 1 && Words != 2 && Words != 4 && Words != 8 && Words != 16) begin : gen_bad_words
    $error("sl_load_stream: Words must be 1, 2, 4, 8 or 16");
  end

  logic fifo_ready, valid, last, pop;
  logic [Words-1:0][31:0] beat;
  sl_fifo #(
      .Width(32 * Words + 1),
      .Depth(4)
  ) u_fifo (
      .clk_i,
      .rst_ni,
      .in_valid_i (tvalid_i && rst_ni),
      .in_ready_o (fifo_ready),
      .in_data_i  ({tlast_i, tdata_i}),
      .out_valid_o(valid),
      .out_ready_i(pop),
      .out_data_o ({last, beat})
  );
  assign tready_o = fifo_ready && rst_ni;

  logic busy_q;  // a packet has the loader
  logic first_q;  // its first beat is still to come
  logic drop_q;  // the rest of the packet is dropped
  logic claim, lost, go, fits;
  assign claim = valid && !busy_q && !drop_q;
  assign lost = start_i || !loading_i;
  assign go = busy_q && !lost && valid && ready_i;
  assign fits = !last || whole_i;

  assign refused_o = lost && (claim || busy_q);
  assign bad_target_o = go && !first_q && !target_i;
  assign bad_order_o = go && !first_q && target_i && !fits;
  assign pop = drop_q || (go && !bad_target_o);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      first_q <= 1'b0;
      drop_q  <= 1'b0;
    end else begin
      if (refused_o || bad_target_o) drop_q <= 1'b1;
      else if (valid && last) drop_q <= 1'b0;
      if (lost || bad_target_o || (go && last)) busy_q <= 1'b0;
      else if (claim) busy_q <= 1'b1;
      if (claim) first_q <= 1'b1;
      else if (go) first_q <= 1'b0;
    end
  end

  assign busy_o = busy_q;
  assign wide_o = busy_q;
  assign address_we_o = busy_q ? go && first_q : bus_address_we_i;
  assign word_valid_o = busy_q ? go && !first_q && target_i && fits : bus_word_valid_i;
  always_comb begin
    words_o = beat;
    if (!busy_q) words_o[0] = bus_data_i;
  end
endmodule
