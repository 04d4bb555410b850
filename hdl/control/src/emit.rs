//! Verilog text of a block under a name of our choice.
//!
//! **Contract.** Deterministic. `rust-hdl` names every root `top`; here the caller names it, and the modules of its parts are named
//! after their path below it. The header carries the only two lint waivers, with their reasons.
//! **Errors.** [`EmitError`]: the block has an unconnected or doubly written signal, or an identifier is a keyword.

use rust_hdl::prelude::*;

/// Words no identifier may be, in Verilog or SystemVerilog (IEEE 1800-2017, annex B).
const KEYWORDS: &str = "accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind \
bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const constraint context \
continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge else end endcase endchecker endclass \
endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage endprimitive endprogram endproperty endspecify \
endsequence endtable endtask enum event eventually expect export extends extern final first_match for force foreach forever fork \
forkjoin function generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include \
initial inout input inside instance int integer interconnect interface intersect join join_any join_none large let liblist library local \
localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 \
notif1 null or output package packed parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup \
pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release repeat \
restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint \
shortreal showcancelled signed small soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1 \
sync_accept_on sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand \
trior trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void wait wait_order \
wand weak weak0 weak1 while wildcard wire with within wor xnor xor";

/// Words of the emission itself.
const EMITTED: &str = "always assign begin case default else end endcase endmodule if inout input localparam module or output \
posedge reg wire";

/// Why a block cannot be emitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The block is not a circuit.
    #[error("[SL-C001] block `{name}`: {why}; connect and drive every signal once")]
    Circuit {
        /// Root name.
        name: String,
        /// What rust-hdl says.
        why: String,
    },
    /// A signal has a reserved name.
    #[error("[SL-C002] block `{name}`: `{word}` is a SystemVerilog keyword; rename the field")]
    Keyword {
        /// Root name.
        name: String,
        /// The word.
        word: String,
    },
}

/// Verilog of `block` and its parts; the root module is called `name`.
///
/// # Errors
/// [`EmitError`], see the module.
pub fn emit<U: Block>(name: &str, block: &mut U) -> Result<String, EmitError> {
    block.connect_all();
    check_all(block).map_err(|why| EmitError::Circuit {
        name: name.into(),
        why: format!("{why:?}"),
    })?;
    let mut defines = ModuleDefines::default();
    block.accept(name, &mut defines);
    let body = comments(&defines.defines());
    if let Some(word) = keyword_among_names(&body) {
        return Err(EmitError::Keyword {
            name: name.into(),
            word,
        });
    }
    let body: String = body
        .trim()
        .lines()
        .flat_map(|line| [line.trim_end(), "\n"])
        .collect();
    Ok(format!(
        "// Verilog of `{name}`, emitted from rust-hdl (crate sluice-control); do not edit: run `cargo run -p sluice-control`.\n\
         //\n\
         // Waived here and nowhere else: rust-hdl writes all modules of a block into one file (DECLFILENAME) and repeats constants\n\
         // in modules that do not use them (UNUSEDPARAM).\n\
         // verilator lint_off DECLFILENAME\n\
         // verilator lint_off UNUSEDPARAM\n\n\
         {body}\n\
         // verilator lint_on UNUSEDPARAM\n\
         // verilator lint_on DECLFILENAME\n"
    ))
}

/// rust-hdl prints a comment as the tokens of its macro call, sometimes over two lines: leaves the text alone.
fn comments(text: &str) -> String {
    let mut pieces = text.split("// comment!");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str("// ");
        out.push_str(piece.trim_start().trim_start_matches("(\""));
    }
    out
}

/// First keyword used where the emission declares or uses a name: any keyword the emission's own grammar does not need, and any
/// of its own in the place of a declared name.
fn keyword_among_names(text: &str) -> Option<String> {
    let is = |list: &str, word: &str| list.split_whitespace().any(|k| k == word);
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let words: Vec<&str> = line
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'))
            .filter(|w| !w.is_empty())
            .collect();
        if let Some(word) = words.iter().find(|w| is(KEYWORDS, w) && !is(EMITTED, w)) {
            return Some((*word).to_owned());
        }
        let declares = matches!(
            words.first(),
            Some(&("reg" | "wire" | "input" | "output" | "localparam"))
        );
        if let (true, true, Some(word)) = (declares, line.contains(';'), words.last())
            && is(KEYWORDS, word)
        {
            return Some((*word).to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found() {
        let bad = |text| keyword_among_names(text);
        assert_eq!(bad("reg [15:0] table;").as_deref(), Some("table"));
        assert_eq!(bad("input wire wait;").as_deref(), Some("wait"));
        assert_eq!(bad("output reg case;").as_deref(), Some("case"));
        assert_eq!(bad("reg [15:0] table_q; // a table"), None);
        assert_eq!(bad("  table$d = 1'b0;"), None, "part of a name");
    }
}
