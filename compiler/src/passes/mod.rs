//! Rewrites of NNIR, one per file.
//!
//! | pass                 | what it does                                             |
//! |----------------------|----------------------------------------------------------|
//! | `unroll-scans`       | one copy of a scan's body per step                       |
//! | `fold-constants`     | evaluates layers that read constants only                |
//! | `drop-zero-terms`    | drops operands of linear layers that are zero            |
//! | `expand-conv1d`      | a convolution over a whole sequence as a layer per step  |
//! | `merge-clamps`       | one clamp instead of two in a row                        |
//! | `eliminate-identity` | drops layers that change nothing                         |
//! | `eliminate-dead`     | drops layers nothing depends on                          |
//!
//! **Contract.** A pass keeps every bit of every output that is finite. It returns whether it changed the graph, and running it again
//! right away changes nothing. Debug builds verify after every pass.
//! **Errors.** The pass's own; `Pass` when it left a graph that does not verify.

mod drop_zero_terms;
mod eliminate_dead;
mod eliminate_identity;
mod expand_conv1d;
mod fold_constants;
mod merge_clamps;
mod unroll_scans;

pub use drop_zero_terms::DropZeroTerms;
pub use eliminate_dead::EliminateDead;
pub use eliminate_identity::EliminateIdentity;
pub use expand_conv1d::ExpandConv1d;
pub use fold_constants::FoldConstants;
pub use merge_clamps::MergeClamps;
pub use unroll_scans::UnrollScans;

use crate::error::{CompileError, Result};
use crate::nnir::Graph;

/// One rewrite.
pub trait Pass {
    /// In kebab case, unique.
    fn name(&self) -> &'static str;

    /// Rewrites; true when something changed.
    fn run(&self, graph: &mut Graph) -> Result<bool>;
}

/// Runs passes in order until none of them changes anything.
#[derive(Default)]
pub struct PassManager {
    passes: Vec<Box<dyn Pass>>,
}

impl PassManager {
    /// No passes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The passes every compilation runs.
    pub fn standard() -> Self {
        Self::new()
            .with(UnrollScans)
            .with(FoldConstants)
            .with(DropZeroTerms)
            .with(ExpandConv1d)
            .with(MergeClamps)
            .with(EliminateIdentity)
            .with(EliminateDead)
    }

    /// One more pass, after the others.
    #[must_use]
    pub fn with(mut self, pass: impl Pass + 'static) -> Self {
        self.passes.push(Box::new(pass));
        self
    }

    /// Names in running order.
    pub fn names(&self) -> Vec<&'static str> {
        self.passes.iter().map(|p| p.name()).collect()
    }

    /// Runs them; returns the names of the runs that changed something, in order.
    pub fn run(&self, graph: &mut Graph) -> Result<Vec<&'static str>> {
        let mut changes = vec![];
        let (mut rounds, mut limit) = (0, 0);
        // Scans and convolutions expand in the first round; from then on every change removes or simplifies a node, so more rounds than nodes
        // means a pass that never settles.
        while rounds <= limit {
            rounds += 1;
            limit = limit.max(2 * graph.len());
            let before = changes.len();
            for pass in &self.passes {
                if pass.run(graph)? {
                    changes.push(pass.name());
                }
                if cfg!(debug_assertions) {
                    let source = graph.verify().map_err(Box::new);
                    source.map_err(|source| CompileError::Pass {
                        pass: pass.name(),
                        source,
                    })?;
                }
            }
            if changes.len() == before {
                return Ok(changes);
            }
        }
        Err(CompileError::Internal(format!(
            "passes never settle on graph '{}': {}",
            graph.name,
            self.names().join(", ")
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nnir::GraphBuilder;

    struct Saboteur;

    impl Pass for Saboteur {
        fn name(&self) -> &'static str {
            "saboteur"
        }

        fn run(&self, graph: &mut Graph) -> Result<bool> {
            let output = graph.outputs[0];
            graph.node_mut(output).ty.shape = vec![99];
            Ok(true)
        }
    }

    struct Restless;

    impl Pass for Restless {
        fn name(&self) -> &'static str {
            "restless"
        }

        fn run(&self, _: &mut Graph) -> Result<bool> {
            Ok(true)
        }
    }

    fn small() -> Graph {
        let mut g = GraphBuilder::new("small");
        let x = g.input("x", &[4]);
        let y = g.relu("relu", x).unwrap();
        g.output(y);
        g.finish().unwrap()
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_broken_graph_is_blamed_on_its_pass() {
        let text = PassManager::new()
            .with(Saboteur)
            .run(&mut small())
            .unwrap_err()
            .to_string();
        for part in ["saboteur", "'relu'", "[4]", "[99]"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }

    #[test]
    fn a_pass_that_never_settles_is_found() {
        let error = PassManager::new()
            .with(Restless)
            .run(&mut small())
            .unwrap_err();
        assert!(error.to_string().contains("restless"), "{error}");
    }

    #[test]
    fn names_are_kebab_case_and_unique() {
        let names = PassManager::standard().names();
        assert_eq!(
            names,
            [
                "unroll-scans",
                "fold-constants",
                "drop-zero-terms",
                "expand-conv1d",
                "merge-clamps",
                "eliminate-identity",
                "eliminate-dead"
            ]
        );
    }
}
