//! The cache of built models: what a key covers, and who may build.
//!
//! ```text
//! <cache>/<name>-<key>/     model.so, build.log          published by one rename
//! <cache>/locks/<name>-<key>                            held by the process that builds
//! <cache>/scratch/<name>-<key>-<pid>-<n>/                gone after success; the log is kept after failure
//! <cache>/runtime-<hash>/slv_runtime.h                   one stable absolute path, or ccache never hits
//! ```
//!
//! **Contract.** Equal keys mean equal bytes of every source and include, equal options, tools and shim. Parallel processes
//! that want one model build it once. **Errors.** Only those of the file system.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result, read_error, write_error};

pub(crate) const LIBRARY_FILE: &str = "model.so";

/// Collects everything a build depends on.
#[derive(Default)]
pub(crate) struct KeyBuilder(blake3::Hasher);

impl KeyBuilder {
    /// Length-prefixed, so that no two lists of fields run together.
    pub(crate) fn field(&mut self, label: &str, value: &[u8]) {
        for part in [label.as_bytes(), value] {
            self.0
                .update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            self.0.update(part);
        }
    }

    /// A source: its file name (messages quote it) and contents, not the folder it stands in.
    pub(crate) fn file(&mut self, label: &str, path: &Path) -> Result<Vec<u8>> {
        let contents = fs::read(path).map_err(read_error(path))?;
        self.field(
            label,
            path.file_name().unwrap_or_default().as_encoded_bytes(),
        );
        self.field("contents", &contents);
        Ok(contents)
    }

    /// Every file directly in an include folder: which ones a source includes is only known after the build.
    pub(crate) fn folder(&mut self, label: &str, path: &Path) -> Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(read_error(path))? {
            let entry = entry.map_err(read_error(path))?;
            if entry.path().is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        for file in files {
            self.file(label, &file)?;
        }
        Ok(())
    }

    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex().as_str()[..24].to_owned()
    }
}

/// One model's place in the cache.
pub(crate) struct Slot {
    cache: PathBuf,
    stem: String,
}

impl Slot {
    pub(crate) fn new(cache: &Path, name: &str, key: &str) -> Result<Self> {
        fs::create_dir_all(cache).map_err(write_error(cache))?;
        let cache = cache.canonicalize().map_err(read_error(cache))?;
        Ok(Self {
            cache,
            stem: format!("{name}-{key}"),
        })
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.cache.join(&self.stem)
    }

    pub(crate) fn library(&self) -> Option<PathBuf> {
        let path = self.folder().join(LIBRARY_FILE);
        path.is_file().then_some(path)
    }

    /// Waits for the right to build this model; the kernel frees it if the process dies.
    pub(crate) fn lock(&self) -> Result<File> {
        let folder = self.cache.join("locks");
        fs::create_dir_all(&folder).map_err(write_error(&folder))?;
        let path = folder.join(&self.stem);
        let file = File::create(&path).map_err(write_error(&path))?;
        file.lock().map_err(write_error(&path))?;
        Ok(file)
    }

    /// A new folder to build in. Called with the lock held, so older folders of this model belong to builds that were killed.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("{}-", self.stem);
        for entry in fs::read_dir(self.cache.join("scratch"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = self.cache.join("scratch").join(format!(
            "{}-{}-{unique}",
            self.stem,
            std::process::id()
        ));
        fs::create_dir_all(&path).map_err(write_error(&path))?;
        Ok(path)
    }

    /// Where the log of a failed build stays.
    pub(crate) fn failure_log(&self) -> PathBuf {
        self.cache.join(format!("{}.failed.log", self.stem))
    }

    /// Moves a finished folder into place. Called with the lock held.
    pub(crate) fn publish(&self, finished: &Path) -> Result<PathBuf> {
        let target = self.folder();
        if target.exists() {
            // Only a folder that lost its library comes here.
            fs::remove_dir_all(&target).map_err(write_error(&target))?;
        }
        fs::rename(finished, &target).map_err(write_error(&target))?;
        self.library().ok_or_else(|| Error::Load {
            path: target,
            reason: "the build left no library".to_owned(),
        })
    }

    /// A file whose absolute path depends on its contents only.
    pub(crate) fn stable_file(&self, file_name: &str, contents: &str) -> Result<PathBuf> {
        let hash = blake3::hash(contents.as_bytes()).to_hex();
        let folder = self.cache.join(format!("runtime-{}", &hash.as_str()[..16]));
        let path = folder.join(file_name);
        if fs::read(&path).is_ok_and(|found| found == contents.as_bytes()) {
            return Ok(path);
        }
        fs::create_dir_all(&folder).map_err(write_error(&folder))?;
        let partial = folder.join(format!("{file_name}.{}", std::process::id()));
        fs::write(&partial, contents).map_err(write_error(&partial))?;
        fs::rename(&partial, &path).map_err(write_error(&path))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_together() {
        let key = |pairs: &[(&str, &str)]| {
            let mut builder = KeyBuilder::default();
            for (label, value) in pairs {
                builder.field(label, value.as_bytes());
            }
            builder.finish()
        };
        assert_eq!(key(&[("a", "bc")]), key(&[("a", "bc")]));
        assert_ne!(key(&[("a", "bc")]), key(&[("ab", "c")]));
        assert_ne!(
            key(&[("a", "b"), ("c", "d")]),
            key(&[("c", "d"), ("a", "b")])
        );
    }
}
