//! What happens in a run, and what is looked at after each step.

use std::cell::RefCell;
use std::sync::Arc;

use axum::http::Method;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use reeve_authz::{Principal, Scope, SubjectKey};
use reeve_store::{EMAIL_RESTS_SECONDS, SubjectId};
use reeve_types::{Clock, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Seen;
use super::naive::{Closure, Key, Ledger, Place, Rights, Rule, in_clusters};
use crate::server::{Answer, Server, rule};

const RULES: &str = "/api/v1/authorization/access-rules";
const ROLES: &str = "/api/v2/authorization/roles";
const PEOPLE: [&str; 7] = ["dora", "paul", "mia", "andy", "sue", "vera", "erin"];
const GROUPS: [&str; 3] = ["team", "leads", "guests"];
/// The first two are there from the beginning.
const APPLICATIONS: [&str; 4] = ["ci", "builder", "fresh", "spare"];
/// Of those that are given: each with a reason to be refused to some.
const PREDEFINED: [i64; 9] = [1, 2, 4, 5, 6, 9, 16, 17, 19];
/// Permission sets by resource type, and whether they only see it.
const SETS: [(&str, bool); 10] = [
    ("project", true),
    ("department", true),
    ("workloads", true),
    ("trainings", false),
    ("access_rules", false),
    ("roles", false),
    ("users", true),
    ("credentials", true),
    ("service-account", false),
    ("cluster", true),
];
const CLUSTER_ROLES: [Option<&str>; 3] = [None, Some("viewer"), Some("l1-researcher")];
const STEPS: usize = 40;

/// One thing that somebody does. Numbers are places in lists, as often round as it takes.
#[derive(Clone, Debug)]
enum Step {
    Give {
        by: usize,
        to: usize,
        role: usize,
        at: usize,
    },
    GiveMany {
        by: usize,
        to: Vec<usize>,
        role: usize,
        at: Vec<usize>,
    },
    Take {
        by: usize,
        rules: Vec<usize>,
    },
    MakeRole {
        by: usize,
        sets: Vec<usize>,
        in_clusters: usize,
    },
    EditRole {
        by: usize,
        role: usize,
        sets: Vec<usize>,
        in_clusters: usize,
    },
    EndRole {
        by: usize,
        role: usize,
        how: usize,
    },
    /// An identity provider says who somebody is, and of which groups.
    SignIn {
        who: usize,
        groups: usize,
    },
    MakeApplication {
        by: usize,
        name: usize,
    },
    NewSecret {
        by: usize,
        application: usize,
    },
    NewPassword {
        by: usize,
        person: usize,
    },
    /// And signs in with it.
    MakeKey {
        by: usize,
    },
    /// By somebody, or by the account's administrator.
    Offboard {
        by: Option<usize>,
        who: usize,
    },
    /// Somebody of the same email comes, and has nothing.
    ComeBack {
        person: usize,
    },
}

/// Who acts, of which groups an identity provider may say that they are, and what happens.
#[derive(Clone, Debug)]
pub(super) struct Story {
    acting: Vec<usize>,
    groups: Vec<&'static str>,
    steps: Vec<Step>,
}

pub(super) fn any_story() -> impl Strategy<Value = Story> {
    let acting = subsequence((0..PEOPLE.len() + 2).collect::<Vec<_>>(), 2..=5);
    let story = (
        acting,
        subsequence(GROUPS.to_vec(), 0..=3),
        vec(any_step(), STEPS),
    );
    story.prop_map(|(acting, groups, steps)| Story {
        acting,
        groups,
        steps,
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let any = || 0..1000_usize;
    let sets = || vec(0..SETS.len(), 1..=3);
    prop_oneof![
        10 => (any(), any(), any(), any()).prop_map(|(by, to, role, at)| Step::Give { by, to, role, at }),
        5 => (any(), vec(any(), 1..=2), any(), vec(any(), 1..=2))
            .prop_map(|(by, to, role, at)| Step::GiveMany { by, to, role, at }),
        4 => (any(), vec(any(), 1..=2)).prop_map(|(by, rules)| Step::Take { by, rules }),
        3 => (any(), sets(), any()).prop_map(|(by, sets, in_clusters)| Step::MakeRole { by, sets, in_clusters }),
        4 => (any(), any(), sets(), any())
            .prop_map(|(by, role, sets, in_clusters)| Step::EditRole { by, role, sets, in_clusters }),
        2 => (any(), any(), 0..3_usize).prop_map(|(by, role, how)| Step::EndRole { by, role, how }),
        4 => (any(), 0..8_usize).prop_map(|(who, groups)| Step::SignIn { who, groups }),
        3 => (any(), any()).prop_map(|(by, name)| Step::MakeApplication { by, name }),
        2 => (any(), any()).prop_map(|(by, application)| Step::NewSecret { by, application }),
        1 => (any(), any()).prop_map(|(by, person)| Step::NewPassword { by, person }),
        2 => any().prop_map(|by| Step::MakeKey { by }),
        2 => (proptest::option::weighted(0.4, any()), any()).prop_map(|(by, who)| Step::Offboard { by, who }),
        1 => any().prop_map(|person| Step::ComeBack { person }),
    ]
}

fn person(name: &str) -> Key {
    ("user", format!("{name}@example.com"))
}

fn group(name: &str) -> Key {
    ("group", name.to_owned())
}

fn application(name: &str) -> Key {
    ("service-account", name.to_owned())
}

/// Everybody whom a rule may name.
fn everybody() -> Vec<Key> {
    let people = PEOPLE.iter().map(|name| person(name));
    let groups = GROUPS.iter().map(|name| group(name));
    people
        .chain(groups)
        .chain(APPLICATIONS.iter().map(|name| application(name)))
        .collect()
}

fn subject(key: &Key) -> SubjectKey {
    SubjectKey::from_wire(key.0, &key.1).unwrap()
}

/// An organization in a database that each run gets a copy of.
pub(super) struct Fixture {
    dir: TempDir,
    clock: Timestamp,
    ledger: Ledger,
    custom: Vec<i64>,
    /// The ids of [`SETS`].
    sets: Vec<Value>,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let server = Server::new().await;
        let (cluster, _) = server.cluster("demo").await;
        let vision = server.department(&cluster, "vision").await;
        let language = server.department(&cluster, "language").await;
        let robots = server.project(&cluster, &vision, "robots").await;
        let parrots = server.project(&cluster, &vision, "parrots").await;
        let captions = server.project(&cluster, &language, "captions").await;
        let place = |kind, id: &str, above| Place {
            kind,
            id: id.to_owned(),
            above,
        };
        let mut ledger = Ledger::new(vec![
            place("tenant", "1", None),
            place("cluster", &cluster, Some(0)),
            place("department", &vision, Some(1)),
            place("department", &language, Some(1)),
            place("project", &robots, Some(2)),
            place("project", &parrots, Some(2)),
            place("project", &captions, Some(3)),
        ]);
        for name in PEOPLE {
            server.user(&person(name).1, Value::Null).await;
        }
        for name in &APPLICATIONS[..2] {
            server.service_account(name).await;
        }
        let path = "/api/v1/authorization/permission-sets";
        let all = server.get(&server.admin, path).await.is(200);
        let id = |(kind, sees): (&str, bool)| {
            let of = |it: &&Value| {
                let permissions = it["permissions"].as_array().unwrap();
                permissions[0]["resourceType"] == kind
                    && (permissions[0]["actions"] == json!(["read"])) == sees
            };
            let found = all["permissionSets"].as_array().unwrap().iter().find(of);
            found.unwrap()["id"].clone()
        };
        let sets: Vec<Value> = SETS.into_iter().map(id).collect();
        let mut custom = Vec::new();
        for (name, of, cluster_role) in [
            ("Makers", vec![0, 2, 3, 4, 5, 7], Some("viewer")),
            ("Helpers", vec![0], None),
        ] {
            let body = role_body(name, &sets, &of, cluster_role);
            let made = server.post(&server.admin, ROLES, body).await.is(201);
            let number = made["id"].as_i64().unwrap();
            ledger.put_role(number, rights_of(&ledger, &of, cluster_role));
            custom.push(number);
        }
        for (who, role, at) in [
            (person("dora"), 2, 2),
            (person("paul"), 19, 6),
            (person("mia"), custom[0], 0),
            (person("andy"), 16, 0),
            (person("sue"), 1, 3),
            (person("vera"), 9, 2),
            (person("erin"), custom[1], 6),
            (group("team"), 5, 4),
            (group("leads"), 2, 3),
            (group("guests"), custom[1], 2),
            (application("ci"), 5, 4),
            (application("builder"), 19, 5),
        ] {
            let there = ledger.places[at].clone();
            let id = server.rule((who.0, &who.1), role, (there.kind, &there.id)).await;
            ledger.rules.insert(
                id,
                Rule {
                    subject: who,
                    role,
                    at,
                },
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let (from, clock) = (Arc::clone(&server.dir), server.clock.now());
        drop(server);
        copy(&from, &dir);
        Self {
            dir,
            clock,
            ledger,
            custom,
            sets,
        }
    }
}

fn copy(from: &TempDir, to: &TempDir) {
    for entry in std::fs::read_dir(from.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
    }
}

fn role_body(name: &str, ids: &[Value], of: &[usize], cluster_role: Option<&str>) -> Value {
    let mut of = of.to_vec();
    of.sort_unstable();
    of.dedup();
    let sets: Vec<Value> = of.iter().map(|set| json!({"id": ids[*set]})).collect();
    json!({"name": name, "description": "For the tests.", "permissionSets": sets,
        "kubernetesPermissions": {"predefinedRole": cluster_role}})
}

fn rights_of(ledger: &Ledger, sets: &[usize], cluster_role: Option<&str>) -> Rights {
    sets.iter().fold(in_clusters(cluster_role), |all, set| {
        let (kind, sees) = SETS[*set];
        all.or(match sees {
            true => ledger.table.right(kind, "read"),
            false => ledger.table.everything_with(kind),
        })
    })
}

/// A way in that somebody has.
struct Hand {
    who: Key,
    groups: Vec<Key>,
    token: String,
    /// An access key shows the groups of a session of its owner's.
    is_key: bool,
}

struct Run<'f> {
    fixture: &'f Fixture,
    server: Server,
    ledger: Ledger,
    closure: Closure,
    custom: Vec<i64>,
    hands: Vec<Hand>,
    made: usize,
}

/// What came of a step: its kind, whether it was done, as whom, and who is in somebody's hand now.
struct Done {
    kind: &'static str,
    done: bool,
    by: Vec<Key>,
    taken: Option<Key>,
}

/// Tells a story, and looks at everything after each step.
pub(super) async fn told(fixture: &Fixture, story: &Story, seen: &RefCell<Seen>) {
    let mut run = Run::begin(fixture, story).await;
    for step in &story.steps {
        let before = run.ledger.clone();
        let Some(done) = run.take(step, story).await else {
            continue;
        };
        *seen.borrow_mut().entry((done.kind, done.done)).or_default() += 1;
        run.look(&before, &done, step);
    }
}

impl<'f> Run<'f> {
    async fn begin(fixture: &'f Fixture, story: &Story) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(&fixture.dir, &dir);
        let server = Server::open_copy(Arc::new(dir), Clock::fixed(fixture.clock)).await;
        let groups: Vec<Key> = story.groups.iter().map(|name| group(name)).collect();
        let acting: Vec<Key> = story.acting.iter().map(|who| actor(*who)).collect();
        let with_groups = |who: &Key| match who.0 {
            "user" => std::iter::once(who.clone()).chain(groups.clone()).collect(),
            _ => vec![who.clone()],
        };
        let closure = Closure::of(
            &fixture.ledger,
            &acting.iter().map(with_groups).collect::<Vec<_>>(),
        );
        let mut run = Self {
            fixture,
            server,
            ledger: fixture.ledger.clone(),
            closure,
            custom: fixture.custom.clone(),
            hands: Vec::new(),
            made: 0,
        };
        for who in acting {
            run.grasp(who).await;
        }
        run
    }

    fn id(&self, who: &Key) -> Option<SubjectId> {
        let directory = self.server.app.directory();
        match subject(who) {
            SubjectKey::User(email) => directory.user_by_email(&email).map(|it| SubjectId::User(it.id)),
            SubjectKey::ServiceAccount(name) => directory
                .service_account_named(&name)
                .map(|it| SubjectId::ServiceAccount(it.id)),
            SubjectKey::Group(_) => None,
        }
    }

    /// Somebody's own secret or password is in the hands of those who act.
    async fn grasp(&mut self, who: Key) {
        let Some(id) = self.id(&who) else { return };
        let token = self.server.token_of(id).await;
        self.hands.push(Hand {
            who,
            groups: Vec::new(),
            token,
            is_key: false,
        });
    }

    /// As whom somebody asks: by an access key at most as in any of the owner's sessions.
    fn keys_of(&self, hand: &Hand) -> Vec<Key> {
        let mut keys = vec![hand.who.clone()];
        match hand.is_key {
            false => keys.extend(hand.groups.iter().cloned()),
            true => {
                let own = self.hands.iter().filter(|other| other.who == hand.who);
                keys.extend(own.flat_map(|other| other.groups.iter().cloned()));
            }
        }
        keys
    }

    async fn take(&mut self, step: &Step, story: &Story) -> Option<Done> {
        let by = match step {
            Step::Give { by, .. } | Step::GiveMany { by, .. } | Step::Take { by, .. } => Some(*by),
            Step::MakeRole { by, .. } | Step::EditRole { by, .. } | Step::EndRole { by, .. } => Some(*by),
            Step::MakeApplication { by, .. } | Step::NewSecret { by, .. } | Step::NewPassword { by, .. } => {
                Some(*by)
            }
            Step::MakeKey { by } => Some(*by),
            Step::Offboard { by, .. } => *by,
            Step::SignIn { .. } | Step::ComeBack { .. } => None,
        };
        let (keys, token) = match by {
            None => (Vec::new(), self.server.admin.clone()),
            Some(_) if self.hands.is_empty() => return None,
            Some(by) => {
                let hand = &self.hands[by % self.hands.len()];
                (self.keys_of(hand), hand.token.clone())
            }
        };
        let mut taken = None;
        let (kind, done) = match step {
            Step::Give { to, role, at, .. } => ("give", self.give(&token, *to, *role, *at).await),
            Step::GiveMany { to, role, at, .. } => ("give many", self.give_many(&token, to, *role, at).await),
            Step::Take { rules, .. } => ("take", self.take_away(&token, rules).await?),
            Step::MakeRole {
                sets, in_clusters, ..
            } => (
                "make a role",
                self.put_role(&token, None, sets, *in_clusters).await,
            ),
            Step::EditRole {
                role,
                sets,
                in_clusters,
                ..
            } => {
                let number = *self.custom.get(role % self.custom.len().max(1))?;
                (
                    "edit a role",
                    self.put_role(&token, Some(number), sets, *in_clusters).await,
                )
            }
            Step::EndRole { role, how, .. } => ("end a role", self.end_role(&token, *role, *how).await?),
            Step::SignIn { who, groups } => ("sign in", self.sign_in(*who, *groups, story).await?),
            Step::MakeApplication { name, .. } => {
                let who = application(APPLICATIONS[name % APPLICATIONS.len()]);
                let made = self
                    .server
                    .post(&token, "/api/v1/service-accounts", json!({"name": who.1}))
                    .await;
                taken = (made.status == 201).then_some(who);
                ("make an application", taken.is_some())
            }
            Step::NewSecret {
                application: number, ..
            } => {
                let who = application(APPLICATIONS[number % APPLICATIONS.len()]);
                taken = self.seized(&token, who, "service-accounts", "secret").await;
                ("another secret", taken.is_some())
            }
            Step::NewPassword { person: number, .. } => {
                let who = person(PEOPLE[number % PEOPLE.len()]);
                taken = self.seized(&token, who, "users", "password").await;
                ("another password", taken.is_some())
            }
            Step::MakeKey { by } => ("make a key", self.make_key(*by).await),
            Step::Offboard { who, .. } => ("offboard", self.offboard(&token, *who).await),
            Step::ComeBack { person: number } => ("come back", self.come_back(*number).await?),
        };
        if let Some(who) = taken.clone() {
            self.grasp(who).await;
        }
        Some(Done {
            kind,
            done,
            by: keys,
            taken,
        })
    }

    /// Of a role's place among the predefined ones and those that were made.
    fn role(&self, number: usize) -> i64 {
        let all: Vec<i64> = PREDEFINED
            .into_iter()
            .chain(self.custom.iter().copied())
            .collect();
        all[number % all.len()]
    }

    async fn give(&mut self, token: &str, to: usize, role: usize, at: usize) -> bool {
        let everybody = everybody();
        let (who, role, at) = (
            everybody[to % everybody.len()].clone(),
            self.role(role),
            at % self.ledger.places.len(),
        );
        let place = &self.ledger.places[at];
        let answer = self
            .server
            .post(token, RULES, rule((who.0, &who.1), role, (place.kind, &place.id)))
            .await;
        self.note(&answer, 201, |answer| vec![answer])
    }

    async fn give_many(&mut self, token: &str, to: &[usize], role: usize, at: &[usize]) -> bool {
        let everybody = everybody();
        let mut to: Vec<_> = to.iter().map(|to| to % everybody.len()).collect();
        let mut at: Vec<_> = at.iter().map(|at| at % self.ledger.places.len()).collect();
        to.dedup();
        at.dedup();
        let subjects: Vec<Value> = to
            .iter()
            .map(|to| json!({"subjectType": everybody[*to].0, "subjectId": everybody[*to].1}))
            .collect();
        let scopes: Vec<Value> = at
            .iter()
            .map(|at| json!({"scopeType": self.ledger.places[*at].kind, "scopeId": self.ledger.places[*at].id}))
            .collect();
        let payload = json!({"roleId": self.role(role), "subjects": subjects, "scopes": scopes});
        let path = format!("{RULES}/batch-create");
        let answer = self.server.post(token, &path, json!({"payload": payload})).await;
        self.note(&answer, 200, |answer| {
            answer["succeeded"].as_array().cloned().unwrap_or_default()
        })
    }

    /// Writes down the rules of an answer; whether there are any.
    fn note(&mut self, answer: &Answer, status: u16, made: impl Fn(Value) -> Vec<Value>) -> bool {
        if answer.status.as_u16() != status {
            return false;
        }
        let made = made(answer.json());
        for rule in &made {
            let text = |field: &str| rule[field].as_str().unwrap().to_owned();
            let who = everybody()
                .into_iter()
                .find(|it| it.0 == text("subjectType") && it.1 == text("subjectId"));
            let at = self
                .ledger
                .places
                .iter()
                .position(|it| it.kind == text("scopeType") && it.id == text("scopeId"));
            let new = Rule {
                subject: who.unwrap(),
                role: rule["roleId"].as_i64().unwrap(),
                at: at.unwrap(),
            };
            self.ledger.rules.insert(rule["id"].as_i64().unwrap(), new);
        }
        !made.is_empty()
    }

    /// One alone, or some together. Rules of the account's administrator are not in the ledger, and stay.
    async fn take_away(&mut self, token: &str, rules: &[usize]) -> Option<bool> {
        let all: Vec<i64> = self.ledger.rules.keys().copied().collect();
        let ids: Vec<i64> = rules
            .iter()
            .filter_map(|rule| all.get(rule % all.len().max(1)).copied())
            .collect();
        let gone: Vec<i64> = match ids[..] {
            [] => return None,
            [id] => {
                let answer = self.server.delete(token, &format!("{RULES}/{id}")).await;
                (answer.status == 204).then_some(id).into_iter().collect()
            }
            _ => {
                let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
                let body = json!({"ids": ids, "action": "delete"});
                let answer = self.server.post(token, &format!("{RULES}/batch"), body).await;
                let done = (answer.status == 200).then(|| answer.json()["succeeded"].clone());
                let done: Vec<String> = serde_json::from_value(done.unwrap_or_else(|| json!([]))).unwrap();
                done.iter().map(|id| id.parse().unwrap()).collect()
            }
        };
        for id in &gone {
            self.ledger.rules.remove(id);
        }
        Some(!gone.is_empty())
    }

    async fn put_role(
        &mut self,
        token: &str,
        number: Option<i64>,
        sets: &[usize],
        in_clusters: usize,
    ) -> bool {
        let cluster_role = CLUSTER_ROLES[in_clusters % CLUSTER_ROLES.len()];
        self.made += 1;
        let body = role_body(
            &format!("Role {}", self.made),
            &self.fixture.sets,
            sets,
            cluster_role,
        );
        let (method, path) = match number {
            None => (Method::POST, ROLES.to_owned()),
            Some(number) => (Method::PUT, format!("{ROLES}/{number}")),
        };
        let answer = self.server.call(token, method, &path, body.to_string()).await;
        if !answer.status.is_success() {
            return false;
        }
        let made = answer.json()["id"].as_i64().unwrap();
        let rights = rights_of(&self.ledger, sets, cluster_role);
        self.ledger.put_role(made, rights);
        if number.is_none() {
            self.custom.push(made);
        }
        true
    }

    async fn end_role(&mut self, token: &str, role: usize, how: usize) -> Option<bool> {
        let number = *self.custom.get(role % self.custom.len().max(1))?;
        let path = format!("{ROLES}/{number}");
        let answer = match how {
            0 => self.server.delete(token, &path).await,
            1 => {
                self.server
                    .post(token, &format!("{path}/disable"), Value::Null)
                    .await
            }
            _ => {
                self.server
                    .post(token, &format!("{path}/enable"), Value::Null)
                    .await
            }
        };
        if how == 0 && answer.status == 204 {
            self.custom.retain(|known| *known != number);
            self.ledger.roles.remove(&number);
        }
        Some(answer.status == 204)
    }

    async fn sign_in(&mut self, who: usize, groups: usize, story: &Story) -> Option<bool> {
        let people = story.acting.iter().copied().filter(|who| *who < PEOPLE.len());
        let people: Vec<Key> = people.map(actor).collect();
        let who = people.get(who % people.len().max(1))?.clone();
        let said = story
            .groups
            .iter()
            .enumerate()
            .filter(|(place, _)| groups & (1 << place) != 0);
        let said: Vec<&str> = said.map(|(_, name)| *name).collect();
        let Some(SubjectId::User(id)) = self.id(&who) else {
            return None;
        };
        let session = self.server.provided(id, &said, Value::Null).await;
        let token = self.server.token_in(&session);
        let groups = said.into_iter().map(group).collect();
        self.hands.push(Hand {
            who,
            groups,
            token,
            is_key: false,
        });
        Some(true)
    }

    /// Somebody else's secret or password, if it was given.
    async fn seized(&self, token: &str, who: Key, what: &str, word: &str) -> Option<Key> {
        let id = match self.id(&who) {
            Some(SubjectId::User(id)) => id.to_string(),
            Some(SubjectId::ServiceAccount(id)) => id.to_string(),
            None => uuid::Uuid::nil().to_string(),
        };
        let answer = self
            .server
            .post(token, &format!("/api/v1/{what}/{id}/{word}"), Value::Null)
            .await;
        answer.status.is_success().then_some(who)
    }

    async fn make_key(&mut self, by: usize) -> bool {
        let hand = &self.hands[by % self.hands.len()];
        let (who, token) = (hand.who.clone(), hand.token.clone());
        self.made += 1;
        let name = json!({"name": format!("key-{}", self.made)});
        let made = self.server.post(&token, "/api/v1/access-keys", name).await;
        if made.status != 201 {
            return false;
        }
        let made = made.json();
        let body = json!({"grantType": "client_credentials", "clientId": made["clientId"],
            "clientSecret": made["clientSecret"]});
        let token = self.server.post("", "/api/v1/token", body).await.is(200);
        let token = token["accessToken"].as_str().unwrap().to_owned();
        self.hands.push(Hand {
            who,
            groups: Vec::new(),
            token,
            is_key: true,
        });
        true
    }

    async fn offboard(&mut self, token: &str, who: usize) -> bool {
        let everybody = everybody();
        let who = everybody[who % everybody.len()].clone();
        let field = match who.0 {
            "user" => "user",
            "group" => "group",
            _ => "serviceAccount",
        };
        let mut body = json!({"dryRun": false});
        body[field] = json!(who.1);
        if field != "group" {
            body["workloads"] = json!("leave");
        }
        let answer = self.server.post(token, "/api/v1/offboarding", body).await;
        if answer.status != 200 {
            return false;
        }
        self.ledger.rules.retain(|_, rule| rule.subject != who);
        self.hands.retain(|hand| hand.who != who);
        true
    }

    async fn come_back(&self, number: usize) -> Option<bool> {
        let away: Vec<Key> = PEOPLE
            .iter()
            .map(|name| person(name))
            .filter(|who| self.id(who).is_none())
            .collect();
        let who = away.get(number % away.len().max(1))?.clone();
        // Until then a token for a cluster may be good that names the email.
        self.server.clock.advance_seconds(EMAIL_RESTS_SECONDS);
        self.server.user(&who.1, Value::Null).await;
        Some(true)
    }

    /// Everything that has to hold after a step.
    fn look(&self, before: &Ledger, done: &Done, step: &Step) {
        let directory = self.server.app.directory();
        let index = directory.index();
        for (at, place) in self.ledger.places.iter().enumerate() {
            let scope = Scope::from_wire(place.kind, &place.id).unwrap();
            let where_ = format!("in {} {} after {step:?}", place.kind, place.id);
            let own = before.held(&done.by, at);
            for who in everybody() {
                let key = std::slice::from_ref(&who);
                let held = self.ledger.held(key, at);
                let permissions = index.held_at(&Principal::alone(subject(&who)), scope);
                let said = permissions.iter().fold(Rights::NONE, |all, it| {
                    all.or(self
                        .ledger
                        .table
                        .right(it.entity.wire_name(), it.action.wire_name()))
                });
                let differs = said.without(held).or(held.on_the_control_plane().without(said));
                assert!(
                    differs == Rights::NONE,
                    "{who:?} {where_}: decided otherwise: {}",
                    self.ledger.told(differs)
                );
                let gained = held.without(before.held(key, at));
                let beyond = gained.without(own);
                assert!(
                    beyond == Rights::NONE,
                    "{who:?} {where_} by {:?}: {}",
                    done.by,
                    self.ledger.told(beyond)
                );
                let beyond = held.without(self.closure.holds(key, at));
                assert!(
                    beyond == Rights::NONE,
                    "{who:?} {where_}: outside of the closure: {}",
                    self.ledger.told(beyond)
                );
            }
            if let Some(who) = &done.taken {
                let seized = self.ledger.held(std::slice::from_ref(who), at);
                let beyond = seized.without(own.or(self.closure.holds(&[], at)));
                assert!(
                    beyond == Rights::NONE,
                    "{who:?} {where_} is taken over: {}",
                    self.ledger.told(beyond)
                );
            }
        }
    }
}

/// Of those who act.
fn actor(number: usize) -> Key {
    match PEOPLE.get(number) {
        Some(name) => person(name),
        None => application(APPLICATIONS[number - PEOPLE.len()]),
    }
}
