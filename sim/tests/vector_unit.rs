//! Vector words: every operation, rotation, lane masks, planes, clamps, and the first tick that can read each result.
//! c1b4: a pass of a tensor is readable 6 ticks later, arithmetic 13.
#![expect(
    clippy::cast_possible_truncation,
    reason = "literal sizes of tiny programs"
)]

mod support;

use sluice_isa::{ASrc, BSrc, Format, Op, VectorWord};
use support::*;

const INPUT: u32 = 1;

/// Two input blocks, one vector word in tick 0, its block sent `distance` ticks later.
fn program(word: VectorWord, x: Option<u32>, distance: usize) -> Build {
    let mut b = Build::new(1, 4);
    let mut first = tick().beats(2).v(0, word);
    if let Some(addr) = x {
        first = first.m(0, read(INPUT, addr));
    }
    let mut ticks = vec![first];
    ticks.extend(idle(distance - 1));
    ticks.push(tick().out(0, word.dst_addr, 4));
    b.model(2, 1, ticks);
    b
}

fn run(b: &Build, a: [f32; 4], c: [f32; 4]) -> Vec<f32> {
    let (_, out) = Bench::new(b.machine()).job(0, &[block(&a), block(&c)], 1);
    out[0].1.clone()
}

const A: [f32; 4] = [1.0, -2.0, 3.0, 0.0];
const C: [f32; 4] = [4.0, 0.5, -8.0, -0.0];

#[test]
fn operations_on_x_and_y() {
    let cases: [(Op, [f32; 4]); 6] = [
        (Op::Add, [5.0, -1.5, -5.0, 0.0]),
        (Op::Sub, [-3.0, -2.5, 11.0, 0.0]),
        (Op::Rsub, [3.0, 2.5, -11.0, -0.0]),
        (Op::Mul, [4.0, -1.0, -24.0, -0.0]),
        (Op::Max, [4.0, 0.5, 3.0, 0.0]),
        (Op::Min, [1.0, -2.0, -8.0, -0.0]),
    ];
    for (op, want) in cases {
        let word = alu(y(pass(ASrc::X, 5, 4), INPUT, 1), op, BSrc::Y);
        let got = run(&program(word, Some(0), 12), A, C);
        let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&got), bits(&want), "{op}: {got:?}");
        assert_eq!(
            run(&program(word, Some(0), 11), A, C),
            [0.0; 4],
            "{op}: one tick too early"
        );
    }
}

#[test]
fn pass_is_readable_five_ticks_later() {
    let word = pass(ASrc::X, 5, 4);
    assert_eq!(run(&program(word, Some(1), 5), A, C), C);
    assert_eq!(run(&program(word, Some(1), 4), A, C), [0.0; 4]);
    let word = y(pass(ASrc::Y, 5, 4), INPUT, 1);
    assert_eq!(run(&program(word, None, 5), A, C), C);
}

#[test]
fn rotation_of_operand_a_only() {
    let mut word = alu(y(pass(ASrc::X, 5, 4), INPUT, 1), Op::Add, BSrc::Y);
    word.rot = 1;
    assert_eq!(
        run(
            &program(word, Some(0), 12),
            [1.0, 2.0, 3.0, 4.0],
            [10.0, 20.0, 30.0, 40.0]
        ),
        [12.0, 23.0, 34.0, 41.0]
    );
    let mut word = y(pass(ASrc::Y, 5, 4), INPUT, 0);
    word.rot = 3;
    assert_eq!(
        run(&program(word, None, 5), [1.0, 2.0, 3.0, 4.0], C),
        [4.0, 1.0, 2.0, 3.0]
    );
}

#[test]
fn constants_as_operands() {
    let mut word = alu(pass(ASrc::Const, 5, 4), Op::Mul, BSrc::Y);
    word = y(word, INPUT, 0);
    word.rot = 2; // constants are not rotated
    let mut b = program(word, None, 12);
    b.constant(&[9.0; 4]);
    let at = b.constant(&[2.0, 3.0, 4.0, 5.0]);
    b.ticks[1].vector[0].1.const_addr = at;
    assert_eq!(run(&b, [1.0, 2.0, 3.0, 4.0], C), [2.0, 6.0, 12.0, 20.0]);

    let mut word = alu(pass(ASrc::X, 5, 4), Op::Sub, BSrc::Const);
    word.const_addr = at;
    let mut b2 = program(word, Some(0), 12);
    b2.constants.clone_from(&b.constants);
    assert_eq!(run(&b2, [1.0, 2.0, 3.0, 4.0], C), [-1.0, -1.0, -1.0, -1.0]);
}

#[test]
fn clamps_before_and_after() {
    let mut word = alu(y(pass(ASrc::X, 5, 4), INPUT, 1), Op::Add, BSrc::Y);
    word.pre = 1;
    word.post = 2;
    let mut b = program(word, Some(0), 12);
    b.clamps.push((0, POS_INF)); // relu
    b.clamps.push((NEG_INF, 6f32.to_bits()));
    assert_eq!(
        run(&b, [-1.0, 2.0, 5.0, -0.0], [1.0, 1.0, 3.0, -0.0]),
        [1.0, 3.0, 6.0, 0.0]
    );
    let mut word = pass(ASrc::X, 5, 4);
    word.pre = 1;
    word.post = 2; // not applied to a pass
    let mut b = program(word, Some(0), 5);
    b.clamps.push((0, POS_INF));
    b.clamps.push((NEG_INF, 6f32.to_bits()));
    assert_eq!(run(&b, [-1.0, 2.0, 50.0, 7.0], C), [0.0, 2.0, 50.0, 7.0]);
}

#[test]
fn lane_mask_keeps_the_other_lanes() {
    let mut b = Build::new(1, 4);
    let mut narrow = pass(ASrc::X, 5, 4);
    (narrow.lane_lo, narrow.lane_hi) = (1, 3);
    let mut ticks = vec![
        tick()
            .beats(2)
            .m(0, read(INPUT, 0))
            .v(0, pass(ASrc::X, 5, 4)),
        tick().m(0, read(INPUT, 1)).v(0, narrow),
    ];
    ticks.extend(idle(5));
    ticks.push(tick().out(0, 5, 4));
    b.model(2, 1, ticks);
    assert_eq!(run(&b, A, C), [1.0, 0.5, -8.0, 0.0]);
}

#[test]
fn output_lanes_are_cut() {
    let mut b = program(pass(ASrc::X, 5, 4), Some(0), 5);
    b.ticks[6].control.out_lanes = 2;
    assert_eq!(run(&b, A, C), [1.0, -2.0, 0.0, 0.0]);
}

/// Planes of `1 + 2^-12`; sends the block at `addr`, `distance` ticks later.
fn plane(addr: u32, distance: usize) -> u16 {
    let mut b = Build::new(1, 4);
    let k = b.constant(&[1.0 + 2f32.powi(-12); 4]);
    let mut word = planes(pass(ASrc::Const, 4, 4));
    word.const_addr = k;
    let mut ticks = vec![tick().beats(1).v(0, word)];
    ticks.extend(idle(distance - 1));
    ticks.push(tick().out(0, addr, 4));
    b.model(1, 1, ticks);
    let mut machine = b.machine();
    let mut vm = sluice_sim::Vm::new(std::sync::Arc::clone(machine.program())).unwrap();
    let run = vm.run(0, &[&[0.0; 4]]).unwrap();
    machine.restart();
    run.words[0][0]
}

#[test]
fn planes_are_upper_and_lower_halves() {
    let bits = (1.0 + 2f32.powi(-12)).to_bits();
    assert_eq!(plane(4, 5), (bits >> 16) as u16, "no rounding");
    assert_eq!(plane(5, 6), bits as u16);
    assert_eq!(plane(5, 5), 0, "the lower half comes one cycle later");
    assert_eq!(plane(4, 4), 0);
}

#[test]
fn operand_b_is_read_one_cycle_before_p0() {
    // Tick 0 writes block 3 in c5. Tick k reads it as operand B in c(k + 2): k = 3 is the first.
    for (k, fresh) in [(2, false), (3, true)] {
        let mut b = Build::new(1, 4);
        let mut ticks = vec![
            tick()
                .beats(2)
                .m(0, read(INPUT, 1))
                .v(0, pass(ASrc::X, 3, 4)),
        ];
        ticks.extend(idle(k - 1));
        ticks.push(
            tick()
                .m(0, read(INPUT, 0))
                .v(0, alu(y(pass(ASrc::X, 5, 4), 0, 3), Op::Add, BSrc::Y)),
        );
        ticks.extend(idle(11));
        ticks.push(tick().out(0, 5, 4));
        b.model(2, 1, ticks);
        let want = if fresh { [5.0, -1.5, -5.0, 0.0] } else { A };
        assert_eq!(run(&b, A, C), want, "tick {k}");
    }
}

#[test]
fn arithmetic_on_a_sum() {
    // Product, bias through the vector unit: p0 = c13, o = c20, readable 22 ticks later.
    for (distance, fresh) in [(21, false), (22, true)] {
        let mut b = Build::new(1, 4);
        let mut ticks = vec![
            tick()
                .beats(2)
                .m(0, product(INPUT, 0, 0, 2))
                .v(0, alu(y(pass(ASrc::Acc, 5, 4), INPUT, 1), Op::Mul, BSrc::Y)),
        ];
        ticks.extend(idle(distance - 1));
        ticks.push(tick().out(0, 5, 4));
        b.model(2, 1, ticks);
        let want = if fresh {
            [4.0, -1.0, -24.0, -0.0]
        } else {
            [0.0; 4]
        };
        assert_eq!(run(&b, A, C), want, "distance {distance}");
    }
}

#[test]
fn blocks_reach_every_core() {
    let mut b = Build::new(2, 4);
    let input = 2;
    let mut ticks = vec![
        tick()
            .beats(2)
            .m(1, read(input, 0))
            .v(1, pass(ASrc::X, 7, 4)),
    ];
    ticks.extend(idle(5));
    ticks.push(
        tick()
            .m(0, read(1, 7))
            .v(0, alu(y(pass(ASrc::X, 2, 4), input, 1), Op::Max, BSrc::Y)),
    );
    ticks.extend(idle(11));
    ticks.push(tick().out(0, 2, 4));
    b.model(2, 1, ticks);
    assert_eq!(run(&b, A, C), [4.0, 0.5, 3.0, 0.0]);
}

/// A product of operand A (an input block, or constants) and planes written by tick 0, sent lower half last.
fn times_planes(distance: usize) -> (Build, [f32; 4]) {
    let mut b = Build::new(1, 4);
    let wide = [1.0 + 2f32.powi(-20), -3.000_000_5, 1.0e-30, 0.0];
    let mut first = planes(pass(ASrc::Const, 2, 4));
    first.const_addr = b.constant(&wide);
    let word = planes(alu(y(pass(ASrc::X, 6, 4), 0, 2), Op::Mul, BSrc::Planes));
    let mut ticks = vec![tick().beats(1).v(0, first)];
    ticks.extend(idle(distance - 1));
    ticks.push(tick().m(0, read(INPUT, 0)).v(0, word));
    ticks.extend(idle(12));
    ticks.push(tick().out(0, 6, 4));
    ticks.push(tick().out(0, 7, 4));
    b.model(1, 2, ticks);
    (b, wide)
}

#[test]
fn operand_b_of_planes() {
    // Tick 0 writes upper halves in c5, lower ones in c6. Tick k reads them in c(k + 1) and c(k + 2): k = 4 is the first.
    let x = [3.0, 0.5, -1.0, 7.0];
    for (distance, fresh) in [(3, false), (4, true)] {
        let (b, wide) = times_planes(distance);
        let mut vm = sluice_sim::Vm::new(b.program()).unwrap();
        let words = vm.run(0, &[&x]).unwrap().words.remove(0);
        let got: Vec<u32> = (0..4)
            .map(|i| u32::from(words[i]) << 16 | u32::from(words[4 + i]))
            .collect();
        let want: Vec<u32> = (0..4).map(|i| (x[i] * wide[i]).to_bits()).collect();
        assert_eq!(got == want, fresh, "{got:x?} {want:x?}");
    }
}

#[test]
fn planes_as_operand_b_take_the_port_twice() {
    let (mut b, _) = times_planes(4);
    // The tick behind it asks for its own operand B in the cycle of the lower halves' request.
    let at = b.ticks.len() - 14;
    let other = y(pass(ASrc::Y, 5, 4), INPUT, 0);
    b.ticks[at].vector.push((0, other));
    let error = sluice_sim::Vm::new(b.program())
        .unwrap()
        .run(0, &[&[0.0; 4]])
        .unwrap_err();
    assert!(error.to_string().contains("port Y"), "{error}");
}

#[test]
fn raw_results_are_the_bits_of_operand_a() {
    let mut b = Build::new(1, 4);
    let words = [0x7F81, 0x0001, 0x8000, 0xFFFF];
    for (format, want) in [
        (Format::Raw, [0x0001, 0x8000, 0xFFFF, 0x7F81]),
        (Format::Bf16, [0x0000, 0x8000, 0x7FC0, 0x7FC0]),
    ] {
        let mut word = y(pass(ASrc::Y, 5, 4), INPUT, 0);
        (word.rot, word.format) = (1, format);
        let mut ticks = vec![tick().beats(1).v(0, word)];
        ticks.extend(idle(4));
        ticks.push(tick().out(0, 5, 4));
        b.model(1, 1, ticks);
        let model = b.models.len() - 1;
        let mut vm = sluice_sim::Vm::new(b.program()).unwrap();
        let run = vm.run_words(model, &[&words]).unwrap();
        assert_eq!(run.words[0], want, "{format}");
    }
}

#[test]
fn raw_results_of_arithmetic_are_refused() {
    let mut word = alu(y(pass(ASrc::X, 5, 4), INPUT, 1), Op::Add, BSrc::Y);
    word.format = Format::Raw;
    let b = program(word, Some(0), 12);
    let mut p = (*program(alu(word, Op::Pass, BSrc::None), Some(0), 12).program()).clone();
    p.cores[0].vector[1] = b.ticks[1].vector[0].1;
    let error = p.validate().unwrap_err().to_string();
    assert!(error.contains("raw result"), "{error}");
}
