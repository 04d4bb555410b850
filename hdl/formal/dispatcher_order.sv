// Bounded proof of sl_dispatcher as a whole (select FIFO, model table, control store, state machine): the k-th select that names a model
// governs the k-th job.
//
// Method     Numbers every accepted select and every job. The table, the control store and everything at the pins are free; the program is
//            loaded through the load port in the first cycles. fsm_order.sv and fifo_*.sv prove the parts without a bound.
// Assumed    What a valid program keeps, as the assertions of sl_dispatcher state it.

module dispatcher_order
  import sl_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic enable_i,
    input logic select_valid_i,
    input logic [15:0] select_data_i,
    input logic input_valid_i,
    input logic output_pop_i,
    input logic load_valid_i,
    input logic [3:0] load_space_i,
    input logic [15:0] load_addr_i,
    input logic [127:0] load_data_i
);
  localparam int unsigned TensorDepth = 8;
  localparam int unsigned OutputFifoDepth = 4;
  localparam int unsigned Kept = 16;  // selects that are numbered: more than fit into the bound

  logic
      select_ready,
      input_ready,
      in_lane_valid,
      tick_valid,
      tick_parity,
      cmd_valid,
      cmd_last,
      busy,
      load_ok,
      load_error,
      pulse;
  logic trace_valid, trace_parity;
  logic [11:0] in_lane_addr, cmd_addr;
  logic [15:0] tick_pc, last_bad, trace_pc;
  logic [4:0] cmd_bank;
  logic [6:0] cmd_lanes;
  logic [7:0] trace_model;
  logic [31:0] jobs_done, bad_count;

  sl_dispatcher #(
      .NumCores(1),
      .BlockSize(4),
      .TensorDepth(TensorDepth),
      .InstrDepth(16),
      .MaxModels(2),
      .SelectFifoDepth(2),
      .OutputFifoDepth(OutputFifoDepth),
      .ExchangeStages(1)
  ) u_dut (
      .clk_i,
      .rst_ni,
      .enable_i,
      .select_valid_i,
      .select_ready_o(select_ready),
      .select_data_i,
      .input_valid_i,
      .input_ready_o(input_ready),
      .in_lane_valid_o(in_lane_valid),
      .in_lane_addr_o(in_lane_addr),
      .output_pop_i,
      .tick_pc_o(tick_pc),
      .tick_valid_o(tick_valid),
      .tick_parity_o(tick_parity),
      .out_cmd_valid_o(cmd_valid),
      .out_cmd_last_o(cmd_last),
      .out_cmd_bank_o(cmd_bank),
      .out_cmd_addr_o(cmd_addr),
      .out_cmd_lanes_o(cmd_lanes),
      .load_valid_i,
      .load_space_i,
      .load_addr_i,
      .load_data_i,
      .busy_o(busy),
      .load_ok_o(load_ok),
      .load_error_o(load_error),
      .jobs_done_o(jobs_done),
      .bad_select_count_o(bad_count),
      .last_bad_select_o(last_bad),
      .bad_select_pulse_o(pulse),
      .trace_valid_o(trace_valid),
      .trace_pc_o(trace_pc),
      .trace_model_o(trace_model),
      .trace_parity_o(trace_parity)
  );

  // Numbers: accepted selects that name a model, and the models they name; those that do not.
  logic [4:0] good_q, bad_q, taken_q;  // taken_q: resets that left the select FIFO
  logic [Kept-1:0][15:0] named_q;
  logic accepted, is_good;
  assign accepted = select_valid_i && select_ready;
  assign is_good  = !select_data_i[15] && select_data_i < u_dut.num_models_q[0];

  logic head_known;
  logic [1:0] clean_q;  // a job that initialises the model was looked up since its last reset
  assign head_known = {1'b0, u_dut.head_index[14:0]} < u_dut.num_models_q[0];

  logic [15:0] owed_q;
  logic [31:0] done_q;  // jobs done before the cycle that trace_* speaks of
  logic loading_q = 1'b1;
  logic started_q = 1'b0;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    done_q    <= jobs_done;
    if (enable_i) loading_q <= 1'b0;
    if (!rst_ni) begin
      good_q  <= '0;
      bad_q   <= '0;
      taken_q <= '0;
      clean_q <= '0;
      owed_q  <= '0;
    end else begin
      if (accepted && is_good) begin
        good_q <= good_q + 1'b1;
        named_q[good_q[3:0]] <= select_data_i;
      end
      if (accepted && !is_good) bad_q <= bad_q + 1'b1;
      // The record of a head is of the model that its lower bits name, so a reset's flag is that model's.
      if (u_dut.head_pop && head_known && u_dut.head_index[15] && u_dut.head_record.resettable) begin
        taken_q <= taken_q + 1'b1;
        clean_q[u_dut.head_index[0]] <= 1'b0;
      end
      if (u_dut.head_pop && head_known && !u_dut.head_index[15] && u_dut.head_record.has_init)
        clean_q[u_dut.head_index[0]] <= 1'b1;
      owed_q <= owed_q + (u_dut.issue && u_dut.word.out_valid ? 16'd1 : 16'd0) - 16'(output_pop_i);
    end
  end

  // A job has sent this many of its outputs.
  logic [15:0] sent_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni || u_dut.job_done || !u_dut.running) sent_q <= '0;
    else if (u_dut.issue && u_dut.word.out_valid) sent_q <= sent_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    // A: reset once; the program comes before the first enabled cycle and selects after it
    assume (rst_ni == started_q);
    if (!loading_q) assume (!load_valid_i);
    if (loading_q) assume (!select_valid_i);
    if (enable_i) assume (!load_valid_i);
    // A: pops of beats that were sent
    if (output_pop_i) assume (owed_q != '0);
    // A: a valid program
    assume (u_dut.num_models_q[0] <= 16'd2);
    if (u_dut.head_pop && head_known) begin
      assume (u_dut.head_record.n_in != '0 && 32'(u_dut.head_record.n_in) <= TensorDepth / 2);
      assume (32'(u_dut.head_record.n_out) <= OutputFifoDepth);
    end
    if (u_dut.running && u_dut.word.beat) assume (u_dut.run_avail != '0 || u_dut.run_left != '0);
    if (u_dut.init_done) assume (!u_dut.word.beat);
    if (u_dut.job_done) begin
      assume (17'(u_dut.run_left) + 17'(u_dut.run_avail) == 17'(u_dut.word.beat));
      assume (sent_q + 16'(u_dut.word.out_valid) == u_dut.run_n_out);
    end
    if (u_dut.running) assume (sent_q <= u_dut.run_n_out);

    if (started_q && rst_ni) begin
      if (trace_valid) begin
        Governs_P : assert (done_q < 32'(good_q) && 16'(trace_model) == named_q[done_q[3:0]]);
        Half_P : assert (trace_parity == done_q[0]);
      end
      Lost_P :
      assert (32'(good_q) + 32'(bad_q) == jobs_done + bad_count + 32'(taken_q) + 32'(u_dut.u_select.count_q)
          + 32'(u_dut.u_fsm.valid$0$q) + 32'(u_dut.u_fsm.valid$1$q));
      Harmless_P : assert (bad_count <= 32'(bad_q) && jobs_done <= 32'(good_q));
      if (u_dut.head_pop && head_known) begin
        Reset_P : assert (u_dut.initialised_q[u_dut.head_index[0]] == clean_q[u_dut.head_index[0]]);
      end
      Credit_P : assert (owed_q <= 16'(OutputFifoDepth));
      Reset_C : cover (trace_valid && done_q == 32'd1 && taken_q == 5'd1 && u_dut.u_fsm.phase$q);
      Third_C : cover (trace_valid && done_q == 32'd2 && named_q[0] != named_q[1] && bad_q != '0);
    end
  end
endmodule
