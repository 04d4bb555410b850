// One lane of the vector unit around the special functions: clamp, fp32 arithmetic, clamp, conversion (docs/machine.md section 4).
//
// Timing     p0: operand A compared with the bounds of `pre` and rounded. p1..p6: sl_fp_lane, behind the multiplexer of the clamp. p7:
//            compared with the bounds of `post` and rounded. The result of p0 (op `pass`) or p7 stands in data_o one cycle later,
//            behind the multiplexer of its clamp; the lower plane follows in the cycle after that. Arithmetic behind a special
//            function takes its operand from the function's p7; p1 and p7 are then those of the arithmetic.
// Contract   Control inputs are worth something in the stage they are named after; out_* belong to the cycle of data_o. *valid_i only
//            save work: data_o means nothing without out_valid_i. The arithmetic's
//            results and the accumulator's values are flushed and their NaN canonical; a tensor operand need not be, and leaves raw as
//            it came. No reset: the unit's valid bits say what data_o is worth.

module sl_vector_lane
  import sl_vector_pkg::*;
(
    input logic clk_i,

    input logic p0_valid_i,
    input logic p0_use_acc_i,
    input logic [31:0] p0_acc_i,
    input logic [31:0] p0_tensor_i,
    input logic [2:0] p0_tensor_flags_i,  // all set: NaN
    input logic p0_tensor_up_i,  // rounding the tensor operand to bf16 goes up
    input limits_t p0_limits_i,
    input logic p0_planes_i,
    input logic p0_raw_i,  // A's upper half as it is
    input logic p0_on_i,  // A goes on to a special function or, with B, to the arithmetic

    input logic p6_on_i,  // so does the result of a special function, to the arithmetic

    input  logic [31:0] b_i,    // operand B, in p0 or p6
    output logic [31:0] p1_a_o, // operand of the special function

    input logic                      p1_valid_i,
    input logic               [63:0] p1_bounds_i,
    input sl_fp_pkg::stages_t        stages_i,

    input logic    p7_valid_i,
    input limits_t p7_limits_i,
    input logic    p7_planes_i,

    input logic        p7_use_special_i,
    input logic [31:0] p7_special_i,

    input  logic        o_en_i,        // a result or a lower plane goes into the exchange register
    input  logic        o_low_i,       // it is the lower plane of the result before
    input  logic        out_valid_i,
    input  logic [31:0] out_bounds_i,  // {hi, lo}, 16 bits of each: those that leave
    output logic [15:0] data_o
);
  // p0. Both sources are compared, so that their choice comes late. The accumulator's NaN is canonical and may stay what it is.
  logic p0_acc_hi, p0_acc_lo, p0_tensor_hi, p0_tensor_lo, p0_up;
  logic [31:0] p0_a;
  pick_t p0_pick;

  sl_clamp_compare u_acc (
      .valid_i (p0_valid_i && p0_use_acc_i),
      .x_i     (p0_acc_i),
      .limits_i(p0_limits_i),
      .hi_o    (p0_acc_hi),
      .lo_o    (p0_acc_lo)
  );
  sl_clamp_compare u_tensor (
      .valid_i (p0_valid_i && !p0_use_acc_i),
      .x_i     (p0_tensor_i),
      .limits_i(p0_limits_i),
      .hi_o    (p0_tensor_hi),
      .lo_o    (p0_tensor_lo)
  );

  always_comb begin
    p0_a = 'x;
    p0_up = 'x;
    p0_pick = 'x;
    if (p0_valid_i) begin
      automatic logic acc_up = p0_acc_i[15] && (p0_acc_i[14:0] != '0 || p0_acc_i[16]);
      p0_a = p0_use_acc_i ? p0_acc_i : p0_tensor_i;
      p0_up = !p0_planes_i && !p0_raw_i && (p0_use_acc_i ? acc_up : p0_tensor_up_i);
      p0_pick.nan = p0_use_acc_i ? p0_acc_i[30:22] == 9'h1FF : p0_tensor_flags_i == 3'b111;
      p0_pick.hi = p0_use_acc_i ? p0_acc_hi : p0_tensor_hi;
      p0_pick.lo = p0_use_acc_i ? p0_acc_lo : p0_tensor_lo;
      p0_pick.flushed = !p0_use_acc_i && p0_tensor_i[30:23] == '0;
      if (p0_raw_i) p0_pick = '0;
    end
  end

  // p1: four sources by two bits, a LUT each. The arithmetic reads subnormals as zero by itself.
  logic p1_bound_q, p1_other_q;  // a bound; the upper one, or the special function's result
  logic [31:0] p1_raw_q, p1_b_q;

  always_ff @(posedge clk_i) begin
    if (p0_on_i || p6_on_i) begin
      p1_bound_q <= !p6_on_i && !p0_pick.nan && (p0_pick.hi || p0_pick.lo);
      p1_other_q <= p6_on_i || (!p0_pick.nan && p0_pick.hi);
      p1_raw_q <= p0_pick.nan ? 32'h7FC0_0000 : p0_a;
      p1_b_q <= b_i;
    end
  end

  always_comb begin
    p1_a_o = 'x;
    if (p1_valid_i) begin
      if (p1_bound_q) p1_a_o = p1_other_q ? p1_bounds_i[63:32] : p1_bounds_i[31:0];
      else p1_a_o = p1_other_q ? p7_special_i : p1_raw_q;
    end
  end

  logic [31:0] p7_arithmetic;

  sl_fp_lane u_alu (
      .clk_i,
      .stages_i,
      .a_i     (p1_a_o),
      .b_i     (p1_b_q),
      .result_o(p7_arithmetic)
  );

  // p7. Again both sources are compared; neither has a NaN that is not canonical.
  logic p7_special_hi, p7_special_lo, p7_arithmetic_hi, p7_arithmetic_lo;

  sl_clamp_compare u_special (
      .valid_i (p7_valid_i && p7_use_special_i),
      .x_i     (p7_special_i),
      .limits_i(p7_limits_i),
      .hi_o    (p7_special_hi),
      .lo_o    (p7_special_lo)
  );
  sl_clamp_compare u_arithmetic (
      .valid_i (p7_valid_i && !p7_use_special_i),
      .x_i     (p7_arithmetic),
      .limits_i(p7_limits_i),
      .hi_o    (p7_arithmetic_hi),
      .lo_o    (p7_arithmetic_lo)
  );

  // Exchange register with both outcomes of the rounding, so that its decision comes late, and the lower plane that waits.
  pick_t pick_q;
  logic up_q, plane_q;  // plane_q: the lower plane leaves, as its upper plane did
  logic [15:0] down_q, next_q, low_q;

  always_ff @(posedge clk_i) begin
    if (o_en_i) begin
      plane_q <= o_low_i;
      if (o_low_i) begin
        down_q <= low_q;
      end else if (p7_valid_i) begin
        automatic logic [31:0] result = p7_use_special_i ? p7_special_i : p7_arithmetic;
        pick_q.nan <= result[30:22] == 9'h1FF;
        pick_q.hi <= p7_use_special_i ? p7_special_hi : p7_arithmetic_hi;
        pick_q.lo <= p7_use_special_i ? p7_special_lo : p7_arithmetic_lo;
        pick_q.flushed <= 1'b0;
        up_q <= !p7_planes_i && result[15] && (result[14:0] != '0 || result[16]);
        down_q <= result[31:16];
        next_q <= result[31:16] + 16'd1;
        low_q <= result[15:0];
      end else begin
        pick_q <= p0_pick;
        up_q   <= p0_up;
        down_q <= p0_a[31:16];
        next_q <= p0_a[31:16] + 16'd1;
        low_q  <= p0_a[15:0];
      end
    end
  end

  always_comb begin
    data_o = 'x;
    if (out_valid_i) begin
      automatic logic [15:0] out = up_q ? next_q : down_q;
      if (pick_q.nan) data_o = plane_q ? '0 : 16'h7FC0;
      else if (pick_q.hi) data_o = out_bounds_i[31:16];
      else if (pick_q.lo) data_o = out_bounds_i[15:0];
      else if (pick_q.flushed) data_o = {out[15] && !plane_q, 15'd0};
      else data_o = out;
    end
  end
endmodule
