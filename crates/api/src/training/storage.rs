//! What a training finds mounted, as it is submitted: of the reference's volumes, those of Secrets.

use reeve_types::{CredentialAssetName, FileMode, MountPath};
use schemars::JsonSchema;
use serde::Deserialize;

use super::spec::{SecretVolume, Storage};
use crate::body::InvalidBody;
use crate::body::fields::{OnlyFalse, Unsupported};
use crate::body::mounting::{default_mode, mount_path};

/// How many Secrets a training mounts at most: as many as the custom resource holds.
const MOST: usize = 64;

/// What a training finds mounted.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
pub(super) struct SubmittedStorage {
    /// Credentials as files, read-only, each by a secret asset that the caller may read; at most 64, and 16 KiB of all their paths together.
    /// No path may be another one's, or lie below it.
    #[serde(default)]
    #[schemars(length(max = 64))]
    secret_volume: Vec<SubmittedSecretVolume>,
    #[serde(default)]
    config_map_volume: Unsupported,
    #[serde(default)]
    data_volume: Unsupported,
    #[serde(default)]
    empty_dir_volume: Unsupported,
    #[serde(default)]
    git: Unsupported,
    #[serde(default)]
    host_path: Unsupported,
    #[serde(default)]
    nfs: Unsupported,
    #[serde(default)]
    pvc: Unsupported,
    #[serde(default)]
    s3: Unsupported,
}

impl SubmittedStorage {
    /// What of it is honoured; `None` when that is nothing.
    pub(super) fn honoured(self) -> Option<Storage> {
        let volumes = self.secret_volume.into_iter().map(|it| SecretVolume {
            secret: it.secret,
            mount_path: it.mount_path,
            default_mode: it.default_mode,
        });
        let secret_volume: Vec<_> = volumes.collect();
        (!secret_volume.is_empty()).then_some(Storage { secret_volume })
    }
}

/// A credential as files.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "fields that are not honoured refuse by being there")]
struct SubmittedSecretVolume {
    /// The name of the Secret in the project's namespace, which is the `secretName` of a secret asset: one that the caller may read, of the
    /// project, its department, its cluster or the account. Of several credentials of the name the one that the project gets is meant.
    secret: CredentialAssetName,
    /// Where the container finds its keys as files: a path from the root, at most 4,096 bytes, without `:` and `..`, and not in `/proc`,
    /// `/sys` or `/dev`. Absent: that of the secret asset, of which there has to be one alone.
    #[serde(default, deserialize_with = "mount_path")]
    #[schemars(length(min = 2, max = 4096), regex(pattern = "^/"))]
    mount_path: Option<MountPath>,
    /// The mode of these files, `0` and three octal digits. Absent: that of the secret asset, where there is one alone, or `0444`. Files that
    /// not everybody may read are given to the primary group of whom the training runs as, and readable for it.
    #[serde(default, deserialize_with = "default_mode")]
    #[schemars(regex(pattern = "^0[0-7]{3}$"))]
    default_mode: Option<FileMode>,
    #[serde(default)]
    exclude: OnlyFalse,
    #[serde(default)]
    name: Unsupported,
}

/// What each volume cannot tell alone: how many there are.
pub(super) fn check(volumes: &[SecretVolume]) -> Result<(), InvalidBody> {
    if volumes.len() > MOST {
        return Err(InvalidBody::too_many(
            "spec.storage.secretVolume",
            MOST,
            " Secrets",
            volumes.len(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::training::TrainingSpec;
    use crate::training::parsed_spec;

    fn parse(volumes: Value) -> Result<TrainingSpec, String> {
        parsed_spec(json!({"storage": {"secretVolume": volumes}}))
    }

    /// Planted faults: a set-uid bit as a mode; a count without a bound.
    #[test]
    fn a_secret_is_mounted_by_name_path_and_mode() {
        let spec = parse(json!([
            {"secret": "token", "mountPath": "/etc/keys", "defaultMode": "0440", "exclude": false, "name": null},
            {"secret": "other", "mountPath": "", "defaultMode": null},
        ]))
        .unwrap();
        let kept = serde_json::to_value(&spec).unwrap();
        assert_eq!(
            kept["storage"]["secretVolume"],
            json!([{"secret": "token", "mountPath": "/etc/keys", "defaultMode": "0440"}, {"secret": "other"}])
        );
        assert_eq!(serde_json::from_value::<TrainingSpec>(kept).unwrap(), spec);
        assert_eq!(parse(json!([])).unwrap().storage, None);
        for (volume, refused) in [
            (
                json!({"mountPath": "/a"}),
                "`spec.storage.secretVolume[0].secret` is missing",
            ),
            (
                json!({"secret": "Token"}),
                "`spec.storage.secretVolume[0].secret`: ",
            ),
            (
                json!({"secret": "a", "mountPath": "keys"}),
                "`spec.storage.secretVolume[0].mountPath`: a path from the root is needed",
            ),
            (
                json!({"secret": "a", "mountPath": "/a/../b"}),
                "`spec.storage.secretVolume[0].mountPath`: a path from the root is needed",
            ),
            (
                json!({"secret": "a", "defaultMode": "4755"}),
                "`spec.storage.secretVolume[0].defaultMode`: `0` and three octal digits are needed",
            ),
            (
                json!({"secret": "a", "name": "b"}),
                "`spec.storage.secretVolume[0].name` is not supported yet",
            ),
            (
                json!({"secret": "a", "exclude": true}),
                "`spec.storage.secretVolume[0].exclude` is not supported yet",
            ),
        ] {
            let said = parse(json!([volume])).unwrap_err();
            assert!(said.starts_with(refused), "{said}");
        }
        let many = |count: usize| vec![json!({"secret": "a"}); count];
        assert!(parse(json!(many(64))).is_ok());
        let said = parse(json!(many(65))).unwrap_err();
        assert!(
            said.starts_with("`spec.storage.secretVolume`: at most 64"),
            "{said}"
        );
    }
}
