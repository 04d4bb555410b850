// Block RAM of the ECP5 (DP16KD) for the simulation of netlists: port A writes, 36 bits too, and reads up to 18; port B reads.
//
// Timing     Reads are registered; there is no output register.
// Contract   Addresses have 14 bits, one bit of memory at its finest; for ports of 18 and 36 bits the lowest ones are enables of the
//            bytes written. Port A reads the old word while it writes (OldWord) or holds its output. What port B reads while port A
//            writes it is undefined on the device: here it is the complement of the old bits, so a netlist that relies on it goes
//            wrong.
// Source     Lattice FPGA-TN-02204, sysMEM usage guide.

module sl_sim_dp16kd #(
    parameter int WidthA = 18,  // bits
    parameter int WidthB = 18,  // bits
    parameter bit OldWord = 1'b0,
    parameter logic [18431:0] Init = '0
) (
    input  logic        clk_a_i,
    input  logic        enable_a_i,
    input  logic        write_i,
    input  logic [13:0] addr_a_i,
    input  logic [35:0] data_i,
    output logic [17:0] data_a_o,

    input  logic        clk_b_i,
    input  logic        enable_b_i,
    input  logic [13:0] addr_b_i,
    output logic [17:0] data_b_o
);
  // 2048 bytes of 9 bits, in a row; ports of less than 9 bits use the lower 8 of each.
  logic [18431:0] mem;
  logic [35:0] read_a_q, read_b_q;
  // Port B's 36 bits leave through both outputs.
  assign data_a_o = WidthB == 36 ? read_b_q[17:0] : read_a_q[17:0];
  assign data_b_o = WidthB == 36 ? read_b_q[35:18] : read_b_q[17:0];

  // Where the lowest bit of the addressed word is.
  function automatic logic [14:0] place(int width, logic [13:0] addr);
    if (width == 36) return 15'(addr[13:5]) * 15'd36;
    if (width == 18) return 15'(addr[13:4]) * 15'd18;
    return 15'(addr[13:3]) * 15'd9 + (width == 9 ? '0 : 15'(int'(addr[2:0]) / width * width));
  endfunction
  // Bits of a word that are written.
  function automatic logic [35:0] enables(int width, logic [13:0] addr);
    if (width == 36) return {{9{addr[3]}}, {9{addr[2]}}, {9{addr[1]}}, {9{addr[0]}}};
    if (width == 18) return {18'b0, {9{addr[1]}}, {9{addr[0]}}};
    return (36'd1 << width) - 1;
  endfunction
  // Bits at `from` that a write at `to` with these enables touches.
  function automatic logic [35:0] touched(logic [14:0] from, logic [14:0] to, logic [35:0] bits);
    if (from >= to) return from - to < 15'd36 ? bits >> (from - to) : '0;
    return to - from < 15'd36 ? bits << (to - from) : '0;
  endfunction

  logic [14:0] place_a, place_b;
  logic [35:0] written;
  assign place_a   = place(WidthA, addr_a_i);
  assign place_b   = place(WidthB, addr_b_i);
  assign written   = enable_a_i && write_i ? enables(WidthA, addr_a_i) : '0;

  initial begin
    mem = Init;
    read_a_q = '0;
    read_b_q = '0;
  end
  always_ff @(posedge clk_a_i) begin
    for (int i = 0; i < WidthA; i++) begin
      if (written[i]) mem[place_a+15'(i)] <= data_i[i];
    end
    if (enable_a_i && WidthA != 36 && (!write_i || OldWord)) read_a_q <= mem[place_a+:36];
  end
  always_ff @(posedge clk_b_i) begin
    if (enable_b_i) read_b_q <= mem[place_b+:36] ^ touched(place_b, place_a, written);
  end
endmodule
