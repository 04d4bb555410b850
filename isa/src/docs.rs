//! Emits `docs/reference.md`: words, codes, configuration limits and load spaces for people.
//!
//! **Contract.** The text is checked in and a test fails when it is stale.
//! **Errors.** None.

use std::fmt::Write as _;

use crate::load::{SPACES, data_width};
use crate::presets;
use crate::registers::{REGISTERS, Reset};
use crate::sv::constants;
use crate::words::WORDS;

/// Text of the reference page.
pub fn reference() -> String {
    let mut s = String::from(
        "# Reference\n\nGenerated from the `isa` crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit. How the words act together: `machine.md`.\n",
    );
    for (name, width, fields, doc) in WORDS {
        let _ = write!(
            s,
            "\n## `{name}` word\n\n{doc}; {width} bits.\n\n| bits | field | meaning | codes |\n|---|---|---|---|\n"
        );
        for f in *fields {
            let bits = if f.width == 1 {
                f.lsb.to_string()
            } else {
                format!("{}:{}", f.lsb + f.width - 1, f.lsb)
            };
            let codes = f
                .codes
                .iter()
                .enumerate()
                .map(|(i, c)| format!("{i} {c}"))
                .collect::<Vec<_>>()
                .join(", ");
            let _ = writeln!(s, "| {bits} | `{}` | {} | {codes} |", f.name, f.doc.trim());
        }
    }
    s.push_str("\n## Constants\n\n| name | value | meaning |\n|---|--:|---|\n");
    for (name, value, doc) in constants() {
        let _ = writeln!(s, "| `{name}` | {value} | {doc} |");
    }
    s.push_str("\n## Load port spaces\n\n| code | space |\n|--:|---|\n");
    for (space, name) in SPACES {
        let _ = writeln!(s, "| {} | {name} |", *space as u32);
    }
    s.push_str("\n## Registers\n\nOf the configuration bus; how to use them: `bus.md`. RO read only, RW read and write, WO write only (reads as zero), W1C writing ones clears, W1S writing one starts and reads as one until it is done. Reset: after `config_reset`; \"config\" follows from the configuration, \"live\" from the compute side.\n\n| offset | words | access | reset | register | meaning |\n|--:|--:|---|---|---|---|\n");
    for r in REGISTERS {
        let reset = match r.reset {
            Reset::Value(v) => format!("`{v:#x}`"),
            Reset::Config => "config".into(),
            Reset::Option => "option".into(),
            Reset::Live => "live".into(),
        };
        let _ = writeln!(
            s,
            "| `0x{:06X}` | {} | {} | {reset} | `{}` | {} |",
            r.offset,
            r.words,
            r.access.name(),
            r.name,
            r.doc
        );
    }
    s.push_str("\n| register | bits | field | access | meaning |\n|---|---|---|---|---|\n");
    for r in REGISTERS {
        for f in r.fields {
            let bits = if f.width == 1 {
                f.lsb.to_string()
            } else {
                format!("{}:{}", f.lsb + f.width - 1, f.lsb)
            };
            let _ = writeln!(
                s,
                "| `{}` | {bits} | `{}` | {} | {} |",
                r.name,
                f.name,
                f.access.unwrap_or(r.access).name(),
                f.doc
            );
        }
    }
    s.push_str("\n## Presets\n\n| name | cores | block | weight blocks per core | weights | FP8 weights | tensor bank | ticks | clock MHz | load data bits |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for name in presets::names() {
        if let Ok(c) = presets::preset(name) {
            let _ = writeln!(
                s,
                "| `{name}` | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                c.num_cores,
                c.block_size,
                c.weight_store_depth,
                c.weight_capacity(),
                if c.fp8_weights {
                    (2 * c.weight_capacity()).to_string()
                } else {
                    "-".into()
                },
                c.tensor_ram_depth,
                c.instr_store_depth,
                c.clock_mhz,
                data_width(&c)
            );
        }
    }
    s
}
