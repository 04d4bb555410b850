//! Shapes and data dimensions of every operation, in one place.
//!
//! A shape follows from the operands alone. A data dimension may follow from a *user*: an input is packed along whatever
//! axis its readers contract, so a decision spreads both ways over the graph until everything touched agrees.
//!
//! | where several axes would do       | taken, unless another is asked for                       |
//! |-----------------------------------|----------------------------------------------------------|
//! | reshape, extent-1 neighbours      | the axis of the same extent, else the leftmost           |
//! | reduction that drops the axis     | the last axis left                                       |
//!
//! **Contract.** [`shape`] is total: any operands give a shape without zero extents or a typed error. [`DataDims`] changes
//! nothing until it is asked for its decisions, so a failed attempt leaves no trace. A state and its update share a data dimension.
//! **Errors.** `Shape`, `DataDim`, `ZeroSized`, `Unsupported`, naming the layers on both sides.
//! **Source.** The rules of the public interface this project is compatible with (one data dimension per run-time tensor).

use std::collections::BTreeMap;

use super::graph::Graph;
use super::op::Op;
use super::tensor::{checked_count, strides};
use super::types::NodeId;
use crate::error::{CompileError, Result};

/// Largest tensor, in values; far beyond any machine, and small enough for every product here to fit.
const MAX_VALUES: usize = 1 << 31;

/// Longest delay, in inferences.
pub(super) const MAX_DELAY: usize = 1 << 20;

/// An operand as messages show it.
pub(super) type Operand<'a> = (&'a str, &'a [usize]);

/// The error for shapes that do not go together: names every operand and every weight with its shape.
fn shape_error(
    layer: &str,
    op: &Op,
    operands: &[Operand<'_>],
    problem: impl Into<String>,
) -> CompileError {
    let mut parts: Vec<String> = operands
        .iter()
        .map(|(name, shape)| format!("{name} {shape:?}"))
        .collect();
    parts.extend(
        op.tensors()
            .iter()
            .map(|(name, t)| format!("{layer}.{} {:?}", name.trim(), t.shape)),
    );
    if let Op::Scan { body, .. } = op {
        parts.extend(body.inputs.iter().filter_map(|&id| {
            let node = body.get(id)?;
            Some(format!("{}.{} {:?}", body.name, node.name, node.ty.shape))
        }));
    }
    CompileError::Shape {
        layer: layer.to_owned(),
        op: op.name(),
        operands: parts.join(", "),
        problem: problem.into(),
    }
}

/// The shape `op` produces from operands of these shapes.
pub(super) fn shape(layer: &str, op: &Op, operands: &[Operand<'_>]) -> Result<Vec<usize>> {
    let fail = |problem: String| Err(shape_error(layer, op, operands, problem));
    for (tensor, value) in op.tensors() {
        if !value.is_consistent() {
            return Err(CompileError::TensorLength {
                shape: value.shape.clone(),
                expected: checked_count(&value.shape).unwrap_or(usize::MAX),
                found: value.data.len(),
            });
        }
        check_extents(layer, op, tensor.trim(), &value.shape)?;
    }
    for (name, shape) in operands {
        check_extents(layer, op, &format!("operand '{name}'"), shape)?;
    }
    let arity = match op {
        Op::Input { .. } | Op::Constant(_) | Op::State { .. } => 0,
        Op::Scan { body, .. } => body.inputs.len(),
        Op::Linear { weights, .. } => weights.len().max(1),
        Op::Pointwise(_) => 2,
        Op::Concat { .. } => operands.len().max(1),
        _ => 1,
    };
    if operands.len() != arity {
        return fail(format!("needs {arity} operand(s), has {}", operands.len()));
    }
    let shape = match op {
        Op::Input { .. } => {
            return fail("the shape of an input is declared, not inferred".to_owned());
        }
        Op::Constant(value) | Op::State { init: value } => value.shape.clone(),
        Op::Linear { weights, bias, .. } => {
            let mut out: Option<Vec<usize>> = None;
            for ((name, x), w) in operands.iter().zip(weights) {
                let (&[rows, columns], Some((&last, leading))) = (&w.shape[..], x.split_last())
                else {
                    return fail(format!(
                        "operand '{name}' needs at least one axis and a weight of shape [out, in]"
                    ));
                };
                if columns != last {
                    return fail(format!(
                        "the last axis of '{name}' is {last}, the weight expects {columns}"
                    ));
                }
                let y: Vec<usize> = leading.iter().copied().chain([rows]).collect();
                if out.as_ref().is_some_and(|o| *o != y) {
                    return fail(format!(
                        "operand '{name}' gives {y:?}, the ones before it {:?}",
                        out.unwrap_or_default()
                    ));
                }
                out = Some(y);
            }
            let Some(out) = out else {
                return fail("needs one weight per operand".to_owned());
            };
            check_bias(
                layer,
                op,
                operands,
                bias.as_deref().map(|b| &b.shape[..]),
                out[out.len() - 1],
            )?;
            out
        }
        Op::Clamp { min, max } => {
            for (tensor, value) in [("min", *min), ("max", *max)] {
                if value.is_nan() {
                    let (layer, tensor) = (layer.to_owned(), tensor.to_owned());
                    return Err(CompileError::NonFinite {
                        layer,
                        tensor,
                        index: vec![],
                        value,
                    });
                }
            }
            operands[0].1.to_vec()
        }
        Op::Delay { steps: 0 } => {
            return fail("a delay of 0 steps is no delay; use the operand itself".to_owned());
        }
        Op::Delay { steps } if *steps > MAX_DELAY => {
            return fail(format!(
                "a delay of {steps} steps is longer than {MAX_DELAY}"
            ));
        }
        Op::Delay { .. } | Op::Unary(_) => operands[0].1.to_vec(),
        Op::Pointwise(_) => match broadcast(operands[0].1, operands[1].1) {
            Some(shape) => shape,
            None => {
                return fail("extents must be equal or 1, counted from the last axis".to_owned());
            }
        },
        Op::Conv1d {
            weight,
            bias,
            dilation,
            groups,
            ..
        } => {
            let (leading, channels, length) = match *operands[0].1 {
                [c, t] => (None, c, t),
                [n, c, t] => (Some(n), c, t),
                _ => {
                    return fail(
                        "the operand must be [channels, time] or [batch, channels, time]"
                            .to_owned(),
                    );
                }
            };
            let &[out, per_group, _] = &weight.shape[..] else {
                return fail("the weight must be [out, in / groups, taps]".to_owned());
            };
            if *dilation == 0 {
                return fail("dilation must be at least 1, is 0".to_owned());
            }
            if *groups != 1 && !(*groups == channels && *groups == out) {
                return Err(CompileError::Unsupported {
                    layer: layer.to_owned(),
                    op: op.name().to_owned(),
                    attribute: format!("groups={groups} with {channels} channels in and {out} out"),
                    nearest: format!(
                        "groups=1, or groups={channels} with as many channels out (depthwise)"
                    ),
                });
            }
            if per_group * groups != channels {
                return fail(format!(
                    "the weight expects {} channels, the operand has {channels}",
                    per_group * groups
                ));
            }
            check_bias(
                layer,
                op,
                operands,
                bias.as_deref().map(|b| &b.shape[..]),
                out,
            )?;
            leading.into_iter().chain([out, length]).collect()
        }
        Op::Concat { axis } => {
            let mut out = operands[0].1.to_vec();
            if *axis >= out.len() {
                return fail(format!(
                    "axis {axis} does not exist, the rank is {}",
                    out.len()
                ));
            }
            for (name, shape) in &operands[1..] {
                let agrees = shape.len() == out.len()
                    && (0..out.len()).all(|a| a == *axis || shape[a] == out[a]);
                if !agrees {
                    return fail(format!(
                        "'{name}' must agree with '{}' on every axis but {axis}",
                        operands[0].0
                    ));
                }
                out[*axis] += shape[*axis];
            }
            out
        }
        Op::Slice { axis, start, end } => {
            let mut out = operands[0].1.to_vec();
            match out.get_mut(*axis) {
                Some(extent) if start < end && *end <= *extent => *extent = end - start,
                Some(extent) => {
                    return fail(format!(
                        "{start}..{end} is empty or outside of axis {axis}, 0..{extent}"
                    ));
                }
                None => {
                    return fail(format!(
                        "axis {axis} does not exist, the rank is {}",
                        out.len()
                    ));
                }
            }
            out
        }
        Op::Reshape { shape } => {
            if checked_count(shape) != checked_count(operands[0].1) {
                return fail(format!(
                    "{shape:?} does not hold as many values as the operand"
                ));
            }
            shape.clone()
        }
        Op::Reduce { axes, keep, .. } => {
            let mut out = operands[0].1.to_vec();
            let ascending = axes.windows(2).all(|pair| pair[0] < pair[1]);
            if axes.is_empty() || !ascending || axes.iter().any(|&a| a >= out.len()) {
                return fail(format!(
                    "the axes {axes:?} must be ascending and among the operand's, 0..{}",
                    out.len()
                ));
            }
            for &axis in axes.iter().rev() {
                if *keep {
                    out[axis] = 1;
                } else {
                    out.remove(axis);
                }
            }
            out
        }
        Op::Transpose { perm } => {
            let from = operands[0].1;
            let mut sorted = perm.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..from.len()) {
                return fail(format!(
                    "{perm:?} must name every axis of the operand once, 0..{}",
                    from.len()
                ));
            }
            perm.iter().map(|&axis| from[axis]).collect()
        }
        Op::IndexSelect { axis, indices } => {
            let mut out = operands[0].1.to_vec();
            let Some(extent) = out.get_mut(*axis) else {
                return fail(format!(
                    "axis {axis} does not exist, the rank is {}",
                    out.len()
                ));
            };
            if let Some(outside) = indices.iter().find(|&i| i >= extent) {
                return fail(format!(
                    "index {outside} is outside of axis {axis}, 0..{extent}"
                ));
            }
            *extent = indices.len();
            out
        }
        Op::Expand { shape } => {
            if broadcast(operands[0].1, shape).as_ref() != Some(shape) {
                return fail(format!(
                    "extents must be those of {shape:?} or 1, counted from the last axis"
                ));
            }
            shape.clone()
        }
        Op::Scan {
            body, axis, output, ..
        } => {
            body.verify()?;
            let Some(&out) = body.outputs.get(*output) else {
                return fail(format!(
                    "output {output} of the body does not exist, it has {}",
                    body.outputs.len()
                ));
            };
            let mut steps = None;
            for (&input, (name, shape)) in body.inputs.iter().zip(operands) {
                let mut step = shape.to_vec();
                let Some(extent) = (*axis < step.len()).then(|| step.remove(*axis)) else {
                    return fail(format!("'{name}' has no axis {axis} to run along"));
                };
                let declared = body.node(input);
                if step != declared.ty.shape {
                    return fail(format!(
                        "a step of '{name}' is {step:?}, '{}' of the body expects {:?}",
                        declared.name, declared.ty.shape
                    ));
                }
                if steps.is_some_and(|steps| steps != extent) {
                    return fail(format!(
                        "'{name}' has {extent} steps, the operands before it do not"
                    ));
                }
                steps = Some(extent);
            }
            let mut shape = body.node(out).ty.shape.clone();
            if *axis > shape.len() || body.node(out).ty.data_dim.is_none() {
                return fail(format!(
                    "output {output} of the body, {shape:?}, must depend on its inputs or states and have {axis} axes or more"
                ));
            }
            shape.insert(*axis, steps.unwrap_or(0));
            shape
        }
    };
    check_extents(layer, op, "its result", &shape)?;
    Ok(shape)
}

/// Zero-element tensors are refused everywhere, and so are extents that do not multiply.
pub(super) fn check_extents(layer: &str, op: &Op, tensor: &str, shape: &[usize]) -> Result<()> {
    if shape.contains(&0) {
        return Err(CompileError::ZeroSized {
            layer: layer.to_owned(),
            tensor: tensor.to_owned(),
            shape: shape.to_vec(),
        });
    }
    if checked_count(shape).is_none_or(|count| count > MAX_VALUES) {
        let problem = format!("{tensor} holds more than {MAX_VALUES} values");
        return Err(shape_error(layer, op, &[(tensor, shape)], problem));
    }
    Ok(())
}

fn check_bias(
    layer: &str,
    op: &Op,
    operands: &[Operand<'_>],
    bias: Option<&[usize]>,
    out: usize,
) -> Result<()> {
    match bias {
        Some(shape) if shape != [out] => Err(shape_error(
            layer,
            op,
            operands,
            format!("the bias must have shape [{out}]"),
        )),
        _ => Ok(()),
    }
}

/// Numpy's rule: right-aligned, extents equal or 1.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let extent = |s: &[usize], axis: usize| (axis + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, x) | (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}

/// Axes of a reshape's other side with the same stride, the one to take first.
fn same_stride(from: &[usize], axis: usize, to: &[usize]) -> Vec<usize> {
    let stride = strides(from)[axis];
    let of = strides(to);
    let mut axes: Vec<usize> = (0..to.len()).filter(|&a| of[a] == stride).collect();
    // Stable: the leftmost stays first among equals.
    axes.sort_by_key(|&a| to[a] != from[axis]);
    axes
}

/// The axis at which an operation pins its operands and its result, if it does.
fn pinned(op: &Op, rank: usize) -> Option<usize> {
    match op {
        Op::Linear { .. } => rank.checked_sub(1),
        Op::Conv1d { .. } => rank.checked_sub(2),
        Op::Scan {
            body, axis, output, ..
        } => stacked(body, *body.outputs.get(*output)?, *axis),
        _ => None,
    }
}

/// Where the data dimension of a body's node stands once the scan's axis is there.
fn stacked(body: &Graph, id: NodeId, axis: usize) -> Option<usize> {
    let inner = body.get(id)?.ty.data_dim?;
    Some(inner + usize::from(inner >= axis))
}

/// The axes at which `user` pins this operand: one for every place it is read in, none if it does not.
fn pins(graph: &Graph, user: NodeId, operand: NodeId) -> Vec<usize> {
    let node = graph.node(user);
    match &node.op {
        Op::Scan { body, axis, .. } => {
            let places = node.inputs.iter().zip(&body.inputs);
            let here = places.filter(|(i, _)| **i == operand);
            here.filter_map(|(_, &input)| stacked(body, input, *axis))
                .collect()
        }
        op => pinned(op, node.ty.shape.len()).into_iter().collect(),
    }
}

/// Spreads data-dimension decisions over a graph that is being built.
pub(super) struct DataDims<'g> {
    graph: &'g Graph,
    runtime: &'g [bool],
    decided: BTreeMap<NodeId, usize>,
}

impl<'g> DataDims<'g> {
    /// `runtime[i]` says whether node `i` has a data dimension at all.
    pub(super) fn new(graph: &'g Graph, runtime: &'g [bool]) -> Self {
        Self {
            graph,
            runtime,
            decided: BTreeMap::new(),
        }
    }

    /// What is known about a node.
    pub(super) fn get(&self, id: NodeId) -> Option<usize> {
        self.decided
            .get(&id)
            .copied()
            .or(self.graph.node(id).ty.data_dim)
    }

    /// The new decisions.
    pub(super) fn into_decisions(self) -> BTreeMap<NodeId, usize> {
        self.decided
    }

    /// Takes in a node that was just added: what it pins, or what its operands already say.
    pub(super) fn enter(&mut self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id);
        if !self.runtime[id.index()] {
            return Ok(());
        }
        if let Some(axis) = pinned(&node.op, node.ty.shape.len()) {
            return self.settle(id, axis);
        }
        for &operand in &node.inputs {
            if let (true, Some(axis)) = (self.runtime[operand.index()], self.get(operand)) {
                let axes = forward(self.graph, id, operand, axis)?;
                return self.settle(id, axes[0]);
            }
        }
        Ok(())
    }

    /// Decides a node and everything that follows from it.
    pub(super) fn settle(&mut self, id: NodeId, axis: usize) -> Result<()> {
        let mut work = vec![(id, axis, id)];
        while let Some((id, axis, because)) = work.pop() {
            match self.get(id) {
                Some(known) if known == axis => continue,
                Some(known) => return Err(self.conflict(because, id, known, axis)),
                None => self.decided.insert(id, axis),
            };
            for &operand in self
                .graph
                .node(id)
                .inputs
                .iter()
                .filter(|o| self.runtime[o.index()])
            {
                // Several axes of the operand may lead here; one that is decided stays.
                let fits = |known: &usize| {
                    forward(self.graph, id, operand, *known).is_ok_and(|out| out.contains(&axis))
                };
                let wanted = match self.get(operand).filter(fits) {
                    Some(known) => known,
                    None => backward(self.graph, id, operand, axis)?,
                };
                work.push((operand, wanted, id));
            }
            for user in self
                .graph
                .users(id)
                .into_iter()
                .filter(|u| self.runtime[u.index()])
            {
                let leads_to = forward(self.graph, user, id, axis)?;
                let known = self.get(user).filter(|known| leads_to.contains(known));
                work.push((user, known.unwrap_or(leads_to[0]), user));
            }
            let other_ends = self.graph.updates.iter().filter_map(|(&state, &value)| {
                let other = if state == id { value } else { state };
                (state == id || value == id).then_some(other)
            });
            for other in other_ends.filter(|o| self.runtime[o.index()]) {
                work.push((other, axis, id));
            }
        }
        Ok(())
    }

    /// Takes in an update that was just declared.
    pub(super) fn enter_update(&mut self, state: NodeId, value: NodeId) -> Result<()> {
        match (self.get(state), self.get(value)) {
            (Some(axis), _) if self.runtime[value.index()] => {
                // The state is decided, so settling it would stop there.
                self.settle(value, axis)
            }
            (None, Some(axis)) => self.settle(state, axis),
            _ => Ok(()),
        }
    }

    fn conflict(&self, because: NodeId, id: NodeId, known: usize, wanted: usize) -> CompileError {
        let name = &self.graph.node(id).name;
        let problem =
            format!("'{name}' is packed along axis {known}, but axis {wanted} is needed here");
        data_dim_error(self.graph, because, problem, |id| self.get(id))
    }
}

fn data_dim_error(
    graph: &Graph,
    layer: NodeId,
    problem: String,
    known: impl Fn(NodeId) -> Option<usize>,
) -> CompileError {
    let node = graph.node(layer);
    let show = |id: &NodeId| {
        let operand = graph.node(*id);
        let axis = known(*id).map_or(String::new(), |axis| format!(" data_dim={axis}"));
        format!("{} {:?}{axis}", operand.name, operand.ty.shape)
    };
    CompileError::DataDim {
        layer: node.name.clone(),
        op: node.op.name(),
        operands: node.inputs.iter().map(show).collect::<Vec<_>>().join(", "),
        problem,
    }
}

/// The data dimensions `user`'s result can have when that of its operand is `axis`: at least one, the one to take first.
fn forward(graph: &Graph, user: NodeId, operand: NodeId, axis: usize) -> Result<Vec<usize>> {
    let (node, from) = (graph.node(user), graph.node(operand));
    let (inner, outer) = (&from.ty.shape, &node.ty.shape);
    match &node.op {
        Op::Pointwise(_) | Op::Expand { .. } => Ok(vec![axis + outer.len() - inner.len()]),
        Op::Reshape { .. } => match same_stride(inner, axis, outer) {
            axes if axes.is_empty() => Err(stride_error(graph, user, operand, axis)),
            axes => Ok(axes),
        },
        Op::Reduce {
            axes, keep: false, ..
        } => match outer.len().checked_sub(1) {
            Some(last) if axes.contains(&axis) => Ok(vec![last]),
            Some(_) => Ok(vec![axis - axes.iter().filter(|&&a| a < axis).count()]),
            None => Err(data_dim_error(
                graph,
                user,
                "no axis is left to pack; keep the axes and reshape to [1]".to_owned(),
                |id| graph.node(id).ty.data_dim,
            )),
        },
        Op::Transpose { perm } => Ok(perm.iter().position(|&p| p == axis).into_iter().collect()),
        op => {
            let other = |pin: &usize| *pin != axis;
            if let Some(pin) = pins(graph, user, operand).into_iter().find(other) {
                let reason = match op {
                    Op::Scan { .. } => format!("the body packs it along axis {pin}"),
                    _ => format!("axis {pin} is contracted"),
                };
                let problem = format!("'{}' is packed along axis {axis}, but {reason}", from.name);
                return Err(data_dim_error(graph, user, problem, |id| {
                    graph.node(id).ty.data_dim
                }));
            }
            // A scan's result has the body's own axis, whatever that of its operands is.
            Ok(vec![pinned(op, outer.len()).unwrap_or(axis)])
        }
    }
}

/// The data dimension `operand` needs for `user`'s result to have `axis`.
fn backward(graph: &Graph, user: NodeId, operand: NodeId, axis: usize) -> Result<usize> {
    let (node, from) = (graph.node(user), graph.node(operand));
    let (inner, outer) = (&from.ty.shape, &node.ty.shape);
    match &node.op {
        Op::Pointwise(_) | Op::Expand { .. } => (axis + inner.len())
            .checked_sub(outer.len())
            .ok_or_else(|| broadcast_error(graph, user, operand, axis)),
        Op::Reshape { .. } => {
            let leads_here = |a: &usize| same_stride(inner, *a, outer).contains(&axis);
            let mut axes: Vec<usize> = (0..inner.len()).filter(leads_here).collect();
            axes.sort_by_key(|&a| inner[a] != outer[axis]);
            let first = axes.first().copied();
            first.ok_or_else(|| stride_error(graph, user, operand, axis))
        }
        Op::Reduce {
            axes, keep: false, ..
        } => {
            let left = (0..inner.len()).filter(|a| !axes.contains(a)).nth(axis);
            left.ok_or_else(|| CompileError::Internal(format!("{user} has no axis {axis}")))
        }
        Op::Transpose { perm } => Ok(perm[axis]),
        _ => Ok(pins(graph, user, operand).first().copied().unwrap_or(axis)),
    }
}

fn broadcast_error(graph: &Graph, user: NodeId, operand: NodeId, axis: usize) -> CompileError {
    let (node, from) = (graph.node(user), graph.node(operand));
    CompileError::Unsupported {
        layer: node.name.clone(),
        op: node.op.name().to_owned(),
        attribute: format!(
            "broadcasting '{}' {:?} to {:?} along axis {axis}, the data dimension,",
            from.name, from.ty.shape, node.ty.shape
        ),
        nearest: "reshaping the operand, so that it has that axis at extent 1".to_owned(),
    }
}

fn stride_error(graph: &Graph, user: NodeId, operand: NodeId, axis: usize) -> CompileError {
    let problem = format!(
        "reshaping '{}' to {:?} changes the stride of axis {axis}, which is packed; keep the extents to its right",
        graph.node(operand).name,
        graph.node(user).ty.shape
    );
    data_dim_error(graph, user, problem, |id| graph.node(id).ty.data_dim)
}

/// Checks a finished node against its operands: the same rules as while building.
pub(super) fn check_data_dim(graph: &Graph, id: NodeId) -> Result<()> {
    let node = graph.node(id);
    let runtime = is_runtime(
        &node.op,
        node.inputs
            .iter()
            .map(|&i| graph.node(i).ty.data_dim.is_some()),
    );
    let Some(axis) = node.ty.data_dim else {
        if runtime {
            return Err(data_dim_error(graph, id, "none is set".to_owned(), |id| {
                graph.node(id).ty.data_dim
            }));
        }
        return Ok(());
    };
    let pin = pinned(&node.op, node.ty.shape.len());
    if !runtime || axis >= node.ty.shape.len() || pin.is_some_and(|p| p != axis) {
        let problem = format!("axis {axis} of {:?} cannot be it", node.ty.shape);
        return Err(data_dim_error(graph, id, problem, |id| {
            graph.node(id).ty.data_dim
        }));
    }
    for &operand in &node.inputs {
        if let Some(inner) = graph.node(operand).ty.data_dim {
            let follows = forward(graph, id, operand, inner)?;
            if !follows.contains(&axis) {
                let name = &graph.node(operand).name;
                let problem = format!("'{name}' makes it axis {}, it is set to {axis}", follows[0]);
                return Err(data_dim_error(graph, id, problem, |id| {
                    graph.node(id).ty.data_dim
                }));
            }
        }
    }
    Ok(())
}

/// A state and what it becomes: same shape, precision and data dimension.
pub(super) fn check_update(graph: &Graph, state: NodeId, value: NodeId) -> Result<()> {
    let (node, next) = (graph.node(state), graph.node(value));
    if node.ty.shape != next.ty.shape {
        let operands = [(next.name.as_str(), next.ty.shape.as_slice())];
        let problem = "a state and its update must have the same shape";
        return Err(shape_error(&node.name, &node.op, &operands, problem));
    }
    if node.ty.precision != next.ty.precision {
        return Err(CompileError::Unsupported {
            layer: node.name.clone(),
            op: node.op.name().to_owned(),
            attribute: format!(
                "{} with an update, '{}', of {}",
                node.ty.precision, next.name, next.ty.precision
            ),
            nearest: "an update of the state's own precision".to_owned(),
        });
    }
    if next
        .ty
        .data_dim
        .is_some_and(|axis| node.ty.data_dim.is_some_and(|own| own != axis))
    {
        let problem = format!(
            "its update '{}' is packed along axis {}, the state along axis {}",
            next.name,
            next.ty.data_dim.unwrap_or_default(),
            node.ty.data_dim.unwrap_or_default()
        );
        return Err(data_dim_error(graph, state, problem, |id| {
            graph.node(id).ty.data_dim
        }));
    }
    Ok(())
}

/// Whether a result is known only at run time. Delays and states always are: they start at something else than they delay.
pub(super) fn is_runtime(op: &Op, mut operands: impl Iterator<Item = bool>) -> bool {
    match op {
        Op::Input { .. } | Op::Delay { .. } | Op::State { .. } => true,
        Op::Constant(_) => false,
        _ => operands.any(|runtime| runtime),
    }
}
