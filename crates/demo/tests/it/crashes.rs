//! Power failures and absences: nothing that was acknowledged is lost, and the cluster becomes what the database says.

mod backup;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use rand::{RngExt, SeedableRng};
use reeve_demo::{Rest, Road, organization};
use reeve_testkit::{Tier, wait_for, wait_until};
use serde_json::{Value, json};

use crate::harness::{fresh, on_a_road_of_its_own};

const CHANGES: usize = 200;
const KILLS: usize = 5;
const WRITERS: u64 = 4;

#[test]
fn after_five_kills_of_the_server_the_cluster_equals_the_database() {
    on_a_road_of_its_own("kill-server", Tier::ApiServer, async |road| {
        let cut = kill_in_the_middle(road, 7, async |road: &mut Road| {
            road.kill_server()?;
            road.start_server().await
        })
        .await?;
        ensure!(cut > 0, "no request was in flight when the server was killed");
        Ok(())
    });
}

#[test]
fn after_five_kills_of_the_operator_the_cluster_equals_the_database() {
    on_a_road_of_its_own("kill-operator", Tier::ApiServer, async |road| {
        kill_in_the_middle(road, 11, async |road: &mut Road| {
            road.kill_operator()?;
            road.start_operator().await
        })
        .await?;
        Ok(())
    });
}

/// How far the writers are, and how far they may go before the next kill.
#[derive(Default)]
struct Progress {
    answered: AtomicUsize,
    allowed: AtomicUsize,
}

/// Four writers make and delete rules without pause, 200 changes in all, while `kill` strikes at seeded points of their way.
/// Answers how many requests were cut off.
async fn kill_in_the_middle(
    mut road: Road,
    seed: u64,
    kill: impl AsyncFn(&mut Road) -> Result<()>,
) -> Result<usize> {
    let department = organization::create_department(&road, &fresh("dept")).await?;
    let mut projects = Vec::new();
    for _ in 0..3 {
        projects.push(organization::create_project(&road, &fresh("proj"), &department).await?);
    }
    let progress = Arc::new(Progress::default());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let random = rand::rngs::StdRng::seed_from_u64(seed * 1000 + writer);
            tokio::spawn(change_rules(
                road.admin.clone(),
                projects.clone(),
                random,
                progress.clone(),
            ))
        })
        .collect();
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let share = CHANGES / KILLS;
    for round in 0..KILLS {
        let at = round * share + random.random_range(3..share - 12);
        // Beyond the kill there is still something to do, or nothing would be in flight when it strikes.
        progress.allowed.store((round + 1) * share, Ordering::SeqCst);
        let answered = || progress.answered.load(Ordering::SeqCst);
        let moment = async {
            while answered() < at {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), moment)
            .await
            .with_context(|| format!("the writers stopped after {} changes", answered()))?;
        kill(&mut road).await?;
    }
    let mut acknowledged = Acknowledged::default();
    for writer in writers {
        let of_one = writer.await??;
        acknowledged.made.extend(of_one.made);
        acknowledged.deleted.extend(of_one.deleted);
        acknowledged.unsure.extend(of_one.unsure);
        acknowledged.cut += of_one.cut;
    }
    let answered = progress.answered.load(Ordering::SeqCst);
    ensure!(answered >= CHANGES, "only {answered} changes were answered");

    // Every acknowledged id is there, every acknowledged deletion is done.
    let listed = all_rules(&road.admin).await?;
    let ids: BTreeSet<i64> = listed.iter().filter_map(|rule| rule["id"].as_i64()).collect();
    for id in &acknowledged.made {
        ensure!(
            ids.contains(id) || acknowledged.unsure.contains(id),
            "acknowledged rule {id} is lost"
        );
    }
    for id in &acknowledged.deleted {
        ensure!(!ids.contains(id), "rule {id} came back");
    }
    wait_for(
        Duration::from_secs(60),
        "the cluster to equal the database",
        async || {
            let wanted = wanted_subjects(&road.admin, &listed).await?;
            let found = bound_subjects(&road).await?;
            ensure!(
                wanted == found,
                "missing {:?}, too many {:?}",
                wanted.difference(&found).collect::<Vec<_>>(),
                found.difference(&wanted).collect::<Vec<_>>()
            );
            Ok(Some(()))
        },
    )
    .await?;
    Ok(acknowledged.cut)
}

#[derive(Default)]
struct Acknowledged {
    made: BTreeSet<i64>,
    deleted: BTreeSet<i64>,
    /// Deletions that got no answer: they may or may not have happened.
    unsure: BTreeSet<i64>,
    /// Requests that reached the server and got no answer. A creation among them may have made a rule whose id nobody
    /// knows: it counts as the database's, and the cluster must have it.
    cut: usize,
}

impl Acknowledged {
    fn unanswered(&mut self, error: &anyhow::Error) {
        let refused = error
            .downcast_ref::<reqwest::Error>()
            .is_some_and(reqwest::Error::is_connect);
        self.cut += usize::from(!refused);
    }
}

async fn change_rules(
    admin: Rest,
    projects: Vec<String>,
    mut random: rand::rngs::StdRng,
    progress: Arc<Progress>,
) -> Result<Acknowledged> {
    let mut all = Acknowledged::default();
    loop {
        let answered = progress.answered.load(Ordering::SeqCst);
        if answered >= CHANGES {
            return Ok(all);
        }
        if answered >= progress.allowed.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(2)).await;
            continue;
        }
        let project = &projects[random.random_range(0..projects.len())];
        let victim = all
            .made
            .iter()
            .nth(random.random_range(0..all.made.len().max(1)))
            .copied();
        let outcome = if let (Some(victim), true) = (victim, random.random_bool(0.35)) {
            let path = format!("/api/v1/authorization/access-rules/{victim}");
            let outcome = admin.delete(&path).await;
            match &outcome {
                Ok(answer) => {
                    let gone_before = answer.status == 404 && all.unsure.contains(&victim);
                    ensure!(
                        answer.status == 204 || gone_before,
                        "deleting rule {victim}: {answer:?}"
                    );
                    all.made.remove(&victim);
                    all.unsure.remove(&victim);
                    all.deleted.insert(victim);
                }
                Err(_) => drop(all.unsure.insert(victim)),
            }
            outcome
        } else {
            let role = if random.random_bool(0.5) { 5 } else { 9 };
            let body = json!({"subjectType": "group", "subjectId": fresh("group"), "roleId": role,
                "scopeType": "project", "scopeId": project});
            let outcome = admin.post("/api/v1/authorization/access-rules", body).await;
            if let Ok(answer) = &outcome {
                let made = answer.clone().expect(201)?;
                all.made.insert(made["id"].as_i64().context("no id")?);
            }
            outcome
        };
        match outcome {
            Ok(_) => drop(progress.answered.fetch_add(1, Ordering::SeqCst)),
            Err(error) => {
                all.unanswered(&error);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

async fn all_rules(admin: &Rest) -> Result<Vec<Value>> {
    let mut rules = Vec::new();
    loop {
        let path = format!(
            "/api/v1/authorization/access-rules?limit=500&offset={}",
            rules.len()
        );
        let page = admin.get(&path).await?.expect(200)?;
        let items = page["accessRules"].as_array().cloned().unwrap_or_default();
        if items.is_empty() {
            return Ok(rules);
        }
        rules.extend(items);
    }
}

/// namespace, role and subject of every project rule in the database.
async fn wanted_subjects(admin: &Rest, rules: &[Value]) -> Result<BTreeSet<(String, String, String)>> {
    let projects = admin
        .get("/api/v1/org-unit/projects?limit=500")
        .await?
        .expect(200)?;
    let mut wanted = BTreeSet::new();
    for project in projects["projects"].as_array().into_iter().flatten() {
        let namespace = project["status"]["namespace"].as_str().unwrap_or_default();
        for rule in rules {
            let reaches = rule["scopeType"] == "tenant"
                || (rule["scopeType"] == "project" && rule["scopeId"] == project["id"]);
            if reaches {
                let role = rule["roleName"]
                    .as_str()
                    .unwrap_or_default()
                    .to_lowercase()
                    .replace(' ', "-");
                wanted.insert((
                    namespace.to_owned(),
                    format!("reeve-{role}"),
                    rule["subjectId"].as_str().unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    Ok(wanted)
}

async fn bound_subjects(road: &Road) -> Result<BTreeSet<(String, String, String)>> {
    let bindings: Api<RoleBinding> = Api::all(road.cluster.client().await?);
    let list = bindings
        .list(&ListParams::default().labels("reeve.dev/managed=access-rules"))
        .await?;
    let mut found = BTreeSet::new();
    for binding in list {
        for subject in binding.subjects.unwrap_or_default() {
            found.insert((
                binding.metadata.namespace.clone().unwrap_or_default(),
                binding.role_ref.name.clone(),
                subject.name,
            ));
        }
    }
    Ok(found)
}

#[test]
fn without_the_server_the_operator_repairs_and_then_catches_up_revocations_first() {
    on_a_road_of_its_own("absence", Tier::ApiServer, async |mut road| {
        let department = organization::create_department(&road, &fresh("dept")).await?;
        let name = fresh("proj");
        let project = organization::create_project(&road, &name, &department).await?;
        let namespace = format!("reeve-{name}");
        let stays =
            organization::create_rule(&road.admin, "group", "stays", "Viewer", "project", &project).await?;
        let goes =
            organization::create_rule(&road.admin, "group", "goes", "L1 researcher", "project", &project)
                .await?;
        let bindings: Api<RoleBinding> = Api::namespaced(road.cluster.client().await?, &namespace);
        for role in ["reeve-viewer", "reeve-l1-researcher"] {
            wait_until(role, async || Ok(bindings.get_opt(role).await?)).await?;
        }

        road.kill_server()?;
        bindings.delete("reeve-viewer", &DeleteParams::default()).await?;
        wait_until("the binding to be repaired without the server", async || {
            Ok(bindings.get_opt("reeve-viewer").await?)
        })
        .await?;

        // The operator is away while a rule goes and another comes; then it catches up.
        road.start_server().await?;
        road.kill_operator()?;
        road.admin
            .delete(&format!("/api/v1/authorization/access-rules/{goes}"))
            .await?
            .expect(204)?;
        organization::create_rule(
            &road.admin,
            "group",
            "comes",
            "System administrator",
            "project",
            &project,
        )
        .await?;
        let mark = road.cluster.audit_mark();
        road.start_operator().await?;
        wait_until("the late rule to arrive", async || {
            Ok(bindings.get_opt("reeve-system-administrator").await?)
        })
        .await?;
        wait_until("the revoked binding to go", async || {
            Ok(bindings
                .get_opt("reeve-l1-researcher")
                .await?
                .is_none()
                .then_some(()))
        })
        .await?;
        // Order of arrival in the cluster: the deletion of the AccessRule before the new one.
        let events = road.cluster.audit_events_since(mark)?;
        let position = |verbs: &[&str]| {
            events.iter().position(|e| {
                e.resource == "accessrules"
                    && e.subresource.is_empty()
                    && verbs.contains(&e.verb.as_str())
                    && e.code < 300
                    && e.stage == "ResponseComplete"
            })
        };
        let (deleted, written) = (
            position(&["delete"]).context("no deletion")?,
            position(&["create", "patch"]).context("no write")?,
        );
        ensure!(
            deleted < written,
            "the new rule was written before the revocation"
        );
        ensure!(
            bindings.get_opt("reeve-viewer").await?.is_some(),
            "rule {stays} lost its binding"
        );
        Ok(())
    });
}
