//! Networks in, one multi-model program out.
