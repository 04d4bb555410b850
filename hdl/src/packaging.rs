//! The emitted folder as other tools' packages: FuseSoC core, Bender manifest, IP-XACT component, Platform Designer component.
//!
//! | file | for |
//! |------|-----|
//! | `sluice.core` | FuseSoC (CAPI2): targets `default`, `lint` |
//! | `Bender.yml` | Bender |
//! | `sl_top.ipxact.xml` | IP-XACT 1685-2014: files, parameter, ports, clock, AXI4-Streams |
//! | `sl_top_hw.tcl` | Platform Designer: files, clock, reset, AXI4-Streams, the rest as a conduit |
//!
//! **Contract.** Everything comes from the rendered top level and the compile order: a port or file added there is in all four. Ports
//! `<name>_tvalid`, `_tready`, `_tdata`, `_tlast`, `_tkeep` form an AXI4-Stream, on `compute_clock`.
//! **Errors.** [`HdlError::Internal`] for a top level whose header is not in the form of our template.

use std::collections::BTreeMap;

use askama::Template;
use sluice_isa::HardwareConfig;

use crate::error::HdlError;
use crate::generator::TOP;
use crate::sources;

/// A port of the top level.
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

/// An AXI4-Stream of the top level.
struct Stream {
    name: String,
    /// The accelerator sends.
    source: bool,
    /// Role (`TVALID`) and port.
    ports: Vec<(String, PortInfo)>,
}

impl Stream {
    fn mode(&self) -> &'static str {
        if self.source { "master" } else { "slave" }
    }

    fn tcl_mode(&self) -> &'static str {
        if self.source { "start" } else { "end" }
    }
}

struct Package<'a> {
    version: &'static str,
    config: &'a HardwareConfig,
    top: &'static str,
    compile: Vec<String>,
    headers: Vec<String>,
    ports: Vec<PortInfo>,
    streams: Vec<Stream>,
    /// Neither clock, reset nor stream.
    others: Vec<PortInfo>,
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
#[template(path = "sl_top.ipxact.xml")]
struct IpXact<'a> {
    p: &'a Package<'a>,
}

#[derive(Template)]
#[template(path = "sl_top_hw.tcl")]
struct HwTcl<'a> {
    p: &'a Package<'a>,
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

impl<'a> Package<'a> {
    fn new(
        config: &'a HardwareConfig,
        compile: Vec<String>,
        top_text: &str,
    ) -> Result<Self, HdlError> {
        let ports = ports(TOP, top_text)?;
        let mut streams: BTreeMap<String, Stream> = BTreeMap::new();
        let mut others = Vec::new();
        for port in &ports {
            match port.name.rsplit_once('_') {
                Some((name, role @ ("tvalid" | "tready" | "tdata" | "tlast" | "tkeep"))) => {
                    let stream = streams.entry(name.into()).or_insert_with(|| Stream {
                        name: name.into(),
                        source: false,
                        ports: vec![],
                    });
                    stream.source |= role == "tvalid" && port.output;
                    stream.ports.push((role.to_uppercase(), port.clone()));
                }
                _ if port.name == "compute_clock" || port.name == "compute_reset" => {}
                _ => others.push(port.clone()),
            }
        }
        let headers = sources::all()
            .iter()
            .filter(|s| s.is_header())
            .map(|s| s.name.to_owned())
            .collect();
        Ok(Self {
            version: env!("CARGO_PKG_VERSION"),
            config,
            top: TOP,
            compile,
            headers,
            ports,
            streams: streams.into_values().collect(),
            others,
        })
    }
}

/// The packages, by file name.
pub fn render(
    config: &HardwareConfig,
    compile: Vec<String>,
    top_text: &str,
) -> Result<Vec<(&'static str, String)>, HdlError> {
    let p = &Package::new(config, compile, top_text)?;
    let text = |r: askama::Result<String>| {
        r.map(|t| t + "\n")
            .map_err(|e| HdlError::Internal(e.to_string()))
    };
    Ok(vec![
        ("sluice.core", text(FuseSoc { p }.render())?),
        ("Bender.yml", text(Bender { p }.render())?),
        ("sl_top.ipxact.xml", text(IpXact { p }.render())?),
        ("sl_top_hw.tcl", text(HwTcl { p }.render())?),
    ])
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
}
