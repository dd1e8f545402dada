//! `POST /api/v1/workloads/trainings`.

use std::collections::BTreeSet;

use reeve_types::{ClusterId, ProjectId, WorkloadName};
use serde_json::json;

use super::spec::{Compute, EnvironmentVariable, Security, TrainingSpec};
use crate::body::{Body, InvalidBody, Object};

/// A training to submit.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTraining {
    /// Its name, unique in the project.
    pub name: WorkloadName,
    /// In which project.
    pub project_id: ProjectId,
    /// In which cluster: the project's.
    pub cluster_id: ClusterId,
    /// What is to run.
    pub spec: TrainingSpec,
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

impl Body for CreateTraining {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let name = body.required("name")?;
        body.only("useGivenNameAsPrefix", &[json!(false)])?;
        body.unsupported(&["templateId"])?;
        let (project_id, cluster_id) = (body.required("projectId")?, body.required("clusterId")?);
        let spec = body.object("spec")?.ok_or_else(|| InvalidBody::Missing {
            path: "spec".to_owned(),
        })?;
        body.finish()?;
        Ok(Self {
            name,
            project_id,
            cluster_id,
            spec: parse_spec(spec)?,
        })
    }
}

fn parse_spec(mut spec: Object) -> Result<TrainingSpec, InvalidBody> {
    let parsed = TrainingSpec {
        image: image(&mut spec)?,
        command: line(&mut spec, "command")?,
        args: line(&mut spec, "args")?,
        environment_variables: environment(&mut spec)?,
        compute: spec.object("compute")?.map(compute).transpose()?,
        expand_variables: spec.optional("expandVariables")?,
        passwd_entry: spec.optional("passwdEntry")?,
        stdin: spec.optional("stdin")?,
        tty: spec.optional("tty")?,
        working_dir: working_dir(&mut spec)?,
        create_home_dir: spec.optional("createHomeDir")?,
        security: spec.object("security")?.map(security).transpose()?,
    };
    // Known to the reference; here only what holds anyway may be said.
    spec.only("category", &[json!("Train")])?;
    spec.only("completions", &[json!(1)])?;
    spec.only("parallelism", &[json!(1)])?;
    spec.only("restartPolicy", &[json!("Never")])?;
    spec.only("terminateAfterPreemption", &[json!(false)])?;
    if parsed.tty == Some(true) && parsed.stdin != Some(true) {
        let remedy = "a terminal needs `stdin: true` as well: without it nobody can type";
        return Err(InvalidBody::wrong(spec.path("tty"), remedy));
    }
    spec.unsupported(&[
        "annotations",
        "autoDeletionTimeAfterCompletionSeconds",
        "backoffLimit",
        "exposedUrls",
        "imagePullPolicy",
        "imagePullSecrets",
        "labels",
        "nodeAffinityRequired",
        "nodePools",
        "nodeType",
        "podAffinity",
        "ports",
        "preemptibility",
        "priorityClass",
        "probes",
        "relatedUrls",
        "storage",
        "terminationGracePeriodSeconds",
        "tolerations",
    ])?;
    spec.finish()?;
    Ok(parsed)
}

fn image(spec: &mut Object) -> Result<String, InvalidBody> {
    let path = spec.path("image");
    let image = spec
        .text("image", 512)?
        .ok_or_else(|| InvalidBody::Missing { path: path.clone() })?;
    let plain = image
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-:/@+".contains(&b));
    if plain {
        Ok(image)
    } else {
        Err(InvalidBody::wrong(
            path,
            "an image reference like `registry.example/team/image:tag` is needed",
        ))
    }
}

fn working_dir(spec: &mut Object) -> Result<Option<String>, InvalidBody> {
    let path = spec.path("workingDir");
    match spec.text("workingDir", 4096)? {
        Some(text) if !text.starts_with('/') || text.contains(char::is_control) => Err(InvalidBody::wrong(
            path,
            "a path that begins with `/` is needed, without control characters",
        )),
        text => Ok(text),
    }
}

fn line(spec: &mut Object, name: &str) -> Result<Option<String>, InvalidBody> {
    let line = spec.text(name, MAX_LINE)?;
    match line.as_deref().map(shlex::split) {
        None => Ok(None),
        Some(Some(words)) if words.len() > MAX_WORDS => Err(InvalidBody::wrong(
            spec.path(name),
            format!(
                "at most {MAX_WORDS} words are possible, and these are {}",
                words.len()
            ),
        )),
        Some(Some(words)) if !words.is_empty() => Ok(line),
        Some(Some(_)) => Err(InvalidBody::wrong(spec.path(name), "at least one word is needed")),
        Some(None) => Err(InvalidBody::wrong(
            spec.path(name),
            "a quote is not closed, or a backslash ends the line",
        )),
    }
}

fn environment(spec: &mut Object) -> Result<Option<Vec<EnvironmentVariable>>, InvalidBody> {
    const FIELD: &str = "environmentVariables";
    let mut variables = Vec::new();
    let (mut seen, mut bytes) = (BTreeSet::new(), 0);
    let items = spec.objects(FIELD)?;
    if items.len() > MAX_VARIABLES {
        return Err(InvalidBody::wrong(
            spec.path(FIELD),
            format!(
                "at most {MAX_VARIABLES} variables are possible, and these are {}",
                items.len()
            ),
        ));
    }
    for mut item in items {
        let path = item.path("name");
        let name = item
            .text("name", 255)?
            .ok_or_else(|| InvalidBody::Missing { path: path.clone() })?;
        let valid = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if !valid || name.starts_with(|c: char| c.is_ascii_digit()) {
            let rule = "letters, digits, `_`, `-` and `.` are needed, not starting with a digit";
            return Err(InvalidBody::wrong(path, rule));
        }
        if !seen.insert(name.clone()) {
            return Err(InvalidBody::wrong(path, format!("`{name}` is given twice")));
        }
        let value: String = item.optional("value")?.unwrap_or_default();
        bytes += name.len() + value.len();
        if value.len() > MAX_VALUE || bytes > MAX_ENVIRONMENT || value.contains('\0') {
            let rule = format!(
                "at most {MAX_VALUE} bytes, {MAX_ENVIRONMENT} of all names and values together, and no NUL are possible"
            );
            return Err(InvalidBody::wrong(item.path("value"), rule));
        }
        item.only("exclude", &[json!(false)])?;
        item.unsupported(&[
            "secret",
            "configMap",
            "podFieldRef",
            "userCredential",
            "description",
        ])?;
        item.finish()?;
        variables.push(EnvironmentVariable { name, value });
    }
    Ok((!variables.is_empty()).then_some(variables))
}

fn compute(mut compute: Object) -> Result<Compute, InvalidBody> {
    let gpus: Option<u32> = compute.optional("gpuDevicesRequest")?;
    if gpus.is_some_and(|gpus| gpus > MAX_GPUS) {
        return Err(InvalidBody::wrong(
            compute.path("gpuDevicesRequest"),
            format!("at most {MAX_GPUS} are possible"),
        ));
    }
    // The reference's way to say "whole devices".
    compute.only("gpuRequestType", &[json!("portion")])?;
    compute.only("gpuPortionRequest", &[json!(1), json!(1.0)])?;
    let large_shm_request = compute.optional("largeShmRequest")?;
    compute.unsupported(&[
        "cpuCoreLimit",
        "cpuCoreRequest",
        "cpuMemoryLimit",
        "cpuMemoryRequest",
        "extendedResources",
        "gpuMemoryLimit",
        "gpuMemoryRequest",
        "gpuPortionLimit",
    ])?;
    compute.finish()?;
    Ok(Compute {
        gpu_devices_request: gpus,
        large_shm_request,
    })
}

fn security(mut security: Object) -> Result<Security, InvalidBody> {
    security_source(&mut security)?;
    let parsed = Security {
        uid_gid_source: security.optional("uidGidSource")?,
        allow_privilege_escalation: security.optional("allowPrivilegeEscalation")?,
    };
    if parsed.allow_privilege_escalation == Some(true) {
        let remedy = "`true` cannot be asked for: leave it out to get what the cluster allows";
        return Err(InvalidBody::wrong(
            security.path("allowPrivilegeEscalation"),
            remedy,
        ));
    }
    // What every pod gets, so there is nothing to keep.
    if security.optional("runAsNonRoot")? == Some(false) {
        let remedy = "`false` cannot be asked for: no container runs as root; leave it out";
        return Err(InvalidBody::wrong(security.path("runAsNonRoot"), remedy));
    }
    for name in ["hostIpc", "hostNetwork", "readOnlyRootFilesystem"] {
        security.only(name, &[json!(false)])?;
    }
    security.only("seccompProfileType", &[json!("RuntimeDefault")])?;
    security.unsupported(&["capabilities", "runAsGid", "runAsUid", "supplementalGroups"])?;
    security.finish()?;
    Ok(parsed)
}

/// `custom` is a value of the reference, and a way to be somebody else.
fn security_source(security: &mut Object) -> Result<(), InvalidBody> {
    let custom = security.peek("uidGidSource") == Some(&json!("custom"));
    if custom {
        let remedy = "`custom` is not supported: use `fromIdpToken` to run as yourself";
        return Err(InvalidBody::wrong(security.path("uidGidSource"), remedy));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn parse(spec: Value) -> Result<CreateTraining, String> {
        let body = json!({"name": "t", "projectId": "33", "clusterId": "123e4567-e89b-12d3-a456-426614174000", "spec": spec});
        CreateTraining::parse(body.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_flags_say_arrives() {
        let spec = parse(json!({
            "image": "local.test/tools:1", "command": "sh -c", "args": "'id; echo \"$HOME\"'",
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
        assert!(spec.run_as_user() && spec.prevent_privilege_escalation());
        assert!(spec.home_dir(true) && !spec.home_dir(false));
        let kept = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<TrainingSpec>(&kept).unwrap(), spec);
    }

    #[test]
    fn a_field_that_is_not_honoured_is_refused_by_name() {
        let refused = [
            ("spec.storage", json!({"storage": {"hostPath": [{"path": "/"}]}})),
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
                "spec.compute.cpuCoreLimit",
                json!({"compute": {"cpuCoreLimit": 0.5}}),
            ),
            ("spec.labels", json!({"labels": [{"name": "a", "value": "b"}]})),
            ("spec.completions", json!({"completions": 3})),
            (
                "spec.environmentVariables[0].secret",
                json!({"environmentVariables": [{"name": "A", "secret": {"name": "s"}}]}),
            ),
            ("spec.nonsense", json!({"nonsense": 1})),
            ("spec.command", json!({"command": "sh 'x"})),
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
