//! Whoever signed in a moment ago, between the pages of a sign-in, and the end of a session that should not go on.

use reeve_store::{AuditAction, SessionFacts, StoreError, SubjectId};
use reeve_types::{SessionId, Timestamp};

use super::ticket::Person;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::ApiError;

impl App {
    /// The session, and whose it is, as long as it lives; also one that began at another process a moment ago.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn session_of(
        &self,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Option<(Caller, SessionFacts)>, ApiError> {
        if self.directory().session(session).is_none() {
            self.catch_up().await?;
        }
        let directory = self.directory();
        let Some(facts) = directory.session(session) else {
            return Ok(None);
        };
        let caller = directory.authenticate(facts.subject, session, now);
        Ok(caller.map(|caller| (caller, facts.clone())))
    }

    /// As [`App::session_of`], of whoever a form speaks of.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn still_signed_in(
        &self,
        person: &Person,
        call: &Call,
    ) -> Result<Option<(Caller, SessionFacts)>, ApiError> {
        let found = self.session_of(person.session, call.at).await?;
        Ok(found.filter(|(caller, _)| caller.id == person.subject))
    }

    /// A user's email; empty for whoever is none.
    pub(super) fn email_of(&self, subject: SubjectId) -> String {
        let SubjectId::User(id) = subject else {
            return String::new();
        };
        let email = self.directory().user(id).map(|user| user.email.to_string());
        email.unwrap_or_default()
    }

    /// Ends a session, with an event that says why; one that is over is left so.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn end_session_of(
        &self,
        call: &Call,
        subject: SubjectId,
        session: SessionId,
        why: &str,
    ) -> Result<(), ApiError> {
        let granted = crate::audit::session_record();
        let mut entry = call.event(AuditAction::SignOut, "users");
        if let SubjectId::User(id) = subject {
            entry = entry.about(id, self.email_of(subject));
        }
        entry.metadata.insert("why".to_owned(), why.to_owned());
        match self.store.end_session(&granted, subject, session, entry).await {
            Ok(ended) => self.follow(&ended.log).await,
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
