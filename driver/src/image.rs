//! Load images: a program as the words its loader writes (layout: `isa/src/load_image.rs`).
//!
//! | part | words |
//! |------|-------|
//! | header | magic, version, configuration hash (2), program checksum, words of runs, CRC-32 of runs |
//! | run | load address, load words, window words of each, then those words |
//!
//! **Contract.** [`LoadImage::parse`] trusts nothing: length, CRC-32 and the shape of every run. What it returns borrows the bytes.
//! **Errors.** [`Error::Corrupt`], [`Error::ImageVersion`].

use core::convert::Infallible;

use crate::error::Error;
use crate::map;

/// A checked load image.
#[derive(Debug, Clone, Copy)]
pub struct LoadImage<'a> {
    config_hash: u64,
    checksum: u32,
    runs: Words<'a>,
}

/// Little-endian words in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a>(&'a [[u8; 4]]);

impl<'a> Words<'a> {
    /// Number of words.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// There are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.0.iter().map(|b| u32::from_le_bytes(*b))
    }

    fn take(&mut self, count: usize) -> Option<Self> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(Self(taken))
    }

    fn next(&mut self) -> Option<u32> {
        self.take(1)?.iter().next()
    }
}

/// Load words at addresses that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Value of `load_address` for the first.
    pub address: u32,
    /// Window words of each load word.
    pub width: usize,
    /// The window words.
    pub words: Words<'a>,
}

/// CRC-32 as zlib computes it, of little-endian words.
fn crc32(words: Words<'_>) -> u32 {
    let mut state = u32::MAX;
    for word in words.iter() {
        state ^= word;
        for _ in 0..32 {
            state = (state >> 1) ^ if state & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !state
}

impl<'a> LoadImage<'a> {
    /// Checks the bytes of an image.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error<Infallible>> {
        let (words, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(Error::Corrupt("its length is not a multiple of 4"));
        }
        let mut words = Words(words);
        let mut header = [0; map::IMAGE_HEADER_WORDS as usize];
        for h in &mut header {
            *h = words
                .next()
                .ok_or(Error::Corrupt("shorter than its header"))?;
        }
        let [magic, version, hash_low, hash_high, checksum, length, crc] = header;
        if magic != map::IMAGE_MAGIC {
            return Err(Error::Corrupt("not a load image"));
        }
        if version != map::IMAGE_VERSION {
            return Err(Error::ImageVersion { found: version });
        }
        if usize::try_from(length) != Ok(words.len()) {
            return Err(Error::Corrupt("its length is not what the header says"));
        }
        if crc32(words) != crc {
            return Err(Error::Corrupt(
                "altered or damaged: its CRC-32 does not match",
            ));
        }
        let mut rest = words;
        while !rest.is_empty() {
            next_run(&mut rest).ok_or(Error::Corrupt("a run is cut off"))?;
        }
        Ok(Self {
            config_hash: u64::from(hash_high) << 32 | u64::from(hash_low),
            checksum,
            runs: words,
        })
    }

    /// The configuration the program is for.
    pub const fn config_hash(&self) -> u64 {
        self.config_hash
    }

    /// What the accelerator's checksum has to be.
    pub const fn checksum(&self) -> u32 {
        self.checksum
    }

    /// The runs in order.
    pub fn runs(&self) -> impl Iterator<Item = Run<'a>> + use<'a> {
        let mut rest = self.runs;
        core::iter::from_fn(move || next_run(&mut rest))
    }
}

fn next_run<'a>(rest: &mut Words<'a>) -> Option<Run<'a>> {
    let address = rest.next()?;
    let count = usize::try_from(rest.next()?).ok()?;
    let width = usize::try_from(rest.next()?).ok()?;
    if width == 0 || width > map::LOAD_WINDOW_WORDS as usize {
        return None;
    }
    let words = rest.take(count.checked_mul(width)?)?;
    Some(Run {
        address,
        width,
        words,
    })
}
