//! Register map of the configuration bus: identity, capability, control, status, counters, load window, model table.
//!
//! | property | value |
//! |----------|-------|
//! | bus      | 32-bit words, 21-bit byte addresses ([`ADDRESS_BITS`]) |
//! | offsets  | bytes, multiples of 4 |
//! | line     | 64 bytes ([`LINE_BYTES`]); a wide read may touch all of it |
//!
//! **Contract.** The one definition of the map. Generated from it: the SystemVerilog package, `docs/reference.md`, `SystemRDL` ([`rdl`]), the C
//! header and the driver's constants ([`constants`]). Reads have no side effect. A word of a line that holds a register reads as zero when
//! it is no register; every other access that is not listed is answered with an error and changes nothing (docs/bus.md).
//! **Errors.** None.

pub mod constants;
pub mod rdl;

use crate::config::HardwareConfig;
use crate::load::load_words;

/// Width of a byte address on the configuration bus.
pub const ADDRESS_BITS: u32 = 21;
/// Bytes a wide read may touch: lines that hold a register read without error everywhere.
pub const LINE_BYTES: u32 = 64;
/// Value of the identity register: `SLUC`.
pub const IDENTITY: u32 = 0x534C_5543;
/// Version of the map: a new major number changes or removes a register, a new minor number adds one.
pub const VERSION: (u32, u32) = (1, 2);
/// Words of one entry of the model table.
pub const MODEL_TABLE_WORDS: u32 = 4;

/// What software may do with a register or a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write.
    ReadWrite,
    /// Writing ones clears bits.
    WriteOneToClear,
    /// Writing one starts something; reads as one until it is done.
    WriteOneToStart,
    /// Write only, reads as zero.
    Write,
}

impl Access {
    /// The usual abbreviation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "RO",
            Self::ReadWrite => "RW",
            Self::WriteOneToClear => "W1C",
            Self::WriteOneToStart => "W1S",
            Self::Write => "WO",
        }
    }
}

/// Value after the configuration reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// The same everywhere.
    Value(u32),
    /// Follows from the hardware configuration: [`capability`].
    Config,
    /// Chosen when the RTL was emitted; no program depends on it.
    Option,
    /// Follows the compute side, whatever it holds.
    Live,
}

/// A named part of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// Lowest bit.
    pub lsb: u32,
    /// Bits.
    pub width: u32,
    /// Access, where it is not the register's.
    pub access: Option<Access>,
    /// Meaning.
    pub doc: &'static str,
}

impl Field {
    /// Ones in the field's place.
    pub const fn mask(&self) -> u32 {
        (((1u64 << self.width) - 1) as u32) << self.lsb
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
    /// Value after the configuration reset, of every word.
    pub reset: Reset,
    /// Parts; empty when the whole word is one number.
    pub fields: &'static [Field],
    /// Meaning.
    pub doc: &'static str,
}

const fn reg(
    name: &'static str,
    offset: u32,
    words: u32,
    access: Access,
    reset: Reset,
    doc: &'static str,
) -> Register {
    Register {
        name,
        offset,
        words,
        access,
        reset,
        fields: &[],
        doc,
    }
}

const fn with(register: Register, fields: &'static [Field]) -> Register {
    Register { fields, ..register }
}

const fn field(name: &'static str, lsb: u32, width: u32, doc: &'static str) -> Field {
    Field {
        name,
        lsb,
        width,
        access: None,
        doc,
    }
}

const fn start(name: &'static str, lsb: u32, doc: &'static str) -> Field {
    Field {
        name,
        lsb,
        width: 1,
        access: Some(Access::WriteOneToStart),
        doc,
    }
}

use Access::{Read, ReadWrite, Write, WriteOneToClear};

const ZERO: Reset = Reset::Value(0);

/// Bits of `error` and `error_mask`, from bit 0.
pub const ERRORS: &[Field] = &[
    field(
        "bad_address",
        0,
        1,
        "access to an address without a register, or a write to one that is read only",
    ),
    field(
        "bad_strobe",
        1,
        1,
        "write with some but not all byte strobes",
    ),
    field(
        "load_refused",
        2,
        1,
        "load started while enabled, busy or resetting; window or load address write, or packet of the load stream, without a load",
    ),
    field(
        "load_target",
        3,
        1,
        "window write or packet to a space, core, row or address this accelerator does not have",
    ),
    field(
        "load_order",
        4,
        1,
        "window word out of order: the words of a load word are written lowest first; packet that ends inside a load word",
    ),
    field(
        "checksum",
        5,
        1,
        "program checksum written does not match the words loaded",
    ),
    field(
        "enable_refused",
        6,
        1,
        "enable without a loaded program whose checksum matches",
    ),
    field(
        "timeout",
        7,
        1,
        "the compute side did not answer; a load in progress is abandoned",
    ),
    field("bad_select", 8, 1, "model-select beat that names no model"),
];

/// The map, by ascending offset.
pub const REGISTERS: &[Register] = &[
    reg("identity", 0x000, 1, Read, Reset::Value(IDENTITY), "`SLUC`"),
    with(
        reg(
            "version",
            0x004,
            1,
            Read,
            Reset::Value(VERSION.0 << 16 | VERSION.1),
            "version of the register map",
        ),
        &[
            field("minor", 0, 16, "a new one adds registers"),
            field("major", 16, 16, "a new one changes or removes registers"),
        ],
    ),
    reg(
        "config_hash",
        0x008,
        2,
        Read,
        Reset::Config,
        "first 64 bits of the configuration's digest, low word first",
    ),
    with(
        reg(
            "capability_shape",
            0x010,
            1,
            Read,
            Reset::Config,
            "size of the machine",
        ),
        &[
            field("num_cores", 0, 8, "compute cores"),
            field("block_size", 8, 8, "values in a block"),
            field("exchange_stages", 16, 8, "register stages of the exchange"),
            field("load_words", 24, 8, "32-bit words of the widest load word"),
        ],
    ),
    with(
        reg(
            "capability_stores",
            0x014,
            1,
            Read,
            Reset::Config,
            "stores of a core",
        ),
        &[
            field("weight_depth", 0, 15, "weight blocks"),
            field(
                "fp8_weights",
                15,
                1,
                "a weight store address may hold two blocks of FP8 weights",
            ),
            field("const_depth", 16, 16, "constant blocks"),
        ],
    ),
    with(
        reg(
            "capability_tensors",
            0x018,
            1,
            Read,
            Reset::Config,
            "tensor memory, accumulators and clamps",
        ),
        &[
            field("tensor_depth", 0, 16, "blocks in a bank"),
            field("accum_depth", 16, 8, "accumulator blocks"),
            field("clamp_depth", 24, 8, "clamp entries"),
        ],
    ),
    with(
        reg(
            "capability_program",
            0x01C,
            1,
            Read,
            Reset::Config,
            "what a program may have",
        ),
        &[
            field("ticks", 0, 20, "ticks of all models together"),
            field("max_models", 20, 12, "resident models"),
        ],
    ),
    with(
        reg(
            "capability_streams",
            0x020,
            1,
            Read,
            Reset::Config,
            "beats that may wait",
        ),
        &[
            field("select_fifo", 0, 16, "model-select beats"),
            field("output_fifo", 16, 16, "output beats"),
        ],
    ),
    with(
        reg(
            "capability_load",
            0x024,
            1,
            Read,
            Reset::Option,
            "ways to load beside the load window",
        ),
        &[field(
            "stream_words",
            0,
            8,
            "32-bit words of a load stream beat, 0 without a load stream",
        )],
    ),
    with(
        reg("control", 0x040, 1, ReadWrite, ZERO, "run, reset, load"),
        &[
            field(
                "enable",
                0,
                1,
                "jobs are taken; needs a loaded program (`status.program_ok`)",
            ),
            start(
                "soft_reset",
                1,
                "resets the compute side: drops jobs, beats and model state, keeps the program",
            ),
            start("load", 2, "begins a load; the program before is gone"),
        ],
    ),
    with(
        reg(
            "status",
            0x044,
            1,
            Read,
            Reset::Live,
            "what the machine is doing",
        ),
        &[
            field("enabled", 0, 1, "the compute side takes jobs"),
            field("busy", 1, 1, "a job is running or its pipelines empty"),
            field(
                "settling",
                2,
                1,
                "enable or reset is still on its way to the compute side",
            ),
            field("idle", 3, 1, "disabled and empty: a load may begin"),
            field("loading", 4, 1, "a load has begun and is not finished"),
            field(
                "program_ok",
                5,
                1,
                "a program is loaded and its checksum matches",
            ),
            field("interrupt", 6, 1, "an error that is not masked is set"),
        ],
    ),
    with(
        reg(
            "error",
            0x048,
            1,
            WriteOneToClear,
            ZERO,
            "errors since they were cleared",
        ),
        ERRORS,
    ),
    with(
        reg(
            "error_mask",
            0x04C,
            1,
            ReadWrite,
            ZERO,
            "errors that raise the interrupt",
        ),
        ERRORS,
    ),
    reg(
        "bus_error_count",
        0x050,
        1,
        Read,
        ZERO,
        "accesses answered with an error",
    ),
    with(
        reg(
            "bus_error_address",
            0x054,
            1,
            Read,
            ZERO,
            "the last access answered with an error",
        ),
        &[
            field("address", 0, ADDRESS_BITS, "byte address"),
            field("write", 31, 1, "it was a write"),
        ],
    ),
    reg(
        "scratch",
        0x058,
        1,
        ReadWrite,
        ZERO,
        "any value; drives nothing",
    ),
    reg(
        "cycles",
        0x080,
        2,
        Read,
        Reset::Live,
        "compute cycles since the compute side's reset, low word first",
    ),
    reg(
        "busy_cycles",
        0x088,
        2,
        Read,
        Reset::Live,
        "those of them with `busy`, low word first",
    ),
    reg(
        "jobs_done",
        0x090,
        1,
        Read,
        Reset::Live,
        "jobs finished since the compute side's reset",
    ),
    reg(
        "bad_select_count",
        0x094,
        1,
        Read,
        Reset::Live,
        "model-select beats out of range since the compute side's reset",
    ),
    reg(
        "last_bad_select",
        0x098,
        1,
        Read,
        Reset::Live,
        "index of the last one",
    ),
    with(
        reg(
            "load_address",
            0x0C0,
            1,
            ReadWrite,
            ZERO,
            "target of the next load word; advances with every one: rows of a weight block first, then addresses",
        ),
        &[
            field("address", 0, 16, "word address in the memory"),
            field("row", 16, 7, "row of a weight block, else 0"),
            field(
                "core",
                23,
                5,
                "core, 0 for the spaces that are not per core",
            ),
            field("space", 28, 4, "space of the load port"),
        ],
    ),
    reg(
        "load_count",
        0x0C4,
        1,
        Read,
        ZERO,
        "words of load words taken since the load began",
    ),
    reg(
        "load_checksum",
        0x0C8,
        1,
        Read,
        ZERO,
        "CRC-32 of what was loaded since the load began",
    ),
    reg(
        "program_checksum",
        0x0CC,
        1,
        ReadWrite,
        ZERO,
        "a write ends the load; the value must equal `load_checksum`",
    ),
    reg(
        "num_models",
        0x0D0,
        1,
        Read,
        ZERO,
        "resident models of the loaded program",
    ),
    reg(
        "model_jobs",
        0x400,
        256,
        Read,
        Reset::Live,
        "jobs finished since the compute side's reset, per model",
    ),
    reg(
        "model_table",
        0x1000,
        256 * MODEL_TABLE_WORDS,
        Read,
        ZERO,
        "model records as loaded, four words each, lowest first; zero from `num_models` on",
    ),
    reg(
        "load_window",
        0x10_0000,
        64,
        Write,
        ZERO,
        "words of the next load word, lowest first; the last word its space needs sends it",
    ),
];

/// The register of a name.
pub fn register(name: &str) -> Option<&'static Register> {
    REGISTERS.iter().find(|r| r.name == name)
}

/// A word address that answers reads without error: its line holds a register.
pub fn line_is_mapped(offset: u32) -> bool {
    let line = offset & !(LINE_BYTES - 1);
    REGISTERS
        .iter()
        .any(|r| r.offset < line + LINE_BYTES && r.offset + 4 * r.words > line)
}

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

/// The words of the registers that follow from the configuration: `(name, words)`.
pub fn capability(config: &HardwareConfig) -> [(&'static str, Vec<u32>); 6] {
    let c = config;
    let hash = config_hash(c);
    [
        ("config_hash", vec![hash as u32, (hash >> 32) as u32]),
        (
            "capability_shape",
            vec![c.num_cores | c.block_size << 8 | c.exchange_stages << 16 | load_words(c) << 24],
        ),
        (
            "capability_stores",
            vec![c.weight_store_depth | u32::from(c.fp8_weights) << 15 | c.const_store_depth << 16],
        ),
        (
            "capability_tensors",
            vec![c.tensor_ram_depth | c.accum_store_depth << 16 | c.clamp_store_depth << 24],
        ),
        (
            "capability_program",
            vec![c.instr_store_depth | c.max_models << 20],
        ),
        (
            "capability_streams",
            vec![c.select_fifo_depth | c.output_fifo_depth << 16],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::data_width;
    use crate::presets;
    use crate::words::ModelRecord;

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
    fn fields_do_not_overlap_and_stay_in_the_word() {
        for r in REGISTERS {
            let mut taken = 0u32;
            for f in r.fields {
                assert!(f.lsb + f.width <= 32, "{}.{}", r.name, f.name);
                assert_eq!(taken & f.mask(), 0, "{}.{}", r.name, f.name);
                taken |= f.mask();
            }
            if let Reset::Value(v) = r.reset {
                assert!(r.fields.is_empty() || v & !taken == 0, "{}", r.name);
            }
        }
    }

    #[test]
    fn window_and_table_hold_the_widest_words() {
        let window = register("load_window").unwrap();
        for name in presets::names() {
            assert!(
                data_width(&presets::preset(name).unwrap()) <= 32 * window.words,
                "{name}"
            );
        }
        const { assert!(ModelRecord::WIDTH <= 32 * MODEL_TABLE_WORDS) }
    }

    #[test]
    fn capability_fields_hold_every_configuration() {
        let mut configs: Vec<_> = presets::names()
            .into_iter()
            .map(|n| presets::preset(n).unwrap())
            .collect();
        configs.push(HardwareConfig {
            weight_store_depth: 8192,
            tensor_ram_depth: 4096,
            const_store_depth: 2048,
            clamp_store_depth: 32,
            instr_store_depth: 65536,
            max_models: 256,
            select_fifo_depth: 1024,
            output_fifo_depth: 4096,
            exchange_stages: 2,
            fp8_weights: true,
            ..HardwareConfig::new("largest", 16, 64)
        });
        for c in configs {
            c.validate().unwrap();
            let word = |register: &str, name: &str| {
                let r = super::register(register).unwrap();
                let f = r.fields.iter().find(|f| f.name == name).unwrap();
                let words = capability(&c);
                let word = words.iter().find(|(n, _)| *n == register).unwrap().1[0];
                (word & f.mask()) >> f.lsb
            };
            assert_eq!(word("capability_shape", "num_cores"), c.num_cores);
            assert_eq!(word("capability_shape", "block_size"), c.block_size);
            assert_eq!(
                word("capability_shape", "exchange_stages"),
                c.exchange_stages
            );
            assert_eq!(word("capability_shape", "load_words"), load_words(&c));
            assert_eq!(
                word("capability_stores", "weight_depth"),
                c.weight_store_depth
            );
            assert_eq!(
                word("capability_stores", "fp8_weights"),
                u32::from(c.fp8_weights)
            );
            assert_eq!(
                word("capability_stores", "const_depth"),
                c.const_store_depth
            );
            assert_eq!(
                word("capability_tensors", "tensor_depth"),
                c.tensor_ram_depth
            );
            assert_eq!(
                word("capability_tensors", "accum_depth"),
                c.accum_store_depth
            );
            assert_eq!(
                word("capability_tensors", "clamp_depth"),
                c.clamp_store_depth
            );
            assert_eq!(word("capability_program", "ticks"), c.instr_store_depth);
            assert_eq!(word("capability_program", "max_models"), c.max_models);
            assert_eq!(
                word("capability_streams", "select_fifo"),
                c.select_fifo_depth
            );
            assert_eq!(
                word("capability_streams", "output_fifo"),
                c.output_fifo_depth
            );
        }
    }

    #[test]
    fn lines_with_a_register_answer_whole() {
        assert!(line_is_mapped(0x03C) && line_is_mapped(0x0FC) && line_is_mapped(0x10_00FC));
        assert!(!line_is_mapped(0x100) && !line_is_mapped(0x800) && !line_is_mapped(0x10_0100));
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
        let mut c = a.clone();
        c.fp8_weights = true;
        assert_ne!(config_hash(&a), config_hash(&c));
    }
}
