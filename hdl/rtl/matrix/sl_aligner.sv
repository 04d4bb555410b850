// Operand aligner: a block of bf16 values to 18-bit mantissas relative to its largest lane exponent.
//
// Timing     (offsets of docs/machine.md section 3, T = TreeStages) x_i, lane_exp_i in c1; max_o, poison_o in c(2+T);
//            a_o in c(5+T). One block per cycle.
// Numbers    isa lbfp::align; max_o is F, or -512 if every lane is off.
// Contract   valid_i[s] says that cycle c(s) works on a product; it only saves work. No reset.

module sl_aligner #(
    parameter int unsigned BlockSize = 32,
    localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2,
    localparam int unsigned Stages = 5 + TreeStages
) (
    input logic              clk_i,
    input logic [Stages-1:1] valid_i,

    input logic [BlockSize-1:0][15:0] x_i,
    input logic [BlockSize-1:0][ 7:0] lane_exp_i,

    output logic signed [9:0] max_o,
    output logic              poison_o,

    output logic [BlockSize-1:0][17:0] a_o
);
  logic [BlockSize-1:0][9:0] exp;
  logic [BlockSize-1:0][17:0] aligned;
  logic [BlockSize-1:0] poison;

  for (genvar k = 0; k < BlockSize; k++) begin : gen_lane
    sl_align_lane #(
        .TreeStages(TreeStages)
    ) u_lane (
        .clk_i,
        .valid_i   (valid_i[3+TreeStages:1]),
        .x_i       (x_i[k]),
        .lane_exp_i(lane_exp_i[k]),
        .exp_o     (exp[k]),
        .poison_o  (poison[k]),
        .max_i     (max_o),
        .a_o       (aligned[k])
    );
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[4+TreeStages]) a_o <= aligned;
  end

  sl_align_max #(
      .BlockSize(BlockSize)
  ) u_max (
      .clk_i,
      .valid_i (valid_i[TreeStages+1:2]),
      .exp_i   (exp),
      .poison_i(poison),
      .max_o,
      .poison_o
  );
endmodule
