//! Driver of the configuration bus: identify an accelerator, load a program, run it, read its counters.
//!
//! | module | what |
//! |--------|------|
//! | [`bus`] | how the driver reaches registers: two functions of the integrator, one more for the load stream |
//! | [`device`] | the accelerator behind them |
//! | [`image`] | load images: programs as bus words |
//! | [`program`] | program files (feature `std`) |
//! | [`map`] | offsets and fields, generated from the contract crate |
//!
//! **Contract.** Without the feature `std` nothing allocates. The sequences are those of docs/bus.md.
//! **Errors.** [`Error`], with stable codes.
#![no_std]
#![expect(
    clippy::missing_errors_doc,
    reason = "the header of each module states its errors"
)]

#[cfg(feature = "std")]
extern crate std;

pub mod bus;
pub mod device;
pub mod error;
pub mod image;
pub mod map;
#[cfg(feature = "std")]
pub mod program;

pub use bus::{Bus, Functions, LoadStream};
pub use device::{Counters, Device, Identity, Loaded, Status};
pub use error::{Error, Errors};
pub use image::LoadImage;
