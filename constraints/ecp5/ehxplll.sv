// The ECP5's PLL as a black box, with the ports and parameters ulx3s.sv uses.

(* blackbox *)
module EHXPLLL #(
    parameter string PLLRST_ENA = "DISABLED",
    parameter string INTFB_WAKE = "DISABLED",
    parameter string STDBY_ENABLE = "DISABLED",
    parameter string DPHASE_SOURCE = "DISABLED",
    parameter string OUTDIVIDER_MUXA = "DIVA",
    parameter string OUTDIVIDER_MUXB = "DIVB",
    parameter string OUTDIVIDER_MUXC = "DIVC",
    parameter string OUTDIVIDER_MUXD = "DIVD",
    parameter int CLKI_DIV = 1,
    parameter string CLKOP_ENABLE = "ENABLED",
    parameter int CLKOP_DIV = 8,
    parameter int CLKOP_CPHASE = 0,
    parameter int CLKOP_FPHASE = 0,
    parameter string FEEDBK_PATH = "CLKOP",
    parameter int CLKFB_DIV = 1
) (
    input  logic RST,
    input  logic STDBY,
    input  logic CLKI,
    output logic CLKOP,
    input  logic CLKFB,
    output logic CLKINTFB,
    input  logic PHASESEL0,
    input  logic PHASESEL1,
    input  logic PHASEDIR,
    input  logic PHASESTEP,
    input  logic PHASELOADREG,
    input  logic PLLWAKESYNC,
    input  logic ENCLKOP,
    output logic LOCK
);
endmodule
