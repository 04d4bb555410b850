//! The RTL as an executor of the suite, and the suites that hold it to the VM.
