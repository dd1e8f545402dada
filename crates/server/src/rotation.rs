//! Signing keys are followed and rotated, by schedule and on request: what the application does with [`crate::keys`].

use std::sync::Arc;

use reeve_authz::Granted;
use reeve_store::{AuditAction, AuditEntry, Committed, KeyUse, StoreError};
use reeve_types::Timestamp;

use crate::app::App;
use crate::caller::Asker;
use crate::credential_keys::BATCH;
use crate::error::{ApiError, Refusal, RefusalKind, log_chain};
use crate::keys::{PUBLISHED_SECONDS, RETIRING_SECONDS};

/// The next signing key may not be known everywhere yet: 409.
#[derive(Debug, thiserror::Error)]
#[error(
    "the next signing key is published since {published}, and whoever keeps the published keys may not know it before \
     {ready}: rotate after that, or now with `\"atOnce\": true`"
)]
struct NextKeyTooNew {
    published: Timestamp,
    ready: Timestamp,
}

impl Refusal for NextKeyTooNew {
    fn kind(&self) -> RefusalKind {
        RefusalKind::Conflict
    }
}

impl App {
    /// Reads the signing keys anew when the directory knows other ones than are in use here. Whoever applies changes calls it
    /// before anybody is told that they are done.
    pub(crate) async fn follow_keys(&self) -> Result<(), StoreError> {
        if self.security.keys.are(self.directory().signing_keys()) {
            return Ok(());
        }
        let rows = self.store.signing_keys().await?;
        let replaced = self.security.keys.replace(&rows);
        replaced.map_err(|error| StoreError::Corrupt {
            what: "signing key",
            reason: format!("{error:#}"),
        })
    }

    /// Makes the next key current: what a handler or the schedule does in its turn.
    pub(crate) async fn rotated(
        &self,
        granted: &Granted,
        at_once: bool,
        entry: AuditEntry,
    ) -> Result<Committed<()>, ApiError> {
        let now = entry.timestamp;
        let current = {
            let directory = self.directory();
            let of = |usage| {
                directory
                    .signing_keys()
                    .iter()
                    .find(move |key| key.usage == usage)
            };
            let (Some(current), Some(next)) = (of(KeyUse::Current), of(KeyUse::Next)) else {
                return Err(ApiError::internal("there is no current or no next signing key"));
            };
            let ready = next.published.plus_seconds(PUBLISHED_SECONDS);
            if now < ready && !at_once {
                let published = next.published;
                return Err(NextKeyTooNew { published, ready }.into());
            }
            current.id.clone()
        };
        let next = self.security.keys.made().map_err(ApiError::internal)?;
        Ok(self
            .store
            .rotate_signing_keys(granted, &current, next, entry)
            .await?)
    }

    /// What of the keys is due at `now`: that the next one signs, that a former one is no more.
    fn keys_due(&self, now: Timestamp) -> (bool, bool) {
        let directory = self.directory();
        let keys = directory.signing_keys();
        let older = |usage, seconds: i64| {
            let mut of = keys.iter().filter(move |key| key.usage == usage);
            of.any(|key| key.since.plus_seconds(seconds) < now)
        };
        let days = self.settings.signing_key_days;
        let rotation = days.is_some_and(|days| older(KeyUse::Current, i64::from(days) * 24 * 3600))
            && older(KeyUse::Next, PUBLISHED_SECONDS);
        (rotation, older(KeyUse::Retiring, RETIRING_SECONDS))
    }
}

/// Rotates and forgets signing keys when it is due. Of several processes one does it; the others hear of it.
pub async fn rotate_when_due(app: &Arc<App>) {
    let now = app.clock.now();
    let (rotation, retired) = app.keys_due(now);
    if app.reserve.is_given() || !(rotation || retired) {
        return;
    }
    // Another process may have been faster.
    if let Err(error) = app.catch_up().await {
        return log_chain(&error);
    }
    let (rotation, retired) = app.keys_due(now);
    if !(rotation || retired) {
        return;
    }
    let done = app.change(Asker::System, move |app| async move {
        let granted = crate::audit::key_rotation();
        let id = app.security.uuid()?.to_string();
        let entry = |action| AuditEntry::of_the_system(action, "security-settings", id.clone(), now);
        // In its turn: somebody may have asked for it in between.
        let (rotation, retired) = app.keys_due(now);
        if rotation {
            return app.rotated(&granted, false, entry(AuditAction::Rotate)).await;
        }
        if !retired {
            return Ok(Committed::unchanged(()));
        }
        let before = now.plus_seconds(-RETIRING_SECONDS);
        let dropped = app
            .store
            .drop_signing_keys(&granted, before, entry(AuditAction::Delete));
        Ok(dropped.await?.map(drop))
    });
    match done.await {
        Ok(()) => tracing::info!(rotation, retired, "signing keys were rotated or forgotten"),
        Err(error) => log_chain(&error),
    }
}

/// Seals credentials anew that were sealed with another key than the first one, some at a time: somebody put a new key before it.
pub async fn seal_credentials_anew(app: &Arc<App>) {
    let sealer = &app.security.credentials;
    let granted = crate::audit::key_rotation();
    if let Err(error) = sealer.read_again() {
        return tracing::error!(
            cause = format!("{error:#}"),
            "the credential keys cannot be read again"
        );
    }
    while !app.reserve.is_given() {
        let Ok(id) = app.security.uuid() else { return };
        let now = app.clock.now();
        let entry = AuditEntry::of_the_system(AuditAction::Rotate, "security-settings", id.to_string(), now);
        match sealer.reseal(app.store.as_ref(), &granted, BATCH, entry).await {
            Ok(0) => return,
            Ok(count) => tracing::info!(count, key = sealer.first(), "credentials were sealed anew"),
            Err(error) => {
                return tracing::error!(cause = format!("{error:#}"), "credentials cannot be sealed anew");
            }
        }
    }
}
