//! Whether the person may still have what she opened.
//!
//! The API server asks for rights when a stream is opened and never again. So who holds one open here looks at the pod every
//! few seconds, with a token that is renewed, and ends the stream when that is refused.
//!
//! **Limits.** What is looked at is the right to read the pod, which goes with the access rule. Who lost only the right to
//! step into it, and still reads it, is not noticed. Nor does this bind anybody who uses another program.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use reqwest::StatusCode;
use tokio::time::{Instant, interval_at};

use super::Found;
use crate::failure::{Failure, REFUSED};
use crate::kubernetes::KubernetesError;

/// How often somebody looks.
pub(in crate::commands) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a look showed.
pub(in crate::commands) enum Look {
    /// The pod as it is now, which may be another of the same name.
    Pod(Box<Pod>),
    /// There is none of that name.
    Gone,
    /// Nothing: the control plane or the API server was not reached, or was too busy. That says nothing about rights.
    Unknown,
}

/// Looks at the pod once.
///
/// # Errors
/// The control plane gives no token any more, or the API server does not show the pod.
pub(in crate::commands) async fn look(found: &mut Found, what: &str) -> Result<Look, Failure> {
    match found.server.keep_fresh(what).await {
        Err(failure) if failure.exit_code() == REFUSED => return Err(failure),
        // With the old token, while it lasts.
        Ok(()) | Err(_) => {}
    }
    let path = ["api", "v1", "namespaces", &found.namespace, "pods", &found.name];
    match found.server.get::<Pod>(&path, &[]).await {
        Ok(pod) => Ok(Look::Pod(Box::new(pod))),
        Err(KubernetesError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(Look::Gone),
        Err(error @ KubernetesError::Refused { status, .. }) if status == StatusCode::FORBIDDEN => {
            Err(error.explain(what))
        }
        Err(_) => Ok(Look::Unknown),
    }
}

/// Comes back when the person may not read the pod any more, with the sentence that ends the command. How the process ended,
/// and that the pod is gone, the stream itself says.
pub(in crate::commands) async fn gone(found: &mut Found) -> Failure {
    let what = format!(
        "the connection to the pod `{}` was closed here: your right to it is gone",
        found.name
    );
    let mut next = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    next.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        next.tick().await;
        if let Err(refused) = look(found, &what).await {
            return refused;
        }
    }
}
