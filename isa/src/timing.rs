//! Latencies of the machine, in compute clock cycles, derived from the configuration.
//!
//! `docs/machine.md` says what happens at each offset; every reader (scheduler, VM, RTL package) takes the numbers from here.
//! Offsets are counted from `c0`, the cycle in which a tick's words stand in the instruction registers.

use crate::config::HardwareConfig;

/// Stages of the fp32 arithmetic of the vector unit (p1..p6).
pub const ALU_STAGES: u32 = 6;
/// Stages of the special functions of the vector unit (p1..p6); the arithmetic of such an operation follows in p7..p12.
pub const SPECIAL_STAGES: u32 = 6;
/// p0 of a vector operation whose operand A is a tensor or a constant.
pub const TENSOR_P0: u32 = 3;
/// p0 of a vector operation on the accumulator, apart from the tree stages.
pub const ACC_P0_FLAT: u32 = 11;
/// What a tree stage adds to it: one in the search for the largest exponent, one in the adder tree.
pub const ACC_P0_PER_TREE_STAGE: u32 = 2;
/// Cycles from `c0` of an output word to the first cycle its beat can stand on the output port.
pub const OUTPUT: u32 = 2;

/// Offsets that depend on block size and exchange stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Stages of a radix-4 tree over the block, `ceil(log4 B)`.
    pub tree: u32,
    /// Exchange stages.
    pub exchange: u32,
}

impl Timing {
    /// Timing of a configuration.
    pub fn of(config: &HardwareConfig) -> Self {
        Self {
            tree: tree_stages(config.block_size),
            exchange: config.exchange_stages,
        }
    }

    /// Cycles from the issue of a tick (`tau`) to its `c0`. The tick is spread over the chip in as many stages as a block, so that a
    /// tick that takes an input beat may issue in the cycle in which the beat is accepted.
    pub const fn fetch(self) -> u32 {
        1 + self.exchange
    }

    /// Port Y address of the hi plane of an `add32`; the lo plane follows one cycle later. Constant port address of an `init`.
    pub const fn late_read(self) -> u32 {
        1 + 2 * self.tree
    }

    /// Cycle of the accumulate step.
    pub const fn accumulate(self) -> u32 {
        7 + 2 * self.tree
    }

    /// p0 of a vector operation on the accumulator.
    pub const fn acc_p0(self) -> u32 {
        ACC_P0_FLAT + ACC_P0_PER_TREE_STAGE * self.tree
    }

    /// From p0 to the cycle `o` in which the result enters the exchange register: 0 for a plain `pass`, else what it goes through and
    /// the stage of clamp `post`.
    pub const fn to_output(special: bool, arithmetic: bool) -> u32 {
        match (special, arithmetic) {
            (false, false) => 0,
            (true, false) => SPECIAL_STAGES + 1,
            (false, true) => ALU_STAGES + 1,
            (true, true) => SPECIAL_STAGES + ALU_STAGES + 1,
        }
    }

    /// From the read of an operand B to `p0`; planes take two cycles in succession, the upper halves first.
    pub const fn operand_b_read(planes: bool) -> u32 {
        1 + planes as u32
    }

    /// What a special function adds to the cycle in which operand B is read, which is `p0 - 1` without.
    pub const fn operand_b_delay(special: bool) -> u32 {
        if special { SPECIAL_STAGES } else { 0 }
    }

    /// From `o` to the cycle in which the banks are written.
    pub const fn write_after_output(self) -> u32 {
        1 + self.exchange
    }

    /// From `o` to the first cycle in which a presented read address sees the block: that of the write, which is forwarded.
    pub const fn readable_after_output(self) -> u32 {
        self.write_after_output()
    }

    /// From a matrix word's operand read to the earliest operand read of its result (no vector arithmetic between).
    pub const fn dense_latency(self) -> u32 {
        self.acc_p0() + self.readable_after_output()
    }

    /// From the acceptance of an input beat to the cycle in which the banks are written, the first one that sees it.
    pub const fn input_write(self) -> u32 {
        1 + self.exchange
    }
}

/// Stages of a radix-4 tree over `block_size` values.
pub const fn tree_stages(block_size: u32) -> u32 {
    block_size.ilog2().div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tree() {
        assert_eq!([4, 8, 16, 32, 64].map(tree_stages), [1, 2, 2, 3, 3]);
    }

    #[test]
    fn product_latency() {
        assert_eq!(
            Timing {
                tree: 3,
                exchange: 1
            }
            .dense_latency(),
            19
        );
    }

    #[test]
    fn a_beat_is_readable_when_its_tick_reads() {
        for exchange in 1..=2 {
            let t = Timing { tree: 3, exchange };
            assert!(t.fetch() >= t.input_write());
        }
    }
}
