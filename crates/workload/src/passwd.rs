//! The person in `/etc/passwd` and `/etc/group`.
//!
//! `id`, `whoami`, `getpass.getuser()`, `ssh` and `torch` ask the C library who a uid is, and that reads these files of the
//! image. Nobody outside knows what an image has there, and a file laid over them would take its own accounts away. So an
//! init container of the **same image**, as the same person, copies both files into an `emptyDir`, with the person in them,
//! and the workload's container gets the copies mounted read-only.
//!
//! **Limits.** The image needs `/bin/sh`; one without (distroless, `scratch`) fails at the init container, which is why it
//! is done only when asked for. Programs that do not ask the C library (an LDAP client, `nscd`) learn nothing.

use k8s_openapi::api::core::v1::{Container, VolumeMount};
use reeve_crds::ReeveConfigSpec;
use reeve_crds::desired::{Workload, WorkloadIdentity};

use crate::{home_directory, literal, own_container, security, user_name};

pub(crate) const VOLUME: &str = "reeve-names";
/// The init container's name: the first that is not the workload's own, since names in a pod differ.
const NAMES: [&str; 2] = ["reeve-names", "reeve-names-init"];
const FOLDER: &str = "/reeve-names";

/// Nothing but a shell is needed, not even `cat`. The person stands first in `passwd`, so that her uid has her name and
/// her home whatever the image calls it; groups stand last, so that the image's names for them stay.
const SCRIPT: &str = r#"set -eu
umask 022
copy() { if [ -r "$1" ]; then while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done < "$1"; fi; }
shell=/bin/sh
if [ -x /bin/bash ]; then shell=/bin/bash; fi
{ printf '%s\n' "$2:$shell"; copy /etc/passwd; } > "$1/passwd"
folder=$1
shift 2
{ copy /etc/group; for line do printf '%s\n' "$line"; done; } > "$folder/group"
"#;

/// Whether a container of this name, which is not the workload's own, is the one that makes the copies.
pub fn is_names_container(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Whether the copies are made.
pub(crate) fn is_wanted(workload: &Workload) -> bool {
    workload.passwd_entry && workload.identity.is_some()
}

/// The container that makes the copies; `None` when nobody asked.
pub(crate) fn init_container(workload: &Workload, settings: &ReeveConfigSpec) -> Option<Container> {
    let identity = workload.identity.as_ref().filter(|_| is_wanted(workload))?;
    let own = own_container(&workload.name);
    let name = NAMES.into_iter().find(|name| *name != own)?;
    let mut words = vec![
        "/bin/sh".to_owned(),
        "-c".to_owned(),
        SCRIPT.to_owned(),
        name.to_owned(),
        FOLDER.to_owned(),
        passwd_line(workload, identity),
    ];
    words.extend(group_lines(workload, identity));
    Some(Container {
        name: name.to_owned(),
        image: Some(workload.image.clone()),
        image_pull_policy: workload.image_pull_policy.map(|policy| policy.to_string()),
        command: Some(words.iter().map(|word| literal(word).into_owned()).collect()),
        working_dir: Some("/".to_owned()),
        security_context: Some(security::container(workload, settings)),
        volume_mounts: Some(vec![VolumeMount {
            name: VOLUME.to_owned(),
            mount_path: FOLDER.to_owned(),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    })
}

/// Her line but for the shell, which the image decides.
fn passwd_line(workload: &Workload, identity: &WorkloadIdentity) -> String {
    let (uid, gid) = (identity.posix.uid().number(), identity.posix.gid().number());
    let name = user_name(workload);
    // An email has neither colons nor line ends: its type checks that.
    format!(
        "{name}:x:{uid}:{gid}:{}:{}",
        identity.email.as_str(),
        home(workload)
    )
}

/// Her home: what `HOME` says, when a line can hold it.
fn home(workload: &Workload) -> String {
    let own = workload.environment.iter().rfind(|(name, _)| name == "HOME");
    match own {
        Some((_, path)) if path.starts_with('/') && !path.contains(|c: char| c == ':' || c.is_control()) => {
            path.clone()
        }
        _ if workload.create_home_dir => home_directory(workload),
        _ => "/".to_owned(),
    }
}

/// A name for each of her groups: her own for the first, as Linux does; of the others only the numbers are known.
fn group_lines(workload: &Workload, identity: &WorkloadIdentity) -> Vec<String> {
    let own = format!("{}:x:{}:", user_name(workload), identity.posix.gid().number());
    let others = identity.posix.supplementary_groups().iter();
    std::iter::once(own)
        .chain(others.map(|gid| format!("g{0}:x:{0}:", gid.number())))
        .collect()
}
