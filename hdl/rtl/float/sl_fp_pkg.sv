// What all lanes of the fp32 arithmetic share.

package sl_fp_pkg;

  // Bit s: an operation of this kind stands in stage ps.
  typedef struct packed {
    logic [6:1] add;
    logic [6:1] mul;
    logic [6:1] choice;  // no rounding: maximum, minimum, comparisons, selections
    logic negate_a;  // p1
    logic negate_b;
    sl_pkg::vector_op_e p2_op;
  } stages_t;

endpackage
