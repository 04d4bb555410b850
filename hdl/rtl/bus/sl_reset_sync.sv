// Brings a reset into clk_i: asserted at once, released with the clock.
//
// Timing     Low from power-up on. rst_no falls with async_rst_ni, whatever clk_i does, and rises 2 to 3 cycles after it.
// Contract   async_rst_ni comes straight from a register. The modules behind it use rst_no as a synchronous reset: where
//            only some of them see its first cycle, all see the ones after it. Constraints: sl_cdc*.sdc, sl_cdc.xdc.

module sl_reset_sync (
    input  logic clk_i,
    input  logic async_rst_ni,
    output logic rst_no
);
  (* async_reg = "true" *) logic [1:0] meta_q;

  initial meta_q = '0;
  always_ff @(posedge clk_i or negedge async_rst_ni) begin
    if (!async_rst_ni) meta_q <= '0;
    else meta_q <= {meta_q[0], 1'b1};
  end

  assign rst_no = meta_q[1];
endmodule
