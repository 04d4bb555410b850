//! `ProgramBuilder`: several models in one program.
//!
//! **Contract.** Models are indexed in the order they were added; names are unique in a program. A model that is refused leaves the
//! builder as it was; an interrupted call uses it up. **Errors.** Those of the compiler; `ValueError` for a name given twice.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use sluice_compiler::backend::{self, ModelOptions};
use sluice_compiler::nnir::Graph;
use sluice_isa::HardwareConfig;

use crate::config::Config;
use crate::errors::{compile, guard};
use crate::nnir::Nnir;
use crate::program::Program;
use crate::{long, options};

/// Puts several models into one program.
#[pyclass(module = "vollo_compiler")]
pub struct ProgramBuilder {
    config: HardwareConfig,
    /// None while a call has it, and after one that was interrupted.
    builder: Option<backend::ProgramBuilder>,
    models: Vec<Model>,
}

struct Model {
    name: String,
    graph: Arc<Graph>,
}

impl ProgramBuilder {
    pub fn of(config: &Config) -> PyResult<Self> {
        Ok(Self {
            config: config.0.clone(),
            builder: Some(backend::ProgramBuilder::new(&config.0).map_err(compile)?),
            models: vec![],
        })
    }

    fn take(&mut self) -> PyResult<backend::ProgramBuilder> {
        self.builder.take().ok_or_else(|| {
            PyValueError::new_err(
                "an earlier call on this ProgramBuilder was interrupted; make a new one",
            )
        })
    }

    pub fn add(
        &mut self,
        py: Python<'_>,
        nnir: &Nnir,
        name: Option<String>,
        cores: Option<Vec<usize>>,
        resettable: bool,
    ) -> PyResult<usize> {
        let graph = Arc::clone(&nnir.graph);
        let name = name.unwrap_or_else(|| graph.name.clone());
        if self.models.iter().any(|m| m.name == name) {
            return Err(PyValueError::new_err(format!(
                "the program holds a model '{name}' already; tell them apart with name="
            )));
        }
        if !nnir.stream_only.is_empty() {
            return Err(PyValueError::new_err(format!(
                "model '{name}': {} keep state from step to step, and so from inference to inference only if an inference is one \
                 step; call streaming_transform on the time axis first",
                nnir.stream_only.join(", ")
            )));
        }
        let model = Model {
            name: name.clone(),
            graph: Arc::clone(&graph),
        };
        let options = ModelOptions {
            name: Some(name.clone()),
            cores,
            input_streaming_dims: nnir.input_streaming.clone(),
            output_streaming_dims: nnir.output_streaming.clone(),
            resettable,
        };
        let mut builder = self.take()?;
        let (builder, index) = long::run(py, &format!("compiling {name}"), move || {
            let index = builder.add(&graph, &options);
            (builder, index)
        })?;
        self.builder = Some(builder);
        let index = index.map_err(compile)?;
        self.models.push(model);
        Ok(index)
    }

    pub fn build(&mut self, py: Python<'_>) -> PyResult<Program> {
        let builder = self.take()?;
        let (builder, program) = long::run(py, "allocating", move || {
            let program = builder.build();
            (builder, program)
        })?;
        self.builder = Some(builder);
        let graphs = self.models.iter().map(|m| Arc::clone(&m.graph)).collect();
        Ok(Program::new(program.map_err(compile)?, Some(graphs)))
    }
}

#[pymethods]
impl ProgramBuilder {
    #[new]
    #[pyo3(signature = (config, remember_allocations=false))]
    fn new(config: &Config, remember_allocations: bool) -> PyResult<Self> {
        // Allocation does not depend on what was allocated before, see docs/python.md.
        let _ = remember_allocations;
        guard(|| Self::of(config))
    }

    /// Compiles a model and adds it to the program; returns its index.
    #[pyo3(signature = (
        nnir, name=None, *, optimize_transforms=true, allow_dynamic_weights=false, allow_mixed_precision_fusion=true,
        max_sparse_entries=512, quick_compile=false, output_buffer_capacity=64, write_queue_capacity=32,
        random_seeds=vec![0], allow_unserializable=false, generate_state_reset=false,
        stateful_accumulators_in_tensor_ram=false, core_indices=None
    ))]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        reason = "the public signature"
    )]
    fn add_nnir(
        &mut self,
        py: Python<'_>,
        nnir: &Nnir,
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
        core_indices: Option<Vec<usize>>,
    ) -> PyResult<usize> {
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
            self.add(py, nnir, name, core_indices, generate_state_reset)
        })
    }

    /// The program of all models added so far.
    #[expect(
        clippy::wrong_self_convention,
        reason = "Python's name; the builder works on a thread meanwhile"
    )]
    fn to_program(&mut self, py: Python<'_>) -> PyResult<Program> {
        guard(|| self.build(py))
    }

    fn __repr__(&self) -> String {
        let names: Vec<_> = self.models.iter().map(|m| m.name.as_str()).collect();
        format!(
            "<ProgramBuilder for {}: [{}]>",
            self.config.name,
            names.join(", ")
        )
    }
}
