// Dispatcher and sequencer: state machine (rust-hdl, sl_dispatch_fsm) with its memories and pipelines (docs/machine.md section 6).
//
// Timing     tau: a tick issues, combinational. tick_pc_o in tau, tick_valid_o, tick_parity_o and trace_*_o in tau+1, out_cmd_*_o in
//            tau+2 = c0, all but trace_*_o one cycle later with two exchange stages. A beat accepted in cycle a stands at
//            in_lane_*_o in a+1.
// Handshake  model select and input: valid/ready, ready from registers only.
// Contract   enable_i low: nothing is looked up, no job starts; a running job ends. Loads are taken while load_ok_o; any other is
//            dropped and leaves load_error_o set until reset. busy_o covers a job and 64 cycles after its last tick, in which the
//            pipelines empty. Reset keeps the memories and the number of models. A program keeps n_in >= 1, takes
//            all n_in beats and sends n_out beats before a job ends (assertions).
// Model      control::model::Dispatcher, cycle by cycle.

`include "sl_assert.svh"

module sl_dispatcher
  import sl_pkg::*;
#(
    parameter int unsigned NumCores = 1,
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned TensorDepth = 128,  // blocks per bank
    parameter int unsigned InstrDepth = 1024,  // ticks
    parameter int unsigned MaxModels = 16,
    parameter int unsigned SelectFifoDepth = 8,  // beats
    parameter int unsigned OutputFifoDepth = 64,  // beats
    parameter int unsigned ExchangeStages = 1,
    parameter string InitPrefix = ""
) (
    input logic clk_i,
    input logic rst_ni,
    input logic enable_i,

    input  logic        select_valid_i,
    output logic        select_ready_o,
    input  logic [15:0] select_data_i,

    input  logic        input_valid_i,
    output logic        input_ready_o,
    output logic        in_lane_valid_o,
    output logic [11:0] in_lane_addr_o,   // physical

    input logic output_pop_i,

    output logic [15:0] tick_pc_o,     // may become a tick
    output logic        tick_valid_o,  // the address of the cycle before did
    output logic        tick_parity_o,

    output logic        out_cmd_valid_o,
    output logic        out_cmd_last_o,
    output logic [ 4:0] out_cmd_bank_o,
    output logic [11:0] out_cmd_addr_o,   // physical
    output logic [ 6:0] out_cmd_lanes_o,

    input logic         load_valid_i,
    input logic [  3:0] load_space_i,
    input logic [ 15:0] load_addr_i,
    input logic [127:0] load_data_i,

    output logic        busy_o,
    output logic        load_ok_o,
    output logic        load_error_o,
    output logic [31:0] jobs_done_o,
    output logic [31:0] bad_select_count_o,
    output logic [15:0] last_bad_select_o,
    output logic        bad_select_pulse_o,

    output logic        trace_valid_o,
    output logic [15:0] trace_pc_o,
    output logic [ 7:0] trace_model_o,
    output logic        trace_parity_o
);
  localparam int unsigned DrainCycles = 64;
  localparam int unsigned ModelWidth = $clog2(MaxModels);
  localparam int unsigned InstrWidth = $clog2(InstrDepth);
  localparam int unsigned HalfWidth = $clog2(TensorDepth) - 1;
  localparam string ControlInit = InitPrefix == "" ? "" : {InitPrefix, "control.hex"};
  localparam string ModelsInit = InitPrefix == "" ? "" : {InitPrefix, "models.hex"};

  if (MaxModels < 2 || MaxModels > 256 || 2 ** ModelWidth != MaxModels) begin : gen_bad_models
    $error("sl_dispatcher: MaxModels must be a power of two, 2 to 256");
  end
  if (InstrDepth < 2 || InstrDepth > 65536) begin : gen_bad_instr
    $error("sl_dispatcher: InstrDepth must be 2 to 65536");
  end
  if (TensorDepth < 4 || TensorDepth > 4096 || 2 << HalfWidth != TensorDepth) begin : gen_bad_tensor
    $error("sl_dispatcher: TensorDepth must be a power of two, 4 to 4096");
  end
  if (OutputFifoDepth < 2 || OutputFifoDepth > 4096) begin : gen_bad_output
    $error("sl_dispatcher: OutputFifoDepth must be 2 to 4096");
  end
  if (ExchangeStages < 1 || ExchangeStages > 2) begin : gen_bad_exchange
    $error("sl_dispatcher: ExchangeStages must be 1 or 2");
  end
  if (NumCores < 1 || NumCores > 16) begin : gen_bad_cores
    $error("sl_dispatcher: NumCores must be 1 to 16");
  end
  if (BlockSize < 4 || BlockSize > 64) begin : gen_bad_block
    $error("sl_dispatcher: BlockSize must be 4 to 64");
  end

  // Bank C is double-buffered: the job's parity is the top bit of the address.
  function automatic logic [11:0] physical(input logic parity, input logic [HalfWidth-1:0] addr);
    return 12'({parity, addr});
  endfunction

  logic head_valid, head_pop;
  logic [15:0] head_index;
  model_record_t head_record;
  logic [MaxModels-1:0] initialised_q;
  logic [15:0] num_models_q[1];

  logic beat, beat_parity;
  logic [15:0] beat_addr;
  logic issue, issue_parity, fetch, init_set, init_clear, init_done, job_done, running;
  logic [15:0] issue_pc, fetch_addr, run_left, run_avail, run_n_out;
  logic [7:0] run_model;
  control_t word;

  logic load_control, load_models, load_num_models;
  logic [5:0] drain_q;
  logic draining_q;  // drain_q is not 0

  sl_fifo #(
      .Width(16),
      .Depth(SelectFifoDepth)
  ) u_select (
      .clk_i,
      .rst_ni,
      .in_valid_i (select_valid_i),
      .in_ready_o (select_ready_o),
      .in_data_i  (select_data_i),
      .out_valid_o(head_valid),
      .out_ready_i(head_pop),
      .out_data_o (head_index)
  );

  sl_ram_async #(
      .Width   (ModelRecordWidth),
      .Depth   (MaxModels),
      .InitFile(ModelsInit)
  ) u_models (
      .clk_i,
      .we_i   (load_models),
      .waddr_i(load_addr_i[ModelWidth-1:0]),
      .wdata_i(load_data_i[ModelRecordWidth-1:0]),
      .raddr_i(head_index[ModelWidth-1:0]),
      .rdata_o(head_record)
  );

  sl_ram_1r1w #(
      .Width   (ControlWordWidth),
      .Depth   (InstrDepth),
      .InitFile(ControlInit)
  ) u_control (
      .clk_i,
      .we_i   (load_control),
      .waddr_i(load_addr_i[InstrWidth-1:0]),
      .wdata_i(load_data_i[ControlWordWidth-1:0]),
      .re_i   (fetch),
      .raddr_i(fetch_addr[InstrWidth-1:0]),
      .rdata_o(word)
  );

  sl_dispatch_fsm u_fsm (
      .clock           (clk_i),
      .reset_n         (rst_ni),
      .enable          (enable_i),
      .credit_full     (16'(OutputFifoDepth)),
      .num_models      (num_models_q[0]),
      .head_valid,
      .head_index,
      .head_initialised(initialised_q[head_index[ModelWidth-1:0]]),
      .rec_entry       (head_record.entry_pc),
      .rec_init        (head_record.init_pc),
      .rec_has_init    (head_record.has_init),
      .rec_resettable  (head_record.resettable),
      .rec_n_in        (head_record.n_in),
      .rec_n_out       (head_record.n_out),
      .input_valid     (input_valid_i),
      .output_pop      (output_pop_i),
      .word_last       (word.last),
      .word_beat       (word.beat),
      .head_pop,
      .input_ready     (input_ready_o),
      .beat,
      .beat_parity,
      .beat_addr,
      .issue,
      .tick_pc         (issue_pc),
      .tick_parity     (issue_parity),
      .fetch,
      .fetch_addr,
      .init_set,
      .init_clear,
      .init_done,
      .job_done,
      .run_model,
      .run_left,
      .run_avail,
      .run_n_out,
      .running,
      .jobs_done       (jobs_done_o),
      .bad_select_count(bad_select_count_o),
      .last_bad_select (last_bad_select_o),
      .bad_select_pulse(bad_select_pulse_o)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) initialised_q <= '0;
    else if (init_set || init_clear) initialised_q[head_index[ModelWidth-1:0]] <= init_set;
  end

  // Input lane.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) in_lane_valid_o <= 1'b0;
    else in_lane_valid_o <= beat;
  end
  always_ff @(posedge clk_i) in_lane_addr_o <= physical(beat_parity, beat_addr[HalfWidth-1:0]);

  // Tick. The address goes ahead of the decision: all of tau is left to the way to the cores.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) trace_valid_o <= 1'b0;
    else trace_valid_o <= issue;
  end
  always_ff @(posedge clk_i) begin
    trace_pc_o     <= issue_pc;
    trace_model_o  <= run_model;
    trace_parity_o <= issue_parity;
  end

  // Output command: tau+1, tau+2.
  typedef struct packed {
    logic        last;
    logic [4:0]  bank;
    logic [11:0] addr;
    logic [6:0]  lanes;
  } command_t;

  logic command_valid_q1, command_valid_q2;
  command_t command_q1, command_q2;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      command_valid_q1 <= 1'b0;
      command_valid_q2 <= 1'b0;
    end else begin
      command_valid_q1 <= issue && word.out_valid;
      command_valid_q2 <= command_valid_q1;
    end
  end
  always_ff @(posedge clk_i) begin
    command_q1 <= '{
        last: word.out_last,
        bank: word.out_bank,
        addr: word.out_addr,
        lanes: word.out_lanes
    };
    command_q2 <= command_q1;
    if (command_q1.bank == 5'(NumCores)) begin
      command_q2.addr <= physical(trace_parity_o, command_q1.addr[HalfWidth-1:0]);
    end
  end

  if (ExchangeStages == 1) begin : gen_near
    assign tick_pc_o = issue_pc;
    assign tick_valid_o = trace_valid_o;
    assign tick_parity_o = trace_parity_o;
    assign out_cmd_valid_o = command_valid_q2;
    assign {out_cmd_last_o, out_cmd_bank_o, out_cmd_addr_o, out_cmd_lanes_o} = command_q2;
  end else begin : gen_far
    logic command_valid_q3;
    command_t command_q3;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        tick_valid_o <= 1'b0;
        command_valid_q3 <= 1'b0;
      end else begin
        tick_valid_o <= trace_valid_o;
        command_valid_q3 <= command_valid_q2;
      end
    end
    always_ff @(posedge clk_i) begin
      tick_pc_o <= issue_pc;
      tick_parity_o <= trace_parity_o;
      command_q3 <= command_q2;
    end
    assign out_cmd_valid_o = command_valid_q3;
    assign {out_cmd_last_o, out_cmd_bank_o, out_cmd_addr_o, out_cmd_lanes_o} = command_q3;
  end

  // Loading.
  assign busy_o = running || draining_q;
  assign load_ok_o = !enable_i && !busy_o;
  assign load_control = load_valid_i && load_ok_o && load_space_i == SpaceControl
      && 32'(load_addr_i) < InstrDepth;
  assign load_models = load_valid_i && load_ok_o && load_space_i == SpaceModels
      && 32'(load_addr_i) < MaxModels;
  assign load_num_models = load_valid_i && load_ok_o && load_space_i == SpaceNumModels;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      drain_q      <= '0;
      draining_q   <= 1'b0;
      load_error_o <= 1'b0;
    end else begin
      if (running) begin
        drain_q    <= 6'(DrainCycles - 1);
        draining_q <= 1'b1;
      end else if (draining_q) begin
        drain_q    <= drain_q - 1'b1;
        draining_q <= drain_q != 6'd1;
      end
      if (load_valid_i && !load_ok_o) load_error_o <= 1'b1;
    end
  end

  // The number of models is part of the program: it survives reset and may come from an image.
  if (InitPrefix == "") begin : gen_no_models
    initial num_models_q[0] = '0;
  end else begin : gen_image
    localparam string NumModelsInit = {InitPrefix, "num_models.hex"};
    initial $readmemh(NumModelsInit, num_models_q);
  end
  always_ff @(posedge clk_i) begin
    if (load_num_models) num_models_q[0] <= load_data_i[15:0];
  end

  // Widths are the architectural maxima: a configuration leaves upper bits unused; the last five serve assertions only.
  logic unused;
  assign unused = ^{load_data_i, beat_addr, fetch_addr, init_done, job_done, run_left, run_avail,
                    run_n_out};

`ifndef SL_NO_ASSERT
  logic [15:0] sent_q;  // output commands of the running job before this cycle
  always_ff @(posedge clk_i) begin
    if (!rst_ni || job_done || !running) sent_q <= '0;
    else if (issue && word.out_valid) sent_q <= sent_q + 1'b1;
  end
`endif

  `SL_ASSERT(ModelsFit_A, 32'(num_models_q[0]) <= MaxModels)
  `SL_ASSERT(RecordHasInput_A, head_pop && head_index < num_models_q[0] |-> head_record.n_in != '0)
  `SL_ASSERT(RecordFitsBank_A,
             head_pop && head_index < num_models_q[0] |-> 32'(head_record.n_in) <= TensorDepth / 2)
  `SL_ASSERT(RecordFitsFifo_A,
             head_pop && head_index < num_models_q[0] |-> 32'(head_record.n_out) <= OutputFifoDepth)
  `SL_ASSERT(BeatWithinInput_A, running && word.beat |-> run_avail != '0 || run_left != '0)
  `SL_ASSERT(InputTaken_A, job_done |-> 17'(run_left) + 17'(run_avail) == 17'(word.beat))
  `SL_ASSERT(OutputsSent_A, job_done |-> sent_q + 16'(word.out_valid) == run_n_out)
  `SL_ASSERT(OutputLanes_A, issue && word.out_valid |-> 32'(word.out_lanes) <= BlockSize)
  `SL_ASSERT(OutputBank_A, issue && word.out_valid |-> 32'(word.out_bank) <= NumCores)
  `SL_ASSERT(TickInStore_A, issue |-> 32'(issue_pc) < InstrDepth)
  `SL_ASSERT(SelectHeld_A, select_valid_i && !select_ready_o |=> select_valid_i && $stable
                           (select_data_i))
  `SL_ASSERT(InputHeld_A, input_valid_i && !input_ready_o |=> input_valid_i)
endmodule
