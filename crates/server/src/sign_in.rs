//! Where every way of signing in ends: a verified identity becomes a session, and a session gives tokens.
//!
//! A password and a secret come here from `api/token/grant.rs`, what an identity provider sent from `browser/spoken.rs`; after that
//! nothing differs.

use reeve_identity::VerifiedIdentity;
use reeve_identity::token::REST_SECONDS;
use reeve_store::{
    AuditEntry, CredentialHash, NewSession, SessionFacts, SessionProvider, StoreError, SubjectId,
};
use reeve_types::{AccessKeyId, IdpAlias, Secret, ServiceAccountId, SessionId, Timestamp, UserId};

use crate::app::App;
use crate::error::ApiError;
use crate::renewal::{CONFIRMED_SECONDS, Renewal, UNCONFIRMED_SECONDS};
use crate::successes::Key;

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

    /// As [`App::sign_in`] of somebody for whom an identity provider spoke. The session goes on as long as the provider confirms it
    /// (`renewal.rs`); one that gave nothing to ask with is believed for [`UNCONFIRMED_SECONDS`], and never longer than to `ends`, if it
    /// said that.
    ///
    /// # Errors
    /// Those of [`App::sign_in`].
    pub(crate) async fn provider_signs_in(
        &self,
        identity: &VerifiedIdentity,
        alias: &IdpAlias,
        renewal: Option<Renewal>,
        ends: Option<Timestamp>,
        entry: AuditEntry,
    ) -> Result<Option<SessionFacts>, ApiError> {
        if self.reserve.is_given() {
            return Err(ApiError::Full);
        }
        let mut new = self.new_session(identity, &entry)?;
        let believed = match renewal {
            Some(_) => CONFIRMED_SECONDS,
            None => UNCONFIRMED_SECONDS,
        };
        new.until = new.until.min(entry.timestamp.plus_seconds(believed));
        new.until = ends.map_or(new.until, |end| new.until.min(end));
        let renewal = renewal
            .map(|renewal| self.sealed_renewal(new.id, &renewal))
            .transpose()?;
        new.provider = Some(SessionProvider {
            alias: alias.clone(),
            renewal,
        });
        let granted = crate::audit::session_record();
        let begun = self.store.begin_session(&granted, new, None, entry).await?;
        self.follow(&begun.log).await;
        Ok(begun.value)
    }

    /// A token of a session that was begun in a browser. It may outlive the session as that stands now: what counts at each request
    /// is the session, which a provider prolongs.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub(crate) fn session_token(
        &self,
        session: &SessionFacts,
        now: Timestamp,
    ) -> Result<(Secret, i64), ApiError> {
        let seconds = REST_SECONDS.min(self.settings.session_seconds);
        self.security
            .rest_token_of(session, &self.directory(), now, seconds)
    }

    /// As [`App::sign_in`] of an application that showed the secret which `proven` checks. Within a minute of a sign-in that was
    /// recorded it goes on with that one's session, and is counted: `successes.rs`.
    ///
    /// # Errors
    /// Those of [`App::sign_in`].
    pub async fn application_signs_in(
        &self,
        id: ServiceAccountId,
        proven: &CredentialHash,
        entry: AuditEntry,
    ) -> Result<Option<SessionFacts>, ApiError> {
        let key = Key::Application(id, proven.clone());
        let identity = VerifiedIdentity::by_client_secret(id);
        self.program_signs_in(key, &identity, proven, entry).await
    }

    /// As [`App::application_signs_in`] of a program that showed the secret of somebody's access key.
    ///
    /// # Errors
    /// Those of [`App::sign_in`].
    pub async fn access_key_signs_in(
        &self,
        owner: UserId,
        id: AccessKeyId,
        proven: &CredentialHash,
        mut entry: AuditEntry,
    ) -> Result<Option<SessionFacts>, ApiError> {
        entry.metadata.insert("access_key".to_owned(), id.to_string());
        let key = Key::AccessKey(id, proven.clone());
        let identity = VerifiedIdentity::by_access_key(owner, id);
        self.program_signs_in(key, &identity, proven, entry).await
    }

    async fn program_signs_in(
        &self,
        key: Key,
        identity: &VerifiedIdentity,
        proven: &CredentialHash,
        entry: AuditEntry,
    ) -> Result<Option<SessionFacts>, ApiError> {
        if self.reserve.is_given() {
            return Err(ApiError::Full);
        }
        if let Some(session) = self.goes_on(&key, &entry)
            && self.successes.counted(&key, &entry)
        {
            return Ok(Some(session));
        }
        let begun = self.sign_in(identity, Some(proven), false, entry.clone()).await?;
        if let Some(session) = &begun {
            let mut recorded = entry;
            let said = session.id.to_string();
            recorded.metadata.insert("session".to_owned(), said);
            self.successes.recorded(key, recorded, Some(session.clone()));
        }
        Ok(begun)
    }

    /// The session of a minute's recorded sign-in, as long as it was not ended and lives long enough.
    fn goes_on(&self, key: &Key, entry: &AuditEntry) -> Option<SessionFacts> {
        let now = entry.timestamp;
        let session = self.successes.session(key, now)?;
        self.directory().authenticate(session.subject, session.id, now)?;
        (session.until >= self.long_enough(now)).then_some(session)
    }

    /// An application goes on with a session that ends then or later.
    fn long_enough(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(self.settings.session_seconds / 2)
    }

    fn new_session(&self, identity: &VerifiedIdentity, entry: &AuditEntry) -> Result<NewSession, ApiError> {
        let seconds = self.settings.session_seconds;
        let subject = identity.subject();
        // An application signs in as often as it likes, thousands of times an hour, and so does a program with an access key: one
        // session for all of it, as long as it lives long enough.
        let program = matches!(subject, SubjectId::ServiceAccount(_)) || identity.access_key().is_some();
        let go_on_until = program.then(|| self.long_enough(entry.timestamp));
        Ok(NewSession {
            id: SessionId::from_uuid(self.security.uuid()?),
            subject,
            method: identity.method(),
            groups: identity.groups().to_vec(),
            posix: identity.posix().cloned(),
            until: entry.timestamp.plus_seconds(seconds),
            go_on_until,
            provider: None,
            access_key: identity.access_key(),
        })
    }
}
