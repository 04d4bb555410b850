//! The configuration bus: programs loaded by the driver over AXI4-Lite run as on the VM; whatever is wrong is refused and harmless.
#![expect(
    clippy::cast_possible_truncation,
    reason = "small counts and halves of random words"
)]

mod support;

#[path = "support/bus.rs"]
mod bench;

use std::ffi::{CStr, CString, c_char, c_void};

use std::cell::RefCell;

use bench::{
    BusExecutor, Clocks, IpBench, Shared, SlaveError, USUAL, image, library,
    library_with_load_stream, load,
};
use sluice_driver::{Device as Driver, Error, Errors, LoadImage, map};
use sluice_isa::load::{Space, checksum, space_depth, space_words, writes};
use sluice_isa::load_image::{StreamBeat, image_of, stream_packets, to_bytes};
use sluice_isa::presets::preset;
use sluice_isa::registers::{
    ADDRESS_BITS, Access, REGISTERS, Reset, capability, line_is_mapped, register,
};
use sluice_isa::{HardwareConfig, Program};
use sluice_sim::{Job, Pins, StallPattern};
use sluice_suite::{
    Bundle, Device, Executor, Net, Outcome, Sample, VmExecutor, difference, drive, models,
};
use support::Random;
use verilator_sys::{Library, tools_or_skip};

/// What a test needs: a configuration, its wrapper, a program of two models (one with state), jobs, and what the VM makes of them.
struct Setup {
    config: HardwareConfig,
    library: Library,
    bundle: Bundle,
    jobs: Vec<Job>,
    pattern: StallPattern,
    expected: Outcome,
}

fn setup_of(test: &str, config: &str, nets: &[Net]) -> Option<Setup> {
    if !tools_or_skip(test) {
        return None;
    }
    let config = preset(config).unwrap();
    let bundle = Bundle::compile(nets, &config).unwrap();
    let jobs = bundle.jobs(&bundle.requests(10, 3), 3);
    let pattern = StallPattern::all(3)[7];
    let expected = VmExecutor.run(&bundle.program, &jobs, &pattern).unwrap();
    Some(Setup {
        library: library(&config),
        config,
        bundle,
        jobs,
        pattern,
        expected,
    })
}

fn nets(block: usize) -> [Net; 2] {
    [
        models::residual_mlp(2 * block + 1, block + 3, 3, 1),
        models::cnn(block, block + 1, 2, 2),
    ]
}

fn setup(test: &str) -> Option<Setup> {
    setup_of(test, "c1b4", &nets(4))
}

impl Setup {
    fn bench(&self, clocks: Clocks, seed: u32) -> IpBench {
        IpBench::new(&self.library, &self.config, clocks, seed)
    }

    /// A bench with the program loaded and enabled.
    fn loaded(&self, seed: u32) -> IpBench {
        let mut bench = self.bench(USUAL, seed);
        load(&mut bench, &self.bundle.program);
        bench
    }

    /// Runs the jobs and holds them against the VM.
    fn check(&self, bench: &mut IpBench, when: &str) {
        let got = drive(
            "bus",
            bench,
            &self.bundle.program,
            &self.jobs,
            &self.pattern,
        )
        .unwrap();
        assert_eq!(difference(&self.expected, &got), None, "{when}");
        bench.quiet();
    }
}

/// Loads through the driver, runs, and holds every pin in every compute cycle against the VM; then the counters against the jobs.
fn runs_as_the_vm(config: &str, clocks: &[Clocks]) {
    let Some(s) = setup_of(
        config,
        config,
        &nets(preset(config).unwrap().block_size as usize),
    ) else {
        return;
    };
    let mut bus = BusExecutor {
        library: s.library.clone(),
        config: s.config.clone(),
        clocks: USUAL,
        max_delay: 0,
    };
    for (i, clocks) in clocks.iter().enumerate() {
        let seed = 31 + i as u64;
        bus.clocks = *clocks;
        bus.max_delay = 5 * (i as u32 % 2);
        let pattern = StallPattern::all(seed)[(5 * i + 3) % 12];
        let requests = s.bundle.requests(12, seed);
        let jobs = s.bundle.jobs(&requests, seed);
        let expected = VmExecutor.run(&s.bundle.program, &jobs, &pattern).unwrap();
        let got = bus.run(&s.bundle.program, &jobs, &pattern).unwrap();
        assert_eq!(difference(&expected, &got), None, "{clocks:?} {pattern:?}");
    }
}

#[test]
fn c1b4_runs_as_the_vm() {
    runs_as_the_vm(
        "c1b4",
        &[
            USUAL,
            Clocks::new(10_000, 10_000, 0),
            Clocks::new(10_000, 37_000, 0),
            Clocks::new(10_000, 9_990, 700),
            Clocks::new(3_000, 2_900, 400),
        ],
    );
}

#[test]
fn c2b8_runs_as_the_vm() {
    runs_as_the_vm(
        "c2b8",
        &[
            USUAL,
            Clocks::new(10_000, 12_500, 900),
            Clocks::new(20_000, 3_000, 0),
        ],
    );
}

#[test]
fn counters_tell_what_happened() {
    let Some(s) = setup("counters_tell_what_happened") else {
        return;
    };
    let mut bench = s.loaded(5);
    let before = Driver::open(&mut bench).unwrap().counters().unwrap();
    // Two models of the program, and indexes that name none.
    let mut jobs = s.jobs.clone();
    for (at, model) in [(3, 2), (5, 700), (9, 0xFFFF)] {
        jobs.insert(
            at,
            Job {
                model,
                beats: Vec::new(),
            },
        );
    }
    let expected = VmExecutor
        .run(&s.bundle.program, &jobs, &s.pattern)
        .unwrap();
    let got = drive("bus", &mut bench, &s.bundle.program, &jobs, &s.pattern).unwrap();
    assert_eq!(difference(&expected, &got), None);
    bench.quiet();
    assert!(!bench.irq(), "nothing is unmasked");

    let mut driver = Driver::open(&mut bench).unwrap();
    let counters = driver.counters().unwrap();
    assert_eq!(counters.jobs_done as usize, s.jobs.len());
    assert_eq!(counters.bad_select_count, 3);
    assert_eq!(counters.last_bad_select, 0xFFFF);
    assert!(counters.cycles >= before.cycles + got.cycles() as u64);
    assert!(counters.busy_cycles > 0 && counters.busy_cycles < counters.cycles);
    for model in 0..driver.identity().max_models {
        let count = jobs.iter().filter(|j| u32::from(j.model) == model);
        let finished = if model < 2 { count.count() } else { 0 };
        assert_eq!(driver.model_jobs(model).unwrap() as usize, finished);
    }
    assert_eq!(driver.model_jobs(16).unwrap_err().code(), "SL-D010");

    // The sticky bit, its interrupt, and the end of both.
    assert_eq!(driver.errors().unwrap(), Errors(map::ERROR_BAD_SELECT));
    driver
        .set_error_mask(Errors(map::ERROR_BAD_SELECT))
        .unwrap();
    assert!(driver.status().unwrap().interrupt() && driver.bus().irq());
    driver.clear_errors(Errors(map::ERROR_BAD_SELECT)).unwrap();
    assert!(!driver.status().unwrap().interrupt() && !driver.bus().irq());
    assert!(driver.errors().unwrap().is_empty());

    // A soft reset starts the counts again and keeps the program.
    driver.reset().unwrap();
    let after = driver.counters().unwrap();
    assert_eq!(
        (after.jobs_done, after.bad_select_count, after.busy_cycles),
        (0, 0, 0)
    );
    assert!(after.cycles < counters.cycles);
    assert_eq!(driver.model_jobs(0).unwrap(), 0);
    assert!(driver.errors().unwrap().is_empty(), "no new bad select");
    s.check(&mut bench, "after the reset");
}

/// Value a register's word has to have after the configuration reset; `None` where it follows the compute side.
fn after_reset(config: &HardwareConfig, name: &str, word: usize) -> Option<u32> {
    match register(name).unwrap().reset {
        Reset::Value(v) => Some(v),
        Reset::Option | Reset::Live => None,
        Reset::Config => {
            let all = capability(config);
            Some(all.iter().find(|(n, _)| *n == name).unwrap().1[word])
        }
    }
}

#[test]
fn every_register_is_what_the_map_says() {
    let Some(s) = setup("every_register_is_what_the_map_says") else {
        return;
    };
    let mut bench = s.bench(USUAL, 8);
    bench.master.max_delay = 2;
    // Every word up to the end of the model table, then the lines around the window, the end of the space and random ones.
    let mut random = Random(99);
    let mut addresses: Vec<u32> = (0..0x2040).step_by(4).collect();
    addresses.extend((0xF_FFC0..0x10_0180).step_by(4));
    addresses.push((1 << ADDRESS_BITS) - 4);
    addresses.extend((0..300).map(|_| 4 * random.below(1 << (ADDRESS_BITS - 2))));
    let mut refused = 0;
    for &address in &addresses {
        let (data, resp) = bench.read(address);
        if !line_is_mapped(address) {
            assert_eq!((data, resp), (0, 2), "{address:#x}");
            refused += 1;
            continue;
        }
        assert_eq!(resp, 0, "{address:#x}");
        let owner = REGISTERS
            .iter()
            .find(|r| (r.offset..r.offset + 4 * r.words).contains(&address));
        match owner {
            None => assert_eq!(data, 0, "{address:#x} is reserved"),
            // Errors are being raised, on purpose.
            Some(r) if ["error", "bus_error_count", "bus_error_address"].contains(&r.name) => {}
            Some(r) => {
                let word = ((address - r.offset) / 4) as usize;
                if let Some(expected) = after_reset(&s.config, r.name, word) {
                    assert_eq!(data, expected, "{} word {word}", r.name);
                }
            }
        }
    }
    assert!(refused > 200);
    assert_eq!(bench.read(map::ERROR), (map::ERROR_BAD_ADDRESS, 0));
    assert_eq!(bench.read(map::BUS_ERROR_COUNT), (refused, 0));
    let last = *addresses.iter().rfind(|a| !line_is_mapped(**a)).unwrap();
    assert_eq!(bench.read(map::BUS_ERROR_ADDRESS), (last, 0));
    assert_eq!(
        bench.read(map::STATUS).0 & !map::STATUS_SETTLING,
        map::STATUS_IDLE
    );
    // Unaligned addresses name no register.
    for address in [1, 2, 3, map::SCRATCH + 2] {
        assert_eq!(bench.read(address), (0, 2));
        assert_eq!(bench.write(address, 1, 0xF), 2);
    }

    // Writes: what the access says, everything else is refused and changes nothing.
    bench.write(map::ERROR, u32::MAX, 0xF);
    let mut writes_refused = 0;
    for r in REGISTERS {
        for word in [0, r.words - 1] {
            let address = r.offset + 4 * word;
            let before = bench.read(address).0;
            let resp = bench.write(address, 0x5A5A_0000 | word, 0xF);
            let after = bench.read(address).0;
            match r.name {
                "scratch" => assert_eq!((resp, after), (0, 0x5A5A_0000)),
                "error_mask" => assert_eq!((resp, after), (0, 0x5A5A_0000 & 0x1FF)),
                // Nothing is being loaded, no program is there.
                "load_address" | "program_checksum" | "load_window" => {
                    assert_eq!((resp, after), (2, before), "{}", r.name);
                    assert_eq!(bench.read(map::ERROR).0, map::ERROR_LOAD_REFUSED);
                    bench.write(map::ERROR, u32::MAX, 0xF);
                    writes_refused += 1;
                }
                "control" | "error" => assert_eq!((resp, after), (0, 0), "{}", r.name),
                _ => {
                    assert_eq!(r.access, Access::Read, "{}", r.name);
                    assert_eq!(resp, 2, "{}", r.name);
                    if !matches!(r.reset, Reset::Live) && !r.name.starts_with("bus_error") {
                        assert_eq!(after, before, "{}", r.name);
                    }
                    assert_eq!(
                        bench.read(map::ERROR).0,
                        map::ERROR_BAD_ADDRESS,
                        "{}",
                        r.name
                    );
                    bench.write(map::ERROR, u32::MAX, 0xF);
                    writes_refused += 1;
                }
            }
        }
    }
    assert_eq!(
        bench.read(map::BUS_ERROR_COUNT).0,
        refused + 8 + writes_refused
    );

    // Writing ones clears exactly those bits.
    bench.write(map::IDENTITY, 0, 0xF);
    bench.write(map::SCRATCH, 0, 0x3);
    bench.write(map::CONTROL, map::CONTROL_ENABLE, 0xF);
    let all = map::ERROR_BAD_ADDRESS | map::ERROR_BAD_STROBE | map::ERROR_ENABLE_REFUSED;
    assert_eq!(bench.read(map::ERROR).0, all);
    bench.write(map::ERROR, map::ERROR_BAD_STROBE, 0xF);
    assert_eq!(bench.read(map::ERROR).0, all & !map::ERROR_BAD_STROBE);
    bench.write(map::ERROR, 0, 0xF);
    assert_eq!(bench.read(map::ERROR).0, all & !map::ERROR_BAD_STROBE);
    assert_eq!(
        bench.read(map::BUS_ERROR_ADDRESS).0,
        map::CONTROL | map::BUS_ERROR_ADDRESS_WRITE
    );
    // Every other strobe is partial; none at all is no write.
    for strobe in 1..15 {
        assert_eq!(
            bench.write(map::SCRATCH, u32::MAX, strobe),
            2,
            "{strobe:04b}"
        );
    }
    assert_eq!(bench.write(map::SCRATCH, u32::MAX, 0), 0);
    assert_eq!(bench.write(map::IDENTITY, u32::MAX, 0), 0);
    assert_eq!(bench.read(map::SCRATCH).0, 0x5A5A_0000);
}

/// An access that must be refused with one error bit, and nothing else.
fn refused(bench: &mut IpBench, address: u32, data: u32, strobe: u8, bit: u32) {
    bench.write(map::ERROR, u32::MAX, 0xF);
    let count = bench.read(map::BUS_ERROR_COUNT).0;
    assert_eq!(bench.write(address, data, strobe), 2, "{address:#x}");
    assert_eq!(bench.read(map::ERROR).0, bit, "{address:#x}");
    assert_eq!(bench.read(map::BUS_ERROR_COUNT).0, count + 1);
    bench.write(map::ERROR, u32::MAX, 0xF);
}

#[test]
fn loading_is_refused_while_enabled_or_busy() {
    let Some(s) = setup("loading_is_refused_while_enabled_or_busy") else {
        return;
    };
    let mut bench = s.loaded(11);
    let window = |b: &mut IpBench| refused(b, map::LOAD_WINDOW, 7, 0xF, map::ERROR_LOAD_REFUSED);
    refused(
        &mut bench,
        map::CONTROL,
        map::CONTROL_LOAD,
        0xF,
        map::ERROR_LOAD_REFUSED,
    );
    window(&mut bench);
    let both = map::CONTROL_LOAD | map::CONTROL_ENABLE;
    refused(&mut bench, map::CONTROL, both, 0xF, map::ERROR_LOAD_REFUSED);
    refused(
        &mut bench,
        map::LOAD_ADDRESS,
        0,
        0xF,
        map::ERROR_LOAD_REFUSED,
    );
    let sum = bench.read(map::PROGRAM_CHECKSUM).0;
    refused(
        &mut bench,
        map::PROGRAM_CHECKSUM,
        sum,
        0xF,
        map::ERROR_LOAD_REFUSED,
    );

    // While jobs run, from the bus, cycle by cycle: refused every time, and no pin moves.
    for _ in 0..40 {
        bench.post(map::CONTROL, both, 0xF);
        bench.post(map::LOAD_WINDOW, 0xDEAD_BEEF, 0xF);
        bench.post(map::LOAD_ADDRESS, 0x3000_0000, 0xF);
    }
    s.check(&mut bench, "with refused loads on the bus");
    assert_eq!(bench.flush().len(), 120);

    // Disabled but busy: a job that waits for its input.
    let mut sample = Sample::default();
    let pins = Pins {
        enable: true,
        select_valid: true,
        select_data: 0,
        input_valid: true,
        input_data: &[0x3F80; 4],
        ..Pins::default()
    };
    let start = bench.config_cycles;
    while !bench.busy() {
        bench.step(&pins, &mut sample).unwrap();
        assert!(bench.config_cycles < start + 1000);
    }
    bench.quiet();
    let mut driver = Driver::open(&mut bench).unwrap();
    driver.set_polls(50);
    driver.disable().unwrap();
    let status = driver.status().unwrap();
    assert!(status.busy() && !status.enabled() && !status.idle());
    refused(
        &mut bench,
        map::CONTROL,
        map::CONTROL_LOAD,
        0xF,
        map::ERROR_LOAD_REFUSED,
    );
    window(&mut bench);
    // The reset ends the job, and the program is still the one that was loaded.
    let mut driver = Driver::open(&mut bench).unwrap();
    driver.reset().unwrap();
    assert!(driver.status().unwrap().idle());
    driver.enable().unwrap();
    s.check(&mut bench, "after everything refused");
}

#[test]
fn bad_loads_are_refused_and_never_run() {
    let Some(s) = setup("bad_loads_are_refused_and_never_run") else {
        return;
    };
    let mut bench = s.loaded(12);
    let program = &s.bundle.program;
    let start = |bench: &mut IpBench| {
        bench.write(map::CONTROL, map::CONTROL_SOFT_RESET, 0xF);
        while bench.read(map::STATUS).0 & map::STATUS_IDLE == 0 {}
        assert_eq!(bench.write(map::CONTROL, map::CONTROL_LOAD, 0xF), 0);
    };
    start(&mut bench);
    assert_eq!(
        bench.read(map::STATUS).0,
        map::STATUS_IDLE | map::STATUS_LOADING
    );
    assert_eq!(bench.read(map::CONTROL).0, map::CONTROL_LOAD);
    refused(
        &mut bench,
        map::CONTROL,
        map::CONTROL_ENABLE,
        0xF,
        map::ERROR_ENABLE_REFUSED,
    );

    // Targets this machine does not have: one beyond the end in every part of the address.
    let target = |space: u32, core: u32, row: u32, addr: u32| {
        space << map::LOAD_ADDRESS_SPACE_LSB
            | core << map::LOAD_ADDRESS_CORE_LSB
            | row << map::LOAD_ADDRESS_ROW_LSB
            | addr
    };
    let mut bad = vec![target(7, 0, 0, 0), target(15, 0, 0, 0)];
    for (space, code) in [
        (Space::Weights, 0),
        (Space::Instructions, 1),
        (Space::Constants, 2),
        (Space::Clamps, 3),
        (Space::Control, 4),
        (Space::Models, 5),
        (Space::NumModels, 6),
    ] {
        let rows = if code == 0 { s.config.block_size } else { 1 };
        bad.push(target(code, 0, 0, space_depth(&s.config, space)));
        bad.push(target(code, 0, 0, 0xFFFF));
        bad.push(target(code, s.config.num_cores, 0, 0));
        bad.push(target(code, 0, rows, 0));
    }
    for address in bad {
        assert_eq!(bench.write(map::LOAD_ADDRESS, address, 0xF), 0);
        assert_eq!(bench.read(map::LOAD_ADDRESS).0, address);
        refused(&mut bench, map::LOAD_WINDOW, 1, 0xF, map::ERROR_LOAD_TARGET);
    }
    // Words out of order, partial words, words beyond the window.
    bench.write(map::LOAD_ADDRESS, target(2, 0, 0, 0), 0xF);
    refused(
        &mut bench,
        map::LOAD_WINDOW + 4,
        1,
        0xF,
        map::ERROR_LOAD_ORDER,
    );
    assert_eq!(bench.write(map::LOAD_WINDOW, 1, 0xF), 0);
    refused(&mut bench, map::LOAD_WINDOW, 1, 0xF, map::ERROR_LOAD_ORDER);
    refused(
        &mut bench,
        map::LOAD_WINDOW + 8,
        1,
        0xF,
        map::ERROR_LOAD_ORDER,
    );
    refused(
        &mut bench,
        map::LOAD_WINDOW + 4,
        1,
        0x7,
        map::ERROR_BAD_STROBE,
    );
    refused(
        &mut bench,
        map::LOAD_WINDOW + 256,
        1,
        0xF,
        map::ERROR_BAD_ADDRESS,
    );
    assert_eq!(
        bench.write(map::LOAD_WINDOW + 4, 1, 0),
        0,
        "no strobe, no word"
    );
    assert_eq!(bench.read(map::LOAD_COUNT).0, 1, "one word was taken");

    // The wrong checksum ends the load and leaves nothing to enable.
    let sum = bench.read(map::LOAD_CHECKSUM).0;
    refused(
        &mut bench,
        map::PROGRAM_CHECKSUM,
        sum ^ 1,
        0xF,
        map::ERROR_CHECKSUM,
    );
    assert_eq!(bench.read(map::STATUS).0, map::STATUS_IDLE);
    refused(
        &mut bench,
        map::PROGRAM_CHECKSUM,
        sum,
        0xF,
        map::ERROR_LOAD_REFUSED,
    );
    refused(
        &mut bench,
        map::CONTROL,
        map::CONTROL_ENABLE,
        0xF,
        map::ERROR_ENABLE_REFUSED,
    );

    // A complete program with every single error of the way: one bit of one write, caught whichever it is.
    let total = writes(program)
        .unwrap()
        .iter()
        .map(|w| space_words(&s.config, w.space))
        .sum::<u32>();
    let bytes = image(program);
    let image = LoadImage::parse(&bytes).unwrap();
    let mut random = Random(5);
    for _ in 0..6 {
        bench.wait_for_response = false;
        // Writes before the first window word: reset, errors cleared, load, address.
        let nth = 4 + random.below(total);
        bench.corrupt = Some((nth, 1 << random.below(32)));
        let mut driver = Driver::open(&mut bench).unwrap();
        let error = driver.load(&image).unwrap_err();
        assert!(
            matches!(error, Error::Checksum { expected, found } if expected == image.checksum() && found != expected)
                || matches!(error, Error::Refused(e) if e.any(Errors::LOADING.0)),
            "{error}"
        );
        assert!(!driver.status().unwrap().program_ok());
        assert_eq!(driver.enable().unwrap_err().code(), "SL-D008");
    }
    // And the good one after all that.
    load(&mut bench, program);
    s.check(&mut bench, "after bad loads");
}

#[test]
fn a_changed_weight_changes_the_output() {
    let Some(s) = setup("a_changed_weight_changes_the_output") else {
        return;
    };
    let program = &s.bundle.program;
    let mut altered = writes(program).unwrap();
    let row = altered
        .iter_mut()
        .filter(|w| w.space == Space::Weights && w.data[..2] != [0, 0])
        .nth(2)
        .unwrap();
    row.data[0] ^= 1 << 13;
    // The checksum is that of the altered words: the accelerator has nothing to complain about.
    assert_ne!(
        checksum(&s.config, &altered),
        checksum(&s.config, &writes(program).unwrap())
    );
    let bytes = to_bytes(&image_of(program, &altered));
    let mut bench = s.bench(USUAL, 3);
    let mut driver = Driver::open(&mut bench).unwrap();
    driver.load_bytes(&bytes).unwrap();
    driver.enable().unwrap();
    let got = drive("bus", &mut bench, program, &s.jobs, &s.pattern).unwrap();
    assert!(
        difference(&s.expected, &got).is_some(),
        "the comparison sees it"
    );
}

#[test]
fn soft_reset_at_any_cycle() {
    let Some(s) = setup("soft_reset_at_any_cycle") else {
        return;
    };
    let mut bench = s.loaded(21);
    let mut random = Random(77);
    for round in 0..40 {
        // Some cycles of the jobs, then the reset while they run on.
        let cycles = random.below(s.expected.cycles() as u32);
        let mut stimulus = sluice_sim::Stimulus::new(&s.jobs, s.pattern);
        let mut sample = Sample::default();
        let mut cycle = 0;
        while !bench.stream_reset() {
            if cycle == cycles {
                let both = map::CONTROL_ENABLE | map::CONTROL_SOFT_RESET;
                bench.post(map::CONTROL, both, 0xF);
            }
            bench.step(&stimulus.pins(), &mut sample).unwrap();
            stimulus.commit(sample.select_ready, sample.input_ready);
            cycle += 1;
            assert!(cycle < cycles + 100, "no reset");
        }
        bench.quiet();
        assert!(bench.flush().is_empty());
        let mut driver = Driver::open(&mut bench).unwrap();
        while driver.status().unwrap().settling() {}
        assert!(driver.status().unwrap().enabled());
        assert_eq!(driver.counters().unwrap().jobs_done, 0);
        s.check(
            &mut bench,
            &format!("round {round}, reset in cycle {cycles}"),
        );
    }
}

#[test]
fn programs_replace_each_other() {
    let Some(s) = setup("programs_replace_each_other") else {
        return;
    };
    let other = Bundle::compile(&[models::mixed(6, 3)], &s.config).unwrap();
    let jobs = other.jobs(&other.requests(6, 9), 9);
    let expected = VmExecutor.run(&other.program, &jobs, &s.pattern).unwrap();
    let mut bench = s.bench(USUAL, 4);
    for round in 0..2 {
        let loaded = load(&mut bench, &s.bundle.program);
        assert_eq!(loaded.num_models, 2);
        check_table(&mut bench, &s.bundle.program);
        s.check(&mut bench, &format!("first program, round {round}"));
        let loaded = load(&mut bench, &other.program);
        assert_eq!(loaded.num_models, 1);
        check_table(&mut bench, &other.program);
        let got = drive("bus", &mut bench, &other.program, &jobs, &s.pattern).unwrap();
        assert_eq!(difference(&expected, &got), None);
        bench.quiet();
    }
}

/// The model table reads as loaded.
fn check_table(bench: &mut IpBench, program: &Program) {
    let mut driver = Driver::open(bench).unwrap();
    for model in 0..driver.identity().max_models {
        let words = program
            .models
            .get(model as usize)
            .map_or(0, |m| m.record().pack().unwrap());
        let record: Vec<u32> = (0..4).map(|i| (words >> (32 * i)) as u32).collect();
        assert_eq!(driver.model_record(model).unwrap().to_vec(), record);
    }
}

#[test]
fn compute_reset_loses_no_load_word() {
    let Some(s) = setup("compute_reset_loses_no_load_word") else {
        return;
    };
    for (seed, clocks) in [(1, USUAL), (2, Clocks::new(3_000, 10_000, 500))] {
        let mut bench = s.bench(clocks, seed);
        bench.wait_for_response = false;
        let bytes = image(&s.bundle.program);
        // The pin is pulsed all the time the words go over.
        let mut random = Random(u64::from(seed));
        let mut driver = Driver::open(Disturbed {
            bench: &mut bench,
            random: &mut random,
        })
        .unwrap();
        driver.load(&LoadImage::parse(&bytes).unwrap()).unwrap();
        driver.enable().unwrap();
        bench.compute_reset(true);
        bench.idle(8);
        bench.compute_reset(false);
        bench.idle(40);
        s.check(&mut bench, "after resets while loading");
    }
}

/// A bench whose `compute_reset` is pulsed between accesses.
struct Disturbed<'a> {
    bench: &'a mut IpBench,
    random: &'a mut Random,
}

impl Disturbed<'_> {
    fn pulse(&mut self) {
        if self.random.one_in(3) {
            self.bench.compute_reset(true);
            self.bench.idle(u64::from(1 + self.random.below(3)));
            self.bench.compute_reset(false);
        }
    }
}

impl sluice_driver::Bus for Disturbed<'_> {
    type Error = SlaveError;

    fn read32(&mut self, address: u32) -> Result<u32, SlaveError> {
        self.bench.read32(address)
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), SlaveError> {
        self.pulse();
        self.bench.write32(address, data)
    }
}

#[test]
fn a_dead_compute_clock_does_not_hang_the_bus() {
    let Some(s) = setup("a_dead_compute_clock_does_not_hang_the_bus") else {
        return;
    };
    let mut bench = s.loaded(6);
    bench.stop_compute(true);
    // The map itself needs no compute clock, the jobs of a model do.
    assert_eq!(bench.read(map::IDENTITY), (map::IDENTITY_VALUE, 0));
    assert_eq!(bench.read(map::MODEL_JOBS), (0, 2));
    assert_eq!(bench.read(map::ERROR).0, map::ERROR_TIMEOUT);
    bench.stop_compute(false);
    bench.idle(50);
    assert_eq!(
        bench.read(map::MODEL_JOBS),
        (0, 0),
        "the late answer is not taken for this one"
    );
    s.check(&mut bench, "after the clock stood still");
    let jobs = s.jobs.iter().filter(|j| j.model == 0).count() as u32;
    assert_eq!(bench.read(map::MODEL_JOBS), (jobs, 0));

    // Loading: the crossing fills, then the bus gives up and so does the load.
    let mut driver = Driver::open(&mut bench).unwrap();
    driver.disable().unwrap();
    driver.reset().unwrap();
    assert_eq!(bench.write(map::CONTROL, map::CONTROL_LOAD, 0xF), 0);
    bench.stop_compute(true);
    bench.write(map::ERROR, u32::MAX, 0xF);
    bench.write(map::LOAD_ADDRESS, 3 << map::LOAD_ADDRESS_SPACE_LSB, 0xF);
    let mut written = 0;
    while bench.write(map::LOAD_WINDOW + 4 * (written % 2), 0, 0xF) == 0 {
        written += 1;
        assert!(written < 100, "somebody takes words");
    }
    assert_eq!(bench.read(map::ERROR).0, map::ERROR_TIMEOUT);
    assert_eq!(bench.read(map::STATUS).0 & map::STATUS_LOADING, 0);
    let mut driver = Driver::open(&mut bench).unwrap();
    driver.set_polls(100);
    let image = image(&s.bundle.program);
    assert_eq!(driver.load_bytes(&image).unwrap_err().code(), "SL-D009");
    bench.stop_compute(false);
    load(&mut bench, &s.bundle.program);
    s.check(&mut bench, "after the clock came back");
}

#[test]
fn load_rate() {
    for (name, bound) in [("c1b4", 2.5), ("c2b8", 2.5)] {
        let Some(s) = setup_of(
            "load_rate",
            name,
            &nets(preset(name).unwrap().block_size as usize),
        ) else {
            return;
        };
        for (clocks, posted) in [
            (USUAL, true),
            (USUAL, false),
            (Clocks::new(10_000, 10_000, 0), true),
            (Clocks::new(10_000, 40_000, 0), true),
        ] {
            let mut bench = s.bench(clocks, 1);
            bench.wait_for_response = !posted;
            let bytes = image(&s.bundle.program);
            let image = LoadImage::parse(&bytes).unwrap();
            let mut driver = Driver::open(&mut bench).unwrap();
            let start = driver.bus().config_cycles;
            let words = driver.load(&image).unwrap().words;
            let cycles = bench.config_cycles - start;
            let cycles = u32::try_from(cycles).unwrap();
            let rate = f64::from(cycles) / f64::from(words);
            println!(
                "{name}: {words} words in {cycles} config cycles, {rate:.2} per word ({} ps to {} ps, {})",
                clocks.config,
                clocks.compute,
                if posted { "posted" } else { "response awaited" }
            );
            assert!(
                rate < if posted && clocks.compute <= 10_000 {
                    bound
                } else {
                    7.0
                },
                "{rate}"
            );
        }
    }
}

/// A set-up on an accelerator with a load stream.
fn streamed(test: &str, config: &str, bits: u32) -> Option<Setup> {
    let block = preset(config).unwrap().block_size as usize;
    let mut s = setup_of(test, config, &nets(block))?;
    s.library = library_with_load_stream(&s.config, bits);
    Some(s)
}

/// Loads through the stream and enables; beats of `N` words.
fn load_streamed<const N: usize>(bench: IpBench, program: &Program) -> (IpBench, u32) {
    let bytes = image(program);
    let cell = RefCell::new(bench);
    let mut driver = Driver::open(Shared(&cell)).unwrap();
    assert_eq!(driver.identity().stream_words as usize, N);
    let loaded = driver
        .load_streamed::<N, _>(&LoadImage::parse(&bytes).unwrap(), &mut Shared(&cell))
        .unwrap();
    assert_eq!(loaded.num_models as usize, program.models.len());
    driver.enable().unwrap();
    (cell.into_inner(), loaded.words)
}

/// Beats of `N` words: programs come through whole, whatever the clocks and delays, and the window still works.
fn loads_as_the_window<const N: usize>(config: &str) {
    let bits = 32 * N as u32;
    let Some(s) = streamed(&format!("load stream of {bits} bits"), config, bits) else {
        return;
    };
    let program = &s.bundle.program;
    for (seed, max_delay, clocks) in [
        (1, 0, USUAL),
        (2, 5, USUAL),
        (3, 2, Clocks::new(10_000, 9_990, 700)),
        (4, 0, Clocks::new(3_000, 20_000, 400)),
    ] {
        let mut bench = s.bench(clocks, seed);
        bench.master.max_delay = max_delay;
        let start = bench.config_cycles;
        let (mut bench, words) = load_streamed::<N>(bench, program);
        if max_delay == 0 {
            println!(
                "{config}, load stream of {bits} bits: {words} words in {} config cycles with the registers ({clocks:?})",
                bench.config_cycles - start
            );
        }
        check_table(&mut bench, program);
        s.check(&mut bench, &format!("{clocks:?}"));
        // The other way, and again.
        load(&mut bench, program);
        s.check(&mut bench, "through the window");
        let (mut bench, _) = load_streamed::<N>(bench, program);
        s.check(&mut bench, "through the stream again");
    }
}

#[test]
fn load_stream_of_32_bits() {
    loads_as_the_window::<1>("c1b4");
}

#[test]
fn load_stream_of_128_bits() {
    loads_as_the_window::<4>("c1b4");
}

#[test]
fn load_stream_of_512_bits() {
    loads_as_the_window::<16>("c2b8");
}

/// Posts packets and waits until they are taken.
fn post_packets(bench: &mut IpBench, packets: &[StreamBeat]) {
    for beat in packets {
        bench.post_beat(&beat.words, beat.last);
    }
    bench.flush_beats();
    bench.idle(8);
}

/// Soft reset, idle, errors cleared, a load begun.
fn begin_load(bench: &mut IpBench) {
    bench.write(map::CONTROL, map::CONTROL_SOFT_RESET, 0xF);
    while bench.read(map::STATUS).0 & map::STATUS_IDLE == 0 {}
    bench.write(map::ERROR, u32::MAX, 0xF);
    assert_eq!(bench.write(map::CONTROL, map::CONTROL_LOAD, 0xF), 0);
}

/// The checksum of what was loaded, as the program's.
fn end_load(bench: &mut IpBench, program: &Program, config: &HardwareConfig) -> u8 {
    let sum = checksum(config, &writes(program).unwrap());
    bench.write(map::PROGRAM_CHECKSUM, sum, 0xF)
}

#[test]
fn bad_packets_are_dropped_and_never_run() {
    let Some(s) = streamed("bad_packets_are_dropped_and_never_run", "c1b4", 128) else {
        return;
    };
    let program = &s.bundle.program;
    let all = writes(program).unwrap();
    let good = stream_packets(&s.config, &all, 4);
    let (mut bench, words) = load_streamed::<4>(s.bench(USUAL, 5), program);
    let counted = |bench: &mut IpBench| bench.read(map::LOAD_COUNT).0;

    // Without a load, while jobs run: every packet is dropped, and no pin moves.
    for beat in &good {
        bench.post_beat(&beat.words, beat.last);
    }
    s.check(&mut bench, "with packets that nobody wants");
    bench.flush_beats();
    assert_eq!(bench.read(map::ERROR).0, map::ERROR_LOAD_REFUSED);
    assert_eq!(counted(&mut bench), words);
    assert_eq!(bench.read(map::BUS_ERROR_COUNT).0, 0, "no access failed");

    // Targets that do not exist: the packet is dropped, the next one is not.
    let packet = |address: u32, beats: usize| -> Vec<StreamBeat> {
        (0..=beats)
            .map(|i| StreamBeat {
                words: vec![if i == 0 { address } else { 7 }; 4],
                last: i == beats,
            })
            .collect()
    };
    begin_load(&mut bench);
    let mut bad = vec![7 << 28, 15 << 28, 1 << 23, 4 << 16, 6 << 28 | 1];
    for (space, _) in sluice_isa::load::SPACES {
        bad.push((*space as u32) << 28 | space_depth(&s.config, *space));
    }
    for address in bad {
        post_packets(&mut bench, &packet(address, 3));
        assert_eq!(
            bench.read(map::ERROR).0,
            map::ERROR_LOAD_TARGET,
            "{address:#x}"
        );
        bench.write(map::ERROR, u32::MAX, 0xF);
        assert_eq!(counted(&mut bench), 0, "{address:#x}");
    }
    // A last beat inside a load word: a control word needs more than one beat.
    let control = space_words(&s.config, Space::Instructions);
    assert!(control > 4, "{control}");
    post_packets(&mut bench, &packet(1 << 28, 1));
    assert_eq!(bench.read(map::ERROR).0, map::ERROR_LOAD_ORDER);
    bench.write(map::ERROR, u32::MAX, 0xF);
    // A packet of nothing but its address is no error; the window goes on from there.
    post_packets(&mut bench, &packet(3 << 28 | 2, 0));
    assert_eq!(bench.read(map::ERROR).0, 0);
    assert_eq!(bench.read(map::LOAD_ADDRESS).0, 3 << 28 | 2);
    assert_eq!(bench.write(map::LOAD_WINDOW, 1, 0xF), 0);
    // What was dropped is a hole: the program's checksum does not match.
    begin_load(&mut bench);
    let mut holed = good.clone();
    holed[0].words[0] |= 0x7 << 28;
    post_packets(&mut bench, &holed);
    assert_eq!(end_load(&mut bench, program, &s.config), 2);
    let errors = map::ERROR_LOAD_TARGET | map::ERROR_CHECKSUM;
    assert_eq!(bench.read(map::ERROR).0, errors);

    // The driver's words for it; any single flipped bit is noticed.
    let bytes = image(program);
    let parsed = LoadImage::parse(&bytes).unwrap();
    let mut random = Random(15);
    let cell = RefCell::new(bench);
    for _ in 0..6 {
        let beat = random.below(good.len() as u32);
        cell.borrow_mut().corrupt_beat = Some((beat, 1 << random.below(16)));
        let mut driver = Driver::open(Shared(&cell)).unwrap();
        driver.set_polls(2000);
        let error = driver
            .load_streamed::<4, _>(&parsed, &mut Shared(&cell))
            .unwrap_err();
        assert!(
            matches!(error, Error::Checksum { .. })
                || matches!(error, Error::Refused(e) if e.any(Errors::LOADING.0)),
            "{error}"
        );
        assert!(!driver.status().unwrap().program_ok());
        cell.borrow_mut().flush_beats();
    }
    // Beats of another width are the caller's mistake.
    let mut driver = Driver::open(Shared(&cell)).unwrap();
    let error = driver.load_streamed::<8, _>(&parsed, &mut Shared(&cell));
    assert_eq!(error.unwrap_err().code(), "SL-D011");
    let (mut bench, _) = load_streamed::<4>(cell.into_inner(), program);
    s.check(&mut bench, "after bad packets");

    // A changed weight with the right checksum changes the output.
    let mut altered = all;
    let row = altered
        .iter_mut()
        .filter(|w| w.space == Space::Weights && w.data[..2] != [0, 0])
        .nth(2)
        .unwrap();
    row.data[0] ^= 1 << 13;
    begin_load(&mut bench);
    post_packets(&mut bench, &stream_packets(&s.config, &altered, 4));
    let sum = checksum(&s.config, &altered);
    assert_eq!(bench.write(map::PROGRAM_CHECKSUM, sum, 0xF), 0);
    bench.write(map::CONTROL, map::CONTROL_ENABLE, 0xF);
    bench.idle(100);
    let got = drive("bus", &mut bench, program, &s.jobs, &s.pattern).unwrap();
    assert!(
        difference(&s.expected, &got).is_some(),
        "the comparison sees it"
    );
}

#[test]
fn a_packet_that_stops_half_way() {
    let Some(s) = streamed("a_packet_that_stops_half_way", "c1b4", 128) else {
        return;
    };
    let program = &s.bundle.program;
    let good = stream_packets(&s.config, &writes(program).unwrap(), 4);
    let first = good.iter().position(|b| b.last).unwrap();
    assert!(first > 4, "{first}");
    let mut bench = s.bench(USUAL, 6);

    // The window waits for it, gives up in the end, and so does the load; the rest of the packet is dropped.
    begin_load(&mut bench);
    post_packets(&mut bench, &good[..3]);
    let taken = bench.read(map::LOAD_COUNT).0;
    assert_eq!(bench.write(map::LOAD_ADDRESS, 0, 0xF), 2);
    assert_eq!(bench.read(map::STATUS).0 & map::STATUS_LOADING, 0);
    bench.write(map::CONTROL, map::CONTROL_SOFT_RESET, 0xF);
    post_packets(&mut bench, &good[3..]);
    assert!(bench.read(map::ERROR).0 & map::ERROR_TIMEOUT != 0);
    assert_eq!(bench.read(map::LOAD_COUNT).0, taken);

    // A load that begins again forgets a packet that was not finished.
    begin_load(&mut bench);
    post_packets(&mut bench, &good[..3]);
    assert_eq!(bench.write(map::CONTROL, map::CONTROL_LOAD, 0xF), 0);
    assert_eq!(bench.read(map::LOAD_COUNT).0, 0);
    post_packets(&mut bench, &good[3..=first]);
    assert_eq!(bench.read(map::ERROR).0, map::ERROR_LOAD_REFUSED);
    assert_eq!(bench.read(map::LOAD_COUNT).0, 0);
    post_packets(&mut bench, &good);
    assert_eq!(end_load(&mut bench, program, &s.config), 0);

    // A reset of everything in the middle: the rest comes without a load.
    begin_load(&mut bench);
    post_packets(&mut bench, &good[..3]);
    bench.reset();
    post_packets(&mut bench, &good[3..=first]);
    assert_eq!(bench.read(map::ERROR).0, map::ERROR_LOAD_REFUSED);
    let (mut bench, _) = load_streamed::<4>(bench, program);
    s.check(&mut bench, "after everything that stopped half way");
}

unsafe extern "C" fn send_beat(user: *mut c_void, words: *const u32, count: u32, last: bool) {
    // SAFETY: the test passes its bench, the library words that are there.
    let (bench, words) = unsafe {
        (
            &mut *user.cast::<IpBench>(),
            std::slice::from_raw_parts(words, count as usize),
        )
    };
    bench.post_beat(words, last);
}

#[test]
fn the_c_interface_loads_through_the_stream() {
    let Some(s) = streamed("the_c_interface_loads_through_the_stream", "c1b4", 128) else {
        return;
    };
    let file = std::env::temp_dir().join(format!("sluice-stream-{}", std::process::id()));
    s.bundle.program.save(&file).unwrap();
    let path = CString::new(file.to_str().unwrap()).unwrap();
    let load = |bench: &mut IpBench, streamer| {
        let user: *mut c_void = std::ptr::from_mut(bench).cast();
        // SAFETY: the call-backs get the bench, the path ends with zero.
        message(unsafe {
            sluice_cfg::sluice_cfg_load_program_streamed(
                user,
                Some(read_register as _),
                Some(write_register as _),
                streamer,
                path.as_ptr(),
            )
        })
    };
    let mut bench = s.bench(USUAL, 9);
    assert_eq!(load(&mut bench, Some(send_beat as _)), None);
    s.check(&mut bench, "loaded through the stream by the C interface");
    let absent = load(&mut bench, None).unwrap();
    assert!(absent.contains("SL-D021"), "{absent}");
    // An accelerator without one says so.
    let mut bench = IpBench::new(&library(&s.config), &s.config, USUAL, 9);
    let without = load(&mut bench, Some(send_beat as _)).unwrap();
    assert!(without.contains("SL-D011"), "{without}");
    std::fs::remove_file(&file).unwrap();
}

unsafe extern "C" fn read_register(user: *mut c_void, address: u32) -> u32 {
    // SAFETY: the test passes its bench.
    let bench = unsafe { &mut *user.cast::<IpBench>() };
    bench.read(address).0
}

unsafe extern "C" fn write_register(user: *mut c_void, address: u32, data: u32) {
    // SAFETY: the test passes its bench.
    let bench = unsafe { &mut *user.cast::<IpBench>() };
    bench.write(address, data, 0xF);
}

/// The message of a C function, freed.
fn message(error: *mut c_char) -> Option<String> {
    if error.is_null() {
        return None;
    }
    // SAFETY: it is a message of the library.
    let text = unsafe { CStr::from_ptr(error) }
        .to_string_lossy()
        .into_owned();
    // SAFETY: freed once.
    unsafe { sluice_cfg::sluice_cfg_destroy_err(error) };
    Some(text)
}

#[test]
fn the_c_interface_loads_a_program_file() {
    let Some(s) = setup("the_c_interface_loads_a_program_file") else {
        return;
    };
    let dir = std::env::temp_dir().join(format!("sluice-bus-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("program.sluice");
    s.bundle.program.save(&file).unwrap();
    let path = |p: &std::path::Path| CString::new(p.to_str().unwrap()).unwrap();
    let mut bench = s.bench(USUAL, 9);
    let user: *mut c_void = (&raw mut bench).cast();
    let (reader, writer) = (Some(read_register as _), Some(write_register as _));
    // SAFETY: the call-backs get the bench, strings end with zero, structures are real.
    unsafe {
        let load = |path: &CStr| {
            message(sluice_cfg::sluice_cfg_load_program(
                user,
                reader,
                writer,
                path.as_ptr(),
            ))
        };
        assert_eq!(load(&path(&file)), None);
        let missing = load(&path(&dir.join("missing"))).unwrap();
        assert!(
            missing.contains("SL-D020") && missing.contains("missing"),
            "{missing}"
        );
        std::fs::write(dir.join("damaged"), b"no program").unwrap();
        let damaged = load(&path(&dir.join("damaged"))).unwrap();
        assert!(damaged.contains("SL-I"), "{damaged}");
        let wide = Bundle::compile(&nets(8), &preset("c2b8").unwrap()).unwrap();
        wide.program.save(&dir.join("wide")).unwrap();
        let other = load(&path(&dir.join("wide"))).unwrap();
        assert!(other.contains("SL-D004"), "{other}");
        assert_eq!(
            message(sluice_cfg::sluice_cfg_print_device_id(user, reader, writer)),
            None
        );
        let absent = message(sluice_cfg::sluice_cfg_reset(user, None, writer)).unwrap();
        assert!(absent.contains("NULL"), "{absent}");
    }
    s.check(&mut bench, "what was refused changed nothing");
    let user: *mut c_void = (&raw mut bench).cast();
    // SAFETY: as above.
    unsafe {
        let mut status = sluice_cfg::SluiceCfgStatus::default();
        let error = sluice_cfg::sluice_cfg_get_status(user, reader, writer, &raw mut status);
        assert_eq!(message(error), None);
        assert_eq!(status.jobs_done as usize, s.jobs.len());
        assert_eq!(status.num_models, 2);
        let mut jobs = 0;
        let error = sluice_cfg::sluice_cfg_model_jobs(user, reader, writer, 1, &raw mut jobs);
        assert_eq!(message(error), None);
        assert_eq!(
            jobs as usize,
            s.jobs.iter().filter(|j| j.model == 1).count()
        );
        for call in [
            sluice_cfg::sluice_cfg_disable,
            sluice_cfg::sluice_cfg_enable,
            sluice_cfg::sluice_cfg_reset,
        ] {
            assert_eq!(message(call(user, reader, writer)), None);
        }
    }
    s.check(&mut bench, "after disable, enable, reset");
    std::fs::remove_dir_all(&dir).unwrap();
}
