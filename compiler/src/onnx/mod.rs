//! ONNX: a network from a file, layer by layer into NNIR.
//!
//! | part         | what it does                                                       |
//! |--------------|--------------------------------------------------------------------|
//! | `proto`      | the file format, generated (`tools/onnx`)                          |
//! | `structure`  | operator set, names, order of computation                          |
//! | `signature`  | shapes of the inputs, and what the file says about other shapes    |
//! | `tensors`    | initializers: raw bytes, typed lists, external files               |
//! | `importer`   | one layer after the other, collecting what is not supported        |
//! | `subgraph`   | the graph inside a layer, as the body of a scan                    |
//! | [`operators`]| the table of operators; `docs/operators.md` is written from it     |
//! | `ops`        | one function per operator                                          |
//!
//! **Contract.** Float32 networks of operator sets 11 to 28. Layers keep their ONNX name, or that of their first output.
//! What NNIR computes is what ONNX defines, to the rounding of single operations. Any bytes give a graph or an error.
//! **Errors.** `OnnxFile`, `OnnxInvalid`, `Duplicate`, `Opset`, `DynamicShape`, `ExternalData`, `Cycle`, `Dangling`, `Arguments` for
//! given shapes that do not fit, those of building a graph; `UnsupportedOps` once, for everything that is in the way.
//! **Source.** ONNX IR specification and operator schemas (Apache-2.0), as of onnx 1.23.

mod importer;
pub mod operators;
mod ops;
#[expect(
    clippy::all,
    clippy::pedantic,
    reason = "generated"
)]
#[rustfmt::skip]
mod proto;
mod signature;
mod structure;
mod subgraph;
mod tensors;

use std::path::Path;

use prost::Message as _;

use crate::error::{CompileError, Result};
use crate::nnir::Graph;

/// Reads a model; external data is looked for next to the file.
///
/// `overrides` gives the shape of every input in order, or is empty when the file has them all.
pub fn load(path: &Path, overrides: &[Vec<usize>]) -> Result<Graph> {
    let bytes = std::fs::read(path).map_err(|error| CompileError::OnnxFile {
        file: path.display().to_string(),
        problem: error.to_string(),
    })?;
    let name = path.file_stem().map_or_else(
        || "model".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    // `parent` of a bare file name is the empty path, which stands for the current folder.
    let folder = path.parent().map(|parent| {
        if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        }
    });
    parse(&bytes, &name, folder, overrides)
}

/// Reads a model from memory; `name` is used when it has none, `folder` is where external data lies, if anywhere.
pub fn parse(
    bytes: &[u8],
    name: &str,
    folder: Option<&Path>,
    overrides: &[Vec<usize>],
) -> Result<Graph> {
    let broken = |problem: String| CompileError::OnnxFile {
        file: name.to_owned(),
        problem,
    };
    let mut model = proto::ModelProto::decode(bytes)
        .map_err(|error| broken(format!("is not an ONNX model: {error}")))?;
    let mut graph = model
        .graph
        .take()
        .ok_or_else(|| broken("has no graph".to_owned()))?;
    let graph_name = match graph.name() {
        "" => name.to_owned(),
        own => own.to_owned(),
    };
    let opset = structure::check_opset(&graph_name, &model.opset_import)?;
    structure::check_names(&graph_name, &graph)?;
    let initializers = std::mem::take(&mut graph.initializer);
    let roots: Vec<&str> = graph
        .output
        .iter()
        .map(proto::ValueInfoProto::name)
        .collect();
    let scope = structure::Scope::default();
    let layers = structure::layers(&graph_name, &graph, &initializers, &scope, &roots)?;
    let signature = signature::Signature::new(&graph_name, &graph, &initializers, overrides)?;
    importer::import(
        &graph_name,
        opset,
        &graph,
        initializers,
        &layers,
        &signature,
        folder,
    )
}
