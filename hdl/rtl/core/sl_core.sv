// One core: stores, mirror of the tensor banks, matrix unit, vector unit (docs/machine.md sections 1 to 4).
//
// Timing     Tick in (registered, cycle tau+1) to instruction registers: c0 (sl_fetch). Result in the exchange register: lane_*_o.
// Contract   Everything that leaves is registered and everything that enters is registered here first or addresses a memory, so a
//            core is a unit of placement and of hierarchical simulation (the generated sl_core_block). The core's number is a port:
//            all cores are one module.
//            Load writes arrive only while no tick does (sl_dispatcher sees to it).
// Memories   With InitPrefix they start from {InitPrefix}instructions.hex, constants.hex, clamps.hex and the matrix unit's files.

`include "sl_assert.svh"

module sl_core
  import sl_pkg::*;
#(
    parameter int unsigned NumCores = 1,
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned WeightDepth = 128,  // blocks
    parameter int unsigned TensorDepth = 16,  // blocks per bank
    parameter int unsigned AccumDepth = 64,  // blocks
    parameter int unsigned ConstDepth = 512,  // blocks of fp32
    parameter int unsigned ClampDepth = 16,  // entries
    parameter int unsigned InstrDepth = 16,  // ticks
    parameter int unsigned LoadWidth = 144,  // bits
    parameter bit Fp8Weights = 1'b0,
    parameter string InitPrefix = ""
) (
    input logic clk_i,
    input logic rst_ni,

    input logic [4:0] core_id_i,

    input logic        tick_valid_i,
    input logic [15:0] tick_pc_i,
    input logic        tick_parity_i,

    input logic                 load_valid_i,
    input logic [          3:0] load_space_i,
    input logic [          4:0] load_core_i,
    input logic [          6:0] load_row_i,
    input logic [         15:0] load_addr_i,
    input logic [LoadWidth-1:0] load_data_i,

    // exchange lanes as they reach the banks; lane NumCores is the input
    input logic [                   NumCores:0] bank_valid_i,
    input logic [          (NumCores+1)*12-1:0] bank_addr_i,
    input logic [   (NumCores+1)*BlockSize-1:0] bank_mask_i,
    input logic [(NumCores+1)*BlockSize*16-1:0] bank_data_i,

    // this core's exchange register
    output logic                    lane_valid_o,
    output logic [            11:0] lane_addr_o,
    output logic [   BlockSize-1:0] lane_mask_o,
    output logic [BlockSize*16-1:0] lane_data_o
);
  localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2;
  localparam int unsigned AccP0 = AccP0Flat + AccP0PerTreeStage * TreeStages;
  localparam int unsigned InstrWidth = MatrixWordWidth + VectorWordWidth;
  localparam int unsigned RowRecordWidth = WeightBits * BlockSize + (Fp8Weights ? 32 : 16);
  localparam int unsigned ConstBits = $clog2(ConstDepth);
  localparam int unsigned ClampBits = $clog2(ClampDepth);

  function automatic bit power_of_two(int unsigned value, int unsigned lo, int unsigned hi);
    return value >= lo && value <= hi && (value & (value - 1)) == 0;
  endfunction

  if (!power_of_two(BlockSize, 4, 64)) begin : gen_block_size
    $error("BlockSize must be 4, 8, 16, 32 or 64");
  end
  if (NumCores < 1 || NumCores > 16) begin : gen_num_cores
    $error("NumCores must be 1 to 16");
  end
  if (!power_of_two(TensorDepth, 4, 4096)) begin : gen_tensor_depth
    $error("TensorDepth must be a power of two, 4 to 4096");
  end
  if (WeightDepth < 2 || WeightDepth > 8192) begin : gen_weight_depth
    $error("WeightDepth must be 2 to 8192");
  end
  if (!power_of_two(AccumDepth, 2, 64)) begin : gen_accum_depth
    $error("AccumDepth must be a power of two, 2 to 64");
  end
  if (ConstDepth < 2 || ConstDepth > 2048) begin : gen_const_depth
    $error("ConstDepth must be 2 to 2048");
  end
  if (!power_of_two(ClampDepth, 2, 32)) begin : gen_clamp_depth
    $error("ClampDepth must be a power of two, 2 to 32");
  end
  if (InstrDepth < 16 || InstrDepth > 65536) begin : gen_instr_depth
    $error("InstrDepth must be 16 to 65536");
  end
  if (LoadWidth < RowRecordWidth || LoadWidth < 32 * BlockSize || LoadWidth < InstrWidth)
  begin : gen_load_width
    $error("LoadWidth is too small for a row record, a constant or an instruction");
  end

  // Load port; a write beyond the end of a store is dropped.
  logic load_mine, load_weights, load_instructions, load_constants, load_clamps;
  assign load_mine = load_valid_i && load_core_i == core_id_i;
  assign load_weights = load_mine && load_space_i == SpaceWeights
      && 32'(load_addr_i) < WeightDepth && 32'(load_row_i) < BlockSize;
  assign load_instructions = load_mine && load_space_i == SpaceInstructions
      && 32'(load_addr_i) < InstrDepth;
  assign load_constants = load_mine && load_space_i == SpaceConstants
      && 32'(load_addr_i) < ConstDepth;
  assign load_clamps = load_mine && load_space_i == SpaceClamps && 32'(load_addr_i) < ClampDepth;

  // Instructions.
  matrix_t matrix;
  vector_t vector;
  logic fetch_y_valid;
  logic [4:0] fetch_y_bank;
  logic [11:0] fetch_y_addr;
  sl_fetch #(
      .NumCores(NumCores),
      .TensorDepth(TensorDepth),
      .InstrDepth(InstrDepth),
      .InitFile(InitPrefix == "" ? "" : {InitPrefix, "instructions.hex"})
  ) u_fetch (
      .clk_i,
      .rst_ni,
      .tick_valid_i,
      .tick_pc_i,
      .tick_parity_i,
      .load_valid_i(load_instructions),
      .load_addr_i,
      .load_data_i(load_data_i[InstrWidth-1:0]),
      .matrix_o(matrix),
      .vector_o(vector),
      .y_valid_o(fetch_y_valid),
      .y_bank_o(fetch_y_bank),
      .y_addr_o(fetch_y_addr)
  );

  // Tensor banks: a mirror for each port.
  logic x_valid;
  logic [BlockSize*16-1:0] x_data, y_data;
  assign x_valid = matrix.kind == MatrixKindProduct || matrix.kind == MatrixKindRead;

  // Port Y has three users, one at a time.
  logic vector_y_valid, matrix_y_valid, y_valid_q;
  logic [4:0] vector_y_bank, matrix_y_bank, y_bank_q;
  logic [11:0] vector_y_addr, matrix_y_addr, y_addr_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) y_valid_q <= 1'b0;
    else y_valid_q <= fetch_y_valid || vector_y_valid || matrix_y_valid;
  end
  always_ff @(posedge clk_i) begin
    y_bank_q <= (fetch_y_bank & {5{fetch_y_valid}}) | (vector_y_bank & {5{vector_y_valid}})
        | (matrix_y_bank & {5{matrix_y_valid}});
    y_addr_q <= (fetch_y_addr & {12{fetch_y_valid}}) | (vector_y_addr & {12{vector_y_valid}})
        | (matrix_y_addr & {12{matrix_y_valid}});
  end

  sl_bank_mirror #(
      .NumBanks(NumCores + 1),
      .BlockSize(BlockSize),
      .TensorDepth(TensorDepth)
  ) u_port_x (
      .clk_i,
      .lane_valid_i(bank_valid_i),
      .lane_addr_i(bank_addr_i),
      .lane_mask_i(bank_mask_i),
      .lane_data_i(bank_data_i),
      .re_i(x_valid),
      .bank_i(matrix.bank),
      .addr_i(matrix.addr),
      .data_o(x_data)
  );
  sl_bank_mirror #(
      .NumBanks(NumCores + 1),
      .BlockSize(BlockSize),
      .TensorDepth(TensorDepth)
  ) u_port_y (
      .clk_i,
      .lane_valid_i(bank_valid_i),
      .lane_addr_i(bank_addr_i),
      .lane_mask_i(bank_mask_i),
      .lane_data_i(bank_data_i),
      .re_i(y_valid_q),
      .bank_i(y_bank_q),
      .addr_i(y_addr_q),
      .data_o(y_data)
  );

  // Constant store.
  logic const_valid, vector_const_valid, matrix_const_valid;
  logic [10:0] const_addr, vector_const_addr, matrix_const_addr;
  logic [BlockSize*32-1:0] const_data;
  assign const_valid = vector_const_valid || matrix_const_valid;
  assign const_addr  = matrix_const_valid ? matrix_const_addr : vector_const_addr;

  sl_ram_1r1w #(
      .Width(BlockSize * 32),
      .Depth(ConstDepth),
      .InitFile(InitPrefix == "" ? "" : {InitPrefix, "constants.hex"})
  ) u_constants (
      .clk_i,
      .we_i(load_constants),
      .waddr_i(load_addr_i[ConstBits-1:0]),
      .wdata_i(load_data_i[BlockSize*32-1:0]),
      .re_i(const_valid),
      .raddr_i(const_addr[ConstBits-1:0]),
      .rdata_o(const_data)
  );

  // Clamp store: two copies, one per stage that reads it.
  logic [4:0] pre, post;
  logic [63:0] pre_entry, post_entry;
  sl_ram_async #(
      .Width(64),
      .Depth(ClampDepth),
      .InitFile(InitPrefix == "" ? "" : {InitPrefix, "clamps.hex"})
  ) u_clamps_pre (
      .clk_i,
      .we_i(load_clamps),
      .waddr_i(load_addr_i[ClampBits-1:0]),
      .wdata_i(load_data_i[63:0]),
      .raddr_i(pre[ClampBits-1:0]),
      .rdata_o(pre_entry)
  );
  sl_ram_async #(
      .Width(64),
      .Depth(ClampDepth),
      .InitFile(InitPrefix == "" ? "" : {InitPrefix, "clamps.hex"})
  ) u_clamps_post (
      .clk_i,
      .we_i(load_clamps),
      .waddr_i(load_addr_i[ClampBits-1:0]),
      .wdata_i(load_data_i[63:0]),
      .raddr_i(post[ClampBits-1:0]),
      .rdata_o(post_entry)
  );

  logic [BlockSize*32-1:0] acc_value;
  sl_matrix_unit #(
      .BlockSize  (BlockSize),
      .WeightDepth(WeightDepth),
      .AccumDepth (AccumDepth),
      .Fp8Weights (Fp8Weights),
      .InitPrefix (InitPrefix)
  ) u_matrix (
      .clk_i,
      .rst_ni,
      .word_i(matrix),
      .x_data_i(x_data),
      .late_y_valid_o(matrix_y_valid),
      .late_y_bank_o(matrix_y_bank),
      .late_y_addr_o(matrix_y_addr),
      .y_data_i(y_data),
      .late_const_valid_o(matrix_const_valid),
      .late_const_addr_o(matrix_const_addr),
      .const_data_i(const_data),
      .acc_value_o(acc_value),
      .load_valid_i(load_weights),
      .load_row_i,
      .load_addr_i,
      .load_data_i(load_data_i[RowRecordWidth-1:0])
  );

  sl_vector_unit #(
      .BlockSize(BlockSize),
      .AccP0(AccP0)
  ) u_vector (
      .clk_i,
      .rst_ni,
      .word_i(vector),
      .x_data_i(x_data),
      .y_valid_o(vector_y_valid),
      .y_bank_o(vector_y_bank),
      .y_addr_o(vector_y_addr),
      .y_data_i(y_data),
      .const_valid_o(vector_const_valid),
      .const_addr_o(vector_const_addr),
      .const_data_i(const_data),
      .acc_value_i(acc_value),
      .pre_o(pre),
      .pre_entry_i(pre_entry),
      .post_o(post),
      .post_entry_i(post_entry),
      .lane_valid_o,
      .lane_addr_o,
      .lane_mask_o,
      .lane_data_o
  );

  // Widths are the architectural maxima: a configuration leaves upper bits unused.
  logic unused;
  assign unused = ^{const_addr, pre, post};

  `SL_ASSERT(PortYOnce_A, $onehot0({fetch_y_valid, vector_y_valid, matrix_y_valid}))
  `SL_ASSERT(ConstantPortOnce_A, !(vector_const_valid && matrix_const_valid))
  `SL_ASSERT(BankXInRange_A, x_valid |-> matrix.bank <= 5'(NumCores))
  `SL_ASSERT(AddressXInRange_A, x_valid |-> 32'(matrix.addr) < TensorDepth)
  `SL_ASSERT(BankYInRange_A, y_valid_q |-> y_bank_q <= 5'(NumCores))
  `SL_ASSERT(AddressYInRange_A, y_valid_q |-> 32'(y_addr_q) < TensorDepth)
  `SL_ASSERT(ConstantInRange_A, const_valid |-> 32'(const_addr) < ConstDepth)
  `SL_ASSERT(WeightInRange_A, matrix.kind == MatrixKindProduct |-> 32'(matrix.weight) < WeightDepth)
  `SL_ASSERT(ProductAccumulatorInRange_A,
             matrix.kind == MatrixKindProduct |-> 32'(matrix.acc) < AccumDepth)
  `SL_ASSERT(Add32AccumulatorInRange_A,
             matrix.kind == MatrixKindAdd32 |-> 32'(matrix.acc) < AccumDepth)
  `SL_ASSERT(ClampInRange_A,
             vector.valid |-> 32'(vector.pre) < ClampDepth && 32'(vector.post) < ClampDepth)
  `SL_ASSERT(WriteInRange_A, lane_valid_o |-> 32'(lane_addr_o) < TensorDepth)
  `SL_ASSERT(NoTickWhileLoad_A, !(tick_valid_i && load_valid_i))
endmodule
