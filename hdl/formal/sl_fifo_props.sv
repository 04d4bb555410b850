// What sl_fifo promises: order, capacity, stream rules. Stands beside one in fifo_small.sv and fifo_large.sv.
//
// Method     One word is followed: when `mark` (free) is high in the cycle of a push, its value is kept and the words before it are
//            counted. It leaves exactly after them, with its value. As `mark` is free this holds for every word.
// Induction  The invariants (Inv_*) say where the followed word stands inside.

module sl_fifo_props #(
    parameter int unsigned Width = 2,
    parameter int unsigned Depth = 4,
    localparam int unsigned AddrWidth = $clog2(Depth)
) (
    input  logic                 clk_i,
    input  logic                 rst_ni,
    input  logic                 in_valid_i,
    input  logic                 in_ready_o,
    input  logic [    Width-1:0] in_data_i,
    input  logic                 out_valid_o,
    input  logic                 out_ready_i,
    input  logic [    Width-1:0] out_data_o,
    input  logic                 mark_i,
    // inside
    input  logic                 valid_q,
    input  logic                 full_q,
    input  logic                 lone_q,
    input  logic [  AddrWidth:0] count_q,
    input  logic [AddrWidth-1:0] wr_q,
    input  logic [AddrWidth-1:0] second_q,
    input  logic [    Width-1:0] second_data,
    input  logic [    Width-1:0] stored_i,     // word of the memory at place_o
    output logic [AddrWidth-1:0] place_o
);
  logic push, pop;
  assign push = in_valid_i && in_ready_o;
  assign pop  = out_valid_o && out_ready_i;

  logic started_q = 1'b0;
  logic past_stall_q, past_reset_q;
  logic [Width-1:0] past_data_q;
  logic followed_q;
  logic [AddrWidth:0] ahead_q, stock_q;
  logic [Width-1:0] value_q;

  always_ff @(posedge clk_i) begin
    started_q    <= 1'b1;
    past_reset_q <= !rst_ni;
    past_stall_q <= rst_ni && out_valid_o && !out_ready_i;
    past_data_q  <= out_data_o;
    if (!rst_ni) begin
      followed_q <= 1'b0;
      stock_q    <= '0;
    end else begin
      stock_q <= stock_q + (AddrWidth + 1)'(push) - (AddrWidth + 1)'(pop);
      if (push && mark_i && !followed_q) begin
        followed_q <= 1'b1;
        value_q    <= in_data_i;
        ahead_q    <= stock_q - (AddrWidth + 1)'(pop);
      end else if (followed_q && pop) begin
        if (ahead_q == '0) followed_q <= 1'b0;
        else ahead_q <= ahead_q - 1'b1;
      end
    end
  end

  // The followed word is at the head when nothing is ahead; else this far behind the second oldest.
  assign place_o = second_q + AddrWidth'(ahead_q - 1'b1);

  always_ff @(posedge clk_i) begin
    if (!started_q) assume (!rst_ni);
    if (started_q && rst_ni) begin
      // what it promises
      Capacity_P : assert (in_ready_o == (stock_q < (AddrWidth + 1)'(Depth)));
      Present_P : assert (out_valid_o == (stock_q != '0));
      if (past_stall_q && !past_reset_q) begin
        OutHeld_P : assert (out_valid_o && out_data_o == past_data_q);
      end
      Wrap_C : cover (pop && followed_q && ahead_q == '0 && wr_q == '0);
      if (followed_q && ahead_q == '0) begin
        Order_P : assert (out_valid_o && out_data_o == value_q);
      end
`ifndef SL_NO_INVARIANTS
      // what induction needs
      Inv_Count : assert (count_q == stock_q && count_q <= (AddrWidth + 1)'(Depth));
      Inv_Flags :
      assert (valid_q == (count_q != '0) && full_q == (count_q == (AddrWidth + 1)'(Depth))
          && lone_q == (count_q == (AddrWidth + 1)'(1)));
      Inv_Pointers : assert (AddrWidth'(wr_q - second_q + 1'b1) == count_q[AddrWidth-1:0]);
      if (followed_q) begin
        Inv_Ahead : assert (ahead_q < count_q);
        if (ahead_q != '0) begin
          Inv_Stored : assert (stored_i == value_q);
        end
        if (ahead_q == (AddrWidth + 1)'(1)) begin
          Inv_Second : assert (second_data == value_q);
        end
      end
`endif
    end
  end
endmodule
