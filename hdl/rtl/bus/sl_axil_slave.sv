// AXI4-Lite slave: turns the five channels into one write and one read request at a time, side by side.
//
// Timing     A write is requested in the cycle after its later half (address or data) has come; its response stands one cycle after it
//            is done: one write every two cycles. A read is requested in the cycle after its address.
// Handshake  Every ready and valid at the bus is a register or its inverse. A request holds, with its payload, until done.
// Contract   wr_done_i and rd_done_i may be combinational from the request. An error is answered with SLVERR. Protection bits do not exist.

`include "sl_assert.svh"

module sl_axil_slave #(
    parameter int unsigned AddrWidth = 21  // bits, byte address
) (
    input logic clk_i,
    input logic rst_ni,

    input  logic                 awvalid_i,
    output logic                 awready_o,
    input  logic [AddrWidth-1:0] awaddr_i,
    input  logic                 wvalid_i,
    output logic                 wready_o,
    input  logic [         31:0] wdata_i,
    input  logic [          3:0] wstrb_i,
    output logic                 bvalid_o,
    input  logic                 bready_i,
    output logic [          1:0] bresp_o,
    input  logic                 arvalid_i,
    output logic                 arready_o,
    input  logic [AddrWidth-1:0] araddr_i,
    output logic                 rvalid_o,
    input  logic                 rready_i,
    output logic [         31:0] rdata_o,
    output logic [          1:0] rresp_o,

    output logic                 wr_valid_o,
    output logic [AddrWidth-1:0] wr_addr_o,
    output logic [         31:0] wr_data_o,
    output logic [          3:0] wr_strb_o,
    input  logic                 wr_done_i,
    input  logic                 wr_error_i,
    output logic                 rd_valid_o,
    output logic [AddrWidth-1:0] rd_addr_o,
    input  logic                 rd_done_i,
    input  logic [         31:0] rd_data_i,
    input  logic                 rd_error_i
);
  logic open_q;  // out of reset: nothing is ready before
  logic aw_held_q, w_held_q, b_valid_q, b_error_q;
  logic ar_held_q, r_valid_q, r_error_q;
  logic wr_end, rd_end;

  assign awready_o = open_q && !aw_held_q;
  assign wready_o = open_q && !w_held_q;
  assign wr_valid_o = aw_held_q && w_held_q && !b_valid_q;
  assign wr_end = wr_valid_o && wr_done_i;
  assign bvalid_o = b_valid_q;
  assign bresp_o = {b_error_q, 1'b0};

  assign arready_o = open_q && !ar_held_q;
  assign rd_valid_o = ar_held_q && !r_valid_q;
  assign rd_end = rd_valid_o && rd_done_i;
  assign rvalid_o = r_valid_q;
  assign rresp_o = {r_error_q, 1'b0};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q    <= 1'b0;
      aw_held_q <= 1'b0;
      w_held_q  <= 1'b0;
      b_valid_q <= 1'b0;
      ar_held_q <= 1'b0;
      r_valid_q <= 1'b0;
    end else begin
      open_q <= 1'b1;
      if (wr_end) begin
        aw_held_q <= 1'b0;
        w_held_q  <= 1'b0;
      end else begin
        if (awvalid_i && awready_o) aw_held_q <= 1'b1;
        if (wvalid_i && wready_o) w_held_q <= 1'b1;
      end
      if (wr_end) b_valid_q <= 1'b1;
      else if (bready_i) b_valid_q <= 1'b0;

      if (rd_end) ar_held_q <= 1'b0;
      else if (arvalid_i && arready_o) ar_held_q <= 1'b1;
      if (rd_end) r_valid_q <= 1'b1;
      else if (rready_i) r_valid_q <= 1'b0;
    end
  end
  always_ff @(posedge clk_i) begin
    if (awvalid_i && awready_o) wr_addr_o <= awaddr_i;
    if (wvalid_i && wready_o) begin
      wr_data_o <= wdata_i;
      wr_strb_o <= wstrb_i;
    end
    if (arvalid_i && arready_o) rd_addr_o <= araddr_i;
    if (wr_end) b_error_q <= wr_error_i;
    if (rd_end) begin
      r_error_q <= rd_error_i;
      rdata_o   <= rd_data_i;
    end
  end

  `SL_ASSERT(WriteResponseHeld_A, bvalid_o && !bready_i |=> bvalid_o && $stable(bresp_o))
  `SL_ASSERT(ReadDataHeld_A, rvalid_o && !rready_i |=> rvalid_o && $stable({rresp_o, rdata_o}))
  `SL_ASSERT(WriteAddressHeld_A, awvalid_i && !awready_o |=> awvalid_i && $stable(awaddr_i))
  `SL_ASSERT(WriteDataHeld_A, wvalid_i && !wready_o |=> wvalid_i && $stable({wdata_i, wstrb_i}))
  `SL_ASSERT(ReadAddressHeld_A, arvalid_i && !arready_o |=> arvalid_i && $stable(araddr_i))
endmodule
