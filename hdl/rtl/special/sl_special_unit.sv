// Special functions of all lanes: one function, one operand per lane.
//
// Timing     fn_i in p0, the cycle before its operands; x_i in p1, y_o from p7: six register stages for every function, one
//            per cycle, in any mix.
// Numbers    isa special::apply, bit for bit.
// Structure  Two lanes share a memory of rows with two ports.
// Contract   valid_i[s] belongs to ps and only saves work. No reset: an operation depends on nothing before it.

module sl_special_unit
  import sl_special_pkg::*;
#(
    parameter int unsigned Lanes = 32
) (
    input logic clk_i,

    input special_fn_e fn_i,

    input logic [      6:1]       valid_i,
    input logic [Lanes-1:0][31:0] x_i,


    output logic [Lanes-1:0][31:0] y_o
);
  localparam int unsigned Pairs = (Lanes + 1) / 2;

  logic [2*Pairs-1:0][10:0] addr;
  // The last row when the number of lanes is odd.
  // verilator lint_off UNUSEDSIGNAL
  row_t [2*Pairs-1:0] row;
  // verilator lint_on UNUSEDSIGNAL

  line_t line_d, line_q;
  select_t fn_d, fn_q1, fn_q2;

  always_comb begin
    for (int unsigned i = 0; i < Functions; i++) fn_d.is[i] = fn_i == 4'(i);
    fn_d.root = fn_d.is[SpecialRsqrt] || fn_d.is[SpecialSqrt];
    fn_d.base = fn_d.is[SpecialRecip] || fn_d.is[SpecialRsqrt] ||
        fn_d.is[SpecialExp2] || fn_d.is[SpecialTanh];
    fn_d.gated = fn_d.is[SpecialSilu] || fn_d.is[SpecialGelu] || fn_d.is[SpecialGeluTanh];
    fn_d.limit = Underflow[fn_i];
  end

  // Constants under a mask, not an array indexed by the function: it is no memory.
  always_comb begin
    line_d = '0;
    line_d.log2 = fn_d.is[SpecialLog2];
    for (int unsigned f = 0; f < Functions; f++) begin
      if (fn_d.is[f]) begin
        line_d.has_small |= HasSmall[f];
        for (int unsigned i = 0; i < 2; i++) line_d.small_row[i] |= SmallRow[2*f+i];
        for (int unsigned i = 0; i < 32; i++) line_d.lines[i] |= Lines[32*f+i];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    line_q <= line_d;
    fn_q1  <= fn_d;
    if (valid_i[1]) fn_q2 <= fn_q1;
  end

  for (genvar i = 0; i < int'(Pairs); i++) begin : gen_rom
    sl_special_rom u_rom (
        .clk_i,
        .re_i   (valid_i[2]),
        .addr0_i(addr[2*i]),
        .addr1_i(addr[2*i+1]),
        .row0_o (row[2*i]),
        .row1_o (row[2*i+1])
    );
  end

  for (genvar i = 0; i < int'(2 * Pairs); i++) begin : gen_lane
    if (i < int'(Lanes)) begin : gen_used
      sl_special_lane u_lane (
          .clk_i,
          .valid_i,
          .p1_line_i(line_q),
          .p2_fn_i(fn_q2),
          .x_i   (x_i[i]),
          .addr_o(addr[i]),
          .row_i (row[i]),

          .y_o(y_o[i])
      );
    end else begin : gen_unused
      assign addr[i] = '0;
    end
  end
endmodule
