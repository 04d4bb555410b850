//! Loaded libraries and running models.
//!
//! | port width | variable      | access                                     |
//! |------------|---------------|--------------------------------------------|
//! | 1-8        | `u8`          | `set_u64`, `get_u64`                       |
//! | 9-16       | `u16`         | `set_u64`, `get_u64`                       |
//! | 17-32      | `u32`         | `set_u64`, `get_u64`, `set_words`, `words` |
//! | 33-64      | `u64`         | `set_u64`, `get_u64`, `set_words`, `words` |
//! | 65-        | `[u32]`       | `set_words`, `words`                       |
//!
//! **Contract.** Port addresses are taken once, when the model is made; an access is a load or a store. Word 0 is the least
//! significant. Every model has its own context (time, seed, arguments), so models run in parallel threads; one model
//! is used by one thread at a time. Libraries stay mapped until the process ends: Verilator's run time leaves
//! thread-local destructors behind. **Errors.** A failed check inside the model ends it: `eval` answers [`Error::Simulation`] once and
//! [`Error::Poisoned`] from then on.
//! **Power-up state.** Without a seed every variable starts at 0; with one, at a random value that depends on the seed and the
//! instance's name only.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::abi::{ABI, Api, FEATURE_COVERAGE, FEATURE_TRACE};
use crate::error::{Error, Result};
use crate::ports::Direction;

/// A port of a library's models: small, copied freely, valid for every model of that library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    library: u32,
    index: u32,
    width: u32,
    direction: Direction,
}

impl Port {
    /// Width in bits.
    pub fn width(self) -> u32 {
        self.width
    }

    /// 32-bit words that hold a value.
    pub fn words(self) -> usize {
        words_of(self.width)
    }

    /// Direction, seen from the model.
    pub fn dir(self) -> Direction {
        self.direction
    }
}

fn words_of(width: u32) -> usize {
    usize::try_from(width.div_ceil(32)).unwrap_or(usize::MAX)
}

#[derive(Debug)]
struct PortInfo {
    name: String,
    port: Port,
}

/// A built and loaded model type.
#[derive(Clone)]
pub struct Library(Arc<Loaded>);

struct Loaded {
    api: &'static Api,
    path: PathBuf,
    from_cache: bool,
    ports: Vec<PortInfo>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library")
            .field("path", &self.0.path)
            .field("ports", &self.0.ports)
            .finish_non_exhaustive()
    }
}

// SAFETY: `Api` is a constant table of functions that keep no state outside the model they are given.
unsafe impl Send for Loaded {}
// SAFETY: as above; nothing in `Loaded` changes after it is made.
unsafe impl Sync for Loaded {}

/// Choices per model instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// Random power-up state from this seed; `None` starts everything at 0.
    pub seed: Option<u32>,
    /// Arguments such as `+depth=4`, seen by `$test$plusargs` and `$value$plusargs`.
    pub plusargs: Vec<String>,
}

impl ModelOptions {
    /// Random power-up state from this seed.
    #[must_use]
    pub fn seeded(seed: u32) -> Self {
        Self {
            seed: Some(seed),
            plusargs: Vec::new(),
        }
    }

    fn arguments(&self) -> Result<Vec<CString>> {
        let mut texts = vec!["model".to_owned()];
        if let Some(seed) = self.seed {
            // Verilator takes 1 ..= 2^31 - 1; 0 would mean "seed from the clock".
            let legal = seed % 0x7fff_ffff + 1;
            texts.push("+verilator+rand+reset+2".to_owned());
            texts.push(format!("+verilator+seed+{legal}"));
        }
        texts.extend(self.plusargs.iter().cloned());
        texts.into_iter().map(c_string).collect()
    }
}

fn c_string(text: String) -> Result<CString> {
    CString::new(text).map_err(|e| Error::ZeroByte {
        text: String::from_utf8_lossy(&e.into_vec()).into_owned(),
    })
}

impl Library {
    pub(crate) fn load(path: &Path, from_cache: bool) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let refuse = |reason: String| Error::Load {
            path: path.to_owned(),
            reason,
        };
        // SAFETY: the file was built from our shim by this crate; its initialisers are those of Verilator's run time.
        let library =
            unsafe { libloading::Library::new(path) }.map_err(|e| refuse(e.to_string()))?;
        // SAFETY: the symbol, when present, has this type in every version of the shim.
        let entry = unsafe { library.get::<unsafe extern "C" fn() -> *const Api>(b"slv_api\0") }
            .map_err(|e| refuse(e.to_string()))?;
        // SAFETY: returns the address of a constant of the library, which is never unloaded (see `forget` below).
        let api: &'static Api = unsafe { &*entry() };
        std::mem::forget(library);
        if api.abi != ABI {
            return Err(refuse(format!(
                "interface version {}, expected {ABI}",
                api.abi
            )));
        }
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let ports = (0..api.port_count)
            .map(|index| {
                // SAFETY: the table has `port_count` entries with zero-terminated names.
                let (raw, name) = unsafe {
                    let raw = &*api.ports.add(usize::try_from(index).unwrap_or(0));
                    (raw, CStr::from_ptr(raw.name))
                };
                let port = Port {
                    library: id,
                    index,
                    width: raw.width,
                    direction: Direction::from_code(raw.direction),
                };
                PortInfo {
                    name: name.to_string_lossy().into_owned(),
                    port,
                }
            })
            .collect();
        Ok(Self(Arc::new(Loaded {
            api,
            path: path.to_owned(),
            from_cache,
            ports,
        })))
    }

    /// Makes a model.
    ///
    /// # Errors
    /// [`Error::Simulation`] when its construction fails, for instance on an unknown `+verilator+` argument.
    pub fn new_model(&self, options: &ModelOptions) -> Result<Model> {
        let arguments = options.arguments()?;
        let mut pointers: Vec<*const c_char> = arguments.iter().map(|a| a.as_ptr()).collect();
        let count = i32::try_from(pointers.len()).unwrap_or(i32::MAX);
        pointers.push(std::ptr::null());
        // SAFETY: `count` zero-terminated strings that outlive the call; the shim copies them.
        let handle = unsafe { (self.0.api.create)(count, pointers.as_ptr()) };
        let mut model = Model {
            library: self.0.clone(),
            handle,
            slots: Vec::new(),
            time: 0,
            tracing: false,
            failed: false,
        };
        model.check(model.failure().map_or(0, |_| 1))?;
        // SAFETY: the handle is live and the indices are those of the table.
        model.slots = self
            .0
            .ports
            .iter()
            .map(|p| unsafe { (self.0.api.port_ptr)(handle, p.port.index) })
            .collect();
        if model.slots.iter().any(|slot| slot.is_null()) {
            return Err(Error::Load {
                path: self.0.path.clone(),
                reason: "a port has no address".to_owned(),
            });
        }
        Ok(model)
    }

    /// The port of this name.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`], with the names there are.
    pub fn port(&self, name: &str) -> Result<Port> {
        self.0.port(name)
    }

    /// Names and ports, in Verilator's order.
    pub fn ports(&self) -> impl Iterator<Item = (&str, Port)> {
        self.0.ports.iter().map(|p| (p.name.as_str(), p.port))
    }

    /// The library file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether the build was found rather than made.
    pub fn from_cache(&self) -> bool {
        self.0.from_cache
    }
}

impl Loaded {
    fn port(&self, name: &str) -> Result<Port> {
        self.ports
            .iter()
            .find(|p| p.name == name)
            .map(|p| p.port)
            .ok_or_else(|| Error::NoSuchPort {
                port: name.to_owned(),
                known: self
                    .ports
                    .iter()
                    .map(|p| p.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })
    }
}

/// One running model.
pub struct Model {
    library: Arc<Loaded>,
    handle: *mut c_void,
    slots: Vec<*mut c_void>,
    time: u64,
    tracing: bool,
    failed: bool,
}

// SAFETY: the shim enters the model's own context at every call, so nothing is tied to the thread that made it.
unsafe impl Send for Model {}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("path", &self.library.path)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the handle is live and not used again.
        unsafe { (self.library.api.destroy)(self.handle) }
    }
}

impl Model {
    /// The port of this name.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`], with the names there are.
    pub fn port(&self, name: &str) -> Result<Port> {
        self.library.port(name)
    }

    /// Evaluates the model with the present inputs, at the present time.
    ///
    /// # Errors
    /// [`Error::Simulation`] on a failed check, [`Error::Poisoned`] after one.
    #[inline]
    pub fn eval(&mut self) -> Result<()> {
        // SAFETY: the handle is live for as long as `self`.
        let code = unsafe { (self.library.api.eval)(self.handle) };
        if code == 0 { Ok(()) } else { self.check(code) }
    }

    /// Closes the present time step (it goes into the trace, if one is open) and moves time on.
    pub fn advance(&mut self, step: u64) {
        if self.tracing {
            // SAFETY: as in `eval`.
            unsafe { (self.library.api.trace_dump)(self.handle, self.time) }
        }
        self.time = self.time.saturating_add(step);
        // SAFETY: as in `eval`.
        unsafe { (self.library.api.set_time)(self.handle, self.time) }
    }

    /// The present time.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Whether the model called `$finish`.
    pub fn finished(&self) -> bool {
        // SAFETY: as in `eval`.
        unsafe { (self.library.api.finished)(self.handle) != 0 }
    }

    /// Sets a port of up to 64 bits.
    ///
    /// # Errors
    /// [`Error::Access`] when the value needs more bits than the port has, or the port is an output or wider.
    #[inline]
    pub fn set_u64(&mut self, port: Port, value: u64) -> Result<()> {
        let slot = self.slot(port)?;
        if port.direction == Direction::Output {
            return Err(self.access(port, "outputs cannot be set"));
        }
        if port.width > 64 {
            return Err(self.access(port, "wider than 64 bits: use `set_words`"));
        }
        if port.width < 64 && value >> port.width != 0 {
            return Err(self.access(port, "value does not fit"));
        }
        // SAFETY: the variable behind a port has exactly the type its width selects, and only this thread uses the model.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the value was just checked against the width"
        )]
        unsafe {
            match port.width {
                0..=8 => slot.cast::<u8>().write(value as u8),
                9..=16 => slot.cast::<u16>().write(value as u16),
                17..=32 => slot.cast::<u32>().write(value as u32),
                _ => slot.cast::<u64>().write(value),
            }
        }
        Ok(())
    }

    /// Reads a port of up to 64 bits.
    ///
    /// # Errors
    /// [`Error::Access`] when the port is wider.
    #[inline]
    pub fn get_u64(&self, port: Port) -> Result<u64> {
        let slot = self.slot(port)?;
        if port.width > 64 {
            return Err(self.access(port, "wider than 64 bits: use `words`"));
        }
        // SAFETY: as in `set_u64`.
        Ok(unsafe {
            match port.width {
                0..=8 => u64::from(slot.cast::<u8>().read()),
                9..=16 => u64::from(slot.cast::<u16>().read()),
                17..=32 => u64::from(slot.cast::<u32>().read()),
                _ => slot.cast::<u64>().read(),
            }
        })
    }

    /// Sets a port of more than 16 bits from its words, the least significant first.
    ///
    /// # Errors
    /// [`Error::Access`] on a wrong number of words, bits above the width, a narrow port or an output.
    #[inline]
    pub fn set_words(&mut self, port: Port, words: &[u32]) -> Result<()> {
        let slot = self.slot(port)?;
        if port.direction == Direction::Output {
            return Err(self.access(port, "outputs cannot be set"));
        }
        if port.width <= 16 {
            return Err(self.access(port, "16 bits or fewer: use `set_u64`"));
        }
        let count = port.words();
        if words.len() != count {
            return Err(self.access(port, "wrong number of words"));
        }
        let used = port.width % 32;
        if used != 0 && words[count - 1] >> used != 0 {
            return Err(self.access(port, "bits above the width are set"));
        }
        // SAFETY: the variable is `count` words long; a 64-bit one is two of them in this order on a little-endian host.
        unsafe { std::ptr::copy_nonoverlapping(words.as_ptr(), slot.cast::<u32>(), count) }
        Ok(())
    }

    /// The words of a port of more than 16 bits, the least significant first; borrowed from the model.
    ///
    /// # Errors
    /// [`Error::Access`] on a narrow port.
    #[inline]
    pub fn words(&self, port: Port) -> Result<&[u32]> {
        let slot = self.slot(port)?;
        if port.width <= 16 {
            return Err(self.access(port, "16 bits or fewer: use `get_u64`"));
        }
        // SAFETY: as in `set_words`; the borrow of `self` keeps `eval` and the setters away.
        Ok(unsafe { std::slice::from_raw_parts(slot.cast::<u32>(), port.words()) })
    }

    /// What the model printed since the last call, one entry per line.
    pub fn take_messages(&mut self) -> Vec<String> {
        let mut length = 0;
        // SAFETY: the shim answers with bytes that stay until the next call into the model.
        let text = unsafe {
            let start = (self.library.api.messages)(self.handle, &raw mut length);
            String::from_utf8_lossy(std::slice::from_raw_parts(start.cast::<u8>(), length))
                .into_owned()
        };
        // SAFETY: as in `eval`.
        unsafe { (self.library.api.clear_messages)(self.handle) }
        text.lines().map(str::to_owned).collect()
    }

    /// Starts an FST trace of everything; `advance` writes it.
    ///
    /// # Errors
    /// [`Error::NotBuiltWith`], or [`Error::Simulation`] when the file cannot be written.
    pub fn trace_open(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.needs(FEATURE_TRACE, "trace")?;
        let path = path_string(path.as_ref())?;
        // SAFETY: a zero-terminated path that outlives the call.
        let code = unsafe { (self.library.api.trace_open)(self.handle, path.as_ptr()) };
        self.check(code)?;
        self.tracing = true;
        Ok(())
    }

    /// Writes the present step and closes the trace.
    pub fn trace_close(&mut self) {
        if self.tracing {
            self.tracing = false;
            // SAFETY: as in `eval`.
            unsafe {
                (self.library.api.trace_dump)(self.handle, self.time);
                (self.library.api.trace_close)(self.handle);
            }
        }
    }

    /// Writes the coverage counters in Verilator's text format.
    ///
    /// # Errors
    /// [`Error::NotBuiltWith`], or [`Error::Simulation`] when the file cannot be written.
    pub fn write_coverage(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.needs(FEATURE_COVERAGE, "coverage")?;
        let path = path_string(path.as_ref())?;
        // SAFETY: a zero-terminated path that outlives the call.
        let code = unsafe { (self.library.api.coverage_write)(self.handle, path.as_ptr()) };
        self.check(code)
    }

    /// Runs the model's `final` blocks, once; their checks count.
    ///
    /// # Errors
    /// As [`Model::eval`].
    pub fn finalize(&mut self) -> Result<()> {
        self.trace_close();
        // SAFETY: as in `eval`; the shim runs the blocks once.
        let code = unsafe { (self.library.api.finalize)(self.handle) };
        self.check(code)
    }

    #[inline]
    fn slot(&self, port: Port) -> Result<*mut c_void> {
        let own = self
            .library
            .ports
            .first()
            .is_some_and(|first| first.port.library == port.library);
        let index = usize::try_from(port.index).unwrap_or(usize::MAX);
        self.slots
            .get(index)
            .copied()
            .filter(|_| own)
            .ok_or(Error::ForeignPort)
    }

    #[cold]
    fn access(&self, port: Port, reason: &'static str) -> Error {
        let name = self
            .library
            .ports
            .iter()
            .find(|p| p.port == port)
            .map_or_else(String::new, |p| p.name.clone());
        Error::Access {
            port: name,
            width: port.width,
            reason,
        }
    }

    fn needs(&self, bit: u32, feature: &'static str) -> Result<()> {
        if self.library.api.features & bit == 0 {
            Err(Error::NotBuiltWith { feature })
        } else {
            Ok(())
        }
    }

    fn failure(&self) -> Option<String> {
        let mut length = 0;
        // SAFETY: null, or bytes that stay until the next call into the model.
        unsafe {
            let start = (self.library.api.failure)(self.handle, &raw mut length);
            (!start.is_null()).then(|| {
                String::from_utf8_lossy(std::slice::from_raw_parts(start.cast::<u8>(), length))
                    .trim_end()
                    .to_owned()
            })
        }
    }

    #[cold]
    fn check(&mut self, code: i32) -> Result<()> {
        match self.failure() {
            _ if code == 0 => Ok(()),
            Some(text) if self.failed => Err(Error::Poisoned { text }),
            Some(text) => {
                self.failed = true;
                Err(Error::Simulation {
                    time: self.time,
                    text,
                })
            }
            None => Err(Error::Simulation {
                time: self.time,
                text: "no reason given".to_owned(),
            }),
        }
    }
}

fn path_string(path: &Path) -> Result<CString> {
    c_string(path.to_string_lossy().into_owned())
}
