//! Runs case files on the VM and on the RTL of their configurations: `cosim CASE.toml...`.
//!
//! **Contract.** Exit code 0 only when every case holds. `SLUICE_TRACE=DIR` writes waveforms.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use sluice_suite::{Case, SuiteError};
use sluice_verilator_tests::RtlExecutor;

fn run(path: &Path) -> Result<(), SuiteError> {
    let case = Case::load(path)?;
    for config in case.hardware()? {
        let mut rtl = RtlExecutor::new(&config)?.reuse();
        let start = Instant::now();
        let evidence = case.run(&config, &mut [&mut rtl])?;
        println!(
            "{} on {}: RTL == VM: {} runs, {} jobs, {} beats, {} cycles in {:.1} s (model {:.1} s)",
            case.name,
            config.name,
            evidence.runs,
            evidence.jobs,
            evidence.beats,
            evidence.cycles,
            start.elapsed().as_secs_f64(),
            rtl.build_time().as_secs_f64()
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut failed = std::env::args().len() < 2;
    if failed {
        eprintln!("usage: cosim CASE.toml...");
    }
    for path in std::env::args().skip(1) {
        if let Err(e) = run(Path::new(&path)) {
            eprintln!("{path}: {e}");
            failed = true;
        }
    }
    ExitCode::from(u8::from(failed))
}
