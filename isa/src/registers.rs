//! Register map of the configuration bus: identity, capability, status, counters, load window.
//!
//! | property | value |
//! |----------|-------|
//! | bus      | 32-bit words, 21-bit byte addresses ([`ADDRESS_BITS`]) |
//! | offsets  | bytes, multiples of 4 |
//!
//! **Contract.** The one definition of the map: the SystemVerilog package and the reference page are generated from it. Today's RTL shows
//! these values on status ports and loads through the load port; the bus that serves them is not built yet.
//! **Errors.** None.

use crate::config::HardwareConfig;

/// Width of a byte address on the configuration bus.
pub const ADDRESS_BITS: u32 = 21;
/// Value of the identity register: `SLUC`.
pub const IDENTITY: u32 = 0x534C_5543;

/// What software may do with a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write.
    ReadWrite,
    /// Writing ones clears bits.
    WriteOneToClear,
}

impl Access {
    /// The usual abbreviation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "RO",
            Self::ReadWrite => "RW",
            Self::WriteOneToClear => "W1C",
        }
    }
}

/// One register, or an array of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register {
    /// Name.
    pub name: &'static str,
    /// Byte offset of the first word.
    pub offset: u32,
    /// Words.
    pub words: u32,
    /// Access.
    pub access: Access,
    /// Meaning.
    pub doc: &'static str,
}

const fn reg(
    name: &'static str,
    offset: u32,
    words: u32,
    access: Access,
    doc: &'static str,
) -> Register {
    Register {
        name,
        offset,
        words,
        access,
        doc,
    }
}

/// The map, by ascending offset.
pub const REGISTERS: &[Register] = &[
    reg("identity", 0x000, 1, Access::Read, "0x534C5543, `SLUC`"),
    reg(
        "version",
        0x004,
        1,
        Access::Read,
        "major 31:16, minor 15:0 of the register map",
    ),
    reg(
        "config_hash",
        0x008,
        2,
        Access::Read,
        "first 64 bits of the configuration's digest",
    ),
    reg(
        "capability",
        0x010,
        4,
        Access::Read,
        "cores and block size; weight depth; tensor depth and models; ticks",
    ),
    reg(
        "control",
        0x020,
        1,
        Access::ReadWrite,
        "bit 0 enable, bit 1 soft reset",
    ),
    reg(
        "status",
        0x024,
        1,
        Access::Read,
        "bit 0 busy, bit 1 enabled, bit 2 interrupt pending",
    ),
    reg(
        "error",
        0x028,
        1,
        Access::WriteOneToClear,
        "bit 0 load while enabled or busy, bit 1 model index out of range",
    ),
    reg(
        "bad_select_count",
        0x02C,
        1,
        Access::Read,
        "model-select beats out of range since reset",
    ),
    reg(
        "last_bad_select",
        0x030,
        1,
        Access::Read,
        "index of the last one",
    ),
    reg(
        "jobs_done",
        0x034,
        1,
        Access::Read,
        "jobs finished since reset",
    ),
    reg("num_models", 0x038, 1, Access::ReadWrite, "resident models"),
    reg(
        "program_digest",
        0x040,
        8,
        Access::ReadWrite,
        "digest of the loaded program, written by the loader",
    ),
    reg(
        "load_address",
        0x060,
        1,
        Access::ReadWrite,
        "address 15:0, row 22:16, core 27:23, space 31:28 of the next load",
    ),
    reg(
        "load_commit",
        0x064,
        1,
        Access::ReadWrite,
        "a write sends the window's words to the load address and advances it",
    ),
    reg(
        "model_jobs",
        0x400,
        256,
        Access::Read,
        "jobs finished, per model",
    ),
    reg(
        "load_window",
        0x10_0000,
        64,
        Access::ReadWrite,
        "words of the next load, lowest first",
    ),
];

/// First 64 bits of the digest of everything in a configuration that a program depends on.
pub fn config_hash(config: &HardwareConfig) -> u64 {
    let mut anonymous = config.clone();
    // Name, family and clock do not change what a program means.
    anonymous.name = "config".into();
    anonymous.fabric = crate::config::Fabric::Generic;
    anonymous.clock_mhz = 1;
    let digest = blake3::hash(anonymous.to_json().as_bytes());
    u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::data_width;
    use crate::presets;

    #[test]
    fn registers_do_not_overlap_and_stay_on_the_bus() {
        let mut next = 0;
        for r in REGISTERS {
            assert!(r.offset >= next && r.offset % 4 == 0, "{}", r.name);
            next = r.offset + 4 * r.words;
        }
        assert!(next <= 1 << ADDRESS_BITS);
    }

    #[test]
    fn window_holds_the_widest_load_word() {
        let window = REGISTERS.iter().find(|r| r.name == "load_window").unwrap();
        for name in presets::names() {
            assert!(
                data_width(&presets::preset(name).unwrap()) <= 32 * window.words,
                "{name}"
            );
        }
    }

    #[test]
    fn hash_follows_what_matters() {
        let a = presets::preset("bittware_ia420f_c6b32").unwrap();
        let b = presets::preset("napatech_nt400d11_c6b32").unwrap();
        assert_eq!(
            config_hash(&a),
            config_hash(&b),
            "same machine, other board"
        );
        let mut c = a.clone();
        c.tensor_ram_depth *= 2;
        assert_ne!(config_hash(&a), config_hash(&c));
    }
}
