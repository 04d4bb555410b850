//! Wrong use of the pins: unknown model, reset in the middle of a job, loading during a run, input before its select. VM and RTL agree, and go on.

use std::sync::Arc;

use sluice_isa::load::writes;
use sluice_isa::presets::preset;
use sluice_sim::{Job, Pins, SelectTiming, StallPattern, Stalls};
use sluice_suite::vm::VmDevice;
use sluice_suite::{
    Budget, Bundle, Device, Executor, Request, Sample, VmExecutor, difference, models,
};
use sluice_verilator_tests::{RtlDevice, RtlExecutor};
use verilator_sys::tools_or_skip;

fn setup(test: &str) -> Option<(Bundle, RtlExecutor)> {
    if !tools_or_skip(test) {
        return None;
    }
    let config = preset("c1b4").unwrap();
    let nets = [models::residual_mlp(8, 6, 3, 1), models::cnn(4, 5, 1, 2)];
    Some((
        Bundle::compile(&nets, &config).unwrap(),
        RtlExecutor::new(&config).unwrap(),
    ))
}

/// Both devices side by side; every pin must be equal in every cycle.
struct Pair {
    vm: VmDevice,
    rtl: RtlDevice,
    cycle: u64,
}

impl Pair {
    fn new(bundle: &Bundle, rtl: &RtlExecutor, seed: u32) -> Self {
        Self {
            vm: VmDevice::new(&bundle.program).unwrap(),
            rtl: rtl.loaded(&bundle.program, seed).unwrap(),
            cycle: 0,
        }
    }

    fn step(&mut self, pins: &Pins<'_>) -> Sample {
        let (mut a, mut b) = (Sample::default(), Sample::default());
        self.vm.step(pins, &mut a).unwrap();
        self.rtl.step(pins, &mut b).unwrap();
        if !a.output_valid {
            a.output_data.clear();
        }
        assert_eq!(a, b, "cycle {}", self.cycle);
        self.cycle += 1;
        a
    }

    /// Offers a job and runs until its outputs have come and nothing more happens; returns the output beats.
    fn job(&mut self, bundle: &Bundle, job: &Job) -> Vec<Vec<u16>> {
        let expected = bundle.program.models[usize::from(job.model)].n_out as usize;
        let (mut selected, mut beat, mut out, mut idle) = (false, 0, Vec::new(), 0);
        while out.len() < expected || beat < job.beats.len() || idle < 100 {
            let s = self.step(&Pins {
                select_valid: !selected,
                select_data: job.model,
                input_valid: beat < job.beats.len(),
                input_data: job.beats.get(beat).map_or(&[], Vec::as_slice),
                output_ready: true,
                enable: true,
                reset: false,
            });
            beat += usize::from(beat < job.beats.len() && s.input_ready);
            selected |= s.select_ready;
            if s.output_valid {
                out.push(s.output_data);
            }
            idle = if s.tick.is_some() { 0 } else { idle + 1 };
            assert!(idle < 5000, "stuck");
        }
        out
    }
}

#[test]
fn unknown_model_is_counted_and_the_next_job_runs() {
    let Some((bundle, mut rtl)) = setup("unknown_model") else {
        return;
    };
    let mut requests = bundle.requests(8, 5);
    let unknown = |model| Request {
        model,
        inputs: vec![],
    };
    requests.insert(0, unknown(2));
    requests.insert(3, unknown(0xFFFF));
    requests.insert(4, unknown(256));
    requests.push(unknown(3));
    let jobs = bundle.jobs(&requests, 5);
    for pattern in StallPattern::all(5) {
        let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
        let got = rtl.run(&bundle.program, &jobs, &pattern).unwrap();
        assert_eq!(difference(&expected, &got), None, "{pattern:?}");
        assert_eq!(
            (
                got.status.bad_select_count,
                got.status.last_bad_select,
                got.status.jobs_done
            ),
            (4, 3, 8)
        );
        let results = bundle.tensors(&requests, &got.beats).unwrap();
        bundle.check(&requests, &results, Budget::Noise).unwrap();
    }
}

#[test]
fn interrupt_pulses_once_per_unknown_model() {
    let Some((bundle, rtl)) = setup("interrupt") else {
        return;
    };
    let mut device = rtl.loaded(&bundle.program, 1).unwrap();
    let mut sample = Sample::default();
    let mut pulses = 0;
    for cycle in 0..40 {
        let pins = Pins {
            select_valid: cycle == 3 || cycle == 20,
            select_data: 77,
            enable: true,
            ..Pins::default()
        };
        device.step(&pins, &mut sample).unwrap();
        pulses += u32::from(device.irq().unwrap());
    }
    assert_eq!(
        (
            pulses,
            sample.status.bad_select_count,
            sample.status.last_bad_select
        ),
        (2, 2, 77)
    );
}

#[test]
fn reset_in_the_middle_of_a_job() {
    let Some((bundle, rtl)) = setup("reset_in_the_middle") else {
        return;
    };
    let requests: Vec<Request> = bundle.requests(12, 6);
    let jobs = bundle.jobs(&requests, 6);
    let fresh: Vec<Vec<Vec<u16>>> = {
        let mut pair = Pair::new(&bundle, &rtl, 1);
        jobs.iter().map(|j| pair.job(&bundle, j)).collect()
    };
    let mut pair = Pair::new(&bundle, &rtl, 2);
    for cut in [1_u64, 2, 3, 5, 9, 14, 20, 27, 35, 44, 60] {
        // Part of a job of each model, cut off by a reset of one to three cycles.
        for job in [
            jobs.iter().find(|j| j.model == 0).unwrap(),
            jobs.iter().find(|j| j.model == 1).unwrap(),
        ] {
            let (mut beat, mut selected) = (0, false);
            for _ in 0..cut {
                let s = pair.step(&Pins {
                    select_valid: !selected,
                    select_data: job.model,
                    input_valid: beat < job.beats.len(),
                    input_data: job.beats.get(beat).map_or(&[], Vec::as_slice),
                    output_ready: true,
                    enable: true,
                    reset: false,
                });
                beat += usize::from(beat < job.beats.len() && s.input_ready);
                selected |= s.select_ready;
            }
            for _ in 0..=cut % 3 {
                pair.step(&Pins {
                    output_ready: true,
                    enable: true,
                    reset: true,
                    ..Pins::default()
                });
            }
        }
        // Everything starts again from the initial state.
        for (i, job) in jobs.iter().enumerate().take(4) {
            assert_eq!(
                pair.job(&bundle, job),
                fresh[i],
                "after {cut} cycles, job {i}"
            );
        }
        pair.step(&Pins {
            reset: true,
            ..Pins::default()
        });
    }
}

#[test]
fn load_during_a_run_is_refused() {
    let Some((bundle, rtl)) = setup("load_during_a_run") else {
        return;
    };
    let requests = bundle.requests(6, 8);
    let jobs = bundle.jobs(&requests, 8);
    let mut clean = Pair::new(&bundle, &rtl, 1);
    let expected: Vec<_> = jobs.iter().map(|j| clean.job(&bundle, j)).collect();

    let mut pair = Pair::new(&bundle, &rtl, 1);
    assert_eq!(pair.job(&bundle, &jobs[0]), expected[0]);
    assert!(!pair.rtl.load_error().unwrap());
    // Every space, with all bits flipped, into the enabled accelerator: nothing changes but the sticky status.
    let words = writes(&bundle.program).unwrap();
    let enabled = Pins {
        enable: true,
        ..Pins::default()
    };
    for w in words.iter().step_by(7).chain(words.last()) {
        let mut w = w.clone();
        let width = sluice_isa::load::data_width(&bundle.program.config);
        for (i, word) in w.data.iter_mut().enumerate() {
            let used = (width as usize - 32 * i).min(32);
            *word ^= if used == 32 {
                u32::MAX
            } else {
                (1 << used) - 1
            };
        }
        pair.rtl.write_next(&w);
        pair.step(&enabled);
    }
    pair.step(&enabled);
    assert!(pair.rtl.load_error().unwrap());
    for (job, expected) in jobs.iter().zip(&expected).skip(1) {
        assert_eq!(pair.job(&bundle, job), *expected);
    }
    assert!(pair.rtl.load_error().unwrap(), "sticky");
    pair.rtl.reset().unwrap();
    assert!(!pair.rtl.load_error().unwrap(), "cleared by reset");

    // The twin of the test: while disabled the same write is taken, and it matters.
    let mut bad = words.clone();
    for w in bad
        .iter_mut()
        .filter(|w| w.space == sluice_isa::load::Space::Weights)
    {
        w.data[0] ^= 1 << 14;
    }
    pair.rtl.load(&bad).unwrap();
    pair.rtl.reset().unwrap();
    let mut sample = Sample::default();
    let mut out = Vec::new();
    let job = &jobs[0];
    let (mut beat, mut selected) = (0, false);
    for _ in 0..300 {
        let pins = Pins {
            select_valid: !selected,
            select_data: job.model,
            input_valid: beat < job.beats.len(),
            input_data: job.beats.get(beat).map_or(&[], Vec::as_slice),
            output_ready: true,
            enable: true,
            reset: false,
        };
        pair.rtl.step(&pins, &mut sample).unwrap();
        beat += usize::from(beat < job.beats.len() && sample.input_ready);
        selected |= sample.select_ready;
        if sample.output_valid {
            out.push(sample.output_data.clone());
        }
    }
    assert_ne!(out, expected[0]);
}

#[test]
fn input_before_its_select_waits() {
    let Some((bundle, rtl)) = setup("input_before_its_select") else {
        return;
    };
    let requests = bundle.requests(2, 9);
    let jobs = bundle.jobs(&requests, 9);
    let mut pair = Pair::new(&bundle, &rtl, 1);
    // Input is offered for 50 cycles without a select: it must not be taken.
    for _ in 0..50 {
        let s = pair.step(&Pins {
            input_valid: true,
            input_data: &jobs[0].beats[0],
            output_ready: true,
            enable: true,
            ..Pins::default()
        });
        assert!(!s.input_ready && !s.output_valid);
    }
    let late = pair.job(&bundle, &jobs[0]);
    let mut other = Pair::new(&bundle, &rtl, 1);
    assert_eq!(late, other.job(&bundle, &jobs[0]));
}

#[test]
fn disabled_accelerator_takes_no_job() {
    let Some((bundle, rtl)) = setup("disabled") else {
        return;
    };
    let requests = bundle.requests(1, 10);
    let jobs = bundle.jobs(&requests, 10);
    let mut pair = Pair::new(&bundle, &rtl, 1);
    for cycle in 0..30 {
        let s = pair.step(&Pins {
            select_valid: cycle == 0,
            select_data: jobs[0].model,
            input_valid: true,
            input_data: &jobs[0].beats[0],
            output_ready: true,
            ..Pins::default()
        });
        assert!(!s.input_ready && s.tick.is_none());
    }
    // The select that was taken governs the first job once it is enabled.
    let mut beat = 0;
    let mut outputs = 0;
    for _ in 0..300 {
        let s = pair.step(&Pins {
            input_valid: beat < jobs[0].beats.len(),
            input_data: jobs[0].beats.get(beat).map_or(&[], Vec::as_slice),
            output_ready: true,
            enable: true,
            ..Pins::default()
        });
        beat += usize::from(beat < jobs[0].beats.len() && s.input_ready);
        outputs += u32::from(s.output_valid);
    }
    assert_eq!(
        outputs,
        bundle.program.models[usize::from(jobs[0].model)].n_out
    );
}

/// A late select delays a job's first input beat by two cycles at most, never more.
#[test]
fn late_select_costs_two_cycles_at_most() {
    let config = preset("c1b4").unwrap();
    let bundle = Bundle::compile(&[models::residual_mlp(8, 6, 3, 1)], &config).unwrap();
    let requests = bundle.requests(1, 1);
    let jobs = bundle.jobs(&requests, 1);
    let pattern = StallPattern {
        stalls: Stalls::None,
        select: SelectTiming::WithData,
        seed: 1,
    };
    let run = VmExecutor
        .run(&Arc::clone(&bundle.program), &jobs, &pattern)
        .unwrap();
    assert_eq!(run.accepts[0], 2);
}
