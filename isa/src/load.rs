//! Load port: how a program reaches the memories.
//!
//! | field | width | meaning |
//! |-------|-------|---------|
//! | space | 4     | [`Space`] |
//! | core  | 5     | core, ignored by the spaces that are not per core |
//! | row   | 7     | row of a weight block, ignored elsewhere |
//! | addr  | 16    | word address in the memory |
//! | data  | [`data_width`] | the word, right-aligned |
//!
//! A weight store address holds a block or, where the configuration has FP8 weights, two FP8 blocks, and their row record is
//! `[B lanes of {0, second code, first code}]` in the place of the mantissas, then `R, L` of the first and `R, L` of the second block.
//! Such a configuration has that second pair in every row record; a block of 17-bit mantissas leaves it zero.
//!
//! **Contract.** One write per cycle, taken only while the accelerator is disabled and idle (docs/machine.md section 7).
//! [`writes`] yields the complete program in a fixed order; the memory images hold the same words. Over the configuration bus a load
//! word is [`space_words`] window words, and [`checksum`] covers all of them with their addresses.
//! **Errors.** Packing errors of the words.

use crate::config::HardwareConfig;
use crate::error::IsaError;
use crate::fp8;
use crate::lbfp::{WEIGHT_BITS, WeightBlock};
use crate::program::Program;
use crate::words::{ControlWord, MatrixWord, ModelRecord, VectorWord};

/// Address space of the load port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// Row record of an address of the weight store: mantissas `m[n][0..B)` from bit 0, then `R[n]`, then `L[n]` (8 bits each), with FP8
    /// weights a second time.
    Weights = 0,
    /// Instruction store: matrix word from bit 0, vector word above it.
    Instructions = 1,
    /// Constant store: B fp32 values, value 0 in the lowest bits.
    Constants = 2,
    /// Clamp store: `lo` in bits 31..0, `hi` in bits 63..32.
    Clamps = 3,
    /// Control store.
    Control = 4,
    /// Model table.
    Models = 5,
    /// Number of resident models, at address 0.
    NumModels = 6,
}

/// All spaces with their SystemVerilog names.
pub const SPACES: &[(Space, &str)] = &[
    (Space::Weights, "Weights"),
    (Space::Instructions, "Instructions"),
    (Space::Constants, "Constants"),
    (Space::Clamps, "Clamps"),
    (Space::Control, "Control"),
    (Space::Models, "Models"),
    (Space::NumModels, "NumModels"),
];

/// Width of the load port's data, bits: the widest word of any space.
pub fn data_width(config: &HardwareConfig) -> u32 {
    let b = config.block_size;
    row_record_width(config)
        .max(32 * b)
        .max(instruction_width())
        .max(64)
        .max(ControlWord::WIDTH)
        .max(ModelRecord::WIDTH)
}

/// Bits of the exponents in a row record: `R` and `L` of each block an address can hold.
pub const fn scale_width(config: &HardwareConfig) -> u32 {
    if config.fp8_weights { 32 } else { 16 }
}

/// Width of a row record, bits.
pub const fn row_record_width(config: &HardwareConfig) -> u32 {
    WEIGHT_BITS * config.block_size + scale_width(config)
}

/// Width of one instruction store word, bits.
pub const fn instruction_width() -> u32 {
    MatrixWord::WIDTH + VectorWord::WIDTH
}

/// 32-bit words of a load stream beat: what the generator offers (docs/bus.md).
pub const STREAM_WORDS: [u32; 5] = [1, 2, 4, 8, 16];

/// 32-bit words of the widest load word.
pub fn load_words(config: &HardwareConfig) -> u32 {
    data_width(config).div_ceil(32)
}

/// Window words of a load word of a space.
pub fn space_words(config: &HardwareConfig, space: Space) -> u32 {
    let b = config.block_size;
    let width = match space {
        Space::Weights => row_record_width(config),
        Space::Instructions => instruction_width(),
        Space::Constants => 32 * b,
        Space::Clamps => 64,
        Space::Control => ControlWord::WIDTH,
        Space::Models => ModelRecord::WIDTH,
        Space::NumModels => 16,
    };
    width.div_ceil(32)
}

/// Words of the memory behind a space.
pub fn space_depth(config: &HardwareConfig, space: Space) -> u32 {
    match space {
        Space::Weights => config.weight_store_depth,
        Space::Instructions | Space::Control => config.instr_store_depth,
        Space::Constants => config.const_store_depth,
        Space::Clamps => config.clamp_store_depth,
        Space::Models => config.max_models,
        Space::NumModels => 1,
    }
}

/// The space has a memory in every core.
pub const fn per_core(space: Space) -> bool {
    matches!(
        space,
        Space::Weights | Space::Instructions | Space::Constants | Space::Clamps
    )
}

/// Target of a write as the register `load_address` holds it.
pub fn address_word(w: &Write) -> u32 {
    w.addr & 0xFFFF | w.row << 16 | w.core << 23 | (w.space as u32) << 28
}

/// CRC-32 as zlib computes it, of 32-bit words as little-endian bytes, continued from `crc` (0 at first).
pub fn crc32_from(crc: u32, words: &[u32]) -> u32 {
    let mut state = !crc;
    for word in words {
        state ^= word;
        for _ in 0..32 {
            state = state >> 1 ^ if state & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !state
}

/// [`crc32_from`] from the start.
pub fn crc32(words: &[u32]) -> u32 {
    crc32_from(0, words)
}

/// State of the CRC-32 some words of zeros later: bit `j` of element `i` says that bit `j` of the state is part of bit `i` afterwards.
///
/// The CRC of words `w` from a state `s` is `advance(s, len)` exclusive or the sum of `advance(w[k], len - k)`; the RTL folds several words
/// a cycle by it.
pub fn crc_advance(words: u32) -> [u32; 32] {
    let mut rows = [0; 32];
    for j in 0..32 {
        // crc32_from inverts before and after.
        let zeros = vec![0; words as usize];
        let moved = !crc32_from(!(1 << j), &zeros);
        for (i, row) in rows.iter_mut().enumerate() {
            *row |= (moved >> i & 1) << j;
        }
    }
    rows
}

/// Checksum of a program: over every load word, its window words and then its address.
pub fn checksum(config: &HardwareConfig, writes: &[Write]) -> u32 {
    writes.iter().fold(0, |crc, w| {
        let words = &w.data[..space_words(config, w.space) as usize];
        crc32_from(crc32_from(crc, words), &[address_word(w)])
    })
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Address space.
    pub space: Space,
    /// Core.
    pub core: u32,
    /// Row.
    pub row: u32,
    /// Address.
    pub addr: u32,
    /// Data, 32 bits a word, lowest first, `data_width` rounded up.
    pub data: Vec<u32>,
}

/// Appends bit fields to a little-endian vector of 32-bit words.
struct Bits {
    words: Vec<u32>,
    used: u32,
}

impl Bits {
    fn new(width: u32) -> Self {
        Self {
            words: vec![0; width.div_ceil(32) as usize],
            used: 0,
        }
    }

    fn push(&mut self, value: u128, width: u32) {
        for i in 0..width {
            if value >> i & 1 == 1 {
                let at = self.used + i;
                self.words[(at / 32) as usize] |= 1 << (at % 32);
            }
        }
        self.used += width;
    }
}

/// The row record `n` of a weight block.
pub fn row_record(block: &WeightBlock, n: usize, width: u32) -> Vec<u32> {
    let b = block.size();
    let mut bits = Bits::new(width);
    for &m in &block.m[n * b..(n + 1) * b] {
        bits.push(u128::from(m as u32 & ((1 << WEIGHT_BITS) - 1)), WEIGHT_BITS);
    }
    bits.push(u128::from(block.r[n] as u8), 8);
    bits.push(u128::from(block.l[n] as u8), 8);
    bits.words
}

/// The row record `n` of an address with FP8 blocks, the second of which may be missing.
///
/// A mantissa without code counts as zero; [`Program::validate`] refuses such a block.
pub fn fp8_row_record(pair: &[WeightBlock], n: usize, width: u32) -> Vec<u32> {
    let b = pair[0].size();
    let mut bits = Bits::new(width);
    for k in 0..b {
        let code = |half: usize| {
            pair.get(half)
                .and_then(|block| fp8::code(block.m[n * b + k]))
                .unwrap_or(0)
        };
        bits.push(u128::from(code(0)), fp8::CODE_BITS);
        bits.push(u128::from(code(1)), WEIGHT_BITS - fp8::CODE_BITS);
    }
    let off = WeightBlock::off(b);
    for half in 0..2 {
        let block = pair.get(half).unwrap_or(&off);
        bits.push(u128::from(block.r[n] as u8), 8);
        bits.push(u128::from(block.l[n] as u8), 8);
    }
    bits.words
}

/// Every write that loads a program, in order.
pub fn writes(program: &Program) -> Result<Vec<Write>, IsaError> {
    let config = &program.config;
    let width = data_width(config);
    let word = |space, core, addr: usize, value: u128| {
        let mut bits = Bits::new(width);
        bits.push(value, 128);
        Write {
            space,
            core,
            row: 0,
            addr: addr as u32,
            data: bits.words,
        }
    };
    let mut out = Vec::new();
    for (core, image) in (0u32..).zip(&program.cores) {
        for (addr, block) in image.weights.iter().enumerate() {
            for n in 0..block.size() {
                out.push(Write {
                    space: Space::Weights,
                    core,
                    row: n as u32,
                    addr: addr as u32,
                    data: row_record(block, n, width),
                });
            }
        }
        for (addr, pair) in (image.weights.len()..).zip(image.fp8.chunks(2)) {
            for n in 0..pair[0].size() {
                out.push(Write {
                    space: Space::Weights,
                    core,
                    row: n as u32,
                    addr: addr as u32,
                    data: fp8_row_record(pair, n, width),
                });
            }
        }
        for (addr, (m, v)) in image.matrix.iter().zip(&image.vector).enumerate() {
            let mut bits = Bits::new(width);
            bits.push(m.pack()?, MatrixWord::WIDTH);
            bits.push(v.pack()?, VectorWord::WIDTH);
            out.push(Write {
                space: Space::Instructions,
                core,
                row: 0,
                addr: addr as u32,
                data: bits.words,
            });
        }
        for (addr, block) in image.constants.iter().enumerate() {
            let mut bits = Bits::new(width);
            for &u in block {
                bits.push(u128::from(u), 32);
            }
            out.push(Write {
                space: Space::Constants,
                core,
                row: 0,
                addr: addr as u32,
                data: bits.words,
            });
        }
        for (addr, &(lo, hi)) in image.clamps.iter().enumerate() {
            out.push(word(
                Space::Clamps,
                core,
                addr,
                u128::from(lo) | u128::from(hi) << 32,
            ));
        }
    }
    for (addr, control) in program.control.iter().enumerate() {
        out.push(word(Space::Control, 0, addr, control.pack()?));
    }
    for (addr, model) in program.models.iter().enumerate() {
        out.push(word(Space::Models, 0, addr, model.record().pack()?));
    }
    out.push(word(Space::NumModels, 0, 0, program.models.len() as u128));
    Ok(out)
}

/// Reads a row record back (tests and tools).
pub fn parse_row_record(words: &[u32], b: usize) -> (Vec<i32>, i8, i8) {
    let bit = |i: usize| words[i / 32] >> (i % 32) & 1;
    let field = |lsb: usize, width: usize| (0..width).fold(0u32, |v, i| v | bit(lsb + i) << i);
    let m = (0..b)
        .map(|k| (field(17 * k, 17) << 15) as i32 >> 15)
        .collect();
    (
        m,
        field(17 * b, 8) as u8 as i8,
        field(17 * b + 8, 8) as u8 as i8,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_is_that_of_zlib() {
        // zlib.crc32(b"12345678") and of the empty string.
        let words = [b"1234", b"5678"].map(|b| u32::from_le_bytes(*b));
        assert_eq!(crc32(&words), 0x9AE0_DAAF);
        assert_eq!(crc32(&[]), 0);
        assert_eq!(crc32_from(crc32(&words[..1]), &words[1..]), crc32(&words));
    }

    #[test]
    fn words_fold_as_one_after_the_other() {
        let apply = |rows: &[u32; 32], state: u32| {
            (0..32).fold(0, |r, i| r | ((rows[i] & state).count_ones() & 1) << i)
        };
        let words = [0x1234_5678, 0, 0xFFFF_FFFF, 7, 0x8000_0000];
        let state = 0x0BAD_CAFE;
        let folded = (0..5).fold(apply(&crc_advance(5), state), |r, k| {
            r ^ apply(&crc_advance(5 - k as u32), words[k])
        });
        assert_eq!(!folded, crc32_from(!state, &words));
        let flipped = [0x1234_5678, 0, 0xFFFF_FFFF, 6, 0x8000_0000];
        assert_ne!(!folded, crc32_from(!state, &flipped));
    }

    #[test]
    fn no_space_needs_more_than_the_port_has() {
        for name in crate::presets::names() {
            let c = crate::presets::preset(name).unwrap();
            for (space, _) in SPACES {
                assert!(
                    space_words(&c, *space) <= load_words(&c),
                    "{name} {space:?}"
                );
                assert!(space_depth(&c, *space) <= 1 << 16, "{name} {space:?}");
            }
        }
    }
}
