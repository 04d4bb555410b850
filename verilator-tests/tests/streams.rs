//! Long random interleavings of several models, stateful ones among them, on one RTL instance after another power-up state each.

use std::sync::Arc;

use sluice_isa::presets::preset;
use sluice_sim::{SelectTiming, StallPattern, Stalls};
use sluice_suite::{Budget, Bundle, Executor, VmExecutor, difference, models};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;

fn long(config: &str, jobs: usize) {
    if !tools_or_skip(config) {
        return;
    }
    let config = preset(config).unwrap();
    let b = config.block_size as usize;
    let nets = [
        models::residual_mlp(2 * b + 1, b + 3, 3, 1),
        models::cnn(b, b + 1, 2, 2),
        models::mixed(b + 2, 3),
        models::mlp("one", &[b - 1, 1], 4),
    ];
    let bundle = Bundle::compile(&nets, &config).unwrap();
    let mut rtl = RtlExecutor::new(&config).unwrap();
    for (i, (stalls, select)) in [
        (Stalls::None, SelectTiming::Early),
        (Stalls::SourceIdles, SelectTiming::Late),
        (Stalls::SinkStalls, SelectTiming::WithData),
        (Stalls::Both, SelectTiming::Late),
        (Stalls::Both, SelectTiming::Early),
    ]
    .into_iter()
    .enumerate()
    {
        let seed = 7000 + i as u64;
        let pattern = StallPattern {
            stalls,
            select,
            seed,
        };
        let requests = bundle.requests(jobs, seed);
        let beats = bundle.jobs(&requests, seed);
        let expected = VmExecutor.run(&bundle.program, &beats, &pattern).unwrap();
        let results = bundle.tensors(&requests, &expected.beats).unwrap();
        bundle
            .check(&requests, &results, Budget::Noise)
            .unwrap_or_else(|e| panic!("{pattern:?}: {e}"));
        let got = rtl
            .run(&Arc::clone(&bundle.program), &beats, &pattern)
            .unwrap();
        assert_eq!(difference(&expected, &got), None, "{pattern:?}");
        assert_eq!(got.status.jobs_done as usize, jobs);
        println!(
            "{pattern:?}: {} beats in {} cycles",
            got.beats.len(),
            got.cycles()
        );
    }
}

#[test]
fn c1b4() {
    long("c1b4", 250);
}

#[test]
fn c2b8() {
    long("c2b8", 250);
}
