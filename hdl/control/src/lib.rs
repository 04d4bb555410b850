//! Control state machines written in rust-hdl and emitted as Verilog, and their plain models.
//!
//! | module    | what                                                                        |
//! |-----------|-----------------------------------------------------------------------------|
//! | [`fsm`]   | the dispatcher's and sequencer's state machine, in rust-hdl                 |
//! | [`model`] | docs/machine.md section 6 in plain Rust, the yardstick of the RTL           |
//! | [`native`]| the state machine stepped natively, with the memories around it             |
//! | [`stimulus`] | random programs and traffic for the tests                              |
//! | [`emit`]  | Verilog text under a chosen name                                            |
//!
//! **Contract.** The only crate that links rust-hdl; compiler, VM and generator never do (ADR 0003). The emitted text is checked
//! in under `hdl/rtl/control/`, `cargo run -p sluice-control` rewrites it, a test fails when it is stale.
//! **Errors.** [`emit::EmitError`].

pub mod emit;
pub mod fsm;
pub mod model;
pub mod native;
pub mod reg;
pub mod stimulus;

/// Name of the emitted root module.
pub const FSM_NAME: &str = "sl_dispatch_fsm";

/// Verilog of the state machine.
///
/// # Errors
/// As [`emit::emit`].
pub fn fsm_verilog() -> Result<String, emit::EmitError> {
    emit::emit(FSM_NAME, &mut fsm::DispatchFsm::default())
}
