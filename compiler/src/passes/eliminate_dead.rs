//! `eliminate-dead`: drops layers that no output depends on.
//!
//! **Contract.** Inputs stay: the signature is the user's, and an input that feeds nothing is verification's to report.
//! **Errors.** None.

use super::Pass;
use crate::error::Result;
use crate::nnir::{Graph, NodeId, Op};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct EliminateDead;

impl Pass for EliminateDead {
    fn name(&self) -> &'static str {
        "eliminate-dead"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let live = graph.live();
        let keep =
            |id: &NodeId| live.contains(id) || matches!(graph.node(*id).op, Op::Input { .. });
        let dead: Vec<NodeId> = graph.node_ids().filter(|id| !keep(id)).collect();
        for &id in &dead {
            graph.remove(id);
        }
        Ok(!dead.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::GraphBuilder;

    #[test]
    fn only_the_dead_go() {
        let mut g = GraphBuilder::new("dead");
        let x = g.input("x", &[2]);
        let unused = g.relu("unused", x).unwrap();
        let also = g.clamp("also unused", unused, 0.0, 1.0).unwrap();
        let y = g.clamp("y", x, -1.0, 1.0).unwrap();
        g.output(y);
        let mut graph = g.finish().unwrap();
        assert!(EliminateDead.run(&mut graph).unwrap());
        graph.verify().unwrap();
        assert_eq!(graph.node_ids().collect::<Vec<_>>(), [x, y]);
        assert!(graph.get(unused).is_none() && graph.get(also).is_none());
        assert!(!EliminateDead.run(&mut graph).unwrap());
    }
}
