//! Latency and speed, measured now: `bench [--rtl]`.
//!
//! | figure | must | aim |
//! |--------|------|-----|
//! | geometric mean of our spaced cycles over the published, dense rows and the others | 1 | 0.65 |
//! | the same, contiguous, the others | 1 | 0.8 |
//! | overhead above the floor, cycles per dense layer | 28 | 20 |
//! | compile the 1M-parameter MLP, s | 2 | 0.3 |
//! | VM, bit-exact, one thread, GMAC/s | 1 | 8 |
//! | Verilated model from clean, s (`--rtl`) | 240 | 90 |
//! | Verilated model, cycles/s (`--rtl`) | 5,000 | 15,000 |
//!
//! **Contract.** Cycle counts come from the pins and must equal the compiler's, else the exit code is 1; times are this machine's, now.
//! Published counts are those of the incumbent's own software VM.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sluice_isa::HardwareConfig;
use sluice_isa::presets::preset;
use sluice_sim::Vm;
use sluice_suite::figures::{BOARDS_C3B64, BOARDS_C6B32, Board, Row, ratios, rows, table};
use sluice_suite::models::{DENSE, FIELD, mlp};
use sluice_suite::rng::Rng;
use sluice_suite::{Bundle, Executor, SuiteError, VmExecutor};
use sluice_verilator_tests::RtlExecutor;

/// Inferences per timing.
const RUNS: u32 = 200;

fn verdict(value: f64, must: f64, aim: f64, smaller: bool) -> &'static str {
    let ok = |limit: f64| {
        if smaller {
            value <= limit
        } else {
            value >= limit
        }
    };
    match (ok(must), ok(aim)) {
        (_, true) => "aim reached",
        (true, false) => "must reached",
        (false, false) => "MISSED",
    }
}

fn line(what: &str, value: f64, unit: &str, must: f64, aim: f64, smaller: bool) {
    println!(
        "{what:<58} {value:>10.3} {unit:<9} must {must:>7}, aim {aim:>7}: {}",
        verdict(value, must, aim, smaller)
    );
}

fn latencies(
    config: &HardwareConfig,
    boards: &[Board],
    mut rtl: Option<&mut RtlExecutor>,
) -> Result<(), SuiteError> {
    let with_rtl = rtl.is_some();
    let mut measured = |set| {
        let other = rtl.as_deref_mut().map(|r| r as &mut dyn Executor);
        rows(set, config, &mut VmExecutor, other)
    };
    let (dense, field) = (measured(DENSE)?, measured(FIELD)?);
    println!("{}", table(config, &dense, boards));
    println!("{}", table(config, &field, boards));
    for r in dense.iter().chain(&field) {
        if r.vm != r.promised || r.other.is_some_and(|o| o != r.vm) {
            return Err(SuiteError::Mismatch(format!(
                "{} on {}: compiler {}, VM {}, RTL {:?}",
                r.published.name, config.name, r.promised, r.vm, r.other
            )));
        }
    }
    println!(
        "compiler == VM{} in every row",
        if with_rtl { " == RTL" } else { "" }
    );
    for &b in boards {
        let mean = |what: &str, value, aim| {
            let what = format!("{}: {what}, ours over {}", config.name, b.0);
            line(&what, value, "", 1.0, aim, true);
        };
        mean("dense, spaced", ratios(&dense, b).0, 0.65);
        mean("field, spaced", ratios(&field, b).0, 0.65);
        mean("field, contiguous", ratios(&field, b).1, 0.8);
    }
    let worst = dense.iter().map(Row::overhead).fold(0.0, f64::max);
    line(
        &format!("{}: worst overhead per dense layer", config.name),
        worst,
        "cycles",
        28.0,
        20.0,
        true,
    );
    println!();
    Ok(())
}

/// The best of three: the machine may be busy.
fn best(mut f: impl FnMut() -> Result<Duration, SuiteError>) -> Result<f64, SuiteError> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        least = least.min(f()?.as_secs_f64());
    }
    Ok(least)
}

fn speeds(config: &HardwareConfig) -> Result<(), SuiteError> {
    let (name, sizes) = ("mlp 4 x 512", [512; 5]);
    let net = mlp(name, &sizes, 1);
    let graph = net.graph()?;
    let compile = best(|| {
        let start = Instant::now();
        let mut builder = sluice_compiler::backend::ProgramBuilder::new(config)?;
        builder.add(&graph, &sluice_compiler::backend::ModelOptions::default())?;
        let program = builder.build()?;
        let time = start.elapsed();
        assert_eq!(program.models.len(), 1);
        Ok(time)
    })?;
    line(
        &format!("compile {name} (1M parameters) for {}", config.name),
        compile,
        "s",
        2.0,
        0.3,
        true,
    );

    let bundle = Bundle::compile(&[net], config)?;
    let mut vm = Vm::new(Arc::clone(&bundle.program))?;
    let request = bundle.request(0, &mut Rng::new(1));
    let inputs: Vec<&[f32]> = request.inputs.iter().map(|t| t.data.as_slice()).collect();
    let macs: usize = sizes.windows(2).map(|w| w[0] * w[1]).sum();
    let macs = u32::try_from(macs).map_or(0.0, f64::from);
    vm.run(0, &inputs)?;
    let time = best(|| {
        let start = Instant::now();
        for _ in 0..RUNS {
            vm.run(0, &inputs)?;
        }
        Ok(start.elapsed())
    })?;
    line(
        &format!("VM, {name}, bit-exact, one thread"),
        macs * f64::from(RUNS) / time / 1e9,
        "GMAC/s",
        1.0,
        8.0,
        false,
    );
    println!();
    Ok(())
}

fn run(with_rtl: bool) -> Result<(), SuiteError> {
    let c6b32 = preset("c6b32")?;
    let c3b64 = preset("c3b64")?;
    let mut rtl = if with_rtl {
        Some(RtlExecutor::new(&c6b32)?.reuse())
    } else {
        None
    };
    latencies(&c6b32, BOARDS_C6B32, rtl.as_mut())?;
    latencies(&c3b64, BOARDS_C3B64, None)?;
    speeds(&c6b32)?;
    if let Some(rtl) = rtl {
        if rtl.from_cache() {
            println!(
                "Verilated model of {} came from the cache: build time not measured (make clean first)",
                c6b32.name
            );
        } else {
            line(
                &format!("Verilate {} from clean", c6b32.name),
                rtl.build_time().as_secs_f64(),
                "s",
                240.0,
                90.0,
                true,
            );
        }
        let (cycles, time) = rtl.spent();
        let rate = u32::try_from(cycles).map_or(0.0, f64::from) / time.as_secs_f64().max(1e-9);
        line(
            &format!("Verilated {}", c6b32.name),
            rate,
            "cycles/s",
            5000.0,
            15000.0,
            false,
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut with_rtl = false;
    for argument in std::env::args().skip(1) {
        if argument == "--rtl" {
            with_rtl = true;
        } else {
            eprintln!("usage: bench [--rtl]");
            return ExitCode::FAILURE;
        }
    }
    match run(with_rtl) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("bench: {e}");
            ExitCode::FAILURE
        }
    }
}
