//! `reeve cluster list`.

use reeve_api::cluster::Cluster;
use reeve_types::Timestamp;

use super::objects;
use crate::Context;
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::{age, table};

pub(in crate::commands) async fn run(context: &mut Context) -> Result<(), Failure> {
    let now = context.clock.now();
    let api = Api::signed_in(&context.settings, now).await?;
    let clusters = objects::all(&api, "cannot list clusters").await?;
    let names = clusters.iter().map(|cluster| format!("cluster/{}", cluster.name));
    context.printer.named(&clusters, names, || {
        if clusters.is_empty() {
            return "no clusters".to_owned();
        }
        let header = [
            "CLUSTER",
            "ID",
            "STATE",
            "SINCE",
            "LAST HEARD",
            "REASON",
            "MESSAGE",
        ];
        table(header, clusters.iter().map(|cluster| row(cluster, now)))
    })
}

/// Of one whose name alone is shown, the rest is empty.
fn row(cluster: &Cluster, now: Timestamp) -> [String; 7] {
    let ago = |at: Timestamp| age(now.as_seconds() - at.as_seconds());
    let status = cluster.status.as_ref();
    [
        cluster.name.clone(),
        cluster.uuid.to_string(),
        status.map(|it| it.state.as_str().to_owned()).unwrap_or_default(),
        status.map(|it| ago(it.state_since)).unwrap_or_default(),
        cluster.last_liveness.map(ago).unwrap_or_default(),
        status.map(|it| it.state_reason.clone()).unwrap_or_default(),
        status.map(|it| it.state_message.clone()).unwrap_or_default(),
    ]
}
