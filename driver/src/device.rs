//! The accelerator behind a bus.
//!
//! | step | registers |
//! |------|-----------|
//! | [`Device::open`] | identity, version, configuration hash, capability |
//! | [`Device::load`] | soft reset, wait until idle, load, windows, checksum; then `program_ok` |
//! | [`Device::load_streamed`] | the same, with the load words as beats of the load stream |
//! | [`Device::enable`], [`Device::disable`], [`Device::reset`] | control; wait until it took effect |
//! | [`Device::counters`], [`Device::model_jobs`] | counts since the compute side's reset |
//!
//! **Contract.** Whatever is refused leaves the accelerator as it was, except that a load that began has ended the program before it.
//! Waiting is bounded by [`Device::set_polls`] reads of the status register.
//! **Errors.** [`Error`]; with a bus that reports error responses the accelerator's reason comes first.

use core::convert::Infallible;

use crate::bus::{Bus, LoadStream};
use crate::error::{Error, Errors};
use crate::image::LoadImage;
use crate::map;

/// What the accelerator says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Register map, major and minor number.
    pub version: (u16, u16),
    /// Hash of the configuration; a program carries the same.
    pub config_hash: u64,
    /// Compute cores.
    pub num_cores: u32,
    /// Values in a block.
    pub block_size: u32,
    /// Register stages of the exchange.
    pub exchange_stages: u32,
    /// 32-bit words of the widest load word.
    pub load_words: u32,
    /// Weight blocks per core.
    pub weight_depth: u32,
    /// An address of the weight stores may hold two FP8 blocks.
    pub fp8_weights: bool,
    /// Constant blocks per core.
    pub const_depth: u32,
    /// Blocks in a tensor bank.
    pub tensor_depth: u32,
    /// Accumulator blocks per core.
    pub accum_depth: u32,
    /// Clamp entries per core.
    pub clamp_depth: u32,
    /// Ticks of all models together.
    pub ticks: u32,
    /// Resident models.
    pub max_models: u32,
    /// Model-select beats that may wait.
    pub select_fifo: u32,
    /// Output beats that may wait.
    pub output_fifo: u32,
    /// 32-bit words of a load stream beat, 0 without a load stream.
    pub stream_words: u32,
}

/// The register `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    const fn bit(self, mask: u32) -> bool {
        self.0 & mask != 0
    }

    /// The compute side takes jobs.
    pub const fn enabled(self) -> bool {
        self.bit(map::STATUS_ENABLED)
    }

    /// A job is running or its pipelines empty.
    pub const fn busy(self) -> bool {
        self.bit(map::STATUS_BUSY)
    }

    /// Enable or reset has not taken effect yet.
    pub const fn settling(self) -> bool {
        self.bit(map::STATUS_SETTLING)
    }

    /// Disabled and empty.
    pub const fn idle(self) -> bool {
        self.bit(map::STATUS_IDLE)
    }

    /// A load has begun and is not finished.
    pub const fn loading(self) -> bool {
        self.bit(map::STATUS_LOADING)
    }

    /// A program is loaded and its checksum matches.
    pub const fn program_ok(self) -> bool {
        self.bit(map::STATUS_PROGRAM_OK)
    }

    /// An error that is not masked is set.
    pub const fn interrupt(self) -> bool {
        self.bit(map::STATUS_INTERRUPT)
    }
}

/// Counts since the compute side's reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Compute cycles.
    pub cycles: u64,
    /// Those with a job in the pipelines.
    pub busy_cycles: u64,
    /// Jobs finished.
    pub jobs_done: u32,
    /// Model-select beats out of range.
    pub bad_select_count: u32,
    /// Index of the last of them.
    pub last_bad_select: u16,
}

/// A finished load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Window words written.
    pub words: u32,
    /// Checksum, the same on both sides.
    pub checksum: u32,
    /// Resident models.
    pub num_models: u32,
}

/// An accelerator that has been identified.
#[derive(Debug)]
pub struct Device<B> {
    bus: B,
    identity: Identity,
    polls: u32,
}

/// A field of a register's value.
const fn field(value: u32, mask: u32) -> u32 {
    (value & mask) >> mask.trailing_zeros()
}

pub(crate) fn without_bus<E>(error: Error<Infallible>) -> Error<E> {
    match error {
        Error::Corrupt(why) => Error::Corrupt(why),
        Error::ImageVersion { found } => Error::ImageVersion { found },
        Error::Bus(never) => match never {},
        // A load image has no other way to be wrong.
        _ => Error::Corrupt("unreadable"),
    }
}

impl<B: Bus> Device<B> {
    /// Identifies the accelerator.
    pub fn open(mut bus: B) -> Result<Self, Error<B::Error>> {
        let found = bus.read32(map::IDENTITY).map_err(Error::Bus)?;
        if found != map::IDENTITY_VALUE {
            return Err(Error::Identity { found });
        }
        let mut read = |address| bus.read32(address).map_err(Error::Bus);
        let version = read(map::VERSION)?;
        let [_, _, major_low, major_high] = version.to_le_bytes().map(u16::from);
        let [minor_low, minor_high, ..] = version.to_le_bytes().map(u16::from);
        let version = (major_low | major_high << 8, minor_low | minor_high << 8);
        let minors = map::VERSION_MINOR_VALUE..=u32::from(u16::MAX);
        if u32::from(version.0) != map::VERSION_MAJOR_VALUE
            || !minors.contains(&u32::from(version.1))
        {
            return Err(Error::Version { found: version });
        }
        let config_hash =
            u64::from(read(map::CONFIG_HASH)?) | u64::from(read(map::CONFIG_HASH + 4)?) << 32;
        let shape = read(map::CAPABILITY_SHAPE)?;
        let stores = read(map::CAPABILITY_STORES)?;
        let tensors = read(map::CAPABILITY_TENSORS)?;
        let program = read(map::CAPABILITY_PROGRAM)?;
        let streams = read(map::CAPABILITY_STREAMS)?;
        let load = read(map::CAPABILITY_LOAD)?;
        Ok(Self {
            bus,
            identity: Identity {
                version,
                config_hash,
                num_cores: field(shape, map::CAPABILITY_SHAPE_NUM_CORES),
                block_size: field(shape, map::CAPABILITY_SHAPE_BLOCK_SIZE),
                exchange_stages: field(shape, map::CAPABILITY_SHAPE_EXCHANGE_STAGES),
                load_words: field(shape, map::CAPABILITY_SHAPE_LOAD_WORDS),
                weight_depth: field(stores, map::CAPABILITY_STORES_WEIGHT_DEPTH),
                fp8_weights: field(stores, map::CAPABILITY_STORES_FP8_WEIGHTS) != 0,
                const_depth: field(stores, map::CAPABILITY_STORES_CONST_DEPTH),
                tensor_depth: field(tensors, map::CAPABILITY_TENSORS_TENSOR_DEPTH),
                accum_depth: field(tensors, map::CAPABILITY_TENSORS_ACCUM_DEPTH),
                clamp_depth: field(tensors, map::CAPABILITY_TENSORS_CLAMP_DEPTH),
                ticks: field(program, map::CAPABILITY_PROGRAM_TICKS),
                max_models: field(program, map::CAPABILITY_PROGRAM_MAX_MODELS),
                select_fifo: field(streams, map::CAPABILITY_STREAMS_SELECT_FIFO),
                output_fifo: field(streams, map::CAPABILITY_STREAMS_OUTPUT_FIFO),
                stream_words: field(load, map::CAPABILITY_LOAD_STREAM_WORDS),
            },
            polls: 100_000,
        })
    }

    /// Reads of the status register before a wait is given up.
    pub fn set_polls(&mut self, polls: u32) {
        self.polls = polls;
    }

    /// What the accelerator says of itself.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The bus, for registers the driver has no function for.
    pub fn bus(&mut self) -> &mut B {
        &mut self.bus
    }

    fn read(&mut self, address: u32) -> Result<u32, Error<B::Error>> {
        self.bus.read32(address).map_err(Error::Bus)
    }

    fn write(&mut self, address: u32, data: u32) -> Result<(), Error<B::Error>> {
        self.bus.write32(address, data).map_err(Error::Bus)
    }

    /// The register `status`.
    pub fn status(&mut self) -> Result<Status, Error<B::Error>> {
        self.read(map::STATUS).map(Status)
    }

    /// Errors since they were cleared.
    pub fn errors(&mut self) -> Result<Errors, Error<B::Error>> {
        self.read(map::ERROR).map(Errors)
    }

    /// Clears errors.
    pub fn clear_errors(&mut self, which: Errors) -> Result<(), Error<B::Error>> {
        self.write(map::ERROR, which.0)
    }

    /// Chooses the errors that raise the interrupt.
    pub fn set_error_mask(&mut self, which: Errors) -> Result<(), Error<B::Error>> {
        self.write(map::ERROR_MASK, which.0)
    }

    fn wait(
        &mut self,
        what: &'static str,
        done: impl Fn(Status) -> bool,
    ) -> Result<Status, Error<B::Error>> {
        for _ in 0..self.polls {
            let status = self.status()?;
            if done(status) {
                return Ok(status);
            }
        }
        Err(Error::Timeout(what))
    }

    /// After writes that may have been refused: the accelerator's reason, else the bus's, else the result.
    fn reason<T>(&mut self, sent: Result<T, Error<B::Error>>) -> Result<T, Error<B::Error>> {
        let errors = Errors(self.errors()?.0 & Errors::LOADING.0);
        if errors.is_empty() {
            return sent;
        }
        self.clear_errors(errors)?;
        Err(Error::Refused(errors))
    }

    /// Lets jobs begin. Needs a loaded program; the first enable after a load starts every model from its initial state.
    pub fn enable(&mut self) -> Result<(), Error<B::Error>> {
        self.clear_errors(Errors::LOADING)?;
        let sent = self.write(map::CONTROL, map::CONTROL_ENABLE);
        self.reason(sent)?;
        self.wait("enabled", |s| s.enabled() && !s.settling())?;
        Ok(())
    }

    /// Lets no more jobs begin. The running one ends; see [`Status::busy`].
    pub fn disable(&mut self) -> Result<(), Error<B::Error>> {
        self.write(map::CONTROL, 0)?;
        self.wait("disabled", |s| !s.enabled() && !s.settling())?;
        Ok(())
    }

    /// Resets the compute side: jobs, beats, model state and counts are gone, program and enable stay.
    pub fn reset(&mut self) -> Result<(), Error<B::Error>> {
        let control = self.read(map::CONTROL)? & map::CONTROL_ENABLE;
        self.write(map::CONTROL, control | map::CONTROL_SOFT_RESET)?;
        self.wait("ready after a reset", |s| !s.settling())?;
        Ok(())
    }

    /// Replaces the program. The accelerator is disabled afterwards.
    pub fn load(&mut self, image: &LoadImage<'_>) -> Result<Loaded, Error<B::Error>> {
        self.load_by(image, Self::send)
    }

    /// [`Device::load`] with the load words as packets of the load stream; registers go over the bus as ever.
    pub fn load_streamed<const N: usize, S: LoadStream<N, Error = B::Error>>(
        &mut self,
        image: &LoadImage<'_>,
        stream: &mut S,
    ) -> Result<Loaded, Error<B::Error>> {
        let found = self.identity.stream_words;
        if u32::try_from(N) != Ok(found) {
            return Err(Error::LoadStream { asked: N, found });
        }
        self.load_by(image, |device, image| device.send_packets(image, stream))
    }

    fn load_by(
        &mut self,
        image: &LoadImage<'_>,
        send: impl FnOnce(&mut Self, &LoadImage<'_>) -> Result<u32, Error<B::Error>>,
    ) -> Result<Loaded, Error<B::Error>> {
        if image.config_hash() != self.identity.config_hash {
            return Err(Error::Configuration {
                device: self.identity.config_hash,
                program: image.config_hash(),
            });
        }
        // A job may wait for beats that never come: only a reset certainly ends it.
        self.write(map::CONTROL, map::CONTROL_SOFT_RESET)?;
        self.wait("idle", Status::idle)?;
        self.clear_errors(Errors::LOADING)?;
        let sent = send(self, image);
        let errors = Errors(self.errors()?.0 & Errors::LOADING.0);
        if errors == Errors(map::ERROR_CHECKSUM) {
            let found = self.read(map::LOAD_CHECKSUM)?;
            self.clear_errors(errors)?;
            return Err(Error::Checksum {
                expected: image.checksum(),
                found,
            });
        }
        let words = self.reason(sent)?;
        if !self.status()?.program_ok() {
            return Err(Error::Refused(Errors::default()));
        }
        Ok(Loaded {
            words,
            checksum: image.checksum(),
            num_models: self.read(map::NUM_MODELS)?,
        })
    }

    /// [`Device::load`] for the bytes of a load image.
    pub fn load_bytes(&mut self, bytes: &[u8]) -> Result<Loaded, Error<B::Error>> {
        let image = LoadImage::parse(bytes).map_err(without_bus)?;
        self.load(&image)
    }

    fn send(&mut self, image: &LoadImage<'_>) -> Result<u32, Error<B::Error>> {
        let mut count = 0;
        self.write(map::CONTROL, map::CONTROL_LOAD)?;
        for run in image.runs() {
            self.write(map::LOAD_ADDRESS, run.address)?;
            let mut slots = (map::LOAD_WINDOW..).step_by(4).take(run.width).cycle();
            for word in run.words.iter() {
                let slot = slots.next().unwrap_or(map::LOAD_WINDOW);
                self.write(slot, word)?;
                count += 1;
            }
        }
        self.write(map::PROGRAM_CHECKSUM, image.checksum())?;
        Ok(count)
    }

    fn send_packets<const N: usize, S: LoadStream<N, Error = B::Error>>(
        &mut self,
        image: &LoadImage<'_>,
        stream: &mut S,
    ) -> Result<u32, Error<B::Error>> {
        let mut count = 0;
        self.write(map::CONTROL, map::CONTROL_LOAD)?;
        for run in image.runs() {
            let mut left = run.words.len();
            let mut beat = [0; N];
            if let Some(first) = beat.first_mut() {
                *first = run.address;
            }
            stream.beat(&beat, left == 0).map_err(Error::Bus)?;
            // Words of the load word before the beat, and in it.
            let (mut before, mut filled) = (0, 0);
            beat = [0; N];
            for word in run.words.iter() {
                if let Some(slot) = beat.get_mut(filled) {
                    *slot = word;
                }
                filled += 1;
                left -= 1;
                count += 1;
                let whole = before + filled == run.width;
                if filled == N || whole {
                    stream.beat(&beat, left == 0).map_err(Error::Bus)?;
                    before = if whole { 0 } else { before + filled };
                    filled = 0;
                    beat = [0; N];
                }
            }
        }
        stream.flush().map_err(Error::Bus)?;
        // Beats may be on their way; the checksum is that of what has been taken.
        for _ in 0..self.polls {
            if self.read(map::LOAD_COUNT)? == count {
                self.write(map::PROGRAM_CHECKSUM, image.checksum())?;
                return Ok(count);
            }
            if self.errors()?.any(Errors::LOADING.0) {
                break;
            }
        }
        Err(Error::Timeout("done with the load stream"))
    }

    fn read64(&mut self, address: u32) -> Result<u64, Error<B::Error>> {
        // The halves are read one after the other: again, if the upper has moved.
        let mut high = self.read(address + 4)?;
        loop {
            let low = self.read(address)?;
            let again = self.read(address + 4)?;
            if high == again {
                return Ok(u64::from(high) << 32 | u64::from(low));
            }
            high = again;
        }
    }

    /// Counts since the compute side's reset.
    pub fn counters(&mut self) -> Result<Counters, Error<B::Error>> {
        let last = self.read(map::LAST_BAD_SELECT)?.to_le_bytes();
        Ok(Counters {
            cycles: self.read64(map::CYCLES)?,
            busy_cycles: self.read64(map::BUSY_CYCLES)?,
            jobs_done: self.read(map::JOBS_DONE)?,
            bad_select_count: self.read(map::BAD_SELECT_COUNT)?,
            last_bad_select: u16::from_le_bytes([last[0], last[1]]),
        })
    }

    fn check_model(&self, model: u32) -> Result<(), Error<B::Error>> {
        let limit = self.identity.max_models;
        if model >= limit {
            return Err(Error::Model { model, limit });
        }
        Ok(())
    }

    /// Jobs a model finished since the compute side's reset.
    pub fn model_jobs(&mut self, model: u32) -> Result<u32, Error<B::Error>> {
        self.check_model(model)?;
        self.read(map::MODEL_JOBS + 4 * model)
    }

    /// The record of a model as loaded, zero where there is none.
    pub fn model_record(&mut self, model: u32) -> Result<[u32; 4], Error<B::Error>> {
        self.check_model(model)?;
        let mut record = [0; 4];
        for (word, address) in record
            .iter_mut()
            .zip((map::MODEL_TABLE + 16 * model..).step_by(4))
        {
            *word = self.read(address)?;
        }
        Ok(record)
    }
}
