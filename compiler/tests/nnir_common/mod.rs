//! Random graphs for the NNIR tests: a list of numbers is a graph, so proptest can shrink it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use sluice_compiler::nnir::{
    Graph, GraphBuilder, NodeId, Op, PointwiseOp, Precision, ReduceOp, Tensor, UnaryOp,
};

/// Small multiples of 1/8: sums are exact in any order, zeros of both signs occur.
pub fn value(i: usize) -> f32 {
    let v = i16::try_from(i.wrapping_mul(2654435761) % 33).unwrap() - 16;
    if v == 16 { -0.0 } else { f32::from(v) / 8.0 }
}

pub fn tensor(shape: &[usize], seed: usize) -> Tensor {
    Tensor::from_fn(shape, |i| value(i.wrapping_add(seed.wrapping_mul(977))))
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Feature vectors, linear layers, delays.
    Plain,
    /// `[.., channels, time]`, convolutions; every graph streams along the last axis.
    Sequence,
}

struct Choices<'c>(std::slice::Iter<'c, u16>);

impl Choices<'_> {
    fn below(&mut self, n: usize) -> usize {
        usize::from(*self.0.next().unwrap_or(&0)) % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Arithmetic that makes no infinities of small numbers.
const FINITE: [PointwiseOp; 13] = [
    PointwiseOp::Add,
    PointwiseOp::Sub,
    PointwiseOp::Mul,
    PointwiseOp::Max,
    PointwiseOp::Min,
    PointwiseOp::Lt,
    PointwiseOp::Le,
    PointwiseOp::Gt,
    PointwiseOp::Ge,
    PointwiseOp::Eq,
    PointwiseOp::Ne,
    PointwiseOp::Keep,
    PointwiseOp::Drop,
];

/// Functions that do not grow faster than their argument.
const BOUNDED: [UnaryOp; 6] = [
    UnaryOp::Tanh,
    UnaryOp::Sigmoid,
    UnaryOp::Silu,
    UnaryOp::Gelu,
    UnaryOp::GeluTanh,
    UnaryOp::Softplus,
];

/// A recurrent cell over tensors of this shape; a second output shows the state before the step.
fn cell(shape: &[usize], seed: usize) -> Graph {
    let mut g = GraphBuilder::new(format!("cell {seed}"));
    let x = g.input("x", shape);
    let init = if seed.is_multiple_of(3) {
        Tensor::zeros(shape)
    } else {
        tensor(shape, seed)
    };
    let s = g.state("s", init).unwrap();
    let n = shape[shape.len() - 1];
    let weights = |i| Arc::new(tensor(&[n, n], seed + i));
    let bias = seed.is_multiple_of(2).then(|| tensor(&[n], seed).into());
    let terms = vec![(x, weights(1)), (s, weights(2))];
    let sum = g.linear_sum("sum", terms, bias).unwrap();
    let next = g.unary("next", UnaryOp::Tanh, sum).unwrap();
    g.update(s, next).unwrap();
    let d = g.delay("before", x, 1 + seed % 2).unwrap();
    let y = g.sub("y", s, d).unwrap();
    g.output(next).output(y);
    g.finish().unwrap()
}

/// A graph from arbitrary choices; layers that do not type-check are left out.
pub fn graph(kind: Kind, choices: &[u16]) -> Graph {
    let mut c = Choices(choices.iter());
    let mut g = GraphBuilder::new(format!("random {kind:?}"));
    let batched = c.below(2) == 1;
    let mut nodes: Vec<NodeId> = vec![];
    for i in 0..=c.below(2) {
        let extent = 1 + c.below(4);
        let x = match (kind, batched) {
            (Kind::Plain, false) => g.input(format!("x{i}"), &[extent]),
            (Kind::Plain, true) => g.input(format!("x{i}"), &[2, extent]),
            (Kind::Sequence, false) => g.input(format!("x{i}"), &[extent, 6]),
            (Kind::Sequence, true) => g.input(format!("x{i}"), &[2, extent, 6]),
        };
        // The first layer pins the data dimension.
        let first = match kind {
            Kind::Plain => g.linear(format!("pin{i}"), x, tensor(&[3, extent], i), None),
            Kind::Sequence => {
                g.conv1d(format!("pin{i}"), x, tensor(&[3, extent, 2], i), None, 1, 1)
            }
        };
        nodes.extend([x, first.unwrap()]);
    }
    for layer in 0..choices.len() / 5 {
        let (a, b) = (c.pick(&nodes), c.pick(&nodes));
        let shape = g.graph().node(a).ty.shape.clone();
        let channel_axis = shape.len() - if kind == Kind::Plain { 1 } else { 2 };
        let channels = shape[channel_axis];
        let seed = layer * 31 + c.below(97);
        let name = format!("layer {layer} \"{}\"", c.below(10));
        g.precision(if c.below(8) == 0 {
            Precision::Fp32
        } else {
            Precision::Bf16
        });
        let free = usize::from(kind != Kind::Plain);
        let built = match (c.below(19), kind) {
            (9, _) => g.unary(name, c.pick(&BOUNDED), a),
            (10, _) => {
                let axis = c.below(shape.len() - free);
                let keep = c.below(2) == 0 || axis == channel_axis || shape.len() < 3;
                g.reduce(name, c.pick(&ReduceOp::ALL), a, &[axis], keep)
            }
            (11, _) => {
                let mut perm: Vec<usize> = (0..shape.len()).collect();
                if shape.len() > 1 + free {
                    perm.swap(0, c.below(shape.len() - free));
                }
                g.transpose(name, a, &perm)
            }
            (12, _) => {
                let axis = c.below(shape.len() - free);
                let indices: Vec<_> = (0..=c.below(3)).map(|_| c.below(shape[axis])).collect();
                g.index_select(name, a, axis, &indices)
            }
            (13, _) if shape.len() < 4 => {
                let mut to = shape.clone();
                to.insert(0, 2);
                g.expand(name, a, &to)
            }
            (14, Kind::Plain) => {
                let s = g.state(format!("s{layer}"), tensor(&shape, seed)).unwrap();
                let built = g.pointwise(name, c.pick(&FINITE[..5]), s, a);
                let built = built.and_then(|y| g.unary(format!("u{layer}"), UnaryOp::Tanh, y));
                if built.clone().and_then(|y| g.update(s, y)).is_err() {
                    g.update(s, s).unwrap();
                }
                built
            }
            (15 | 16, _) => {
                let axis = if kind == Kind::Plain {
                    0
                } else {
                    shape.len() - 1
                };
                let mut step = shape.clone();
                let steps = step.remove(axis);
                if step.is_empty() || steps > 6 {
                    continue;
                }
                let reverse = kind == Kind::Plain && c.below(2) == 0;
                let body = cell(&step, seed);
                let built = g.scan(name, body, axis, reverse, &[a]);
                built.map(|outputs| outputs[c.below(2)])
            }
            (0 | 17 | 18, _) => {
                let (min, max) = c.pick(&[
                    (0.0, f32::INFINITY),
                    (-1.0, 1.0),
                    (f32::NEG_INFINITY, 0.5),
                    (1.0, -1.0),
                ]);
                g.clamp(name, a, min, max)
            }
            (1, _) => g.pointwise(name, c.pick(&FINITE), a, b),
            (2, _) => {
                let mut extents = vec![1; shape.len()];
                extents[channel_axis] = c.pick(&[1, channels]);
                let k = g
                    .constant(format!("k{layer}"), tensor(&extents, seed))
                    .unwrap();
                let k = if c.below(2) == 0 {
                    g.relu(format!("relu k{layer}"), k).unwrap()
                } else {
                    k
                };
                g.pointwise(name, c.pick(&FINITE), a, k)
            }
            (3, _) => g.concat(name, &[a, b, a][..=c.below(3)], channel_axis),
            (4, _) => {
                let start = c.below(channels);
                g.slice(
                    name,
                    a,
                    channel_axis,
                    start,
                    channels - c.below(channels - start),
                )
            }
            (5, _) => {
                let mut shape = shape.clone();
                shape.insert(0, 1);
                if c.below(4) == 0 {
                    shape.remove(0);
                }
                g.reshape(name, a, &shape)
            }
            (6, Kind::Plain) => g.delay(name, a, 1 + c.below(3)),
            (_, Kind::Plain) => {
                let out = 1 + c.below(4);
                let last = |id| *g.graph().node(id).ty.shape.last().unwrap();
                let terms: Vec<_> = [a, b][..=c.below(2)]
                    .iter()
                    .map(|&x| (x, Arc::new(tensor(&[out, last(x)], seed))))
                    .collect();
                g.linear_sum(name, terms, Some(tensor(&[out], seed).into()))
            }
            (6, Kind::Sequence) => {
                let weight = tensor(&[channels, 1, 1 + c.below(4)], seed);
                g.conv1d(name, a, weight, None, 1 + c.below(3), channels)
            }
            (_, Kind::Sequence) => {
                let out = 1 + c.below(4);
                let weight = tensor(&[out, channels, 1 + c.below(4)], seed);
                g.conv1d(
                    name,
                    a,
                    weight,
                    Some(tensor(&[out], seed).into()),
                    1 + c.below(3),
                    1,
                )
            }
        };
        nodes.extend(built);
    }
    // Everything that nothing reads is an output, so every input is used; one of them twice.
    let sinks: Vec<_> = nodes
        .iter()
        .copied()
        .filter(|&id| g.graph().users(id).is_empty())
        .collect();
    for &id in sinks.iter().chain(sinks.first()) {
        g.output(id);
    }
    g.finish().unwrap()
}

/// One tensor per input, different for every `seed`.
pub fn inputs(graph: &Graph, seed: usize) -> Vec<Tensor> {
    let shapes = graph.inputs.iter().map(|&id| &graph.node(id).ty.shape);
    shapes
        .enumerate()
        .map(|(i, shape)| tensor(shape, seed.wrapping_mul(7) + i))
        .collect()
}

/// How many layers of each kind a graph has, for tests that must know they test something.
pub fn count(graph: &Graph, op: fn(&Op) -> bool) -> usize {
    graph
        .node_ids()
        .filter(|&id| op(&graph.node(id).op))
        .count()
}
