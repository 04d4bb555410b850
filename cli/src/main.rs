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
use std::panic::UnwindSafe;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use commands::Outcome;
use error::{CliError, Exit, Result};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let what = CliError::Internal(info.to_string());
        let _ = writeln!(std::io::stderr(), "{}", what.line());
    }));
    let cli = commands::Cli::parse();
    ExitCode::from(exit_of(|| commands::run(cli)) as u8)
}

/// Does the work and prints what it has to say; a panic is a bug of ours.
fn exit_of(work: impl FnOnce() -> Result<Outcome> + UnwindSafe) -> Exit {
    let result = std::panic::catch_unwind(work).map(|result| {
        let outcome = result?;
        print(&outcome.text)
            .map_err(|e| CliError::io("write", Path::new("standard output"), &e))?;
        Ok(outcome.exit)
    });
    match result {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            let error: CliError = error;
            let _ = writeln!(std::io::stderr(), "{}", error.line());
            error.exit()
        }
        Err(_) => Exit::Bug,
    }
}

/// A reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_bugs_and_errors_are_not() {
        assert_eq!(
            exit_of(|| unreachable!("a sample of this message")),
            Exit::Bug
        );
        assert_eq!(
            exit_of(|| Err(CliError::Usage("a sample of this message".into()))),
            Exit::Usage
        );
        assert_eq!(exit_of(|| Ok(Outcome::ok(String::new()))), Exit::Ok);
    }
}
