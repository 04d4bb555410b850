//! `GraphBuilder`: what front ends write graphs with.
//!
//! **Contract.** A thin mirror of [`sluice_compiler::nnir::GraphBuilder`]; a tensor is the number its layer was given.
//! After `finish` the builder is empty and says so. **Errors.** Those of the compiler, `ValueError` for numbers that name no tensor.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use sluice_compiler::nnir::{self, NodeId, PointwiseOp, Tensor};

use crate::arrays::tensor;
use crate::errors::{compile, guard};
use crate::nnir::Nnir;

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
            let Some(f) = PointwiseOp::ALL.into_iter().find(|f| f.name() == op) else {
                let known: Vec<_> = PointwiseOp::ALL.iter().map(|f| f.name()).collect();
                return Err(PyValueError::new_err(format!(
                    "layer '{name}': no pointwise operation '{op}'; there are {}",
                    known.join(", ")
                )));
            };
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

    /// Declares the next output of the model.
    fn output(&mut self, id: usize) -> PyResult<()> {
        guard(|| {
            let id = self.node(id)?;
            self.open()?.output(id);
            Ok(())
        })
    }

    /// The finished graph; the builder is used up, even when the graph is refused.
    fn finish(&mut self) -> PyResult<Nnir> {
        guard(|| {
            self.open()?;
            let builder = self.builder.take();
            let graph = builder.map(nnir::GraphBuilder::finish).transpose();
            let graph = graph.map_err(compile)?;
            graph
                .map(Nnir::new)
                .ok_or_else(|| crate::errors::internal("no graph"))
        })
    }
}
