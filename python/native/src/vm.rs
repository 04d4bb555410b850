//! `VM`: programs on the simulator.

use pyo3::prelude::*;

use crate::session::{Layout, Session, axes};

/// A simulator with a program loaded; its state persists from run to run.
#[pyclass(name = "VM", module = "vollo_compiler")]
pub struct Vm(pub Session);

/// Cumulative cycles as microseconds.
pub fn duration_us(session: &Session, clock_mhz: Option<u32>) -> PyResult<f64> {
    let clock = crate::program::clock(session.program(), clock_mhz)?;
    #[expect(clippy::cast_precision_loss, reason = "cycles stay below 2^53")]
    let cycles = session.cycles() as f64;
    Ok(cycles / f64::from(clock))
}

/// The time axes of a sequence; one int for inputs only goes with one array.
pub fn layout(inputs: &Bound<'_, PyAny>, outputs: &Bound<'_, PyAny>) -> PyResult<Layout> {
    let (inputs, _) = axes(inputs, "input_timestep_dims")?;
    let (outputs, _) = axes(outputs, "output_timestep_dims")?;
    Ok(Layout::Steps(inputs, outputs))
}

/// The methods of a class around a [`Session`].
macro_rules! session_methods {
    ($class:ident) => {
        #[pymethods]
        impl $class {
            /// One inference; arrays have the shapes of the model's inputs and outputs.
            #[pyo3(signature = (inputs, model_index=0, f32_round=true))]
            fn run<'py>(
                &mut self,
                py: Python<'py>,
                inputs: &Bound<'py, PyAny>,
                model_index: i64,
                f32_round: bool,
            ) -> PyResult<Bound<'py, PyAny>> {
                $crate::errors::guard(|| {
                    self.0
                        .run(py, inputs, model_index, &$crate::session::Layout::Single, false, f32_round)
                })
            }

            /// One inference with 1-D arrays.
            #[pyo3(signature = (inputs, model_index=0, f32_round=true))]
            fn run_flat<'py>(
                &mut self,
                py: Python<'py>,
                inputs: &Bound<'py, PyAny>,
                model_index: i64,
                f32_round: bool,
            ) -> PyResult<Bound<'py, PyAny>> {
                $crate::errors::guard(|| {
                    self.0
                        .run(py, inputs, model_index, &$crate::session::Layout::Single, true, f32_round)
                })
            }

            /// A whole sequence, one inference per step, results stacked.
            #[pyo3(signature = (inputs, input_timestep_dims, output_timestep_dims, model_index=0, f32_round=true))]
            fn run_timesteps<'py>(
                &mut self,
                py: Python<'py>,
                inputs: &Bound<'py, PyAny>,
                input_timestep_dims: &Bound<'py, PyAny>,
                output_timestep_dims: &Bound<'py, PyAny>,
                model_index: i64,
                f32_round: bool,
            ) -> PyResult<Bound<'py, PyAny>> {
                $crate::errors::guard(|| {
                    let layout = $crate::vm::layout(input_timestep_dims, output_timestep_dims)?;
                    self.0
                        .run(py, inputs, model_index, &layout, false, f32_round)
                })
            }

            /// A whole sequence with 1-D arrays, the flattened ones of `run_timesteps`.
            #[pyo3(signature = (inputs, input_timestep_dims, output_timestep_dims, model_index=0, f32_round=true))]
            fn run_flat_timesteps<'py>(
                &mut self,
                py: Python<'py>,
                inputs: &Bound<'py, PyAny>,
                input_timestep_dims: &Bound<'py, PyAny>,
                output_timestep_dims: &Bound<'py, PyAny>,
                model_index: i64,
                f32_round: bool,
            ) -> PyResult<Bound<'py, PyAny>> {
                $crate::errors::guard(|| {
                    let layout = $crate::vm::layout(input_timestep_dims, output_timestep_dims)?;
                    self.0
                        .run(py, inputs, model_index, &layout, true, f32_round)
                })
            }

            /// Returns a model to its initial state.
            #[pyo3(signature = (model_index=0))]
            fn reset(&mut self, py: Python<'_>, model_index: i64) -> PyResult<()> {
                $crate::errors::guard(|| self.0.reset(py, model_index))
            }

            /// Returns every model to its initial state.
            fn reset_all(&mut self, py: Python<'_>) -> PyResult<()> {
                $crate::errors::guard(|| self.0.reset_all(py))
            }

            /// Resources of the program.
            fn metrics(&self) -> PyResult<$crate::metrics::Metrics> {
                $crate::errors::guard(|| Ok($crate::metrics::Metrics::of(self.0.program())))
            }

            /// Cycles of all inferences so far, each counted on its own.
            fn cycle_count(&self) -> u64 {
                self.0.cycles()
            }

            /// The same in microseconds, at the configuration's clock unless one is given.
            #[pyo3(signature = (clock_mhz=None))]
            fn compute_duration_us(&self, clock_mhz: Option<u32>) -> PyResult<f64> {
                $crate::errors::guard(|| $crate::vm::duration_us(&self.0, clock_mhz))
            }
        }
    };
}

pub(crate) use session_methods;

session_methods!(Vm);
