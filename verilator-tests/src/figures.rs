//! Latencies as tables.
