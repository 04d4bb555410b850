//! Runs the built `sluice` in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A scratch folder, removed at the end.
pub struct Scratch(PathBuf);

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Output stream.
    pub out: String,
    /// Error stream.
    pub err: String,
}

#[allow(dead_code, reason = "each test program uses some of these")]
impl Scratch {
    /// An empty folder; `name` is the test's.
    pub fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    pub fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(file), bytes).unwrap();
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    /// Runs `sluice` here with a command line split at blanks.
    pub fn sluice(&self, line: &str) -> Ran {
        self.sluice_with(line, &[])
    }

    /// The same with environment variables.
    pub fn sluice_with(&self, line: &str, env: &[(&str, &str)]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(line.split_whitespace())
            .envs(env.iter().copied())
            .current_dir(&self.0)
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A run that must succeed; its output.
    pub fn ok(&self, line: &str) -> String {
        let ran = self.sluice(line);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "sluice {line}");
        ran.out
    }

    /// A run that must fail with this exit code, one line, and this text.
    #[track_caller]
    pub fn fails(&self, line: &str, code: i32, text: &str) {
        let ran = self.sluice(line);
        assert_eq!(ran.code, code, "sluice {line}: {ran:?}");
        assert_eq!(ran.err, format!("sluice: {text}\n"), "sluice {line}");
        assert_eq!(ran.out, "", "sluice {line}");
    }

    /// `tiny.nnir` (mlp 8-8-4) and `tiny.sluice` for c2b8.
    pub fn with_tiny(name: &str) -> Self {
        let s = Self::new(name);
        s.ok("example mlp -o tiny.nnir --inputs 8 --hidden 8 --outputs 4");
        s.ok("compile tiny.nnir --config c2b8 -o tiny.sluice");
        s
    }

    /// Writes a `float32` array.
    pub fn npy(&self, file: &str, shape: &[u64], value: impl Fn(usize) -> f32) {
        use npyz::WriterBuilder as _;
        let mut bytes = Vec::new();
        let mut w = npyz::WriteOptions::new()
            .default_dtype()
            .shape(shape)
            .writer(&mut bytes)
            .begin_nd()
            .unwrap();
        let count = usize::try_from(shape.iter().product::<u64>()).unwrap();
        w.extend((0..count).map(value)).unwrap();
        w.finish().unwrap();
        self.write(file, bytes);
    }

    /// Shape and values of an array file.
    pub fn read_npy(&self, file: &str) -> (Vec<u64>, Vec<f32>) {
        let bytes = std::fs::read(self.path(file)).unwrap();
        let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
        (npy.shape().to_vec(), npy.into_vec().unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
