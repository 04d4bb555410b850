//! Timing constraints and project scripts of `sl_ip_top` for the vendors' tools.
//!
//! | file | for |
//! |------|-----|
//! | `sl_cdc_quartus.sdc`, `sl_cdc.xdc` | the clock crossings, in Quartus and in Vivado |
//! | `sl_clocks.sdc`, `sl_clocks.xdc` | both clocks, for a compilation of `sl_ip_top` alone |
//! | `sl_quartus.tcl`, `sl_vivado.tcl` | such a compilation, to a timing report |
//!
//! **Contract.** [`CROSSINGS`] is every instance of a crossing module in `sl_ip_top`, and [`Crossing::paths`] every path between the two
//! clocks; the files are those paths in each tool's words. A tool is given a part only where it is public which one the board has.
//! **Errors.** Rendering cannot fail for a validated configuration.
//! **Source.** Vivado: UG835, UG903. Quartus Prime Pro: user guides Timing Analyzer and Scripting.

use askama::Template;
use sluice_isa::HardwareConfig;

use crate::error::HdlError;
use crate::generator::IP_TOP;
use crate::packaging::PortInfo;

/// Clock of the bus the constraints assume, MHz.
const CONFIG_CLOCK_MHZ: u32 = 100;

/// A crossing module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// `sl_cdc_sync`, with the register that feeds it.
    Sync(&'static str),
    /// `sl_cdc_handshake`.
    Handshake,
    /// `sl_cdc_fifo`.
    Fifo,
    /// `sl_reset_sync`.
    Reset,
}

impl Module {
    /// Name in the RTL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync(_) => "sl_cdc_sync",
            Self::Handshake => "sl_cdc_handshake",
            Self::Fifo => "sl_cdc_fifo",
            Self::Reset => "sl_reset_sync",
        }
    }
}

/// An instance of a crossing module in `sl_ip_top`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// Name of the instance.
    pub instance: &'static str,
    /// What it is.
    pub module: Module,
    /// From the config clock to the compute clock; else back.
    pub to_compute: bool,
}

const fn crossing(instance: &'static str, module: Module, to_compute: bool) -> Crossing {
    Crossing {
        instance,
        module,
        to_compute,
    }
}

/// Every crossing of `sl_ip_top`.
pub const CROSSINGS: &[Crossing] = &[
    crossing("u_compute_rst", Module::Reset, true),
    crossing("u_cross_words", Module::Fifo, true),
    crossing("u_cross_message", Module::Handshake, true),
    crossing("u_cross_request", Module::Handshake, true),
    crossing("u_cross_response", Module::Handshake, false),
    crossing("u_cross_counts", Module::Handshake, false),
    crossing("u_cross_idle", Module::Sync("core_idle_q"), false),
    crossing("u_cross_busy", Module::Sync("core_busy_q"), false),
];

/// What a path must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A level into a synchroniser: within a period of the receiver.
    Level,
    /// Gray-coded bits into synchronisers: within the shorter period, and apart by less than it.
    Gray,
    /// Data that stands still when it is read: within a period of the receiver, wherever it goes.
    Data,
}

/// A path from one clock to the other; registers as `instance/register[bit]`, `*` for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    kind: Kind,
    from: Vec<String>,
    to: String,
    to_compute: bool,
}

impl Path {
    fn is_level(&self) -> bool {
        self.kind == Kind::Level
    }

    fn is_gray(&self) -> bool {
        self.kind == Kind::Gray
    }

    /// Variable of the Vivado file with the bound.
    fn xdc_bound(&self) -> &'static str {
        match (self.kind, self.to_compute) {
            (Kind::Gray, _) => "sl_shorter_period",
            (_, true) => "sl_compute_period",
            (_, false) => "sl_config_period",
        }
    }

    fn xdc_from(&self) -> String {
        let cells: Vec<_> = self.from.iter().map(|r| xdc_cell(r)).collect();
        cells.join(" ")
    }

    fn xdc_to(&self) -> String {
        xdc_cell(&self.to)
    }

    fn sdc_from(&self) -> String {
        let names: Vec<_> = self.from.iter().map(|r| sdc_register(r)).collect();
        names.join(" ")
    }

    fn sdc_to(&self) -> String {
        sdc_register(&self.to)
    }
}

/// Vivado's cell of a register: `_reg` behind its name, before the index.
fn xdc_cell(register: &str) -> String {
    let (path, name) = match register.rsplit_once('/') {
        Some((path, name)) => (format!("{path}/"), name),
        None => (String::new(), register),
    };
    match name.find(['[', '*']) {
        Some(at) => format!("{path}{}_reg{}", &name[..at], &name[at..]),
        None => format!("{path}{name}_reg"),
    }
}

/// Quartus's name of a register, wherever `sl_ip_top` stands.
fn sdc_register(register: &str) -> String {
    format!("*{}", register.replace('/', "|"))
}

impl Crossing {
    fn paths(&self) -> Vec<Path> {
        let i = self.instance;
        let path = |kind, from: &[&str], to: &str, to_compute| Path {
            kind,
            from: from.iter().map(|r| format!("{i}/{r}")).collect(),
            to: if to.is_empty() {
                String::new()
            } else {
                format!("{i}/{to}")
            },
            to_compute,
        };
        let (there, back) = (self.to_compute, !self.to_compute);
        match self.module {
            Module::Reset => vec![],
            Module::Sync(source) => vec![Path {
                from: vec![source.into()],
                ..path(Kind::Level, &[], "meta_q[0]", there)
            }],
            Module::Handshake => vec![
                path(Kind::Level, &["request_q"], "u_request/meta_q[0]", there),
                path(Kind::Level, &["taken_q"], "u_taken/meta_q[0]", back),
                path(Kind::Data, &["cdc_data_q[*]"], "", there),
            ],
            // The uppermost bit of a pointer is that of its Gray code: a tool may keep either register.
            Module::Fifo => vec![
                path(
                    Kind::Gray,
                    &["wr_gray_q[*]", "wr_ptr_q[*]"],
                    "gen_sync[*].u_wr/meta_q[0]",
                    there,
                ),
                path(
                    Kind::Gray,
                    &["rd_gray_q[*]", "rd_ptr_q[*]"],
                    "gen_sync[*].u_rd/meta_q[0]",
                    back,
                ),
                path(Kind::Data, &["cdc_mem[*]"], "", there),
            ],
        }
    }

    fn is_reset(&self) -> bool {
        self.module == Module::Reset
    }
}

/// What the templates use.
struct Vendor<'a> {
    version: &'static str,
    config: &'a HardwareConfig,
    top: &'static str,
    crossings: &'static [Crossing],
    compute_ns: String,
    config_ns: String,
    shorter_ns: String,
    sources: Vec<&'a str>,
    verilog: Vec<&'a str>,
    /// Ports that are no clock, for virtual pins.
    pins: Vec<String>,
    quartus_part: &'static str,
    vivado_part: &'static str,
}

macro_rules! template {
    ($name:ident, $path:literal) => {
        #[derive(Template)]
        #[template(path = $path)]
        struct $name<'a> {
            v: &'a Vendor<'a>,
        }
    };
}
template!(CdcXdc, "sl_cdc.xdc");
template!(CdcSdc, "sl_cdc_quartus.sdc");
template!(Clocks, "sl_clocks.sdc");
template!(QuartusTcl, "sl_quartus.tcl");
template!(VivadoTcl, "sl_vivado.tcl");

/// Parts for Quartus and for Vivado of a preset's board, where they are public; empty: an argument of the script.
fn parts(config: &str) -> (&'static str, &'static str) {
    match config {
        "bittware_ia420f_c6b32" => ("AGFB014R24B2E2V", ""),
        "amd_v80_c6b32" => ("", "xcv80-lsva4737-2MHP-e-S"),
        _ => ("", ""),
    }
}

/// A period of a clock, ns, rounded down: a bound errs to the safe side.
fn period(mhz: u32) -> String {
    let ps = 1_000_000 / mhz.max(1);
    format!("{}.{:03}", ps / 1000, ps % 1000)
}

/// The files, by name.
pub fn render(
    config: &HardwareConfig,
    compile: &[String],
    ports: &[PortInfo],
) -> Result<Vec<(&'static str, String)>, HdlError> {
    let (quartus_part, vivado_part) = parts(&config.name);
    let is_verilog = |f: &&str| {
        std::path::Path::new(f)
            .extension()
            .is_some_and(|e| e == "v")
    };
    let (verilog, sources) = compile.iter().map(String::as_str).partition(is_verilog);
    let v = &Vendor {
        version: env!("CARGO_PKG_VERSION"),
        config,
        top: IP_TOP,
        crossings: CROSSINGS,
        compute_ns: period(config.clock_mhz),
        config_ns: period(CONFIG_CLOCK_MHZ),
        shorter_ns: period(config.clock_mhz.max(CONFIG_CLOCK_MHZ)),
        sources,
        verilog,
        pins: ports
            .iter()
            .filter(|p| !p.is_clock())
            .map(|p| match p.width {
                1 => p.name.clone(),
                _ => format!("{}[*]", p.name),
            })
            .collect(),
        quartus_part,
        vivado_part,
    };
    let text = |r: askama::Result<String>| {
        r.map(|t| t + "\n")
            .map_err(|e| HdlError::Internal(e.to_string()))
    };
    let clocks = text(Clocks { v }.render())?;
    Ok(vec![
        ("sl_cdc.xdc", text(CdcXdc { v }.render())?),
        ("sl_cdc_quartus.sdc", text(CdcSdc { v }.render())?),
        ("sl_clocks.sdc", clocks.clone()),
        ("sl_clocks.xdc", clocks),
        ("sl_quartus.tcl", text(QuartusTcl { v }.render())?),
        ("sl_vivado.tcl", text(VivadoTcl { v }.render())?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_registers() {
        assert_eq!(xdc_cell("a.b[*].u/meta_q[0]"), "a.b[*].u/meta_q_reg[0]");
        assert_eq!(xdc_cell("core_idle_q"), "core_idle_q_reg");
        assert_eq!(xdc_cell("u/cdc_mem[*]"), "u/cdc_mem_reg[*]");
        assert_eq!(sdc_register("u/v/meta_q[0]"), "*u|v|meta_q[0]");
    }

    #[test]
    fn periods_are_rounded_down() {
        assert_eq!(period(320), "3.125");
        assert_eq!(period(330), "3.030");
        assert_eq!(period(300), "3.333");
    }
}
