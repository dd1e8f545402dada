//! `reeve port-forward`: ports of a workload's pod at an address of this machine.
//!
//! It ends at Ctrl-C, when the pod is gone or has ended, and when the pod may no longer be read: it is looked at every
//! few seconds.
//!
//! **Limits.** Everybody who reaches the address acts as the person who runs this: on a shared machine, all its users. The API
//! server checks each connection at its start only; one that is open when the right goes stays open until this command
//! sees that the pod may no longer be read. A side that ends its half of a connection cannot tell the other side so; the
//! connection is closed once nothing came from the pod for a minute.

mod pump;

use std::io::Write;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::Context;
use crate::args::PortForward;
use crate::channels::{self, Open};
use crate::commands::pod::right::{self, LOOK_EVERY, Look};
use crate::commands::pod::{self, Found, State, Wanted};
use crate::failure::{Failure, REFUSED};
use crate::http::Api;
use crate::kubernetes::KubernetesError;

const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);

/// A port here, and the one there.
struct Listening {
    listener: TcpListener,
    remote: u16,
}

pub(super) async fn run(context: &mut Context, arguments: PortForward) -> Result<(), Failure> {
    let which = &arguments.target.which;
    let what = format!(
        "cannot forward ports to `{}` in project `{}`",
        which.name, which.project
    );
    let listening = listen(&arguments, &what).await?;
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let wanted = Wanted {
        target: &arguments.target,
        container: None,
        state: State::Running,
        patience: Some(PATIENCE),
        hint: "try again later",
    };
    let mut found = pod::find(&api, &wanted, &what).await?;
    check(&found, &listening, &what).await?;
    for one in &listening {
        let local = one.listener.local_addr();
        let local = local.map_err(|error| Failure::failed(&what).because(error))?;
        let line = format!("forwarding {local} -> {}\n", one.remote);
        context.printer.raw(line.as_bytes())?;
    }
    forward(&mut found, &listening, &what).await
}

async fn listen(arguments: &PortForward, what: &str) -> Result<Vec<Listening>, Failure> {
    let mut all = Vec::with_capacity(arguments.ports.len());
    for forward in &arguments.ports {
        let address = (arguments.address, forward.local);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let cause = format!("cannot listen at {}:{}: {error}", address.0, address.1);
            Failure::failed(what).cause(cause)
        })?;
        let remote = forward.remote;
        all.push(Listening { listener, remote });
    }
    Ok(all)
}

/// Asks once without opening anything, so that a refusal ends the command and not only its first connection. The API
/// server answers 400 to who is allowed: no upgrade was asked for.
async fn check(found: &Found, listening: &[Listening], what: &str) -> Result<(), Failure> {
    let pod = [
        "api",
        "v1",
        "namespaces",
        &found.namespace,
        "pods",
        &found.name,
        "portforward",
    ];
    let ports: Vec<String> = listening.iter().map(|one| one.remote.to_string()).collect();
    let query: Vec<_> = ports.iter().map(|port| ("ports", port.as_str())).collect();
    let refused = |error: &KubernetesError| match error {
        KubernetesError::Refused { status, message } => {
            *status == StatusCode::FORBIDDEN && channels::is_not_yet(message)
        }
        _ => false,
    };
    let ask = || found.server.probe(&pod, &query);
    match channels::again_while_unknown(ask, refused).await {
        Err(KubernetesError::Refused { status, .. }) if status == StatusCode::BAD_REQUEST => Ok(()),
        other => other.map_err(|error| error.explain(what)),
    }
}

async fn forward(found: &mut Found, listening: &[Listening], what: &str) -> Result<(), Failure> {
    let mut connections = JoinSet::new();
    // Made once: a signal that comes while nobody waits for it is kept for the next time.
    let interrupt = signal(SignalKind::interrupt());
    let mut interrupt = interrupt.map_err(|error| Failure::failed(what).because(error))?;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = look.tick() => look_at(found, what).await?,
            accepted = accept(listening) => {
                match accepted {
                    Ok((local, remote)) => begin(found, local, remote, what, &mut connections).await?,
                    // One that was gone before it was taken, or too many at once: neither is a reason to end.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// The next connection to any of the ports.
async fn accept(listening: &[Listening]) -> std::io::Result<(TcpStream, u16)> {
    let all = listening.iter().map(|one| {
        Box::pin(async move { one.listener.accept().await.map(|(local, _)| (local, one.remote)) })
    });
    futures::future::select_all(all).await.0
}

async fn begin(
    found: &mut Found,
    local: TcpStream,
    remote: u16,
    what: &str,
    connections: &mut JoinSet<()>,
) -> Result<(), Failure> {
    match found.server.keep_fresh(what).await {
        Ok(()) => {}
        Err(failure) if failure.exit_code() == REFUSED => return Err(failure),
        // The control plane may be back for the next one.
        Err(failure) => {
            complain(&failure);
            return Ok(());
        }
    }
    let (server, namespace) = (found.server.clone(), found.namespace.clone());
    let (name, what) = (found.name.clone(), what.to_owned());
    connections.spawn(async move {
        let open = Open::Port(remote);
        let carried = match channels::open(&server, (&namespace, &name), &open, &what).await {
            Ok(channels) => pump::carry(local, channels, &what).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = carried {
            complain(&failure);
        }
    });
    Ok(())
}

fn complain(failure: &Failure) {
    let _ = write!(std::io::stderr(), "{failure}");
}

/// Ends the command when the pod is gone or has ended, or may no longer be read. An API server that is not reached is looked
/// for again.
async fn look_at(found: &mut Found, what: &str) -> Result<(), Failure> {
    let gone = |found: &Found| Failure::refused(what).cause(format!("the pod `{}` is gone", found.name));
    match right::look(found, what).await? {
        Look::Pod(pod) if pod.metadata.uid != found.pod.metadata.uid => Err(gone(found)),
        Look::Pod(pod) if pod::exit_code(&pod, &found.container).is_some() || pod::is_over(&pod) => {
            Err(Failure::refused(what).cause(format!("the pod `{}` has ended", found.name)))
        }
        Look::Gone => Err(gone(found)),
        Look::Pod(_) | Look::Unknown => Ok(()),
    }
}
