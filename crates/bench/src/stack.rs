//! The stack under the clock: how long until a rule counts, until it counts no more, and what our policies cost a pod.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use reeve_e2e::{Organization, Replica, Rest, Stack, organization};
use serde_json::json;

use crate::figures::{Series, now};
use crate::seed;
use crate::watch::{DEADLINE, Watch};

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
            until_refused(&caller, robots).await?;
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

async fn until_refused(caller: &Rest, project: &str) -> Result<()> {
    let path = format!("/api/v1/org-unit/projects/{project}");
    let refused = async {
        loop {
            match caller.get(&path).await?.status {
                403 => return Ok(()),
                200 => {}
                status => bail!("reading the project was answered with {status}"),
            }
        }
    };
    tokio::time::timeout(DEADLINE, refused)
        .await
        .context("the revocation did not reach REST in time")?
}

/// Whether a binding of the role that we give and take names somebody; `None` for bindings of other roles.
fn names(binding: &RoleBinding, gone: bool, subject: &str) -> Option<bool> {
    let named = || binding.subjects.iter().flatten().any(|s| s.name == subject);
    (binding.role_ref.name == "reeve-l1-researcher").then(|| !gone && named())
}

/// How often the policy of namespaces that are no projects is taken away and put back.
const TURNS: usize = 4;

/// Creating a pod (dry run) as alice with nothing missing and with an identity to fill in, and by her in a namespace that is no
/// project, where of ours only the match condition of `reeve-outside` is looked at; taking turns on one connection. The same while that
/// policy is bound to nothing: then the third is the pod that none of ours is asked about, amid the same requests.
///
/// # Errors
/// A pod is refused.
pub async fn pods(stack: &Stack, organization: &Organization, rounds: usize) -> Result<Vec<Series>> {
    let alice = organization.person("alice")?;
    let caller = stack.admin.sign_in(&alice.username, &alice.password).await?;
    let token = stack.kubernetes_token(&caller).await?;
    let client = stack.kubernetes(&token).await?;
    let hers: Api<Pod> = Api::namespaced(client.clone(), "reeve-robots");
    let plain = stack
        .cluster
        .namespace_with("plain", &[("pod-security.kubernetes.io/enforce", "restricted")])
        .await?;
    // By the same person with the same token: what differs is our policies alone.
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "alice", "namespace": plain},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": alice.username}]});
    reeve_testkit::apply_yaml(&stack.cluster.client().await?, &binding.to_string()).await?;
    let free: Api<Pod> = Api::namespaced(client, &plain);
    for let_in in [&free, &hers] {
        reeve_testkit::wait_until("alice to be let in", async || {
            Ok(let_in.list(&ListParams::default()).await.ok())
        })
        .await?;
    }
    let bare: Pod = serde_json::from_value(
        json!({"metadata": {"generateName": "bench-"}, "spec": {"containers": [
        {"name": "main", "image": reeve_testkit::images::TOOLS}]}}),
    )?;
    let complete: Pod = serde_json::from_value(
        json!({"metadata": {"generateName": "bench-", "annotations": {
        "reeve.dev/runs-as": format!("{}/70012/5000/5001", alice.id)}}, "spec": {
        "os": {"name": "linux"}, "automountServiceAccountToken": false,
        "securityContext": {"runAsUser": 70012, "runAsGroup": 5000, "supplementalGroups": [5001],
            "supplementalGroupsPolicy": "Strict", "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": reeve_testkit::images::TOOLS, "securityContext": {
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}),
    )?;
    // Outside of projects nothing may bear a stamp (R17).
    let mut unstamped = complete.clone();
    unstamped.metadata.annotations = None;
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let mut without = Series::new("pod create, a namespace without our policies");
    let mut outside = Series::new("pod create, a namespace that is no project");
    let mut nothing_missing = Series::new("pod create, our policies, nothing missing");
    let mut filled_in = Series::new("pod create, our policies, identity filled in");
    let policy = Outside {
        bindings: Api::all(stack.cluster.client().await?),
        namespace: &free,
        marked: &complete,
        dry: &dry,
    };
    for _ in 0..TURNS {
        let binding = policy.take_away().await?;
        let by_turns = &mut [
            (&mut without, &free, &unstamped),
            (&mut nothing_missing, &hers, &complete),
            (&mut filled_in, &hers, &bare),
        ];
        take_turns(&dry, rounds / TURNS, by_turns).await?;
        policy.put_back(&binding).await?;
        // Amid the same requests, which are not counted again.
        let by_turns = &mut [
            (&mut outside, &free, &unstamped),
            (&mut Series::new(""), &hers, &complete),
            (&mut Series::new(""), &hers, &bare),
        ];
        take_turns(&dry, rounds / TURNS, by_turns).await?;
    }
    Ok(vec![without, outside, nothing_missing, filled_in])
}

/// Creates each pod in turn, so many times; the first fifty times of each warm up.
async fn take_turns(
    dry: &PostParams,
    rounds: usize,
    all: &mut [(&mut Series, &Api<Pod>, &Pod)],
) -> Result<()> {
    for round in 0..rounds + 50 {
        for (series, api, pod) in &mut *all {
            let started = now();
            api.create(dry, pod).await?;
            if round >= 50 {
                series.samples.push(started.elapsed());
            }
        }
    }
    Ok(())
}

/// The policy of namespaces that are no projects: whether it is bound shows by a pod with a mark of ours.
struct Outside<'a> {
    bindings: Api<ValidatingAdmissionPolicyBinding>,
    namespace: &'a Api<Pod>,
    marked: &'a Pod,
    dry: &'a PostParams,
}

impl Outside<'_> {
    const NAME: &'static str = "reeve-outside";

    async fn take_away(&self) -> Result<ValidatingAdmissionPolicyBinding> {
        let mut binding = self.bindings.get(Self::NAME).await?;
        self.bindings.delete(Self::NAME, &DeleteParams::default()).await?;
        binding.metadata.resource_version = None;
        binding.metadata.uid = None;
        self.wait_until_asked(false).await?;
        Ok(binding)
    }

    async fn put_back(&self, binding: &ValidatingAdmissionPolicyBinding) -> Result<()> {
        self.bindings.create(&PostParams::default(), binding).await?;
        self.wait_until_asked(true).await
    }

    async fn wait_until_asked(&self, asked: bool) -> Result<()> {
        reeve_testkit::wait_until("the policy of other namespaces", async || {
            let admitted = self.namespace.create(self.dry, self.marked).await.is_ok();
            Ok((admitted != asked).then_some(()))
        })
        .await
    }
}
