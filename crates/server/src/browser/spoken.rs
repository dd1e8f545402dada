//! Whoever a provider speaks of is signed in, whichever way it speaks.

use axum::response::Response;
use reeve_identity::VerifiedIdentity;
use reeve_oidc::Mapped;
use reeve_store::{AuditAction, AuditEntry, ProvidedIdentity, SessionFacts};
use reeve_types::{IdpAlias, PosixIdentity, Timestamp, UserId};

use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::providers::Failure;
use crate::renewal::Renewal;

/// What came of a way to a provider and back.
pub(super) enum Came {
    /// A session.
    SignedIn(SessionFacts),
    /// The page of a test.
    Seen(Response),
}

/// What a provider said of somebody, whichever way it speaks.
pub(super) struct Spoken {
    /// Its name for itself; with `subject` it says who it is.
    pub(super) issuer: String,
    /// Who it is there.
    pub(super) subject: String,
    /// What it says of the person.
    pub(super) mapped: Mapped,
    /// When it wants the session to end at the latest.
    pub(super) ends: Option<Timestamp>,
    /// What it can be asked with later.
    pub(super) renewal: Option<Renewal>,
}

/// The session of whoever a provider speaks of; the first time a user is made.
pub(super) async fn signed_in(
    app: &App,
    call: &Call,
    alias: &IdpAlias,
    spoken: Spoken,
) -> Result<Result<SessionFacts, Failure>, ApiError> {
    let mapped = &spoken.mapped;
    if mapped.reserved_groups > 0 {
        tracing::warn!(alias = %alias, count = mapped.reserved_groups, "groups with names of the system's own were left out");
    }
    let entry = call.event(AuditAction::Create, "users");
    let user = match user(app, alias, &spoken, entry).await {
        Ok(user) => user,
        Err(ApiError::Conflict(error)) => return Ok(Err(Failure::Conflict(error))),
        Err(error) => return Err(error),
    };
    let identity = match VerifiedIdentity::by_provider(user, mapped.groups.clone(), mapped.posix.clone()) {
        Ok(identity) => identity,
        Err(error) => return Ok(Err(error.into())),
    };
    let name = app
        .directory()
        .user(user)
        .map(|user| user.email.to_string())
        .unwrap_or_default();
    let mut entry = call.event(AuditAction::SignIn, "users").about(user, &name);
    entry.subject.clone_from(&name);
    entry
        .metadata
        .insert("identity_provider".to_owned(), alias.to_string());
    let begun = app.provider_signs_in(&identity, alias, spoken.renewal, spoken.ends, entry);
    match begun.await {
        Ok(Some(session)) => Ok(Ok(session)),
        Ok(None) => Ok(Err(Failure::Deleted)),
        Err(ApiError::Conflict(error)) => Ok(Err(Failure::Conflict(error))),
        Err(error) => Err(error),
    }
}

async fn user(app: &App, alias: &IdpAlias, spoken: &Spoken, entry: AuditEntry) -> Result<UserId, ApiError> {
    let identity = ProvidedIdentity {
        alias: alias.clone(),
        issuer: spoken.issuer.clone(),
        subject: spoken.subject.clone(),
        email: spoken.mapped.email.clone(),
        uid: spoken.mapped.posix.as_ref().map(PosixIdentity::uid),
        new_id: UserId::from_uuid(app.security.uuid()?),
    };
    let made = app
        .store
        .provided_user(&crate::audit::session_record(), identity, entry)
        .await?;
    app.follow(&made.log).await;
    Ok(made.value)
}
