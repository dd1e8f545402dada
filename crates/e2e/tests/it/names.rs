//! A person has a name in her container, too: in its environment, and where programs look a uid up.

use anyhow::{Result, ensure};
use reeve_testkit::{images, wait_until};

use crate::attacks::kubectl_of;
use crate::cli::{json_of, terminal, wait_until_completed};
use crate::harness::{Team, on_the_stack, output_of};

/// The part of her email before the @, as it becomes a name.
fn name_of(email: &str) -> String {
    email.split('@').next().unwrap_or_default().to_ascii_lowercase()
}

#[test]
fn whoever_looks_her_uid_up_finds_her_beside_the_accounts_of_the_image() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &alice.person, settings.path())?;
        let name = name_of(&alice.person.username);
        let printed = async |workload: &str, image: &str, flags: &[&str], script: &str| -> Result<String> {
            let what = ["submit", workload, "-p", project, "-i", image, "--run-as-user"];
            reeve.must(&[&what[..], flags, &["--", "sh", "-c", script]].concat())?;
            wait_until_completed(&reeve, project, workload).await?;
            reeve.must(&["logs", workload, "-p", project])
        };

        let script = "id -un; whoami; echo $USER $LOGNAME; id -Gn; grep ^$USER: /etc/passwd; grep -c ^modeler: /etc/passwd; \
                      echo ~; (echo x >> /etc/passwd) 2>/dev/null || echo closed; (: > /etc/group) 2>/dev/null || echo closed";
        let said = printed("named", images::TOOLS, &["--passwd-entry"], script).await?;
        let expected = [
            name.clone(),
            name.clone(),
            format!("{name} {name}"),
            format!("{name} g5001"),
            format!(
                "{name}:x:{}:5000:{}:/home/{name}:/bin/sh",
                alice.uid, alice.person.username
            ),
            "1".to_owned(),
            format!("/home/{name}"),
            "closed".to_owned(),
            "closed".to_owned(),
        ];
        ensure!(said.lines().eq(expected.iter().map(String::as_str)), "{said}");

        // The image's name of her group stays the image's to give.
        let said = printed("grouped", images::GROUPS, &["--passwd-entry"], "id -un; id -gn").await?;
        ensure!(said == format!("{name}\nresearch\n"), "{said}");

        // Without the flag nobody knows the uid, as before; the environment knows her all the same, unless she says otherwise.
        let script = "whoami 2>/dev/null || echo nobody knows; echo $USER $LOGNAME";
        let said = printed("unnamed", images::TOOLS, &["-e", "USER=al"], script).await?;
        ensure!(said == format!("nobody knows\nal {name}\n"), "{said}");
        Ok(())
    });
}

/// What asks the C library, in an image of Debian's programs: `getent`, bash, Python, and `ssh`, which ends with an error where
/// nobody knows the uid. Planted faults: without `--passwd-entry` (below) nobody knows the uid, and without the environment `getpass`
/// does not either.
#[test]
fn programs_that_ask_the_c_library_find_her_and_getpass_is_content_with_the_environment() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let (alice, project) = (&team.researcher, team.project_name.as_str());
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &alice.person, settings.path())?;
        let (name, uid) = (name_of(&alice.person.username), alice.uid);
        let script = "python() { python3 -ISc \"$1\" 2>/dev/null || echo nobody knows; }\n\
                      python 'import getpass; print(getpass.getuser())'\n\
                      unset USER LOGNAME\n\
                      python 'import getpass; print(getpass.getuser())'\n\
                      python 'import os, pwd; print(pwd.getpwuid(os.getuid()).pw_dir)'\n\
                      python 'import os, pwd; print(os.path.expanduser(\"~\" + pwd.getpwuid(os.getuid()).pw_name))'\n\
                      getent passwd $(id -u) || echo nobody knows\n\
                      who='\\u'; echo ${who@P}\n\
                      ssh -G somewhere 2>&1 | tr -d '\\r' | grep -e '^user ' -e ' uid '\n";
        let printed = async |workload: &str, flags: &[&str]| -> Result<String> {
            let what = [
                "submit",
                workload,
                "-p",
                project,
                "-i",
                images::DEBIAN,
                "--run-as-user",
            ];
            reeve.must(&[&what[..], flags, &["--", "bash", "-c", script]].concat())?;
            wait_until_completed(&reeve, project, workload).await?;
            reeve.must(&["logs", workload, "-p", project])
        };
        let said = printed("named", &["--passwd-entry"]).await?;
        let home = format!("/home/{name}");
        let line = format!("{name}:x:{uid}:5000:{}:{home}:/bin/bash", alice.person.username);
        let user = format!("user {name}");
        let wanted = [&name, &name, &home, &home, &line, &name, &user];
        ensure!(said.lines().eq(wanted), "{said}");
        let said = printed("unnamed", &[]).await?;
        let nobody = "nobody knows";
        let stopped = format!("No user exists for uid {uid}");
        let wanted = [&name, nobody, nobody, nobody, nobody, "I have no name!", &stopped];
        ensure!(said.lines().eq(wanted), "{said}");
        Ok(())
    });
}

#[test]
fn an_image_without_a_shell_is_told_so() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let project = team.project_name.as_str();
        let settings = tempfile::tempdir()?;
        let reeve = terminal(stack, &team.researcher.person, settings.path())?;
        let what = ["-p", project, "-i", images::BARE, "--run-as-user"];
        reeve.must(&[&["submit", "plain"], &what[..]].concat())?;
        wait_until_completed(&reeve, project, "plain").await?;
        reeve.must(&[&["submit", "entered", "--passwd-entry"], &what[..]].concat())?;
        wait_until("the workload to say what its image has not", async || {
            let list = json_of(&reeve, &["list", "-p", project])?;
            let workload = list
                .as_array()
                .into_iter()
                .flatten()
                .find(|one| one["name"] == "entered");
            let said = workload
                .and_then(|one| one["phaseMessage"].as_str())
                .unwrap_or_default();
            Ok((said.contains("`/bin/sh`") && said.contains("`--passwd-entry`")).then_some(()))
        })
        .await
    });
}

/// The manifest of the page, as somebody copies it from there.
fn manifest() -> String {
    include_str!("../../../../docs/names-in-containers.md")
        .lines()
        .skip_while(|line| *line != "    apiVersion: batch/v1")
        .take_while(|line| line.starts_with("    ") || line.is_empty())
        .map(|line| line.get(4..).unwrap_or_default().to_owned() + "\n")
        .collect::<String>()
        .replace("IMAGE", images::TOOLS)
}

#[test]
fn the_pages_manifest_does_it_with_kubectl() {
    on_the_stack(async |stack| {
        let team = Team::form(stack).await?;
        let kubectl = kubectl_of(stack, &team, &team.researcher).await?;
        kubectl.must_with_input(&["apply", "-f", "-"], &manifest())?;
        let said = output_of(stack, &team.namespace, "batch.kubernetes.io/job-name=named").await?;
        let name = name_of(&team.researcher.person.username);
        let expected = format!("{name}\n{name}\n{name} g5001\n{name} {name}\n/home/me\n1\nmine\n");
        ensure!(said == expected, "{said}");
        Ok(())
    });
}
