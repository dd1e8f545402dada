//! Where every way of signing in ends: a verified identity becomes a session, and a session gives tokens.
//!
//! A password and a secret come here from `api/token/grant.rs`. An identity provider will: whoever verified what it sent makes a
//! [`VerifiedIdentity`] of it and calls [`App::sign_in`], and nothing after that differs.

use reeve_identity::VerifiedIdentity;
use reeve_store::{AuditEntry, CredentialHash, NewSession, SessionFacts, StoreError, SubjectId};
use reeve_types::SessionId;

use crate::app::App;
use crate::error::ApiError;

impl App {
    /// Begins a session for somebody who proved who they are, or goes on with one, and records it; `entry` says when. `proven` is
    /// what a password or secret was compared with: none is begun when it is not what checks the subject any more. With
    /// `break_glass` it works on a full disk, too: who administers the account may have to take rights away.
    ///
    /// # Errors
    /// [`ApiError::Full`]; [`ApiError::Conflict`] when an identity provider gives a uid that is somebody else's.
    pub async fn sign_in(
        &self,
        identity: &VerifiedIdentity,
        proven: Option<&CredentialHash>,
        break_glass: bool,
        entry: AuditEntry,
    ) -> Result<Option<SessionFacts>, ApiError> {
        if self.reserve.is_given() && !break_glass {
            return Err(ApiError::Full);
        }
        let granted = crate::audit::session_record();
        let new = self.new_session(identity, &entry)?;
        let begin = async || {
            let (new, entry) = (new.clone(), entry.clone());
            self.store.begin_session(&granted, new, proven, entry).await
        };
        let begun = match begin().await {
            Err(StoreError::Full { .. }) if break_glass && self.reserve.give_back() => begin().await?,
            outcome => outcome?,
        };
        // Before the token is given: the next request finds its session.
        self.follow(&begun.log).await;
        Ok(begun.value)
    }

    fn new_session(&self, identity: &VerifiedIdentity, entry: &AuditEntry) -> Result<NewSession, ApiError> {
        let seconds = self.settings.session_seconds;
        let subject = identity.subject();
        // An application signs in as often as it likes, thousands of times an hour: one session for all of it, as long as it
        // lives long enough.
        let go_on_until = match subject {
            SubjectId::User(_) => None,
            SubjectId::ServiceAccount(_) => Some(entry.timestamp.plus_seconds(seconds / 2)),
        };
        Ok(NewSession {
            id: SessionId::from_uuid(self.security.uuid()?),
            subject,
            method: identity.method(),
            groups: identity.groups().to_vec(),
            posix: identity.posix().cloned(),
            until: entry.timestamp.plus_seconds(seconds),
            go_on_until,
        })
    }
}
