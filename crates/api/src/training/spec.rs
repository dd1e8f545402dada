//! What a training is to run: the part of `TrainingSpecSpec` that this version honours.

use std::fmt;

use reeve_types::{
    CpuCores, CredentialAssetName, FileMode, ImagePullPolicy, MemoryAmount, MountPath, NodeTypeName,
    Toleration,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metadata::{Annotation, Label};
use super::probes::Probes;

/// What a training is to run. Serializes as the `spec` of answers, and as the text a store keeps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainingSpec {
    /// The image reference.
    pub image: String,
    /// When the node gets the image; absent means as Kubernetes has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_pull_policy: Option<ImagePullPolicy>,
    /// Replaces the image's entry point; one line, split as a shell would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The arguments; one line, split as a shell would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<String>,
    /// Environment variables, in order, each name once; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_variables: Option<Vec<EnvironmentVariable>>,
    /// What it needs of the node; absent for nothing in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// Whether Kubernetes expands `$(NAME)` and halves `$$` in words and values; absent means that they arrive as they were
    /// typed.
    /// Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand_variables: Option<bool>,
    /// Whether the user stands in `/etc/passwd` and `/etc/group`, beside the image's own entries. Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwd_entry: Option<bool>,
    /// Whether its standard input stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<bool>,
    /// Whether it has a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<bool>,
    /// Where it starts: a path from the root; absent means: where the image says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// A writable home; absent means: when it runs as its submitter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_home_dir: Option<bool>,
    /// As whom it runs, and with which rights; absent means as the cluster decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Security>,
    /// What it finds mounted; absent when that is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// How many pods may fail until the training has; absent means 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_limit: Option<u32>,
    /// How many pods have to end well; absent means one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completions: Option<u32>,
    /// How many of these pods run at once; absent means one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// Seconds that a pod has from the signal to end until it is killed; absent means 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<u32>,
    /// When its container is ready; absent means while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Probes>,
    /// Labels of its Job and pods; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// Annotations of its pods; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Vec<Annotation>>,
    /// The type of the nodes that it runs on; absent means every one of the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_type: Option<NodeTypeName>,
    /// Taints of nodes that it is put up with; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<Vec<Toleration>>,
}

/// What a training finds mounted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Storage {
    /// Credentials as files, read-only.
    pub secret_volume: Vec<SecretVolume>,
}

/// A credential as files, read-only, by a secret asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretVolume {
    /// The name of the Secret in the project's namespace: the `secretName` of a secret asset.
    pub secret: CredentialAssetName,
    /// Where the container finds its keys as files. Answers have it always: a submission that did not say it has that of the secret asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount_path: Option<MountPath>,
    /// The mode of these files. Answers have it always: a submission that did not say it has that of the secret asset, or `0444`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<FileMode>,
}

/// An environment variable with its value. Prints without it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVariable {
    /// The variable's name.
    pub name: String,
    /// The variable's value, as it was typed.
    pub value: String,
}

impl fmt::Debug for EnvironmentVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// What a training needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Compute {
    /// How many whole GPUs; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_devices_request: Option<u32>,
    /// Whether memory at `/dev/shm` is as large as the container's, without the runtime's 64 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_shm_request: Option<bool>,
    /// How many processor cores it may use at most; absent means as the namespace has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_core_limit: Option<CpuCores>,
    /// How many processor cores the node has to have free for it; absent means as the namespace has it, or the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_core_request: Option<CpuCores>,
    /// How much memory it may use at most; absent means as the namespace has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_memory_limit: Option<MemoryAmount>,
    /// How much memory the node has to have free for it; absent means as the namespace has it, or the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_memory_request: Option<MemoryAmount>,
}

/// As whom a training runs, and with which rights.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Security {
    /// Where uid, gid and groups come from; absent means as the cluster decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid_gid_source: Option<UidGidSource>,
    /// `false` forbids to gain privileges. It cannot be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_privilege_escalation: Option<bool>,
}

/// Where uid, gid and groups come from. `custom` is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum UidGidSource {
    /// From the image.
    FromTheImage,
    /// From the submitter's verified POSIX identity.
    FromIdpToken,
}

impl TrainingSpec {
    /// Whether the submitter's verified identity was asked for (`--run-as-user`).
    pub fn run_as_user(&self) -> bool {
        self.security
            .as_ref()
            .and_then(|security| security.uid_gid_source)
            == Some(UidGidSource::FromIdpToken)
    }

    /// Whether gaining privileges was forbidden (`--prevent-privilege-escalation`).
    pub fn prevent_privilege_escalation(&self) -> bool {
        self.security
            .as_ref()
            .and_then(|security| security.allow_privilege_escalation)
            == Some(false)
    }

    /// Whether a writable home is made, for a workload that runs as a person or not. An explicit wish wins
    /// (cluster-and-cli 5.5).
    pub fn home_dir(&self, runs_as_person: bool) -> bool {
        self.create_home_dir.unwrap_or(runs_as_person)
    }

    /// How many whole GPUs.
    pub fn gpus(&self) -> u32 {
        self.compute
            .as_ref()
            .and_then(|compute| compute.gpu_devices_request)
            .unwrap_or(0)
    }

    /// Whether `/dev/shm` is to be large.
    pub fn large_shm(&self) -> bool {
        self.compute
            .as_ref()
            .and_then(|compute| compute.large_shm_request)
            == Some(true)
    }

    /// The words of `command`. Parsing a request has made sure that there are some when the field is there.
    pub fn command_words(&self) -> Vec<String> {
        words(self.command.as_deref())
    }

    /// The words of `args`.
    pub fn args_words(&self) -> Vec<String> {
        words(self.args.as_deref())
    }

    /// The credentials that it finds as files.
    pub fn secret_volumes(&self) -> &[SecretVolume] {
        self.storage
            .as_ref()
            .map_or(&[], |storage| storage.secret_volume.as_slice())
    }

    /// Names and values of the environment, in order.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment_variables
            .iter()
            .flatten()
            .map(|v| (v.name.clone(), v.value.clone()))
            .collect()
    }
}

fn words(line: Option<&str>) -> Vec<String> {
    line.and_then(shlex::split).unwrap_or_default()
}
