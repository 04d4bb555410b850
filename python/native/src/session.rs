//! Inferences on one engine: shapes checked, values converted once, steps counted.
//!
//! | engine | takes | gives | cycles |
//! |--------|-------|-------|--------|
//! | VM | words of 16 bits | what the hardware gives | counted |
//! | VM without compute | words of 16 bits | zeros | counted |
//! | float | `f32` | the network without any rounding to bf16 | the program's own figure |
//! | RTL | words of 16 bits | what the Verilated RTL gives | counted |
//!
//! **Contract.** Inputs are read while the interpreter is held and the work is done without it. State persists from run to run.
//! **Errors.** `ValueError` with expected and given shape, `IndexError` for the model, the engine's own.

use std::sync::Arc;

use numpy::ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use self_cell::self_cell;
use sluice_compiler::error::CompileError;
use sluice_compiler::nnir::{Evaluator, Graph, Tensor};
use sluice_isa::float::{f32_to_bf16, f32_to_bf16_truncate};
use sluice_isa::{ModelInfo, Program, TensorInfo};
use sluice_sim::{SimError, Vm};
use sluice_suite::SuiteError;

use crate::rtl_sim::{self, Rtl};
use crate::{arrays, errors, long};

self_cell!(
    /// The float reference of one model.
    pub struct FloatModel {
        owner: Arc<Graph>,
        #[covariant]
        dependent: Evaluator,
    }
);

/// What runs the inferences.
pub enum Engine {
    /// The VM, with or without compute.
    Vm(Box<Vm>),
    /// The float reference, model by model.
    Float(Vec<FloatModel>),
    /// The Verilated RTL.
    Rtl(Box<Rtl>),
}

impl Engine {
    /// The float reference of a program's graphs.
    pub fn float(graphs: &[Arc<Graph>]) -> PyResult<Self> {
        let models = graphs
            .iter()
            .map(|g| FloatModel::try_new(Arc::clone(g), |g| Evaluator::new(g)));
        Ok(Self::Float(
            models.collect::<Result<_, _>>().map_err(errors::compile)?,
        ))
    }
}

/// Why an inference failed.
enum Failure {
    Sim(SimError),
    Compile(CompileError),
    Rtl(SuiteError),
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sim(e) => errors::sim(e),
            Failure::Compile(e) => errors::compile(e),
            Failure::Rtl(e) => rtl_sim::failure(&e),
        }
    }
}

/// Values of one input for all steps, step after step.
enum Values {
    Words(Vec<u16>),
    Floats(Vec<f32>),
}

/// One input: its values and how many of them a step takes.
struct Input {
    values: Values,
    per_step: usize,
}

/// How inputs and outputs are laid out in time.
pub enum Layout {
    /// One inference.
    Single,
    /// A sequence: the time axis of every input and output, as given.
    Steps(Vec<isize>, Vec<isize>),
}

/// An engine with its program.
pub struct Session {
    program: Arc<Program>,
    engine: Engine,
    cycles: u64,
}

/// `(3, 4)`, as Python writes it.
pub fn tuple_text(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        all => {
            let all: Vec<_> = all.iter().map(ToString::to_string).collect();
            format!("({})", all.join(", "))
        }
    }
}

/// The model of an index.
pub fn model(program: &Program, index: i64) -> PyResult<(usize, &ModelInfo)> {
    usize::try_from(index)
        .ok()
        .and_then(|i| Some((i, program.models.get(i)?)))
        .ok_or_else(|| {
            PyIndexError::new_err(format!(
                "there is no model {index}: the program holds {} (0 to {})",
                program.models.len(),
                program.models.len().saturating_sub(1)
            ))
        })
}

/// One axis per tensor, from an int or a sequence.
pub fn axes(value: &Bound<'_, PyAny>, what: &str) -> PyResult<(Vec<isize>, bool)> {
    if let Ok(axis) = value.extract::<isize>() {
        return Ok((vec![axis], false));
    }
    value
        .extract()
        .map(|axes| (axes, true))
        .map_err(|_| PyTypeError::new_err(format!("{what}: expected an int or a sequence of ints")))
}

/// An axis of `rank`, counted from either end.
fn axis(given: isize, rank: usize, what: &str) -> PyResult<usize> {
    given
        .checked_add_unsigned(if given < 0 { rank } else { 0 })
        .and_then(|a| usize::try_from(a).ok())
        .filter(|&a| a < rank)
        .ok_or_else(|| {
            PyValueError::new_err(format!(
                "{what}: {given} is not an axis of the sequence, which has {rank}"
            ))
        })
}

/// One axis per tensor; a single int stands for all of them.
fn spread(given: &[isize], count: usize, what: &str) -> PyResult<Vec<isize>> {
    match given {
        [one] => Ok(vec![*one; count]),
        all if all.len() == count => Ok(all.to_vec()),
        all => Err(PyValueError::new_err(format!(
            "{what}: the model has {count} tensors there, {} axes are given",
            all.len()
        ))),
    }
}

impl Session {
    pub const fn new(program: Arc<Program>, engine: Engine) -> Self {
        Self {
            program,
            engine,
            cycles: 0,
        }
    }

    pub const fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Cycles of all inferences so far.
    pub const fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Runs one inference or a sequence of them.
    pub fn run<'py>(
        &mut self,
        py: Python<'py>,
        inputs: &Bound<'py, PyAny>,
        model_index: i64,
        layout: &Layout,
        flat: bool,
        round: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let program = Arc::clone(&self.program);
        let (index, info) = model(&program, model_index)?;
        let arrays = arrays::several(inputs, "inputs")?;
        if arrays.len() != info.inputs.len() {
            return Err(PyValueError::new_err(format!(
                "model '{}': expected {} input arrays, got {}{}",
                info.name,
                info.inputs.len(),
                arrays.len(),
                if inputs.is_instance_of::<PyList>() || inputs.is_instance_of::<PyTuple>() {
                    ""
                } else {
                    "; give them as a list"
                }
            )));
        }
        let in_axes = match layout {
            Layout::Single => None,
            Layout::Steps(axes, _) => Some(spread(axes, arrays.len(), "input_timestep_dims")?),
        };
        let mut steps = None;
        let mut batch = Vec::with_capacity(arrays.len());
        for (i, (array, tensor)) in arrays.iter().zip(&info.inputs).enumerate() {
            let given = in_axes.as_ref().map(|axes| axes[i]);
            let view = array.as_array();
            let (count, values) = self.gather(&view, tensor, given, flat, round, &info.name)?;
            if *steps.get_or_insert(count) != count {
                return Err(PyValueError::new_err(format!(
                    "model '{}': input '{}' has {count} time steps, the inputs before it {}",
                    info.name,
                    tensor.name,
                    steps.unwrap_or_default()
                )));
            }
            let per_step = match &values {
                Values::Words(_) => tensor.num_words(),
                Values::Floats(_) => tensor.num_elements(),
            };
            batch.push(Input { values, per_step });
        }
        let steps = steps.unwrap_or(1);
        let Layout::Steps(_, out_axes) = layout else {
            let outputs = py.detach(|| self.infer(index, &batch, 0))?;
            let outputs = outputs.into_iter().zip(&info.outputs).map(|(values, t)| {
                let length = [values.len()];
                arrays::shaped(if flat { &length } else { &t.shape }, values)
            });
            return arrays::results(py, outputs.collect::<PyResult<_>>()?);
        };
        let out_axes = spread(out_axes, info.outputs.len(), "output_timestep_dims")?;
        let mut stacked = vec![];
        for (t, &given) in info.outputs.iter().zip(&out_axes) {
            let axis = axis(given, t.shape.len() + 1, "output_timestep_dims")?;
            let mut shape = t.shape.clone();
            shape.insert(axis, steps);
            stacked.push((Axis(axis), ArrayD::zeros(IxDyn(&shape))));
        }
        long::steps(py, steps, |step| {
            let outputs = self.infer(index, &batch, step)?;
            for ((axis, whole), (values, t)) in stacked
                .iter_mut()
                .zip(outputs.into_iter().zip(&info.outputs))
            {
                if let Ok(one) = ArrayViewD::from_shape(IxDyn(&t.shape), &values) {
                    whole.index_axis_mut(*axis, step).assign(&one);
                }
            }
            Ok::<_, Failure>(())
        })??;
        let results = stacked.into_iter().map(|(_, whole)| {
            if flat {
                let (values, _) = whole.into_raw_vec_and_offset();
                arrays::shaped(&[values.len()], values)
            } else {
                Ok(whole)
            }
        });
        arrays::results(py, results.collect::<PyResult<_>>()?)
    }

    /// Checks an input and converts it; returns the number of steps too.
    fn gather(
        &self,
        view: &ArrayViewD<'_, f32>,
        tensor: &TensorInfo,
        time: Option<isize>,
        flat: bool,
        round: bool,
        model: &str,
    ) -> PyResult<(usize, Values)> {
        let bad = |expected: String, hint: &str| {
            PyValueError::new_err(format!(
                "model '{model}', input '{}': expected shape {expected}, got {}{hint}",
                tensor.name,
                tuple_text(view.shape())
            ))
        };
        let n = tensor.num_elements();
        let Some(time) = time else {
            let flattened = [n];
            let expected = if flat { &flattened[..] } else { &tensor.shape };
            if view.shape() != expected {
                let hint = match (view.len() == n, flat) {
                    (true, false) => "; reshape it, or use run_flat with a 1-D array",
                    (true, true) => "; flatten it, or use run",
                    (false, _) if tensor.streaming_dim.is_some() => {
                        "; the model takes one time step, run_timesteps takes sequences"
                    }
                    (false, _) => "",
                };
                return Err(bad(tuple_text(expected), hint));
            }
            return Ok((1, self.convert(view, tensor, round)));
        };
        let rank = tensor.shape.len() + 1;
        let time = axis(time, rank, "input_timestep_dims")?;
        let mut shape = tensor.shape.clone();
        let whole;
        let sequence = if flat {
            if view.ndim() != 1 || !view.len().is_multiple_of(n) {
                let expected = format!("(T * {n},)");
                return Err(bad(expected, ""));
            }
            shape.insert(time, view.len() / n);
            whole = view
                .to_shape(IxDyn(&shape))
                .map_err(|e| errors::internal(&e.to_string()))?;
            whole.view()
        } else {
            let mut text: Vec<_> = shape.iter().map(ToString::to_string).collect();
            text.insert(time, "T".into());
            let mut step = view.shape().to_vec();
            if step.len() != rank || {
                step.remove(time);
                step != shape
            } {
                return Err(bad(format!("({})", text.join(", ")), ""));
            }
            view.view()
        };
        // Time outermost, so that a step is one piece.
        let mut order: Vec<usize> = (0..rank).filter(|&a| a != time).collect();
        order.insert(0, time);
        let sequence = sequence.permuted_axes(IxDyn(&order));
        Ok((sequence.shape()[0], self.convert(&sequence, tensor, round)))
    }

    fn convert(&self, view: &ArrayViewD<'_, f32>, tensor: &TensorInfo, round: bool) -> Values {
        let values = arrays::map_values(view, |v| v);
        match (&self.engine, round) {
            (Engine::Float(_), _) => Values::Floats(values),
            (_, true) => Values::Words(tensor.words_with(&values, f32_to_bf16)),
            (_, false) => Values::Words(tensor.words_with(&values, f32_to_bf16_truncate)),
        }
    }

    fn infer(
        &mut self,
        index: usize,
        batch: &[Input],
        step: usize,
    ) -> Result<Vec<Vec<f32>>, Failure> {
        let part = |i: &Input| step * i.per_step..(step + 1) * i.per_step;
        let words: Vec<&[u16]> = batch
            .iter()
            .map(|i| match &i.values {
                Values::Words(w) => &w[part(i)],
                Values::Floats(_) => &[],
            })
            .collect();
        match &mut self.engine {
            Engine::Vm(vm) => {
                let run = vm.run_words(index, &words).map_err(Failure::Sim)?;
                self.cycles += run.cycles.spaced;
                Ok(run.outputs)
            }
            Engine::Rtl(rtl) => {
                let (outputs, cycles) = rtl.run(index, &words).map_err(Failure::Rtl)?;
                self.cycles += cycles;
                Ok(outputs)
            }
            Engine::Float(models) => {
                let info = &self.program.models[index];
                let inputs = batch
                    .iter()
                    .zip(&info.inputs)
                    .map(|(i, t)| match &i.values {
                        Values::Floats(f) => Tensor::new(t.shape.clone(), f[part(i)].to_vec()),
                        Values::Words(_) => Ok(Tensor::default()),
                    })
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(Failure::Compile)?;
                let outputs = models[index]
                    .with_dependent_mut(|_, evaluator| evaluator.run(&inputs))
                    .map_err(Failure::Compile)?;
                self.cycles += u64::from(info.cycles_spaced);
                Ok(outputs.into_iter().map(|t| t.data).collect())
            }
        }
    }

    /// Returns a model that was compiled for it to its initial state.
    pub fn reset(&mut self, py: Python<'_>, model_index: i64) -> PyResult<()> {
        let (index, info) = model(&self.program, model_index)?;
        if !info.resettable {
            return Err(PyValueError::new_err(format!(
                "model '{}' cannot be reset: it was compiled without generate_state_reset=True; reset_all resets all models",
                info.name
            )));
        }
        match &mut self.engine {
            Engine::Float(models) => {
                models[index].with_dependent_mut(|_, evaluator| evaluator.reset());
                Ok(())
            }
            Engine::Vm(vm) => py.detach(|| vm.reset_model(index)).map_err(errors::sim),
            Engine::Rtl(rtl) => py
                .detach(|| rtl.reset_model(index))
                .map_err(|e| rtl_sim::failure(&e)),
        }
    }

    /// Returns every model to its initial state.
    pub fn reset_all(&mut self, py: Python<'_>) -> PyResult<()> {
        match &mut self.engine {
            Engine::Float(models) => {
                for model in models {
                    model.with_dependent_mut(|_, evaluator| evaluator.reset());
                }
                Ok(())
            }
            Engine::Vm(vm) => py.detach(|| vm.reset()).map_err(errors::sim),
            Engine::Rtl(rtl) => py.detach(|| rtl.reset()).map_err(|e| rtl_sim::failure(&e)),
        }
    }
}
