//! `reeve submit`: two calls, one for the project's id and one for the training.

use reeve_api::org::Project;
use reeve_api::training::{Compute, EnvironmentVariable, Security, Training, TrainingSpec, UidGidSource};
use serde_json::json;

use crate::Context;
use crate::args::Submit;
use crate::commands::find;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: Submit) -> Result<(), Failure> {
    let what = format!(
        "cannot submit `{}` to project `{}`",
        arguments.name, arguments.project
    );
    let spec = spec(&arguments, &what)?;
    let api = Api::signed_in(&context.settings, context.clock.now())?;
    let project = find::project(&api, &arguments.project, &what).await?;
    let body = body(&arguments, &project, &spec);
    let training: Training = api
        .post("/api/v1/workloads/trainings", &body)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&training, || {
        let (name, project) = (&training.name, &arguments.project);
        format!("submitted `{name}` to project `{project}`\nwatch it: `reeve list -p {project}`, `reeve logs {name} -p {project} -f`")
    })
}

fn body(arguments: &Submit, project: &Project, spec: &TrainingSpec) -> serde_json::Value {
    json!({ "name": arguments.name, "projectId": project.id, "clusterId": project.cluster_id, "spec": spec })
}

fn spec(arguments: &Submit, what: &str) -> Result<TrainingSpec, Failure> {
    if arguments.command && arguments.words.is_empty() {
        return Err(Failure::failed(what).cause("--command needs words after `--`"));
    }
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
        allow_privilege_escalation: arguments.prevent_privilege_escalation.then_some(false),
    };
    Ok(TrainingSpec {
        image: arguments.image.clone(),
        command,
        args,
        environment_variables: (!variables.is_empty()).then_some(variables),
        compute: arguments.gpus.map(|gpus| Compute {
            gpu_devices_request: Some(gpus),
        }),
        create_home_dir: arguments.create_home_dir,
        security: (security != Security::default()).then_some(security),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use reeve_api::Body;
    use reeve_api::training::CreateTraining;

    use super::*;
    use crate::args::{Cli, Command};

    fn parsed(words: &[&str]) -> TrainingSpec {
        let all = ["reeve", "submit", "x", "-p", "robots", "-i", "local.test/tools:1"]
            .iter()
            .chain(words);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Submit(submit) => spec(&submit, "x").unwrap(),
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
