//! Rewrites of NNIR.
