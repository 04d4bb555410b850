//! Program files: what the compiler writes, checked and loaded.
//!
//! **Contract.** [`image_bytes`] takes the bytes of a program file or of a load image and returns those of a load image.
//! **Errors.** [`ProgramError`].

use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;

use sluice_isa::{IsaError, Program, load_image};
use thiserror::Error;

use crate::bus::{Bus, LoadStream};
use crate::device::{Device, Loaded, without_bus};
use crate::error::Error;
use crate::image::LoadImage;
use crate::map;

/// Why a program file could not be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramError<E> {
    /// The file cannot be read.
    #[error("[SL-D020] {path}: {why}")]
    Io {
        /// Path.
        path: String,
        /// Operating system's message.
        why: String,
    },
    /// The file is no program, or a damaged one.
    #[error(transparent)]
    Program(#[from] IsaError),
    /// The accelerator or its bus.
    #[error("{0}")]
    Device(Error<E>),
}

impl<E> ProgramError<E> {
    /// Stable error code, e.g. `SL-D020`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "SL-D020",
            Self::Program(e) => e.code(),
            Self::Device(e) => e.code(),
        }
    }
}

/// The load image of a file's bytes.
pub fn image_bytes(file: &[u8]) -> Result<Vec<u8>, IsaError> {
    if file.starts_with(&map::IMAGE_MAGIC.to_le_bytes()) {
        return Ok(file.to_vec());
    }
    let program = Program::from_bytes(file)?;
    Ok(load_image::to_bytes(&load_image::load_image(&program)?))
}

impl<B: Bus> Device<B> {
    /// [`Device::load`] for a program file or a load image.
    pub fn load_file(&mut self, path: &Path) -> Result<Loaded, ProgramError<B::Error>> {
        let file = std::fs::read(path).map_err(|e| ProgramError::Io {
            path: path.display().to_string(),
            why: e.to_string(),
        })?;
        self.load_program(&file)
    }

    /// [`Device::load_streamed`] for the bytes of a program file or of a load image.
    pub fn load_program_streamed<const N: usize, S: LoadStream<N, Error = B::Error>>(
        &mut self,
        file: &[u8],
        stream: &mut S,
    ) -> Result<Loaded, ProgramError<B::Error>> {
        let bytes = image_bytes(file)?;
        let image = LoadImage::parse(&bytes)
            .map_err(without_bus)
            .map_err(ProgramError::Device)?;
        self.load_streamed(&image, stream)
            .map_err(ProgramError::Device)
    }

    /// [`Device::load_file`] for the bytes of the file.
    pub fn load_program(&mut self, file: &[u8]) -> Result<Loaded, ProgramError<B::Error>> {
        let image = image_bytes(file)?;
        self.load_bytes(&image).map_err(ProgramError::Device)
    }
}
