//! `.npy` files: `f32` arrays in and out.
//!
//! | value | type | order |
//! |-------|------|-------|
//! | in the file | `float32`, any byte order | C or Fortran |
//! | [`Array`] | `f32` | row-major |
//!
//! **Contract.** What [`write()`] writes, [`read`] reads back bit for bit. A header that promises more than the file holds is refused
//! before anything is allocated.
//! **Errors.** [`CliError::Io`] and [`CliError::Array`], naming the file.

use std::io::Write as _;
use std::path::Path;

use npyz::WriterBuilder as _;

use crate::error::{CliError, Result};

/// A dense array.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Extents, outermost first.
    pub shape: Vec<usize>,
    /// Values, last axis fastest.
    pub data: Vec<f32>,
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Array> {
    let bytes = std::fs::read(path).map_err(|e| CliError::io("read", path, &e))?;
    parse(&bytes).map_err(|problem| CliError::Array {
        path: path.to_owned(),
        problem,
    })
}

fn parse(bytes: &[u8]) -> Result<Array, String> {
    check_header(bytes)?;
    let file = npyz::NpyFile::new(bytes).map_err(|e| {
        format!("not a .npy file ({e}); write it with `numpy.save(path, x.astype(\"float32\"))`")
    })?;
    let dtype = file.dtype().descr();
    if !matches!(dtype.trim_matches('\''), "<f4" | ">f4" | "=f4") {
        return Err(format!(
            "values are {dtype}, but float32 (<f4) is needed; convert with `x.astype(\"float32\")`"
        ));
    }
    let too_long = || {
        format!(
            "the header promises shape {:?}, the file holds {} bytes; it is cut short",
            file.shape(),
            bytes.len()
        )
    };
    let shape = file
        .shape()
        .iter()
        .map(|&d| usize::try_from(d).ok())
        .collect::<Option<Vec<usize>>>()
        .ok_or_else(too_long)?;
    let count = shape
        .iter()
        .try_fold(4usize, |n, &d| n.checked_mul(d))
        .filter(|&n| n <= bytes.len())
        .ok_or_else(too_long)?
        / 4;
    let fortran = file.order() == npyz::Order::Fortran;
    let data = file.into_vec::<f32>().map_err(|e| e.to_string())?;
    if data.len() != count {
        return Err(format!(
            "it holds {} values of {count}; it is cut short",
            data.len()
        ));
    }
    let data = if fortran {
        row_major(&shape, &data)
    } else {
        data
    };
    Ok(Array { shape, data })
}

/// The reader multiplies the extents unchecked: refuses headers whose product does not fit the file.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    let length = |at: usize, n: usize| {
        let field = bytes.get(at..at + n)?;
        Some(field.iter().rev().fold(0, |v, &b| v << 8 | usize::from(b)))
    };
    let header = match bytes.get(6) {
        Some(1) => length(8, 2).and_then(|n| bytes.get(10..10 + n)),
        _ => length(8, 4).and_then(|n| bytes.get(12..12 + n)),
    };
    // What is no header at all is left to the reader.
    let header = String::from_utf8_lossy(header.unwrap_or_default());
    for group in header.split(['(', '[']).skip(1) {
        let extents = group.split([')', ']']).next().unwrap_or_default();
        let product = extents
            .split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .try_fold(1usize, |n, t| {
                n.checked_mul(t.parse::<usize>().ok()?.max(1))
            });
        if product.is_none() {
            return Err(format!(
                "the header promises shape ({extents}), which no file holds; it is damaged"
            ));
        }
    }
    Ok(())
}

/// Column-major to row-major.
fn row_major(shape: &[usize], data: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..data.len() {
        let at = index
            .iter()
            .zip(shape)
            .rev()
            .fold(0, |at, (&i, &d)| at * d + i);
        out.push(data[at]);
        for (i, &d) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < d {
                break;
            }
            *i = 0;
        }
    }
    out
}

/// Writes a file.
pub fn write(path: &Path, array: &Array) -> Result<()> {
    let bytes = to_bytes(array).map_err(|e| CliError::io("write", path, &e))?;
    let mut file = std::fs::File::create(path).map_err(|e| CliError::io("write", path, &e))?;
    file.write_all(&bytes)
        .map_err(|e| CliError::io("write", path, &e))
}

fn to_bytes(array: &Array) -> std::io::Result<Vec<u8>> {
    let shape: Vec<u64> = array.shape.iter().map(|&d| d as u64).collect();
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut bytes)
        .begin_nd()?;
    writer.extend(array.data.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Array {
        Array {
            shape: vec![2, 3],
            data: vec![0.0, -1.5, f32::MIN_POSITIVE, f32::INFINITY, 1e-40, 7.0],
        }
    }

    /// Version 1 file from its parts.
    fn raw(header: &str, data: &[u8]) -> Vec<u8> {
        let mut header = header.to_owned();
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn round_trip_and_a_flipped_bit() {
        let mut bytes = to_bytes(&sample()).unwrap();
        assert_eq!(parse(&bytes).unwrap(), sample());
        *bytes.last_mut().unwrap() ^= 1;
        assert_ne!(parse(&bytes).unwrap(), sample());
    }

    #[test]
    fn other_orders() {
        let values: Vec<u8> = [0f32, 3.0, 1.0, 4.0, 2.0, 5.0]
            .iter()
            .flat_map(|v| v.to_be_bytes())
            .collect();
        let bytes = raw(
            "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }",
            &values,
        );
        assert_eq!(parse(&bytes).unwrap().data, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn bad_files_are_refused() {
        let text = |bytes: &[u8]| parse(bytes).unwrap_err();
        assert!(text(b"hello").contains("not a .npy file"));
        let double = raw(
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }",
            &[0; 8],
        );
        assert!(text(&double).contains("float32"), "{}", text(&double));
        let huge = raw(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9), }",
            &[0; 8],
        );
        assert!(text(&huge).contains("damaged"), "{}", text(&huge));
        let long = raw(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (300,), }",
            &[0; 8],
        );
        assert!(text(&long).contains("cut short"), "{}", text(&long));
        let mut short = to_bytes(&sample()).unwrap();
        short.truncate(short.len() - 1);
        assert!(parse(&short).is_err());
        let mut garbled = to_bytes(&sample()).unwrap();
        for at in 0..garbled.len() {
            garbled[at] ^= 0x55;
            let _ = parse(&garbled);
            garbled[at] ^= 0x55;
        }
    }
}
