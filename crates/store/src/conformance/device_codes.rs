//! Device codes.

use reeve_authz::{Action, BootstrapException, Entity, Scope};
use reeve_types::{SessionId, Timestamp, UserId};

use super::desired::all;
use super::organization::{NOW, Organization, entry, exception, id};
use super::told::Log;
use crate::{
    AuditAction, CredentialHash, DEVICE_CODES, DEVICE_CODES_OF_A_NETWORK, DeviceAnswer, DeviceCodeBegun,
    DeviceDecision, LONGEST_PAUSE_SECONDS, NewDeviceCode, OVER_SECONDS, PAUSE_SECONDS, StoreError,
    TypedUserCode, UserCodeFound, WRONG_USER_CODES, WRONG_USER_CODES_OF_A_NETWORK, WRONG_USER_CODES_SECONDS,
};

const CLIENT: &str = "reeve-cli";
/// How long one is good.
const LIFE: i64 = 600;

fn at(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

fn device(name: &str) -> CredentialHash {
    CredentialHash::new(format!("device-{name}"))
}

fn user(name: &str) -> CredentialHash {
    CredentialHash::new(format!("user-{name}"))
}

impl Organization {
    async fn device_begins(&self, name: &str, network: &str, when: Timestamp) -> DeviceCodeBegun {
        let new = NewDeviceCode {
            device_code: device(name),
            user_code: user(name),
            client: CLIENT.to_owned(),
            address: Some("192.0.2.7".to_owned()),
            network: network.to_owned(),
            at: when,
            until: when.plus_seconds(LIFE),
        };
        let granted = exception(BootstrapException::SessionRecord);
        self.store.begin_device_code(&granted, new).await.unwrap()
    }

    async fn types(&self, by: UserId, network: &str, name: &str, when: Timestamp) -> UserCodeFound {
        let typed = TypedUserCode {
            user_code: user(name),
            by,
            network: network.to_owned(),
            at: when,
        };
        let granted = exception(BootstrapException::SessionRecord);
        self.store.find_user_code(&granted, typed).await.unwrap()
    }

    async fn decides(&self, name: &str, session: Option<SessionId>, when: Timestamp) -> bool {
        let decision = DeviceDecision {
            user_code: user(name),
            session,
        };
        let mut entry = entry(AuditAction::SignIn);
        entry.timestamp = when;
        let granted = exception(BootstrapException::SessionRecord);
        let decided = self.store.decide_device_code(&granted, decision, entry).await;
        decided.unwrap().value
    }

    async fn device_asks(&self, name: &str, client: &str, when: Timestamp) -> DeviceAnswer {
        let granted = exception(BootstrapException::SessionRecord);
        let code = device(name);
        let asked = self.store.ask_device_code(&granted, &code, client, when);
        asked.await.unwrap()
    }
}

/// Planted faults: a session that is given twice; a decision after another one; a device code of another client.
pub async fn a_device_is_signed_in_once_by_who_typed_its_code(organization: Organization) {
    let (session, admin) = (id::<SessionId>(700), organization.admin_row.id);
    for name in ["a", "b", "c"] {
        let begun = organization.device_begins(name, "net", NOW).await;
        assert_eq!(begun, DeviceCodeBegun::Begun, "{name}");
    }
    assert_eq!(
        organization.device_begins("a", "net", NOW).await,
        DeviceCodeBegun::Taken
    );
    let found = organization.types(admin, "net", "a", at(1)).await;
    let UserCodeFound::Device(found) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (
            found.client.as_str(),
            found.address.as_deref(),
            found.at,
            found.until
        ),
        (CLIENT, Some("192.0.2.7"), NOW, at(LIFE))
    );
    assert_eq!(
        organization.device_asks("a", CLIENT, at(1)).await,
        DeviceAnswer::Waits
    );
    let events = organization.audited().await;
    assert!(organization.decides("a", Some(session), at(10)).await);
    assert!(organization.decides("b", None, at(10)).await);
    assert_eq!(organization.audited().await, events + 2);
    for name in ["a", "b", "nobodys"] {
        assert!(!organization.decides(name, Some(session), at(11)).await, "{name}");
        assert!(!organization.decides(name, None, at(11)).await, "{name}");
    }
    assert_eq!(organization.audited().await, events + 2);
    for (name, client) in [("a", "runai-cli"), ("nobodys", CLIENT)] {
        let answer = organization.device_asks(name, client, at(12)).await;
        assert_eq!(answer, DeviceAnswer::Unknown);
    }
    let asked = all((0..8).map(|_| organization.device_asks("a", CLIENT, at(20)))).await;
    let given = asked.iter().filter(|it| **it == DeviceAnswer::SignedIn(session));
    assert_eq!(given.count(), 1, "{asked:?}");
    assert_eq!(
        organization.device_asks("a", CLIENT, at(30)).await,
        DeviceAnswer::Unknown
    );
    for seconds in [20, 30] {
        let refused = organization.device_asks("b", CLIENT, at(seconds)).await;
        assert_eq!(refused, DeviceAnswer::Refused);
    }
    // Nobody decided about the third.
    assert!(!organization.decides("c", Some(session), at(LIFE)).await);
    let waits = organization.device_asks("c", CLIENT, at(LIFE - 1)).await;
    assert_eq!(waits, DeviceAnswer::Waits);
    for seconds in [LIFE, LIFE + 1] {
        let over = organization.device_asks("c", CLIENT, at(seconds)).await;
        assert_eq!(over, DeviceAnswer::Over);
    }
    let again = at(LIFE + OVER_SECONDS);
    assert_eq!(
        organization.device_begins("d", "net", again).await,
        DeviceCodeBegun::Begun
    );
    assert_eq!(
        organization.device_asks("c", CLIENT, again).await,
        DeviceAnswer::Unknown,
        "it is forgotten"
    );
    let link = super::organization::link();
    let gate = organization
        .store
        .ask_device_code(&link, &device("d"), CLIENT, again)
        .await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
    let other = organization.may(Action::Update, Entity::Users, Scope::Account);
    let decision = DeviceDecision {
        user_code: user("d"),
        session: Some(session),
    };
    let gate = organization
        .store
        .decide_device_code(&other, decision, entry(AuditAction::SignIn))
        .await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })));
}

/// Planted fault: the moment of the last question not kept, so that every one is the first.
pub async fn a_device_that_asks_too_early_waits_longer(organization: Organization) {
    organization.device_begins("a", "net", NOW).await;
    let asks = async |milliseconds: i64| {
        let when = Timestamp::from_millis(NOW.as_millis() + milliseconds);
        organization.device_asks("a", CLIENT, when).await
    };
    let (waits, early) = (DeviceAnswer::Waits, DeviceAnswer::TooEarly);
    let mut now = 0;
    assert_eq!(asks(now).await, waits);
    now += PAUSE_SECONDS * 1000;
    assert_eq!(asks(now).await, waits);
    now += PAUSE_SECONDS * 1000 - 1;
    assert_eq!(asks(now).await, early);
    // From now on it is longer by as much; and of a session that waits it learns nothing sooner.
    assert!(
        organization
            .decides("a", Some(id::<SessionId>(700)), at(11))
            .await
    );
    now += PAUSE_SECONDS * 2000 - 1;
    assert_eq!(asks(now).await, early);
    let mut pause = PAUSE_SECONDS * 3;
    while pause < LONGEST_PAUSE_SECONDS {
        now += 1;
        assert_eq!(asks(now).await, early);
        pause += PAUSE_SECONDS;
    }
    now += 1;
    assert_eq!(asks(now).await, early);
    now += LONGEST_PAUSE_SECONDS * 1000;
    assert!(matches!(asks(now).await, DeviceAnswer::SignedIn(_)));
}

/// Planted faults: the bounds not asked.
pub async fn so_many_devices_wait_at_a_time(organization: Organization) {
    let mut begun = 0;
    for network in 0.. {
        for number in 0..DEVICE_CODES_OF_A_NETWORK {
            let name = format!("{network}-{number}");
            match organization.device_begins(&name, &network.to_string(), NOW).await {
                DeviceCodeBegun::Begun => begun += 1,
                other => assert_eq!((begun, other), (DEVICE_CODES, DeviceCodeBegun::TooMany)),
            }
        }
        if begun == DEVICE_CODES {
            break;
        }
        assert_eq!(
            organization
                .device_begins("more", &network.to_string(), NOW)
                .await,
            DeviceCodeBegun::TooMany
        );
    }
    assert_eq!(
        organization.device_begins("more", "another", NOW).await,
        DeviceCodeBegun::TooMany
    );
    // Those that are over take no room.
    assert_eq!(
        organization.device_begins("more", "another", at(LIFE)).await,
        DeviceCodeBegun::Begun
    );
}

/// However many at a time, from wherever, at whichever process. Planted fault: guesses not counted.
pub async fn after_some_wrong_user_codes_none_is_looked_at(organization: Organization) {
    organization.device_begins("a", "net", NOW).await;
    let (alice, bob) = (id::<UserId>(801), id::<UserId>(802));
    // A right one is no guess.
    for _ in 0..WRONG_USER_CODES * 2 {
        let found = organization.types(alice, "net", "a", NOW).await;
        assert!(matches!(found, UserCodeFound::Device(_)), "{found:?}");
    }
    let networks: Vec<_> = (0..WRONG_USER_CODES * 4).map(|it| it.to_string()).collect();
    let guesses = networks
        .iter()
        .map(|network| organization.types(alice, network, "wrong", NOW));
    let guesses = all(guesses).await;
    let looked = guesses.iter().filter(|it| **it == UserCodeFound::None).count();
    assert_eq!(i64::try_from(looked), Ok(WRONG_USER_CODES));
    let still = at(WRONG_USER_CODES_SECONDS - 1);
    assert_eq!(
        organization.types(alice, "elsewhere", "a", still).await,
        UserCodeFound::Rests
    );
    // Others are not concerned.
    let found = organization.types(bob, "net", "a", NOW).await;
    assert!(matches!(found, UserCodeFound::Device(_)), "{found:?}");
    organization
        .device_begins("b", "net", at(WRONG_USER_CODES_SECONDS))
        .await;
    let found = organization
        .types(alice, "net", "b", at(WRONG_USER_CODES_SECONDS))
        .await;
    assert!(matches!(found, UserCodeFound::Device(_)), "{found:?}");

    // Of one network with many accounts.
    let later = at(2 * WRONG_USER_CODES_SECONDS);
    organization.device_begins("c", "net", later).await;
    let mut looked = 0;
    for number in 0..u64::try_from(WRONG_USER_CODES_OF_A_NETWORK + 5).unwrap() {
        let by = id::<UserId>(900 + number);
        if organization.types(by, "net", "wrong", later).await == UserCodeFound::None {
            looked += 1;
        }
    }
    assert_eq!(looked, WRONG_USER_CODES_OF_A_NETWORK);
    assert_eq!(
        organization.types(bob, "net", "c", later).await,
        UserCodeFound::Rests
    );
    let found = organization.types(bob, "elsewhere", "c", later).await;
    assert!(matches!(found, UserCodeFound::Device(_)), "{found:?}");
}

/// Its event, as [`super::every_write_is_in_the_audit_log`] wants it.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    organization.device_begins("told", "net", NOW).await;
    let decision = DeviceDecision {
        user_code: user("told"),
        session: Some(id::<SessionId>(700)),
    };
    let admin = organization.admin_row.id;
    let entry = entry(AuditAction::SignIn).about(admin, "admin@reeve.example");
    let granted = exception(BootstrapException::SessionRecord);
    let decided = organization.store.decide_device_code(&granted, decision, entry);
    assert!(decided.await.unwrap().value);
    log.has(
        organization,
        "decide_device_code",
        AuditAction::SignIn,
        admin,
        &[],
    )
    .await;
}
