// Vector unit of a core: one fused lane-wise operation per cycle on a block (docs/machine.md section 4).
//
// Timing     Word at c0, operand A `x` or `y` in c1. Stage p0 is AccP0 cycles later for operand A `acc`, TensorP0 otherwise; the
//            result enters the exchange register at the end of cycle o = p0 (`pass`), p7 (special function or arithmetic) or p13
//            (both). Nothing stalls.
//
//   c0      constant request of operand A
//   c1      operand data, registered
//   c2      rotation, widening, registered
//   p0-3    clamp entry `pre`; two stages prepare it
//   p0-3    request of an operand B of planes on port Y, for the next cycle: upper halves
//   p0-2    request of operand B on port Y, for the next cycle; of planes the lower halves
//   p0-1    constant request of operand B; upper halves registered
//   p0      comparison with the bounds, rounding; operand B data
//   p1..p6  arithmetic, or special function; arithmetic behind a special function has p7..p12, its operand B comes six cycles later
//   p4      clamp entry `post`, three cycles before the comparison
//   p7      comparison, rounding
//
// Contract   y_* is the request of the next cycle; data of a request comes back in the cycle after it. The compiler lets at most one
//            operation use the port, stage p0, the operand register behind it and the exchange register in a cycle; assertions hold
//            it to that. Tensor addresses are physical (sl_fetch).
// Model      isa::float for the arithmetic, sim for the cycles.

`include "sl_assert.svh"

module sl_vector_unit
  import sl_pkg::*;
  import sl_vector_pkg::*;
#(
    parameter int unsigned BlockSize = 4,  // lanes
    parameter int unsigned AccP0 = 13  // cycles from c0 to p0 of an operation on the accumulator
) (
    input logic clk_i,
    input logic rst_ni,

    input vector_t word_i,

    input logic [BlockSize*16-1:0] x_data_i,  // valid in c1

    output logic                    y_valid_o,
    output logic [             4:0] y_bank_o,
    output logic [            11:0] y_addr_o,
    input  logic [BlockSize*16-1:0] y_data_i,

    output logic                    const_valid_o,
    output logic [            10:0] const_addr_o,
    input  logic [BlockSize*32-1:0] const_data_i,

    input logic [BlockSize*32-1:0] acc_value_i,  // valid in p0 of operand A `acc`

    output logic [ 4:0] pre_o,
    input  logic [63:0] pre_entry_i,  // {hi, lo}, same cycle
    output logic [ 4:0] post_o,
    input  logic [63:0] post_entry_i,

    output logic                    lane_valid_o,
    output logic [            11:0] lane_addr_o,
    output logic [   BlockSize-1:0] lane_mask_o,
    output logic [BlockSize*16-1:0] lane_data_o
);
  localparam int unsigned LaneBits = $clog2(BlockSize);

  // What an operation needs from p0-1 on.
  typedef struct packed {
    logic [11:0]     dst_addr;
    logic [6:0]      lane_hi;
    logic [6:0]      lane_lo;
    logic            planes;
    logic            raw;
    logic [10:0]     const_addr;
    logic [11:0]     y_addr;
    logic [4:0]      y_bank;
    logic [4:0]      post;
    logic [4:0]      pre;
    vector_op_e      op;
    b_src_e          b_src;
    vector_special_e special;
  } pipe_t;

  // What it needs on the way through the arithmetic and to the exchange register.
  typedef struct packed {
    logic [11:0] dst_addr;
    logic [6:0]  lane_hi;
    logic [6:0]  lane_lo;
    logic        planes;
    logic [4:0]  post;
  } tail_t;

  // What it needs on the way through a special function.
  typedef struct packed {
    tail_t tail;
    logic [10:0] const_addr;
    logic [11:0] y_addr;
    logic [4:0] y_bank;
    vector_op_e op;
    b_src_e b_src;
  } way_t;

  function automatic logic [BlockSize-1:0] lane_mask(logic [6:0] lo, logic [6:0] hi);
    for (int unsigned i = 0; i < BlockSize; i++) begin
      lane_mask[i] = 7'(i) >= lo && 7'(i) < hi;
    end
  endfunction

  // c0: split of the word, requests of operand A.
  pipe_t c0_pipe;
  logic c0_acc, c0_tensor, c0_const;
  assign c0_pipe = '{
          dst_addr: word_i.dst_addr,
          lane_hi: word_i.lane_hi,
          lane_lo: word_i.lane_lo,
          planes: word_i.format == FormatPlanes,
          raw: word_i.format == FormatRaw,
          const_addr: word_i.const_addr,
          y_addr: word_i.y_addr,
          y_bank: word_i.y_bank,
          post: word_i.post,
          pre: word_i.pre,
          op: word_i.op,
          b_src: word_i.b_src,
          special: word_i.special
      };
  assign c0_acc = word_i.valid && word_i.a_src == ASrcAcc;
  assign c0_tensor = word_i.valid && word_i.a_src != ASrcAcc;
  assign c0_const = word_i.valid && word_i.a_src == ASrcConst;

  // Way of operations on the accumulator from c0 to p0-1.
  logic [AccP0-2:0] acc_valid_q;
  pipe_t acc_pipe_q[AccP0-1];
  always_ff @(posedge clk_i) begin
    if (!rst_ni) acc_valid_q <= '0;
    else acc_valid_q <= {acc_valid_q[AccP0-3:0], c0_acc};
  end
  always_ff @(posedge clk_i) begin
    acc_pipe_q[0] <= c0_pipe;
    for (int unsigned i = 1; i < AccP0 - 1; i++) acc_pipe_q[i] <= acc_pipe_q[i-1];
  end

  // Way of operations on tensors and constants: c1 takes the data, c2 = p0-1 rotates it.
  logic c1_valid_q, c2_valid_q, c1_y_q, c1_const_q, c2_const_q;
  pipe_t c1_pipe_q, c2_pipe_q;
  logic [LaneBits-1:0] c1_rot_q, c2_rot_q;
  logic [BlockSize*16-1:0] c2_block_q, c2_rotated;
  logic [BlockSize*32-1:0] c2_constant_q, tensor_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      c1_valid_q <= 1'b0;
      c2_valid_q <= 1'b0;
    end else begin
      c1_valid_q <= c0_tensor;
      c2_valid_q <= c1_valid_q;
    end
  end
  always_ff @(posedge clk_i) begin
    if (c0_tensor) begin
      c1_pipe_q  <= c0_pipe;
      c1_rot_q   <= word_i.rot[LaneBits-1:0];
      c1_y_q     <= word_i.a_src == ASrcY;
      c1_const_q <= c0_const;
    end
    if (c1_valid_q) begin
      c2_pipe_q  <= c1_pipe_q;
      c2_rot_q   <= c1_rot_q;
      c2_const_q <= c1_const_q;
      if (c1_const_q) c2_constant_q <= const_data_i;
      else c2_block_q <= c1_y_q ? y_data_i : x_data_i;
    end
  end

  sl_rotate #(
      .Lanes(BlockSize),
      .LaneWidth(16)
  ) u_rotate (
      .valid_i(c2_valid_q && !c2_const_q),
      .rot_i  (c2_rot_q),
      .data_i (c2_block_q),
      .data_o (c2_rotated)
  );

  // A NaN in three parts: upper and lower half of the exponent all ones, a fraction.
  function automatic logic [2:0] nan_flags(logic [30:0] u);
    return {u[30:27] == '1, u[26:23] == '1, u[22:0] != '0};
  endfunction

  logic [BlockSize-1:0] tensor_up_q;
  logic [BlockSize-1:0][2:0] tensor_flags_q;
  always_ff @(posedge clk_i) begin
    if (c2_valid_q) begin
      for (int unsigned i = 0; i < BlockSize; i++) begin
        tensor_up_q[i] <= c2_const_q && round_up(c2_constant_q[i*32+:17]);
        tensor_flags_q[i] <= nan_flags(
            c2_const_q ? c2_constant_q[i*32+:31] : {c2_rotated[i*16+:15], 16'd0}
        );
        tensor_q[i*32+:32] <= c2_const_q ? c2_constant_q[i*32+:32] : {c2_rotated[i*16+:16], 16'd0};
      end
    end
  end

  // p0-1: the two ways meet.
  logic pm_acc, pm_valid, pm_special, pm_alu;
  pipe_t pm_pipe;
  assign pm_acc = acc_valid_q[AccP0-2];
  assign pm_valid = pm_acc || c2_valid_q;
  assign pm_pipe = pm_acc ? acc_pipe_q[AccP0-2] : c2_pipe_q;
  assign pm_special = pm_valid && pm_pipe.special != VectorSpecialNone;
  assign pm_alu = pm_valid && pm_pipe.special == VectorSpecialNone && pm_pipe.op != VectorOpPass;

  // Way through the special function: bit or element i is p(i+1). Arithmetic behind it begins in p7.
  logic [SpecialStages:0] special_valid_q;
  way_t way_q[SpecialStages+1];
  logic p5_b_const, p6_then_alu_q, p6_b_const_q, p6_b_planes_q;

  logic pm_b_const;
  assign pm_b_const = pm_alu && pm_pipe.b_src == BSrcConst;
  assign p5_b_const = special_valid_q[4] && way_q[4].op != VectorOpPass
      && way_q[4].b_src == BSrcConst;
  assign const_valid_o = c0_const || pm_b_const || p5_b_const;
  assign const_addr_o = c0_const ? word_i.const_addr
      : pm_b_const ? pm_pipe.const_addr : way_q[4].const_addr;

  // p0-2: port Y is asked a cycle ahead, so that its address comes out of a register; for upper halves in p0-3.
  function automatic logic asks_y(logic valid, vector_op_e op, b_src_e b_src);
    return valid && op != VectorOpPass && (b_src == BSrcY || b_src == BSrcPlanes);
  endfunction

  function automatic logic asks_hi(logic valid, vector_op_e op, b_src_e b_src);
    return valid && op != VectorOpPass && b_src == BSrcPlanes;
  endfunction

  logic acc_y_plain, c1_plain, acc_hi_plain, c0_plain;
  assign acc_y_plain  = acc_valid_q[AccP0-3] && acc_pipe_q[AccP0-3].special == VectorSpecialNone;
  assign c1_plain     = c1_valid_q && c1_pipe_q.special == VectorSpecialNone;
  assign acc_hi_plain = acc_valid_q[AccP0-4] && acc_pipe_q[AccP0-4].special == VectorSpecialNone;
  assign c0_plain     = c0_tensor && word_i.special == VectorSpecialNone;

  logic acc_y, tensor_y, p4_y, acc_hi, tensor_hi, p3_hi;
  assign acc_y = asks_y(acc_y_plain, acc_pipe_q[AccP0-3].op, acc_pipe_q[AccP0-3].b_src);
  assign tensor_y = asks_y(c1_plain, c1_pipe_q.op, c1_pipe_q.b_src);
  assign p4_y = asks_y(special_valid_q[3], way_q[3].op, way_q[3].b_src);
  assign acc_hi = asks_hi(acc_hi_plain, acc_pipe_q[AccP0-4].op, acc_pipe_q[AccP0-4].b_src);
  assign tensor_hi = asks_hi(c0_plain, word_i.op, word_i.b_src);
  assign p3_hi = asks_hi(special_valid_q[2], way_q[2].op, way_q[2].b_src);

  logic [11:0] acc_y_addr, tensor_y_addr, p4_y_addr;
  assign acc_y_addr = acc_pipe_q[AccP0-3].y_addr + 12'(acc_pipe_q[AccP0-3].b_src == BSrcPlanes);
  assign tensor_y_addr = c1_pipe_q.y_addr + 12'(c1_pipe_q.b_src == BSrcPlanes);
  assign p4_y_addr = way_q[3].y_addr + 12'(way_q[3].b_src == BSrcPlanes);

  assign y_valid_o = acc_y || tensor_y || p4_y || acc_hi || tensor_hi || p3_hi;
  assign y_bank_o = (acc_pipe_q[AccP0-3].y_bank & {5{acc_y}}) | (c1_pipe_q.y_bank & {5{tensor_y}})
      | (way_q[3].y_bank & {5{p4_y}}) | (acc_pipe_q[AccP0-4].y_bank & {5{acc_hi}})
      | (word_i.y_bank & {5{tensor_hi}}) | (way_q[2].y_bank & {5{p3_hi}});
  assign y_addr_o = (acc_y_addr & {12{acc_y}}) | (tensor_y_addr & {12{tensor_y}})
      | (p4_y_addr & {12{p4_y}}) | (acc_pipe_q[AccP0-4].y_addr & {12{acc_hi}})
      | (word_i.y_addr & {12{tensor_hi}}) | (way_q[2].y_addr & {12{p3_hi}});

  // Upper halves wait for the lower ones, which come in the next cycle.
  logic hi_en;
  logic [BlockSize*16-1:0] y_hi_q;
  assign hi_en = asks_hi(
      pm_alu, pm_pipe.op, pm_pipe.b_src
  ) || asks_hi(
      special_valid_q[4], way_q[4].op, way_q[4].b_src
  );
  always_ff @(posedge clk_i) if (hi_en) y_hi_q <= y_data_i;

  logic unused;  // asked for earlier
  assign unused = ^{pm_pipe.pre, way_q[5], way_q[6]};

  // Bounds of both clamps, prepared.
  limits_t p0_limits, p7_limits;
  logic [63:0] p0_bounds, p7_bounds;
  logic [31:0] p0_rounded, p7_rounded;
  assign pre_o = acc_valid_q[AccP0-4] ? acc_pipe_q[AccP0-4].pre : word_i.pre;
  sl_clamp_entry u_pre (
      .clk_i,
      .entry_i  (pre_entry_i),
      .limits_o (p0_limits),
      .bounds_o (p0_bounds),
      .rounded_o(p0_rounded)
  );
  sl_clamp_entry u_post (
      .clk_i,
      .entry_i  (post_entry_i),
      .limits_o (p7_limits),
      .bounds_o (p7_bounds),
      .rounded_o(p7_rounded)
  );

  // p0: control registers.
  logic p0_pass_q, p0_alu_q, p0_special_q, p0_acc_q, p0_const_q, p0_b_planes_q, p0_raw_q;
  logic [3:0] p0_function_q;
  way_t p0_way_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      p0_pass_q <= 1'b0;
      p0_alu_q <= 1'b0;
      p0_special_q <= 1'b0;
    end else begin
      p0_pass_q <= pm_valid && !pm_alu && !pm_special;
      p0_alu_q <= pm_alu;
      p0_special_q <= pm_special;
    end
  end
  always_ff @(posedge clk_i) begin
    if (pm_valid) begin
      p0_acc_q <= pm_acc;
      p0_const_q <= pm_pipe.b_src == BSrcConst;
      p0_b_planes_q <= pm_pipe.b_src == BSrcPlanes;
      p0_raw_q <= pm_pipe.raw;
      // Not a subtraction, whose carry chain would also be taken for the comparisons with `none`.
      p0_function_q <= '0;
      for (int unsigned i = 1; i <= sl_special_pkg::Functions; i++) begin
        if (4'(pm_pipe.special) == 4'(i)) p0_function_q <= 4'(i - 1);
      end
      p0_way_q <= '{
          tail: '{
              dst_addr: pm_pipe.dst_addr,
              lane_hi: pm_pipe.lane_hi,
              lane_lo: pm_pipe.lane_lo,
              planes: pm_pipe.planes,
              post: pm_pipe.post
          },
          const_addr: pm_pipe.const_addr,
          y_addr: pm_pipe.y_addr,
          y_bank: pm_pipe.y_bank,
          op: pm_pipe.op,
          b_src: pm_pipe.b_src
      };
    end
  end

  // p1..p7: control goes along with the special function. What goes on to the arithmetic leaves in p6.
  logic [BlockSize-1:0] special_mask_q;
  logic special_out;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      special_valid_q <= '0;
      p6_then_alu_q   <= 1'b0;
    end else begin
      special_valid_q <= {
        special_valid_q[SpecialStages-1] && !p6_then_alu_q,
        special_valid_q[SpecialStages-2:0],
        p0_special_q
      };
      p6_then_alu_q <= special_valid_q[4] && way_q[4].op != VectorOpPass;
    end
  end
  always_ff @(posedge clk_i) begin
    way_q[0] <= p0_way_q;
    for (int i = 1; i <= SpecialStages; i++) way_q[i] <= way_q[i-1];
    p6_b_const_q <= p5_b_const;
    p6_b_planes_q <= way_q[4].b_src == BSrcPlanes;
    special_mask_q <= lane_mask(
        way_q[SpecialStages-1].tail.lane_lo, way_q[SpecialStages-1].tail.lane_hi
    );
  end
  assign special_out = special_valid_q[SpecialStages];

  // p1..p7 of the arithmetic, p7..p13 of an operation with a special function before it.
  logic [AluStages:0] alu_valid_q;  // bit i: p(i+1)
  tail_t tail_q[AluStages+1];
  vector_op_e p1_op_q;
  sl_fp_pkg::stages_t stages;
  logic [63:0] p1_bounds_q;
  logic [BlockSize-1:0] p7_mask_q;
  logic p7_valid;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) alu_valid_q <= '0;
    else alu_valid_q <= {alu_valid_q[AluStages-1:0], p0_alu_q || p6_then_alu_q};
  end
  always_ff @(posedge clk_i) begin
    p1_op_q <= p6_then_alu_q ? way_q[SpecialStages-1].op : p0_way_q.op;
    p1_bounds_q <= p0_bounds;
    tail_q[0] <= p6_then_alu_q ? way_q[SpecialStages-1].tail : p0_way_q.tail;
    for (int i = 1; i <= AluStages; i++) tail_q[i] <= tail_q[i-1];
    if (alu_valid_q[AluStages-1]) begin
      p7_mask_q <= lane_mask(tail_q[AluStages-1].lane_lo, tail_q[AluStages-1].lane_hi);
    end
  end
  assign post_o = alu_valid_q[AluStages-3] ? tail_q[AluStages-3].post
      : way_q[SpecialStages-3].tail.post;
  assign p7_valid = special_out || alu_valid_q[AluStages];

  sl_fp_stages u_stages (
      .clk_i,
      .valid_i (alu_valid_q[0]),
      .op_i    (p1_op_q),
      .stages_o(stages)
  );

  logic p7_planes;
  assign p7_planes = special_out ? way_q[SpecialStages].tail.planes : tail_q[AluStages].planes;

  // Special functions of all lanes.
  logic [BlockSize-1:0][31:0] p1_a, p7_special;
  sl_special_unit #(
      .Lanes(BlockSize)
  ) u_special (
      .clk_i,
      .fn_i(sl_special_pkg::special_fn_e'(p0_function_q)),
      .valid_i(special_valid_q[SpecialStages-1:0]),
      .x_i(p1_a),

      .y_o(p7_special)
  );

  // o: exchange register.
  logic out_valid, out_planes, low_pending_q;
  logic [11:0] out_addr, low_addr_q;
  logic [31:0] out_bounds_q, low_bounds_q;  // {hi, lo}
  assign out_valid = p0_pass_q || p7_valid;
  assign out_planes = p7_valid ? p7_planes : p0_way_q.tail.planes;
  assign out_addr   = special_out ? way_q[SpecialStages].tail.dst_addr
      : p7_valid ? tail_q[AluStages].dst_addr : p0_way_q.tail.dst_addr;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      low_pending_q <= 1'b0;
      lane_valid_o  <= 1'b0;
    end else begin
      low_pending_q <= out_valid && out_planes;
      lane_valid_o  <= out_valid || low_pending_q;
    end
  end
  always_ff @(posedge clk_i) begin
    if (low_pending_q) begin
      lane_addr_o <= low_addr_q;  // the mask stays
    end else if (out_valid) begin
      lane_addr_o <= out_addr;
      if (special_out) lane_mask_o <= special_mask_q;
      else
        lane_mask_o <= p7_valid ? p7_mask_q : lane_mask(
            p0_way_q.tail.lane_lo, p0_way_q.tail.lane_hi
        );
    end
    if (out_valid) begin
      low_addr_q <= out_addr + 12'd1;
      low_bounds_q[31:16] <= p7_valid ? p7_bounds[47:32] : p0_bounds[47:32];
      low_bounds_q[15:0] <= p7_valid ? p7_bounds[15:0] : p0_bounds[15:0];
    end
    if (low_pending_q) out_bounds_q <= low_bounds_q;
    else if (!out_planes) out_bounds_q <= p7_valid ? p7_rounded : p0_rounded;
    else if (p7_valid) out_bounds_q <= {p7_bounds[63:48], p7_bounds[31:16]};
    else out_bounds_q <= {p0_bounds[63:48], p0_bounds[31:16]};
  end

  logic b_const, b_planes, p0_valid, p0_on, p1_valid, o_en;
  assign p0_on = p0_alu_q || p0_special_q;
  assign p0_valid = p0_pass_q || p0_on;
  assign p1_valid = special_valid_q[0] || alu_valid_q[0];
  assign o_en = out_valid || low_pending_q;
  assign b_const = p6_then_alu_q ? p6_b_const_q : p0_const_q;
  assign b_planes = p6_then_alu_q ? p6_b_planes_q : p0_b_planes_q;

  function automatic logic [31:0] operand_b(logic from_const, logic from_planes,
                                            logic [31:0] constant, logic [15:0] hi, logic [15:0] y);
    if (from_const) return constant;
    return from_planes ? {hi, y} : {y, 16'd0};
  endfunction

  for (genvar i = 0; i < BlockSize; i++) begin : gen_lane
    sl_vector_lane u_lane (
        .clk_i,
        .p0_valid_i(p0_valid),
        .p0_use_acc_i(p0_acc_q),
        .p0_acc_i(acc_value_i[i*32+:32]),
        .p0_tensor_i(tensor_q[i*32+:32]),
        .p0_tensor_flags_i(tensor_flags_q[i]),
        .p0_tensor_up_i(tensor_up_q[i]),
        .p0_limits_i(p0_limits),
        .p0_planes_i(p0_way_q.tail.planes),
        .p0_raw_i(p0_raw_q),
        .p0_on_i(p0_on),
        .p6_on_i(p6_then_alu_q),

        .b_i(operand_b(
            b_const, b_planes, const_data_i[i*32+:32], y_hi_q[i*16+:16], y_data_i[i*16+:16]
        )),
        .p1_a_o(p1_a[i]),
        .p1_valid_i(p1_valid),
        .p1_bounds_i(p1_bounds_q),
        .stages_i(stages),
        .p7_valid_i(p7_valid),
        .p7_limits_i(p7_limits),
        .p7_planes_i(p7_planes),
        .p7_use_special_i(special_out),
        .p7_special_i(p7_special[i]),
        .o_en_i(o_en),
        .o_low_i(low_pending_q),
        .out_valid_i(lane_valid_o),
        .out_bounds_i(out_bounds_q),
        .data_o(lane_data_o[i*16+:16])
    );
  end

  `SL_ASSERT(StageP0Once_A, !(pm_acc && c2_valid_q))
  `SL_ASSERT(ConstantPortOnce_A, $onehot0({c0_const, pm_b_const, p5_b_const}))
  `SL_ASSERT(PortYOnce_A, $onehot0({acc_y, tensor_y, p4_y, acc_hi, tensor_hi, p3_hi}))
  `SL_ASSERT(OperandRegisterOnce_A, $onehot0({p0_alu_q, p0_special_q, p6_then_alu_q}))
  `SL_ASSERT(ExchangeOnce_A, $onehot0(
                                 {p0_pass_q, special_out, alu_valid_q[AluStages], low_pending_q}))
  `SL_ASSERT(RotationInRange_A, word_i.valid |-> 7'(word_i.rot) < 7'(BlockSize))
  `SL_ASSERT(LanesInRange_A, word_i.valid |-> word_i.lane_hi <= 7'(BlockSize))
  `SL_ASSERT(RawIsPass_A, pm_valid && pm_pipe.raw |-> pm_pipe.op == VectorOpPass && !pm_special)
  `SL_ASSERT(OperandB_A, pm_valid && pm_pipe.op != VectorOpPass |-> pm_pipe.b_src != BSrcNone)
endmodule
