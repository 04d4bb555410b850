//! Damaged files: whatever the bytes, a graph or an error comes back.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use sluice_compiler::nnir::{Evaluator, Graph, Tensor};
use sluice_compiler::onnx;

/// Every file of the fixtures, small ones first.
static FILES: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let mut files = vec![];
    for folder in ["good", "bad"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/onnx")
            .join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "onnx") {
                let bytes = std::fs::read(&path).unwrap();
                files.push((path.display().to_string(), bytes));
            }
        }
    }
    files.sort_by_key(|(name, bytes)| (bytes.len(), name.clone()));
    files
});

#[derive(Clone, Debug)]
enum Damage {
    Set(u8),
    Flip(u8),
    Insert(u8),
    Remove(u8),
    Repeat(u8),
    Cut,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<u8>().prop_map(Damage::Set),
        (0_u8..8).prop_map(Damage::Flip),
        any::<u8>().prop_map(Damage::Insert),
        (1_u8..16).prop_map(Damage::Remove),
        (1_u8..64).prop_map(Damage::Repeat),
        Just(Damage::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, at: usize, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let at = at % bytes.len();
    match damage {
        Damage::Set(value) => bytes[at] = *value,
        Damage::Flip(bit) => bytes[at] ^= 1 << bit,
        Damage::Insert(value) => bytes.insert(at, *value),
        Damage::Remove(count) => {
            let end = bytes.len().min(at + usize::from(*count));
            bytes.drain(at..end);
        }
        Damage::Repeat(count) => {
            let end = bytes.len().min(at + usize::from(*count));
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        Damage::Cut => bytes.truncate(at),
    }
}

/// What survives must be sound: it verifies, and runs when it is small.
fn check(graph: &Graph) {
    graph.verify().unwrap();
    let small = graph
        .node_ids()
        .all(|id| graph.node(id).ty.count() <= 1 << 14);
    if small {
        let inputs: Vec<Tensor> = graph
            .inputs
            .iter()
            .map(|&id| Tensor::zeros(graph.node(id).ty.shape.clone()))
            .collect();
        Evaluator::new(graph).unwrap().run(&inputs).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_panic(
        file in any::<prop::sample::Index>(),
        damages in prop::collection::vec((any::<usize>(), damage()), 1..4),
        shape in prop::option::of(prop::collection::vec(prop_oneof![0_usize..8, Just(usize::MAX)], 0..4)),
    ) {
        let (_, bytes) = &FILES[file.index(FILES.len())];
        let mut bytes = bytes.clone();
        for (at, damage) in &damages {
            apply(&mut bytes, *at, damage);
        }
        let overrides: Vec<_> = shape.into_iter().collect();
        if let Ok(graph) = onnx::parse(&bytes, "damaged", None, &overrides) {
            check(&graph);
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(graph) = onnx::parse(&bytes, "noise", None, &[]) {
            check(&graph);
        }
    }
}

#[test]
fn damage_is_felt() {
    // Unless some damaged files fail and some survive, the test above tries nothing.
    let (mut read, mut refused) = (0, 0);
    for (_, original) in FILES.iter() {
        for at in (0..original.len()).step_by(7) {
            let mut bytes = original.clone();
            apply(&mut bytes, at, &Damage::Flip(1));
            match onnx::parse(&bytes, "damaged", None, &[]) {
                Ok(graph) => {
                    check(&graph);
                    read += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(
        read > 100 && refused > 100,
        "{read} read, {refused} refused"
    );
}
