// Proof of sl_load_stream with sl_bus_loader against its header: a packet's first beat is the address, the others fill load words from the
// lowest on, whole ones only; a packet that is refused loads nothing any more and is taken to its end; the bus and a packet never mix.
//
// Method     Beats are seen where they leave the FIFO (fifo_small proves what is before it); one word of a load word (which one is
//            free) is followed to the crossing.
// Free       Packets, load and restart of it, the crossing, words of the bus, reset at any time.
// Assumed    The bus asks only while the loader is ready and no packet has it, the window words in order; it begins a load only while
//            none is on its way (bus_rules.sv).

module load_stream
  import sl_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic tvalid_i,
    input logic [63:0] tdata_i,
    input logic tlast_i,
    input logic loading_i,
    input logic start_i,
    input logic bus_address_we_i,
    input logic bus_word_valid_i,
    input logic [31:0] bus_data_i,
    input logic word_ready_i,
    input logic [1:0] pick_i
);
  localparam int unsigned LoadWords = 3;
  // By space, the last first: number of models, models, control, clamps, constants, instructions, weights.
  localparam logic [6:0][6:0] SpaceWords = {7'd1, 7'd3, 7'd1, 7'd2, 7'd2, 7'd1, 7'd3};
  localparam logic [6:0][16:0] SpaceDepth = {17'd1, 17'd2, 17'd8, 17'd4, 17'd4, 17'd8, 17'd4};

  logic tready, busy, refused, bad_target, bad_order, ready, settled, target, order, whole;
  logic address_we, word_we, wide, table_we, word_valid;
  logic [1:0][31:0] words;
  logic [31:0] address, count, crc;
  logic [15:0] num_models;
  logic [ 7:0] table_addr;
  logic [ModelRecordWidth-1:0] table_data;
  logic [31+LoadWords*32:0] word;

  sl_load_stream #(
      .Words(2)
  ) u_stream (
      .clk_i,
      .rst_ni,
      .tvalid_i,
      .tready_o        (tready),
      .tdata_i,
      .tlast_i,
      .loading_i,
      .start_i,
      .bus_address_we_i,
      .bus_word_valid_i,
      .bus_data_i,
      .busy_o          (busy),
      .refused_o       (refused),
      .bad_target_o    (bad_target),
      .bad_order_o     (bad_order),
      .ready_i         (ready),
      .target_i        (target),
      .whole_i         (whole),
      .address_we_o    (address_we),
      .word_valid_o    (word_we),
      .wide_o          (wide),
      .words_o         (words)
  );

  sl_bus_loader #(
      .NumCores  (2),
      .BlockSize (4),
      .LoadWords (LoadWords),
      .BeatWords (2),
      .SpaceWords(SpaceWords),
      .SpaceDepth(SpaceDepth)
  ) u_loader (
      .clk_i,
      .rst_ni,
      .start_i,
      .ready_o      (ready),
      .settled_o    (settled),
      .address_we_i (address_we),
      .word_valid_i (word_we),
      .wide_i       (wide),
      .word_index_i (u_loader.index_q[5:0]),
      .word_target_o(target),
      .word_order_o (order),
      .word_whole_o (whole),
      .address_o    (address),
      .count_o      (count),
      .crc_o        (crc),
      .num_models_o (num_models),
      .words_i      (words),
      .table_we_o   (table_we),
      .table_addr_o (table_addr),
      .table_data_o (table_data),
      .out_valid_o  (word_valid),
      .out_ready_i  (word_ready_i),
      .out_data_o   (word)
  );

  // A beat at the head of the FIFO, taken this cycle, and where its packet stands.
  logic valid, last, taken, lost, error;
  assign valid = u_stream.valid;
  assign last  = u_stream.last;
  assign taken = valid && u_stream.pop;
  assign lost  = start_i || !loading_i;
  assign error = refused || bad_target || bad_order;

  logic started_q = 1'b0;
  logic inside_q;  // beats of the packet have been taken
  logic dead_q;  // the packet at the head has had its error
  logic stall_q;
  logic [1:0] pick_q, idle_q;  // cycles the head has waited for nothing
  logic [31+LoadWords*32:0] word_q;
  logic [31:0] want_q;
  logic [6:0] got_q;  // words of the load word
  logic [31:0] count_q;
  logic [2:0] space;
  logic [1:0] step;  // words taken
  assign space = address[30:28];
  assign step = !word_we ? 2'd0 : !wide || got_q + 7'd1 == SpaceWords[space] ? 2'd1 : 2'd2;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    pick_q <= pick_i;
    stall_q <= rst_ni && word_valid && !word_ready_i;
    word_q <= word;
    count_q <= !rst_ni || start_i ? '0 : count + 32'(step);
    if (!rst_ni) begin
      inside_q <= 1'b0;
      dead_q   <= 1'b0;
    end else begin
      if (taken) inside_q <= !last;
      if (taken && last) dead_q <= 1'b0;
      else if (refused || bad_target) dead_q <= 1'b1;
    end
    idle_q <= rst_ni && valid && !taken && ready && !error ? idle_q + 2'd1 : '0;
    if (!rst_ni || start_i || address_we) begin
      got_q <= '0;
    end else if (word_we) begin
      got_q <= got_q + 7'(step);
      for (int unsigned i = 0; i < 2; i++) begin
        if (i < 32'(step) && 7'(pick_i) == got_q + 7'(i)) want_q <= wide ? u_stream.beat[i] : bus_data_i;
      end
    end else if (word_valid && word_ready_i) begin
      got_q <= '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!started_q) assume (!rst_ni);
    if (started_q) assume (pick_i == pick_q);
    assume (!(bus_address_we_i && bus_word_valid_i));
    if (bus_address_we_i || bus_word_valid_i) assume (ready && !busy && loading_i && !start_i);
    if (bus_word_valid_i) assume (target);
    if (start_i) assume (ready);
    if (started_q && rst_ni) begin
      // a packet and the bus
      if (wide && (address_we || word_we)) begin
        Taken_P : assert (busy && taken && !lost && !dead_q && ready);
      end
      if (wide && address_we) begin
        First_P : assert (!inside_q && words[0] == u_stream.beat[0]);
      end
      if (wide && word_we) begin
        Words_P : assert (inside_q && target && words == u_stream.beat && (!last || whole));
      end
      if (!wide) begin
        Bus_P :
        assert (address_we == bus_address_we_i && word_we == bus_word_valid_i && words[0] == bus_data_i);
      end
      // nothing is skipped without an error: a beat of a packet without one is an address, words, or the end inside a load word
      if (taken && !dead_q) begin
        Used_P : assert (bad_order || (wide && (inside_q ? word_we : address_we)));
      end
      if (error) begin
        Once_P : assert (!dead_q && !word_we && !address_we);
      end
      if (bad_order) begin
        Order_P : assert (taken && last && inside_q && !whole);
      end
      if (bad_target) begin
        Target_P : assert (inside_q && !target);
      end
      if (refused) begin
        Refused_P : assert (lost);
      end
      // it ends, and waits for nothing but the loader
      if (busy) begin
        Busy_P : assert (!dead_q);
      end
      Waits_P : assert (idle_q <= 2'd1);
      // load words
      if (word_valid) begin
        WholeWord_P : assert (got_q == SpaceWords[space]);
        if (7'(pick_i) < SpaceWords[space]) begin
          WordData_P : assert (word[32*pick_i+:32] == want_q);
        end
        Exists_P :
        assert (address[31:28] <= 4'd6 && 17'(address[15:0]) < SpaceDepth[space]
            && address[27:23] < (address[31:28] <= 4'd3 ? 5'd2 : 5'd1)
            && address[22:16] < (address[31:28] == 4'd0 ? 7'd4 : 7'd1));
      end
      if (stall_q) begin
        WordHeld_P : assert (word_valid && word == word_q);
      end
      Count_P : assert (count == count_q);
      Word_C : cover (word_valid && wide && got_q == 7'd3);
      Again_C : cover (wide && address_we && count == 32'd6);

`ifndef SL_NO_INVARIANTS
      Inv_Drop : assert (u_stream.drop_q == dead_q);
      Inv_Busy : assert (!(busy && dead_q));
      Inv_Inside : assert (!inside_q || busy || dead_q);
      if (busy) begin
        Inv_First : assert (u_stream.first_q == !inside_q);
        Inv_Head : assert (inside_q || valid);
        Inv_Even : assert (u_stream.first_q || word_valid || u_loader.index_q[0] == 1'b0);
      end
      if (address[31:28] <= 4'd6) begin
        Inv_Left : assert (u_loader.left_q == SpaceWords[space] - u_loader.index_q);
      end
      Inv_Index : assert (word_valid ? u_loader.index_q == '0 : u_loader.index_q == got_q);
      Inv_Within : assert (got_q == '0 || word_valid || (target && got_q < SpaceWords[space]));
      if (word_valid) begin
        Inv_Target : assert (target);
      end
      if (7'(pick_i) < got_q) begin
        Inv_Word : assert (u_loader.data_q[pick_i] == want_q);
      end
      if (idle_q != '0) begin
        Inv_Claimed : assert (busy && valid);
      end
`endif
    end
  end

  logic unused;
  assign unused = ^{tready, settled, order, crc, num_models, table_we, table_addr, table_data};
endmodule
