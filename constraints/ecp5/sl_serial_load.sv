// Load port behind three wires: shifts words in, most significant bit first, and writes each as soon as it is complete.
//
// Word       {space[3:0], core[4:0], row[6:0], addr[15:0], data[LoadWidth-1:0]}, as in isa/src/load.rs.
// Timing     A bit is taken at a rising edge of sck_i while cs_ni is low; sck_i is slower than a sixth of the clock. hold_o is high
//            while cs_ni is low and for WaitCycles afterwards, in which the last word reaches its memory.
// Contract   Bits of an incomplete word are dropped when cs_ni rises. The wires are asynchronous.

module sl_serial_load #(
    parameter int unsigned LoadWidth = 144  // bits
) (
    input logic clk_i,
    input logic rst_ni,

    input logic sck_i,
    input logic cs_ni,
    input logic mosi_i,

    output logic                 hold_o,
    output logic                 load_valid_o,
    output logic [          3:0] load_space_o,
    output logic [          4:0] load_core_o,
    output logic [          6:0] load_row_o,
    output logic [         15:0] load_addr_o,
    output logic [LoadWidth-1:0] load_data_o
);
  localparam int unsigned WordWidth = 32 + LoadWidth;
  localparam int unsigned CountWidth = $clog2(WordWidth + 1);
  localparam int unsigned WaitCycles = 15;

  logic [2:0] sck_q;
  logic [1:0] cs_n_q, mosi_q;
  logic [3:0] wait_q;
  logic [CountWidth-1:0] count_q;
  logic [WordWidth-1:0] word_q;
  logic take;

  assign take = sck_q[2:1] == 2'b01 && !cs_n_q[1];
  assign {load_space_o, load_core_o, load_row_o, load_addr_o, load_data_o} = word_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      sck_q        <= '0;
      cs_n_q       <= '1;
      wait_q       <= '0;
      count_q      <= '0;
      hold_o       <= 1'b0;
      load_valid_o <= 1'b0;
    end else begin
      sck_q  <= {sck_q[1:0], sck_i};
      cs_n_q <= {cs_n_q[0], cs_ni};
      hold_o <= !cs_n_q[1] || wait_q != '0;
      if (!cs_n_q[1]) wait_q <= 4'(WaitCycles);
      else if (wait_q != '0) wait_q <= wait_q - 1'b1;

      load_valid_o <= take && count_q == CountWidth'(WordWidth - 1);
      if (cs_n_q[1]) count_q <= '0;
      else if (take) begin
        count_q <= count_q == CountWidth'(WordWidth - 1) ? '0 : count_q + 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    mosi_q <= {mosi_q[0], mosi_i};
    if (take) word_q <= {word_q[WordWidth-2:0], mosi_q[1]};
  end
endmodule
