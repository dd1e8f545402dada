//! Identity providers, who they speak of, and what of a sign-in through one may be used once.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_types::{Email, GroupName, IdpAlias, PosixIdentity, SessionId, Timestamp, Uid, UserId};

use crate::{AuditEntry, Committed, SessionFacts, StoreError};

/// How many providers an account has at most: the sign-in page shows all of them.
pub const MOST_IDENTITY_PROVIDERS: i64 = 100;

/// A provider, as it is kept. What the texts say is the server's to know; secrets in them are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpRow {
    /// Its name, also in its redirect address.
    pub alias: IdpAlias,
    /// `oidc`, `saml` or `openshift-v4`.
    pub kind: String,
    /// Its settings as JSON, without the secret.
    pub settings: String,
    /// The client's secret, or our keys and the metadata of one of SAML, sealed for this alias.
    pub sealed: String,
    /// Which claim is what, as JSON.
    pub mappers: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed: whoever keeps something of it compares this.
    pub updated_at: Timestamp,
}

/// Somebody of whom a provider speaks.
#[derive(Debug, Clone)]
pub struct ProvidedIdentity {
    /// By which provider here.
    pub alias: IdpAlias,
    /// The provider's own name. With `subject` it says who it is, whatever else changes.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// The email that it says now.
    pub email: Email,
    /// The uid that it says, which becomes a new user's for ever: with one that is somebody else's no user is made.
    pub uid: Option<Uid>,
    /// The id of the user that is made if there is none yet, drawn by the caller.
    pub new_id: UserId,
}

/// How a session of a provider goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionProvider {
    /// The provider here.
    pub alias: IdpAlias,
    /// What the provider is asked with later, sealed for the session; absent when it gave nothing.
    pub renewal: Option<String>,
}

/// A session whose provider is to be asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSession {
    /// The session.
    pub facts: SessionFacts,
    /// When it began.
    pub created: Timestamp,
    /// Its provider, and what that is asked with.
    pub provider: SessionProvider,
    /// When the provider was last asked.
    pub checked_at: Timestamp,
}

/// What a provider says of somebody who is signed in.
#[derive(Debug, Clone)]
pub struct RenewedSession {
    /// Which session.
    pub id: SessionId,
    /// The groups now.
    pub groups: Vec<GroupName>,
    /// The POSIX identity now.
    pub posix: Option<PosixIdentity>,
    /// What it is asked with the next time, sealed.
    pub renewal: String,
    /// When the session ends unless the provider is asked again.
    pub until: Timestamp,
}

/// Repository of providers.
#[async_trait]
pub trait IdentityProviders {
    /// All of them, at most [`MOST_IDENTITY_PROVIDERS`], by alias. `granted`: read of security-settings at account scope, or the bootstrap exception for session records:
    /// whoever signs in is shown their names.
    async fn identity_providers(&self, granted: &Granted) -> Result<Vec<IdpRow>, StoreError>;

    /// Makes one. `granted`: create of security-settings at account scope.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a known alias, [`StoreError::ProvidersFull`].
    async fn create_identity_provider(
        &self,
        granted: &Granted,
        row: IdpRow,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Gives one other settings. With `ends_sessions`, as when it is another provider from now on, every session that it began ends.
    /// `granted`: update of security-settings at account scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn update_identity_provider(
        &self,
        granted: &Granted,
        row: IdpRow,
        ends_sessions: bool,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// Removes one and ends every session that it began. Whom it spoke of stays known, by issuer and subject. `granted`: delete of
    /// security-settings at account scope.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn delete_identity_provider(
        &self,
        granted: &Granted,
        alias: &IdpAlias,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;

    /// The user whom an issuer and subject stand for; the first time, and only then, a user is made, with an event. **The email says
    /// nothing about who it is:** one that changed changes no account, and one that somebody else has is refused. `granted` is the
    /// bootstrap exception for session records.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for the email of an account that is not this person's, [`StoreError::EmailRests`],
    /// [`StoreError::UidTaken`] for the uid of somebody else where a user would be made.
    async fn provided_user(
        &self,
        granted: &Granted,
        identity: ProvidedIdentity,
        entry: AuditEntry,
    ) -> Result<Committed<UserId>, StoreError>;

    /// Ends every session that a provider began of whoever an issuer and subject stand for, with an event if there was one; how many.
    /// `granted` is the bootstrap exception for session records.
    async fn end_provided_sessions(
        &self,
        granted: &Granted,
        alias: &IdpAlias,
        issuer: &str,
        subject: &str,
        entry: AuditEntry,
    ) -> Result<Committed<usize>, StoreError>;

    /// Whether this is the first use of something that may be used once before `until`, whichever process is asked. What ended before
    /// `now` is forgotten. `granted` is the bootstrap exception for session records.
    async fn use_once(
        &self,
        granted: &Granted,
        id: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// At most `limit` sessions whose provider was last asked before `before` and gave something to ask with, the longest ago first.
    /// `granted` is the bootstrap exception for session records.
    async fn due_sessions(
        &self,
        granted: &Granted,
        before: Timestamp,
        limit: i64,
    ) -> Result<Vec<DueSession>, StoreError>;

    /// Takes the asking for one session: of several processes one gets it. `granted` is the bootstrap exception for session records.
    async fn take_due_session(
        &self,
        granted: &Granted,
        id: SessionId,
        checked_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// A session goes on as its provider says now, with an event when groups or POSIX identity changed; nothing for one that ended.
    /// `granted` is the bootstrap exception for session records.
    ///
    /// # Errors
    /// [`StoreError::UidTaken`], as at a sign-in.
    async fn renew_session(
        &self,
        granted: &Granted,
        renewed: RenewedSession,
        entry: AuditEntry,
    ) -> Result<Committed<()>, StoreError>;
}
