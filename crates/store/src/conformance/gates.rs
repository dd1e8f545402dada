//! Every method that demands a permission, tried with permissions for something else: for another action, another entity and another
//! scope than it says, and with every exception that it does not name. Each is refused, and nothing is written.
//!
//! What opens a method is said here, beside its call, as its documentation says it. Which methods there are is read from the traits.

use std::collections::BTreeSet;

use reeve_authz::{Action, BootstrapException, Entity, Granted, RoleId, Scope, Visible};
use reeve_types::{
    ClusterId, CredentialAssetId, DepartmentId, ProjectId, SecretAssetId, ServiceAccountId, SessionId,
    UserId, WorkloadId,
};

use super::organization::{NOW, Organization, exception, group};
use super::writes::gated;
use crate::{AccessRuleRow, CredentialHash, StoreError, SubjectId};

/// Tries methods by their calls: `method(arguments) by [what opens it];`.
macro_rules! by_granted {
    ($tried:ident, $store:ident: $($method:ident($($argument:expr),* $(,)?) by $opens:expr;)*) => {
        $(
            let call = async |granted: &Granted| $store.$method(granted, $($argument),*).await.map(drop);
            $tried.with_granted(stringify!($method), &$opens, call).await;
        )*
    };
}

/// Tries lists by their calls: `method(arguments) of entity;`.
macro_rules! by_visible {
    ($tried:ident, $store:ident: $($method:ident($($argument:expr),* $(,)?) of $entity:expr;)*) => {
        $(
            let call = async |visible: &Visible| $store.$method(visible, $($argument),*).await.map(drop);
            $tried.with_visible(stringify!($method), $entity, call).await;
        )*
    };
}

mod assets;
mod people;
mod scopes;
mod server;
mod signing_in;

/// What opens a method.
#[derive(Clone, Copy)]
enum Opens {
    /// A rule that allows exactly this.
    Rule(Action, Entity, Scope),
    /// An exception.
    Exception(BootstrapException),
}

impl Opens {
    fn is_opened_by(self, granted: &Granted) -> bool {
        match self {
            Self::Exception(which) => granted.exception() == Some(which),
            Self::Rule(action, entity, scope) => {
                let what = (granted.action(), granted.entity(), granted.scope());
                granted.exception().is_none() && what == (action, entity, scope)
            }
        }
    }

    fn permission(self, organization: &Organization) -> Granted {
        match self {
            Self::Rule(action, entity, scope) => organization.may(action, entity, scope),
            Self::Exception(which) => exception(which),
        }
    }
}

/// A rule of the account's.
const fn account(action: Action, entity: Entity) -> Opens {
    Opens::Rule(action, entity, Scope::Account)
}

const RECORD: Opens = Opens::Exception(BootstrapException::SessionRecord);
const LINK: Opens = Opens::Exception(BootstrapException::LinkStatus);
const OWN_KEY: Opens = Opens::Exception(BootstrapException::OwnAccessKey);
const ROTATION: Opens = Opens::Exception(BootstrapException::KeyRotation);
const RECOVERY: Opens = Opens::Exception(BootstrapException::Recovery);
const FIRST_START: Opens = Opens::Exception(BootstrapException::FirstStart);

/// What there is to be read and written. Of scopes there are two each.
struct Fixture {
    cluster: ClusterId,
    department: DepartmentId,
    project: ProjectId,
    scopes: Vec<Scope>,
    rule: AccessRuleRow,
    workload: WorkloadId,
    credential: CredentialAssetId,
    secret: SecretAssetId,
    user: UserId,
    service_account: ServiceAccountId,
    session: SessionId,
}

impl Fixture {
    async fn make(organization: &mut Organization) -> Self {
        let mut scopes = vec![Scope::Account];
        let mut made = None;
        for (number, name) in [(10, "a"), (11, "b")] {
            let cluster = organization.cluster(number, name).await.id;
            let department = organization.department(cluster, name).await.id;
            let project = organization.project(department, name).await.id;
            scopes.extend([
                Scope::Cluster(cluster),
                Scope::Department(department),
                Scope::Project(project),
            ]);
            made.get_or_insert((cluster, department, project));
        }
        let (cluster, department, project) = made.unwrap();
        let scope = Scope::Project(project);
        let rule = organization.rule(group("g"), RoleId::VIEWER, scope).await;
        let workload = organization.try_workload(100, project, "train").await.unwrap();
        let (credential, secret) = assets::keep(organization, scope).await;
        let user = organization.try_user(2, "alice@example.com", None).await.unwrap();
        let subject = SubjectId::User(user.id);
        let session = organization
            .sign_in(subject, CredentialHash::new("hash"), NOW)
            .await;
        Self {
            cluster,
            department,
            project,
            scopes,
            rule,
            workload: workload.value.summary.id,
            credential,
            secret,
            user: user.id,
            service_account: organization.service_account(20, "ci").await.id,
            session: session.unwrap().id,
        }
    }
}

/// Tries methods, and remembers which.
struct Tried<'o> {
    organization: &'o Organization,
    scopes: &'o [Scope],
    methods: BTreeSet<&'static str>,
}

impl Tried<'_> {
    /// Panics unless every permission but `opens` is refused, leaves nothing behind, and `opens` is not refused for being another one.
    async fn with_granted(
        &mut self,
        method: &'static str,
        opens: &[Opens],
        call: impl AsyncFn(&Granted) -> Result<(), StoreError>,
    ) {
        let before = self.organization.audited().await;
        for wrong in self.others(opens) {
            let said = call(&wrong).await;
            assert!(
                matches!(said, Err(StoreError::Gate { .. })),
                "`{method}` takes {wrong:?}: {said:?}"
            );
        }
        assert_eq!(
            self.organization.audited().await,
            before,
            "a refused `{method}` leaves no event"
        );
        for right in opens {
            let said = call(&right.permission(self.organization)).await;
            assert!(
                !matches!(said, Err(StoreError::Gate { .. })),
                "`{method}`: {said:?}"
            );
        }
        self.methods.insert(method);
    }

    /// Panics unless what may be seen of every other entity is refused.
    async fn with_visible(
        &mut self,
        method: &'static str,
        entity: Entity,
        call: impl AsyncFn(&Visible) -> Result<(), StoreError>,
    ) {
        let organization = self.organization;
        let others = Entity::ALL.into_iter().filter(|other| *other != entity);
        let others = others.filter_map(|other| organization.index.visible(&organization.admin, other).ok());
        for wrong in others {
            let said = call(&wrong).await;
            assert!(
                matches!(said, Err(StoreError::Gate { .. })),
                "`{method}` is cut by what is seen of {:?}: {said:?}",
                wrong.entity()
            );
        }
        call(&organization.sees(entity)).await.unwrap();
        self.methods.insert(method);
    }

    /// Permissions that do not open it: all exceptions, and what differs from a rule that does in one thing; of a method that no rule
    /// opens, everything that may be done in the account.
    fn others(&self, opens: &[Opens]) -> Vec<Granted> {
        let mut asked = Vec::new();
        for it in opens {
            match *it {
                Opens::Rule(action, entity, scope) => {
                    asked.extend(Action::ALL.map(|other| (other, entity, scope)));
                    asked.extend(Entity::ALL.map(|other| (action, other, scope)));
                    asked.extend(self.scopes.iter().map(|other| (action, entity, *other)));
                }
                Opens::Exception(_) => {
                    for action in Action::ALL {
                        asked.extend(Entity::ALL.map(|entity| (action, entity, Scope::Account)));
                    }
                }
            }
        }
        let organization = self.organization;
        let decided = asked.into_iter().filter_map(|(action, entity, scope)| {
            let decided = organization
                .index
                .decide(&organization.admin, action, entity, scope);
            decided.ok()
        });
        let all = BootstrapException::ALL.into_iter().map(exception).chain(decided);
        all.filter(|granted| !opens.iter().any(|it| it.is_opened_by(granted)))
            .collect()
    }
}

/// All of them. A method whose gate is left out, or asks for something else than it says, fails here.
pub async fn every_method_refuses_a_permission_for_something_else(mut organization: Organization) {
    let fixture = Fixture::make(&mut organization).await;
    let mut tried = Tried {
        organization: &organization,
        scopes: &fixture.scopes,
        methods: BTreeSet::new(),
    };
    scopes::lists(&mut tried, &fixture).await;
    assets::try_all(&mut tried, &fixture).await;
    scopes::try_all(&mut tried, &fixture).await;
    signing_in::try_all(&mut tried, &fixture).await;
    people::try_all(&mut tried, &fixture).await;
    server::try_all(&mut tried, &fixture).await;
    scopes::deletions(&mut tried, &fixture).await;
    // The names come in order, each once.
    assert_eq!(tried.methods.into_iter().collect::<Vec<_>>(), gated());
}
