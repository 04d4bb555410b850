//! Memory images instead of a host: `sl_ip_top` and the emitted example wake up with a program and answer as the VM; a wrong image shows.

#![expect(
    clippy::cast_possible_truncation,
    reason = "halves of random words in the shared bench"
)]

mod support;

#[path = "support/bus.rs"]
#[allow(dead_code, reason = "shared with the bus tests, which use more of it")]
mod bench;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use bench::{Clocks, IpBench, USUAL, load};
use sluice_driver::{Device as Driver, Status};
use sluice_hdl::images;
use sluice_isa::presets::preset;
use sluice_isa::{HardwareConfig, Program};
use sluice_sim::{Job, StallPattern};
use sluice_suite::{Bundle, Executor, VmExecutor, difference, drive, models};
use sluice_verilator_tests::rtl::emit;
use support::{Bench, Random};
use verilator_sys::{Build, Library, project_root, tools_or_skip};

const SEED: u64 = 11;

/// Two models with state, jobs of both, resets of the first's state between them.
fn program(config: &HardwareConfig) -> (Bundle, Vec<Job>) {
    let b = config.block_size as usize;
    let nets = [
        models::cnn(b, b + 1, 2, 2),
        models::residual_mlp(2 * b + 1, b + 3, 3, 1),
    ];
    let bundle = Bundle::compile_resettable(&nets, config, |_| true).unwrap();
    let mut requests = bundle.requests(14, SEED);
    for at in [9, 5] {
        requests.insert(at, Bundle::reset(0));
    }
    let jobs = bundle.jobs(&requests, SEED);
    (bundle, jobs)
}

/// Images of a program in a folder of the test's own.
fn image_dir(test: &str, program: &Program) -> PathBuf {
    let dir = project_root().join("build/self_start").join(test);
    images(program, &dir).unwrap();
    dir
}

fn library(config: &HardwareConfig, top: &str, dir: &Path, params: &[(&str, u32)]) -> Library {
    let (rtl, mut sources) = emit(config, &project_root().join("build/rtl")).unwrap();
    if top == "sl_example" {
        sources.push(rtl.join("sl_example.sv"));
    }
    let build = Build::new(format!("{}_self_start_{top}", config.name))
        .top(top)
        .sources(sources)
        .include(rtl)
        .param("InitDir", format!("\"{}\"", dir.display()))
        .flag("--assert");
    let build = params.iter().fold(build, |b, (k, v)| b.param(k, v));
    build.build().unwrap()
}

/// A beat of the example's source: data, model, last.
type SourceBeat = (Vec<u16>, u16, bool);

/// Jobs as packets; a state reset is a packet of one beat, whose data means nothing.
fn packets(jobs: &[Job], block: usize) -> Vec<SourceBeat> {
    let mut beats = Vec::new();
    for job in jobs {
        if job.beats.is_empty() {
            beats.push((vec![0x7FC0; block], job.model, true));
        }
        for (i, data) in job.beats.iter().enumerate() {
            // Only the first beat names the model.
            let user = if i == 0 { job.model } else { 0xFFFF };
            beats.push((data.clone(), user, i + 1 == job.beats.len()));
        }
    }
    beats
}

/// What came out of the example, and its two counters.
struct Answer {
    beats: Vec<(Vec<u16>, bool)>,
    jobs_done: u64,
    dropped: u64,
}

/// Powers the example up, resets it, and streams packets through it; source and sink rest every so often.
fn stream(library: &Library, source: &[SourceBeat], seed: u32, rests: u32, jobs: u64) -> Answer {
    let mut dut = Bench::new(library, "clock", seed);
    let mut random = Random(u64::from(seed) + 1);
    for (name, value) in [
        ("source_tvalid", 0),
        ("source_tlast", 0),
        ("source_tuser", 0),
        ("sink_tready", 0),
        ("reset", 1),
    ] {
        dut.set(name, value);
    }
    for _ in 0..6 {
        dut.clock();
    }
    dut.set("reset", 0);
    let mut waiting: VecDeque<&SourceBeat> = source.iter().collect();
    let mut offered = false;
    let mut beats = Vec::new();
    let mut quiet = 0;
    for _ in 0..200_000 {
        if !offered && !waiting.is_empty() && (rests == 0 || !random.one_in(rests)) {
            let (data, user, last) = waiting[0];
            let words: Vec<u128> = data.iter().map(|&v| u128::from(v)).collect();
            dut.set_wide("source_tdata", &words, 16);
            dut.set("source_tuser", u64::from(*user));
            dut.set("source_tlast", u64::from(*last));
            offered = true;
        }
        dut.set("source_tvalid", u64::from(offered));
        let ready = rests == 0 || !random.one_in(rests);
        dut.set("sink_tready", u64::from(ready));
        dut.settle();
        if ready && dut.bit("sink_tvalid") {
            let keep = dut.port("sink_tkeep").width();
            assert_eq!(dut.get("sink_tkeep").count_ones(), keep);
            beats.push((dut.lanes("sink_tdata"), dut.bit("sink_tlast")));
        }
        if offered && dut.bit("source_tready") {
            waiting.pop_front();
            offered = false;
        }
        let done = waiting.is_empty() && dut.get("jobs_done") >= jobs;
        quiet = if done { quiet + 1 } else { 0 };
        if quiet > 300 {
            break;
        }
        dut.clock();
    }
    Answer {
        beats,
        jobs_done: dut.get("jobs_done"),
        dropped: dut.get("dropped"),
    }
}

#[test]
fn the_example_answers_as_the_vm_without_a_host() {
    if !tools_or_skip("the_example_answers_as_the_vm_without_a_host") {
        return;
    }
    let config = preset("c1b4").unwrap();
    let (bundle, jobs) = program(&config);
    let dir = image_dir("example", &bundle.program);
    let library = library(&config, "sl_example", &dir, &[("NumModels", 2)]);
    let run = VmExecutor.run(&bundle.program, &jobs, &StallPattern::FREE);
    let expected: Vec<_> = run
        .unwrap()
        .beats
        .into_iter()
        .map(|b| (b.data, b.last))
        .collect();
    let known = jobs.iter().filter(|j| !j.beats.is_empty()).count() as u64;
    assert!(expected.len() > 10 && (known as usize) + 2 == jobs.len());

    // Packets without a model between the others: none of their beats reaches a job.
    let mut with_strangers = jobs.clone();
    for (at, model) in [(12, 2), (7, 0x7FFF), (3, 0x8002), (0, 300)] {
        let beats = vec![vec![0x4049; 4]; 1 + at % 4];
        with_strangers.insert(at, Job { model, beats });
    }
    let cases = [
        (&jobs, 0, 0),
        (&jobs, 3, 0),
        (&with_strangers, 0, 4),
        (&with_strangers, 2, 4),
    ];
    for (seed, (jobs, rests, dropped)) in (40..).zip(cases) {
        let answer = stream(&library, &packets(jobs, 4), seed, rests, known);
        assert_eq!(answer.beats, expected, "rests {rests}, {dropped} strangers");
        assert_eq!((answer.jobs_done, answer.dropped), (known, dropped));
    }

    // The comparison sees a wrong image, and jobs in another order.
    let image = dir.join("core0_weights_row1.hex");
    let good = fs::read_to_string(&image).unwrap();
    let flipped = good.replacen(['1', '2'], "e", 4);
    assert_ne!(good, flipped);
    fs::write(&image, flipped).unwrap();
    let wrong = stream(&library, &packets(&jobs, 4), 50, 0, known);
    fs::write(&image, good).unwrap();
    assert_eq!(wrong.beats.len(), expected.len());
    assert_ne!(wrong.beats, expected);
    let mut swapped = jobs.clone();
    let at = (1..jobs.len())
        .find(|&i| jobs[i].model != jobs[i - 1].model)
        .unwrap();
    swapped.swap(at - 1, at);
    assert_ne!(
        stream(&library, &packets(&swapped, 4), 51, 0, known).beats,
        expected
    );
}

fn status(bench: &mut IpBench) -> Status {
    Driver::open(bench).unwrap().status().unwrap()
}

#[test]
fn images_run_without_the_bus_and_a_load_ends_that() {
    if !tools_or_skip("images_run_without_the_bus_and_a_load_ends_that") {
        return;
    }
    let config = preset("c1b4").unwrap();
    let (bundle, jobs) = program(&config);
    let dir = image_dir("bus", &bundle.program);
    let library = library(&config, "sl_ip_top", &dir, &[]);
    let pattern = StallPattern::all(SEED)[7];
    let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
    let runs = |bench: &mut IpBench, when: &str| {
        let got = drive("images", bench, &bundle.program, &jobs, &pattern).unwrap();
        assert_eq!(difference(&expected, &got), None, "{when}");
        bench.quiet();
    };
    for (seed, clocks) in (60..).zip([USUAL, Clocks::new(10_000, 37_000, 0)]) {
        let mut bench = IpBench::new(&library, &config, clocks, seed);
        // Until the message that enables has crossed; no access to the bus before the jobs.
        bench.idle(60);
        runs(&mut bench, "from power-up");
        let now = status(&mut bench);
        assert!(
            now.enabled() && now.program_ok() && !now.loading(),
            "{now:?}"
        );
        bench.reset();
        bench.idle(60);
        runs(&mut bench, "after both resets");
        Driver::open(&mut bench).unwrap().reset().unwrap();
        runs(&mut bench, "after a soft reset");
        Driver::open(&mut bench).unwrap().disable().unwrap();
        assert!(!status(&mut bench).enabled());
        Driver::open(&mut bench).unwrap().enable().unwrap();
    }

    // Another program over the bus; after the next reset nobody knows what the memories hold.
    let mut bench = IpBench::new(&library, &config, USUAL, 70);
    bench.idle(60);
    let other = Bundle::compile(&[models::residual_mlp(5, 7, 3, 3)], &config).unwrap();
    load(&mut bench, &other.program);
    let others = other.jobs(&other.requests(5, SEED), SEED);
    let want = VmExecutor.run(&other.program, &others, &pattern).unwrap();
    let got = drive("loaded", &mut bench, &other.program, &others, &pattern).unwrap();
    assert_eq!(difference(&want, &got), None);
    bench.quiet();
    bench.reset();
    bench.idle(60);
    let now = status(&mut bench);
    assert!(!now.enabled() && !now.program_ok(), "{now:?}");
    let refused = Driver::open(&mut bench).unwrap().enable().unwrap_err();
    assert_eq!(refused.code(), "SL-D008");
    // The whole program again, and it runs.
    load(&mut bench, &bundle.program);
    runs(&mut bench, "loaded again");
}
