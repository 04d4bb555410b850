//! Emits `sl_pkg.sv`: the words, codes, latencies and format constants as a SystemVerilog package.
//!
//! **Contract.** Nothing in the package depends on the configuration; widths that do are parameters of the modules. The text is
//! checked in as `hdl/rtl/sl_pkg.sv` and a test fails when it is stale.
//! **Errors.** None.

use std::fmt::Write as _;

use crate::acc::{FULL_SHIFT, MAX_TERMS, MIN_EXPONENT};
use crate::fp8::CODE_BITS;
use crate::lbfp::{LANE_OFF, OPERAND_BITS, SHIFT_OUT, WEIGHT_BITS};
use crate::load::{SPACES, STREAM_WORDS, crc_advance};
use crate::model::SELECT_RESET;
use crate::registers::{ADDRESS_BITS, ERRORS, IDENTITY, MODEL_TABLE_WORDS, REGISTERS, VERSION};
use crate::timing::{
    ACC_P0_FLAT, ACC_P0_PER_TREE_STAGE, ALU_STAGES, OUTPUT, SPECIAL_STAGES, TENSOR_P0,
};
use crate::words::{ControlWord, Field, MatrixWord, ModelRecord, VectorWord, WORDS};

/// `first_word` to `FirstWord`.
pub fn camel(name: &str) -> String {
    name.split('_')
        .map(|p| p[..1].to_uppercase() + &p[1..])
        .collect()
}

/// Text of the package.
pub fn package() -> String {
    let mut s = String::new();
    let _ = writeln!(
        s,
        "// Instruction words, codes, number formats and latencies of the machine."
    );
    let _ = writeln!(s, "//");
    let _ = writeln!(
        s,
        "// Generated from the isa crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit."
    );
    let _ = writeln!(
        s,
        "\n// A design without vector units, say, does not use every constant.\n// verilator lint_off UNUSEDPARAM"
    );
    let _ = writeln!(s, "package sl_pkg;\n");
    for (name, value, doc) in constants() {
        let _ = writeln!(s, "  // {}", sentence(doc));
        let _ = writeln!(s, "  localparam int {name} = {value};");
    }
    s.push('\n');
    let mut seen = Vec::new();
    for (word, _, fields, _) in WORDS {
        for f in fields.iter().filter(|f| !f.codes.is_empty()) {
            let ty = code_type(word, f);
            if seen.contains(&ty) {
                continue;
            }
            let _ = writeln!(s, "  typedef enum logic [{}:0] {{", f.width - 1);
            let names: Vec<String> = f.codes.iter().map(|c| camel(&ty) + &camel(c)).collect();
            let column = enum_column(&names);
            for (i, name) in names.iter().enumerate() {
                let comma = if i + 1 == names.len() { "" } else { "," };
                let _ = writeln!(s, "    {name:<column$} = {}'d{i}{comma}", f.width);
            }
            let _ = writeln!(s, "  }} {ty}_e;\n");
            seen.push(ty);
        }
    }
    for (word, width, fields, doc) in WORDS {
        let _ = writeln!(s, "  // {doc}, {width} bits.");
        let _ = writeln!(s, "  typedef struct packed {{");
        for f in fields.iter().rev() {
            let ty = if f.codes.is_empty() {
                if f.width == 1 {
                    "logic".to_owned()
                } else {
                    format!("logic [{}:0]", f.width - 1)
                }
            } else {
                format!("{}_e", code_type(word, f))
            };
            let _ = writeln!(s, "    // {}", f.doc.trim());
            let _ = writeln!(s, "    {ty} {};", f.name);
        }
        let _ = writeln!(s, "  }} {word}_t;\n");
    }
    let _ = writeln!(s, "  // Byte offsets on the configuration bus.");
    for r in REGISTERS {
        let _ = writeln!(
            s,
            "  localparam logic [{}:0] Reg{} = {}'h{:06X};",
            ADDRESS_BITS - 1,
            camel(r.name),
            ADDRESS_BITS,
            r.offset
        );
    }
    for r in REGISTERS.iter().filter(|r| r.words > 1) {
        let _ = writeln!(
            s,
            "  localparam int {} = {};",
            format_args!("Reg{}Words", camel(r.name)),
            r.words
        );
    }
    let _ = writeln!(s, "\n  // Bits of registers: the lowest of a field.");
    for r in REGISTERS.iter().filter(|r| r.name != "error_mask") {
        for f in r.fields {
            let _ = writeln!(
                s,
                "  localparam int {}{}Bit = {};",
                camel(r.name),
                camel(f.name),
                f.lsb
            );
        }
    }
    let _ = writeln!(s, "  localparam int NumErrors = {};", ERRORS.len());
    s.push('\n');
    let most = STREAM_WORDS.into_iter().max().unwrap_or(1);
    let _ = writeln!(
        s,
        "  // CRC-32 n + 1 words later: ones of element [n][i] are the bits of the state in bit i."
    );
    let _ = writeln!(s, "  // verilog_format: off");
    let _ = writeln!(
        s,
        "  localparam logic [{}:0][31:0][31:0] CrcAdvance = {{",
        most - 1
    );
    for n in (1..=most).rev() {
        let _ = writeln!(s, "    {{");
        let rows: Vec<String> = crc_advance(n)
            .iter()
            .rev()
            .map(|r| format!("32'h{r:08X}"))
            .collect();
        let lines: Vec<String> = rows
            .chunks(4)
            .map(|c| format!("      {}", c.join(", ")))
            .collect();
        let _ = writeln!(s, "{}", lines.join(",\n"));
        let _ = writeln!(s, "    }}{}", if n == 1 { "" } else { "," });
    }
    let _ = writeln!(s, "  }};\n  // verilog_format: on\n");
    let _ = writeln!(s, "  // Address spaces of the load port.");
    let _ = writeln!(s, "  typedef enum logic [3:0] {{");
    for (i, (space, name)) in SPACES.iter().enumerate() {
        let comma = if i + 1 == SPACES.len() { "" } else { "," };
        let _ = writeln!(s, "    Space{name} = 4'd{}{comma}", *space as u32);
    }
    let _ = writeln!(s, "  }} space_e;\n");
    let _ = writeln!(s, "endpackage\n// verilator lint_on UNUSEDPARAM");
    s
}

/// Column at which Verible wants the `=` of an enumeration: names that differ little are aligned.
fn enum_column(names: &[String]) -> usize {
    let longest = names.iter().map(String::len).max().unwrap_or(0);
    let shortest = names.iter().map(String::len).min().unwrap_or(0);
    if longest - shortest <= 2 { longest } else { 0 }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| {
        format!("{}{}.", c.to_uppercase(), chars.as_str())
    })
}

/// Name of the enumeration of a coded field, without `_e`.
fn code_type(word: &str, f: &Field) -> String {
    match (word, f.name) {
        ("matrix", "kind") => "matrix_kind".into(),
        (_, "op") => "vector_op".into(),
        (_, "special") => "vector_special".into(),
        (_, other) => other.into(),
    }
}

/// Integer constants of the package: name, value, description.
pub fn constants() -> Vec<(&'static str, i64, &'static str)> {
    vec![
        (
            "WeightBits",
            WEIGHT_BITS.into(),
            "weight mantissa, two's complement",
        ),
        ("Fp8Bits", CODE_BITS.into(), "code of an FP8 weight, E4M3"),
        (
            "OperandBits",
            OPERAND_BITS.into(),
            "aligned operand mantissa, two's complement",
        ),
        (
            "LaneOff",
            LANE_OFF.into(),
            "lane exponent that switches a lane off",
        ),
        (
            "ShiftOut",
            SHIFT_OUT.into(),
            "alignment distance that leaves nothing",
        ),
        ("AccBits", 64, "accumulator mantissa"),
        ("AccExpBits", 7, "accumulator exponent, in eights"),
        ("AccExpMin", MIN_EXPONENT.into(), "exponent of an empty sum"),
        (
            "AccFullShift",
            FULL_SHIFT.into(),
            "shift in eights that leaves the sign",
        ),
        ("MaxTerms", MAX_TERMS as i64, "terms of one sum"),
        (
            "AluStages",
            ALU_STAGES.into(),
            "stages of the arithmetic of the vector unit",
        ),
        (
            "SpecialStages",
            SPECIAL_STAGES.into(),
            "stages of its special functions",
        ),
        (
            "TensorP0",
            TENSOR_P0.into(),
            "cycle p0 of a vector operation on a tensor or constant",
        ),
        (
            "AccP0Flat",
            ACC_P0_FLAT.into(),
            "p0 of a vector operation on the accumulator, tree stages apart",
        ),
        (
            "AccP0PerTreeStage",
            ACC_P0_PER_TREE_STAGE.into(),
            "what a stage of the adder tree adds to it",
        ),
        ("OutputCycles", OUTPUT.into(), "output word to output port"),
        (
            "MatrixWordWidth",
            MatrixWord::WIDTH.into(),
            "width of a matrix word, bits",
        ),
        (
            "VectorWordWidth",
            VectorWord::WIDTH.into(),
            "width of a vector word, bits",
        ),
        (
            "ControlWordWidth",
            ControlWord::WIDTH.into(),
            "width of a control word, bits",
        ),
        (
            "ModelRecordWidth",
            ModelRecord::WIDTH.into(),
            "width of a model record, bits",
        ),
        (
            "SelectReset",
            SELECT_RESET.into(),
            "this bit of a model-select beat: no job, the model's next one starts from its initial state",
        ),
        (
            "BusAddressWidth",
            ADDRESS_BITS.into(),
            "byte address of the configuration bus, bits",
        ),
        (
            "BusIdentity",
            IDENTITY.into(),
            "value of the identity register",
        ),
        (
            "BusVersion",
            (VERSION.0 << 16 | VERSION.1).into(),
            "value of the version register",
        ),
        (
            "ModelTableWords",
            MODEL_TABLE_WORDS.into(),
            "words of an entry of the model table",
        ),
    ]
}
