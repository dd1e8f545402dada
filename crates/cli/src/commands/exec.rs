//! `reeve exec`: a command in a workload's container.

use crate::Context;
use crate::args::Exec;
use crate::channels::{self, Open};
use crate::commands::pod::{self, State, Wanted};
use crate::commands::session::{self, Ending, Joined};
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: Exec) -> Result<(), Failure> {
    let which = &arguments.place.target.which;
    let what = format!(
        "cannot run a command in `{}` in project `{}`",
        which.name, which.project
    );
    match start(context, &arguments, &what).await? {
        Ending::Lost(reason) => Err(not_run(&what, &reason)),
        Ending::Code(code) => passed_on(code),
    }
}

/// Runs the command to its end.
pub(super) async fn start(context: &mut Context, arguments: &Exec, what: &str) -> Result<Ending, Failure> {
    if arguments.tty {
        session::need_terminal(what, "leave out `-t`")?;
    }
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let wanted = Wanted {
        target: &arguments.place.target,
        container: arguments.place.container.as_deref(),
        state: State::Running,
        patience: Some(arguments.pod_running_timeout),
        hint: "try again later, or wait longer with `--pod-running-timeout`",
    };
    let mut found = pod::find(&api, &wanted, what).await?;
    let joined = Joined {
        stdin: arguments.stdin,
        tty: arguments.tty,
    };
    let parameters = joined.parameters(&found.container);
    let open = Open::Exec(&arguments.words, &parameters);
    let pod = (found.namespace.as_str(), found.name.as_str());
    let channels = channels::open(&found.server, pod, &open, what).await?;
    session::join(context, channels, joined, &mut found, what).await
}

/// The remote command's exit code as ours.
pub(super) fn passed_on(code: u8) -> Result<(), Failure> {
    match code {
        0 => Ok(()),
        code => Err(Failure::ended_with(
            code,
            format!("the command ended with exit code {code}"),
        )),
    }
}

/// The cluster could not run it.
pub(super) fn not_run(what: &str, reason: &str) -> Failure {
    let failure = if is_missing(reason) {
        Failure::refused(what)
    } else {
        Failure::failed(what)
    };
    failure.cause(reason)
}

/// Whether the image has no such program, in the words of runc and crun.
pub(super) fn is_missing(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    reason.contains("executable file") && reason.contains("not found")
        || reason.contains("no such file or directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_told_from_a_failure() {
        for missing in [
            "exec: \"bash\": executable file not found in $PATH: unknown",
            "executable file `bash` not found in $PATH: No such file or directory",
            "exec: \"/bin/bash\": stat /bin/bash: no such file or directory: unknown",
        ] {
            assert_eq!(not_run("x", missing).exit_code(), 1, "{missing}");
        }
        assert_eq!(not_run("x", "the container runtime is down").exit_code(), 2);
    }
}
