// ULX3S with an LFE5U-85F: PLL, reset, the accelerator that tests itself, LEDs.
//
// LEDs       0 heartbeat (laps), 1 pass, 2 fail, 3 PLL locked, 4 to 7 faster bits of the lap counter.
// Buttons    FIRE1 (btn_fire1) resets.
// Loading    gp[0] sck, gp[1] cs_n (pulled up), gp[2] mosi: sl_serial_load.

module ulx3s
  import sl_board_pkg::*;
(
    input logic clk_25mhz,
    input logic btn_fire1,
    input logic load_sck,
    input logic load_cs_n,
    input logic load_mosi,
    output logic [7:0] led,
    output logic wifi_gpio0
);
  logic clk, locked;

  (* FREQUENCY_PIN_CLKI = "25" *)
  EHXPLLL #(
      .PLLRST_ENA     ("DISABLED"),
      .INTFB_WAKE     ("DISABLED"),
      .STDBY_ENABLE   ("DISABLED"),
      .DPHASE_SOURCE  ("DISABLED"),
      .OUTDIVIDER_MUXA("DIVA"),
      .OUTDIVIDER_MUXB("DIVB"),
      .OUTDIVIDER_MUXC("DIVC"),
      .OUTDIVIDER_MUXD("DIVD"),
      .CLKI_DIV       (PllInputDiv),
      .CLKOP_ENABLE   ("ENABLED"),
      .CLKOP_DIV      (PllOutputDiv),
      .CLKOP_CPHASE   (PllOutputDiv / 2),
      .CLKOP_FPHASE   (0),
      .FEEDBK_PATH    ("CLKOP"),
      .CLKFB_DIV      (PllFeedbackDiv)
  ) u_pll (
      .RST(1'b0),
      .STDBY(1'b0),
      .CLKI(clk_25mhz),
      .CLKOP(clk),
      .CLKFB(clk),
      .CLKINTFB(),
      .PHASESEL0(1'b0),
      .PHASESEL1(1'b0),
      .PHASEDIR(1'b1),
      .PHASESTEP(1'b1),
      .PHASELOADREG(1'b1),
      .PLLWAKESYNC(1'b0),
      .ENCLKOP(1'b0),
      .LOCK(locked)
  );

  // Reset: until the PLL has locked and the button is up, then for some cycles more.
  logic [7:0] rst_q;
  always_ff @(posedge clk or negedge locked) begin
    if (!locked) rst_q <= '0;
    else rst_q <= {rst_q[6:0], !btn_fire1};
  end
  logic rst_n_q;
  always_ff @(posedge clk) rst_n_q <= &rst_q;

  logic pass, fail;
  logic [31:0] laps;
  sl_selftest u_selftest (
      .clk_i(clk),
      .rst_ni(rst_n_q),
      .load_sck_i(load_sck),
      .load_cs_ni(load_cs_n),
      .load_mosi_i(load_mosi),
      .pass_o(pass),
      .fail_o(fail),
      .laps_o(laps)
  );

  assign led = {laps[15:12], locked, fail, pass, laps[16]};
  assign wifi_gpio0 = 1'b1;  // low for long makes the board's ESP32 take over

  logic unused;
  assign unused = ^{laps[31:17], laps[11:0]};
endmodule
