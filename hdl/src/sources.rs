//! The hand-written RTL, carried inside the crate.
//!
//! **Contract.** [`all`] is in compile order: the package first, then every module; include files are among them. File names are
//! unique, so that they can be written into one folder.
//! **Errors.** None.

/// Path under `hdl/rtl` and text.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// One source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// File name without folder.
    pub name: &'static str,
    /// Text.
    pub text: &'static str,
}

impl Source {
    /// Included by others, not compiled itself.
    pub fn is_header(&self) -> bool {
        self.name.split('.').nth(1) == Some("svh")
    }
}

/// Every source in compile order.
pub fn all() -> Vec<Source> {
    let mut list: Vec<(bool, &str, Source)> = SOURCES
        .iter()
        .map(|&(path, text)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            (!name.ends_with("_pkg.sv"), path, Source { name, text })
        })
        .collect();
    // Packages first, of those the one that all others use.
    list.sort_by_key(|&(later, path, _)| (later, path.contains('/'), path));
    list.into_iter().map(|(_, _, s)| s).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_first_and_names_unique() {
        let list = all();
        assert_eq!(list[0].name, "sl_pkg.sv");
        let mut names: Vec<_> = list.iter().map(|s| s.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), list.len());
    }

    #[test]
    fn one_module_per_file_named_after_it() {
        let emitted = "sl_dispatch_fsm.v"; // rust-hdl: a module per register
        for source in all().iter().filter(|s| !s.is_header() && s.name != emitted) {
            let stem = source.name.split('.').next().unwrap();
            let modules: Vec<_> = source
                .text
                .lines()
                .filter_map(|l| {
                    l.strip_prefix("module ")
                        .or_else(|| l.strip_prefix("package "))
                })
                .map(|l| {
                    l.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        .next()
                        .unwrap()
                })
                .collect();
            assert_eq!(modules, [stem], "{}", source.name);
        }
    }
}
