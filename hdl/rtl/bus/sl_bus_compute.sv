// The compute side's end of the configuration bus: reset, enable and what is counted there.
//
// Timing     Streams and loads are shut from 3 cycles before every reset of the core, so that no load word is lost on its way, to its end.
// Handshake  A message is taken when what it asks for has happened.
// Contract   compute_reset_i resets the core and its counts; rst_ni, which is the configuration reset, that and enable. The counts of a
//            model read as zero after a reset of the core. events_o counts model-select beats out of range and is not reset with the core.

`include "sl_assert.svh"

module sl_bus_compute #(
    parameter int unsigned MaxModels   = 16,
    parameter int unsigned ResetCycles = 8
) (
    input logic clk_i,
    input logic rst_ni,
    input logic compute_reset_i,

    input  logic msg_valid_i,
    output logic msg_ready_o,
    input  logic msg_enable_i,
    input  logic msg_reset_i,

    output logic core_reset_o,
    output logic core_enable_o,
    output logic open_o,         // streams and loads may flow

    input logic       core_busy_i,
    input logic       core_job_i,        // lowest bit of the jobs done
    input logic [7:0] core_model_i,      // of the job that core_job_i reports
    input logic       core_bad_select_i,

    input  logic        count_req_valid_i,
    output logic        count_req_ready_o,
    input  logic [ 7:0] count_req_model_i,
    output logic        count_rsp_valid_o,
    input  logic        count_rsp_ready_i,
    output logic [31:0] count_rsp_data_o,

    output logic [63:0] cycles_o,
    output logic [63:0] busy_cycles_o,
    output logic [ 7:0] events_o
);
  localparam int unsigned ModelWidth = $clog2(MaxModels);
  localparam int unsigned CountWidth = $clog2(ResetCycles + 1);

  if (ResetCycles < 4) begin : gen_bad_reset
    $error("sl_bus_compute: ResetCycles must be at least 4");
  end

  // Reset and enable.
  typedef enum logic [1:0] {
    StIdle,
    StReset,
    StSettle
  } state_e;
  state_e state_q;
  logic [CountWidth-1:0] count_q;
  logic hold;
  logic [3:0] hold_q;
  logic open_q, enable_q;

  assign hold = compute_reset_i || state_q == StReset;
  assign core_reset_o = hold_q[3];
  assign open_o = open_q;
  assign core_enable_o = enable_q;
  assign msg_ready_o = state_q == StIdle ? !msg_reset_i : state_q == StSettle && open_q;

  initial hold_q = '1;  // the core is in reset from power-up on
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q  <= StIdle;
      count_q  <= '0;
      hold_q   <= '1;
      open_q   <= 1'b0;
      enable_q <= 1'b0;
    end else begin
      hold_q <= {hold_q[2:0], hold};
      open_q <= !hold && hold_q[2:0] == '0;
      unique case (state_q)
        StIdle: begin
          if (msg_valid_i) begin
            if (msg_reset_i) begin
              enable_q <= 1'b0;
              state_q  <= StReset;
              count_q  <= CountWidth'(ResetCycles);
            end else begin
              enable_q <= msg_enable_i;
            end
          end
        end
        StReset: begin
          count_q <= count_q - 1'b1;
          if (count_q == CountWidth'(1)) state_q <= StSettle;
        end
        default: begin
          if (open_q) begin
            enable_q <= msg_enable_i;
            state_q  <= StIdle;
          end
        end
      endcase
    end
  end

  // Jobs of a model: memory without reset, so a bit says that a count has begun.
  logic job_q, event_q;
  logic [ModelWidth-1:0] model_q;
  logic [ MaxModels-1:0] begun_q;
  logic [31:0] count_old, count_new, count_read;
  logic [ModelWidth-1:0] read_model;

  assign count_new  = (begun_q[model_q] ? count_old : 32'h0) + 1'b1;
  assign read_model = count_req_model_i[ModelWidth-1:0];

  always_ff @(posedge clk_i) begin
    if (core_reset_o) begin
      job_q   <= 1'b0;
      event_q <= 1'b0;
      begun_q <= '0;
    end else begin
      job_q   <= core_job_i;
      event_q <= core_job_i != job_q;
      if (event_q) begun_q[model_q] <= 1'b1;
    end
  end
  always_ff @(posedge clk_i) model_q <= core_model_i[ModelWidth-1:0];

  sl_ram_async #(
      .Width(32),
      .Depth(MaxModels)
  ) u_counts (
      .clk_i,
      .we_i   (event_q),
      .waddr_i(model_q),
      .wdata_i(count_new),
      .raddr_i(model_q),
      .rdata_o(count_old)
  );

  // A second copy, so that reading never waits for counting.
  sl_ram_async #(
      .Width(32),
      .Depth(MaxModels)
  ) u_counts_read (
      .clk_i,
      .we_i   (event_q),
      .waddr_i(model_q),
      .wdata_i(count_new),
      .raddr_i(read_model),
      .rdata_o(count_read)
  );

  assign count_req_ready_o = !count_rsp_valid_o;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) count_rsp_valid_o <= 1'b0;
    else if (count_req_ready_o) count_rsp_valid_o <= count_req_valid_i;
    else if (count_rsp_ready_i) count_rsp_valid_o <= 1'b0;
  end
  always_ff @(posedge clk_i) begin
    if (count_req_ready_o) count_rsp_data_o <= begun_q[read_model] ? count_read : 32'h0;
  end

  // Cycles, events.
  always_ff @(posedge clk_i) begin
    if (core_reset_o) begin
      cycles_o      <= '0;
      busy_cycles_o <= '0;
    end else begin
      cycles_o      <= cycles_o + 1'b1;
      busy_cycles_o <= busy_cycles_o + 64'(core_busy_i);
    end
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) events_o <= '0;
    else events_o <= events_o + 8'(core_bad_select_i && !core_reset_o);
  end

  logic unused;  // a configuration of fewer models leaves upper bits
  assign unused = ^{core_model_i, count_req_model_i};

  `SL_ASSERT(ShutBeforeReset_A, open_o |=> !core_reset_o)
  `SL_ASSERT(ShutInReset_A, !(open_o && core_reset_o))
endmodule
