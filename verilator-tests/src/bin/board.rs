//! Writes the self test of a configuration for a board: `board <preset or config.json> <folder> <clock in MHz>`.
//!
//! **Contract.** The files of [`sluice_verilator_tests::board`], for tools that run in the current folder.

use std::path::Path;
use std::process::ExitCode;

use sluice_isa::{HardwareConfig, presets};
use sluice_suite::SuiteError;
use sluice_verilator_tests::board::Board;

fn run(name: &str, dir: &Path, clock_mhz: u32) -> Result<(), SuiteError> {
    let path = Path::new(name);
    let config = if path.extension().is_some_and(|e| e == "json") {
        HardwareConfig::load(path)?
    } else {
        presets::preset(name)?
    };
    let board = Board::new(&config, clock_mhz)?;
    board.write(dir, &dir.display().to_string())?;
    println!(
        "{}: {} jobs, {} output beats, {} cycles a lap, {clock_mhz} MHz, in {}",
        config.name,
        board.jobs.len(),
        board.expected.beats.len(),
        board.expected.cycles(),
        dir.display()
    );
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, dir, clock] = args.as_slice() else {
        eprintln!("usage: board <preset or config.json> <folder> <clock in MHz>");
        return ExitCode::from(2);
    };
    let Ok(clock) = clock.parse() else {
        eprintln!("board: `{clock}` is not a clock in MHz");
        return ExitCode::from(2);
    };
    match run(name, Path::new(dir), clock) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("board: {e}");
            ExitCode::FAILURE
        }
    }
}
