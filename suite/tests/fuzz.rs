//! Random networks on the VM: results within the noise budget of the float reference, the same under every stall pattern, on all four configurations.
//!
//! `SLUICE_FUZZ_CASES` and `SLUICE_FUZZ_SEED` as in the RTL's fuzzer. A failure is minimised and written to `suite/cases/regressions/`.

use std::path::Path;

use sluice_isa::presets::preset;
use sluice_suite::fuzz::{case, number, too_big};
use sluice_suite::minimise::minimise;
use sluice_suite::random::{Limits, network};
use sluice_suite::{Case, Net};

fn fuzz(config: &str, cases: u64) {
    let config = preset(config).unwrap();
    let limits = Limits {
        layers: 10,
        width: 4 * config.block_size as usize,
        block: config.block_size as usize,
    };
    let first = number("SLUICE_FUZZ_SEED", 1);
    let count = number("SLUICE_FUZZ_CASES", cases);
    let mut ran = 0;
    let mut failures = Vec::new();
    for seed in first..first + count {
        let whole = case(
            vec![network(2 * seed, limits), network(2 * seed + 1, limits)],
            &config,
            seed,
        );
        match whole.run(&config, &mut []) {
            Ok(_) => ran += 1,
            Err(e) if too_big(&e) => {}
            Err(e) => {
                let kind = e.code();
                let fails = |n: &Net| {
                    case(vec![n.clone()], &config, seed)
                        .run(&config, &mut [])
                        .is_err_and(|e| e.code() == kind)
                };
                let small = match whole.nets.iter().find(|n| fails(n)) {
                    Some(n) => case(vec![minimise(n, fails)], &config, seed),
                    None => whole.clone(),
                };
                let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join(format!("cases/regressions/{}_{seed}.toml", config.name));
                let named = Case {
                    name: format!("regression {} {seed}", config.name),
                    about: e.to_string(),
                    ..small
                };
                named.save(&path).unwrap();
                failures.push(format!(
                    "seed {seed} on {}: {e}\nsmallest case: {}",
                    config.name,
                    path.display()
                ));
            }
        }
        assert!(failures.len() < 4, "{}", failures.join("\n"));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!(
        "{}: {ran} of {count} programs ran, the others do not fit",
        config.name
    );
    assert!(2 * ran >= count, "{ran} of {count} ran");
}

#[test]
fn c1b4() {
    fuzz("c1b4", 60);
}

#[test]
fn c2b8() {
    fuzz("c2b8", 60);
}

#[test]
fn c2b8f8() {
    fuzz("c2b8f8", 60);
}

#[test]
fn c6b32() {
    fuzz("c6b32", 20);
}

#[test]
fn c3b64() {
    fuzz("c3b64", 20);
}
