// Register block of the configuration bus (isa/src/registers.rs, docs/bus.md).
//
// Timing     A write is done in its first cycle; a window, load address or checksum write waits while a load word goes out. A read takes
//            two cycles; the jobs of a model come from the compute side. Whoever waits TimeoutCycles gets an error instead.
// Contract   An access that is answered with an error changes nothing but error, bus_error_count and bus_error_address (a timeout also
//            abandons the load). Reads have no side effect. Enable and reset travel as messages: the next goes when the one before
//            has taken effect and everything loaded has arrived, so the compute side is never enabled before its program is whole.
//            The first enable after a load resets the compute side. With Preloaded the compute side is enabled by itself from power-up
//            and after every reset, until the first load has begun: from then on nothing says what the memories hold.

module sl_bus_regs
  import sl_pkg::*;
#(
    parameter logic [6:0][31:0] Capability = '0,  // config_hash and what follows it
    parameter int unsigned MaxModels = 16,
    parameter int unsigned StreamWords = 0,  // words of a load stream beat, 0 without a load stream
    parameter bit Preloaded = 1'b0,  // the memories start with a program, which runs by itself
    parameter int unsigned TimeoutCycles = 65536
) (
    input logic clk_i,
    input logic rst_ni,

    input  logic                       wr_valid_i,
    input  logic [BusAddressWidth-1:0] wr_addr_i,
    input  logic [               31:0] wr_data_i,
    input  logic [                3:0] wr_strb_i,
    output logic                       wr_done_o,
    output logic                       wr_error_o,
    input  logic                       rd_valid_i,
    input  logic [BusAddressWidth-1:0] rd_addr_i,
    output logic                       rd_done_o,
    output logic [               31:0] rd_data_o,
    output logic                       rd_error_o,

    // Loader; address and words are the data of the write.
    output logic        load_start_o,
    output logic        load_address_we_o,
    output logic        load_word_valid_o,
    input  logic        load_ready_i,
    input  logic        load_settled_i,     // ready, and the checksum is that of everything taken
    input  logic        load_target_i,
    input  logic        load_order_i,
    input  logic [31:0] load_address_i,
    input  logic [31:0] load_count_i,
    input  logic [31:0] load_crc_i,
    input  logic [15:0] load_num_models_i,
    input  logic        load_drained_i,     // everything has reached the compute side

    // Model records as they go out.
    input logic                        load_table_we_i,
    input logic [                 7:0] load_table_addr_i,
    input logic [ModelRecordWidth-1:0] load_table_data_i,

    // Load stream: it needs to know of the load, and tells what was wrong with a packet.
    output logic stream_loading_o,
    input  logic stream_refused_i,
    input  logic stream_target_i,
    input  logic stream_order_i,

    // Messages to the compute side.
    output logic msg_valid_o,
    input  logic msg_ready_i,
    output logic msg_enable_o,
    output logic msg_reset_o,

    // From the compute side: levels, a stream of coherent counts, the jobs of a model on request.
    input  logic        core_idle_i,
    input  logic        core_busy_i,
    input  logic        stat_valid_i,
    input  logic [63:0] stat_cycles_i,
    input  logic [63:0] stat_busy_cycles_i,
    input  logic [31:0] stat_jobs_i,
    input  logic [31:0] stat_bad_count_i,
    input  logic [15:0] stat_bad_last_i,
    input  logic [ 7:0] stat_events_i,
    output logic        count_req_valid_o,
    input  logic        count_req_ready_i,
    output logic [ 7:0] count_req_model_o,
    input  logic        count_rsp_valid_i,
    input  logic [31:0] count_rsp_data_i,

    output logic irq_o
);
  localparam int unsigned RecordWords = (ModelRecordWidth + 31) / 32;
  localparam int unsigned ModelWidth = $clog2(MaxModels);
  localparam int unsigned TimerWidth = $clog2(TimeoutCycles + 1);
  // Regions begin at a multiple of their size, a power of two, so the bits above it name them. Single registers are in the first.
  localparam int unsigned SinglesBits = 8;
  typedef logic [SinglesBits-3:0] index_t;
  localparam int unsigned JobsBits = $clog2(4 * RegModelJobsWords);
  localparam int unsigned TableBits = $clog2(4 * RegModelTableWords);
  localparam int unsigned WindowBits = $clog2(4 * RegLoadWindowWords);

  if (RegModelTableWords != 256 * ModelTableWords || ModelTableWords != 4) begin : gen_bad_table
    $error("sl_bus_regs: the model table has four words for each of 256 models");
  end
  if (32'(RegModelJobs) % 2 ** JobsBits != 0 || 4 * RegModelJobsWords != 2 ** JobsBits
      || 32'(RegModelTable) % 2 ** TableBits != 0 || 4 * RegModelTableWords != 2 ** TableBits
      || 32'(RegLoadWindow) % 2 ** WindowBits != 0 || 4 * RegLoadWindowWords != 2 ** WindowBits)
  begin : gen_bad_region
    $error("sl_bus_regs: a region does not begin at a multiple of its size");
  end
  if (RegCapabilityStreams - RegConfigHash != 24) begin : gen_bad_capability
    $error("sl_bus_regs: Capability is the registers from config_hash to capability_streams");
  end

  typedef logic [NumErrors-1:0] errors_t;
  localparam errors_t BadAddress = errors_t'(1 << ErrorBadAddressBit);
  localparam errors_t BadStrobe = errors_t'(1 << ErrorBadStrobeBit);
  localparam errors_t LoadRefused = errors_t'(1 << ErrorLoadRefusedBit);
  localparam errors_t LoadTarget = errors_t'(1 << ErrorLoadTargetBit);
  localparam errors_t LoadOrder = errors_t'(1 << ErrorLoadOrderBit);
  localparam errors_t Checksum = errors_t'(1 << ErrorChecksumBit);
  localparam errors_t EnableRefused = errors_t'(1 << ErrorEnableRefusedBit);
  localparam errors_t Timeout = errors_t'(1 << ErrorTimeoutBit);
  localparam errors_t BadSelect = errors_t'(1 << ErrorBadSelectBit);

  // State.
  logic enable_q;  // wanted
  logic sent_enable_q;  // last message
  logic enabled_q;  // last message that took effect
  logic reset_q;  // wanted, not sent yet
  logic resetting_q;  // the last message resets
  logic reset_due_q;  // a program was loaded since the last reset
  logic loading_q, program_ok_q;
  logic pristine_q;  // nothing was loaded since power-up
  errors_t error_q, error_mask_q;
  logic [31:0] bus_error_count_q, bus_error_address_q, scratch_q, program_checksum_q;
  logic [TimerWidth-1:0] wr_timer_q, rd_timer_q;
  logic wr_over_q, rd_over_q;  // a timer has reached TimeoutCycles

  // Messages. After one has taken effect two more sets of counts are awaited: the second was certainly taken later.
  logic settled, can_load;
  logic [1:0] stale_q;
  assign msg_valid_o = (enable_q != sent_enable_q || reset_q) && load_drained_i;
  assign msg_enable_o = enable_q;
  assign msg_reset_o = reset_q || (reset_due_q && enable_q);
  assign settled = msg_ready_i && enable_q == sent_enable_q && !reset_q && stale_q == '0;
  assign can_load = settled && !enable_q && core_idle_i && load_drained_i;

  // Write request.
  logic wr_full, wr_window, wr_single, wr_waits, wr_late, wr_take;
  logic takes_control, takes_address, takes_error;
  index_t  wr_index;  // of a single register
  errors_t wr_error;
  assign wr_full   = wr_strb_i == '1;
  assign wr_single = wr_addr_i >> SinglesBits == '0;
  assign wr_index  = wr_addr_i[SinglesBits-1:2];
  assign wr_window = wr_addr_i >> WindowBits == RegLoadWindow >> WindowBits;

  always_comb begin
    wr_error = '0;
    wr_waits = 1'b0;
    if (wr_strb_i != '0) begin
      if (wr_addr_i[1:0] != '0) begin
        wr_error = BadAddress;
      end else if (!wr_full) begin
        wr_error = BadStrobe;
      end else if (wr_window) begin
        if (!loading_q) wr_error = LoadRefused;
        else if (!load_ready_i) wr_waits = 1'b1;
        else if (!load_target_i) wr_error = LoadTarget;
        else if (!load_order_i) wr_error = LoadOrder;
      end else if (!wr_single) begin
        wr_error = BadAddress;
      end else begin
        unique case (wr_index)
          index_t'(RegControl >> 2): begin
            if (wr_data_i[ControlLoadBit] && (!can_load || wr_data_i[ControlEnableBit]
                || wr_data_i[ControlSoftResetBit])) begin
              wr_error |= LoadRefused;
            end
            if (wr_data_i[ControlEnableBit] && !program_ok_q) wr_error |= EnableRefused;
          end
          index_t'(RegError >> 2), index_t'(RegErrorMask >> 2), index_t'(RegScratch >> 2): ;
          index_t'(RegLoadAddress >> 2): begin
            if (!loading_q) wr_error = LoadRefused;
            else wr_waits = !load_ready_i;
          end
          index_t'(RegProgramChecksum >> 2): begin
            if (!loading_q) wr_error = LoadRefused;
            else if (!load_settled_i) wr_waits = 1'b1;
            else if (wr_data_i != load_crc_i) wr_error = Checksum;
          end
          default: wr_error = BadAddress;
        endcase
      end
    end
    wr_late = wr_waits && wr_over_q;
    if (wr_late) wr_error = Timeout;
  end
  assign wr_done_o = !wr_waits || wr_late;
  assign wr_error_o = wr_error != '0;
  assign wr_take = wr_valid_i && wr_done_o && wr_full && !wr_error_o;

  // What is taken and not for the window is for a single register.
  assign takes_control = wr_take && !wr_window && wr_index == index_t'(RegControl >> 2);
  assign takes_address = wr_take && !wr_window && wr_index == index_t'(RegLoadAddress >> 2);
  assign takes_error = wr_take && !wr_window && wr_index == index_t'(RegError >> 2);
  assign load_start_o = takes_control && wr_data_i[ControlLoadBit];
  assign load_address_we_o = takes_address;
  assign load_word_valid_o = wr_take && wr_window;
  assign stream_loading_o = loading_q;

  // Read request: in the second cycle the model table has answered, and the address has been looked at.
  logic rd_unmapped_q, rd_present_q;  // no register there; a word of a record that was loaded
  logic rd_asked_q;  // jobs of a model
  logic rd_second_q, rd_mapped, rd_table, rd_counts, rd_jobs, rd_waits, rd_late, rd_ask;
  errors_t rd_error;
  logic [31:0] rd_mux, rd_record;
  logic [32*ModelTableWords-1:0] table_data;
  logic pending_q, mine_q;  // a request is out; its answer is for this read
  logic [7:0] rd_job_model, rd_table_model;

  assign rd_job_model = rd_addr_i[9:2];
  assign rd_table_model = rd_addr_i[11:4];
  assign rd_table = rd_addr_i >> TableBits == RegModelTable >> TableBits;
  assign rd_counts = rd_addr_i >> JobsBits == RegModelJobs >> JobsBits;
  assign rd_jobs = rd_counts && 32'(rd_job_model) < MaxModels;
  assign rd_mapped = rd_addr_i >> SinglesBits == '0 || rd_table || rd_counts
      || rd_addr_i >> WindowBits == RegLoadWindow >> WindowBits;
  assign rd_ask = rd_jobs && rd_addr_i[1:0] == '0;
  assign count_req_valid_o = rd_second_q && rd_asked_q && !pending_q && !rd_late;
  assign count_req_model_o = rd_job_model;
  assign rd_waits = !rd_second_q || (rd_asked_q && !(count_rsp_valid_i && mine_q));
  assign rd_late = rd_waits && rd_over_q;
  assign rd_done_o = !rd_waits || rd_late;
  assign rd_error_o = rd_error != '0;
  assign rd_data_o = (rd_error_o ? 32'h0 : rd_mux) | rd_record;

  always_comb begin
    rd_error = '0;
    if (rd_late) rd_error = Timeout;
    else if (rd_unmapped_q) rd_error = BadAddress;
  end

  logic [63:0] cycles_q, busy_cycles_q;
  logic [31:0] jobs_q, bad_count_q;
  logic [15:0] bad_last_q;
  logic [ 7:0] events_q;
  logic [31:0] status, control;

  always_comb begin
    control = '0;
    control[ControlEnableBit] = enable_q;
    control[ControlSoftResetBit] = reset_q || resetting_q;
    control[ControlLoadBit] = loading_q;
    status = '0;
    status[StatusEnabledBit] = enabled_q;
    status[StatusBusyBit] = core_busy_i;
    status[StatusSettlingBit] = !settled;
    status[StatusIdleBit] = can_load;
    status[StatusLoadingBit] = loading_q;
    status[StatusProgramOkBit] = program_ok_q;
    status[StatusInterruptBit] = irq_o;
  end

  assign rd_record = rd_present_q ? table_data[32*rd_addr_i[3:2]+:32] : '0;
  always_comb begin
    rd_mux = '0;
    if (rd_jobs) begin
      rd_mux = count_rsp_data_i;
    end else begin
      unique case (rd_addr_i)
        RegIdentity: rd_mux = 32'(BusIdentity);
        RegVersion: rd_mux = 32'(BusVersion);
        RegConfigHash: rd_mux = Capability[0];
        RegConfigHash + 21'd4: rd_mux = Capability[1];
        RegCapabilityShape: rd_mux = Capability[2];
        RegCapabilityStores: rd_mux = Capability[3];
        RegCapabilityTensors: rd_mux = Capability[4];
        RegCapabilityProgram: rd_mux = Capability[5];
        RegCapabilityStreams: rd_mux = Capability[6];
        RegCapabilityLoad: rd_mux = 32'(StreamWords);
        RegControl: rd_mux = control;
        RegStatus: rd_mux = status;
        RegError: rd_mux = 32'(error_q);
        RegErrorMask: rd_mux = 32'(error_mask_q);
        RegBusErrorCount: rd_mux = bus_error_count_q;
        RegBusErrorAddress: rd_mux = bus_error_address_q;
        RegScratch: rd_mux = scratch_q;
        RegCycles: rd_mux = cycles_q[31:0];
        RegCycles + 21'd4: rd_mux = cycles_q[63:32];
        RegBusyCycles: rd_mux = busy_cycles_q[31:0];
        RegBusyCycles + 21'd4: rd_mux = busy_cycles_q[63:32];
        RegJobsDone: rd_mux = jobs_q;
        RegBadSelectCount: rd_mux = bad_count_q;
        RegLastBadSelect: rd_mux = 32'(bad_last_q);
        RegLoadAddress: rd_mux = load_address_i;
        RegLoadCount: rd_mux = load_count_i;
        RegLoadChecksum: rd_mux = load_crc_i;
        RegProgramChecksum: rd_mux = program_checksum_q;
        RegNumModels: rd_mux = 32'(load_num_models_i);
        default: rd_mux = '0;
      endcase
    end
  end

  // Records as loaded, for reading back.
  sl_ram_1r1w #(
      .Width(ModelRecordWidth),
      .Depth(MaxModels)
  ) u_table (
      .clk_i,
      .we_i   (load_table_we_i),
      .waddr_i(load_table_addr_i[ModelWidth-1:0]),
      .wdata_i(load_table_data_i),
      .re_i   (1'b1),
      .raddr_i(rd_table_model[ModelWidth-1:0]),
      .rdata_o(table_data[ModelRecordWidth-1:0])
  );
  assign table_data[32*ModelTableWords-1:ModelRecordWidth] = '0;

  always_ff @(posedge clk_i) begin
    rd_asked_q <= rd_ask;
    rd_unmapped_q <= !rd_mapped || rd_addr_i[1:0] != '0;
    rd_present_q <= rd_table && rd_addr_i[1:0] == '0
        && 16'(rd_table_model) < load_num_models_i && 32'(rd_table_model) < MaxModels
        && 32'(rd_addr_i[3:2]) < RecordWords;
  end

  errors_t error_set, error_clear;
  logic wr_bad, rd_bad, wr_bad_q, rd_bad_q;
  assign wr_bad = wr_valid_i && wr_done_o && wr_error_o;
  assign rd_bad = rd_valid_i && rd_done_o && rd_error_o;
  assign error_set = (wr_bad ? wr_error : '0) | (rd_bad ? rd_error : '0)
      | (stream_refused_i ? LoadRefused : '0) | (stream_target_i ? LoadTarget : '0)
      | (stream_order_i ? LoadOrder : '0)
      | (stat_valid_i && stat_events_i != events_q ? BadSelect : '0);
  assign error_clear = takes_error ? wr_data_i[NumErrors-1:0] : '0;

  initial pristine_q = 1'b1;
  always_ff @(posedge clk_i) if (load_start_o) pristine_q <= 1'b0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      enable_q            <= Preloaded && pristine_q;
      sent_enable_q       <= 1'b0;
      enabled_q           <= 1'b0;
      reset_q             <= 1'b0;
      resetting_q         <= 1'b0;
      reset_due_q         <= 1'b0;
      stale_q             <= '0;
      loading_q           <= 1'b0;
      program_ok_q        <= Preloaded && pristine_q;
      error_q             <= '0;
      error_mask_q        <= '0;
      wr_bad_q            <= 1'b0;
      rd_bad_q            <= 1'b0;
      bus_error_count_q   <= '0;
      bus_error_address_q <= '0;
      scratch_q           <= '0;
      program_checksum_q  <= '0;
      wr_timer_q          <= '0;
      rd_timer_q          <= '0;
      wr_over_q           <= 1'b0;
      rd_over_q           <= 1'b0;
      rd_second_q         <= 1'b0;
      pending_q           <= 1'b0;
      mine_q              <= 1'b0;
      irq_o               <= 1'b0;
    end else begin
      if (msg_ready_i) enabled_q <= sent_enable_q;
      if (msg_valid_o && msg_ready_i) begin
        sent_enable_q <= enable_q;
        reset_q       <= 1'b0;
        stale_q       <= 2'd2;
        resetting_q   <= msg_reset_o;
        if (msg_reset_o) reset_due_q <= 1'b0;
      end else if (msg_ready_i) begin
        resetting_q <= 1'b0;
        if (stat_valid_i && stale_q != '0) stale_q <= stale_q - 1'b1;
      end

      if (wr_take && !wr_window) begin
        unique case (wr_index)
          index_t'(RegControl >> 2): begin
            enable_q <= wr_data_i[ControlEnableBit];
            if (wr_data_i[ControlSoftResetBit]) reset_q <= 1'b1;
            if (wr_data_i[ControlLoadBit]) begin
              loading_q    <= 1'b1;
              program_ok_q <= 1'b0;
              reset_due_q  <= 1'b1;
            end
          end
          index_t'(RegErrorMask >> 2): error_mask_q <= wr_data_i[NumErrors-1:0];
          index_t'(RegScratch >> 2):   scratch_q <= wr_data_i;
          index_t'(RegProgramChecksum >> 2): begin
            program_checksum_q <= wr_data_i;
            program_ok_q       <= 1'b1;
            loading_q          <= 1'b0;
          end
          default:                     ;
        endcase
      end
      if (wr_bad && (wr_error & (Checksum | Timeout)) != '0) loading_q <= 1'b0;

      wr_timer_q  <= wr_valid_i && !wr_done_o ? wr_timer_q + 1'b1 : '0;
      wr_over_q   <= wr_valid_i && !wr_done_o && wr_timer_q == TimerWidth'(TimeoutCycles - 1);
      rd_over_q   <= rd_valid_i && !rd_done_o && rd_timer_q == TimerWidth'(TimeoutCycles - 1);
      rd_timer_q  <= rd_valid_i && !rd_done_o ? rd_timer_q + 1'b1 : '0;
      rd_second_q <= rd_valid_i && !rd_done_o;

      if (count_req_valid_o && count_req_ready_i) begin
        pending_q <= 1'b1;
        mine_q    <= 1'b1;
      end else if (count_rsp_valid_i) begin
        pending_q <= 1'b0;
        mine_q    <= 1'b0;
      end else if (rd_valid_i && rd_late) begin
        mine_q <= 1'b0;
      end

      error_q <= (error_q & ~error_clear) | error_set;
      irq_o <= (error_q & error_mask_q) != '0;
      wr_bad_q <= wr_bad;
      rd_bad_q <= rd_bad;
      bus_error_count_q <= bus_error_count_q + 32'(wr_bad_q) + 32'(rd_bad_q);
      if (wr_bad) bus_error_address_q <= {1'b1, 10'h0, wr_addr_i};
      else if (rd_bad) bus_error_address_q <= {1'b0, 10'h0, rd_addr_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      cycles_q      <= '0;
      busy_cycles_q <= '0;
      jobs_q        <= '0;
      bad_count_q   <= '0;
      bad_last_q    <= '0;
      events_q      <= '0;
    end else if (stat_valid_i) begin
      cycles_q      <= stat_cycles_i;
      busy_cycles_q <= stat_busy_cycles_i;
      jobs_q        <= stat_jobs_i;
      bad_count_q   <= stat_bad_count_i;
      bad_last_q    <= stat_bad_last_i;
      events_q      <= stat_events_i;
    end
  end

  logic unused;  // a configuration of fewer models leaves upper bits
  assign unused = ^load_table_addr_i;
endmodule
