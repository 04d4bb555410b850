// Four instances of one block that Verilator compiles once.
module hier (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic [127:0] data_i,
    output logic [127:0] sum_o,
    output logic [127:0] powerup_o
);
  for (genvar i = 0; i < 4; i++) begin : gen_row
    hier_row u_row (
        .clk_i,
        .rst_ni,
        .data_i(data_i[i*32+:32]),
        .sum_o(sum_o[i*32+:32]),
        .powerup_o(powerup_o[i*32+:32])
    );
  end
endmodule
