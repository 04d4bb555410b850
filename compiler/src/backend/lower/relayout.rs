//! Operations that only move elements: concat, slice, reshape, transpose, `index_select`, expand.
//!
//! **Contract.** Every lane of the result is a lane of an operand. What respects block boundaries costs nothing; other blocks are put
//! together by lane moves, one word for each run of neighbouring lanes.
//! **Errors.** None.

use sluice_isa::Format;

use super::layout::{Layout, broadcast, flat};
use super::{Lowering, Value};
use crate::backend::block::{BlockId, LayerId, Origin};
use crate::error::Result;
use crate::nnir::{NodeId, Op};

/// From an index of the result to the operand and the index there.
type Locate<'a> = dyn Fn(&[usize]) -> (usize, Vec<usize>) + 'a;

impl Lowering<'_> {
    pub(super) fn relayout(&mut self, id: NodeId) -> Result<Value> {
        let node = self.graph.node(id).clone();
        let layer = self.layer(&node.name, node.op.name());
        let mut operands = Vec::new();
        for &i in &node.inputs {
            let value = self.materialise_as(i, self.format(id))?;
            operands.push((value, Layout::of(&self.graph.node(i).ty)));
        }
        let result = Layout::of(&node.ty);
        let shapes: Vec<Vec<usize>> = operands.iter().map(|(_, l)| l.shape.clone()).collect();
        let locate = |index: &[usize]| -> (usize, Vec<usize>) {
            let mut source = index.to_vec();
            match &node.op {
                Op::Concat { axis } => {
                    let mut which = 0;
                    while source[*axis] >= shapes[which][*axis] {
                        source[*axis] -= shapes[which][*axis];
                        which += 1;
                    }
                    return (which, source);
                }
                Op::Slice { axis, start, .. } => source[*axis] += start,
                Op::Transpose { perm } => {
                    for (i, &axis) in perm.iter().enumerate() {
                        source[axis] = index[i];
                    }
                }
                Op::IndexSelect { axis, indices } => source[*axis] = indices[index[*axis]],
                Op::Expand { .. } => source = broadcast(index, &shapes[0]),
                _ => {
                    let mut at = flat(index, &result.shape);
                    source = vec![0; shapes[0].len()];
                    for (i, &n) in source.iter_mut().zip(&shapes[0]).rev() {
                        *i = at % n;
                        at /= n;
                    }
                }
            }
            (0, source)
        };
        Ok(self.gathered(layer, &operands, &result, &locate))
    }

    /// The tensor whose elements `locate` finds in the operands, whose blocks are all of one format.
    pub(super) fn gathered(
        &mut self,
        layer: LayerId,
        operands: &[(Value, Layout)],
        result: &Layout,
        locate: &Locate<'_>,
    ) -> Value {
        let mut vectors = Vec::new();
        for mut index in result.vectors() {
            let mut blocks = Vec::new();
            for j in 0..result.extent().div_ceil(self.b) {
                let lanes: Vec<Option<(BlockId, usize)>> = (0..self.b)
                    .map(|lane| {
                        let at = j * self.b + lane;
                        if at >= result.extent() {
                            return None;
                        }
                        index[result.d] = at;
                        let (which, source) = locate(&index);
                        let (value, own) = &operands[which];
                        let at = source[own.d];
                        let block = value.vectors[own.vector(&source)][at / self.b];
                        Some((block, if value.splat { lane } else { at % self.b }))
                    })
                    .collect();
                blocks.push(self.gather(layer, &lanes));
            }
            vectors.push(blocks);
        }
        // A block that was not moved still has its value in every lane.
        let splat = result.extent() == 1 && operands.iter().all(|(v, _)| v.splat);
        Value { vectors, splat }
    }

    /// A block whose lanes come from given lanes of other blocks: an alias if nothing moves, else lane moves.
    fn gather(&mut self, layer: LayerId, lanes: &[Option<(BlockId, usize)>]) -> BlockId {
        let first = lanes.iter().flatten().next().map(|l| l.0);
        let format = first.map_or(Format::Bf16, |b| self.model.blocks[b.0].format);
        if let Some(block) = first
            && lanes
                .iter()
                .enumerate()
                .all(|(i, l)| l.is_none_or(|l| l == (block, i)))
        {
            return block;
        }
        let dst = self.model.add_block(Origin::Computed, layer, format);
        let mut at = 0;
        while at < lanes.len() {
            let Some((block, lane)) = lanes[at] else {
                at += 1;
                continue;
            };
            let mut end = at + 1;
            while end < lanes.len() && lanes[end] == Some((block, lane + end - at)) {
                end += 1;
            }
            let rot = (lane + self.b - at) % self.b;
            self.move_lanes(layer, (block, rot), (at, end), dst);
            at = end;
        }
        dst
    }
}
