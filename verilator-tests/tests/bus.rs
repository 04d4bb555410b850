//! The configuration bus: programs loaded by the driver over AXI4-Lite run as on the VM; whatever is wrong is refused and harmless.

mod support;

#[path = "support/bus.rs"]
mod bench;

use bench::{BusExecutor, Clocks, USUAL, library};
use sluice_isa::HardwareConfig;
use sluice_isa::presets::preset;
use sluice_sim::StallPattern;
use sluice_suite::{Bundle, Executor, VmExecutor, difference, models};
use verilator_sys::tools_or_skip;

fn bundle(config: &HardwareConfig) -> Bundle {
    let b = config.block_size as usize;
    let nets = [
        models::residual_mlp(2 * b + 1, b + 3, 3, 1),
        models::cnn(b, b + 1, 2, 2),
    ];
    Bundle::compile(&nets, config).unwrap()
}

/// Loads through the driver, runs, and holds every pin in every compute cycle against the VM.
fn runs_as_the_vm(config: &str, clocks: &[Clocks]) {
    let config = preset(config).unwrap();
    let bundle = bundle(&config);
    let mut bus = BusExecutor {
        library: library(&config),
        config,
        clocks: USUAL,
        max_delay: 0,
    };
    for (i, clocks) in clocks.iter().enumerate() {
        let seed = 31 + i as u64;
        bus.clocks = *clocks;
        bus.max_delay = 5 * (i as u32 % 2);
        let pattern = StallPattern::all(seed)[(5 * i + 3) % 12];
        let requests = bundle.requests(12, seed);
        let jobs = bundle.jobs(&requests, seed);
        let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
        let got = bus.run(&bundle.program, &jobs, &pattern).unwrap();
        assert_eq!(difference(&expected, &got), None, "{clocks:?} {pattern:?}");
    }
}

#[test]
fn c1b4_runs_as_the_vm() {
    if tools_or_skip("c1b4_runs_as_the_vm") {
        runs_as_the_vm(
            "c1b4",
            &[
                USUAL,
                Clocks::new(10_000, 10_000, 0),
                Clocks::new(10_000, 37_000, 0),
                Clocks::new(10_000, 9_990, 700),
                Clocks::new(3_000, 2_900, 400),
            ],
        );
    }
}
