//! Matrix products.
//!
//! | form              | run-time side | becomes                                                     |
//! |-------------------|---------------|-------------------------------------------------------------|
//! | `x W`, `W [K, N]` | `[.., K]`     | `linear` with the weight transposed to `[N, K]`             |
//! | `W x`, `W [M, K]` | `[K]`         | `linear`                                                    |
//! | `W x`, `W [M, K]` | `[.., K, N]`  | `conv1d` with one tap: contracts the last axis but one       |
//! | `x y`             | both          | products of broadcast operands, summed; a batch is broadcast |
//!
//! **Contract.** alpha is rounded into the weight once, beta into the bias.

use std::sync::Arc;

use crate::nnir::{Op, PointwiseOp, Tensor};
use crate::onnx::importer::{Context, Mapped};
use crate::onnx::tensors::Value;

pub(in crate::onnx) fn matmul(c: &mut Context<'_, '_, '_>) -> Mapped {
    let (a, b) = (c.float(0)?, c.float(1)?);
    match (&a, &b) {
        (_, Value::Constant(weight)) => {
            let weight = Arc::clone(&weight.tensor);
            right(c, a, &weight)
        }
        (Value::Constant(weight), _) => {
            let weight = Arc::clone(&weight.tensor);
            let rank = c.shape(&b)?.len();
            let Some(matrix) = unbatched(&weight, rank).filter(|m| m.shape.len() == 2) else {
                return Err(batch(c, &weight));
            };
            left(c, matrix, b)
        }
        _ => {
            let (left, right) = (c.shape(&a)?.len(), c.shape(&b)?.len());
            if left < 2 || right < 2 {
                let attribute = format!("run-time operands of {left} and {right} axes");
                return Err(c.unsupported(&attribute, "matrices, or one constant operand"));
            }
            c.compose(&[a, b], |g, name, of| g.matmul(name, of[0], of[1]))
        }
    }
}

fn batch(c: &mut Context<'_, '_, '_>, weight: &Tensor) -> crate::onnx::importer::Stop {
    let attribute = format!("a constant of shape {:?}", weight.shape);
    c.unsupported(
        &attribute,
        "a constant matrix [K, N] on the right or [M, K] on the left",
    )
}

/// `x W`.
fn right(c: &mut Context<'_, '_, '_>, x: Value, weight: &Tensor) -> Mapped {
    let operand = c.shape(&x)?;
    let Some(matrix) = unbatched(weight, operand.len()) else {
        return Err(batch(c, weight));
    };
    if let &[columns] = &matrix.shape[..] {
        // A vector on the right: the contracted axis goes away.
        let row = Tensor::new([1, columns], matrix.data)?;
        let y = c.emit_part("row", linear_op(row, None), &[x])?;
        let shape = operand[..operand.len().saturating_sub(1)].to_vec();
        return c.emit(Op::Reshape { shape }, &[y]);
    }
    c.emit(linear_op(transposed(&matrix), None), &[x])
}

/// `W x`.
fn left(c: &mut Context<'_, '_, '_>, weight: Tensor, x: Value) -> Mapped {
    match c.shape(&x)?.len() {
        1 => c.emit(linear_op(weight, None), &[x]),
        2 | 3 => {
            let shape = [weight.shape[0], weight.shape[1], 1];
            let op = Op::Conv1d {
                weight: Arc::new(Tensor::new(shape, weight.data)?),
                bias: None,
                dilation: 1,
                groups: 1,
                fp8: false,
            };
            c.emit(op, &[x])
        }
        rank => {
            let attribute = format!("a constant on the left of {rank} axes");
            Err(c.unsupported(&attribute, "[K], [K, N] or [batch, K, N]"))
        }
    }
}

pub(in crate::onnx) fn gemm(c: &mut Context<'_, '_, '_>) -> Mapped {
    let (alpha, beta) = (c.real("alpha", 1.0)?, c.real("beta", 1.0)?);
    let (trans_a, trans_b) = (c.int("transA", 0)? != 0, c.int("transB", 0)? != 0);
    let (a, b, bias) = (c.float(0)?, c.float(1)?, c.optional(2)?);
    for operand in [&a, &b] {
        if c.shape(operand)?.len() != 2 {
            return Err(c.invalid("both factors must have two axes"));
        }
    }
    match (&a, &b) {
        (_, Value::Constant(weight)) => {
            let matrix = if trans_b {
                Tensor::clone(&weight.tensor)
            } else {
                transposed(&weight.tensor)
            };
            let a = match (&a, trans_a) {
                (Value::Constant(constant), true) => {
                    c.own_constant("a", transposed(&constant.tensor))
                }
                (_, true) => {
                    return Err(c.unsupported("transA=1 on a run-time operand", "transA=0"));
                }
                _ => a,
            };
            gemm_right(c, a, scaled(matrix, alpha), bias, beta)
        }
        (Value::Constant(weight), _) => {
            if trans_b {
                return Err(c.unsupported("transB=1 on a run-time operand", "transB=0"));
            }
            let matrix = if trans_a {
                transposed(&weight.tensor)
            } else {
                Tensor::clone(&weight.tensor)
            };
            let weight = scaled(matrix, alpha);
            match bias {
                None => left(c, weight, b),
                Some(bias) => {
                    let shape = [weight.shape[0], weight.shape[1], 1];
                    let op = Op::Conv1d {
                        weight: Arc::new(Tensor::new(shape, weight.data)?),
                        bias: None,
                        dilation: 1,
                        groups: 1,
                        fp8: false,
                    };
                    let product = c.emit_part("product", op, &[b])?;
                    add(c, product, bias, beta)
                }
            }
        }
        _ => {
            let mut sides = [a, b];
            for (side, (turn, part)) in sides.iter_mut().zip([(trans_a, "a"), (trans_b, "b")]) {
                if turn {
                    let perm = vec![1, 0];
                    *side =
                        c.emit_part(part, Op::Transpose { perm }, std::slice::from_ref(side))?;
                }
            }
            let alone = bias.is_none() && alpha.to_bits() == 1.0_f32.to_bits();
            let product = c.compose(&sides, |g, name, of| {
                if alone {
                    return g.matmul(name, of[0], of[1]);
                }
                let product = g.matmul(format!("{name}.product"), of[0], of[1])?;
                let alpha = g.constant(format!("{name}.alpha"), Tensor::scalar(alpha))?;
                g.mul(format!("{name}.scaled_product"), product, alpha)
            })?;
            match bias {
                None => Ok(product),
                Some(bias) => add(c, product, bias, beta),
            }
        }
    }
}

/// `x W^T + beta C`, with C as the bias when it is one.
fn gemm_right(
    c: &mut Context<'_, '_, '_>,
    x: Value,
    weight: Tensor,
    bias: Option<Value>,
    beta: f32,
) -> Mapped {
    let Some(bias) = bias else {
        return c.emit(linear_op(weight, None), &[x]);
    };
    let rows = weight.shape[0];
    if let Value::Constant(constant) = &bias {
        let tensor = &constant.tensor;
        let last = tensor.shape.last().copied().unwrap_or(1);
        if tensor.data.len() == last && tensor.shape.len() <= 2 && (last == rows || last == 1) {
            let at = |i: usize| if last == 1 { 0 } else { i };
            let bias = Tensor::from_fn([rows], |i| tensor.data[at(i)] * beta);
            return c.emit(linear_op(weight, Some(bias)), &[x]);
        }
    }
    let product = c.emit_part("product", linear_op(weight, None), &[x])?;
    add(c, product, bias, beta)
}

/// `product + beta C`; C may be broadcast, the product not.
fn add(c: &mut Context<'_, '_, '_>, product: Value, bias: Value, beta: f32) -> Mapped {
    let shape = c.shape(&product)?;
    let bias = if beta.to_bits() == 1.0_f32.to_bits() {
        bias
    } else {
        let factor = c.own_constant("beta", Tensor::scalar(beta));
        c.emit_part("scaled", Op::Pointwise(PointwiseOp::Mul), &[bias, factor])?
    };
    let sum = c.emit(Op::Pointwise(PointwiseOp::Add), &[product, bias])?;
    if c.shape(&sum)? == shape {
        Ok(sum)
    } else {
        Err(c.invalid(format!("operand C must broadcast to {shape:?}")))
    }
}

fn linear_op(weight: Tensor, bias: Option<Tensor>) -> Op {
    Op::Linear {
        weights: vec![Arc::new(weight)],
        bias: bias.map(Arc::new),
        fp8: false,
    }
}

fn scaled(mut matrix: Tensor, alpha: f32) -> Tensor {
    for value in &mut matrix.data {
        *value *= alpha;
    }
    matrix
}

fn transposed(matrix: &Tensor) -> Tensor {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1]);
    Tensor::from_fn([columns, rows], |i| {
        matrix.data[i % rows * columns + i / rows]
    })
}

/// The vector or matrix of a constant whose leading extents are 1 and add no axis to the result.
fn unbatched(tensor: &Tensor, operand_rank: usize) -> Option<Tensor> {
    let rank = tensor.shape.len();
    let leading = rank.saturating_sub(2);
    let plain = tensor.shape[..leading].iter().all(|&extent| extent == 1);
    let fits = rank > 0 && (leading == 0 || rank <= operand_rank);
    (plain && fits).then(|| Tensor {
        shape: tensor.shape[leading..].to_vec(),
        data: tensor.data.clone(),
    })
}
