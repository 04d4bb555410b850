//! Port list of a model: read from the header Verilator writes, handed to the shim as a C++ table.
//!
//! | header line                     | means                                       |
//! |---------------------------------|---------------------------------------------|
//! | `VL_IN8(&clk_i,0,0);`           | input, 1 bit, in an 8-bit variable          |
//! | `VL_OUT64(&sum_o,63,0);`        | output, 64 bits, in a 64-bit variable       |
//! | `VL_INW(&data_i,511,0,16);`     | input, 512 bits, 16 words of 32 bits        |
//!
//! Parameters are already resolved there, so no SystemVerilog is parsed. **Contract.** Names come back as they were written
//! in the source; Verilator's encoding (`__02e` for `.`) is undone. **Errors.** Unpacked arrays are refused.

use std::fmt::Write as _;

/// Direction of a port, seen from the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Driven from outside.
    Input,
    /// Driven by the model.
    Output,
    /// Both.
    InOut,
}

impl Direction {
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Input => 0,
            Self::Output => 1,
            Self::InOut => 2,
        }
    }

    pub(crate) fn from_code(code: u32) -> Self {
        match code {
            0 => Self::Input,
            1 => Self::Output,
            _ => Self::InOut,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderPort {
    pub member: String,
    pub name: String,
    pub width: u32,
    pub direction: Direction,
}

/// Reads the port declarations; the error is the offending line.
pub(crate) fn parse_header(text: &str) -> Result<Vec<HeaderPort>, String> {
    text.lines().map(str::trim).filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Result<HeaderPort, String>> {
    if line.starts_with("VlUnpacked<") {
        return Some(Err(line.to_owned()));
    }
    let (head, rest) = line.strip_prefix("VL_")?.split_once('(')?;
    let kind = head.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'W');
    let direction = match kind {
        "IN" => Direction::Input,
        "OUT" => Direction::Output,
        "INOUT" => Direction::InOut,
        _ => return None,
    };
    Some(parse_fields(rest, direction).ok_or_else(|| line.to_owned()))
}

fn parse_fields(rest: &str, direction: Direction) -> Option<HeaderPort> {
    let mut fields = rest.strip_suffix(");")?.split(',');
    let member = fields.next()?.trim().trim_start_matches('&');
    if member.is_empty()
        || !member
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        return None;
    }
    let msb: i64 = fields.next()?.trim().parse().ok()?;
    let lsb: i64 = fields.next()?.trim().parse().ok()?;
    let width = u32::try_from(msb.abs_diff(lsb) + 1).ok()?;
    Some(HeaderPort {
        member: member.to_owned(),
        name: decode(member),
        width,
        direction,
    })
}

/// Undoes Verilator's identifier encoding: `__0HH` is the character with that code, `__SYM__` marks a C++ keyword.
fn decode(member: &str) -> String {
    let mut rest = member.strip_prefix("__SYM__").unwrap_or(member);
    let mut name = String::with_capacity(rest.len());
    while let Some(at) = rest.find("__0") {
        let code = rest
            .get(at + 3..at + 5)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(code) = code {
            name.push_str(&rest[..at]);
            name.push(char::from(code));
            rest = &rest[at + 5..];
        } else {
            name.push_str(&rest[..at + 3]);
            rest = &rest[at + 3..];
        }
    }
    name + rest
}

/// The file the shim includes: the port table and the address of each port.
pub(crate) fn emit_table(ports: &[HeaderPort]) -> String {
    let mut text = String::from("const SlvPort kPorts[] = {\n");
    for port in ports {
        let escaped = port.name.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(
            text,
            "    {{\"{escaped}\", {}u, {}u}},",
            port.width,
            port.direction.code()
        );
    }
    // A zero-length array is not C++; the extra entry is never counted.
    text.push_str("    {nullptr, 0u, 0u},\n};\n");
    let _ = writeln!(text, "constexpr uint32_t kPortCount = {}u;", ports.len());
    text.push_str("void* port_address(Vmodel& model, uint32_t index) {\n    (void)model;\n    switch (index) {\n");
    for (index, port) in ports.iter().enumerate() {
        let _ = writeln!(
            text,
            "        case {index}u: return &model.{};",
            port.member
        );
    }
    text.push_str("        default: return nullptr;\n    }\n}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_give_name_width_and_direction() {
        let text = "class X {\n    VL_IN8(&clk_i,0,0);\n    VL_OUTW(&x_o,64,0,3);\n    VL_OUT64(&y_o,63,0);\n    VL_INOUT16(&io,15,4);\n\
                    VL_UNCOPYABLE(Vmodel);\n VL_IN(&v,0,31);";
        let ports = parse_header(text).unwrap();
        let seen: Vec<_> = ports
            .iter()
            .map(|p| (p.name.as_str(), p.width, p.direction))
            .collect();
        let expected = [
            ("clk_i", 1, Direction::Input),
            ("x_o", 65, Direction::Output),
            ("y_o", 64, Direction::Output),
            ("io", 12, Direction::InOut),
            ("v", 32, Direction::Input),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn encoded_names_are_restored() {
        assert_eq!(decode("odd__02ename"), "odd.name");
        assert_eq!(decode("a___05Fb_o"), "a__b_o");
        assert_eq!(decode("__SYM__new"), "new");
        assert_eq!(decode("a__0zz"), "a__0zz");
    }

    #[test]
    fn an_unpacked_array_is_an_error() {
        for line in [
            "VL_IN8((&d_i)[4],7,0);",
            "VlUnpacked<CData/*7:0*/, 4> &d_i;",
        ] {
            assert_eq!(parse_header(line), Err(line.to_owned()));
        }
    }
}
