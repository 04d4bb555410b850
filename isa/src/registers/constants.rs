//! The register map as constants: a C header and the module the driver is built on.
//!
//! **Contract.** The texts are checked in (`driver/capi/include/sluice_registers.h`, `driver/src/map.rs`) and a test fails when one is stale.
//! Both carry the load spaces and the layout of a load image, which the driver needs as well.

use std::fmt::Write as _;

use super::{IDENTITY, REGISTERS, VERSION};
use crate::load::SPACES;
use crate::load_image;

const NOTE: &str =
    "Generated from the isa crate by `cargo run -p sluice-hdl --bin sl-pkg`; do not edit.";

/// Name, value and meaning of every constant; hexadecimal where `hex`.
struct Constant {
    name: String,
    value: u32,
    hex: bool,
    doc: String,
}

fn constants() -> Vec<Constant> {
    let mut all = Vec::new();
    let mut add = |name: String, value, hex, doc: &str| {
        all.push(Constant {
            name: name.to_uppercase(),
            value,
            hex,
            doc: doc.into(),
        });
    };
    add(
        "identity_value".into(),
        IDENTITY,
        true,
        "value of `identity`",
    );
    add(
        "version_major_value".into(),
        VERSION.0,
        false,
        "major version of the map",
    );
    add(
        "version_minor_value".into(),
        VERSION.1,
        false,
        "minor version of the map",
    );
    for r in REGISTERS {
        add(r.name.into(), r.offset, true, r.doc);
        if r.words > 1 {
            add(format!("{}_words", r.name), r.words, false, "its words");
        }
        for f in r.fields {
            add(format!("{}_{}", r.name, f.name), f.mask(), true, f.doc);
            if f.width > 1 {
                add(
                    format!("{}_{}_lsb", r.name, f.name),
                    f.lsb,
                    false,
                    "its lowest bit",
                );
            }
        }
    }
    for (space, name) in SPACES {
        let mut snake = String::new();
        for c in name.chars() {
            if c.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.push(c);
        }
        add(format!("space_{snake}"), *space as u32, false, "load space");
    }
    add(
        "image_magic".into(),
        load_image::MAGIC,
        true,
        "first word of a load image",
    );
    add(
        "image_version".into(),
        load_image::FORMAT_VERSION,
        false,
        "version of a load image",
    );
    add(
        "image_header_words".into(),
        load_image::HEADER_WORDS,
        false,
        "words of a load image before its first run",
    );
    all
}

fn literal(c: &Constant, rust: bool) -> String {
    match (c.hex, rust) {
        (false, _) => c.value.to_string(),
        (true, false) => format!("0x{:08X}", c.value),
        (true, true) => format!("0x{:04X}_{:04X}", c.value >> 16, c.value & 0xFFFF),
    }
}

/// The C header.
pub fn c_header() -> String {
    let mut s = format!(
        "/* Register map of the configuration bus: byte offsets, masks and lowest bits of fields.\n *\n * {NOTE}\n */\n#ifndef SLUICE_REGISTERS_H\n#define SLUICE_REGISTERS_H\n\n"
    );
    for c in constants() {
        let _ = writeln!(s, "/* {} */", c.doc.replace('`', "'"));
        let _ = writeln!(s, "#define SLUICE_{} {}u", c.name, literal(&c, false));
    }
    s.push_str("\n#endif\n");
    s
}

/// The driver's module.
pub fn rust_module() -> String {
    let mut s = format!(
        "//! Register map of the configuration bus: byte offsets, masks and lowest bits of fields.\n//!\n//! {NOTE}\n"
    );
    for c in constants() {
        let mut doc = c.doc.clone();
        if let Some(first) = doc.get(..1) {
            doc = first.to_uppercase() + &doc[1..];
        }
        let _ = write!(
            s,
            "\n/// {doc}.\npub const {}: u32 = {};\n",
            c.name,
            literal(&c, true)
        );
    }
    s
}
