//! `reeve attach`: the main process of a workload's container.
//!
//! The stream does not say with which exit code the process ended; the pod does, a moment later.

use std::io::Write;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use reqwest::StatusCode;
use tokio::time::Instant;

use crate::Context;
use crate::args::Attach;
use crate::channels::{self, Open};
use crate::commands::exec;
use crate::commands::pod::{self, Found, State, Wanted};
use crate::commands::session::{self, Ending, Joined};
use crate::failure::Failure;
use crate::http::Api;
use crate::kubernetes::KubernetesError;
use crate::terminal;

/// How long a container that let go of its streams may take to be reported as ended.
const REPORTED_WITHIN: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn run(context: &mut Context, arguments: Attach) -> Result<(), Failure> {
    let which = &arguments.place.target.which;
    let what = format!("cannot attach to `{}` in project `{}`", which.name, which.project);
    if arguments.tty {
        session::need_terminal(&what, "leave out `--tty`")?;
    }
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let wanted = Wanted {
        target: &arguments.place.target,
        container: arguments.place.container.as_deref(),
        state: State::Running,
        patience: Some(arguments.pod_running_timeout),
        hint: "try again later",
    };
    let mut found = pod::find(&api, &wanted, &what).await?;
    let joined = joined(&found, &arguments, terminal::is_interactive(), &what)?;
    let parameters = joined.parameters(&found.container);
    let open = Open::Attach(&parameters);
    let pod = (found.namespace.as_str(), found.name.as_str());
    let channels = channels::open(&found.server, pod, &open, &what).await?;
    if joined.stdin && joined.tty {
        let hint = "attached; a shell that waits shows itself after Enter\n";
        std::io::stderr()
            .write_all(hint.as_bytes())
            .map_err(Failure::output)?;
    }
    match session::join(context, channels, joined, &mut found, &what).await? {
        Ending::Lost(reason) => Err(Failure::failed(what).cause(reason)),
        Ending::Code(0) => ended(&mut found, &what).await,
        Ending::Code(code) => exec::passed_on(code),
    }
}

/// What can be joined: only what the container has.
fn joined(found: &Found, arguments: &Attach, interactive: bool, what: &str) -> Result<Joined, Failure> {
    let spec = found.pod.spec.iter();
    let container = spec
        .flat_map(|spec| {
            spec.containers
                .iter()
                .chain(spec.init_containers.iter().flatten())
        })
        .find(|container| container.name == found.container);
    let has = |flag: Option<bool>| flag == Some(true);
    let has_tty = container.is_some_and(|container| has(container.tty));
    let has_stdin = container.is_some_and(|container| has(container.stdin));
    if arguments.tty && !has_tty {
        let cause = format!("the container `{}` has no terminal", found.container);
        return Err(Failure::refused(what).cause(cause).hint("leave out `--tty`"));
    }
    Ok(Joined {
        stdin: has_stdin && !arguments.no_stdin,
        tty: has_tty && interactive && !arguments.no_tty,
    })
}

/// The exit code of the container, once the pod says that it ended. One that lives on is no failure.
async fn ended(found: &mut Found, what: &str) -> Result<(), Failure> {
    let started = Instant::now();
    let path = ["api", "v1", "namespaces", &found.namespace, "pods", &found.name];
    loop {
        found.server.keep_fresh(what).await?;
        let pod: Pod = match found.server.get(&path, &[]).await {
            Ok(pod) => pod,
            Err(KubernetesError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => {
                let message = format!("the pod `{}` was deleted", found.name);
                return Err(Failure::refused(message));
            }
            Err(error) => return Err(error.explain("cannot find out how the container ended")),
        };
        match pod::exit_code(&pod, &found.container) {
            Some(code) => return exec::passed_on(u8::try_from(code).unwrap_or(u8::MAX)),
            None if started.elapsed() >= REPORTED_WITHIN => return Ok(()),
            None => tokio::time::sleep(PAUSE).await,
        }
    }
}
