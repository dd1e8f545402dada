//! What of an event of the audit log stands in columns beside it, for lists: SQL cannot look into the event itself by the same words in
//! both databases.

use reeve_store::{AuditEntry, AuditSubject, Outcome, StoreError};
use reeve_types::list::AuditColumn;

use crate::SqlStore;
use crate::driver::{Arg, StoreResultExt, Tx};
use crate::folded::folded;
use crate::lists::Term;

const FILL: &str = "fill in what the audit log is searched by";

/// How many rows are filled in a transaction.
const TOGETHER: usize = 1_000;

/// A column in SQL.
pub(crate) fn term(column: AuditColumn) -> Term {
    match column {
        AuditColumn::Timestamp => "e.at",
        AuditColumn::Subject => "e.subject",
        AuditColumn::SubjectType => "e.subject_type",
        AuditColumn::SourceIp => "e.source_ip",
        AuditColumn::Action => "e.action",
        AuditColumn::HttpMethod => "e.http_method",
        AuditColumn::Result => "e.result",
        AuditColumn::Url => "e.url",
        AuditColumn::EntityType => "e.entity_type",
        AuditColumn::EntityName => "e.entity_name",
        AuditColumn::EntityId => "e.entity_id",
        AuditColumn::ClusterName => "e.cluster_name_folded",
    }
    .into()
}

/// The values of the columns after `body`, in the order of the table.
pub(crate) async fn values(tx: &mut Tx, entry: &AuditEntry) -> Result<[Arg; 13], StoreError> {
    let cluster_name = match entry.cluster_id {
        None => None,
        Some(id) => tx
            .row("SELECT name FROM clusters WHERE id = $1", &[Arg::text(id)])
            .await
            .context(FILL)?
            .map(|row| row.text("name"))
            .transpose()?,
    };
    let subject_type = match entry.subject_type {
        AuditSubject::User => "user",
        AuditSubject::App => "app",
    };
    let result = match entry.result {
        Outcome::Succeeded => "succeeded",
        Outcome::Failed => "failed",
    };
    let text = |text: &str| Arg::text(folded(text));
    Ok([
        entry.timestamp.into(),
        text(&entry.subject),
        subject_type.into(),
        text(entry.source_ip.as_deref().unwrap_or_default()),
        entry.action.in_the_reference().into(),
        text(&entry.http_method),
        result.into(),
        text(&entry.url),
        text(&entry.entity_type),
        text(&entry.entity_name),
        text(&entry.entity_id),
        Arg::opt_text(cluster_name.as_deref()),
        Arg::opt_text(cluster_name.as_deref().map(folded)),
    ])
}

/// Fills in what events of an earlier version lack. Where none lacks anything, nothing is written.
pub(crate) async fn fill(store: &SqlStore) -> Result<(), StoreError> {
    const LACKING: &str =
        "SELECT sequence, body FROM audit_events WHERE at IS NULL ORDER BY sequence LIMIT 1000";
    let lacking = store.read(FILL).await?.rows(LACKING, &[]).await.context(FILL)?;
    let mut more = !lacking.is_empty();
    while more {
        let mut tx = store.write(FILL).await?;
        let rows = tx.rows(LACKING, &[]).await.context(FILL)?;
        for row in &rows {
            let entry: AuditEntry = row.json("body")?;
            let mut all = vec![Arg::from(row.int("sequence")?)];
            all.extend(values(&mut tx, &entry).await?);
            tx.execute(
                "UPDATE audit_events SET at = $2, subject = $3, subject_type = $4, source_ip = $5, action = $6, http_method = $7,
                        result = $8, url = $9, entity_type = $10, entity_name = $11, entity_id = $12, cluster_name = $13,
                        cluster_name_folded = $14
                 WHERE sequence = $1",
                &all,
            )
            .await
            .context(FILL)?;
        }
        more = rows.len() == TOGETHER;
        tx.commit().await.context(FILL)?;
    }
    Ok(())
}
