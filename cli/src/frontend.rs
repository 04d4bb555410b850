//! Model files to graphs, by extension.
//!
//! | extension | form |
//! |-----------|------|
//! | `.nnir` | text form of the compiler's graph |
//! | `.onnx` | ONNX |
//!
//! **Errors.** [`CliError::UnknownModelFormat`], [`CliError::Io`], and the compiler's own with the file's name in front.

use std::path::Path;

use sluice_compiler::nnir::Graph;
use sluice_compiler::onnx;

use crate::error::{CliError, Result};

const KNOWN: &str = ".nnir and .onnx";

/// Reads a model; `shapes` replaces the shapes of its inputs, for formats that leave them open.
pub fn load(path: &Path, shapes: &[Vec<usize>]) -> Result<Graph> {
    let blame = |source| CliError::Model {
        path: path.to_owned(),
        source,
    };
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("nnir") if !shapes.is_empty() => Err(CliError::Usage(format!(
            "--input-shape is for .onnx models; {} states its shapes itself",
            path.display()
        ))),
        Some("nnir") => {
            let text = std::fs::read_to_string(path).map_err(|e| CliError::io("read", path, &e))?;
            text.parse().map_err(blame)
        }
        Some("onnx") => {
            // So that a file that is not there says so in the same words, whatever its kind.
            std::fs::File::open(path).map_err(|e| CliError::io("read", path, &e))?;
            onnx::load(path, shapes).map_err(blame)
        }
        found => Err(CliError::UnknownModelFormat {
            path: path.to_owned(),
            found: found.map_or_else(
                || "a file without extension".to_owned(),
                |e| format!(".{e}"),
            ),
            known: KNOWN,
        }),
    }
}
