// Proof of sl_axil_slave: the rules of AXI4-Lite at the bus, one request at a time inside.
//
// Method     Everything that is accepted or answered is counted (modulo 16: at most two are under way), and the readies and valids must be
//            what the counts say, so each looks at registers only, never at a valid or ready of its own cycle. One transaction in
//            sixteen is followed with its address, data and answer; which one is free, so this holds for every one.
// Free       The master, which may even withdraw what it offers; what the inside answers and when; reset at any time.

module axil_rules #(
    parameter int unsigned AddrWidth = 4
) (
    input logic clk_i,
    input logic rst_ni,
    input logic awvalid_i,
    input logic [AddrWidth-1:0] awaddr_i,
    input logic wvalid_i,
    input logic [31:0] wdata_i,
    input logic [3:0] wstrb_i,
    input logic bready_i,
    input logic arvalid_i,
    input logic [AddrWidth-1:0] araddr_i,
    input logic rready_i,
    input logic wr_done_i,
    input logic wr_error_i,
    input logic rd_done_i,
    input logic [31:0] rd_data_i,
    input logic rd_error_i,
    input logic [3:0] pick_i
);
  logic awready, wready, bvalid, arready, rvalid, wr_valid, rd_valid;
  logic [1:0] bresp, rresp;
  logic [31:0] rdata, wr_data;
  logic [3:0] wr_strb;
  logic [AddrWidth-1:0] wr_addr, rd_addr;

  sl_axil_slave #(
      .AddrWidth(AddrWidth)
  ) u_dut (
      .clk_i,
      .rst_ni,
      .awvalid_i,
      .awready_o (awready),
      .awaddr_i,
      .wvalid_i,
      .wready_o  (wready),
      .wdata_i,
      .wstrb_i,
      .bvalid_o  (bvalid),
      .bready_i,
      .bresp_o   (bresp),
      .arvalid_i,
      .arready_o (arready),
      .araddr_i,
      .rvalid_o  (rvalid),
      .rready_i,
      .rdata_o   (rdata),
      .rresp_o   (rresp),
      .wr_valid_o(wr_valid),
      .wr_addr_o (wr_addr),
      .wr_data_o (wr_data),
      .wr_strb_o (wr_strb),
      .wr_done_i,
      .wr_error_i,
      .rd_valid_o(rd_valid),
      .rd_addr_o (rd_addr),
      .rd_done_i,
      .rd_data_i,
      .rd_error_i
  );

  // Accepted (aw, w, ar), done inside (wr, rd), answered (b, r).
  logic [3:0] aw_q, w_q, wr_q, b_q, ar_q, rd_q, r_q;
  // The followed write and read.
  logic [AddrWidth-1:0] awaddr_q, araddr_q;
  logic [35:0] wdata_q;
  logic bad_write_q, bad_read_q;
  logic [31:0] rdata_q;
  // Cycles in which nobody but the slave kept a complete transaction waiting.
  logic [2:0] write_wait_q, read_wait_q;
  logic write_due, read_due;

  logic started_q = 1'b0;
  logic past_reset_q, b_stall_q, r_stall_q, wr_stall_q, rd_stall_q;
  logic [1:0] bresp_q, rresp_q;
  logic [31:0] past_rdata_q;
  logic [AddrWidth+35:0] past_write_q;
  logic [AddrWidth-1:0] past_read_q;
  logic [3:0] pick_q;

  assign write_due = aw_q != b_q && w_q != b_q;
  assign read_due  = ar_q != r_q;

  always_ff @(posedge clk_i) begin
    started_q    <= 1'b1;
    pick_q       <= pick_i;
    past_reset_q <= !rst_ni;
    b_stall_q    <= rst_ni && bvalid && !bready_i;
    r_stall_q    <= rst_ni && rvalid && !rready_i;
    wr_stall_q   <= rst_ni && wr_valid && !wr_done_i;
    rd_stall_q   <= rst_ni && rd_valid && !rd_done_i;
    bresp_q      <= bresp;
    rresp_q      <= rresp;
    past_rdata_q <= rdata;
    past_write_q <= {wr_addr, wr_strb, wr_data};
    past_read_q  <= rd_addr;
    if (!rst_ni) begin
      aw_q         <= '0;
      w_q          <= '0;
      wr_q         <= '0;
      b_q          <= '0;
      ar_q         <= '0;
      rd_q         <= '0;
      r_q          <= '0;
      write_wait_q <= '0;
      read_wait_q  <= '0;
    end else begin
      if (awvalid_i && awready) aw_q <= aw_q + 1'b1;
      if (wvalid_i && wready) w_q <= w_q + 1'b1;
      if (wr_valid && wr_done_i) wr_q <= wr_q + 1'b1;
      if (bvalid && bready_i) b_q <= b_q + 1'b1;
      if (arvalid_i && arready) ar_q <= ar_q + 1'b1;
      if (rd_valid && rd_done_i) rd_q <= rd_q + 1'b1;
      if (rvalid && rready_i) r_q <= r_q + 1'b1;

      if (!write_due || (bvalid && bready_i)) write_wait_q <= '0;
      else if (!(bvalid || (wr_valid && !wr_done_i))) write_wait_q <= write_wait_q + 1'b1;
      if (!read_due || (rvalid && rready_i)) read_wait_q <= '0;
      else if (!(rvalid || (rd_valid && !rd_done_i))) read_wait_q <= read_wait_q + 1'b1;

      if (awvalid_i && awready && aw_q == pick_i) awaddr_q <= awaddr_i;
      if (wvalid_i && wready && w_q == pick_i) wdata_q <= {wstrb_i, wdata_i};
      if (wr_valid && wr_done_i && wr_q == pick_i) bad_write_q <= wr_error_i;
      if (arvalid_i && arready && ar_q == pick_i) araddr_q <= araddr_i;
      if (rd_valid && rd_done_i && rd_q == pick_i) begin
        bad_read_q <= rd_error_i;
        rdata_q    <= rd_data_i;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!started_q) assume (!rst_ni);
    if (started_q) assume (pick_i == pick_q);
    if (started_q && past_reset_q) begin
      Reset_P : assert (!bvalid && !rvalid && !wr_valid && !rd_valid);
      Closed_P : assert (!awready && !wready && !arready);
    end
    if (started_q && rst_ni) begin
      // one response per address and data, in either order, and none without them; at most one more is accepted meanwhile
      WriteAddress_P : assert (awready == (!past_reset_q && aw_q == wr_q));
      WriteData_P : assert (wready == (!past_reset_q && w_q == wr_q));
      WriteAsked_P : assert (wr_valid == (aw_q != wr_q && w_q != wr_q && b_q == wr_q));
      WriteAnswer_P : assert (bvalid == (b_q != wr_q) && (wr_q - b_q) <= 4'd1);
      ReadAddress_P : assert (arready == (!past_reset_q && ar_q == rd_q));
      ReadAsked_P : assert (rd_valid == (ar_q != rd_q && r_q == rd_q));
      ReadAnswer_P : assert (rvalid == (r_q != rd_q) && (rd_q - r_q) <= 4'd1);
      // the n-th address and the n-th data are the n-th request; its answer is the n-th response
      if (wr_valid && wr_q == pick_i) begin
        WriteWhole_P : assert (wr_addr == awaddr_q && {wr_strb, wr_data} == wdata_q);
      end
      if (bvalid && b_q == pick_i) begin
        WriteResponse_P : assert (bresp == {bad_write_q, 1'b0});
      end
      if (rd_valid && rd_q == pick_i) begin
        ReadWhole_P : assert (rd_addr == araddr_q);
      end
      if (rvalid && r_q == pick_i) begin
        ReadResponse_P : assert (rresp == {bad_read_q, 1'b0} && rdata == rdata_q);
      end
      // held until taken
      if (b_stall_q) begin
        HeldB_P : assert (bvalid && bresp == bresp_q);
      end
      if (r_stall_q) begin
        HeldR_P : assert (rvalid && {rresp, rdata} == {rresp_q, past_rdata_q});
      end
      if (wr_stall_q) begin
        HeldWrite_P : assert (wr_valid && {wr_addr, wr_strb, wr_data} == past_write_q);
      end
      if (rd_stall_q) begin
        HeldRead_P : assert (rd_valid && rd_addr == past_read_q);
      end
      // the slave itself adds one cycle
      WriteSoon_P : assert (write_wait_q <= 3'd1);
      ReadSoon_P : assert (read_wait_q <= 3'd1);
      // data first, address first, a second write behind a response that waits, reads and writes at once
      DataFirst_C : cover (w_q == 4'd1 && aw_q == 4'd0);
      AddressFirst_C : cover (aw_q == 4'd1 && w_q == 4'd0);
      Behind_C : cover (bvalid && !bready_i && aw_q == 4'd2 && w_q == 4'd2);
      Both_C : cover (bvalid && bready_i && rvalid && rready_i && b_q == 4'd1 && r_q == 4'd1);

`ifndef SL_NO_INVARIANTS
      Inv_Counts : assert ((aw_q - wr_q) <= 4'd1 && (w_q - wr_q) <= 4'd1 && (ar_q - rd_q) <= 4'd1);
      Inv_Open : assert (u_dut.open_q == !past_reset_q);
      if (u_dut.aw_held_q && wr_q == pick_i) begin
        Inv_Address : assert (wr_addr == awaddr_q);
      end
      if (u_dut.w_held_q && wr_q == pick_i) begin
        Inv_Data : assert ({wr_strb, wr_data} == wdata_q);
      end
      if (u_dut.ar_held_q && rd_q == pick_i) begin
        Inv_Read : assert (rd_addr == araddr_q);
      end
      Inv_Wait : assert (write_wait_q == '0 || bvalid);
      Inv_ReadWait : assert (read_wait_q == '0 || rvalid);
`endif
    end
  end
endmodule
