//! `GraphBuilder`: what front ends write graphs with.
//!
//! **Contract.** A thin mirror of [`sluice_compiler::nnir::GraphBuilder`]; a tensor is the number its layer was given.
//! After `finish` the builder is empty and says so. **Errors.** Those of the compiler, `ValueError` for numbers that name no tensor.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sluice_compiler::nnir::{self, NodeId, PointwiseOp, Precision, ReduceOp, Tensor, UnaryOp};

use crate::arrays::tensor;
use crate::errors::{compile, guard};
use crate::nnir::{Nnir, NumberFormat};

/// Builds a graph layer by layer; every call checks shapes.
#[pyclass(module = "vollo_compiler")]
pub struct GraphBuilder {
    builder: Option<nnir::GraphBuilder>,
    nodes: Vec<NodeId>,
}

impl GraphBuilder {
    fn open(&mut self) -> PyResult<&mut nnir::GraphBuilder> {
        self.builder
            .as_mut()
            .ok_or_else(|| PyValueError::new_err("this GraphBuilder is finished; make a new one"))
    }

    fn node(&self, id: usize) -> PyResult<NodeId> {
        self.nodes.get(id).copied().ok_or_else(|| {
            PyValueError::new_err(format!(
                "there is no tensor {id}: the graph has {} so far",
                self.nodes.len()
            ))
        })
    }

    fn add(
        &mut self,
        node: Result<NodeId, sluice_compiler::error::CompileError>,
    ) -> PyResult<usize> {
        self.nodes.push(node.map_err(compile)?);
        Ok(self.nodes.len() - 1)
    }
}

const fn precision(format: NumberFormat) -> Precision {
    match format {
        NumberFormat::Bf16 => Precision::Bf16,
        NumberFormat::Fp32 => Precision::Fp32,
    }
}

/// The operation of a name.
fn named<T: Copy>(
    layer: &str,
    kind: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
    wanted: &str,
) -> PyResult<T> {
    let found = all.iter().copied().find(|&op| name_of(op) == wanted);
    found.ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|&op| name_of(op)).collect();
        PyValueError::new_err(format!(
            "layer '{layer}': no {kind} '{wanted}'; there are {}",
            known.join(", ")
        ))
    })
}

fn optional(value: Option<Bound<'_, PyAny>>, what: &str) -> PyResult<Option<Arc<Tensor>>> {
    value.map(|v| Ok(Arc::new(tensor(&v, what)?))).transpose()
}

#[pymethods]
impl GraphBuilder {
    #[new]
    fn new(name: String) -> Self {
        Self {
            builder: Some(nnir::GraphBuilder::new(name)),
            nodes: vec![],
        }
    }

    /// Rounds the weights of the linear, convolution and recurrent layers that follow to FP8, row by row, and stores them so.
    fn fp8_weights(&mut self, on: bool) -> PyResult<()> {
        guard(|| {
            self.open()?.fp8_weights(on);
            Ok(())
        })
    }

    /// The format in which the layers that follow keep their results.
    fn precision(&mut self, format: Bound<'_, NumberFormat>) -> PyResult<()> {
        guard(|| {
            self.open()?.precision(precision(*format.get()));
            Ok(())
        })
    }

    /// The format in which a tensor is kept.
    fn precision_of(&mut self, id: usize) -> PyResult<NumberFormat> {
        guard(|| {
            let id = self.node(id)?;
            Ok(match self.open()?.graph().node(id).ty.precision {
                Precision::Bf16 => NumberFormat::Bf16,
                Precision::Fp32 => NumberFormat::Fp32,
            })
        })
    }

    /// Changes the format of a tensor built before; false where that is fixed: inputs, constants and scans.
    fn set_precision(&mut self, id: usize, format: Bound<'_, NumberFormat>) -> PyResult<bool> {
        guard(|| {
            let id = self.node(id)?;
            Ok(self.open()?.set_precision(id, precision(*format.get())))
        })
    }

    /// The next input of the model.
    fn input(&mut self, name: String, shape: Vec<usize>) -> PyResult<usize> {
        guard(|| {
            let id = self.open()?.input(name, &shape);
            self.add(Ok(id))
        })
    }

    /// A value known at compile time.
    fn constant(&mut self, name: String, array: Bound<'_, PyAny>) -> PyResult<usize> {
        guard(|| {
            let value = tensor(&array, &name)?;
            let id = self.open()?.constant(name, value);
            self.add(id)
        })
    }

    /// `weight x + bias` along the last axis; weight is `[out, in]`.
    #[pyo3(signature = (name, x, weight, bias=None))]
    fn linear(
        &mut self,
        name: String,
        x: usize,
        weight: Bound<'_, PyAny>,
        bias: Option<Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let weight = tensor(&weight, &format!("{name}.weight"))?;
            let bias = optional(bias, &format!("{name}.bias"))?;
            let id = self.open()?.linear(name, x, weight, bias);
            self.add(id)
        })
    }

    /// `sum_i weight_i x_i + bias` along the last axis; each weight is `[out, in_i]`.
    #[pyo3(signature = (name, xs, weights, bias=None))]
    fn linear_sum(
        &mut self,
        name: String,
        xs: Vec<usize>,
        weights: Vec<Bound<'_, PyAny>>,
        bias: Option<Bound<'_, PyAny>>,
    ) -> PyResult<usize> {
        guard(|| {
            if xs.len() != weights.len() {
                return Err(PyValueError::new_err(format!(
                    "layer '{name}': {} operands need as many weights, {} given",
                    xs.len(),
                    weights.len()
                )));
            }
            let mut terms = Vec::with_capacity(xs.len());
            for (i, (&x, weight)) in xs.iter().zip(&weights).enumerate() {
                let weight = tensor(weight, &format!("{name}.weight {i}"))?;
                terms.push((self.node(x)?, Arc::new(weight)));
            }
            let bias = optional(bias, &format!("{name}.bias"))?;
            let id = self.open()?.linear_sum(name, terms, bias);
            self.add(id)
        })
    }

    /// A function of every value, by name.
    fn unary(&mut self, name: String, op: &str, x: usize) -> PyResult<usize> {
        guard(|| {
            let f = named(&name, "unary operation", &UnaryOp::ALL, UnaryOp::name, op)?;
            let x = self.node(x)?;
            let id = self.open()?.unary(name, f, x);
            self.add(id)
        })
    }

    /// One value for many along `axes`: `sum`, `mean`, `max` or `min`; the axes stay at extent 1 if `keep`.
    fn reduce(
        &mut self,
        name: String,
        op: &str,
        x: usize,
        axes: Vec<usize>,
        keep: bool,
    ) -> PyResult<usize> {
        guard(|| {
            let word = |f: ReduceOp| f.name().trim_start_matches("reduce_");
            let f = named(&name, "reduction", &ReduceOp::ALL, word, op)?;
            let x = self.node(x)?;
            let id = self.open()?.reduce(name, f, x, &axes, keep);
            self.add(id)
        })
    }

    /// Axes in another order: axis `i` of the result is axis `perm[i]` of the operand.
    fn transpose(&mut self, name: String, x: usize, perm: Vec<usize>) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.transpose(name, x, &perm);
            self.add(id)
        })
    }

    /// Chosen indices of an axis, in the order given.
    fn index_select(
        &mut self,
        name: String,
        x: usize,
        axis: usize,
        indices: Vec<usize>,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.index_select(name, x, axis, &indices);
            self.add(id)
        })
    }

    /// Numpy's `broadcast_to`.
    fn expand(&mut self, name: String, x: usize, shape: Vec<usize>) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.expand(name, x, &shape);
            self.add(id)
        })
    }

    /// `a` where the condition is not 0, else `b`.
    fn select(&mut self, name: String, condition: usize, a: usize, b: usize) -> PyResult<usize> {
        guard(|| {
            let (condition, a, b) = (self.node(condition)?, self.node(a)?, self.node(b)?);
            let id = self.open()?.select(name, condition, a, b);
            self.add(id)
        })
    }

    /// A value carried from inference to inference, `init` at first; `update` says what it becomes.
    fn state(&mut self, name: String, init: Bound<'_, PyAny>) -> PyResult<usize> {
        guard(|| {
            let init = tensor(&init, &format!("{name}.init"))?;
            let id = self.open()?.state(name, init);
            self.add(id)
        })
    }

    /// The value a state has in the next inference.
    fn update(&mut self, state: usize, value: usize) -> PyResult<()> {
        guard(|| {
            let (state, value) = (self.node(state)?, self.node(value)?);
            self.open()?.update(state, value).map_err(compile)
        })
    }

    /// A recurrence along `axis`: `body`, a finished graph, once per step; one tensor per output of the body comes back, stacked.
    /// The body's inputs are the operands without that axis; its states start from their `init` in every inference.
    #[pyo3(signature = (name, body, axis, xs, reverse=false))]
    fn scan(
        &mut self,
        name: String,
        body: &Nnir,
        axis: usize,
        xs: Vec<usize>,
        reverse: bool,
    ) -> PyResult<Vec<usize>> {
        guard(|| {
            let operands = xs
                .into_iter()
                .map(|x| self.node(x))
                .collect::<PyResult<Vec<_>>>()?;
            let body = Arc::clone(&body.graph);
            let scan = self.open()?.scan(name, body, axis, reverse, &operands);
            scan.map_err(compile)?
                .into_iter()
                .map(|id| self.add(Ok(id)))
                .collect()
        })
    }

    /// `exp(x) / sum(exp(x))` along an axis.
    fn softmax(&mut self, name: String, x: usize, axis: usize) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.softmax(name, x, axis);
            self.add(id)
        })
    }

    /// `x - log(sum(exp(x)))` along an axis.
    fn log_softmax(&mut self, name: String, x: usize, axis: usize) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.log_softmax(name, x, axis);
            self.add(id)
        })
    }

    /// `(x - mean) / sqrt(variance + eps) * weight + bias` over the last `axes` axes.
    #[pyo3(signature = (name, x, axes, weight, bias, eps))]
    fn layer_norm(
        &mut self,
        name: String,
        x: usize,
        axes: usize,
        weight: Option<Bound<'_, PyAny>>,
        bias: Option<Bound<'_, PyAny>>,
        eps: f32,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let weight = optional(weight, &format!("{name}.weight"))?;
            let bias = optional(bias, &format!("{name}.bias"))?;
            let id = self.open()?.layer_norm(name, x, axes, weight, bias, eps);
            self.add(id)
        })
    }

    /// `x / sqrt(mean(x x) + eps) * weight` over the last `axes` axes.
    #[pyo3(signature = (name, x, axes, weight, eps))]
    fn rms_norm(
        &mut self,
        name: String,
        x: usize,
        axes: usize,
        weight: Option<Bound<'_, PyAny>>,
        eps: f32,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let weight = optional(weight, &format!("{name}.weight"))?;
            let id = self.open()?.rms_norm(name, x, axes, weight, eps);
            self.add(id)
        })
    }

    /// The largest of `kernel` values `dilation` apart, in windows that start `stride` apart.
    #[pyo3(signature = (name, x, axis, kernel, stride=1, dilation=1))]
    fn max_pool1d(
        &mut self,
        name: String,
        x: usize,
        axis: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?;
            let id = id.max_pool1d(name, x, axis, kernel, stride, dilation);
            self.add(id)
        })
    }

    /// The product of two run-time matrices, or batches of them.
    fn matmul(&mut self, name: String, a: usize, b: usize) -> PyResult<usize> {
        guard(|| {
            let (a, b) = (self.node(a)?, self.node(b)?);
            let id = self.open()?.matmul(name, a, b);
            self.add(id)
        })
    }

    /// `min(max(x, min), max)`; infinite bounds are open.
    fn clamp(&mut self, name: String, x: usize, min: f32, max: f32) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.clamp(name, x, min, max);
            self.add(id)
        })
    }

    /// An element-wise operation of two tensors, broadcast as `numpy` does.
    fn pointwise(&mut self, name: String, op: &str, a: usize, b: usize) -> PyResult<usize> {
        guard(|| {
            let f = named(
                &name,
                "pointwise operation",
                &PointwiseOp::ALL,
                PointwiseOp::name,
                op,
            )?;
            let (a, b) = (self.node(a)?, self.node(b)?);
            let id = self.open()?.pointwise(name, f, a, b);
            self.add(id)
        })
    }

    /// Causal convolution over the last axis; weight is `[out, in / groups, taps]`.
    #[pyo3(signature = (name, x, weight, bias=None, dilation=1, groups=1))]
    fn conv1d(
        &mut self,
        name: String,
        x: usize,
        weight: Bound<'_, PyAny>,
        bias: Option<Bound<'_, PyAny>>,
        dilation: usize,
        groups: usize,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let weight = tensor(&weight, &format!("{name}.weight"))?;
            let bias = optional(bias, &format!("{name}.bias"))?;
            let id = self.open()?.conv1d(name, x, weight, bias, dilation, groups);
            self.add(id)
        })
    }

    /// Joins tensors along an axis.
    fn concat(&mut self, name: String, xs: Vec<usize>, axis: usize) -> PyResult<usize> {
        guard(|| {
            let xs = xs
                .into_iter()
                .map(|x| self.node(x))
                .collect::<PyResult<Vec<_>>>()?;
            let id = self.open()?.concat(name, &xs, axis);
            self.add(id)
        })
    }

    /// `start..end` of an axis.
    fn slice(
        &mut self,
        name: String,
        x: usize,
        axis: usize,
        start: usize,
        end: usize,
    ) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.slice(name, x, axis, start, end);
            self.add(id)
        })
    }

    /// Same elements in the same order, other extents.
    fn reshape(&mut self, name: String, x: usize, shape: Vec<usize>) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.reshape(name, x, &shape);
            self.add(id)
        })
    }

    /// The tensor's value `steps` inferences ago; zero before that.
    fn delay(&mut self, name: String, x: usize, steps: usize) -> PyResult<usize> {
        guard(|| {
            let x = self.node(x)?;
            let id = self.open()?.delay(name, x, steps);
            self.add(id)
        })
    }

    /// Shape of a tensor.
    fn shape<'py>(&mut self, py: Python<'py>, id: usize) -> PyResult<Bound<'py, PyTuple>> {
        guard(|| {
            let id = self.node(id)?;
            PyTuple::new(py, &self.open()?.graph().node(id).ty.shape)
        })
    }

    /// The axis a tensor is packed along; none while that is open, and for constants.
    fn data_dim(&mut self, id: usize) -> PyResult<Option<usize>> {
        guard(|| {
            let id = self.node(id)?;
            Ok(self.open()?.graph().node(id).ty.data_dim)
        })
    }

    /// Packs a tensor along an axis, where that is still open.
    fn pack(&mut self, id: usize, axis: usize) -> PyResult<()> {
        guard(|| {
            let id = self.node(id)?;
            self.open()?.pack(id, axis).map_err(compile)
        })
    }

    /// Declares the next output of the model.
    fn output(&mut self, id: usize) -> PyResult<()> {
        guard(|| {
            let id = self.node(id)?;
            self.open()?.output(id);
            Ok(())
        })
    }

    /// The finished graph; the builder is used up, even when the graph is refused. Layers of `stream_only` keep state from step to
    /// step of a sequence, so the graph does not compile until it is streamed.
    #[pyo3(signature = (stream_only=vec![]))]
    fn finish(&mut self, stream_only: Vec<String>) -> PyResult<Nnir> {
        guard(|| {
            self.open()?;
            let builder = self.builder.take();
            let graph = builder.map(nnir::GraphBuilder::finish).transpose();
            let graph = graph.map_err(compile)?;
            graph
                .map(|graph| Nnir {
                    stream_only,
                    ..Nnir::new(graph)
                })
                .ok_or_else(|| crate::errors::internal("no graph"))
        })
    }
}
