//! The driver against registers in memory: what it checks, what it says, in which order it writes. The RTL is in `verilator-tests/tests/bus.rs`.

use std::collections::HashMap;
use std::convert::Infallible;

use sluice_driver::{Bus, Device, Error, Errors, Functions, LoadImage, map};
use sluice_isa::load::crc32;
use sluice_isa::load_image;
use sluice_isa::presets::preset;
use sluice_isa::registers::{config_hash, register};

/// An accelerator as the driver sees it: the load sequence and the checksum, nothing of the machine.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent switches of a fake device"
)]
struct Fake {
    words: HashMap<u32, u32>,
    loading: bool,
    program_ok: bool,
    enabled: bool,
    address: u32,
    /// Words per load word.
    width: u32,
    window: Vec<u32>,
    stream: Vec<u32>,
    loaded: Vec<(u32, Vec<u32>)>,
    log: Vec<(u32, u32)>,
    /// Never idle, never settled.
    dead: bool,
    /// Drops the n-th window word.
    drop_word: Option<usize>,
}

impl Fake {
    fn new() -> Self {
        let hash = config_hash(&preset("c1b4").unwrap());
        let low_high = hash.to_le_bytes();
        let word = |i: usize| u32::from_le_bytes(low_high[4 * i..4 * i + 4].try_into().unwrap());
        let words = HashMap::from([
            (map::IDENTITY, map::IDENTITY_VALUE),
            (
                map::VERSION,
                map::VERSION_MAJOR_VALUE << map::VERSION_MAJOR_LSB | map::VERSION_MINOR_VALUE,
            ),
            (map::CONFIG_HASH, word(0)),
            (map::CONFIG_HASH + 4, word(1)),
            (
                map::CAPABILITY_PROGRAM,
                16 << map::CAPABILITY_PROGRAM_MAX_MODELS_LSB,
            ),
        ]);
        Self {
            words,
            loading: false,
            program_ok: false,
            enabled: false,
            address: 0,
            width: 2,
            window: Vec::new(),
            stream: Vec::new(),
            loaded: Vec::new(),
            log: Vec::new(),
            dead: false,
            drop_word: None,
        }
    }

    fn set(&mut self, address: u32, data: u32) {
        self.words.insert(address, data);
    }

    fn raise(&mut self, bit: u32) {
        *self.words.entry(map::ERROR).or_default() |= bit;
    }

    fn control(&mut self, data: u32) {
        if data & map::CONTROL_ENABLE != 0 && !self.program_ok {
            return self.raise(map::ERROR_ENABLE_REFUSED);
        }
        self.enabled = data & map::CONTROL_ENABLE != 0;
        if data & map::CONTROL_LOAD != 0 {
            self.loading = true;
            self.program_ok = false;
            self.stream.clear();
            self.loaded.clear();
            self.window.clear();
        }
    }

    fn word(&mut self, index: u32, data: u32) {
        if let Some(n) = &mut self.drop_word {
            if *n == 0 {
                self.drop_word = None;
                return;
            }
            *n -= 1;
        }
        if !self.loading {
            return self.raise(map::ERROR_LOAD_REFUSED);
        }
        if index as usize != self.window.len() {
            return self.raise(map::ERROR_LOAD_ORDER);
        }
        self.window.push(data);
        self.stream.push(data);
        if index + 1 == self.width {
            self.stream.push(self.address);
            self.loaded
                .push((self.address, std::mem::take(&mut self.window)));
            self.address += 1;
        }
    }
}

impl Bus for Fake {
    type Error = Infallible;

    fn read32(&mut self, address: u32) -> Result<u32, Infallible> {
        Ok(match address {
            map::STATUS if self.dead => map::STATUS_SETTLING,
            map::STATUS => [
                (self.enabled, map::STATUS_ENABLED),
                (!self.enabled, map::STATUS_IDLE),
                (self.program_ok, map::STATUS_PROGRAM_OK),
            ]
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, bit)| bit)
            .sum(),
            map::CONTROL => u32::from(self.enabled),
            map::LOAD_CHECKSUM => crc32(&self.stream),
            _ => self.words.get(&address).copied().unwrap_or(0),
        })
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), Infallible> {
        self.log.push((address, data));
        match address {
            map::CONTROL => self.control(data),
            map::ERROR => *self.words.entry(map::ERROR).or_default() &= !data,
            map::LOAD_ADDRESS => self.address = data,
            map::PROGRAM_CHECKSUM => {
                self.loading = false;
                self.program_ok = data == crc32(&self.stream);
                if !self.program_ok {
                    self.raise(map::ERROR_CHECKSUM);
                }
            }
            _ if address >= map::LOAD_WINDOW => self.word((address - map::LOAD_WINDOW) / 4, data),
            _ => self.set(address, data),
        }
        Ok(())
    }
}

/// Two runs of load words of two: three at 0x100, one at 0x200.
fn image() -> Vec<u32> {
    let hash = config_hash(&preset("c1b4").unwrap()).to_le_bytes();
    let word = |i: usize| u32::from_le_bytes(hash[4 * i..4 * i + 4].try_into().unwrap());
    let runs = [0x100, 3, 2, 1, 2, 3, 4, 5, 6, 0x200, 1, 2, 7, 8];
    let stream = [1, 2, 0x100, 3, 4, 0x101, 5, 6, 0x102, 7, 8, 0x200];
    let mut image = vec![
        load_image::MAGIC,
        load_image::FORMAT_VERSION,
        word(0),
        word(1),
        crc32(&stream),
        14,
        crc32(&runs),
    ];
    image.extend(runs);
    image
}

fn bytes() -> Vec<u8> {
    load_image::to_bytes(&image())
}

#[test]
fn loads_in_order() {
    let mut fake = Fake::new();
    let mut device = Device::open(&mut fake).unwrap();
    assert_eq!(
        device.enable().unwrap_err(),
        Error::Refused(Errors(map::ERROR_ENABLE_REFUSED))
    );
    let loaded = device.load_bytes(&bytes()).unwrap();
    assert_eq!(loaded.words, 8);
    device.enable().unwrap();
    assert!(device.status().unwrap().enabled());
    device.disable().unwrap();
    let expected = [
        (0x100, vec![1, 2]),
        (0x101, vec![3, 4]),
        (0x102, vec![5, 6]),
        (0x200, vec![7, 8]),
    ];
    assert_eq!(fake.loaded, expected);
    // Reset first, then the load, then nothing but window and addresses up to the checksum.
    let controls: Vec<u32> = fake
        .log
        .iter()
        .filter(|(a, _)| *a == map::CONTROL)
        .map(|(_, d)| *d)
        .collect();
    assert_eq!(
        controls,
        [
            map::CONTROL_ENABLE,
            map::CONTROL_SOFT_RESET,
            map::CONTROL_LOAD,
            map::CONTROL_ENABLE,
            0
        ]
    );
}

#[test]
fn wrong_devices_are_told_apart() {
    let open = |change: fn(&mut Fake)| {
        let mut fake = Fake::new();
        change(&mut fake);
        Device::open(fake).map(|_| ()).unwrap_err()
    };
    let error = open(|f| f.set(map::IDENTITY, 0xFFFF_FFFF));
    assert_eq!(error, Error::Identity { found: u32::MAX });
    assert!(error.to_string().contains("SL-D002"), "{error}");
    let error = open(|f| f.set(map::VERSION, 2 << 16));
    assert_eq!(error, Error::Version { found: (2, 0) });

    let mut fake = Fake::new();
    fake.words.insert(map::CONFIG_HASH, 1);
    let mut device = Device::open(fake).unwrap();
    let error = device.load_bytes(&bytes()).unwrap_err();
    assert_eq!(error.code(), "SL-D004");
    assert!(device.bus().log.is_empty(), "nothing was written");
    // A newer minor version only adds registers.
    let mut fake = Fake::new();
    fake.words
        .insert(map::VERSION, map::VERSION_MAJOR_VALUE << 16 | 7);
    assert_eq!(Device::open(fake).unwrap().identity().version, (1, 7));
}

#[test]
fn every_damaged_bit_of_an_image_is_seen() {
    let good = bytes();
    LoadImage::parse(&good).unwrap();
    for bit in 0..8 * good.len() {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let word = bit / 32;
        match LoadImage::parse(&bad) {
            Err(e) => assert!(["SL-D005", "SL-D006"].contains(&e.code()), "bit {bit}: {e}"),
            // Hash and checksum are for the accelerator to compare.
            Ok(image) => {
                assert!((2..=4).contains(&word), "bit {bit}");
                let mut device = Device::open(Fake::new()).unwrap();
                let error = device.load(&image).unwrap_err();
                let code = if word == 4 { "SL-D007" } else { "SL-D004" };
                assert_eq!(error.code(), code, "bit {bit}");
                assert_eq!(device.enable().unwrap_err().code(), "SL-D008");
            }
        }
    }
    for length in 0..good.len() {
        assert_eq!(
            LoadImage::parse(&good[..length]).unwrap_err().code(),
            "SL-D005"
        );
    }
    // Runs that lie about their size, with a CRC-32 that says all is well.
    for (at, value) in [(8, 4), (8, u32::MAX), (9, 0), (9, 65), (9, u32::MAX)] {
        let mut words = image();
        words[at] = value;
        words[6] = crc32(&words[7..]);
        assert_eq!(
            LoadImage::parse(&load_image::to_bytes(&words)).unwrap_err(),
            Error::Corrupt("a run is cut off"),
            "word {at} = {value}"
        );
    }
}

#[test]
fn lost_words_are_noticed() {
    for n in 0..8 {
        let mut fake = Fake::new();
        fake.drop_word = Some(n);
        let mut device = Device::open(fake).unwrap();
        let error = device.load_bytes(&bytes()).unwrap_err();
        assert!(
            ["SL-D007", "SL-D008"].contains(&error.code()),
            "word {n}: {error}"
        );
        assert!(
            device.errors().unwrap().is_empty(),
            "taken note of and cleared"
        );
        assert!(!device.status().unwrap().program_ok());
    }
}

#[test]
fn waiting_has_an_end() {
    let mut fake = Fake::new();
    fake.dead = true;
    let mut device = Device::open(fake).unwrap();
    device.set_polls(10);
    for error in [
        device.load_bytes(&bytes()).unwrap_err(),
        device.reset().unwrap_err(),
        device.disable().unwrap_err(),
    ] {
        assert_eq!(error.code(), "SL-D009");
    }
}

#[test]
fn closures_are_a_bus() {
    let bus = Functions {
        reader: |address| match address {
            map::IDENTITY => map::IDENTITY_VALUE,
            map::VERSION => map::VERSION_MAJOR_VALUE << 16 | map::VERSION_MINOR_VALUE,
            map::CAPABILITY_SHAPE => 3 | 64 << map::CAPABILITY_SHAPE_BLOCK_SIZE_LSB,
            _ => 0,
        },
        writer: |_, _| (),
    };
    let device = Device::open(bus).unwrap();
    assert_eq!(
        (device.identity().num_cores, device.identity().block_size),
        (3, 64)
    );
}

#[test]
fn every_error_bit_has_a_name() {
    for f in register("error").unwrap().fields {
        let text = Errors(f.mask()).to_string();
        assert_eq!(text, f.name.replace('_', " "));
    }
    assert_eq!(Errors(0).to_string(), "none");
    let all: u32 = register("error")
        .unwrap()
        .fields
        .iter()
        .map(sluice_isa::registers::Field::mask)
        .sum();
    assert_eq!(Errors::LOADING.0, all & !map::ERROR_BAD_SELECT);
}
