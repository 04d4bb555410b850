//! Products of a sum's function and another function's result, without port X.
//!
//! `h = sigmoid(sum) * tanh(c)`, the end of an LSTM, is lowered as `o = sigmoid(sum)`, then `h = tanh(c) * o`: nothing but one word stands between
//! `c` and `h`. That word reads two blocks, one of them through port X, which costs a cycle of the matrix unit. Here it becomes `t = tanh(c)`,
//! then `h = sigmoid(sum) * t`: one vector word later, and the matrix unit free.
//!
//! **Contract.** The model computes the same, but for which of the two factors is rounded to bf16 on its way. It pays where the matrix unit is the limit.
//! **Errors.** None.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sluice_isa::{Format, Op};

use super::block::{BlockId, BlockModel, BlockOp, Operand, Origin, Source};

/// Operations of two blocks whose second one is a sum read by nothing else, by layer in order: (the operation, the sum).
fn pairs(model: &BlockModel) -> Vec<Vec<(usize, usize)>> {
    let mut readers: HashMap<BlockId, usize> = HashMap::new();
    let mut writers: HashMap<BlockId, Vec<usize>> = HashMap::new();
    for (i, op) in model.ops.iter().enumerate() {
        for block in op.reads() {
            *readers.entry(block).or_default() += 1;
        }
        writers.entry(op.dst).or_default().push(i);
    }
    for beat in &model.outputs {
        *readers.entry(beat.block).or_default() += 1;
    }
    let mut layers: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (i, op) in model.ops.iter().enumerate() {
        let (Source::Block(_, 0), Some(_), Some((Op::Mul, Operand::Block(factor)))) =
            (&op.source, op.special, op.alu)
        else {
            continue;
        };
        let [sum] = writers.get(&factor).map_or(&[][..], Vec::as_slice) else {
            continue;
        };
        let s = &model.ops[*sum];
        let block = &model.blocks[factor.0];
        if matches!(s.source, Source::Sum { .. })
            && (s.alu, s.post, s.lanes, s.tail) == (None, None, op.lanes, op.tail)
            && (block.origin, block.format) == (Origin::Computed, Format::Bf16)
            && readers[&factor] == 1
            && !model.replaces.contains_key(&factor)
        {
            layers.entry(op.layer.0).or_default().push((i, *sum));
        }
    }
    layers.into_values().collect()
}

/// The model with such operations rewritten: all, or the first ones of each layer, whose delay hides behind the rest, a few per core. Empty if
/// there are none.
pub fn without(model: &BlockModel, cores: usize) -> Vec<BlockModel> {
    let layers = pairs(model);
    let longest = layers.iter().map(Vec::len).max().unwrap_or(0);
    let counts: BTreeSet<usize> = [longest, 3 * cores, 2 * cores, cores]
        .into_iter()
        .filter(|&n| 0 < n && n <= longest)
        .collect();
    let first = |n| layers.iter().flat_map(move |layer| layer.iter().take(n));
    counts
        .into_iter()
        .rev()
        .map(|n| rewritten(model, &first(n).copied().collect::<Vec<_>>()))
        .collect()
}

fn rewritten(model: &BlockModel, pairs: &[(usize, usize)]) -> BlockModel {
    let mut out = BlockModel {
        ops: vec![],
        ..model.clone()
    };
    let sums: BTreeSet<usize> = pairs.iter().map(|p| p.1).collect();
    let products: HashMap<usize, usize> = pairs.iter().copied().collect();
    // Sums of a layer stay together: that is how they are shared out among the cores.
    let mut waiting: Vec<BlockOp> = Vec::new();
    for (i, op) in model.ops.iter().enumerate() {
        if sums.contains(&i) {
            continue;
        }
        let Some(&sum) = products.get(&i) else {
            out.ops.append(&mut waiting);
            out.ops.push(op.clone());
            continue;
        };
        let factor = out.add_block(Origin::Computed, op.layer, Format::Bf16);
        out.ops.push(BlockOp {
            alu: None,
            post: None,
            dst: factor,
            ..op.clone()
        });
        waiting.push(BlockOp {
            alu: Some((Op::Mul, Operand::Block(factor))),
            post: op.post,
            dst: op.dst,
            ..model.ops[sum].clone()
        });
    }
    out.ops.append(&mut waiting);
    out
}

#[cfg(test)]
mod tests {
    use super::super::lower::lower;
    use super::*;
    use crate::nnir::{GraphBuilder, Tensor, UnaryOp};

    /// `tanh(x) * sigmoid(W x)` of 5 blocks of 4 lanes; `shown` lets the factor be read by an output, too.
    fn gated(shown: bool) -> BlockModel {
        let mut g = GraphBuilder::new("gated");
        let x = g.input("x", &[20]);
        let sum = g
            .linear("sum", x, Tensor::from_fn([20, 20], |_| 0.5), None)
            .unwrap();
        let o = g.unary("o", UnaryOp::Sigmoid, sum).unwrap();
        let t = g.unary("t", UnaryOp::Tanh, x).unwrap();
        let h = g.mul("h", t, o).unwrap();
        g.output(h);
        if shown {
            g.output(o);
        }
        lower(&g.finish().unwrap(), 4).unwrap()
    }

    fn port_x_words(model: &BlockModel) -> usize {
        let two = |op: &&BlockOp| {
            matches!(
                (&op.source, op.alu),
                (Source::Block(..), Some((_, Operand::Block(_))))
            )
        };
        model.ops.iter().filter(two).count()
    }

    #[test]
    fn all_or_the_first_of_each_layer() {
        let model = gated(false);
        assert_eq!(port_x_words(&model), 5);
        let left: Vec<usize> = without(&model, 1).iter().map(port_x_words).collect();
        assert_eq!(left, [0, 2, 3, 4]);
        let left: Vec<usize> = without(&model, 2).iter().map(port_x_words).collect();
        assert_eq!(left, [0, 1, 3]);
    }

    #[test]
    fn every_block_is_still_written_before_it_is_read() {
        for model in without(&gated(false), 1) {
            let mut written: BTreeSet<BlockId> = (0..model.blocks.len())
                .map(BlockId)
                .filter(|b| model.blocks[b.0].origin != Origin::Computed)
                .collect();
            for op in &model.ops {
                assert!(op.reads().iter().all(|b| written.contains(b)), "{op:?}");
                written.insert(op.dst);
            }
            assert!(model.outputs.iter().all(|o| written.contains(&o.block)));
        }
    }

    #[test]
    fn a_factor_with_another_reader_stays() {
        assert!(without(&gated(true), 1).is_empty());
    }
}
