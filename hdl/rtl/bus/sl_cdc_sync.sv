// Synchroniser: brings one level of another clock domain, or of none, into clk_i.
//
// Timing     sync_o follows async_i Stages to Stages + 1 cycles later.
// Contract   async_i comes straight from a register and stays long enough to be seen. Several bits need sl_cdc_handshake or Gray code.
//            Constraints: sl_cdc*.sdc, sl_cdc.xdc.

module sl_cdc_sync #(
    parameter int unsigned Stages = 2
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic async_i,
    output logic sync_o
);
  if (Stages < 2) begin : gen_bad_stages
    $error("sl_cdc_sync: Stages must be at least 2");
  end

  (* async_reg = "true" *) logic [Stages-1:0] meta_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) meta_q <= '0;
    else meta_q <= {meta_q[Stages-2:0], async_i};
  end

  assign sync_o = meta_q[Stages-1];
endmodule
