//! Every case file holds on the VM: results within the budget of the float reference, the same under every stall pattern.

use std::path::{Path, PathBuf};

use sluice_suite::Case;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] })
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    all.sort();
    all
}

#[test]
fn cases_hold_on_the_vm() {
    let all = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    assert!(all.len() >= 2);
    for path in all {
        let case = Case::load(&path).unwrap();
        for config in case.hardware().unwrap() {
            let evidence = case
                .run(&config, &mut [])
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            println!("{} on {}: {evidence:?}", case.name, config.name);
            assert!(evidence.beats > 0);
        }
    }
}

#[test]
fn the_budget_of_fp32_catches_bf16() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/agreement/precise.toml");
    let whole = Case::load(&path).unwrap();
    for net in &whole.nets {
        let mut one = Case {
            nets: vec![net.clone()],
            ..whole.clone()
        };
        for layer in &mut one.nets[0].layers {
            layer.fp32 = false;
        }
        let error = one.run(&whole.hardware().unwrap()[0], &mut []).unwrap_err();
        assert!(
            error.to_string().contains("outside the error budget"),
            "{}: {error}",
            net.name
        );
    }
}
