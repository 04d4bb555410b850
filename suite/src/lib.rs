//! Cases as data, executors as code: the same case runs on the VM, the RTL and the float reference.
