//! Refresh tokens: how a client goes on with its session without asking the person again (RFC 6749, section 6; RFC 9700, section
//! 4.14.2).
//!
//! **Promises.**
//! - A refresh token is given to a client that names itself, of a session that a person began. It is a part of that session: whatever
//!   ends the one ends the other, and using it makes the session no longer.
//! - Each use replaces it. One that was replaced before and is shown again ends the session: somebody has a copy, and nobody can tell who.
//! - A client that never got an answer asks again with the same token, and gets the same successor, for
//!   [`reeve_store::REPEATED_SECONDS`] and as long as that was not used. So a lost answer signs nobody out; and whoever copied a token and
//!   is so quick gets nothing that the client does not have, too, so that the next use of either shows.
//! - The database decides, so that all of this holds over every server at the same moment.

use std::sync::Arc;

use reeve_identity::RefreshToken;
use reeve_identity::token::RENEWED_SECONDS;
use reeve_store::{
    AuditAction, NewRefreshToken, Outcome, Renewal, SessionFacts, ShownRefreshToken, StoreError, SubjectId,
};
use reeve_types::{Secret, Timestamp};

use crate::app::App;
use crate::caller::{Asker, Call};
use crate::error::ApiError;
use crate::failures::Kind;
use crate::sign_in_rate::EACH_SECONDS;

const TOO_OFTEN: ApiError = ApiError::TooMany {
    what: "this session is renewed more often than a token is good for",
    after: EACH_SECONDS,
    instead: "use the token of the last renewal until it expires",
};

/// What a sign-in or a renewal gives.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// For REST.
    pub(crate) access: Secret,
    /// Its life in seconds.
    pub(crate) expires_in: i64,
    /// What comes after it.
    pub(crate) refresh: Option<Secret>,
    /// Whether they are good for choosing another password alone.
    pub(crate) temporary_password: bool,
}

impl App {
    /// The first tokens of a session that a person has just begun, for a client that renews them itself. While the disk is full there is
    /// no refresh token, and the other one lives for as long as without.
    ///
    /// # Errors
    /// The store's, and [`ApiError::Internal`].
    pub(crate) async fn renewable_tokens(
        &self,
        session: &SessionFacts,
        client: &str,
        now: Timestamp,
    ) -> Result<Tokens, ApiError> {
        let first = self.security.first_refresh_token(session.id)?;
        let new = NewRefreshToken {
            session: session.id,
            client: client.to_owned(),
            token: self.security.refresh_token_hash(&first),
            until: now.plus_seconds(self.settings.refresh_idle_seconds),
        };
        let granted = crate::audit::session_record();
        let given = if self.reserve.is_given() {
            false
        } else {
            match self.store.give_refresh_token(&granted, new, now).await {
                Err(StoreError::Full { .. }) => false,
                outcome => outcome?,
            }
        };
        if !given {
            let (access, expires_in) = self.session_token(session, now)?;
            return Ok(Tokens {
                access,
                expires_in,
                refresh: None,
                temporary_password: self.directory().has_temporary_password(session),
            });
        }
        let seconds = RENEWED_SECONDS.min(self.settings.session_seconds);
        let (access, expires_in) = self
            .security
            .rest_token_of(session, &self.directory(), now, seconds)?;
        Ok(Tokens {
            access,
            expires_in,
            refresh: Some(first.text().clone()),
            temporary_password: self.directory().has_temporary_password(session),
        })
    }

    /// Tokens for a refresh token; none when it is not good. One that was replaced before ends its session, with an event of its own.
    ///
    /// # Errors
    /// [`ApiError::Full`], [`ApiError::TooMany`], and the store's.
    pub(crate) async fn renewed_tokens(
        self: &Arc<Self>,
        call: &Call,
        shown: &Secret,
        client: Option<String>,
    ) -> Result<Option<Tokens>, ApiError> {
        let Some(token) = self.security.read_refresh_token(shown) else {
            return Ok(None);
        };
        if self.reserve.is_given() {
            return Err(ApiError::Full);
        }
        // Counted for who was given a token, however old: nobody else keeps its owner out.
        if !self.refresh_rate.may_begin(token.session(), call.at) {
            return Err(TOO_OFTEN);
        }
        let successor = self.security.refresh_token_after(&token);
        let shown = ShownRefreshToken {
            session: token.session(),
            client,
            token: self.security.refresh_token_hash(&token),
            successor: self.security.refresh_token_hash(&successor),
            until: call.at.plus_seconds(self.settings.refresh_idle_seconds),
        };
        let granted = crate::audit::session_record();
        let mut entry = call.event(AuditAction::SignIn, "users");
        entry
            .metadata
            .insert("refresh_token".to_owned(), "replaced".to_owned());
        let renewal = self.store.renew_by_refresh_token(&granted, shown, entry).await?;
        self.follow(&renewal.log).await;
        match renewal.value {
            Renewal::Given { session, began, .. } => {
                self.renewed(&session, began, &successor, call.at).await.map(Some)
            }
            Renewal::Reused(session) => {
                self.end_reused(call, session).await?;
                Ok(None)
            }
            Renewal::Over => Ok(None),
        }
    }

    /// Counts a refresh token that gave nothing, under no name: whose it is nobody proved.
    pub(crate) fn note_refused_renewal(&self, call: &Call) {
        let mut entry = call.event(AuditAction::SignIn, "users");
        entry.result = Outcome::Failed;
        entry.http_status_code = 400;
        self.failures.note(Kind::SignIn, entry);
    }

    async fn renewed(
        &self,
        session: &SessionFacts,
        began: Timestamp,
        successor: &RefreshToken,
        now: Timestamp,
    ) -> Result<Tokens, ApiError> {
        // Begun at another process a moment ago: then this one may not know the user yet, either.
        if self.directory().session(session.id).is_none() {
            self.catch_up().await?;
        }
        // A provider prolongs its sessions, up to this.
        let last = began
            .plus_seconds(self.settings.session_seconds)
            .max(session.until);
        let seconds = RENEWED_SECONDS.min(last.as_seconds() - now.as_seconds());
        let (access, expires_in) = self
            .security
            .rest_token_of(session, &self.directory(), now, seconds)?;
        Ok(Tokens {
            access,
            expires_in,
            refresh: Some(successor.text().clone()),
            temporary_password: self.directory().has_temporary_password(session),
        })
    }

    /// Of a refresh token that two have: neither goes on.
    async fn end_reused(self: &Arc<Self>, call: &Call, session: SessionFacts) -> Result<(), ApiError> {
        self.metrics.refresh_token_reused();
        let mut entry = call.event(AuditAction::Reuse, "users");
        entry.http_status_code = 400;
        if let SubjectId::User(id) = session.subject {
            let name = self.directory().user(id).map(|user| user.email.to_string());
            entry = entry.about(id, name.unwrap_or_default());
        }
        entry.metadata.insert(
            "why".to_owned(),
            "a refresh token was shown that had been replaced".to_owned(),
        );
        tracing::warn!(session = %session.id, "a refresh token was shown that had been replaced: its session ends");
        let ended = self.revoke(Asker::System, move |app| async move {
            let granted = crate::audit::session_record();
            let ended = app
                .store
                .end_session(&granted, session.subject, session.id, entry)
                .await?;
            Ok(ended)
        });
        match ended.await {
            // Somebody else was quicker.
            Ok(()) | Err(ApiError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
