//! The standard passes together: outputs keep every bit, order and text do not depend on the run.

mod nnir_common;

use nnir_common::{Kind, count, graph, inputs, tensor};
use proptest::prelude::*;
use sluice_compiler::nnir::{Constants, Evaluator, Graph, GraphBuilder, Op, Tensor};
use sluice_compiler::passes::PassManager;

/// Five inferences, so that delays have something to say.
fn outputs(graph: &Graph, given: &Graph) -> Vec<Vec<Tensor>> {
    let mut eval = Evaluator::new(graph).unwrap();
    (0..5)
        .map(|i| eval.run(&inputs(given, i)).unwrap())
        .collect()
}

fn cluttered() -> Graph {
    let mut g = GraphBuilder::new("cluttered");
    let x = g.input("x", &[4]);
    let a = g.constant("a", tensor(&[4], 1)).unwrap();
    let b = g.constant("b", Tensor::scalar(2.0)).unwrap();
    let scale = g.mul("scale", a, b).unwrap();
    let h = g.linear("fc1", x, tensor(&[4, 4], 2), None).unwrap();
    let h = g.relu("relu1", h).unwrap();
    let h = g.clamp("cap", h, -8.0, 6.0).unwrap();
    let h = g.slice("all", h, 0, 0, 4).unwrap();
    let h = g.add("shift", h, scale).unwrap();
    g.relu("forgotten", h).unwrap();
    let h = g.concat("alone", &[h], 0).unwrap();
    g.output(h);
    g.finish().unwrap()
}

#[test]
fn golden_before_and_after() {
    let mut graph = cluttered();
    let before = graph.text(Constants::Summary);
    let changes = PassManager::standard().run(&mut graph).unwrap();
    let after = graph.text(Constants::Summary);
    insta::assert_snapshot!(
        "nnir_standard_passes",
        format!("{before}\n{changes:?}\n\n{after}")
    );
}

#[test]
fn a_changed_bit_would_be_seen() {
    let whole = cluttered();
    let mut optimised = whole.clone();
    PassManager::standard().run(&mut optimised).unwrap();
    assert_eq!(outputs(&optimised, &whole), outputs(&whole, &whole));
    let cap = optimised
        .node_ids()
        .find(|&id| matches!(optimised.node(id).op, Op::Clamp { .. }))
        .unwrap();
    optimised.node_mut(cap).op = Op::Clamp { min: 0.0, max: 1.0 };
    assert_ne!(outputs(&optimised, &whole), outputs(&whole, &whole));
}

#[test]
fn random_graphs_exercise_the_passes() {
    // A fixed spread of choices: if the generator dries up, the property below proves nothing.
    let (mut delays, mut convolutions, mut states, mut scans) = (0, 0, 0, 0);
    let mut changes = std::collections::BTreeMap::new();
    for seed in 0_u16..100 {
        let choices: Vec<u16> = (0_u16..80)
            .map(|i| i.wrapping_mul(40503).wrapping_add(seed.wrapping_mul(12347)) >> 3)
            .collect();
        for kind in [Kind::Plain, Kind::Sequence] {
            let mut graph = graph(kind, &choices);
            delays += count(&graph, |op| matches!(op, Op::Delay { .. }));
            states += count(&graph, |op| matches!(op, Op::State { .. }));
            scans += count(&graph, |op| matches!(op, Op::Scan { .. }));
            convolutions += count(&graph, |op| matches!(op, Op::Conv1d { .. }));
            for change in PassManager::standard().run(&mut graph).unwrap() {
                *changes.entry(change).or_insert(0_usize) += 1;
            }
        }
    }
    assert!(
        delays > 20 && convolutions > 100 && states > 10 && scans > 40,
        "{delays} delays, {convolutions} convolutions, {states} states, {scans} scans"
    );
    assert_eq!(
        changes.len(),
        PassManager::standard().names().len(),
        "a pass never had anything to do: {changes:?}"
    );
}

proptest! {
    #[test]
    fn every_bit_of_every_output_is_kept(choices in prop::collection::vec(any::<u16>(), 0..80), sequence: bool) {
        let whole = graph(if sequence { Kind::Sequence } else { Kind::Plain }, &choices);
        let mut optimised = whole.clone();
        PassManager::standard().run(&mut optimised).unwrap();
        optimised.verify().unwrap();
        prop_assert_eq!(outputs(&optimised, &whole), outputs(&whole, &whole));
        let types = |g: &Graph| g.outputs.iter().map(|&id| g.node(id).ty.clone()).collect::<Vec<_>>();
        prop_assert_eq!(types(&optimised), types(&whole));

        let mut again = optimised.clone();
        prop_assert!(PassManager::standard().run(&mut again).unwrap().is_empty());
        prop_assert_eq!(&again, &optimised);
        let mut twin = whole.clone();
        PassManager::standard().run(&mut twin).unwrap();
        prop_assert_eq!(twin.to_string(), optimised.to_string());
    }
}
