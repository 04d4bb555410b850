// Proof of sl_cdc_fifo between two clocks of any relation: no word lost, doubled or reordered, whatever the synchronisers see.
//
// Clocks     Both are free: the solver raises and lowers them, together or not. sl_cdc_sync is the model beside this file, whose
//            first register may take either value of a bit that has just changed.
// Method     Words are numbered on both sides (modulo 16: at most four are inside). One in sixteen is followed, which one is free.
// Assumed    Both sides are reset together, until each clock has risen twice; then they leave reset in any order.
// Induction  The pointers of both sides and the synchronisers' views of them stand in one order, at most Depth from first to last.

module crossing_fifo #(
    parameter int unsigned Width = 2,
    parameter int unsigned Depth = 4
) (
    input logic wr_clk_i,
    input logic wr_rst_ni,
    input logic wr_valid_i,
    input logic [Width-1:0] wr_data_i,
    input logic rd_clk_i,
    input logic rd_rst_ni,
    input logic rd_ready_i,
    input logic [3:0] pick_i
);
  localparam int unsigned Bits = $clog2(Depth) + 1;  // of a pointer

  logic wr_ready, wr_empty, rd_valid;
  logic [Width-1:0] rd_data;

  sl_cdc_fifo #(
      .Width(Width),
      .Depth(Depth)
  ) u_dut (
      .wr_clk_i,
      .wr_rst_ni,
      .wr_valid_i,
      .wr_ready_o(wr_ready),
      .wr_data_i,
      .wr_empty_o(wr_empty),
      .rd_clk_i,
      .rd_rst_ni,
      .rd_valid_o(rd_valid),
      .rd_ready_i,
      .rd_data_o (rd_data)
  );

  function automatic logic [Bits-1:0] plain(input logic [Bits-1:0] gray);
    plain = gray;
    for (int unsigned i = 1; i < Bits; i++) plain ^= gray >> i;
  endfunction

  // Writing side.
  logic [1:0] wr_up_q = '0;  // has risen once, twice in reset
  logic wr_open_q = 1'b0;  // and left it
  logic [3:0] sent_q;
  logic [Width-1:0] value_q;
  logic [Bits-1:0] wr_past_q;
  logic [2:0] room_q;  // cycles without room that there was
  logic [3:0] got_q;
  always_ff @(posedge wr_clk_i) begin
    wr_up_q   <= {wr_up_q[0], 1'b1};
    wr_open_q <= wr_rst_ni;
    wr_past_q <= u_dut.wr_gray_q;
    if (!wr_rst_ni) begin
      sent_q <= '0;
      room_q <= '0;
    end else begin
      if (wr_valid_i && wr_ready) begin
        sent_q <= sent_q + 1'b1;
        if (sent_q == pick_i) value_q <= wr_data_i;
      end
      if (wr_ready || sent_q - got_q == 4'(Depth)) room_q <= '0;
      else room_q <= room_q + 1'b1;
    end
  end

  // Reading side.
  logic [1:0] rd_up_q = '0;
  logic rd_open_q = 1'b0;
  logic stall_q = 1'b0;
  logic [Width-1:0] stall_data_q;
  logic [Bits-1:0] rd_past_q;
  logic [2:0] hidden_q;  // cycles in which a word there was does not show
  always_ff @(posedge rd_clk_i) begin
    rd_up_q      <= {rd_up_q[0], 1'b1};
    rd_open_q    <= rd_rst_ni;
    rd_past_q    <= u_dut.rd_gray_q;
    stall_q      <= rd_rst_ni && rd_valid && !rd_ready_i;
    stall_data_q <= rd_data;
    if (!rd_rst_ni) begin
      got_q    <= '0;
      hidden_q <= '0;
    end else begin
      if (rd_valid && rd_ready_i) got_q <= got_q + 1'b1;
      if (rd_valid || sent_q == got_q) hidden_q <= '0;
      else hidden_q <= hidden_q + 1'b1;
    end
  end

  logic up;
  logic [3:0] stock;
  assign up = wr_up_q[1] && rd_up_q[1];
  assign stock = sent_q - got_q;

  // Resets and the followed number stand still.
  logic wr_left, rd_left;  // left reset before
  logic [3:0] pick_before;
  sl_formal_before u_wr_left (
      .d_i(wr_rst_ni),
      .q_o(wr_left)
  );
  sl_formal_before u_rd_left (
      .d_i(rd_rst_ni),
      .q_o(rd_left)
  );
  for (genvar i = 0; i < 4; i++) begin : gen_pick
    sl_formal_before u_pick (
        .d_i(pick_i[i]),
        .q_o(pick_before[i])
    );
  end
  logic started;
  sl_formal_started u_started (.q_o(started));

  always_comb begin
    if (!up) assume (!wr_rst_ni && !rd_rst_ni);
    if (started) begin
      assume (!wr_left || wr_rst_ni);
      assume (!rd_left || rd_rst_ni);
      assume (pick_i == pick_before);
    end
    if (up) begin
      Capacity_P : assert (stock <= 4'(Depth));
      if (rd_valid) begin
        Present_P : assert (stock != '0);
      end
      if (wr_ready) begin
        Room_P : assert (stock != 4'(Depth));
      end
      if (wr_empty) begin
        Empty_P : assert (stock == '0);
      end
      if (rd_valid && got_q == pick_i) begin
        Order_P : assert (rd_data == value_q);
      end
      GrayWrite_P : assert (!wr_open_q || $onehot0(wr_past_q ^ u_dut.wr_gray_q));
      GrayRead_P : assert (!rd_open_q || $onehot0(rd_past_q ^ u_dut.rd_gray_q));
      if (stall_q) begin
        Held_P : assert (rd_valid && rd_data == stall_data_q);
      end
      // it goes on: three cycles of the side that waits
      Shows_P : assert (hidden_q <= 3'd3);
      Frees_P : assert (room_q <= 3'd3);
      Wrap_C : cover (sent_q == 4'd5 && got_q == 4'd5);
    end
  end

`ifndef SL_NO_INVARIANTS
  logic [Bits-1:0] to_meta, to_seen, to_read, to_back, to_known, to_free, all;
  logic [Bits-1:0] wr_meta, wr_seen, rd_meta, rd_seen;
  for (genvar i = 0; i < Bits; i++) begin : gen_view
    assign wr_meta[i] = u_dut.gen_sync[i].u_wr.meta_q[0];
    assign wr_seen[i] = u_dut.gen_sync[i].u_wr.meta_q[1];
    assign rd_meta[i] = u_dut.gen_sync[i].u_rd.meta_q[0];
    assign rd_seen[i] = u_dut.gen_sync[i].u_rd.meta_q[1];
  end
  assign to_meta = u_dut.wr_ptr_q - plain(wr_meta);
  assign to_seen = plain(wr_meta) - plain(wr_seen);
  assign to_read = plain(wr_seen) - u_dut.rd_ptr_q;
  assign to_back = u_dut.rd_ptr_q - plain(rd_meta);
  assign to_known = plain(rd_meta) - plain(rd_seen);
  assign to_free = Bits'(Depth) - (u_dut.wr_ptr_q - plain(rd_meta));
  assign all = u_dut.wr_ptr_q - plain(rd_seen);

  always_comb begin
    if (up) begin
      Inv_Gray :
      assert (u_dut.wr_gray_q == (u_dut.wr_ptr_q ^ (u_dut.wr_ptr_q >> 1))
          && u_dut.rd_gray_q == (u_dut.rd_ptr_q ^ (u_dut.rd_ptr_q >> 1)));
      Inv_Count : assert (u_dut.wr_ptr_q == sent_q[Bits-1:0] && u_dut.rd_ptr_q == got_q[Bits-1:0]);
      Inv_Chain :
      assert (6'(to_meta) + 6'(to_seen) + 6'(to_read) + 6'(to_back) + 6'(to_known) <= 6'(Depth));
      Inv_All : assert (32'(all) <= Depth);
      if (4'(pick_i - got_q) < stock) begin
        Inv_Stored : assert (u_dut.cdc_mem[pick_i[Bits-2:0]] == value_q);
      end
      Inv_Waits : assert ((hidden_q == '0 || stock != '0) && (room_q == '0 || stock != 4'(Depth)));
      Inv_Shows :
      assert ((hidden_q < 3'd2 || plain(
          wr_meta
      ) != u_dut.rd_ptr_q) && (hidden_q < 3'd3 || rd_valid));
      Inv_Frees : assert ((room_q < 3'd2 || to_free != '0) && (room_q < 3'd3 || wr_ready));
      Inv_Wr : assert (wr_open_q || sent_q == '0);
      Inv_Rd : assert (rd_open_q || got_q == '0);
    end
  end

  always_comb begin
    Inv_Once : assert (wr_up_q != 2'b10 && rd_up_q != 2'b10);
    if (wr_up_q[0] && !wr_rst_ni) begin
      Inv_WriteReset :
      assert ({u_dut.wr_ptr_q, u_dut.wr_gray_q, rd_meta, rd_seen, sent_q, room_q, wr_open_q} == '0);
    end
    if (rd_up_q[0] && !rd_rst_ni) begin
      Inv_ReadReset :
      assert ({u_dut.rd_ptr_q, u_dut.rd_gray_q, wr_meta, wr_seen, got_q, hidden_q, rd_open_q, stall_q} == '0);
    end
  end
`endif
endmodule
