// Comparison a >= b of unsigned numbers as a tree of small tables, where a carry chain would come too late.
//
// Timing     Combinational: groups of three bits, then the groups, ceil(Width / 3) of them.

module sl_at_least #(
    parameter int unsigned Width = 8  // bits
) (
    input  logic [Width-1:0] a_i,
    input  logic [Width-1:0] b_i,
    output logic             ge_o
);
  localparam int unsigned Groups = (Width + 2) / 3;

  logic [3*Groups-1:0] a, b;
  logic [Groups-1:0] gt, ge;

  assign a = (3 * Groups)'(a_i);
  assign b = (3 * Groups)'(b_i);

  // Bitwise on purpose: a synthesis tool turns `>` into a carry chain.
  for (genvar g = 0; g < Groups; g++) begin : gen_group
    logic [2:0] more, same;
    assign more  = a[3*g+:3] & ~b[3*g+:3];
    assign same  = ~(a[3*g+:3] ^ b[3*g+:3]);
    assign gt[g] = more[2] | (same[2] & (more[1] | (same[1] & more[0])));
    assign ge[g] = gt[g] | (&same);
  end

  always_comb begin
    ge_o = ge[0];
    for (int unsigned g = 1; g < Groups; g++) ge_o = gt[g] | (ge[g] & ge_o);
  end
endmodule
