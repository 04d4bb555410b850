// Top of the proof of sl_fifo with LUT RAM: every port free.

module fifo_small #(
    parameter int unsigned Width = 2,
    parameter int unsigned Depth = 4
) (
    input logic clk_i,
    input logic rst_ni,
    input logic in_valid_i,
    input logic [Width-1:0] in_data_i,
    input logic out_ready_i,
    input logic mark_i
);
  logic in_ready, out_valid;
  logic [Width-1:0] out_data;
  logic [$clog2(Depth)-1:0] place;

  sl_fifo #(
      .Width(Width),
      .Depth(Depth)
  ) u_fifo (
      .clk_i,
      .rst_ni,
      .in_valid_i,
      .in_ready_o (in_ready),
      .in_data_i,
      .out_valid_o(out_valid),
      .out_ready_i,
      .out_data_o (out_data)
  );

  sl_fifo_props #(
      .Width(Width),
      .Depth(Depth)
  ) u_props (
      .clk_i,
      .rst_ni,
      .in_valid_i,
      .in_ready_o (in_ready),
      .in_data_i,
      .out_valid_o(out_valid),
      .out_ready_i,
      .out_data_o (out_data),
      .mark_i,
      .valid_q    (u_fifo.valid_q),
      .full_q     (u_fifo.full_q),
      .lone_q     (u_fifo.lone_q),
      .count_q    (u_fifo.count_q),
      .wr_q       (u_fifo.wr_q),
      .second_q   (u_fifo.second_q),
      .second_data(u_fifo.second_data),
      .stored_i   (u_fifo.gen_small.u_mem.mem[place]),
      .place_o    (place)
  );
endmodule
