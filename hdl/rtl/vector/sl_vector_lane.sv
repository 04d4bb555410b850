// One lane of the vector unit around the special functions: clamp, fp32 arithmetic, clamp, conversion (docs/machine.md section 4).
//
// Timing     p0: operand A compared with the bounds of `pre` and rounded. p1..p6: sl_fp_lane, behind the multiplexer of the clamp. p7:
//            compared with the bounds of `post` and rounded. The result of p0 (op `pass`) or p7 stands in data_o one cycle later,
//            behind the multiplexer of its clamp; the lower plane follows in the cycle after that. Arithmetic behind a special
//            function takes its operand from p6 of the function; p1 and p7 are then those of the arithmetic.
// Contract   Control inputs are worth something in the stage they are named after; out_* belong to the cycle of data_o. The arithmetic's
//            results and the accumulator's values are flushed and their NaN canonical; a tensor operand need not be. No reset: the
//            unit's valid bits say what data_o is worth.

module sl_vector_lane
  import sl_pkg::*;
  import sl_vector_pkg::*;
(
    input logic clk_i,

    input logic p0_use_acc_i,
    input logic [31:0] p0_acc_i,
    input logic [31:0] p0_tensor_i,
    input logic [2:0] p0_tensor_flags_i,  // all set: NaN
    input logic p0_tensor_up_i,  // rounding the tensor operand to bf16 goes up
    input limits_t p0_limits_i,
    input logic p0_planes_i,
    input logic p0_on_i,  // A goes on to a special function or, with B, to the arithmetic

    input logic        p6_on_i,      // so does the result of a special function, to the arithmetic
    input logic [31:0] p6_special_i,

    input  logic [31:0] b_i,    // operand B, in p0 or p6
    output logic [31:0] p1_a_o, // operand of the special function

    input logic              p1_valid_i,
    input vector_op_e        p1_op_i,
    input logic       [63:0] p1_bounds_i,

    input limits_t p7_limits_i,
    input logic    p7_planes_i,
    input logic    p7_valid_i,

    input logic        p7_use_special_i,
    input logic [31:0] p7_special_i,

    input  logic        o_en_i,        // a result or a lower plane goes into the exchange register
    input  logic        o_low_i,       // it is the lower plane of the result before
    input  logic [31:0] out_bounds_i,  // {hi, lo}, 16 bits of each: those that leave
    output logic [15:0] data_o
);
  // p0. Both sources are compared, so that their choice comes late. The accumulator's NaN is canonical and may stay what it is.
  logic [31:0] p0_a;
  logic p0_up;
  pick_t p0_pick, p0_acc_pick, p0_tensor_pick;

  // Of a value whose NaN is canonical and that is flushed.
  function automatic pick_t result_pick(logic [31:0] x, limits_t limits);
    return
    '{
        nan: x[30:22] == 9'h1FF,
        hi: limits.always_hi || above(x, limits.hi),
        lo: below(x, limits.lo),
        flushed: 1'b0
    }
    ;
  endfunction

  assign p0_acc_pick = result_pick(p0_acc_i, p0_limits_i);
  assign p0_tensor_pick = '{
          nan: p0_tensor_flags_i == 3'b111,
          hi: p0_limits_i.always_hi || above(p0_tensor_i, p0_limits_i.hi),
          lo: below(p0_tensor_i, p0_limits_i.lo),
          flushed: p0_tensor_i[30:23] == '0
      };
  assign p0_pick = p0_use_acc_i ? p0_acc_pick : p0_tensor_pick;
  assign p0_a = p0_use_acc_i ? p0_acc_i : p0_tensor_i;
  assign p0_up = !p0_planes_i && (p0_use_acc_i ? round_up(p0_acc_i[16:0]) : p0_tensor_up_i);

  // p1: the arithmetic reads subnormals as zero by itself.
  logic p1_bound_q, p1_upper_q;  // not the operand; hi, or NaN if not a bound
  logic [31:0] p1_raw_q, p1_a, p1_b_q;

  always_ff @(posedge clk_i) begin
    if (p0_on_i || p6_on_i) begin
      p1_bound_q <= !p6_on_i && !p0_pick.nan && (p0_pick.hi || p0_pick.lo);
      p1_upper_q <= !p6_on_i && (p0_pick.nan || p0_pick.hi);
      p1_raw_q   <= p6_on_i ? p6_special_i : p0_a;
      p1_b_q     <= b_i;
    end
  end

  always_comb begin
    if (p1_bound_q) p1_a = p1_upper_q ? p1_bounds_i[63:32] : p1_bounds_i[31:0];
    else p1_a = p1_upper_q ? 32'h7FC0_0000 : p1_raw_q;
  end

  assign p1_a_o = p1_a;

  logic [31:0] p7_arithmetic, p7_result;

  sl_fp_lane u_alu (
      .clk_i,
      .valid_i(p1_valid_i),
      .op_i(p1_op_i),
      .a_i(p1_a),
      .b_i(p1_b_q),
      .result_o(p7_arithmetic)
  );

  // p7. Again both sources are compared.
  pick_t p7_pick;
  logic  p7_up;

  assign p7_pick = p7_use_special_i ? result_pick(
      p7_special_i, p7_limits_i
  ) : result_pick(
      p7_arithmetic, p7_limits_i
  );
  assign p7_result = p7_use_special_i ? p7_special_i : p7_arithmetic;
  assign p7_up = !p7_planes_i && (p7_use_special_i ? round_up(
      p7_special_i[16:0]
  ) : round_up(
      p7_arithmetic[16:0]
  ));

  // Exchange register with both outcomes of the rounding, so that its decision comes late, and the lower plane that waits. A NaN has
  // zeros there.
  pick_t pick_q;
  logic  up_q;
  logic [15:0] down_q, next_q, low_q, out;

  always_ff @(posedge clk_i) begin
    if (o_en_i) begin
      if (o_low_i) begin
        pick_q <= '{
            nan: 1'b0,
            hi: pick_q.hi && !pick_q.nan,
            lo: pick_q.lo && !pick_q.nan,
            flushed: 1'b0
        };
        up_q <= 1'b0;
        down_q <= low_q & {16{!pick_q.nan && !pick_q.flushed}};
      end else begin
        pick_q <= p7_valid_i ? p7_pick : p0_pick;
        up_q   <= p7_valid_i ? p7_up : p0_up;
        down_q <= p7_valid_i ? p7_result[31:16] : p0_a[31:16];
        next_q <= p7_valid_i ? p7_result[31:16] + 16'd1 : p0_a[31:16] + 16'd1;
        low_q  <= p7_valid_i ? p7_result[15:0] : p0_a[15:0];
      end
    end
  end

  assign out = up_q ? next_q : down_q;
  always_comb begin
    if (pick_q.nan) data_o = 16'h7FC0;
    else if (pick_q.hi) data_o = out_bounds_i[31:16];
    else if (pick_q.lo) data_o = out_bounds_i[15:0];
    else data_o = {out[15], out[14:0] & {15{!pick_q.flushed}}};
  end
endmodule
