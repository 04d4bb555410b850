//! `sluice`: networks in, programs, results and hardware out.
//!
//! | exit code | meaning |
//! |-----------|---------|
//! | 0 | done |
//! | 1 | what was given is at fault: a file, a model that does not fit, a machine without the tools |
//! | 2 | the command line is at fault |
//! | 3 | sluice is at fault |
//!
//! **Contract.** Results go to the output stream, everything else to the error stream. An error is one line: code, what, way out.
//! **Errors.** [`error::CliError`].

mod build;
mod commands;
mod config_args;
mod error;
mod frontend;
mod gantt;
mod npy;
mod progress;
mod report;
mod rng;
mod table;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use error::{CliError, Exit};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let what = CliError::Internal(info.to_string());
        let _ = writeln!(std::io::stderr(), "{}", what.line());
    }));
    let cli = commands::Cli::parse();
    let exit = match std::panic::catch_unwind(|| commands::run(cli)) {
        Ok(Ok(outcome)) => match print(&outcome.text) {
            Ok(()) => outcome.exit,
            Err(error) => {
                let error = CliError::io("write", Path::new("standard output"), &error);
                let _ = writeln!(std::io::stderr(), "{}", error.line());
                error.exit()
            }
        },
        Ok(Err(error)) => {
            let _ = writeln!(std::io::stderr(), "{}", error.line());
            error.exit()
        }
        Err(_) => Exit::Bug,
    };
    ExitCode::from(exit as u8)
}

/// A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
