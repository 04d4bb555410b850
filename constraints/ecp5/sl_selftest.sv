// Accelerator that tests itself: starts from its memory images, feeds jobs out of a ROM and compares every output beat, its cycle
// included, with what the virtual machine gave.
//
// Lap        Reset, then the jobs of sl_board_pkg without any stall, then the verdict; laps follow each other for ever.
// Verdict    pass_o: at least one lap ended and all that ended were right. fail_o: one was wrong; stays until reset.
//            A lap is right when all beats came with the right data, tlast and cycle, none besides, and every job was counted.
// Loading    While the serial port holds, nothing runs and words go to the load port; laps start again afterwards.
// Contract   sl_board_pkg and the files it names come from `board` of sluice-verilator-tests.

module sl_selftest
  import sl_board_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,

    input logic load_sck_i,
    input logic load_cs_ni,
    input logic load_mosi_i,

    output logic        pass_o,
    output logic        fail_o,
    output logic [31:0] laps_o
);
  localparam int unsigned DataWidth = 16 * BlockSize;
  localparam int unsigned ExpectedWidth = CycleWidth + 1 + DataWidth;
  localparam int unsigned IndexWidth = 16;
  localparam int unsigned ResetCycles = 15;
  localparam int unsigned CheckCycles = 7;

  typedef enum logic [1:0] {
    StReset,
    StRun,
    StCheck,
    StHold
  } state_e;

  state_e state_q;
  logic [3:0] wait_q;
  logic [CycleWidth-1:0] cycle_q;
  logic [IndexWidth-1:0] select_d, select_q, input_d, input_q, output_d, output_q;
  logic hold;
  logic run;
  assign run = state_q == StRun;

  // Streams. Each index goes ahead of its ROM, which answers in the next cycle.
  logic select_valid, select_ready, input_valid, input_ready, output_valid, output_last;
  logic [15:0] select_data;
  logic [DataWidth-1:0] input_data, output_data;
  logic [ExpectedWidth-1:0] expected;

  assign select_valid = run && select_q != IndexWidth'(NumSelects);
  assign input_valid  = run && input_q != IndexWidth'(NumInputs);
  always_comb begin
    select_d = select_q;
    input_d  = input_q;
    output_d = output_q;
    if (state_q == StReset) begin
      select_d = '0;
      input_d  = '0;
      output_d = '0;
    end else begin
      if (select_valid && select_ready) select_d = select_q + 1'b1;
      if (input_valid && input_ready) input_d = input_q + 1'b1;
      if (output_valid && !(&output_q)) output_d = output_q + 1'b1;
    end
  end
  always_ff @(posedge clk_i) begin
    select_q <= select_d;
    input_q  <= input_d;
    output_q <= output_d;
  end

  sl_ram_1r1w #(
      .Width   (16),
      .Depth   (2 ** SelectBits),
      .InitFile({Dir, "/select.hex"})
  ) u_select (
      .clk_i,
      .we_i   (1'b0),
      .waddr_i('0),
      .wdata_i('0),
      .re_i   (1'b1),
      .raddr_i(select_d[SelectBits-1:0]),
      .rdata_o(select_data)
  );
  sl_ram_1r1w #(
      .Width   (DataWidth),
      .Depth   (2 ** InputBits),
      .InitFile({Dir, "/input.hex"})
  ) u_input (
      .clk_i,
      .we_i   (1'b0),
      .waddr_i('0),
      .wdata_i('0),
      .re_i   (1'b1),
      .raddr_i(input_d[InputBits-1:0]),
      .rdata_o(input_data)
  );
  sl_ram_1r1w #(
      .Width   (ExpectedWidth),
      .Depth   (2 ** OutputBits),
      .InitFile({Dir, "/expected.hex"})
  ) u_expected (
      .clk_i,
      .we_i   (1'b0),
      .waddr_i('0),
      .wdata_i('0),
      .re_i   (1'b1),
      .raddr_i(output_d[OutputBits-1:0]),
      .rdata_o(expected)
  );

  // Load port.
  logic load_valid;
  logic [3:0] load_space;
  logic [4:0] load_core;
  logic [6:0] load_row;
  logic [15:0] load_addr;
  logic [LoadWidth-1:0] load_data;
  sl_serial_load #(
      .LoadWidth(LoadWidth)
  ) u_load (
      .clk_i,
      .rst_ni,
      .sck_i(load_sck_i),
      .cs_ni(load_cs_ni),
      .mosi_i(load_mosi_i),
      .hold_o(hold),
      .load_valid_o(load_valid),
      .load_space_o(load_space),
      .load_core_o(load_core),
      .load_row_o(load_row),
      .load_addr_o(load_addr),
      .load_data_o(load_data)
  );

  logic load_error, unused_busy, unused_irq, unused_tick_valid, unused_parity;
  logic [2*BlockSize-1:0] keep;
  logic [31:0] jobs_done, bad_selects;
  logic [15:0] unused_bad_select, unused_pc;
  logic [7:0] unused_model;
  logic compute_reset, reset_q;
  // A hold breaks a lap off: the streams may fall silent only in reset.
  always_ff @(posedge clk_i) begin
    reset_q <= !rst_ni || (state_q == StReset && wait_q != '0) || (run && hold);
  end
  assign compute_reset = !rst_ni || reset_q;

  sl_top #(
      .InitDir({Dir, "/images"})
  ) u_top (
      .compute_clock(clk_i),
      .compute_reset,
      .model_select_tvalid(select_valid),
      .model_select_tready(select_ready),
      .model_select_tdata(select_data),
      .input_tvalid(input_valid),
      .input_tready(input_ready),
      .input_tdata(input_data),
      .output_tvalid(output_valid),
      .output_tready(1'b1),
      .output_tlast(output_last),
      .output_tkeep(keep),
      .output_tdata(output_data),
      .load_valid,
      .load_space,
      .load_core,
      .load_row,
      .load_addr,
      .load_data,
      .enable(run),
      .busy(unused_busy),
      .load_error,
      .jobs_done,
      .bad_select_count(bad_selects),
      .last_bad_select(unused_bad_select),
      .irq(unused_irq),
      .trace_tick_valid(unused_tick_valid),
      .trace_tick_pc(unused_pc),
      .trace_model(unused_model),
      .trace_parity(unused_parity)
  );

  // Comparison, a register before and behind it.
  logic seen_q, surplus_q, wrong_q;
  logic [ExpectedWidth-1:0] found_q, expected_q;
  always_ff @(posedge clk_i) begin
    seen_q     <= run && output_valid;
    surplus_q  <= output_q >= IndexWidth'(NumOutputs);
    found_q    <= {cycle_q, output_last, output_data};
    expected_q <= expected;
    if (state_q == StReset) wrong_q <= 1'b0;
    else if (seen_q && (surplus_q || found_q != expected_q)) wrong_q <= 1'b1;
    else if (run && output_valid && !(&keep)) wrong_q <= 1'b1;
  end

  // Counters, in registers before they are compared: they stand still while checked.
  logic counted_q;
  always_ff @(posedge clk_i) begin
    counted_q <= jobs_done == 32'(NumJobs) && bad_selects == 32'(NumSelects - NumJobs)
        && output_q == IndexWidth'(NumOutputs) && !load_error;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= StReset;
      wait_q  <= 4'(ResetCycles);
      cycle_q <= '0;
      pass_o  <= 1'b0;
      fail_o  <= 1'b0;
      laps_o  <= '0;
    end else begin
      if (wait_q != '0) wait_q <= wait_q - 1'b1;
      unique case (state_q)
        StReset: begin
          cycle_q <= '0;
          if (wait_q == '0) state_q <= hold ? StHold : StRun;
        end
        StRun: begin
          cycle_q <= cycle_q + 1'b1;
          if (hold) begin
            state_q <= StReset;
            wait_q  <= 4'(ResetCycles);
          end else if (cycle_q == CycleWidth'(NumCycles - 1)) begin
            state_q <= StCheck;
            wait_q  <= 4'(CheckCycles);
          end
        end
        StCheck: begin
          if (wait_q == '0) begin
            pass_o  <= !wrong_q && counted_q && !fail_o;
            fail_o  <= fail_o || wrong_q || !counted_q;
            laps_o  <= laps_o + 1'b1;
            state_q <= StReset;
            wait_q  <= 4'(ResetCycles);
          end
        end
        default: begin  // StHold
          pass_o <= 1'b0;
          fail_o <= 1'b0;
          if (!hold) begin
            state_q <= StReset;
            wait_q  <= 4'(ResetCycles);
          end
        end
      endcase
    end
  end

  logic unused;
  assign unused = ^{unused_busy, unused_irq, unused_tick_valid, unused_parity, unused_bad_select, unused_pc, unused_model};
endmodule
