//! Passkeys of one's own, for local users; by REST, or on the page of one's account.
//!
//! **Promises.** A passkey is made and taken away within ten minutes of the sign-in alone: whoever finds a session that was left open, or a
//! token, can do neither. What a browser is asked is good once, for five minutes, in the session in which it was asked, whichever server
//! is sent the answer. With the first second factor come recovery codes, which are shown once. Whoever may change users takes passkeys away
//! that are lost.

use std::sync::Arc;

use reeve_store::{AuditAction, AuditEntry, NewPasskey, PasskeysOfUser};
use reeve_types::{PasskeyId, PasskeyName, Secret, SessionId, Timestamp, UserId};
use reeve_webauthn::{Challenge, Refused, Registration, RelyingParty, User};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};

/// How long after a sign-in passkeys may be changed, in seconds.
pub(crate) const FRESH_SECONDS: i64 = 600;
/// How long a challenge is good, in seconds.
pub(crate) const CHALLENGE_SECONDS: i64 = 300;
/// What is sealed.
const SEALED: &str = "passkeys.registration";

/// Why there is no passkey, or why one stays.
#[derive(Debug, thiserror::Error)]
enum PasskeyRefusal {
    /// 403: browsers bind passkeys to a name.
    #[error(
        "there are no passkeys here: browsers bind them to a name, and this installation is reached by an IP address"
    )]
    NoName,
    /// 403: somebody may have found the session.
    #[error("sign in again first: passkeys are changed within {} minutes of a sign-in", FRESH_SECONDS / 60)]
    NotFresh,
    /// 400: not asked, not here, too late or twice.
    #[error(
        "this was not asked in this session, took longer than five minutes, or was sent before: begin again"
    )]
    NotAsked,
    /// 400: what the browser answered.
    #[error("this passkey cannot be taken: {0}")]
    NotTaken(Refused),
}

impl Refusal for PasskeyRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoName | Self::NotFresh => RefusalKind::Forbidden,
            Self::NotAsked | Self::NotTaken(_) => RefusalKind::Invalid,
        }
    }
}

/// What a browser is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Comes back with the answer.
    pub(crate) ticket: Secret,
    /// The question.
    pub(crate) options: Value,
}

/// What a browser answered, as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) ticket: &'a str,
    pub(crate) id: &'a str,
    pub(crate) client_data: &'a str,
    pub(crate) attestation_object: &'a str,
}

/// A passkey that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) id: PasskeyId,
    /// Shown once; none where there were some.
    pub(crate) recovery_codes: Vec<Secret>,
}

/// A question that waits for its answer. Sealed, and nowhere kept.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    session: SessionId,
    challenge: Challenge,
    until: Timestamp,
}

impl App {
    /// This installation as browsers know it; none where they allow no passkeys.
    pub(crate) fn relying_party(&self) -> Option<RelyingParty> {
        RelyingParty::at(&Url::parse(&self.settings.public_url).ok()?)
    }

    /// The same, where it is needed.
    ///
    /// # Errors
    /// 403 where there is none.
    pub(crate) fn needed_relying_party(&self) -> Result<RelyingParty, ApiError> {
        Ok(self.relying_party().ok_or(PasskeyRefusal::NoName)?)
    }

    /// A new challenge.
    ///
    /// # Errors
    /// [`ApiError::Internal`] without randomness.
    pub(crate) fn new_challenge(&self) -> Result<Challenge, ApiError> {
        let bytes = self.security.random.bytes().map_err(ApiError::internal)?;
        Ok(Challenge::of(bytes))
    }

    /// The caller's.
    ///
    /// # Errors
    /// 403 for whoever can have none, or comes by an access key; and those of the store.
    pub(crate) async fn own_passkeys(&self, caller: &Caller) -> Result<PasskeysOfUser, ApiError> {
        let (user, _) = self.local_user(caller).await?;
        let granted = crate::audit::session_record();
        Ok(self.store.passkeys(&granted, user).await?)
    }

    /// Whether the caller signed in a moment ago, so that passkeys may be changed.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn is_fresh(&self, caller: &Caller, now: Timestamp) -> Result<bool, ApiError> {
        let granted = crate::audit::session_record();
        let began = self.store.session_began(&granted, caller.session).await?;
        Ok(began.is_some_and(|began| now < began.plus_seconds(FRESH_SECONDS)))
    }

    async fn needs_to_be_fresh(&self, caller: &Caller, now: Timestamp) -> Result<(), ApiError> {
        if self.is_fresh(caller, now).await? {
            Ok(())
        } else {
            Err(PasskeyRefusal::NotFresh.into())
        }
    }

    /// What a browser is asked for a new one. Nothing is kept of it.
    ///
    /// # Errors
    /// As [`App::own_passkeys`]; 403 too long after the sign-in, and where there can be none.
    pub(crate) async fn begin_passkey(&self, caller: &Caller, call: &Call) -> Result<Asked, ApiError> {
        let (user, email) = self.local_user(caller).await?;
        let party = self.needed_relying_party()?;
        self.needs_to_be_fresh(caller, call.at).await?;
        let have: Vec<_> = self
            .own_passkeys(caller)
            .await?
            .passkeys
            .into_iter()
            .map(|row| row.credential)
            .collect();
        let challenge = self.new_challenge()?;
        let whose = User {
            handle: user.as_uuid().as_bytes(),
            name: email.as_str(),
        };
        let options = party.creation_options(&challenge, &whose, &have, CHALLENGE_SECONDS);
        let waiting = Waiting {
            session: caller.session,
            challenge,
            until: call.at.plus_seconds(CHALLENGE_SECONDS),
        };
        let text = serde_json::to_string(&waiting).map_err(ApiError::internal)?;
        let ticket = self.security.sealed(SEALED, &user.to_string(), &text)?;
        Ok(Asked {
            ticket: Secret::new(ticket),
            options,
        })
    }

    fn waiting(&self, user: UserId, ticket: &str, caller: &Caller, now: Timestamp) -> Option<Waiting> {
        let text = self.security.unsealed(SEALED, &user.to_string(), ticket).ok()?;
        let waiting: Waiting = serde_json::from_str(text.expose()).ok()?;
        (waiting.session == caller.session && now <= waiting.until).then_some(waiting)
    }

    /// Makes one of what the browser answered. An event says so.
    ///
    /// # Errors
    /// As [`App::begin_passkey`]; 400 for an answer to another question or one that is not right, 409 for a name or a passkey that is there.
    pub(crate) async fn create_passkey(
        self: &Arc<Self>,
        caller: Caller,
        call: Call,
        name: PasskeyName,
        answered: Answered<'_>,
    ) -> Result<Made, ApiError> {
        let (user, _) = self.local_user(&caller).await?;
        let party = self.needed_relying_party()?;
        let waiting = self.waiting(user, answered.ticket, &caller, call.at);
        let waiting = waiting.ok_or(PasskeyRefusal::NotAsked)?;
        let made = Registration::read(answered.id, answered.client_data, answered.attestation_object)
            .and_then(|shown| party.registered(&waiting.challenge, &shown))
            .map_err(PasskeyRefusal::NotTaken)?;
        let id = PasskeyId::from_uuid(self.security.uuid()?);
        let codes = self.new_recovery_codes()?;
        let new = NewPasskey {
            id,
            user,
            name,
            credential: reeve_webauthn::encode(&made.id),
            key: reeve_webauthn::encode(made.key.cose()),
            counter: i64::from(made.counter),
            backup_eligible: made.backup_eligible,
            backed_up: made.backed_up,
        };
        let granted = crate::audit::session_record();
        let once = once(&waiting.challenge);
        let first_use = self
            .store
            .use_once(&granted, &once, call.at, waiting.until)
            .await?;
        if !first_use {
            return Err(PasskeyRefusal::NotAsked.into());
        }
        let hashes = codes.hashes;
        let first = self
            .change(caller.asker(), move |app| async move {
                let granted = crate::audit::session_record();
                let entry = event(&call, &caller, "added");
                Ok(app.store.create_passkey(&granted, new, hashes, entry).await?)
            })
            .await?;
        Ok(Made {
            id,
            recovery_codes: if first { codes.shown } else { Vec::new() },
        })
    }

    /// Takes one away. An event says so.
    ///
    /// # Errors
    /// As [`App::own_passkeys`]; 403 too long after the sign-in, 404 for one that the caller does not have.
    pub(crate) async fn remove_own_passkey(
        self: &Arc<Self>,
        caller: Caller,
        call: Call,
        id: PasskeyId,
    ) -> Result<(), ApiError> {
        let (user, _) = self.local_user(&caller).await?;
        self.needs_to_be_fresh(&caller, call.at).await?;
        self.revoke(caller.asker(), move |app| async move {
            let granted = crate::audit::session_record();
            let entry = event(&call, &caller, "removed");
            Ok(app.store.remove_passkey(&granted, user, id, entry).await?)
        })
        .await
    }
}

/// Under what it is remembered that a challenge was used.
pub(crate) fn once(challenge: &Challenge) -> String {
    format!("passkey:{}", challenge.as_str())
}

fn event(call: &Call, caller: &Caller, what: &str) -> AuditEntry {
    let mut entry = call.by(caller, AuditAction::Update, "users");
    entry.metadata.insert("passkey".to_owned(), what.to_owned());
    entry
}
