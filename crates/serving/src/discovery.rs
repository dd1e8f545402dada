//! Discovery: the image is run once and says what it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use reeve_serving_crds::{
    AimModelSpec, AimServiceTemplateSpec, AimServiceTemplateStatus, DiscoveryStatus, GpuRequirements,
    HardwareRequirements, Metric, ModelSource, Precision, Profile, ProfileMetadata,
};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::Said;
use crate::env;
use crate::hash::hex;
use crate::labels::{self, Labels};
use crate::names;
use crate::owner::Parent;
use crate::quantity;
use crate::security;

/// The container whose log is read.
pub const CONTAINER: &str = "discovery";
/// How many discoveries run at once in a cluster.
pub const AT_ONCE: usize = 10;
/// When to look again whether there is room for one more.
pub const NO_ROOM: Duration = Duration::from_secs(5);
/// How long a finished Job stays, in seconds.
const JOB_TTL: i32 = 60;
const FIRST_PAUSE: i64 = 60;
const LONGEST_PAUSE: i64 = 3600;

/// What discovery is about.
#[derive(Debug, Clone, Copy)]
pub struct Discovery<'a> {
    /// The template.
    pub template: &'a AimServiceTemplateSpec,
    /// Its model.
    pub model: &'a AimModelSpec,
    /// Whether the template lives in a namespace; the cluster's give no environment variables.
    pub in_namespace: bool,
}

impl Discovery<'_> {
    fn parameters(&self, with_environment: bool) -> String {
        let template = self.template;
        let mut text = format!("{}{}", template.model_name, self.model.image);
        if with_environment {
            text.push_str(self.model.service_account_name.as_deref().unwrap_or_default());
            for variable in self.environment() {
                text.push_str(&variable.name);
                text.push_str(variable.value.as_deref().unwrap_or_default());
            }
            self.model
                .image_pull_secrets
                .iter()
                .for_each(|secret| text.push_str(&secret.name));
        }
        text.push_str(template.metric.map_or("", Metric::as_str));
        text.push_str(template.precision.map_or("", Precision::as_str));
        if let Some(gpu) = template.hardware.as_ref().and_then(|h| h.gpu.as_ref()) {
            text.push_str(gpu.model.as_deref().unwrap_or_default());
            text.push_str(&gpu.requests.unwrap_or(0).to_string());
        }
        text.push_str(template.profile_id.as_deref().unwrap_or_default());
        text
    }

    fn environment(&self) -> &[k8s_openapi::api::core::v1::EnvVar] {
        if self.in_namespace {
            &self.template.env
        } else {
            &[]
        }
    }

    /// Of what attempts are attempts, and of what an answer is one: another hash begins anew.
    pub fn spec_hash(&self) -> String {
        hex(&self.parameters(false), 16)
    }

    /// The name of the Job of a template of this name.
    pub fn job_name(&self, template: &str) -> String {
        let start: String = template.chars().take(45).collect();
        format!("discover-{start}-{}", hex(&self.parameters(true), 8))
    }

    /// The Job.
    pub fn job(&self, parent: &Parent, namespace: &str) -> Job {
        let own = job_labels(&parent.name);
        let mut own_of_pod = own.clone();
        own_of_pod.remove(labels::MANAGED_BY);
        Job {
            metadata: parent.child(self.job_name(&parent.name), Some(namespace), &own, true),
            spec: Some(JobSpec {
                backoff_limit: Some(0),
                ttl_seconds_after_finished: Some(JOB_TTL),
                template: PodTemplateSpec {
                    metadata: Some(parent.of_pods(&own_of_pod)),
                    spec: Some(self.pod(parent)),
                },
                ..JobSpec::default()
            }),
            status: None,
        }
    }

    fn pod(&self, parent: &Parent) -> PodSpec {
        let secrets = &self.model.image_pull_secrets;
        PodSpec {
            automount_service_account_token: Some(false),
            image_pull_secrets: (!secrets.is_empty()).then(|| secrets.clone()),
            service_account_name: self
                .model
                .service_account_name
                .clone()
                .filter(|name| !name.is_empty()),
            restart_policy: Some("Never".to_owned()),
            security_context: Some(security::pod_of(
                parent.stamp.as_ref(),
                security::DISCOVERY_USER,
                None,
            )),
            containers: vec![Container {
                name: CONTAINER.to_owned(),
                image: Some(self.model.image.clone()),
                args: Some(vec!["dry-run".to_owned(), "--format=json".to_owned()]),
                env: Some(self.variables()),
                security_context: Some(security::container()),
                ..Container::default()
            }],
            ..PodSpec::default()
        }
    }

    fn variables(&self) -> Vec<k8s_openapi::api::core::v1::EnvVar> {
        let quiet = ["AIM_LOG_LEVEL_ROOT", "AIM_LOG_LEVEL"].map(|name| env::plain(name, "CRITICAL"));
        let mut all = env::merge(&quiet, self.environment());
        let template = self.template;
        env::set(&mut all, "AIM_METRIC", template.metric.map_or("", Metric::as_str));
        env::set(
            &mut all,
            "AIM_PRECISION",
            template.precision.map_or("", Precision::as_str),
        );
        if let Some(gpu) = template.hardware.as_ref().and_then(|h| h.gpu.as_ref()) {
            env::set(
                &mut all,
                "AIM_GPU_MODEL",
                gpu.model.as_deref().unwrap_or_default(),
            );
            if let Some(count) = gpu.requests.filter(|count| *count > 0) {
                env::set(&mut all, "AIM_GPU_COUNT", &count.to_string());
            }
        }
        env::set(
            &mut all,
            "AIM_PROFILE_ID",
            template.profile_id.as_deref().unwrap_or_default(),
        );
        all
    }
}

/// Whether what a template's status knows of its image was said of other parameters than those of this hash: of another image, or
/// another profile. A status that counts failures beside what it knows was written by the reference operator, whose hash is that of
/// a failure, and is believed; so is one that has no hash.
pub fn is_of_another_spec(status: &AimServiceTemplateStatus, hash: &str) -> bool {
    let asked = status.discovery.as_ref().filter(|d| d.attempts.unwrap_or(0) == 0);
    asked
        .and_then(|asked| asked.spec_hash.as_deref())
        .is_some_and(|of| of != hash)
}

fn job_labels(template: &str) -> Labels {
    labels::labels([
        (labels::APP_NAME, "aim-discovery"),
        (labels::COMPONENT, "discovery"),
        (labels::MANAGED_BY, "aim-controller"),
        ("template", &names::name_label(template)),
    ])
}

/// What an image said.
#[derive(Debug, Clone, PartialEq)]
pub struct Discovered {
    /// The profile it would run.
    pub profile: Profile,
    /// The files it needs.
    pub model_sources: Vec<ModelSource>,
}

/// The log of a discovery holds no answer that we understand. The template stays on its way, and discovery is tried again: a
/// template without files would be ready and serve nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the discovery's log holds no JSON array with a profile and models")]
pub struct UnreadableLog;

#[derive(Deserialize)]
struct Answer {
    profile: AnswerProfile,
    #[serde(default)]
    models: Vec<AnswerModel>,
}

#[derive(Deserialize)]
struct AnswerProfile {
    #[serde(default)]
    metadata: AnswerMetadata,
    #[serde(default)]
    engine_args: Option<Value>,
    #[serde(default)]
    env_vars: BTreeMap<String, Value>,
}

#[derive(Deserialize, Default)]
struct AnswerMetadata {
    engine: Option<String>,
    gpu: Option<String>,
    precision: Option<String>,
    gpu_count: Option<i32>,
    metric: Option<String>,
    #[serde(rename = "type")]
    type_: Option<String>,
}

#[derive(Deserialize)]
struct AnswerModel {
    name: String,
    source: String,
    #[serde(default)]
    size_gb: f64,
}

/// Reads the log: all of it is a JSON array, or the last array in it that has the shape is taken.
///
/// # Errors
/// [`UnreadableLog`].
pub fn read_log(log: &str) -> Result<Discovered, UnreadableLog> {
    let parse = |text: &str| {
        serde_json::from_str::<Vec<Answer>>(text)
            .ok()
            .and_then(|all| all.into_iter().next())
    };
    let whole = parse(log.trim());
    let answer = whole.or_else(|| {
        let (before, _) = log.rsplit_once(']')?;
        let text = log.get(..=before.len())?;
        // A log with thousands of brackets is no reason to look at each of them.
        let starts = before.char_indices().rev().filter(|(_, c)| *c == '[').take(1000);
        starts.map(|(at, _)| at).find_map(|at| parse(text.get(at..)?))
    });
    answer.map(discovered).ok_or(UnreadableLog)
}

fn discovered(answer: Answer) -> Discovered {
    fn word<T: serde::de::DeserializeOwned>(text: Option<String>) -> Option<T> {
        serde_json::from_value(Value::String(text?.to_lowercase())).ok()
    }
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let AnswerProfile {
        metadata,
        engine_args,
        env_vars,
    } = answer.profile;
    Discovered {
        profile: Profile {
            engine_args: engine_args.filter(|args| !args.is_null()),
            env_vars: env_vars
                .into_iter()
                .map(|(name, value)| (name, text(value)))
                .collect(),
            metadata: Some(ProfileMetadata {
                engine: metadata.engine,
                gpu: metadata.gpu,
                gpu_count: metadata.gpu_count,
                metric: word(metadata.metric),
                precision: word(metadata.precision),
                type_: word(metadata.type_),
            }),
            original_discovery_output: None,
        },
        model_sources: answer.models.into_iter().map(source).collect(),
    }
}

fn source(model: AnswerModel) -> ModelSource {
    let bytes = bytes_of_gib(model.size_gb);
    ModelSource {
        model_id: model.name,
        source_uri: model.source,
        size: (bytes > 0).then(|| quantity::of_bytes(bytes)),
        env: Vec::new(),
    }
}

/// Whole bytes of so many GiB; nothing for what is none.
fn bytes_of_gib(gib: f64) -> i64 {
    let bytes = gib * 1_073_741_824.0;
    if bytes.is_finite() && (0.0..9.0e18).contains(&bytes) {
        bytes as i64
    } else {
        0
    }
}

/// Counts a failed Job, once: only one that ended after the last that was counted.
pub fn count_failure(
    before: Option<&DiscoveryStatus>,
    hash: &str,
    ended: &Time,
    reason: &str,
) -> DiscoveryStatus {
    let same = before.filter(|status| status.spec_hash.as_deref() == Some(hash));
    if let Some(same) = same
        && same
            .last_attempt_time
            .as_ref()
            .is_some_and(|last| last.0 >= ended.0)
    {
        return same.clone();
    }
    DiscoveryStatus {
        attempts: Some(same.and_then(|s| s.attempts).unwrap_or(0).saturating_add(1)),
        last_attempt_time: Some(ended.clone()),
        last_failure_reason: Some(reason.to_owned()),
        spec_hash: Some(hash.to_owned()),
    }
}

/// When the next attempt may begin; `None`: now. A pass that is told a moment comes back then: nothing else would wake it.
pub fn next_attempt(status: Option<&DiscoveryStatus>, hash: &str, now: Timestamp) -> Option<Timestamp> {
    let status = status.filter(|status| status.spec_hash.as_deref() == Some(hash))?;
    let attempts = status.attempts.filter(|attempts| *attempts > 0)?;
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(10);
    let pause = (FIRST_PAUSE << doublings).min(LONGEST_PAUSE);
    let last = status.last_attempt_time.as_ref()?.0;
    let next = last.checked_add(SignedDuration::from_secs(pause)).ok()?;
    (next > now).then_some(next)
}

/// The condition `Discovered`.
pub fn condition(template: &AimServiceTemplateSpec, found: bool, was: bool, next: Option<Timestamp>) -> Said {
    if !template.model_sources.is_empty() {
        return Said::new(
            "Discovered",
            true,
            "InlineModelSources",
            "Model sources provided in-line in spec",
        );
    }
    if found || was {
        return Said::new(
            "Discovered",
            true,
            "DiscoveryComplete",
            "the image said what it needs",
        );
    }
    let message = next.map_or_else(
        || "the image has not said yet what it needs".to_owned(),
        |next| format!("discovery failed; the next attempt begins at {next:.0}"),
    );
    Said::new("Discovered", false, "AwaitingDiscovery", message)
}

/// The profile of a template whose sources are in its spec.
pub fn inline_profile(template: &AimServiceTemplateSpec) -> Profile {
    let gpu = template.hardware.as_ref().and_then(|h| h.gpu.as_ref());
    Profile {
        metadata: Some(ProfileMetadata {
            engine: None,
            gpu: gpu
                .and_then(|gpu| gpu.model.clone())
                .filter(|model| !model.is_empty()),
            gpu_count: gpu.and_then(|gpu| gpu.requests),
            metric: template.metric,
            precision: template.precision,
            type_: template.type_,
        }),
        ..Profile::default()
    }
}

/// What a template needs, after discovery: GPUs as discovered, else as asked for. Nothing rather than an empty object, which
/// the schema refuses.
pub fn resolved_hardware(
    asked: Option<&HardwareRequirements>,
    found: Option<&ProfileMetadata>,
) -> Option<HardwareRequirements> {
    let gpu = asked.and_then(|h| h.gpu.as_ref());
    let count = match found {
        Some(found) => found.gpu_count.unwrap_or(0),
        None => gpu.and_then(|gpu| gpu.requests).unwrap_or(0),
    };
    let model = match found {
        Some(found) => found.gpu.clone(),
        None => gpu.and_then(|gpu| gpu.model.clone()),
    };
    let model = model.filter(|model| !model.is_empty());
    let resource = gpu
        .and_then(|gpu| gpu.resource_name.clone())
        .filter(|name| !name.is_empty());
    let there = count > 0 || model.is_some() || resource.is_some();
    // The schema refuses a model together with the memory it is to have.
    let min_vram = gpu
        .and_then(|gpu| gpu.min_vram.clone())
        .filter(|_| model.is_none());
    let gpu = there.then(|| GpuRequirements {
        requests: Some(count),
        model,
        min_vram,
        resource_name: Some(resource.unwrap_or_else(|| "amd.com/gpu".to_owned())),
    });
    let cpu = asked.and_then(|h| h.cpu.clone());
    (gpu.is_some() || cpu.is_some()).then_some(HardwareRequirements { gpu, cpu })
}

/// What a template needs, for people: `2 x MI300X`.
pub fn hardware_summary(hardware: Option<&HardwareRequirements>) -> String {
    let Some(hardware) = hardware else {
        return String::new();
    };
    let gpu = hardware.gpu.as_ref();
    let count = gpu.and_then(|gpu| gpu.requests).unwrap_or(0);
    let model = gpu
        .and_then(|gpu| gpu.model.as_deref())
        .filter(|model| !model.is_empty());
    match (count, model) {
        (1.., model) => format!("{count} x {}", model.unwrap_or("GPU")),
        (_, Some(model)) => model.to_owned(),
        (_, None) => "CPU".to_owned(),
    }
}
