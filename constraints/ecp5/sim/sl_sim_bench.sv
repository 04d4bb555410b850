// Runs the netlist of the board's pin-level top for some laps and prints its LEDs.
//
// Contract   `+answer` flips a bit of the first answer, `+weight` bits of the first weights before the clock starts; both must fail.
//            The memories' names come from the script that writes the netlist.

module sl_sim_bench;
  logic clk = 1'b0;
  logic [7:0] led;
  logic gpio;

  ulx3s dut (
      .clk_25mhz(clk),
      .btn_fire1(1'b0),
      .load_sck(1'b0),
      .load_cs_n(1'b1),
      .load_mosi(1'b0),
      .led,
      .wifi_gpio0(gpio)
  );

  initial begin
    #1;
    if ($test$plusargs("answer") != 0) dut.`ANSWERS .mem[0] ^= 1'b1;
    if ($test$plusargs("weight") != 0) dut.`WEIGHTS .mem[35:0] ^= '1;
    repeat (2 * `CYCLES) #5 clk = !clk;
    $display("locked %b pass %b fail %b", led[3], led[1], led[2]);
    $finish;
  end
endmodule
