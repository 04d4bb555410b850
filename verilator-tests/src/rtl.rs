//! The RTL of one configuration as an executor.
//!
//! | step | pins |
//! |------|------|
//! | reset | `compute_reset` for 4 cycles, `enable` = 0 |
//! | load | one [`Write`] per cycle on `load_*`, `enable` = 0; then `load_error` must be 0 |
//! | run | cycle 0 is the first cycle with `enable` = 1 |
//!
//! **Contract.** A step sets the pins while the clock is low, samples every output, then gives the rising edge: samples are those of the
//! cycle before its edge, as the VM's. `output_tkeep` must be all ones with every beat. The power-up state is random from the seed. With
//! `SLUICE_TRACE` set to a folder, or by [`RtlExecutor::traced`], every device writes an FST there, two time steps a cycle. An executor that [reuses](RtlExecutor::reuse) keeps one
//! instance per program and resets it between runs, with whatever the last run left in its memories.
//! **Errors.** [`SuiteError::Device`]: Verilator, an assertion of the RTL, a refused load.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sluice_hdl::Generator;
use sluice_hdl::generator::{VERILATOR_CONTROL, VERILATOR_OPTIONS};
use sluice_isa::load::{Write, writes};
use sluice_isa::{HardwareConfig, Program};
use sluice_sim::{Pins, Status};
use sluice_suite::device::Tick;
use sluice_suite::{Device, Executor, Sample, SuiteError};
use verilator_sys::{Build, Library, Model, ModelOptions, Port, project_root};

/// Cycles of reset before loading.
const RESET_CYCLES: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Ports {
    clock: Port,
    reset: Port,
    select: [Port; 3],
    input: [Port; 3],
    output: [Port; 5],
    load: [Port; 6],
    enable: Port,
    busy: Port,
    load_error: Port,
    jobs_done: Port,
    bad_select_count: Port,
    last_bad_select: Port,
    irq: Port,
    tick: [Port; 3],
}

impl Ports {
    fn new(library: &Library) -> verilator_sys::Result<Self> {
        let p = |name: &str| library.port(name);
        Ok(Self {
            clock: p("compute_clock")?,
            reset: p("compute_reset")?,
            select: [
                p("model_select_tvalid")?,
                p("model_select_tready")?,
                p("model_select_tdata")?,
            ],
            input: [p("input_tvalid")?, p("input_tready")?, p("input_tdata")?],
            output: [
                p("output_tvalid")?,
                p("output_tready")?,
                p("output_tdata")?,
                p("output_tlast")?,
                p("output_tkeep")?,
            ],
            load: [
                p("load_valid")?,
                p("load_space")?,
                p("load_core")?,
                p("load_row")?,
                p("load_addr")?,
                p("load_data")?,
            ],
            enable: p("enable")?,
            busy: p("busy")?,
            load_error: p("load_error")?,
            jobs_done: p("jobs_done")?,
            bad_select_count: p("bad_select_count")?,
            last_bad_select: p("last_bad_select")?,
            irq: p("irq")?,
            tick: [
                p("trace_tick_valid")?,
                p("trace_tick_pc")?,
                p("trace_parity")?,
            ],
        })
    }
}

/// One Verilated instance.
pub struct RtlDevice {
    name: String,
    model: Model,
    ports: Ports,
    block: usize,
    input: Vec<u32>,
    pending: Option<Write>,
    cycles: u64,
}

impl RtlDevice {
    fn new(
        name: &str,
        library: &Library,
        config: &HardwareConfig,
        seed: u32,
        waves: Option<&Path>,
    ) -> Result<Self, SuiteError> {
        let fail = failure(name);
        let ports = Ports::new(library).map_err(&fail)?;
        let mut model = library
            .new_model(&ModelOptions::seeded(seed))
            .map_err(&fail)?;
        if let Some(dir) = waves {
            std::fs::create_dir_all(dir)
                .map_err(|e| failure(name)(format!("{}: {e}", dir.display())))?;
            let file = (0..100_000)
                .map(|i| dir.join(format!("{}-{seed}-{i}.fst", config.name)))
                .find(|p| !p.exists());
            if let Some(file) = file {
                model.trace_open(&file).map_err(&fail)?;
            }
        }
        let block = config.block_size as usize;
        Ok(Self {
            name: name.into(),
            model,
            ports,
            block,
            input: vec![0; ports.input[2].words()],
            pending: None,
            cycles: 0,
        })
    }

    /// Cycles simulated, loading included.
    pub const fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Resets the accelerator; memories keep their contents.
    pub fn reset(&mut self) -> Result<(), SuiteError> {
        let pins = Pins {
            reset: true,
            ..Pins::default()
        };
        let mut sample = Sample::default();
        for _ in 0..RESET_CYCLES {
            self.cycle(&pins, &mut sample, false)?;
        }
        Ok(())
    }

    /// Loads words through the load port and checks that they were taken.
    pub fn load(&mut self, words: &[Write]) -> Result<(), SuiteError> {
        let mut sample = Sample::default();
        for w in words {
            self.pending = Some(w.clone());
            self.cycle(&Pins::default(), &mut sample, false)?;
        }
        // The last write is registered once on its way to the cores.
        for _ in 0..2 {
            self.cycle(&Pins::default(), &mut sample, false)?;
        }
        if self.load_error()? {
            return Err(failure(&self.name)(
                "the load port refused a write while disabled and idle",
            ));
        }
        Ok(())
    }

    /// Puts a write on the load port in the next step, whatever the accelerator is doing.
    pub fn write_next(&mut self, write: &Write) {
        self.pending = Some(write.clone());
    }

    /// The sticky status of a refused write.
    pub fn load_error(&self) -> Result<bool, SuiteError> {
        Ok(self.get(self.ports.load_error)? != 0)
    }

    /// A job is being processed, or something is still on its way.
    pub fn busy(&self) -> Result<bool, SuiteError> {
        Ok(self.get(self.ports.busy)? != 0)
    }

    /// The interrupt pulse, as last sampled.
    pub fn irq(&self) -> Result<bool, SuiteError> {
        Ok(self.get(self.ports.irq)? != 0)
    }

    fn get(&self, port: Port) -> Result<u64, SuiteError> {
        self.model.get_u64(port).map_err(failure(&self.name))
    }

    fn get32(&self, port: Port) -> Result<u32, SuiteError> {
        Ok(u32::try_from(self.get(port)?).unwrap_or(u32::MAX))
    }

    fn set_pins(&mut self, pins: &Pins<'_>) -> verilator_sys::Result<()> {
        let (m, p) = (&mut self.model, &self.ports);
        m.set_u64(p.reset, u64::from(pins.reset))?;
        m.set_u64(p.enable, u64::from(pins.enable))?;
        m.set_u64(p.select[0], u64::from(pins.select_valid))?;
        m.set_u64(p.select[2], u64::from(pins.select_data))?;
        m.set_u64(p.input[0], u64::from(pins.input_valid))?;
        if pins.input_valid {
            for (w, pair) in self.input.iter_mut().zip(pins.input_data.chunks(2)) {
                *w = u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 16;
            }
            m.set_words(p.input[2], &self.input)?;
        }
        m.set_u64(p.output[1], u64::from(pins.output_ready))?;
        match self.pending.take() {
            Some(w) => {
                m.set_u64(p.load[0], 1)?;
                m.set_u64(p.load[1], w.space as u64)?;
                m.set_u64(p.load[2], u64::from(w.core))?;
                m.set_u64(p.load[3], u64::from(w.row))?;
                m.set_u64(p.load[4], u64::from(w.addr))?;
                m.set_words(p.load[5], &w.data)?;
            }
            None => m.set_u64(p.load[0], 0)?,
        }
        Ok(())
    }

    fn sample(&self, sample: &mut Sample) -> Result<(), SuiteError> {
        let p = &self.ports;
        sample.select_ready = self.get(p.select[1])? != 0;
        sample.input_ready = self.get(p.input[1])? != 0;
        sample.output_valid = self.get(p.output[0])? != 0;
        sample.output_last = sample.output_valid && self.get(p.output[3])? != 0;
        sample.output_data.clear();
        if sample.output_valid {
            let words = self.model.words(p.output[2]).map_err(failure(&self.name))?;
            let low = |w: u32| u16::try_from(w & 0xFFFF).unwrap_or(0);
            sample.output_data.extend(
                words
                    .iter()
                    .flat_map(|&w| [low(w), low(w >> 16)])
                    .take(self.block),
            );
            let keep = if p.output[4].width() <= 16 {
                self.get(p.output[4])?.count_ones()
            } else {
                let words = self.model.words(p.output[4]).map_err(failure(&self.name))?;
                words.iter().map(|w| w.count_ones()).sum()
            };
            if keep != p.output[4].width() {
                return Err(failure(&self.name)("output_tkeep is not all ones"));
            }
        }
        sample.status = Status {
            jobs_done: self.get32(p.jobs_done)?,
            bad_select_count: self.get32(p.bad_select_count)?,
            last_bad_select: u16::try_from(self.get(p.last_bad_select)?).unwrap_or(u16::MAX),
            busy: false,
        };
        sample.tick = None;
        if self.get(p.tick[0])? != 0 {
            sample.tick = Some(Tick {
                pc: self.get32(p.tick[1])?,
                parity: u8::from(self.get(p.tick[2])? != 0),
            });
        }
        Ok(())
    }

    fn cycle(
        &mut self,
        pins: &Pins<'_>,
        sample: &mut Sample,
        wanted: bool,
    ) -> Result<(), SuiteError> {
        let fail = failure(&self.name);
        self.model.set_u64(self.ports.clock, 0).map_err(&fail)?;
        self.set_pins(pins).map_err(&fail)?;
        self.model.eval().map_err(&fail)?;
        if wanted {
            self.sample(sample)?;
        }
        self.model.advance(1);
        self.model.set_u64(self.ports.clock, 1).map_err(&fail)?;
        self.model.eval().map_err(&fail)?;
        self.model.advance(1);
        self.cycles += 1;
        Ok(())
    }
}

impl Device for RtlDevice {
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError> {
        self.cycle(pins, sample, true)
    }
}

impl Device for &mut RtlDevice {
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError> {
        self.cycle(pins, sample, true)
    }
}

/// Makes RTL devices of one configuration.
pub struct RtlExecutor {
    config: HardwareConfig,
    library: Library,
    build_time: Duration,
    waves: Option<PathBuf>,
    reuse: bool,
    kept: Option<(Arc<Program>, RtlDevice)>,
    spent: (u64, Duration),
}

fn failure<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> SuiteError + use<E> {
    let device = name.to_owned();
    move |e| SuiteError::Device {
        device: device.clone(),
        why: e.to_string(),
    }
}

fn trace_dir() -> Option<PathBuf> {
    std::env::var_os("SLUICE_TRACE")
        .filter(|d| !d.is_empty())
        .map(PathBuf::from)
}

/// Emits the RTL into a folder named by its contents, so that parallel processes and threads never see half of it.
///
/// Returns the folder and the files to compile, in order.
pub fn emit(config: &HardwareConfig, root: &Path) -> Result<(PathBuf, Vec<PathBuf>), SuiteError> {
    emit_with_load_stream(config, 0, root)
}

/// [`emit`] with a load stream so many bits wide.
pub fn emit_with_load_stream(
    config: &HardwareConfig,
    bits: u32,
    root: &Path,
) -> Result<(PathBuf, Vec<PathBuf>), SuiteError> {
    // Threads of this process emit side by side, too.
    static EMISSIONS: AtomicU32 = AtomicU32::new(0);

    let fail = failure(&config.name);
    let generator = Generator::new(config)
        .and_then(|g| g.load_stream(bits))
        .map_err(|e| failure(&config.name)(e))?;
    let number = EMISSIONS.fetch_add(1, Ordering::Relaxed);
    let scratch = root.join(format!(".{}-{}-{number}", config.name, std::process::id()));
    let manifest = generator
        .emit(&scratch)
        .map_err(|e| failure(&config.name)(e))?;
    let mut digest = blake3::Hasher::new();
    for (name, hash) in &manifest.digests {
        digest.update(name.as_bytes());
        digest.update(hash.as_bytes());
    }
    let hash = digest.finalize().to_hex();
    let dir = root.join(format!("{}-{}", config.name, &hash[..16]));
    if std::fs::rename(&scratch, &dir).is_err() {
        // Somebody else was first; the contents are equal.
        std::fs::remove_dir_all(&scratch).map_err(&fail)?;
    }
    let sources = manifest.compile_paths(&dir);
    Ok((dir, sources))
}

impl RtlExecutor {
    /// Emits, Verilates (or finds in the cache) and loads the RTL of a configuration.
    pub fn new(config: &HardwareConfig) -> Result<Self, SuiteError> {
        Self::at(config, &project_root().join("build/rtl"))
    }

    /// The same with the emitted RTL below `root`.
    pub fn at(config: &HardwareConfig, root: &Path) -> Result<Self, SuiteError> {
        Self::build(config, root, trace_dir())
    }

    /// The same as [`new`](Self::new) with waveforms in a folder.
    pub fn traced(config: &HardwareConfig, waves: &Path) -> Result<Self, SuiteError> {
        let root = project_root().join("build/rtl");
        Self::build(config, &root, Some(waves.to_owned()))
    }

    fn build(
        config: &HardwareConfig,
        root: &Path,
        waves: Option<PathBuf>,
    ) -> Result<Self, SuiteError> {
        let start = Instant::now();
        let (dir, sources) = emit(config, root)?;
        let build = VERILATOR_OPTIONS
            .iter()
            .fold(Build::new(config.name.clone()), |build, option| {
                build.flag(*option)
            });
        let library = build
            .top("sl_top")
            .sources(sources)
            .source(dir.join(VERILATOR_CONTROL))
            .include(dir)
            .flag("--assert")
            .trace(waves.is_some())
            .build()
            .map_err(failure(&config.name))?;
        Ok(Self {
            config: config.clone(),
            library,
            build_time: start.elapsed(),
            waves,
            reuse: false,
            kept: None,
            spent: (0, Duration::ZERO),
        })
    }

    /// Keeps one instance per program and resets it between runs.
    #[must_use]
    pub fn reuse(mut self) -> Self {
        self.reuse = true;
        self
    }

    /// Time the build took, or the look-up in the cache.
    pub const fn build_time(&self) -> Duration {
        self.build_time
    }

    /// The model was built before.
    pub fn from_cache(&self) -> bool {
        self.library.from_cache()
    }

    fn power_up(&self, seed: u32) -> Result<RtlDevice, SuiteError> {
        let waves = self.waves.as_deref();
        RtlDevice::new(&self.name(), &self.library, &self.config, seed, waves)
    }

    /// A device with the program loaded, reset and disabled.
    pub fn loaded(&self, program: &Program, seed: u32) -> Result<RtlDevice, SuiteError> {
        if let Some(d) = self.config.difference(&program.config) {
            return Err(failure(&self.config.name)(format!(
                "the program is for another configuration: {d}"
            )));
        }
        let mut device = self.power_up(seed)?;
        device.reset()?;
        device.load(&writes(program)?)?;
        device.reset()?;
        Ok(device)
    }

    /// A device with words loaded that need not be a valid program (for tests that corrupt one).
    pub fn loaded_with(&self, words: &[Write], seed: u32) -> Result<RtlDevice, SuiteError> {
        let mut device = self.power_up(seed)?;
        device.reset()?;
        device.load(words)?;
        device.reset()?;
        Ok(device)
    }

    /// Simulated cycles and the time they took, in devices this executor kept.
    pub const fn spent(&self) -> (u64, Duration) {
        self.spent
    }
}

/// A kept device, with its cost booked.
struct Kept<'a> {
    device: &'a mut RtlDevice,
    start: Instant,
    before: u64,
    spent: &'a mut (u64, Duration),
}

impl Device for Kept<'_> {
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError> {
        self.device.step(pins, sample)
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.spent.0 += self.device.cycles() - self.before;
        self.spent.1 += self.start.elapsed();
    }
}

impl Executor for RtlExecutor {
    fn name(&self) -> String {
        format!("RTL {}", self.config.name)
    }

    fn device(
        &mut self,
        program: &Arc<Program>,
        seed: u32,
    ) -> Result<Box<dyn Device + '_>, SuiteError> {
        if !self.reuse {
            return Ok(Box::new(self.loaded(program, seed)?));
        }
        let start = Instant::now();
        let mut before = 0;
        let device = match self.kept.take() {
            Some((p, mut d)) if Arc::ptr_eq(&p, program) => {
                before = d.cycles();
                d.reset()?;
                d
            }
            _ => self.loaded(program, seed)?,
        };
        let (_, device) = self.kept.insert((Arc::clone(program), device));
        Ok(Box::new(Kept {
            device,
            start,
            before,
            spent: &mut self.spent,
        }))
    }
}
