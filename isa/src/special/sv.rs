//! Emits `sl_special_pkg.sv`: function codes, map of the binades and rows of the special functions.
//!
//! | constant | bits | layout |
//! |----------|------|--------|
//! | row | 72 | `exp[71:64]`, `c2[63:46]`, `c1[45:24]`, `c0[23:0]` |
//! | entry | 13 | `kind[12:11]`, `first[10:0]`; of kind fixed, the exponent in `first[7:0]` |
//! | segments | 4 | leading fraction bits that choose the row |
//!
//! **Contract.** The text is checked in and a test fails when it is stale.
//! **Errors.** None.

use std::fmt::Write as _;

use super::rows::{MAP, ROWS};
use super::{BINADES, Entry, FIRST_EXPONENT, Function, Row};

/// Rows of the memory.
pub const DEPTH: usize = 2048;

/// A row as the memory holds it.
pub const fn row_bits(row: Row) -> u128 {
    (row.exp as u128) << 64
        | ((row.c2 & 0x3_FFFF) as u128) << 46
        | ((row.c1 & 0x3F_FFFF) as u128) << 24
        | row.c0 as u128
}

/// An entry as the decoder holds it: kind and first row, leading fraction bits that choose the row.
pub const fn entry_bits(entry: Entry) -> (u16, u8) {
    match entry {
        Entry::Rows { first, log2_rows } => (first, log2_rows),
        Entry::Fixed(exponent) => (1 << 11 | exponent as u16, 0),
        Entry::Pass => (2 << 11, 0),
        Entry::Half => (3 << 11, 0),
    }
}

fn array<const PER_LINE: usize>(s: &mut String, words: &[String]) {
    s.push_str(" = '{\n");
    for (i, line) in words.chunks(PER_LINE).enumerate() {
        let end = if (i + 1) * PER_LINE >= words.len() { "" } else { "," };
        let _ = writeln!(s, "      {}{end}", line.join(", "));
    }
    s.push_str("  };\n");
}

/// Text of the package.
pub fn package() -> String {
    let mut s = String::from(
        "// Function codes, map of the binades and rows of the special functions.
//
// Generated from the isa crate by the tests of isa/tests/special (SLUICE_BLESS=1); do not edit. Meaning: isa special.

// A design without special functions uses none of it.
// verilator lint_off UNUSEDPARAM
package sl_special_pkg;

  typedef enum logic [3:0] {
",
    );
    for (i, f) in Function::ALL.iter().enumerate() {
        let end = if i + 1 < Function::ALL.len() { "," } else { "" };
        let _ = writeln!(s, "    Special{} = 4'd{}{end}", crate::sv::camel(f.name()), *f as u8);
    }
    let _ = writeln!(
        s,
        "  }} special_fn_e;

  typedef enum logic [1:0] {{
    KindRows,
    KindFixed,
    KindPass,
    KindHalf
  }} kind_e;

  // How one binade is served: rows from `first` on; or a power of two with the biased exponent first[7:0]; or the operand; or its half.
  typedef struct packed {{
    kind_e kind;
    logic [10:0] first;
  }} entry_t;

  // One segment: exponent of y = 1.0 and coefficients.
  typedef struct packed {{
    logic [7:0] exp;
    logic signed [17:0] c2;
    logic signed [21:0] c1;
    logic [23:0] c0;
  }} row_t;

  localparam int unsigned Binades = {BINADES};
  localparam int unsigned FirstExponent = {};  // biased, of the first binade
  localparam int unsigned Depth = {DEPTH};

  // verilog_format: off

  // Negative operands of at least this magnitude (upper half of an fp32) give zero.",
        FIRST_EXPONENT + 127
    );
    s.push_str("  localparam logic [14:0] Underflow[16]");
    let limit = |i: usize| Function::ALL.get(i).map_or(0x7FFF, |f| f.underflow());
    let limits: Vec<_> = (0..16).map(|i| format!("15'h{:04x}", limit(i))).collect();
    array::<8>(&mut s, &limits);
    let entries: Vec<_> = (0..32)
        .flat_map(|line| {
            let mut entries = MAP.get(line).copied().unwrap_or([Entry::Fixed(0); BINADES]);
            entries.rotate_right((FIRST_EXPONENT + 127) as usize % BINADES);
            entries
        })
        .map(entry_bits)
        .collect();
    s.push_str("\n  // Two lines of binades per function: positive, negative operands. A line is in the order of the low bits of the exponent.\n  localparam logic [12:0] Map[16*2*Binades]");
    let words: Vec<_> = entries.iter().map(|e| format!("13'h{:04x}", e.0)).collect();
    array::<8>(&mut s, &words);
    s.push_str("\n  // Leading fraction bits that choose the row.\n  localparam logic [3:0] Segments[16*2*Binades]");
    let words: Vec<_> = entries.iter().map(|e| format!("4'd{}", e.1)).collect();
    array::<16>(&mut s, &words);
    s.push_str("\n  localparam logic [71:0] Rows[Depth]");
    let unused = Row { c0: 0, c1: 0, c2: 0, exp: 0 };
    let rows: Vec<_> = (0..DEPTH)
        .map(|i| format!("72'h{:018x}", row_bits(ROWS.get(i).copied().unwrap_or(unused))))
        .collect();
    array::<5>(&mut s, &rows);
    s.push_str("  // verilog_format: on\nendpackage\n");
    s
}
