//! `fold-constants`: evaluates layers whose operands are all constants.
//!
//! **Contract.** The value is that of the float reference, rounded to `f32` once per layer. Delays and states are left alone:
//! they start at something else. Values beyond [`MAX_FOLDED`] are left to the machine, which has no room for them either. The constants read stay; `eliminate-dead` takes them when nothing else reads them.
//! **Errors.** `NonFinite` when a folded value overflows, naming the layer.

use std::sync::Arc;

use super::Pass;
use crate::error::{CompileError, Result};
use crate::nnir::eval::apply;
use crate::nnir::{Graph, Op, Tensor};

/// Largest result, in values, that is worth having as a constant.
const MAX_FOLDED: usize = 1 << 22;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldConstants;

impl Pass for FoldConstants {
    fn name(&self) -> &'static str {
        "fold-constants"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let mut changed = false;
        for id in graph.nodes_topological()? {
            let node = graph.node(id);
            if matches!(
                node.op,
                Op::Input { .. } | Op::Constant(_) | Op::Delay { .. } | Op::State { .. }
            ) || node.ty.count() > MAX_FOLDED
            {
                continue;
            }
            let constant = |&id| match &graph.node(id).op {
                Op::Constant(value) => Some(&**value),
                _ => None,
            };
            let Some(operands) = node
                .inputs
                .iter()
                .map(constant)
                .collect::<Option<Vec<&Tensor>>>()
            else {
                continue;
            };
            let value = apply(&node.op, &operands, &node.ty.shape);
            if let Some((index, value)) = value.first_non_finite() {
                let tensor = format!("the folded {} ", node.op.name());
                return Err(CompileError::NonFinite {
                    layer: node.name.clone(),
                    tensor,
                    index,
                    value,
                });
            }
            graph.node_mut(id).op = Op::Constant(Arc::new(value));
            graph.set_inputs(id, vec![]);
            changed = true;
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::GraphBuilder;

    #[test]
    fn constants_fold_through_several_layers() {
        let mut g = GraphBuilder::new("fold");
        let x = g.input("x", &[2]);
        let a = g.constant("a", Tensor::vector(vec![1.0, -2.0])).unwrap();
        let b = g.constant("b", Tensor::scalar(3.0)).unwrap();
        let c = g.mul("c", a, b).unwrap();
        let d = g.relu("d", c).unwrap();
        let y = g.add("y", x, d).unwrap();
        g.output(y);
        let mut graph = g.finish().unwrap();
        assert!(FoldConstants.run(&mut graph).unwrap());
        graph.verify().unwrap();
        assert_eq!(
            graph.node(d).op,
            Op::Constant(Arc::new(Tensor::vector(vec![3.0, 0.0])))
        );
        assert!(
            matches!(graph.node(y).op, Op::Pointwise(_)),
            "a run-time operand keeps the layer"
        );
        assert!(!FoldConstants.run(&mut graph).unwrap());
    }

    #[test]
    fn delays_of_constants_stay() {
        let mut g = GraphBuilder::new("fold");
        let x = g.input("x", &[2]);
        let a = g.constant("a", Tensor::vector(vec![1.0, 2.0])).unwrap();
        let d = g.delay("d", a, 1).unwrap();
        let y = g.add("y", x, d).unwrap();
        g.output(y);
        let mut graph = g.finish().unwrap();
        assert!(!FoldConstants.run(&mut graph).unwrap());
    }

    #[test]
    fn overflow_names_the_layer() {
        let mut g = GraphBuilder::new("fold");
        let x = g.input("x", &[2]);
        let a = g
            .constant("a", Tensor::vector(vec![1.0, f32::MAX]))
            .unwrap();
        let c = g.add("twice", a, a).unwrap();
        let y = g.add("y", x, c).unwrap();
        g.output(y);
        let text = FoldConstants
            .run(&mut g.finish().unwrap())
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("'twice'") && text.contains("[1] is inf"),
            "{text}"
        );
    }
}
