//! Load image: a program as the words a loader writes to the configuration bus, for drivers that know nothing of programs.
//!
//! | word | holds |
//! |------|-------|
//! | 0 | [`MAGIC`] |
//! | 1 | [`FORMAT_VERSION`] |
//! | 2, 3 | configuration hash, low word first |
//! | 4 | CRC-32 the accelerator has to arrive at: [`crate::load::checksum`] |
//! | 5 | words of all runs |
//! | 6 | CRC-32 of the words of all runs |
//! | from [`HEADER_WORDS`] | runs: load address, load words `n`, window words of each `w`, then `n * w` words |
//!
//! **Contract.** 32-bit words, little-endian in a file. A run is what one write of `load_address` covers: the address advances by itself.
//! Same program, same bytes. The driver (crate `sluice-driver`) reads this form without allocating.
//! **Errors.** Packing errors of the words.

use crate::config::HardwareConfig;
use crate::error::IsaError;
use crate::load::{Space, Write, address_word, checksum, crc32, space_words, writes};
use crate::program::Program;
use crate::registers::config_hash;

/// `SLLI`, first word of an image.
pub const MAGIC: u32 = 0x494C_4C53;
/// Version of the form.
pub const FORMAT_VERSION: u32 = 1;
/// Words before the first run.
pub const HEADER_WORDS: u32 = 7;

/// The image of a program.
pub fn load_image(program: &Program) -> Result<Vec<u32>, IsaError> {
    let all = writes(program)?;
    Ok(image_of(program, &all))
}

/// The image of words that need not be a valid program (tests corrupt one).
pub fn image_of(program: &Program, writes: &[Write]) -> Vec<u32> {
    let config = &program.config;
    let mut runs: Vec<u32> = Vec::new();
    let mut count_at = 0;
    let mut next = None;
    for w in writes {
        let words = space_words(config, w.space) as usize;
        let here = address_word(w);
        if next == Some(here) {
            runs[count_at] += 1;
        } else {
            runs.push(here);
            count_at = runs.len();
            runs.extend([1, words as u32]);
        }
        runs.extend(&w.data[..words]);
        next = Some(address_word(&following(w, config.block_size)));
    }
    let hash = config_hash(config);
    let mut image = vec![
        MAGIC,
        FORMAT_VERSION,
        hash as u32,
        (hash >> 32) as u32,
        checksum(config, writes),
        runs.len() as u32,
        crc32(&runs),
    ];
    image.extend(runs);
    image
}

/// Where the load address goes after a load word.
fn following(w: &Write, block_size: u32) -> Write {
    let mut next = Write {
        data: Vec::new(),
        ..w.clone()
    };
    if w.space == Space::Weights && w.row + 1 < block_size {
        next.row += 1;
    } else {
        next.row = 0;
        next.addr = (w.addr + 1) & 0xFFFF;
    }
    next
}

/// One beat of the load stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamBeat {
    /// Words, lowest first, zeros where a load word ends before the beat.
    pub words: Vec<u32>,
    /// `tlast`.
    pub last: bool,
}

/// Load words as packets for a load stream with beats of `beat_words` words: a packet for each run, its load address first.
pub fn stream_packets(
    config: &HardwareConfig,
    writes: &[Write],
    beat_words: u32,
) -> Vec<StreamBeat> {
    let beat = |words: &[u32]| {
        let mut words = words.to_vec();
        words.resize(beat_words as usize, 0);
        StreamBeat { words, last: false }
    };
    let mut beats: Vec<StreamBeat> = Vec::new();
    let mut next = None;
    for w in writes {
        let here = address_word(w);
        if next != Some(here) {
            if let Some(end) = beats.last_mut() {
                end.last = true;
            }
            beats.push(beat(&[here]));
        }
        let words = &w.data[..space_words(config, w.space) as usize];
        beats.extend(words.chunks(beat_words as usize).map(beat));
        next = Some(address_word(&following(w, config.block_size)));
    }
    if let Some(end) = beats.last_mut() {
        end.last = true;
    }
    beats
}

/// The image as the bytes of a file.
pub fn to_bytes(image: &[u32]) -> Vec<u8> {
    image.iter().flat_map(|w| w.to_le_bytes()).collect()
}
