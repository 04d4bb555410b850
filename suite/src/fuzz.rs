//! What the fuzzers of the VM and of the RTL share: settings, a case from networks, and which refusals are no fault.
//!
//! **Errors.** None. [`number`] panics on a setting that is not a number, which ends the test that asked.

use sluice_compiler::error::CompileError;
use sluice_isa::HardwareConfig;

use crate::{Case, Net, SuiteError};

/// A whole number from the environment.
///
/// # Panics
/// If the variable is set to anything else.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |v| {
        v.parse()
            .unwrap_or_else(|_| panic!("{name}={v} is not a number"))
    })
}

/// A case of these networks, on one configuration, under every pattern; where the configuration has FP8 weights, most have them.
pub fn case(mut nets: Vec<Net>, config: &HardwareConfig, seed: u64) -> Case {
    for net in &mut nets {
        net.fp8 = config.fp8_weights && net.seed % 3 != 0;
    }
    Case {
        name: format!("fuzz {seed}"),
        about: String::new(),
        configs: vec![config.name.clone()],
        seed,
        jobs: 3 * nets.len() + 1,
        resets: usize::try_from(seed % 3).unwrap_or(0) * nets.len(),
        stalls: vec![],
        selects: vec![],
        budget: None,
        nets,
    }
}

/// Refused for want of room, which is not a fault.
pub fn too_big(e: &SuiteError) -> bool {
    matches!(
        e,
        SuiteError::Compile(
            CompileError::Allocation { .. }
                | CompileError::StreamTooLarge { .. }
                | CompileError::Unsupported { .. }
        )
    )
}
