//! Many clusters at once on one server over PostgreSQL. They are simulated (`reeve_e2e::simulated`): a task each in this process, and no
//! Kubernetes behind them, so that what is measured is the control plane.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use reeve_e2e::Database;
use reeve_e2e::simulated::{Fleet, Plane};
use serde_json::json;
use tokio::time::Instant;

use crate::figures::Series;

/// Within this all have to be current again (security.md REL-06).
const BAR: Duration = Duration::from_secs(300);
/// How long memory is given to settle.
const SETTLING: Duration = Duration::from_secs(5);

/// What was measured.
pub struct Measured {
    /// The times.
    pub series: Vec<Series>,
    /// Memory, and what is over its bar.
    pub text: String,
}

/// So many clusters connect, are told of one rule of the account, and come back after the server was killed.
///
/// # Errors
/// The server does not start, or a cluster is not there within five minutes.
pub async fn run(dir: &Path, many: usize) -> Result<Measured> {
    let mut plane = Plane::start(dir, Database::Postgres, 2 * many + 100).await?;
    let registered = plane.register(many).await?;
    let alone = plane.resident()?;

    let begun = Instant::now();
    let fleet = Fleet::dial(&plane, &registered)?;
    let connect = fleet.until_current(begun).await?;
    tokio::time::sleep(SETTLING).await;
    let connected = plane.resident()?;

    let before = fleet.standing();
    let rule = json!({"subjectType": "group", "subjectId": "all", "roleId": 9, "scopeType": "tenant", "scopeId": "1"});
    let begun = Instant::now();
    plane
        .admin
        .post("/api/v1/authorization/access-rules", rule)
        .await?
        .expect(201)?;
    let answered = begun.elapsed();
    let reached = fleet.until_moved(begun, &before).await?;

    plane.restart().await?;
    let begun = Instant::now();
    let back = fleet.until_current(begun).await?;
    tokio::time::sleep(SETTLING).await;
    let again = plane.resident()?;
    let complete = fleet.standing().iter().filter(|it| it.complete > 1).count();

    let series = vec![
        Series {
            name: "simulated clusters: dialled -> current, all at once",
            samples: connect,
        },
        Series {
            name: "simulated clusters: account rule -> cluster",
            samples: reached,
        },
        Series {
            name: "simulated clusters: server back -> current again",
            samples: back,
        },
    ];
    let mut text = format!("{many} simulated clusters, one server, PostgreSQL, all on this machine\n");
    let mebibytes = |bytes: u64| bytes / (1 << 20);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "server resident: {} MiB with no cluster connected, {} MiB with all, {} MiB after the restart; {} KiB a connection",
        mebibytes(alone),
        mebibytes(connected),
        mebibytes(again),
        connected.saturating_sub(alone) / 1024 / u64::try_from(many.max(1))?
    );
    let _ = writeln!(
        text,
        "the rule was answered after {:.1} ms; {complete} clusters were sent everything after the restart",
        answered.as_secs_f64() * 1000.0
    );
    for one in &series {
        if one.quantile(1000).is_some_and(|longest| longest > BAR) {
            let _ = writeln!(text, "{}{}", one.name, crate::figures::OVER);
        }
    }
    Ok(Measured { series, text })
}
