//! The graph: nodes are layers, edges carry the operand position.
//!
//! **Contract.** `inputs` of a node and its incoming edges say the same thing; [`Graph::verify`] checks it. Node numbers grow
//! in insertion order and survive the removal of other nodes. Every order this file hands out is a function of the graph alone.
//! **Errors.** [`Graph::nodes_topological`] reports a cycle with the layers on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::Direction;
use petgraph::stable_graph::StableDiGraph;
use petgraph::visit::{EdgeRef, IntoEdgeReferences};

use super::op::Op;
use super::tensor::Tensor;
use super::types::{NodeId, TensorType};
use crate::error::{CompileError, Result};

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// As the user knows it, e.g. `fc1`.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Operands, in order.
    pub inputs: Vec<NodeId>,
    /// What it produces.
    pub ty: TensorType,
}

/// A network.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The model's name.
    pub name: String,
    pub(crate) dag: StableDiGraph<Node, usize>,
    /// `Op::Input` nodes in signature order.
    pub inputs: Vec<NodeId>,
    /// What the model returns, in order; a node may stand here twice.
    pub outputs: Vec<NodeId>,
    /// `Op::State` nodes and the nodes whose values they take at the end of every inference.
    pub updates: BTreeMap<NodeId, NodeId>,
}

impl Graph {
    /// A graph without nodes. Front ends use [`GraphBuilder`](super::GraphBuilder) instead.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The node, if it is (still) there.
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.dag.node_weight(id.0)
    }

    /// The node.
    ///
    /// # Panics
    /// If `id` was removed or comes from another graph; [`Graph::get`] does not.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.dag[id.0]
    }

    /// Low-level: the node, for rewriting. Operands change through [`Graph::set_inputs`] only.
    ///
    /// # Panics
    /// If `id` was removed or comes from another graph.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.dag[id.0]
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.dag.node_count()
    }

    /// No nodes at all.
    pub fn is_empty(&self) -> bool {
        self.dag.node_count() == 0
    }

    /// Every node number, ascending (which is not yet an order of computation).
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.dag.node_indices().map(NodeId)
    }

    /// Nodes that read `id`, ascending, each once.
    pub fn users(&self, id: NodeId) -> Vec<NodeId> {
        let users: BTreeSet<_> = self
            .dag
            .neighbors_directed(id.0, Direction::Outgoing)
            .map(NodeId)
            .collect();
        users.into_iter().collect()
    }

    /// The value outlives the layers that read it: it is an output, or the next value of a state.
    pub fn is_result(&self, id: NodeId) -> bool {
        self.outputs.contains(&id) || self.updates.values().any(|&value| value == id)
    }

    /// Low-level: adds a node as it is, with edges from those of its operands that exist. Nothing is checked.
    pub fn add_unchecked(&mut self, node: Node) -> NodeId {
        let inputs = node.inputs.clone();
        let id = NodeId(self.dag.add_node(node));
        self.set_inputs(id, inputs);
        id
    }

    /// Low-level: appends `from` to the operands of `to`. Nothing is checked, so cycles can be made; `verify` finds them.
    pub fn connect(&mut self, from: NodeId, to: NodeId) {
        let mut inputs = self.node(to).inputs.clone();
        inputs.push(from);
        self.set_inputs(to, inputs);
    }

    /// Low-level: replaces the operands of a node, edges included. Nothing is checked.
    pub fn set_inputs(&mut self, id: NodeId, inputs: Vec<NodeId>) {
        let old: Vec<_> = self
            .dag
            .edges_directed(id.0, Direction::Incoming)
            .map(|e| e.id())
            .collect();
        for edge in old {
            self.dag.remove_edge(edge);
        }
        for (operand, from) in inputs.iter().enumerate() {
            if self.dag.contains_node(from.0) {
                self.dag.add_edge(from.0, id.0, operand);
            }
        }
        self.node_mut(id).inputs = inputs;
    }

    /// The same network with every weight matrix passed through `f`; biases, states and constants stay.
    #[must_use]
    pub fn map_weights(&self, f: impl Fn(f32) -> f32) -> Self {
        self.with_weights(&f)
    }

    fn with_weights(&self, f: &dyn Fn(f32) -> f32) -> Self {
        let mut graph = self.clone();
        let map = |t: &Arc<Tensor>| {
            Arc::new(Tensor {
                shape: t.shape.clone(),
                data: t.data.iter().map(|&x| f(x)).collect(),
            })
        };
        for id in self.node_ids() {
            match &mut graph.node_mut(id).op {
                Op::Linear { weights, .. } => weights.iter_mut().for_each(|w| *w = map(w)),
                Op::Conv1d { weight, .. } => *weight = map(weight),
                Op::Scan { body, .. } => *body = Arc::new(body.with_weights(f)),
                _ => {}
            }
        }
        graph
    }

    /// The same graph with the weights of every `linear` and `conv1d` rounded to FP8 and marked, not of scans in it.
    pub(super) fn with_fp8_weights(mut self) -> Self {
        for id in self.node_ids().collect::<Vec<_>>() {
            self.node_mut(id).op.store_fp8();
        }
        self
    }

    /// First layer with FP8 weights, in order of definition; a layer that is a scan has the scan's name.
    pub fn first_fp8_layer(&self) -> Option<&str> {
        self.node_ids().find_map(|id| {
            let node = self.node(id);
            let fp8 = match &node.op {
                Op::Scan { body, .. } => body.first_fp8_layer().is_some(),
                op => !op.fp8_weights().is_empty(),
            };
            fp8.then_some(node.name.as_str())
        })
    }

    /// Low-level: removes a node, and its update if it is a state. Readers keep its number, so `verify` finds the loose end.
    pub fn remove(&mut self, id: NodeId) -> Option<Node> {
        self.updates.remove(&id);
        self.dag.remove_node(id.0)
    }

    /// Makes every reader of `old`, outputs and updates included, read `new` instead.
    pub fn replace_uses(&mut self, old: NodeId, new: NodeId) {
        let swap = |id: NodeId| if id == old { new } else { id };
        for user in self.users(old) {
            let inputs = self.node(user).inputs.iter().map(|&i| swap(i)).collect();
            self.set_inputs(user, inputs);
        }
        for output in &mut self.outputs {
            *output = swap(*output);
        }
        for value in self.updates.values_mut() {
            *value = swap(*value);
        }
    }

    /// An order of computation: operands first, and among what is ready the smallest number first.
    pub fn nodes_topological(&self) -> Result<Vec<NodeId>> {
        let mut waiting: Vec<usize> = vec![
            0;
            self.dag
                .node_indices()
                .next_back()
                .map_or(0, |i| i.index() + 1)
        ];
        for edge in self.dag.edge_references() {
            waiting[edge.target().index()] += 1;
        }
        let mut ready: BTreeSet<NodeId> = self
            .node_ids()
            .filter(|id| waiting[id.index()] == 0)
            .collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(id) = ready.pop_first() {
            order.push(id);
            for to in self.dag.neighbors_directed(id.0, Direction::Outgoing) {
                waiting[to.index()] -= 1;
                if waiting[to.index()] == 0 {
                    ready.insert(NodeId(to));
                }
            }
        }
        if order.len() == self.len() {
            Ok(order)
        } else {
            Err(self.cycle_error(&order))
        }
    }

    /// Walks operands backwards among the nodes that could not be ordered until one repeats.
    fn cycle_error(&self, ordered: &[NodeId]) -> CompileError {
        let ordered: BTreeSet<_> = ordered.iter().copied().collect();
        let stuck_operand = |id: NodeId| {
            let operands = self
                .dag
                .neighbors_directed(id.0, Direction::Incoming)
                .map(NodeId);
            operands.filter(|o| !ordered.contains(o)).min()
        };
        let mut path: Vec<NodeId> = self
            .node_ids()
            .find(|id| !ordered.contains(id))
            .into_iter()
            .collect();
        while let Some(next) = path.last().and_then(|&id| stuck_operand(id)) {
            if let Some(start) = path.iter().position(|&id| id == next) {
                path.drain(..start);
                break;
            }
            path.push(next);
        }
        path.reverse();
        let smallest = path
            .iter()
            .enumerate()
            .min_by_key(|(_, id)| **id)
            .map_or(0, |(i, _)| i);
        path.rotate_left(smallest);
        CompileError::Cycle {
            graph: self.name.clone(),
            layers: path
                .into_iter()
                .map(|id| self.node(id).name.clone())
                .collect(),
        }
    }
}

/// Same name, same node numbers, same nodes, same signature.
impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.inputs == other.inputs
            && self.outputs == other.outputs
            && self.updates == other.updates
            && self.node_ids().eq(other.node_ids())
            && self.node_ids().all(|id| self.node(id) == other.node(id))
    }
}
