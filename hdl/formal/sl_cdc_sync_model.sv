// Model of sl_cdc_sync for the proofs of the crossings: a bit that changed in the step before the clock rises is seen old or new.
//
// Method     sl_formal_before gives a bit's value one step of the solver earlier, sl_formal_any a free bit in every step, each synchroniser's
//            its own; sl_formal_started is low in the first step only. formal_cells.v says what they are.
// Contract   As hdl/rtl/bus/sl_cdc_sync.sv with a choice made for it; with `choice` low it is that module.

module sl_cdc_sync #(
    parameter int unsigned Stages = 2
) (
    input  logic clk_i,
    input  logic rst_ni,
    input  logic async_i,
    output logic sync_o
);
  logic [Stages-1:0] meta_q;
  logic earlier, choice;

  sl_formal_before u_before (
      .d_i(async_i),
      .q_o(earlier)
  );
  sl_formal_any u_any (.q_o(choice));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) meta_q <= '0;
    else meta_q <= {meta_q[Stages-2:0], choice ? earlier : async_i};
  end

  assign sync_o = meta_q[Stages-1];
endmodule

(* blackbox *)
module sl_formal_before (
    input  logic d_i,
    output logic q_o
);
endmodule

(* blackbox *)
module sl_formal_any (
    output logic q_o
);
endmodule

(* blackbox *)
module sl_formal_started (
    output logic q_o
);
endmodule
