//! Writers of rules, and what they were told.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reeve_e2e::{Answer, Rest, Stack, organization};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::RULES;
use crate::harness::fresh;

/// How far the writers are.
pub(super) struct Progress {
    /// A permit a change. Taken once, however often the change must be tried.
    pub(super) permits: Semaphore,
    pub(super) answered: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
    /// Requests that reached the server and got no answer.
    pub(super) cut: AtomicUsize,
}

impl Progress {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            permits: Semaphore::new(0),
            answered: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            cut: AtomicUsize::new(0),
        })
    }

    /// Waits until so many changes are answered; what is in the way may take a while to come back.
    pub(super) async fn until_however_long(
        &self,
        answered: usize,
        writers: &mut JoinSet<Result<()>>,
    ) -> Result<()> {
        let mut last = self.until(answered, writers).await;
        for _ in 0..2 {
            if last.is_ok() {
                break;
            }
            last = self.until(answered, writers).await;
        }
        last
    }

    /// Waits until so many changes are answered, asking often: the moment counts.
    pub(super) async fn until(&self, answered: usize, writers: &mut JoinSet<Result<()>>) -> Result<()> {
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

/// Three projects with rules that stay, of every kind of subject; a person and a group of one name among them, in
/// different places.
pub(super) async fn make_projects(stack: &Stack) -> Result<Vec<String>> {
    let department = organization::create_department(stack, &fresh("dept")).await?;
    let mut projects = Vec::new();
    for _ in 0..3 {
        projects.push(organization::create_project(stack, &fresh("proj"), &department).await?);
    }
    let name = fresh("app");
    organization::create_application(&stack.admin, &name).await?;
    let twins = organization::create_user(&stack.admin, &fresh("twins"), None)
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
        organization::create_rule(&stack.admin, kind, subject, role, scope, id).await?;
    }
    Ok(projects)
}

/// What a writer was told.
#[derive(Default)]
pub(super) struct Book {
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
    pub(super) fn must_be_kept_in(&self, ids: &BTreeSet<i64>) -> Result<()> {
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

pub(super) fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes and deletes rules as long as there are permits.
struct Writer {
    admin: Rest,
    projects: Vec<String>,
    random: StdRng,
    progress: Arc<Progress>,
    book: Arc<Mutex<Book>>,
}

/// Starts writers; what each was told.
pub(super) fn start_writers(
    count: u64,
    seed: u64,
    admin: &Rest,
    projects: &[String],
    progress: &Arc<Progress>,
    writers: &mut JoinSet<Result<()>>,
) -> Vec<Arc<Mutex<Book>>> {
    let mut books = Vec::new();
    for number in 0..count {
        let book = Arc::<Mutex<Book>>::default();
        books.push(Arc::clone(&book));
        let writer = Writer {
            admin: admin.clone(),
            projects: projects.to_vec(),
            random: StdRng::seed_from_u64(seed * 1000 + number),
            progress: Arc::clone(progress),
            book,
        };
        writers.spawn(writer.run());
    }
    books
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
        let mut outcome = match victim {
            Some(id) => self.admin.delete(&format!("{RULES}/{id}")).await,
            None => self.admin.post(RULES, body).await,
        };
        if let (Some(id), Ok(Answer { status: 404, .. })) = (victim, &outcome) {
            // Another process may have made the rule a moment ago: after a second each one knows it.
            tokio::time::sleep(Duration::from_secs(1)).await;
            outcome = self.admin.delete(&format!("{RULES}/{id}")).await;
        }
        self.progress.in_flight.fetch_sub(1, Ordering::SeqCst);
        let mut book = lock(&self.book);
        match (outcome, victim) {
            // The database is away: whether it was done is not known.
            (Ok(Answer { status: 503, .. }), victim) => {
                book.unsure.extend(victim);
                return Ok(false);
            }
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
