//! The checks can fail: one flipped bit, one shifted cycle, one swapped model index or one corrupted weight is caught.

use sluice_isa::load::{Space, writes};
use sluice_isa::presets::preset;
use sluice_isa::{BSrc, Program};
use sluice_sim::{Job, StallPattern};
use sluice_suite::{Bundle, Case, Executor, Outcome, VmExecutor, difference, drive, models};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::tools_or_skip;

struct Setup {
    rtl: RtlExecutor,
    bundle: Bundle,
    jobs: Vec<Job>,
    pattern: StallPattern,
    expected: Outcome,
}

fn setup(test: &str) -> Option<Setup> {
    if !tools_or_skip(test) {
        return None;
    }
    let config = preset("c1b4").unwrap();
    // Same interface, so that a swapped index changes nothing but the values.
    let net = models::residual_mlp(8, 6, 4, 1);
    let twin = sluice_suite::Net {
        name: "twin".into(),
        seed: 9,
        ..net.clone()
    };
    let bundle = Bundle::compile(&[net, twin], &config).unwrap();
    let requests = bundle.requests(10, 3);
    let jobs = bundle.jobs(&requests, 3);
    let pattern = StallPattern::all(3)[7];
    let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
    Some(Setup {
        rtl: RtlExecutor::new(&config).unwrap(),
        bundle,
        jobs,
        pattern,
        expected,
    })
}

#[test]
fn flipped_bit_and_shifted_cycle() {
    let Some(mut s) = setup("flipped_bit_and_shifted_cycle") else {
        return;
    };
    let got = s.rtl.run(&s.bundle.program, &s.jobs, &s.pattern).unwrap();
    assert_eq!(difference(&s.expected, &got), None);
    let last = s.expected.beats.len() - 1;
    for bit in 0..16 {
        let mut wrong = s.expected.clone();
        wrong.beats[last].data[3] ^= 1 << bit;
        assert!(
            difference(&wrong, &got).is_some_and(|d| d.contains("lane 3")),
            "bit {bit}"
        );
    }
    let mut late = s.expected.clone();
    late.beats[last].cycle += 1;
    assert!(difference(&late, &got).is_some_and(|d| d.contains("cycle")));
    let mut held = s.expected.clone();
    held.handshakes[5] ^= 2;
    assert!(difference(&held, &got).is_some_and(|d| d.contains("cycle 5")));
    let mut tick = s.expected.clone();
    tick.ticks[4].1.pc ^= 1;
    assert!(difference(&tick, &got).is_some_and(|d| d.contains("tick 4")));
}

#[test]
fn swapped_model_index() {
    let Some(mut s) = setup("swapped_model_index") else {
        return;
    };
    for at in [0, s.jobs.len() - 1] {
        let mut jobs = s.jobs.clone();
        jobs[at].model ^= 1;
        let got = s.rtl.run(&s.bundle.program, &jobs, &s.pattern).unwrap();
        assert!(difference(&s.expected, &got).is_some(), "job {at}");
    }
}

#[test]
fn corrupted_weight() {
    let Some(s) = setup("corrupted_weight") else {
        return;
    };
    let words = writes(&s.bundle.program).unwrap();
    // The top magnitude bit of the first mantissa of a row record of each model's first layer.
    let rows: Vec<usize> = (0..words.len())
        .filter(|&i| words[i].space == Space::Weights && words[i].row == 1)
        .collect();
    let mut caught = 0;
    let picked = [rows[0], rows[rows.len() - 1]];
    for &at in &picked {
        let mut bad = words.clone();
        bad[at].data[0] ^= 1 << 14;
        let mut device = s.rtl.loaded_with(&bad, 1).unwrap();
        let got = drive(
            "corrupted",
            &mut device,
            &s.bundle.program,
            &s.jobs,
            &s.pattern,
        )
        .unwrap();
        let d = difference(&s.expected, &got);
        // Bits only: a weight never moves a cycle.
        caught += usize::from(d.is_some_and(|d| d.contains("lane")));
        assert_eq!(got.handshakes, s.expected.handshakes);
    }
    assert_eq!(caught, picked.len());
}

#[test]
fn corrupted_fp8_code() {
    if !tools_or_skip("corrupted_fp8_code") {
        return;
    }
    let config = preset("c2b8f8").unwrap();
    let net = sluice_suite::Net {
        fp8: true,
        ..models::residual_mlp(16, 16, 8, 1)
    };
    let bundle = Bundle::compile(&[net], &config).unwrap();
    let jobs = bundle.jobs(&bundle.requests(6, 3), 3);
    let pattern = StallPattern::all(3)[7];
    let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
    let mut rtl = RtlExecutor::new(&config).unwrap();
    let got = rtl.run(&bundle.program, &jobs, &pattern).unwrap();
    assert_eq!(difference(&expected, &got), None);
    let words = writes(&bundle.program).unwrap();
    let row = (0..words.len())
        .rfind(|&i| {
            let w = &words[i];
            let image = &bundle.program.cores[w.core as usize];
            w.space == Space::Weights && w.row == 1 && w.addr as usize >= image.weights.len()
        })
        .unwrap();
    // The lowest exponent bit of the first lane, of the first block at the address.
    let mut bad = words;
    bad[row].data[0] ^= 1 << 3;
    let mut device = rtl.loaded_with(&bad, 1).unwrap();
    let got = drive("corrupted", &mut device, &bundle.program, &jobs, &pattern).unwrap();
    assert!(difference(&expected, &got).is_some_and(|d| d.contains("lane")));
    assert_eq!(got.handshakes, expected.handshakes);
}

#[test]
fn corrupted_schedule() {
    let Some(s) = setup("corrupted_schedule") else {
        return;
    };
    // No tick takes its input beats any more: the job runs on whatever stands in the input bank.
    let words = writes(&s.bundle.program).unwrap();
    let mut program = (*s.bundle.program).clone();
    for word in &mut program.control {
        word.beat = false;
    }
    let bad = writes(&program).unwrap();
    assert_ne!(words, bad);
    let mut device = s.rtl.loaded_with(&bad, 1).unwrap();
    // The source pauses between beats: waiting matters.
    let pattern = StallPattern::all(3)[3];
    let expected = VmExecutor
        .run(&s.bundle.program, &s.jobs, &pattern)
        .unwrap();
    // An assertion of the RTL notices the beat that is left over, or else the outputs differ.
    let got = drive(
        "corrupted",
        &mut device,
        &s.bundle.program,
        &s.jobs,
        &pattern,
    );
    match got {
        Ok(got) => assert!(difference(&expected, &got).is_some()),
        Err(error) => assert!(error.to_string().contains("InputTaken_A"), "{error}"),
    }
}

#[test]
fn planes_read_as_bf16() {
    let Some(s) = setup("planes_read_as_bf16") else {
        return;
    };
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../suite/cases/agreement/precise.toml"
    );
    let case = Case::load(path.as_ref()).unwrap();
    let bundle = Bundle::compile(&case.nets[..1], &preset("c1b4").unwrap()).unwrap();
    let requests = bundle.requests(4, 3);
    let jobs = bundle.jobs(&requests, 3);
    let expected = VmExecutor.run(&bundle.program, &jobs, &s.pattern).unwrap();
    let run = |program: &Program| {
        let mut device = s.rtl.loaded_with(&writes(program).unwrap(), 1).unwrap();
        drive("planes", &mut device, &bundle.program, &jobs, &s.pattern).unwrap()
    };
    assert_eq!(difference(&expected, &run(&bundle.program)), None);
    // Second operands lose their lower halves; nothing moves in time.
    let mut program = (*bundle.program).clone();
    let mut changed = 0;
    for word in &mut program.cores[0].vector {
        if word.b_src == BSrc::Planes {
            word.b_src = BSrc::Y;
            changed += 1;
        }
    }
    assert!(changed > 0);
    let got = run(&program);
    assert_eq!(got.handshakes, expected.handshakes);
    assert!(difference(&expected, &got).is_some_and(|d| d.contains("lane")));
}
