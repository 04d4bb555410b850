//! Dispatcher and sequencer by hand: parity, waits, initialisation, reset, bad selects, credit, two models, conflicts.
#![expect(
    clippy::cast_possible_truncation,
    reason = "literal sizes of tiny programs"
)]

mod support;

use sluice_isa::{ASrc, BSrc, Op, SELECT_RESET};
use sluice_sim::{Machine, Pins, Resource, SimError, Status};
use std::sync::Arc;
use support::*;

const INPUT: u32 = 1;

/// Sends the input block back: 7 ticks.
fn echo() -> Vec<Tick> {
    let mut t = vec![
        tick()
            .beats(1)
            .m(0, read(INPUT, 0))
            .v(0, pass(ASrc::X, 0, 4)),
    ];
    t.extend(idle(5));
    t.push(tick().out(0, 0, 4));
    t
}

#[test]
fn back_to_back_jobs_have_no_bubble_and_their_own_input_half() {
    let mut b = Build::new(1, 4);
    b.model(1, 1, echo());
    let mut bench = Bench::new(b.machine());
    let beats: Vec<_> = (1..=6u8).map(|i| block(&[f32::from(i); 4])).collect();
    let (mut selects, mut at, mut out) = (0, 0, Vec::new());
    while out.len() < 6 {
        let seen = bench.cycle(
            (selects < 6).then_some(0),
            beats.get(at).map(Vec::as_slice),
            true,
        );
        selects += usize::from(seen.select_ready && selects < 6);
        at += usize::from(seen.input_ready && at < 6);
        if let Some((data, _)) = seen.output {
            out.push(data[0]);
        }
    }
    assert_eq!(out, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let issues = bench.issues();
    for (i, &(cycle, pc)) in issues.iter().enumerate() {
        assert_eq!((cycle, pc), (3 + i, i as u32 % 7), "no bubble");
    }
}

#[test]
fn a_wait_pauses_the_tick_and_what_was_issued_flows_on() {
    let mut b = Build::new(1, 4);
    let mut ticks = vec![
        tick()
            .beats(1)
            .m(0, read(INPUT, 0))
            .v(0, pass(ASrc::X, 0, 4)),
    ];
    ticks.push(tick().beats(1).out(0, 0, 4)); // one tick behind: fresh only because of the pause
    b.model(2, 1, ticks);
    let mut bench = Bench::new(b.machine());
    bench.cycle(Some(0), None, true);
    bench.idle(1);
    bench.cycle(None, Some(&block(&[5.0; 4])), true); // cycle 2
    bench.idle(7); // cycles 3..9: tick 0 issues in 3, tick 1 holds
    assert_eq!(bench.issues(), [(3, 0)]);
    bench.cycle(None, Some(&block(&[6.0; 4])), true); // cycle 10
    bench.idle(10);
    assert_eq!(bench.issues(), [(3, 0), (10, 1)]);
    let (at, seen) = bench
        .log
        .iter()
        .enumerate()
        .find(|(_, s)| s.output.is_some())
        .unwrap();
    assert_eq!((at, seen.output.clone().unwrap().0), (14, vec![5.0; 4]));
    // Without the pause the same program reads the old block.
    let (_, out) = Bench::new(b.machine()).job(0, &[block(&[5.0; 4]), block(&[6.0; 4])], 1);
    assert_eq!(out[0].1, [0.0; 4]);
}

/// State block 3 starts at 100 and grows by one with every job.
fn counter() -> Build {
    let mut b = Build::new(1, 4);
    let k = b.constant(&[100.0; 4]);
    let one = b.constant(&[1.0; 4]);
    let mut start = pass(ASrc::Const, 3, 4);
    start.const_addr = k;
    let mut init = vec![tick().v(0, start)];
    init.extend(idle(7));
    let mut grow = alu(y(pass(ASrc::Y, 3, 4), 0, 3), Op::Add, BSrc::Const);
    grow.const_addr = one;
    let mut ticks = vec![tick().beats(1).v(0, grow)];
    ticks.extend(idle(12));
    ticks.push(tick().out(0, 3, 4));
    b.model_with_init(1, 1, Some(init), ticks);
    b
}

#[test]
fn initialisation_runs_once_and_again_after_reset() {
    let mut bench = Bench::new(counter().machine());
    let x = [block(&[0.0; 4])];
    assert_eq!(bench.job(0, &x, 1).1[0].1, [101.0; 4]);
    assert_eq!(bench.job(0, &x, 1).1[0].1, [102.0; 4]);
    let init_ticks = bench.issues().iter().filter(|(_, pc)| *pc < 8).count();
    assert_eq!(init_ticks, 8, "once");
    // Reset in the middle of a job.
    bench.cycle(Some(0), None, true);
    bench.idle(12);
    bench
        .machine
        .step(&Pins {
            reset: true,
            ..Pins::default()
        })
        .unwrap();
    let (_, out) = bench.job(0, &x, 1);
    assert_eq!(out[0].1, [101.0; 4]);
}

/// Jobs and resets of a counter's state, selected without a pause; results in order.
fn interleaved(machine: Machine, selects: &[u16]) -> (Vec<f32>, Status) {
    let mut bench = Bench::new(machine);
    let jobs = selects.iter().filter(|&&s| s == 0).count();
    let x = block(&[0.0; 4]);
    let (mut select, mut beat, mut out) = (0, 0, Vec::new());
    for _ in 0..2000 {
        let seen = bench.cycle(
            selects.get(select).copied(),
            (beat < jobs).then_some(x.as_slice()),
            true,
        );
        select += usize::from(select < selects.len() && seen.select_ready);
        beat += usize::from(beat < jobs && seen.input_ready);
        out.extend(seen.output.map(|(data, _)| data[0]));
    }
    (out, bench.log.last().unwrap().status)
}

#[test]
fn a_state_reset_reaches_the_jobs_selected_after_it() {
    const R: u16 = SELECT_RESET;
    let run = |selects: &[u16]| interleaved(counter().machine(), selects).0;
    assert_eq!(run(&[0, 0, 0]), [101.0, 102.0, 103.0]);
    // While the job before it waits, runs or initialises; twice; first of all; last of all.
    assert_eq!(run(&[0, R, 0]), [101.0, 101.0]);
    assert_eq!(run(&[0, 0, R, 0, 0]), [101.0, 102.0, 101.0, 102.0]);
    assert_eq!(run(&[0, 0, 0, R, R, 0]), [101.0, 102.0, 103.0, 101.0]);
    assert_eq!(run(&[R, 0, 0, R]), [101.0, 102.0]);
    assert_eq!(run(&[0, R, 0, R, 0, R]), [101.0; 3]);
}

#[test]
fn a_state_reset_that_is_not_allowed_is_a_bad_select() {
    const R: u16 = SELECT_RESET;
    let (out, status) = interleaved(counter().machine(), &[0, R | 1, 0, R | 256, 0]);
    assert_eq!(out, [101.0, 102.0, 103.0]);
    assert_eq!(
        (status.bad_select_count, status.last_bad_select),
        (2, R | 256)
    );
    let mut program = (*counter().program()).clone();
    program.models[0].resettable = false;
    let (out, status) = interleaved(Machine::new(Arc::new(program)).unwrap(), &[0, R, 0]);
    assert_eq!(out, [101.0, 102.0]);
    assert_eq!((status.bad_select_count, status.last_bad_select), (1, R));
}

#[test]
fn reset_ends_what_is_in_flight() {
    let mut b = Build::new(1, 4);
    b.model(1, 1, echo());
    // The echo's write happens 2 + 5 cycles after its tick, in cycle 10. A reset in cycle 9 prevents it, one in cycle 10 does not.
    for (at, written) in [(9, false), (10, true)] {
        let mut bench = Bench::new(b.machine());
        bench.cycle(Some(0), None, true);
        bench.idle(1);
        bench.cycle(None, Some(&block(&[5.0; 4])), true);
        bench.idle(at - 3);
        bench
            .machine
            .step(&Pins {
                reset: true,
                ..Pins::default()
            })
            .unwrap();
        assert_eq!(bench.machine.cycle(), at as u64 + 1);
        bench.idle(40);
        assert!(bench.log.iter().all(|s| s.output.is_none()));
        let want = if written { [bf(5.0); 4] } else { [0; 4] };
        assert_eq!(
            bench.machine.block(0, 0).unwrap(),
            want,
            "reset in cycle {at}"
        );
        assert_eq!(bench.log.last().unwrap().status.jobs_done, 0);
    }
}

#[test]
fn bad_selects_are_counted_and_start_nothing() {
    let mut b = Build::new(1, 4);
    b.model(1, 1, echo());
    let mut bench = Bench::new(b.machine());
    bench.cycle(Some(1), None, true);
    bench.cycle(Some(0x1234), None, true);
    bench.idle(5);
    let s = bench.log.last().unwrap();
    assert_eq!(
        (s.status.bad_select_count, s.status.last_bad_select),
        (2, 0x1234)
    );
    assert!(!s.input_ready && !s.status.busy);
    let (_, out) = bench.job(0, &[block(&[3.0; 4])], 1);
    assert_eq!(out[0].1, [3.0; 4]);
}

#[test]
fn output_space_is_reserved_before_a_job_starts() {
    let mut b = Build::new(1, 4);
    b.config.output_fifo_depth = 4;
    let mut ticks = echo();
    ticks.push(tick().out(0, 0, 2));
    ticks.push(tick().out(0, 0, 1));
    b.model(1, 3, ticks); // three of four beats: the second job must wait for two beats to be taken
    let mut bench = Bench::new(b.machine());
    let x = block(&[2.0; 4]);
    for _ in 0..2 {
        bench.cycle(Some(0), Some(&x), false);
    }
    for _ in 0..60 {
        bench.cycle(None, Some(&x), false);
    }
    let starts: Vec<_> = bench
        .issues()
        .iter()
        .filter(|(_, pc)| *pc == 0)
        .map(|i| i.0)
        .collect();
    assert_eq!(starts.len(), 1, "credit 1 < 3");
    assert_eq!(bench.log.last().unwrap().status.jobs_done, 1);
    let t = bench.log.len();
    bench.cycle(None, None, true);
    bench.cycle(None, None, true); // credit reaches 3 at the end of this cycle
    bench.idle(20);
    let starts: Vec<_> = bench
        .issues()
        .iter()
        .filter(|(_, pc)| *pc == 0)
        .map(|i| i.0)
        .collect();
    assert_eq!(starts[1], t + 3, "start_ok in t + 2, first tick one later");
    let beats = bench.log.iter().filter(|s| s.output.is_some()).count();
    assert!(beats >= 6);
}

#[test]
fn two_models_interleaved_keep_their_own_state() {
    let mut b = counter();
    b.model(1, 1, {
        let mut t = vec![
            tick()
                .beats(1)
                .m(0, read(INPUT, 0))
                .v(0, pass(ASrc::X, 9, 4)),
        ];
        t.extend(idle(5));
        t.push(tick().out(0, 9, 4));
        t
    });
    let mut bench = Bench::new(b.machine());
    let x = |v: f32| vec![block(&[v; 4])];
    assert_eq!(bench.job(0, &x(0.0), 1).1[0].1, [101.0; 4]);
    assert_eq!(bench.job(1, &x(7.0), 1).1[0].1, [7.0; 4]);
    assert_eq!(bench.job(0, &x(0.0), 1).1[0].1, [102.0; 4]);
    assert_eq!(bench.job(1, &x(8.0), 1).1[0].1, [8.0; 4]);
    assert_eq!(bench.job(0, &x(0.0), 1).1[0].1, [103.0; 4]);
}

/// Runs one job of two input blocks and returns the fault.
fn fault(ticks: Vec<Tick>) -> Option<SimError> {
    let mut b = Build::new(1, 4);
    b.constant(&[1.0; 4]);
    b.model(2, 1, ticks);
    let mut bench = Bench::new(b.machine());
    let (mut select, mut at) = (Some(0), 0);
    let x = block(&[1.0; 4]);
    for _ in 0..100 {
        match bench.try_cycle(select, (at < 2).then_some(&x), true) {
            Err(e) => return Some(e),
            Ok(seen) => {
                select = select.filter(|_| !seen.select_ready);
                at += usize::from(seen.input_ready && at < 2);
            }
        }
    }
    None
}

/// `first`, then `second` after `gap` ticks.
fn pair(first: Tick, second: Tick, gap: usize) -> Vec<Tick> {
    let mut t = vec![first.beats(2)];
    t.extend(idle(gap - 1));
    t.push(second);
    t.extend(idle(30));
    t.push(tick().out(0, 0, 4));
    t
}

#[test]
fn conflicts_are_named() {
    let acc = || {
        tick()
            .m(0, product(INPUT, 0, 0, 0))
            .v(0, pass(ASrc::Acc, 0, 4))
    };
    let x = || tick().m(0, read(INPUT, 0)).v(0, pass(ASrc::X, 1, 4));
    let x_add = || {
        tick()
            .m(0, read(INPUT, 0))
            .v(0, alu(pass(ASrc::X, 1, 4), Op::Add, BSrc::Const))
    };
    let acc_y = || {
        tick()
            .m(0, product(INPUT, 0, 0, 0))
            .v(0, alu(y(pass(ASrc::Acc, 0, 4), INPUT, 1), Op::Add, BSrc::Y))
    };
    let y_pass = || tick().v(0, y(pass(ASrc::Y, 1, 4), INPUT, 1));
    let biased = || tick().m(0, with_bias(product(INPUT, 0, 0, 0), 0));
    let constant = || tick().v(0, pass(ASrc::Const, 1, 4));
    let planes_x = || {
        tick()
            .m(0, read(INPUT, 0))
            .v(0, planes(pass(ASrc::X, 2, 4)))
    };
    let addition = || tick().m(0, add32(0, 4, 1, true));
    let cases = [
        // p0: c13 of the sum, c3 of the tensor
        (acc(), x(), 10, Some((Resource::VectorStage, 15))),
        (acc(), x(), 9, None),
        // exchange register: c13 against c10 of the arithmetic
        (acc(), x_add(), 3, Some((Resource::ExchangeRegister, 15))),
        (acc(), x_add(), 4, None),
        // two planes take two cycles
        (planes_x(), x(), 1, Some((Resource::ExchangeRegister, 6))),
        (planes_x(), x(), 2, None),
        // port Y: operand B in c12 against c0
        (acc_y(), y_pass(), 12, Some((Resource::PortY, 14))),
        (acc_y(), y_pass(), 11, None),
        // port Y: add32 in c3 and c4 against c0
        (addition(), y_pass(), 3, Some((Resource::PortY, 5))),
        (addition(), y_pass(), 4, Some((Resource::PortY, 6))),
        (addition(), y_pass(), 5, None),
        // constant port: init in c3 against c0
        (biased(), constant(), 3, Some((Resource::ConstantPort, 5))),
        (biased(), constant(), 2, None),
    ];
    for (first, second, gap, want) in cases {
        let got = fault(pair(first, second, gap));
        match (want, got) {
            (None, None) => {}
            (
                Some((resource, after)),
                Some(SimError::Conflict {
                    core,
                    tick,
                    resource: r,
                    cycle,
                }),
            ) => {
                assert_eq!((core, tick, r), (0, 1 + gap as u32, resource));
                // Tick 0 takes the first beat in cycle 3; the tick that matters takes the second one in cycle 4.
                assert_eq!(cycle, 4 + after, "{resource} gap {gap}");
            }
            (want, got) => panic!("gap {gap}: want {want:?}, got {got:?}"),
        }
    }
}

#[test]
fn busy_lasts_until_the_pipelines_are_empty() {
    let mut b = Build::new(1, 4);
    b.model(1, 1, echo());
    let mut bench = Bench::new(b.machine());
    bench.job(0, &[block(&[1.0; 4])], 1);
    bench.idle(100);
    let busy: Vec<_> = (0..bench.log.len())
        .filter(|&t| bench.log[t].status.busy)
        .collect();
    // Taken in cycle 2, running from 3; the last tick issues in cycle 9.
    assert_eq!((busy[0], busy[busy.len() - 1]), (3, 9 + 63));
    assert_eq!(busy.len(), 7 + 63);
}

#[test]
fn disabled_means_no_look_up_and_no_start() {
    let mut b = Build::new(1, 4);
    b.model(1, 1, echo());
    let mut m = b.machine();
    let off = |select_valid| Pins {
        select_valid,
        output_ready: true,
        ..Pins::default()
    };
    assert!(
        m.step(&off(true)).unwrap().select_ready,
        "the FIFO takes beats"
    );
    for _ in 0..10 {
        assert!(!m.step(&off(false)).unwrap().input_ready);
    }
    let on = Pins {
        enable: true,
        ..off(false)
    };
    assert!(!m.step(&on).unwrap().input_ready);
    assert!(m.step(&on).unwrap().input_ready);
}
