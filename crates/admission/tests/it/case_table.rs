//! The case table on a real API server.

use anyhow::Result;

use crate::table::{Row, rows};
use crate::test_cluster::TestCluster;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_server_and_the_predicates_judge_every_row_as_the_table_says() -> Result<()> {
    let Some(cluster) = crate::fixture::api_server().await else {
        return Ok(());
    };
    let rows = rows()?;
    let stage = TestCluster::set(&cluster, &rows, &["privileged", "restricted"]).await?;
    let all: Vec<&Row> = rows.iter().collect();
    let mut wrong = stage.try_rows(&all, "privileged").await?;
    let templates: Vec<&Row> = rows.iter().filter(|r| r.makes_pods()).collect();
    wrong.extend(stage.try_rows(&templates, "restricted").await?);
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    // Last, since the real definitions take the place of those that the table needs.
    crate::third_party::ray(&stage).await
}
