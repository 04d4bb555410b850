//! State: delay lines and recurrent values, kept in tensor banks from job to job.
//!
//! **Contract.** A job reads what the job before left; operations at its end write what the next one reads. Before the first job a delay line
//! holds zero and a state its `init`, rounded to its format.
//! **Errors.** None of its own.

use std::collections::{BTreeMap, BTreeSet};

use sluice_isa::Format;

use super::layout::Layout;
use super::{Lowered, Lowering, Value};
use crate::backend::block::{BlockId, LayerId, Origin};
use crate::error::Result;
use crate::nnir::{NodeId, Op};

impl Lowering<'_> {
    /// State blocks of every delayed tensor, long enough for its longest delay.
    pub(super) fn declare_lines(&mut self, order: &[NodeId]) {
        let mut longest: BTreeMap<NodeId, usize> = BTreeMap::new();
        for &id in order {
            let node = self.graph.node(id);
            if let Op::Delay { steps } = node.op {
                let entry = longest.entry(node.inputs[0]).or_default();
                *entry = (*entry).max(steps);
            }
        }
        for (source, steps) in longest {
            let node = self.graph.node(source);
            let (layout, name) = (Layout::of(&node.ty), node.name.clone());
            let layer = self.layer(&format!("{name} (state)"), "delay");
            let format = self.format(source);
            let line = (0..steps)
                .map(|_| self.state_blocks(layer, &layout, format))
                .collect();
            self.lines.insert(source, line);
        }
    }

    fn state_blocks(&mut self, layer: LayerId, layout: &Layout, format: Format) -> Value {
        let blocks = layout.extent().div_ceil(self.b);
        let mut block = |_| self.model.add_block(Origin::State, layer, format);
        Value {
            vectors: layout
                .vectors()
                .iter()
                .map(|_| (0..blocks).map(&mut block).collect())
                .collect(),
            splat: false,
        }
    }

    /// Blocks of every `state` node and what they hold at first.
    pub(super) fn declare_states(&mut self, order: &[NodeId]) {
        for &id in order {
            let node = self.graph.node(id).clone();
            let Op::State { init } = &node.op else {
                continue;
            };
            let layout = Layout::of(&node.ty);
            let layer = self.layer(&node.name, "state");
            let value = self.state_blocks(layer, &layout, self.format(id));
            if init.data.iter().any(|&x| x != 0.0) {
                for (index, vector) in layout.vectors().iter().zip(&value.vectors) {
                    for (j, &block) in vector.iter().enumerate() {
                        let first = self.constant_block(init, index, j, &layout);
                        self.model.state_init.insert(block, first);
                    }
                }
            }
            self.values.insert(id, Lowered::Blocks(value));
        }
    }

    /// End of job: every state takes its new value.
    pub(super) fn update_states(&mut self) -> Result<()> {
        for (&state, &next) in &self.graph.updates {
            let layout = Layout::of(&self.graph.node(state).ty);
            let old = self.materialise(state)?;
            let new = self.spread(next, &layout)?;
            let new = self.converted(new, self.format(state));
            for (&src, &dst) in new
                .vectors
                .iter()
                .flatten()
                .zip(old.vectors.iter().flatten())
            {
                let layer = self.model.blocks[dst.0].layer;
                // States that trade places would wait for each other.
                let src = if self.model.blocks[src.0].origin == Origin::State {
                    let format = self.model.blocks[src.0].format;
                    let copy = self.model.add_block(Origin::Computed, layer, format);
                    self.move_lanes(layer, (src, 0), (0, self.b), copy);
                    copy
                } else {
                    src
                };
                if self.takes_place(src, dst) {
                    self.model.replaces.insert(src, dst);
                } else {
                    self.move_state(src, dst);
                }
            }
        }
        Ok(())
    }

    /// The new value can be written where the old one stands: nobody reads the old one after it.
    fn takes_place(&self, new: BlockId, old: BlockId) -> bool {
        if self.model.blocks[new.0].origin != Origin::Computed
            || self.model.blocks[new.0].format != self.model.blocks[old.0].format
            || self.model.replaces.contains_key(&new)
        {
            return false;
        }
        let writers = self.model.ops.iter().filter(|op| op.dst == new);
        if writers.clone().count() > 1 && writers.clone().any(|op| op.reads().contains(&old)) {
            return false;
        }
        let mut after = BTreeSet::from([new]);
        for op in &self.model.ops {
            let reads = op.reads();
            if reads.iter().any(|b| after.contains(b)) {
                if reads.contains(&old) {
                    return false;
                }
                after.insert(op.dst);
            }
        }
        // Beats leave in order: the old value may not have to wait for what comes of the new one.
        let outputs = &self.model.outputs;
        let last = outputs.iter().rposition(|beat| beat.block == old);
        !outputs[..last.unwrap_or(0)]
            .iter()
            .any(|beat| after.contains(&beat.block))
    }

    fn move_state(&mut self, src: BlockId, dst: BlockId) {
        let first = self.model.ops.len();
        let layer = self.model.blocks[dst.0].layer;
        self.move_lanes(layer, (src, 0), (0, self.b), dst);
        for op in &mut self.model.ops[first..] {
            op.tail = true;
        }
    }

    /// End of job: every delay line moves one step on.
    pub(super) fn shift_lines(&mut self, order: &[NodeId]) -> Result<()> {
        for &source in order {
            let Some(line) = self.lines.get(&source).cloned() else {
                continue;
            };
            let newest = self.materialise_as(source, self.format(source))?;
            for step in (0..line.len()).rev() {
                let from = if step == 0 { &newest } else { &line[step - 1] };
                for (src, dst) in from
                    .vectors
                    .iter()
                    .flatten()
                    .zip(line[step].vectors.iter().flatten())
                {
                    self.move_state(*src, *dst);
                }
            }
        }
        Ok(())
    }
}
