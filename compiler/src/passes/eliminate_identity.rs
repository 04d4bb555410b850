//! `eliminate-identity`: drops layers whose result is their operand, bit for bit.
//!
//! | layer     | when                               |
//! |-----------|------------------------------------|
//! | `slice`   | of everything                      |
//! | `concat`  | of one operand                     |
//! | `reshape` | to the same shape                  |
//! | `expand`  | to the same shape                  |
//! | `transpose` | of every axis to itself          |
//! | `index_select` | of every index in order       |
//! | `reduce_max`, `reduce_min` | of axes of extent 1, kept |
//! | `clamp`   | from `-inf` to `inf`               |
//!
//! **Contract.** The operand must have the same type, data dimension and precision included: a layer that only rounds is no
//! identity. `x + 0` is none either: it turns `-0.0` into `0.0`.
//! **Errors.** A cycle.

use super::Pass;
use crate::error::Result;
use crate::nnir::{Graph, Node, NodeId, Op, ReduceOp};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct EliminateIdentity;

impl Pass for EliminateIdentity {
    fn name(&self) -> &'static str {
        "eliminate-identity"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let mut changed = false;
        for id in graph.nodes_topological()? {
            if let Some(operand) = identity_of(graph, graph.node(id)) {
                graph.replace_uses(id, operand);
                graph.remove(id);
                changed = true;
            }
        }
        Ok(changed)
    }
}

fn identity_of(graph: &Graph, node: &Node) -> Option<NodeId> {
    let &[operand] = &node.inputs[..] else {
        return None;
    };
    let nothing_to_do = match &node.op {
        // Same type: all of the axis was kept, the extents are unchanged, nothing was joined.
        Op::Slice { .. } | Op::Concat { .. } | Op::Reshape { .. } | Op::Expand { .. } => true,
        Op::Transpose { perm } => perm.is_sorted(),
        Op::IndexSelect { indices, .. } => indices.iter().copied().eq(0..indices.len()),
        Op::Reduce { op, .. } => matches!(op, ReduceOp::Max | ReduceOp::Min),
        Op::Clamp { min, max } => *min == f32::NEG_INFINITY && *max == f32::INFINITY,
        _ => false,
    };
    (nothing_to_do && graph.node(operand).ty == node.ty).then_some(operand)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::{GraphBuilder, Precision, Tensor};

    #[test]
    fn identities_go() {
        let mut g = GraphBuilder::new("id");
        let x = g.input("x", &[2, 3]);
        let a = g.slice("slice", x, 1, 0, 3).unwrap();
        let b = g.concat("concat", &[a], 0).unwrap();
        let c = g.reshape("reshape", b, &[2, 3]).unwrap();
        let d = g
            .clamp("open", c, f32::NEG_INFINITY, f32::INFINITY)
            .unwrap();
        g.output(d).output(x);
        let mut graph = g.finish().unwrap();
        assert!(EliminateIdentity.run(&mut graph).unwrap());
        graph.verify().unwrap();
        assert_eq!((graph.len(), &graph.outputs[..]), (1, &[x, x][..]));
        assert!(!EliminateIdentity.run(&mut graph).unwrap());
    }

    #[test]
    fn near_identities_stay() {
        let mut g = GraphBuilder::new("near");
        let x = g.input("x", &[2, 1, 3]);
        let zero = g.constant("zero", Tensor::scalar(0.0)).unwrap();
        let a = g.add("plus zero", x, zero).unwrap();
        let b = g.slice("part", a, 2, 0, 2).unwrap();
        let c = g.reshape("squeeze", b, &[2, 2]).unwrap();
        let d = g.concat("twice", &[c, c], 0).unwrap();
        let e = g.clamp("half open", d, f32::NEG_INFINITY, 1.0).unwrap();
        let f = g
            .precision(Precision::Fp32)
            .clamp("widens", e, f32::NEG_INFINITY, f32::INFINITY)
            .unwrap();
        g.output(f);
        let mut graph = g.finish().unwrap();
        let before = graph.clone();
        assert!(!EliminateIdentity.run(&mut graph).unwrap());
        assert_eq!(graph, before);
    }
}
