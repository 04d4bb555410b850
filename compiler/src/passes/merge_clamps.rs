//! `merge-clamps`: one clamp instead of two in a row.
//!
//! With `lo1 <= hi1`, `lo2 <= hi2` and overlapping ranges, the second clamp of the first is the clamp between the second's
//! images of `lo1` and `hi1`, for every input, signed zeros and NaN included.
//!
//! **Contract.** Exact: ranges that are reversed or do not overlap are left alone, and so is a first clamp with other readers
//! (it would still be needed) or another precision, or a bound that rounding between the two would move.
//! **Errors.** A cycle.

use super::Pass;
use crate::error::Result;
use crate::nnir::eval::clamp;
use crate::nnir::{Graph, Op, Precision};

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeClamps;

impl Pass for MergeClamps {
    fn name(&self) -> &'static str {
        "merge-clamps"
    }

    fn run(&self, graph: &mut Graph) -> Result<bool> {
        let mut changed = false;
        for id in graph.nodes_topological()? {
            let node = graph.node(id);
            let (Op::Clamp { min: lo2, max: hi2 }, &[first]) = (&node.op, &node.inputs[..]) else {
                continue;
            };
            let inner = graph.node(first);
            let (Op::Clamp { min: lo1, max: hi1 }, &[x]) = (&inner.op, &inner.inputs[..]) else {
                continue;
            };
            let alone = graph.users(first) == [id] && !graph.is_result(first);
            let exact = node.ty.precision == inner.ty.precision
                && [lo1, hi1, lo2, hi2]
                    .into_iter()
                    .all(|&bound| is_kept(bound, node.ty.precision));
            if let (true, Some((min, max))) = (alone && exact, merged((*lo1, *hi1), (*lo2, *hi2))) {
                graph.node_mut(id).op = Op::Clamp { min, max };
                graph.set_inputs(id, vec![x]);
                graph.remove(first);
                changed = true;
            }
        }
        Ok(changed)
    }
}

/// Bounds of the clamp that equals the second after the first, if there is one whatever the bits of the input.
fn merged((lo1, hi1): (f32, f32), (lo2, hi2): (f32, f32)) -> Option<(f32, f32)> {
    let overlap = lo1 <= hi1 && lo2 <= hi2 && lo1 <= hi2 && lo2 <= hi1;
    overlap.then(|| (clamp(lo1, lo2, hi2), clamp(hi1, lo2, hi2)))
}

/// Rounding a result to the precision keeps this bound.
fn is_kept(bound: f32, precision: Precision) -> bool {
    precision == Precision::Fp32 || bound.to_bits().trailing_zeros() >= 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::GraphBuilder;
    use proptest::prelude::*;

    /// Values where clamps go wrong: zeros of both signs, equal bounds, infinities, NaN, subnormals.
    const EDGES: [f32; 13] = [
        f32::NEG_INFINITY,
        -3.0e38,
        -2.0,
        -1.0,
        -1.0e-40,
        -0.0,
        0.0,
        1.0e-40,
        1.0,
        2.0,
        3.0e38,
        f32::INFINITY,
        f32::NAN,
    ];

    type Bounds = (f32, f32);
    type Rule = fn(Bounds, Bounds) -> Option<Bounds>;

    fn agrees(rule: Rule, first: Bounds, second: Bounds, x: f32) -> bool {
        let Some((lo, hi)) = rule(first, second) else {
            return true;
        };
        let both = clamp(clamp(x, first.0, first.1), second.0, second.1);
        both.to_bits() == clamp(x, lo, hi).to_bits()
    }

    /// How often a rule merges, and the first input on which it is wrong.
    fn over_edges(rule: Rule) -> (usize, Option<(Bounds, Bounds, f32)>) {
        let bounds = || EDGES.into_iter().filter(|b| !b.is_nan());
        let ranges: Vec<Bounds> = bounds()
            .flat_map(|l| bounds().map(move |h| (l, h)))
            .collect();
        let (mut merges, mut wrong) = (0, None);
        for &first in &ranges {
            for &second in &ranges {
                merges += usize::from(rule(first, second).is_some());
                let failing = EDGES.into_iter().find(|&x| !agrees(rule, first, second, x));
                wrong = wrong.or(failing.map(|x| (first, second, x)));
            }
        }
        (merges, wrong)
    }

    #[test]
    fn merging_is_exact_on_every_combination_of_edges() {
        let (merges, wrong) = over_edges(merged);
        assert_eq!(wrong, None);
        assert!(
            merges > 1000,
            "{merges} merges only: too timid to be worth a pass"
        );
    }

    #[test]
    fn wrong_rules_are_caught() {
        let no_overlap_check: Rule = |(l1, h1), (l2, h2)| Some((l1.max(l2), h1.min(h2)));
        let swapped: Rule = |first, second| merged(second, first);
        assert_ne!(over_edges(no_overlap_check).1, None);
        assert_ne!(
            over_edges(swapped).1,
            None,
            "signed zeros tell the order of the clamps"
        );
    }

    proptest! {
        #[test]
        fn merging_is_exact(bits: [u32; 5]) {
            let [l1, h1, l2, h2, x] = bits.map(f32::from_bits);
            prop_assume!(![l1, h1, l2, h2].iter().any(|b| b.is_nan()));
            prop_assert!(agrees(merged, (l1, h1), (l2, h2), x));
            prop_assert!(agrees(merged, (l1.min(h1), l1.max(h1)), (l2.min(h2), l2.max(h2)), x));
        }
    }

    fn two(first: (f32, f32), second: (f32, f32), show_first: bool) -> (Graph, bool) {
        let mut g = GraphBuilder::new("clamps");
        let x = g.input("x", &[4]);
        let a = g.clamp("a", x, first.0, first.1).unwrap();
        let b = g.clamp("b", a, second.0, second.1).unwrap();
        g.output(b);
        if show_first {
            g.output(a);
        }
        let mut graph = g.finish().unwrap();
        let changed = MergeClamps.run(&mut graph).unwrap();
        graph.verify().unwrap();
        (graph, changed)
    }

    #[test]
    fn relu6_from_relu_and_a_bound() {
        let (graph, changed) = two((0.0, f32::INFINITY), (f32::NEG_INFINITY, 6.0), false);
        assert!(changed);
        assert_eq!(
            (graph.len(), &graph.node(graph.outputs[0]).op),
            (2, &Op::Clamp { min: 0.0, max: 6.0 })
        );
    }

    #[test]
    fn doubtful_pairs_stay() {
        assert!(!two((0.0, 1.0), (2.0, 3.0), false).1, "ranges apart");
        assert!(!two((1.0, 0.0), (0.0, 3.0), false).1, "reversed range");
        assert!(
            !two((0.0, 2.0), (0.0, 1.0), true).1,
            "the first is an output"
        );
        assert!(!two((0.1, 2.0), (0.0, 1.0), false).1, "0.1 is no bf16");
    }
}
