//! Builds graphs, one checked layer at a time.
//!
//! **Contract.** Every call type-checks against what is there and adds exactly one node, or returns an error and adds none;
//! `select` and `scan` are several such calls.
//! [`GraphBuilder::finish`] settles the data dimensions nobody asked for (last axis first) and verifies the whole.
//! **Errors.** Those of shape and data-dimension inference, at the call that causes them; the rest at `finish`.
//!
//! ```
//! use sluice_compiler::nnir::{GraphBuilder, Tensor};
//! let mut g = GraphBuilder::new("mlp");
//! let x = g.input("x", &[3]);
//! let h = g.linear("fc1", x, Tensor::zeros([2, 3]), Some(Tensor::zeros([2]).into()))?;
//! let h = g.relu("relu1", h)?;
//! g.output(h);
//! let graph = g.finish()?;
//! assert_eq!(graph.node(h).ty.shape, [2]);
//! # Ok::<(), sluice_compiler::error::CompileError>(())
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::graph::{Graph, Node};
use super::infer::{self, DataDims};
use super::op::{Op, PointwiseOp, ReduceOp, UnaryOp};
use super::tensor::Tensor;
use super::types::{NodeId, Precision, TensorType};
use crate::error::{CompileError, Result};

/// A graph under construction.
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    graph: Graph,
    runtime: Vec<bool>,
    precision: Precision,
    fp8_weights: bool,
}

impl GraphBuilder {
    /// Starts a model.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            graph: Graph::new(name),
            runtime: vec![],
            precision: Precision::Bf16,
            fp8_weights: false,
        }
    }

    /// Sets the activation format of the layers that follow.
    pub fn precision(&mut self, precision: Precision) -> &mut Self {
        self.precision = precision;
        self
    }

    /// Rounds the weights of the `linear`, `conv1d` and recurrent layers that follow to FP8 and stores them so.
    pub fn fp8_weights(&mut self, on: bool) -> &mut Self {
        self.fp8_weights = on;
        self
    }

    /// Whether the next layer's weights are stored as FP8.
    pub fn stores_fp8(&self) -> bool {
        self.fp8_weights
    }

    /// The activation format the next layer gets.
    pub fn current_precision(&self) -> Precision {
        self.precision
    }

    /// Changes the activation format of a node built before; false for inputs and constants, whose format is their own, for scans,
    /// whose values are their bodies', and for states and their updates, which share one.
    pub fn set_precision(&mut self, id: NodeId, precision: Precision) -> bool {
        let fixed = |op: &Op| matches!(op, Op::Input { .. } | Op::Constant(_) | Op::Scan { .. });
        let updates = &self.graph.updates;
        let shared = updates.contains_key(&id) || updates.values().any(|&value| value == id);
        if shared || self.graph.get(id).is_none_or(|node| fixed(&node.op)) {
            return false;
        }
        self.graph.node_mut(id).ty.precision = precision;
        true
    }

    /// The graph so far; data dimensions may still be open.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The next tensor of the model's signature.
    pub fn input(&mut self, name: impl Into<String>, shape: &[usize]) -> NodeId {
        let op = Op::Input {
            index: self.graph.inputs.len(),
        };
        let id = self.push(name.into(), op, vec![], shape.to_vec(), true);
        self.graph.inputs.push(id);
        id
    }

    /// A value known at compile time.
    pub fn constant(
        &mut self,
        name: impl Into<String>,
        value: impl Into<Arc<Tensor>>,
    ) -> Result<NodeId> {
        self.layer(name, Op::Constant(value.into()), &[])
    }

    /// `W x + b` along the last axis; `weight` is `[out, in]`.
    pub fn linear(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        weight: impl Into<Arc<Tensor>>,
        bias: Option<Arc<Tensor>>,
    ) -> Result<NodeId> {
        self.layer(
            name,
            Op::Linear {
                weights: vec![weight.into()],
                bias,
                fp8: false,
            },
            &[x],
        )
    }

    /// `sum_i W_i x_i + b` along the last axis.
    pub fn linear_sum(
        &mut self,
        name: impl Into<String>,
        terms: Vec<(NodeId, Arc<Tensor>)>,
        bias: Option<Arc<Tensor>>,
    ) -> Result<NodeId> {
        let (operands, weights): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
        let op = Op::Linear {
            weights,
            bias,
            fp8: false,
        };
        self.layer(name, op, &operands)
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: impl Into<String>, x: NodeId) -> Result<NodeId> {
        self.clamp(name, x, 0.0, f32::INFINITY)
    }

    /// `min(max(x, min), max)`.
    pub fn clamp(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        min: f32,
        max: f32,
    ) -> Result<NodeId> {
        self.layer(name, Op::Clamp { min, max }, &[x])
    }

    /// Any element-wise operation.
    pub fn pointwise(
        &mut self,
        name: impl Into<String>,
        op: PointwiseOp,
        a: NodeId,
        b: NodeId,
    ) -> Result<NodeId> {
        self.layer(name, Op::Pointwise(op), &[a, b])
    }

    /// `a + b`
    pub fn add(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.pointwise(name, PointwiseOp::Add, a, b)
    }

    /// `a - b`
    pub fn sub(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.pointwise(name, PointwiseOp::Sub, a, b)
    }

    /// `a * b`
    pub fn mul(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.pointwise(name, PointwiseOp::Mul, a, b)
    }

    /// The larger of both.
    pub fn max(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.pointwise(name, PointwiseOp::Max, a, b)
    }

    /// The smaller of both.
    pub fn min(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.pointwise(name, PointwiseOp::Min, a, b)
    }

    /// `a / b`
    pub fn div(&mut self, name: impl Into<String>, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.pointwise(name, PointwiseOp::Div, a, b)
    }

    /// `a` where the condition is not 0, else `b`; three nodes, the last of this name.
    pub fn select(
        &mut self,
        name: impl Into<String>,
        condition: NodeId,
        a: NodeId,
        b: NodeId,
    ) -> Result<NodeId> {
        let name = name.into();
        let yes = self.pointwise(format!("{name}.yes"), PointwiseOp::Keep, a, condition)?;
        let no = self.pointwise(format!("{name}.no"), PointwiseOp::Drop, b, condition)?;
        self.add(name, yes, no)
    }

    /// A function of one value.
    pub fn unary(&mut self, name: impl Into<String>, op: UnaryOp, x: NodeId) -> Result<NodeId> {
        self.layer(name, Op::Unary(op), &[x])
    }

    /// One value for many along `axes`, which stay at extent 1 if `keep`.
    pub fn reduce(
        &mut self,
        name: impl Into<String>,
        op: ReduceOp,
        x: NodeId,
        axes: &[usize],
        keep: bool,
    ) -> Result<NodeId> {
        let axes = axes.to_vec();
        self.layer(name, Op::Reduce { op, axes, keep }, &[x])
    }

    /// Axes in another order: axis `i` of the result is axis `perm[i]` of the operand.
    pub fn transpose(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        perm: &[usize],
    ) -> Result<NodeId> {
        let perm = perm.to_vec();
        self.layer(name, Op::Transpose { perm }, &[x])
    }

    /// Chosen indices of an axis.
    pub fn index_select(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        indices: &[usize],
    ) -> Result<NodeId> {
        let indices = indices.to_vec();
        self.layer(name, Op::IndexSelect { axis, indices }, &[x])
    }

    /// Numpy's `broadcast_to`.
    pub fn expand(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        shape: &[usize],
    ) -> Result<NodeId> {
        let shape = shape.to_vec();
        self.layer(name, Op::Expand { shape }, &[x])
    }

    /// A value carried from inference to inference, `init` at first; [`GraphBuilder::update`] says what it becomes.
    pub fn state(
        &mut self,
        name: impl Into<String>,
        init: impl Into<Arc<Tensor>>,
    ) -> Result<NodeId> {
        self.layer(name, Op::State { init: init.into() }, &[])
    }

    /// Declares the value a state has in the next inference.
    pub fn update(&mut self, state: NodeId, value: NodeId) -> Result<()> {
        let fail = |layer: &str, problem: String| {
            Err(CompileError::Dangling {
                layer: layer.to_owned(),
                operand: 0,
                problem,
            })
        };
        let Some(node) = self.graph.get(state) else {
            return fail("update", format!("{state} is not a node of this graph"));
        };
        if !matches!(node.op, Op::State { .. }) {
            return fail(&node.name, "only a state can be updated".to_owned());
        }
        if self.graph.get(value).is_none() {
            return fail(&node.name, format!("{value} is not a node of this graph"));
        }
        if self.graph.updates.contains_key(&state) {
            return fail(&node.name, "the state has an update already".to_owned());
        }
        infer::check_update(&self.graph, state, value)?;
        self.graph.updates.insert(state, value);
        let mut dims = DataDims::new(&self.graph, &self.runtime);
        match dims
            .enter_update(state, value)
            .map(|()| dims.into_decisions())
        {
            Ok(decisions) => {
                self.decide(decisions);
                Ok(())
            }
            Err(error) => {
                self.graph.updates.remove(&state);
                Err(error)
            }
        }
    }

    /// A recurrence along `axis`: the operands without that axis feed the body; one node per output of the body comes back.
    pub fn scan(
        &mut self,
        name: impl Into<String>,
        body: impl Into<Arc<Graph>>,
        axis: usize,
        reverse: bool,
        operands: &[NodeId],
    ) -> Result<Vec<NodeId>> {
        let (name, body) = (name.into(), body.into());
        let count = body.outputs.len();
        (0..count)
            .map(|output| {
                let name = if count == 1 {
                    name.clone()
                } else {
                    format!("{name}.{output}")
                };
                let body = Arc::clone(&body);
                let op = Op::Scan {
                    body,
                    axis,
                    reverse,
                    output,
                };
                self.layer(name, op, operands)
            })
            .collect()
    }

    /// Causal convolution over the last axis; `weight` is `[out, in / groups, taps]`.
    pub fn conv1d(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        weight: impl Into<Arc<Tensor>>,
        bias: Option<Arc<Tensor>>,
        dilation: usize,
        groups: usize,
    ) -> Result<NodeId> {
        self.layer(
            name,
            Op::Conv1d {
                weight: weight.into(),
                bias,
                dilation,
                groups,
                fp8: false,
            },
            &[x],
        )
    }

    /// Joins operands along an axis.
    pub fn concat(
        &mut self,
        name: impl Into<String>,
        operands: &[NodeId],
        axis: usize,
    ) -> Result<NodeId> {
        self.layer(name, Op::Concat { axis }, operands)
    }

    /// `start..end` of an axis.
    pub fn slice(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        axis: usize,
        start: usize,
        end: usize,
    ) -> Result<NodeId> {
        self.layer(name, Op::Slice { axis, start, end }, &[x])
    }

    /// Same elements in the same order, other extents.
    pub fn reshape(
        &mut self,
        name: impl Into<String>,
        x: NodeId,
        shape: &[usize],
    ) -> Result<NodeId> {
        self.layer(
            name,
            Op::Reshape {
                shape: shape.to_vec(),
            },
            &[x],
        )
    }

    /// The operand `steps` inferences ago.
    pub fn delay(&mut self, name: impl Into<String>, x: NodeId, steps: usize) -> Result<NodeId> {
        self.layer(name, Op::Delay { steps }, &[x])
    }

    /// Adds any layer but an input.
    pub fn layer(
        &mut self,
        name: impl Into<String>,
        op: Op,
        operands: &[NodeId],
    ) -> Result<NodeId> {
        let name = name.into();
        let mut known = Vec::with_capacity(operands.len());
        for (operand, &id) in operands.iter().enumerate() {
            let node = self.graph.get(id).ok_or_else(|| CompileError::Dangling {
                layer: name.clone(),
                operand,
                problem: format!("{id} is not a node of this graph"),
            })?;
            known.push((node.name.as_str(), node.ty.shape.as_slice()));
        }
        let shape = infer::shape(&name, &op, &known)?;
        let mut op = op;
        if self.fp8_weights {
            op.store_fp8();
        }
        let runtime = infer::is_runtime(&op, operands.iter().map(|o| self.runtime[o.index()]));
        if runtime {
            needs_an_axis(&name, &op, &shape)?;
        }
        let id = self.push(name, op, operands.to_vec(), shape, runtime);
        let mut dims = DataDims::new(&self.graph, &self.runtime);
        match dims.enter(id).map(|()| dims.into_decisions()) {
            Ok(decisions) => {
                self.decide(decisions);
                Ok(id)
            }
            Err(error) => {
                self.graph.remove(id);
                self.runtime.pop();
                Err(error)
            }
        }
    }

    /// Packs a value along `axis`, where that is still open: front ends that choose between forms of a layer by it decide it so.
    pub fn pack(&mut self, id: NodeId, axis: usize) -> Result<()> {
        let Some(node) = self.graph.get(id) else {
            return Err(CompileError::Dangling {
                layer: "pack".to_owned(),
                operand: 0,
                problem: format!("{id} is not a node of this graph"),
            });
        };
        if axis >= node.ty.shape.len() {
            return Err(CompileError::Shape {
                layer: node.name.clone(),
                op: node.op.name(),
                operands: format!("{} {:?}", node.name, node.ty.shape),
                problem: format!("axis {axis} does not exist"),
            });
        }
        if !self.runtime[id.index()] {
            return Ok(());
        }
        let mut dims = DataDims::new(&self.graph, &self.runtime);
        dims.settle(id, axis)?;
        let decisions = dims.into_decisions();
        self.decide(decisions);
        Ok(())
    }

    /// Declares the next output; the same node may be declared twice.
    pub fn output(&mut self, id: NodeId) -> &mut Self {
        self.graph.outputs.push(id);
        self
    }

    /// Settles what is open and verifies the graph.
    pub fn finish(mut self) -> Result<Graph> {
        for id in self.graph.nodes_topological()? {
            let node = self.graph.node(id);
            infer::check_extents(&node.name, &node.op, "its result", &node.ty.shape)?;
            if !self.runtime[id.index()] || node.ty.data_dim.is_some() {
                continue;
            }
            needs_an_axis(&node.name, &node.op, &node.ty.shape)?;
            let mut first_error = None;
            let settled = (0..node.ty.shape.len()).rev().find_map(|axis| {
                let mut dims = DataDims::new(&self.graph, &self.runtime);
                match dims.settle(id, axis) {
                    Ok(()) => Some(dims.into_decisions()),
                    Err(error) => {
                        first_error.get_or_insert(error);
                        None
                    }
                }
            });
            match (settled, first_error) {
                (Some(decisions), _) => self.decide(decisions),
                (None, Some(error)) => return Err(error),
                (None, None) => {
                    return Err(CompileError::Internal(format!("{id} has no axis to pack")));
                }
            }
        }
        self.graph.verify()?;
        Ok(self.graph)
    }

    fn decide(&mut self, decisions: BTreeMap<NodeId, usize>) {
        for (node, axis) in decisions {
            self.graph.node_mut(node).ty.data_dim = Some(axis);
        }
    }

    fn push(
        &mut self,
        name: String,
        op: Op,
        inputs: Vec<NodeId>,
        shape: Vec<usize>,
        runtime: bool,
    ) -> NodeId {
        let ty = TensorType {
            shape,
            data_dim: None,
            precision: self.precision,
        };
        let id = self.graph.add_unchecked(Node {
            name,
            op,
            inputs,
            ty,
        });
        // Nodes are only ever removed right after they were added, so numbers stay dense.
        self.runtime.push(runtime);
        id
    }
}

fn needs_an_axis(layer: &str, op: &Op, shape: &[usize]) -> Result<()> {
    if shape.is_empty() {
        return Err(CompileError::Shape {
            layer: layer.to_owned(),
            op: op.name(),
            operands: format!("{layer} []"),
            problem: "a run-time tensor needs at least one axis; use shape [1] for a scalar"
                .to_owned(),
        });
    }
    Ok(())
}
