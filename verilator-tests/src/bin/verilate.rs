//! The main job: two networks in one program, the accelerator's RTL Verilated and held against the VM, bit for bit and cycle for cycle.
//!
//! | step | what |
//! |------|------|
//! | compile | MLP 784-128-128-10 with a residual, streamed CNN 32-128-1, into one program for `ia_420f_c6b32` |
//! | generate | the RTL into `build/verilate/`, the program file beside it |
//! | build | Verilator, cached |
//! | run | interleaved jobs of both models under every stall pattern, on the VM and on the RTL |
//! | compare | every pin in every cycle; latencies; 1,000 inputs per model against the float reference |
//!
//! **Contract.** Exit code 0 only if everything agrees. **Errors.** On the error stream, with the seed.

use std::process::ExitCode;
use std::time::Instant;

use sluice_isa::presets::preset;
use sluice_sim::StallPattern;
use sluice_suite::figures::{measure, promised};
use sluice_suite::rng::Rng;
use sluice_suite::{Budget, Bundle, Executor, SuiteError, VmExecutor, difference, models};
use sluice_verilator_tests::RtlExecutor;
use verilator_sys::project_root;

const CONFIG: &str = "ia_420f_c6b32";
const JOBS: usize = 24;
const ACCURACY_JOBS: usize = 1000;
const SEED: u64 = 2026;

fn mismatch(what: String) -> SuiteError {
    SuiteError::Mismatch(what)
}

fn run() -> Result<(), SuiteError> {
    let config = preset(CONFIG)?;
    let start = Instant::now();
    let nets = [
        models::residual_mlp(784, 128, 10, 1),
        models::cnn(32, 128, 1, 2),
    ];
    let bundle = Bundle::compile(&nets, &config)?;
    let program = &bundle.program;
    let blocks: usize = program
        .cores
        .iter()
        .map(sluice_isa::CoreImage::weight_addresses)
        .sum();
    println!(
        "program    {} models for {} ({} cores, block size {}): {} ticks, {blocks} weight blocks of {} ({:.1} %), compiled in {:.2} s",
        program.models.len(),
        config.name,
        config.num_cores,
        config.block_size,
        program.control.len(),
        config.num_cores * config.weight_store_depth,
        100.0
            * ratio(
                blocks,
                (config.num_cores * config.weight_store_depth) as usize
            ),
        start.elapsed().as_secs_f64()
    );

    let folder = project_root().join("build/verilate");
    let mut rtl = RtlExecutor::at(&config, &folder)?.reuse();
    let file = folder.join("program.sluice");
    program.save(&file)?;
    println!(
        "rtl        {} ({} in {:.1} s)",
        folder.display(),
        if rtl.from_cache() {
            "found in the cache"
        } else {
            "Verilated"
        },
        rtl.build_time().as_secs_f64()
    );

    let requests = bundle.requests(JOBS, SEED);
    let jobs = bundle.jobs(&requests, SEED);
    let (mut beats, mut cycles, mut runs) = (0, 0, 0);
    for pattern in StallPattern::all(SEED) {
        let expected = VmExecutor.run(program, &jobs, &pattern)?;
        let got = rtl.run(program, &jobs, &pattern)?;
        if let Some(d) = difference(&expected, &got) {
            return Err(mismatch(format!("{pattern:?}: VM against RTL: {d}")));
        }
        let results = bundle.tensors(&requests, &got.beats)?;
        if let Some((i, r)) = bundle
            .errors(&requests, &results, Budget::Noise)?
            .iter()
            .enumerate()
            .find(|(_, r)| r.outside > 0)
        {
            return Err(mismatch(format!(
                "{pattern:?}: model `{}` is off the float reference: {r:?}",
                nets[i].name
            )));
        }
        runs += 1;
        beats += got.beats.len();
        cycles += got.cycles();
    }

    println!();
    println!(
        "{:<8} {:>10} {:>18} {:>18} {:>18} {:>12} {:>12} {:>12} {:>12}",
        "model",
        "parameters",
        "compiler s / c",
        "VM s / c",
        "RTL s / c",
        "max error",
        "rel. rms",
        "bf16 rms",
        "outside 1e-2"
    );
    for (i, m) in program.models.iter().enumerate() {
        let said = promised(program, i);
        let vm = measure(&mut VmExecutor, &bundle, i)?;
        let hw = measure(&mut rtl, &bundle, i)?;
        let mut rng = Rng::labelled(SEED, "accuracy");
        let requests: Vec<_> = (0..ACCURACY_JOBS)
            .map(|_| bundle.request(i, &mut rng))
            .collect();
        let jobs = bundle.jobs(&requests, SEED);
        let run = VmExecutor.run(program, &jobs, &StallPattern::FREE)?;
        let results = bundle.tensors(&requests, &run.beats)?;
        let e = bundle.errors(&requests, &results, Budget::NORMAL)?[i];
        let bf16 = bundle.errors(
            &requests,
            &bundle.bf16_reference(&requests)?,
            Budget::NORMAL,
        )?[i];
        println!(
            "{:<8} {:>10} {:>18} {:>18} {:>18} {:>12.2e} {:>12.2e} {:>12.2e} {:>10.2} %",
            m.name,
            m.parameters,
            said.map_or_else(String::new, |l| l.to_string()),
            vm.to_string(),
            hw.to_string(),
            e.max_abs,
            e.relative_rms,
            bf16.relative_rms,
            100.0 * ratio(e.outside, e.values)
        );
        if said != Some(vm) || vm != hw {
            return Err(mismatch(format!(
                "latency of model `{}`: compiler {said:?}, VM {vm:?}, RTL {hw:?}",
                m.name
            )));
        }
        if e.outside > 0 {
            return Err(mismatch(format!(
                "model `{}`: {} of {} values are off the float reference by more than 1e-2 + 1e-2 of the value, largest error {:.2e}",
                m.name, e.outside, e.values, e.max_abs
            )));
        }
    }
    println!(
        "(cycles spaced / contiguous; errors against the float reference over {ACCURACY_JOBS} random inputs; bf16 rms: bf16 weights and activations, wide sums)"
    );
    println!();
    let (all_cycles, time) = rtl.spent();
    println!(
        "RTL simulation: {:.0} cycles/s over {all_cycles} cycles, loading included",
        u32::try_from(all_cycles).map_or(0.0, f64::from) / time.as_secs_f64().max(1e-9)
    );
    println!(
        "RTL == VM: {} jobs, {beats} beats, bits and cycles ({runs} stall patterns, {cycles} cycles, every pin)",
        runs * JOBS
    );
    Ok(())
}

fn ratio(part: usize, whole: usize) -> f64 {
    let f = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
    f(part) / f(whole).max(1.0)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("verilate (seed {SEED}): {e}");
            ExitCode::FAILURE
        }
    }
}
