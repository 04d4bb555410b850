//! C interface of the driver: two call-backs reach the registers, every function returns `NULL` or a message.
//!
//! | function | does |
//! |----------|------|
//! | `sluice_cfg_load_program` | loads a program file or a load image and enables it |
//! | `sluice_cfg_load_program_bytes` | the same from memory |
//! | `sluice_cfg_load_program_streamed` | loads a program file through the load stream and enables it |
//! | `sluice_cfg_enable`, `_disable`, `_reset` | run, stop, reset of the compute side |
//! | `sluice_cfg_get_status` | status, errors, counters |
//! | `sluice_cfg_model_jobs` | jobs of a model |
//! | `sluice_cfg_print_device_id` | what the accelerator says of itself, JSON on standard output |
//! | `sluice_cfg_destroy_err` | frees a message |
//!
//! **Contract.** All call-backs come from the caller's thread, within the call. A read sees every earlier write; writes arrive complete,
//! once and in order, and may be posted. `driver/capi/include/sluice_cfg.h` is generated from this file; a test fails when it is stale.
//! **Errors.** Messages of `sluice-driver`, with their codes; they are the caller's to free.

use std::convert::Infallible;
use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt::Display;
use std::path::Path;

use sluice_driver::{Bus, Device, LoadStream};

/// Reads the register at a byte address.
pub type SluiceCfgReader = Option<unsafe extern "C" fn(user: *mut c_void, address: u32) -> u32>;
/// Writes a register.
pub type SluiceCfgWriter = Option<unsafe extern "C" fn(user: *mut c_void, address: u32, data: u32)>;

/// Sends one beat of the load stream: `count` words, lowest first; `last` is its `tlast`.
pub type SluiceCfgStreamer =
    Option<unsafe extern "C" fn(user: *mut c_void, words: *const u32, count: u32, last: bool)>;

/// State of an accelerator.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SluiceCfgStatus {
    /// Register `status`.
    pub status: u32,
    /// Register `error`.
    pub error: u32,
    /// Compute cycles since the compute side's reset.
    pub cycles: u64,
    /// Those with a job in the pipelines.
    pub busy_cycles: u64,
    /// Jobs finished since then.
    pub jobs_done: u32,
    /// Model-select beats out of range since then.
    pub bad_select_count: u32,
    /// Index of the last of them.
    pub last_bad_select: u32,
    /// Resident models.
    pub num_models: u32,
}

/// The caller's functions.
struct Callbacks {
    user: *mut c_void,
    reader: unsafe extern "C" fn(*mut c_void, u32) -> u32,
    writer: unsafe extern "C" fn(*mut c_void, u32, u32),
}

impl Bus for Callbacks {
    type Error = Infallible;

    fn read32(&mut self, address: u32) -> Result<u32, Infallible> {
        // SAFETY: the caller of the C function vouches for reader and user.
        Ok(unsafe { (self.reader)(self.user, address) })
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), Infallible> {
        // SAFETY: as above.
        unsafe { (self.writer)(self.user, address, data) };
        Ok(())
    }
}

/// `NULL` for success, else a message of the caller's.
fn answer<E: Display>(result: Result<(), E>) -> *mut c_char {
    match result {
        Ok(()) => std::ptr::null_mut(),
        Err(e) => message(&e.to_string()),
    }
}

fn message(text: &str) -> *mut c_char {
    // A path may hold anything, a C string no zero.
    CString::new(text.replace('\0', "?")).map_or(std::ptr::null_mut(), CString::into_raw)
}

/// The call-backs, or the complaint that one is missing.
fn callbacks(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
) -> Result<Callbacks, String> {
    match (reader, writer) {
        (Some(reader), Some(writer)) => Ok(Callbacks {
            user,
            reader,
            writer,
        }),
        _ => Err("[SL-D021] reader or writer is NULL".into()),
    }
}

fn open(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
) -> Result<Device<Callbacks>, String> {
    Device::open(callbacks(user, reader, writer)?).map_err(|e| e.to_string())
}

/// Loads a program file or a load image and enables the accelerator.
///
/// # Safety
/// `reader` and `writer` may be called with `user`; `path` is a string that ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_load_program(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
    path: *const c_char,
) -> *mut c_char {
    if path.is_null() {
        return message("[SL-D021] path is NULL");
    }
    // SAFETY: not null, and the caller vouches for its end.
    let path = unsafe { CStr::from_ptr(path) };
    answer(path.to_str().map_err(|e| e.to_string()).and_then(|path| {
        let mut device = open(user, reader, writer)?;
        device
            .load_file(Path::new(path))
            .map_err(|e| e.to_string())?;
        device.enable().map_err(|e| e.to_string())
    }))
}

/// The caller's load stream.
struct Beats {
    user: *mut c_void,
    streamer: unsafe extern "C" fn(*mut c_void, *const u32, u32, bool),
}

impl<const N: usize> LoadStream<N> for Beats {
    type Error = Infallible;

    fn beat(&mut self, words: &[u32; N], last: bool) -> Result<(), Infallible> {
        let count = u32::try_from(N).unwrap_or(u32::MAX);
        // SAFETY: the caller of the C function vouches for streamer and user; the words outlive the call.
        unsafe { (self.streamer)(self.user, words.as_ptr(), count, last) };
        Ok(())
    }
}

/// Loads a program file or a load image through the load stream, whatever its width, and enables the accelerator. Registers go over the
/// bus. A beat may still be on its way when `streamer` returns.
///
/// # Safety
/// `reader`, `writer` and `streamer` may be called with `user`; `path` is a string that ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_load_program_streamed(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
    streamer: SluiceCfgStreamer,
    path: *const c_char,
) -> *mut c_char {
    let Some(streamer) = streamer else {
        return message("[SL-D021] streamer is NULL");
    };
    if path.is_null() {
        return message("[SL-D021] path is NULL");
    }
    // SAFETY: not null, and the caller vouches for its end.
    let path = unsafe { CStr::from_ptr(path) };
    answer(path.to_str().map_err(|e| e.to_string()).and_then(|path| {
        let mut device = open(user, reader, writer)?;
        let file = std::fs::read(path).map_err(|e| format!("[SL-D020] {path}: {e}"))?;
        let mut beats = Beats { user, streamer };
        let loaded = match device.identity().stream_words {
            2 => device.load_program_streamed::<2, _>(&file, &mut beats),
            4 => device.load_program_streamed::<4, _>(&file, &mut beats),
            8 => device.load_program_streamed::<8, _>(&file, &mut beats),
            16 => device.load_program_streamed::<16, _>(&file, &mut beats),
            // Without a load stream this says so.
            _ => device.load_program_streamed::<1, _>(&file, &mut beats),
        };
        loaded.map_err(|e| e.to_string())?;
        device.enable().map_err(|e| e.to_string())
    }))
}

/// Loads the bytes of a program file or of a load image and enables the accelerator.
///
/// # Safety
/// `reader` and `writer` may be called with `user`; `program` points to `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_load_program_bytes(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
    program: *const u8,
    size: usize,
) -> *mut c_char {
    if program.is_null() {
        return message("[SL-D021] program is NULL");
    }
    // SAFETY: not null, and the caller vouches for its size.
    let program = unsafe { std::slice::from_raw_parts(program, size) };
    answer(open(user, reader, writer).and_then(|mut device| {
        device.load_program(program).map_err(|e| e.to_string())?;
        device.enable().map_err(|e| e.to_string())
    }))
}

/// Lets jobs begin.
///
/// # Safety
/// `reader` and `writer` may be called with `user`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_enable(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
) -> *mut c_char {
    answer(
        open(user, reader, writer)
            .and_then(|mut device| device.enable().map_err(|e| e.to_string())),
    )
}

/// Lets no more jobs begin.
///
/// # Safety
/// `reader` and `writer` may be called with `user`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_disable(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
) -> *mut c_char {
    answer(
        open(user, reader, writer)
            .and_then(|mut device| device.disable().map_err(|e| e.to_string())),
    )
}

/// Resets the compute side; program and enable stay.
///
/// # Safety
/// `reader` and `writer` may be called with `user`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_reset(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
) -> *mut c_char {
    answer(
        open(user, reader, writer).and_then(|mut device| device.reset().map_err(|e| e.to_string())),
    )
}

/// Reads status, errors and counters.
///
/// # Safety
/// `reader` and `writer` may be called with `user`; `status` points to a structure to be filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_get_status(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
    status: *mut SluiceCfgStatus,
) -> *mut c_char {
    if status.is_null() {
        return message("[SL-D021] status is NULL");
    }
    answer(open(user, reader, writer).and_then(|mut device| {
        let found = read_status(&mut device).map_err(|e| e.to_string())?;
        // SAFETY: not null, and the caller vouches for it.
        unsafe { status.write(found) };
        Ok(())
    }))
}

fn read_status(
    device: &mut Device<Callbacks>,
) -> Result<SluiceCfgStatus, sluice_driver::Error<Infallible>> {
    let counters = device.counters()?;
    Ok(SluiceCfgStatus {
        status: device.status()?.0,
        error: device.errors()?.0,
        cycles: counters.cycles,
        busy_cycles: counters.busy_cycles,
        jobs_done: counters.jobs_done,
        bad_select_count: counters.bad_select_count,
        last_bad_select: counters.last_bad_select.into(),
        num_models: device
            .bus()
            .read32(sluice_driver::map::NUM_MODELS)
            .map_err(sluice_driver::Error::Bus)?,
    })
}

/// Reads the jobs a model finished since the compute side's reset.
///
/// # Safety
/// `reader` and `writer` may be called with `user`; `jobs` points to a number to be filled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_model_jobs(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
    model: u32,
    jobs: *mut u32,
) -> *mut c_char {
    if jobs.is_null() {
        return message("[SL-D021] jobs is NULL");
    }
    answer(open(user, reader, writer).and_then(|mut device| {
        let found = device.model_jobs(model).map_err(|e| e.to_string())?;
        // SAFETY: not null, and the caller vouches for it.
        unsafe { jobs.write(found) };
        Ok(())
    }))
}

/// What the accelerator says of itself as JSON.
pub fn device_id<B: Bus>(device: &Device<B>) -> String {
    let i = device.identity();
    let numbers = [
        ("num_cores", i.num_cores),
        ("block_size", i.block_size),
        ("exchange_stages", i.exchange_stages),
        ("weight_store_depth", i.weight_depth),
        ("const_store_depth", i.const_depth),
        ("tensor_ram_depth", i.tensor_depth),
        ("accum_store_depth", i.accum_depth),
        ("clamp_store_depth", i.clamp_depth),
        ("instr_store_depth", i.ticks),
        ("max_models", i.max_models),
        ("select_fifo_depth", i.select_fifo),
        ("output_fifo_depth", i.output_fifo),
        ("load_stream_words", i.stream_words),
    ];
    let numbers: Vec<String> = numbers
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}"))
        .collect();
    format!(
        "{{\"register_map\": \"{}.{}\", \"config_hash\": \"{:016x}\", {}, \"fp8_weights\": {}}}",
        i.version.0,
        i.version.1,
        i.config_hash,
        numbers.join(", "),
        i.fp8_weights
    )
}

/// Prints what the accelerator says of itself, JSON on one line of the standard output.
///
/// # Safety
/// `reader` and `writer` may be called with `user`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_print_device_id(
    user: *mut c_void,
    reader: SluiceCfgReader,
    writer: SluiceCfgWriter,
) -> *mut c_char {
    answer(open(user, reader, writer).map(|device| println!("{}", device_id(&device))))
}

/// Frees a message. `NULL` is allowed.
///
/// # Safety
/// `error` came from a function of this library and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sluice_cfg_destroy_err(error: *mut c_char) {
    if !error.is_null() {
        // SAFETY: it came from CString::into_raw and is freed once.
        drop(unsafe { CString::from_raw(error) });
    }
}
