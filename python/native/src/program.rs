//! `Program`: everything an accelerator needs for its models, and what is known about them.
//!
//! **Contract.** Immutable. Cycle counts are exact: the schedule's, which the VM and the RTL repeat cycle by cycle.
//! **Errors.** `IndexError` for models and tensors that do not exist, `SaveError`, `LoadError`, `ValueError`.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use sluice_compiler::nnir::Graph;
use sluice_hdl::{Generator, images};
use sluice_isa::{ModelInfo, Program as Image, TensorInfo};

use crate::config::Config;
use crate::errors::{LoadError, SaveError, guard, sim};
use crate::io_only::{self, Signature};
use crate::metrics::Metrics;
use crate::nnir::NumberFormat;
use crate::options::capacities;
use crate::rtl_sim::{Rtl, RtlSim};
use crate::session::{Engine, Session, model};
use crate::vm::Vm;

/// Models compiled for one configuration.
#[pyclass(module = "vollo_compiler", frozen)]
pub struct Program {
    image: Arc<Image>,
    /// The networks, for the float reference; not part of a program file.
    graphs: Option<Vec<Arc<Graph>>>,
}

impl Program {
    pub fn new(image: Image, graphs: Option<Vec<Arc<Graph>>>) -> Self {
        Self {
            image: Arc::new(image),
            graphs,
        }
    }

    fn model(&self, index: i64) -> PyResult<(usize, &ModelInfo)> {
        model(&self.image, index)
    }

    fn input(&self, model_index: i64, index: i64) -> PyResult<&TensorInfo> {
        let (_, m) = self.model(model_index)?;
        tensor(&m.inputs, index, "input", &m.name)
    }

    fn output(&self, model_index: i64, index: i64) -> PyResult<&TensorInfo> {
        let (_, m) = self.model(model_index)?;
        tensor(&m.outputs, index, "output", &m.name)
    }

    fn cycles(&self, model_index: i64, spaced: bool) -> PyResult<u32> {
        let (_, m) = self.model(model_index)?;
        Ok(if spaced {
            m.cycles_spaced
        } else {
            m.cycles_contiguous
        })
    }
}

fn tensor<'a>(
    tensors: &'a [TensorInfo],
    index: i64,
    kind: &str,
    model: &str,
) -> PyResult<&'a TensorInfo> {
    usize::try_from(index)
        .ok()
        .and_then(|i| tensors.get(i))
        .ok_or_else(|| {
            PyIndexError::new_err(format!(
                "model '{model}' has no {kind} {index}: it has {} (0 to {})",
                tensors.len(),
                tensors.len().saturating_sub(1)
            ))
        })
}

/// The clock to count in, MHz.
pub fn clock(image: &Image, given: Option<u32>) -> PyResult<u32> {
    match given {
        Some(0) => Err(PyValueError::new_err(
            "clock_mhz = 0, but it must be at least 1",
        )),
        Some(clock) => Ok(clock),
        None => Ok(image.config.clock_mhz),
    }
}

#[pymethods]
impl Program {
    /// Clock cycles of one inference, first input beat to last output beat, both inclusive.
    #[pyo3(signature = (write_queue_capacity=32, output_buffer_capacity=64, model_index=0, spaced=true))]
    fn cycle_count_per_inference(
        &self,
        write_queue_capacity: i64,
        output_buffer_capacity: i64,
        model_index: i64,
        spaced: bool,
    ) -> PyResult<u32> {
        guard(|| {
            capacities(write_queue_capacity, output_buffer_capacity)?;
            self.cycles(model_index, spaced)
        })
    }

    /// When things happen in an inference on its own, in cycles from the first input beat, and the figures of both kinds.
    #[pyo3(signature = (write_queue_capacity=32, output_buffer_capacity=64, model_index=0, spaced=true))]
    fn cycle_summary_per_inference<'py>(
        &self,
        py: Python<'py>,
        write_queue_capacity: i64,
        output_buffer_capacity: i64,
        model_index: i64,
        spaced: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        guard(|| {
            capacities(write_queue_capacity, output_buffer_capacity)?;
            let (index, m) = self.model(model_index)?;
            let zeros: Vec<_> = m
                .inputs
                .iter()
                .map(|t| vec![0_u16; t.num_words()])
                .collect();
            let cycles = py
                .detach(|| {
                    let mut vm = sluice_sim::Vm::new(Arc::clone(&self.image))?;
                    vm.machine().set_compute(false);
                    let zeros: Vec<&[u16]> = zeros.iter().map(Vec::as_slice).collect();
                    vm.run_words(index, &zeros)
                })
                .map_err(sim)?
                .cycles;
            let summary = PyDict::new(py);
            summary.set_item("first_input", 0)?;
            summary.set_item("last_input", cycles.last_input - cycles.first_input)?;
            summary.set_item("first_output", cycles.first_output - cycles.first_input)?;
            summary.set_item("last_output", cycles.last_output - cycles.first_input)?;
            summary.set_item("ticks", m.ticks)?;
            summary.set_item("cycles", self.cycles(model_index, spaced)?)?;
            summary.set_item("cycles_spaced", m.cycles_spaced)?;
            summary.set_item("cycles_contiguous", m.cycles_contiguous)?;
            Ok(summary)
        })
    }

    /// Microseconds of one inference, at the configuration's clock unless one is given.
    #[pyo3(signature = (
        clock_mhz=None, write_queue_capacity=32, output_buffer_capacity=64, model_index=0, spaced=true
    ))]
    fn compute_duration_per_inference_us(
        &self,
        clock_mhz: Option<u32>,
        write_queue_capacity: i64,
        output_buffer_capacity: i64,
        model_index: i64,
        spaced: bool,
    ) -> PyResult<f64> {
        guard(|| {
            capacities(write_queue_capacity, output_buffer_capacity)?;
            let cycles = self.cycles(model_index, spaced)?;
            Ok(f64::from(cycles) / f64::from(clock(&self.image, clock_mhz)?))
        })
    }

    /// The configuration the program is for.
    fn hw_config(&self) -> Config {
        Config(self.image.config.clone())
    }

    /// Resources the program takes.
    fn metrics(&self) -> PyResult<Metrics> {
        guard(|| Ok(Metrics::of(&self.image)))
    }

    /// Models in the program.
    fn num_models(&self) -> usize {
        self.image.models.len()
    }

    /// Name of a model.
    #[pyo3(signature = (model_index=0))]
    fn model_name(&self, model_index: i64) -> PyResult<&str> {
        Ok(&self.model(model_index)?.1.name)
    }

    /// Input tensors of a model.
    #[pyo3(signature = (model_index=0))]
    fn model_num_inputs(&self, model_index: i64) -> PyResult<usize> {
        Ok(self.model(model_index)?.1.inputs.len())
    }

    /// Output tensors of a model.
    #[pyo3(signature = (model_index=0))]
    fn model_num_outputs(&self, model_index: i64) -> PyResult<usize> {
        Ok(self.model(model_index)?.1.outputs.len())
    }

    /// Shape of an input, per inference.
    #[pyo3(signature = (model_index=0, input_index=0))]
    fn model_input_shape<'py>(
        &self,
        py: Python<'py>,
        model_index: i64,
        input_index: i64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.input(model_index, input_index)?.shape)
    }

    /// Shape of an output, per inference.
    #[pyo3(signature = (model_index=0, output_index=0))]
    fn model_output_shape<'py>(
        &self,
        py: Python<'py>,
        model_index: i64,
        output_index: i64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.output(model_index, output_index)?.shape)
    }

    /// Where the streamed axis of an input stood; None if it is not streamed.
    #[pyo3(signature = (model_index=0, input_index=0))]
    fn model_input_streaming_dim(
        &self,
        model_index: i64,
        input_index: i64,
    ) -> PyResult<Option<usize>> {
        Ok(self.input(model_index, input_index)?.streaming_dim)
    }

    /// Where the streamed axis of an output stood; None if it is not streamed.
    #[pyo3(signature = (model_index=0, output_index=0))]
    fn model_output_streaming_dim(
        &self,
        model_index: i64,
        output_index: i64,
    ) -> PyResult<Option<usize>> {
        Ok(self.output(model_index, output_index)?.streaming_dim)
    }

    /// Number format of an input on the stream.
    #[pyo3(signature = (model_index=0, input_index=0))]
    fn model_input_number_format(
        &self,
        model_index: i64,
        input_index: i64,
    ) -> PyResult<NumberFormat> {
        Ok(self.input(model_index, input_index)?.format.into())
    }

    /// Number format of an output on the stream.
    #[pyo3(signature = (model_index=0, output_index=0))]
    fn model_output_number_format(
        &self,
        model_index: i64,
        output_index: i64,
    ) -> PyResult<NumberFormat> {
        Ok(self.output(model_index, output_index)?.format.into())
    }

    /// Whether the model was compiled with `generate_state_reset=True`.
    #[pyo3(signature = (model_index=0))]
    fn model_is_resettable(&self, model_index: i64) -> PyResult<bool> {
        Ok(self.model(model_index)?.1.resettable)
    }

    /// Writes a program file.
    fn save(&self, py: Python<'_>, output_path: PathBuf) -> PyResult<()> {
        guard(|| {
            py.detach(|| self.image.save(&output_path))
                .map_err(|e| SaveError::new_err(e.to_string()))
        })
    }

    /// The program file in memory.
    fn save_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        guard(|| {
            let bytes = py
                .detach(|| self.image.to_bytes())
                .map_err(|e| SaveError::new_err(e.to_string()))?;
            Ok(PyBytes::new(py, &bytes))
        })
    }

    /// Reads a program file.
    #[staticmethod]
    fn load(py: Python<'_>, input_path: PathBuf) -> PyResult<Self> {
        guard(|| {
            py.detach(|| Image::load(&input_path))
                .map(|image| Self::new(image, None))
                .map_err(|e| LoadError::new_err(format!("{}: {e}", input_path.display())))
        })
    }

    /// Reads a program file from memory.
    #[staticmethod]
    fn load_bytes(data: &[u8]) -> PyResult<Self> {
        guard(|| {
            Image::from_bytes(data)
                .map(|image| Self::new(image, None))
                .map_err(|e| LoadError::new_err(e.to_string()))
        })
    }

    /// A simulator of the program, in its initial state.
    #[pyo3(signature = (write_queue_capacity=32, output_buffer_capacity=64, bit_accurate=true, no_compute=false))]
    fn to_vm(
        &self,
        write_queue_capacity: i64,
        output_buffer_capacity: i64,
        bit_accurate: bool,
        no_compute: bool,
    ) -> PyResult<Vm> {
        guard(|| {
            capacities(write_queue_capacity, output_buffer_capacity)?;
            let engine = if bit_accurate || no_compute {
                let mut vm = sluice_sim::Vm::new(Arc::clone(&self.image)).map_err(sim)?;
                vm.machine().set_compute(!no_compute);
                Engine::Vm(Box::new(vm))
            } else {
                let graphs = self.graphs.as_ref().ok_or_else(|| {
                    PyValueError::new_err(
                        "bit_accurate=False: a program that was loaded holds no network to compute in single precision; \
                         compile it in this process",
                    )
                })?;
                Engine::float(graphs)?
            };
            Ok(Vm(Session::new(Arc::clone(&self.image), engine)))
        })
    }

    /// The RTL of the program's configuration, Verilated, in its initial state; memories power up at random from `seed`.
    #[pyo3(signature = (seed=1))]
    fn to_rtl_sim(&self, py: Python<'_>, seed: u32) -> PyResult<RtlSim> {
        guard(|| {
            let engine = Engine::Rtl(Box::new(Rtl::new(py, &self.image, seed)?));
            Ok(RtlSim(Session::new(Arc::clone(&self.image), engine)))
        })
    }

    /// A program without compute that sends its output after all its input has come.
    #[staticmethod]
    fn io_only_test(config: &Config, input_values: usize, output_values: usize) -> PyResult<Self> {
        guard(|| {
            let signature = Signature::vectors(input_values, output_values)?;
            Ok(Self::new(
                io_only::program(&config.0, vec![signature])?,
                None,
            ))
        })
    }

    /// A program without compute with the inputs and outputs of this one.
    fn transform_to_io_only_test(&self) -> PyResult<Self> {
        guard(|| {
            let signatures = self.image.models.iter().map(|m| Signature {
                name: m.name.clone(),
                inputs: m.inputs.clone(),
                outputs: m.outputs.clone(),
            });
            let image = io_only::program(&self.image.config, signatures.collect())?;
            Ok(Self::new(image, None))
        })
    }

    /// Nothing to do: a program is packed as soon as it exists.
    #[expect(clippy::unused_self, reason = "a method of Python's")]
    fn pack(&self) {}

    /// Writes the accelerator as SystemVerilog, with the program as memory images; returns the paths written.
    fn rtl(&self, py: Python<'_>, path: PathBuf) -> PyResult<Vec<PathBuf>> {
        guard(|| {
            py.detach(|| {
                let manifest = Generator::new(&self.image.config)?.emit(&path)?;
                let folder = path.join("images");
                let mut files: Vec<_> = manifest.digests.keys().map(|f| path.join(f)).collect();
                files.push(path.join("manifest.json"));
                files.extend(images(&self.image, &folder)?.iter().map(|f| folder.join(f)));
                Ok(files)
            })
            .map_err(|e: sluice_hdl::HdlError| SaveError::new_err(e.to_string()))
        })
    }

    fn __repr__(&self) -> String {
        let names: Vec<_> = self.image.models.iter().map(|m| m.name.as_str()).collect();
        format!(
            "<Program for {}: [{}]>",
            self.image.config.name,
            names.join(", ")
        )
    }
}
