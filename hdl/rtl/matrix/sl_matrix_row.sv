// One row of the matrix unit: its weights, dot product, accumulators and fp32 result.
//
// Timing     (offsets of docs/machine.md section 3, T = TreeStages) weights read in c(3+T), a_i in c(5+T); from c(2+2T) on the
//            stages are numbered s for c(s+2T); value_o from stage 11.
// Weights    With Fp8Weights fp8_i and second_i, which belong to the read, choose what the lanes of the word are (sl_fp8_lane).
// Contract   Everything that is the same for all rows (valid bits, accumulator numbers, hazards) comes from sl_matrix_unit.
//            No reset: valid bits are reset there.

module sl_matrix_row #(
    parameter int unsigned BlockSize = 32,
    parameter int unsigned WeightDepth = 512,
    parameter int unsigned AccumDepth = 64,
    parameter bit Fp8Weights = 1'b0,
    parameter string InitFile = "",
    localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2,
    localparam int unsigned WeightAddrWidth = $clog2(WeightDepth),
    localparam int unsigned AccAddrWidth = $clog2(AccumDepth)
) (
    input logic clk_i,

    input logic load_valid_i,
    input logic [WeightAddrWidth-1:0] load_addr_i,
    input logic [17*BlockSize-1:0] load_data_i,

    input logic read_valid_i,
    input logic [WeightAddrWidth-1:0] read_addr_i,
    input logic fp8_i,
    input logic second_i,
    input logic [TreeStages:0] dot_valid_i,
    input logic [BlockSize-1:0][17:0] a_i,

    input logic        [ 5:2] late_valid_i,
    input logic        [10:3] valid_i,
    input logic               planes2_i,
    input logic               planes3_i,
    input logic               planes5_i,
    input logic               const3_i,
    input logic        [15:0] y_i,
    input logic        [31:0] const_i,
    input logic signed [ 7:0] row_exp_i,     // R, in stage 3
    input logic signed [ 9:0] block_exp_i,   // F - 166, in stage 3
    input logic               any_i,
    input logic               poison_i,      // of the block, in stage 7

    input logic first3_i,
    input logic forward3_i,
    input logic forward5_i,
    input logic start6_i,
    input logic forward6_i,
    input logic read6_i,
    input logic loop4_i,
    input logic loop6_i,
    input logic loop7_i,
    input logic [AccAddrWidth-1:0] acc3_i,
    input logic [AccAddrWidth-1:0] acc5_i,
    input logic [AccAddrWidth-1:0] acc8_i,

    output logic [31:0] value_o
);
  localparam int unsigned SumWidth = 34 + $clog2(BlockSize);

  logic [BlockSize-1:0][16:0] m;
  logic signed [SumWidth-1:0] sum;

  logic [BlockSize-1:0][16:0] fields;

  sl_ram_1r1w #(
      .Width         (17 * BlockSize),
      .Depth         (WeightDepth),
      .OutputRegister(!Fp8Weights),
      .InitFile      (InitFile)
  ) u_weights (
      .clk_i,
      .we_i   (load_valid_i),
      .waddr_i(load_addr_i),
      .wdata_i(load_data_i),
      .re_i   (read_valid_i),
      .raddr_i(read_addr_i),
      .rdata_o(fields)
  );

  if (Fp8Weights) begin : gen_fp8
    logic valid_q, fp8_q, second_q;
    logic [BlockSize-1:0][16:0] decoded, m_q;

    always_ff @(posedge clk_i) begin
      valid_q  <= read_valid_i;
      fp8_q    <= fp8_i;
      second_q <= second_i;
    end
    for (genvar k = 0; k < BlockSize; k++) begin : gen_lane
      sl_fp8_lane u_lane (
          .fp8_i   (fp8_q),
          .second_i(second_q),
          .field_i (fields[k]),
          .m_o     (decoded[k])
      );
    end
    always_ff @(posedge clk_i) begin
      if (valid_q) m_q <= decoded;
    end
    assign m = m_q;
  end else begin : gen_plain
    logic unused;
    assign unused = fp8_i ^ second_i;
    assign m = fields;
  end

  sl_dot_product #(
      .BlockSize(BlockSize)
  ) u_dot (
      .clk_i,
      .valid_i(dot_valid_i),
      .m_i    (m),
      .a_i,
      .sum_o  (sum)
  );

  logic late_poison;
  logic signed [6:0] late_exp;
  logic signed [39:0] late_term;

  sl_late_operand u_late (
      .clk_i,
      .valid_i (late_valid_i),
      .planes2_i,
      .planes3_i,
      .y_i,
      .const_i,
      .exp_o   (late_exp),
      .poison_o(late_poison),
      .term_o  (late_term)
  );

  // Stage 3: g = R + F - 158, exponent (g >> 3) - 1 = (R + F - 166) >> 3; 166 and 158 leave the same remainder of eight.
  logic [2:0] fine_q4, fine_q5;
  logic signed [6:0] term_exp_q4;
  logic poison_q4, poison_q5, poison_q6, poison_q7;

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      automatic logic signed [9:0] g = block_exp_i + 10'(row_exp_i);
      if (planes3_i) term_exp_q4 <= late_exp;
      else if (any_i) term_exp_q4 <= g[9:3];
      else term_exp_q4 <= 7'(sl_pkg::AccExpMin);
      fine_q4   <= g[2:0];
      poison_q4 <= planes3_i && late_poison;
    end
  end

  always_ff @(posedge clk_i) begin
    fine_q5   <= fine_q4;
    poison_q5 <= poison_q4;
    poison_q6 <= poison_q5;
    poison_q7 <= poison_q6;
  end

  logic acc_poison;
  logic signed [6:0] acc_exp;
  logic signed [63:0] acc_mantissa;

  sl_accumulator #(
      .Depth(AccumDepth),
      .SumWidth(SumWidth)
  ) u_accumulator (
      .clk_i,
      .valid_i    (valid_i[8:3]),
      .first3_i,
      .forward3_i,
      .forward5_i,
      .start6_i,
      .forward6_i,
      .read6_i,
      .loop4_i,
      .loop6_i,
      .loop7_i,
      .acc3_i,
      .acc5_i,
      .acc8_i,
      .start_exp_i(const3_i ? late_exp : 7'(sl_pkg::AccExpMin)),
      .term_exp_i (term_exp_q4),
      .sum_i      (sum),
      .fine5_i    (fine_q5),
      .planes5_i,
      .late_i     (late_term),
      .poison_i   (poison_i || poison_q7),
      .mantissa_o (acc_mantissa),
      .exp_o      (acc_exp),
      .poison_o   (acc_poison)
  );

  sl_acc_to_float u_to_float (
      .clk_i,
      .valid_i   (valid_i[10:8]),
      .mantissa_i(acc_mantissa),
      .exp_i     (acc_exp),
      .poison_i  (acc_poison),
      .value_o
  );
endmodule
