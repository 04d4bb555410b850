//! The streaming transform: from a network over whole sequences to one that takes a step per inference.
//!
//! | before                       | after                                                              |
//! |------------------------------|--------------------------------------------------------------------|
//! | a tensor with a time axis    | the same without it                                                |
//! | `conv1d`, k taps, dilation d | `linear` over `[delay((k-1) d)(x), .., delay(d)(x), x]`, a matrix per tap; depthwise ones diagonal |
//! | `scan` along time            | its body, once; the body's states become the network's              |
//! | everything else              | itself, its axes renumbered                                        |
//!
//! **Contract.** Feeding slice i of every input along its streaming axis, i = 0, 1, .., gives slice i of every output of
//! the original along the axis returned for it. Taps before the first step read zero, as the convolution's padding does.
//! **Errors.** `StreamingAxis` where time meets something that needs the whole sequence, a scan from the last step to the first
//! included; `Unsupported` for graphs that already hold state; `Arguments` for a wrong number of axes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder::GraphBuilder;
use super::graph::{Graph, Node};
use super::op::Op;
use super::tensor::Tensor;
use super::types::NodeId;
use crate::error::{CompileError, Result};
use crate::passes::{FoldConstants, Pass};

impl Graph {
    /// Takes away one time axis per input; also returns the time axis each output had.
    pub fn streaming_transform(&self, axes: &[usize]) -> Result<(Self, Vec<usize>)> {
        self.verify()?;
        if axes.len() != self.inputs.len() {
            return Err(CompileError::Arguments {
                graph: self.name.clone(),
                problem: format!(
                    "{} inputs need a streaming axis each, {} given",
                    self.inputs.len(),
                    axes.len()
                ),
            });
        }
        let mut folded = self.clone();
        FoldConstants.run(&mut folded)?;
        let mut transform = Transform {
            old: &folded,
            new: GraphBuilder::new(self.name.clone()),
            done: BTreeMap::new(),
            constants: BTreeMap::new(),
            delays: BTreeMap::new(),
            scans: vec![],
        };
        // The signature first, in its own order, which need not be the order of node numbers.
        for (&id, &axis) in folded.inputs.iter().zip(axes) {
            transform.input(id, axis)?;
        }
        for id in folded.nodes_topological()? {
            transform.layer(id)?;
        }
        let mut output_axes = vec![];
        for &id in &folded.outputs {
            let Some(&(new, axis)) = transform.done.get(&id) else {
                let node = folded.node(id);
                return Err(CompileError::Unsupported {
                    layer: node.name.clone(),
                    op: node.op.name().to_owned(),
                    attribute: "streaming an output that depends on no input".to_owned(),
                    nearest: "returning the constant from the host program".to_owned(),
                });
            };
            transform.new.output(new);
            output_axes.push(axis);
        }
        Ok((transform.new.finish()?, output_axes))
    }
}

struct Transform<'g> {
    old: &'g Graph,
    new: GraphBuilder,
    /// New node and the time axis of the old one.
    done: BTreeMap<NodeId, (NodeId, usize)>,
    /// Constants by the axis they lost.
    constants: BTreeMap<(NodeId, Option<usize>), NodeId>,
    /// Delays of a new node, shared by the layers that read the same past.
    delays: BTreeMap<(NodeId, usize), NodeId>,
    /// Old scans and the new nodes of their bodies' outputs, shared by the scans that run as one.
    scans: Vec<(NodeId, Vec<NodeId>)>,
}

impl Transform<'_> {
    fn input(&mut self, id: NodeId, axis: usize) -> Result<()> {
        let node = self.old.node(id);
        if axis >= node.ty.shape.len() {
            return Err(stop(
                node,
                axis,
                &node.ty.shape,
                "the tensor has no such axis",
            ));
        }
        if node.ty.shape.len() == 1 {
            return Err(stop(
                node,
                axis,
                &node.ty.shape,
                "nothing would be left of the tensor; add a feature axis",
            ));
        }
        self.new.precision(node.ty.precision);
        let new = self
            .new
            .input(node.name.clone(), &without(&node.ty.shape, axis));
        self.done.insert(id, (new, axis));
        Ok(())
    }

    fn layer(&mut self, id: NodeId) -> Result<()> {
        let node = self.old.node(id);
        self.new.precision(node.ty.precision);
        let (op, time) = match &node.op {
            Op::Input { .. } | Op::Constant(_) => return Ok(()),
            Op::Delay { .. } | Op::State { .. } => {
                return Err(CompileError::Unsupported {
                    layer: node.name.clone(),
                    op: node.op.name().to_owned(),
                    attribute: "streaming a graph that already holds state".to_owned(),
                    nearest: "transforming the graph once, before any delay or state is added"
                        .to_owned(),
                });
            }
            Op::Conv1d { .. } => return self.conv1d(id),
            Op::Linear { .. } => {
                let time = self.common_time(node)?;
                if time + 1 == node.ty.shape.len() {
                    let shape = &self.old.node(node.inputs[0]).ty.shape;
                    return Err(stop(
                        node,
                        time,
                        shape,
                        "the layer contracts this axis, it is not a sequence",
                    ));
                }
                (node.op.clone(), time)
            }
            Op::Scan { .. } => return self.scan(id),
            Op::Clamp { .. } | Op::Unary(_) | Op::Pointwise(_) => {
                (node.op.clone(), self.common_time(node)?)
            }
            Op::Reduce { op, axes, keep } => {
                let (_, before) = self.streamed(node.inputs[0])?;
                let (op, keep) = (*op, *keep);
                let gone = axes.iter().filter(|&&axis| axis < before).count();
                let time = if keep { before } else { before - gone };
                let axes = axes
                    .iter()
                    .map(|&axis| self.kept_axis(node, axis, before))
                    .collect::<Result<_>>()?;
                (Op::Reduce { op, axes, keep }, time)
            }
            Op::Transpose { perm } => {
                let (_, before) = self.streamed(node.inputs[0])?;
                let time = perm.iter().position(|&axis| axis == before);
                let left = perm.iter().filter(|&&axis| axis != before);
                let perm = left
                    .map(|&axis| axis - usize::from(axis > before))
                    .collect();
                (Op::Transpose { perm }, time.unwrap_or(before))
            }
            Op::IndexSelect { axis, indices } => {
                let time = self.common_time(node)?;
                let axis = self.kept_axis(node, *axis, time)?;
                let indices = indices.clone();
                (Op::IndexSelect { axis, indices }, time)
            }
            Op::Expand { shape } => {
                let from = &self.old.node(node.inputs[0]).ty.shape;
                let (_, before) = self.streamed(node.inputs[0])?;
                let time = before + shape.len() - from.len();
                if from[before] != shape[time] {
                    let problem = format!("expanding to {shape:?} repeats one step");
                    return Err(stop(node, before, from, &problem));
                }
                let shape = without(shape, time);
                (Op::Expand { shape }, time)
            }
            Op::Concat { axis } => {
                let time = self.common_time(node)?;
                (
                    Op::Concat {
                        axis: self.kept_axis(node, *axis, time)?,
                    },
                    time,
                )
            }
            Op::Slice { axis, start, end } => {
                let time = self.common_time(node)?;
                (
                    Op::Slice {
                        axis: self.kept_axis(node, *axis, time)?,
                        start: *start,
                        end: *end,
                    },
                    time,
                )
            }
            Op::Reshape { shape } => {
                let from = &self.old.node(node.inputs[0]).ty.shape;
                let (_, before) = self.streamed(node.inputs[0])?;
                let Some(time) = same_axis(from, before, shape) else {
                    let problem = format!("reshaping to {shape:?} does not keep this axis apart");
                    return Err(stop(node, before, from, &problem));
                };
                (
                    Op::Reshape {
                        shape: without(shape, time),
                    },
                    time,
                )
            }
        };
        let operands = node
            .inputs
            .iter()
            .map(|&i| self.operand(node, i, time))
            .collect::<Result<Vec<_>>>()?;
        let new = self.new.layer(node.name.clone(), op, &operands)?;
        self.done.insert(id, (new, time));
        Ok(())
    }

    fn conv1d(&mut self, id: NodeId) -> Result<()> {
        let node = self.old.node(id);
        let Op::Conv1d {
            weight,
            bias,
            dilation,
            groups,
            fp8,
        } = &node.op
        else {
            return Err(CompileError::Internal(format!("{id} is not a convolution")));
        };
        let (x, time) = self.streamed(node.inputs[0])?;
        let shape = &self.old.node(node.inputs[0]).ty.shape;
        if time + 1 != shape.len() {
            let problem = format!(
                "the convolution runs along axis {}; stream that one",
                shape.len() - 1
            );
            return Err(stop(node, time, shape, &problem));
        }
        let taps = weight.shape[2];
        let mut terms = Vec::with_capacity(taps);
        for tap in 0..taps {
            let matrix = Arc::new(tap_matrix(weight, tap, *groups));
            let Some(steps) = (taps - 1 - tap).checked_mul(*dilation) else {
                let problem =
                    format!("{taps} taps {dilation} apart reach back further than can be counted");
                return Err(stop(node, time, shape, &problem));
            };
            terms.push((self.delayed(&node.name, x, steps)?, matrix));
        }
        self.new.fp8_weights(*fp8);
        let new = self
            .new
            .linear_sum(node.name.clone(), terms, bias.clone())?;
        self.new.fp8_weights(false);
        self.done.insert(id, (new, time));
        Ok(())
    }

    /// The body of a scan along time, once; the scan itself is the loop that streaming takes away.
    fn scan(&mut self, id: NodeId) -> Result<()> {
        let node = self.old.node(id);
        let Op::Scan {
            body,
            axis,
            reverse,
            output,
        } = &node.op
        else {
            return Err(CompileError::Internal(format!("{id} is not a scan")));
        };
        let twin = self.scans.iter().find(|(other, _)| {
            let other = self.old.node(*other);
            other.inputs == node.inputs && other.op.runs_with(&node.op)
        });
        if let Some((_, outputs)) = twin {
            self.done.insert(id, (outputs[*output], *axis));
            return Ok(());
        }
        let mut operands = vec![];
        for &operand in &node.inputs {
            let old = self.old.node(operand);
            if let Op::Constant(value) = &old.op {
                if value.shape[*axis] != 1 {
                    let problem = "the constant differs from step to step";
                    return Err(stop(old, *axis, &value.shape, problem));
                }
                let step = value.step(*axis, 0);
                operands.push(self.new.constant(old.name.clone(), step)?);
                continue;
            }
            let (new, time) = self.streamed(operand)?;
            if time != *axis {
                let problem = format!("the scan runs along axis {axis}; stream that one");
                return Err(stop(node, time, &old.ty.shape, &problem));
            }
            operands.push(new);
        }
        if *reverse {
            let problem = "the scan starts from the last step, which comes last; a scan from the first step can be streamed";
            return Err(stop(node, *axis, &node.ty.shape, problem));
        }
        let outputs = inline(&mut self.new, body, &node.name, &operands)?;
        self.done.insert(id, (outputs[*output], *axis));
        self.scans.push((id, outputs));
        Ok(())
    }

    fn delayed(&mut self, layer: &str, x: NodeId, steps: usize) -> Result<NodeId> {
        if steps == 0 {
            return Ok(x);
        }
        if let Some(&known) = self.delays.get(&(x, steps)) {
            return Ok(known);
        }
        // A past value has the format of the value, not of the layer that reads it.
        let (reader, value) = (
            self.new.current_precision(),
            self.new.graph().node(x).ty.precision,
        );
        self.new.precision(value);
        let new = self.new.delay(format!("{layer}.delay{steps}"), x, steps)?;
        self.new.precision(reader);
        self.delays.insert((x, steps), new);
        Ok(new)
    }

    /// The new node and time axis of a run-time operand.
    fn streamed(&self, id: NodeId) -> Result<(NodeId, usize)> {
        let known = self.done.get(&id).copied();
        known.ok_or_else(|| {
            CompileError::Internal(format!("{id} has no streaming axis and is not a constant"))
        })
    }

    /// The time axis of a layer's result, which all its run-time operands must share, in number and length.
    fn common_time(&self, node: &Node) -> Result<usize> {
        let mut common: Option<(usize, usize, NodeId)> = None;
        for &id in &node.inputs {
            let operand = self.old.node(id);
            if matches!(operand.op, Op::Constant(_)) {
                continue;
            }
            let (_, axis) = self.streamed(id)?;
            let (time, length) = (
                axis + node.ty.shape.len() - operand.ty.shape.len(),
                operand.ty.shape[axis],
            );
            match common {
                Some((t, l, first)) if (t, l) != (time, length) => {
                    let other = self.old.node(first);
                    let problem = format!(
                        "'{}' runs over time there, '{}' {:?} does not, or not for as long",
                        operand.name, other.name, other.ty.shape
                    );
                    return Err(stop(node, axis, &operand.ty.shape, &problem));
                }
                _ => common = Some((time, length, id)),
            }
        }
        let found = common.map(|(time, ..)| time);
        found.ok_or_else(|| {
            CompileError::Internal(format!("layer '{}' has constant operands only", node.name))
        })
    }

    fn kept_axis(&self, node: &Node, axis: usize, time: usize) -> Result<usize> {
        if axis == time {
            let problem = "one step cannot reach other steps through concatenation, slicing or reduction; use a convolution or a scan";
            return Err(stop(
                node,
                time,
                &self.old.node(node.inputs[0]).ty.shape,
                problem,
            ));
        }
        Ok(axis - usize::from(axis > time))
    }

    /// An operand of a layer whose result has its time axis at `time`.
    fn operand(&mut self, node: &Node, id: NodeId, time: usize) -> Result<NodeId> {
        let operand = self.old.node(id);
        let Op::Constant(value) = &operand.op else {
            return Ok(self.streamed(id)?.0);
        };
        let drop = (time + value.rank()).checked_sub(node.ty.shape.len());
        if let Some(axis) = drop.filter(|&axis| value.shape[axis] != 1) {
            let problem = format!(
                "'{}' reads the constant, which differs from step to step",
                node.name
            );
            return Err(stop(operand, axis, &value.shape, &problem));
        }
        if let Some(&known) = self.constants.get(&(id, drop)) {
            return Ok(known);
        }
        let shape = drop.map_or(value.shape.clone(), |axis| without(&value.shape, axis));
        let stripped = if shape == value.shape {
            Arc::clone(value)
        } else {
            Arc::new(Tensor::new(shape, value.data.clone())?)
        };
        let new = self.new.constant(operand.name.clone(), stripped)?;
        self.constants.insert((id, drop), new);
        Ok(new)
    }
}

/// Adds the layers of `body`, reading `operands` for its inputs; its outputs come back.
fn inline(
    g: &mut GraphBuilder,
    body: &Graph,
    scan: &str,
    operands: &[NodeId],
) -> Result<Vec<NodeId>> {
    let mut done: BTreeMap<NodeId, NodeId> = BTreeMap::new();
    for id in body.nodes_topological()? {
        let node = body.node(id);
        let new = if let Op::Input { index } = node.op {
            operands[index]
        } else {
            let inputs: Vec<_> = node.inputs.iter().map(|i| done[i]).collect();
            g.precision(node.ty.precision);
            g.layer(format!("{scan}.{}", node.name), node.op.clone(), &inputs)?
        };
        done.insert(id, new);
    }
    for (state, value) in &body.updates {
        g.update(done[state], done[value])?;
    }
    Ok(body.outputs.iter().map(|id| done[id]).collect())
}

/// `[out, in]` of one tap; depthwise weights stand on the diagonal.
pub(crate) fn tap_matrix(weight: &Tensor, tap: usize, groups: usize) -> Tensor {
    let (out, per_group, taps) = (weight.shape[0], weight.shape[1], weight.shape[2]);
    if groups == 1 {
        return Tensor::from_fn([out, per_group], |i| weight.data[i * taps + tap]);
    }
    Tensor::from_fn([out, out], |i| {
        if i / out == i % out {
            weight.data[(i / out) * taps + tap]
        } else {
            0.0
        }
    })
}

fn without(shape: &[usize], axis: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    shape.remove(axis);
    shape
}

/// Where an axis stands after a reshape that leaves it and everything around it apart.
fn same_axis(from: &[usize], axis: usize, to: &[usize]) -> Option<usize> {
    let key = |s: &[usize], a: usize| (s[..a].iter().product::<usize>(), s[a]);
    (0..to.len()).find(|&a| key(to, a) == key(from, axis))
}

fn stop(node: &Node, axis: usize, shape: &[usize], problem: &str) -> CompileError {
    CompileError::StreamingAxis {
        layer: node.name.clone(),
        axis,
        shape: shape.to_vec(),
        problem: problem.to_owned(),
    }
}
