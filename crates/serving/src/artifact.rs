//! What an artifact has: a claim, and Jobs that find out its size and download it.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Container, EmptyDirVolumeSource, EnvVar, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Volume, VolumeMount,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use reeve_serving_crds::{AimArtifactSpec, AimRuntimeConfigSpec, CacheMode, ModelSource};
use serde::Deserialize;

use crate::env;
use crate::hash::Hash;
use crate::labels::{self, Labels};
use crate::names::{self, ArtifactPart};
use crate::owner::Parent;
use crate::security;

/// The image of the reference that downloads. The schema's default, and so no choice of anybody's: whoever runs the operator may
/// have another one in its place.
pub const DOWNLOAD_IMAGE: &str = "ghcr.io/silogen/aim-artifact-downloader:0.2.0";
/// How much larger than its files a claim is, in percent, where nothing else is said.
pub const HEADROOM: i32 = 10;
/// The container that finds out the size.
pub const CHECK_SIZE_CONTAINER: &str = "check-size";
/// The container that downloads.
pub const DOWNLOAD_CONTAINER: &str = "model-download";
const BACKOFF_LIMIT: i32 = 2;
const CHECK_SIZE_TTL: i32 = 300;
const DOWNLOAD_TTL: i32 = 600;
const LARGEST: i64 = 1 << 50;
const GIB: i128 = 1 << 30;

/// An artifact with what its parts are made of.
#[derive(Debug, Clone, Copy)]
pub struct Artifact<'a> {
    /// The artifact, as the owner of its parts.
    pub parent: &'a Parent,
    /// Its namespace.
    pub namespace: &'a str,
    /// What is stored.
    pub spec: &'a AimArtifactSpec,
    /// The runtime configuration in force.
    pub config: &'a AimRuntimeConfigSpec,
    /// The account of its downloads. Size checks have none: they say what they found in their log.
    pub service_account: Option<&'a str>,
    /// The image that downloads, where the artifact names none or the reference's; `None`: the reference's.
    pub download_image: Option<&'a str>,
}

impl Artifact<'_> {
    fn name_of(&self, what: ArtifactPart) -> String {
        names::artifact_part(&self.parent.name, &self.parent.uid, what)
    }

    /// The name of its claim.
    pub fn claim_name(&self) -> String {
        self.name_of(ArtifactPart::Cache)
    }

    /// How much larger than the files its claim is, in percent.
    pub fn headroom(&self) -> i32 {
        self.config
            .storage
            .as_ref()
            .and_then(|storage| storage.pvc_headroom_percent)
            .unwrap_or(HEADROOM)
    }

    /// The claim for files of so many bytes. It is made once and never changed.
    pub fn claim(&self, bytes: i64) -> PersistentVolumeClaim {
        let of_config = || {
            self.config
                .storage
                .as_ref()
                .and_then(|s| s.default_storage_class_name.clone())
        };
        let filled = |name: &String| !name.is_empty();
        let class = self
            .spec
            .storage_class_name
            .clone()
            .filter(filled)
            .or_else(|| of_config().filter(filled));
        let request = claim_size(bytes, self.headroom());
        PersistentVolumeClaim {
            metadata: self.parent.child(
                self.claim_name(),
                Some(self.namespace),
                &self.claim_labels(),
                // In a project a claim with an owner could be taken for one of a pod or a StatefulSet (R21).
                self.parent.stamp.is_none(),
            ),
            spec: Some(PersistentVolumeClaimSpec {
                access_modes: Some(vec!["ReadWriteMany".to_owned()]),
                storage_class_name: class,
                resources: Some(VolumeResourceRequirements {
                    requests: Some(BTreeMap::from([("storage".to_owned(), request)])),
                    limits: None,
                }),
                ..PersistentVolumeClaimSpec::default()
            }),
            status: None,
        }
    }

    fn claim_labels(&self) -> Labels {
        let from_template = self
            .parent
            .labels
            .get("template-created")
            .is_some_and(|v| v == "true");
        let kind = if from_template {
            "template-cache"
        } else {
            "artifact"
        };
        let remainder = self
            .spec
            .source_uri
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        labels::labels([
            ("cache.type", kind),
            ("cache.name", &names::name_label(&self.parent.name)),
            ("source-model", &names::label_value(remainder)),
        ])
    }

    /// The Job that finds out the size. Its last line is [`size_of_log`]'s.
    pub fn check_size_job(&self) -> Job {
        let container = Container {
            command: Some(vec!["/check-size.sh".to_owned()]),
            env: Some(env::merge(&self.config.env, &self.spec.env)),
            ..self.container(CHECK_SIZE_CONTAINER)
        };
        self.job(ArtifactPart::CheckSize, CHECK_SIZE_TTL, container, Vec::new())
    }

    /// The Job that downloads files of so many bytes into the claim.
    pub fn download_job(&self, bytes: i64) -> Job {
        let mut container = Container {
            image_pull_policy: Some("IfNotPresent".to_owned()),
            env: Some(self.download_env(bytes)),
            ..self.container(DOWNLOAD_CONTAINER)
        };
        container
            .volume_mounts
            .get_or_insert_default()
            .insert(0, mount("cache", "/cache"));
        let claim = Volume {
            name: "cache".to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: self.claim_name(),
                read_only: None,
            }),
            ..Volume::default()
        };
        self.job(ArtifactPart::Download, DOWNLOAD_TTL, container, vec![claim])
    }

    fn download_env(&self, bytes: i64) -> Vec<EnvVar> {
        let built_in = [
            ("AIM_DOWNLOADER_PROTOCOL", "XET,HF_TRANSFER".to_owned()),
            ("TMPDIR", "/tmp/".to_owned()),
            ("HF_HOME", "/tmp/.hf".to_owned()),
            ("EXPECTED_SIZE_BYTES", bytes.to_string()),
            ("MOUNT_PATH", "/cache".to_owned()),
            ("ARTIFACT_NAME", self.parent.name.clone()),
            ("ARTIFACT_NAMESPACE", self.namespace.to_owned()),
            ("STALL_TIMEOUT", "120".to_owned()),
            ("TARGET_DIR", "/cache".to_owned()),
        ];
        let built_in = built_in.map(|(name, value)| env::plain(name, value));
        env::merge(&env::merge(&built_in, &self.config.env), &self.spec.env)
    }

    fn container(&self, name: &str) -> Container {
        let image = self
            .spec
            .model_download_image
            .clone()
            .filter(|image| !image.is_empty() && image != DOWNLOAD_IMAGE)
            .or_else(|| self.download_image.map(str::to_owned));
        Container {
            name: name.to_owned(),
            image: Some(image.unwrap_or_else(|| DOWNLOAD_IMAGE.to_owned())),
            args: Some(vec![self.spec.source_uri.clone()]),
            security_context: Some(security::container()),
            volume_mounts: Some(vec![mount("tmp", "/tmp")]),
            ..Container::default()
        }
    }

    fn job(&self, what: ArtifactPart, ttl: i32, container: Container, mut volumes: Vec<Volume>) -> Job {
        let component = if what == ArtifactPart::Download {
            "download"
        } else {
            "check-size"
        };
        let own = labels::labels([
            ("cache.type", "artifact"),
            ("cache.name", &names::name_label(&self.parent.name)),
            ("component", component),
        ]);
        volumes.push(Volume {
            name: "tmp".to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        });
        let user = security::DOWNLOAD_USER;
        let secrets = &self.spec.image_pull_secrets;
        // In a project nobody but the operator says how an artifact stands: a download tells its progress in its log.
        let stamp = self.parent.stamp.as_ref();
        let downloads = what == ArtifactPart::Download && stamp.is_none();
        let account = self.service_account.filter(|_| downloads);
        let pod = PodSpec {
            automount_service_account_token: account.is_none().then_some(false),
            containers: vec![container],
            image_pull_secrets: (!secrets.is_empty()).then(|| secrets.clone()),
            restart_policy: Some("Never".to_owned()),
            security_context: Some(security::pod_of(stamp, user, Some(user))),
            service_account_name: account.map(str::to_owned),
            volumes: Some(volumes),
            ..PodSpec::default()
        };
        Job {
            metadata: self
                .parent
                .child(self.name_of(what), Some(self.namespace), &own, true),
            spec: Some(JobSpec {
                backoff_limit: Some(BACKOFF_LIMIT),
                ttl_seconds_after_finished: Some(ttl),
                template: PodTemplateSpec {
                    metadata: Some(self.parent.of_pods(&own)),
                    spec: Some(pod),
                },
                ..JobSpec::default()
            }),
            status: None,
        }
    }
}

fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}

/// What a claim for files of so many bytes asks for: whole GiB, with the headroom.
pub fn claim_size(bytes: i64, headroom: i32) -> Quantity {
    let percent = i128::from(headroom.max(0)) + 100;
    let wanted = i128::from(bytes.max(0)) * percent / 100;
    let gib = (wanted + GIB - 1) / GIB;
    Quantity(format!("{}Gi", gib.max(1)))
}

/// The check of the size answered something else than a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the check of the size answered no size: its last line is to be {{\"url\":…,\"sizeBytes\":n}} with n from 1 to 2^50"
)]
pub struct InvalidSizeOutput;

/// The size that the last line of the check's log says.
///
/// # Errors
/// When it says none.
pub fn size_of_log(log: &str) -> Result<i64, InvalidSizeOutput> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Line {
        size_bytes: i64,
    }
    let last = log
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .ok_or(InvalidSizeOutput)?;
    let line: Line = serde_json::from_str(last.trim()).map_err(|_| InvalidSizeOutput)?;
    if (1..=LARGEST).contains(&line.size_bytes) {
        Ok(line.size_bytes)
    } else {
        Err(InvalidSizeOutput)
    }
}

/// The name of the artifact that a cache makes for a source. `env` are the cache's variables with the source's over them.
pub fn name(
    source: &ModelSource,
    env: &[EnvVar],
    storage_class: &str,
    mode: CacheMode,
    cache: &str,
) -> String {
    let mut hash = Hash::default()
        .text(&source.source_uri)
        .env(env)
        .text(storage_class);
    if mode == CacheMode::Dedicated {
        hash = hash.text("dedicated").text(cache);
    }
    names::derived(&[&source.source_uri.replace('.', "-")], Some(&hash.hex(10)))
}
