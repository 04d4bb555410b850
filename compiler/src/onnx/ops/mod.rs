//! One function per operator, from a checked layer to NNIR.
//!
//! **Contract.** A function looks at attributes before operands, so that a layer behind an unsupported one is still checked.
//! **Errors.** Forms that are not supported go to the list; the rest is returned.

pub(super) mod conv;
pub(super) mod elementwise;
pub(super) mod linear;
pub(super) mod passing;
pub(super) mod recurrent;
pub(super) mod reduce;
pub(super) mod scan;
pub(super) mod shape;
pub(super) mod window;

use super::importer::{Context, Mapped};
use super::tensors::Value;

/// An axis counted from either end.
fn axis(c: &Context<'_, '_, '_>, axis: i64, rank: usize) -> Mapped<usize> {
    let from_end = || {
        let back = usize::try_from(axis.unsigned_abs()).ok()?;
        rank.checked_sub(back)
    };
    let found = if axis < 0 {
        from_end()
    } else {
        usize::try_from(axis).ok().filter(|&a| a < rank)
    };
    found.ok_or_else(|| c.invalid(format!("axis {axis} does not exist, the rank is {rank}")))
}

/// An axis attribute, and the rank of the operand it counts in.
fn axis_attribute(
    c: &mut Context<'_, '_, '_>,
    x: &Value,
    name: &str,
    default: i64,
) -> Mapped<(usize, usize)> {
    let along = c.int(name, default)?;
    let rank = c.shape(x)?.len();
    Ok((axis(c, along, rank)?, rank))
}
