// Rotation of a block by whole lanes, combinational.
//
// Contract   lane i of data_o is lane (i + rot_i) mod Lanes of data_i. Lanes is a power of two; higher bits of rot_i are ignored. valid_i
//            only saves work: without it data_o means nothing.

module sl_rotate #(
    parameter int unsigned Lanes = 4,
    parameter int unsigned LaneWidth = 16,  // bits
    localparam int unsigned Width = Lanes * LaneWidth,
    localparam int unsigned Steps = $clog2(Lanes)
) (
    input  logic             valid_i,
    input  logic [Steps-1:0] rot_i,
    input  logic [Width-1:0] data_i,
    output logic [Width-1:0] data_o
);
  always_comb begin
    data_o = 'x;
    if (valid_i) begin
      data_o = data_i;
      for (int unsigned s = 0; s < Steps; s++) begin
        if (rot_i[s])
          data_o = (data_o >> (LaneWidth << s)) | (data_o << (Width - (LaneWidth << s)));
      end
    end
  end
endmodule
