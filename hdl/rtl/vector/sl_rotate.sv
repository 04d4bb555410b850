// Rotation of a block by whole lanes, combinational.
//
// Contract   lane i of data_o is lane (i + rot_i) mod Lanes of data_i. Lanes is a power of two; higher bits of rot_i are ignored.

module sl_rotate #(
    parameter int unsigned Lanes = 4,
    parameter int unsigned LaneWidth = 16,  // bits
    localparam int unsigned Width = Lanes * LaneWidth,
    localparam int unsigned Steps = $clog2(Lanes)
) (
    input  logic [Steps-1:0] rot_i,
    input  logic [Width-1:0] data_i,
    output logic [Width-1:0] data_o
);
  logic [Width-1:0] step[Steps+1];

  assign step[0] = data_i;
  for (genvar s = 0; s < Steps; s++) begin : gen_step
    localparam int unsigned Shift = LaneWidth << s;
    assign step[s+1] = rot_i[s] ? {step[s][Shift-1:0], step[s][Width-1:Shift]} : step[s];
  end
  assign data_o = step[Steps];
endmodule
