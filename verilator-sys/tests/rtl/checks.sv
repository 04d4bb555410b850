// Ways for a model to stop: an assertion, $error, $fatal, $stop, $finish, and a loop that never settles.
module checks (
    input  logic       clk_i,
    input  logic [7:0] value_i,
    output logic       loop_o
);
  SevenIsBad_A :
  assert property (@(posedge clk_i) value_i != 8'd7)
  else $error("a hit seven");

  always_ff @(posedge clk_i) begin
    if (value_i == 8'd1) $error("first");
    if (value_i == 8'd1) $error("second");
    if (value_i == 8'd2) $fatal(1, "fatal two");
    if (value_i == 8'd3) $stop;
    if (value_i == 8'd4) $finish;
    if (value_i == 8'd5) $display("five");
  end

  /* verilator lint_off UNOPTFLAT */
  logic ring;
  always_comb ring = (value_i == 8'd6) ? !ring : 1'b0;
  /* verilator lint_on UNOPTFLAT */
  assign loop_o = ring;
endmodule
