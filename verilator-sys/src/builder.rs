//! From SystemVerilog sources to a loadable library: Verilator once, its header read for ports, its own makefile for the rest.
//!
//! | option             | effect                                                                              |
//! |--------------------|-------------------------------------------------------------------------------------|
//! | (always)           | `--assert`, `--x-initial unique`, `--no-timing`; warnings go to the log, lint is elsewhere |
//! | `trace`            | FST of everything, opened per model at run time                                     |
//! | `coverage`         | line and toggle counters                                                            |
//! | `hierarchical`     | blocks marked `/* verilator hier_block */` are compiled once each; on by itself when a source has the mark |
//! | `optimise`         | C++ optimisation of the model, `-O1` unless told                                    |
//!
//! **Contract.** The library is an "executable" linked with `-shared`, so that Verilator's makefile handles tracing,
//! coverage and hierarchy. A build with the same inputs is found in the cache and not repeated.
//! **Errors.** Missing tools, unreadable sources, Verilator's or the compiler's complaints with the telling lines of the log.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::abi;
use crate::cache::{KeyBuilder, LIBRARY_FILE, Slot};
use crate::error::{Error, Result, read_error, write_error};
use crate::model::Library;
use crate::ports;
use crate::toolchain::{Toolchain, project_root};

const CXX_FLAGS: &str = "-std=c++17 -fPIC -fvisibility=hidden -fno-gnu-unique -DVL_TIME_CONTEXT";
const HIER_MARK: &[u8] = b"verilator hier_block";

/// Description of a model to build.
#[derive(Clone, Debug)]
pub struct Build {
    name: String,
    top: Option<String>,
    sources: Vec<PathBuf>,
    includes: Vec<PathBuf>,
    defines: Vec<String>,
    params: Vec<String>,
    flags: Vec<String>,
    trace: bool,
    coverage: bool,
    hierarchical: Option<bool>,
    optimise: String,
    cache_dir: Option<PathBuf>,
    toolchain: Option<Toolchain>,
    quiet: bool,
}

impl Build {
    /// A model of this name: letters, digits, `_`, `-` and `.`; it names cache folders and progress lines.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            top: None,
            sources: Vec::new(),
            includes: Vec::new(),
            defines: Vec::new(),
            params: Vec::new(),
            flags: Vec::new(),
            trace: false,
            coverage: false,
            hierarchical: None,
            optimise: "-O1".to_owned(),
            cache_dir: None,
            toolchain: None,
            quiet: false,
        }
    }

    /// Top module; required.
    #[must_use]
    pub fn top(mut self, module: impl Into<String>) -> Self {
        self.top = Some(module.into());
        self
    }

    /// Adds a source; order matters for packages.
    #[must_use]
    pub fn source(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.push(path.into());
        self
    }

    /// Adds several sources in order.
    #[must_use]
    pub fn sources(mut self, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.sources.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Adds an include folder.
    #[must_use]
    pub fn include(mut self, dir: impl Into<PathBuf>) -> Self {
        self.includes.push(dir.into());
        self
    }

    /// Defines a preprocessor macro; an empty value defines the bare name.
    #[must_use]
    pub fn define(mut self, name: &str, value: &str) -> Self {
        self.defines.push(if value.is_empty() {
            format!("-D{name}")
        } else {
            format!("-D{name}={value}")
        });
        self
    }

    /// Overrides a parameter of the top module; the value is a SystemVerilog literal.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.params.push(format!("-G{name}={value}"));
        self
    }

    /// Builds in FST tracing.
    #[must_use]
    pub fn trace(mut self, on: bool) -> Self {
        self.trace = on;
        self
    }

    /// Builds in line and toggle coverage.
    #[must_use]
    pub fn coverage(mut self, on: bool) -> Self {
        self.coverage = on;
        self
    }

    /// Forces hierarchical compilation on or off.
    #[must_use]
    pub fn hierarchical(mut self, on: bool) -> Self {
        self.hierarchical = Some(on);
        self
    }

    /// C++ optimisation flags of the model, for example `-O3`; long runs of big models earn more than `-O1`.
    #[must_use]
    pub fn optimise(mut self, flags: impl Into<String>) -> Self {
        self.optimise = flags.into();
        self
    }

    /// Any other Verilator argument.
    #[must_use]
    pub fn flag(mut self, argument: impl Into<String>) -> Self {
        self.flags.push(argument.into());
        self
    }

    /// Cache folder; default `SLUICE_MODEL_CACHE`, else `<root>/build/verilated`.
    #[must_use]
    pub fn cache_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(dir.into());
        self
    }

    /// Uses these programs instead of searching.
    #[must_use]
    pub fn toolchain(mut self, toolchain: Toolchain) -> Self {
        self.toolchain = Some(toolchain);
        self
    }

    /// Leaves the progress lines out.
    #[must_use]
    pub fn quiet(mut self, on: bool) -> Self {
        self.quiet = on;
        self
    }

    /// Builds the library, or finds it in the cache, and loads it.
    ///
    /// # Errors
    /// See the module: tools, sources, Verilator, compiler, loader.
    pub fn build(&self) -> Result<Library> {
        let top = self.check()?;
        let toolchain = match &self.toolchain {
            Some(given) => given.clone(),
            None => Toolchain::find()?,
        };
        let (key, hierarchical) = self.key(top, &toolchain)?;
        let cache = self.cache_dir.clone().unwrap_or_else(default_cache_dir);
        let slot = Slot::new(&cache, &self.name, &key)?;
        if let Some(found) = slot.library() {
            return Library::load(&found, true);
        }
        let _lock = slot.lock()?;
        if let Some(found) = slot.library() {
            return Library::load(&found, true);
        }
        let built = self.build_in_scratch(top, &toolchain, &slot, hierarchical)?;
        Library::load(&built, false)
    }

    fn check(&self) -> Result<&str> {
        let fail = |reason: &str| {
            Err(Error::Description {
                name: self.name.clone(),
                reason: reason.to_owned(),
            })
        };
        let legal = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if self.name.is_empty() || self.name.starts_with('.') || !self.name.chars().all(legal) {
            return fail("a name is letters, digits, `_`, `-` and `.`, not starting with `.`");
        }
        if self.sources.is_empty() {
            return fail("no sources");
        }
        match &self.top {
            Some(top) => Ok(top),
            None => fail("no top module: call `Build::top`"),
        }
    }

    fn key(&self, top: &str, toolchain: &Toolchain) -> Result<(String, bool)> {
        let mut key = KeyBuilder::default();
        key.field("abi", &abi::ABI.to_le_bytes());
        key.field("shim", abi::SHIM.as_bytes());
        key.field("runtime", abi::RUNTIME_HEADER.as_bytes());
        key.field("tools", toolchain.identity().as_bytes());
        key.field("cxx flags", CXX_FLAGS.as_bytes());
        let mut marked = false;
        for source in &self.sources {
            let contents = key.file("source", source)?;
            marked |= contents
                .windows(HIER_MARK.len())
                .any(|window| window == HIER_MARK);
        }
        for dir in &self.includes {
            key.folder("include", dir)?;
        }
        let hierarchical = self.hierarchical.unwrap_or(marked);
        for argument in self.design_arguments(top, hierarchical) {
            key.field("argument", argument.as_bytes());
        }
        key.field("optimise", self.optimise.as_bytes());
        Ok((key.finish(), hierarchical))
    }

    /// The arguments that say what the model is; paths come on top.
    fn design_arguments(&self, top: &str, hierarchical: bool) -> Vec<String> {
        let mut arguments: Vec<String> = [
            "--cc",
            "--exe",
            "--prefix",
            "Vmodel",
            "--assert",
            "--x-initial",
            "unique",
            "--no-timing",
            // Lint is a step of its own (-Wall, findings are errors); a build only has to simulate.
            "-Wno-fatal",
            "--top-module",
            top,
        ]
        .map(str::to_owned)
        .into();
        let mut add = |on: bool, more: &[&str]| {
            arguments.extend(more.iter().filter(|_| on).map(|&text| text.to_owned()));
        };
        add(hierarchical, &["--hierarchical"]);
        add(self.trace, &["--trace-fst", "--trace-structs"]);
        add(self.coverage, &["--coverage-line", "--coverage-toggle"]);
        arguments.extend(
            self.defines
                .iter()
                .chain(&self.params)
                .chain(&self.flags)
                .cloned(),
        );
        arguments
    }

    fn build_in_scratch(
        &self,
        top: &str,
        toolchain: &Toolchain,
        slot: &Slot,
        hierarchical: bool,
    ) -> Result<PathBuf> {
        let started = Instant::now();
        self.progress(&format!("verilating {} ...", self.name));
        let scratch = slot.scratch()?;
        let runtime = slot.stable_file("slv_runtime.h", abi::RUNTIME_HEADER)?;
        let log = scratch.join("build.log");
        let outcome = self
            .verilate(top, toolchain, &scratch, &log, hierarchical)
            .and_then(|()| self.compile(toolchain, &scratch, &log, &runtime))
            .map_err(|error| Self::keep_log(error, &log, slot));
        let published = outcome.and_then(|()| {
            let finished = scratch.join("finished");
            fs::create_dir_all(&finished).map_err(write_error(&finished))?;
            for (from, to) in [
                (scratch.join("obj").join(LIBRARY_FILE), LIBRARY_FILE),
                (log.clone(), "build.log"),
            ] {
                let to = finished.join(to);
                fs::rename(&from, &to).map_err(write_error(&to))?;
            }
            slot.publish(&finished)
        });
        let _ = fs::remove_dir_all(&scratch);
        let seconds = started.elapsed().as_secs_f64();
        let verdict = if published.is_ok() { "" } else { " (failed)" };
        self.progress(&format!(
            "verilating {} ... {seconds:.1} s{verdict}",
            self.name
        ));
        published
    }

    fn verilate(
        &self,
        top: &str,
        toolchain: &Toolchain,
        scratch: &Path,
        log: &Path,
        hierarchical: bool,
    ) -> Result<()> {
        let shim = scratch.join("shim.cpp");
        fs::write(&shim, abi::SHIM).map_err(write_error(&shim))?;
        let mut command = toolchain.verilator_command();
        command
            .args(self.design_arguments(top, hierarchical))
            .args(["-Mdir", "obj", "-o", LIBRARY_FILE]);
        let switches = format!(
            "-DSLV_TRACE={} -DSLV_COVERAGE={}",
            u8::from(self.trace),
            u8::from(self.coverage)
        );
        command.args([
            "-CFLAGS",
            &format!("{CXX_FLAGS} {switches}"),
            "-LDFLAGS",
            "-shared -Wl,-Bsymbolic",
        ]);
        for dir in &self.includes {
            let mut argument = OsString::from("-I");
            argument.push(absolute(dir)?);
            command.arg(argument);
        }
        command.arg(&shim);
        for source in &self.sources {
            command.arg(absolute(source)?);
        }
        if !run_logged(command, scratch, log)? {
            return Err(self.verilate_error(log));
        }
        let header = scratch.join("obj/Vmodel.h");
        let text = fs::read_to_string(&header).map_err(read_error(&header))?;
        let ports = ports::parse_header(&text).map_err(|declaration| Error::UnsupportedPort {
            name: self.name.clone(),
            declaration,
        })?;
        let table = scratch.join("obj/slv_ports.inc");
        fs::write(&table, ports::emit_table(&ports)).map_err(write_error(&table))
    }

    fn compile(
        &self,
        toolchain: &Toolchain,
        scratch: &Path,
        log: &Path,
        runtime: &Path,
    ) -> Result<()> {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let mut command = toolchain.make_command();
        command.args(["-C", "obj", "-f", "Vmodel.mk", "-j", &jobs.to_string()]);
        command.arg(format!("OPT_FAST={}", self.optimise));
        let mut global = OsString::from("OPT_GLOBAL=-O2 -include ");
        global.push(runtime);
        command.arg(global);
        if run_logged(command, scratch, log)? {
            Ok(())
        } else {
            Err(self.compile_error(log))
        }
    }

    fn verilate_error(&self, log: &Path) -> Error {
        let excerpt = telling_lines(log, |line| line.contains("%Error"));
        Error::Verilate {
            name: self.name.clone(),
            log: log.to_owned(),
            excerpt,
        }
    }

    fn compile_error(&self, log: &Path) -> Error {
        let telling = |line: &str| {
            line.contains("error:")
                || line.contains("Error ")
                || line.contains("undefined reference")
        };
        Error::Compile {
            name: self.name.clone(),
            log: log.to_owned(),
            excerpt: telling_lines(log, telling),
        }
    }

    fn keep_log(error: Error, log: &Path, slot: &Slot) -> Error {
        let kept = slot.failure_log();
        if fs::copy(log, &kept).is_err() {
            return error;
        }
        match error {
            Error::Verilate { name, excerpt, .. } => Error::Verilate {
                name,
                log: kept,
                excerpt,
            },
            Error::Compile { name, excerpt, .. } => Error::Compile {
                name,
                log: kept,
                excerpt,
            },
            other => other,
        }
    }

    fn progress(&self, line: &str) {
        if !self.quiet {
            // Straight to the stream: the test harness hides what goes through `eprintln!`.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }
}

fn default_cache_dir() -> PathBuf {
    std::env::var_os("SLUICE_MODEL_CACHE")
        .filter(|v| !v.is_empty())
        .map_or_else(|| project_root().join("build/verilated"), PathBuf::from)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(read_error(path))
}

fn run_logged(mut command: Command, folder: &Path, log: &Path) -> Result<bool> {
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(write_error(log))?;
    writeln!(file, "$ {command:?}").map_err(write_error(log))?;
    let errors = file.try_clone().map_err(write_error(log))?;
    let program = PathBuf::from(command.get_program());
    let status = command
        .current_dir(folder)
        .stdout(file)
        .stderr(errors)
        .status()
        .map_err(read_error(&program))?;
    Ok(status.success())
}

/// The lines that matter, or the end of the log when none is marked.
fn telling_lines(log: &Path, telling: impl Fn(&str) -> bool) -> String {
    const SHOWN: usize = 20;
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let marked: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("$ ") && telling(line))
        .take(SHOWN)
        .collect();
    if !marked.is_empty() {
        return marked.join("\n");
    }
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(SHOWN)..].join("\n")
}
