//! The LimitRange of a project's namespace, and what a container gets for each GPU that it asks for (cluster-and-cli 1.6).
//!
//! Two things come of the settings. [`Limits::limit_range`] is an object, which the API server's own admission goes by for pods
//! that say nothing. A LimitRange cannot count GPUs: for that [`Limits::gpu_factors`] travels as an annotation of the namespace
//! to the mutating policy `reeve-limits`, which is the same in every cluster.
//!
//! **Promise.** What comes out of [`Limits::new`] makes no pod impossible that goes by it: no default is above a maximum or below
//! a minimum, no request above its limit, no ratio broken. Pure.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem, LimitRangeSpec, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reeve_admission::names;
use reeve_crds::{Amount, Amounts, ContainerLimits, Fraction, LimitRangeFactors};

use crate::quantity;

/// The fraction of a limit that is requested, unless the settings say otherwise.
const FRACTION: Fraction = Fraction(100);
/// From this on a plain number of a CPU factor is millicores: one edition of the reference prints `100` for `100m`.
const PLAIN_MILLI: i64 = 50_000;
/// The highest amount that is counted, in base units.
const HIGHEST: i64 = 10_000_000_000_000;

/// What is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field, from `limitRange` on.
    pub field: String,
    /// What is wrong, and what to write.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.problem)
    }
}

/// CPU in thousandths, or memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cpu,
    Memory,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Cpu, Self::Memory];

    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }

    /// A quantity in base units: thousandths of a CPU, bytes of memory.
    fn parse(self, text: &str) -> Option<i64> {
        let thousandths = quantity::thousandths(text)?;
        let base = match self {
            Self::Cpu => thousandths,
            Self::Memory => thousandths.checked_add(999)? / 1000,
        };
        (base <= HIGHEST).then_some(base)
    }

    fn print(self, base: i64) -> String {
        match self {
            Self::Cpu => quantity::cpu(base),
            Self::Memory => quantity::memory(base),
        }
    }

    fn of(self, amounts: Option<&Amounts>) -> Option<&Amount> {
        let amounts = amounts?;
        match self {
            Self::Cpu => amounts.cpu.as_ref(),
            Self::Memory => amounts.memory.as_ref(),
        }
    }
}

/// What is set for one resource, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Resource {
    kind: Kind,
    default: Option<i64>,
    default_request: i64,
    min: Option<i64>,
    max: Option<i64>,
    /// In thousandths.
    ratio: Option<i64>,
    gpu_request: i64,
    gpu_limit: Option<i64>,
}

/// Settings that are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    resources: [Resource; 2],
}

impl Limits {
    /// Checks the settings; `None` is the reference's defaults.
    ///
    /// # Errors
    /// Every field with which a pod that goes by it could never start, or that is no quantity.
    pub fn new(settings: Option<&LimitRangeFactors>) -> Result<Self, Vec<Problem>> {
        let absent = LimitRangeFactors::default();
        let settings = settings.unwrap_or(&absent);
        let mut problems = Vec::new();
        let resources = Kind::ALL.map(|kind| resource(kind, settings, &mut problems));
        if problems.is_empty() {
            Ok(Self { resources })
        } else {
            Err(problems)
        }
    }

    /// The object of a project's namespace, with what the API server would fill in: what it has can be compared with it.
    pub fn limit_range(&self, namespace: &str) -> LimitRange {
        let all = |of: fn(&Resource) -> Option<String>| {
            let found: BTreeMap<String, Quantity> = self
                .resources
                .iter()
                .filter_map(|resource| Some((resource.kind.name().to_owned(), Quantity(of(resource)?))))
                .collect();
            (!found.is_empty()).then_some(found)
        };
        LimitRange {
            metadata: ObjectMeta {
                name: Some(names::LIMIT_RANGE.to_owned()),
                namespace: Some(namespace.to_owned()),
                labels: Some([(names::MANAGED.to_owned(), names::MANAGED_LIMIT_RANGE.to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(LimitRangeSpec {
                limits: vec![LimitRangeItem {
                    type_: "Container".to_owned(),
                    default: all(|it| it.effective_default().map(|base| it.kind.print(base))),
                    default_request: all(|it| it.effective_request().map(|base| it.kind.print(base))),
                    min: all(|it| it.min.map(|base| it.kind.print(base))),
                    max: all(|it| it.max.map(|base| it.kind.print(base))),
                    max_limit_request_ratio: all(|it| it.ratio.map(quantity::cpu)),
                }],
            }),
        }
    }

    /// What a container gets for each GPU, as the namespace's annotation [`names::GPU_FACTORS`] says it: for CPU (thousandths)
    /// and then memory (bytes) the request and the limit for each GPU and the highest request and limit, 0 for none.
    pub fn gpu_factors(&self) -> String {
        let of = |it: &Resource| {
            let highest_limit = it.max.unwrap_or(0);
            // Without a limit of its own the container gets the default one.
            let above = if it.gpu_limit.is_none() {
                it.effective_default()
            } else {
                None
            };
            let highest_request = above.or(it.max).unwrap_or(0);
            [
                it.gpu_request,
                it.gpu_limit.unwrap_or(0),
                highest_request,
                highest_limit,
            ]
        };
        let numbers = self.resources.iter().flat_map(of);
        numbers.map(|it| it.to_string()).collect::<Vec<_>>().join("/")
    }

    /// What of a container that says nothing is above a quota of the namespace: then no such pod could ever start.
    pub fn above_quota<'a>(&self, quotas: impl IntoIterator<Item = &'a ResourceQuota>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for quota in quotas {
            let name = quota.metadata.name.as_deref().unwrap_or_default();
            let hard = quota.spec.as_ref().and_then(|spec| spec.hard.as_ref());
            for (key, quantity) in hard.into_iter().flatten() {
                problems.extend(
                    self.resources
                        .iter()
                        .filter_map(|it| it.above(name, key, &quantity.0)),
                );
            }
        }
        problems
    }
}

impl Resource {
    /// The API server takes the highest limit for the default one where there is none.
    fn effective_default(&self) -> Option<i64> {
        self.default.or(self.max)
    }

    /// The API server takes the default limit, or the least, for the default request where there is none.
    fn effective_request(&self) -> Option<i64> {
        let said = Some(self.default_request).filter(|it| *it > 0);
        said.or_else(|| self.effective_default()).or(self.min)
    }

    fn above(&self, quota: &str, key: &str, hard: &str) -> Option<Problem> {
        let kind = self.kind.name();
        let (field, value) = if key == kind || key == format!("requests.{kind}") {
            ("defaultRequest", self.effective_request()?)
        } else if key == format!("limits.{kind}") {
            ("default", self.effective_default()?)
        } else {
            return None;
        };
        let hard = self.kind.parse(hard)?;
        (value > hard).then(|| Problem {
            field: format!("limitRange.container.{field}.{kind}"),
            problem: format!(
                "is {}, which is above {} of the ResourceQuota `{quota}` for {key}: no container that says nothing could start; \
                 lower it, or raise the quota",
                self.kind.print(value),
                self.kind.print(hard)
            ),
        })
    }
}

/// Reads one resource and adds what is wrong with it.
fn resource(kind: Kind, settings: &LimitRangeFactors, problems: &mut Vec<Problem>) -> Resource {
    let name = kind.name();
    let nothing = ContainerLimits::default();
    let container = settings.container.as_ref().unwrap_or(&nothing);
    let mut read = |field: &str, amount: Option<&Amount>, factor: bool| {
        let text = &amount?.0;
        let plain_milli = |base: i64| {
            let plain = factor
                && kind == Kind::Cpu
                && text.bytes().all(|b| b.is_ascii_digit())
                && base >= PLAIN_MILLI;
            if plain { base / 1000 } else { base }
        };
        let base = kind.parse(text).map(plain_milli);
        if base.is_none() {
            problems.push(Problem {
                field: format!("limitRange.{field}"),
                problem: format!(
                    "is no amount of {name} up to {}: write for example {}",
                    kind.print(HIGHEST),
                    match kind {
                        Kind::Cpu => "500m or 2",
                        Kind::Memory => "512Mi or 4Gi",
                    }
                ),
            });
        }
        base
    };
    let mut of_container = |field: &str, amounts: Option<&Amounts>| {
        read(&format!("container.{field}.{name}"), kind.of(amounts), false)
    };
    let default = of_container("default", container.default.as_ref());
    let request = of_container("defaultRequest", container.default_request.as_ref());
    let min = of_container("min", container.min.as_ref());
    let max = of_container("max", container.max.as_ref());
    let (request_key, request_factor, limit_key, limit_factor, fraction, usual) = match kind {
        Kind::Cpu => (
            "cpuDefaultRequestGpuFactor",
            settings.cpu_default_request_gpu_factor.as_ref(),
            "cpuDefaultLimitGpuFactor",
            settings.cpu_default_limit_gpu_factor.as_ref(),
            settings.cpu_default_request_cpu_limit_factor_no_gpu,
            100,
        ),
        Kind::Memory => (
            "memoryDefaultRequestGpuFactor",
            settings.memory_default_request_gpu_factor.as_ref(),
            "memoryDefaultLimitGpuFactor",
            settings.memory_default_limit_gpu_factor.as_ref(),
            settings.memory_default_request_memory_limit_factor_no_gpu,
            100 << 20,
        ),
    };
    let gpu_request = read(request_key, request_factor, true).unwrap_or(usual);
    let gpu_limit = read(limit_key, limit_factor, true).filter(|limit| *limit > 0);
    let ratio = kind.of(container.max_limit_request_ratio.as_ref());
    let fraction = i64::from(fraction.unwrap_or(FRACTION).0);
    // The reference says a fraction of the limit; where there is none, of what a GPU asks for.
    let part = (default.unwrap_or(gpu_request.max(usual)) * fraction + 999) / 1000;
    let usual_request = part.max(min.unwrap_or(0)).min(max.unwrap_or(i64::MAX));
    let mut read = Resource {
        kind,
        default,
        default_request: request.unwrap_or(usual_request),
        min,
        max,
        ratio: None,
        gpu_request,
        gpu_limit,
    };
    if let Some(Amount(text)) = ratio {
        read.ratio = quantity::thousandths(text);
    }
    check(
        &read,
        ratio,
        [request_key, limit_key],
        request.is_some(),
        problems,
    );
    read
}

/// Adds what could never start.
fn check(
    it: &Resource,
    ratio: Option<&Amount>,
    factors: [&str; 2],
    says_request: bool,
    problems: &mut Vec<Problem>,
) {
    let (kind, name) = (it.kind, it.kind.name());
    let mut wrong = |field: String, problem: String| {
        problems.push(Problem {
            field: format!("limitRange.{field}"),
            problem: format!("{problem}: no pod that goes by it could start"),
        });
    };
    let container = |field: &str| format!("container.{field}.{name}");
    let request = if says_request { "defaultRequest" } else { "default" };
    let pairs = [
        ("default", it.default, "max", it.max),
        (request, Some(it.default_request), "max", it.max),
        ("defaultRequest", Some(it.default_request), "default", it.default),
        ("min", it.min, "max", it.max),
        ("min", it.min, "defaultRequest", Some(it.default_request)),
    ];
    for (field, value, bound_field, bound) in pairs {
        if let (Some(value), Some(bound)) = (value, bound)
            && value > bound
        {
            let bound_field = container(bound_field);
            let (value, bound) = (kind.print(value), kind.print(bound));
            wrong(
                container(field),
                format!("is {value}, above `limitRange.{bound_field}`, which is {bound}"),
            );
        }
    }
    if let Some(limit) = it.gpu_limit
        && limit < it.gpu_request
    {
        let [request_key, limit_key] = factors;
        let limit = kind.print(limit);
        wrong(
            limit_key.to_owned(),
            format!(
                "is {limit}, below `limitRange.{request_key}`, which is {}",
                kind.print(it.gpu_request)
            ),
        );
    }
    let Some(Amount(text)) = ratio else { return };
    let field = container("maxLimitRequestRatio");
    match it.ratio {
        None => wrong(field, "is no number, such as 4".to_owned()),
        Some(ratio) if ratio < 1000 => wrong(
            field,
            format!("is {text}, below 1: a limit would be below its request"),
        ),
        Some(ratio) => {
            let above =
                |request: i64, limit: i64| i128::from(limit) * 1000 > i128::from(request) * i128::from(ratio);
            match it.default {
                None => wrong(
                    field,
                    format!(
                        "asks for a limit of every container, and `limitRange.{}` is absent",
                        container("default")
                    ),
                ),
                Some(default) if above(it.default_request, default) => {
                    let request = kind.print(it.default_request);
                    wrong(
                        field,
                        format!(
                            "is {text}, and the default limit {} is more times the default request {request}",
                            kind.print(default)
                        ),
                    );
                }
                Some(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(cpu: &str) -> Option<Amounts> {
        Some(Amounts {
            cpu: Some(Amount(cpu.to_owned())),
            memory: None,
        })
    }

    fn with(container: ContainerLimits) -> Result<Limits, Vec<Problem>> {
        Limits::new(Some(&LimitRangeFactors {
            container: Some(container),
            ..LimitRangeFactors::default()
        }))
    }

    #[test]
    fn the_references_defaults() {
        let limits = Limits::new(None).unwrap();
        assert_eq!(limits.gpu_factors(), "100/0/0/0/104857600/0/0/0");
        insta::assert_json_snapshot!(limits.limit_range("reeve-robots").spec);
    }

    #[test]
    fn a_default_limit_gives_a_request_of_the_fraction_and_bounds_what_gpus_ask_for() {
        let limits = with(ContainerLimits {
            default: amounts("4"),
            max: amounts("8"),
            ..ContainerLimits::default()
        })
        .unwrap();
        let item = &limits.limit_range("x").spec.unwrap().limits[0];
        assert_eq!(item.default_request.as_ref().unwrap()["cpu"].0, "400m");
        assert!(
            limits.gpu_factors().starts_with("100/0/4000/8000/"),
            "{}",
            limits.gpu_factors()
        );
    }

    #[test]
    fn the_plain_number_of_one_edition_is_millicores() {
        let factor = |text: &str| {
            let settings = LimitRangeFactors {
                cpu_default_request_gpu_factor: Some(Amount(text.to_owned())),
                ..LimitRangeFactors::default()
            };
            Limits::new(Some(&settings)).unwrap().gpu_factors()
        };
        assert_eq!(factor("100"), factor("100m"));
        assert!(factor("8").starts_with("8000/"), "{}", factor("8"));
    }

    type Change = fn(&mut ContainerLimits);

    #[test]
    fn what_could_never_start_is_refused_with_its_field() {
        let container = |change: Change| {
            let mut container = ContainerLimits::default();
            change(&mut container);
            let problems = with(container).unwrap_err();
            problems.iter().map(|it| it.field.clone()).collect::<Vec<_>>()
        };
        let cases: [(Change, &str); 8] = [
            (
                |it| (it.default, it.max) = (amounts("9"), amounts("8")),
                "default",
            ),
            (
                |it| (it.default_request, it.max) = (amounts("9"), amounts("8")),
                "defaultRequest",
            ),
            (
                |it| (it.default_request, it.default) = (amounts("9"), amounts("8")),
                "defaultRequest",
            ),
            (|it| (it.min, it.max) = (amounts("9"), amounts("8")), "min"),
            (
                |it| (it.default, it.max_limit_request_ratio) = (amounts("2"), amounts("0.5")),
                "maxLimitRequestRatio",
            ),
            (
                |it| (it.default, it.max_limit_request_ratio) = (amounts("2"), amounts("4")),
                "maxLimitRequestRatio",
            ),
            (
                |it| it.max_limit_request_ratio = amounts("4"),
                "maxLimitRequestRatio",
            ),
            (|it| it.max = amounts("a lot"), "max"),
        ];
        for (change, field) in cases {
            let fields = container(change);
            assert!(
                fields.contains(&format!("limitRange.container.{field}.cpu")),
                "{field}: {fields:?}"
            );
        }
        let less = LimitRangeFactors {
            cpu_default_limit_gpu_factor: Some(Amount("50m".to_owned())),
            ..LimitRangeFactors::default()
        };
        let problems = Limits::new(Some(&less)).unwrap_err();
        assert!(
            problems[0]
                .to_string()
                .contains("`limitRange.cpuDefaultLimitGpuFactor` is 50m"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn a_default_above_a_quota_is_named_with_the_quota() {
        let limits = with(ContainerLimits {
            default_request: amounts("2"),
            ..ContainerLimits::default()
        })
        .unwrap();
        let quota = |key: &str, hard: &str| -> ResourceQuota {
            let text = format!("metadata: {{name: team}}\nspec: {{hard: {{{key}: \"{hard}\"}}}}");
            serde_saphyr::from_str(&text).unwrap()
        };
        assert_eq!(
            limits.above_quota(&[
                quota("requests.cpu", "2"),
                quota("limits.cpu", "1"),
                quota("pods", "0")
            ]),
            []
        );
        for key in ["cpu", "requests.cpu"] {
            let problem = &limits.above_quota(&[quota(key, "1")])[0];
            let told = problem.to_string();
            assert!(
                told.contains("`limitRange.container.defaultRequest.cpu` is 2") && told.contains("`team`"),
                "{told}"
            );
        }
    }
}
