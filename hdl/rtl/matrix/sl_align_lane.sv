// One lane of the operand aligner: bf16 value in, 18-bit mantissa relative to the block's largest lane out.
//
// Timing     (offsets of docs/machine.md section 3, T = TreeStages)
//              c1      x_i, lane_exp_i         -> exp_o, poison_o in c2
//              c(2+T)  max_i                   -> distance
//              c(3+T)  shift with guard and sticky bit
//              c(4+T)  round to nearest even, sign -> a_o (combinational)
// Numbers    isa lbfp::align. exp_o is e + L, or -512 for a lane that is off (subnormal operand or L = -128), whose
//            mantissa is zero. |a_o| <= 255 * 512 < 2^17.
// Contract   valid_i[s] says that cycle c(s) works on something; it only saves work. No reset.

module sl_align_lane #(
    parameter int unsigned TreeStages = 3,
    localparam int unsigned Stages = 4 + TreeStages
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
  typedef struct packed {
    logic sign;
    logic [7:0] sig;
    logic signed [9:0] exp;
  } lane_t;

  lane_t lane_q2;

  always_ff @(posedge clk_i) begin
    if (valid_i[1]) begin
      automatic logic on = x_i[14:7] != '0 && lane_exp_i != 8'h80;
      lane_q2.sign <= x_i[15];
      lane_q2.sig <= on ? {1'b1, x_i[6:0]} : '0;
      lane_q2.exp <= on ? $signed({2'b00, x_i[14:7]}) + 10'($signed(lane_exp_i)) : -10'sd512;
      poison_o <= on && x_i[14:7] == 8'hFF;
    end
  end
  assign exp_o = lane_q2.exp;

  // c2 .. c(1+T): waits for the maximum.
  lane_t lane;

  for (genvar t = 0; t < TreeStages; t++) begin : gen_wait
    lane_t lane_q;
    if (t == 0) begin : gen_first
      always_ff @(posedge clk_i) if (valid_i[2]) lane_q <= lane_q2;
    end else begin : gen_next
      always_ff @(posedge clk_i) if (valid_i[2+t]) lane_q <= gen_wait[t-1].lane_q;
    end
  end
  assign lane = gen_wait[TreeStages-1].lane_q;

  // c(2+T): distance to the largest lane; beyond 31 nothing is left (already from 18 on, see the shift).
  logic far_q, sign_q3, sign_q4;
  logic [4:0] distance_q;
  logic [7:0] sig_q3;

  always_ff @(posedge clk_i) begin
    if (valid_i[2+TreeStages]) begin
      automatic logic [9:0] distance = max_i - lane.exp;
      sign_q3 <= lane.sign;
      sig_q3 <= lane.sig;
      distance_q <= distance[4:0];
      far_q <= distance[9:5] != '0;
    end
  end

  // c(3+T): (sig << 9) >> distance, 17 bits, guard bit, and the OR of what is below. 18 and more leave zero and no guard.
  function automatic logic lost(logic [7:0] sig, logic [4:0] distance);
    logic [7:0] bits;
    for (int unsigned i = 0; i < 8; i++) bits[i] = sig[i] && 32'(distance) >= i + 11;
    return bits != '0;
  endfunction

  logic guard_q, sticky_q;
  logic [16:0] shifted_q;

  always_ff @(posedge clk_i) begin
    if (valid_i[3+TreeStages]) begin
      automatic logic [17:0] wide = {sig_q3, 10'b0} >> distance_q;
      sign_q4 <= sign_q3;
      {shifted_q, guard_q} <= far_q ? '0 : wide;
      sticky_q <= lost(sig_q3, distance_q);
    end
  end

  // c(4+T): -(v + up) = ~v + (1 - up). The register is in sl_aligner, one for all lanes.
  logic up;

  assign up  = guard_q && (sticky_q || shifted_q[0]);
  assign a_o = $signed({1'b0, shifted_q} ^ {18{sign_q4}}) + $signed(18'(up != sign_q4));
endmodule
