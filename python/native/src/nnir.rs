//! `NNIR`: a network as a graph, and the number formats of its inputs and outputs.
//!
//! **Contract.** Immutable; transforms return new ones. `str` is for people, `to_text` parses back.
//! **Errors.** Those of the compiler as `ValueError`; `OSError` for a file that cannot be read.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sluice_compiler::nnir::{Constants, Graph};
use sluice_compiler::onnx;

use crate::config::Config;
use crate::errors::{compile, guard, os};
use crate::program::Program;
use crate::program_builder::ProgramBuilder;
use crate::{long, options};

/// Number format of a model's input or output.
#[pyclass(module = "vollo_compiler", eq, eq_int, frozen, hash)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberFormat {
    /// 16 bits, 8 significant.
    #[pyo3(name = "BF16")]
    Bf16,
    /// IEEE single precision.
    #[pyo3(name = "FP32")]
    Fp32,
}

impl From<sluice_isa::NumberFormat> for NumberFormat {
    fn from(format: sluice_isa::NumberFormat) -> Self {
        match format {
            sluice_isa::NumberFormat::Bf16 => Self::Bf16,
            sluice_isa::NumberFormat::Fp32 => Self::Fp32,
        }
    }
}

/// A neural network as a graph.
#[pyclass(name = "NNIR", module = "vollo_compiler", frozen)]
#[derive(Clone)]
pub struct Nnir {
    pub graph: Arc<Graph>,
    /// Where streamed axes stood; empty if not streamed.
    pub input_streaming: Vec<Option<usize>>,
    pub output_streaming: Vec<Option<usize>>,
    /// Layers whose meaning needs a step per inference; empty once streamed.
    pub stream_only: Vec<String>,
}

impl Nnir {
    pub fn new(graph: Graph) -> Self {
        Self {
            graph: Arc::new(graph),
            input_streaming: vec![],
            output_streaming: vec![],
            stream_only: vec![],
        }
    }
}

/// A sequence of shapes, or one shape for a model with one input.
fn shapes(value: Option<Bound<'_, PyAny>>) -> PyResult<Vec<Vec<usize>>> {
    let Some(value) = value else {
        return Ok(vec![]);
    };
    if let Ok(shape) = value.extract::<Vec<usize>>() {
        return Ok(if shape.is_empty() {
            vec![]
        } else {
            vec![shape]
        });
    }
    value.extract().map_err(|_| {
        PyTypeError::new_err(
            "override_input_shapes: expected None, one shape like (1, 64), or a list with one shape per input",
        )
    })
}

#[pymethods]
impl Nnir {
    /// Reads an ONNX file; shapes are given for all inputs or None.
    #[staticmethod]
    #[pyo3(signature = (onnx_path, override_input_shapes))]
    fn from_onnx(
        py: Python<'_>,
        onnx_path: PathBuf,
        override_input_shapes: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        guard(|| {
            let shapes = shapes(override_input_shapes)?;
            // So that a missing file is the exception Python has for it.
            std::fs::File::open(&onnx_path).map_err(|e| os(&onnx_path, &e))?;
            let what = format!("reading {}", onnx_path.display());
            long::run(py, &what, move || onnx::load(&onnx_path, &shapes))?
                .map(Self::new)
                .map_err(compile)
        })
    }

    /// Reads the text form that `to_text` writes.
    #[staticmethod]
    fn from_text(py: Python<'_>, text: &str) -> PyResult<Self> {
        guard(|| {
            py.detach(|| text.parse::<Graph>())
                .map(Self::new)
                .map_err(compile)
        })
    }

    /// The whole graph as text, constants included; parses back.
    fn to_text(&self, py: Python<'_>) -> PyResult<String> {
        guard(|| Ok(py.detach(|| self.graph.text(Constants::Full))))
    }

    /// Makes one time step one inference; also returns the axis each output had its time on.
    #[pyo3(signature = (streaming_axes))]
    fn streaming_transform<'py>(
        &self,
        py: Python<'py>,
        streaming_axes: Bound<'py, PyAny>,
    ) -> PyResult<(Self, Bound<'py, PyAny>)> {
        guard(|| {
            let given: Vec<isize> = match streaming_axes.extract::<isize>() {
                Ok(axis) if self.graph.inputs.len() == 1 => vec![axis],
                Ok(_) => {
                    return Err(PyValueError::new_err(format!(
                        "streaming_axes: the model has {} inputs; give one axis for each, as a list",
                        self.graph.inputs.len()
                    )));
                }
                Err(_) => streaming_axes.extract().map_err(|_| {
                    PyTypeError::new_err("streaming_axes: expected an int or a list of ints")
                })?,
            };
            if !self.input_streaming.is_empty() {
                return Err(PyValueError::new_err(
                    "this NNIR is streamed already; transform the original one",
                ));
            }
            let mut axes = vec![];
            for (i, &axis) in given.iter().enumerate() {
                let rank = self
                    .graph
                    .inputs
                    .get(i)
                    .map_or(0, |&id| self.graph.node(id).ty.shape.len());
                // Counted from the end, as NumPy does; what is out of range is refused by the transform.
                let axis = axis
                    .checked_add_unsigned(if axis < 0 { rank } else { 0 })
                    .and_then(|a| usize::try_from(a).ok());
                axes.push(axis.ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "streaming_axes: {} is not an axis of input {i}, which has {rank}",
                        given[i]
                    ))
                })?);
            }
            let (graph, outputs) = py
                .detach(|| self.graph.streaming_transform(&axes))
                .map_err(compile)?;
            let streamed = Self {
                graph: Arc::new(graph),
                input_streaming: axes.into_iter().map(Some).collect(),
                output_streaming: outputs.iter().copied().map(Some).collect(),
                stream_only: vec![],
            };
            let axes = match outputs.as_slice() {
                [only] => only.into_bound_py_any(py)?,
                all => PyTuple::new(py, all)?.into_any(),
            };
            Ok((streamed, axes))
        })
    }

    /// Compiles the graph as the only model of a program.
    #[pyo3(signature = (
        config, name=None, *, optimize_transforms=true, allow_dynamic_weights=false, allow_mixed_precision_fusion=true,
        max_sparse_entries=512, quick_compile=false, output_buffer_capacity=64, write_queue_capacity=32,
        random_seeds=vec![0], allow_unserializable=false, generate_state_reset=false,
        stateful_accumulators_in_tensor_ram=false
    ))]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "the public signature"
    )]
    fn to_program(
        &self,
        py: Python<'_>,
        config: &Config,
        name: Option<String>,
        optimize_transforms: bool,
        allow_dynamic_weights: bool,
        allow_mixed_precision_fusion: bool,
        max_sparse_entries: i64,
        quick_compile: bool,
        output_buffer_capacity: i64,
        write_queue_capacity: i64,
        random_seeds: Vec<i64>,
        allow_unserializable: bool,
        generate_state_reset: bool,
        stateful_accumulators_in_tensor_ram: bool,
    ) -> PyResult<Program> {
        // Options without effect here, see docs/python.md.
        let _ = (
            optimize_transforms,
            allow_dynamic_weights,
            allow_mixed_precision_fusion,
            quick_compile,
            allow_unserializable,
            stateful_accumulators_in_tensor_ram,
        );
        guard(|| {
            options::validate(
                max_sparse_entries,
                output_buffer_capacity,
                write_queue_capacity,
                &random_seeds,
            )?;
            let mut builder = ProgramBuilder::of(config)?;
            builder.add(py, self, name, None, generate_state_reset)?;
            builder.build(py)
        })
    }

    fn __str__(&self) -> PyResult<String> {
        guard(|| Ok(self.graph.text(Constants::Summary)))
    }

    fn __repr__(&self) -> PyResult<String> {
        guard(|| {
            let g = &self.graph;
            let shapes = |ids: &[sluice_compiler::nnir::NodeId]| {
                let all: Vec<_> = ids
                    .iter()
                    .map(|&id| format!("{:?}", g.node(id).ty.shape))
                    .collect();
                all.join(", ")
            };
            Ok(format!(
                "<NNIR '{}': {} nodes, {} -> {}>",
                g.name,
                g.len(),
                shapes(&g.inputs),
                shapes(&g.outputs)
            ))
        })
    }
}
