//! The person in `/etc/passwd` and `/etc/group` of one container, on request ([`names::PASSWD_ENTRY`], R23).
//!
//! No policy can read an image or write a file. So an init container of the container's own image, running as the same
//! person, copies both files into an `emptyDir`, with the person in them, and the container gets the copies mounted read-only
//! over the image's; `USER` and `LOGNAME` as well, unless it has its own. The numbers come from the pod's stamp when it
//! starts, by the downward API, so that they are those that it runs as. The image needs `/bin/sh`.
//!
//! It is written once, where a person writes the pod or template; controllers copy it. A changed image is followed.

use reeve_types::posix::user_name;
use serde_json::{Value, json};

use super::json::{list_at, object_at, put};
use crate::names;
use crate::request::{list, map, text};
use crate::view::View;

/// Init container and volume.
pub(crate) const NAME: &str = "reeve-names";
const FOLDER: &str = "/reeve-names";
const FILES: [&str; 2] = ["passwd", "group"];
const STAMP_VARIABLE: &str = "REEVE_RUNS_AS";

/// Nothing but a shell is needed, not even `cat`. Its words: folder, name, text about the person, home.
const SCRIPT: &str = r#"set -eu
umask 022
copy() { if [ -r "$1" ]; then while IFS= read -r line || [ -n "$line" ]; do printf "%s\n" "$line"; done < "$1"; fi; }
shell=/bin/sh
if [ -x /bin/bash ]; then shell=/bin/bash; fi
folder=$1 name=$2 about=$3 home=$4
IFS=/
set -- $REEVE_RUNS_AS
uid=$2 gid=$3 groups=${4-}
IFS=.
{ printf "%s\n" "$name:x:$uid:$gid:$about:$home:$shell"; copy /etc/passwd; } > "$folder/passwd"
{ copy /etc/group; printf "%s\n" "$name:x:$gid:"; for group in $groups; do printf "%s\n" "g$group:x:$group:"; done; } > "$folder/group"
"#;

/// The variables of the mutating policy that [`expression`] needs.
pub(crate) fn variables() -> Vec<crate::view::Variable> {
    vec![
        // The container that is to have it.
        (
            "named",
            format!(
                "variables.person && variables.enforced && !variables.ephemeral ? \
                 variables.template.?metadata.?annotations[?'{}'].orValue('') : ''",
                names::PASSWD_ENTRY
            ),
        ),
        // What people may be called in a file of accounts: as a submission's person is.
        (
            "localName",
            "[variables.username.split('@')[0].lowerAscii().split('').map(c, c.matches('[a-z0-9._-]') ? c : '-').join('')\
             .find('[a-z0-9][a-z0-9._-]{0,31}')].map(n, n in ['', 'root'] ? 'user' : n)[0]"
                .to_owned(),
        ),
        (
            "namesContainer",
            format!("variables.pod.?initContainers.orValue(dyn([])).exists(c, c.name == '{NAME}')"),
        ),
    ]
}

/// The patches, nothing where nobody asked or it cannot be done.
pub(crate) fn expression() -> String {
    let target = format!(
        "c.name == variables.named && !c.?volumeMounts.orValue([]).exists(m, m.name != '{NAME}' && m.mountPath in ['/etc/{}', \
         '/etc/{}'])",
        FILES[0], FILES[1]
    );
    let each = |when: &str, patch: &str| {
        format!("variables.pod.containers.transformList(i, c, {target} && {when}, {patch})")
    };
    let add = |path: &str, value: &str| format!("JSONPatch{{op: 'add', path: {path}, value: {value}}}");
    // To a list, or as one of one.
    let append = |has: &str, path: &str, value: &str| {
        format!(
            "JSONPatch{{op: 'add', path: {path} + ({has} ? '/-' : ''), value: {has} ? dyn({value}) : dyn([{value}])}}"
        )
    };
    let at = "variables.at + '/spec/containers/' + string(i)";
    let container = append(
        "has(variables.pod.initContainers)",
        "variables.at + '/spec/initContainers'",
        &init_container_cel(),
    );
    let volume = append(
        "has(variables.pod.volumes)",
        "variables.at + '/spec/volumes'",
        &format!("dyn({{'name': dyn('{NAME}'), 'emptyDir': dyn({{}})}})"),
    );
    let mounts = FILES.map(|file| {
        format!(
            "dyn({{'name': dyn('{NAME}'), 'mountPath': dyn('/etc/{file}'), 'subPath': dyn('{file}'), 'readOnly': dyn(true)}})"
        )
    });
    let unmounted = format!("!c.?volumeMounts.orValue([]).exists(m, m.name == '{NAME}')");
    let no_volume = format!("!variables.pod.?volumes.orValue(dyn([])).exists(v, v.name == '{NAME}')");
    let missing = |name: &str| format!("!c.?env.orValue([]).exists(e, e.name == '{name}')");
    let variable = |name: &str| format!("dyn({{'name': '{name}', 'value': variables.localName}})");
    let image = format!(
        "variables.pod.?initContainers.orValue(dyn([])).transformList(i, n, n.name == '{NAME}' && \
         variables.pod.containers.exists(c, {target} && c.image != n.image), JSONPatch{{op: 'replace', path: variables.at + \
         '/spec/initContainers/' + string(i) + '/image', value: variables.pod.containers.filter(c, c.name == \
         variables.named)[0].image}})"
    );
    let parts = [
        each("!variables.namesContainer", &container),
        each(&no_volume, &volume),
        each(
            &format!("{unmounted} && !has(c.volumeMounts)"),
            &add(
                &format!("{at} + '/volumeMounts'"),
                &format!("dyn([{}, {}])", mounts[0], mounts[1]),
            ),
        ),
        each(
            &format!("{unmounted} && has(c.volumeMounts)"),
            &add(&format!("{at} + '/volumeMounts/-'"), &mounts[0]),
        ),
        each(
            &format!("{unmounted} && has(c.volumeMounts)"),
            &add(&format!("{at} + '/volumeMounts/-'"), &mounts[1]),
        ),
        each(
            "!has(c.env)",
            &add(
                &format!("{at} + '/env'"),
                &format!("dyn([{}, {}])", variable("USER"), variable("LOGNAME")),
            ),
        ),
        each(
            &format!("has(c.env) && {}", missing("USER")),
            &add(&format!("{at} + '/env/-'"), &variable("USER")),
        ),
        each(
            &format!("has(c.env) && {}", missing("LOGNAME")),
            &add(&format!("{at} + '/env/-'"), &variable("LOGNAME")),
        ),
        image,
    ];
    format!("(variables.named == '' ? [] : {})", parts.join(" + "))
}

/// The init container, of the container `c`.
fn init_container_cel() -> String {
    let script = SCRIPT
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\'', "\\'");
    let home = "string((c.?env.orValue([]).filter(e, e.name == 'HOME' && \
                e.?value.orValue('').matches('^/[^:$[:cntrl:]]*$')).map(e, dyn(e.value)) + [dyn('/')])[0])";
    format!(
        "dyn({{'name': dyn('{NAME}'), 'image': dyn(c.image), 'imagePullPolicy': \
         dyn(c.?imagePullPolicy.orValue('IfNotPresent')), 'workingDir': dyn('/'), 'command': dyn(['/bin/sh', '-c', \
         '{script}', '{NAME}', '{FOLDER}', variables.localName, variables.username.contains(':') ? '' : \
         variables.username.replace('$', '$$'), {home}]), 'env': dyn([dyn({{'name': dyn('{STAMP_VARIABLE}'), 'valueFrom': \
         dyn({{'fieldRef': {{'fieldPath': 'metadata.annotations[\\'{stamp}\\']'}}}})}})]), 'securityContext': \
         variables.containerDefaults, 'volumeMounts': dyn([{{'name': '{NAME}', 'mountPath': '{FOLDER}'}}])}})",
        stamp = names::RUNS_AS,
    )
}

/// The same, in Rust.
pub(super) fn fill(template: &mut Value, view: &View<'_>) {
    let named = annotation(template);
    if named.is_empty() || !view.person || !view.enforced {
        return;
    }
    let at = list(template, "/spec/containers")
        .iter()
        .position(|c| text(c, "/name") == named && !mounts_itself(c));
    let spec = object_at(template, "spec");
    if let Some(at) = at {
        let _ = enter(spec, at, &view.request.user.username);
    }
}

/// Puts the person into the container at this place of the list; `None` where the pod has not the form of one.
fn enter(spec: &mut Value, at: usize, username: &str) -> Option<()> {
    let name = user_name(username);
    let container = spec.pointer(&format!("/containers/{at}"))?.clone();
    let init = list_at(spec, "initContainers")?;
    match init.iter_mut().find(|c| text(c, "/name") == NAME) {
        Some(there) => put(there, "image", container.get("image")?.clone()),
        None => init.push(init_container(&container, username, &name)),
    }
    let volumes = list_at(spec, "volumes")?;
    if !volumes.iter().any(|volume| text(volume, "/name") == NAME) {
        volumes.push(json!({"name": NAME, "emptyDir": {}}));
    }
    let container = spec.pointer_mut(&format!("/containers/{at}"))?;
    let mounts = list_at(container, "volumeMounts")?;
    if !mounts.iter().any(|mount| text(mount, "/name") == NAME) {
        mounts.extend(FILES.map(
            |file| json!({"name": NAME, "mountPath": format!("/etc/{file}"), "subPath": file, "readOnly": true}),
        ));
    }
    let variables = list_at(container, "env")?;
    for variable in ["USER", "LOGNAME"] {
        if !variables.iter().any(|v| text(v, "/name") == variable) {
            variables.push(json!({"name": variable, "value": name}));
        }
    }
    Some(())
}

/// The container that the annotation names; empty without one.
pub(crate) fn annotation(template: &Value) -> String {
    let annotations = map(template, "/metadata/annotations");
    annotations
        .get(names::PASSWD_ENTRY)
        .map(|name| (*name).to_owned())
        .unwrap_or_default()
}

fn mounts_itself(container: &Value) -> bool {
    list(container, "/volumeMounts").iter().any(|mount| {
        let at = text(mount, "/mountPath");
        text(mount, "/name") != NAME && FILES.iter().any(|file| at == format!("/etc/{file}"))
    })
}

fn init_container(container: &Value, username: &str, name: &str) -> Value {
    let fits = |home: &&str| {
        home.starts_with('/') && !home.contains(|c: char| c == ':' || c == '$' || c.is_ascii_control())
    };
    let variables = list(container, "/env").iter();
    let home = variables
        .filter(|v| text(v, "/name") == "HOME")
        .map(|v| text(v, "/value"))
        .find(fits)
        .unwrap_or("/");
    let about = if username.contains(':') {
        String::new()
    } else {
        username.replace('$', "$$")
    };
    let policy = match text(container, "/imagePullPolicy") {
        "" => "IfNotPresent",
        said => said,
    };
    let stamp = format!("metadata.annotations['{}']", names::RUNS_AS);
    json!({
        "name": NAME,
        "image": container.get("image").cloned().unwrap_or_default(),
        "imagePullPolicy": policy,
        "workingDir": "/",
        "command": ["/bin/sh", "-c", SCRIPT, NAME, FOLDER, name, about, home],
        "env": [{"name": STAMP_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": stamp}}}],
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": NAME, "mountPath": FOLDER}],
    })
}
