//! `NumPy` arrays in and out.
//!
//! | direction | type | shape |
//! |-----------|------|-------|
//! | in | float32, native byte order, any strides | as the caller says |
//! | out | float32, C order, owned | |
//!
//! **Contract.** Nothing is converted silently: another dtype is a `TypeError` that says what to do. Values are read once, while the
//! interpreter is held, into the form the callee needs; results are handed over without a copy.
//! Objects with `__array__` (CPU torch tensors) count as arrays.
//! **Errors.** `TypeError` for a wrong type or dtype, `ValueError` for a wrong shape or misaligned data.

use numpy::ndarray::{ArrayD, ArrayViewD, IxDyn};
use numpy::prelude::*;
use numpy::{PyArrayDyn, PyReadonlyArrayDyn, PyUntypedArray, dtype};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use sluice_compiler::nnir::Tensor;

/// A checked float32 array; `what` names it in errors.
pub fn float32<'py>(
    value: &Bound<'py, PyAny>,
    what: &str,
) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    let py = value.py();
    let array = match value.cast::<PyUntypedArray>() {
        Ok(array) => array.clone(),
        Err(_) if value.hasattr("__array__")? => value.call_method0("__array__")?.cast_into()?,
        Err(_) => {
            return Err(PyTypeError::new_err(format!(
                "{what}: expected a float32 numpy.ndarray, got {}",
                value.get_type().fully_qualified_name()?
            )));
        }
    };
    if !array.dtype().is_equiv_to(&dtype::<f32>(py)) {
        return Err(PyTypeError::new_err(format!(
            "{what}: expected dtype float32, got {}; convert it with .astype(numpy.float32)",
            array.dtype()
        )));
    }
    if !array.getattr("flags")?.getattr("aligned")?.is_truthy()? {
        return Err(PyValueError::new_err(format!(
            "{what}: the array's data is misaligned; copy it with .copy()"
        )));
    }
    let array = array.cast_into::<PyArrayDyn<f32>>()?;
    array
        .try_readonly()
        .map_err(|e| PyValueError::new_err(format!("{what}: the array is being written to: {e}")))
}

/// A compile-time constant.
pub fn tensor(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Tensor> {
    let array = float32(value, what)?;
    let data = map_values(&array.as_array(), |v| v);
    Tensor::new(array.shape(), data).map_err(crate::errors::compile)
}

/// One array, or a list or tuple of arrays.
pub fn several<'py>(
    value: &Bound<'py, PyAny>,
    what: &str,
) -> PyResult<Vec<PyReadonlyArrayDyn<'py, f32>>> {
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        return value
            .try_iter()?
            .enumerate()
            .map(|(i, item)| float32(&item?, &format!("{what}[{i}]")))
            .collect();
    }
    Ok(vec![float32(value, what)?])
}

/// Values in row-major order, each mapped.
pub fn map_values<T>(view: &ArrayViewD<'_, f32>, f: impl Fn(f32) -> T) -> Vec<T> {
    match view.as_slice() {
        Some(values) => values.iter().map(|&v| f(v)).collect(),
        None => view.iter().map(|&v| f(v)).collect(),
    }
}

/// A result: the array itself for one output, a tuple for several.
pub fn results(py: Python<'_>, arrays: Vec<ArrayD<f32>>) -> PyResult<Bound<'_, PyAny>> {
    let mut arrays: Vec<_> = arrays
        .into_iter()
        .map(|a| PyArrayDyn::from_owned_array(py, a).into_any())
        .collect();
    match (arrays.pop(), arrays.is_empty()) {
        (Some(only), true) => Ok(only),
        (last, _) => {
            arrays.extend(last);
            Ok(PyTuple::new(py, arrays)?.into_any())
        }
    }
}

/// Values with a shape; lengths agree by construction.
pub fn shaped(shape: &[usize], values: Vec<f32>) -> PyResult<ArrayD<f32>> {
    ArrayD::from_shape_vec(IxDyn(shape), values)
        .map_err(|e| crate::errors::internal(&e.to_string()))
}
