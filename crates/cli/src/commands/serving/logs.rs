//! `reeve service|model|artifact logs`.
//!
//! **Limits.** As with `kubectl logs -f`, a stream that was opened goes on for as long as the API server lets it, whatever becomes of
//! the right to read it: with a kubeconfig of one's own there is nobody who would be asked again.

use std::time::Duration;

use futures::AsyncReadExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, LogParams};
use reeve_serving_crds::GROUP;
use serde_json::Value;
use tokio::time::Instant;

use super::describe::{find, of_model};
use super::kind::{ARTIFACT, Kind, SERVICE, name, text};
use super::server::{Error, Server};
use super::standing::{self, Standing};
use crate::Context;
use crate::args::{LogPart, OneServed};
use crate::commands::logs::Screen;
use crate::commands::pod::say_once;
use crate::failure::{CauseOf, Failure};

const BLOCK: usize = 16 * 1024;
const PAUSE: Duration = Duration::from_secs(1);
/// How long a wait goes on before it is said what for.
const SILENCE: Duration = Duration::from_secs(3);
/// What KServe calls the container that serves.
const SERVING: &str = "kserve-container";
/// The label of a pod with the name of its Job.
const OF_JOB: &str = "batch.kubernetes.io/job-name";
/// The label of a pod with the name of its InferenceService.
const OF_INFERENCE: &str = "serving.kserve.io/inferenceservice";

/// Where pods of an object are.
struct Place {
    namespace: String,
    selector: String,
}

pub(super) async fn run(
    context: &mut Context,
    kinds: &[&'static Kind],
    one: &OneServed,
    part: &LogPart,
) -> Result<(), Failure> {
    let word = kinds.first().map_or("object", |kind| kind.command);
    let what = format!("cannot show the logs of the {word} `{}`", one.name);
    let server = Server::of_streams(&one.within, &what).await?;
    let (started, mut said) = (Instant::now(), String::new());
    let mut stream = loop {
        let (kind, object) = find(&server, kinds, &one.name, &what).await?;
        let reason = match pod(&server, kind, &object, part, &what).await? {
            Some((api, pod)) => match api
                .log_stream(&pod, &parameters(&api, &pod, part, &what).await?)
                .await
            {
                Ok(stream) => break Box::pin(stream),
                // Its container has not started.
                Err(kube::Error::Api(status)) if status.code == 400 && part.follow => status.message.clone(),
                Err(error) => return Err(server.explain(Error::Other(error), kind, None, &what)),
            },
            None => match standing::of(kind, &object) {
                Standing::Waits(reason) => format!("it has no pod yet: {reason}"),
                Standing::Failed(reason) if kind == &SERVICE => format!("it has no pod: {reason}"),
                Standing::Ready | Standing::Failed(_) | Standing::Gone => {
                    let over =
                        Failure::refused(&what).cause("its pod is gone: Jobs that are over are removed");
                    return Err(over.hint(format!(
                        "`reeve {word} describe {}` says what became of it",
                        one.name
                    )));
                }
            },
        };
        if !part.follow {
            return Err(Failure::refused(&what)
                .cause(reason)
                .hint("try again later, or wait with `--follow`"));
        }
        if started.elapsed() >= SILENCE {
            say_once(&mut said, reason);
        }
        tokio::time::sleep(PAUSE).await;
    };
    let mut screen = Screen::of(context, part.raw);
    let mut block = vec![0; BLOCK];
    loop {
        let length = stream.read(&mut block).await;
        let length = length.map_err(|error| Failure::failed(&what).because(error))?;
        if length == 0 {
            return screen.finish();
        }
        screen.show(block.get(..length).unwrap_or_default())?;
    }
}

/// The pod that was named, or the newest.
async fn pod(
    server: &Server,
    kind: &Kind,
    object: &Value,
    part: &LogPart,
    what: &str,
) -> Result<Option<(Api<Pod>, String)>, Failure> {
    let mut all = Vec::new();
    for place in places(server, kind, object, what).await? {
        let api = Api::<Pod>::namespaced(server.client.clone(), &place.namespace);
        let found = api.list(&ListParams::default().labels(&place.selector)).await;
        let found = found.map_err(|error| server.explain(Error::Other(error), kind, None, what))?;
        all.extend(found.items.into_iter().map(|pod| (api.clone(), pod)));
    }
    let name_of = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
    let Some(wanted) = &part.pod else {
        let age = |(_, pod): &(Api<Pod>, Pod)| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let newest = all.into_iter().max_by_key(age);
        return Ok(newest.map(|(api, pod)| (api, name_of(&pod))));
    };
    let names: Vec<String> = all.iter().map(|(_, pod)| name_of(pod)).collect();
    match all.into_iter().find(|(_, pod)| &name_of(pod) == wanted) {
        Some((api, pod)) => Ok(Some((api, name_of(&pod)))),
        None if names.is_empty() => Ok(None),
        None => {
            let cause = format!("`{wanted}` is none of its pods: {}", names.join(", "));
            Err(Failure::refused(what).cause(cause))
        }
    }
}

async fn places(server: &Server, kind: &Kind, object: &Value, what: &str) -> Result<Vec<Place>, Failure> {
    let here = |selector: String| Place {
        namespace: server.namespace.clone(),
        selector,
    };
    let uid = text(object, "/metadata/uid");
    let named = |label: &str, found: &Value| here(format!("{label}={}", name(found)));
    if kind == &SERVICE {
        let path = format!(
            "/apis/serving.kserve.io/v1beta1/namespaces/{}/inferenceservices",
            server.namespace
        );
        let found = match server
            .list(&path, "InferenceService", ListParams::default())
            .await
        {
            Ok(found) => found,
            Err(Error::NoKind | Error::Missing) => {
                return Err(
                    Failure::refused(what).cause("this cluster has no KServe, which is what serves models")
                );
            }
            Err(error) => return Err(server.explain(error, kind, None, what)),
        };
        let mine = found.iter().filter(|it| is_owned(it, &uid));
        return Ok(mine.map(|it| named(OF_INFERENCE, it)).collect());
    }
    if kind == &ARTIFACT {
        let path = format!("/apis/batch/v1/namespaces/{}/jobs", server.namespace);
        let params = ListParams::default().labels(&format!("{GROUP}/component=download"));
        let found = server.list(&path, "Job", params).await;
        let found = found.map_err(|error| server.explain(error, kind, None, what))?;
        let mine = found.iter().filter(|job| is_owned(job, &uid));
        return Ok(mine.map(|job| named(OF_JOB, job)).collect());
    }
    let templates = of_model(server, kind, &name(object)).await;
    let templates = templates.map_err(|cause| Failure::refused(what).cause(cause))?;
    let job = |template: &Value| {
        let job = text(template, "/status/discoveryJob/name");
        (!job.is_empty()).then(|| Place {
            namespace: text(template, "/status/discoveryJob/namespace"),
            selector: format!("{OF_JOB}={job}"),
        })
    };
    Ok(templates.iter().filter_map(job).collect())
}

/// Labels can be copied; who controls it cannot be, without a right to write there.
fn is_owned(object: &Value, uid: &str) -> bool {
    let owners = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    owners
        .into_iter()
        .flatten()
        .any(|owner| text(owner, "/uid") == uid)
}

async fn parameters(api: &Api<Pod>, pod: &str, part: &LogPart, what: &str) -> Result<LogParams, Failure> {
    let container = match &part.container {
        Some(container) => container.clone(),
        None => {
            let found = api.get(pod).await;
            let found = found.map_err(|error| Failure::failed(what).because(CauseOf(error)))?;
            let spec = found.spec.unwrap_or_default();
            let names: Vec<String> = spec.containers.into_iter().map(|it| it.name).collect();
            let serving = names.iter().find(|name| *name == SERVING);
            serving.or(names.first()).cloned().unwrap_or_default()
        }
    };
    Ok(LogParams {
        container: Some(container),
        follow: part.follow,
        previous: part.previous,
        timestamps: part.timestamps,
        tail_lines: (part.tail >= 0).then_some(part.tail),
        // Whole seconds only, and at least one: a line too many is better than one too few.
        since_seconds: part
            .since
            .map(|since| i64::try_from(since.as_secs().max(1)).unwrap_or(i64::MAX)),
        ..LogParams::default()
    })
}
