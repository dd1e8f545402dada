//! Signing in with a passkey: without a password, since its authenticator has asked the person for a PIN, a finger or a face.
//!
//! **Promises.** A challenge is good once, whichever server is asked, and so is each count of a passkey's counter. Whoever has no passkey
//! here is told what everybody is told whose passkey is not right, after the same work. The log says which check it was, and the audit
//! log that somebody was refused. Who administers the account gets in on a full disk as well.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_identity::VerifiedIdentity;
use reeve_store::{AuditAction, AuditEntry, Outcome, PasskeyRow, SessionFacts, StoreError, UsedPasskey};
use reeve_types::Timestamp;
use reeve_webauthn::{Assertion, Challenge, Kept, PublicKey, Refused, RelyingParty, Used};

use crate::api::token::grant::TOO_OFTEN;
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::failures::Kind;
use crate::own_passkeys::once;

impl App {
    /// The session of whoever showed a passkey for this challenge, which is good until `until`; none where it is not right.
    ///
    /// # Errors
    /// [`ApiError::TooMany`] for who signs in without end, and those of [`App::sign_in`].
    pub(crate) async fn passkey_signs_in(
        &self,
        call: &Call,
        challenge: &Challenge,
        until: Timestamp,
        shown: &Assertion,
    ) -> Result<Option<SessionFacts>, ApiError> {
        let mut entry = call.event(AuditAction::SignIn, "users");
        let Some(party) = self.relying_party() else {
            return Ok(self.passkey_is_refused(call, entry, Refused::RelyingParty));
        };
        let granted = crate::audit::session_record();
        let Some(kept) = self.store.passkey_of_credential(&granted, &shown.id()).await? else {
            let why = party.asserted_by_nobody(challenge, shown);
            return Ok(self.passkey_is_refused(call, entry, why));
        };
        entry = of_passkey(entry, &kept);
        if kept.suspended {
            return Ok(self.passkey_is_refused(call, entry, Refused::Unknown));
        }
        let used = match judge(&party, challenge, shown, &kept)? {
            Ok(used) => used,
            Err(why) => return Ok(self.passkey_is_refused(call, entry, why)),
        };
        let break_glass = self.directory().administers_the_account(&kept.owner);
        if !break_glass && !self.sign_in_rate.may_begin(kept.user, call.at) {
            return Err(TOO_OFTEN);
        }
        let is_new = self
            .challenge_is_new(break_glass, challenge, call.at, until)
            .await?;
        if !is_new {
            return Ok(self.passkey_is_refused(call, entry, Refused::Challenge));
        }
        let used = UsedPasskey {
            id: kept.id,
            counter: i64::from(used.counter),
            backed_up: used.backed_up,
            at: call.at,
        };
        if !self.passkey_counts(break_glass, &used).await? {
            return Ok(self.passkey_is_refused(call, entry, Refused::Counter));
        }
        if break_glass {
            entry.metadata.insert("break_glass".to_owned(), "true".to_owned());
        }
        let identity = VerifiedIdentity::by_passkey(kept.user);
        let begun = self.sign_in(&identity, None, break_glass, entry).await?;
        if break_glass && begun.is_some() {
            self.metrics.break_glass_signed_in();
        }
        Ok(begun)
    }

    /// Whether the challenge was not used before; it is now.
    async fn challenge_is_new(
        &self,
        break_glass: bool,
        challenge: &Challenge,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, ApiError> {
        let (granted, id) = (crate::audit::session_record(), once(challenge));
        let step = async || self.store.use_once(&granted, &id, now, until).await;
        match step().await {
            Err(StoreError::Full { .. }) if break_glass && self.reserve.give_back() => Ok(step().await?),
            outcome => Ok(outcome?),
        }
    }

    /// Whether the passkey is still there, and counted up; that is remembered.
    async fn passkey_counts(&self, break_glass: bool, used: &UsedPasskey) -> Result<bool, ApiError> {
        let granted = crate::audit::session_record();
        let step = async || self.store.use_passkey(&granted, used).await;
        match step().await {
            Err(StoreError::Full { .. }) if break_glass && self.reserve.give_back() => Ok(step().await?),
            outcome => Ok(outcome?),
        }
    }

    /// Says so in both logs, and nobody else.
    pub(crate) fn passkey_is_refused(
        &self,
        call: &Call,
        mut entry: AuditEntry,
        why: Refused,
    ) -> Option<SessionFacts> {
        tracing::warn!(reference = call.id, check = %why, "a sign-in with a passkey failed");
        // Somebody may have a copy: its owner should know.
        let what = if why == Refused::Counter {
            "counter-did-not-rise"
        } else {
            "wrong"
        };
        entry
            .metadata
            .insert("second_factor".to_owned(), format!("passkey-{what}"));
        entry.result = Outcome::Failed;
        entry.http_status_code = 400;
        self.failures.note(Kind::SignIn, entry);
        None
    }
}

/// An event of whoever has this passkey.
fn of_passkey(mut entry: AuditEntry, kept: &PasskeyRow) -> AuditEntry {
    entry.subject = kept.owner.to_string();
    let mut entry = entry.about(kept.user, &kept.owner);
    for (name, value) in [
        ("second_factor", "passkey".to_owned()),
        ("passkey_id", kept.id.to_string()),
        ("passkey_name", kept.name.to_string()),
    ] {
        entry.metadata.insert(name.to_owned(), value);
    }
    entry
}

/// What the checks say of it.
fn judge(
    party: &RelyingParty,
    challenge: &Challenge,
    shown: &Assertion,
    kept: &PasskeyRow,
) -> Result<Result<Used, Refused>, ApiError> {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(ApiError::internal);
    let key = PublicKey::read(&decode(&kept.key)?).map_err(ApiError::internal)?;
    let kept = Kept {
        id: &decode(&kept.credential)?,
        user_handle: kept.user.as_uuid().as_bytes(),
        key: &key,
        counter: u32::try_from(kept.counter).map_err(ApiError::internal)?,
        backup_eligible: Some(kept.backup_eligible),
    };
    Ok(party.asserted(challenge, shown, &kept))
}
