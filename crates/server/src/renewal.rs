//! Sessions that an identity provider began go on as long as it says so.
//!
//! **Promises.** The provider of each session is asked again every [`EACH_SECONDS`], with the refresh token that it gave, by one of the
//! processes. Groups and POSIX identity are what it says then: what was taken away there is gone here, and whoever it says is gone is
//! signed out. A provider that does not answer is no word: the session ends [`CONFIRMED_SECONDS`] after the last one.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use reeve_store::{AuditAction, AuditEntry, DueSession, RenewedSession};
use reeve_types::SubjectId;
use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::error::{ApiError, log_chain};
use crate::providers::{Failure, Grant, Idp, OidcIdp};

/// What the sealed refresh token of a session is called.
const RENEWAL: &str = "session.renewal";
/// For how long a provider's word counts that can be asked again, in seconds. It is asked every five minutes; whoever it says is
/// gone is out then, and one that does not answer keeps nobody in for longer than this.
pub const CONFIRMED_SECONDS: i64 = 1800;
/// For how long the word of one counts that cannot be asked again, in seconds.
pub const UNCONFIRMED_SECONDS: i64 = 3600;

/// How often the provider of a session is asked, in seconds.
pub const EACH_SECONDS: i64 = 300;
/// How often it is looked which are due.
const LOOK: Duration = Duration::from_secs(10);
/// How many are read at a time, and asked at a time.
const LOT: i64 = 200;
const TOGETHER: usize = 8;

/// What a provider is asked with, and whom it has to speak of: kept sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Renewal {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) token: String,
}

/// Goes on until the process ends.
pub async fn run(app: Arc<App>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Err(error) = renew_due(&app).await {
            log_chain(&error);
        }
    }
}

/// Asks for every session that is due now; how many there were.
///
/// # Errors
/// The store cannot be read.
pub async fn renew_due(app: &App) -> Result<usize, ApiError> {
    let before = app.clock.now().plus_seconds(-EACH_SECONDS);
    let granted = crate::audit::session_record();
    let due = app.store.due_sessions(&granted, before, LOT).await?;
    let count = due.len();
    futures::stream::iter(due)
        .for_each_concurrent(TOGETHER, |due| async move {
            if let Err(error) = renew(app, &due).await {
                log_chain(&error);
            }
        })
        .await;
    Ok(count)
}

async fn renew(app: &App, due: &DueSession) -> Result<(), ApiError> {
    let (granted, now) = (crate::audit::session_record(), app.clock.now());
    let id = due.facts.id;
    if !app
        .store
        .take_due_session(&granted, id, due.checked_at, now)
        .await?
    {
        return Ok(());
    }
    let entry = |action| {
        let mut entry = AuditEntry::of_the_system(action, "users", String::new(), now);
        if let SubjectId::User(user) = due.facts.subject {
            let name = app
                .directory()
                .user(user)
                .map(|it| it.email.to_string())
                .unwrap_or_default();
            entry = entry.about(user, &name);
        }
        entry
    };
    let why = match app.idp(&due.provider.alias).await? {
        // Neither SAML nor OpenShift can be asked again, and they give nothing to ask with.
        None | Some(Idp::Saml(_) | Idp::Openshift(_)) => Failure::NoProvider,
        Some(Idp::Oidc(idp)) => match asked(app, &idp, due).await? {
            Ok(renewed) => match app
                .store
                .renew_session(&granted, renewed, entry(AuditAction::Update))
                .await
            {
                Ok(done) => {
                    app.follow(&done.log).await;
                    return Ok(());
                }
                Err(error @ reeve_store::StoreError::UidTaken(_)) => Failure::Conflict(error),
                Err(error) => return Err(error.into()),
            },
            Err(failure) if !failure.is_final() => {
                tracing::warn!(alias = %idp.alias, session = %id, check = %failure, "an identity provider could not be asked again");
                return Ok(());
            }
            Err(failure) => failure,
        },
    };
    tracing::info!(session = %id, check = %why, "a session ends since its identity provider does not confirm it");
    let mut entry = entry(AuditAction::SignOut);
    entry.metadata.insert(
        "why".to_owned(),
        "the identity provider does not confirm it".to_owned(),
    );
    match app
        .store
        .end_session(&granted, due.facts.subject, id, entry)
        .await
    {
        Ok(ended) => app.follow(&ended.log).await,
        Err(reeve_store::StoreError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What the provider says now.
async fn asked(
    app: &App,
    idp: &OidcIdp,
    due: &DueSession,
) -> Result<Result<RenewedSession, Failure>, ApiError> {
    let (id, now) = (due.facts.id, app.clock.now());
    let sealed = due.provider.renewal.as_deref().unwrap_or_default();
    let opened = app.security.unsealed(RENEWAL, &id.to_string(), sealed)?;
    let before: Renewal = serde_json::from_str(opened.expose()).map_err(ApiError::internal)?;
    let said = async {
        let provider = app.providers.provider(idp, now).await?;
        let said = app
            .providers
            .ask(idp, Grant::Refresh(&before.token), None, now)
            .await?;
        // Whom it speaks of has not changed (Core 1.0, section 12.2).
        if said.subject != before.subject || provider.issuer != before.issuer {
            return Err(Failure::UserInfoSubject);
        }
        let mapped = idp.mapper.map(&said.claims, idp.settings.mandatory().as_ref())?;
        Ok((mapped, said.refresh_token))
    };
    let (mapped, token) = match said.await {
        Ok(said) => said,
        Err(failure) => return Ok(Err(failure)),
    };
    // One that does not rotate is good again.
    let token = token.map_or_else(|| before.token.clone(), |token| token.expose().to_owned());
    let renewal = Renewal { token, ..before };
    let last = due.created.plus_seconds(app.settings.session_seconds);
    Ok(Ok(RenewedSession {
        id,
        groups: mapped.groups,
        posix: mapped.posix,
        renewal: app.sealed_renewal(id, &renewal)?,
        until: now.plus_seconds(CONFIRMED_SECONDS).min(last),
    }))
}

impl App {
    pub(crate) fn sealed_renewal(
        &self,
        id: reeve_types::SessionId,
        renewal: &Renewal,
    ) -> Result<String, ApiError> {
        let text = serde_json::to_string(renewal).map_err(ApiError::internal)?;
        self.security.sealed(RENEWAL, &id.to_string(), &text)
    }
}
