//! The one error type of the compiler: what was asked, by which layer, against which limit, and the way out.
//!
//! | codes     | area                                        |
//! |-----------|---------------------------------------------|
//! | `C001-19` | the graph itself: shape, axes, values, text |
//! | `C020-29` | the hardware: it does not fit               |
//! | `C030-39` | what the caller asked for                   |
//! | `C040-49` | the ONNX file                               |
//! | `C090-99` | our own bugs                                |
//!
//! **Contract.** A code never changes its meaning; texts may improve. Layers are named as the user named them.

use std::fmt::Write as _;

use thiserror::Error;

/// Shorthand used all over the crate.
pub type Result<T, E = CompileError> = std::result::Result<T, E>;

/// Why a network cannot be compiled.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CompileError {
    /// Nothing to compile.
    #[error("graph '{graph}' has no {missing}; a model needs at least one input and one output")]
    Empty {
        /// Name of the graph.
        graph: String,
        /// What it has none of.
        missing: &'static str,
    },
    /// Layers feed each other in a circle.
    #[error(
        "graph '{graph}' has a cycle through {}; recurrence must go through a stateful layer, not an edge",
        quoted(layers)
    )]
    Cycle {
        /// Name of the graph.
        graph: String,
        /// The layers on the cycle, in data-flow order, the smallest node first.
        layers: Vec<String>,
    },
    /// A layer reads a node that is not in the graph, or the operand list and the edges disagree.
    #[error("layer '{layer}' operand {operand}: {problem}")]
    Dangling {
        /// The reading layer (or `output`).
        layer: String,
        /// Position in its operand list.
        operand: usize,
        /// What is wrong with the reference.
        problem: String,
    },
    /// Shapes that do not go together.
    #[error("layer '{layer}' ({op}): {problem} ({operands})")]
    Shape {
        /// The layer that fails to type-check.
        layer: String,
        /// Its operation.
        op: &'static str,
        /// Names and shapes of everything that takes part, e.g. `fc1 [1, 128], fc2.weight [10, 64]`.
        operands: String,
        /// What was expected of them.
        problem: String,
    },
    /// Data dimensions (the contiguous, block-packed axes) that do not go together.
    #[error("layer '{layer}' ({op}): data dimension: {problem} ({operands})")]
    DataDim {
        /// The layer that fails to type-check.
        layer: String,
        /// Its operation.
        op: &'static str,
        /// Names, shapes and data dimensions of everything that takes part.
        operands: String,
        /// What was expected of them.
        problem: String,
    },
    /// FP8 weights for a machine that does not store them.
    #[error(
        "layer '{layer}': configuration '{config}' has no FP8 weights; compile for one that has (amd_v80_c6b32, or `fp8_weights` set), \
         or store the layer's weights as usual"
    )]
    NoFp8 {
        /// The first layer that needs them.
        layer: String,
        /// Name of the configuration.
        config: String,
    },
    /// A legal network that this compiler cannot express on the machine.
    #[error(
        "layer '{layer}' ({op}): {attribute} is not supported; nearest supported form: {nearest}"
    )]
    Unsupported {
        /// The layer.
        layer: String,
        /// Its operation.
        op: String,
        /// The attribute (with its value) that is in the way.
        attribute: String,
        /// What to write instead.
        nearest: String,
    },
    /// A weight, bias, constant or bound that is NaN or infinite.
    #[error("layer '{layer}': {tensor}{index:?} is {value}; export the model with finite values")]
    NonFinite {
        /// The layer that owns the tensor.
        layer: String,
        /// Which of its tensors.
        tensor: String,
        /// First offending element, one index per axis.
        index: Vec<usize>,
        /// Its value.
        value: f32,
    },
    /// A tensor without elements.
    #[error(
        "layer '{layer}': {tensor} has shape {shape:?}, which holds no elements; every extent must be at least 1"
    )]
    ZeroSized {
        /// The layer.
        layer: String,
        /// Which tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Tensor data whose length is not the product of its shape.
    #[error("tensor of shape {shape:?} needs {expected} values, {found} were given")]
    TensorLength {
        /// The shape.
        shape: Vec<usize>,
        /// Product of the extents (saturated).
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// An input that no output depends on.
    #[error(
        "graph '{graph}': input '{input}' feeds no output; remove it from the model's signature"
    )]
    UnusedInput {
        /// Name of the graph.
        graph: String,
        /// Name of the input.
        input: String,
    },
    /// NNIR text that does not parse.
    #[error("NNIR text, line {line}: {problem}")]
    Parse {
        /// Line, counted from 1.
        line: usize,
        /// What was expected and what was found.
        problem: String,
    },
    /// NNIR text printed for people, without its constants.
    #[error(
        "NNIR text, line {line}: the constant of shape {shape} was summarised when it was printed; \
         print with `Constants::Full` to get text that parses back"
    )]
    SummaryText {
        /// Line, counted from 1.
        line: usize,
        /// The shape as printed.
        shape: String,
    },
    /// A streaming axis that cannot be taken away.
    #[error("streaming axis {axis} of layer '{layer}' with shape {shape:?}: {problem}")]
    StreamingAxis {
        /// The layer where it stops.
        layer: String,
        /// The axis of that layer's tensor.
        axis: usize,
        /// Shape of that tensor before the transform.
        shape: Vec<usize>,
        /// Why the axis cannot be streamed here, and what can.
        problem: String,
    },
    /// Run-time values that do not match the graph's inputs.
    #[error("graph '{graph}': {problem}")]
    Arguments {
        /// Name of the graph.
        graph: String,
        /// What was expected and what was given.
        problem: String,
    },
    /// A pass left a graph that does not verify: our bug, with the reason.
    #[error("pass '{pass}' broke the graph, please report it: {source}")]
    Pass {
        /// Name of the pass.
        pass: &'static str,
        /// What verification said.
        source: Box<CompileError>,
    },
    /// A memory of the machine is too small.
    #[error(
        "model '{model}', layer '{layer}': {memory} needs {need} {unit}, the configuration has {capacity}; {hint}"
    )]
    Allocation {
        /// The memory.
        memory: String,
        /// The layer that did not fit any more.
        layer: String,
        /// The model it belongs to.
        model: String,
        /// Needed, in `unit`.
        need: usize,
        /// Present, in `unit`.
        capacity: usize,
        /// Blocks, entries, bits...
        unit: &'static str,
        /// The way out.
        hint: String,
    },
    /// An instruction stream is too long for its store.
    #[error(
        "model '{model}': instruction stream of {stream} needs {need} words, the store holds {capacity}; {hint}"
    )]
    StreamTooLarge {
        /// The unit whose stream it is.
        stream: String,
        /// The model.
        model: String,
        /// Words needed.
        need: usize,
        /// Words the store holds.
        capacity: usize,
        /// The way out.
        hint: String,
    },
    /// A hardware configuration or compile option that makes no sense.
    #[error("configuration: {0}")]
    Config(String),
    /// An ONNX file that cannot be read at all.
    #[error("ONNX file '{file}': {problem}")]
    OnnxFile {
        /// The file, as given.
        file: String,
        /// What went wrong.
        problem: String,
    },
    /// An ONNX graph that breaks ONNX's own rules.
    #[error(
        "graph '{graph}', layer '{layer}' ({op}): {problem}; the file breaks the rules of ONNX, export it again"
    )]
    OnnxInvalid {
        /// Name of the graph.
        graph: String,
        /// The layer, tensor or value.
        layer: String,
        /// Its operation, or what kind of thing it is.
        op: String,
        /// The rule and what was found.
        problem: String,
    },
    /// Two things of one name.
    #[error("graph '{graph}': {kind} '{name}' is defined twice; names must be unique, rename one")]
    Duplicate {
        /// Name of the graph.
        graph: String,
        /// Value, layer...
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A version of the operator set that is too old, too new, or missing.
    #[error(
        "graph '{graph}': operator set '{domain}' version {version}; versions {oldest} to {newest} are supported, export for one of them"
    )]
    Opset {
        /// Name of the graph.
        graph: String,
        /// `ai.onnx`, unless the model was made for nothing else.
        domain: String,
        /// As the file says; 0 when it says nothing.
        version: i64,
        /// Oldest supported.
        oldest: i64,
        /// Newest supported.
        newest: i64,
    },
    /// An input whose shape is not known before run time.
    #[error(
        "graph '{graph}': input '{input}' {shape}: {dimension} is dynamic; give the shape of every input, or export with static shapes"
    )]
    DynamicShape {
        /// Name of the graph.
        graph: String,
        /// Name of the input.
        input: String,
        /// As the file has it, e.g. `[batch, 64]`.
        shape: String,
        /// Which dimension, e.g. `dimension 0 ('batch')`.
        dimension: String,
    },
    /// Data of a tensor that lives in another file.
    #[error(
        "tensor '{tensor}': external data '{file}': {problem}; keep the file next to the model"
    )]
    ExternalData {
        /// The tensor.
        tensor: String,
        /// Location as the model says.
        file: String,
        /// What went wrong.
        problem: String,
    },
    /// Everything in a network that this compiler cannot express, at once.
    #[error("graph '{graph}': {} not supported (docs/operators.md lists what is):{}", counted(ops.len(), "form"), listed(ops))]
    UnsupportedOps {
        /// Name of the graph.
        graph: String,
        /// One entry per operation and attribute, in order of computation.
        ops: Vec<UnsupportedOp>,
    },
    /// Our own bug.
    #[error("internal compiler error, please report it: {0}")]
    Internal(String),
}

/// An operation, or one attribute of it, that is not supported, and every layer that needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedOp {
    /// The operation, as the file names it.
    pub op: String,
    /// The attribute with its value; empty when no form of the operation is supported.
    pub attribute: String,
    /// What to write instead; empty when there is nothing near.
    pub nearest: String,
    /// Names of the layers.
    pub layers: Vec<String>,
}

impl CompileError {
    /// The stable code, `SL-C...`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "SL-C001",
            Self::Cycle { .. } => "SL-C002",
            Self::Dangling { .. } => "SL-C003",
            Self::Shape { .. } => "SL-C004",
            Self::DataDim { .. } => "SL-C005",
            Self::Unsupported { .. } => "SL-C006",
            Self::NonFinite { .. } => "SL-C007",
            Self::ZeroSized { .. } => "SL-C008",
            Self::TensorLength { .. } => "SL-C009",
            Self::UnusedInput { .. } => "SL-C010",
            Self::Parse { .. } => "SL-C011",
            Self::SummaryText { .. } => "SL-C012",
            Self::StreamingAxis { .. } => "SL-C013",
            Self::Arguments { .. } => "SL-C014",
            Self::Allocation { .. } => "SL-C020",
            Self::StreamTooLarge { .. } => "SL-C021",
            Self::NoFp8 { .. } => "SL-C022",
            Self::Config(_) => "SL-C030",
            Self::OnnxFile { .. } => "SL-C040",
            Self::OnnxInvalid { .. } => "SL-C041",
            Self::Duplicate { .. } => "SL-C042",
            Self::Opset { .. } => "SL-C043",
            Self::DynamicShape { .. } => "SL-C044",
            Self::ExternalData { .. } => "SL-C045",
            Self::UnsupportedOps { .. } => "SL-C046",
            Self::Internal(_) => "SL-C090",
            Self::Pass { .. } => "SL-C091",
        }
    }
}

fn quoted(names: &[String]) -> String {
    let mut text = String::new();
    for (i, name) in names.iter().enumerate() {
        let arrow = if i == 0 { "" } else { " -> " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{arrow}'{name}'");
    }
    text
}

fn counted(count: usize, noun: &str) -> String {
    let (ending, verb) = if count == 1 { ("", "is") } else { ("s", "are") };
    format!("{count} {noun}{ending} {verb}")
}

/// One line per form: what, how often, where, what instead.
fn listed(ops: &[UnsupportedOp]) -> String {
    let mut text = String::new();
    for form in ops {
        let with = if form.attribute.is_empty() {
            String::new()
        } else {
            format!(" with {}", form.attribute)
        };
        let names: Vec<_> = form.layers.iter().map(|l| format!("'{l}'")).collect();
        let _ = write!(
            text,
            "\n  {}{with}: {} x, layers {}",
            form.op,
            form.layers.len(),
            names.join(", ")
        );
        if !form.nearest.is_empty() {
            let _ = write!(text, "; nearest supported form: {}", form.nearest);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of_each() -> Vec<CompileError> {
        let s = String::new;
        let (axis, line) = (0, 1);
        vec![
            CompileError::Empty {
                graph: s(),
                missing: "input",
            },
            CompileError::Cycle {
                graph: s(),
                layers: vec![],
            },
            CompileError::Dangling {
                layer: s(),
                operand: 0,
                problem: s(),
            },
            CompileError::Shape {
                layer: s(),
                op: "",
                operands: s(),
                problem: s(),
            },
            CompileError::DataDim {
                layer: s(),
                op: "",
                operands: s(),
                problem: s(),
            },
            CompileError::Unsupported {
                layer: s(),
                op: s(),
                attribute: s(),
                nearest: s(),
            },
            CompileError::NonFinite {
                layer: s(),
                tensor: s(),
                index: vec![],
                value: 0.0,
            },
            CompileError::ZeroSized {
                layer: s(),
                tensor: s(),
                shape: vec![],
            },
            CompileError::TensorLength {
                shape: vec![],
                expected: 0,
                found: 0,
            },
            CompileError::UnusedInput {
                graph: s(),
                input: s(),
            },
            CompileError::Parse { line, problem: s() },
            CompileError::SummaryText { line, shape: s() },
            CompileError::StreamingAxis {
                layer: s(),
                axis,
                shape: vec![],
                problem: s(),
            },
            CompileError::Arguments {
                graph: s(),
                problem: s(),
            },
            CompileError::Pass {
                pass: "",
                source: Box::new(CompileError::Internal(s())),
            },
            CompileError::Allocation {
                memory: s(),
                layer: s(),
                model: s(),
                need: 0,
                capacity: 0,
                unit: "",
                hint: s(),
            },
            CompileError::StreamTooLarge {
                stream: s(),
                model: s(),
                need: 0,
                capacity: 0,
                hint: s(),
            },
            CompileError::Config(s()),
            CompileError::OnnxFile {
                file: s(),
                problem: s(),
            },
            CompileError::OnnxInvalid {
                graph: s(),
                layer: s(),
                op: s(),
                problem: s(),
            },
            CompileError::Duplicate {
                graph: s(),
                kind: "",
                name: s(),
            },
            CompileError::Opset {
                graph: s(),
                domain: s(),
                version: 0,
                oldest: 0,
                newest: 0,
            },
            CompileError::DynamicShape {
                graph: s(),
                input: s(),
                shape: s(),
                dimension: s(),
            },
            CompileError::ExternalData {
                tensor: s(),
                file: s(),
                problem: s(),
            },
            CompileError::UnsupportedOps {
                graph: s(),
                ops: vec![],
            },
            CompileError::Internal(s()),
        ]
    }

    #[test]
    fn codes_are_distinct() {
        let codes: std::collections::BTreeSet<_> =
            one_of_each().iter().map(CompileError::code).collect();
        assert_eq!(codes.len(), one_of_each().len());
        assert!(codes.iter().all(|c| c.starts_with("SL-C") && c.len() == 7));
    }

    #[test]
    fn allocation_names_everything() {
        let text = CompileError::Allocation {
            memory: "weight store of core 2".into(),
            layer: "fc3".into(),
            model: "mlp".into(),
            need: 600,
            capacity: 512,
            unit: "blocks",
            hint: "use a configuration with more cores".into(),
        }
        .to_string();
        for part in [
            "weight store of core 2",
            "'fc3'",
            "'mlp'",
            "600 blocks",
            "512",
            "more cores",
        ] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
    }
}
