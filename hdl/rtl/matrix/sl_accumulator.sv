// Block-exponent accumulators of one row: exponents, mantissas, poison flags, and the loop that adds a term a cycle.
//
// Timing     (cycles c(s+2T) of docs/machine.md section 3, written s)
//              3  old exponent: start_exp_i, or read
//              4  term_exp_i; new exponent = the larger one
//              5  distances of both; exponent written; old mantissa read
//              6  sum_i or late_i and the old mantissa (or late_i) aligned to the new exponent
//              7  sum
//              8  mantissa_o, exp_o, poison_o; mantissa written
// Numbers    isa acc::Acc::add; exponents in eights, a distance of 8 or more leaves the sign.
// Contract   first3_i: the sum begins here. loop*_i: the same accumulator was updated by the term one cycle before, and this is
//            no first term; forward3_i: two cycles before; forward5_i: three. At most one of start6_i (late_i), forward6_i (the
//            update two cycles before) and read6_i says where the old mantissa is, none that it is zero. valid_i[s] is set in the stages that work.
//            No reset: what was never written is only read when a sum did not begin with `first`.

module sl_accumulator #(
    parameter int unsigned Depth = 64,
    parameter int unsigned SumWidth = 39,  // bits
    localparam int unsigned AddrWidth = $clog2(Depth)
) (
    input logic clk_i,

    input logic [8:3] valid_i,
    input logic first3_i,
    input logic forward3_i,
    input logic forward5_i,
    input logic start6_i,
    input logic forward6_i,
    input logic read6_i,
    input logic loop4_i,
    input logic loop6_i,
    input logic loop7_i,
    input logic [AddrWidth-1:0] acc3_i,
    input logic [AddrWidth-1:0] acc5_i,
    input logic [AddrWidth-1:0] acc8_i,

    input logic signed [6:0] start_exp_i,
    input logic signed [6:0] term_exp_i,
    input logic signed [SumWidth-1:0] sum_i,  // the term is 2^(8 + fine5_i) of it
    input logic [2:0] fine5_i,
    input logic planes5_i,  // or else it is late_i, which is also the start value
    input logic signed [39:0] late_i,
    input logic poison_i,  // of the term, in stage 7

    output logic signed [63:0] mantissa_o,
    output logic signed [ 6:0] exp_o,
    output logic               poison_o
);
  // Stages 3 to 5: exponents.
  logic [6:0] exp_read;
  logic signed [6:0] old_exp_q4, new_exp_q5, term_exp_q5, prev_exp_q5;

  sl_ram_async #(
      .Width(7),
      .Depth(Depth)
  ) u_exp (
      .clk_i,
      .we_i   (valid_i[5]),
      .waddr_i(acc5_i),
      .wdata_i(new_exp_q5),
      .raddr_i(acc3_i),
      .rdata_o(exp_read)
  );

  always_ff @(posedge clk_i) begin
    if (valid_i[3]) begin
      old_exp_q4 <= first3_i ? start_exp_i : forward3_i ? new_exp_q5 : $signed(exp_read);
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[4]) begin
      automatic logic signed [6:0] prev = loop4_i ? new_exp_q5 : old_exp_q4;
      new_exp_q5  <= term_exp_i > prev ? term_exp_i : prev;
      term_exp_q5 <= term_exp_i;
      prev_exp_q5 <= prev;
    end
  end

  logic signed [6:0] new_exp_q6, new_exp_q7;
  // Distances in bytes to shift. Seven bytes leave only the sign of a term, which has SumWidth + 15 <= 56 bits; far: only the sign of
  // the old mantissa is left.
  logic old_far_q6;
  logic [2:0] old_eights_q6;
  // A sum's shift to the right has digits of 3 and 1, of bytes and of bits. A digit of two flags: the first says 0, the second, worth
  // something only without the first, the middle value. Three values go into a LUT with their two flags. Four do when their choice is a
  // number: the bits' digit, or 3 for the late operand, which has but whole bytes to go.
  logic [1:0] byte_triples_q6, bytes_q6, triples_q6, bits_q6;

  always_ff @(posedge clk_i) begin
    if (valid_i[5]) begin
      automatic logic [7:0] term_distance = 8'(new_exp_q5) - 8'(term_exp_q5);  // eights of a bit
      automatic logic [7:0] old_distance = 8'(new_exp_q5) - 8'(prev_exp_q5);
      automatic logic [2:0] up = ~fine5_i;
      automatic logic [2:0] eights = term_distance[2:0] | {3{term_distance[7:3] != '0}};
      new_exp_q6 <= new_exp_q5;
      byte_triples_q6 <= {eights < 3'd3, eights < 3'd6};
      bytes_q6 <= {eights inside {3'd0, 3'd3, 3'd6}, eights inside {3'd1, 3'd4, 3'd7}};
      triples_q6 <= {up < 3'd3, up < 3'd6};
      if (planes5_i) bits_q6 <= 2'd3;
      else bits_q6 <= {up inside {3'd2, 3'd5}, up inside {3'd1, 3'd4, 3'd7}};
      {old_far_q6, old_eights_q6} <= {old_distance[7:3] != '0, old_distance[2:0]};
    end
  end

  // Stage 6: alignment. In the loop it is the sum of stage 7 itself that is shifted; only the sign left is an addition of -1 there,
  // undone by a carry in when the sign is positive.
  logic old_poison_q7, poison_read;
  logic signed [63:0] term_q7, old_q7;
  logic [63:0] mantissa_read;
  logic loop_q7, loop_sign_q7;
  logic [2:0] loop_eights_q7;

  sl_ram_async #(
      .Width(65),
      .Depth(Depth)
  ) u_mantissa (
      .clk_i,
      .we_i   (valid_i[8]),
      .waddr_i(acc8_i),
      .wdata_i({poison_o, mantissa_o}),
      .raddr_i(acc5_i),
      .rdata_o({poison_read, mantissa_read})
  );

  logic read_poison_q6;
  logic signed [63:0] read_q6;

  always_ff @(posedge clk_i) begin
    if (valid_i[5]) begin
      read_q6 <= forward5_i ? mantissa_o : $signed(mantissa_read);
      read_poison_q6 <= forward5_i ? poison_o : poison_read;
    end
  end

  // 2^(8 + fine) times the sum, then whole bytes down, is a shift to the right only. A LUT a bit and digit; kept, or they would be joined
  // to fewer and longer ones.
  (* keep *) logic signed [63:0] fine;

  always_comb begin
    fine = 'x;
    if (valid_i[6]) begin
      automatic logic signed [63:0] sum = 64'($signed({sum_i, 15'b0}));
      automatic
      logic signed [63:0]
      by_triples = triples_q6[1] ? sum : triples_q6[0] ? sum >>> 3 : sum >>> 6;
      if (bits_q6[1]) fine = bits_q6[0] ? 64'(late_i) : by_triples >>> 2;
      else fine = bits_q6[0] ? by_triples >>> 1 : by_triples;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i[6]) begin
      automatic
      logic signed [63:0]
      by_byte_triples = byte_triples_q6[1] ? fine : byte_triples_q6[0] ? fine >>> 24 : fine >>> 48;
      automatic
      logic signed [63:0]
      old = (64'(late_i) & {64{start6_i}}) | (mantissa_o & {64{forward6_i}}) |
          (read_q6 & {64{read6_i}});
      new_exp_q7 <= new_exp_q6;
      term_q7 <= bytes_q6[1] ? by_byte_triples :
          bytes_q6[0] ? by_byte_triples >>> 8 : by_byte_triples >>> 16;
      if (loop6_i || old_far_q6) old_q7 <= {64{old_far_q6 && (loop6_i || old[63])}};
      else old_q7 <= old >>> {old_eights_q6, 3'b000};
      loop_q7 <= loop6_i && !old_far_q6;
      loop_eights_q7 <= old_eights_q6;
      loop_sign_q7 <= loop6_i && old_far_q6;
      old_poison_q7 <= (forward6_i && poison_o) || (read6_i && read_poison_q6);
    end
  end

  // Stage 7: one carry chain; the carry comes in as a bit below.
  always_ff @(posedge clk_i) begin
    if (valid_i[7]) begin
      automatic logic signed [63:0] looped = mantissa_o >>> {loop_eights_q7, 3'b000};
      automatic logic [63:0] prev = old_q7 | (looped & {64{loop_q7}});
      automatic logic carry = loop_sign_q7 && !mantissa_o[63];
      exp_o <= new_exp_q7;
      mantissa_o <= 64'(({term_q7, 1'b1} + {prev, carry}) >> 1);
      poison_o <= (loop7_i ? poison_o : old_poison_q7) || poison_i;
    end
  end
endmodule
