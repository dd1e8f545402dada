//! Which Secrets a training mounts, and where.
//!
//! A Secret is mounted by a secret asset that the caller may read and that is for the project, of the very credential that the project's
//! namespace has under that name. So nobody learns of a credential by submitting, and none is mounted that nobody offered as a source of
//! data. Which credential that is goes to the cluster with the name: another one's Secret of the same name is not mounted there.

use reeve_api::training::{SecretVolume, TrainingSpec};
use reeve_authz::{Entity, Scope};
use reeve_link::WorkloadIdentity;
use reeve_store::{ProjectSecret, SecretAssetFilter, SecretAssetRow};
use reeve_types::{FileMode, MountPath, ProjectId, posix};

use super::refusal::{MountRefusal, TrainingRefusal};
use crate::app::App;
use crate::caller::Caller;
use crate::error::ApiError;

/// Folders that are the runtime's own.
const RUNTIMES: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Bytes of all paths together: 256 for each of 64 Secrets.
const MOST_OF_PATHS: usize = 16 * 1024;

/// What the cluster is to mount. What a volume leaves open is filled in from the secret asset, in `spec` too: that is what is shown.
///
/// # Errors
/// [`TrainingRefusal::Mount`]: there is no such secret asset, or nobody says where.
pub(super) async fn resolve(
    app: &App,
    caller: &Caller,
    project: ProjectId,
    spec: &mut TrainingSpec,
) -> Result<Vec<reeve_link::SecretVolume>, ApiError> {
    let volumes = spec.storage.iter_mut().flat_map(|it| &mut it.secret_volume);
    let mut resolved = Vec::new();
    for (at, volume) in volumes.enumerate() {
        let assets = assets(app, caller, project, volume).await?;
        let refused = |why| TrainingRefusal::Mount { at, why };
        let first = assets
            .first()
            .ok_or_else(|| refused(MountRefusal::NoAsset(project)))?;
        // Where there are several, none speaks for the others.
        let only = Some(first).filter(|_| assets.len() == 1);
        let path = volume.mount_path.clone().or_else(|| {
            let said = only?.spec.mount_path.as_deref()?;
            said.parse::<MountPath>().ok()
        });
        let path = path.ok_or_else(|| refused(MountRefusal::NoPath))?;
        let mode = volume.default_mode.or_else(|| {
            let said = only?.spec.default_mode.as_deref()?;
            said.parse::<FileMode>().ok()
        });
        let mode = mode.unwrap_or(FileMode::READABLE);
        volume.mount_path = Some(path.clone());
        volume.default_mode = Some(mode);
        resolved.push(reeve_link::SecretVolume {
            credential_id: first.spec.credential_id,
            secret: volume.secret.clone(),
            mount_path: path,
            default_mode: mode,
        });
    }
    Ok(resolved)
}

/// The secret assets by which the caller mounts it; those of one credential.
async fn assets(
    app: &App,
    caller: &Caller,
    project: ProjectId,
    volume: &SecretVolume,
) -> Result<Vec<SecretAssetRow>, ApiError> {
    let (visible, secret) = {
        let directory = app.directory();
        // Who may read none is told what is told where there is none.
        let Ok(visible) = directory.visible(caller, Entity::SecretVolumeAssets) else {
            return Ok(Vec::new());
        };
        let lies = directory.project(project);
        let secret = lies.zip(directory.cluster_of(Scope::Project(project)));
        let secret = secret.map(|(lies, cluster)| ProjectSecret {
            name: volume.secret.clone(),
            project,
            department: lies.department_id,
            cluster,
        });
        (visible, secret)
    };
    let filter = SecretAssetFilter {
        mounting: Some(secret.ok_or_else(|| ApiError::not_found("project", project))?),
        ..SecretAssetFilter::default()
    };
    Ok(app.store.secret_assets(&visible, &filter).await?)
}

/// Refuses paths at which a container could not be started, or would miss what else it was to find.
///
/// # Errors
/// [`TrainingRefusal::Mount`].
pub(super) fn check(
    volumes: &[reeve_link::SecretVolume],
    spec: &TrainingSpec,
    identity: Option<&WorkloadIdentity>,
    submitted_by: &str,
) -> Result<(), TrainingRefusal> {
    let who = identity.map_or(submitted_by, |identity| identity.email.as_str());
    let home = spec
        .home_dir(identity.is_some())
        .then(|| posix::home_directory(who));
    let files = (spec.passwd_entry == Some(true)).then_some(["/etc/passwd", "/etc/group"]);
    let mut kept: Vec<&str> = files.iter().flatten().copied().collect();
    kept.extend(home.as_deref());
    let mut bytes = 0_usize;
    for (at, volume) in volumes.iter().enumerate() {
        let path = &volume.mount_path;
        let refused = |why| Err(TrainingRefusal::Mount { at, why });
        bytes = bytes.saturating_add(path.as_str().len());
        if bytes > MOST_OF_PATHS {
            return refused(MountRefusal::TooLong(MOST_OF_PATHS));
        }
        if RUNTIMES.iter().any(|folder| path.is_within(folder)) {
            return refused(MountRefusal::Runtimes);
        }
        if let Some(hidden) = kept.iter().find(|kept| path.covers(kept)) {
            return refused(MountRefusal::Hides((*hidden).to_owned()));
        }
        let overlaps = |other: &&reeve_link::SecretVolume| {
            let other = other.mount_path.as_str();
            path.covers(other) || path.is_within(other)
        };
        if volumes.iter().take(at).any(|other| overlaps(&other)) {
            return refused(MountRefusal::Overlaps);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(spec: serde_json::Value, paths: &[&str]) -> Result<(), String> {
        let mut all = json!({"image": "i", "createHomeDir": true});
        all.as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        let spec = serde_json::from_value(all).unwrap();
        let volume = |path: &&str| {
            let volume = json!({"credentialId": "00000000-0000-4000-8000-000000000000", "secret": "s", "mountPath": path,
                "defaultMode": "0444"});
            serde_json::from_value(volume).unwrap()
        };
        let volumes: Vec<reeve_link::SecretVolume> = paths.iter().map(volume).collect();
        check(&volumes, &spec, None, "ci").map_err(|refused| refused.to_string())
    }

    /// Planted fault: a bound of what is submitted alone, past which the paths of assets come.
    #[test]
    fn all_paths_together_have_a_bound() {
        let path = |number: usize, length: usize| format!("/{number:02}/{}", "p".repeat(length - 4));
        let mut paths: Vec<String> = (0..64).map(|number| path(number, 256)).collect();
        let all = |paths: &[String]| {
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            checked(json!({}), &paths)
        };
        assert_eq!(all(&paths), Ok(()));
        paths[63].push('p');
        let said = all(&paths).unwrap_err();
        assert!(
            said.starts_with("`spec.storage.secretVolume[63].mountPath`: ") && said.contains("16384 bytes"),
            "{said}"
        );
    }

    /// Planted faults: a Secret over the home or over `/etc` with the names in it; one in another one, where the runtime can make no
    /// folder; one over what the runtime needs.
    #[test]
    fn a_secret_lies_beside_everything_else() {
        let plain = json!({});
        let named = json!({"passwdEntry": true});
        for (spec, paths) in [
            (
                &plain,
                vec!["/etc/keys", "/home/ci/.keys", "/home/other", "/etc/key"],
            ),
            (&plain, vec!["/etc", "/system", "/devices"]),
            (&named, vec!["/etc/keys", "/etc/passwd.d"]),
            (&json!({"createHomeDir": false}), vec!["/home"]),
        ] {
            assert_eq!(checked(spec.clone(), &paths), Ok(()), "{paths:?}");
        }
        for (spec, paths, at, said) in [
            (&plain, vec!["/home"], 0, "`/home/ci`"),
            (&plain, vec!["/a", "/home/ci/"], 1, "`/home/ci`"),
            (&named, vec!["/etc"], 0, "`/etc/passwd`"),
            (&named, vec!["/etc/group"], 0, "`/etc/group`"),
            (&plain, vec!["/proc/keys"], 0, "runtime"),
            (&plain, vec!["/sys"], 0, "runtime"),
            (&plain, vec!["/dev/shm"], 0, "runtime"),
            (&plain, vec!["/a", "/b", "/a//"], 2, "another Secret"),
            (&plain, vec!["/a/b", "/a"], 1, "another Secret"),
            (&plain, vec!["/a", "/a/b"], 1, "another Secret"),
        ] {
            let refused = checked(spec.clone(), &paths).unwrap_err();
            let place = format!("`spec.storage.secretVolume[{at}].mountPath`: ");
            assert!(refused.starts_with(&place) && refused.contains(said), "{refused}");
        }
    }
}
