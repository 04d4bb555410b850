// Ports of every storage class: 512, 100, 64, 33, 12 and 1 bits.
module wide (
    input  logic         invert_i,
    input  logic [511:0] data_i,
    input  logic [ 99:0] odd_i,
    input  logic [ 63:0] word_i,
    input  logic [ 32:0] mid_i,
    input  logic [ 11:0] small_i,
    output logic [511:0] data_o,
    output logic [ 99:0] odd_o,
    output logic [ 63:0] word_o,
    output logic [ 32:0] mid_o,
    output logic [ 11:0] small_o
);
  assign data_o  = invert_i ? ~data_i : data_i;
  assign odd_o   = odd_i + 100'd1;
  assign word_o  = word_i + 64'd1;
  assign mid_o   = mid_i + 33'd1;
  assign small_o = small_i + 12'd1;
endmodule
