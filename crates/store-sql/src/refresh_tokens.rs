//! Refresh tokens in SQL: columns of their session.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_store::{
    AuditEntry, Committed, CredentialHash, NewRefreshToken, REPEATED_SECONDS, RefreshTokens, Renewal,
    SessionFacts, ShownRefreshToken, StoreError, SubjectId,
};
use reeve_types::Timestamp;

use crate::SqlStore;
use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::sessions::{facts, is_record};

const GIVE: &str = "give a refresh token";
const RENEW: &str = "renew by a refresh token";

/// A session that lives, and its refresh tokens.
struct Kept {
    session: SessionFacts,
    began: Timestamp,
    token: Option<String>,
    before: Option<String>,
    client: Option<String>,
    at: Option<Timestamp>,
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        session: facts(row)?,
        began: row.time("created_at")?,
        token: row.opt_text("refresh_token")?,
        before: row.opt_text("refresh_before")?,
        client: row.opt_text("refresh_client")?,
        at: row.opt_time("refresh_at")?,
    })
}

macro_rules! columns {
    ($start:literal, $end:literal) => {
        concat!(
            $start,
            " id, subject_kind, subject_id, method, group_names, posix, created_at, ends_at, access_key, behind, refresh_token,
              refresh_before, refresh_client, refresh_at",
            $end
        )
    };
}

impl Kept {
    /// What is to be said of a token that is not put in the place of another.
    fn verdict(self, shown: &ShownRefreshToken, now: Timestamp) -> Renewal {
        let is = |kept: &Option<String>, hash: &CredentialHash| kept.as_deref() == Some(hash.as_str());
        let by_its_client = shown.client.is_none() || shown.client == self.client;
        if self.token.is_none() || is(&self.token, &shown.token) {
            return Renewal::Over;
        }
        // A clock that was set back makes this no longer.
        let lately = self.at.is_some_and(|at| {
            at <= now.plus_seconds(REPEATED_SECONDS) && now < at.plus_seconds(REPEATED_SECONDS)
        });
        let repeated = is(&self.before, &shown.token) && is(&self.token, &shown.successor) && lately;
        if repeated && by_its_client {
            Renewal::Given {
                session: self.session,
                began: self.began,
                again: true,
            }
        } else if repeated {
            Renewal::Over
        } else {
            Renewal::Reused(self.session)
        }
    }
}

/// Puts the successor in its place; none when this is not the good one.
async fn take(tx: &mut Tx, shown: &ShownRefreshToken, now: Timestamp) -> Result<Option<Kept>, StoreError> {
    tx.one(
        columns!(
            "UPDATE sessions
             SET refresh_before = refresh_token, refresh_token = $3, refresh_at = $4, refresh_until = $5, refreshed_at = $4
             WHERE id = $1 AND refresh_token = $2 AND refresh_until > $4 AND ended_at IS NULL AND ends_at > $4
               AND ($6 = '' OR refresh_client = $6)
             RETURNING",
            ""
        ),
        &[
            Arg::text(shown.session),
            shown.token.as_str().into(),
            shown.successor.as_str().into(),
            now.into(),
            shown.until.into(),
            Arg::text(shown.client.as_deref().unwrap_or_default()),
        ],
        kept,
        RENEW,
    )
    .await
}

/// Says whose session it is.
async fn about(tx: &mut Tx, entry: AuditEntry, session: &SessionFacts) -> Result<AuditEntry, StoreError> {
    let SubjectId::User(id) = session.subject else {
        return Ok(entry);
    };
    let email = tx
        .one(
            "SELECT email FROM users WHERE id = $1",
            &[Arg::text(id)],
            |row| row.text("email"),
            RENEW,
        )
        .await?
        .unwrap_or_default();
    let mut entry = entry.about(id, &email);
    entry.subject = email;
    Ok(entry)
}

#[async_trait]
impl RefreshTokens for SqlStore {
    async fn give_refresh_token(
        &self,
        granted: &Granted,
        new: NewRefreshToken,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        is_record(granted, GIVE)?;
        let mut tx = self.record_later(GIVE).await?;
        let given = tx
            .execute(
                "UPDATE sessions SET refresh_token = $2, refresh_client = $3, refresh_at = $4, refresh_until = $5
                 WHERE id = $1 AND refresh_token IS NULL AND ended_at IS NULL AND ends_at > $4",
                &[
                    Arg::text(new.session),
                    new.token.as_str().into(),
                    Arg::text(&new.client),
                    at.into(),
                    new.until.into(),
                ],
            )
            .await
            .context(GIVE)?;
        tx.commit().await.context(GIVE)?;
        Ok(given == 1)
    }

    async fn renew_by_refresh_token(
        &self,
        granted: &Granted,
        shown: ShownRefreshToken,
        entry: AuditEntry,
    ) -> Result<Committed<Renewal>, StoreError> {
        is_record(granted, RENEW)?;
        let now = entry.timestamp;
        let mut tx = self.record_later(RENEW).await?;
        let Some(taken) = take(&mut tx, &shown, now).await? else {
            let found = tx
                .one(
                    columns!(
                        "SELECT",
                        " FROM sessions WHERE id = $1 AND ended_at IS NULL AND ends_at > $2"
                    ),
                    &[Arg::text(shown.session), now.into()],
                    kept,
                    RENEW,
                )
                .await?;
            let verdict = found.map_or(Renewal::Over, |kept| kept.verdict(&shown, now));
            return Ok(Committed::unchanged(verdict));
        };
        let mut entry = about(&mut tx, entry, &taken.session).await?;
        entry
            .metadata
            .insert("session".to_owned(), taken.session.id.to_string());
        if let Some(client) = taken.client {
            entry.metadata.insert("client".to_owned(), client);
        }
        let renewal = Renewal::Given {
            session: taken.session,
            began: taken.began,
            again: false,
        };
        Changes::default().commit(tx, &entry, renewal, RENEW).await
    }
}
