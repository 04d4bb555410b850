// Verilog of `sl_dispatch_fsm`, emitted from rust-hdl (crate sluice-control); do not edit: run `cargo run -p sluice-control`.
//
// Waived here and nowhere else: rust-hdl writes all modules of a block into one file (DECLFILENAME) and repeats constants
// in modules that do not use them (UNUSEDPARAM).
// verilator lint_off DECLFILENAME
// verilator lint_off UNUSEDPARAM

module sl_dispatch_fsm(clock,reset_n,enable,credit_full,num_models,head_valid,head_index,head_initialised,rec_entry,rec_init,rec_has_init,rec_resettable,rec_n_in,rec_n_out,input_valid,output_pop,word_last,word_beat,head_pop,input_ready,beat,beat_parity,beat_addr,issue,tick_pc,tick_parity,fetch,fetch_addr,init_set,init_clear,init_done,job_done,run_model,run_left,run_avail,run_n_out,running,jobs_done,bad_select_count,last_bad_select,bad_select_pulse);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  enable;
    input wire  [15:0] credit_full;
    input wire  [15:0] num_models;
    input wire  head_valid;
    input wire  [15:0] head_index;
    input wire  head_initialised;
    input wire  [15:0] rec_entry;
    input wire  [15:0] rec_init;
    input wire  rec_has_init;
    input wire  rec_resettable;
    input wire  [15:0] rec_n_in;
    input wire  [15:0] rec_n_out;
    input wire  input_valid;
    input wire  output_pop;
    input wire  word_last;
    input wire  word_beat;
    output reg  head_pop;
    output reg  input_ready;
    output reg  beat;
    output reg  beat_parity;
    output reg  [15:0] beat_addr;
    output reg  issue;
    output reg  [15:0] tick_pc;
    output reg  tick_parity;
    output reg  fetch;
    output reg  [15:0] fetch_addr;
    output reg  init_set;
    output reg  init_clear;
    output reg  init_done;
    output reg  job_done;
    output reg  [7:0] run_model;
    output reg  [15:0] run_left;
    output reg  [15:0] run_avail;
    output reg  [15:0] run_n_out;
    output reg  running;
    output reg  [31:0] jobs_done;
    output reg  [31:0] bad_select_count;
    output reg  [15:0] last_bad_select;
    output reg  bad_select_pulse;

    // Constant declarations
    localparam  zero16 = 16'h0;
    localparam  one16 = 16'h1;
    localparam  ones16 = 16'hffff;
    localparam  one32 = 32'h1;
    localparam  index_mask = 16'h7fff;

    // Stub signals
    reg  valid$0$clock;
    reg  valid$0$reset_n;
    reg  valid$0$d;
    wire  valid$0$q;
    reg  valid$1$clock;
    reg  valid$1$reset_n;
    reg  valid$1$d;
    wire  valid$1$q;
    reg  open$0$clock;
    reg  open$0$reset_n;
    reg  open$0$d;
    wire  open$0$q;
    reg  open$1$clock;
    reg  open$1$reset_n;
    reg  open$1$d;
    wire  open$1$q;
    reg  left$0$clock;
    reg  left$0$reset_n;
    reg  [15:0] left$0$d;
    wire  [15:0] left$0$q;
    reg  left$1$clock;
    reg  left$1$reset_n;
    reg  [15:0] left$1$d;
    wire  [15:0] left$1$q;
    reg  beats$0$clock;
    reg  beats$0$reset_n;
    reg  [15:0] beats$0$d;
    wire  [15:0] beats$0$q;
    reg  beats$1$clock;
    reg  beats$1$reset_n;
    reg  [15:0] beats$1$d;
    wire  [15:0] beats$1$q;
    reg  beats_plus$0$clock;
    reg  beats_plus$0$reset_n;
    reg  [15:0] beats_plus$0$d;
    wire  [15:0] beats_plus$0$q;
    reg  beats_plus$1$clock;
    reg  beats_plus$1$reset_n;
    reg  [15:0] beats_plus$1$d;
    wire  [15:0] beats_plus$1$q;
    reg  entry$0$clock;
    reg  entry$0$reset_n;
    reg  [15:0] entry$0$d;
    wire  [15:0] entry$0$q;
    reg  entry$1$clock;
    reg  entry$1$reset_n;
    reg  [15:0] entry$1$d;
    wire  [15:0] entry$1$q;
    reg  start$0$clock;
    reg  start$0$reset_n;
    reg  [15:0] start$0$d;
    wire  [15:0] start$0$q;
    reg  start$1$clock;
    reg  start$1$reset_n;
    reg  [15:0] start$1$d;
    wire  [15:0] start$1$q;
    reg  fresh$0$clock;
    reg  fresh$0$reset_n;
    reg  fresh$0$d;
    wire  fresh$0$q;
    reg  fresh$1$clock;
    reg  fresh$1$reset_n;
    reg  fresh$1$d;
    wire  fresh$1$q;
    reg  n_out$0$clock;
    reg  n_out$0$reset_n;
    reg  [15:0] n_out$0$d;
    wire  [15:0] n_out$0$q;
    reg  n_out$1$clock;
    reg  n_out$1$reset_n;
    reg  [15:0] n_out$1$d;
    wire  [15:0] n_out$1$q;
    reg  n_out_less$0$clock;
    reg  n_out_less$0$reset_n;
    reg  [15:0] n_out_less$0$d;
    wire  [15:0] n_out_less$0$q;
    reg  n_out_less$1$clock;
    reg  n_out_less$1$reset_n;
    reg  [15:0] n_out_less$1$d;
    wire  [15:0] n_out_less$1$q;
    reg  model$0$clock;
    reg  model$0$reset_n;
    reg  [7:0] model$0$d;
    wire  [7:0] model$0$q;
    reg  model$1$clock;
    reg  model$1$reset_n;
    reg  [7:0] model$1$d;
    wire  [7:0] model$1$q;
    reg  alloc_par$clock;
    reg  alloc_par$reset_n;
    reg  alloc_par$d;
    wire  alloc_par$q;
    reg  in_par$clock;
    reg  in_par$reset_n;
    reg  in_par$d;
    wire  in_par$q;
    reg  next_par$clock;
    reg  next_par$reset_n;
    reg  next_par$d;
    wire  next_par$q;
    reg  run$clock;
    reg  run$reset_n;
    reg  run$d;
    wire  run$q;
    reg  phase$clock;
    reg  phase$reset_n;
    reg  phase$d;
    wire  phase$q;
    reg  pc$clock;
    reg  pc$reset_n;
    reg  [15:0] pc$d;
    wire  [15:0] pc$q;
    reg  any$0$clock;
    reg  any$0$reset_n;
    reg  any$0$d;
    wire  any$0$q;
    reg  any$1$clock;
    reg  any$1$reset_n;
    reg  any$1$d;
    wire  any$1$q;
    reg  avail$clock;
    reg  avail$reset_n;
    reg  [15:0] avail$d;
    wire  [15:0] avail$q;
    reg  some$clock;
    reg  some$reset_n;
    reg  some$d;
    wire  some$q;
    reg  credit$clock;
    reg  credit$reset_n;
    reg  [15:0] credit$d;
    wire  [15:0] credit$q;
    reg  jobs$clock;
    reg  jobs$reset_n;
    reg  [31:0] jobs$d;
    wire  [31:0] jobs$q;
    reg  bad_count$clock;
    reg  bad_count$reset_n;
    reg  [31:0] bad_count$d;
    wire  [31:0] bad_count$q;
    reg  bad_last$clock;
    reg  bad_last$reset_n;
    reg  [15:0] bad_last$d;
    wire  [15:0] bad_last$q;
    reg  bad_pulse$clock;
    reg  bad_pulse$reset_n;
    reg  bad_pulse$d;
    wire  bad_pulse$q;

    // Local signals
    reg  np;
    reg  [15:0] beats_next$0;
    reg  [15:0] beats_next$1;
    reg  fits$0;
    reg  fits$1;
    reg  load$0;
    reg  load$1;
    reg  accept$0;
    reg  accept$1;
    reg  free$0;
    reg  free$1;
    reg  lookup;
    reg  known;
    reg  is_reset;
    reg  accepts;
    reg  [15:0] named;
    reg  needs_init;
    reg  start_ok;
    reg  accept_run;
    reg  here;
    reg  reached;
    reg  issue_now;
    reg  consume;
    reg  avail_one;
    reg  [15:0] avail_used;
    reg  [15:0] avail_kept;
    reg  [15:0] avail_start;
    reg  some_start;
    reg  [15:0] consume_mask;
    reg  done_now;
    reg  init_now;
    reg  may_end;
    reg  may_enter;
    reg  may_follow;
    reg  may_begin;
    reg  end_0;
    reg  end_1;
    reg  take;
    reg  accept_now;
    reg  last_beat;
    reg  [7:0] model_now;
    reg  [15:0] jump;
    reg  [15:0] addr;
    reg  [15:0] promise;
    reg  [15:0] credit_kept;
    reg  [15:0] credit_taken;
    reg  [15:0] take_mask;

    // Sub module instances
    sl_dispatch_fsm$valid$0 valid$0(
        .clock(valid$0$clock),
        .reset_n(valid$0$reset_n),
        .d(valid$0$d),
        .q(valid$0$q)
    );
    sl_dispatch_fsm$valid$1 valid$1(
        .clock(valid$1$clock),
        .reset_n(valid$1$reset_n),
        .d(valid$1$d),
        .q(valid$1$q)
    );
    sl_dispatch_fsm$open$0 open$0(
        .clock(open$0$clock),
        .reset_n(open$0$reset_n),
        .d(open$0$d),
        .q(open$0$q)
    );
    sl_dispatch_fsm$open$1 open$1(
        .clock(open$1$clock),
        .reset_n(open$1$reset_n),
        .d(open$1$d),
        .q(open$1$q)
    );
    sl_dispatch_fsm$left$0 left$0(
        .clock(left$0$clock),
        .reset_n(left$0$reset_n),
        .d(left$0$d),
        .q(left$0$q)
    );
    sl_dispatch_fsm$left$1 left$1(
        .clock(left$1$clock),
        .reset_n(left$1$reset_n),
        .d(left$1$d),
        .q(left$1$q)
    );
    sl_dispatch_fsm$beats$0 beats$0(
        .clock(beats$0$clock),
        .reset_n(beats$0$reset_n),
        .d(beats$0$d),
        .q(beats$0$q)
    );
    sl_dispatch_fsm$beats$1 beats$1(
        .clock(beats$1$clock),
        .reset_n(beats$1$reset_n),
        .d(beats$1$d),
        .q(beats$1$q)
    );
    sl_dispatch_fsm$beats_plus$0 beats_plus$0(
        .clock(beats_plus$0$clock),
        .reset_n(beats_plus$0$reset_n),
        .d(beats_plus$0$d),
        .q(beats_plus$0$q)
    );
    sl_dispatch_fsm$beats_plus$1 beats_plus$1(
        .clock(beats_plus$1$clock),
        .reset_n(beats_plus$1$reset_n),
        .d(beats_plus$1$d),
        .q(beats_plus$1$q)
    );
    sl_dispatch_fsm$entry$0 entry$0(
        .clock(entry$0$clock),
        .reset_n(entry$0$reset_n),
        .d(entry$0$d),
        .q(entry$0$q)
    );
    sl_dispatch_fsm$entry$1 entry$1(
        .clock(entry$1$clock),
        .reset_n(entry$1$reset_n),
        .d(entry$1$d),
        .q(entry$1$q)
    );
    sl_dispatch_fsm$start$0 start$0(
        .clock(start$0$clock),
        .reset_n(start$0$reset_n),
        .d(start$0$d),
        .q(start$0$q)
    );
    sl_dispatch_fsm$start$1 start$1(
        .clock(start$1$clock),
        .reset_n(start$1$reset_n),
        .d(start$1$d),
        .q(start$1$q)
    );
    sl_dispatch_fsm$fresh$0 fresh$0(
        .clock(fresh$0$clock),
        .reset_n(fresh$0$reset_n),
        .d(fresh$0$d),
        .q(fresh$0$q)
    );
    sl_dispatch_fsm$fresh$1 fresh$1(
        .clock(fresh$1$clock),
        .reset_n(fresh$1$reset_n),
        .d(fresh$1$d),
        .q(fresh$1$q)
    );
    sl_dispatch_fsm$n_out$0 n_out$0(
        .clock(n_out$0$clock),
        .reset_n(n_out$0$reset_n),
        .d(n_out$0$d),
        .q(n_out$0$q)
    );
    sl_dispatch_fsm$n_out$1 n_out$1(
        .clock(n_out$1$clock),
        .reset_n(n_out$1$reset_n),
        .d(n_out$1$d),
        .q(n_out$1$q)
    );
    sl_dispatch_fsm$n_out_less$0 n_out_less$0(
        .clock(n_out_less$0$clock),
        .reset_n(n_out_less$0$reset_n),
        .d(n_out_less$0$d),
        .q(n_out_less$0$q)
    );
    sl_dispatch_fsm$n_out_less$1 n_out_less$1(
        .clock(n_out_less$1$clock),
        .reset_n(n_out_less$1$reset_n),
        .d(n_out_less$1$d),
        .q(n_out_less$1$q)
    );
    sl_dispatch_fsm$model$0 model$0(
        .clock(model$0$clock),
        .reset_n(model$0$reset_n),
        .d(model$0$d),
        .q(model$0$q)
    );
    sl_dispatch_fsm$model$1 model$1(
        .clock(model$1$clock),
        .reset_n(model$1$reset_n),
        .d(model$1$d),
        .q(model$1$q)
    );
    sl_dispatch_fsm$alloc_par alloc_par(
        .clock(alloc_par$clock),
        .reset_n(alloc_par$reset_n),
        .d(alloc_par$d),
        .q(alloc_par$q)
    );
    sl_dispatch_fsm$in_par in_par(
        .clock(in_par$clock),
        .reset_n(in_par$reset_n),
        .d(in_par$d),
        .q(in_par$q)
    );
    sl_dispatch_fsm$next_par next_par(
        .clock(next_par$clock),
        .reset_n(next_par$reset_n),
        .d(next_par$d),
        .q(next_par$q)
    );
    sl_dispatch_fsm$run run(
        .clock(run$clock),
        .reset_n(run$reset_n),
        .d(run$d),
        .q(run$q)
    );
    sl_dispatch_fsm$phase phase(
        .clock(phase$clock),
        .reset_n(phase$reset_n),
        .d(phase$d),
        .q(phase$q)
    );
    sl_dispatch_fsm$pc pc(
        .clock(pc$clock),
        .reset_n(pc$reset_n),
        .d(pc$d),
        .q(pc$q)
    );
    sl_dispatch_fsm$any$0 any$0(
        .clock(any$0$clock),
        .reset_n(any$0$reset_n),
        .d(any$0$d),
        .q(any$0$q)
    );
    sl_dispatch_fsm$any$1 any$1(
        .clock(any$1$clock),
        .reset_n(any$1$reset_n),
        .d(any$1$d),
        .q(any$1$q)
    );
    sl_dispatch_fsm$avail avail(
        .clock(avail$clock),
        .reset_n(avail$reset_n),
        .d(avail$d),
        .q(avail$q)
    );
    sl_dispatch_fsm$some some(
        .clock(some$clock),
        .reset_n(some$reset_n),
        .d(some$d),
        .q(some$q)
    );
    sl_dispatch_fsm$credit credit(
        .clock(credit$clock),
        .reset_n(credit$reset_n),
        .d(credit$d),
        .q(credit$q)
    );
    sl_dispatch_fsm$jobs jobs(
        .clock(jobs$clock),
        .reset_n(jobs$reset_n),
        .d(jobs$d),
        .q(jobs$q)
    );
    sl_dispatch_fsm$bad_count bad_count(
        .clock(bad_count$clock),
        .reset_n(bad_count$reset_n),
        .d(bad_count$d),
        .q(bad_count$q)
    );
    sl_dispatch_fsm$bad_last bad_last(
        .clock(bad_last$clock),
        .reset_n(bad_last$reset_n),
        .d(bad_last$d),
        .q(bad_last$q)
    );
    sl_dispatch_fsm$bad_pulse bad_pulse(
        .clock(bad_pulse$clock),
        .reset_n(bad_pulse$reset_n),
        .d(bad_pulse$d),
        .q(bad_pulse$q)
    );

    // Update code
    always @(*) begin
        // Every register is clocked, reset and keeps its value unless told otherwise.
        valid$0$clock = clock;
        open$0$clock = clock;
        left$0$clock = clock;
        beats$0$clock = clock;
        beats_plus$0$clock = clock;
        any$0$clock = clock;
        entry$0$clock = clock;
        start$0$clock = clock;
        fresh$0$clock = clock;
        n_out$0$clock = clock;
        n_out_less$0$clock = clock;
        model$0$clock = clock;
        valid$0$reset_n = reset_n;
        open$0$reset_n = reset_n;
        left$0$reset_n = reset_n;
        beats$0$reset_n = reset_n;
        beats_plus$0$reset_n = reset_n;
        any$0$reset_n = reset_n;
        entry$0$reset_n = reset_n;
        start$0$reset_n = reset_n;
        fresh$0$reset_n = reset_n;
        n_out$0$reset_n = reset_n;
        n_out_less$0$reset_n = reset_n;
        model$0$reset_n = reset_n;
        valid$0$d = valid$0$q;
        open$0$d = open$0$q;
        left$0$d = left$0$q;
        beats$0$d = beats$0$q;
        beats_plus$0$d = beats_plus$0$q;
        any$0$d = any$0$q;
        entry$0$d = entry$0$q;
        start$0$d = start$0$q;
        fresh$0$d = fresh$0$q;
        n_out$0$d = n_out$0$q;
        n_out_less$0$d = n_out_less$0$q;
        model$0$d = model$0$q;
        valid$1$clock = clock;
        open$1$clock = clock;
        left$1$clock = clock;
        beats$1$clock = clock;
        beats_plus$1$clock = clock;
        any$1$clock = clock;
        entry$1$clock = clock;
        start$1$clock = clock;
        fresh$1$clock = clock;
        n_out$1$clock = clock;
        n_out_less$1$clock = clock;
        model$1$clock = clock;
        valid$1$reset_n = reset_n;
        open$1$reset_n = reset_n;
        left$1$reset_n = reset_n;
        beats$1$reset_n = reset_n;
        beats_plus$1$reset_n = reset_n;
        any$1$reset_n = reset_n;
        entry$1$reset_n = reset_n;
        start$1$reset_n = reset_n;
        fresh$1$reset_n = reset_n;
        n_out$1$reset_n = reset_n;
        n_out_less$1$reset_n = reset_n;
        model$1$reset_n = reset_n;
        valid$1$d = valid$1$q;
        open$1$d = open$1$q;
        left$1$d = left$1$q;
        beats$1$d = beats$1$q;
        beats_plus$1$d = beats_plus$1$q;
        any$1$d = any$1$q;
        entry$1$d = entry$1$q;
        start$1$d = start$1$q;
        fresh$1$d = fresh$1$q;
        n_out$1$d = n_out$1$q;
        n_out_less$1$d = n_out_less$1$q;
        model$1$d = model$1$q;
        alloc_par$clock = clock;
        in_par$clock = clock;
        next_par$clock = clock;
        run$clock = clock;
        phase$clock = clock;
        pc$clock = clock;
        avail$clock = clock;
        some$clock = clock;
        credit$clock = clock;
        jobs$clock = clock;
        bad_count$clock = clock;
        bad_last$clock = clock;
        bad_pulse$clock = clock;
        alloc_par$reset_n = reset_n;
        in_par$reset_n = reset_n;
        next_par$reset_n = reset_n;
        run$reset_n = reset_n;
        phase$reset_n = reset_n;
        pc$reset_n = reset_n;
        avail$reset_n = reset_n;
        some$reset_n = reset_n;
        // Reset sets credit to full: below, through d.
        credit$reset_n = 1'b1;
        jobs$reset_n = reset_n;
        bad_count$reset_n = reset_n;
        bad_last$reset_n = reset_n;
        bad_pulse$reset_n = reset_n;
        alloc_par$d = alloc_par$q;
        in_par$d = in_par$q;
        next_par$d = next_par$q;
        run$d = run$q;
        phase$d = phase$q;
        pc$d = pc$q;
        jobs$d = jobs$q;
        bad_count$d = bad_count$q;
        bad_last$d = bad_last$q;
        // Conditions that depend on registers only.
        np = next_par$q;
        fits$0 = credit$q >= n_out$0$q;
        fits$1 = credit$q >= n_out$1$q;
        start_ok = enable & ((np & valid$1$q & fits$1) | (~np & valid$0$q & fits$0));
        if (np) begin
            model_now = model$0$q;
        end
        else begin
            model_now = model$1$q;
        end
        // Issue: the running job is in slot !np. The word comes last in the cycle, so it enters each term last. A beat counts in the cycle of its acceptance.
        accept$0 = input_valid & open$0$q & ~in_par$q;
        accept$1 = input_valid & open$1$q & in_par$q;
        accept_run = (np & accept$0) | (~np & accept$1);
        here = some$q | accept_run;
        reached = ~word_beat | here;
        may_end = run$q & word_last & ~phase$q;
        may_enter = run$q & word_last & phase$q;
        may_follow = start_ok & may_end;
        may_begin = start_ok & ~run$q;
        end_0 = may_end & np;
        end_1 = may_end & ~np;
        issue_now = run$q & reached;
        init_now = may_enter & reached;
        done_now = may_end & reached;
        take = may_begin | (may_follow & reached);
        free$0 = end_0 & reached;
        free$1 = end_1 & reached;
        // Fetch: an unused address is harmless, so the address does not wait for issue or start_ok.
        if (run$q & phase$q) begin
            if (np) begin
                jump = entry$0$q;
            end
            else begin
                jump = entry$1$q;
            end
        end
        else begin
            if (np) begin
                jump = start$1$q;
            end
            else begin
                jump = start$0$q;
            end
        end
        if (run$q & ~word_last) begin
            addr = pc$q + one16;
        end
        else begin
            addr = jump;
        end
        fetch = ~run$q | issue_now;
        fetch_addr = addr;
        if (~run$q | issue_now) begin
            pc$d = addr;
        end
        // Sequencer state.
        if (init_now) begin
            phase$d = 1'b0;
        end
        if (done_now) begin
            run$d = 1'b0;
            jobs$d = jobs$q + one32;
        end
        if (take) begin
            run$d = 1'b1;
            next_par$d = ~np;
            phase$d = (np & fresh$1$q) | (~np & fresh$0$q);
        end
        // Credit: subtract n_out, or one less when a beat leaves in the same cycle.
        if (np) begin
            if (output_pop) begin
                promise = n_out_less$1$q;
            end
            else begin
                promise = n_out$1$q;
            end
        end
        else begin
            if (output_pop) begin
                promise = n_out_less$0$q;
            end
            else begin
                promise = n_out$0$q;
            end
        end
        credit_taken = credit$q - promise;
        if (output_pop) begin
            credit_kept = credit$q + one16;
        end
        else begin
            credit_kept = credit$q;
        end
        // Masks, not a selection: synthesis would share the adders and put the late decision before them.
        if (take) begin
            take_mask = ones16;
        end
        else begin
            take_mask = zero16;
        end
        if (reset_n) begin
            credit$d = (credit_taken & take_mask) | (credit_kept & ~take_mask);
        end
        else begin
            credit$d = credit_full;
        end
        // Look-up of the oldest select beat. A reset takes no slot, so it needs none to be free: it reaches the jobs looked up after it.
        is_reset = head_index[32'hf];
        named = head_index & index_mask;
        lookup = enable & head_valid & (is_reset | (alloc_par$q & ~valid$1$q) | (~alloc_par$q & ~valid$0$q));
        known = named < num_models;
        accepts = known & (~is_reset | rec_resettable);
        needs_init = rec_has_init & ~head_initialised;
        load$0 = lookup & known & ~is_reset & ~alloc_par$q;
        load$1 = lookup & known & ~is_reset & alloc_par$q;
        bad_pulse$d = lookup & ~accepts;
        if (lookup) begin
            if (accepts) begin
                alloc_par$d = alloc_par$q ^ ~is_reset;
            end
            else begin
                bad_count$d = bad_count$q + one32;
                bad_last$d = head_index;
            end
        end
        // Input beats.
        accept_now = accept$0 | accept$1;
        last_beat = (in_par$q & (left$1$q == one16)) | (~in_par$q & (left$0$q == one16));
        if (accept_now & last_beat) begin
            in_par$d = ~in_par$q;
        end
        if (accept$0) begin
            beats_next$0 = beats_plus$0$q;
        end
        else begin
            beats_next$0 = beats$0$q;
        end
        if (accept$1) begin
            beats_next$1 = beats_plus$1$q;
        end
        else begin
            beats_next$1 = beats$1$q;
        end
        // What the running job has: a job that starts has all that came for it.
        consume = run$q & word_beat & here;
        avail_one = avail$q == one16;
        if (accept_run) begin
            avail_used = avail$q;
            avail_kept = avail$q + one16;
        end
        else begin
            avail_used = avail$q - one16;
            avail_kept = avail$q;
        end
        if (np) begin
            avail_start = beats_next$1;
            some_start = any$1$q | accept$1;
        end
        else begin
            avail_start = beats_next$0;
            some_start = any$0$q | accept$0;
        end
        if (consume) begin
            consume_mask = ones16;
        end
        else begin
            consume_mask = zero16;
        end
        avail$d = (avail_start & take_mask) | (((avail_used & consume_mask) | (avail_kept & ~consume_mask)) & ~take_mask);
        some$d = (take & some_start) | (~take & ((consume & ((some$q & ~avail_one) | (some$q & accept_run))) | (~consume & here)));
        // Slots. A slot is loaded only while free and freed only while held, so the cases exclude each other.
        if (accept$0) begin
            any$0$d = 1'b1;
            beats$0$d = beats_plus$0$q;
            beats_plus$0$d = beats_plus$0$q + one16;
            left$0$d = left$0$q - one16;
            open$0$d = ~last_beat;
        end
        if (free$0) begin
            valid$0$d = 1'b0;
            open$0$d = 1'b0;
        end
        if (load$0) begin
            valid$0$d = 1'b1;
            open$0$d = rec_n_in != zero16;
            left$0$d = rec_n_in;
            any$0$d = 1'b0;
            beats$0$d = zero16;
            beats_plus$0$d = one16;
            entry$0$d = rec_entry;
            fresh$0$d = needs_init;
            n_out$0$d = rec_n_out;
            n_out_less$0$d = rec_n_out - one16;
            model$0$d = head_index[(32'h0)+:(8)];
            if (needs_init) begin
                start$0$d = rec_init;
            end
            else begin
                start$0$d = rec_entry;
            end
        end
        if (accept$1) begin
            any$1$d = 1'b1;
            beats$1$d = beats_plus$1$q;
            beats_plus$1$d = beats_plus$1$q + one16;
            left$1$d = left$1$q - one16;
            open$1$d = ~last_beat;
        end
        if (free$1) begin
            valid$1$d = 1'b0;
            open$1$d = 1'b0;
        end
        if (load$1) begin
            valid$1$d = 1'b1;
            open$1$d = rec_n_in != zero16;
            left$1$d = rec_n_in;
            any$1$d = 1'b0;
            beats$1$d = zero16;
            beats_plus$1$d = one16;
            entry$1$d = rec_entry;
            fresh$1$d = needs_init;
            n_out$1$d = rec_n_out;
            n_out_less$1$d = rec_n_out - one16;
            model$1$d = head_index[(32'h0)+:(8)];
            if (needs_init) begin
                start$1$d = rec_init;
            end
            else begin
                start$1$d = rec_entry;
            end
        end
        // Ports.
        head_pop = lookup;
        input_ready = (in_par$q & open$1$q) | (~in_par$q & open$0$q);
        beat = accept_now;
        beat_parity = in_par$q;
        if (in_par$q) begin
            beat_addr = beats$1$q;
        end
        else begin
            beat_addr = beats$0$q;
        end
        issue = issue_now;
        tick_pc = pc$q;
        tick_parity = ~np;
        init_set = needs_init & (load$0 | load$1);
        init_clear = lookup & accepts & is_reset;
        init_done = init_now;
        job_done = done_now;
        run_model = model_now;
        if (np) begin
            run_left = left$0$q;
            run_n_out = n_out$0$q;
        end
        else begin
            run_left = left$1$q;
            run_n_out = n_out$1$q;
        end
        run_avail = avail$q;
        running = run$q;
        jobs_done = jobs$q;
        bad_select_count = bad_count$q;
        last_bad_select = bad_last$q;
        bad_select_pulse = bad_pulse$q;
    end

endmodule // sl_dispatch_fsm


module sl_dispatch_fsm$alloc_par(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$alloc_par


module sl_dispatch_fsm$any$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$any$0


module sl_dispatch_fsm$any$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$any$1


module sl_dispatch_fsm$avail(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$avail


module sl_dispatch_fsm$bad_count(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [31:0] d;
    output reg  [31:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 32'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$bad_count


module sl_dispatch_fsm$bad_last(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$bad_last


module sl_dispatch_fsm$bad_pulse(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$bad_pulse


module sl_dispatch_fsm$beats$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$beats$0


module sl_dispatch_fsm$beats$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$beats$1


module sl_dispatch_fsm$beats_plus$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$beats_plus$0


module sl_dispatch_fsm$beats_plus$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$beats_plus$1


module sl_dispatch_fsm$credit(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$credit


module sl_dispatch_fsm$entry$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$entry$0


module sl_dispatch_fsm$entry$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$entry$1


module sl_dispatch_fsm$fresh$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$fresh$0


module sl_dispatch_fsm$fresh$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$fresh$1


module sl_dispatch_fsm$in_par(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$in_par


module sl_dispatch_fsm$jobs(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [31:0] d;
    output reg  [31:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 32'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$jobs


module sl_dispatch_fsm$left$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$left$0


module sl_dispatch_fsm$left$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$left$1


module sl_dispatch_fsm$model$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [7:0] d;
    output reg  [7:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 8'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$model$0


module sl_dispatch_fsm$model$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [7:0] d;
    output reg  [7:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 8'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$model$1


module sl_dispatch_fsm$n_out$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$n_out$0


module sl_dispatch_fsm$n_out$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$n_out$1


module sl_dispatch_fsm$n_out_less$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$n_out_less$0


module sl_dispatch_fsm$n_out_less$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$n_out_less$1


module sl_dispatch_fsm$next_par(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$next_par


module sl_dispatch_fsm$open$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$open$0


module sl_dispatch_fsm$open$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$open$1


module sl_dispatch_fsm$pc(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$pc


module sl_dispatch_fsm$phase(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$phase


module sl_dispatch_fsm$run(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$run


module sl_dispatch_fsm$some(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$some


module sl_dispatch_fsm$start$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$start$0


module sl_dispatch_fsm$start$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  [15:0] d;
    output reg  [15:0] q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 16'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$start$1


module sl_dispatch_fsm$valid$0(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$valid$0


module sl_dispatch_fsm$valid$1(clock,reset_n,d,q);

    // Module arguments
    input wire  clock;
    input wire  reset_n;
    input wire  d;
    output reg  q;

    // Update code (custom)
    always @(posedge clock) begin
      if (!reset_n) q <= 1'h0;
      else q <= d;
    end
endmodule // sl_dispatch_fsm$valid$1

// verilator lint_on UNUSEDPARAM
// verilator lint_on DECLFILENAME
