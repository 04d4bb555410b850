//! Reductions: sums and means go through the matrix unit (`dense.rs`), maxima and minima through pairs of blocks and rotations.
//!
//! **Contract.** Over the data dimension the result stands in every lane (splat), so that it meets the tensor it came from without being
//! moved. Without `keep` the axes are then taken away.
//! **Errors.** As of `dense.rs`.
#![expect(
    clippy::cast_precision_loss,
    reason = "counts of elements that fit the tensor RAM"
)]

use sluice_isa::{Format, Op as VecOp};

use super::layout::Layout;
use super::{Lowered, Lowering, Pending, Template, Value};
use crate::backend::block::{BlockId, LayerId, Operand, Origin, Source};
use crate::error::Result;
use crate::nnir::{NodeId, ReduceOp};

/// A tensor and the axes it loses.
pub(super) struct Reduction<'a> {
    pub(super) value: &'a Value,
    pub(super) from: &'a Layout,
    pub(super) to: &'a Layout,
    pub(super) axes: &'a [usize],
}

impl Reduction<'_> {
    /// Per vector of the result the vectors that go into it.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups = vec![vec![]; self.to.vectors().len()];
        for (v, index) in self.from.vectors().iter().enumerate() {
            let mut index = index.clone();
            for &axis in self.axes {
                index[axis] = 0;
            }
            groups[self.to.vector(&index)].push(v);
        }
        groups
    }
}

impl Lowering<'_> {
    pub(super) fn reduce(
        &mut self,
        id: NodeId,
        op: ReduceOp,
        axes: &[usize],
        keep: bool,
    ) -> Result<Lowered> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, op.name());
        let value = self.materialise_as(node.inputs[0], Format::Bf16)?;
        let from = Layout::of(&self.graph.node(node.inputs[0]).ty);
        let mut to = from.clone();
        for &axis in axes {
            to.shape[axis] = 1;
        }
        let reduction = Reduction {
            value: &value,
            from: &from,
            to: &to,
            axes,
        };
        let count: usize = axes.iter().map(|&a| from.shape[a]).product();
        let pending = match op {
            ReduceOp::Sum => self.sum_of(layer, &reduction, 1.0)?,
            ReduceOp::Mean => self.sum_of(layer, &reduction, 1.0 / count as f32)?,
            ReduceOp::Max => self.extreme_of(layer, &reduction, VecOp::Max),
            ReduceOp::Min => self.extreme_of(layer, &reduction, VecOp::Min),
        };
        let result = Layout::of(&node.ty);
        if keep || result == to {
            return Ok(Lowered::Pending(pending));
        }
        // Take the axes away; what lies between is written.
        let splat = pending.splat;
        let vectors = self.emit_all(pending);
        let operand = (Value { vectors, splat }, to);
        let locate = |index: &[usize]| {
            let mut kept = index.iter();
            let source = (0..from.shape.len()).map(|axis| {
                if axes.contains(&axis) {
                    0
                } else {
                    kept.next().copied().unwrap_or(0)
                }
            });
            (0, source.collect())
        };
        let value = self.gathered(layer, &[operand], &result, &locate);
        Ok(Lowered::Blocks(value))
    }

    fn extreme_of(&mut self, layer: LayerId, over: &Reduction<'_>, op: VecOp) -> Pending {
        let extent = over.from.extent();
        let over_data = over.axes.contains(&over.from.d);
        let mut all = Vec::new();
        for members in over.groups() {
            let mut templates = Vec::new();
            if over_data {
                let mut blocks = Vec::new();
                for &v in &members {
                    for (j, &block) in over.value.vectors[v].iter().enumerate() {
                        let used = extent - j * self.b;
                        blocks.push(if used < self.b && !over.value.splat {
                            self.padded(layer, block, used, op)
                        } else {
                            block
                        });
                    }
                }
                templates.push(self.across_lanes(layer, &blocks, op));
            } else {
                for j in 0..extent.div_ceil(self.b) {
                    let blocks: Vec<_> =
                        members.iter().map(|&v| over.value.vectors[v][j]).collect();
                    templates.push(self.pairwise(layer, &blocks, op));
                }
            }
            all.push(templates);
        }
        Pending {
            templates: all,
            splat: over_data || over.value.splat,
        }
    }

    /// The block with its lanes from `used` on set to what changes no result.
    fn padded(&mut self, layer: LayerId, block: BlockId, used: usize, op: VecOp) -> BlockId {
        let neutral = if op == VecOp::Max {
            f32::NEG_INFINITY
        } else {
            f32::INFINITY
        };
        let constant = self.model.add_constant(vec![neutral.to_bits(); self.b]);
        let dst = self.model.add_block(Origin::Computed, layer, Format::Bf16);
        let copy = Template::new(layer, Source::Block(block, 0));
        self.emit(copy, (0, used), Some(dst));
        let rest = Template::new(layer, Source::Const(constant));
        self.emit(rest, (used, self.b), Some(dst))
    }

    /// The extreme of blocks, lane by lane: a tree whose root is not written yet.
    fn pairwise(&mut self, layer: LayerId, blocks: &[BlockId], op: VecOp) -> Template {
        let mut level = blocks.to_vec();
        while level.len() > 2 {
            let mut next = Vec::new();
            for pair in level.chunks(2) {
                next.push(match pair {
                    &[a, b] => {
                        let t = of_two(layer, (a, 0), b, op);
                        self.emit(t, (0, self.b), None)
                    }
                    odd => odd[0],
                });
            }
            level = next;
        }
        match level[..] {
            [a, b] => of_two(layer, (a, 0), b, op),
            _ => Template::new(layer, Source::Block(level[0], 0)),
        }
    }

    /// The extreme of all lanes of blocks, in every lane.
    fn across_lanes(&mut self, layer: LayerId, blocks: &[BlockId], op: VecOp) -> Template {
        let mut t = self.pairwise(layer, blocks, op);
        let mut distance = self.b / 2;
        while distance > 0 {
            let block = self.block_of(t);
            t = of_two(layer, (block, distance), block, op);
            distance /= 2;
        }
        t
    }
}

/// `op` of a block, rotated, and another.
fn of_two(layer: LayerId, (a, rot): (BlockId, usize), b: BlockId, op: VecOp) -> Template {
    let mut t = Template::new(layer, Source::Block(a, rot));
    t.alu = Some((op, Operand::Block(b)));
    t
}
