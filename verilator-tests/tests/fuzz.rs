//! Random networks: VM against RTL in every bit and cycle, VM against the float reference within the noise budget.
//!
//! `SLUICE_FUZZ_CASES` sets the number of programs per configuration, `SLUICE_FUZZ_SEED` the first seed. A failure is minimised and written to
//! `suite/cases/regressions/`.

use std::path::Path;

use sluice_isa::HardwareConfig;
use sluice_isa::presets::preset;
use sluice_suite::fuzz::{case, number, too_big};
use sluice_suite::minimise::minimise;
use sluice_suite::random::{Limits, network};
use sluice_suite::{Case, Executor, Net, SuiteError};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;

/// One pattern on the RTL is enough while fuzzing; the VM takes them all.
fn holds(
    case: &Case,
    config: &HardwareConfig,
    rtl: &mut Option<RtlExecutor>,
) -> Result<bool, SuiteError> {
    match case.run(config, &mut []) {
        Err(e) if too_big(&e) => return Ok(false),
        other => other?,
    };
    if let Some(rtl) = rtl {
        let patterns = case.patterns();
        let pick = patterns[usize::try_from(case.seed).unwrap_or(0) % patterns.len()];
        let bundle = case.compile(config)?;
        let requests = case.requests(&bundle);
        let jobs = bundle.jobs(&requests, case.seed);
        let expected = sluice_suite::VmExecutor.run(&bundle.program, &jobs, &pick)?;
        let got = rtl.run(&bundle.program, &jobs, &pick)?;
        if let Some(d) = sluice_suite::difference(&expected, &got) {
            return Err(SuiteError::Mismatch(format!(
                "{pick:?}: VM against RTL: {d}"
            )));
        }
    }
    Ok(true)
}

fn fuzz(config: &str) {
    let config = preset(config).unwrap();
    // Without the tools the VM is still held to the float reference.
    let mut rtl = tools_or_skip(&config.name).then(|| RtlExecutor::new(&config).unwrap());
    let limits = Limits {
        layers: 8,
        width: 3 * config.block_size as usize,
        block: config.block_size as usize,
    };
    let first = number("SLUICE_FUZZ_SEED", 1);
    let count = number("SLUICE_FUZZ_CASES", 24);
    let mut ran = 0;
    for seed in first..first + count {
        let nets = vec![network(2 * seed, limits), network(2 * seed + 1, limits)];
        let whole = case(nets, &config, seed);
        match holds(&whole, &config, &mut rtl) {
            Ok(true) => ran += 1,
            Ok(false) => {}
            Err(e) => {
                let kind = e.code();
                let fails = |n: &Net, rtl: &mut Option<RtlExecutor>| {
                    let c = case(vec![n.clone()], &config, seed);
                    holds(&c, &config, rtl).is_err_and(|e| e.code() == kind)
                };
                let guilty = whole.nets.iter().find(|n| fails(n, &mut rtl));
                let small = match guilty {
                    Some(n) => case(vec![minimise(n, |n| fails(n, &mut rtl))], &config, seed),
                    None => whole.clone(),
                };
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(
                    "../suite/cases/regressions/{}_{seed}.toml",
                    config.name
                ));
                let named = Case {
                    name: format!("regression {} {seed}", config.name),
                    about: e.to_string(),
                    ..small
                };
                named.save(&path).unwrap();
                panic!(
                    "seed {seed} on {}: {e}\nsmallest case: {}",
                    config.name,
                    path.display()
                );
            }
        }
    }
    println!(
        "{}: {ran} of {count} programs ran, the others do not fit",
        config.name
    );
    assert!(2 * ran >= count, "{ran} of {count} ran");
}

#[test]
fn c1b4() {
    fuzz("c1b4");
}

#[test]
fn c2b8() {
    fuzz("c2b8");
}

#[test]
fn c2b8f8() {
    fuzz("c2b8f8");
}
