//! Rewrites the emitted Verilog of the control blocks (`--check`: compares only).

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let check = std::env::args().skip(1).any(|a| a == "--check");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rtl/control/sl_dispatch_fsm.v");
    let text = match sluice_control::fsm_verilog() {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if check {
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return ExitCode::SUCCESS;
        }
        eprintln!(
            "{} is stale: run `cargo run -p sluice-control`",
            path.display()
        );
        return ExitCode::FAILURE;
    }
    match std::fs::write(&path, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
