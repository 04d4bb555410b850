//! Files of the repository that are generated from the `isa` crate: the SystemVerilog package and the reference page.
//!
//! **Contract.** The checked-in text equals what this file yields; `sl-pkg --check` and a test hold it.
//! **Errors.** None.

/// Path in the repository and text of every generated file.
pub fn files() -> Vec<(&'static str, String)> {
    vec![
        ("hdl/rtl/sl_pkg.sv", sluice_isa::sv::package()),
        ("docs/reference.md", sluice_isa::docs::reference()),
    ]
}
