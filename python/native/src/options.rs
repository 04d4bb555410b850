//! Compile options that the machine gives no meaning to: checked, then ignored (docs/python.md lists them).

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

fn at_least_one(name: &str, value: i64) -> PyResult<()> {
    if value < 1 {
        return Err(PyValueError::new_err(format!(
            "{name} = {value}, but it must be at least 1"
        )));
    }
    Ok(())
}

/// Capacities of the simulator of other products.
pub fn capacities(write_queue_capacity: i64, output_buffer_capacity: i64) -> PyResult<()> {
    at_least_one("write_queue_capacity", write_queue_capacity)?;
    at_least_one("output_buffer_capacity", output_buffer_capacity)
}

/// What `to_program` and `add_nnir` take beyond that.
pub fn validate(
    max_sparse_entries: i64,
    output_buffer_capacity: i64,
    write_queue_capacity: i64,
    random_seeds: &[i64],
) -> PyResult<()> {
    capacities(write_queue_capacity, output_buffer_capacity)?;
    at_least_one("max_sparse_entries", max_sparse_entries)?;
    if random_seeds.is_empty() {
        return Err(PyValueError::new_err(
            "random_seeds is empty, but it must hold at least one seed",
        ));
    }
    if let Some(seed) = random_seeds.iter().find(|&&s| s < 0) {
        return Err(PyValueError::new_err(format!(
            "random_seeds holds {seed}, but a seed must not be negative"
        )));
    }
    Ok(())
}
