//! The stack under the clock: how long until a rule counts, and until it counts no more.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::Api;
use reeve_e2e::{Organization, Replica, Stack, organization};

use crate::figures::{Series, now};
use crate::seed;
use crate::watch::{Watch, until_answered};

/// What the times of rules are called: how long until one is a RoleBinding, until a deleted one is none, and until it is refused by REST.
type RuleNames = [&'static str; 3];

const ALONE: RuleNames = [
    "rule -> RoleBinding",
    "revocation -> RoleBinding",
    "revocation -> refused by REST",
];
const AMONG_MANY: RuleNames = [
    "rule -> RoleBinding, among 50,000 rules",
    "revocation -> RoleBinding, among 50,000 rules",
    "revocation -> refused by REST, among 50,000 rules",
];

/// Rule → RoleBinding, revocation → RoleBinding and → REST, `rounds` times, and what the disk takes meanwhile. The two ends of a
/// revocation are awaited at once, from one start.
///
/// # Errors
/// The stack refuses, or a change does not arrive within 60 s.
pub async fn rules(stack: &Stack, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    rules_called(ALONE, stack, organization, rounds).await
}

/// The same with 10,000 projects, 50,000 rules and 20,000 users of another cluster on the control plane, which are there from here on.
///
/// # Errors
/// As [`rules`]; or the server does not start with them.
pub async fn rules_among_many(
    stack: &mut Stack,
    organization: &Organization,
    rounds: usize,
) -> Result<Vec<Series>> {
    seed::make_one_of_each(&stack.admin).await?;
    stack.kill_server()?;
    let file = stack.data_dir(Replica::First).join("reeve.db");
    let database =
        rusqlite::Connection::open(&file).with_context(|| format!("opening `{}`", file.display()))?;
    for statement in seed::STATEMENTS {
        database.execute_batch(statement)?;
    }
    database.close().map_err(|(_, error)| error)?;
    stack.start_server().await?;
    let mut all = rules_called(AMONG_MANY, stack, organization, rounds).await?;
    // The disk is the same.
    all.truncate(AMONG_MANY.len());
    Ok(all)
}

async fn rules_called(
    names_of: RuleNames,
    stack: &Stack,
    organization: &Organization,
    rounds: usize,
) -> Result<Vec<Series>> {
    let robots = organization.projects.get("robots").context("project robots")?;
    let person = organization::create_user(&stack.admin, "bench", None).await?;
    let caller = stack.admin.sign_in(&person.username, &person.password).await?;
    let bindings: Api<RoleBinding> = Api::namespaced(stack.cluster.client().await?, "reeve-robots");
    let [mut arrives, mut leaves, mut refused] = names_of.map(Series::new);
    let reading = format!("/api/v1/org-unit/projects/{robots}");
    let mut disk = Disk::beside(&stack.data_dir(Replica::First))?;
    for _ in 0..rounds {
        disk.wait()?;
        let mut watch = Watch::open(&bindings, "").await?;
        let started = now();
        let rule = organization::create_rule(
            &stack.admin,
            "user",
            &person.username,
            "L1 researcher",
            "project",
            robots,
        )
        .await?;
        watch
            .until("the new binding", |b, gone| {
                Ok(names(b, gone, &person.username) == Some(true))
            })
            .await?;
        arrives.samples.push(started.elapsed());

        let mut watch = Watch::open(&bindings, "").await?;
        let started = now();
        let path = format!("/api/v1/authorization/access-rules/{rule}");
        let revoke = async { stack.admin.delete(&path).await?.expect(204).map(drop) };
        let by_rest = async {
            // Not before the revocation is acknowledged: until then an answer of before is no wrong one.
            revoke.await?;
            until_answered(&caller, &reading, 403).await?;
            anyhow::Ok(started.elapsed())
        };
        let in_cluster = async {
            watch
                .until("the binding to lose its subject", |b, gone| {
                    Ok(names(b, gone, &person.username) == Some(false))
                })
                .await?;
            anyhow::Ok(started.elapsed())
        };
        let (rest, binding) = tokio::try_join!(by_rest, in_cluster)?;
        refused.samples.push(rest);
        leaves.samples.push(binding);
    }
    disk.remove()?;
    Ok(vec![arrives, leaves, refused, disk.waits])
}

/// How long the server's disk takes to keep what an answer to a change waits for: its floor, in the same run and amid the same load.
struct Disk {
    path: PathBuf,
    file: File,
    waits: Series,
}

impl Disk {
    fn beside(server: &Path) -> Result<Self> {
        let path = server.join("bench-disk");
        let file = File::create(&path).with_context(|| format!("making `{}`", path.display()))?;
        let waits = Series::new("two waits for the server's disk, for scale");
        Ok(Self { path, file, waits })
    }

    /// A page appended and one written where it stands, each waited for: what a change costs on SQLite.
    fn wait(&mut self) -> Result<()> {
        let page = [7; 4096];
        let started = now();
        let end = self.file.metadata()?.len();
        self.file.write_all_at(&page, end)?;
        self.file.sync_data()?;
        self.file.write_all_at(&page, 0)?;
        self.file.sync_data()?;
        self.waits.samples.push(started.elapsed());
        Ok(())
    }

    fn remove(&self) -> Result<()> {
        std::fs::remove_file(&self.path).with_context(|| format!("removing `{}`", self.path.display()))
    }
}

/// Whether a binding of the role that we give and take names somebody; `None` for bindings of other roles.
fn names(binding: &RoleBinding, gone: bool, subject: &str) -> Option<bool> {
    let named = || binding.subjects.iter().flatten().any(|s| s.name == subject);
    (binding.role_ref.name == "reeve-l1-researcher").then(|| !gone && named())
}
