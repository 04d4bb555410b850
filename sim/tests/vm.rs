//! Job level: results, errors, latencies, state, streams under every stall pattern.

#![expect(clippy::float_cmp, reason = "results are exact by construction")]

mod support;

use std::sync::Arc;

use sluice_isa::{ASrc, BSrc, Op};
use sluice_sim::kernel::Engine;
use sluice_sim::{Job, Machine, Rounding, StallPattern, Vm, run_stream};
use support::*;

const INPUT: u32 = 1;

/// A running sum over jobs in block 3, two input blocks, two output blocks; work that needs no input stands before the wait.
fn running_sum() -> Build {
    let mut b = Build::new(1, 4);
    let zero = b.constant(&[0.0; 4]);
    let mut start = pass(ASrc::Const, 3, 4);
    start.const_addr = zero;
    let mut init = vec![tick().v(0, start)];
    init.extend(idle(7));
    let mut ticks = idle(5);
    ticks.push(
        tick()
            .beats(1)
            .m(0, read(INPUT, 0))
            .v(0, alu(y(pass(ASrc::X, 3, 4), 0, 3), Op::Add, BSrc::Y)),
    );
    ticks.push(
        tick()
            .beats(1)
            .m(0, product(INPUT, 1, 0, 0))
            .v(0, pass(ASrc::Acc, 5, 4)),
    );
    ticks.extend(idle(15));
    ticks.push(tick().out(0, 3, 4));
    ticks.push(tick().out(0, 5, 3));
    b.model_with_init(2, 2, Some(init), ticks);
    b
}

#[test]
fn results_cycles_and_state() {
    let mut vm = Vm::new(running_sum().program()).unwrap();
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let run = vm.run(0, &[&x]).unwrap();
    assert_eq!(run.outputs, [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0]]);
    let c = run.cycles;
    assert_eq!(c.last_input - c.first_input, 1, "beats follow each other");
    // Second beat a: tick 6 in a, tick 22 and 23 are 16 and 17 later, beats 4 after their ticks.
    assert_eq!(c.first_output, c.last_input + 16 + 4);
    assert_eq!(c.last_output, c.first_output + 1);
    assert_eq!(c.spaced, 1 + 16 + 4 + 1 + 1);
    assert_eq!(vm.spaced(0).unwrap(), c.spaced);
    let again = vm.run(0, &[&x]).unwrap();
    assert_eq!(
        again.outputs[0][..4],
        [2.0, 4.0, 6.0, 8.0],
        "state persists"
    );
    assert_eq!(
        again.cycles.spaced, c.spaced,
        "spaced latency does not depend on initialisation"
    );
    vm.reset().unwrap();
    assert_eq!(
        vm.run(0, &[&x]).unwrap().outputs[0][..4],
        [1.0, 2.0, 3.0, 4.0]
    );
}

#[test]
fn contiguous_is_the_ticks_of_a_job_when_nothing_else_limits() {
    let b = running_sum();
    let vm = Vm::new(b.program()).unwrap();
    assert_eq!(vm.contiguous(0).unwrap(), u64::from(b.models[0].ticks));
    // A tick takes one beat, so the input stream never limits: 29 empty ticks and 7 more.
    let mut b = Build::new(1, 4);
    let mut t = vec![
        tick()
            .beats(30)
            .m(0, read(INPUT, 29))
            .v(0, pass(ASrc::X, 0, 4)),
    ];
    t.extend(idle(5));
    t.push(tick().out(0, 0, 4));
    b.model(30, 1, t);
    let vm = Vm::new(b.program()).unwrap();
    assert_eq!(vm.contiguous(0).unwrap(), 36);
    assert_eq!(vm.spaced(0).unwrap(), 36 + 4);
}

#[test]
fn measuring_leaves_the_state_alone() {
    let mut vm = Vm::new(running_sum().program()).unwrap();
    let x = [1.0; 8];
    vm.run(0, &[&x]).unwrap();
    vm.spaced(0).unwrap();
    vm.contiguous(0).unwrap();
    assert_eq!(vm.run(0, &[&x]).unwrap().outputs[0][0], 2.0);
}

#[test]
fn rounding_of_inputs() {
    let mut vm = Vm::new(running_sum().program()).unwrap();
    let x = [1.0 + 2f32.powi(-8) * 1.5; 8];
    assert_eq!(vm.run(0, &[&x]).unwrap().outputs[0][4], 1.0 + 2f32.powi(-7));
    vm.set_rounding(Rounding::Truncate);
    assert_eq!(vm.run(0, &[&x]).unwrap().outputs[0][4], 1.0);
    let words = [bf(3.0); 8];
    assert_eq!(vm.run_words(0, &[&words]).unwrap().words[0][4], bf(3.0));
    assert!(vm.run(0, &[&[f32::NAN; 8]]).unwrap().outputs[0][4].is_nan());
}

#[test]
fn errors_name_what_is_wrong() {
    let mut vm = Vm::new(running_sum().program()).unwrap();
    let x: &[f32] = &[0.0; 8];
    let text = |e: Result<sluice_sim::Run, sluice_sim::SimError>| e.unwrap_err().to_string();
    assert_eq!(
        text(vm.run(1, &[x])),
        "[SL-S002] there is no model 1: the program holds 1 (0 to 0)"
    );
    assert_eq!(
        text(vm.run(0, &[x, x])),
        "[SL-S003] model `model 0` takes 1 inputs, got 2"
    );
    assert_eq!(
        text(vm.run(0, &[&x[..5]])),
        "[SL-S004] model `model 0`: input `x` has 8 values (shape [8]), got 5"
    );
    assert!(vm.spaced(3).is_err() && vm.contiguous(3).is_err());
    assert!(vm.run(0, &[x]).is_ok(), "still usable");
}

#[test]
fn faults_of_programs_and_streams() {
    let mut p = (*running_sum().program()).clone();
    p.control.clear();
    assert_eq!(Machine::new(Arc::new(p)).unwrap_err().code(), "SL-S001");
    // A job with a beat missing never ends.
    let mut m = running_sum().machine();
    let job = Job {
        model: 0,
        beats: vec![block(&[1.0; 4])],
    };
    let e = run_stream(&mut m, &[job], &StallPattern::FREE).unwrap_err();
    assert_eq!(e.code(), "SL-S007", "{e}");
    // A beat that is not a block.
    let mut m = running_sum().machine();
    let job = Job {
        model: 0,
        beats: vec![block(&[1.0; 5]); 2],
    };
    let e = run_stream(&mut m, &[job], &StallPattern::FREE).unwrap_err();
    assert_eq!(
        e.to_string(),
        "[SL-S008] an input beat has 4 values (the block size), got 5"
    );
    // A conflict at job level leaves a usable simulator.
    let mut b = Build::new(1, 4);
    let mut t = vec![
        tick()
            .beats(1)
            .m(0, read(INPUT, 0))
            .v(0, planes(pass(ASrc::X, 2, 4))),
    ];
    t.push(tick().m(0, read(INPUT, 0)).v(0, pass(ASrc::X, 2, 4)));
    t.push(tick().out(0, 2, 4));
    b.model(1, 1, t);
    let mut vm = Vm::new(b.program()).unwrap();
    for _ in 0..2 {
        assert_eq!(vm.run(0, &[&[0.0; 4]]).unwrap_err().code(), "SL-S005");
    }
}

#[test]
fn output_that_needs_no_input_may_come_before_it() {
    let mut b = Build::new(1, 4);
    let k = b.constant(&[3.0; 4]);
    let mut word = pass(ASrc::Const, 2, 4);
    word.const_addr = k;
    let mut t = vec![tick().v(0, word)];
    t.extend(idle(5));
    t.push(tick().out(0, 2, 4));
    t.push(tick().beats(1));
    b.model(1, 1, t);
    let mut vm = Vm::new(b.program()).unwrap();
    for _ in 0..3 {
        let run = vm.run(0, &[&[0.0; 4]]).unwrap();
        assert_eq!(run.outputs, [[3.0; 4]]);
        assert!(run.cycles.first_output < run.cycles.first_input);
        assert_eq!(run.cycles.spaced, 0);
    }
}

fn two_models() -> Build {
    let mut b = running_sum();
    let mut t = vec![
        tick()
            .beats(1)
            .m(0, read(INPUT, 0))
            .v(0, pass(ASrc::X, 9, 4)),
    ];
    t.extend(idle(5));
    t.push(tick().out(0, 9, 4));
    b.model(1, 1, t);
    b.config.output_fifo_depth = 4;
    b.config.select_fifo_depth = 2;
    b
}

fn jobs() -> Vec<Job> {
    (0..24u16)
        .map(|i| {
            let model = [0, 1, 1, 0, 7][usize::from(i * 7 % 5)];
            let n: u16 = [2, 1].get(usize::from(model)).copied().unwrap_or(0);
            Job {
                model,
                beats: (0..n)
                    .map(|k| block(&[f32::from(i) + f32::from(k) * 0.5; 4]))
                    .collect(),
            }
        })
        .collect()
}

#[test]
fn streams_carry_the_same_data_under_every_pattern() {
    let program = two_models().program();
    let run = |p: &StallPattern| {
        let mut m = Machine::new(Arc::clone(&program)).unwrap();
        run_stream(&mut m, &jobs(), p).unwrap()
    };
    let free = run(&StallPattern::FREE);
    let data = |beats: &[sluice_sim::OutBeat]| {
        beats
            .iter()
            .map(|b| (b.last, b.data.clone()))
            .collect::<Vec<_>>()
    };
    // What the job level says.
    let mut vm = Vm::new(Arc::clone(&program)).unwrap();
    let expected: Vec<u16> = jobs()
        .iter()
        .filter(|j| j.model < 2)
        .flat_map(|j| {
            let x: Vec<u16> = j.beats.concat();
            vm.run_words(usize::from(j.model), &[&x])
                .unwrap()
                .words
                .concat()
        })
        .collect();
    let got: Vec<u16> = free.iter().flat_map(|b| b.data.clone()).collect();
    assert_eq!(got, expected);
    let mut slower = 0;
    for seed in 0..6 {
        for pattern in StallPattern::all(seed) {
            let beats = run(&pattern);
            assert_eq!(data(&beats), data(&free), "{pattern:?}");
            assert_eq!(beats, run(&pattern), "{pattern:?} is deterministic");
            slower += usize::from(beats.last().unwrap().cycle > free.last().unwrap().cycle);
        }
    }
    assert!(slower > 40, "the patterns do stall: {slower} of 72");
}

#[test]
fn engines_agree_on_whole_programs() {
    let program = two_models().program();
    let run = |engine| {
        let mut m = Machine::new(Arc::clone(&program)).unwrap();
        m.set_engine(engine);
        run_stream(&mut m, &jobs(), &StallPattern::FREE).unwrap()
    };
    assert_eq!(run(Engine::Portable), run(Engine::detect()));
}
