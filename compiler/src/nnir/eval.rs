//! The float reference: what a network means, before any number format of the machine.
//!
//! | value                   | type  | note                                                  |
//! |-------------------------|-------|-------------------------------------------------------|
//! | weights, layer results  | `f32` | not rounded, whatever the precision says, unless [`Evaluator::rounding`] asks |
//! | sums inside a layer     | `f64` | products of two `f32` are exact; rounded once at the end |
//!
//! **Contract.** [`Evaluator::run`] is one inference; only delays and states remember anything; delays start at zero, states at
//! their `init`. A scan starts afresh in every inference. Sums start at the
//! bias and run over taps (or operands) and then channels, so a streamed convolution adds the same terms in the same order.
//! NaN propagates through `clamp`, `max` and `min`.
//! **Errors.** `Arguments` for inputs that do not match the signature; whatever verification finds.
#![expect(
    clippy::cast_possible_truncation,
    reason = "f64 sums are rounded to f32 once, at the end of a layer"
)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::graph::Graph;
use super::op::{Op, PointwiseOp, ReduceOp};
use super::scalar::{pointwise, unary};
use super::tensor::{Tensor, strides};
use super::types::NodeId;
use crate::error::{CompileError, Result};

/// Runs a graph, inference by inference.
#[derive(Clone, Debug)]
pub struct Evaluator<'g> {
    graph: &'g Graph,
    order: Vec<NodeId>,
    /// What is still to come of each delay and state, oldest first.
    state: BTreeMap<NodeId, VecDeque<Arc<Tensor>>>,
    round: Round,
}

/// The rounding of [`Evaluator::rounding`].
type Round = Option<fn(f32) -> f32>;

impl<'g> Evaluator<'g> {
    /// Verifies the graph and sets its state to what it starts from.
    pub fn new(graph: &'g Graph) -> Result<Self> {
        graph.verify()?;
        Ok(Self::of(graph, graph.nodes_topological()?, None))
    }

    /// An evaluator of a graph that is known to verify.
    fn of(graph: &'g Graph, order: Vec<NodeId>, round: Round) -> Self {
        let mut evaluator = Self {
            graph,
            order,
            state: BTreeMap::new(),
            round,
        };
        evaluator.reset();
        evaluator
    }

    /// Rounds every input and every layer's result, to see what a number format alone would cost.
    ///
    /// Weights are the graph's: round them there ([`Graph::map_weights`](super::Graph::map_weights)).
    #[must_use]
    pub fn rounding(mut self, round: fn(f32) -> f32) -> Self {
        self.round = Some(round);
        self
    }

    /// Sets the state back to what it started from.
    pub fn reset(&mut self) {
        self.state.clear();
        for &id in &self.order {
            match &self.graph.node(id).op {
                Op::Delay { steps } => {
                    let zero = Arc::new(Tensor::zeros(self.graph.node(id).ty.shape.clone()));
                    self.state.insert(id, VecDeque::from(vec![zero; *steps]));
                }
                Op::State { init } => {
                    self.state.insert(id, VecDeque::from([Arc::clone(init)]));
                }
                _ => {}
            }
        }
    }

    /// One inference: a tensor per input in, a tensor per output out.
    pub fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        self.check_inputs(inputs)?;
        Ok(self.step(inputs))
    }

    /// One inference with inputs that match the signature.
    fn step(&mut self, inputs: &[Tensor]) -> Vec<Tensor> {
        let mut values: BTreeMap<NodeId, Arc<Tensor>> = BTreeMap::new();
        for &id in &self.order {
            let node = self.graph.node(id);
            let value = match &node.op {
                Op::Input { index } => Arc::new(inputs[*index].clone()),
                Op::Constant(value) => Arc::clone(value),
                Op::Delay { .. } => {
                    let history = self.state.entry(id).or_default();
                    history.push_back(Arc::clone(&values[&node.inputs[0]]));
                    // At least one step is kept, so there always is a front.
                    history.pop_front().unwrap_or_default()
                }
                // Exactly one value is kept, the one of the last inference.
                Op::State { .. } => {
                    let kept = self.state.entry(id).or_default();
                    kept.pop_front().unwrap_or_default()
                }
                op => {
                    let operands: Vec<&Tensor> = node.inputs.iter().map(|i| &*values[i]).collect();
                    Arc::new(apply_rounding(op, &operands, &node.ty.shape, self.round))
                }
            };
            let value = match (self.round, &node.op) {
                (Some(round), op) if !matches!(op, Op::Constant(_)) => Arc::new(Tensor {
                    shape: value.shape.clone(),
                    data: value.data.iter().map(|&x| round(x)).collect(),
                }),
                _ => value,
            };
            values.insert(id, value);
        }
        for (&state, value) in &self.graph.updates {
            self.state
                .insert(state, VecDeque::from([Arc::clone(&values[value])]));
        }
        self.graph
            .outputs
            .iter()
            .map(|id| Tensor::clone(&values[id]))
            .collect()
    }

    fn check_inputs(&self, inputs: &[Tensor]) -> Result<()> {
        let fail = |problem| {
            Err(CompileError::Arguments {
                graph: self.graph.name.clone(),
                problem,
            })
        };
        if inputs.len() != self.graph.inputs.len() {
            return fail(format!(
                "{} inputs expected, {} given",
                self.graph.inputs.len(),
                inputs.len()
            ));
        }
        for (&id, value) in self.graph.inputs.iter().zip(inputs) {
            let node = self.graph.node(id);
            if value.shape != node.ty.shape || !value.is_consistent() {
                let (name, shape) = (&node.name, &node.ty.shape);
                let (given, count) = (&value.shape, value.data.len());
                return fail(format!(
                    "input '{name}' expects {shape:?}, was given {given:?} with {count} values"
                ));
            }
        }
        Ok(())
    }
}

/// The value of a stateless operation; `shape` is the inferred result shape.
///
/// The operands must have passed shape inference.
pub(crate) fn apply(op: &Op, operands: &[&Tensor], shape: &[usize]) -> Tensor {
    apply_rounding(op, operands, shape, None)
}

/// `round` reaches the layers inside a scan.
fn apply_rounding(op: &Op, operands: &[&Tensor], shape: &[usize], round: Round) -> Tensor {
    let data = match op {
        Op::Constant(value) | Op::State { init: value } => value.data.clone(),
        Op::Unary(f) => operands[0].data.iter().map(|&x| unary(*f, x)).collect(),
        Op::Reduce { op, axes, .. } => reduce(*op, operands[0], axes),
        Op::Transpose { perm } => {
            let source = strides(&operands[0].shape);
            let strides: Vec<usize> = perm.iter().map(|&axis| source[axis]).collect();
            gather(operands[0], indices(shape, &strides))
        }
        Op::IndexSelect { axis, indices } => {
            let inner: usize = shape[axis + 1..].iter().product();
            let extent = operands[0].shape[*axis];
            let slab = |at: usize| operands[0].data[at * inner..][..inner].iter().copied();
            (0..shape[..*axis].iter().product())
                .flat_map(|o: usize| indices.iter().map(move |&i| o * extent + i))
                .flat_map(slab)
                .collect()
        }
        Op::Expand { .. } => gather(operands[0], broadcast_indices(&operands[0].shape, shape)),
        Op::Scan {
            body,
            axis,
            reverse,
            output,
        } => return scan(body, *axis, *reverse, *output, operands, shape, round),
        Op::Linear { weights, bias, .. } => linear(weights, bias.as_deref(), operands, shape),
        Op::Clamp { min, max } => operands[0]
            .data
            .iter()
            .map(|&x| clamp(x, *min, *max))
            .collect(),
        Op::Pointwise(op) => {
            let a = broadcast_indices(&operands[0].shape, shape);
            let b = broadcast_indices(&operands[1].shape, shape);
            a.iter()
                .zip(&b)
                .map(|(&a, &b)| pointwise(*op, operands[0].data[a], operands[1].data[b]))
                .collect()
        }
        Op::Conv1d {
            weight,
            bias,
            dilation,
            groups,
            ..
        } => conv1d(
            operands[0],
            weight,
            bias.as_deref(),
            *dilation,
            *groups,
            shape,
        ),
        Op::Concat { axis } => {
            let outer: usize = shape[..*axis].iter().product();
            let mut data = Vec::with_capacity(shape.iter().product());
            for i in 0..outer {
                for operand in operands {
                    let run = operand.data.len() / outer;
                    data.extend_from_slice(&operand.data[i * run..(i + 1) * run]);
                }
            }
            data
        }
        Op::Slice { axis, start, .. } => {
            let source = strides(&operands[0].shape);
            let offset = start * source[*axis];
            let places = indices(shape, &source).into_iter();
            gather(operands[0], places.map(|i| i + offset))
        }
        // An input or a delay has no value of its own; run() supplies it as the operand.
        Op::Input { .. } | Op::Delay { .. } | Op::Reshape { .. } => operands[0].data.clone(),
    };
    Tensor {
        shape: shape.to_vec(),
        data,
    }
}

/// `min(max(x, lo), hi)`, NaN kept.
pub(crate) fn clamp(x: f32, lo: f32, hi: f32) -> f32 {
    let x = if x < lo { lo } else { x };
    if x > hi { hi } else { x }
}

fn gather(x: &Tensor, places: impl IntoIterator<Item = usize>) -> Vec<f32> {
    places.into_iter().map(|i| x.data[i]).collect()
}

fn reduce(op: ReduceOp, x: &Tensor, axes: &[usize]) -> Vec<f32> {
    let source = strides(&x.shape);
    let part = |reduced: bool| {
        let of = (0..x.rank()).filter(|a| axes.contains(a) == reduced);
        let (extents, strides): (Vec<_>, Vec<_>) = of.map(|a| (x.shape[a], source[a])).unzip();
        indices(&extents, &strides)
    };
    let (bases, offsets) = (part(false), part(true));
    let one = |base: usize| {
        let values = offsets.iter().map(|&offset| x.data[base + offset]);
        match op {
            ReduceOp::Sum => values.map(f64::from).sum::<f64>() as f32,
            ReduceOp::Mean => {
                let count = offsets.iter().fold(0.0, |n: f64, _| n + 1.0);
                (values.map(f64::from).sum::<f64>() / count) as f32
            }
            ReduceOp::Max => {
                values.fold(f32::NEG_INFINITY, |a, b| pointwise(PointwiseOp::Max, a, b))
            }
            ReduceOp::Min => values.fold(f32::INFINITY, |a, b| pointwise(PointwiseOp::Min, a, b)),
        }
    };
    bases.into_iter().map(one).collect()
}

/// Runs the body once per step; step t of the result is the body's output for step t, whatever the direction.
fn scan(
    body: &Graph,
    axis: usize,
    reverse: bool,
    output: usize,
    operands: &[&Tensor],
    shape: &[usize],
    round: Round,
) -> Tensor {
    let order = body.nodes_topological().unwrap_or_default();
    let mut steps = Evaluator::of(body, order, round);
    let (count, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    let mut result = Tensor::zeros(shape);
    for at in 0..count {
        let step = if reverse { count - 1 - at } else { at };
        let slices: Vec<Tensor> = operands.iter().map(|x| x.step(axis, step)).collect();
        let value = steps.step(&slices).swap_remove(output);
        for (outer, part) in value.data.chunks_exact(inner).enumerate() {
            result.data[(outer * count + step) * inner..][..inner].copy_from_slice(part);
        }
    }
    result
}

fn linear(
    weights: &[Arc<Tensor>],
    bias: Option<&Tensor>,
    operands: &[&Tensor],
    shape: &[usize],
) -> Vec<f32> {
    let rows = shape[shape.len() - 1];
    let batch: usize = shape[..shape.len() - 1].iter().product();
    let mut data = Vec::with_capacity(batch * rows);
    for item in 0..batch {
        for row in 0..rows {
            let mut sum = bias.map_or(0.0, |b| f64::from(b.data[row]));
            for (w, x) in weights.iter().zip(operands) {
                let columns = w.shape[1];
                let w = &w.data[row * columns..(row + 1) * columns];
                let x = &x.data[item * columns..(item + 1) * columns];
                sum = w
                    .iter()
                    .zip(x)
                    .fold(sum, |sum, (&w, &x)| sum + f64::from(w) * f64::from(x));
            }
            data.push(sum as f32);
        }
    }
    data
}

fn conv1d(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    dilation: usize,
    groups: usize,
    shape: &[usize],
) -> Vec<f32> {
    let (channels_in, length) = (x.shape[x.rank() - 2], x.shape[x.rank() - 1]);
    let (out, per_group, taps) = (weight.shape[0], weight.shape[1], weight.shape[2]);
    let batch: usize = shape[..shape.len() - 2].iter().product();
    let mut data = Vec::with_capacity(batch * out * length);
    for item in 0..batch {
        for o in 0..out {
            let first = if groups == 1 { 0 } else { o };
            for t in 0..length {
                let mut sum = bias.map_or(0.0, |b| f64::from(b.data[o]));
                for j in 0..taps {
                    let Some(at) = (taps - 1 - j)
                        .checked_mul(dilation)
                        .and_then(|back| t.checked_sub(back))
                    else {
                        continue;
                    };
                    for i in 0..per_group {
                        let w = weight.data[(o * per_group + i) * taps + j];
                        let x = x.data[(item * channels_in + first + i) * length + at];
                        sum += f64::from(w) * f64::from(x);
                    }
                }
                data.push(sum as f32);
            }
        }
    }
    data
}

/// Flat source index of every element of `shape`, in order, for these source strides.
fn indices(shape: &[usize], strides: &[usize]) -> Vec<usize> {
    shape
        .iter()
        .zip(strides)
        .fold(vec![0], |base, (&extent, &stride)| {
            base.iter()
                .flat_map(|&b| (0..extent).map(move |i| b + i * stride))
                .collect()
        })
}

/// Flat index into a tensor of shape `from` for every element of its broadcast to `to`.
fn broadcast_indices(from: &[usize], to: &[usize]) -> Vec<usize> {
    let lead = to.len() - from.len();
    let source = strides(from);
    let stride = |axis: usize| {
        axis.checked_sub(lead)
            .filter(|&a| from[a] != 1)
            .map_or(0, |a| source[a])
    };
    indices(to, &(0..to.len()).map(stride).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::GraphBuilder;

    fn one(build: impl FnOnce(&mut GraphBuilder, NodeId) -> Result<NodeId>, x: Tensor) -> Tensor {
        let mut g = GraphBuilder::new("t");
        let input = g.input("x", &x.shape);
        let y = build(&mut g, input).unwrap();
        g.output(y);
        let graph = g.finish().unwrap();
        Evaluator::new(&graph).unwrap().run(&[x]).unwrap().remove(0)
    }

    fn t(shape: &[usize], data: &[f32]) -> Tensor {
        Tensor::new(shape, data.to_vec()).unwrap()
    }

    #[test]
    fn linear_by_hand() {
        let bias = Some(Arc::new(t(&[2], &[10.0, -10.0])));
        let y = one(
            |g, x| g.linear("fc", x, t(&[2, 3], &[1., 2., 3., 4., 5., 6.]), bias),
            t(&[3], &[1., 0., -1.]),
        );
        assert_eq!(y, t(&[2], &[8.0, -12.0]));
    }

    #[test]
    fn linear_accumulates_in_f64() {
        let w = t(&[1, 3], &[1.0e8, 1.0, -1.0e8]);
        assert_eq!(
            one(|g, x| g.linear("fc", x, w, None), t(&[3], &[1.0; 3])).data,
            [1.0]
        );
    }

    #[test]
    fn conv_is_causal_and_dilated() {
        // y[t] = 1 x[t - 2] + 10 x[t]
        let y = one(
            |g, x| g.conv1d("c", x, t(&[1, 1, 2], &[1., 10.]), None, 2, 1),
            t(&[1, 4], &[1., 2., 3., 4.]),
        );
        assert_eq!(y.data, [10.0, 20.0, 31.0, 42.0]);
    }

    #[test]
    fn depthwise_conv_keeps_channels_apart() {
        let w = t(&[2, 1, 2], &[1., 2., 3., 4.]);
        let y = one(
            |g, x| g.conv1d("c", x, w, None, 1, 2),
            t(&[2, 2], &[1., 1., 10., 100.]),
        );
        assert_eq!(y.data, [2.0, 3.0, 40.0, 430.0]);
    }

    #[test]
    fn clamp_follows_torch() {
        let reversed = vec![clamp(5.0, 3.0, 1.0), clamp(-5.0, 3.0, 1.0)];
        assert_eq!(reversed, [1.0, 1.0], "max wins when min > max");
        assert!(clamp(f32::NAN, 0.0, f32::INFINITY).is_nan());
        assert_eq!(
            clamp(-0.0, 0.0, f32::INFINITY).to_bits(),
            (-0.0_f32).to_bits()
        );
    }

    #[test]
    fn slice_concat_reshape_broadcast() {
        let x = Tensor::from_fn([2, 3], |i| u8::try_from(i).unwrap().into());
        assert_eq!(
            one(|g, x| g.slice("s", x, 1, 1, 3), x.clone()),
            t(&[2, 2], &[1., 2., 4., 5.])
        );
        assert_eq!(
            one(|g, x| g.slice("s", x, 0, 1, 2), x.clone()),
            t(&[1, 3], &[3., 4., 5.])
        );
        let joined = one(|g, x| g.concat("c", &[x, x], 1), x.clone());
        assert_eq!(
            joined,
            t(&[2, 6], &[0., 1., 2., 0., 1., 2., 3., 4., 5., 3., 4., 5.])
        );
        assert_eq!(
            one(|g, x| g.reshape("r", x, &[2, 1, 3]), x.clone()).shape,
            [2, 1, 3]
        );
        let column = |g: &mut GraphBuilder, x| {
            let c = g.constant("k", t(&[2, 1], &[10., 20.]))?;
            g.sub("s", x, c)
        };
        assert_eq!(
            one(column, x),
            t(&[2, 3], &[-10., -9., -8., -17., -16., -15.])
        );
    }

    #[test]
    fn reductions_by_hand() {
        let x = t(&[2, 3], &[1., 2., 3., 4., 5., 9.]);
        let of = |op, axes: &[usize], keep| one(|g, x| g.reduce("r", op, x, axes, keep), x.clone());
        assert_eq!(of(ReduceOp::Sum, &[1], false), t(&[2], &[6., 18.]));
        assert_eq!(of(ReduceOp::Mean, &[1], true), t(&[2, 1], &[2., 6.]));
        assert_eq!(of(ReduceOp::Max, &[0], false), t(&[3], &[4., 5., 9.]));
        assert_eq!(of(ReduceOp::Min, &[0], true), t(&[1, 3], &[1., 2., 3.]));
        assert_eq!(of(ReduceOp::Sum, &[0, 1], true), t(&[1, 1], &[24.]));
        let y = t(&[2, 2], &[f32::NAN, 1.0, 2.0, f32::NAN]);
        for op in ReduceOp::ALL {
            let r = one(|g, x| g.reduce("r", op, x, &[1], true), y.clone());
            assert!(r.data.iter().all(|v| v.is_nan()), "{op} loses NaN");
        }
        let large = t(&[3], &[1.0e8, 1.0, -1.0e8]);
        let sum = one(|g, x| g.reduce("r", ReduceOp::Sum, x, &[0], true), large);
        assert_eq!(sum.data, [1.0], "sums are in f64");
    }

    #[test]
    fn transpose_select_expand() {
        let x = Tensor::from_fn([2, 1, 3], |i| u8::try_from(i).unwrap().into());
        assert_eq!(
            one(|g, x| g.transpose("t", x, &[2, 0, 1]), x.clone()),
            t(&[3, 2, 1], &[0., 3., 1., 4., 2., 5.])
        );
        assert_eq!(
            one(|g, x| g.index_select("i", x, 2, &[2, 0, 2, 1]), x.clone()),
            t(&[2, 1, 4], &[2., 0., 2., 1., 5., 3., 5., 4.])
        );
        assert_eq!(
            one(|g, x| g.index_select("i", x, 0, &[1]), x.clone()),
            t(&[1, 1, 3], &[3., 4., 5.])
        );
        assert_eq!(
            one(|g, x| g.expand("e", x, &[2, 2, 3]), x.clone()),
            t(
                &[2, 2, 3],
                &[0., 1., 2., 0., 1., 2., 3., 4., 5., 3., 4., 5.]
            )
        );
        assert_eq!(
            one(|g, x| g.expand("e", x, &[2, 3]), t(&[1], &[7.])).data,
            [7.0; 6]
        );
    }

    #[test]
    fn select_chooses() {
        let y = one(
            |g, x| {
                let zero = g.constant("zero", Tensor::scalar(0.0))?;
                let positive = g.pointwise("gt", PointwiseOp::Gt, x, zero)?;
                let large = g.constant("large", Tensor::scalar(100.0))?;
                g.select("where", positive, x, large)
            },
            t(&[3], &[-1., 2., f32::NAN]),
        );
        assert_eq!(y.data, [100.0, 2.0, 100.0]);
    }

    /// `y = s`, `s' = s + x`, from `init`.
    fn running_sum(init: f32) -> Graph {
        let mut g = GraphBuilder::new("sum");
        let x = g.input("x", &[1]);
        let s = g.state("s", t(&[1], &[init])).unwrap();
        let next = g.add("next", s, x).unwrap();
        g.update(s, next).unwrap();
        g.output(s).output(next);
        g.finish().unwrap()
    }

    #[test]
    fn states_carry_and_reset() {
        let graph = running_sum(5.0);
        let mut eval = Evaluator::new(&graph).unwrap();
        let mut step = |v| {
            let y = eval.run(&[Tensor::vector(vec![v])]).unwrap();
            [y[0].data[0], y[1].data[0]]
        };
        assert_eq!(
            vec![step(1.0), step(2.0), step(3.0)],
            [[5.0, 6.0], [6.0, 8.0], [8.0, 11.0]]
        );
        eval.reset();
        assert_eq!(
            eval.run(&[Tensor::vector(vec![9.0])]).unwrap()[0].data,
            [5.0]
        );
    }

    #[test]
    fn scans_run_over_the_axis_in_both_directions() {
        let x = t(&[1, 4], &[1., 2., 3., 4.]);
        let of = |reverse, output: usize| {
            let body = running_sum(10.0);
            one(
                |g, x| Ok(g.scan("scan", body, 1, reverse, &[x])?[output]),
                x.clone(),
            )
        };
        assert_eq!(of(false, 1), t(&[1, 4], &[11., 13., 16., 20.]));
        assert_eq!(of(false, 0), t(&[1, 4], &[10., 11., 13., 16.]));
        assert_eq!(of(true, 1), t(&[1, 4], &[20., 19., 17., 14.]));
    }

    #[test]
    fn scans_start_afresh_in_every_inference() {
        let mut g = GraphBuilder::new("outer");
        let x = g.input("x", &[3, 1]);
        let y = g.scan("scan", running_sum(0.0), 0, false, &[x]).unwrap();
        g.output(y[1]);
        let graph = g.finish().unwrap();
        let mut eval = Evaluator::new(&graph).unwrap();
        for _ in 0..2 {
            let y = eval.run(&[t(&[3, 1], &[1., 2., 3.])]).unwrap();
            assert_eq!(y[0].data, [1.0, 3.0, 6.0]);
        }
    }

    #[test]
    fn delay_remembers_and_resets() {
        let mut g = GraphBuilder::new("d");
        let x = g.input("x", &[1]);
        let d = g.delay("d", x, 2).unwrap();
        g.output(d);
        let graph = g.finish().unwrap();
        let mut eval = Evaluator::new(&graph).unwrap();
        let mut step = |v| eval.run(&[Tensor::vector(vec![v])]).unwrap()[0].data[0];
        assert_eq!(
            vec![step(1.0), step(2.0), step(3.0), step(4.0)],
            [0.0, 0.0, 1.0, 2.0]
        );
        eval.reset();
        assert_eq!(
            eval.run(&[Tensor::vector(vec![9.0])]).unwrap()[0].data,
            [0.0]
        );
    }

    #[test]
    fn wrong_arguments_are_named() {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[3]);
        g.output(x);
        let graph = g.finish().unwrap();
        let mut eval = Evaluator::new(&graph).unwrap();
        let text = eval.run(&[]).unwrap_err().to_string();
        assert!(
            text.contains("net") && text.contains("1 inputs expected, 0 given"),
            "{text}"
        );
        let text = eval.run(&[Tensor::zeros([4])]).unwrap_err().to_string();
        assert!(
            text.contains("'x'") && text.contains("[3]") && text.contains("[4]"),
            "{text}"
        );
    }
}
