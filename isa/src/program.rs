//! A program: images of all stores for one configuration, and the models in it; in memory and as a file.
//!
//! | tensor in the file | type, shape | holds |
//! |--------------------|-------------|-------|
//! | `control` | U8 `[ticks, 16]` | packed control words, little-endian |
//! | `coreN.matrix`, `coreN.vector` | U8 `[ticks, 16]` | packed words of core N |
//! | `coreN.weights.m` | I32 `[blocks, B, B]` | weight mantissas |
//! | `coreN.weights.r`, `coreN.weights.l` | I8 `[blocks, B]` | row and lane exponents |
//! | `coreN.fp8.codes` | U8 `[blocks, B, B]` | E4M3 codes of the FP8 blocks |
//! | `coreN.fp8.r`, `coreN.fp8.l` | I8 `[blocks, B]` | their row and lane exponents |
//! | `coreN.constants` | U32 `[blocks, B]` | fp32 bits |
//! | `coreN.clamps` | U32 `[entries, 2]` | fp32 bits, lo and hi |
//!
//! The `fp8` tensors exist where the configuration has FP8 weights.
//!
//! **Contract.** The container is safetensors with one metadata key, `sluice`: a JSON manifest with format version, configuration,
//! models, and the BLAKE3 digest of every tensor. Same program, same bytes. [`Program::from_bytes`] trusts nothing: digests, shapes,
//! word codes, addresses against the configuration, and model ranges are all checked.
//! **Errors.** [`IsaError::Corrupt`], [`IsaError::Version`], [`IsaError::Program`].

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use crate::config::HardwareConfig;
use crate::error::IsaError;
use crate::fp8;
use crate::lbfp::{WEIGHT_MAX, WeightBlock};
use crate::model::ModelInfo;
use crate::words::{ControlWord, MatrixKind, MatrixWord, VectorWord, WeightFormat};

/// Version of the program file.
pub const FORMAT_VERSION: u32 = 3;
const KIND: &str = "program file";

/// Stores of one core. `matrix` and `vector` have one word per tick of the program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoreImage {
    /// Matrix words.
    pub matrix: Vec<MatrixWord>,
    /// Vector words.
    pub vector: Vec<VectorWord>,
    /// Weight blocks, one an address from 0 on.
    pub weights: Vec<WeightBlock>,
    /// FP8 blocks, two an address behind those; every mantissa has a code ([`crate::fp8::code`]).
    pub fp8: Vec<WeightBlock>,
    /// Constant blocks, fp32 bits.
    pub constants: Vec<Vec<u32>>,
    /// Clamp entries `(lo, hi)`, fp32 bits.
    pub clamps: Vec<(u32, u32)>,
}

impl CoreImage {
    /// Weight store addresses in use.
    pub fn weight_addresses(&self) -> usize {
        self.weights.len() + self.fp8.len().div_ceil(2)
    }

    /// Number of the block a word takes: those of `weights`, then those of `fp8`; `None` if there is none of that format.
    pub fn weight_index(&self, addr: u32, format: WeightFormat) -> Option<usize> {
        let (addr, wide) = (addr as usize, self.weights.len());
        let half = match format {
            WeightFormat::Lbfp17 => return (addr < wide).then_some(addr),
            WeightFormat::Fp8Low => 0,
            WeightFormat::Fp8High => 1,
        };
        let at = 2 * addr.checked_sub(wide)? + half;
        (at < self.fp8.len()).then_some(wide + at)
    }
}

/// A complete program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The configuration it is for.
    pub config: HardwareConfig,
    /// Models by index.
    pub models: Vec<ModelInfo>,
    /// Control words, one per tick.
    pub control: Vec<ControlWord>,
    /// One image per core.
    pub cores: Vec<CoreImage>,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    format_version: u32,
    #[serde(default)]
    producer: String,
    config: HardwareConfig,
    models: Vec<ModelInfo>,
    digests: std::collections::BTreeMap<String, String>,
}

fn corrupt(why: impl Into<String>) -> IsaError {
    IsaError::Corrupt {
        what: KIND,
        why: why.into(),
    }
}

impl Program {
    /// Checks the program against its own configuration: store sizes, addresses, model ranges.
    pub fn validate(&self) -> Result<(), IsaError> {
        let c = &self.config;
        c.validate()?;
        let over = |what: String, value: usize, limit: u32, unit: &str| {
            if value > limit as usize {
                return Err(IsaError::Program {
                    what,
                    value: value as u64,
                    limit: format!("configuration `{}` has {limit} {unit}", c.name),
                });
            }
            Ok(())
        };
        over(
            "models".into(),
            self.models.len(),
            c.max_models,
            "model slots",
        )?;
        if self.models.is_empty() {
            return Err(IsaError::Program {
                what: "models".into(),
                value: 0,
                limit: "a program needs at least one".into(),
            });
        }
        over(
            "ticks".into(),
            self.control.len(),
            c.instr_store_depth,
            "ticks",
        )?;
        if self.cores.len() != c.num_cores as usize {
            return Err(IsaError::Program {
                what: "core images".into(),
                value: self.cores.len() as u64,
                limit: format!("configuration `{}` has {} cores", c.name, c.num_cores),
            });
        }
        let b = c.block_size as usize;
        for (i, core) in self.cores.iter().enumerate() {
            over(
                format!("core {i} weight blocks"),
                core.weight_addresses(),
                c.weight_store_depth,
                "weight blocks per core",
            )?;
            if !core.fp8.is_empty() && !c.fp8_weights {
                return Err(IsaError::Program {
                    what: format!("core {i} FP8 weight blocks"),
                    value: core.fp8.len() as u64,
                    limit: format!("configuration `{}` has no FP8 weights", c.name),
                });
            }
            over(
                format!("core {i} constants"),
                core.constants.len(),
                c.const_store_depth,
                "constant blocks per core",
            )?;
            over(
                format!("core {i} clamps"),
                core.clamps.len(),
                c.clamp_store_depth,
                "clamp entries per core",
            )?;
            if core.matrix.len() != self.control.len() || core.vector.len() != self.control.len() {
                return Err(IsaError::Program {
                    what: format!("core {i} ticks"),
                    value: core.matrix.len() as u64,
                    limit: format!("the control store has {}", self.control.len()),
                });
            }
            if core.constants.iter().any(|k| k.len() != b)
                || core
                    .weights
                    .iter()
                    .chain(&core.fp8)
                    .any(|w| w.r.len() != b || w.l.len() != b || w.m.len() != b * b)
            {
                return Err(IsaError::Program {
                    what: format!("core {i}"),
                    value: b as u64,
                    limit: "every block has the block size".into(),
                });
            }
            if core
                .weights
                .iter()
                .any(|w| w.m.iter().any(|m| m.abs() > WEIGHT_MAX))
            {
                return Err(corrupt(format!(
                    "core {i}: a weight mantissa exceeds {WEIGHT_MAX}"
                )));
            }
            if let Some(m) = core
                .fp8
                .iter()
                .flat_map(|w| &w.m)
                .find(|&&m| fp8::code(m).is_none())
            {
                return Err(corrupt(format!("core {i}: {m} is no FP8 weight")));
            }
            for (tick, (m, v)) in core.matrix.iter().zip(&core.vector).enumerate() {
                self.check_words(i, tick, m, v)?;
            }
        }
        for (tick, w) in self.control.iter().enumerate() {
            if w.out_valid {
                self.check_address(&format!("tick {tick} output"), w.out_bank, w.out_addr)?;
            }
        }
        for m in &self.models {
            let end = m.entry_pc as usize + m.ticks as usize;
            over(
                format!("model `{}` end tick", m.name),
                end,
                self.control.len() as u32,
                "ticks in this program",
            )?;
            if m.ticks == 0 || !self.control[end - 1].last {
                return Err(corrupt(format!(
                    "model `{}` does not end with a last tick",
                    m.name
                )));
            }
            if let Some(pc) = m.init_pc
                && !self
                    .control
                    .get(pc as usize..)
                    .is_some_and(|ws| ws.iter().any(|w| w.last))
            {
                return Err(corrupt(format!(
                    "model `{}` has no end of initialisation",
                    m.name
                )));
            }
            self.check_job(m)?;
            let beats = |ts: &[crate::model::TensorInfo]| -> Result<usize, IsaError> {
                if ts.iter().any(|t| {
                    t.shape.is_empty() || t.data_dim >= t.shape.len() || t.shape.contains(&0)
                }) {
                    return Err(corrupt(format!(
                        "model `{}` has a tensor without values",
                        m.name
                    )));
                }
                Ok(ts.iter().map(|t| t.beats(b)).sum())
            };
            if beats(&m.inputs)? != m.n_in as usize || beats(&m.outputs)? != m.n_out as usize {
                return Err(corrupt(format!(
                    "model `{}`: beats do not match its tensors",
                    m.name
                )));
            }
            over(
                format!("model `{}` input beats", m.name),
                m.n_in as usize,
                c.input_capacity(),
                "input blocks per job",
            )?;
            over(
                format!("model `{}` output beats", m.name),
                m.n_out as usize,
                c.output_fifo_depth,
                "output FIFO beats",
            )?;
        }
        Ok(())
    }

    /// What the dispatcher relies on: the job awaits all its input, sends exactly its output, and ends where it says.
    fn check_job(&self, m: &ModelInfo) -> Result<(), IsaError> {
        let rule = |what: String, value: usize, limit: String| {
            Err(IsaError::Program {
                what: format!("model `{}`: {what}", m.name),
                value: value as u64,
                limit,
            })
        };
        if m.n_in == 0 || m.n_out == 0 {
            return rule(
                "input or output beats".into(),
                0,
                "a job has at least one of each".into(),
            );
        }
        let job = &self.control[m.entry_pc as usize..(m.entry_pc + m.ticks) as usize];
        if let Some(early) = job[..job.len() - 1].iter().position(|w| w.last) {
            return rule(
                "last tick".into(),
                early,
                format!("the job has {} ticks", job.len()),
            );
        }
        let sent = job.iter().filter(|w| w.out_valid).count();
        if sent != m.n_out as usize {
            return rule(
                "output words".into(),
                sent,
                format!("a job sends {} beats", m.n_out),
            );
        }
        let taken = job.iter().filter(|w| w.beat).count();
        if taken != m.n_in as usize {
            return rule(
                "input beats taken".into(),
                taken,
                format!("a job has {}", m.n_in),
            );
        }
        let init = m.init_pc.map_or(&[][..], |pc| &self.control[pc as usize..]);
        let end = init.iter().position(|w| w.last).unwrap_or(0);
        if init.iter().take(end + 1).any(|w| w.out_valid || w.beat) {
            return rule(
                "initialisation".into(),
                end,
                "it neither takes input nor sends output".into(),
            );
        }
        Ok(())
    }

    fn check_address(&self, what: &str, bank: u32, addr: u32) -> Result<(), IsaError> {
        let c = &self.config;
        if bank > c.num_cores {
            return Err(IsaError::Program {
                what: format!("{what} bank"),
                value: bank.into(),
                limit: format!("banks are 0..={}", c.num_cores),
            });
        }
        let depth = if bank == c.input_bank() {
            c.input_capacity()
        } else {
            c.tensor_ram_depth
        };
        if addr >= depth {
            return Err(IsaError::Program {
                what: format!("{what} address"),
                value: addr.into(),
                limit: format!("bank {bank} has {depth} blocks"),
            });
        }
        Ok(())
    }

    fn check_words(
        &self,
        core: usize,
        tick: usize,
        m: &MatrixWord,
        v: &VectorWord,
    ) -> Result<(), IsaError> {
        let c = &self.config;
        let image = &self.cores[core];
        let at = |what: &str| format!("core {core} tick {tick} {what}");
        let limit = |what: &str, value: u32, depth: usize, unit: &str| {
            if value as usize >= depth {
                return Err(IsaError::Program {
                    what: at(what),
                    value: value.into(),
                    limit: format!("there are {depth} {unit}"),
                });
            }
            Ok(())
        };
        if m.kind != MatrixKind::None {
            self.check_address(&at("operand"), m.bank, m.addr)?;
            limit(
                "accumulator",
                m.acc,
                c.accum_store_depth as usize,
                "accumulators",
            )?;
            if m.kind == MatrixKind::Product {
                if image.weight_index(m.weight, m.weight_format).is_none() {
                    return Err(IsaError::Program {
                        what: at("weight"),
                        value: m.weight.into(),
                        limit: format!(
                            "there are {} weight blocks and then {} FP8 blocks in this core's image; the word is for {}",
                            image.weights.len(),
                            image.fp8.len(),
                            m.weight_format
                        ),
                    });
                }
                if m.init == crate::words::Init::Const {
                    limit(
                        "init",
                        m.init_addr,
                        image.constants.len(),
                        "constants in this core's image",
                    )?;
                }
            }
            if m.kind == MatrixKind::Add32 {
                self.check_address(&at("lo plane"), m.bank, m.addr + 1)?;
                if m.init == crate::words::Init::Const {
                    return Err(IsaError::Program {
                        what: at("add32 init"),
                        value: 1,
                        limit: "an add32 starts from zero".into(),
                    });
                }
            }
        }
        if v.valid {
            use crate::words::{ASrc, BSrc, Format, Op, Special};
            if v.a_src == ASrc::Y || (v.op != Op::Pass && v.b_src == BSrc::Y) {
                self.check_address(&at("vector operand"), v.y_bank, v.y_addr)?;
            }
            if v.op != Op::Pass && v.b_src == BSrc::Planes {
                self.check_address(&at("vector operand"), v.y_bank, v.y_addr + 1)?;
            }
            if v.a_src == ASrc::Const || (v.op != Op::Pass && v.b_src == BSrc::Const) {
                limit(
                    "vector constant",
                    v.const_addr,
                    image.constants.len(),
                    "constants in this core's image",
                )?;
            }
            limit(
                "pre clamp",
                v.pre,
                image.clamps.len(),
                "clamp entries in this core's image",
            )?;
            limit(
                "post clamp",
                v.post,
                image.clamps.len(),
                "clamp entries in this core's image",
            )?;
            limit("rotation", v.rot, c.block_size as usize, "lanes")?;
            limit(
                "last lane",
                v.lane_hi,
                c.block_size as usize + 1,
                "lane bounds",
            )?;
            limit(
                "result",
                v.dst_addr + u32::from(v.format == Format::Planes),
                c.tensor_ram_depth as usize,
                "blocks in a bank",
            )?;
            if v.format == Format::Raw && (v.op != Op::Pass || v.special != Special::None) {
                return Err(IsaError::Program {
                    what: at("raw result"),
                    value: v.op as u64,
                    limit: "only operand A as it is can be one".into(),
                });
            }
            let acc_needs =
                v.a_src == ASrc::Acc && !matches!(m.kind, MatrixKind::Product | MatrixKind::Add32);
            let x_needs = v.a_src == ASrc::X && m.kind != MatrixKind::Read;
            if acc_needs || x_needs || (v.op != Op::Pass && v.b_src == BSrc::None) {
                return Err(IsaError::Program {
                    what: at("vector operand source"),
                    value: v.a_src as u64,
                    limit: "its operand is not delivered by this tick".into(),
                });
            }
        }
        Ok(())
    }

    /// The program as file bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, IsaError> {
        self.validate()?;
        let b = self.config.block_size as usize;
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let words = |packed: Vec<Result<u128, IsaError>>| -> Result<Vec<u8>, IsaError> {
            let mut bytes = Vec::with_capacity(packed.len() * 16);
            for w in packed {
                bytes.extend_from_slice(&w?.to_le_bytes());
            }
            Ok(bytes)
        };
        let ticks = self.control.len();
        tensors.push((
            "control".into(),
            Dtype::U8,
            vec![ticks, 16],
            words(self.control.iter().map(ControlWord::pack).collect())?,
        ));
        for (i, core) in self.cores.iter().enumerate() {
            tensors.push((
                format!("core{i}.matrix"),
                Dtype::U8,
                vec![ticks, 16],
                words(core.matrix.iter().map(MatrixWord::pack).collect())?,
            ));
            tensors.push((
                format!("core{i}.vector"),
                Dtype::U8,
                vec![ticks, 16],
                words(core.vector.iter().map(VectorWord::pack).collect())?,
            ));
            let n = core.weights.len();
            tensors.push((
                format!("core{i}.weights.m"),
                Dtype::I32,
                vec![n, b, b],
                core.weights
                    .iter()
                    .flat_map(|w| w.m.iter().flat_map(|m| m.to_le_bytes()))
                    .collect(),
            ));
            tensors.push((
                format!("core{i}.weights.r"),
                Dtype::I8,
                vec![n, b],
                core.weights
                    .iter()
                    .flat_map(|w| w.r.iter().map(|&r| r as u8))
                    .collect(),
            ));
            tensors.push((
                format!("core{i}.weights.l"),
                Dtype::I8,
                vec![n, b],
                core.weights
                    .iter()
                    .flat_map(|w| w.l.iter().map(|&l| l as u8))
                    .collect(),
            ));
            if self.config.fp8_weights {
                let n = core.fp8.len();
                let codes = core.fp8.iter().flat_map(|w| &w.m);
                tensors.push((
                    format!("core{i}.fp8.codes"),
                    Dtype::U8,
                    vec![n, b, b],
                    codes.filter_map(|&m| fp8::code(m)).collect(),
                ));
                for (name, exponents) in [
                    ("r", (|w| &w.r) as fn(&WeightBlock) -> &Vec<i8>),
                    ("l", |w| &w.l),
                ] {
                    tensors.push((
                        format!("core{i}.fp8.{name}"),
                        Dtype::I8,
                        vec![n, b],
                        core.fp8
                            .iter()
                            .flat_map(|w| exponents(w).iter().map(|&e| e as u8))
                            .collect(),
                    ));
                }
            }
            tensors.push((
                format!("core{i}.constants"),
                Dtype::U32,
                vec![core.constants.len(), b],
                core.constants
                    .iter()
                    .flatten()
                    .flat_map(|u| u.to_le_bytes())
                    .collect(),
            ));
            tensors.push((
                format!("core{i}.clamps"),
                Dtype::U32,
                vec![core.clamps.len(), 2],
                core.clamps
                    .iter()
                    .flat_map(|(lo, hi)| [lo.to_le_bytes(), hi.to_le_bytes()])
                    .flatten()
                    .collect(),
            ));
        }
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            producer: format!("sluice {}", env!("CARGO_PKG_VERSION")),
            config: self.config.clone(),
            models: self.models.clone(),
            digests: tensors
                .iter()
                .map(|(name, _, _, data)| (name.clone(), blake3::hash(data).to_hex().to_string()))
                .collect(),
        };
        let json = serde_json::to_string(&manifest).map_err(|e| corrupt(e.to_string()))?;
        let views: Result<Vec<_>, _> = tensors
            .iter()
            .map(|(name, dtype, shape, data)| {
                TensorView::new(*dtype, shape.clone(), data).map(|v| (name.clone(), v))
            })
            .collect();
        let views = views.map_err(|e| corrupt(e.to_string()))?;
        serialize(views, Some(HashMap::from([("sluice".to_owned(), json)])))
            .map_err(|e| corrupt(e.to_string()))
    }

    /// Reads and checks a program.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IsaError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|e| corrupt(format!("not a readable container: {e}")))?;
        let json = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get("sluice"))
            .ok_or_else(|| corrupt("no `sluice` manifest; not written by this compiler"))?;
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|e| corrupt(format!("manifest: {e}")))?;
        let version = value
            .get("format_version")
            .and_then(serde_json::Value::as_u64)
            .ok_or_else(|| corrupt("manifest: no format_version"))?;
        if version != u64::from(FORMAT_VERSION) {
            return Err(IsaError::Version {
                what: KIND,
                found: version.to_string(),
                supported: FORMAT_VERSION,
                hint: "use the release that wrote it, or recompile the model with this one",
            });
        }
        let manifest: Manifest =
            serde_json::from_value(value).map_err(|e| corrupt(format!("manifest: {e}")))?;
        manifest.config.validate()?;
        let file = SafeTensors::deserialize(bytes)
            .map_err(|e| corrupt(format!("not a readable container: {e}")))?;
        let reader = Reader {
            file,
            digests: manifest.digests,
        };
        let b = manifest.config.block_size as usize;
        let control = reader
            .words("control")?
            .into_iter()
            .map(ControlWord::unpack)
            .collect::<Result<_, _>>()?;
        let mut cores = Vec::new();
        for i in 0..manifest.config.num_cores {
            let name = |s: &str| format!("core{i}.{s}");
            let blocks = |m: &[i32], exponents: &str| -> Result<Vec<WeightBlock>, IsaError> {
                let r = reader.bytes(&name(&format!("{exponents}.r")), Dtype::I8, &[b])?;
                let l = reader.bytes(&name(&format!("{exponents}.l")), Dtype::I8, &[b])?;
                if m.len() != r.len() * b || r.len() != l.len() {
                    return Err(corrupt(format!(
                        "core {i}: weight tensors disagree in length"
                    )));
                }
                Ok((0..r.len() / b)
                    .map(|w| WeightBlock {
                        m: m[w * b * b..(w + 1) * b * b].to_vec(),
                        r: r[w * b..(w + 1) * b].iter().map(|&v| v as i8).collect(),
                        l: l[w * b..(w + 1) * b].iter().map(|&v| v as i8).collect(),
                    })
                    .collect())
            };
            let m = reader.u32s(&name("weights.m"), Dtype::I32, &[b, b])?;
            let weights = blocks(
                &m.into_iter().map(|v| v as i32).collect::<Vec<_>>(),
                "weights",
            )?;
            let fp8 = if manifest.config.fp8_weights {
                let codes = reader.bytes(&name("fp8.codes"), Dtype::U8, &[b, b])?;
                if let Some(code) = codes.iter().find(|&&c| !fp8::is_stored(c)) {
                    return Err(corrupt(format!(
                        "core {i}: {code:#04x} is no code of an FP8 weight"
                    )));
                }
                let m: Vec<i32> = codes.into_iter().map(fp8::mantissa).collect();
                blocks(&m, "fp8")?
            } else {
                vec![]
            };
            cores.push(CoreImage {
                matrix: reader
                    .words(&name("matrix"))?
                    .into_iter()
                    .map(MatrixWord::unpack)
                    .collect::<Result<_, _>>()?,
                vector: reader
                    .words(&name("vector"))?
                    .into_iter()
                    .map(VectorWord::unpack)
                    .collect::<Result<_, _>>()?,
                weights,
                fp8,
                constants: reader
                    .u32s(&name("constants"), Dtype::U32, &[b])?
                    .chunks(b)
                    .map(<[u32]>::to_vec)
                    .collect(),
                clamps: reader
                    .u32s(&name("clamps"), Dtype::U32, &[2])?
                    .chunks(2)
                    .map(|c| (c[0], c[1]))
                    .collect(),
            });
        }
        let program = Self {
            config: manifest.config,
            models: manifest.models,
            control,
            cores,
        };
        program.validate()?;
        Ok(program)
    }

    /// Writes the file.
    pub fn save(&self, path: &Path) -> Result<(), IsaError> {
        std::fs::write(path, self.to_bytes()?).map_err(|e| IsaError::Io {
            path: path.display().to_string(),
            why: e.to_string(),
        })
    }

    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, IsaError> {
        let bytes = std::fs::read(path).map_err(|e| IsaError::Io {
            path: path.display().to_string(),
            why: e.to_string(),
        })?;
        Self::from_bytes(&bytes)
    }

    /// Refuses a machine of another configuration.
    pub fn check_machine(&self, machine: &HardwareConfig) -> Result<(), IsaError> {
        match self.config.difference(machine) {
            Some(difference) => Err(IsaError::ConfigMismatch {
                program: self.config.name.clone(),
                machine: machine.name.clone(),
                difference,
            }),
            None => Ok(()),
        }
    }
}

struct Reader<'a> {
    file: SafeTensors<'a>,
    digests: std::collections::BTreeMap<String, String>,
}

impl Reader<'_> {
    fn bytes(&self, name: &str, dtype: Dtype, inner: &[usize]) -> Result<Vec<u8>, IsaError> {
        let view = self
            .file
            .tensor(name)
            .map_err(|_| corrupt(format!("tensor `{name}` is missing")))?;
        if view.dtype() != dtype
            || view.shape().len() != inner.len() + 1
            || view.shape()[1..] != *inner
        {
            return Err(corrupt(format!(
                "tensor `{name}` has type {:?} and shape {:?}",
                view.dtype(),
                view.shape()
            )));
        }
        let digest = blake3::hash(view.data()).to_hex();
        if self.digests.get(name).map(String::as_str) != Some(digest.as_str()) {
            return Err(corrupt(format!(
                "tensor `{name}` does not match its digest; the file was altered or damaged"
            )));
        }
        Ok(view.data().to_vec())
    }

    fn u32s(&self, name: &str, dtype: Dtype, inner: &[usize]) -> Result<Vec<u32>, IsaError> {
        let bytes = self.bytes(name, dtype, inner)?;
        Ok(bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|c| u32::from_le_bytes(*c))
            .collect())
    }

    fn words(&self, name: &str) -> Result<Vec<u128>, IsaError> {
        let bytes = self.bytes(name, Dtype::U8, &[16])?;
        Ok(bytes
            .as_chunks::<16>()
            .0
            .iter()
            .map(|c| u128::from_le_bytes(*c))
            .collect())
    }
}
