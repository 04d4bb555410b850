// Largest of a block's lane exponents, radix-4 tree; finds the poison flag on the way.
//
// Timing     exp_i, poison_i in c2, max_o, poison_o in c(2+T), T = ceil(log4 BlockSize) register stages.
// Contract   valid_i[t] says that level t works on something; it only saves work. No reset.

module sl_align_max #(
    parameter  int unsigned BlockSize  = 32,
    localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2
) (
    input logic                  clk_i,
    input logic [TreeStages-1:0] valid_i,

    input logic [BlockSize-1:0][9:0] exp_i,
    input logic [BlockSize-1:0]      poison_i,

    output logic signed [9:0] max_o,
    output logic              poison_o
);
  // All six comparisons side by side, then one selection: shorter than a tournament.
  function automatic logic signed [9:0] max4(logic signed [9:0] a, logic signed [9:0] b,
                                             logic signed [9:0] c, logic signed [9:0] d);
    logic ab, ac, ad, bc, bd, cd, take_a, take_b, take_c;
    ab = a >= b;
    ac = a >= c;
    ad = a >= d;
    bc = b >= c;
    bd = b >= d;
    cd = c >= d;
    take_a = ab && ac && ad;
    take_b = !ab && bc && bd;
    take_c = !ac && !bc && cd;
    return (take_a || take_b) ? (take_a ? a : b) : (take_c ? c : d);
  endfunction

  for (genvar t = 0; t <= TreeStages; t++) begin : gen_level
    localparam int unsigned Below = t == 0 ? 0 : (BlockSize + 4 ** (t - 1) - 1) / 4 ** (t - 1);
    for (genvar n = 0; n < (BlockSize + 4 ** t - 1) / 4 ** t; n++) begin : gen_node
      logic signed [9:0] value;
      logic poison;
      if (t == 0) begin : gen_leaf
        assign value  = exp_i[n];
        assign poison = poison_i[n];
      end else if (4 * n + 4 <= Below) begin : gen_four
        always_ff @(posedge clk_i) begin
          if (valid_i[t-1]) begin
            value <= max4(
                gen_level[t-1].gen_node[4*n].value,
                gen_level[t-1].gen_node[4*n+1].value,
                gen_level[t-1].gen_node[4*n+2].value,
                gen_level[t-1].gen_node[4*n+3].value
            );
            poison <= gen_level[t-1].gen_node[4*n].poison ||
                gen_level[t-1].gen_node[4*n+1].poison ||
                gen_level[t-1].gen_node[4*n+2].poison || gen_level[t-1].gen_node[4*n+3].poison;
          end
        end
      end else begin : gen_two
        always_ff @(posedge clk_i) begin
          if (valid_i[t-1]) begin
            value <= gen_level[t-1].gen_node[4*n].value >= gen_level[t-1].gen_node[4*n+1].value ?
                gen_level[t-1].gen_node[4*n].value : gen_level[t-1].gen_node[4*n+1].value;
            poison <= gen_level[t-1].gen_node[4*n].poison || gen_level[t-1].gen_node[4*n+1].poison;
          end
        end
      end
    end
  end
  assign max_o = gen_level[TreeStages].gen_node[0].value;
  assign poison_o = gen_level[TreeStages].gen_node[0].poison;
endmodule
