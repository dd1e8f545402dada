//! SIGKILLs in the middle of changes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reeve_e2e::{Answer, Rest, Road, organization};
use reeve_testkit::{Tier, wait_until};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{RULES, all_rules, found, until_the_cluster_equals_the_database, wanted};
use crate::harness::{fresh, on_a_road_of_its_own, revision_lag, signal};

const CHANGES: usize = 200;
const KILLS: usize = 5;
const SHARE: usize = CHANGES / KILLS;
const WRITERS: u64 = 4;

#[test]
fn after_each_of_five_kills_of_the_server_with_requests_in_flight_the_cluster_equals_the_database() {
    on_a_road_of_its_own("kill-server", Tier::ApiServer, async |road| {
        kill_in_the_middle(road, 7, async |road, progress| {
            // Stopped wherever it is, so that what is in flight stays so, and then never let go on.
            signal(road.server(), Signal::SIGSTOP)?;
            wait_until("a request to be in flight", async || {
                Ok((progress.in_flight.load(Ordering::SeqCst) > 0).then_some(()))
            })
            .await?;
            let before = progress.cut.load(Ordering::SeqCst);
            road.kill_server()?;
            wait_until("what was in flight to be cut off", async || {
                Ok((progress.cut.load(Ordering::SeqCst) > before).then_some(()))
            })
            .await?;
            road.start_server().await
        })
        .await
    });
}

#[test]
fn after_each_of_five_kills_of_the_operator_with_work_pending_the_cluster_equals_the_database() {
    on_a_road_of_its_own("kill-operator", Tier::ApiServer, async |road| {
        kill_in_the_middle(road, 11, async |road, _| {
            // Stopped wherever it is, so that what the writers are answered from now on is surely not done when it dies.
            signal(road.operator(), Signal::SIGSTOP)?;
            wait_until("the operator to be behind the database", async || {
                let lag = revision_lag(road).await?;
                ensure!(lag >= 1.0, "no revision is pending");
                let differs = wanted(&road.admin).await? != found(road).await?;
                Ok(differs.then_some(()))
            })
            .await?;
            road.kill_operator()?;
            road.start_operator().await
        })
        .await
    });
}

/// How far the writers are.
struct Progress {
    /// A permit a change. Taken once, however often the change must be tried.
    permits: Semaphore,
    answered: AtomicUsize,
    in_flight: AtomicUsize,
    /// Requests that reached the server and got no answer.
    cut: AtomicUsize,
}

impl Progress {
    /// Waits until so many changes are answered, asking often: the moment counts.
    async fn until(&self, answered: usize, writers: &mut JoinSet<Result<()>>) -> Result<()> {
        let now = || self.answered.load(Ordering::SeqCst);
        let moment = async {
            while now() < answered {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), moment)
            .await
            .is_ok()
        {
            return Ok(());
        }
        if let Some(ended) = writers.try_join_next() {
            ended??;
        }
        anyhow::bail!("the writers stopped after {} of {answered} changes", now())
    }
}

/// Four writers make and delete rules without pause, 200 changes in all, while `strike` kills and starts again at seeded
/// points of their way. After every start the cluster must become what the database says.
async fn kill_in_the_middle(
    mut road: Road,
    seed: u64,
    strike: impl AsyncFn(&mut Road, &Progress) -> Result<()>,
) -> Result<()> {
    let projects = make_projects(&road).await?;
    let progress = Arc::new(Progress {
        permits: Semaphore::new(0),
        answered: AtomicUsize::new(0),
        in_flight: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
    });
    let mut writers = JoinSet::new();
    let mut books = Vec::new();
    for number in 0..WRITERS {
        let book = Arc::<Mutex<Book>>::default();
        books.push(Arc::clone(&book));
        let writer = Writer {
            admin: road.admin.clone(),
            projects: projects.clone(),
            random: StdRng::seed_from_u64(seed * 1000 + number),
            progress: Arc::clone(&progress),
            book,
        };
        writers.spawn(writer.run());
    }
    let mut random = StdRng::seed_from_u64(seed);
    for round in 0..KILLS {
        // Beyond the kill there is still something to do, or nothing would be pending when it strikes.
        let at = round * SHARE + random.random_range(3..SHARE - 12);
        progress.permits.add_permits(SHARE);
        progress.until(at, &mut writers).await?;
        strike(&mut road, &progress)
            .await
            .with_context(|| format!("kill {} at {at} changes", round + 1))?;
        progress.until((round + 1) * SHARE, &mut writers).await?;
        let ids: BTreeSet<i64> = all_rules(&road.admin)
            .await?
            .iter()
            .filter_map(|rule| rule["id"].as_i64())
            .collect();
        for book in &books {
            lock(book).must_be_kept_in(&ids)?;
        }
        until_the_cluster_equals_the_database(&road)
            .await
            .with_context(|| format!("after kill {} at {at} changes", round + 1))?;
    }
    progress.permits.close();
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    let answered = progress.answered.load(Ordering::SeqCst);
    ensure!(answered == CHANGES, "{answered} changes were answered");
    Ok(())
}

/// Three projects with rules that stay, of every kind of subject; a person and a group of one name among them, in
/// different places.
async fn make_projects(road: &Road) -> Result<Vec<String>> {
    let department = organization::create_department(road, &fresh("dept")).await?;
    let mut projects = Vec::new();
    for _ in 0..3 {
        projects.push(organization::create_project(road, &fresh("proj"), &department).await?);
    }
    let name = fresh("app");
    organization::create_application(&road.admin, &name).await?;
    let twins = organization::create_user(&road.admin, &fresh("twins"), None)
        .await?
        .username;
    for (kind, subject, role, scope, id) in [
        (
            "service-account",
            name.as_str(),
            "Viewer",
            "department",
            &department,
        ),
        ("user", twins.as_str(), "Viewer", "project", &projects[0]),
        ("group", twins.as_str(), "Viewer", "project", &projects[1]),
    ] {
        organization::create_rule(&road.admin, kind, subject, role, scope, id).await?;
    }
    Ok(projects)
}

/// What a writer was told.
#[derive(Default)]
struct Book {
    made: BTreeSet<i64>,
    deleted: BTreeSet<i64>,
    /// Deletions that got no answer: they may or may not have happened. A creation without an answer may have made a rule
    /// whose id nobody knows: it counts as the database's, and the cluster must have it.
    unsure: BTreeSet<i64>,
}

impl Book {
    fn deletion_answered(&mut self, id: i64, answer: &Answer) -> Result<()> {
        let gone_before = answer.status == 404 && self.unsure.contains(&id);
        ensure!(
            answer.status == 204 || gone_before,
            "deleting rule {id}: {answer:?}"
        );
        self.made.remove(&id);
        self.unsure.remove(&id);
        self.deleted.insert(id);
        Ok(())
    }

    /// Every acknowledged id is there, every acknowledged deletion is done.
    fn must_be_kept_in(&self, ids: &BTreeSet<i64>) -> Result<()> {
        let lost: Vec<_> = self
            .made
            .iter()
            .filter(|id| !ids.contains(id) && !self.unsure.contains(id))
            .collect();
        ensure!(lost.is_empty(), "acknowledged rules are lost: {lost:?}");
        let back: Vec<_> = self.deleted.intersection(ids).collect();
        ensure!(back.is_empty(), "deleted rules came back: {back:?}");
        Ok(())
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Writer {
    admin: Rest,
    projects: Vec<String>,
    random: StdRng,
    progress: Arc<Progress>,
    book: Arc<Mutex<Book>>,
}

impl Writer {
    async fn run(mut self) -> Result<()> {
        let progress = Arc::clone(&self.progress);
        while let Ok(permit) = progress.permits.acquire().await {
            permit.forget();
            while !self.is_answered().await? {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            progress.answered.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Sends a change; false when no answer came.
    async fn is_answered(&mut self) -> Result<bool> {
        let victim = self.victim();
        let body = self.new_rule();
        self.progress.in_flight.fetch_add(1, Ordering::SeqCst);
        let outcome = match victim {
            Some(id) => self.admin.delete(&format!("{RULES}/{id}")).await,
            None => self.admin.post(RULES, body).await,
        };
        self.progress.in_flight.fetch_sub(1, Ordering::SeqCst);
        let mut book = lock(&self.book);
        match (outcome, victim) {
            (Ok(answer), Some(id)) => book.deletion_answered(id, &answer)?,
            (Ok(answer), None) => {
                let made = answer.expect(201)?;
                book.made.insert(made["id"].as_i64().context("no id")?);
            }
            (Err(error), victim) => {
                book.unsure.extend(victim);
                let refused = error
                    .downcast_ref::<reqwest::Error>()
                    .is_some_and(reqwest::Error::is_connect);
                let cut = usize::from(!refused);
                self.progress.cut.fetch_add(cut, Ordering::SeqCst);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One of three changes or so is the end of a rule of this writer's.
    fn victim(&mut self) -> Option<i64> {
        if !self.random.random_bool(0.35) {
            return None;
        }
        let book = lock(&self.book);
        let count = book.made.len();
        let nth = self.random.random_range(0..count.max(1));
        book.made.iter().nth(nth).copied()
    }

    fn new_rule(&mut self) -> serde_json::Value {
        let role = if self.random.random_bool(0.5) { 5 } else { 9 };
        let project = &self.projects[self.random.random_range(0..self.projects.len())];
        json!({"subjectType": "group", "subjectId": fresh("group"), "roleId": role, "scopeType": "project", "scopeId": project})
    }
}
