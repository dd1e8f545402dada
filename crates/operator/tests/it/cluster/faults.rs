//! What fails between the operator and the API server at each place of its work, one at a time: the end is that of a run in which
//! nothing did, with nothing made twice and nothing deleted more (`docs/development/faults.md`).
//!
//! A scenario has two acts, between which projects and rules are changed: namespaces, bindings and conditions are made, changed
//! and removed. Every operator is a new one, with the rights of the chart, in front of a real API server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{LimitRange, Namespace};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Client, ResourceExt};
use prometheus_client::registry::Registry as Metrics;
use reeve_crds::{AccessRule, PodIdentities, Project};
use reeve_kube_kit::{Context, Registry};
use reeve_link::desired::DesiredObject;
use reeve_operator::controllers::add_all;
use reeve_operator::shared::Shared;
use reeve_testkit::{Cluster, Fault, Faults, Options, Tier, is_whole, own_cluster, wait_for};
use reeve_types::{Clock, ReservedNamespaces};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::rig::{of_project, project, rule};

/// How many faults there are at least.
const PERTURBATIONS: usize = 200;
/// `make test` strikes one of so many, `make faults` (`FAULTS=all`) each: a number that has no divisor in common with the six faults
/// of a write, so that each of them is struck at some.
const ONE_OF: usize = 5;
const PATIENCE: Duration = Duration::from_secs(180);

struct Stage {
    _cluster: Cluster,
    installer: Client,
    faults: Faults,
    next: i64,
}

/// An operator that runs in this process.
struct Running(JoinHandle<()>, CancellationToken);

impl Drop for Running {
    fn drop(&mut self) {
        self.1.cancel();
        self.0.abort();
    }
}

fn run(client: Client) -> Running {
    let mut metrics = Metrics::default();
    let context = Arc::new(Context::new(client, Clock::system(), reeve_operator::MANAGER));
    let mut registry = Registry::new(context.clone(), &mut metrics);
    let shared = Shared::new(
        context,
        &mut registry,
        "v1.37.2".to_owned(),
        None,
        ReservedNamespaces::default(),
        reeve_operator::args::Admission::Policies,
        &[],
    );
    add_all(&mut registry, &shared, &mut metrics);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    Running(
        tokio::spawn(async move { registry.run(stopped).await.unwrap() }),
        stop,
    )
}

/// The ids of a scenario's two projects.
#[derive(Clone, Copy)]
struct Ids(i64, i64);

impl Ids {
    fn name(id: i64) -> String {
        format!("p{id}")
    }

    /// A text of this scenario as every scenario has it.
    fn neutral(self, text: &str) -> String {
        text.replace(&Self::name(self.0), "first")
            .replace(&Self::name(self.1), "second")
            .replace(&format!("\"{}\"", self.0), "\"1\"")
            .replace(&format!("\"{}\"", self.1), "\"2\"")
    }
}

impl Stage {
    async fn set() -> Option<Self> {
        let options = Options {
            tier: Tier::ApiServer,
            ..Options::default()
        };
        let cluster = own_cluster(options).await?;
        reeve_e2e::install_chart(&cluster, &json!({})).await.unwrap();
        let token = cluster
            .service_account_token("reeve-system", "reeve-operator", 7200)
            .await
            .unwrap();
        let operator = cluster.client_with_token(&token).await.unwrap();
        Some(Self {
            installer: cluster.installer_client().await.unwrap(),
            faults: Faults::new(operator),
            _cluster: cluster,
            next: 100,
        })
    }

    async fn add(&self, object: DesiredObject) {
        let by = PostParams::default();
        match object {
            DesiredObject::Project(it) => {
                let api = Api::<Project>::all(self.installer.clone());
                api.create(&by, &Project::from(&it)).await.map(drop).unwrap();
            }
            DesiredObject::AccessRule(it) => {
                let api = Api::<AccessRule>::all(self.installer.clone());
                api.create(&by, &AccessRule::from(&it)).await.map(drop).unwrap();
            }
            DesiredObject::Workload(_) | DesiredObject::Credential(_) => unreachable!(),
        }
    }

    async fn remove_rule(&self, id: i64) {
        let api = Api::<AccessRule>::all(self.installer.clone());
        let name = format!("rule-{id}");
        api.delete(&name, &DeleteParams::default())
            .await
            .map(drop)
            .unwrap();
    }

    async fn first_act(&self, Ids(first, second): Ids) {
        self.add(project(first, &Ids::name(first))).await;
        self.add(project(second, &Ids::name(second))).await;
        for (number, (email, role, of)) in [
            ("alice@example.com", "l1-researcher", first),
            ("carol@example.com", "viewer", first),
            ("bob@example.com", "viewer", second),
        ]
        .into_iter()
        .enumerate()
        {
            let id = first * 10 + i64::try_from(number).unwrap();
            self.add(rule(id, email, role, of_project(of))).await;
        }
    }

    async fn second_act(&self, Ids(first, second): Ids) {
        self.remove_rule(first * 10 + 1).await;
        let api = Api::<Project>::all(self.installer.clone());
        api.delete(&Ids::name(second), &DeleteParams::default())
            .await
            .map(drop)
            .unwrap();
        let dave = rule(
            first * 10 + 3,
            "dave@example.com",
            "l1-researcher",
            of_project(first),
        );
        self.add(dave).await;
    }

    /// Everything that the operator decides of the scenario's projects.
    async fn state(&self, ids: Ids) -> BTreeMap<String, Value> {
        let mut state = BTreeMap::new();
        for id in [ids.0, ids.1] {
            let name = format!("reeve-{}", Ids::name(id));
            let namespaces = Api::<Namespace>::all(self.installer.clone());
            if let Some(found) = namespaces.get_opt(&name).await.unwrap() {
                let value = json!({"labels": found.labels(), "annotations": found.annotations()});
                state.insert(ids.neutral(&name), value);
            }
            let lists = Api::<PodIdentities>::namespaced(self.installer.clone(), &name);
            let listed = lists.get_opt("reeve").await.unwrap().map(|it| it.spec);
            state.insert(format!("pods of {}", ids.neutral(&name)), json!(listed));
            let ranges = Api::<LimitRange>::namespaced(self.installer.clone(), &name);
            let range = ranges.get_opt("reeve-limit-range").await.unwrap();
            state.insert(
                format!("limits of {}", ids.neutral(&name)),
                json!(range.map(|it| it.spec)),
            );
            let bindings = Api::<RoleBinding>::namespaced(self.installer.clone(), &name);
            for binding in bindings.list(&ListParams::default()).await.unwrap() {
                let key = ids.neutral(&format!("{name}/{}", binding.name_any()));
                let value = json!({"role": binding.role_ref, "subjects": binding.subjects, "labels": binding.labels()});
                state.insert(key, value);
            }
            let projects = Api::<Project>::all(self.installer.clone());
            let found = projects.get_opt(&Ids::name(id)).await.unwrap();
            let status = found.and_then(|it| it.status).unwrap_or_default();
            state.insert(
                format!("status of {}", ids.neutral(&Ids::name(id))),
                json!({"phase": status.phase, "message": status.message}),
            );
        }
        let rules = Api::<AccessRule>::all(self.installer.clone());
        for number in 0..4 {
            let found = rules
                .get_opt(&format!("rule-{}", ids.0 * 10 + number))
                .await
                .unwrap();
            let phase = found.map(|it| it.status.unwrap_or_default().phase);
            state.insert(format!("rule {number}"), json!(phase));
        }
        let text = ids.neutral(&serde_json::to_string(&state).unwrap());
        serde_json::from_str(&text).unwrap()
    }

    /// Waits until the state is as wanted; the first time, until nothing is written any more.
    async fn until(
        &self,
        ids: Ids,
        wanted: Option<&BTreeMap<String, Value>>,
        what: &str,
    ) -> BTreeMap<String, Value> {
        let Some(wanted) = wanted else {
            let mut before = self.faults.places().0;
            loop {
                tokio::time::sleep(Duration::from_secs(2)).await;
                let now = self.faults.places().0;
                if now == before && now > 0 {
                    return self.state(ids).await;
                }
                before = now;
            }
        };
        let reached = wait_for(PATIENCE, what, async || {
            let now = self.state(ids).await;
            anyhow::ensure!(now == *wanted, "{now:#?}");
            Ok(Some(()))
        })
        .await;
        reached.unwrap();
        wanted.clone()
    }

    /// Plays both acts under a fault. An operator that ended is followed by one without.
    async fn play(&mut self, fault: Fault, wanted: Option<&[BTreeMap<String, Value>; 2]>) -> Played {
        let ids = Ids(self.next, self.next + 1);
        self.next += 2;
        let what = format!("{fault:?}");
        let mut operator = run(self.faults.start(fault));
        self.faults.take_done();
        self.first_act(ids).await;
        let first = self
            .act(&mut operator, ids, wanted.map(|all| &all[0]), &what)
            .await;
        self.second_act(ids).await;
        let second = self
            .act(&mut operator, ids, wanted.map(|all| &all[1]), &what)
            .await;
        let places = self.faults.places();
        self.clear(ids).await;
        tokio::select! {
            () = self.until_nothing_is_bound(ids) => {}
            () = self.faults.died() => {
                operator = run(self.faults.start(Fault::None));
                self.until_nothing_is_bound(ids).await;
            }
        }
        // What was done is counted once it was answered.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.faults.kill();
        drop(operator);
        let done = self.faults.take_done();
        Played {
            states: [first, second],
            places,
            done,
        }
    }

    async fn act(
        &self,
        operator: &mut Running,
        ids: Ids,
        wanted: Option<&BTreeMap<String, Value>>,
        what: &str,
    ) -> BTreeMap<String, Value> {
        tokio::select! {
            state = self.until(ids, wanted, what) => return state,
            () = self.faults.died() => {}
        }
        *operator = run(self.faults.start(Fault::None));
        self.until(ids, wanted, what).await
    }

    /// The next operator is to have nothing to clean up.
    async fn until_nothing_is_bound(&self, ids: Ids) {
        let name = format!("reeve-{}", Ids::name(ids.0));
        let bindings = Api::<RoleBinding>::namespaced(self.installer.clone(), &name);
        wait_for(PATIENCE, "the bindings to go", async || {
            let left = bindings.list(&ListParams::default()).await?;
            Ok(left.items.is_empty().then_some(()))
        })
        .await
        .unwrap();
    }

    /// So that the next operator has no more to look at than the first.
    async fn clear(&self, ids: Ids) {
        let projects = Api::<Project>::all(self.installer.clone());
        projects
            .delete(&Ids::name(ids.0), &DeleteParams::default())
            .await
            .map(drop)
            .unwrap();
        for number in [0, 2, 3] {
            self.remove_rule(ids.0 * 10 + number).await;
        }
    }
}

/// What a scenario ended in.
struct Played {
    states: [BTreeMap<String, Value>; 2],
    places: (usize, usize, usize),
    done: BTreeMap<String, usize>,
}

/// Every place of an undisturbed run once, with each fault that there is for it.
fn faults(places: (usize, usize, usize)) -> Vec<Fault> {
    let (writes, events, watches) = places;
    let mut all: Vec<Fault> = Vec::new();
    for at in 1..=writes {
        all.extend([Fault::DieBefore(at), Fault::DieAfter(at), Fault::Deny(at)]);
        all.extend([409, 429, 500].map(|status| Fault::Refuse(at, status)));
    }
    all.extend((1..=events).map(Fault::CutWatch));
    all.extend((1..=watches).map(Fault::Expire));
    all.extend([1, 5].map(Fault::Stale));
    all
}

/// Every fault, or the sample of them. Old lists are in both.
fn struck(all: &[Fault]) -> Vec<Fault> {
    let one_of = if is_whole("FAULTS") { 1 } else { ONE_OF };
    let numbered = all.iter().enumerate();
    let chosen = numbered.filter(|(number, fault)| number % one_of == 0 || matches!(fault, Fault::Stale(_)));
    chosen.map(|(_, fault)| *fault).collect()
}

/// The kinds of these faults, by name.
fn kinds(faults: &[Fault]) -> BTreeSet<String> {
    let names = faults.iter().map(|fault| format!("{fault:?}"));
    names
        .map(|name| name.split('(').next().unwrap_or_default().to_owned())
        .collect()
}

/// What was done without what was made once more and deleted again.
///
/// An operator that goes on with cleaning up, since the one before it ended amid it or was refused a deletion, may bind itself once
/// more for that. One that starts from old lists makes again what was wanted then, as far as it gets before its watches have told it
/// what changed since: how far is a matter of the machine's speed.
fn without_renewed(
    fault: Fault,
    mut done: BTreeMap<String, usize>,
    quiet: &BTreeMap<String, usize>,
) -> BTreeMap<String, usize> {
    let (what, at_most): (&[&str], _) = match fault {
        Fault::DieBefore(_) | Fault::DieAfter(_) | Fault::Deny(_) | Fault::Refuse(..) => {
            (&["rolebindings"], 4)
        }
        // Those of two projects of then.
        Fault::Stale(_) => (&["rolebindings", "podidentities"], 2 * quiet["made rolebindings"]),
        _ => (&[], 0),
    };
    for kind in what {
        let [made, deleted] = ["made", "deleted"].map(|verb| format!("{verb} {kind}"));
        let more = |what: &String| {
            done.get(what).copied().unwrap_or_default() - quiet.get(what).copied().unwrap_or_default()
        };
        let renewed = more(&made);
        assert!(
            renewed <= at_most && renewed == more(&deleted),
            "{fault:?}: {done:?}"
        );
        for what in [made, deleted] {
            let count = quiet.get(&what).copied().unwrap_or_default();
            done.insert(what, count);
        }
    }
    done
}

/// F1 to F5 of security.md 4.3. Planted faults: a state that is compared with one rule less, below; a writer that deletes and makes a
/// binding anew in place of applying it shows in what was done.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_once_at_whatever_place_the_end_is_the_same() {
    let Some(mut stage) = Stage::set().await else {
        return;
    };
    let quiet = stage.play(Fault::None, None).await;
    let bound = |state: &BTreeMap<String, Value>| state.keys().filter(|key| key.contains('/')).count();
    // The operator's own bindings and three of people; then one of the first project is gone, and all of the second.
    assert_eq!(quiet.states.each_ref().map(bound), [11, 5], "{:#?}", quiet.states);
    // The comparison is one: with another state it would not be reached.
    let mut another = quiet.states[1].clone();
    another.remove("reeve-first/reeve-l1-researcher");
    assert_ne!(another, quiet.states[1]);
    let all = faults(quiet.places);
    assert!(
        all.len() >= PERTURBATIONS,
        "{} faults at {:?}",
        all.len(),
        quiet.places
    );
    let began = Instant::now();
    let struck = struck(&all);
    assert_eq!(kinds(&struck), kinds(&all), "the sample leaves out a kind");
    for fault in &struck {
        let played = stage.play(*fault, Some(&quiet.states)).await;
        let done = without_renewed(*fault, played.done, &quiet.done);
        assert_eq!(done, quiet.done, "{fault:?} made or deleted something else");
    }
    eprintln!(
        "{} of {} faults, of {} kinds, at {:?} places in {:?}",
        struck.len(),
        all.len(),
        kinds(&all).len(),
        quiet.places,
        began.elapsed()
    );
}

/// F7: while nothing answers, the operator asks each kind no more than about once a second, and goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away_is_asked_seldom_and_found_again() {
    let Some(mut stage) = Stage::set().await else {
        return;
    };
    let quiet = stage.play(Fault::None, None).await;
    let ids = Ids(stage.next, stage.next + 1);
    let _operator = run(stage.faults.start(Fault::None));
    stage.first_act(ids).await;
    stage.until(ids, Some(&quiet.states[0]), "the first act").await;
    stage.faults.set_down(true);
    // Watches that are open end by themselves only; a new operator begins with nothing.
    let _other = run(stage.faults.start(Fault::None));
    stage.faults.set_down(true);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let kinds = 14;
    let asked = stage.faults.lists();
    assert!(asked <= kinds * 11, "{asked} requests in ten seconds");
    stage.faults.set_down(false);
    stage.second_act(ids).await;
    stage.until(ids, Some(&quiet.states[1]), "the second act").await;
}
