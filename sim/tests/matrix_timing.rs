//! Products, biases, sums and `add32`: values, and the first cycle in which each result can be read. Figures by hand from machine.md
//! for c1b4: T = 1, E = 1, so a product's result is readable 16 ticks after its own, a tick issues one cycle after its input beat.
#![expect(clippy::cast_precision_loss, reason = "literal sizes of tiny programs")]

mod support;

use sluice_isa::lbfp::quantize;
use sluice_isa::{ASrc, MatrixWord, WeightFormat, fp8};
use support::*;

const INPUT: u32 = 1; // bank of the input unit with one core
const X: [f32; 4] = [1.0, -2.5, 0.15625, 96.0];

/// Product of the input block, result sent `distance` ticks later.
fn identity(distance: usize) -> Build {
    let mut b = Build::new(1, 4);
    let mut ticks = vec![
        tick()
            .beats(1)
            .m(0, product(INPUT, 0, 0, 0))
            .v(0, pass(ASrc::Acc, 0, 4)),
    ];
    ticks.extend(idle(distance - 1));
    ticks.push(tick().out(0, 0, 4));
    b.model(1, 1, ticks);
    b
}

#[test]
fn identity_product_and_every_cycle_of_it() {
    let mut bench = Bench::new(identity(15).machine());
    let (accepted, out) = bench.job(0, &[block(&X)], 1);
    assert!(bench.log[0].select_ready, "select taken in cycle 0");
    assert!(!bench.log[1].input_ready, "looked up in cycle 1");
    assert_eq!(accepted, 2, "slot valid in cycle 2");
    assert_eq!(
        bench.issues()[0],
        (3, 0),
        "first tick one cycle after its slot is valid"
    );
    assert_eq!(bench.issues()[15], (18, 15));
    assert_eq!(out, [(22, X.to_vec())], "beat 4 cycles after its tick");
}

#[test]
fn one_tick_too_early_reads_the_old_block() {
    let mut bench = Bench::new(identity(14).machine());
    let (_, out) = bench.job(0, &[block(&X)], 1);
    assert_eq!(out[0].1, [0.0; 4], "memory before the first write");
    let (_, out) = bench.job(0, &[block(&[7.0; 4])], 1);
    assert_eq!(out[0].1, X, "the previous job's block");
}

#[test]
fn two_exchange_stages_take_one_cycle_more() {
    for (distance, fresh) in [(15, false), (16, true)] {
        let mut b = identity(distance);
        b.config.exchange_stages = 2;
        let (_, out) = Bench::new(b.machine()).job(0, &[block(&X)], 1);
        assert_eq!(out[0].1 == X, fresh, "distance {distance}");
    }
}

#[test]
fn deeper_trees_take_two_cycles_each() {
    // 12 + 2 T + E
    for (size, distance) in [(8, 17), (16, 17), (32, 19), (64, 19)] {
        for (distance, fresh) in [(distance - 1, false), (distance, true)] {
            let mut b = Build::new(1, size);
            let mut ticks = vec![
                tick()
                    .beats(1)
                    .m(0, product(INPUT, 0, 0, 0))
                    .v(0, pass(ASrc::Acc, 0, size)),
            ];
            ticks.extend(idle(distance - 1));
            ticks.push(tick().out(0, 0, size));
            b.model(1, 1, ticks);
            let x: Vec<f32> = (0..size).map(|i| (i as f32 - 3.0) / 4.0).collect();
            let (_, out) = Bench::new(b.machine()).job(0, &[block(&x)], 1);
            assert_eq!(
                out[0].1 == x,
                fresh,
                "block size {size}, distance {distance}"
            );
        }
    }
}

#[test]
fn bias_is_the_start_value() {
    let mut b = identity(15);
    let at = b.constant(&[0.5, 2.5, -0.15625, 4.0]);
    b.ticks[0].matrix[0].1 = with_bias(product(INPUT, 0, 0, 0), at);
    let (_, out) = Bench::new(b.machine()).job(0, &[block(&X)], 1);
    assert_eq!(out[0].1, [1.5, 0.0, 0.0, 100.0]);
}

#[test]
fn sums_in_consecutive_cycles() {
    let mut b = Build::new(1, 4);
    let p = product(INPUT, 0, 0, 3);
    let next = |addr| more(product(INPUT, addr, 0, 3));
    let mut ticks = vec![
        tick().beats(3).m(0, p),
        tick().m(0, next(1)),
        tick().m(0, next(2)).v(0, pass(ASrc::Acc, 9, 4)),
        // A new sum into the same accumulator right behind must not disturb what was taken.
        tick().m(0, product(INPUT, 0, 0, 3)),
    ];
    ticks.extend(idle(13));
    ticks.push(tick().out(0, 9, 4));
    b.model(3, 1, ticks);
    let beats = [
        block(&[1.0, 2.0, 3.0, 4.0]),
        block(&[10.0, 20.0, 30.0, 40.0]),
        block(&[100.0; 4]),
    ];
    let (accepted, out) = Bench::new(b.machine()).job(0, &beats, 1);
    assert_eq!(out[0].1, [111.0, 122.0, 133.0, 144.0]);
    assert_eq!(
        out[0].0,
        accepted + 3 + 17 + 4,
        "tick 0 with the third beat, tick 17, output"
    );
}

/// `x + 2^-10` as planes, then `-x` plus these planes; the add32 stands `distance` ticks behind the product.
fn planes_program(distance: usize) -> Build {
    let mut b = Build::new(1, 4);
    let mut negative = vec![0.0; 16];
    for i in 0..4 {
        negative[i * 5] = -1.0;
    }
    b.weights.push(quantize(4, 4, 4, &negative));
    let bias = b.constant(&[2f32.powi(-10); 4]);
    let mut ticks = vec![
        tick()
            .beats(1)
            .m(0, with_bias(product(INPUT, 0, 0, 0), bias))
            .v(0, planes(pass(ASrc::Acc, 4, 4))),
    ];
    ticks.extend(idle(distance - 2));
    ticks.push(tick().m(0, product(INPUT, 0, 1, 1)));
    ticks.push(
        tick()
            .m(0, add32(0, 4, 1, false))
            .v(0, pass(ASrc::Acc, 8, 4)),
    );
    ticks.extend(idle(15));
    ticks.push(tick().out(0, 8, 4));
    b.model(1, 1, ticks);
    b
}

#[test]
fn add32_keeps_all_bits_of_a_partial_sum() {
    // Written in c15 and c16, read in c(k + 3) and c(k + 4): k = 12 is the first.
    let x = [1.0, -1.0, 0.5, 2.0];
    let (_, out) = Bench::new(planes_program(12).machine()).job(0, &[block(&x)], 1);
    assert_eq!(out[0].1, [2f32.powi(-10); 4]);
    let (_, out) = Bench::new(planes_program(11).machine()).job(0, &[block(&x)], 1);
    assert_eq!(
        out[0].1,
        [-1.0, 1.0, -0.5, -2.0],
        "one tick too early adds zeros"
    );
}

#[test]
fn add32_poisons_the_row_only() {
    let mut b = Build::new(1, 4);
    let bias = b.constant(&[f32::INFINITY, 1.0, 2.0, 3.0]);
    let mut ticks = vec![
        tick()
            .beats(1)
            .v(0, planes(y(pass(ASrc::Const, 4, 4), 0, 0))),
    ];
    ticks[0].vector[0].1.const_addr = bias;
    ticks.extend(idle(5));
    ticks.push(
        tick()
            .m(0, add32(0, 4, 1, true))
            .v(0, pass(ASrc::Acc, 8, 4)),
    );
    ticks.extend(idle(15));
    ticks.push(tick().out(0, 8, 4));
    b.model(1, 1, ticks);
    let (_, out) = Bench::new(b.machine()).job(0, &[block(&[0.0; 4])], 1);
    assert!(out[0].1[0].is_nan());
    assert_eq!(out[0].1[1..], [1.0, 2.0, 3.0]);
}

#[test]
fn non_finite_inputs_poison_their_sums_only() {
    let mut bench = Bench::new(identity(15).machine());
    let (_, out) = bench.job(0, &[block(&[1.0, f32::NAN, 3.0, 4.0])], 1);
    assert!(out[0].1.iter().all(|v| v.is_nan()));
    let (_, out) = bench.job(0, &[block(&X)], 1);
    assert_eq!(out[0].1, X, "the next job is clean");
}

/// One product with block `weight` in `format`; blocks 0 of the wide and 0, 1 of the FP8 ones are times 1, 2 and -96.
fn fp8_product(weight: u32, format: WeightFormat) -> f32 {
    let mut b = Build::new(1, 4);
    b.config.fp8_weights = true;
    b.fp8 = [2.0, -96.0]
        .map(|w| fp8::block(4, 1, 1, &[w]).unwrap())
        .to_vec();
    let word = MatrixWord {
        weight_format: format,
        ..product(INPUT, 0, weight, 0)
    };
    let mut ticks = vec![tick().beats(1).m(0, word).v(0, pass(ASrc::Acc, 8, 4))];
    ticks.extend(idle(15));
    ticks.push(tick().out(0, 8, 4));
    b.model(1, 1, ticks);
    let (_, out) = Bench::new(b.machine()).job(0, &[block(&[1.5; 4])], 1);
    out[0].1[0]
}

#[test]
fn a_word_chooses_among_the_blocks_of_an_address() {
    assert_eq!(
        fp8_product(0, WeightFormat::Lbfp17).to_bits(),
        1.5_f32.to_bits()
    );
    assert_eq!(
        fp8_product(1, WeightFormat::Fp8Low).to_bits(),
        3.0_f32.to_bits()
    );
    assert_eq!(
        fp8_product(1, WeightFormat::Fp8High).to_bits(),
        (-144.0_f32).to_bits()
    );
}
