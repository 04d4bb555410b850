// Counter with a parameter, a define and a plusarg: one of each way in.
`include "step.svh"
module counter #(
    parameter int unsigned Width = 4
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    output logic [Width-1:0] count_o,
    output logic [     31:0] memory_o
);
  // Never written: shows the power-up state.
  logic [31:0] memory_q;
  int unsigned start;

  initial begin
    start = 0;
    if ($value$plusargs("start=%d", start)) $display("start %0d", start);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) count_o <= Width'(start);
    else count_o <= count_o + Width'(`STEP);
    if (!rst_ni) memory_q <= memory_q;
  end
  assign memory_o = memory_q;
endmodule
