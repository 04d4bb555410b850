// How a value is clamped in two halves: a comparison says where it comes from, a multiplexer one cycle later takes it from there.

package sl_vector_pkg;

  // Where a clamped value comes from, the first that holds: NaN, hi, lo, zero of the operand's sign, the operand.
  typedef struct packed {
    logic nan;
    logic hi;
    logic lo;
    logic flushed;
  } pick_t;

  // A clamp entry as the comparisons need it.
  typedef struct packed {
    logic        always_hi;  // hi < lo, or a bound is NaN
    logic [31:0] lo;
    logic [31:0] hi;
  } limits_t;

  // Unsigned order of fp32 numbers, -0 < +0.
  function automatic logic [31:0] order_key(logic [31:0] u);
    return {~u[31], u[30:0] ^ {31{u[31]}}};
  endfunction

  // Of a number without its sign.
  function automatic logic is_nan(logic [30:0] u);
    return u[30:23] == 8'hFF && u[22:0] != '0;
  endfunction

  function automatic logic [31:0] flush(logic [31:0] u);
    return {u[31], u[30:0] & {31{u[30:23] != '0}}};
  endfunction

  // Of the lower 17 bits of an fp32: rounding to bf16, to nearest even, goes up.
  function automatic logic round_up(logic [16:0] u);
    return u[15] && (u[14:0] != '0 || u[16]);
  endfunction

  // A bound as a result: fp32, NaN canonical.
  function automatic logic [31:0] bound(logic [31:0] u, logic nan);
    return nan ? 32'h7FC0_0000 : flush(u);
  endfunction

  // A bound as bf16, from its upper half: both outcomes of the rounding, so that its decision comes late.
  function automatic logic [15:0] rounded(logic [15:0] u, logic up, logic nan);
    logic [15:0] next;
    next = u + 16'd1;
    if (nan) return 16'h7FC0;
    return u[14:7] == '0 ? {u[15], 15'd0} : up ? next : u;
  endfunction

endpackage
