// Hands words from one clock domain to another, one at a time.
//
// Timing     A word taken from the source shows at the destination 2 to 3 of its cycles later; the source is ready again 2 to 3 of its
//            own cycles after the destination has taken it.
// Handshake  valid/ready on both sides. src_ready_o also says that the word before has been taken.
// Contract   dst_data_o is the source's register: it stands still from before dst_valid_o rises until the word is taken. Both sides are
//            reset together. Constraints: sl_cdc*.sdc, sl_cdc.xdc.

module sl_cdc_handshake #(
    parameter int unsigned Width = 32  // bits
) (
    input  logic             src_clk_i,
    input  logic             src_rst_ni,
    input  logic             src_valid_i,
    output logic             src_ready_o,
    input  logic [Width-1:0] src_data_i,

    input  logic             dst_clk_i,
    input  logic             dst_rst_ni,
    output logic             dst_valid_o,
    input  logic             dst_ready_i,
    output logic [Width-1:0] dst_data_o
);
  logic request_q, request_sync;  // toggles with every word
  logic taken_q, taken_sync;  // follows when the word is taken
  logic [Width-1:0] cdc_data_q;

  assign src_ready_o = request_q == taken_sync;
  assign dst_valid_o = request_sync != taken_q;
  assign dst_data_o  = cdc_data_q;

  // Data too: a request seen while only one side has been reset must mean nothing.
  always_ff @(posedge src_clk_i) begin
    if (!src_rst_ni) begin
      request_q  <= 1'b0;
      cdc_data_q <= '0;
    end else if (src_valid_i && src_ready_o) begin
      request_q  <= !request_q;
      cdc_data_q <= src_data_i;
    end
  end

  always_ff @(posedge dst_clk_i) begin
    if (!dst_rst_ni) taken_q <= 1'b0;
    else if (dst_valid_o && dst_ready_i) taken_q <= request_sync;
  end

  sl_cdc_sync u_request (
      .clk_i  (dst_clk_i),
      .rst_ni (dst_rst_ni),
      .async_i(request_q),
      .sync_o (request_sync)
  );

  sl_cdc_sync u_taken (
      .clk_i  (src_clk_i),
      .rst_ni (src_rst_ni),
      .async_i(taken_q),
      .sync_o (taken_sync)
  );
endmodule
