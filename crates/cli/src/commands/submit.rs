//! `reeve submit`: two calls, one for the project's id and one for the training.

use reeve_api::training::{
    Compute, EnvironmentVariable, Security, Storage, Training, TrainingSpec, UidGidSource,
};
use reeve_types::WorkloadName;
use serde_json::json;

use crate::Context;
use crate::args::{Attach, Container, Submit, Target, Which};
use crate::commands::{attach, find};
use crate::failure::Failure;
use crate::http::Api;

/// What a workload is, whether that is asked for or not.
const ONCE: &str =
    "a workload here is one pod that is tried once and not preempted, unless it asks for more pods";

pub(super) async fn run(context: &mut Context, arguments: Submit) -> Result<(), Failure> {
    let Some(name) = arguments.name().cloned() else {
        return Err(Failure::failed("cannot submit a workload without a name"));
    };
    let project = arguments.project.clone();
    let what = format!("cannot submit `{name}` to project `{project}`");
    let spec = spec(&arguments, &what)?;
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let found = find::project(&api, &project, &what).await?;
    let body = json!({ "name": name, "projectId": found.id, "clusterId": found.cluster_id, "spec": spec });
    let training: Training = api
        .post("/api/v1/workloads/trainings", &body)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&training, || {
        let name = &training.name;
        format!("submitted `{name}` to project `{project}`\nwatch it: `reeve list -p {project}`, `reeve logs {name} -p {project} -f`")
    })?;
    if arguments.interactive == Some(true) {
        context.printer.note(&format!("--interactive: {ONCE}\n"))?;
    }
    if arguments.attach {
        attach::run(context, join(arguments, name)).await
    } else {
        Ok(())
    }
}

/// `reeve attach` to what was just submitted.
fn join(arguments: Submit, name: WorkloadName) -> Attach {
    let which = Which {
        name,
        project: arguments.project,
    };
    Attach {
        place: Container {
            target: Target { which, pod: None },
            container: None,
        },
        no_stdin: false,
        no_tty: false,
        tty: false,
        pod_running_timeout: arguments.pod_running_timeout,
    }
}

fn spec(arguments: &Submit, what: &str) -> Result<TrainingSpec, Failure> {
    if arguments.command && arguments.words.is_empty() {
        return Err(Failure::failed(what).cause("--command needs words after `--`"));
    }
    // Attaching implies both, unless something else is said, as in the reference (cluster-and-cli 7.5).
    let stdin = arguments.stdin.unwrap_or(arguments.attach);
    let tty = arguments.tty.unwrap_or(arguments.attach && stdin);
    if tty && !stdin {
        return Err(Failure::failed(what).cause("--tty needs --stdin as well: without it nobody can type"));
    }
    if arguments.attach && !stdin {
        return Err(Failure::failed(what).cause("--attach needs standard input: leave out --stdin=false"));
    }
    if arguments.interactive == Some(false) {
        return Err(Failure::failed(what)
            .cause(format!("--interactive=false cannot be asked for: {ONCE}"))
            .hint("leave it out"));
    }
    let prevent = prevented(arguments, what)?;
    let words = arguments.words.iter().map(String::as_str);
    let line = shlex::try_join(words).map_err(|error| Failure::failed(what).because(error))?;
    let line = Some(line).filter(|_| !arguments.words.is_empty());
    let (command, args) = if arguments.command {
        (line, None)
    } else {
        (None, line)
    };
    let variables: Vec<_> = arguments
        .environment
        .iter()
        .map(|(name, value)| EnvironmentVariable {
            name: name.clone(),
            value: value.clone(),
        })
        .collect();
    let security = Security {
        uid_gid_source: arguments.run_as_user.then_some(UidGidSource::FromIdpToken),
        allow_privilege_escalation: prevent.then_some(false),
    };
    let compute = Compute {
        gpu_devices_request: arguments.gpus,
        large_shm_request: arguments.large_shm.then_some(true),
        cpu_core_limit: arguments.cpu_limit,
        cpu_core_request: arguments.cpu_request,
        cpu_memory_limit: arguments.memory_limit.clone(),
        cpu_memory_request: arguments.memory_request.clone(),
    };
    let job = &arguments.job;
    Ok(TrainingSpec {
        image: arguments.image.clone(),
        image_pull_policy: arguments.image_pull_policy,
        command,
        args,
        environment_variables: (!variables.is_empty()).then_some(variables),
        expand_variables: arguments.expand_variables.then_some(true),
        passwd_entry: arguments.passwd_entry.then_some(true),
        stdin: stdin.then_some(true),
        tty: tty.then_some(true),
        working_dir: arguments.working_dir.clone(),
        compute: (compute != Compute::default()).then_some(compute),
        create_home_dir: arguments.create_home_dir,
        security: (security != Security::default()).then_some(security),
        storage: (!arguments.secret_volumes.is_empty()).then(|| Storage {
            secret_volume: arguments.secret_volumes.clone(),
        }),
        backoff_limit: job.backoff_limit,
        completions: job.completions,
        parallelism: job.parallelism,
        termination_grace_period_seconds: job.termination_grace_period,
        probes: None,
        labels: some(&job.labels),
        annotations: some(&job.annotations),
        node_type: job.node_type.clone(),
        tolerations: some(&job.tolerations),
    })
}

fn some<T: Clone>(all: &[T]) -> Option<Vec<T>> {
    (!all.is_empty()).then(|| all.to_vec())
}

/// Whether gaining privileges is forbidden; the reference has had two flags for it, the second with the sense inverted.
fn prevented(arguments: &Submit, what: &str) -> Result<bool, Failure> {
    match (
        arguments.prevent_privilege_escalation,
        arguments.allow_privilege_escalation,
    ) {
        (Some(true), Some(true)) | (Some(false), Some(false)) => Err(Failure::failed(what)
            .cause("--prevent-privilege-escalation and --allow-privilege-escalation contradict each other")),
        (_, Some(true)) => Err(Failure::failed(what)
            .cause("--allow-privilege-escalation cannot be asked for")
            .hint("leave it out to get what the cluster allows")),
        (prevent, allow) => Ok(prevent == Some(true) || allow == Some(false)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use reeve_api::Body;
    use reeve_api::training::CreateTraining;

    use super::*;
    use crate::args::{Cli, Command, Works};

    fn parsed(words: &[&str]) -> TrainingSpec {
        let all = ["reeve", "submit", "x", "-p", "robots", "-i", "local.test/tools:1"]
            .iter()
            .chain(words);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Works(Works::Submit(submit)) => spec(&submit, "x").unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_flag_arrives_at_the_servers_own_parser() {
        let words = [
            "-g",
            "2",
            "--run-as-user",
            "--prevent-privilege-escalation",
            "--create-home-dir=false",
            "--large-shm",
            "--passwd-entry",
            "--expand-variables",
            "--attach",
            "--working-dir=/work",
            "--image-pull-policy=Always",
            "--cpu=0.5",
            "--cpu-core-limit",
            "2",
            "--memory=512Mi",
            "--cpu-memory-limit=1.5Gi",
            "--secret-volume=name=token,path=/etc/keys",
            "--backoff-limit=3",
            "--completions=4",
            "--parallelism=2",
            "--termination-grace-period=5m",
            "-l",
            "team.example/stage=a",
            "-a",
            "note=any text",
            "--node-type=dgx",
            "--toleration=key=nvidia.com/gpu,operator=Exists",
            "-e",
            "A=b c",
            "--",
            "sh",
            "-c",
            "echo \"$HOME\"; echo 'it''s'",
        ];
        let body = json!({
            "name": "x", "projectId": "33", "clusterId": "123e4567-e89b-12d3-a456-426614174000", "spec": parsed(&words),
        });
        let arrived = CreateTraining::parse(body.to_string().as_bytes()).unwrap().spec;
        assert!(arrived.run_as_user() && arrived.prevent_privilege_escalation() && !arrived.home_dir(true));
        assert!(arrived.large_shm());
        let compute = serde_json::to_value(&arrived.compute).unwrap();
        assert_eq!(
            compute,
            json!({"gpuDevicesRequest": 2, "largeShmRequest": true, "cpuCoreRequest": 0.5, "cpuCoreLimit": 2,
                "cpuMemoryRequest": "512Mi", "cpuMemoryLimit": "1.5Gi"})
        );
        assert_eq!(
            arrived.image_pull_policy,
            Some(reeve_types::ImagePullPolicy::Always)
        );
        let sent = serde_json::to_value(&arrived).unwrap();
        let told = json!({"backoffLimit": 3, "completions": 4, "parallelism": 2, "terminationGracePeriodSeconds": 300,
            "labels": [{"name": "team.example/stage", "value": "a"}], "annotations": [{"name": "note", "value": "any text"}],
            "nodeType": "dgx", "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]});
        for (field, value) in told.as_object().unwrap() {
            assert_eq!(&sent[field], value, "{field}");
        }
        let mounted = arrived.secret_volumes();
        assert_eq!(
            serde_json::to_value(mounted).unwrap(),
            json!([{"secret": "token", "mountPath": "/etc/keys"}])
        );
        let asked = [
            arrived.passwd_entry,
            arrived.expand_variables,
            arrived.stdin,
            arrived.tty,
        ];
        assert_eq!(
            (asked, arrived.working_dir.as_deref()),
            ([Some(true); 4], Some("/work"))
        );
        assert_eq!(
            (arrived.gpus(), arrived.environment()),
            (2, vec![("A".to_owned(), "b c".to_owned())])
        );
        assert_eq!(arrived.command_words(), Vec::<String>::new());
        assert_eq!(arrived.args_words(), ["sh", "-c", "echo \"$HOME\"; echo 'it''s'"]);
    }

    #[test]
    fn nothing_is_sent_that_was_not_asked_for() {
        assert_eq!(
            serde_json::to_string(&parsed(&[])).unwrap(),
            r#"{"image":"local.test/tools:1"}"#
        );
    }

    #[test]
    fn words_replace_the_entry_point_only_when_asked() {
        let spec = parsed(&["--command", "--", "id", ""]);
        assert_eq!(
            (spec.command_words(), spec.args),
            (vec!["id".to_owned(), String::new()], None)
        );
    }
}
