//! One stack for all tests, and what each test makes for itself on it.

mod objects;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use kube::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_e2e::organization::{self, Person};
use reeve_e2e::{Answer, Database, Options, Process, Rest, Stack};
use reeve_testkit::Tier;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

pub(crate) use objects::{
    bare_job, change_settings, create, delete, deployment, merge, must_be_refused, output_of, patch, refusal,
};

/// Tests that have a stack to themselves come one after the other: two cores carry two Kubernetes, not five.
static OWN_STACKS: Semaphore = Semaphore::const_new(1);

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

/// Runs a test on the shared stack; without a cluster it says of this very test why it was skipped.
pub(crate) fn on_the_stack<F: Future<Output = Result<()>>>(test: impl FnOnce(&'static Stack) -> F) {
    static STACK: OnceLock<Result<Stack, String>> = OnceLock::new();
    let stack = STACK.get_or_init(|| {
        // Programs end with the thread that started them: this one stays until the last test is over.
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let options = Options::new(folder("shared"), Tier::Node);
            let stack = runtime().block_on(async {
                let stack = Stack::up_or_reason(options).await?;
                if let Ok(stack) = &stack {
                    wait_until_policies_count(stack).await?;
                }
                anyhow::Ok(stack)
            });
            let _ = send.send(stack);
            loop {
                std::thread::park();
            }
        });
        receive
            .recv()
            .expect("starting the stack panicked")
            .expect("the stack comes up")
    });
    match stack {
        Ok(stack) => finish(test(stack)),
        Err(why) => reeve_testkit::skip(why),
    }
}

/// The API server takes up to some seconds from a policy's creation to its first refusal.
pub(crate) async fn wait_until_policies_count(stack: &Stack) -> Result<()> {
    let kubectl = stack.cluster.kubectl();
    let settings = r#"{"spec":{"enforceRunAsUser":false}}"#;
    for (policy, attempt) in [
        (
            "R11",
            vec![
                "label",
                "namespace",
                "default",
                "reeve.dev/project=x",
                "--dry-run=server",
            ],
        ),
        (
            "R13",
            vec![
                "patch",
                "reeveconfigs.reeve.dev",
                "reeve",
                "--type=merge",
                "-p",
                settings,
                "--dry-run=server",
            ],
        ),
    ] {
        reeve_testkit::wait_until("the policies to be in force", async || {
            let answer = kubectl.run(&attempt)?;
            Ok(String::from_utf8_lossy(&answer.stderr)
                .contains(policy)
                .then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Runs a test on a stack of its own.
pub(crate) fn on_a_stack_of_its_own<F: Future<Output = Result<()>>>(
    name: &'static str,
    tier: Tier,
    test: impl FnOnce(Stack) -> F,
) {
    on_a_stack_with(Options::new(folder(name), tier), test);
}

/// The same with an operator that is one of several: it holds a lease. For a test that rests most of its time: others that have a
/// stack to themselves do not wait for it.
pub(crate) fn on_a_stack_that_rests<F: Future<Output = Result<()>>>(
    name: &'static str,
    test: impl FnOnce(Stack) -> F,
) {
    let options = Options {
        leader_elect: true,
        ..Options::new(folder(name), Tier::Node)
    };
    finish(async { or_skip(Stack::up_or_reason(options).await?, test).await });
}

/// The same with two processes of the server over a PostgreSQL, behind one address; skipped loudly where that cannot be had.
pub(crate) fn on_a_stack_of_replicas<F: Future<Output = Result<()>>>(
    name: &'static str,
    test: impl FnOnce(Stack) -> F,
) {
    if reeve_testkit::postgres().is_none() {
        return;
    }
    on_a_stack_with(
        Options {
            database: Database::Replicas,
            ..Options::new(folder(name), Tier::ApiServer)
        },
        test,
    );
}

/// The same with server and operator in pods, installed by Helm, over a PostgreSQL of this machine; skipped loudly where that
/// cannot be had.
pub(crate) fn on_a_stack_in_pods<F: Future<Output = Result<()>>>(
    name: &'static str,
    test: impl FnOnce(Stack) -> F,
) {
    finish(async move {
        let _alone = OWN_STACKS.acquire().await?;
        // Where there is no Kubernetes at all, this says so as every other test does.
        if reeve_testkit::cluster(Tier::ApiServer).await.is_none() {
            return Ok(());
        }
        // The demo's test has it on SQLite.
        if reeve_testkit::postgres().is_none() {
            return Ok(());
        }
        let options = Options {
            database: Database::Postgres,
            ..Options::new(folder(name), Tier::Node)
        };
        or_skip(reeve_e2e::in_pods::up(options).await?, test).await
    });
}

/// The same with these options.
pub(crate) fn on_a_stack_with<F: Future<Output = Result<()>>>(
    options: Options,
    test: impl FnOnce(Stack) -> F,
) {
    finish(async move {
        let _alone = OWN_STACKS.acquire().await?;
        or_skip(Stack::up_or_reason(options).await?, test).await
    });
}

/// The reason why there is none is said loudly.
async fn or_skip<F: Future<Output = Result<()>>>(
    stack: Result<Stack, String>,
    test: impl FnOnce(Stack) -> F,
) -> Result<()> {
    match stack {
        Ok(stack) => test(stack).await,
        Err(why) => {
            reeve_testkit::skip(&why);
            Ok(())
        }
    }
}

fn finish(test: impl Future<Output = Result<()>>) {
    if let Err(error) = runtime().block_on(test) {
        panic!("{error:?}");
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("reeve-stack-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

/// A name nobody else has: `word-7`.
pub(crate) fn fresh(word: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("{word}-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A uid nobody else has.
pub(crate) fn fresh_uid() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(60_000);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// A department and a project of a test's own, with an L1 researcher in it who has an identity.
pub(crate) struct Team {
    pub(crate) department: String,
    pub(crate) project: String,
    pub(crate) project_name: String,
    pub(crate) namespace: String,
    pub(crate) researcher: Member,
}

/// Somebody who signed in.
pub(crate) struct Member {
    pub(crate) person: Person,
    pub(crate) rest: Rest,
    pub(crate) uid: u32,
    /// Her access rule in the team's project.
    pub(crate) rule: i64,
}

impl Team {
    pub(crate) async fn form(stack: &Stack) -> Result<Self> {
        let department = organization::create_department(stack, &fresh("dept")).await?;
        let project_name = fresh("proj");
        let project = organization::create_project(stack, &project_name, &department).await?;
        let namespace = format!("reeve-{project_name}");
        organization::wait_until_ready(&stack.admin, &project).await?;
        let researcher = Member::join(stack, &project).await?;
        let team = Self {
            department,
            project,
            project_name,
            namespace,
            researcher,
        };
        team.wait_until_bound(stack, "l1-researcher", &team.researcher.person.username)
            .await?;
        Ok(team)
    }

    /// Another L1 researcher of the project.
    pub(crate) async fn hire(&self, stack: &Stack) -> Result<Member> {
        let member = Member::join(stack, &self.project).await?;
        self.wait_until_bound(stack, "l1-researcher", &member.person.username)
            .await?;
        Ok(member)
    }

    pub(crate) async fn subjects(&self, stack: &Stack, role: &str) -> Result<Option<Vec<String>>> {
        let client = stack.cluster.client().await?;
        let bindings: kube::Api<k8s_openapi::api::rbac::v1::RoleBinding> =
            kube::Api::namespaced(client, &self.namespace);
        let list = bindings
            .list(&kube::api::ListParams::default().labels("reeve.dev/managed=access-rules"))
            .await?;
        let of_role: Vec<_> = list
            .items
            .into_iter()
            .filter(|b| b.role_ref.name == format!("reeve-{role}"))
            .collect();
        ensure!(
            of_role.len() <= 1,
            "{} bindings of {role} in {}",
            of_role.len(),
            self.namespace
        );
        Ok(of_role.into_iter().next().map(|b| {
            b.subjects
                .unwrap_or_default()
                .into_iter()
                .map(|s| s.name)
                .collect()
        }))
    }

    pub(crate) async fn wait_until_bound(&self, stack: &Stack, role: &str, subject: &str) -> Result<()> {
        reeve_testkit::wait_until("the subject to be bound", async || {
            let subjects = self.subjects(stack, role).await?.unwrap_or_default();
            Ok(subjects.iter().any(|s| s == subject).then_some(()))
        })
        .await
    }
}

impl Member {
    async fn join(stack: &Stack, project: &str) -> Result<Self> {
        let uid = fresh_uid();
        let posix = json!({"uid": uid, "gid": 5000, "supplementaryGroups": [5001]});
        let person = organization::create_user(&stack.admin, &fresh("person"), Some(posix)).await?;
        let rule = organization::create_rule(
            &stack.admin,
            "user",
            &person.username,
            "L1 researcher",
            "project",
            project,
        )
        .await?;
        let rest = stack.admin.sign_in(&person.username, &person.password).await?;
        Ok(Self {
            person,
            rest,
            uid,
            rule,
        })
    }

    /// Her Kubernetes client, with a token of hers.
    pub(crate) async fn kubernetes(&self, stack: &Stack) -> Result<Client> {
        let token = stack.kubernetes_token(&self.rest).await?;
        stack.cluster.wait_until_token_accepted(&token).await?;
        stack.kubernetes(&token).await
    }

    /// The stamp of what runs as her.
    pub(crate) fn stamp(&self) -> String {
        format!("{}/{}/5000/5001", self.person.id, self.uid)
    }
}

/// Fails unless the answer is this refusal, in the one shape of refusals, and its message holds `word`.
pub(crate) fn must_be(answer: &Answer, status: u16, word: &str) -> Result<()> {
    ensure!(answer.status == status, "wanted {status}: {answer:?}");
    ensure!(answer.body["code"] == json!(status), "{answer:?}");
    let members = answer
        .body
        .as_object()
        .map(|body| body.keys().collect::<Vec<_>>());
    ensure!(
        members.is_some_and(|names| names == ["code", "message"]),
        "{answer:?}"
    );
    ensure!(
        !answer.message().is_empty() && answer.message().contains(word),
        "`{word}` is missing in: {answer:?}"
    );
    Ok(())
}

/// A path of the operation table with a value in the place of each parameter.
pub(crate) fn filled<'v>(template: &'v str, value: impl Fn(&'v str) -> &'v str) -> String {
    let parameter = |part: &'v str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
    template
        .split('/')
        .map(|part| parameter(part).map_or(part, &value))
        .collect::<Vec<_>>()
        .join("/")
}

/// What the server counts, by name and labels as it shows them: `reeve_link_streams`.
pub(crate) async fn metrics(stack: &Stack) -> Result<BTreeMap<String, f64>> {
    let text = stack.metrics()?.get("/metrics").await?.expect(200)?;
    let text = text.as_str().context("the metrics are no text")?;
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').with_context(|| line.to_owned())?;
            Ok((name.to_owned(), value.parse()?))
        })
        .collect()
}

/// How many revisions of the desired state the cluster has not said to have applied.
pub(crate) async fn revision_lag(stack: &Stack) -> Result<f64> {
    let all = metrics(stack).await?;
    all.get("reeve_link_revision_lag")
        .copied()
        .context("the server does not count how far clusters lag behind")
}

/// Carries a line through a local port to a container that sends back what it gets.
pub(crate) async fn echoed(port: u16) -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    reeve_testkit::wait_until("an echo", async || {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"through\n").await?;
        let mut answer = [0; 8];
        stream.read_exact(&mut answer).await?;
        Ok((&answer == b"through\n").then_some(()))
    })
    .await
}

/// SIGSTOP and SIGCONT: who is stopped neither hears nor says anything until it goes on.
pub(crate) fn signal(process: Option<&Process>, signal: Signal) -> Result<()> {
    let id = process.context("the process is not running")?.id();
    Ok(kill(Pid::from_raw(id.try_into()?), signal)?)
}

/// Fails if server or operator panicked since they were started first, also where a panic was caught.
pub(crate) fn nothing_panicked(stack: &Stack) -> Result<()> {
    for (name, process) in [("server", stack.server()), ("operator", stack.operator())] {
        let log = process
            .with_context(|| format!("the {name} is not running"))?
            .log();
        ensure!(
            log.lines().count() > 3,
            "the {name} logged nothing, so this shows nothing"
        );
        let words = ["panicked", "ended in a panic"];
        let said = log
            .lines()
            .find(|line| words.iter().any(|word| line.contains(word)));
        ensure!(said.is_none(), "the {name} panicked: {said:?}");
    }
    Ok(())
}
