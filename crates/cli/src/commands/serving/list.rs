//! `reeve service|model|artifact list`.

use kube::api::ListParams;
use reeve_types::Timestamp;
use serde_json::Value;

use super::kind::{self, Kind, age, text};
use super::server::{Error, Server};
use crate::Context;
use crate::args::{Format, ListServed};
use crate::failure::Failure;
use crate::printer::columns;

/// Lists one kind, or several that one has to do with as one.
pub(super) async fn run(
    context: &mut Context,
    kinds: &[&'static Kind],
    arguments: &ListServed,
) -> Result<(), Failure> {
    let word = kinds.first().map_or("objects", |kind| kind.command);
    let what = format!("cannot list {word}s");
    let server = Server::connect(&arguments.within, &what).await?;
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for kind in kinds {
        let path = server.path(kind, arguments.all_namespaces);
        match server.list(&path, kind.kind, ListParams::default()).await {
            Ok(objects) => found.extend(objects.into_iter().map(|object| (*kind, object))),
            // Who may see what is the namespace's need not see what is the cluster's, nor the other way round.
            Err(Error::Other(kube::Error::Api(status))) if status.code == 403 && kinds.len() > 1 => {
                refused.push((*kind, status));
            }
            Err(error) => return Err(server.explain(error, kind, None, &what)),
        }
    }
    if refused.len() == kinds.len()
        && let Some((kind, status)) = refused.pop()
    {
        return Err(server.explain(Error::Other(kube::Error::Api(status)), kind, None, &what));
    }
    for (kind, status) in refused {
        let note = format!("reeve: {}s are not shown: {} (403)\n", kind.kind, status.message);
        context.printer.note(&note)?;
    }
    let objects: Vec<&Value> = found.iter().map(|(_, object)| object).collect();
    let names = found.iter().map(|(kind, object)| kind.named(object));
    let now = context.clock.now();
    let wide = context.printer.format() == Format::Wide;
    context.printer.named(&objects, names, || {
        if !found.is_empty() {
            return shown(&found, arguments.all_namespaces, wide, now);
        }
        if arguments.all_namespaces {
            format!("no {word}s")
        } else {
            format!("no {word}s in the namespace `{}`", server.namespace)
        }
    })
}

fn shown(found: &[(&Kind, Value)], everywhere: bool, wide: bool, now: Timestamp) -> String {
    // One that lies in no namespace is marked as such where others lie in some.
    let scoped = found.iter().any(|(kind, _)| !kind.namespaced) || everywhere;
    let row = |(kind, object): &(&Kind, Value)| {
        let mut row = Vec::new();
        if scoped {
            let namespace = text(object, "/metadata/namespace");
            row.push((
                "NAMESPACE",
                if kind.namespaced {
                    namespace
                } else {
                    "(cluster)".to_owned()
                },
            ));
        }
        row.push(("NAME", kind::name(object)));
        row.extend(kind.cells(object, wide));
        row.push(("AGE", age(object, now)));
        row
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let header: Vec<&str> = rows
        .first()
        .into_iter()
        .flatten()
        .map(|(head, _)| *head)
        .collect();
    columns(
        &header,
        rows.into_iter()
            .map(|row| row.into_iter().map(|(_, cell)| cell).collect()),
    )
}
