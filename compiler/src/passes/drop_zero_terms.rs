//! `drop-zero-terms`: a `linear` need not multiply what is known to be zero, as the first states of an unrolled scan mostly are.
//!
//! **Contract.** Exact: weights are finite, so each product is a zero, and adding one changes no sum but that of negative zeros;
//! a bias that holds one keeps its terms. One operand always stays. A layer of constants alone is `fold-constants`' to take.
//! **Errors.** A cycle.

use std::sync::Arc;

use super::Pass;
use crate::error::Result;
use crate::nnir::{Graph, NodeId, Op, Tensor};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct DropZeroTerms;

impl Pass for DropZeroTerms {
    fn name(&self) -> &'static str {
        "drop-zero-terms"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let mut changed = false;
        for id in graph.nodes_topological()? {
            let Op::Linear { weights, bias, fp8 } = &graph.node(id).op else {
                continue;
            };
            let fp8 = *fp8;
            let negative_zero = |v: &f32| v.to_bits() == (-0.0_f32).to_bits();
            if bias.iter().any(|b| b.data.iter().any(negative_zero)) {
                continue;
            }
            let terms = graph.node(id).inputs.iter().copied().zip(weights);
            let (kept, dropped): (Vec<_>, Vec<_>) = terms.partition(|(x, _)| !is_zero(graph, *x));
            if kept.is_empty() || dropped.is_empty() {
                continue;
            }
            let (inputs, weights): (Vec<NodeId>, Vec<Arc<Tensor>>) =
                kept.into_iter().map(|(x, w)| (x, Arc::clone(w))).unzip();
            let bias = bias.clone();
            graph.node_mut(id).op = Op::Linear { weights, bias, fp8 };
            graph.set_inputs(id, inputs);
            changed = true;
        }
        Ok(changed)
    }
}

fn is_zero(graph: &Graph, id: NodeId) -> bool {
    // All bits but the sign.
    let zero = |v: &f32| v.to_bits() << 1 == 0;
    matches!(&graph.node(id).op, Op::Constant(value) if value.data.iter().all(zero))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::GraphBuilder;

    /// `x`, a constant of this value and `x` again.
    fn terms(value: f32, bias: f32) -> (Graph, NodeId, bool) {
        let mut g = GraphBuilder::new("terms");
        let x = g.input("x", &[2]);
        let k = g.constant("k", Tensor::vector(vec![0.0, value])).unwrap();
        let w = |seed: f32| Arc::new(Tensor::from_fn([1, 2], |_| seed));
        let terms = vec![(x, w(1.0)), (k, w(2.0)), (x, w(3.0))];
        let bias = Some(Arc::new(Tensor::vector(vec![bias])));
        let y = g.linear_sum("y", terms, bias).unwrap();
        g.output(y);
        let mut graph = g.finish().unwrap();
        let changed = DropZeroTerms.run(&mut graph).unwrap();
        graph.verify().unwrap();
        assert!(!DropZeroTerms.run(&mut graph).unwrap());
        (graph, y, changed)
    }

    #[test]
    fn zeros_of_either_sign_go_and_the_other_weights_stay() {
        for zero in [0.0, -0.0] {
            let (graph, y, changed) = terms(zero, 1.0);
            let Op::Linear { weights, .. } = &graph.node(y).op else {
                panic!("{graph}")
            };
            let first: Vec<f32> = weights.iter().map(|w| w.data[0]).collect();
            assert!(changed);
            assert_eq!((first, graph.node(y).inputs.len()), (vec![1.0, 3.0], 2));
        }
    }

    #[test]
    fn other_values_and_negative_zero_biases_stay() {
        assert!(!terms(1.0e-30, 1.0).2);
        assert!(!terms(0.0, -0.0).2);
    }
}
