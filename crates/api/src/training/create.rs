//! `POST /api/v1/workloads/trainings`.

use std::collections::BTreeSet;

use reeve_types::{
    ClusterId, CpuCores, ImagePullPolicy, MemoryAmount, NodeTypeName, ProjectId, WorkloadName,
};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::metadata::{self, SubmittedAnnotation, SubmittedLabel};
use super::placement::{self, SubmittedToleration};
use super::probes::SubmittedProbes;
use super::spec::{Compute, EnvironmentVariable, Security, TrainingSpec, UidGidSource};
use super::storage::{self, SubmittedStorage};
use crate::body::fields::{
    OnlyFalse, OnlyNever, OnlyOne, OnlyPortion, OnlyRuntimeDefault, OnlyTrain, Unsupported, filled, refused,
    text, within,
};
use crate::body::{InvalidBody, TypedBody};

/// A training to submit.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({
    "name": "train", "projectId": "33", "clusterId": crate::EXAMPLE_UUID,
    "spec": {"image": "registry.example/team/image:tag", "command": "python train.py", "compute": {"gpuDevicesRequest": 1}}
}))]
pub struct CreateTraining {
    /// Its name, unique in the project.
    pub name: WorkloadName,
    /// The project it is in.
    pub project_id: ProjectId,
    /// The cluster it is to run in: the project's.
    pub cluster_id: ClusterId,
    /// What is to run.
    #[serde(deserialize_with = "submitted")]
    #[schemars(with = "SubmittedTraining")]
    pub spec: TrainingSpec,
    #[serde(default)]
    use_given_name_as_prefix: OnlyFalse,
    #[serde(default)]
    template_id: Unsupported,
}

/// GPUs that one pod may ask for: more is a slip of the finger.
const MAX_GPUS: u32 = 1024;
/// Bytes of one value, and of all names and values together: far above need, far below what a custom resource may hold.
const MAX_VALUE: usize = 32 * 1024;
const MAX_ENVIRONMENT: usize = 128 * 1024;
/// How many variables, and how many words of a line: as many as the custom resource holds.
const MAX_VARIABLES: usize = 1024;
const MAX_WORDS: usize = 1024;
/// Bytes of a command line.
const MAX_LINE: usize = 32 * 1024;

impl TypedBody for CreateTraining {
    fn check(&self) -> Result<(), InvalidBody> {
        if self.spec.tty == Some(true) && self.spec.stdin != Some(true) {
            let remedy = "a terminal needs `stdin: true` as well: without it nobody can type";
            return Err(InvalidBody::wrong("spec.tty", remedy));
        }
        if let Some(compute) = &self.spec.compute {
            check_limits(compute)?;
        }
        check_attempts(&self.spec)?;
        metadata::check(
            self.spec.labels.as_deref().unwrap_or_default(),
            self.spec.annotations.as_deref().unwrap_or_default(),
        )?;
        placement::check(self.spec.tolerations.as_deref().unwrap_or_default())?;
        storage::check(self.spec.secret_volumes())?;
        check_environment(self.spec.environment_variables.as_deref().unwrap_or_default())
    }
}

/// More pods at once than have to end well would never be.
fn check_attempts(spec: &TrainingSpec) -> Result<(), InvalidBody> {
    let completions = spec.completions.unwrap_or(1);
    if spec.parallelism.is_some_and(|at_once| at_once > completions) {
        let rule = format!("at most `completions` of them are possible, which is {completions}");
        return Err(InvalidBody::wrong("spec.parallelism", rule));
    }
    Ok(())
}

/// Kubernetes makes no pod that asks for more than it may use.
fn check_limits(compute: &Compute) -> Result<(), InvalidBody> {
    const RULE: &str = "at most the limit can be asked for";
    if compute
        .cpu_core_request
        .zip(compute.cpu_core_limit)
        .is_some_and(|(asked, most)| asked > most)
    {
        return Err(InvalidBody::wrong("spec.compute.cpuCoreRequest", RULE));
    }
    let memory = compute
        .cpu_memory_request
        .as_ref()
        .zip(compute.cpu_memory_limit.as_ref());
    if memory.is_some_and(|(asked, most)| asked.bytes() > most.bytes()) {
        return Err(InvalidBody::wrong("spec.compute.cpuMemoryRequest", RULE));
    }
    Ok(())
}

/// What each variable cannot tell alone: how many there are, each once, and how large all are together.
fn check_environment(variables: &[EnvironmentVariable]) -> Result<(), InvalidBody> {
    const FIELD: &str = "spec.environmentVariables";
    if variables.len() > MAX_VARIABLES {
        return Err(InvalidBody::too_many(
            FIELD,
            MAX_VARIABLES,
            " variables",
            variables.len(),
        ));
    }
    let (mut seen, mut bytes) = (BTreeSet::new(), 0_usize);
    for (at, variable) in variables.iter().enumerate() {
        if !seen.insert(&variable.name) {
            let place = format!("{FIELD}[{at}].name");
            return Err(InvalidBody::wrong(place, "this name is given twice"));
        }
        bytes = bytes.saturating_add(variable.name.len().saturating_add(variable.value.len()));
        if bytes > MAX_ENVIRONMENT {
            let rule =
                format!("at most {MAX_ENVIRONMENT} bytes of all names and values together are possible");
            return Err(InvalidBody::wrong(format!("{FIELD}[{at}].value"), rule));
        }
    }
    Ok(())
}

/// What a training is to run: the part of the reference's `TrainingSpecSpec` that this version honours, and the fields that
/// it refuses by name.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
struct SubmittedTraining {
    /// The image reference, like `registry.example/team/image:tag`; at most 512 bytes. Absent: the default of a workload policy,
    /// which there has to be then.
    #[serde(default, deserialize_with = "image")]
    #[schemars(length(min = 1, max = 512))]
    image: Option<String>,
    /// When the node gets the image. Absent: as Kubernetes has it, each time for the tag `latest`, otherwise when the node does not have it.
    #[serde(default)]
    image_pull_policy: Option<ImagePullPolicy>,
    /// Replaces the image's entry point; one line, split as a shell would, at most 32 KiB and 1024 words.
    #[serde(default, deserialize_with = "line")]
    command: Option<String>,
    /// The arguments; likewise.
    #[serde(default, deserialize_with = "line")]
    args: Option<String>,
    /// Environment variables, each name once; at most 1024, and 128 KiB together.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    environment_variables: Vec<SubmittedVariable>,
    /// What it needs of the node.
    #[serde(default)]
    compute: Option<SubmittedCompute>,
    /// Ours: whether Kubernetes expands `$(NAME)` and halves `$$` in words and values. Absent: they arrive as typed.
    #[serde(default)]
    expand_variables: Option<bool>,
    /// Ours: whether the user stands in `/etc/passwd` and `/etc/group`, beside the image's own entries.
    #[serde(default)]
    passwd_entry: Option<bool>,
    /// Whether its standard input stays open.
    #[serde(default)]
    stdin: Option<bool>,
    /// Whether it has a terminal; needs `stdin` too.
    #[serde(default)]
    tty: Option<bool>,
    /// Where it starts: a path from the root. Absent: where the image says.
    #[serde(default, deserialize_with = "working_dir")]
    #[schemars(length(max = 4096))]
    working_dir: Option<String>,
    /// Whether it has a writable home. Absent: when it runs as its submitter.
    #[serde(default)]
    create_home_dir: Option<bool>,
    /// As whom it runs, and with which rights. Absent: as the cluster decides.
    #[serde(default)]
    security: Option<SubmittedSecurity>,
    /// What it finds mounted. Absent: nothing.
    #[serde(default)]
    storage: Option<SubmittedStorage>,
    /// How many pods may fail until the training has, at most 100; one that the cluster takes away does not count. Absent: 0, the first that
    /// fails ends it.
    #[serde(default, deserialize_with = "within::<_, 0, 100>")]
    #[schemars(range(max = 100))]
    backoff_limit: Option<u32>,
    /// How many pods have to end well, at most 100. Absent: one.
    #[serde(default, deserialize_with = "within::<_, 1, 100>")]
    #[schemars(range(min = 1, max = 100))]
    completions: Option<u32>,
    /// How many of these pods run at once; at most `completions`. Absent: one.
    #[serde(default, deserialize_with = "within::<_, 1, 100>")]
    #[schemars(range(min = 1, max = 100))]
    parallelism: Option<u32>,
    /// Seconds that a pod has from the signal to end until it is killed, at most 3,600: as long may it go on after somebody has taken away
    /// what it runs by. Absent: 30.
    #[serde(default, deserialize_with = "within::<_, 0, 3600>")]
    #[schemars(range(max = 3600))]
    termination_grace_period_seconds: Option<u32>,
    /// When its container is ready. Absent: while it runs.
    #[serde(default)]
    probes: Option<SubmittedProbes>,
    /// Labels of its Job and pods, each name once; at most 64.
    #[serde(default)]
    #[schemars(length(max = 64))]
    labels: Vec<SubmittedLabel>,
    /// Annotations of its pods, each name once; at most 64, and 16 KiB together.
    #[serde(default)]
    #[schemars(length(max = 64))]
    annotations: Vec<SubmittedAnnotation>,
    /// It runs on nodes whose label `run.ai/type` says so, and that are in the project's pools. Absent: on every node of these.
    #[serde(default)]
    node_type: Option<NodeTypeName>,
    /// Taints of nodes that it is put up with; at most 32.
    #[serde(default)]
    #[schemars(length(max = 32))]
    tolerations: Vec<SubmittedToleration>,
    #[serde(default)]
    category: OnlyTrain,
    #[serde(default)]
    restart_policy: OnlyNever,
    #[serde(default)]
    terminate_after_preemption: OnlyFalse,
    #[serde(default)]
    auto_deletion_time_after_completion_seconds: Unsupported,
    #[serde(default)]
    exposed_urls: Unsupported,
    #[serde(default)]
    image_pull_secrets: Unsupported,
    #[serde(default)]
    node_affinity_required: Unsupported,
    #[serde(default)]
    node_pools: Unsupported,
    #[serde(default)]
    pod_affinity: Unsupported,
    /// It cannot be asked for: no Service is made for a training.
    #[serde(default, deserialize_with = "ports")]
    ports: Unsupported,
    #[serde(default)]
    preemptibility: Unsupported,
    #[serde(default)]
    priority_class: Unsupported,
    #[serde(default)]
    related_urls: Unsupported,
}

fn submitted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrainingSpec, D::Error> {
    let asked = SubmittedTraining::deserialize(deserializer)?;
    let variables = asked
        .environment_variables
        .into_iter()
        .map(|it| EnvironmentVariable {
            name: it.name,
            value: it.value,
        });
    let variables: Vec<_> = variables.collect();
    Ok(TrainingSpec {
        image: asked.image.unwrap_or_default(),
        image_pull_policy: asked.image_pull_policy,
        command: asked.command,
        args: asked.args,
        environment_variables: (!variables.is_empty()).then_some(variables),
        compute: asked.compute.map(|asked| Compute {
            gpu_devices_request: asked.gpu_devices_request,
            large_shm_request: asked.large_shm_request,
            cpu_core_limit: asked.cpu_core_limit,
            cpu_core_request: asked.cpu_core_request,
            cpu_memory_limit: asked.cpu_memory_limit,
            cpu_memory_request: asked.cpu_memory_request,
        }),
        expand_variables: asked.expand_variables,
        passwd_entry: asked.passwd_entry,
        stdin: asked.stdin,
        tty: asked.tty,
        working_dir: asked.working_dir,
        create_home_dir: asked.create_home_dir,
        security: asked.security.map(|asked| Security {
            uid_gid_source: asked.uid_gid_source,
            allow_privilege_escalation: asked.allow_privilege_escalation,
        }),
        storage: asked.storage.and_then(SubmittedStorage::honoured),
        backoff_limit: asked.backoff_limit,
        completions: asked.completions,
        parallelism: asked.parallelism,
        termination_grace_period_seconds: asked.termination_grace_period_seconds,
        probes: asked.probes.and_then(SubmittedProbes::kept),
        labels: metadata::labels(asked.labels),
        annotations: metadata::annotations(asked.annotations),
        node_type: asked.node_type,
        tolerations: placement::tolerations(asked.tolerations),
    })
}

fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Unsupported, D::Error> {
    let why =
        "no Service is made for a training: leave it out; `reeve port-forward` reaches every port of it";
    refused(deserializer, why).map(|()| Unsupported)
}

fn image<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let image = filled::<D, 512>(deserializer)?;
    let plain = image
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-:/@+".contains(&b));
    let rule = "an image reference like `registry.example/team/image:tag` is needed";
    plain.then_some(Some(image)).ok_or_else(|| D::Error::custom(rule))
}

fn working_dir<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match text::<D, 4096>(deserializer)? {
        Some(path) if !path.starts_with('/') || path.contains(char::is_control) => Err(D::Error::custom(
            "a path that begins with `/` is needed, without control characters",
        )),
        path => Ok(path),
    }
}

fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let line = text::<D, MAX_LINE>(deserializer)?;
    match line.as_deref().map(shlex::split) {
        None => Ok(None),
        Some(Some(words)) if words.len() > MAX_WORDS => Err(D::Error::custom(format_args!(
            "at most {MAX_WORDS} words are possible, and these are {}",
            words.len()
        ))),
        Some(Some(words)) if !words.is_empty() => Ok(line),
        Some(Some(_)) => Err(D::Error::custom("at least one word is needed")),
        Some(None) => Err(D::Error::custom(
            "a quote is not closed, or a backslash ends the line",
        )),
    }
}

/// An environment variable.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
struct SubmittedVariable {
    /// The variable's name: letters, digits, `_`, `-` and `.`, not starting with a digit; at most 255 bytes.
    #[serde(deserialize_with = "variable_name")]
    #[schemars(length(max = 255), regex(pattern = "^[A-Za-z_.-][A-Za-z0-9_.-]*$"))]
    name: String,
    /// The variable's value, at most 32 KiB, without NUL. Absent: empty.
    #[serde(default, deserialize_with = "variable_value")]
    value: String,
    #[serde(default)]
    exclude: OnlyFalse,
    #[serde(default)]
    secret: Unsupported,
    #[serde(default)]
    config_map: Unsupported,
    #[serde(default)]
    pod_field_ref: Unsupported,
    #[serde(default)]
    user_credential: Unsupported,
    #[serde(default)]
    description: Unsupported,
}

fn variable_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = filled::<D, 255>(deserializer)?;
    let valid = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if !valid || name.starts_with(|c: char| c.is_ascii_digit()) {
        let rule = "letters, digits, `_`, `-` and `.` are needed, not starting with a digit";
        return Err(D::Error::custom(rule));
    }
    Ok(name)
}

fn variable_value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = String::deserialize(deserializer)?;
    if value.len() > MAX_VALUE || value.contains('\0') {
        return Err(D::Error::custom(format_args!(
            "at most {MAX_VALUE} bytes are possible, and no NUL"
        )));
    }
    Ok(value)
}

/// What a training needs of the node.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
struct SubmittedCompute {
    /// How many whole GPUs.
    #[serde(default, deserialize_with = "gpus")]
    #[schemars(range(max = 1024))]
    gpu_devices_request: Option<u32>,
    /// Whether memory at `/dev/shm` is as large as the container's, without the runtime's 64 MiB.
    #[serde(default)]
    large_shm_request: Option<bool>,
    /// How many processor cores it may use at most. Absent: as the namespace has it.
    #[serde(default)]
    cpu_core_limit: Option<CpuCores>,
    /// How many processor cores the node has to have free for it; at most the limit. Absent: as the namespace has it, or the limit.
    #[serde(default)]
    cpu_core_request: Option<CpuCores>,
    /// How much memory it may use at most. Absent: as the namespace has it.
    #[serde(default)]
    cpu_memory_limit: Option<MemoryAmount>,
    /// How much memory the node has to have free for it; at most the limit. Absent: as the namespace has it, or the limit.
    #[serde(default)]
    cpu_memory_request: Option<MemoryAmount>,
    #[serde(default)]
    gpu_request_type: OnlyPortion,
    #[serde(default)]
    gpu_portion_request: OnlyOne,
    #[serde(default)]
    extended_resources: Unsupported,
    #[serde(default)]
    gpu_memory_limit: Unsupported,
    #[serde(default)]
    gpu_memory_request: Unsupported,
    #[serde(default)]
    gpu_portion_limit: Unsupported,
}

fn gpus<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match u32::deserialize(deserializer)? {
        gpus if gpus > MAX_GPUS => Err(D::Error::custom(format_args!("at most {MAX_GPUS} are possible"))),
        gpus => Ok(Some(gpus)),
    }
}

/// As whom a training runs, and with which rights.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
struct SubmittedSecurity {
    /// Where uid, gid and groups come from. Absent: as the cluster decides.
    #[serde(default, deserialize_with = "source")]
    uid_gid_source: Option<UidGidSource>,
    /// `false` forbids to gain privileges; `true` cannot be asked for.
    #[serde(default, deserialize_with = "escalation")]
    #[schemars(extend("enum" = [false, null]))]
    allow_privilege_escalation: Option<bool>,
    /// What every pod gets: `false` cannot be asked for.
    #[serde(default, deserialize_with = "non_root")]
    #[schemars(extend("enum" = [true, null]))]
    run_as_non_root: Option<bool>,
    #[serde(default)]
    host_ipc: OnlyFalse,
    #[serde(default)]
    host_network: OnlyFalse,
    #[serde(default)]
    read_only_root_filesystem: OnlyFalse,
    #[serde(default)]
    seccomp_profile_type: OnlyRuntimeDefault,
    #[serde(default)]
    capabilities: Unsupported,
    #[serde(default)]
    run_as_gid: Unsupported,
    #[serde(default)]
    run_as_uid: Unsupported,
    #[serde(default)]
    supplemental_groups: Unsupported,
}

/// `custom` is a value of the reference, and a way to be somebody else.
fn source<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UidGidSource>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "fromTheImage" => Ok(Some(UidGidSource::FromTheImage)),
        "fromIdpToken" => Ok(Some(UidGidSource::FromIdpToken)),
        "custom" => Err(D::Error::custom(
            "`custom` is not supported: use `fromIdpToken` to run as yourself",
        )),
        _ => Err(D::Error::unknown_variant("", &["fromTheImage", "fromIdpToken"])),
    }
}

fn escalation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    if bool::deserialize(deserializer)? {
        let remedy = "`true` cannot be asked for: leave it out to get what the cluster allows";
        return Err(D::Error::custom(remedy));
    }
    Ok(Some(false))
}

fn non_root<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    if bool::deserialize(deserializer)? {
        return Ok(Some(true));
    }
    let remedy = "`false` cannot be asked for: no container runs as root; leave it out";
    Err(D::Error::custom(remedy))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Body as _;

    fn parse(spec: Value) -> Result<CreateTraining, String> {
        let body = json!({"name": "t", "projectId": "33", "clusterId": "123e4567-e89b-12d3-a456-426614174000", "spec": spec});
        CreateTraining::parse(body.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_flags_say_arrives() {
        let spec = parse(json!({
            "image": "local.test/tools:1", "imagePullPolicy": "Always", "command": "sh -c", "args": "'id; echo \"$HOME\"'",
            "environmentVariables": [{"name": "A", "value": "1"}, {"name": "B", "value": null}],
            "compute": {"gpuDevicesRequest": 2, "gpuRequestType": "portion", "gpuPortionRequest": 1},
            "security": {"uidGidSource": "fromIdpToken", "allowPrivilegeEscalation": false},
        }))
        .unwrap()
        .spec;
        assert_eq!(spec.command_words(), ["sh", "-c"]);
        assert_eq!(spec.args_words(), ["id; echo \"$HOME\""]);
        assert_eq!(
            spec.environment(),
            [("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())]
        );
        assert_eq!(spec.gpus(), 2);
        assert_eq!(spec.image_pull_policy, Some(ImagePullPolicy::Always));
        assert!(spec.run_as_user() && spec.prevent_privilege_escalation());
        assert!(spec.home_dir(true) && !spec.home_dir(false));
        let kept = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<TrainingSpec>(&kept).unwrap(), spec);
    }

    #[test]
    fn a_field_that_is_not_honoured_is_refused_by_name() {
        let refused = [
            (
                "spec.storage.hostPath",
                json!({"storage": {"hostPath": [{"path": "/"}]}}),
            ),
            (
                "spec.security.hostNetwork",
                json!({"security": {"hostNetwork": true}}),
            ),
            ("spec.security.runAsUid", json!({"security": {"runAsUid": 0}})),
            (
                "spec.security.uidGidSource",
                json!({"security": {"uidGidSource": "custom"}}),
            ),
            (
                "spec.security.capabilities",
                json!({"security": {"capabilities": ["SYS_ADMIN"]}}),
            ),
            (
                "spec.security.allowPrivilegeEscalation",
                json!({"security": {"allowPrivilegeEscalation": true}}),
            ),
            (
                "spec.security.runAsNonRoot",
                json!({"security": {"runAsNonRoot": false}}),
            ),
            (
                "spec.compute.gpuMemoryLimit",
                json!({"compute": {"gpuMemoryLimit": "1Gi"}}),
            ),
            (
                "spec.compute.cpuCoreLimit",
                json!({"compute": {"cpuCoreLimit": 0.0005}}),
            ),
            (
                "spec.compute.cpuMemoryRequest",
                json!({"compute": {"cpuMemoryRequest": "much"}}),
            ),
            (
                "spec.compute.cpuCoreRequest",
                json!({"compute": {"cpuCoreRequest": 0.501, "cpuCoreLimit": 0.5}}),
            ),
            (
                "spec.compute.cpuMemoryRequest",
                json!({"compute": {"cpuMemoryRequest": "1025Mi", "cpuMemoryLimit": "1Gi"}}),
            ),
            ("spec.ports", json!({"ports": [{"container": 80}]})),
            ("spec.completions", json!({"completions": 0})),
            ("spec.completions", json!({"completions": 101})),
            ("spec.parallelism", json!({"parallelism": 2})),
            ("spec.parallelism", json!({"parallelism": 4, "completions": 3})),
            ("spec.backoffLimit", json!({"backoffLimit": 101})),
            ("spec.backoffLimit", json!({"backoffLimit": -1})),
            (
                "spec.terminationGracePeriodSeconds",
                json!({"terminationGracePeriodSeconds": 3601}),
            ),
            ("spec.restartPolicy", json!({"restartPolicy": "OnFailure"})),
            ("spec.nodePools", json!({"nodePools": ["gpu"]})),
            (
                "spec.environmentVariables[0].secret",
                json!({"environmentVariables": [{"name": "A", "secret": {"name": "s"}}]}),
            ),
            ("spec.nonsense", json!({"nonsense": 1})),
            ("spec.command", json!({"command": "sh 'x"})),
            ("spec.imagePullPolicy", json!({"imagePullPolicy": "Sometimes"})),
            ("spec.image", json!({"image": "a b"})),
        ];
        for (field, mut extra) in refused {
            extra
                .as_object_mut()
                .unwrap()
                .entry("image")
                .or_insert(json!("x"));
            let error = parse(extra).unwrap_err();
            assert!(error.starts_with(&format!("`{field}`")), "{field}: {error}");
        }
    }

    #[test]
    fn how_often_it_is_tried_and_how_long_it_may_take_to_end_are_kept() {
        let asked = json!({"image": "x", "backoffLimit": 100, "completions": 100, "parallelism": 100, "terminationGracePeriodSeconds": 3600});
        let spec = parse(asked.clone()).unwrap().spec;
        assert_eq!(serde_json::to_value(&spec).unwrap(), asked);
        assert!(
            parse(
                json!({"image": "x", "parallelism": 1, "backoffLimit": 0, "terminationGracePeriodSeconds": 0})
            )
            .is_ok()
        );
        let said = parse(json!({"image": "x", "ports": [{"container": 80}]})).unwrap_err();
        assert!(said.contains("`reeve port-forward`"), "{said}");
    }

    #[test]
    fn processors_and_memory_are_kept_as_they_were_asked_for() {
        let compute = json!({"cpuCoreRequest": 0.5, "cpuCoreLimit": 2, "cpuMemoryRequest": "1Gi", "cpuMemoryLimit": "1024Mi"});
        let spec = parse(json!({"image": "x", "compute": compute})).unwrap().spec;
        assert_eq!(serde_json::to_value(&spec).unwrap()["compute"], compute);
        assert_eq!(
            serde_json::from_value::<TrainingSpec>(serde_json::to_value(&spec).unwrap()).unwrap(),
            spec
        );
    }

    #[test]
    fn everything_a_submission_holds_is_bounded_in_count_and_bytes() {
        let variables = |count: usize, length: usize| -> Value {
            let value = "v".repeat(length);
            (0..count)
                .map(|number| json!({"name": format!("V{number:04}"), "value": value}))
                .collect()
        };
        let with = |field: &str, value: Value| {
            let mut spec = json!({"image": "x"});
            spec[field] = value;
            parse(spec)
        };
        let env = "environmentVariables";
        assert!(with(env, variables(1024, 0)).is_ok());
        // 5 bytes of a name and 123 of a value, 1,024 times, are 128 KiB.
        assert!(with(env, variables(1024, 123)).is_ok());
        assert!(with("args", json!("a ".repeat(1024))).is_ok());
        for (field, value, limit) in [
            (env, variables(1025, 0), "1024 variables"),
            (env, variables(3900, 0), "1024 variables"),
            (env, variables(1024, 124), "131072"),
            (env, variables(1, 32 * 1024 + 1), "32768"),
            ("command", json!("a ".repeat(1025)), "1024 words"),
            ("args", json!("a ".repeat(16_384)), "1024 words"),
            ("args", json!("a".repeat(32 * 1024 + 1)), "32768 bytes"),
            ("image", json!("a".repeat(513)), "512 bytes"),
            ("labels", variables(65, 0), "at most 64"),
            ("annotations", variables(65, 0), "at most 64"),
            ("annotations", variables(64, 252), "16384 bytes"),
            ("tolerations", json!(vec![json!({"key": "a"}); 33]), "at most 32"),
            (
                "probes",
                json!({"readiness": {"handler": {"httpGet": {"port": 1, "path": format!("/{}", "a".repeat(1024))}}}}),
                "1024 bytes",
            ),
            (
                "workingDir",
                json!(format!("/{}", "a".repeat(4096))),
                "4096 bytes",
            ),
        ] {
            let error = with(field, value).unwrap_err();
            assert!(error.starts_with(&format!("`spec.{field}")), "{error}");
            assert!(error.contains(limit), "{field}: {error}");
        }
    }

    #[test]
    fn nulls_and_defaults_ask_for_nothing() {
        let spec = json!({
            "image": "x", "command": null, "storage": {"pvc": null}, "ports": [], "tty": false, "category": "Train",
            "security": {"uidGidSource": null, "hostIpc": false, "runAsUid": null}, "compute": null,
        });
        assert!(parse(spec).is_ok());
    }

    #[test]
    fn nobody_runs_as_root_and_everybody_may_say_so() {
        let asked = |value: Value| parse(json!({"image": "x", "security": {"runAsNonRoot": value}}));
        assert!(asked(json!(true)).is_ok() && asked(json!(null)).is_ok());
        assert_eq!(
            asked(json!(false)).unwrap_err(),
            "`spec.security.runAsNonRoot`: `false` cannot be asked for: no container runs as root; leave it out"
        );
        assert!(asked(json!("yes")).is_err());
    }

    #[test]
    fn values_of_the_environment_appear_in_no_error_and_no_print() {
        let error =
            parse(json!({"image": "x", "environmentVariables": [{"name": "A", "value": ["hunter2"]}]}))
                .unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let parsed =
            parse(json!({"image": "x", "environmentVariables": [{"name": "A", "value": "hunter2"}]}))
                .unwrap();
        assert!(!format!("{parsed:?}").contains("hunter2"));
    }
}
