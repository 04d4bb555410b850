//! Files of the repository that are generated from the `isa` crate: the SystemVerilog package, the reference page, and the register map as
//! `SystemRDL`, C header and constants of the driver.
//!
//! **Contract.** The checked-in text equals what this file yields; `sl-pkg --check` and a test hold it.
//! **Errors.** None.

/// Path in the repository and text of every generated file.
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("hdl/rtl/sl_pkg.sv", sluice_isa::sv::package()),
        ("docs/reference.md", sluice_isa::docs::reference()),
        (
            "docs/registers.rdl",
            sluice_isa::registers::rdl::description(),
        ),
        (
            "driver/capi/include/sluice_registers.h",
            sluice_isa::registers::constants::c_header(),
        ),
        (
            "driver/src/map.rs",
            sluice_isa::registers::constants::rust_module(),
        ),
    ]
}
