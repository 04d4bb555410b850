// Exact dot product of one weight row with the aligned operand.
//
// Timing     m_i, a_i in c(5+T), sum_o in c(6+2T): one stage of multipliers, T = ceil(log4 BlockSize) of adders, radix 4.
// Numbers    Products |m * a| <= 2^16 * 130560 < 2^33 take 34 bits, the sum of BlockSize of them 34 + log2 BlockSize.
// Contract   valid_i[0] belongs to the multipliers, valid_i[1+t] to adder stage t; it only saves work. No reset.
//
// Where the last stage adds two nodes only (BlockSize 8 and 32) the stages before carry the lower 18 bits and the rest
// separately, so that no carry chain is much longer than 24 bits; the last stage joins them.

module sl_dot_product #(
    parameter int unsigned BlockSize = 32,
    localparam int unsigned TreeStages = ($clog2(BlockSize) + 1) / 2,
    localparam int unsigned SumWidth = 34 + $clog2(BlockSize)
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

  logic signed [33:0] product_q[BlockSize];

  for (genvar k = 0; k < BlockSize; k++) begin : gen_product
    always_ff @(posedge clk_i) begin
      if (valid_i[0]) product_q[k] <= 34'($signed(m_i[k])) * 34'($signed(a_i[k]));
    end
  end

  if (Split) begin : gen_split
    for (genvar t = 0; t < TreeStages; t++) begin : gen_level
      localparam int unsigned Nodes = BlockSize / 4 ** t;
      logic [LowWidth-1:0] low[Nodes];
      logic signed [HighWidth-1:0] high[Nodes];
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        if (t == 0) begin : gen_leaf
          assign low[n]  = LowWidth'(product_q[n][LowBits-1:0]);
          assign high[n] = HighWidth'($signed(product_q[n][33:LowBits]));
        end else begin : gen_inner
          always_ff @(posedge clk_i) begin
            if (valid_i[t]) begin
              low[n] <= gen_level[t-1].low[4*n] + gen_level[t-1].low[4*n+1] +
                  gen_level[t-1].low[4*n+2] + gen_level[t-1].low[4*n+3];
              high[n] <= gen_level[t-1].high[4*n] + gen_level[t-1].high[4*n+1] +
                  gen_level[t-1].high[4*n+2] + gen_level[t-1].high[4*n+3];
            end
          end
        end
      end
    end
    always_ff @(posedge clk_i) begin
      if (valid_i[TreeStages]) begin
        sum_o <= $signed({gen_level[TreeStages-1].high[0], LowBits'(0)}) +
            $signed({gen_level[TreeStages-1].high[1], LowBits'(0)}) +
            $signed(SumWidth'(gen_level[TreeStages-1].low[0])) +
            $signed(SumWidth'(gen_level[TreeStages-1].low[1]));
      end
    end
  end else begin : gen_whole
    for (genvar t = 0; t <= TreeStages; t++) begin : gen_level
      localparam int unsigned Nodes = (BlockSize + 4 ** t - 1) / 4 ** t;
      logic signed [SumWidth-1:0] value[Nodes];
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        if (t == 0) begin : gen_leaf
          assign value[n] = SumWidth'(product_q[n]);
        end else begin : gen_inner
          always_ff @(posedge clk_i) begin
            if (valid_i[t]) begin
              value[n] <= gen_level[t-1].value[4*n] + gen_level[t-1].value[4*n+1] +
                  gen_level[t-1].value[4*n+2] + gen_level[t-1].value[4*n+3];
            end
          end
        end
      end
    end
    assign sum_o = gen_level[TreeStages].value[0];
  end
endmodule
