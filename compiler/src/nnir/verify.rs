//! The rules a graph keeps: checked after building and, in debug builds, after every pass.
//!
//! **Contract.** `Ok` means: inputs and outputs exist, operands and edges agree, every state has an update of its own type,
//! no cycle, every shape and data dimension follows from the operands, every constant is finite, every FP8 weight is an FP8 value, every input feeds an output
//! (perhaps through a state, in a later inference). The same holds for the body of every scan. Duplicate outputs are fine.
//! **Errors.** The first violation, in the order above and then in order of computation.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::visit::EdgeRef;
use sluice_isa::fp8;

use super::graph::Graph;
use super::infer;
use super::op::Op;
use super::types::NodeId;
use crate::error::{CompileError, Result};

impl Graph {
    /// Checks every rule above.
    pub fn verify(&self) -> Result<()> {
        for (list, missing) in [(&self.inputs, "input"), (&self.outputs, "output")] {
            if list.is_empty() {
                return Err(CompileError::Empty {
                    graph: self.name.clone(),
                    missing,
                });
            }
        }
        self.verify_references()?;
        self.verify_signature()?;
        self.verify_updates()?;
        let order = self.nodes_topological()?;
        for &id in &order {
            self.verify_types(id)?;
        }
        for (&state, &value) in &self.updates {
            infer::check_update(self, state, value)?;
        }
        for &id in &order {
            self.verify_finite(id)?;
            self.verify_fp8(id)?;
        }
        self.verify_inputs_used()
    }

    fn verify_fp8(&self, id: NodeId) -> Result<()> {
        let node = self.node(id);
        for w in node.op.fp8_weights() {
            let mut rounded = w.data.clone();
            fp8::round_rows(&mut rounded, w.shape[1..].iter().product());
            if let Some((x, y)) = w
                .data
                .iter()
                .zip(rounded)
                .find(|&(x, y)| (x - y).abs() > 0.0)
            {
                return Err(CompileError::Unsupported {
                    layer: node.name.clone(),
                    op: node.op.name().into(),
                    attribute: format!("{x} as an FP8 weight"),
                    nearest: format!("{y}; `GraphBuilder::fp8_weights` rounds"),
                });
            }
        }
        Ok(())
    }

    fn verify_references(&self) -> Result<()> {
        let dangling = |layer: &str, operand, problem| CompileError::Dangling {
            layer: layer.to_owned(),
            operand,
            problem,
        };
        for (position, &output) in self.outputs.iter().enumerate() {
            if self.get(output).is_none() {
                return Err(dangling(
                    "output",
                    position,
                    format!("{output} is not in the graph"),
                ));
            }
        }
        for id in self.node_ids() {
            let node = self.node(id);
            for (operand, &from) in node.inputs.iter().enumerate() {
                if self.get(from).is_none() {
                    return Err(dangling(
                        &node.name,
                        operand,
                        format!("{from} is not in the graph"),
                    ));
                }
            }
            let edges: BTreeSet<(usize, NodeId)> = self
                .dag
                .edges_directed(id.0, Direction::Incoming)
                .map(|e| (*e.weight(), NodeId(e.source())))
                .collect();
            let operands: BTreeSet<_> = node.inputs.iter().copied().enumerate().collect();
            if edges != operands {
                let operand = edges
                    .symmetric_difference(&operands)
                    .next()
                    .map_or(0, |(i, _)| *i);
                return Err(dangling(
                    &node.name,
                    operand,
                    "the edge and the operand list disagree".to_owned(),
                ));
            }
        }
        Ok(())
    }

    fn verify_signature(&self) -> Result<()> {
        let declared: Vec<NodeId> = self
            .node_ids()
            .filter(|&id| matches!(self.node(id).op, Op::Input { .. }))
            .collect();
        let in_order = self.inputs.iter().enumerate().all(|(i, &id)| {
            self.get(id)
                .is_some_and(|node| node.op == Op::Input { index: i })
        });
        if in_order && declared.len() == self.inputs.len() {
            return Ok(());
        }
        Err(CompileError::Internal(format!(
            "graph '{}': the signature lists {} inputs, the graph has {} or has them in another order",
            self.name,
            self.inputs.len(),
            declared.len()
        )))
    }

    fn verify_updates(&self) -> Result<()> {
        let is_state =
            |id| matches!(self.get(id), Some(node) if matches!(node.op, Op::State { .. }));
        let fail = |layer: String, problem: String| {
            Err(CompileError::Dangling {
                layer,
                operand: 0,
                problem,
            })
        };
        for (&state, &value) in &self.updates {
            if !is_state(state) {
                return fail("update".to_owned(), format!("{state} is not a state"));
            }
            if self.get(value).is_none() {
                let name = self.node(state).name.clone();
                return fail(name, format!("its update {value} is not in the graph"));
            }
        }
        let lost = |id: &NodeId| is_state(*id) && !self.updates.contains_key(id);
        match self.node_ids().find(lost) {
            Some(id) => fail(
                self.node(id).name.clone(),
                "the state has no update, so it would never change; use a constant".to_owned(),
            ),
            None => Ok(()),
        }
    }

    fn verify_types(&self, id: NodeId) -> Result<()> {
        let node = self.node(id);
        infer::check_extents(&node.name, &node.op, "its result", &node.ty.shape)?;
        if !matches!(node.op, Op::Input { .. }) {
            let operands: Vec<_> = node
                .inputs
                .iter()
                .map(|&i| (self.node(i).name.as_str(), self.node(i).ty.shape.as_slice()))
                .collect();
            let shape = infer::shape(&node.name, &node.op, &operands)?;
            if shape != node.ty.shape {
                return Err(CompileError::Shape {
                    layer: node.name.clone(),
                    op: node.op.name(),
                    operands: operands
                        .iter()
                        .map(|(n, s)| format!("{n} {s:?}"))
                        .collect::<Vec<_>>()
                        .join(", "),
                    problem: format!(
                        "the operands give {shape:?}, the node says {:?}",
                        node.ty.shape
                    ),
                });
            }
        }
        infer::check_data_dim(self, id)
    }

    fn verify_finite(&self, id: NodeId) -> Result<()> {
        let node = self.node(id);
        for (tensor, value) in node.op.tensors() {
            if let Some((index, value)) = value.first_non_finite() {
                return Err(CompileError::NonFinite {
                    layer: node.name.clone(),
                    tensor,
                    index,
                    value,
                });
            }
        }
        Ok(())
    }

    fn verify_inputs_used(&self) -> Result<()> {
        let live = self.live();
        match self.inputs.iter().find(|id| !live.contains(id)) {
            Some(&id) => Err(CompileError::UnusedInput {
                graph: self.name.clone(),
                input: self.node(id).name.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Nodes that some output depends on, in this inference or a later one.
    pub(crate) fn live(&self) -> BTreeSet<NodeId> {
        let mut live = BTreeSet::new();
        let mut work = self.outputs.clone();
        while let Some(id) = work.pop() {
            if live.insert(id) {
                work.extend(&self.node(id).inputs);
                work.extend(self.updates.get(&id));
            }
        }
        live
    }
}
