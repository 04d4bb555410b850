// Matrix unit of a core: block times weight block, added into block-exponent accumulators, out as fp32.
//
// Timing     docs/machine.md section 3, T = ceil(log4 BlockSize): word_i in c0, x_data_i in c1, late operands read in c(1+2T) (and
//            c(2+2T)), late_y_* one cycle ahead of that, their data one cycle later, acc_value_o from c(11+2T). One word per cycle, never stalls.
// Memories   Row n's record of a block (isa load::row_record) is written by the load port; InitPrefix, when not empty, preloads
//            {InitPrefix}weights_row<n>.hex (17 * BlockSize bits a word) and {InitPrefix}scales.hex (BlockSize lanes of the 16 bits
//            {L[n], R[n]}; with Fp8Weights 32, those of the second block above those of the first).
// Contract   Only valid bits are reset; the result depends on the words and the memories, nothing else.

`include "sl_assert.svh"

module sl_matrix_unit #(
    parameter int unsigned BlockSize = 32,
    parameter int unsigned WeightDepth = 512,
    parameter int unsigned AccumDepth = 64,
    parameter bit Fp8Weights = 1'b0,
    parameter string InitPrefix = "",
    localparam int unsigned ScaleWidth = Fp8Weights ? 32 : 16  // R, L per block of an address
) (
    input logic clk_i,
    input logic rst_ni,

    input sl_pkg::matrix_t                    word_i,
    input logic            [BlockSize*16-1:0] x_data_i,

    output logic                    late_y_valid_o,
    output logic [             4:0] late_y_bank_o,
    output logic [            11:0] late_y_addr_o,
    input  logic [BlockSize*16-1:0] y_data_i,
    output logic                    late_const_valid_o,
    output logic [            10:0] late_const_addr_o,
    input  logic [BlockSize*32-1:0] const_data_i,

    output logic [BlockSize*32-1:0] acc_value_o,

    input logic                               load_valid_i,
    input logic [                        6:0] load_row_i,
    input logic [                       15:0] load_addr_i,
    input logic [17*BlockSize+ScaleWidth-1:0] load_data_i
);
  import sl_pkg::*;

  localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2;
  // Stage s of the late half is cycle c(s + Late).
  localparam int unsigned Late = 2 * TreeStages;
  localparam int unsigned LastStage = 10 + Late;
  localparam int unsigned WeightAddrWidth = $clog2(WeightDepth);
  localparam int unsigned AccAddrWidth = $clog2(AccumDepth);

  if (!(BlockSize inside {4, 8, 16, 32, 64})) begin : gen_bad_block_size
    $error("BlockSize must be 4, 8, 16, 32 or 64");
  end
  if (WeightDepth < 2 || WeightDepth > 8192) begin : gen_bad_weight_depth
    $error("WeightDepth must be 2 to 8192");
  end
  if (AccumDepth < 2 || AccumDepth > 64) begin : gen_bad_accum_depth
    $error("AccumDepth must be 2 to 64");
  end

  // The word travels with its work; index s is cycle c(s).
  logic [LastStage:0] product, planes, active;
  logic [3+TreeStages:0][WeightAddrWidth-1:0] weight;
  logic [8+Late:0][AccAddrWidth-1:0] acc;
  logic [5+Late:0] first, constant;
  logic [1+Late:0][ 4:0] bank;
  logic [  Late:0][11:0] addr;
  logic [1+Late:0][10:0] const_addr;

  logic [LastStage:1] product_q, planes_q;
  logic [3+TreeStages:1][WeightAddrWidth-1:0] weight_q;
  logic [8+Late:1][AccAddrWidth-1:0] acc_q;
  logic [5+Late:1] first_q, constant_q;
  logic [1+Late:1][ 4:0] bank_q;
  logic [  Late:1][11:0] addr_q;
  logic [1+Late:1][10:0] const_addr_q;

  assign product = {product_q, word_i.kind == MatrixKindProduct};
  assign planes = {planes_q, word_i.kind == MatrixKindAdd32};
  assign active = product | planes;
  assign weight = {weight_q, word_i.weight[WeightAddrWidth-1:0]};
  assign acc = {acc_q, word_i.acc[AccAddrWidth-1:0]};
  assign first = {first_q, word_i.first};
  assign constant = {
    constant_q, word_i.kind == MatrixKindProduct && word_i.first && word_i.init == InitConst
  };
  assign bank = {bank_q, word_i.bank};
  assign addr = {addr_q, word_i.addr};
  assign const_addr = {const_addr_q, word_i.init_addr};

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      product_q <= '0;
      planes_q  <= '0;
    end else begin
      product_q <= product[LastStage-1:0];
      planes_q  <= planes[LastStage-1:0];
    end
  end

  always_ff @(posedge clk_i) begin
    weight_q <= weight[2+TreeStages:0];
    acc_q <= acc[7+Late:0];
    first_q <= first[4+Late:0];
    constant_q <= constant[4+Late:0];
    bank_q <= bank[Late:0];
    addr_q <= addr[Late-1:0];
    const_addr_q <= const_addr[Late:0];
  end

  // Hazards of the accumulator loop, found one stage ahead, that of stage 3 shifted along.
  logic [7:3] loop_q;
  logic [5:3] forward_q;
  logic forward_far_q5, start_q6, forward_q6, read_q6;

  always_ff @(posedge clk_i) begin
    loop_q <= {
      loop_q[6:3], active[2+Late] && active[3+Late] && acc[2+Late] == acc[3+Late] && !first[2+Late]
    };
    forward_far_q5 <= active[4+Late] && active[7+Late] && acc[4+Late] == acc[7+Late];
    forward_q <= {forward_q[4:3], active[2+Late] && active[4+Late] && acc[2+Late] == acc[4+Late]};
    start_q6 <= first[5+Late] && constant[5+Late];
    forward_q6 <= !first[5+Late] && forward_q[5];
    read_q6 <= !first[5+Late] && !forward_q[5];
  end

  // Scale store: read in c0. L goes to the aligner, R waits for stage 3.
  logic [BlockSize-1:0][ScaleWidth-1:0] scales;
  logic [BlockSize-1:0][15:0] scale;
  logic [BlockSize-1:0][7:0] lane_exp;
  logic [BlockSize-1:0][7:0] row_exp[1:3+Late];

  sl_ram_mask #(
      .Lanes    (BlockSize),
      .LaneWidth(ScaleWidth),
      .Depth    (WeightDepth),
      .InitFile (InitPrefix == "" ? "" : {InitPrefix, "scales.hex"})
  ) u_scales (
      .clk_i,
      .we_i   (load_valid_i),
      .wmask_i(BlockSize'(1) << load_row_i),
      .waddr_i(load_addr_i[WeightAddrWidth-1:0]),
      .wdata_i({BlockSize{load_data_i[17*BlockSize+:ScaleWidth]}}),
      .re_i   (product[0]),
      .raddr_i(weight[0]),
      .rdata_o(scales)
  );

  // Format of the weights: in stage 1 for the scales, with the row store's read for the rows.
  logic [3+TreeStages:0] fp8, second;

  if (Fp8Weights) begin : gen_fp8
    logic [3+TreeStages:1] fp8_q, second_q;
    assign fp8 = {fp8_q, word_i.weight_format != WeightFormatLbfp17};
    assign second = {second_q, word_i.weight_format == WeightFormatFp8High};
    always_ff @(posedge clk_i) begin
      fp8_q <= fp8[2+TreeStages:0];
      second_q <= second[2+TreeStages:0];
    end
    for (genvar n = 0; n < BlockSize; n++) begin : gen_choice
      assign scale[n] = second[1] ? scales[n][31:16] : scales[n][15:0];
    end
  end else begin : gen_plain
    assign fp8 = '0;
    assign second = '0;
    assign scale = scales;
    `SL_ASSERT(NoFp8_A, product[0] |-> word_i.weight_format == WeightFormatLbfp17)
  end

  for (genvar n = 0; n < BlockSize; n++) begin : gen_scale
    assign row_exp[1][n] = scale[n][7:0];
    assign lane_exp[n]   = scale[n][15:8];
  end
  for (genvar s = 1; s < 3 + Late; s++) begin : gen_row_exp
    always_ff @(posedge clk_i) begin
      if (product[s]) row_exp[s+1] <= row_exp[s];
    end
  end

  // Aligner: c1 to c(4+T).
  logic block_poison;
  logic signed [9:0] block_max;
  logic [BlockSize-1:0][17:0] a;

  sl_aligner #(
      .BlockSize(BlockSize)
  ) u_aligner (
      .clk_i,
      .valid_i   (product[4+TreeStages:1]),
      .x_i       (x_data_i),
      .lane_exp_i(lane_exp),
      .max_o     (block_max),
      .poison_o  (block_poison),
      .a_o       (a)
  );

  // F - 166, "a lane is on" and the poison flag wait for the rows.
  logic signed [9:0] block_exp_q[3+TreeStages:3+Late];
  logic [3+Late:3+TreeStages] any_q;
  logic [7+Late:3+TreeStages] poison_q;

  always_ff @(posedge clk_i) begin
    block_exp_q[3+TreeStages] <= block_max - 10'sd166;
    any_q <= {any_q[2+Late:3+TreeStages], block_max[9:8] != 2'b10};
    poison_q <= {poison_q[6+Late:3+TreeStages], block_poison};
  end
  for (genvar s = 3 + TreeStages; s < 3 + Late; s++) begin : gen_block_exp
    always_ff @(posedge clk_i) block_exp_q[s+1] <= block_exp_q[s];
  end

  // Late operands: upper plane and start value in stage 1, lower plane, one address on, in stage 2. Port Y is asked a cycle ahead.
  logic [11:0] low_addr_q;

  always_ff @(posedge clk_i) low_addr_q <= addr[Late] + 12'd1;

  assign late_y_valid_o = planes[Late] || planes[1+Late];
  assign late_y_bank_o = planes[1+Late] ? bank[1+Late] : bank[Late];
  assign late_y_addr_o = planes[1+Late] ? low_addr_q : addr[Late];
  assign late_const_valid_o = constant[1+Late] && product[1+Late];
  assign late_const_addr_o = const_addr[1+Late];

  `SL_ASSERT(PlanesApart_A, !(planes[1+Late] && planes[2+Late]))
  `SL_ASSERT(PlanesInitZero_A, planes[0] && word_i.first |-> word_i.init == InitZero)

  logic unused_load_addr;
  assign unused_load_addr = ^load_addr_i;

  logic [5:2] late_valid;
  assign late_valid = planes[5+Late:2+Late] | (product[5+Late:2+Late] & constant[5+Late:2+Late]);

  for (genvar n = 0; n < BlockSize; n++) begin : gen_row
    localparam string RowFile = $sformatf("%sweights_row%0d.hex", InitPrefix, n);
    sl_matrix_row #(
        .BlockSize  (BlockSize),
        .WeightDepth(WeightDepth),
        .AccumDepth (AccumDepth),
        .Fp8Weights (Fp8Weights),
        .InitFile   (InitPrefix == "" ? "" : RowFile)
    ) u_row (
        .clk_i,
        .load_valid_i(load_valid_i && load_row_i == 7'(n)),
        .load_addr_i (load_addr_i[WeightAddrWidth-1:0]),
        .load_data_i (load_data_i[17*BlockSize-1:0]),
        .read_valid_i(product[3+TreeStages]),
        .read_addr_i (weight[3+TreeStages]),
        .fp8_i       (fp8[3+TreeStages]),
        .second_i    (second[3+TreeStages]),
        .dot_valid_i (product[5+Late:5+TreeStages]),
        .a_i         (a),
        .late_valid_i(late_valid),
        .valid_i     (active[10+Late:3+Late]),
        .planes2_i   (planes[2+Late]),
        .planes3_i   (planes[3+Late]),
        .planes5_i   (planes[5+Late]),
        .const3_i    (constant[3+Late]),
        .y_i         (y_data_i[16*n+:16]),
        .const_i     (const_data_i[32*n+:32]),
        .row_exp_i   (row_exp[3+Late][n]),
        .block_exp_i (block_exp_q[3+Late]),
        .any_i       (any_q[3+Late]),
        .poison_i    (poison_q[7+Late] && product[7+Late]),
        .first3_i    (first[3+Late]),
        .forward3_i  (forward_q[3]),
        .forward5_i  (forward_far_q5),
        .start6_i    (start_q6),
        .forward6_i  (forward_q6),
        .read6_i     (read_q6),
        .loop4_i     (loop_q[4]),
        .loop6_i     (loop_q[6]),
        .loop7_i     (loop_q[7]),
        .acc3_i      (acc[3+Late]),
        .acc5_i      (acc[5+Late]),
        .acc8_i      (acc[8+Late]),
        .value_o     (acc_value_o[32*n+:32])
    );
  end
endmodule
