//! `unroll-scans`: a recurrence over a whole sequence becomes one copy of its body per step.
//!
//! | in the scan         | in the graph                                                         |
//! |---------------------|----------------------------------------------------------------------|
//! | input of the body   | `slice` and `reshape` of the operand, once per step                  |
//! | state of the body   | its `init` as a constant in the first step, the update of the step before in the others |
//! | delay of the body   | zeros, then the operand of an earlier step                           |
//! | output of the body  | `reshape` of every step and one `concat`                             |
//!
//! **Contract.** Weights stay shared between the steps. Scans that differ in the output they give run as one. Layers of step t
//! are named `<scan>.<t>.<layer>`. A scan of constants is `fold-constants`' to evaluate; one that only first states reach
//! becomes a state that never changes, so that types stay.
//! **Errors.** `Unsupported` beyond [`MAX_LAYERS`] layers; a cycle.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Pass;
use crate::error::{CompileError, Result};
use crate::nnir::eval::apply;
use crate::nnir::{Graph, Node, NodeId, Op, Tensor, TensorType};

/// Most layers a graph may have after unrolling.
const MAX_LAYERS: usize = 1 << 16;

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnrollScans;

impl Pass for UnrollScans {
    fn name(&self) -> &'static str {
        "unroll-scans"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let mut changed = false;
        // A body may hold scans of its own, so each round starts from the graph as it is.
        while let Some(id) = next_scan(graph)? {
            unroll(graph, id)?;
            changed = true;
        }
        Ok(changed)
    }
}

fn next_scan(graph: &Graph) -> Result<Option<NodeId>> {
    let order = graph.nodes_topological()?;
    let is_scan = |id: &NodeId| {
        let node = graph.node(*id);
        matches!(node.op, Op::Scan { .. }) && node.ty.data_dim.is_some()
    };
    Ok(order.into_iter().find(is_scan))
}

fn unroll(graph: &mut Graph, id: NodeId) -> Result<()> {
    let node = graph.node(id).clone();
    let Op::Scan {
        body,
        axis,
        reverse,
        ..
    } = &node.op
    else {
        return Err(CompileError::Internal(format!("{id} is not a scan")));
    };
    let steps = node.ty.shape[*axis];
    if body.len().saturating_mul(steps).saturating_add(graph.len()) > MAX_LAYERS {
        return Err(CompileError::Unsupported {
            layer: node.name.clone(),
            op: node.op.name().to_owned(),
            attribute: format!(
                "a whole sequence of {steps} steps, {} layers each,",
                body.len()
            ),
            nearest: format!(
                "streaming_transform on the axis of the steps, or a sequence of at most {MAX_LAYERS} layers"
            ),
        });
    }
    // Every scan that runs as one with this, itself included.
    let twins: Vec<NodeId> = graph
        .node_ids()
        .filter(|&other| {
            let other = graph.node(other);
            other.inputs == node.inputs && other.op.runs_with(&node.op)
        })
        .collect();
    let mut unrolling = Unrolling {
        graph,
        scan: &node,
        body,
        axis: *axis,
        order: body.nodes_topological()?,
        done: vec![],
    };
    let mut parts = vec![vec![]; body.outputs.len()];
    for at in 0..steps {
        let step = if *reverse { steps - 1 - at } else { at };
        for (output, part) in unrolling.step(step)?.into_iter().enumerate() {
            parts[output].push(part);
        }
    }
    for twin in twins {
        let node = graph.node(twin).clone();
        let Op::Scan { output, .. } = node.op else {
            continue;
        };
        let mut inputs = parts[output].clone();
        if *reverse {
            inputs.reverse();
        }
        let reads = |&part: &NodeId| graph.node(part).ty.data_dim.is_some();
        let whole = if inputs.iter().any(reads) {
            let op = Op::Concat { axis: *axis };
            add(graph, &node.name, op, inputs, node.ty.clone())
        } else {
            settled(graph, &node)
        };
        graph.replace_uses(twin, whole);
        graph.remove(twin);
    }
    Ok(())
}

/// The value of a scan that no run-time value reaches, as something run-time: readers packed it.
fn settled(graph: &mut Graph, scan: &Node) -> NodeId {
    // Whatever the operands are: nothing of them is left in the result.
    let operands: Vec<Tensor> = scan
        .inputs
        .iter()
        .map(|&id| Tensor::zeros(graph.node(id).ty.shape.clone()))
        .collect();
    let operands: Vec<&Tensor> = operands.iter().collect();
    let init = Arc::new(apply(&scan.op, &operands, &scan.ty.shape));
    let state = graph.add_unchecked(Node {
        op: Op::State { init },
        inputs: vec![],
        ..scan.clone()
    });
    graph.updates.insert(state, state);
    state
}

struct Unrolling<'g> {
    graph: &'g mut Graph,
    scan: &'g Node,
    body: &'g Graph,
    axis: usize,
    order: Vec<NodeId>,
    /// What became of the body's nodes, step by step in running order.
    done: Vec<BTreeMap<NodeId, NodeId>>,
}

impl Unrolling<'_> {
    /// Adds one step; the body's outputs, each with the axis of the scan back in place.
    fn step(&mut self, step: usize) -> Result<Vec<NodeId>> {
        let mut done = BTreeMap::new();
        for id in self.order.clone() {
            let node = self.body.node(id);
            let name = format!("{}.{step}.{}", self.scan.name, node.name);
            let new = match &node.op {
                Op::Input { index } => {
                    let operand = self.scan.inputs[*index];
                    self.slice(&name, operand, step, node)
                }
                Op::State { init } => match self.done.last() {
                    None => self.constant(&name, Arc::clone(init), node),
                    Some(before) => {
                        let value = self.body.updates.get(&id);
                        *value.and_then(|v| before.get(v)).ok_or_else(|| {
                            CompileError::Internal(format!("state {id} has no update"))
                        })?
                    }
                },
                Op::Delay { steps } => match self.done.len().checked_sub(*steps) {
                    None => {
                        let zeros = Arc::new(Tensor::zeros(node.ty.shape.clone()));
                        self.constant(&name, zeros, node)
                    }
                    Some(at) => self.done[at][&node.inputs[0]],
                },
                op => {
                    let inputs = node.inputs.iter().map(|i| done[i]).collect();
                    add(self.graph, &name, op.clone(), inputs, node.ty.clone())
                }
            };
            done.insert(id, new);
        }
        let outputs = self
            .body
            .outputs
            .iter()
            .map(|id| done[id])
            .collect::<Vec<_>>();
        self.done.push(done);
        Ok(self.stack(step, &outputs))
    }

    fn slice(&mut self, name: &str, operand: NodeId, step: usize, input: &Node) -> NodeId {
        let mut ty = self.graph.node(operand).ty.clone();
        ty.shape[self.axis] = 1;
        let (axis, start, end) = (self.axis, step, step + 1);
        let op = Op::Slice { axis, start, end };
        let slice = add(
            self.graph,
            &format!("{name}.slice"),
            op,
            vec![operand],
            ty.clone(),
        );
        ty.shape.remove(axis);
        ty.data_dim = input.ty.data_dim;
        let shape = ty.shape.clone();
        add(self.graph, name, Op::Reshape { shape }, vec![slice], ty)
    }

    fn constant(&mut self, name: &str, value: Arc<Tensor>, like: &Node) -> NodeId {
        let ty = TensorType {
            shape: value.shape.clone(),
            data_dim: None,
            precision: like.ty.precision,
        };
        add(self.graph, name, Op::Constant(value), vec![], ty)
    }

    fn stack(&mut self, step: usize, outputs: &[NodeId]) -> Vec<NodeId> {
        let mut stacked = vec![];
        for (&new, &id) in outputs.iter().zip(&self.body.outputs) {
            let node = self.body.node(id);
            let mut ty = self.graph.node(new).ty.clone();
            ty.shape.insert(self.axis, 1);
            ty.data_dim = node.ty.data_dim.map(|d| d + usize::from(d >= self.axis));
            let name = format!("{}.{step}.{}.stack", self.scan.name, node.name);
            let shape = ty.shape.clone();
            stacked.push(add(self.graph, &name, Op::Reshape { shape }, vec![new], ty));
        }
        stacked
    }
}

/// Adds a node with the data dimension it has if any operand is known at run time only.
fn add(graph: &mut Graph, name: &str, op: Op, inputs: Vec<NodeId>, mut ty: TensorType) -> NodeId {
    let runtime = inputs.iter().any(|&i| graph.node(i).ty.data_dim.is_some());
    if !runtime {
        ty.data_dim = None;
    }
    graph.add_unchecked(Node {
        name: name.to_owned(),
        op,
        inputs,
        ty,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::{Evaluator, GraphBuilder, UnaryOp};
    use crate::passes::PassManager;

    /// `h' = tanh(W x + V h)`, `h` of two values, both outputs `h'` and `h + delay(x, 2)`.
    fn cell() -> Graph {
        let mut g = GraphBuilder::new("cell");
        let x = g.input("x", &[2]);
        let h = g.state("h", Tensor::vector(vec![0.5, -1.0])).unwrap();
        let w = Arc::new(Tensor::from_fn([2, 2], |i| [0.5, -0.25, 1.0, 0.125][i]));
        let v = Arc::new(Tensor::from_fn([2, 2], |i| [1.0, 2.0, -0.5, 0.75][i]));
        let sum = g.linear_sum("sum", vec![(x, w), (h, v)], None).unwrap();
        let next = g.unary("next", UnaryOp::Tanh, sum).unwrap();
        g.update(h, next).unwrap();
        let past = g.delay("past", x, 2).unwrap();
        let skip = g.add("skip", h, past).unwrap();
        g.output(next).output(skip);
        g.finish().unwrap()
    }

    fn sequence(steps: usize, reverse: bool) -> Graph {
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[2, steps]);
        let y = g.scan("rnn", cell(), 1, reverse, &[x]).unwrap();
        g.output(y[0]).output(y[1]);
        g.finish().unwrap()
    }

    fn run(graph: &Graph, x: &Tensor) -> Vec<Tensor> {
        Evaluator::new(graph)
            .unwrap()
            .run(std::slice::from_ref(x))
            .unwrap()
    }

    #[test]
    fn every_step_becomes_layers_once() {
        for (steps, reverse) in [(1, false), (4, false), (4, true)] {
            let whole = sequence(steps, reverse);
            let mut flat = whole.clone();
            assert!(UnrollScans.run(&mut flat).unwrap());
            flat.verify().unwrap();
            assert!(!UnrollScans.run(&mut flat).unwrap());
            let count =
                |f: fn(&Op) -> bool| flat.node_ids().filter(|&id| f(&flat.node(id).op)).count();
            assert_eq!(
                count(|op| matches!(op, Op::Linear { .. })),
                steps,
                "the two outputs share a run"
            );
            assert_eq!(
                count(|op| matches!(op, Op::Scan { .. } | Op::Delay { .. })),
                0
            );
            // In a single step the second output is the first state, whatever the input.
            assert_eq!(
                count(|op| matches!(op, Op::State { .. })),
                usize::from(steps == 1)
            );
            let x = Tensor::from_fn([2, steps], |i| {
                [0.25, -1.5, 3.0, 0.0, 1.0, -2.0, 0.5, 4.0][i]
            });
            assert_eq!(run(&flat, &x), run(&whole, &x));
            PassManager::standard().run(&mut flat).unwrap();
            assert_eq!(run(&flat, &x), run(&whole, &x));
        }
    }

    #[test]
    fn another_direction_is_another_result() {
        let x = Tensor::from_fn([2, 4], |i| [0.25, -1.5, 3.0, 0.0, 1.0, -2.0, 0.5, 4.0][i]);
        let mut backwards = sequence(4, true);
        UnrollScans.run(&mut backwards).unwrap();
        assert_ne!(run(&backwards, &x), run(&sequence(4, false), &x));
    }

    #[test]
    fn scans_in_scans_unroll() {
        let mut g = GraphBuilder::new("rows");
        let x = g.input("x", &[2, 3]);
        let y = g.scan("inner", cell(), 1, false, &[x]).unwrap();
        g.output(y[0]);
        let body = g.finish().unwrap();
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[2, 2, 3]);
        let y = g.scan("outer", body, 0, false, &[x]).unwrap();
        g.output(y[0]);
        let whole = g.finish().unwrap();
        let mut flat = whole.clone();
        assert!(UnrollScans.run(&mut flat).unwrap());
        flat.verify().unwrap();
        let x = Tensor::from_fn([2, 2, 3], |i| f32::from(u8::try_from(i).unwrap()) / 8.0);
        assert_eq!(run(&flat, &x), run(&whole, &x));
    }

    #[test]
    fn a_result_of_first_states_alone_stays_run_time() {
        let mut g = GraphBuilder::new("late");
        let x = g.input("x", &[2]);
        let s = g.state("s", Tensor::vector(vec![1.0, 2.0])).unwrap();
        g.update(s, x).unwrap();
        let y = g.relu("y", s).unwrap();
        g.output(y);
        let body = g.finish().unwrap();
        let mut g = GraphBuilder::new("net");
        let x = g.input("x", &[1, 2]);
        let y = g.scan("scan", body, 0, false, &[x]).unwrap()[0];
        let twice = g.add("twice", y, y).unwrap();
        let z = g.add("z", twice, x).unwrap();
        g.output(z);
        let mut graph = g.finish().unwrap();
        PassManager::standard().run(&mut graph).unwrap();
        assert_eq!(run(&graph, &Tensor::zeros([1, 2]))[0].data, [2.0, 4.0]);
    }

    #[test]
    fn endless_sequences_are_refused() {
        let text = UnrollScans
            .run(&mut sequence(1 << 20, false))
            .unwrap_err()
            .to_string();
        for part in ["'rnn.0' (scan)", "1048576 steps", "streaming_transform"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}
