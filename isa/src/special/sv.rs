//! Emits `sl_special_pkg.sv`: function codes, map of the binades and rows of the special functions.
//!
//! | constant | bits | layout |
//! |----------|------|--------|
//! | row | 72 | `exp[71:64]`, `c2[63:46]`, `c1[45:24]`, `c0[23:0]` |
//! | kind | 3 | rows, or a result without them |
//! | line | 23 | `first[22:12]`, first row; `bits[11:4]`, one bit for 1 to 8 leading fraction bits that choose it; `places[3:0]` |
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

/// Names of the kinds of entries, in the order of their codes.
const KINDS: [&str; 8] = [
    "Rows", "Operand", "Half", "Zero", "OneHalf", "One", "Infinity", "Ln2",
];

/// Code of an entry's kind; `None` for an exponent the unit has no code for.
pub const fn kind(entry: Entry) -> Option<u8> {
    match entry {
        Entry::Rows { .. } => Some(0),
        Entry::Pass => Some(1),
        Entry::Half => Some(2),
        Entry::Fixed(0) => Some(3),
        Entry::Fixed(126) => Some(4),
        Entry::Fixed(127) => Some(5),
        Entry::Fixed(255) => Some(6),
        Entry::Ln2 => Some(7),
        Entry::Fixed(_) => None,
    }
}

/// First row and leading fraction bits that choose the row.
const fn rows_of(entry: Entry) -> (u16, u8) {
    match entry {
        Entry::Rows { first, log2_rows } => (first, log2_rows),
        _ => (0, 0),
    }
}

/// Biased exponent below which functions with small rows have one row a binade.
pub const SMALL_EXPONENT: usize = 118;

const LOG: usize = Function::Log2 as usize;

/// Entry of the map at a biased exponent; `line` counts functions and signs.
fn entry(line: usize, exponent: usize) -> Entry {
    MAP.get(line).map_or(Entry::Fixed(0), |l| {
        l[exponent - (FIRST_EXPONENT + 127) as usize]
    })
}

/// Row of the small binade whose exponent ends in 000.
pub fn small_row(line: usize) -> u16 {
    match Function::ALL.get(line / 2) {
        Some(f) if f.has_small_rows() => rows_of(entry(line, SMALL_EXPONENT - 6)).0,
        _ => 0,
    }
}

/// First row, leading fraction bits that choose the row, those bits less what the offset is narrower; of the binade that `low` is the
/// low half of the exponent of.
pub fn line(line: usize, low: usize) -> (u16, u8, u8) {
    let exponent = if low < SMALL_EXPONENT % 16 {
        low + 128
    } else {
        low + 112
    };
    let (first, bits) = if line / 2 == LOG {
        (0, rows_of(entry(line, 128)).1)
    } else {
        rows_of(entry(line, exponent))
    };
    let narrow = Function::ALL.get(line / 2).is_some_and(|f| f.is_base());
    (first, bits, bits.saturating_sub(u8::from(narrow)))
}

fn array<const PER_LINE: usize>(s: &mut String, words: &[String]) {
    s.push_str(" = '{\n");
    for (i, line) in words.chunks(PER_LINE).enumerate() {
        let end = if (i + 1) * PER_LINE >= words.len() {
            ""
        } else {
            ","
        };
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
        let _ = writeln!(
            s,
            "    Special{} = 4'd{}{end}",
            crate::sv::camel(f.name()),
            *f as u8
        );
    }
    let _ = writeln!(
        s,
        "  }} special_fn_e;

  // How one binade is served: rows, the operand, its half, or a constant.
  typedef enum logic [2:0] {{
{}
  }} kind_e;

  // The function of an operation, decoded once for all lanes.
  typedef struct packed {{
    logic [10:0] is;     // one bit per code
    logic        base;   // 17-bit offset, significand held below 2
    logic        root;
    logic        gated;  // NaN at -Inf
    logic [14:0] limit;
  }} select_t;

  // Rows of a binade: the first, one bit for 1 to 8 leading fraction bits that choose the row, their number.
  typedef struct packed {{
    logic [10:0] first;
    logic [7:0]  bits;
    logic [3:0]  places;
  }} entry_t;

  // What an operation looks up by sign and binade.
  typedef struct packed {{
    logic log2;
    logic has_small;
    logic [1:0][10:0] small_row;
    entry_t [31:0] lines;
  }} line_t;

  // One segment: exponent of y = 1.0 and coefficients.
  typedef struct packed {{
    logic [7:0] exp;
    logic signed [17:0] c2;
    logic signed [21:0] c1;
    logic [23:0] c0;
  }} row_t;

  localparam int unsigned Functions = {};
  localparam int unsigned Binades = {BINADES};
  localparam int unsigned FirstExponent = {};  // biased, of the first binade
  localparam int unsigned Depth = {DEPTH};

  // verilog_format: off

  // Negative operands of at least this magnitude (upper half of an fp32) give zero.",
        KINDS.map(|k| format!("    Kind{k}")).join(",\n"),
        Function::ALL.len(),
        FIRST_EXPONENT + 127
    );
    s.push_str("  localparam logic [14:0] Underflow[16]");
    let limit = |i: usize| Function::ALL.get(i).map_or(0x7FFF, |f| f.underflow());
    let limits: Vec<_> = (0..16).map(|i| format!("15'h{:04x}", limit(i))).collect();
    array::<8>(&mut s, &limits);
    // A function on one line, by the low bits of the exponent.
    let lines: Vec<[Entry; BINADES]> = (0..32)
        .map(|line| {
            let mut entries = MAP.get(line).copied().unwrap_or([Entry::Fixed(0); BINADES]);
            entries.rotate_right((FIRST_EXPONENT + 127) as usize % BINADES);
            entries
        })
        .collect();
    let all = |f: &dyn Fn(usize, Entry) -> String| -> Vec<String> {
        lines
            .iter()
            .enumerate()
            .flat_map(|(i, l)| l.map(|e| f(i / 2, e)))
            .collect()
    };
    s.push_str("\n  // Two lines of binades per function: positive, negative operands. A line is in the order of the low bits of the exponent.\n  // Exponents outside the window share the entries at its ends.\n  localparam logic [2:0] Kinds[16*2*Binades]");
    array::<12>(
        &mut s,
        &all(&|_, e| format!("3'd{}", kind(e).unwrap_or_default())),
    );
    let at = |exponent: i32| MAP[2 * LOG][(exponent - FIRST_EXPONENT) as usize];
    s.push_str("\n  // First rows of the logarithm: operand at least 2, below 1/2, in [1, 2), in [1/2, 1).\n  localparam logic [10:0] LogRow[4]");
    let words = [1, -2, 0, -1].map(|e| format!("11'h{:03x}", rows_of(at(e)).0));
    array::<4>(&mut s, &words);
    let _ = writeln!(
        s,
        "\n  // Below this exponent: one row for each binade, at SmallRow and the low three bits of the exponent.\n  localparam int unsigned SmallExponent = {SMALL_EXPONENT};\n  localparam logic [15:0] HasSmall = 16'h{:04x};",
        Function::ALL
            .iter()
            .filter(|f| f.has_small_rows())
            .map(|f| 1u32 << *f as u8)
            .sum::<u32>()
    );
    s.push_str("  localparam logic [10:0] SmallRow[16*2]");
    let words: Vec<_> = (0..32)
        .map(|i| format!("11'h{:03x}", small_row(i)))
        .collect();
    array::<8>(&mut s, &words);
    s.push_str("\n  // Rows of the other binades by function, sign and low four bits of the exponent: first row, one bit for 1 to 8 leading\n  // fraction bits that choose the row (none for exp2 and log2), their number (one fewer where the offset has 17 bits).\n  localparam logic [22:0] Lines[16*2*16]");
    let words: Vec<_> = (0..512)
        .map(|i| {
            let (first, bits, places) = line(i / 16, i % 16);
            // exp2 has a fraction of its own, the logarithm a choice between two.
            let own = bits == 0 || [Function::Exp2 as usize, LOG].contains(&(i / 32));
            let choice = if own { 0 } else { 1u32 << (bits - 1) };
            format!(
                "23'h{:06x}",
                u32::from(first) << 12 | choice << 4 | u32::from(places)
            )
        })
        .collect();
    array::<6>(&mut s, &words);
    s.push_str("\n  localparam logic [71:0] Rows[Depth]");
    let unused = Row {
        c0: 0,
        c1: 0,
        c2: 0,
        exp: 0,
    };
    let rows: Vec<_> = (0..DEPTH)
        .map(|i| {
            format!(
                "72'h{:018x}",
                row_bits(ROWS.get(i).copied().unwrap_or(unused))
            )
        })
        .collect();
    array::<3>(&mut s, &rows);
    s.push_str("  // verilog_format: on\nendpackage\n");
    s
}
