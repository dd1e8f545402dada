//! `reeve service|model|artifact describe`: how one stands, its conditions, and what happened to it.

use kube::api::ListParams;
use reeve_serving_crds::{GROUP, VERSION};
use reeve_types::Timestamp;
use serde_json::Value;

use super::kind::{Kind, age, name, since, text};
use super::server::{Error, Server};
use crate::Context;
use crate::args::OneServed;
use crate::failure::{Failure, one_line};
use crate::printer::table;

/// How many events are shown: the last ones.
const EVENTS: usize = 10;

/// Finds the object among the kinds, in their order.
pub(super) async fn find(
    server: &Server,
    kinds: &[&'static Kind],
    name: &str,
    what: &str,
) -> Result<(&'static Kind, Value), Failure> {
    let mut missing = None;
    for kind in kinds {
        match server.get(&server.path(kind, false), name).await {
            Ok(object) => return Ok((kind, object)),
            Err(Error::Missing) => {
                missing.get_or_insert_with(|| server.missing(kind, name, what));
            }
            // Whether there is one of the cluster need not concern whoever may not see it.
            Err(Error::Other(kube::Error::Api(status))) if status.code == 403 && missing.is_some() => {}
            Err(error) => return Err(server.explain(error, kind, Some(name), what)),
        }
    }
    Err(missing.unwrap_or_else(|| Failure::refused(what)))
}

pub(super) async fn run(
    context: &mut Context,
    kinds: &[&'static Kind],
    one: &OneServed,
) -> Result<(), Failure> {
    let word = kinds.first().map_or("object", |kind| kind.command);
    let what = format!("cannot describe the {word} `{}`", one.name);
    let server = Server::connect(&one.within, &what).await?;
    let (kind, object) = find(&server, kinds, &one.name, &what).await?;
    let now = context.clock.now();
    let mut parts = vec![head(kind, &object, now), conditions(&object, now)];
    if word == "model" {
        parts.push(templates(&server, kind, &object).await);
    }
    parts.push(events(&server, kind, &object, now).await);
    parts.retain(|part| !part.is_empty());
    let shown = parts.join("\n\n");
    context.printer.named(&object, [kind.named(&object)], || shown)
}

/// Values of variables are not shown: a terminal is looked at by more than one.
fn head(kind: &Kind, object: &Value, now: Timestamp) -> String {
    let variables = object.pointer("/spec/env").and_then(Value::as_array);
    let variables: Vec<String> = variables
        .into_iter()
        .flatten()
        .map(|it| text(it, "/name"))
        .collect();
    let mut rows = vec![
        ("NAME", name(object)),
        ("KIND", kind.kind.to_owned()),
        ("NAMESPACE", text(object, "/metadata/namespace")),
    ];
    rows.extend(kind.cells(object, true));
    rows.push(("VARIABLES", variables.join(", ")));
    rows.push(("AGE", age(object, now)));
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        rows.push((
            "DELETED",
            format!("{} ago", since(object, "/metadata/deletionTimestamp", now)),
        ));
    }
    let lines = rows.iter().filter(|(_, value)| !value.is_empty());
    let lines = lines.map(|(head, value)| format!("{:<12} {}", head.to_lowercase(), one_line(value)));
    lines.collect::<Vec<_>>().join("\n")
}

fn conditions(object: &Value, now: Timestamp) -> String {
    let all = object.pointer("/status/conditions").and_then(Value::as_array);
    let rows: Vec<_> = all
        .into_iter()
        .flatten()
        .map(|condition| {
            [
                text(condition, "/type"),
                text(condition, "/status"),
                text(condition, "/reason"),
                since(condition, "/lastTransitionTime", now),
                text(condition, "/message"),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "the operator has not looked at it yet".to_owned();
    }
    table(["CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE"], rows)
}

/// The ways to run a model. What cannot be read is said in its place.
async fn templates(server: &Server, kind: &Kind, object: &Value) -> String {
    let found = match of_model(server, kind, &name(object)).await {
        Ok(found) => found,
        Err(reason) => return format!("templates are not shown: {reason}"),
    };
    let rows: Vec<_> = found
        .iter()
        .map(|template| {
            [
                name(template),
                text(template, "/status/status"),
                text(template, "/status/hardwareSummary"),
                text(template, "/status/profile/metadata/metric"),
                text(template, "/status/profile/metadata/precision"),
                super::standing::why(template).trim_start_matches(": ").to_owned(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    table(
        ["TEMPLATE", "STATUS", "HARDWARE", "METRIC", "PRECISION", "MESSAGE"],
        rows,
    )
}

/// The templates of a model.
pub(super) async fn of_model(server: &Server, kind: &Kind, model: &str) -> Result<Vec<Value>, String> {
    let (path, of) = if kind.namespaced {
        let within = format!("/apis/{GROUP}/{VERSION}/namespaces/{}", server.namespace);
        (format!("{within}/aimservicetemplates"), "AIMServiceTemplate")
    } else {
        (
            format!("/apis/{GROUP}/{VERSION}/aimclusterservicetemplates"),
            "AIMClusterServiceTemplate",
        )
    };
    match server.list(&path, of, ListParams::default()).await {
        Ok(mut found) => {
            found.retain(|template| text(template, "/spec/modelName") == model);
            Ok(found)
        }
        Err(Error::Other(error)) => Err(error.to_string()),
        Err(Error::Missing | Error::NoKind) => Err(format!("this cluster has no kind {of}")),
    }
}

/// The last events, oldest first. Those of what is in no namespace lie in `default`.
async fn events(server: &Server, kind: &Kind, object: &Value, now: Timestamp) -> String {
    let namespace = if kind.namespaced {
        server.namespace.as_str()
    } else {
        "default"
    };
    let path = format!("/api/v1/namespaces/{namespace}/events");
    let uid = text(object, "/metadata/uid");
    let params = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
    // Who may not read events sees the conditions, which say the same.
    let Ok(mut found) = server.list(&path, "Event", params).await else {
        return String::new();
    };
    let when = |event: &Value| {
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"]
            .iter()
            .map(|path| text(event, path))
            .find(|time| !time.is_empty())
            .unwrap_or_default()
    };
    found.sort_by_key(when);
    let rows: Vec<_> = found
        .iter()
        .skip(found.len().saturating_sub(EVENTS))
        .map(|event| {
            [
                text(event, "/type"),
                text(event, "/reason"),
                ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"]
                    .iter()
                    .map(|path| since(event, path, now))
                    .find(|age| !age.is_empty())
                    .unwrap_or_default(),
                [text(event, "/message"), text(event, "/note")].concat(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    table(["EVENT", "REASON", "AGE", "MESSAGE"], rows)
}
