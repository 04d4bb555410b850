//! The accelerator with its configuration bus, Verilated: two unrelated clocks, an AXI4-Lite master, streams.
//!
//! | part | what |
//! |------|------|
//! | [`Clocks`] | periods in picoseconds, jitter of every edge; a clock can stand still |
//! | [`Master`] | AXI4-Lite: five channels with delays of their own, posted writes; the load stream where there is one |
//! | [`IpBench`] | both with the model; a [`Bus`] for the driver, a [`Device`] for the suite |
//! | [`Shared`] | the bench as bus and as load stream of one driver |
//!
//! **Contract.** Inputs of a domain change right after its rising edge, outputs are sampled right before it; edges that coincide are one
//! evaluation. As a `Device` a step is one compute cycle, in which the config clock runs on and the master goes on with its queue.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use sluice_driver::{Bus, Device as Driver, LoadImage, LoadStream, Loaded};
use sluice_isa::load_image::{StreamBeat, load_image, to_bytes};
use sluice_isa::{HardwareConfig, Program};
use sluice_sim::{Pins, Status};
use sluice_suite::device::Tick;
use sluice_suite::{Device, Executor, Sample, SuiteError};
use sluice_verilator_tests::rtl::emit_with_load_stream;
use verilator_sys::{Build, Library, Model, ModelOptions, Port, project_root};

use crate::support::Random;

/// Events without an answer before a wait is given up.
const PATIENCE: u32 = 2_000_000;

/// Periods, picoseconds.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    pub config: u64,
    pub compute: u64,
    /// Up to this much is added to a half period, at random.
    pub jitter: u32,
}

impl Clocks {
    pub const fn new(config: u64, compute: u64, jitter: u32) -> Self {
        Self {
            config,
            compute,
            jitter,
        }
    }
}

/// 100 MHz and 320 MHz.
pub const USUAL: Clocks = Clocks::new(10_000, 3_125, 0);

struct Clock {
    port: Port,
    half: u64,
    next: u64,
    high: bool,
    stopped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlaveError {
    pub address: u32,
}

impl fmt::Display for SlaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SLVERR at {:#08x}", self.address)
    }
}

/// A channel the master drives: what waits, and the delay before the next is offered.
#[derive(Default)]
pub struct Channel<T> {
    pub queue: VecDeque<T>,
    valid: bool,
    delay: u32,
}

impl<T> Channel<T> {
    /// The clock edge: `ready` was sampled before it. True when the offered item was taken.
    fn edge(&mut self, ready: bool, delay: u32) -> bool {
        let taken = self.valid && ready;
        if taken {
            self.queue.pop_front();
            self.valid = false;
            self.delay = delay;
        }
        if !self.valid && !self.queue.is_empty() {
            if self.delay == 0 {
                self.valid = true;
            } else {
                self.delay -= 1;
            }
        }
        taken
    }
}

/// AXI4-Lite master.
pub struct Master {
    aw: Channel<u32>,
    w: Channel<(u32, u8)>,
    ar: Channel<u32>,
    /// Beats of the load stream.
    pub load: Channel<StreamBeat>,
    b_ready: bool,
    r_ready: bool,
    /// Largest delay on any channel, config cycles.
    pub max_delay: u32,
    /// Addresses of writes without a response yet.
    waiting_writes: VecDeque<u32>,
    waiting_reads: VecDeque<u32>,
    /// Responses of writes, in order.
    pub write_responses: VecDeque<(u32, u8)>,
    pub read_responses: VecDeque<(u32, u32, u8)>,
}

struct Ports {
    config_reset: Port,
    aw: [Port; 3],
    w: [Port; 4],
    b: [Port; 3],
    ar: [Port; 3],
    r: [Port; 4],
    /// `tvalid`, `tready`, `tdata`, `tlast` of the load stream.
    load: Option<[Port; 4]>,
    irq: Port,
    stream_reset: Port,
    compute_reset: Port,
    select: [Port; 3],
    input: [Port; 3],
    output: [Port; 5],
    status: [Port; 4],
    tick: [Port; 3],
}

/// The model with its surroundings.
pub struct IpBench {
    model: Model,
    p: Ports,
    now: u64,
    config: Clock,
    compute: Clock,
    pub jitter: u32,
    random: Random,
    pub master: Master,
    /// Writes wait for their response; else they are posted.
    pub wait_for_response: bool,
    /// Exclusive or with the data of the n-th write from now on.
    pub corrupt: Option<(u32, u32)>,
    /// The same for word 0 of the n-th beat of the load stream.
    pub corrupt_beat: Option<(u32, u32)>,
    pub config_cycles: u64,
    block: usize,
    input: Vec<u32>,
}

/// The wrapper of a configuration, built or from the cache.
pub fn library(config: &HardwareConfig) -> Library {
    library_with_load_stream(config, 0)
}

/// The same with a load stream so many bits wide.
pub fn library_with_load_stream(config: &HardwareConfig, bits: u32) -> Library {
    let root = project_root().join("build/rtl");
    let (dir, sources) = emit_with_load_stream(config, bits, &root).unwrap();
    Build::new(format!("{}_ip", config.name))
        .top("sl_ip_top")
        .sources(sources)
        .include(dir)
        .flag("--assert")
        .build()
        .unwrap()
}

impl IpBench {
    /// A model after both resets.
    pub fn new(library: &Library, config: &HardwareConfig, clocks: Clocks, seed: u32) -> Self {
        let mut model = library.new_model(&ModelOptions::seeded(seed)).unwrap();
        let port = |name: &str| library.port(name).unwrap();
        let ports = |names: &[&str]| names.iter().map(|n| port(n)).collect::<Vec<_>>();
        let clock = |name: &str, period: u64, next: u64| Clock {
            port: port(name),
            half: period / 2,
            next,
            high: false,
            stopped: false,
        };
        let mut random = Random(u64::from(seed) + 1);
        for name in ["config_clock", "compute_clock"] {
            model.set_u64(port(name), 0).unwrap();
        }
        // The phase is anything, unless the periods are equal and nothing else moves them apart.
        let phase = if clocks.config == clocks.compute && clocks.jitter == 0 {
            1000
        } else {
            1000 + u64::from(random.below(u32::try_from(clocks.compute).unwrap()))
        };
        let p = Ports {
            config_reset: port("config_reset"),
            aw: ports(&["config_awvalid", "config_awready", "config_awaddr"])
                .try_into()
                .unwrap(),
            w: ports(&[
                "config_wvalid",
                "config_wready",
                "config_wdata",
                "config_wstrb",
            ])
            .try_into()
            .unwrap(),
            b: ports(&["config_bvalid", "config_bready", "config_bresp"])
                .try_into()
                .unwrap(),
            ar: ports(&["config_arvalid", "config_arready", "config_araddr"])
                .try_into()
                .unwrap(),
            r: ports(&[
                "config_rvalid",
                "config_rready",
                "config_rdata",
                "config_rresp",
            ])
            .try_into()
            .unwrap(),
            load: library.port("config_load_tvalid").is_ok().then(|| {
                ports(&[
                    "config_load_tvalid",
                    "config_load_tready",
                    "config_load_tdata",
                    "config_load_tlast",
                ])
                .try_into()
                .unwrap()
            }),
            irq: port("irq"),
            stream_reset: port("stream_reset"),
            compute_reset: port("compute_reset"),
            select: ports(&[
                "model_select_tvalid",
                "model_select_tready",
                "model_select_tdata",
            ])
            .try_into()
            .unwrap(),
            input: ports(&["input_tvalid", "input_tready", "input_tdata"])
                .try_into()
                .unwrap(),
            output: ports(&[
                "output_tvalid",
                "output_tready",
                "output_tdata",
                "output_tlast",
                "output_tkeep",
            ])
            .try_into()
            .unwrap(),
            status: ports(&["jobs_done", "bad_select_count", "last_bad_select", "busy"])
                .try_into()
                .unwrap(),
            tick: ports(&["trace_tick_valid", "trace_tick_pc", "trace_parity"])
                .try_into()
                .unwrap(),
        };
        let mut bench = Self {
            now: 0,
            config: clock("config_clock", clocks.config, 1000),
            compute: clock("compute_clock", clocks.compute, phase),
            jitter: clocks.jitter,
            random,
            master: Master {
                aw: Channel::default(),
                w: Channel::default(),
                ar: Channel::default(),
                load: Channel::default(),
                b_ready: false,
                r_ready: false,
                max_delay: 0,
                waiting_writes: VecDeque::new(),
                waiting_reads: VecDeque::new(),
                write_responses: VecDeque::new(),
                read_responses: VecDeque::new(),
            },
            wait_for_response: true,
            corrupt: None,
            corrupt_beat: None,
            config_cycles: 0,
            block: config.block_size as usize,
            input: vec![0; p.input[2].words()],
            model,
            p,
        };
        bench.reset();
        bench
    }

    /// Both resets, long enough for both clocks.
    pub fn reset(&mut self) {
        self.set(self.p.config_reset, 1);
        self.set(self.p.compute_reset, 1);
        self.quiet();
        let end = self.now + 10 * (self.config.half + self.compute.half);
        while self.now < end {
            self.event();
        }
        self.set(self.p.config_reset, 0);
        self.set(self.p.compute_reset, 0);
        self.settle();
    }

    fn set(&mut self, port: Port, value: u64) {
        self.model.set_u64(port, value).unwrap();
    }

    fn get(&self, port: Port) -> u64 {
        self.model.get_u64(port).unwrap()
    }

    fn settle(&mut self) {
        self.model.eval().unwrap();
    }

    /// No stream offers or takes anything.
    pub fn quiet(&mut self) {
        for port in [self.p.select[0], self.p.input[0], self.p.output[1]] {
            self.set(port, 0);
        }
        self.settle();
    }

    /// The pin `compute_reset`.
    pub fn compute_reset(&mut self, on: bool) {
        self.set(self.p.compute_reset, u64::from(on));
        self.settle();
    }

    /// Stops the compute clock, or lets it go on.
    pub fn stop_compute(&mut self, stopped: bool) {
        self.compute.stopped = stopped;
        if !stopped {
            self.compute.next = self.compute.next.max(self.now + 1);
        }
    }

    pub fn irq(&self) -> bool {
        self.get(self.p.irq) != 0
    }

    pub fn stream_reset(&self) -> bool {
        self.get(self.p.stream_reset) != 0
    }

    pub fn busy(&self) -> bool {
        self.get(self.p.status[3]) != 0
    }

    fn delay(&mut self) -> u32 {
        let max = self.master.max_delay;
        if max == 0 || self.random.one_in(2) {
            0
        } else {
            self.random.below(max + 1)
        }
    }

    /// The next edge of any clock; true when it was a rising edge of the compute clock.
    fn event(&mut self) -> bool {
        self.event_with(|_| ())
    }

    /// The same; `sample` sees the model right before a rising compute edge.
    fn event_with(&mut self, sample: impl FnOnce(&Self)) -> bool {
        let at = [&self.config, &self.compute]
            .iter()
            .filter(|c| !c.stopped)
            .map(|c| c.next)
            .min()
            .unwrap();
        let due = |c: &Clock| !c.stopped && c.next == at;
        let (config, compute) = (due(&self.config), due(&self.compute));
        let config_rises = config && !self.config.high;
        let compute_rises = compute && !self.compute.high;
        self.model.advance(at - self.now);
        self.now = at;
        if compute_rises {
            sample(self);
        }
        let sampled = config_rises.then(|| (self.sample_bus(), self.load_ready()));
        let jitter = self.jitter;
        for (clock, due) in [(&mut self.config, config), (&mut self.compute, compute)] {
            if due {
                clock.high = !clock.high;
                let late = if jitter == 0 {
                    0
                } else {
                    self.random.below(jitter + 1)
                };
                clock.next = at + clock.half + u64::from(late);
                self.model
                    .set_u64(clock.port, u64::from(clock.high))
                    .unwrap();
            }
        }
        self.settle();
        if let Some((sampled, load_ready)) = sampled {
            self.config_cycles += 1;
            self.drive_bus(&sampled);
            self.drive_load(load_ready);
            self.settle();
        }
        compute_rises
    }

    fn sample_bus(&self) -> [u64; 8] {
        let p = &self.p;
        [
            p.aw[1], p.w[1], p.ar[1], p.b[0], p.b[2], p.r[0], p.r[2], p.r[3],
        ]
        .map(|port| self.get(port))
    }

    fn drive_bus(&mut self, sampled: &[u64; 8]) {
        let [
            aw_ready,
            w_ready,
            ar_ready,
            b_valid,
            b_resp,
            r_valid,
            r_data,
            r_resp,
        ] = *sampled;
        let resp = |v: u64| u8::try_from(v).unwrap();
        if b_valid != 0 && self.master.b_ready {
            let address = self
                .master
                .waiting_writes
                .pop_front()
                .expect("surplus response");
            self.master
                .write_responses
                .push_back((address, resp(b_resp)));
        }
        if r_valid != 0 && self.master.r_ready {
            let address = self.master.waiting_reads.pop_front().expect("surplus data");
            let data = u32::try_from(r_data).unwrap();
            self.master
                .read_responses
                .push_back((address, data, resp(r_resp)));
        }
        let delays = [(); 5].map(|()| self.delay());
        let m = &mut self.master;
        m.aw.edge(aw_ready != 0, delays[0]);
        m.w.edge(w_ready != 0, delays[1]);
        m.ar.edge(ar_ready != 0, delays[2]);
        m.b_ready = delays[3] == 0;
        m.r_ready = delays[4] == 0;
        let (aw, w, ar) = (
            m.aw.queue.front().filter(|_| m.aw.valid).copied(),
            m.w.queue.front().filter(|_| m.w.valid).copied(),
            m.ar.queue.front().filter(|_| m.ar.valid).copied(),
        );
        let (b_ready, r_ready) = (m.b_ready, m.r_ready);
        self.set(self.p.aw[0], u64::from(aw.is_some()));
        self.set(self.p.w[0], u64::from(w.is_some()));
        self.set(self.p.ar[0], u64::from(ar.is_some()));
        if let Some(address) = aw {
            self.set(self.p.aw[2], u64::from(address));
        }
        if let Some((data, strobe)) = w {
            self.set(self.p.w[2], u64::from(data));
            self.set(self.p.w[3], u64::from(strobe));
        }
        if let Some(address) = ar {
            self.set(self.p.ar[2], u64::from(address));
        }
        self.set(self.p.b[1], u64::from(b_ready));
        self.set(self.p.r[1], u64::from(r_ready));
    }

    fn load_ready(&self) -> bool {
        self.p.load.is_some_and(|load| self.get(load[1]) != 0)
    }

    fn drive_load(&mut self, ready: bool) {
        let Some([valid, _, data, last]) = self.p.load else {
            return;
        };
        let delay = self.delay();
        let load = &mut self.master.load;
        load.edge(ready, delay);
        let offered = load.queue.front().filter(|_| load.valid).cloned();
        self.set(valid, u64::from(offered.is_some()));
        if let Some(beat) = offered {
            self.set(last, u64::from(beat.last));
            if data.width() <= 64 {
                let value = beat.words.iter().rev();
                self.set(data, value.fold(0, |v, &w| v << 32 | u64::from(w)));
            } else {
                self.model.set_words(data, &beat.words).unwrap();
            }
        }
    }

    /// Queues a beat of the load stream; it goes out with the clock.
    pub fn post_beat(&mut self, words: &[u32], last: bool) {
        assert!(self.p.load.is_some(), "a bench without a load stream");
        let mut words = words.to_vec();
        match &mut self.corrupt_beat {
            Some((0, mask)) => {
                words[0] ^= *mask;
                self.corrupt_beat = None;
            }
            Some((n, _)) => *n -= 1,
            None => {}
        }
        self.master.load.queue.push_back(StreamBeat { words, last });
    }

    /// Runs until every beat has been taken.
    pub fn flush_beats(&mut self) {
        self.run_until("load stream", |m| m.load.queue.is_empty());
    }

    /// Queues a write; it goes out with the clock.
    pub fn post(&mut self, address: u32, data: u32, strobe: u8) {
        let mut data = data;
        match &mut self.corrupt {
            Some((0, mask)) => {
                data ^= *mask;
                self.corrupt = None;
            }
            Some((n, _)) => *n -= 1,
            None => {}
        }
        self.master.aw.queue.push_back(address);
        self.master.w.queue.push_back((data, strobe));
        self.master.waiting_writes.push_back(address);
    }

    /// Queues a read.
    pub fn post_read(&mut self, address: u32) {
        self.master.ar.queue.push_back(address);
        self.master.waiting_reads.push_back(address);
    }

    fn run_until(&mut self, what: &str, done: impl Fn(&Master) -> bool) {
        for _ in 0..PATIENCE {
            if done(&self.master) {
                return;
            }
            self.event();
        }
        panic!("the bus hangs: {what}");
    }

    /// A write and its response, whatever it is.
    pub fn write(&mut self, address: u32, data: u32, strobe: u8) -> u8 {
        self.flush();
        self.post(address, data, strobe);
        self.run_until("write", |m| !m.write_responses.is_empty());
        self.master.write_responses.pop_front().unwrap().1
    }

    /// A read and its response.
    pub fn read(&mut self, address: u32) -> (u32, u8) {
        self.flush();
        self.post_read(address);
        self.run_until("read", |m| !m.read_responses.is_empty());
        let (_, data, resp) = self.master.read_responses.pop_front().unwrap();
        (data, resp)
    }

    /// Runs until every queued access has been answered; returns the addresses of writes answered with an error.
    pub fn flush(&mut self) -> Vec<u32> {
        self.run_until("flush", |m| {
            m.waiting_writes.is_empty() && m.waiting_reads.is_empty()
        });
        self.master.read_responses.clear();
        self.master
            .write_responses
            .drain(..)
            .filter(|(_, resp)| *resp != 0)
            .map(|(address, _)| address)
            .collect()
    }

    /// Config cycles pass.
    pub fn idle(&mut self, config_cycles: u64) {
        let end = self.config_cycles + config_cycles;
        while self.config_cycles < end {
            self.event();
        }
    }

    fn set_pins(&mut self, pins: &Pins<'_>) {
        self.set(self.p.compute_reset, u64::from(pins.reset));
        self.set(self.p.select[0], u64::from(pins.select_valid));
        self.set(self.p.select[2], u64::from(pins.select_data));
        self.set(self.p.input[0], u64::from(pins.input_valid));
        if pins.input_valid {
            for (w, pair) in self.input.iter_mut().zip(pins.input_data.chunks(2)) {
                *w = u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 16;
            }
            let port = self.p.input[2];
            if port.width() <= 64 {
                let value = self
                    .input
                    .iter()
                    .rev()
                    .fold(0, |v, &w| v << 32 | u64::from(w));
                self.set(port, value);
            } else {
                self.model.set_words(port, &self.input).unwrap();
            }
        }
        self.set(self.p.output[1], u64::from(pins.output_ready));
        self.settle();
    }

    fn words(&self, port: Port) -> Vec<u32> {
        if port.width() <= 64 {
            let v = self.get(port);
            vec![(v & 0xFFFF_FFFF) as u32, (v >> 32) as u32]
        } else {
            self.model.words(port).unwrap().to_vec()
        }
    }

    fn sample(&self, sample: &mut Sample) {
        let p = &self.p;
        let get32 = |port| u32::try_from(self.get(port)).unwrap();
        sample.select_ready = self.get(p.select[1]) != 0;
        sample.input_ready = self.get(p.input[1]) != 0;
        sample.output_valid = self.get(p.output[0]) != 0;
        sample.output_last = sample.output_valid && self.get(p.output[3]) != 0;
        sample.output_data.clear();
        if sample.output_valid {
            let words = self.words(p.output[2]);
            sample.output_data.extend(
                words
                    .iter()
                    .flat_map(|&w| [(w & 0xFFFF) as u16, (w >> 16) as u16])
                    .take(self.block),
            );
            let keep: u32 = self.words(p.output[4]).iter().map(|w| w.count_ones()).sum();
            assert_eq!(keep, p.output[4].width(), "output_tkeep is all ones");
        }
        sample.status = Status {
            jobs_done: get32(p.status[0]),
            bad_select_count: get32(p.status[1]),
            last_bad_select: u16::try_from(self.get(p.status[2])).unwrap(),
            busy: false,
        };
        sample.tick = (self.get(p.tick[0]) != 0).then(|| Tick {
            pc: get32(p.tick[1]),
            parity: u8::from(self.get(p.tick[2]) != 0),
        });
    }
}

impl Device for IpBench {
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError> {
        self.set_pins(pins);
        while !self.event_with(|bench| bench.sample(sample)) {}
        Ok(())
    }
}

impl Device for &mut IpBench {
    fn step(&mut self, pins: &Pins<'_>, sample: &mut Sample) -> Result<(), SuiteError> {
        (**self).step(pins, sample)
    }
}

impl Bus for IpBench {
    type Error = SlaveError;

    fn read32(&mut self, address: u32) -> Result<u32, SlaveError> {
        let failed = self.flush();
        let (data, resp) = self.read(address);
        // A posted write's error is no concern of the read; the sticky register has it.
        drop(failed);
        if resp == 0 {
            Ok(data)
        } else {
            Err(SlaveError { address })
        }
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), SlaveError> {
        if self.wait_for_response {
            return match self.write(address, data, 0xF) {
                0 => Ok(()),
                _ => Err(SlaveError { address }),
            };
        }
        self.post(address, data, 0xF);
        self.run_until("posted write", |m| m.aw.queue.len() < 4);
        Ok(())
    }
}

/// A bench that is bus and load stream at once.
pub struct Shared<'a>(pub &'a RefCell<IpBench>);

impl Bus for Shared<'_> {
    type Error = SlaveError;

    fn read32(&mut self, address: u32) -> Result<u32, SlaveError> {
        self.0.borrow_mut().read32(address)
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), SlaveError> {
        self.0.borrow_mut().write32(address, data)
    }
}

impl<const N: usize> LoadStream<N> for Shared<'_> {
    type Error = SlaveError;

    fn beat(&mut self, words: &[u32; N], last: bool) -> Result<(), SlaveError> {
        let mut bench = self.0.borrow_mut();
        bench.post_beat(words, last);
        bench.run_until("load stream", |m| m.load.queue.len() < 16);
        Ok(())
    }
}

/// The image of a program as a driver gets it.
pub fn image(program: &Program) -> Vec<u8> {
    to_bytes(&load_image(program).unwrap())
}

/// Loads and enables a program through the driver.
pub fn load(bench: &mut IpBench, program: &Program) -> Loaded {
    let bytes = image(program);
    let mut driver = Driver::open(&mut *bench).unwrap();
    let loaded = driver.load(&LoadImage::parse(&bytes).unwrap()).unwrap();
    driver.enable().unwrap();
    loaded
}

/// Executor of the suite: a new bench per run, loaded through the driver.
pub struct BusExecutor {
    pub config: HardwareConfig,
    pub library: Library,
    pub clocks: Clocks,
    pub max_delay: u32,
}

impl Executor for BusExecutor {
    fn name(&self) -> String {
        format!("bus {} {:?}", self.config.name, self.clocks)
    }

    fn device(
        &mut self,
        program: &Arc<Program>,
        seed: u32,
    ) -> Result<Box<dyn Device + '_>, SuiteError> {
        let mut bench = IpBench::new(&self.library, &self.config, self.clocks, seed);
        bench.master.max_delay = self.max_delay;
        load(&mut bench, program);
        Ok(Box::new(bench))
    }
}
