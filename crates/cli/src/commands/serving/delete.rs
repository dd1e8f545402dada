//! `reeve service|model|artifact delete`.

use serde_json::json;
use tokio::time::Instant;

use super::kind::{Kind, text};
use super::server::Server;
use super::wait;
use crate::Context;
use crate::args::DeleteServed;
use crate::failure::Failure;

pub(super) async fn run(
    context: &mut Context,
    kind: &'static Kind,
    arguments: &DeleteServed,
) -> Result<(), Failure> {
    let of = |name: &str| format!("cannot delete the {} `{name}`", kind.command);
    let first = arguments.names.first().map_or("", String::as_str);
    let server = Server::connect(&arguments.within, &of(first)).await?;
    let path = server.path(kind, false);
    for name in &arguments.names {
        let what = of(name);
        let explain = |error| server.explain(error, kind, Some(name), &what);
        let found = if arguments.patience.wait {
            Some(server.get(&path, name).await.map_err(explain)?)
        } else {
            None
        };
        server.delete(&path, name).await.map_err(explain)?;
        let said = match found {
            Some(found) => {
                let uid = text(&found, "/metadata/uid");
                let deadline = Instant::now() + arguments.patience.timeout;
                wait::gone(&server, kind, name, Some(&uid), deadline, &what).await?;
                format!("deleted the {} `{name}`", kind.command)
            }
            None => format!("the {} `{name}` is being deleted", kind.command),
        };
        let named = [format!("{}/{name}", kind.word)];
        context
            .printer
            .named(&json!({"deleted": [name]}), named, || said)?;
    }
    Ok(())
}
