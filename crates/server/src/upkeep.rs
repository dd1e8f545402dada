//! What is done beside answering: failed attempts and tokens that were counted are recorded, old ones and old sessions forgotten, signing keys rotated, the
//! reserve is taken again.

use std::sync::Arc;
use std::time::Duration;

use reeve_store::{AuditAction, AuditEntry, AuditSubject, ENDED_SHOWN_SECONDS, Outcome, StoreError};
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::error::log_chain;
use crate::rotation;

/// How often it is looked whether something failed.
const LOOK: Duration = Duration::from_secs(1);
/// How many looks there are between two tries to take the reserve again.
const RESERVE: u64 = 15;
/// How many looks there are between two looks whether a signing key is due.
const KEYS: u64 = 60;
/// How many looks there are between two prunings.
const PRUNING: u64 = 3600;
/// How many events go in one transaction.
const PRUNED_TOGETHER: i64 = 200;

/// Goes on until the process ends.
pub async fn run(app: Arc<App>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0_u64.. {
        looks.tick().await;
        record_guesses(&app).await;
        record_failures(&app, false).await;
        record_successes(&app, false).await;
        if look.is_multiple_of(RESERVE) {
            take_reserve_again(&app).await;
        }
        if look.is_multiple_of(KEYS) {
            rotation::rotate_when_due(&app).await;
            rotation::seal_credentials_anew(&app).await;
        }
        if look.is_multiple_of(PRUNING) {
            prune(&app).await;
            forget_sessions(&app).await;
        }
    }
}

/// Counts wrong passwords in the database. What cannot be written is kept, and counted on.
pub async fn record_guesses(app: &App) {
    let wrong = app.guesses.unwritten();
    if wrong.is_empty() || app.reserve.is_given() {
        return;
    }
    let granted = crate::audit::session_record();
    let noted = app.store.note_wrong_passwords(&granted, &wrong, app.clock.now());
    match noted.await {
        Ok(()) => app.guesses.written(&wrong),
        Err(error) => log_chain(&error),
    }
}

/// Records what failed; with `all` also what is not due yet. What cannot be written is kept, and counted on.
pub async fn record_failures(app: &App, all: bool) {
    let now = app.clock.now();
    for lot in app.failures.due(now, all) {
        if app.reserve.is_given() {
            return;
        }
        let rows = lot.iter().map(|due| due.row.clone()).collect();
        let granted = crate::audit::session_record();
        match app.store.record_attempts(&granted, rows).await {
            Ok(()) => app.failures.written(&lot, now),
            Err(error) => return log_chain(&error),
        }
    }
}

/// Records how many tokens were given in the minutes that are over; with `all` also in those that are not. What cannot be written is
/// kept, and counted on.
pub async fn record_successes(app: &App, all: bool) {
    for due in app.successes.due(app.clock.now(), all) {
        if app.reserve.is_given() {
            return;
        }
        let granted = crate::audit::session_record();
        match app.store.record(&granted, due.row.clone()).await {
            Ok(()) => app.successes.written(&due),
            Err(error) => return log_chain(&error),
        }
    }
}

/// Removes events of failed attempts that are older than they are kept, and says so in the chain.
pub async fn prune(app: &App) {
    let Some(days) = app.settings.failed_attempts_days else {
        return;
    };
    loop {
        if app.reserve.is_given() {
            return;
        }
        match prune_some(app, days).await {
            Ok(0) => return,
            Ok(count) => tracing::info!(count, days, "old records of failed attempts were pruned"),
            Err(error) => return log_chain(&error),
        }
    }
}

/// Forgets sessions that ended a day ago or longer.
pub async fn forget_sessions(app: &App) {
    let granted = crate::audit::session_record();
    loop {
        if app.reserve.is_given() {
            return;
        }
        let before = app.clock.now().plus_seconds(-ENDED_SHOWN_SECONDS);
        match app.store.prune_sessions(&granted, before, PRUNED_TOGETHER).await {
            Ok(forgotten) if forgotten.value == 0 => return,
            Ok(forgotten) => app.follow(&forgotten.log).await,
            Err(error) => return log_chain(&error),
        }
    }
}

async fn prune_some(app: &App, days: u32) -> Result<usize, StoreError> {
    let now = app.clock.now();
    let before = now.plus_seconds(-i64::from(days) * 24 * 60 * 60);
    let mut entry = AuditEntry {
        timestamp: now,
        request_id: String::new(),
        subject: "system".to_owned(),
        subject_type: AuditSubject::App,
        source_ip: None,
        action: AuditAction::Prune,
        http_method: String::new(),
        url: String::new(),
        entity_type: "events-history".to_owned(),
        entity_name: String::new(),
        entity_id: String::new(),
        result: Outcome::Succeeded,
        http_status_code: 0,
        cluster_id: None,
        metadata: std::collections::BTreeMap::new(),
    };
    entry.metadata.insert("before".to_owned(), before.to_string());
    let granted = crate::audit::session_record();
    // Before each lot: what a lot leaves at the end of the chain may be due in the next one.
    let end = app.fenced_event().await;
    app.store
        .prune_attempts(&granted, before, end, PRUNED_TOGETHER, entry)
        .await
}

/// Writes files, so not on a thread that answers.
async fn take_reserve_again(app: &Arc<App>) {
    if app.reserve.is_given() {
        let app = Arc::clone(app);
        let _ = tokio::task::spawn_blocking(move || app.reserve.take_again()).await;
    }
}
