//! Work for the next job: sums over new state, computed at the end of a job, where the matrix units would wait for its last layers.
//!
//! A sum such as `W x + U h` reads its state term by term at the start of a job. Here `U h'` of the new state `h'` is summed when `h'` is known and
//! kept as a block of planes, itself state, that the next job adds with one matrix word.
//!
//! **Contract.** The model computes the same sums; those moved are rounded to fp32 on their way. The work itself stays, plus a matrix word and a
//! vector word per sum, so it pays only where cycles are free. State that is not zero at first stays where it is.
//! **Errors.** None.

use std::collections::{BTreeMap, BTreeSet};

use sluice_isa::Format;

use super::block::{BlockId, BlockModel, BlockOp, Layer, LayerId, Origin, Source, Term};

/// Terms of a sum that read state, and where its new value is found.
fn movable(op: &BlockOp, renewed: &BTreeMap<BlockId, BlockId>) -> Vec<usize> {
    let Source::Sum { terms, .. } = &op.source else {
        return vec![];
    };
    let reads_state = |t: &Term| matches!(t, Term::Product(_, b) if renewed.contains_key(b));
    // The first of them stays, so that the sum, which begins with a product, begins before the input is there.
    let moved: Vec<usize> = (0..terms.len())
        .filter(|&t| reads_state(&terms[t]))
        .skip(1)
        .collect();
    if op.tail || moved.len() < 2 {
        return vec![];
    }
    moved
}

/// State blocks that are zero at first, with the blocks computed in a job that hold their new values.
fn renewed(model: &BlockModel, b: usize) -> BTreeMap<BlockId, BlockId> {
    let moves = model.ops.iter().filter_map(|op| match op.source {
        Source::Block(new, 0) if op.tail && op.lanes == (0, b) => Some((op.dst, new)),
        _ => None,
    });
    let replaced = model.replaces.iter().map(|(&new, &old)| (old, new));
    let usable = |&(old, new): &(BlockId, BlockId)| {
        let [old, new] = [old, new].map(|b| &model.blocks[b.0]);
        old.origin == Origin::State
            && new.origin == Origin::Computed
            && old.format == Format::Bf16
            && new.format == Format::Bf16
    };
    moves
        .chain(replaced)
        .filter(usable)
        .filter(|(old, _)| !model.state_init.contains_key(old))
        .collect()
}

/// Sums over state of a model for blocks of `b` lanes, first layers first: how many terms each one could leave to the end of the previous job.
pub fn sums(model: &BlockModel, b: usize) -> Vec<usize> {
    let renewed = renewed(model, b);
    model
        .ops
        .iter()
        .map(|op| movable(op, &renewed).len())
        .filter(|&n| n > 0)
        .collect()
}

/// The model with the first `count` of [`sums`] moved to the end of the job before.
pub fn ahead(model: &BlockModel, b: usize, count: usize) -> BlockModel {
    let renewed = renewed(model, b);
    let mut out = model.clone();
    let mut layers: BTreeMap<LayerId, LayerId> = BTreeMap::new();
    let mut moved = Vec::new();
    for op in &mut out.ops {
        let places: BTreeSet<usize> = movable(op, &renewed).into_iter().collect();
        if places.is_empty() || moved.len() == count {
            continue;
        }
        let Source::Sum { terms, .. } = &mut op.source else {
            continue;
        };
        let layer = *layers.entry(op.layer).or_insert_with(|| {
            out.layers.push(Layer {
                name: format!("{} (next job)", out.layers[op.layer.0].name),
                op: out.layers[op.layer.0].op,
            });
            LayerId(out.layers.len() - 1)
        });
        let planes = BlockId(out.blocks.len());
        out.blocks.push(super::block::Block {
            origin: Origin::State,
            layer,
            format: Format::Planes,
        });
        let mut later = Vec::new();
        let mut stay = Vec::new();
        for (i, &term) in terms.iter().enumerate() {
            match term {
                Term::Product(tile, old) if places.contains(&i) => {
                    later.push(Term::Product(tile, renewed[&old]));
                }
                _ => stay.push(term),
            }
        }
        stay.push(Term::Planes(planes));
        *terms = stay;
        moved.push(BlockOp {
            layer,
            source: Source::Sum {
                terms: later,
                bias: None,
            },
            pre: None,
            special: None,
            alu: None,
            post: None,
            lanes: (0, b),
            dst: planes,
            tail: true,
        });
    }
    out.ops.extend(moved);
    out
}

#[cfg(test)]
mod tests {
    use super::super::lower::lower;
    use super::super::{ModelOptions, ProgramBuilder};
    use super::*;
    use crate::nnir::{Graph, GraphBuilder, Tensor};
    use sluice_isa::presets::preset;

    /// `h' = relu(W x + U h)`, 24 wide, the state starting from `first`.
    fn recurrent(first: f32) -> Graph {
        let mut g = GraphBuilder::new("recurrent");
        let x = g.input("x", &[24]);
        let h = g.state("h", Tensor::from_fn([24], |_| first)).unwrap();
        let weight = |k: u8| {
            Tensor::from_fn([24, 24], move |i| {
                f32::from(u8::try_from(i % 251).unwrap_or(0)) + f32::from(k)
            })
        };
        let bias = Some(Tensor::from_fn([24], |_| 1.0).into());
        let terms = vec![(x, weight(1).into()), (h, weight(2).into())];
        let sum = g.linear_sum("sum", terms, bias).unwrap();
        let new = g.relu("new", sum).unwrap();
        g.update(h, new).unwrap();
        g.output(new);
        g.finish().unwrap()
    }

    /// Weight blocks with the blocks they are multiplied by, the latter named by what they are at the start of a job.
    fn products(model: &BlockModel, new: &BTreeMap<BlockId, BlockId>) -> BTreeSet<(usize, usize)> {
        let terms = model.ops.iter().flat_map(|op| match &op.source {
            Source::Sum { terms, .. } => terms.iter().map(|&t| (t, op.tail)).collect(),
            _ => vec![],
        });
        terms
            .filter_map(|(t, tail)| match t {
                Term::Product(tile, b) if tail => {
                    let old = new.iter().find(|(_, n)| **n == b);
                    old.map(|(old, _)| (tile.0, old.0))
                }
                Term::Product(tile, b) => Some((tile.0, b.0)),
                Term::Planes(_) => None,
            })
            .collect()
    }

    #[test]
    fn no_product_is_lost_and_the_sums_arrive() {
        let model = lower(&recurrent(0.0), 4).unwrap();
        assert_eq!(sums(&model, 4), [5; 6]);
        let renewed = renewed(&model, 4);
        assert_eq!(renewed.len(), 6);
        for count in 0..=6 {
            let moved = ahead(&model, 4, count);
            assert_eq!(products(&moved, &renewed), products(&model, &renewed));
            let mut later: Vec<BlockId> =
                moved.ops[model.ops.len()..].iter().map(|o| o.dst).collect();
            let mut added: Vec<BlockId> = moved
                .ops
                .iter()
                .flat_map(BlockOp::reads)
                .filter(|&b| moved.is_planes(b))
                .collect();
            later.sort_unstable();
            added.sort_unstable();
            assert_eq!((later.len(), &later), (count, &added));
        }
        // The comparison can fail.
        let mut flawed = ahead(&model, 4, 1);
        if let Some(Source::Sum { terms, .. }) = flawed.ops.last_mut().map(|o| &mut o.source) {
            terms.pop();
        }
        assert_ne!(products(&flawed, &renewed), products(&model, &renewed));
    }

    #[test]
    fn state_that_is_not_zero_at_first_stays() {
        let model = lower(&recurrent(1.0), 4).unwrap();
        assert!(sums(&model, 4).is_empty());
    }

    #[test]
    fn an_idle_matrix_unit_works_ahead() {
        let mut builder = ProgramBuilder::new(&preset("c1b4").unwrap()).unwrap();
        builder
            .add(&recurrent(0.0), &ModelOptions::default())
            .unwrap();
        let layers = &builder.models[0].placed.model.layers;
        let next: Vec<&str> = layers.iter().map(|l| l.name.as_str()).collect();
        assert!(next.iter().any(|n| n.ends_with("(next job)")), "{next:?}");
    }
}
