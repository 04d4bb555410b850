//! How the driver reaches registers and, where the accelerator has one, its load stream.
//!
//! **Contract.** Addresses are byte addresses on the configuration bus, multiples of 4. A read sees every earlier write; writes arrive
//! complete (all strobes), once and in order, and may be posted.
//! **Errors.** The implementation's own. One that cannot report the bus's error responses loses nothing: the driver reads the sticky
//! error register where it matters.

use core::convert::Infallible;

/// Access to 32-bit registers.
pub trait Bus {
    /// Why an access failed.
    type Error;

    /// Reads a register.
    fn read32(&mut self, address: u32) -> Result<u32, Self::Error>;

    /// Writes a register.
    fn write32(&mut self, address: u32, data: u32) -> Result<(), Self::Error>;
}

impl<B: Bus + ?Sized> Bus for &mut B {
    type Error = B::Error;

    fn read32(&mut self, address: u32) -> Result<u32, B::Error> {
        (**self).read32(address)
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), B::Error> {
        (**self).write32(address, data)
    }
}

/// Sends the beats of the load stream: `N` words each, one of 1, 2, 4, 8 and 16.
///
/// Beats arrive once and in order, after the writes to the bus before them; they may be buffered until [`LoadStream::flush`].
pub trait LoadStream<const N: usize> {
    /// Why a beat could not be sent: as the bus's error.
    type Error;

    /// Sends a beat, `last` with its `tlast`.
    fn beat(&mut self, words: &[u32; N], last: bool) -> Result<(), Self::Error>;

    /// Starts what is buffered, when nothing follows. It need not have arrived.
    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A bus of two call-backs that cannot fail, a reader and a writer.
pub struct Functions<R, W> {
    /// Reads an address.
    pub reader: R,
    /// Writes data to an address.
    pub writer: W,
}

impl<R: FnMut(u32) -> u32, W: FnMut(u32, u32)> Bus for Functions<R, W> {
    type Error = Infallible;

    fn read32(&mut self, address: u32) -> Result<u32, Infallible> {
        Ok((self.reader)(address))
    }

    fn write32(&mut self, address: u32, data: u32) -> Result<(), Infallible> {
        (self.writer)(address, data);
        Ok(())
    }
}
