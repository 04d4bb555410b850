// Proof of sl_output_unit: every output command becomes exactly one beat, in order, and the output stream keeps the rules of AXI4-Stream.
//
// Method     Commands and beats are numbered (modulo 16: at most the FIFO's depth and one are inside). One command in sixteen is followed, and one
//            value of one block of one bank; which ones is free. When the followed command names that block, its beat must carry the
//            value as it stood in the command's cycle, the cycle's own write included, or zero in a lane that is not sent.
// Induction  The invariants (Inv_*) say where the followed beat stands inside.
// Free       Exchange lanes, the sink, reset at any time.
// Assumed    A command names an existing block, and comes only with credit (A_Credit): fsm_order.sv and dispatcher_order.sv prove that the
//            outputs under way are never more than the FIFO's depth.

module output_stream #(
    parameter int unsigned BlockSize = 2,
    parameter int unsigned TensorDepth = 4,
    parameter int unsigned OutputFifoDepth = 4
) (
    input logic clk_i,
    input logic rst_ni,
    input logic cmd_valid_i,
    input logic cmd_last_i,
    input logic [4:0] cmd_bank_i,
    input logic [11:0] cmd_addr_i,
    input logic [6:0] cmd_lanes_i,
    input logic [1:0] lane_valid_i,
    input logic [1:0][11:0] lane_addr_i,
    input logic [1:0][BlockSize-1:0] lane_mask_i,
    input logic [1:0][BlockSize-1:0][15:0] lane_data_i,
    input logic output_ready_i,
    input logic [3:0] pick_i,
    input logic bank_i,
    input logic [1:0] addr_i,
    input logic value_i
);
  logic valid, last;
  logic [BlockSize-1:0][15:0] data;

  sl_output_unit #(
      .NumCores(1),
      .BlockSize(BlockSize),
      .TensorDepth(TensorDepth),
      .OutputFifoDepth(OutputFifoDepth)
  ) u_dut (
      .clk_i,
      .rst_ni,
      .cmd_valid_i,
      .cmd_last_i,
      .cmd_bank_i,
      .cmd_addr_i,
      .cmd_lanes_i,
      .lane_valid_i,
      .lane_addr_i,
      .lane_mask_i,
      .lane_data_i,
      .output_valid_o(valid),
      .output_ready_i,
      .output_last_o (last),
      .output_data_o (data)
  );

  // The followed value: block addr_i of bank bank_i, lane value_i.
  logic written, names;
  logic known_q = 1'b0;  // it was written since the start
  logic [15:0] value_q, value_now;
  assign written = lane_valid_i[bank_i] && lane_addr_i[bank_i][1:0] == addr_i
      && lane_mask_i[bank_i][value_i];
  assign value_now = written ? lane_data_i[bank_i][value_i] : value_q;
  assign names = cmd_bank_i == 5'(bank_i) && cmd_addr_i == 12'(addr_i);

  logic [3:0] cmd_q, past_cmd_q, sent_q;
  logic [15:0] want_q;
  logic want_last_q, sure_q;
  logic started_q = 1'b0;
  logic stall_q;
  logic [BlockSize*16:0] past_q;
  logic [7:0] free_q;
  logic [3:0] stock;
  assign stock = cmd_q - sent_q;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    free_q    <= {pick_i, bank_i, addr_i, value_i};
    known_q   <= started_q && (written || known_q);
    value_q   <= value_now;
    stall_q   <= rst_ni && valid && !output_ready_i;
    past_q    <= {last, data};
    if (!rst_ni) begin
      cmd_q      <= '0;
      past_cmd_q <= '0;
      sent_q     <= '0;
    end else begin
      cmd_q      <= cmd_q + 4'(cmd_valid_i);
      past_cmd_q <= cmd_q;
      sent_q     <= sent_q + 4'(valid && output_ready_i);
      if (cmd_valid_i && cmd_q == pick_i) begin
        want_last_q <= cmd_last_i;
        want_q      <= 7'(value_i) < cmd_lanes_i ? value_now : 16'h0;
        sure_q      <= (names && (written || known_q)) || 7'(value_i) >= cmd_lanes_i;
      end
    end
  end

`ifndef SL_NO_INVARIANTS
  logic [2:0] count;
  logic [3:0] behind;  // beats before the followed one
  logic [1:0] place;
  logic [BlockSize*16:0] stored;
  logic [BlockSize*16-1:0] bank_word;
  assign count = u_dut.u_fifo.count_q;
  assign behind = pick_i - sent_q;
  assign place = u_dut.u_fifo.second_q + 2'(behind - 1'b1);
  assign stored = u_dut.u_fifo.gen_small.u_mem.mem[place];
  assign bank_word = bank_i ? u_dut.u_banks.gen_bank[1].u_ram.mem[addr_i] : u_dut.u_banks.gen_bank[0].u_ram.mem[addr_i];
`endif

  always_ff @(posedge clk_i) begin
    if (!started_q) assume (!rst_ni);
    if (started_q) assume ({pick_i, bank_i, addr_i, value_i} == free_q);
    assume (32'(lane_addr_i[0]) < TensorDepth && 32'(lane_addr_i[1]) < TensorDepth);
    if (cmd_valid_i) begin
      assume (cmd_bank_i < 5'd2 && 32'(cmd_addr_i) < TensorDepth && 32'(cmd_lanes_i) <= BlockSize);
      A_Credit : assume (32'(stock) < OutputFifoDepth);
    end
`ifndef SL_NO_INVARIANTS
    if (started_q && known_q) begin
      Inv_Bank : assert (bank_word[16*value_i+:16] == value_q);
    end
`endif
    if (started_q && rst_ni) begin
      // one beat for each command, from the second cycle behind it on, and room for it
      Beats_P : assert (valid == (past_cmd_q != sent_q));
      Room_P : assert (!u_dut.valid_q || u_dut.fifo_ready);
      if (stall_q) begin
        Held_P : assert (valid && {last, data} == past_q);
      end
      if (valid && sent_q == pick_i) begin
        Last_P : assert (last == want_last_q);
        if (sure_q) begin
          Value_P : assert (data[value_i] == want_q);
        end
      end
      Full_C :
      cover (32'(stock) == OutputFifoDepth && !u_dut.u_fifo.in_ready_o && sure_q && want_q != '0);

`ifndef SL_NO_INVARIANTS
      Inv_Stage : assert (u_dut.valid_q == (cmd_q != past_cmd_q) && (cmd_q - past_cmd_q) <= 4'd1);
      Inv_Count : assert (4'(count) == past_cmd_q - sent_q && 32'(stock) <= OutputFifoDepth);
      Inv_Flags :
      assert (u_dut.u_fifo.valid_q == (count != '0) && u_dut.u_fifo.full_q == (count == 3'd4)
          && u_dut.u_fifo.lone_q == (count == 3'd1));
      Inv_Pointers : assert (2'(u_dut.u_fifo.wr_q - u_dut.u_fifo.second_q + 1'b1) == count[1:0]);
      if (u_dut.valid_q && past_cmd_q == pick_i) begin
        Inv_Command : assert (u_dut.last_q == want_last_q);
        Inv_Masked : assert (!sure_q || u_dut.masked[16*value_i+:16] == want_q);
      end
      if (behind != '0 && behind < 4'(count)) begin
        Inv_Stored :
        assert (stored[BlockSize*16] == want_last_q && (!sure_q || stored[16*value_i+:16] == want_q));
      end
`endif
    end
  end
endmodule
