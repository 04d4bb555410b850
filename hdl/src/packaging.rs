//! The emitted folder as other tools' packages: FuseSoC core, Bender manifest, IP-XACT components, Platform Designer components.
//!
//! | file | for |
//! |------|-----|
//! | `sluice.core` | FuseSoC (CAPI2): targets `default`, `lint` (`sl_ip_top`), `core` (`sl_top`), `example` (`sl_example`) |
//! | `Bender.yml` | Bender; the example under its target `sluice_example` |
//! | `TOP.ipxact.xml` | IP-XACT 1685-2014: files, parameter, ports, clocks, resets, AXI4-Lite, AXI4-Streams |
//! | `TOP_hw.tcl` | Platform Designer: files, clocks, resets, AXI4-Lite, interrupt, AXI4-Streams, the rest as a conduit |
//!
//! `TOP` is `sl_ip_top`, the top of every package that has one, and `sl_top`, the accelerator without its bus.
//!
//! **Contract.** Everything comes from the rendered top levels and the compile order: a port or file added there is in all. Ports
//! `<name>_tvalid`, `_tready`, `_tdata`, `_tlast`, `_tkeep` form an AXI4-Stream, `<name>_awvalid` to `<name>_rresp` an AXI4-Lite slave;
//! `<name>_clock` is a clock, `<name>_reset` that is an input its reset. `config`, `config_load` and an `irq` beside them belong to
//! `config_clock`, everything else to `compute_clock`.
//! **Errors.** [`HdlError::Internal`] for a top level whose header is not in the form of our template.

use askama::Template;
use sluice_isa::HardwareConfig;
use sluice_isa::registers::ADDRESS_BITS;

use crate::error::HdlError;
use crate::generator::{EXAMPLE, IP_TOP, TOP};
use crate::sources;

/// A port of a top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// Name.
    pub name: String,
    /// Driven by the accelerator.
    pub output: bool,
    /// Bits.
    pub width: u32,
}

impl PortInfo {
    /// It is a clock.
    pub fn is_clock(&self) -> bool {
        self.domain("_clock").is_some()
    }

    /// What stands before `suffix` in the name of an input.
    fn domain(&self, suffix: &str) -> Option<&str> {
        self.name.strip_suffix(suffix).filter(|_| !self.output)
    }

    fn direction(&self) -> &'static str {
        if self.output { "out" } else { "in" }
    }

    fn tcl_direction(&self) -> &'static str {
        if self.output { "Output" } else { "Input" }
    }

    fn left(&self) -> u32 {
        self.width - 1
    }
}

const STREAM_ROLES: &[&str] = &["tvalid", "tready", "tdata", "tlast", "tkeep"];
const LITE_ROLES: &[&str] = &[
    "awvalid", "awready", "awaddr", "awprot", "wvalid", "wready", "wdata", "wstrb", "bvalid",
    "bready", "bresp", "arvalid", "arready", "araddr", "arprot", "rvalid", "rready", "rdata",
    "rresp",
];

/// An AXI interface of a top level.
struct Bus {
    name: String,
    /// AXI4-Lite slave; else an AXI4-Stream.
    lite: bool,
    /// The accelerator sends.
    source: bool,
    /// Role and port.
    ports: Vec<(&'static str, PortInfo)>,
}

impl Bus {
    fn mode(&self) -> &'static str {
        if self.source { "master" } else { "slave" }
    }

    fn tcl_mode(&self) -> &'static str {
        if self.source { "start" } else { "end" }
    }

    fn tcl_kind(&self) -> &'static str {
        if self.lite { "axi4lite" } else { "axi4stream" }
    }

    /// Library name and version of the IP-XACT bus definition.
    fn ipxact_type(&self) -> (&'static str, &'static str) {
        if self.lite {
            ("AXI4-Lite", "r0p0_0")
        } else {
            ("AXI4Stream", "r0p0_1")
        }
    }
}

/// A clock with what belongs to it.
struct Domain {
    /// `config` or `compute`.
    name: String,
    buses: Vec<Bus>,
    /// The interrupt.
    interrupt: Option<PortInfo>,
    /// The rest: neither clock nor reset.
    others: Vec<PortInfo>,
}

impl Domain {
    fn bus_names(&self) -> String {
        let names: Vec<_> = self.buses.iter().map(|b| b.name.as_str()).collect();
        names.join(":")
    }
}

/// A top level as a component.
struct Component {
    top: &'static str,
    /// Behind the configuration's name.
    suffix: &'static str,
    ports: Vec<PortInfo>,
    domains: Vec<Domain>,
}

struct Package<'a> {
    version: &'static str,
    config: &'a HardwareConfig,
    top: &'static str,
    core_top: &'static str,
    example: &'static str,
    compile: &'a [String],
    headers: Vec<String>,
    /// Bytes of the bus.
    bus_bytes: u32,
}

#[derive(Template)]
#[template(path = "sluice.core")]
struct FuseSoc<'a> {
    p: &'a Package<'a>,
}

#[derive(Template)]
#[template(path = "Bender.yml")]
struct Bender<'a> {
    p: &'a Package<'a>,
}

#[derive(Template)]
#[template(path = "component.ipxact.xml")]
struct IpXact<'a> {
    p: &'a Package<'a>,
    c: &'a Component,
}

#[derive(Template)]
#[template(path = "component_hw.tcl")]
struct HwTcl<'a> {
    p: &'a Package<'a>,
    c: &'a Component,
}

/// Ports of `module` as its text declares them, a port a line.
pub fn ports(module: &str, text: &str) -> Result<Vec<PortInfo>, HdlError> {
    let bad = |what: &str| HdlError::Internal(format!("packaging of {module}: {what}"));
    let header = text
        .split_once(&format!("\nmodule {module} "))
        .and_then(|(_, rest)| rest.split_once("\n);"))
        .ok_or_else(|| bad("no module header"))?
        .0;
    let mut list = Vec::new();
    for line in header.lines() {
        let mut words = line.split("//").next().unwrap_or("").split_whitespace();
        let output = match words.next() {
            Some("input") => false,
            Some("output") => true,
            _ => continue,
        };
        if words.next() != Some("logic") {
            return Err(bad(line));
        }
        let mut name = words.next().unwrap_or_default();
        let mut width = 1;
        if let Some(range) = name.strip_prefix('[') {
            width = range
                .strip_suffix(":0]")
                .and_then(|left| left.parse::<u32>().ok())
                .ok_or_else(|| bad(line))?
                + 1;
            name = words.next().unwrap_or_default();
        }
        list.push(PortInfo {
            name: name.trim_end_matches(',').into(),
            output,
            width,
        });
    }
    if list.is_empty() {
        return Err(bad("no ports"));
    }
    Ok(list)
}

/// Role of a port of an AXI interface and the interface's name.
fn role<'a>(port: &'a PortInfo, roles: &[&'static str]) -> Option<(&'a str, &'static str)> {
    let (name, role) = port.name.rsplit_once('_')?;
    roles.iter().find(|r| **r == role).map(|r| (name, *r))
}

impl Component {
    fn new(
        top: &'static str,
        suffix: &'static str,
        ports: Vec<PortInfo>,
    ) -> Result<Self, HdlError> {
        let names = ports.iter().filter_map(|p| p.domain("_clock"));
        let mut domains: Vec<Domain> = names
            .map(|name| Domain {
                name: name.into(),
                buses: vec![],
                interrupt: None,
                others: vec![],
            })
            .collect();
        let bad = |what: String| HdlError::Internal(format!("packaging of {top}: {what}"));
        let config = domains.iter().position(|d| d.name == "config");
        let compute = domains
            .iter()
            .position(|d| d.name == "compute")
            .ok_or_else(|| bad("no compute_clock".into()))?;
        for port in &ports {
            if port.is_clock() {
                continue;
            }
            if let Some(name) = port.domain("_reset") {
                if domains.iter().any(|d| d.name == name) {
                    continue;
                }
                return Err(bad(format!("{} has no clock", port.name)));
            }
            let (lite, found) = match role(port, STREAM_ROLES) {
                Some(found) => (false, Some(found)),
                None => (true, role(port, LITE_ROLES)),
            };
            let of_config = port.name == "irq"
                || found.is_some_and(|(name, _)| name == "config" || name == "config_load");
            let domain = &mut domains[config.filter(|_| of_config).unwrap_or(compute)];
            if let Some((name, role)) = found {
                let at = domain.buses.iter().position(|b| b.name == name);
                let at = at.unwrap_or_else(|| {
                    domain.buses.push(Bus {
                        name: name.into(),
                        lite,
                        source: false,
                        ports: vec![],
                    });
                    domain.buses.len() - 1
                });
                let bus = &mut domain.buses[at];
                bus.source |= role == "tvalid" && port.output;
                bus.ports.push((role, port.clone()));
            } else if port.name == "irq" && config.is_some() {
                domain.interrupt = Some(port.clone());
            } else {
                domain.others.push(port.clone());
            }
        }
        Ok(Self {
            top,
            suffix,
            ports,
            domains,
        })
    }
}

/// The packages, by file name; `ip_ports` and `core_ports` are those of the two top levels.
pub fn render(
    config: &HardwareConfig,
    compile: &[String],
    ip_ports: Vec<PortInfo>,
    core_ports: Vec<PortInfo>,
) -> Result<Vec<(String, String)>, HdlError> {
    let p = &Package {
        version: env!("CARGO_PKG_VERSION"),
        config,
        top: IP_TOP,
        core_top: TOP,
        example: EXAMPLE,
        compile,
        headers: sources::all()
            .iter()
            .filter(|s| s.is_header())
            .map(|s| s.name.to_owned())
            .collect(),
        bus_bytes: 1 << ADDRESS_BITS,
    };
    let text = |r: askama::Result<String>| {
        r.map(|t| t + "\n")
            .map_err(|e| HdlError::Internal(e.to_string()))
    };
    let mut files = vec![
        ("sluice.core".into(), text(FuseSoc { p }.render())?),
        ("Bender.yml".into(), text(Bender { p }.render())?),
    ];
    for c in [
        &Component::new(IP_TOP, "", ip_ports)?,
        &Component::new(TOP, "_core", core_ports)?,
    ] {
        files.push((
            format!("{}.ipxact.xml", c.top),
            text(IpXact { p, c }.render())?,
        ));
        files.push((format!("{}_hw.tcl", c.top), text(HwTcl { p, c }.render())?));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_the_header() {
        let text = "// x\nmodule m #(\n    parameter string A = \"\"\n) (\n    input logic clock,\n    output logic [7:0] data,  // note\n\n    // c\n    input logic [0:0] one\n);\n  logic [3:0] inside;\nendmodule\n";
        let found = ports("m", text).unwrap();
        let port = |name: &str, output, width| PortInfo {
            name: name.into(),
            output,
            width,
        };
        assert_eq!(
            found,
            [
                port("clock", false, 1),
                port("data", true, 8),
                port("one", false, 1)
            ]
        );
    }

    #[test]
    fn other_headers_are_errors() {
        assert!(ports("n", "\nmodule m (\n  input logic a\n);").is_err());
        assert!(ports("m", "\nmodule m (\n  input logic [A-1:0] a\n);").is_err());
        assert!(ports("m", "\nmodule m (\n  input wire a\n);").is_err());
        assert!(ports("m", "\nmodule m (\n);").is_err());
    }

    #[test]
    fn ports_find_their_clock_and_bus() {
        let port = |name: &str, output| PortInfo {
            name: name.into(),
            output,
            width: 1,
        };
        let list = [
            ("config_clock", false),
            ("config_reset", false),
            ("config_awvalid", false),
            ("irq", true),
            ("compute_clock", false),
            ("compute_reset", false),
            ("x_tvalid", true),
            ("stream_reset", true),
        ];
        let both = |skip| {
            let ports = list[skip..].iter().map(|&(name, out)| port(name, out));
            Component::new("t", "", ports.collect())
        };
        let c = both(0).unwrap();
        let [config, compute] = &c.domains[..] else {
            panic!("two domains")
        };
        assert_eq!(config.bus_names(), "config");
        assert!(config.buses[0].lite && config.interrupt.is_some() && config.others.is_empty());
        assert_eq!(compute.bus_names(), "x");
        assert!(compute.buses[0].source);
        assert_eq!(compute.others, [port("stream_reset", true)]);
        // A reset without its clock.
        assert!(both(1).is_err());
        // Without a bus an irq is a status like others.
        assert_eq!(both(3).unwrap().domains[0].others[0], port("irq", true));
    }
}
