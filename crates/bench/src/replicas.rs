//! How long a revocation through one of two servers over a PostgreSQL takes until the other refuses. No Kubernetes.

use std::path::Path;

use anyhow::{Context, Result};
use reeve_e2e::simulated::Plane;
use reeve_e2e::{Database, Replica, Rest, organization};
use serde_json::json;

use crate::figures::{Series, now};
use crate::watch::until_answered;

/// More connections than are opened.
const CONNECTIONS: usize = 100;
const DEPARTMENTS: &str = "/api/v1/org-unit/departments";

/// A rule deleted through the first server, `rounds` times: until that is answered, until the first refuses who had it, and until the second
/// does. Both are asked all the time, on connections of their own, and the clock begins before the deletion is sent.
///
/// # Errors
/// A server does not start or refuses what it should not, or a revocation does not arrive within 60 s.
pub async fn run(dir: &Path, rounds: usize) -> Result<Vec<Series>> {
    let plane = Plane::start(dir, Database::Replicas, CONNECTIONS).await?;
    let admin = plane.at(Replica::First)?.with_token(plane.admin.token());
    let cluster = plane.register(1).await?;
    let cluster = cluster.first().context("a cluster")?;
    let body = json!({"name": "vision", "clusterId": cluster.id, "resources": []});
    let department = admin.post(DEPARTMENTS, body).await?.expect(201)?;
    let department = department
        .get("id")
        .and_then(|id| id.as_str())
        .context("a department without an id")?;
    let person = organization::create_user(&admin, "bench", None).await?;
    let hers = admin.sign_in(&person.username, &person.password).await?;
    let reading = format!("{DEPARTMENTS}/{department}");
    let there = plane.at(Replica::Second)?.with_token(hers.token());

    let mut answered = Series::new("revocation through one server -> answered");
    let mut here = Series::new("revocation through one server -> refused by it");
    let mut beside = Series::new("revocation through one server -> refused by the other");
    for _ in 0..rounds {
        let subject = &person.username;
        let rule = organization::create_rule(
            &admin,
            "user",
            subject,
            "Department viewer",
            "department",
            department,
        )
        .await?;
        let [here_too, there_too] = [&hers, &there].map(|who| until_answered(who, &reading, 200));
        tokio::try_join!(here_too, there_too)?;
        let path = format!("/api/v1/authorization/access-rules/{rule}");
        let started = now();
        let revoked = async {
            admin.delete(&path).await?.expect(204)?;
            anyhow::Ok(started.elapsed())
        };
        let refused = async |who: &Rest| {
            until_answered(who, &reading, 403).await?;
            anyhow::Ok(started.elapsed())
        };
        let (acknowledged, first, second) = tokio::try_join!(revoked, refused(&hers), refused(&there))?;
        answered.samples.push(acknowledged);
        here.samples.push(first);
        beside.samples.push(second);
    }
    Ok(vec![answered, here, beside])
}
