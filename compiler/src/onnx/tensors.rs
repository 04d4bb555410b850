//! Values of a graph while it is read, and the tensors the file carries.
//!
//! | element type     | stored as                                   | becomes             |
//! |------------------|---------------------------------------------|---------------------|
//! | `FLOAT`          | `raw_data`, `float_data`, external          | `Value::Constant`   |
//! | `INT64`, `INT32` | `raw_data`, `int64_data`, `int32_data`, external | `Value::Integers` |
//! | `BOOL`           | any                                         | `Value::Integers`, 0 or 1 |
//! | others           | any                                         | `Value::Foreign`; an error where it is used |
//!
//! **Contract.** Raw data is little-endian. Data lengths agree with the shape. External files lie below the model's folder.
//! **Errors.** `OnnxInvalid` for lengths and extents, `ExternalData`.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;

use super::proto::tensor_proto::{DataLocation, DataType};
use super::proto::{StringStringEntryProto, TensorProto};
use crate::error::{CompileError, Result};
use crate::nnir::{NodeId, Tensor};

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Value {
    /// Computed at run time.
    Runtime(NodeId),
    /// Float32, known now.
    Constant(Constant),
    /// Integers, known now.
    Integers(Arc<Integers>),
    /// Of an element type nothing here computes with.
    Foreign(String),
    /// An output that has no value here; an error where it is read.
    Spare {
        op: String,
        layer: String,
        position: usize,
    },
    /// A sequence with zeros before and after it, along its last axis; a convolution takes them over, others materialise them.
    Padded(Padded),
    /// Follows from a layer that was reported already.
    Unknown,
}

/// A padding that may never be computed.
#[derive(Clone)]
pub(super) struct Padded {
    /// Of the padding layer.
    pub(super) name: String,
    pub(super) source: NodeId,
    pub(super) left: usize,
    pub(super) right: usize,
}

/// A constant keeps its name, so that it can be found in the model.
#[derive(Clone)]
pub(super) struct Constant {
    pub(super) name: Arc<str>,
    pub(super) tensor: Arc<Tensor>,
}

/// Indices, axes, extents.
pub(super) struct Integers {
    pub(super) shape: Vec<usize>,
    pub(super) data: Vec<i64>,
}

/// The word for an element type that is neither float32 nor unset.
pub(super) fn foreign_type(code: i32) -> Option<String> {
    match DataType::try_from(code) {
        Ok(DataType::Float | DataType::Undefined) => None,
        Ok(other) => Some(other.as_str_name().to_owned()),
        Err(_) => Some(format!("number {code}")),
    }
}

/// Reads one tensor of the file.
pub(super) fn read(
    graph: &str,
    name: &str,
    proto: TensorProto,
    folder: Option<&Path>,
) -> Result<Value> {
    let invalid = |problem: String| CompileError::OnnxInvalid {
        graph: graph.to_owned(),
        layer: name.to_owned(),
        op: "tensor".to_owned(),
        problem,
    };
    let kind = DataType::try_from(proto.data_type()).ok();
    let Some(kind @ (DataType::Float | DataType::Int64 | DataType::Int32 | DataType::Bool)) = kind
    else {
        let word = foreign_type(proto.data_type()).unwrap_or_else(|| "UNDEFINED".to_owned());
        return Ok(Value::Foreign(word));
    };
    let shape: Option<Vec<usize>> = proto
        .dims
        .iter()
        .map(|&d| usize::try_from(d).ok())
        .collect();
    let count = shape
        .as_ref()
        .and_then(|shape| shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d)));
    let (Some(shape), Some(count)) = (shape, count) else {
        return Err(invalid(format!("extents {:?} make no tensor", proto.dims)));
    };
    let raw = if proto.data_location() == DataLocation::External {
        Some(external(name, &proto, folder)?)
    } else {
        proto.raw_data
    };
    let length = |found: usize, unit: &str| {
        if found == count {
            Ok(())
        } else {
            Err(invalid(format!(
                "shape {shape:?} needs {count} values, the data has {found}{unit}"
            )))
        }
    };
    if let Some(raw) = &raw {
        let width = match kind {
            DataType::Bool => 1,
            DataType::Int64 => 8,
            _ => 4,
        };
        length(raw.len() / width, "")?;
        if raw.len() % width != 0 {
            return Err(invalid(format!(
                "{} bytes are no multiple of {width}",
                raw.len()
            )));
        }
    }
    let integers =
        |data: Vec<i64>, shape: Vec<usize>| Value::Integers(Arc::new(Integers { shape, data }));
    match kind {
        DataType::Float => {
            let data = match raw {
                Some(raw) => words::<4>(&raw).map(f32::from_le_bytes).collect(),
                None => proto.float_data,
            };
            length(data.len(), "")?;
            Ok(Value::Constant(Constant {
                name: name.into(),
                tensor: Arc::new(Tensor::new(shape, data)?),
            }))
        }
        DataType::Int64 => {
            let data = match raw {
                Some(raw) => words::<8>(&raw).map(i64::from_le_bytes).collect(),
                None => proto.int64_data,
            };
            length(data.len(), "")?;
            Ok(integers(data, shape))
        }
        _ => {
            let data: Vec<i64> = match raw {
                Some(raw) if kind == DataType::Bool => raw.into_iter().map(i64::from).collect(),
                Some(raw) => words::<4>(&raw)
                    .map(|word| i64::from(i32::from_le_bytes(word)))
                    .collect(),
                None => proto.int32_data.into_iter().map(i64::from).collect(),
            };
            length(data.len(), "")?;
            Ok(integers(data, shape))
        }
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// The bytes of a tensor that lives in another file.
fn external(name: &str, proto: &TensorProto, folder: Option<&Path>) -> Result<Vec<u8>> {
    let entry = |key: &str| {
        let mut entries = proto.external_data.iter();
        entries
            .find(|e| e.key() == key)
            .map(StringStringEntryProto::value)
    };
    let file = entry("location").unwrap_or_default();
    let fail = |problem: String| CompileError::ExternalData {
        tensor: name.to_owned(),
        file: file.to_owned(),
        problem,
    };
    let number = |key: &str| match entry(key).map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(error)) => Err(fail(format!("{key}: {error}"))),
    };
    let folder = folder
        .ok_or_else(|| fail("the model was not read from a file, so there is no folder".into()))?;
    let plain = Path::new(file)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if file.is_empty() || !plain {
        return Err(fail(
            "the location must be a path below the model's folder".into(),
        ));
    }
    let text = |error: std::io::Error| fail(error.to_string());
    let path = folder.join(file).canonicalize().map_err(text)?;
    if !path.starts_with(folder.canonicalize().map_err(text)?) {
        return Err(fail("the location leads out of the model's folder".into()));
    }
    let mut data = std::fs::File::open(path).map_err(text)?;
    let info = data.metadata().map_err(text)?;
    if !info.is_file() {
        return Err(fail("is not a file".into()));
    }
    let offset = number("offset")?.unwrap_or(0);
    let present = info.len().saturating_sub(offset);
    let length = number("length")?.unwrap_or(present);
    if offset > info.len() || length > present {
        return Err(fail(format!(
            "{length} bytes at {offset} are wanted, the file has {}",
            info.len()
        )));
    }
    let mut bytes = vec![];
    data.seek(SeekFrom::Start(offset)).map_err(text)?;
    data.take(length).read_to_end(&mut bytes).map_err(text)?;
    Ok(bytes)
}
