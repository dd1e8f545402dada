//! A database of the thirtieth version of the schema, on either database: `tests/data/version_30.*.sql` hold its tables, a row at
//! least in each, and the digests of the migrations that made it, so that changing one of those turns this red as well.

use reeve_authz::{Action, BootstrapException, Entity, Granted, Index, Principal, RoleId, Scope, SubjectKey};
use reeve_store::{
    AccessKeys, AuditAction, AuditEntry, CredentialAssets, CredentialHash, Credentials, DesiredState,
    DeviceAnswer, DeviceCodes, Directory, DirectorySnapshot, IdentityProviders, KeyUse, NewSession, NewUser,
    Passkeys, ProvidedIdentity, RefreshTokens, Renewal, SecondFactors, SecuritySettings, Sessions,
    ShownRefreshToken, SigningKeys, StoreError, Users,
};
use reeve_store_sql::SqlStore;
use reeve_testkit::own_postgres;
use reeve_types::{SignInMethod, SubjectId, Timestamp, UserId};

use crate::postgres::opened_after;
use crate::sqlite::{open, written};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// How many events there are, without the two that were pruned.
const EVENTS: i64 = 39;

/// The id that ends with these digits.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(digits: &str) -> T {
    let zeros = "00000000-0000-4000-8000-000000000000";
    let begin = zeros.get(..zeros.len() - digits.len()).unwrap();
    format!("{begin}{digits}").parse().unwrap()
}

fn record() -> Granted {
    Granted::bootstrap(BootstrapException::SessionRecord)
}

fn entry(action: AuditAction) -> AuditEntry {
    AuditEntry::of_the_system(action, "users", String::new(), NOW)
}

fn hash(text: &str) -> CredentialHash {
    CredentialHash::new(text)
}

/// Whatever could be done with what was kept can be done with it still.
async fn is_all_there(store: &SqlStore) {
    let known = store.directory().await.unwrap();
    is_known(&known);
    let keys = store.signing_keys().await.unwrap();
    let keys: Vec<_> = keys
        .iter()
        .map(|key| (key.sealed.as_str(), key.facts.usage))
        .collect();
    assert_eq!(keys, [("sealed", KeyUse::Current), ("sealed", KeyUse::Next)]);
    let verified = store.verify_audit(&[]).await.unwrap().unwrap();
    assert_eq!((verified.events, verified.unkeyed), (EVENTS, 0));
    is_told(store, &known).await;
    lets_people_in(store).await;
    holds_what_has_to_rest(store, &known).await;
    store.verify_audit(&[]).await.unwrap().unwrap();
}

fn is_known(known: &DirectorySnapshot) {
    let cluster = known.clusters.first().unwrap();
    assert_eq!(
        (
            cluster.name.as_str(),
            cluster.lowest_id.number(),
            known.clusters.len()
        ),
        ("Production", 501, 1)
    );
    assert_eq!(cluster.endpoint.as_ref().unwrap().server, "https://k8s.example");
    assert!(cluster.settings.as_ref().unwrap().enforce_run_as_user);
    assert_eq!(cluster.credential.0, 1, "its link secret was replaced once");
    assert_eq!((known.departments.len(), known.projects.len()), (1, 1));
    let roles: Vec<_> = known
        .roles
        .iter()
        .map(|role| (role.id.number(), role.name.as_str()))
        .collect();
    assert_eq!(roles, [(1001, "Readers")]);
    let limits = &known.policies.first().unwrap().policy.rules.compute;
    assert_eq!(limits.gpu_devices_request.as_ref().unwrap().max, Some(4));
    let mut users: Vec<_> = known.users.iter().map(|user| user.email.as_str()).collect();
    users.sort_unstable();
    assert_eq!(
        users,
        ["admin@reeve.example", "alice@example.com", "anna@example.com"]
    );
    assert!(known.service_accounts.first().unwrap().enabled);
    assert_eq!(known.rules.len(), 3, "not the one that was deleted");
    let mut sessions: Vec<_> = known
        .sessions
        .iter()
        .map(|session| session.groups.len())
        .collect();
    sessions.sort_unstable();
    assert_eq!(sessions, [0, 1], "alice's, and anna's with her group");
}

/// What clusters are told of it.
async fn is_told(store: &SqlStore, known: &DirectorySnapshot) {
    let link = Granted::bootstrap(BootstrapException::LinkStatus);
    let cluster = known.clusters.first().unwrap().id;
    let state = store.desired_all(&link, cluster, None, 1 << 20).await;
    let state = state.unwrap().unwrap();
    // Three rules, a project, a credential, a workload.
    assert_eq!(state.upserts.len(), 6);
    let sealed = store.sealed_credentials(&link, &[id("200")]).await.unwrap();
    assert_eq!(sealed.first().unwrap().sealed.text, "sealed values");
    let gone = store.deleted_link_verifier(id("b")).await.unwrap().unwrap();
    assert_eq!(gone.as_str(), "hash", "a deleted cluster's operator is told so");
}

/// By everything that they signed in with.
async fn lets_people_in(store: &SqlStore) {
    let alice: UserId = id("2");
    let providers = store.identity_providers(&record()).await.unwrap();
    let provider = providers.first().unwrap();
    assert_eq!(
        (provider.alias.as_str(), provider.sealed.as_str()),
        ("corp", "sealed client")
    );
    let anna = ProvidedIdentity {
        alias: provider.alias.clone(),
        issuer: "https://idp.test".to_owned(),
        subject: "anna".to_owned(),
        email: "anna@example.com".parse().unwrap(),
        uid: None,
        new_id: id("999"),
    };
    let known = store
        .provided_user(&record(), anna, entry(AuditAction::Create))
        .await;
    assert_eq!(known.unwrap().value, id("4"), "the one that was known before");
    let passkeys = store.passkeys(&record(), alice).await.unwrap();
    assert_eq!(passkeys.recovery_codes, 2);
    assert_eq!(passkeys.passkeys.first().unwrap().counter, 3);
    assert!(
        !store.use_step(&record(), alice, 10).await.unwrap(),
        "used before"
    );
    assert!(store.use_step(&record(), alice, 11).await.unwrap());
    assert!(
        store
            .use_recovery_code(&record(), alice, &hash("code a"))
            .await
            .unwrap()
    );
    let own = Granted::bootstrap(BootstrapException::OwnAccessKey);
    let keys = store.access_keys(&own, alice).await.unwrap();
    assert_eq!(keys.first().unwrap().name.as_str(), "notebook");
    let by_key = NewSession {
        id: id("310"),
        subject: SubjectId::User(alice),
        method: SignInMethod::AccessKey,
        groups: Vec::new(),
        posix: None,
        until: NOW.plus_seconds(3600),
        go_on_until: None,
        provider: None,
        access_key: Some(keys.first().unwrap().id),
    };
    let begun = store
        .begin_session(
            &record(),
            by_key,
            Some(&hash("secret")),
            entry(AuditAction::SignIn),
        )
        .await;
    assert!(begun.unwrap().value.is_some());
    let shown = ShownRefreshToken {
        session: id("301"),
        client: Some("reeve-cli".to_owned()),
        token: hash("token-1"),
        successor: hash("token-2"),
        until: NOW.plus_seconds(600),
    };
    let renewed = store
        .renew_by_refresh_token(&record(), shown, entry(AuditAction::SignIn))
        .await;
    assert!(matches!(
        renewed.unwrap().value,
        Renewal::Given { again: false, .. }
    ));
    let device = store
        .ask_device_code(&record(), &hash("device"), "reeve-cli", NOW.plus_seconds(60))
        .await;
    assert_eq!(device.unwrap(), DeviceAnswer::Waits);
    assert!(
        store
            .security_settings(&record())
            .await
            .unwrap()
            .device_authorization
    );
}

/// What was used up, and what is not to be given to another yet.
async fn holds_what_has_to_rest(store: &SqlStore, known: &DirectorySnapshot) {
    let until = NOW.plus_seconds(600);
    assert!(!store.use_once(&record(), "something", NOW, until).await.unwrap());
    let admin = SubjectKey::User("admin@reeve.example".parse().unwrap());
    let rule = known.rules.iter().find(|rule| rule.subject == admin).unwrap();
    assert_eq!(rule.role, RoleId::SYSTEM_ADMINISTRATOR);
    let mut index = Index::new();
    index.add_rule(rule.clone());
    let granted = index.decide(
        &Principal::alone(admin),
        Action::Create,
        Entity::Users,
        Scope::Account,
    );
    let new = NewUser {
        id: id("5"),
        email: "bob@example.com".parse().unwrap(),
        password: None,
        temporary_password: false,
        posix: None,
        created_at: NOW,
        created_by: "admin".to_owned(),
    };
    let made = store
        .create_user(&granted.unwrap(), new, entry(AuditAction::Create))
        .await;
    assert!(matches!(made, Err(StoreError::EmailRests { .. })), "{made:?}");
}

#[tokio::test]
async fn a_database_of_version_30_goes_on_on_sqlite() {
    let (_dir, file) = written(include_str!("../data/version_30.sqlite.sql"));
    is_all_there(&open(&file).await).await;
    // And a second start finds nothing to do.
    open(&file).await.verify_audit(&[]).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_database_of_version_30_goes_on_on_postgres() {
    let Some(postgres) = own_postgres() else { return };
    let store = opened_after(&postgres, include_str!("../data/version_30.postgres.sql")).await;
    is_all_there(&store).await;
}
