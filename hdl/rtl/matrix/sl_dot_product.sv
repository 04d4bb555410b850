// Exact dot product of one weight row with the aligned operand.
//
// Timing     m_i, a_i in c(5+T), sum_o in c(6+2T): one stage of multipliers, T = ceil(log4 BlockSize) of adders, radix 4.
// Numbers    Products |m * a| <= 2^16 * 130560 < 2^33 take 34 bits, the sum of BlockSize of them 34 + log2 BlockSize.
// Contract   valid_i[0] belongs to the multipliers, valid_i[1+t] to adder stage t; it only saves work. No reset.
//
// Where the last stage adds two nodes only (BlockSize 8 and 32) the stages before carry the lower 18 bits and the rest
// separately, so that no carry chain is much longer than 24 bits; the last stage joins them.

module sl_dot_product #(
    parameter  int unsigned BlockSize  = 32,
    localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2,
    localparam int unsigned SumWidth   = 34 + $clog2(BlockSize)
) (
    input logic                clk_i,
    input logic [TreeStages:0] valid_i,

    input logic [BlockSize-1:0][16:0] m_i,
    input logic [BlockSize-1:0][17:0] a_i,

    output logic signed [SumWidth-1:0] sum_o
);
  localparam bit Split = TreeStages > 1 && $clog2(BlockSize) % 2 == 1;
  localparam int unsigned LowBits = 18;
  localparam int unsigned LowWidth = LowBits + $clog2(BlockSize);
  localparam int unsigned HighWidth = SumWidth - LowBits;

  for (genvar k = 0; k < BlockSize; k++) begin : gen_product
    logic signed [33:0] value;
    always_ff @(posedge clk_i) begin
      if (valid_i[0]) value <= 34'($signed(m_i[k])) * 34'($signed(a_i[k]));
    end
  end

  if (Split) begin : gen_split
    for (genvar t = 0; t < TreeStages; t++) begin : gen_level
      for (genvar n = 0; n < BlockSize / 4 ** t; n++) begin : gen_node
        logic [LowWidth-1:0] low;
        logic signed [HighWidth-1:0] high;
        if (t == 0) begin : gen_leaf
          assign low  = LowWidth'(gen_product[n].value[LowBits-1:0]);
          assign high = HighWidth'($signed(gen_product[n].value[33:LowBits]));
        end else begin : gen_inner
          always_ff @(posedge clk_i) begin
            if (valid_i[t]) begin
              low <= gen_level[t-1].gen_node[4*n].low + gen_level[t-1].gen_node[4*n+1].low +
                  gen_level[t-1].gen_node[4*n+2].low + gen_level[t-1].gen_node[4*n+3].low;
              high <= gen_level[t-1].gen_node[4*n].high + gen_level[t-1].gen_node[4*n+1].high +
                  gen_level[t-1].gen_node[4*n+2].high + gen_level[t-1].gen_node[4*n+3].high;
            end
          end
        end
      end
    end
    always_ff @(posedge clk_i) begin
      if (valid_i[TreeStages]) begin
        sum_o <= $signed({gen_level[TreeStages-1].gen_node[0].high, LowBits'(0)}) +
            $signed({gen_level[TreeStages-1].gen_node[1].high, LowBits'(0)}) +
            $signed(SumWidth'(gen_level[TreeStages-1].gen_node[0].low)) +
            $signed(SumWidth'(gen_level[TreeStages-1].gen_node[1].low));
      end
    end
  end else begin : gen_whole
    for (genvar t = 0; t <= TreeStages; t++) begin : gen_level
      for (genvar n = 0; n < BlockSize / 4 ** t; n++) begin : gen_node
        logic signed [SumWidth-1:0] value;
        if (t == 0) begin : gen_leaf
          assign value = SumWidth'(gen_product[n].value);
        end else begin : gen_inner
          always_ff @(posedge clk_i) begin
            if (valid_i[t]) begin
              value <= gen_level[t-1].gen_node[4*n].value + gen_level[t-1].gen_node[4*n+1].value +
                  gen_level[t-1].gen_node[4*n+2].value + gen_level[t-1].gen_node[4*n+3].value;
            end
          end
        end
      end
    end
    assign sum_o = gen_level[TreeStages].gen_node[0].value;
  end
endmodule
