// Exchange: every core's result and the input beat, broadcast to all banks.
//
// Timing     Stages register stages: a block in an exchange register in cycle o+1 is written to the banks in cycle o+1+Stages.
// Contract   Lane s < NumCores is core s, lane NumCores the input. Nothing arbitrates and nothing waits.

module sl_exchange #(
    parameter int unsigned NumLanes = 2,
    parameter int unsigned BlockSize = 4,
    parameter int unsigned Stages = 1
) (
    input logic clk_i,
    input logic rst_ni,

    input logic [             NumLanes-1:0] lane_valid_i,
    input logic [          NumLanes*12-1:0] lane_addr_i,
    input logic [   NumLanes*BlockSize-1:0] lane_mask_i,
    input logic [NumLanes*BlockSize*16-1:0] lane_data_i,

    output logic [             NumLanes-1:0] lane_valid_o,
    output logic [          NumLanes*12-1:0] lane_addr_o,
    output logic [   NumLanes*BlockSize-1:0] lane_mask_o,
    output logic [NumLanes*BlockSize*16-1:0] lane_data_o
);
  if (Stages < 1 || Stages > 2) begin : gen_illegal
    $error("Stages must be 1 or 2");
  end

  for (genvar s = 0; s < NumLanes; s++) begin : gen_lane
    logic [Stages-1:0] valid_q;
    logic [11:0] addr_q[Stages];
    logic [BlockSize-1:0] mask_q[Stages];
    logic [BlockSize*16-1:0] data_q[Stages];

    for (genvar i = 0; i < Stages; i++) begin : gen_stage
      if (i == 0) begin : gen_first
        always_ff @(posedge clk_i) begin
          if (!rst_ni) valid_q[0] <= 1'b0;
          else valid_q[0] <= lane_valid_i[s];
        end
        always_ff @(posedge clk_i) begin
          if (lane_valid_i[s]) begin
            addr_q[0] <= lane_addr_i[s*12+:12];
            mask_q[0] <= lane_mask_i[s*BlockSize+:BlockSize];
            data_q[0] <= lane_data_i[s*BlockSize*16+:BlockSize*16];
          end
        end
      end else begin : gen_next
        always_ff @(posedge clk_i) begin
          if (!rst_ni) valid_q[i] <= 1'b0;
          else valid_q[i] <= valid_q[i-1];
        end
        always_ff @(posedge clk_i) begin
          if (valid_q[i-1]) begin
            addr_q[i] <= addr_q[i-1];
            mask_q[i] <= mask_q[i-1];
            data_q[i] <= data_q[i-1];
          end
        end
      end
    end

    assign lane_valid_o[s] = valid_q[Stages-1];
    assign lane_addr_o[s*12+:12] = addr_q[Stages-1];
    assign lane_mask_o[s*BlockSize+:BlockSize] = mask_q[Stages-1];
    assign lane_data_o[s*BlockSize*16+:BlockSize*16] = data_q[Stages-1];
  end
endmodule
