//! `expand-conv1d`: a convolution over a whole sequence becomes a `linear` per step.
//!
//! | in the graph | shape              | note                                                        |
//! |--------------|--------------------|-------------------------------------------------------------|
//! | step t       | `[.., C]`          | `slice` and `reshape` of the operand, shared by all taps    |
//! | result t     | `[.., out]`        | one operand and one matrix per tap; depthwise ones diagonal |
//! | result       | `[.., out, T]`     | `reshape` of every step and one `concat`                    |
//!
//! **Contract.** Taps that read the padding are dropped, so the same terms are added in the same order as in the convolution;
//! only the off-diagonal zeros of depthwise matrices are new, which shows on infinities, NaN and a bias of -0. Weights are
//! shared between the steps. Sequences of more than [`MAX_STEPS`] steps are left alone: streaming is for those.
//! **Errors.** A cycle.

use std::sync::Arc;

use super::Pass;
use crate::error::Result;
use crate::nnir::streaming::tap_matrix;
use crate::nnir::{Graph, Node, NodeId, Op, Tensor, TensorType};

/// Longest sequence to expand.
const MAX_STEPS: usize = 1 << 12;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExpandConv1d;

impl Pass for ExpandConv1d {
    fn name(&self) -> &'static str {
        "expand-conv1d"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let mut changed = false;
        for id in graph.nodes_topological()? {
            let node = graph.node(id).clone();
            let Op::Conv1d {
                weight,
                bias,
                dilation,
                groups,
                fp8,
            } = &node.op
            else {
                continue;
            };
            let steps = node.ty.shape[node.ty.shape.len() - 1];
            if node.ty.data_dim.is_none() || steps > MAX_STEPS {
                continue;
            }
            let taps = weight.shape[2];
            let matrices: Vec<Arc<Tensor>> = (0..taps)
                .map(|tap| Arc::new(tap_matrix(weight, tap, *groups)))
                .collect();
            let conv = Convolution {
                node: &node,
                matrices,
                bias: bias.clone(),
                dilation: *dilation,
                fp8: *fp8,
            };
            let whole = conv.expand(graph, steps);
            graph.replace_uses(id, whole);
            graph.remove(id);
            changed = true;
        }
        Ok(changed)
    }
}

struct Convolution<'n> {
    node: &'n Node,
    /// `[out, in]`, one per tap.
    matrices: Vec<Arc<Tensor>>,
    bias: Option<Arc<Tensor>>,
    dilation: usize,
    fp8: bool,
}

impl Convolution<'_> {
    fn expand(&self, graph: &mut Graph, steps: usize) -> NodeId {
        let name = &self.node.name;
        let time = self.node.ty.shape.len() - 1;
        let input = self.node.inputs[0];
        let mut past = vec![];
        let mut results = vec![];
        for t in 0..steps {
            let mut ty = graph.node(input).ty.clone();
            ty.shape[time] = 1;
            let (start, end) = (t, t + 1);
            let op = Op::Slice {
                axis: time,
                start,
                end,
            };
            let slice = add(graph, format!("{name}.{t}.slice"), op, vec![input], &ty);
            ty.shape.pop();
            let op = Op::Reshape {
                shape: ty.shape.clone(),
            };
            past.push(add(graph, format!("{name}.{t}.x"), op, vec![slice], &ty));

            let last = self.matrices.len() - 1;
            let terms = self
                .matrices
                .iter()
                .enumerate()
                .filter_map(|(tap, matrix)| {
                    let back = (last - tap).checked_mul(self.dilation)?;
                    Some((past[t.checked_sub(back)?], Arc::clone(matrix)))
                });
            let (inputs, weights) = terms.unzip();
            let mut ty = self.node.ty.clone();
            ty.shape.pop();
            let bias = self.bias.clone();
            let op = Op::Linear {
                weights,
                bias,
                fp8: self.fp8,
            };
            let result = add(graph, format!("{name}.{t}"), op, inputs, &ty);
            ty.shape.push(1);
            let op = Op::Reshape {
                shape: ty.shape.clone(),
            };
            results.push(add(
                graph,
                format!("{name}.{t}.stack"),
                op,
                vec![result],
                &ty,
            ));
        }
        let op = Op::Concat { axis: time };
        add(graph, name.clone(), op, results, &self.node.ty)
    }
}

fn add(graph: &mut Graph, name: String, op: Op, inputs: Vec<NodeId>, ty: &TensorType) -> NodeId {
    graph.add_unchecked(Node {
        name,
        op,
        inputs,
        ty: ty.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::{Evaluator, GraphBuilder};

    fn eighths(shape: &[usize]) -> Tensor {
        Tensor::from_fn(shape, |i| {
            f32::from(u8::try_from(i * 7 % 31).unwrap()) / 8.0 - 2.0
        })
    }

    fn convolution(shape: &[usize], weight: &[usize], dilation: usize, groups: usize) -> Graph {
        let mut g = GraphBuilder::new("conv");
        let x = g.input("x", shape);
        let bias = Some(Arc::new(eighths(&[weight[0]])));
        let y = g.conv1d("conv", x, eighths(weight), bias, dilation, groups);
        g.output(y.unwrap());
        g.finish().unwrap()
    }

    #[test]
    fn every_step_is_a_layer_of_the_taps_it_has() {
        for (shape, weight, dilation, groups) in [
            (&[3, 5][..], &[2, 3, 3][..], 1, 1),
            (&[2, 3, 5], &[4, 3, 2], 3, 1),
            (&[3, 4], &[3, 1, 2], 2, 3),
            (&[1, 1], &[1, 1, 4], 1, 1),
        ] {
            let whole = convolution(shape, weight, dilation, groups);
            let mut flat = whole.clone();
            assert!(ExpandConv1d.run(&mut flat).unwrap());
            flat.verify().unwrap();
            assert!(!ExpandConv1d.run(&mut flat).unwrap());
            let x = [eighths(shape)];
            let of = |g: &Graph| Evaluator::new(g).unwrap().run(&x).unwrap();
            assert_eq!(of(&flat), of(&whole));
            let operands = |t: usize| {
                let name = format!("conv.{t}");
                let mut ids = flat.node_ids();
                let id = ids.find(|&id| flat.node(id).name == name).unwrap();
                flat.node(id).inputs.len()
            };
            for t in 0..shape[shape.len() - 1] {
                assert_eq!(operands(t), weight[2].min(t / dilation + 1), "step {t}");
            }
        }
    }

    #[test]
    fn long_sequences_are_left_alone() {
        let mut whole = convolution(&[1, MAX_STEPS + 1], &[1, 1, 2], 1, 1);
        assert!(!ExpandConv1d.run(&mut whole).unwrap());
    }
}
