// Ideal FIFO: a word pushed in cycle u can be popped from cycle u+1 on, one push and one pop per cycle, capacity exactly Depth.
//
// Timing     in_ready_o, out_valid_o and out_data_o are registers.
// Handshake  valid/ready on both sides; in_ready_o looks at the registered count only, never at a pop of the same cycle.
// Contract   Depth is a power of two. Below 64 words the memory is LUT RAM, from 64 on block RAM; the cycles are the same.
// Model      control::model::Fifo, cycle by cycle.

`include "sl_assert.svh"

module sl_fifo #(
    parameter int unsigned Width = 16,  // bits
    parameter int unsigned Depth = 64   // words
) (
    input logic clk_i,
    input logic rst_ni,

    input  logic             in_valid_i,
    output logic             in_ready_o,
    input  logic [Width-1:0] in_data_i,

    output logic             out_valid_o,
    input  logic             out_ready_i,
    output logic [Width-1:0] out_data_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);

  if (Depth < 2 || (Depth & (Depth - 1)) != 0) begin : gen_bad_depth
    $error("sl_fifo: Depth must be a power of two of at least 2");
  end

  logic push, pop;
  logic [AddrWidth-1:0] wr_q, second_q;  // next write; second oldest word
  logic [AddrWidth:0] count_q;
  logic valid_q, full_q, lone_q;  // count_q is not 0, is Depth, is 1

  assign in_ready_o  = !full_q;
  assign out_valid_o = valid_q;
  assign push        = in_valid_i && !full_q;
  assign pop         = valid_q && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      wr_q     <= '0;
      second_q <= AddrWidth'(1);
      count_q  <= '0;
      valid_q  <= 1'b0;
      full_q   <= 1'b0;
      lone_q   <= 1'b0;
    end else begin
      if (push) wr_q <= wr_q + 1'b1;
      if (pop) second_q <= second_q + 1'b1;
      if (push && !pop) begin
        count_q <= count_q + 1'b1;
        valid_q <= 1'b1;
        full_q  <= count_q == (AddrWidth + 1)'(Depth - 1);
        lone_q  <= !valid_q;
      end else if (pop && !push) begin
        count_q <= count_q - 1'b1;
        valid_q <= !lone_q;
        full_q  <= 1'b0;
        lone_q  <= count_q == (AddrWidth + 1)'(2);
      end
    end
  end

  // The oldest word stands in head_q; second_data is the second oldest, wanted when the oldest is popped.
  logic from_input, from_second;
  logic [Width-1:0] second_data, head_q;

  assign from_second = pop && !lone_q;
  assign from_input  = push && (!valid_q || (pop && lone_q));

  always_ff @(posedge clk_i) begin
    if (from_second) head_q <= second_data;
    else if (from_input) head_q <= in_data_i;
  end

  assign out_data_o = head_q;

  if (Depth < 64) begin : gen_small
    sl_ram_async #(
        .Width(Width),
        .Depth(Depth)
    ) u_mem (
        .clk_i,
        .we_i   (push),
        .waddr_i(wr_q),
        .wdata_i(in_data_i),
        .raddr_i(second_q),
        .rdata_o(second_data)
    );
  end else begin : gen_large
    logic [AddrWidth-1:0] second_d;
    logic late_q;
    logic [Width-1:0] late_data_q, ram_data;

    assign second_d = second_q + AddrWidth'(pop);

    sl_ram_1r1w #(
        .Width(Width),
        .Depth(Depth)
    ) u_mem (
        .clk_i,
        .we_i   (push),
        .waddr_i(wr_q),
        .wdata_i(in_data_i),
        .re_i   (1'b1),
        .raddr_i(second_d),
        .rdata_o(ram_data)
    );

    // Pushed and second oldest at once: the RAM read of this cycle still saw the old contents.
    always_ff @(posedge clk_i) begin
      if (!rst_ni) late_q <= 1'b0;
      else late_q <= push && wr_q == second_d;
    end
    always_ff @(posedge clk_i) late_data_q <= in_data_i;

    assign second_data = late_q ? late_data_q : ram_data;
  end

  `SL_ASSERT(CountWithinDepth_A, count_q <= (AddrWidth + 1)'(Depth))
  `SL_ASSERT(ValidMatchesCount_A, valid_q == (count_q != '0))
  `SL_ASSERT(FullMatchesCount_A, full_q == (count_q == (AddrWidth + 1)'(Depth)))
  `SL_ASSERT(LoneMatchesCount_A, lone_q == (count_q == (AddrWidth + 1)'(1)))
  `SL_ASSERT(PointersMatchCount_A, wr_q - second_q + 1'b1 == count_q[AddrWidth-1:0])
  `SL_ASSERT(OutHeld_A, out_valid_o && !out_ready_i |=> out_valid_o && $stable(out_data_o))
endmodule
