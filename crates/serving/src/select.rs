//! Which template a service that names none gets.

use reeve_serving_crds::{
    AimServiceTemplateSpec, AimServiceTemplateStatus, Metric, ModelState, Precision, ProfileType,
    RuntimeParameters, Scope,
};

use crate::fault::{Health, State};
use crate::gpu::{self, Inventory};

/// A template of the service's model.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it lives.
    pub scope: Scope,
    /// What it is.
    pub spec: &'a AimServiceTemplateSpec,
    /// How it stands.
    pub status: Option<&'a AimServiceTemplateStatus>,
}

/// Why no template was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSelected {
    /// The model has none.
    #[error("the model has no template")]
    NoTemplates,
    /// None is ready yet.
    #[error("{0} templates exist but are not ready")]
    NotReady(usize),
    /// Some are ready, none fits.
    #[error("none of {ready} ready templates fits: {rejected}")]
    NoneFits {
        /// How many are ready.
        ready: usize,
        /// How many each filter took out.
        rejected: String,
    },
    /// Several are equally good.
    #[error(
        "several templates fit equally well: {0}; name one in spec.template.name, or say more in spec.overrides"
    )]
    Ambiguous(String),
}

impl NotSelected {
    /// The reason of the condition `TemplateReady`.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotReady(_) => "TemplateNotReady",
            Self::NoTemplates | Self::NoneFits { .. } => "TemplateNotFound",
            Self::Ambiguous(_) => "TemplateSelectionAmbiguous",
        }
    }

    /// How the component `Template` stands.
    pub fn health(&self) -> Health {
        let state = match self {
            Self::NotReady(_) => State::Progressing,
            _ => State::Pending,
        };
        Health::new(state, self.reason(), self.to_string())
    }
}

/// What a template's profile says, else its spec.
struct Facts {
    type_: ProfileType,
    metric: Option<Metric>,
    precision: Option<Precision>,
    gpu_model: Option<String>,
    gpu_count: i32,
}

impl Facts {
    fn of(candidate: &Candidate<'_>) -> Self {
        let profile = candidate
            .status
            .and_then(|s| s.profile.as_ref())
            .and_then(|p| p.metadata.as_ref());
        let gpu = candidate.spec.hardware.as_ref().and_then(|h| h.gpu.as_ref());
        let named = |model: &Option<String>| model.clone().filter(|model| !model.is_empty());
        let spec_model = gpu.and_then(|gpu| named(&gpu.model));
        let spec_count = gpu.and_then(|gpu| gpu.requests).filter(|count| *count > 0);
        Self {
            type_: profile.and_then(|p| p.type_).unwrap_or(ProfileType::Unoptimized),
            metric: profile.and_then(|p| p.metric).or(candidate.spec.metric),
            precision: profile.and_then(|p| p.precision).or(candidate.spec.precision),
            gpu_model: spec_model
                .or_else(|| profile.and_then(|p| named(&p.gpu)))
                .map(|m| gpu::normalize(&m)),
            gpu_count: spec_count
                .or_else(|| profile.and_then(|p| p.gpu_count))
                .unwrap_or(0),
        }
    }

    /// Whether this is what is asked for.
    fn is_asked_for(&self, asked: &RuntimeParameters) -> bool {
        let gpu = asked.hardware.as_ref().and_then(|h| h.gpu.as_ref());
        let model = gpu
            .and_then(|gpu| gpu.model.as_deref())
            .filter(|m| !m.is_empty())
            .map(gpu::normalize);
        let count = gpu.and_then(|gpu| gpu.requests).unwrap_or(0);
        asked.metric.is_none_or(|metric| self.metric == Some(metric))
            && asked
                .precision
                .is_none_or(|precision| self.precision == Some(precision))
            && (model.is_none() || self.gpu_model.is_none() || model == self.gpu_model)
            && (count <= 0 || self.gpu_count <= 0 || count == self.gpu_count)
    }

    /// Lower is better.
    fn rank(&self) -> [usize; 4] {
        let gpu = self.gpu_model.as_deref().unwrap_or_default();
        [
            place(
                &[
                    ProfileType::Optimized,
                    ProfileType::Preview,
                    ProfileType::Unoptimized,
                ],
                &self.type_,
            ),
            place(&["MI325X", "MI300X", "MI250X", "MI210"], &gpu),
            self.metric.map_or(1002, |metric| {
                place(&[Metric::Latency, Metric::Throughput], &metric)
            }),
            self.precision
                .map_or(1007, |precision| place(PRECISIONS, &precision)),
        ]
    }
}

const PRECISIONS: &[Precision] = &[
    Precision::Fp4,
    Precision::Int4,
    Precision::Fp8,
    Precision::Int8,
    Precision::Fp16,
    Precision::Bf16,
    Precision::Fp32,
];

fn place<T: PartialEq>(order: &[T], value: &T) -> usize {
    order
        .iter()
        .position(|known| known == value)
        .unwrap_or(order.len() + 1000)
}

/// Chooses the best template that is ready and fits.
///
/// # Errors
/// Why none was chosen. Nothing is chosen by chance.
pub fn select<'a>(
    candidates: &[Candidate<'a>],
    overrides: Option<&RuntimeParameters>,
    allow_unoptimized: bool,
    inventory: &Inventory,
) -> Result<Candidate<'a>, NotSelected> {
    if candidates.is_empty() {
        return Err(NotSelected::NoTemplates);
    }
    let is_ready = |c: &&Candidate<'_>| c.status.and_then(|s| s.status) == Some(ModelState::Ready);
    let ready: Vec<(Facts, Candidate<'a>)> = candidates
        .iter()
        .filter(is_ready)
        .map(|candidate| (Facts::of(candidate), *candidate))
        .collect();
    if ready.is_empty() {
        return Err(NotSelected::NotReady(candidates.len()));
    }
    let count = ready.len();
    let mut rejected = Vec::new();
    let mut filter = |left: Vec<(Facts, Candidate<'a>)>, why: &str, fits: &dyn Fn(&Facts) -> bool| {
        let before = left.len();
        let left: Vec<_> = left.into_iter().filter(|(facts, _)| fits(facts)).collect();
        if left.len() < before {
            rejected.push(format!("{} {why}", before - left.len()));
        }
        left
    };
    let left = filter(
        ready,
        "not optimized (spec.template.allowUnoptimized)",
        &|facts| allow_unoptimized || facts.type_ == ProfileType::Optimized,
    );
    let left = filter(left, "other than spec.overrides", &|facts| {
        overrides.is_none_or(|asked| facts.is_asked_for(asked))
    });
    let left = filter(left, "for a GPU that no node has", &|facts| {
        facts
            .gpu_model
            .as_ref()
            .is_none_or(|model| inventory.contains_key(model))
    });
    if left.is_empty() {
        return Err(NotSelected::NoneFits {
            ready: count,
            rejected: rejected.join(", "),
        });
    }
    best(left)
}

fn best<'a>(mut left: Vec<(Facts, Candidate<'a>)>) -> Result<Candidate<'a>, NotSelected> {
    if left
        .iter()
        .any(|(_, candidate)| candidate.scope == Scope::Namespace)
    {
        left.retain(|(_, candidate)| candidate.scope == Scope::Namespace);
    }
    let lowest = left.iter().map(|(facts, _)| facts.rank()).min();
    left.retain(|(facts, _)| Some(facts.rank()) == lowest);
    match left.as_slice() {
        [(_, only)] => Ok(*only),
        several => {
            let mut names: Vec<&str> = several.iter().map(|(_, candidate)| candidate.name).collect();
            names.sort_unstable();
            Err(NotSelected::Ambiguous(names.join(", ")))
        }
    }
}
