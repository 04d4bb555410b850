// Proof of sl_dispatch_fsm against docs/machine.md section 6, for every program and every behaviour of the streams.
//
// Method     The section's machine is written down again, in the obvious way: a queue of at most two jobs in the order of their
//            selects, the oldest runs. Everything the state machine says in a cycle must be what the queue says. As the queue keeps the
//            order of the selects by construction, the k-th select that names a model governs the k-th job (Order_P says so
//            with numbers), whatever inputs, outputs and `enable` do. A reset of a model's state is attached to the model's
//            next select; when that job starts, it initialises. Whether a job must initialise is said of the model's state at
//            the job's start, while the state machine decides it when it looks the job up.
// Free       enable, selects, records, inputs, pops, the program's words, reset at any time.
// Assumed    What sl_dispatcher and a valid program keep (A_*); the wrapper asserts the same in simulation.
// No deadlock  A machine that stands still waits for its source, its sink, `enable` or a select (Waits_*_P), and takes its next step in
//            the cycle in which that comes.
// Induction  Inv_* tie the registers to the queue.

module fsm_order (
    input logic        clk_i,
    input logic        rst_ni,
    input logic        enable,
    input logic [15:0] credit_full,
    input logic [15:0] num_models,
    input logic        head_valid,
    input logic [15:0] head_index,
    input logic [15:0] rec_entry,
    input logic [15:0] rec_init,
    input logic        rec_has_init,
    input logic        rec_resettable,
    input logic [15:0] rec_n_in,
    input logic [15:0] rec_n_out,
    input logic        input_valid,
    input logic        output_pop,
    input logic        word_last,
    input logic        word_beat
);
  localparam int unsigned Models = 4;

  logic
      head_pop,
      input_ready,
      beat,
      beat_parity,
      issue,
      tick_parity,
      fetch,
      init_set,
      init_clear,
      init_done,
      job_done,
      running,
      bad_pulse;
  logic [15:0] beat_addr, tick_pc, fetch_addr, run_left, run_avail, run_n_out, last_bad;
  logic [7:0] run_model;
  logic [31:0] jobs_done, bad_count;
  logic [Models-1:0] initialised_q;

  sl_dispatch_fsm u_fsm (
      .clock           (clk_i),
      .reset_n         (rst_ni),
      .enable,
      .credit_full,
      .num_models,
      .head_valid,
      .head_index,
      .head_initialised(initialised_q[head_index[1:0]]),
      .rec_entry,
      .rec_init,
      .rec_has_init,
      .rec_resettable,
      .rec_n_in,
      .rec_n_out,
      .input_valid,
      .output_pop,
      .word_last,
      .word_beat,
      .head_pop,
      .input_ready,
      .beat,
      .beat_parity,
      .beat_addr,
      .issue,
      .tick_pc,
      .tick_parity,
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
      .jobs_done,
      .bad_select_count(bad_count),
      .last_bad_select (last_bad),
      .bad_select_pulse(bad_pulse)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) initialised_q <= '0;
    else if (init_set || init_clear) initialised_q[head_index[1:0]] <= init_set;
  end

  // The queue: entry 0 is the oldest job. Parity 0 is the first job's after reset.
  logic [1:0] count_q;
  logic parity_q;  // of the oldest, or of the next one when there is none
  logic [1:0][7:0] model_q;
  logic [1:0] has_init_q;
  logic [1:0] reset_q;  // a reset of its state stands between the model's job before and this one
  logic [Models-1:0] ready_q;  // the state is what the model's jobs so far made of its initial state
  logic [Models-1:0] pending_q;  // a reset waits for the model's next select
  logic [1:0][15:0] entry_q, init_q, n_in_q, n_out_q, got_q;
  logic [1:0][31:0] number_q;  // of its select among those that name a model
  logic run_q, phase_q;
  logic [15:0] taken_q, pc_q, owed_q;
  logic [31:0] selects_q, done_q, bad_q;
  logic [15:0] last_bad_q;
  logic pulse_q;

  logic [1:0] wants, gets;  // entry i is the one that inputs go to
  logic lookup, job, reset, known, named, spec_issue, ends, enters, starts, next;
  logic [1:0] needs_init;
  logic [15:0] credit, start_pc;

  assign wants[0] = count_q != 2'd0 && got_q[0] != n_in_q[0];
  assign wants[1] = !wants[0] && count_q == 2'd2 && got_q[1] != n_in_q[1];
  assign gets = wants & {2{input_valid}};
  assign named = {1'b0, head_index[14:0]} < num_models;
  assign lookup = enable && head_valid && (head_index[15] || count_q != 2'd2);
  assign known = named && (!head_index[15] || rec_resettable);
  assign job = lookup && known && !head_index[15];
  assign reset = lookup && known && head_index[15];
  assign credit = credit_full - owed_q;
  assign spec_issue = run_q && (!word_beat || 17'(got_q[0]) + 17'(gets[0]) > 17'(taken_q));
  assign enters = spec_issue && word_last && phase_q;
  assign ends = spec_issue && word_last && !phase_q;
  // the entry that may start: the one behind the running job
  assign next = run_q;
  assign starts = (!run_q || ends) && enable && (run_q ? count_q == 2'd2 : count_q != 2'd0) && credit >= n_out_q[next];
  for (genvar i = 0; i < 2; i++) begin : gen_needs
    assign needs_init[i] = has_init_q[i] && (reset_q[i] || !ready_q[model_q[i][1:0]]);
  end
  assign start_pc = needs_init[next] ? init_q[next] : entry_q[next];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q    <= '0;
      parity_q   <= 1'b0;
      run_q      <= 1'b0;
      phase_q    <= 1'b0;
      owed_q     <= '0;
      selects_q  <= '0;
      done_q     <= '0;
      bad_q      <= '0;
      last_bad_q <= '0;
      pulse_q    <= 1'b0;
      ready_q    <= '0;
      pending_q  <= '0;
    end else begin
      automatic logic [1:0] left = count_q - 2'(ends);  // entries after this cycle's end of a job
      count_q  <= left + 2'(job);
      parity_q <= parity_q ^ ends;
      if (ends) begin
        model_q[0]    <= model_q[1];
        has_init_q[0] <= has_init_q[1];
        reset_q[0]    <= reset_q[1];
        entry_q[0]    <= entry_q[1];
        init_q[0]     <= init_q[1];
        n_in_q[0]     <= n_in_q[1];
        n_out_q[0]    <= n_out_q[1];
        got_q[0]      <= got_q[1] + 16'(gets[1]);
        number_q[0]   <= number_q[1];
        done_q        <= done_q + 1;
      end else begin
        got_q[0] <= got_q[0] + 16'(gets[0]);
        got_q[1] <= got_q[1] + 16'(gets[1]);
      end
      if (reset) pending_q[head_index[1:0]] <= 1'b1;
      if (job) begin
        pending_q[head_index[1:0]] <= 1'b0;
        reset_q[left[0]]           <= pending_q[head_index[1:0]];
        model_q[left[0]]           <= head_index[7:0];
        has_init_q[left[0]]        <= rec_has_init;
        entry_q[left[0]]           <= rec_entry;
        init_q[left[0]]            <= rec_init;
        n_in_q[left[0]]            <= rec_n_in;
        n_out_q[left[0]]           <= rec_n_out;
        got_q[left[0]]             <= '0;
        number_q[left[0]]          <= selects_q;
        selects_q                  <= selects_q + 1;
      end
      pulse_q <= lookup && !known;
      if (lookup && !known) begin
        bad_q      <= bad_q + 1;
        last_bad_q <= head_index;
      end
      // the sequencer
      if (enters) phase_q <= 1'b0;
      if (ends) run_q <= 1'b0;
      if (spec_issue && word_beat) taken_q <= taken_q + 1'b1;
      if (starts) begin
        run_q   <= 1'b1;
        phase_q <= needs_init[next];
        taken_q <= '0;
        if (needs_init[next]) ready_q[model_q[next][1:0]] <= 1'b1;
        else if (reset_q[next]) ready_q[model_q[next][1:0]] <= 1'b0;
      end
      if (starts) pc_q <= start_pc;
      else if (enters) pc_q <= entry_q[0];
      else if (spec_issue) pc_q <= pc_q + 1'b1;
      owed_q <= owed_q + (starts ? n_out_q[next] : '0) - 16'(output_pop);
    end
  end

  // Registers of the state machine, by slot.
  logic [1:0] valid, open, any, fresh;
  logic [1:0][15:0] left, beats, plus, entry, start, n_out, n_less;
  logic [1:0][7:0] model;
  assign valid = {u_fsm.valid$1$q, u_fsm.valid$0$q};
  assign open = {u_fsm.open$1$q, u_fsm.open$0$q};
  assign any = {u_fsm.any$1$q, u_fsm.any$0$q};
  assign fresh = {u_fsm.fresh$1$q, u_fsm.fresh$0$q};
  assign left = {u_fsm.left$1$q, u_fsm.left$0$q};
  assign beats = {u_fsm.beats$1$q, u_fsm.beats$0$q};
  assign plus = {u_fsm.beats_plus$1$q, u_fsm.beats_plus$0$q};
  assign entry = {u_fsm.entry$1$q, u_fsm.entry$0$q};
  assign start = {u_fsm.start$1$q, u_fsm.start$0$q};
  assign n_out = {u_fsm.n_out$1$q, u_fsm.n_out$0$q};
  assign n_less = {u_fsm.n_out_less$1$q, u_fsm.n_out_less$0$q};
  assign model = {u_fsm.model$1$q, u_fsm.model$0$q};

  logic started_q = 1'b0;
  logic held_q, word_last_q, word_beat_q;
  logic [15:0] full_q, models_q;
  always_ff @(posedge clk_i) begin
    started_q   <= 1'b1;
    held_q      <= rst_ni && !fetch;
    word_last_q <= word_last;
    word_beat_q <= word_beat;
    full_q      <= credit_full;
    models_q    <= num_models;
  end

  always_ff @(posedge clk_i) begin
    // A: reset first; constants; a word stays until the next fetch
    if (!started_q) assume (!rst_ni);
    if (started_q) assume (credit_full == full_q && num_models == models_q);
    assume (credit_full != '0 && credit_full <= 16'd4096 && num_models <= 16'(Models));
    if (held_q) assume (word_last == word_last_q && word_beat == word_beat_q);
    // A: records of resident models
    if (head_valid && named)
      assume (rec_n_in != '0 && rec_n_in <= 16'd2048 && rec_n_out <= credit_full);
    // A: a program takes its beats, all of them, and none while it initialises
    if (run_q && word_beat) assume (!phase_q && taken_q < n_in_q[0]);
    if (run_q && word_last && !phase_q) assume (taken_q + 16'(word_beat) == n_in_q[0]);
    // A: only promised beats leave
    if (output_pop) assume (owed_q != '0);

    if (started_q && rst_ni) begin
      // selects
      Select_P : assert (head_pop == lookup);
      BadIndex_P : assert (bad_count == bad_q && last_bad == last_bad_q && bad_pulse == pulse_q);
      // inputs go to the oldest job that wants any, in order, into its half
      InputReady_P : assert (input_ready == |wants);
      InputTaken_P : assert (beat == |gets);
      if (|gets) begin
        InputPlace_P : assert (beat_parity == parity_q ^ wants[1] && beat_addr == got_q[wants[1]]);
      end
      // the oldest job runs, with its own model, half, ticks
      Start_P : assert (running == run_q && jobs_done == done_q);
      Issue_P : assert (issue == spec_issue && job_done == ends && init_done == enters);
      if (run_q) begin
        Job_P : assert (run_model == model_q[0] && tick_parity == parity_q && tick_pc == pc_q);
        Order_P : assert (number_q[0] == jobs_done);
      end
      if (fetch && run_q && !word_last) begin
        Fetch_P : assert (fetch_addr == pc_q + 1'b1);
      end
      // credit
      Credit_P : assert (owed_q <= credit_full && u_fsm.credit$q == credit);
      // it gets there: two jobs wait for their beats, the second starts without a gap, an initialisation ends
      Full_C : cover (run_q && count_q == 2'd2 && beat);
      Follow_C : cover (job_done && starts && done_q != '0);
      Init_C : cover (init_done);
      // a reset between two jobs of a model, the first of them running
      Reset_C : cover (run_q && phase_q && jobs_done != '0 && reset_q[0]);
      // standing still
      if (run_q && !issue) begin
        Waits_Source_P : assert (input_ready && wants[0] && !input_valid);
      end
      if (!running && count_q != '0 && enable && owed_q == '0) begin
        Waits_Sink_P : assert (u_fsm.take);
      end
      if (count_q == '0 && enable && head_valid) begin
        Waits_Select_P : assert (head_pop);
      end

`ifndef SL_NO_INVARIANTS
      // induction
      Inv_Count : assert (count_q <= 2'd2 && (!run_q || count_q != '0));
      Inv_Valid :
      assert (valid[parity_q] == (count_q != '0) && valid[!parity_q] == (count_q == 2'd2));
      Inv_Alloc : assert (u_fsm.alloc_par$q == parity_q ^ (count_q == 2'd1));
      Inv_Next : assert (u_fsm.next_par$q == parity_q ^ run_q);
      Inv_Input :
      assert (u_fsm.in_par$q == parity_q ^ (count_q != '0 && !wants[0] && (wants[1] || count_q == 2'd1)));
      Inv_Run : assert (u_fsm.run$q == run_q && u_fsm.phase$q == phase_q && (!phase_q || run_q));
      if (run_q) begin
        Inv_Pc : assert (u_fsm.pc$q == pc_q);
        Inv_Avail :
        assert (taken_q <= got_q[0] && u_fsm.avail$q == got_q[0] - taken_q
            && u_fsm.some$q == (got_q[0] != taken_q));
        Inv_Phase : assert (!phase_q || (taken_q == '0 && has_init_q[0]));
      end
      if (count_q == '0) begin
        Inv_Idle : assert (selects_q == done_q);
      end
      if (count_q == 2'd2 && got_q[0] != n_in_q[0]) begin
        Inv_InOrder : assert (got_q[1] == '0);
      end
`endif
    end
  end

`ifndef SL_NO_INVARIANTS
  // The model's state when entry i starts: entry 0, if it has not started, comes before entry 1.
  logic [1:0] earlier;
  assign earlier[0] = ready_q[model_q[0][1:0]];
  assign earlier[1] = !run_q && model_q[0] == model_q[1] ? has_init_q[0] || (earlier[0] && !reset_q[0])
      : ready_q[model_q[1][1:0]];
  for (genvar m = 0; m < Models; m++) begin : gen_model
    logic mid, after;  // after the entries of the queue
    assign mid = count_q != '0 && !run_q && model_q[0] == 8'(m) ? has_init_q[0] || (ready_q[m] && !reset_q[0])
        : ready_q[m];
    assign after = count_q == 2'd2 && model_q[1] == 8'(m) ? has_init_q[1] || (mid && !reset_q[1]) : mid;
    always_ff @(posedge clk_i) begin
      if (started_q && rst_ni) begin
        Inv_Initialised : assert (initialised_q[m] == (after && !pending_q[m]));
      end
    end
  end

  for (genvar i = 0; i < 2; i++) begin : gen_slot
    logic s;
    assign s = parity_q ^ 1'(i);
    always_ff @(posedge clk_i) begin
      if (started_q && rst_ni) begin
        Inv_Open : assert (open[s] == (valid[s] && left[s] != '0));
        if (2'(i) < count_q) begin
          Inv_Inputs :
          assert (got_q[i] <= n_in_q[i] && left[s] == n_in_q[i] - got_q[i] && beats[s] == got_q[i]
              && plus[s] == got_q[i] + 1'b1 && any[s] == (got_q[i] != '0) && n_in_q[i] != '0 && n_in_q[i] <= 16'd2048);
          Inv_Record :
          assert (entry[s] == entry_q[i] && n_out[s] == n_out_q[i] && n_less[s] == n_out_q[i] - 1'b1
              && model[s] == model_q[i] && model_q[i] < 8'(Models) && n_out_q[i] <= credit_full);
          Inv_Start : assert (start[s] == (fresh[s] ? init_q[i] : entry_q[i]));
          if (!(run_q && i == 0)) begin
            Inv_Fresh : assert (fresh[s] == (has_init_q[i] && (reset_q[i] || !earlier[i])));
          end
          Inv_Number :
          assert (number_q[i] == done_q + 32'(i) && selects_q == done_q + 32'(count_q));
        end
      end
    end
  end
`endif

  logic unused;
  assign unused = ^{run_left, run_avail, run_n_out};
endmodule
