//! Many clusters at once on one server, simulated: a sample of what `make bench-clusters` runs with a thousand.

use anyhow::{Context, Result, ensure};
use reeve_e2e::Database;
use reeve_e2e::simulated::{Fleet, Plane};
use serde_json::{Value, json};
use tokio::time::Instant;

const MANY: usize = 40;
const RULES: &str = "/api/v1/authorization/access-rules";

/// How many clusters the control plane shows in each state.
async fn shown(plane: &Plane, state: &str) -> Result<usize> {
    let all = plane.admin.get("/api/v1/clusters").await?.expect(200)?;
    let all = all.as_array().context("no list")?;
    Ok(all.iter().filter(|it| it["status"]["state"] == state).count())
}

/// All connect and are told of one rule of the account and of its end; after the server was killed all are back, go on from where
/// they were, and miss nothing of what was decided meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_clusters_connect_hear_of_a_rule_and_come_back_after_a_kill() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let mut plane = Plane::start(dir.path(), Database::Sqlite, 4 * MANY).await?;
    let registered = plane.register(MANY).await?;
    ensure!(shown(&plane, "WaitingToConnect").await? == MANY);
    let begun = Instant::now();
    let fleet = Fleet::dial(&plane, &registered)?;
    fleet.until_current(begun).await?;
    ensure!(shown(&plane, "Connected").await? == MANY);

    let before = fleet.standing();
    let rule = json!({"subjectType": "group", "subjectId": "all", "roleId": 9, "scopeType": "tenant", "scopeId": "1"});
    let made: Value = plane.admin.post(RULES, rule).await?.expect(201)?;
    fleet.until_moved(begun, &before).await?;

    // While the server is down nobody hears of anything; what is decided right after its start is heard by all.
    let connections: Vec<u32> = fleet.standing().iter().map(|it| it.connections).collect();
    let begun = Instant::now();
    plane.restart().await?;
    let before = fleet.standing();
    let revoked = plane.admin.delete(&format!("{RULES}/{}", made["id"])).await?;
    revoked.expect(204)?;
    fleet.until_moved(begun, &before).await?;
    fleet.until_current(begun).await?;
    ensure!(shown(&plane, "Connected").await? == MANY);
    for (standing, before) in fleet.standing().iter().zip(connections) {
        ensure!(standing.connections > before, "it was connected anew");
        ensure!(
            standing.complete == 1,
            "and went on from where it was: {standing:?}"
        );
    }
    Ok(())
}
