//! The C interface of a built model, as Rust sees it; `shim/shim.cpp` is the other half.
//!
//! | field      | unit                                     |
//! |------------|------------------------------------------|
//! | `width`    | bits                                     |
//! | `features` | bit 0 FST trace, bit 1 coverage          |
//! | `time`     | the model's time precision, as the caller uses it |
//!
//! **Contract.** Layouts change together with [`ABI`]; a library with another number is refused.

use std::ffi::{c_char, c_int, c_void};

pub(crate) const ABI: u32 = 1;
pub(crate) const FEATURE_TRACE: u32 = 1;
pub(crate) const FEATURE_COVERAGE: u32 = 2;
pub(crate) const SHIM: &str = include_str!("../shim/shim.cpp");
pub(crate) const RUNTIME_HEADER: &str = include_str!("../shim/slv_runtime.h");

#[repr(C)]
pub(crate) struct RawPort {
    pub name: *const c_char,
    pub width: u32,
    pub direction: u32,
}

#[repr(C)]
pub(crate) struct Api {
    pub abi: u32,
    pub features: u32,
    pub port_count: u32,
    pub ports: *const RawPort,
    pub create: unsafe extern "C" fn(c_int, *const *const c_char) -> *mut c_void,
    pub destroy: unsafe extern "C" fn(*mut c_void),
    pub eval: unsafe extern "C" fn(*mut c_void) -> c_int,
    pub finalize: unsafe extern "C" fn(*mut c_void) -> c_int,
    pub port_ptr: unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void,
    pub set_time: unsafe extern "C" fn(*mut c_void, u64),
    pub messages: unsafe extern "C" fn(*mut c_void, *mut usize) -> *const c_char,
    pub clear_messages: unsafe extern "C" fn(*mut c_void),
    pub failure: unsafe extern "C" fn(*mut c_void, *mut usize) -> *const c_char,
    pub finished: unsafe extern "C" fn(*mut c_void) -> c_int,
    pub trace_open: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    pub trace_dump: unsafe extern "C" fn(*mut c_void, u64),
    pub trace_close: unsafe extern "C" fn(*mut c_void),
    pub coverage_write: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
}
