//! What the workload's container finds mounted: a home, shared memory, `/etc/passwd` and `/etc/group`, Secrets.

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, SecretVolumeSource, Volume, VolumeMount};
use reeve_crds::desired::{SecretVolume, Workload};

use crate::{home_directory, passwd};

const HOME: &str = "user-data";
/// Named as in the reference (cluster-and-cli 7.5).
const SHARED_MEMORY: &str = "dshm";

/// The pod's volumes.
pub(crate) fn volumes(workload: &Workload) -> Vec<Volume> {
    let mut all = Vec::new();
    if workload.create_home_dir {
        all.push(empty(HOME, None));
    }
    if workload.large_shm {
        all.push(empty(SHARED_MEMORY, Some("Memory")));
    }
    if passwd::is_wanted(workload) {
        all.push(empty(passwd::VOLUME, None));
    }
    for (number, secret) in workload.secret_volumes.iter().enumerate() {
        all.push(of_secret(&secret_name(number), secret));
    }
    all
}

/// Where the workload's container finds them.
pub(crate) fn mounts(workload: &Workload) -> Vec<VolumeMount> {
    let mut all = Vec::new();
    if workload.create_home_dir {
        all.push(mount(HOME, &home_directory(workload)));
    }
    if workload.large_shm {
        all.push(mount(SHARED_MEMORY, "/dev/shm"));
    }
    if passwd::is_wanted(workload) {
        for file in ["passwd", "group"] {
            all.push(VolumeMount {
                sub_path: Some(file.to_owned()),
                read_only: Some(true),
                ..mount(passwd::VOLUME, &format!("/etc/{file}"))
            });
        }
    }
    for (number, secret) in workload.secret_volumes.iter().enumerate() {
        all.push(VolumeMount {
            read_only: Some(true),
            ..mount(&secret_name(number), secret.mount_path.as_str())
        });
    }
    all
}

/// What its volume is called in the pod: a Secret's own name may be as long as a volume's, and may be mounted twice.
fn secret_name(number: usize) -> String {
    format!("secret-{number}")
}

/// A pod waits for a Secret that is not there: it never runs without it.
fn of_secret(name: &str, secret: &SecretVolume) -> Volume {
    Volume {
        name: name.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.secret.to_string()),
            default_mode: Some(i32::from(secret.default_mode.number())),
            optional: Some(false),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}

fn mount(volume: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}

fn empty(name: &str, medium: Option<&str>) -> Volume {
    Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource {
            medium: medium.map(str::to_owned),
            ..EmptyDirVolumeSource::default()
        }),
        ..Volume::default()
    }
}
