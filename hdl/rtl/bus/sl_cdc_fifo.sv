// FIFO between two clock domains, Gray-coded pointers.
//
// Timing     A word written shows at the other side 2 to 3 of its cycles later; one word per cycle on both sides.
// Handshake  valid/ready on both sides. wr_empty_o: everything written has been read.
// Contract   Depth is a power of two of at least 4. Both sides are reset together. Constraints: sl_cdc*.sdc, sl_cdc.xdc.

module sl_cdc_fifo #(
    parameter int unsigned Width = 32,  // bits
    parameter int unsigned Depth = 4    // words
) (
    input  logic             wr_clk_i,
    input  logic             wr_rst_ni,
    input  logic             wr_valid_i,
    output logic             wr_ready_o,
    input  logic [Width-1:0] wr_data_i,
    output logic             wr_empty_o,

    input  logic             rd_clk_i,
    input  logic             rd_rst_ni,
    output logic             rd_valid_o,
    input  logic             rd_ready_i,
    output logic [Width-1:0] rd_data_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);

  if (Depth < 4 || 2 ** AddrWidth != Depth) begin : gen_bad_depth
    $error("sl_cdc_fifo: Depth must be a power of two of at least 4");
  end

  // One bit more than an address, so that full and empty differ.
  logic [AddrWidth:0] wr_ptr_q, wr_ptr_d, wr_gray_q, wr_gray_sync;
  logic [AddrWidth:0] rd_ptr_q, rd_ptr_d, rd_gray_q, rd_gray_sync;
  logic push, pop;
  // Registers, not a memory: constraints name them.
  (* ram_style = "registers", ramstyle = "logic" *) logic [Width-1:0] cdc_mem[Depth];

  // Full: a whole turn apart, which Gray code shows in its two upper bits.
  assign wr_ready_o = wr_gray_q != {~rd_gray_sync[AddrWidth:AddrWidth-1],
                                    rd_gray_sync[AddrWidth-2:0]};
  assign wr_empty_o = wr_gray_q == rd_gray_sync;
  assign push = wr_valid_i && wr_ready_o;
  assign wr_ptr_d = wr_ptr_q + (AddrWidth + 1)'(push);

  always_ff @(posedge wr_clk_i) begin
    if (!wr_rst_ni) begin
      wr_ptr_q  <= '0;
      wr_gray_q <= '0;
    end else begin
      wr_ptr_q  <= wr_ptr_d;
      wr_gray_q <= wr_ptr_d ^ (wr_ptr_d >> 1);
    end
  end
  always_ff @(posedge wr_clk_i) begin
    if (push) cdc_mem[wr_ptr_q[AddrWidth-1:0]] <= wr_data_i;
  end

  assign rd_valid_o = rd_gray_q != wr_gray_sync;
  assign rd_data_o = cdc_mem[rd_ptr_q[AddrWidth-1:0]];
  assign pop = rd_valid_o && rd_ready_i;
  assign rd_ptr_d = rd_ptr_q + (AddrWidth + 1)'(pop);

  always_ff @(posedge rd_clk_i) begin
    if (!rd_rst_ni) begin
      rd_ptr_q  <= '0;
      rd_gray_q <= '0;
    end else begin
      rd_ptr_q  <= rd_ptr_d;
      rd_gray_q <= rd_ptr_d ^ (rd_ptr_d >> 1);
    end
  end

  for (genvar i = 0; i <= AddrWidth; i++) begin : gen_sync
    sl_cdc_sync u_wr (
        .clk_i  (rd_clk_i),
        .rst_ni (rd_rst_ni),
        .async_i(wr_gray_q[i]),
        .sync_o (wr_gray_sync[i])
    );
    sl_cdc_sync u_rd (
        .clk_i  (wr_clk_i),
        .rst_ni (wr_rst_ni),
        .async_i(rd_gray_q[i]),
        .sync_o (rd_gray_sync[i])
    );
  end
endmodule
