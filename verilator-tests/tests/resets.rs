//! Resets of single models' states among random jobs: VM == RTL in every bit and cycle, both as the float reference, under every stall pattern.

use sluice_isa::presets::preset;
use sluice_isa::{HardwareConfig, SELECT_RESET};
use sluice_sim::StallPattern;
use sluice_suite::rng::Rng;
use sluice_suite::{Budget, Bundle, Executor, Request, VmExecutor, difference, models};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;

/// State in models 0, 1 and 2; model 2 is not compiled for resets, model 3 has nothing to reset.
fn bundle(config: &HardwareConfig) -> Bundle {
    let b = config.block_size as usize;
    let twin = sluice_suite::Net {
        name: "twin".into(),
        ..models::cnn(b, b, 2, 2)
    };
    let nets = [
        models::cnn(b, b, 2, 2),
        models::mixed(b + 1, 3),
        twin,
        models::residual_mlp(2 * b, b + 1, 1, 1),
    ];
    Bundle::compile_resettable(&nets, config, |model| model != 2).unwrap()
}

/// Jobs with resets before, between and behind them, some of models that are not resettable or not there.
fn requests(bundle: &Bundle, jobs: usize, seed: u64) -> Vec<Request> {
    let mut rng = Rng::labelled(seed, "resets");
    let mut all = Vec::new();
    for r in bundle.requests(jobs, seed) {
        while rng.below(3) == 0 {
            // Mostly of the job's own model: its next job must not be too far.
            all.push(match rng.below(6) {
                0 => Bundle::reset(rng.below(5)),
                1 => Bundle::reset(0x100 + rng.below(0x7F00)),
                _ => Bundle::reset(usize::from(r.model)),
            });
        }
        all.push(r);
    }
    all.push(Bundle::reset(0));
    all
}

fn refused(requests: &[Request]) -> u32 {
    let good = |r: &&Request| {
        r.model & SELECT_RESET == 0 || [0, 1, 3].contains(&(r.model & !SELECT_RESET))
    };
    u32::try_from(requests.iter().filter(|r| !good(r)).count()).unwrap()
}

fn agree(config: &str, jobs: usize) {
    if !tools_or_skip(config) {
        return;
    }
    let config = preset(config).unwrap();
    let bundle = bundle(&config);
    let mut rtl = RtlExecutor::new(&config).unwrap();
    let mut resets = 0;
    for pattern in (1..=2).flat_map(StallPattern::all) {
        let requests = requests(&bundle, jobs, pattern.seed);
        let beats = bundle.jobs(&requests, pattern.seed);
        let expected = VmExecutor.run(&bundle.program, &beats, &pattern).unwrap();
        let results = bundle.tensors(&requests, &expected.beats).unwrap();
        bundle
            .check(&requests, &results, Budget::Noise)
            .unwrap_or_else(|e| panic!("{pattern:?}: {e}"));
        let got = rtl.run(&bundle.program, &beats, &pattern).unwrap();
        assert_eq!(difference(&expected, &got), None, "{pattern:?}");
        assert_eq!(got.status.jobs_done as usize, jobs);
        assert_eq!(got.status.bad_select_count, refused(&requests));
        resets += requests.len() - jobs;
    }
    println!(
        "{resets} resets among {} jobs on {}",
        24 * jobs,
        config.name
    );
    assert!(resets > 4 * jobs);
}

#[test]
fn c1b4() {
    agree("c1b4", 30);
}

#[test]
fn c2b8() {
    agree("c2b8", 30);
}

/// The comparison can fail: a reset dropped, one a job late, one a job early, one of another model.
#[test]
fn a_reset_at_the_wrong_place_is_noticed() {
    if !tools_or_skip("a_reset_at_the_wrong_place_is_noticed") {
        return;
    }
    let config = preset("c1b4").unwrap();
    let bundle = bundle(&config);
    let mut rtl = RtlExecutor::new(&config).unwrap();
    let mut rng = Rng::new(9);
    let mut right: Vec<Request> = (0..6).map(|_| bundle.request(0, &mut rng)).collect();
    right.insert(3, Bundle::reset(0));
    let mut wrong = vec![right.clone(); 4];
    wrong[0].remove(3);
    wrong[1].swap(3, 4);
    wrong[2].swap(2, 3);
    wrong[3][3] = Bundle::reset(1);
    let pattern = StallPattern::FREE;
    let jobs = bundle.jobs(&right, 1);
    let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
    let got = rtl.run(&bundle.program, &jobs, &pattern).unwrap();
    assert_eq!(difference(&expected, &got), None);
    let results = bundle.tensors(&right, &got.beats).unwrap();
    bundle.check(&right, &results, Budget::Noise).unwrap();
    for requests in wrong {
        let jobs = bundle.jobs(&requests, 1);
        let got = rtl.run(&bundle.program, &jobs, &pattern).unwrap();
        assert!(
            difference(&expected, &got).is_some_and(|d| d.contains("lane") || d.contains("cycle"))
        );
        // The float reference notices, too.
        let results: Vec<_> = bundle
            .tensors(&requests, &got.beats)
            .unwrap()
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect();
        let mut at_jobs = results.into_iter();
        let results: Vec<_> = right
            .iter()
            .map(|r| {
                if r.inputs.is_empty() {
                    vec![]
                } else {
                    at_jobs.next().unwrap()
                }
            })
            .collect();
        assert!(bundle.check(&right, &results, Budget::Noise).is_err());
    }
}

/// A reset in a steady stream costs the initialisation and nothing else; of a model without state, nothing.
#[test]
fn a_reset_costs_the_initialisation() {
    let config = preset("c2b8").unwrap();
    let bundle = bundle(&config);
    let mut rng = Rng::new(7);
    let mut cycles = |model: usize, reset: bool| {
        let mut requests: Vec<Request> = (0..8).map(|_| bundle.request(model, &mut rng)).collect();
        if reset {
            requests.insert(6, Bundle::reset(model));
        }
        let jobs = bundle.jobs(&requests, 1);
        let run = VmExecutor
            .run(&bundle.program, &jobs, &StallPattern::FREE)
            .unwrap();
        run.beats.last().unwrap().cycle
    };
    let info = &bundle.program.models[0];
    let init = u64::from(info.entry_pc - info.init_pc.unwrap());
    let (plain, with) = (cycles(0, false), cycles(0, true));
    println!("initialisation of {init} ticks: {plain} and {with} cycles");
    assert_eq!(with - plain, init);
    assert_eq!(cycles(3, false), cycles(3, true));
}
