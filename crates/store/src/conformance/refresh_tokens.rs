//! Refresh tokens.

use reeve_authz::{Action, BootstrapException, Entity, Scope};
use reeve_types::{SessionId, Timestamp};

use super::desired::all;
use super::organization::{NOW, Organization, entry, exception};
use super::told::Log;
use crate::{
    AuditAction, CredentialHash, NewRefreshToken, REPEATED_SECONDS, Renewal, SessionFacts, ShownRefreshToken,
    StoreError, SubjectId,
};

const CLIENT: &str = "reeve-cli";
/// How long one is good unless it is used.
const IDLE: i64 = 600;

/// The token of this number is followed by the next.
fn token(number: u32) -> CredentialHash {
    CredentialHash::new(format!("token-{number}"))
}

impl Organization {
    /// Gives a session its first refresh token, which has the number 1.
    async fn give(&self, session: SessionId, at: Timestamp) -> bool {
        let new = NewRefreshToken {
            session,
            client: CLIENT.to_owned(),
            token: token(1),
            until: at.plus_seconds(IDLE),
        };
        let granted = exception(BootstrapException::SessionRecord);
        self.store.give_refresh_token(&granted, new, at).await.unwrap()
    }

    /// Shows the token of this number.
    async fn show(&self, session: SessionId, number: u32, at: Timestamp) -> Renewal {
        self.show_by(session, number, Some(CLIENT), at).await
    }

    async fn show_by(&self, session: SessionId, number: u32, client: Option<&str>, at: Timestamp) -> Renewal {
        let shown = ShownRefreshToken {
            session,
            client: client.map(str::to_owned),
            token: token(number),
            successor: token(number + 1),
            until: at.plus_seconds(IDLE),
        };
        let mut entry = entry(AuditAction::SignIn);
        entry.timestamp = at;
        let granted = exception(BootstrapException::SessionRecord);
        let done = self
            .store
            .renew_by_refresh_token(&granted, shown, entry)
            .await
            .unwrap();
        assert!(done.log.is_empty(), "nothing of it is in the directory");
        done.value
    }

    /// A session of the administrator that lives for an hour, with its first refresh token.
    async fn renewable(&self) -> SessionFacts {
        let subject = SubjectId::User(self.admin_row.id);
        let password = self.admin_password().await;
        let session = self.sign_in(subject, password, NOW).await.unwrap();
        assert!(self.give(session.id, NOW).await);
        session
    }
}

fn given(session: &SessionFacts, again: bool) -> Renewal {
    Renewal::Given {
        session: session.clone(),
        began: NOW,
        again,
    }
}

/// The next one is good then, and shown again the old one says that somebody has a copy. Planted faults: the successor not put in its
/// place; an old one not told from one that is over.
pub async fn a_refresh_token_is_replaced_by_its_use(organization: Organization) {
    let session = organization.renewable().await;
    let (one, other) = (session.id, organization.renewable().await);
    assert!(!organization.give(one, NOW).await, "a session has one");
    let events = organization.audited().await;
    let at = |seconds| NOW.plus_seconds(seconds);
    assert_eq!(organization.show(one, 1, at(100)).await, given(&session, false));
    assert_eq!(organization.show(one, 2, at(200)).await, given(&session, false));
    assert_eq!(organization.audited().await, events + 2);
    // However often it was replaced since.
    for number in [1, 7] {
        let reused = organization.show(one, number, at(201)).await;
        assert_eq!(reused, Renewal::Reused(session.clone()), "{number}");
    }
    assert_eq!(organization.audited().await, events + 2);
    assert_eq!(organization.show(one, 3, at(300)).await, given(&session, false));
    // Each session has its own.
    assert_eq!(
        organization.show(other.id, 1, at(300)).await,
        given(&other, false)
    );
    let read = organization.may(Action::Read, Entity::Users, Scope::Account);
    let shown = organization.store.sessions(&read, session.subject).await.unwrap();
    assert!(shown.iter().all(|row| row.refreshed == at(300)));
}

/// Whoever got no answer asks again, and gets what the first answer said; not after its use, and not for long. Planted fault: a second
/// successor.
pub async fn a_lost_answer_is_given_again_for_a_minute(organization: Organization) {
    let session = organization.renewable().await;
    let at = |seconds| NOW.plus_seconds(seconds);
    let show = async |number, seconds| organization.show(session.id, number, at(seconds)).await;
    let events = organization.audited().await;
    assert_eq!(show(1, 100).await, given(&session, false));
    for seconds in [100, 101, 99 + REPEATED_SECONDS] {
        assert_eq!(show(1, seconds).await, given(&session, true), "{seconds}");
    }
    assert_eq!(organization.audited().await, events + 1, "it was told once");
    assert_eq!(
        show(1, 100 + REPEATED_SECONDS).await,
        Renewal::Reused(session.clone())
    );
    assert_eq!(show(2, 200).await, given(&session, false));
    assert_eq!(
        show(1, 201).await,
        Renewal::Reused(session.clone()),
        "its successor was used"
    );
    assert_eq!(show(2, 201).await, given(&session, true));
    // A clock that was set back.
    assert_eq!(show(2, 139).await, Renewal::Reused(session.clone()));
}

/// Whoever comes second gets the answer of the first.
pub async fn of_two_who_show_one_refresh_token_one_replaces_it(organization: Organization) {
    let session = organization.renewable().await;
    let events = organization.audited().await;
    let show = |_| organization.show(session.id, 1, NOW.plus_seconds(1));
    let all = all((0..8).map(show)).await;
    let firsts = all.iter().filter(|renewal| **renewal == given(&session, false));
    assert_eq!(firsts.count(), 1, "{all:?}");
    let others = all.iter().filter(|renewal| **renewal == given(&session, true));
    assert_eq!(others.count(), 7, "{all:?}");
    assert_eq!(organization.audited().await, events + 1);
    let next = organization.show(session.id, 2, NOW.plus_seconds(2)).await;
    assert_eq!(next, given(&session, false), "there is one after it");
}

/// When it is not used for too long, shown by another client, or of a session that is over: which says nothing of a copy.
pub async fn a_refresh_token_is_over_with_its_session(organization: Organization) {
    let at = |seconds| NOW.plus_seconds(seconds);
    let idle = organization.renewable().await.id;
    let elsewhere = organization.show_by(idle, 1, Some("another"), at(1)).await;
    assert_eq!(elsewhere, Renewal::Over);
    assert!(matches!(
        organization.show_by(idle, 1, None, at(2)).await,
        Renewal::Given { again: false, .. }
    ));
    let elsewhere = organization.show_by(idle, 1, Some("another"), at(2)).await;
    assert_eq!(elsewhere, Renewal::Over);
    assert_eq!(organization.show(idle, 2, at(2 + IDLE)).await, Renewal::Over);
    assert!(matches!(
        organization.show(idle, 2, at(1 + IDLE)).await,
        Renewal::Given { .. }
    ));

    let ended = organization.renewable().await;
    let own = exception(BootstrapException::SessionRecord);
    let out = organization
        .store
        .end_session(&own, ended.subject, ended.id, entry(AuditAction::SignOut));
    out.await.unwrap();
    for number in [0, 1, 2] {
        assert_eq!(organization.show(ended.id, number, at(1)).await, Renewal::Over);
    }
    assert!(!organization.give(ended.id, NOW).await);

    let last = organization.renewable().await;
    let (mut number, mut seconds) = (1, 0);
    while seconds + IDLE - 1 < 3600 {
        seconds += IDLE - 1;
        assert!(matches!(
            organization.show(last.id, number, at(seconds)).await,
            Renewal::Given { .. }
        ));
        number += 1;
    }
    assert_eq!(
        organization.show(last.id, number, last.until).await,
        Renewal::Over,
        "however often it is used"
    );

    let alice = organization
        .try_user(2, "alice@example.com", None)
        .await
        .unwrap()
        .id;
    let hers = organization
        .sign_in(SubjectId::User(alice), CredentialHash::new("hash"), NOW)
        .await
        .unwrap();
    assert_eq!(
        organization.show(hers.id, 1, at(1)).await,
        Renewal::Over,
        "it has none"
    );
    assert!(organization.give(hers.id, NOW).await);
    organization.delete_user(alice).await.unwrap();
    assert_eq!(organization.show(hers.id, 1, at(1)).await, Renewal::Over);

    let link = super::organization::link();
    let new = NewRefreshToken {
        session: last.id,
        client: CLIENT.to_owned(),
        token: token(1),
        until: at(IDLE),
    };
    let gate = organization.store.give_refresh_token(&link, new, NOW).await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
    let shown = ShownRefreshToken {
        session: last.id,
        client: None,
        token: token(1),
        successor: token(2),
        until: at(IDLE),
    };
    let gate = organization
        .store
        .renew_by_refresh_token(&link, shown, entry(AuditAction::SignIn))
        .await;
    assert!(matches!(gate, Err(StoreError::Gate { .. })), "{gate:?}");
}

/// Its event, as [`super::every_write_is_in_the_audit_log`] wants it.
pub(super) async fn are_told(organization: &Organization, log: &mut Log) {
    let admin = organization.admin_row.id;
    let password = organization.admin_password().await;
    let session = organization
        .sign_in(SubjectId::User(admin), password, NOW)
        .await
        .unwrap();
    log.has(organization, "begin_session", AuditAction::SignIn, "", &[])
        .await;
    log.done.pop();
    assert!(organization.give(session.id, NOW).await);
    organization.show(session.id, 1, NOW).await;
    let which = format!("session={}", session.id);
    let told = [which.as_str(), "client=reeve-cli"];
    log.has(
        organization,
        "renew_by_refresh_token",
        AuditAction::SignIn,
        admin,
        &told,
    )
    .await;
}
