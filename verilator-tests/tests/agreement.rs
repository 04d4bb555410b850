//! RTL == VM, every bit and every cycle at the pins: the case files on their configurations, under every stall pattern.

use std::path::Path;

use sluice_isa::presets::preset;
use sluice_suite::{Case, Executor};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;

fn cases(config: &str, folder: &str) -> Vec<Case> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../suite/cases")
        .join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .map(|p| Case::load(p).unwrap())
        .filter(|c| c.configs.iter().any(|c| c == config))
        .collect()
}

fn agree(config: &str) {
    if !tools_or_skip(config) {
        return;
    }
    let hardware = preset(config).unwrap();
    let mut rtl = RtlExecutor::new(&hardware).unwrap();
    if hardware.block_size >= 32 {
        rtl = rtl.reuse();
    }
    let all: Vec<Case> = [cases(config, "agreement"), cases(config, "regressions")].concat();
    assert!(!all.is_empty());
    for case in all {
        let evidence = case
            .run(&hardware, &mut [&mut rtl as &mut dyn Executor])
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(evidence.runs >= 12 || !case.stalls.is_empty() || !case.selects.is_empty());
        assert!(evidence.beats >= evidence.jobs);
        println!(
            "{} on {config}: {} runs, {} jobs, {} beats, {} cycles",
            case.name, evidence.runs, evidence.jobs, evidence.beats, evidence.cycles
        );
    }
}

#[test]
fn c1b4() {
    agree("c1b4");
}

#[test]
fn c2b8() {
    agree("c2b8");
}

#[test]
fn c2b8f8() {
    agree("c2b8f8");
}

#[test]
fn c6b32() {
    agree("c6b32");
}

#[test]
fn c3b64() {
    agree("c3b64");
}
