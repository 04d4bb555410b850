// Proof of sl_bus_regs with sl_bus_loader against docs/bus.md: what is refused changes nothing, a program is whole before it is enabled,
// errors stay until cleared, every access ends.
//
// Method     Each rule is said of a request's last cycle and the state one cycle later. Words of the load window are counted and one of a load
//            word (which one is free) is followed to the crossing.
// Free       Writes and reads, the crossings, what the compute side and the load stream say, reset at any time. Words of the load stream:
//            load_stream.sv.
// Assumed    A request holds until done, as HeldWrite_P and HeldRead_P of axil_rules.sv prove.

module bus_rules
  import sl_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,
    input logic wr_valid_i,
    input logic [20:0] wr_addr_i,
    input logic [31:0] wr_data_i,
    input logic [3:0] wr_strb_i,
    input logic rd_valid_i,
    input logic [20:0] rd_addr_i,
    input logic word_ready_i,
    input logic word_empty_i,
    input logic msg_ready_i,
    input logic core_idle_i,
    input logic core_busy_i,
    input logic stat_valid_i,
    input logic [7:0] stat_events_i,
    input logic count_req_ready_i,
    input logic count_rsp_valid_i,
    input logic [31:0] count_rsp_data_i,
    input logic [2:0] stream_errors_i,
    input logic [1:0] pick_i
);
  localparam int unsigned TimeoutCycles = 4;
  localparam int unsigned LoadWords = 3;
  // By space, the last first: number of models, models, control, clamps, constants, instructions, weights.
  localparam logic [6:0][6:0] SpaceWords = {7'd1, 7'd3, 7'd1, 7'd2, 7'd2, 7'd1, 7'd3};
  localparam logic [6:0][16:0] SpaceDepth = {17'd1, 17'd2, 17'd8, 17'd4, 17'd4, 17'd8, 17'd4};
  localparam logic [20:0] WindowEnd = RegLoadWindow + 21'(4 * RegLoadWindowWords);

  logic wr_done, wr_error, rd_done, rd_error, irq;
  logic [31:0] rd_data;
  logic start, address_we, word_we, ready, settled, target, order, whole, table_we, stream_loading;
  logic [31:0] address, count, crc;
  logic [15:0] num_models;
  logic [7:0] table_addr;
  logic [ModelRecordWidth-1:0] table_data;
  logic msg_valid, msg_enable, msg_reset, req_valid, word_valid, drained;
  logic [7:0] req_model;
  logic [31+LoadWords*32:0] word;
  assign drained = !word_valid && word_empty_i;

  sl_bus_regs #(
      .Capability('0),
      .MaxModels(2),
      .TimeoutCycles(TimeoutCycles)
  ) u_regs (
      .clk_i,
      .rst_ni,
      .wr_valid_i,
      .wr_addr_i,
      .wr_data_i,
      .wr_strb_i,
      .wr_done_o         (wr_done),
      .wr_error_o        (wr_error),
      .rd_valid_i,
      .rd_addr_i,
      .rd_done_o         (rd_done),
      .rd_data_o         (rd_data),
      .rd_error_o        (rd_error),
      .load_start_o      (start),
      .load_address_we_o (address_we),
      .load_word_valid_o (word_we),
      .load_ready_i      (ready),
      .load_settled_i    (settled),
      .load_target_i     (target),
      .load_order_i      (order),
      .load_address_i    (address),
      .load_count_i      (count),
      .load_crc_i        (crc),
      .load_num_models_i (num_models),
      .load_drained_i    (drained),
      .load_table_we_i   (table_we),
      .load_table_addr_i (table_addr),
      .load_table_data_i (table_data),
      .stream_loading_o  (stream_loading),
      .stream_refused_i  (stream_errors_i[0]),
      .stream_target_i   (stream_errors_i[1]),
      .stream_order_i    (stream_errors_i[2]),
      .msg_valid_o       (msg_valid),
      .msg_ready_i,
      .msg_enable_o      (msg_enable),
      .msg_reset_o       (msg_reset),
      .core_idle_i,
      .core_busy_i,
      .stat_valid_i,
      .stat_cycles_i     ('0),
      .stat_busy_cycles_i('0),
      .stat_jobs_i       ('0),
      .stat_bad_count_i  ('0),
      .stat_bad_last_i   ('0),
      .stat_events_i,
      .count_req_valid_o (req_valid),
      .count_req_ready_i,
      .count_req_model_o (req_model),
      .count_rsp_valid_i,
      .count_rsp_data_i,
      .irq_o             (irq)
  );

  sl_bus_loader #(
      .NumCores  (2),
      .BlockSize (4),
      .LoadWords (LoadWords),
      .SpaceWords(SpaceWords),
      .SpaceDepth(SpaceDepth)
  ) u_loader (
      .clk_i,
      .rst_ni,
      .start_i      (start),
      .ready_o      (ready),
      .settled_o    (settled),
      .address_we_i (address_we),
      .word_valid_i (word_we),
      .wide_i       (1'b0),
      .word_index_i (wr_addr_i[7:2]),
      .word_target_o(target),
      .word_order_o (order),
      .word_whole_o (whole),
      .address_o    (address),
      .count_o      (count),
      .crc_o        (crc),
      .num_models_o (num_models),
      .words_i      (wr_data_i),
      .table_we_o   (table_we),
      .table_addr_o (table_addr),
      .table_data_o (table_data),
      .out_valid_o  (word_valid),
      .out_ready_i  (word_ready_i),
      .out_data_o   (word)
  );

  // State by name.
  logic enable, loading, program_ok, enabled, sent_enable;
  logic [NumErrors-1:0] error;
  assign enable = u_regs.enable_q;
  assign loading = u_regs.loading_q;
  assign program_ok = u_regs.program_ok_q;
  assign enabled = u_regs.enabled_q;
  assign sent_enable = u_regs.sent_enable_q;
  assign error = u_regs.error_q;

  // A write in its last cycle.
  logic write, full, window, mapped, taken, bad, read, bad_read, late, waits;
  assign write = wr_valid_i && wr_done;
  assign full = wr_strb_i == 4'hF;
  assign window = wr_addr_i >= RegLoadWindow && wr_addr_i < WindowEnd;
  assign mapped = wr_addr_i[1:0] == '0 && (window || wr_addr_i == RegControl || wr_addr_i == RegError
      || wr_addr_i == RegErrorMask || wr_addr_i == RegScratch || wr_addr_i == RegLoadAddress
      || wr_addr_i == RegProgramChecksum);
  assign bad = write && wr_error;
  assign taken = write && full && !wr_error;
  assign read = rd_valid_i && rd_done;
  assign bad_read = read && rd_error;

  // What an access that is refused must leave alone.
  logic [ 98:0] held;  // registers
  logic [151:0] gathered;  // of the loader
  assign held = {
    enable,
    u_regs.reset_q,
    program_ok,
    u_regs.scratch_q,
    u_regs.program_checksum_q,
    32'(u_regs.error_mask_q)
  };
  assign gathered = {
    u_loader.index_q, u_loader.push_q, num_models, address, count, word[63:0]
  };

  logic started_q = 1'b0;
  logic bad_q, taken_q, quiet_q, sent_q, stall_q, past_ok_q, past_loading_q, past_irq_q, bad_read_q;
  logic abandon_q, msg_q, ok_gate_q, load_q, address_bad_q, strobe_bad_q, window_bad_q, crc_bad_q;
  logic write_stall_q, read_stall_q;
  logic [98:0] held_q;
  logic [151:0] gathered_q;
  logic settled_q;
  logic [2:0] stream_errors_q;
  logic [31:0] crc_q;
  logic [31+LoadWords*32:0] word_q;
  logic [NumErrors-1:0] stays_q;
  logic [31:0] errors_q, past_errors_q;  // accesses answered with an error
  logic [20:0] bad_addr_q, bad_read_addr_q;
  logic [56:0] past_write_q;
  logic [20:0] past_read_q;
  logic [2:0] wr_wait_q, rd_wait_q;
  logic [1:0] pick_q;
  logic due_q;  // a program was loaded since the last reset by message
  logic [6:0] got_q;  // words of the load word
  logic [31:0] want_q;
  logic [2:0] space;
  assign space = address[30:28];
  assign waits = mapped && (window || wr_addr_i == RegLoadAddress || wr_addr_i == RegProgramChecksum);
  assign late = wr_wait_q == 3'(TimeoutCycles);

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    pick_q <= pick_i;
    bad_q <= rst_ni && bad;
    bad_read_q <= rst_ni && bad_read;
    taken_q <= rst_ni && taken;
    quiet_q <= rst_ni && !taken;
    sent_q <= word_valid && word_ready_i;
    stall_q <= rst_ni && word_valid && !word_ready_i;
    past_ok_q <= program_ok;
    past_loading_q <= loading;
    past_irq_q <= rst_ni && (error & u_regs.error_mask_q) != '0;
    abandon_q       <= full && (wr_addr_i == RegProgramChecksum ? (settled ? wr_data_i != crc : late) : !ready && late && waits);
    msg_q <= msg_valid && msg_ready_i;
    ok_gate_q       <= write && full && wr_addr_i == RegProgramChecksum && wr_data_i == crc && loading && settled;
    load_q <= taken && wr_addr_i == RegControl && wr_data_i[ControlLoadBit];
    address_bad_q <= rst_ni && write && full && !mapped;
    strobe_bad_q <= rst_ni && write && !full && wr_strb_i != '0 && mapped;
    window_bad_q    <= rst_ni && write && full && mapped && !loading && (window || wr_addr_i == RegLoadAddress);
    crc_bad_q       <= rst_ni && write && full && loading && wr_addr_i == RegProgramChecksum && wr_data_i != crc && settled;
    held_q <= held;
    gathered_q <= gathered;
    settled_q <= settled;
    stream_errors_q <= rst_ni ? stream_errors_i : '0;
    crc_q <= crc;
    word_q <= word;
    stays_q         <= rst_ni ? error & ~(taken && wr_addr_i == RegError ? wr_data_i[NumErrors-1:0] : '0) : '0;
    errors_q <= !rst_ni ? '0 : errors_q + 32'(bad) + 32'(bad_read);
    past_errors_q <= !rst_ni ? '0 : errors_q;
    bad_addr_q <= wr_addr_i;
    bad_read_addr_q <= rd_addr_i;
    past_write_q <= {wr_addr_i, wr_strb_i, wr_data_i};
    past_read_q <= rd_addr_i;
    write_stall_q <= rst_ni && wr_valid_i && !wr_done;
    read_stall_q <= rst_ni && rd_valid_i && !rd_done;
    wr_wait_q <= rst_ni && wr_valid_i && !wr_done ? wr_wait_q + 1'b1 : '0;
    rd_wait_q <= rst_ni && rd_valid_i && !rd_done ? rd_wait_q + 1'b1 : '0;
    if (!rst_ni || start) due_q <= rst_ni;
    else if (msg_valid && msg_ready_i && msg_reset) due_q <= 1'b0;
    if (!rst_ni || start || address_we) begin
      got_q <= '0;
    end else if (taken && window) begin
      got_q <= got_q + 1'b1;
      if (got_q == 7'(pick_i)) want_q <= wr_data_i;
    end else if (word_valid && word_ready_i) begin
      got_q <= '0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!started_q) assume (!rst_ni);
    if (started_q) assume (pick_i == pick_q);
    if (rst_ni && write_stall_q)
      assume (wr_valid_i && {wr_addr_i, wr_strb_i, wr_data_i} == past_write_q);
    if (rst_ni && read_stall_q) assume (rd_valid_i && rd_addr_i == past_read_q);
    if (started_q && rst_ni) begin
      // answers
      if (write && wr_strb_i == '0) begin
        Ignored_P : assert (!wr_error);
      end
      if (write && full && (wr_addr_i == RegError || wr_addr_i == RegErrorMask || wr_addr_i == RegScratch)) begin
        Okay_P : assert (!wr_error);
      end
      if (address_bad_q) begin
        Address_P : assert (bad_q && error[ErrorBadAddressBit]);
      end
      if (strobe_bad_q) begin
        Strobe_P : assert (bad_q && error[ErrorBadStrobeBit]);
      end
      if (window_bad_q) begin
        Window_P : assert (bad_q && error[ErrorLoadRefusedBit]);
      end
      if (crc_bad_q) begin
        Checksum_P : assert (bad_q && error[ErrorChecksumBit] && !loading && !program_ok);
      end
      if (start) begin
        LoadOnlyIdle_P :
        assert (!enable && !sent_enable && core_idle_i && !word_valid && msg_ready_i);
      end
      if (read && (rd_addr_i[1:0] != '0 || rd_addr_i >= WindowEnd)) begin
        ReadRefused_P : assert (rd_error && rd_data == '0);
      end
      if (read && !rd_error && rd_addr_i == RegScratch) begin
        ReadBack_P : assert (rd_data == u_regs.scratch_q);
      end
      // a refused or ignored write, a read, or none: nothing changes but errors
      if (quiet_q) begin
        Unchanged_P :
        assert ({held[98], held[96:0]} == {held_q[98], held_q[96:0]} && (!held[97] || held_q[97]));
        Gathered_P : assert (sent_q || (gathered == gathered_q && (!settled_q || crc == crc_q)));
        Loading_P : assert (loading == (past_loading_q && !(bad_q && abandon_q)));
      end
      // errors
      Sticky_P : assert ((stays_q & ~error) == '0);
      if (bad_q || bad_read_q) begin
        Noted_P : assert (error != '0);
      end
      Counted_P : assert (u_regs.bus_error_count_q == past_errors_q);
      if (bad_q) begin
        Blamed_P : assert (u_regs.bus_error_address_q == {11'h400, bad_addr_q});
      end
      if (stream_errors_q != '0) begin
        StreamError_P :
        assert (&({error[ErrorLoadOrderBit], error[ErrorLoadTargetBit], error[ErrorLoadRefusedBit]} | ~stream_errors_q));
      end
      Irq_P : assert (irq == past_irq_q);
      // a program is whole before it runs
      if (program_ok && !past_ok_q) begin
        Gate_P : assert (ok_gate_q);
        Settled_P : assert (settled_q && crc == crc_q);
      end
      if (enable || (msg_valid && msg_enable)) begin
        Whole_P : assert (program_ok && !loading);
      end
      if (msg_valid) begin
        Drained_P : assert (drained);
      end
      if (msg_valid && msg_enable && due_q) begin
        FirstEnable_P : assert (msg_reset);
      end
      if (loading || word_valid) begin
        Quiet_P : assert (!enable && !sent_enable && !enabled && !program_ok);
      end
      // load words
      if (word_valid) begin
        WholeWord_P : assert (got_q == SpaceWords[space]);
        if (7'(pick_i) < SpaceWords[space]) begin
          WordData_P : assert (word[32*pick_i+:32] == want_q);
        end
        Target_P :
        assert (address[31:28] <= 4'd6 && 17'(address[15:0]) < SpaceDepth[space]
            && address[27:23] < (address[31:28] <= 4'd3 ? 5'd2 : 5'd1)
            && address[22:16] < (address[31:28] == 4'd0 ? 7'd4 : 7'd1));
        Sent_P : assert (word[127:96] == address);
      end
      if (stall_q) begin
        WordHeld_P : assert (word_valid && word == word_q);
      end
      // every access ends
      WriteEnds_P : assert (wr_wait_q <= 3'(TimeoutCycles));
      ReadEnds_P : assert (rd_wait_q <= 3'(TimeoutCycles));
      Word_C : cover (word_valid && SpaceWords[space] == 7'd2);
      Enabled_C : cover (enabled);
      Late_C : cover (bad_q && error[ErrorTimeoutBit]);

`ifndef SL_NO_INVARIANTS
      if (address[31:28] <= 4'd6) begin
        Inv_Left : assert (u_loader.left_q == SpaceWords[space] - u_loader.index_q);
      end
      Inv_Index : assert (word_valid ? u_loader.index_q == '0 : u_loader.index_q == got_q);
      Inv_Within : assert (got_q == '0 || word_valid || (target && got_q < SpaceWords[space]));
      if (word_valid) begin
        Inv_Target : assert (target);
      end
      if (7'(pick_i) < got_q) begin
        Inv_Word : assert (u_loader.data_q[pick_i] == want_q);
      end
      Inv_Timers :
      assert (32'(u_regs.wr_timer_q) == 32'(wr_wait_q) && 32'(u_regs.rd_timer_q) == 32'(rd_wait_q));
      Inv_Over :
      assert (u_regs.wr_over_q == (32'(u_regs.wr_timer_q) == TimeoutCycles)
          && u_regs.rd_over_q == (32'(u_regs.rd_timer_q) == TimeoutCycles));
      Inv_Stall : assert (read_stall_q == (rd_wait_q != '0));
      Inv_Mine :
      assert (!u_regs.mine_q || (u_regs.pending_q && u_regs.rd_second_q && u_regs.rd_asked_q));
      Inv_Second : assert (u_regs.rd_second_q == (rd_wait_q != '0));
      Inv_Counted :
      assert (errors_q == past_errors_q + 32'(u_regs.wr_bad_q) + 32'(u_regs.rd_bad_q));
      if (u_regs.rd_second_q) begin
        Inv_Looked :
        assert (u_regs.rd_unmapped_q == (!u_regs.rd_mapped || rd_addr_i[1:0] != '0)
            && u_regs.rd_asked_q == u_regs.rd_ask);
      end
      Inv_Due : assert (!due_q || u_regs.reset_due_q);
`endif
    end
  end

  logic unused;
  assign unused = ^{req_valid, req_model, order, whole, stream_loading, count_rsp_data_i};
endmodule
