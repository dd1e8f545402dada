//! Writes in a random order: the same for the same seed.

mod policies;
mod roles;

use reeve_authz::{Action, BootstrapException, Entity, RoleId, Scope, SubjectKey};
use reeve_link::{ClusterSettings, KubernetesEndpoint, ObjectKey, ObjectStatus, StatusPhase, StatusReport};
use reeve_types::{ClusterId, LowestId, Revision, SignInMethod};

use super::organization::{NOW, Organization, entry, exception, group, link, parsed, posix, signing_key};
use super::sorted::sorted;
use crate::{AuditAction, CredentialHash, DirectorySnapshot, Fenced, KeyUse, SetNetworking, SubjectId};

/// Draws writes of every kind that changes the directory. What a write needs is looked up in the store; one that is refused
/// changes nothing and counts as well.
pub struct RandomWrites {
    state: u64,
    /// Of names and ids, so that none is given twice.
    next: u64,
}

impl RandomWrites {
    /// Begins with this seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            next: 100,
        }
    }

    /// SplitMix64: enough for tests, and the same everywhere.
    fn draw(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let number = usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default();
        number % below.max(1)
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        let at = self.draw(of.len());
        of.get(at)
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Does one write, or tries to.
    pub async fn step(&mut self, organization: &mut Organization) {
        let known = sorted(organization.store.directory().await.unwrap());
        match self.draw(16) {
            0 | 1 if known.clusters.len() < 3 || self.draw(8) == 0 => {
                let number = self.fresh();
                organization.cluster(number, &format!("c{number}")).await;
            }
            0..=2 => self.make_scope(organization, &known).await,
            3 | 4 => self.make_rule(organization, &known).await,
            5 => self.make_subject(organization).await,
            6 => self.change_subject(organization, &known).await,
            7 => self.change_cluster(organization, &known).await,
            8 => self.report(organization, &known).await,
            9 => self.delete_rule(organization, &known).await,
            10 => self.delete_subject(organization, &known).await,
            11 | 12 => self.sign_in_or_out(organization, &known).await,
            13 => self.change_policy(organization, &known).await,
            14 => self.change_role(organization, &known).await,
            _ => self.delete_scope(organization, &known).await,
        }
    }

    async fn sign_in_or_out(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let (store, number) = (&organization.store, self.fresh());
        let user = self.pick(&known.users).map(|it| SubjectId::User(it.id));
        let account = self.pick(&known.service_accounts);
        let account = account.map(|it| SubjectId::ServiceAccount(it.id));
        match (self.draw(7), user, account, self.pick(&known.sessions)) {
            (0, Some(user), ..) => {
                let mut new = organization.new_session(user);
                new.method = SignInMethod::IdentityProvider;
                new.groups = vec![parsed(&format!("g{}", self.draw(4)))];
                new.posix = (self.draw(2) == 0).then(|| posix(900_000 + i64::try_from(number).unwrap()));
                organization.try_sign_in(new, None, NOW).await.unwrap();
            }
            (1 | 2, _, Some(account), _) => {
                let mut new = organization.new_session(account);
                new.go_on_until = (self.draw(2) == 0).then_some(NOW);
                let _ = organization
                    .try_sign_in(new, Some(&CredentialHash::new("hash")), NOW)
                    .await;
            }
            (3, _, _, Some(session)) => {
                let granted = exception(BootstrapException::SessionRecord);
                let out = entry(AuditAction::SignOut);
                let ended = store.end_session(&granted, session.subject, session.id, out);
                ended.await.unwrap();
            }
            (4, ..) => {
                let granted = exception(BootstrapException::KeyRotation);
                let current = known.signing_keys.iter().find(|key| key.usage == KeyUse::Current);
                let next = signing_key(&format!("k{number}"));
                let rotate = entry(AuditAction::Rotate);
                let rotated = store.rotate_signing_keys(&granted, &current.unwrap().id, next, rotate);
                rotated.await.unwrap();
            }
            (5, ..) => {
                let granted = exception(BootstrapException::KeyRotation);
                let later = NOW.plus_seconds(1);
                let dropped = store.drop_signing_keys(&granted, later, entry(AuditAction::Delete));
                dropped.await.unwrap();
            }
            (6, ..) if self.draw(3) == 0 => {
                let granted = exception(BootstrapException::SessionRecord);
                let pruned = store.prune_sessions(&granted, NOW.plus_seconds(7200), 3);
                pruned.await.unwrap();
            }
            (_, Some(user), ..) => {
                let new = organization.new_session(user);
                let _ = organization
                    .try_sign_in(new, Some(&CredentialHash::new("hash")), NOW)
                    .await;
            }
            _ => {}
        }
    }

    async fn make_scope(&mut self, organization: &mut Organization, known: &DirectorySnapshot) {
        let number = self.fresh();
        match (
            self.draw(3),
            self.pick(&known.departments),
            self.pick(&known.projects),
        ) {
            (1, Some(department), _) => {
                organization.project(department.id, &format!("p{number}")).await;
            }
            (2, _, Some(project)) => {
                let name = format!("w{number}");
                let _ = organization.try_workload(number, project.id, &name).await;
            }
            _ => {
                if let Some(cluster) = self.pick(&known.clusters) {
                    organization.department(cluster.id, &format!("d{number}")).await;
                }
            }
        }
    }

    fn scope(&mut self, known: &DirectorySnapshot) -> Scope {
        let scope = match self.draw(4) {
            0 => None,
            1 => self.pick(&known.clusters).map(|it| Scope::Cluster(it.id)),
            2 => self.pick(&known.departments).map(|it| Scope::Department(it.id)),
            _ => self.pick(&known.projects).map(|it| Scope::Project(it.id)),
        };
        scope.unwrap_or(Scope::Account)
    }

    async fn make_rule(&mut self, organization: &mut Organization, known: &DirectorySnapshot) {
        let user = self.pick(&known.users).map(|it| it.email.clone());
        let account = self.pick(&known.service_accounts).map(|it| it.name.clone());
        let subject = match (self.draw(3), user, account) {
            (0, Some(email), _) => SubjectKey::User(email),
            (1, _, Some(name)) => SubjectKey::ServiceAccount(name),
            _ => group(&format!("g{}", self.draw(4))),
        };
        let own = self.pick(&known.roles).map(|it| it.id);
        let role = match (self.draw(4), own) {
            (0, Some(own)) => Some(own),
            _ => self.pick(&[RoleId::VIEWER, RoleId::L1_RESEARCHER]).copied(),
        };
        let scope = self.scope(known);
        let _ = organization.try_rule(subject, role.unwrap(), scope).await;
    }

    async fn make_subject(&mut self, organization: &Organization) {
        let number = self.fresh();
        if self.draw(2) == 0 {
            let posix = (self.draw(2) == 0).then(|| posix(70_000 + i64::try_from(number).unwrap()));
            let email = format!("u{number}@example.com");
            organization.try_user(number, &email, posix).await.unwrap();
        } else {
            organization.service_account(number, &format!("s{number}")).await;
        }
    }

    async fn change_subject(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let store = &organization.store;
        let users = organization.may(Action::Update, Entity::Users, Scope::Account);
        let accounts = organization.may(Action::Update, Entity::ServiceAccount, Scope::Account);
        let update = || entry(AuditAction::Update);
        let number = i64::try_from(self.fresh()).unwrap();
        let what = self.draw(7);
        let Some(user) = self.pick(&known.users) else {
            return;
        };
        match (what, self.pick(&known.service_accounts)) {
            (0, Some(account)) => {
                let change =
                    store.set_service_account_enabled(&accounts, account.id, !account.enabled, NOW, update());
                change.await.unwrap();
            }
            (1, Some(account)) => {
                let secret = CredentialHash::new("other");
                let change = store.set_service_account_secret(&accounts, account.id, secret, NOW, update());
                change.await.unwrap();
            }
            (2, _) => {
                let posix = posix(700_000 + number);
                let change = store.set_posix(&users, user.id, Some(posix), NOW, update());
                change.await.unwrap();
            }
            (3, _) => {
                let change = store.set_password(&users, user.id, CredentialHash::new("hash"), NOW, update());
                change.await.unwrap();
            }
            (4, _) => {
                let recovery = exception(BootstrapException::Recovery);
                let change = store.recover_password(
                    &recovery,
                    &user.email,
                    CredentialHash::new("hash"),
                    NOW,
                    update(),
                );
                change.await.unwrap();
            }
            (5, _) => {
                let recovery = exception(BootstrapException::Recovery);
                let fenced = Fenced {
                    head: store.fence_news(0).await.unwrap().head,
                    era: 0,
                    numbers: Default::default(),
                };
                let change = store.recover(&recovery, &fenced, &[], update());
                change.await.unwrap();
            }
            _ => {
                store.end_sessions(&users, user.id, update()).await.unwrap();
            }
        }
    }

    async fn change_cluster(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let Some(cluster) = self.pick(&known.clusters) else {
            return;
        };
        let (store, id) = (&organization.store, cluster.id);
        let granted = organization.may(Action::Update, Entity::Cluster, Scope::Cluster(id));
        let update = entry(AuditAction::Update);
        match self.draw(4) {
            3 => {
                let granted = organization.may(Action::Update, Entity::Project, Scope::Cluster(id));
                let here = known.projects.iter().find(|project| project.cluster_id == id);
                let new = SetNetworking {
                    allowed: self.draw(2) == 0,
                    at: NOW,
                    by: "admin".to_owned(),
                };
                if let Some(project) = here {
                    let change = store.set_project_networking(&granted, project.id, new, update);
                    change.await.unwrap();
                }
            }
            0 => {
                let granted = organization.may(Action::Update, Entity::Cluster, Scope::Account);
                let lowest = LowestId::new(1 + i64::try_from(self.draw(900)).unwrap()).unwrap();
                store.set_lowest_id(&granted, id, lowest, update).await.unwrap();
            }
            1 => {
                let change = store.set_kubernetes_endpoint(&granted, id, self.endpoint(), update);
                change.await.unwrap();
            }
            _ => {
                let change =
                    store.set_cluster_credential(&granted, id, CredentialHash::new("new").into(), update);
                change.await.unwrap();
            }
        }
    }

    fn endpoint(&mut self) -> KubernetesEndpoint {
        KubernetesEndpoint {
            server: format!("https://k{}.example.com:6443", self.draw(4)),
            certificate_authority_data: String::new(),
        }
    }

    async fn report(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let Some(cluster) = self.pick(&known.clusters) else {
            return;
        };
        let endpoint = self.endpoint();
        let settings = (self.draw(2) == 0).then(|| ClusterSettings {
            enforce_run_as_user: self.draw(2) == 0,
            enforce_prevent_privilege_escalation: true,
            kubernetes_version: "v1.37.2".to_owned(),
            operator_version: "0.1.0".to_owned(),
            kubernetes_endpoint: (self.draw(2) == 0).then_some(endpoint),
            policy_alarms: Vec::new(),
            ..ClusterSettings::default()
        });
        let behind = u64::try_from(self.draw(2)).unwrap();
        let report = StatusReport {
            revision: Revision(cluster.revision.0.saturating_sub(behind)),
            settings,
            objects: self.status(known).into_iter().collect(),
        };
        send(organization, cluster.id, &report).await;
    }

    fn status(&mut self, known: &DirectorySnapshot) -> Option<ObjectStatus> {
        self.pick(&known.projects).map(|project| ObjectStatus {
            key: ObjectKey::Project(project.id),
            phase: StatusPhase::Ready,
            message: String::new(),
        })
    }

    async fn delete_rule(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        if let Some(rule) = self.pick(&known.rules) {
            let granted = organization.may(Action::Delete, Entity::AccessRules, rule.scope);
            let delete = entry(AuditAction::Delete);
            // The administrator's own is refused.
            let _ = organization
                .store
                .delete_access_rule(&granted, rule.id, NOW, delete)
                .await;
        }
    }

    async fn delete_subject(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let delete = entry(AuditAction::Delete);
        match (
            self.draw(2),
            self.pick(&known.users),
            self.pick(&known.service_accounts),
        ) {
            (0, Some(user), _) => {
                let _ = organization.delete_user(user.id).await;
            }
            (_, _, Some(account)) => {
                let granted = organization.may(Action::Delete, Entity::ServiceAccount, Scope::Account);
                let store = &organization.store;
                let gone = store.delete_service_account(&granted, account.id, NOW, delete);
                gone.await.unwrap();
            }
            _ => {}
        }
    }

    async fn delete_scope(&mut self, organization: &Organization, known: &DirectorySnapshot) {
        let (store, scope) = (&organization.store, self.scope(known));
        let may = |entity| organization.may(Action::Delete, entity, scope);
        let delete = entry(AuditAction::Delete);
        match scope {
            Scope::Account => {}
            Scope::Cluster(id) if self.draw(3) == 0 => {
                let granted = may(Entity::Cluster);
                store.delete_cluster(&granted, id, NOW, delete).await.unwrap();
            }
            Scope::Cluster(_) => {}
            Scope::Department(id) => {
                let granted = may(Entity::Department);
                store.delete_department(&granted, id, NOW, delete).await.unwrap();
            }
            Scope::Project(id) => {
                let granted = may(Entity::Project);
                store.delete_project(&granted, id, NOW, delete).await.unwrap();
            }
        }
    }
}

async fn send(organization: &Organization, cluster: ClusterId, report: &StatusReport) {
    let (granted, update) = (link(), entry(AuditAction::Update));
    let sent = organization.store.report(&granted, cluster, report, NOW, update);
    sent.await.unwrap();
}
