//! Shapes the file or the caller states: of the inputs, and of any value the exporter annotated.
//!
//! | value       | type           | unit                                    |
//! |-------------|----------------|-----------------------------------------|
//! | extent      | `usize`        | values along an axis                    |
//! | symbol      | name of extent | bound by the shapes the caller gives    |
//!
//! **Contract.** Every input has a static shape of at least one value. A given shape agrees with the static extents of the
//! file, and equal symbols get equal extents. Annotations are checked wherever they are static or their symbol is bound.
//! **Errors.** `DynamicShape`, `Arguments` for given shapes, `ZeroSized`, `Shape` where an annotation is not what follows.

use std::collections::{BTreeMap, BTreeSet};

use super::proto::tensor_shape_proto::dimension::Value as Extent;
use super::proto::type_proto::{Tensor as TensorTypeProto, Value as Type};
use super::proto::{GraphProto, TensorProto, TypeProto, ValueInfoProto};
use super::tensors;
use crate::error::{CompileError, Result};

/// Largest tensor, in values; as in NNIR.
const MAX_VALUES: usize = 1 << 31;

/// One input of the model.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Element type when it is not float32, as a word.
    pub(super) foreign_type: Option<String>,
}

/// What is known about shapes before any layer is read.
pub(super) struct Signature<'m> {
    pub(super) inputs: Vec<Input>,
    declared: BTreeMap<&'m str, &'m TensorTypeProto>,
    symbols: BTreeMap<&'m str, usize>,
}

impl<'m> Signature<'m> {
    pub(super) fn new(
        graph: &str,
        proto: &'m GraphProto,
        initializers: &[TensorProto],
        overrides: &[Vec<usize>],
    ) -> Result<Self> {
        let constants: BTreeSet<&str> = initializers.iter().map(TensorProto::name).collect();
        let inputs: Vec<&ValueInfoProto> = proto
            .input
            .iter()
            .filter(|input| !constants.contains(input.name()))
            .collect();
        let complain = |problem| {
            Err(CompileError::Arguments {
                graph: graph.to_owned(),
                problem,
            })
        };
        if !overrides.is_empty() && overrides.len() != inputs.len() {
            return complain(format!(
                "{} input shapes given, the model has {} inputs; give one per input",
                overrides.len(),
                inputs.len()
            ));
        }
        let mut signature = Self {
            inputs: vec![],
            declared: annotated(proto),
            symbols: BTreeMap::new(),
        };
        for (position, input) in inputs.into_iter().enumerate() {
            let stated = tensor_type(input);
            let shape = match overrides.get(position) {
                Some(shape) => match signature.bind(stated, shape) {
                    Ok(()) => shape.clone(),
                    Err(problem) => {
                        return complain(format!(
                            "shape {shape:?} given for input '{}' {}: {problem}",
                            input.name(),
                            shown(stated)
                        ));
                    }
                },
                None => static_shape(stated).map_err(|dimension| CompileError::DynamicShape {
                    graph: graph.to_owned(),
                    input: input.name().to_owned(),
                    shape: shown(stated),
                    dimension,
                })?,
            };
            check_extents(input.name(), &shape)?;
            signature.inputs.push(Input {
                name: input.name().to_owned(),
                shape,
                foreign_type: foreign_type(input),
            });
        }
        Ok(signature)
    }

    /// Of the graph inside a layer, whose inputs have the shapes of what the layer reads; `None` where that is not known.
    pub(super) fn inside(
        proto: &'m GraphProto,
        shapes: &[Option<Vec<usize>>],
    ) -> std::result::Result<Self, String> {
        let mut signature = Self {
            inputs: vec![],
            declared: annotated(proto),
            symbols: BTreeMap::new(),
        };
        for (input, shape) in proto.input.iter().zip(shapes) {
            let Some(shape) = shape else { continue };
            let stated = tensor_type(input);
            signature.bind(stated, shape).map_err(|problem| {
                let (name, stated) = (input.name(), shown(stated));
                format!("'{name}' {stated} of its body gets {shape:?}: {problem}")
            })?;
        }
        Ok(signature)
    }

    /// Takes in a given shape; says what is wrong with it.
    fn bind(
        &mut self,
        stated: Option<&'m TensorTypeProto>,
        given: &[usize],
    ) -> std::result::Result<(), String> {
        let Some(shape) = stated.and_then(|ty| ty.shape.as_ref()) else {
            return Ok(());
        };
        if shape.dim.len() != given.len() {
            return Err(format!("the model says {} dimensions", shape.dim.len()));
        }
        for (axis, (dimension, &extent)) in shape.dim.iter().zip(given).enumerate() {
            match &dimension.value {
                Some(Extent::DimValue(value))
                    if is_static(*value) && usize::try_from(*value) != Ok(extent) =>
                {
                    return Err(format!("the model says {value} for dimension {axis}"));
                }
                Some(Extent::DimParam(symbol)) if !symbol.is_empty() => {
                    let bound = *self.symbols.entry(symbol).or_insert(extent);
                    if bound != extent {
                        return Err(format!("'{symbol}' is {bound} already"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What the file says about a value, when that is not this shape.
    pub(super) fn contradiction(&self, value: &str, shape: &[usize]) -> Option<String> {
        let stated = *self.declared.get(value)?;
        let extents = &stated.shape.as_ref()?.dim;
        let agrees = extents.len() == shape.len()
            && extents.iter().zip(shape).all(|(dimension, &extent)| {
                let stated = match &dimension.value {
                    Some(Extent::DimValue(value)) if is_static(*value) => {
                        usize::try_from(*value).ok()
                    }
                    Some(Extent::DimParam(symbol)) => self.symbols.get(symbol.as_str()).copied(),
                    _ => None,
                };
                stated.is_none_or(|stated| stated == extent)
            });
        (!agrees).then(|| {
            format!(
                "the file says '{value}' is {}, it follows as {shape:?}",
                shown(Some(stated))
            )
        })
    }
}

fn annotated(proto: &GraphProto) -> BTreeMap<&str, &TensorTypeProto> {
    let values = proto
        .input
        .iter()
        .chain(&proto.output)
        .chain(&proto.value_info);
    values
        .filter_map(|value| Some((value.name(), tensor_type(value)?)))
        .collect()
}

/// Negative extents are how some exporters write an unknown one.
fn is_static(extent: i64) -> bool {
    extent >= 0
}

fn tensor_type(value: &ValueInfoProto) -> Option<&TensorTypeProto> {
    match value.r#type.as_ref()?.value.as_ref()? {
        Type::TensorType(ty) => Some(ty),
        _ => None,
    }
}

/// The word for the element type of a value that is no float32 tensor.
pub(super) fn foreign_type(value: &ValueInfoProto) -> Option<String> {
    match value.r#type.as_ref() {
        Some(TypeProto {
            value: Some(Type::TensorType(ty)),
            ..
        }) => tensors::foreign_type(ty.elem_type()),
        None | Some(TypeProto { value: None, .. }) => None,
        Some(_) => Some("not a tensor".to_owned()),
    }
}

fn static_shape(stated: Option<&TensorTypeProto>) -> std::result::Result<Vec<usize>, String> {
    let shape = stated
        .and_then(|ty| ty.shape.as_ref())
        .ok_or("the number of dimensions")?;
    let mut extents = vec![];
    for (axis, dimension) in shape.dim.iter().enumerate() {
        let extent = match &dimension.value {
            Some(Extent::DimValue(value)) => usize::try_from(*value).ok(),
            _ => None,
        };
        extents.push(extent.ok_or_else(|| match &dimension.value {
            Some(Extent::DimParam(symbol)) => format!("dimension {axis} ('{symbol}')"),
            _ => format!("dimension {axis}"),
        })?);
    }
    Ok(extents)
}

/// `[batch, 64]`, with `?` for what has no name.
fn shown(stated: Option<&TensorTypeProto>) -> String {
    let Some(shape) = stated.and_then(|ty| ty.shape.as_ref()) else {
        return "of unknown shape".to_owned();
    };
    let extents: Vec<String> = shape
        .dim
        .iter()
        .map(|dimension| match &dimension.value {
            Some(Extent::DimValue(value)) => value.to_string(),
            Some(Extent::DimParam(symbol)) if !symbol.is_empty() => symbol.clone(),
            _ => "?".to_owned(),
        })
        .collect();
    format!("[{}]", extents.join(", "))
}

fn check_extents(input: &str, shape: &[usize]) -> Result<()> {
    if shape.contains(&0) {
        return Err(CompileError::ZeroSized {
            layer: input.to_owned(),
            tensor: "the input".to_owned(),
            shape: shape.to_vec(),
        });
    }
    let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
    if shape.is_empty() || count.is_none_or(|count| count > MAX_VALUES) {
        return Err(CompileError::Shape {
            layer: input.to_owned(),
            op: "input",
            operands: format!("{input} {shape:?}"),
            problem: format!("an input has 1 to {MAX_VALUES} values and at least one axis"),
        });
    }
    Ok(())
}
