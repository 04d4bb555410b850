// One lane of the operand aligner: bf16 value in, 18-bit mantissa relative to the block's largest lane out.
//
// Timing     (offsets of docs/machine.md section 3, T = TreeStages)
//              c1      x_i, lane_exp_i         -> exp_o, poison_o in c2
//              c(2+T)  max_i                   -> distance
//              c(3+T)  shift with guard and sticky bit
//              c(4+T)  round to nearest even, sign -> a_o in c(5+T)
// Numbers    isa lbfp::align. exp_o is e + L, or -512 for a lane that is off (subnormal operand or L = -128), whose
//            mantissa is zero. |a_o| <= 255 * 512 < 2^17.
// Contract   valid_i[s] says that cycle c(s) works on something; it only saves work. No reset.

module sl_align_lane #(
    parameter int unsigned TreeStages = 3,
    localparam int unsigned Stages = 5 + TreeStages
) (
    input logic              clk_i,
    input logic [Stages-1:1] valid_i,

    input logic [15:0] x_i,
    input logic [ 7:0] lane_exp_i,

    output logic signed [9:0] exp_o,
    output logic              poison_o,

    input  logic signed [ 9:0] max_i,
    output logic signed [17:0] a_o
);
  // c1
  logic sign_q[TreeStages+3];
  logic [7:0] sig_q[TreeStages+1];
  logic signed [9:0] exp_q[TreeStages+1];

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic on = x_i[14:7] != '0 && lane_exp_i != 8'h80;
      sign_q[0] <= x_i[15];
      sig_q[0] <= on ? {1'b1, x_i[6:0]} : '0;
      exp_q[0] <= on ? $signed({2'b00, x_i[14:7]}) + 10'($signed(lane_exp_i)) : -10'sd512;
      poison_o <= on && x_i[14:7] == 8'hFF;
    end
  end
  assign exp_o = exp_q[0];

  // c2 .. c(1+T): waits for the maximum.
  for (genvar t = 0; t < TreeStages; t++) begin : gen_wait
    always_ff @(posedge clk_i) begin
      if (valid_i[2+t]) begin
        sign_q[t+1] <= sign_q[t];
        sig_q[t+1]  <= sig_q[t];
        exp_q[t+1]  <= exp_q[t];
      end
    end
  end

  // c(2+T): distance to the largest lane; beyond 31 nothing is left (already from 18 on, see the shift).
  logic far_q;
  logic [4:0] distance_q;
  logic [7:0] sig_far_q;

  always_ff @(posedge clk_i) begin
    if (valid_i[2+TreeStages]) begin
      automatic logic [9:0] distance = max_i - exp_q[TreeStages];
      sign_q[TreeStages+1] <= sign_q[TreeStages];
      sig_far_q <= sig_q[TreeStages];
      distance_q <= distance[4:0];
      far_q <= distance[9:5] != '0;
    end
  end

  // c(3+T): (sig << 9) >> distance, 17 bits, guard bit, and the OR of what is below. 18 and more leave zero and no guard.
  logic guard_q, sticky_q;
  logic [16:0] shifted_q;

  always_ff @(posedge clk_i) begin
    if (valid_i[3+TreeStages]) begin
      automatic logic [34:0] wide = {sig_far_q, 27'b0} >> distance_q;
      sign_q[TreeStages+2] <= sign_q[TreeStages+1];
      {shifted_q, guard_q} <= far_q ? '0 : wide[34:17];
      sticky_q <= wide[16:0] != '0;
    end
  end

  // c(4+T): -(v + up) = ~v + (1 - up)
  always_ff @(posedge clk_i) begin
    if (valid_i[4+TreeStages]) begin
      automatic logic sign = sign_q[TreeStages+2];
      automatic logic up = guard_q && (sticky_q || shifted_q[0]);
      a_o <= $signed({1'b0, shifted_q} ^ {18{sign}}) + $signed(18'(up != sign));
    end
  end
endmodule
