//! Exceptions, and what becomes of the errors of the crates below.
//!
//! | exception | base | when |
//! |-----------|------|------|
//! | `AllocationError` | `ValueError` | a memory of the configuration is too small |
//! | `SaveError` | `OSError` | a program, configuration or RTL cannot be written |
//! | `LoadError` | `ValueError` | a program cannot be read: damaged, other version, not a program |
//! | `RtlSimError` | `RuntimeError` | the RTL cannot be built or an assertion of it failed |
//! | `InternalError` | `RuntimeError` | our own bug, panics included |
//! | `ValueError`, `TypeError`, `IndexError`, `OSError` | | everything else |
//!
//! **Contract.** Texts start with the stable code of the error. [`guard`] stops panics.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use pyo3::exceptions::{PyIndexError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::{PyTypeInfo, create_exception};
use sluice_compiler::error::CompileError;
use sluice_isa::IsaError;
use sluice_sim::SimError;

create_exception!(
    vollo_compiler,
    AllocationError,
    PyValueError,
    "A memory of the configuration is too small for the models."
);
create_exception!(
    vollo_compiler,
    SaveError,
    PyOSError,
    "A program, a configuration or RTL cannot be written."
);
create_exception!(
    vollo_compiler,
    LoadError,
    PyValueError,
    "A program cannot be read: damaged, of another version, or not a program."
);
create_exception!(
    vollo_compiler,
    RtlSimError,
    PyRuntimeError,
    "The RTL cannot be built or simulated on this machine, or one of its assertions failed."
);
create_exception!(
    vollo_compiler,
    InternalError,
    PyRuntimeError,
    "A bug of this package; please report it."
);

/// Adds the exceptions to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = m.py();
    m.add("AllocationError", AllocationError::type_object(py))?;
    m.add("SaveError", SaveError::type_object(py))?;
    m.add("LoadError", LoadError::type_object(py))?;
    m.add("RtlSimError", RtlSimError::type_object(py))?;
    m.add("InternalError", InternalError::type_object(py))?;
    m.add_function(wrap_pyfunction!(_panic, m)?)
}

/// Panics inside [`guard`]: for the test that shows what becomes of a panic.
#[pyfunction]
fn _panic(message: String) -> PyResult<()> {
    guard(|| panic!("{message}"))
}

thread_local! {
    /// Text and place of the last panic of this thread.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work`; a panic becomes the text to report.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    // This library's own hook; the interpreter and other extensions have theirs.
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = info.to_string();
            // A thread that is already being torn down keeps no text.
            let _ = LAST_PANIC.try_with(|last| last.replace(text));
        }));
    });
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| LAST_PANIC.take())
}

/// Runs the body of an entry; a panic becomes `InternalError`.
pub fn guard<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    caught(work).unwrap_or_else(|panic| Err(internal(&panic)))
}

/// Our own bug.
pub fn internal(what: &str) -> PyErr {
    InternalError::new_err(format!("internal error, please report it: {what}"))
}

/// What the operating system says of a path, as the exception Python itself would raise.
pub fn os(path: &Path, error: &std::io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(errno) => {
            let text = error.to_string();
            // Python adds the number itself.
            let text = text
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_owned();
            PyOSError::new_err((errno, text, path.display().to_string()))
        }
        None => PyOSError::new_err(format!("{}: {error}", path.display())),
    }
}

/// What the compiler says.
pub fn compile(error: CompileError) -> PyErr {
    let text = format!("[{}] {error}", error.code());
    match error {
        CompileError::Allocation { .. } | CompileError::StreamTooLarge { .. } => {
            AllocationError::new_err(text)
        }
        CompileError::Internal(_) | CompileError::Pass { .. } => InternalError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}

/// What a configuration says.
pub fn isa(error: IsaError) -> PyErr {
    match error {
        IsaError::Io { .. } => PyOSError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

/// What the VM says.
pub fn sim(error: SimError) -> PyErr {
    let text = error.to_string();
    match error {
        SimError::NoSuchModel { .. } => PyIndexError::new_err(text),
        SimError::InputCount { .. } | SimError::InputLength { .. } => PyValueError::new_err(text),
        _ => InternalError::new_err(text),
    }
}
