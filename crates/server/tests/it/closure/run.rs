//! Stories by REST, and what is looked at after each step.

use std::cell::RefCell;
use std::sync::LazyLock;

use axum::http::Method;
use reeve_authz::{Permission, PermissionSet, Principal, Scope, SubjectKey};
use reeve_store::{EMAIL_RESTS_SECONDS, SubjectId};
use reeve_types::Clock;
use serde_json::{Value, json};

use super::Seen;
use super::fixture::{
    APPLICATIONS, CLUSTER_ROLES, EVERYBODY, Fixture, PEOPLE, PREDEFINED, ROLES, actor, application, group,
    person, rights_of, role_body, subject,
};
use super::naive::{Closure, Key, Ledger, Rights, Rule, Table};
use super::story::{Step, Story};
use crate::server::{Answer, Server, rule};

/// The rule of the account's administrator is not written down.
const OF_THE_FIRST_START: usize = 1;
const RULES: &str = "/api/v1/authorization/access-rules";

/// The naive evaluator's bit of each permission of the engine.
static BITS: LazyLock<Vec<Rights>> = LazyLock::new(|| {
    let table = Table::read();
    let mut bits = vec![Rights::NONE; Permission::all().map(place).max().unwrap() + 1];
    for it in Permission::all() {
        bits[place(it)] = table.right(it.entity.wire_name(), it.action.wire_name());
    }
    bits
});

fn place(permission: Permission) -> usize {
    permission.entity as usize * 4 + permission.action as usize
}

fn bits(permissions: PermissionSet) -> Rights {
    permissions
        .iter()
        .fold(Rights::NONE, |all, it| all.or(BITS[place(it)]))
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
    /// What everybody can come to hold, by scope and place in [`EVERYBODY`].
    most: Vec<Vec<Rights>>,
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
        if done.done {
            run.look(&before, &done, step);
        } else {
            let rules = run.server.app.directory().index().rule_count();
            assert_eq!(
                rules,
                run.ledger.rules.len() + OF_THE_FIRST_START,
                "{step:?} was refused"
            );
        }
    }
}

impl<'f> Run<'f> {
    async fn begin(fixture: &'f Fixture, story: &Story) -> Self {
        let server = Server::open_copy(fixture.dir.copy().await, Clock::fixed(fixture.clock)).await;
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
        let most = |at| {
            let most = EVERYBODY
                .iter()
                .map(|who| closure.holds(std::slice::from_ref(who), at));
            most.collect()
        };
        let most = (0..fixture.ledger.places.len()).map(most).collect();
        let mut run = Self {
            fixture,
            server,
            ledger: fixture.ledger.clone(),
            closure,
            most,
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

    fn hand(&self, by: usize) -> Option<&Hand> {
        self.hands.get(by % self.hands.len().max(1))
    }

    /// Every second time one of those that may do this somewhere: most may not.
    fn hand_that(&self, by: usize, may: Rights) -> Option<&Hand> {
        let places = 0..self.ledger.places.len();
        let fits = |hand: &&Hand| {
            let keys = self.keys_of(hand);
            places.clone().any(|at| may.within(self.ledger.held(&keys, at)))
        };
        let some: Vec<&Hand> = match by % 2 {
            0 => self.hands.iter().filter(fits).collect(),
            _ => Vec::new(),
        };
        some.get(by / 2 % some.len().max(1))
            .copied()
            .or_else(|| self.hand(by))
    }

    async fn take(&mut self, step: &Step, story: &Story) -> Option<Done> {
        let hand = match step {
            Step::Give { by, .. } | Step::GiveMany { by, .. } | Step::Take { by, .. } => {
                Some(self.hand_that(*by, self.ledger.table.creates_rules)?)
            }
            Step::MakeRole { by, .. } | Step::EditRole { by, .. } | Step::EndRole { by, .. } => {
                Some(self.hand_that(*by, self.ledger.table.creates_roles)?)
            }
            Step::MakeApplication { by, .. }
            | Step::NewSecret { by, .. }
            | Step::NewPassword { by, .. }
            | Step::MakeKey { by } => Some(self.hand(*by)?),
            Step::Offboard { by: Some(by), .. } => Some(self.hand(*by)?),
            Step::Offboard { by: None, .. } | Step::SignIn { .. } | Step::ComeBack { .. } => None,
        };
        let (keys, token) = match hand {
            None => (Vec::new(), self.server.admin.clone()),
            Some(hand) => (self.keys_of(hand), hand.token.clone()),
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
        let everybody = &*EVERYBODY;
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
        let everybody = &*EVERYBODY;
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
            let who = EVERYBODY
                .iter()
                .find(|it| it.0 == text("subjectType") && it.1 == text("subjectId"));
            let at = self
                .ledger
                .places
                .iter()
                .position(|it| it.kind == text("scopeType") && it.id == text("scopeId"));
            let new = Rule {
                subject: who.unwrap().clone(),
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
        let everybody = &*EVERYBODY;
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
            let none = |rights: Rights, who: &Key, what: &str| {
                let (kind, id) = (place.kind, &place.id);
                assert!(
                    rights == Rights::NONE,
                    "{who:?} in {kind} {id} {what} after {step:?} by {:?}: {}",
                    done.by,
                    self.ledger.told(rights)
                );
            };
            let own = before.held(&done.by, at);
            for (who, most) in EVERYBODY.iter().zip(&self.most[at]) {
                let key = std::slice::from_ref(who);
                let held = self.ledger.held(key, at);
                let said = bits(index.held_at(&Principal::alone(subject(who)), scope));
                let differs = said.without(held).or(held.on_the_control_plane().without(said));
                none(differs, who, "is decided otherwise");
                let gained = held.without(before.held(key, at));
                none(gained.without(own), who, "gained what was not held");
                none(held.without(*most), who, "is outside of the closure");
            }
            if let Some(who) = &done.taken {
                let seized = self.ledger.held(std::slice::from_ref(who), at);
                none(
                    seized.without(own.or(self.closure.holds(&[], at))),
                    who,
                    "is taken over",
                );
            }
        }
    }
}
