//! A model's results, state and latency do not depend on which others are resident or ran before.

use sluice_isa::presets::preset;
use sluice_sim::StallPattern;
use sluice_suite::device::spans;
use sluice_suite::figures::measure;
use sluice_suite::rng::Rng;
use sluice_suite::{Bundle, Executor, Net, Request, VmExecutor, models};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;

fn nets(b: usize) -> Vec<Net> {
    vec![
        models::residual_mlp(2 * b, b + 1, 3, 1),
        models::cnn(b, b, 2, 2),
        models::mixed(b + 1, 3),
    ]
}

/// Output words of every job of `model`.
fn words(
    executor: &mut dyn Executor,
    bundle: &Bundle,
    requests: &[Request],
    model: u16,
) -> Vec<Vec<u16>> {
    let jobs = bundle.jobs(requests, 1);
    let run = executor
        .run(&bundle.program, &jobs, &StallPattern::FREE)
        .unwrap();
    let mut next = run.beats.iter();
    let mut all = Vec::new();
    for r in requests {
        let n = bundle.program.models[usize::from(r.model)].n_out as usize;
        let beats = next.by_ref().take(n).map(|b| b.data.clone());
        if r.model == model {
            all.extend(beats);
        } else {
            beats.for_each(drop);
        }
    }
    all
}

fn alone_equals_company(config: &str) {
    if !tools_or_skip(config) {
        return;
    }
    let config = preset(config).unwrap();
    let nets = nets(config.block_size as usize);
    let together = Bundle::compile(&nets, &config).unwrap();
    let mut rtl = RtlExecutor::new(&config).unwrap();
    let requests = together.requests(40, 11);
    for (model, net) in (0u16..).zip(&nets) {
        let alone = Bundle::compile(std::slice::from_ref(net), &config).unwrap();
        let own: Vec<Request> = requests
            .iter()
            .filter(|r| r.model == model)
            .map(|r| Request {
                model: 0,
                inputs: r.inputs.clone(),
            })
            .collect();
        assert!(own.len() > 4);
        let single = words(&mut rtl, &alone, &own, 0);
        let company = words(&mut rtl, &together, &requests, model);
        assert_eq!(single, company, "{}", net.name);
        assert_eq!(
            company,
            words(&mut VmExecutor, &together, &requests, model),
            "{}",
            net.name
        );

        // The same when issued alone: cycles too, resident in company or not.
        let lonely = measure(&mut rtl, &alone, 0).unwrap();
        let resident = measure(&mut rtl, &together, usize::from(model)).unwrap();
        assert_eq!(lonely, resident, "{}", net.name);
        println!(
            "{} on {}: {lonely} alone and in company",
            net.name, config.name
        );
    }
}

#[test]
fn c1b4() {
    alone_equals_company("c1b4");
}

#[test]
fn c2b8() {
    alone_equals_company("c2b8");
}

/// The comparison can fail: state that another job of the same model touched is noticed.
#[test]
fn state_is_really_there() {
    let config = preset("c2b8").unwrap();
    let bundle = Bundle::compile(&nets(8)[1..2], &config).unwrap();
    let mut rng = Rng::new(5);
    let requests: Vec<Request> = (0..6).map(|_| bundle.request(0, &mut rng)).collect();
    let all = words(&mut VmExecutor, &bundle, &requests, 0);
    let without_first = words(&mut VmExecutor, &bundle, &requests[1..], 0);
    assert_ne!(all[1..], without_first[..]);
}

/// Switching models costs no cycle between the jobs of a steady stream when selects are early.
#[test]
fn switching_is_free() {
    let config = preset("c2b8").unwrap();
    let net = models::residual_mlp(16, 9, 3, 1);
    let twin = Net {
        name: "twin".into(),
        seed: 2,
        ..net.clone()
    };
    let bundle = Bundle::compile(&[net, twin], &config).unwrap();
    let mut rng = Rng::new(6);
    let mut distances = |models: [usize; 6]| {
        let requests: Vec<Request> = models
            .iter()
            .map(|&m| bundle.request(m, &mut rng))
            .collect();
        let jobs = bundle.jobs(&requests, 1);
        let run = VmExecutor
            .run(&bundle.program, &jobs, &StallPattern::FREE)
            .unwrap();
        let spans = spans(&bundle.program, &jobs, &run);
        spans
            .windows(2)
            .map(|w| w[1].last_output - w[0].last_output)
            .collect::<Vec<_>>()
    };
    assert_eq!(distances([0; 6]), distances([0, 1, 0, 1, 1, 0]));
}
