//! Memory images: a program as `$readmemh` files, for a bitstream that wakes up with it.
//!
//! | file | memory | word |
//! |------|--------|------|
//! | `coreN_instructions.hex` | instruction store of core N | matrix word, vector word |
//! | `coreN_weights_rowR.hex` | row store R | B mantissas of 17 bits |
//! | `coreN_scales.hex` | scale store | per row 16 bits, `{L, R}`; with FP8 weights 32, `{L, R}` of the second block above those of the first |
//! | `coreN_constants.hex` | constant store | B fp32 |
//! | `coreN_clamps.hex` | clamp store | `{hi, lo}` |
//! | `control.hex`, `models.hex`, `num_models.hex` | dispatcher | |
//!
//! **Contract.** Bit for bit the words [`sluice_isa::load::writes`] sends through the load port, from address 0 on, as many as the
//! program has; a store the program leaves empty gets one zero word. Names match the RTL's `InitDir` and `InitPrefix`.
//! **Errors.** [`HdlError::Isa`] for a program that breaks its own rules, [`HdlError::Io`].

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sluice_isa::lbfp::WEIGHT_BITS;
use sluice_isa::load::{Space, Write, instruction_width, scale_width, writes};
use sluice_isa::words::{ControlWord, ModelRecord};
use sluice_isa::{HardwareConfig, Program};

use crate::error::HdlError;
use crate::generator::{io_error, write_if_new};

/// A word under construction, bit 0 first.
#[derive(Clone)]
struct Word(Vec<bool>);

impl Word {
    fn zero(width: u32) -> Self {
        Self(vec![false; width as usize])
    }

    fn slice(data: &[u32], lsb: u32, width: u32) -> Self {
        Self(
            (lsb..lsb + width)
                .map(|i| data[(i / 32) as usize] >> (i % 32) & 1 == 1)
                .collect(),
        )
    }

    fn hex(&self) -> String {
        let digits: Vec<u32> = self
            .0
            .chunks(4)
            .map(|c| c.iter().rev().fold(0, |v, &bit| v << 1 | u32::from(bit)))
            .collect();
        digits
            .iter()
            .rev()
            .filter_map(|&d| char::from_digit(d, 16))
            .collect()
    }
}

struct Images {
    block: u32,
    /// Bits of a row in the scale store.
    scale: u32,
    files: BTreeMap<String, Vec<Word>>,
}

impl Images {
    /// Every memory of the configuration, with one zero word.
    fn new(config: &HardwareConfig) -> Self {
        let b = config.block_size;
        let mut images = Self {
            block: b,
            scale: scale_width(config),
            files: BTreeMap::new(),
        };
        for core in 0..config.num_cores {
            let mut file = |name: &str, width| {
                images.put(format!("core{core}_{name}.hex"), 0, Word::zero(width));
            };
            file("instructions", instruction_width());
            file("scales", scale_width(config) * b);
            file("constants", 32 * b);
            file("clamps", 64);
            for row in 0..b {
                file(&format!("weights_row{row}"), WEIGHT_BITS * b);
            }
        }
        images.put("control.hex".into(), 0, Word::zero(ControlWord::WIDTH));
        images.put("models.hex".into(), 0, Word::zero(ModelRecord::WIDTH));
        images.put("num_models.hex".into(), 0, Word::zero(16));
        images
    }

    fn put(&mut self, file: String, addr: usize, word: Word) {
        let words = self.files.entry(file).or_default();
        if words.len() <= addr {
            words.resize(
                addr + 1,
                Word::zero(u32::try_from(word.0.len()).unwrap_or(0)),
            );
        }
        words[addr] = word;
    }

    fn take(&mut self, w: &Write) {
        let addr = w.addr as usize;
        let whole = |width| Word::slice(&w.data, 0, width);
        let core = |name: &str| format!("core{}_{name}.hex", w.core);
        match w.space {
            Space::Weights => {
                let mantissas = WEIGHT_BITS * self.block;
                self.put(
                    core(&format!("weights_row{}", w.row)),
                    addr,
                    whole(mantissas),
                );
                let scales = self.files.entry(core("scales")).or_default();
                if scales.len() <= addr {
                    scales.resize(addr + 1, Word::zero(self.scale * self.block));
                }
                let (width, row) = (self.scale as usize, w.row as usize);
                scales[addr].0[width * row..width * (row + 1)]
                    .copy_from_slice(&Word::slice(&w.data, mantissas, self.scale).0);
            }
            Space::Instructions => self.put(core("instructions"), addr, whole(instruction_width())),
            Space::Constants => self.put(core("constants"), addr, whole(32 * self.block)),
            Space::Clamps => self.put(core("clamps"), addr, whole(64)),
            Space::Control => self.put("control.hex".into(), addr, whole(ControlWord::WIDTH)),
            Space::Models => self.put("models.hex".into(), addr, whole(ModelRecord::WIDTH)),
            Space::NumModels => self.put("num_models.hex".into(), addr, whole(16)),
        }
    }
}

/// The images as text, by file name.
pub fn texts(program: &Program) -> Result<BTreeMap<String, String>, HdlError> {
    program.validate()?;
    let mut images = Images::new(&program.config);
    for write in writes(program)? {
        images.take(&write);
    }
    Ok(images
        .files
        .into_iter()
        .map(|(name, words)| {
            let mut text = String::new();
            for word in words {
                let _ = writeln!(text, "{}", word.hex());
            }
            (name, text)
        })
        .collect())
}

/// Writes the images of a program into `dir`, which is created if need be; returns the file names.
pub fn images(program: &Program, dir: &Path) -> Result<Vec<String>, HdlError> {
    let texts = texts(program)?;
    fs::create_dir_all(dir).map_err(|e| io_error(dir, &e))?;
    for (name, text) in &texts {
        write_if_new(&dir.join(name), text)?;
    }
    Ok(texts.into_keys().collect())
}
