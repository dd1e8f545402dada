//! `reeve cluster get`, `rename` and `delete`.

use reeve_api::cluster::Cluster;
use reeve_types::ClusterId;
use serde_json::json;

use crate::Context;
use crate::args::{OneCluster, RenameCluster};
use crate::commands::find;
use crate::commands::objects::{self, Object};
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/clusters";

impl Object for Cluster {
    const KIND: &'static str = "cluster";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let status = self.status.as_ref();
        let time = |at: Option<reeve_types::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        vec![
            ("CLUSTER", self.name.clone()),
            ("ID", self.uuid.to_string()),
            (
                "STATE",
                status.map(|it| it.state.as_str().to_owned()).unwrap_or_default(),
            ),
            ("SINCE", time(status.map(|it| it.state_since))),
            ("LAST HEARD", time(self.last_liveness)),
            (
                "REASON",
                status.map(|it| it.state_reason.clone()).unwrap_or_default(),
            ),
            (
                "MESSAGE",
                status.map(|it| it.state_message.clone()).unwrap_or_default(),
            ),
            ("DOMAIN", self.domain.clone().unwrap_or_default()),
        ]
    }
}

pub(in crate::commands) async fn get(context: &mut Context, one: OneCluster) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot show cluster `{}`", one.name);
    let found = find(&api, &one.name, &what).await?;
    objects::show(&mut context.printer, &found, "")
}

pub(in crate::commands) async fn rename(
    context: &mut Context,
    arguments: RenameCluster,
) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot rename cluster `{}`", arguments.name);
    let found = find(&api, &arguments.name, &what).await?;
    let path = format!("{BASE}/{}", found.uuid);
    let body = json!({"name": arguments.new_name});
    let (): () = api
        .put(&path, &body)
        .await
        .map_err(|error| error.explain(what.as_str()))?;
    let now: Cluster = api.get(&path, &[]).await.map_err(|error| error.explain(what))?;
    context.printer.answer(&now, || {
        format!("cluster `{}` is called `{}` from now on", found.name, now.name)
    })
}

pub(in crate::commands) async fn delete(context: &mut Context, one: OneCluster) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot delete cluster `{}`", one.name);
    let found = find(&api, &one.name, &what).await?;
    let path = format!("{BASE}/{}", found.uuid);
    let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
    let said = format!(
        "cluster `{}` is deleted, with its departments and projects; what runs in it stays",
        found.name
    );
    objects::deleted::<Cluster>(&mut context.printer, &[found.name()], &said)
}

/// All of them.
pub(super) async fn all(api: &Api, what: &str) -> Result<Vec<Cluster>, Failure> {
    find::silent_pages(api, BASE, &[], |all| all)
        .await
        .map_err(|error| error.explain(what))
}

async fn find(api: &Api, name: &str, what: &str) -> Result<Cluster, Failure> {
    let id = name.parse::<ClusterId>().ok();
    let all = all(api, what).await?;
    let fits = |it: &Cluster| id.map_or_else(|| it.name == name, |id| it.uuid == id);
    all.into_iter().find(fits).ok_or_else(|| {
        Failure::refused(what)
            .cause(format!("there is no cluster `{name}` that you can see"))
            .hint("`reeve cluster list` shows yours")
    })
}

/// The only one there is to see, where none was named.
pub(in crate::commands) async fn only(api: &Api, what: &str) -> Result<ClusterId, Failure> {
    match all(api, what).await?.as_slice() {
        [one] => Ok(one.uuid),
        [] => Err(Failure::refused(what).cause("there is no cluster that you can see")),
        _ => Err(Failure::failed(what)
            .cause("you can see several clusters")
            .hint("name one: --cluster ID; `reeve cluster list` shows them")),
    }
}

/// The one of this name or id.
pub(in crate::commands) async fn id(api: &Api, name: &str, what: &str) -> Result<ClusterId, Failure> {
    Ok(find(api, name, what).await?.uuid)
}
