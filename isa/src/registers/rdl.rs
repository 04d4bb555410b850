//! The register map as `SystemRDL` 2.0, for integrators' own tools.
//!
//! **Contract.** The text is checked in as `docs/registers.rdl` and a test fails when it is stale. What follows from the configuration has
//! no reset value in it.
//! **Source.** `SystemRDL` 2.0, clauses 9 and 10.

use std::fmt::Write as _;

use super::{Access, REGISTERS, Register, Reset};
use crate::sv::camel;

fn text(doc: &str) -> String {
    doc.replace('`', "'")
}

fn properties(access: Access) -> &'static str {
    match access {
        Access::Read => "sw = r; hw = w;",
        Access::ReadWrite => "sw = rw; hw = r;",
        Access::WriteOneToClear => "sw = rw; hw = rw; onwrite = woclr;",
        Access::WriteOneToStart => "sw = rw; hw = rw; onwrite = woset;",
        Access::Write => "sw = w; hw = r;",
    }
}

fn fields(s: &mut String, r: &Register) {
    let reset = |lsb: u32, mask: u32| match r.reset {
        Reset::Value(v) => format!(" = {:#x}", (v & mask) >> lsb),
        Reset::Config | Reset::Option | Reset::Live => String::new(),
    };
    if r.fields.is_empty() {
        let _ = writeln!(
            s,
            "    field {{ {} }} value[31:0]{};",
            properties(r.access),
            reset(0, u32::MAX)
        );
    }
    for f in r.fields {
        let _ = writeln!(
            s,
            "    field {{ desc = \"{}\"; {} }} {}[{}:{}]{};",
            text(f.doc),
            properties(f.access.unwrap_or(r.access)),
            f.name,
            f.lsb + f.width - 1,
            f.lsb,
            reset(f.lsb, f.mask())
        );
    }
}

/// Text of the description.
pub fn description() -> String {
    let mut s = String::from(
        "// Register map of the configuration bus.\n//\n// Generated from the isa crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit.\n\naddrmap sluice {\n  default regwidth = 32;\n  default accesswidth = 32;\n",
    );
    for r in REGISTERS {
        let _ = writeln!(
            s,
            "\n  reg {} {{\n    desc = \"{}\";",
            camel(r.name),
            text(r.doc)
        );
        fields(&mut s, r);
        let array = if r.words == 1 {
            String::new()
        } else {
            format!("[{}]", r.words)
        };
        let _ = writeln!(
            s,
            "  }};\n  {} {}{array} @ {:#x};",
            camel(r.name),
            r.name,
            r.offset
        );
    }
    s.push_str("};\n");
    s
}
