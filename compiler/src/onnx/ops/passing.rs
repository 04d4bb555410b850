//! Operators that hand a value on, and constants.

use std::sync::Arc;

use crate::nnir::Tensor;
use crate::onnx::importer::{Context, Mapped};
use crate::onnx::proto::tensor_proto::DataType;
use crate::onnx::tensors::{Integers, Value};

pub(in crate::onnx) fn dropout(c: &mut Context<'_, '_, '_>) -> Mapped {
    if let Some(training) = c.integers(2)?
        && training.data.iter().any(|&flag| flag != 0)
    {
        return Err(c.unsupported("training_mode=true", "inference form"));
    }
    c.any(0)
}

pub(in crate::onnx) fn cast(c: &mut Context<'_, '_, '_>) -> Mapped {
    let to = c.int("to", 0)?;
    let kind = i32::try_from(to)
        .ok()
        .and_then(|to| DataType::try_from(to).ok());
    match (kind, c.any(0)?) {
        (Some(DataType::Float), Value::Integers(integers)) => {
            let data = integers.data.iter().map(|&i| to_float(i)).collect();
            Ok(c.own_constant("value", Tensor::new(integers.shape.clone(), data)?))
        }
        (Some(DataType::Float), value) | (Some(DataType::Int64), value @ Value::Integers(_)) => {
            Ok(value)
        }
        (kind, _) => {
            let word = kind.map_or_else(|| to.to_string(), |kind| kind.as_str_name().to_owned());
            Err(c.unsupported(&format!("to={word}"), "to=FLOAT"))
        }
    }
}

pub(in crate::onnx) fn constant(c: &mut Context<'_, '_, '_>) -> Mapped {
    let scalar_int =
        |data: Vec<i64>, shape: Vec<usize>| Ok(Value::Integers(Arc::new(Integers { shape, data })));
    if c.has("value") {
        match c.tensor("value")? {
            Value::Foreign(word) => Err(c.unsupported(
                &format!("value of type {word}"),
                "float32 values, int64 indices",
            )),
            value => Ok(value),
        }
    } else if c.has("value_float") {
        let value = c.real("value_float", 0.0)?;
        Ok(c.own_constant("value", Tensor::scalar(value)))
    } else if let Some(values) = c.reals("value_floats") {
        Ok(c.own_constant("value", Tensor::vector(values)))
    } else if c.has("value_int") {
        scalar_int(vec![c.int("value_int", 0)?], vec![])
    } else if let Some(values) = c.ints("value_ints") {
        let shape = vec![values.len()];
        scalar_int(values, shape)
    } else {
        Err(c.invalid("a constant needs a value"))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what a cast to float32 means: the nearest value"
)]
fn to_float(value: i64) -> f32 {
    value as f32
}
