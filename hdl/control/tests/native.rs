//! The state machine, stepped natively, against the plain model, cycle by cycle; and that broken rules are noticed.

use sluice_control::model::{Dispatcher, Inputs, Mutation, Outputs};
use sluice_control::native;
use sluice_control::stimulus::{ControlProgram, Pattern, Random, Traffic};
use sluice_isa::config::HardwareConfig;

fn config(seed: u64) -> HardwareConfig {
    let mut c = HardwareConfig::new("native", 1 + u32::from(seed % 3 == 1), 8);
    c.tensor_ram_depth = [16, 4, 64][(seed % 3) as usize];
    c.instr_store_depth = 128;
    c.max_models = [8, 16, 256][(seed % 3) as usize];
    c.select_fifo_depth = [4, 2, 8][(seed % 3) as usize];
    c.output_fifo_depth = [8, 4, 16][(seed % 3) as usize];
    c
}

/// The status of the load port is the wrapper's, not the state machine's.
fn comparable(o: Outputs) -> Outputs {
    Outputs {
        busy: false,
        load_ok: false,
        load_error: false,
        ..o
    }
}

/// What a run exercised.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    jobs: u32,
    bad_selects: u32,
    pauses: u32,
    back_to_back: u32,
    full_select: u32,
}

/// What was exercised, or the first cycle that differs.
fn run(
    seed: u64,
    pattern: Pattern,
    cycles: u32,
    mutation: Option<Mutation>,
) -> Result<Seen, String> {
    let config = config(seed);
    let mut random = Random::new(seed);
    let program = ControlProgram::random(&config, &mut random);
    let mut expected = Dispatcher::new(&config);
    if let Some(m) = mutation {
        expected = expected.mutated(m);
    }
    let mut actual = native::Dispatcher::new(&config);
    for load in program.loads().unwrap() {
        let i = Inputs {
            reset_n: false,
            enable: false,
            load: Some(load),
            ..Inputs::IDLE
        };
        expected.step(&i);
        actual.step(&i);
    }
    let mut traffic = Traffic::new(seed, pattern, u32::try_from(program.models.len()).unwrap());
    let mut seen = Seen::default();
    let mut before: Option<Outputs> = None;
    for cycle in 0..cycles {
        let i = traffic.next(true, seed % 2 == 1);
        let (e, a) = (comparable(expected.step(&i)), comparable(actual.step(&i)));
        if i.reset_n && e != a {
            return Err(format!(
                "seed {seed}, {pattern:?}, cycle {cycle}:\n{i:?}\n model {e:?}\nnative {a:?}"
            ));
        }
        if let Some(b) = before.filter(|_| i.reset_n) {
            let done = a.jobs_done > b.jobs_done;
            seen.jobs += u32::from(done);
            seen.back_to_back += u32::from(changed_job(&a, &b));
            seen.pauses += u32::from(a.tick.is_none() && b.tick.is_some() && !done);
            seen.bad_selects += u32::from(a.bad_select_pulse);
            seen.full_select += u32::from(!a.select_ready);
        }
        before = i.reset_n.then_some(a);
        traffic.observe(&i, &a);
    }
    Ok(seen)
}

/// The tick of the cycle after a job's last one belongs to another job: the parity changed without a gap.
fn changed_job(now: &Outputs, before: &Outputs) -> bool {
    now.tick
        .zip(before.tick)
        .is_some_and(|(n, b)| n.parity != b.parity)
}

#[test]
fn native_follows_the_model() {
    let mut total = Seen::default();
    for seed in 0..6 {
        for pattern in Pattern::ALL {
            let seen = run(seed, pattern, 5_000, None).unwrap_or_else(|text| panic!("{text}"));
            total.jobs += seen.jobs;
            total.bad_selects += seen.bad_selects;
            total.pauses += seen.pauses;
            total.back_to_back += seen.back_to_back;
            total.full_select += seen.full_select;
        }
    }
    println!("{total:?} in 120,000 cycles");
    let Seen {
        jobs,
        bad_selects,
        pauses,
        back_to_back,
        full_select,
    } = total;
    let least = [jobs, bad_selects, pauses, back_to_back, full_select]
        .into_iter()
        .min();
    assert!(
        least > Some(100),
        "the traffic must exercise everything: {total:?}"
    );
}

#[test]
fn every_broken_rule_is_noticed() {
    for mutation in Mutation::ALL {
        let noticed = (0..6).any(|seed| {
            Pattern::ALL
                .iter()
                .any(|&p| run(seed, p, 2_000, Some(mutation)).is_err())
        });
        assert!(noticed, "{mutation:?} went unnoticed");
    }
}
