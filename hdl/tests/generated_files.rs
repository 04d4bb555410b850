//! The checked-in package and reference page are what the `isa` crate says.

use std::path::Path;

#[test]
fn not_stale() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (path, text) in sluice_hdl::generated::files() {
        let found = std::fs::read_to_string(root.join(path)).unwrap();
        assert!(
            found == text,
            "{path} is stale: run `cargo run -p sluice-hdl --bin sl-pkg`"
        );
    }
}
