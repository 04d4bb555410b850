// Proof of sl_cdc_handshake between two clocks of any relation: no word lost, doubled or changed, whatever the synchronisers see.
//
// Clocks, method and assumptions as crossing_fifo.sv. As one word at most is inside, all are followed.

module crossing_handshake #(
    parameter int unsigned Width = 2
) (
    input logic src_clk_i,
    input logic src_rst_ni,
    input logic src_valid_i,
    input logic [Width-1:0] src_data_i,
    input logic dst_clk_i,
    input logic dst_rst_ni,
    input logic dst_ready_i
);
  logic src_ready, dst_valid;
  logic [Width-1:0] dst_data;

  sl_cdc_handshake #(
      .Width(Width)
  ) u_dut (
      .src_clk_i,
      .src_rst_ni,
      .src_valid_i,
      .src_ready_o(src_ready),
      .src_data_i,
      .dst_clk_i,
      .dst_rst_ni,
      .dst_valid_o(dst_valid),
      .dst_ready_i,
      .dst_data_o (dst_data)
  );

  logic [1:0] sent_q, got_q;
  logic on_way;
  assign on_way = sent_q != got_q;

  // Source side.
  logic [1:0] src_up_q = '0;  // has risen once, twice in reset
  logic [Width-1:0] value_q;
  logic [2:0] closed_q;  // cycles in which the word before was taken and the source may not send
  always_ff @(posedge src_clk_i) begin
    src_up_q <= {src_up_q[0], 1'b1};
    if (!src_rst_ni) begin
      sent_q   <= '0;
      closed_q <= '0;
    end else begin
      if (src_valid_i && src_ready) begin
        sent_q  <= sent_q + 1'b1;
        value_q <= src_data_i;
      end
      closed_q <= src_ready || on_way ? '0 : closed_q + 1'b1;
    end
  end

  // Destination side.
  logic [1:0] dst_up_q = '0;
  logic stall_q = 1'b0;
  logic [Width-1:0] past_data_q;
  logic [2:0] hidden_q;  // cycles in which a word there was does not show
  always_ff @(posedge dst_clk_i) begin
    dst_up_q    <= {dst_up_q[0], 1'b1};
    stall_q     <= dst_rst_ni && dst_valid && !dst_ready_i;
    past_data_q <= dst_data;
    if (!dst_rst_ni) begin
      got_q    <= '0;
      hidden_q <= '0;
    end else begin
      if (dst_valid && dst_ready_i) got_q <= got_q + 1'b1;
      hidden_q <= dst_valid || !on_way ? '0 : hidden_q + 1'b1;
    end
  end

  logic up, started, src_left, dst_left;
  assign up = src_up_q[1] && dst_up_q[1];
  sl_formal_started u_started (.q_o(started));
  sl_formal_before u_src_left (
      .d_i(src_rst_ni),
      .q_o(src_left)
  );
  sl_formal_before u_dst_left (
      .d_i(dst_rst_ni),
      .q_o(dst_left)
  );

  always_comb begin
    if (!up) assume (!src_rst_ni && !dst_rst_ni);
    if (started) begin
      assume (!src_left || src_rst_ni);
      assume (!dst_left || dst_rst_ni);
    end
    if (up) begin
      One_P : assert ((sent_q - got_q) <= 2'd1);
      if (src_ready) begin
        Taken_P : assert (!on_way);
      end
      if (dst_valid) begin
        Offered_P : assert (on_way);
        Value_P : assert (dst_data == value_q);
        // from the cycle before it is offered on
        Still_P : assert (dst_data == past_data_q);
      end
      if (stall_q) begin
        Kept_P : assert (dst_valid);
      end
      Appears_P : assert (hidden_q <= 3'd3);
      Reopens_P : assert (closed_q <= 3'd3);
      Second_C : cover (got_q == 2'd1 && sent_q == 2'd2);

`ifndef SL_NO_INVARIANTS
      Inv_Request : assert (u_dut.request_q == sent_q[0] && u_dut.taken_q == got_q[0]);
      // The last word is on its way there, or the news of its end is on its way back.
      if (on_way) begin
        Inv_Open : assert (closed_q == '0);
        Inv_Back :
        assert (u_dut.u_taken.meta_q == {2{u_dut.taken_q}} && u_dut.cdc_data_q == value_q);
        Inv_Shows :
        assert ((hidden_q < 3'd2 || u_dut.u_request.meta_q[0] == u_dut.request_q) && (hidden_q < 3'd3 || dst_valid));
        Inv_There :
        assert (u_dut.u_request.meta_q[1] == u_dut.taken_q || u_dut.u_request.meta_q[0] == u_dut.request_q);
      end else begin
        Inv_Nothing : assert (hidden_q == '0);
        Inv_Seen : assert (u_dut.u_request.meta_q == {2{u_dut.request_q}});
        Inv_Reopens :
        assert ((closed_q < 3'd2 || u_dut.u_taken.meta_q[0] == u_dut.taken_q) && (closed_q < 3'd3 || src_ready));
        Inv_Known :
        assert (u_dut.u_taken.meta_q[1] != u_dut.taken_q || u_dut.u_taken.meta_q[0] == u_dut.taken_q);
      end
`endif
    end
  end

`ifndef SL_NO_INVARIANTS
  always_comb begin
    Inv_Once : assert (src_up_q != 2'b10 && dst_up_q != 2'b10);
    if (src_up_q[0] && !src_rst_ni) begin
      Inv_Source : assert ({u_dut.request_q, u_dut.u_taken.meta_q, sent_q, closed_q} == '0);
    end
    if (dst_up_q[0] && !dst_rst_ni) begin
      Inv_Destination :
      assert ({u_dut.taken_q, u_dut.u_request.meta_q, got_q, hidden_q, stall_q} == '0);
    end
  end
`endif
endmodule
