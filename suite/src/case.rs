//! A case file: networks, how many jobs, in which order, under which stall patterns.
//!
//! ```toml
//! name = "residual"
//! configs = ["c1b4", "c2b8"]
//! seed = 1
//! jobs = 6
//!
//! [[net]]
//! name = "mlp"
//! ...
//! ```
//!
//! **Contract.** [`Case::run`] is what "holds" means: the float reference agrees with the VM within the budget, and every executor given
//! agrees with the VM in every bit and cycle, under every pattern.
//! **Errors.** [`SuiteError::File`] with the path; the rest from what a case uses.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sluice_isa::HardwareConfig;
use sluice_isa::presets::preset;
use sluice_sim::{SelectTiming, StallPattern, Stalls};

use crate::bundle::{Budget, Bundle, ErrorReport, Request};
use crate::device::{Executor, difference};
use crate::error::SuiteError;
use crate::net::Net;
use crate::rng::Rng;
use crate::vm::VmExecutor;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Name.
    pub name: String,
    /// Why it is there.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Names of configurations it is for.
    pub configs: Vec<String>,
    /// Seed of inputs, interleaving and stalls.
    pub seed: u64,
    /// Jobs, of random models.
    pub jobs: usize,
    /// Resets of random models' states among them. Models 0, 2, ... are compiled for it, those between must ignore it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resets: usize,
    /// `none`, `source`, `sink`, `both`; all four if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stalls: Vec<StallName>,
    /// `early`, `with-data`, `late`; all three if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selects: Vec<SelectName>,
    /// Absolute and relative budget against the float reference; that of the noise analysis if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<(f32, f32)>,
    /// Networks, by model index.
    #[serde(rename = "net")]
    pub nets: Vec<Net>,
}

/// [`Stalls`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the simulator")]
pub enum StallName {
    None,
    Source,
    Sink,
    Both,
}

/// [`SelectTiming`] by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the simulator")]
pub enum SelectName {
    Early,
    WithData,
    Late,
}

impl From<StallName> for Stalls {
    fn from(s: StallName) -> Self {
        match s {
            StallName::None => Self::None,
            StallName::Source => Self::SourceIdles,
            StallName::Sink => Self::SinkStalls,
            StallName::Both => Self::Both,
        }
    }
}

impl From<SelectName> for SelectTiming {
    fn from(s: SelectName) -> Self {
        match s {
            SelectName::Early => Self::Early,
            SelectName::WithData => Self::WithData,
            SelectName::Late => Self::Late,
        }
    }
}

/// What a case showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Runs per executor.
    pub runs: usize,
    /// Jobs per executor.
    pub jobs: usize,
    /// Output beats compared per executor.
    pub beats: usize,
    /// Cycles compared per executor.
    pub cycles: usize,
    /// Errors against the float reference, per model.
    pub errors: Vec<ErrorReport>,
}

impl Case {
    /// Reads a case file.
    pub fn load(path: &Path) -> Result<Self, SuiteError> {
        let fail = |why: String| SuiteError::File {
            path: path.display().to_string(),
            why,
        };
        let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
        toml::from_str(&text).map_err(|e| fail(e.to_string()))
    }

    /// Writes a case file.
    pub fn save(&self, path: &Path) -> Result<(), SuiteError> {
        let fail = |why: String| SuiteError::File {
            path: path.display().to_string(),
            why,
        };
        let text = toml::to_string(self).map_err(|e| fail(e.to_string()))?;
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|e| fail(e.to_string()))?;
        }
        std::fs::write(path, text).map_err(|e| fail(e.to_string()))
    }

    /// Configurations of the case.
    pub fn hardware(&self) -> Result<Vec<HardwareConfig>, SuiteError> {
        self.configs.iter().map(|n| Ok(preset(n)?)).collect()
    }

    /// Stall patterns of the case.
    pub fn patterns(&self) -> Vec<StallPattern> {
        StallPattern::all(self.seed)
            .into_iter()
            .filter(|p| {
                self.stalls.is_empty() || self.stalls.iter().any(|&s| Stalls::from(s) == p.stalls)
            })
            .filter(|p| {
                self.selects.is_empty()
                    || self
                        .selects
                        .iter()
                        .any(|&s| SelectTiming::from(s) == p.select)
            })
            .collect()
    }

    /// Budget against the float reference.
    pub fn error_budget(&self) -> Budget {
        self.budget
            .map_or(Budget::Noise, |(atol, rtol)| Budget::Absolute {
                atol,
                rtol,
            })
    }

    /// The networks, compiled.
    pub fn compile(&self, config: &HardwareConfig) -> Result<Bundle, SuiteError> {
        Bundle::compile_resettable(&self.nets, config, |model| {
            self.resets > 0 && model.is_multiple_of(2)
        })
    }

    /// The jobs, with the resets at random places.
    pub fn requests(&self, bundle: &Bundle) -> Vec<Request> {
        let mut requests = bundle.requests(self.jobs, self.seed);
        let mut rng = Rng::labelled(self.seed, "resets");
        for _ in 0..self.resets {
            let at = rng.below(requests.len() + 1);
            requests.insert(at, Bundle::reset(rng.below(self.nets.len())));
        }
        requests
    }

    /// Holds the executors to the VM and the VM to the float reference, on one configuration.
    pub fn run(
        &self,
        config: &HardwareConfig,
        executors: &mut [&mut dyn Executor],
    ) -> Result<Evidence, SuiteError> {
        let bundle = self.compile(config)?;
        let requests = self.requests(&bundle);
        let jobs = bundle.jobs(&requests, self.seed);
        let mut evidence = Evidence::default();
        let mut first: Option<Vec<Vec<u16>>> = None;
        for pattern in self.patterns() {
            let at = |what: String| {
                SuiteError::Mismatch(format!(
                    "case `{}` on {}, {pattern:?}: {what}",
                    self.name, config.name
                ))
            };
            let expected = VmExecutor.run(&bundle.program, &jobs, &pattern)?;
            let words: Vec<Vec<u16>> = expected.beats.iter().map(|b| b.data.clone()).collect();
            match &first {
                None => {
                    let results = bundle.tensors(&requests, &expected.beats)?;
                    evidence.errors = bundle
                        .check(&requests, &results, self.error_budget())
                        .map_err(|e| at(e.to_string()))?;
                    first = Some(words);
                }
                Some(f) => {
                    if let Some(i) =
                        (0..f.len().max(words.len())).find(|&i| f.get(i) != words.get(i))
                    {
                        return Err(at(format!(
                            "the results depend on the stall pattern: output beat {i} is {:04x?}, was {:04x?}",
                            words.get(i),
                            f.get(i)
                        )));
                    }
                }
            }
            for executor in &mut *executors {
                let got = executor.run(&bundle.program, &jobs, &pattern)?;
                if let Some(d) = difference(&expected, &got) {
                    return Err(at(format!("VM against {}: {d}", executor.name())));
                }
            }
            evidence.runs += 1;
            evidence.jobs += self.jobs;
            evidence.beats += expected.beats.len();
            evidence.cycles += expected.cycles();
        }
        Ok(evidence)
    }
}
