// Running sum; the assertion fires inside the separately compiled block.
module hier_row (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic [31:0] data_i,
    output logic [31:0] sum_o,
    output logic [31:0] powerup_o
);  /*verilator hier_block*/
  logic [31:0] sum_q;
  logic [31:0] never_written_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) sum_q <= '0;
    else sum_q <= sum_q + data_i;
    if (!rst_ni) never_written_q <= never_written_q;
  end
  assign sum_o = sum_q;
  assign powerup_o = never_written_q;

  NoDeadBeef_A :
  assert property (@(posedge clk_i) data_i != 32'hdeadbeef)
  else $error("dead beef");
endmodule
