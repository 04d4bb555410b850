// What the black boxes of sl_cdc_sync_model.sv are to yosys (techmap): cells on the solver's own steps, which SystemVerilog cannot name.

module sl_formal_before (
    input  d_i,
    output q_o
);
  \$ff #(.WIDTH(1)) _TECHMAP_REPLACE_ (.D(d_i), .Q(q_o));
endmodule

module sl_formal_any (
    output q_o
);
  \$anyseq #(.WIDTH(1)) _TECHMAP_REPLACE_ (.Y(q_o));
endmodule

module sl_formal_started (
    output q_o
);
  wire first;
  \$initstate u_first (.Y(first));
  assign q_o = !first;
endmodule
