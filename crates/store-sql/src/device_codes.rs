//! Device codes in SQL. Rows that are over go when another device begins; guesses that count no more, with the next one.

use async_trait::async_trait;
use reeve_authz::Granted;
use reeve_store::{
    AuditEntry, Committed, CredentialHash, DEVICE_CODES, DEVICE_CODES_OF_A_NETWORK, DeviceAnswer,
    DeviceCodeBegun, DeviceCodes, DeviceDecision, LONGEST_PAUSE_SECONDS, NewDeviceCode, OVER_SECONDS,
    PAUSE_SECONDS, StoreError, TypedUserCode, UserCodeFound, WRONG_USER_CODES, WRONG_USER_CODES_OF_A_NETWORK,
    WRONG_USER_CODES_SECONDS, WaitingDevice,
};
use reeve_types::{SessionId, Timestamp};

use crate::SqlStore;
use crate::changes::Changes;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::sessions::is_record;

const BEGIN: &str = "begin a device code";
const FIND: &str = "find a user code";
const DECIDE: &str = "decide about a device";
const ASK: &str = "ask for a device's session";

const WAITS: &str = "waits";
const REFUSED: &str = "refused";
const SIGNED_IN: &str = "signed-in";

fn waiting(row: &Row) -> Result<WaitingDevice, StoreError> {
    Ok(WaitingDevice {
        client: row.text("client")?,
        address: row.opt_text("address")?,
        at: row.time("created_at")?,
        until: row.time("ends_at")?,
    })
}

/// How a device that has just asked stands.
struct Asked {
    early: bool,
    state: String,
    session: Option<SessionId>,
    ends: Timestamp,
}

fn asked(row: &Row) -> Result<Asked, StoreError> {
    Ok(Asked {
        early: row.bool("early")?,
        state: row.text("state")?,
        session: row.opt_parsed("session_id")?,
        ends: row.time("ends_at")?,
    })
}

impl Asked {
    fn answer(&self, now: Timestamp) -> DeviceAnswer {
        match (self.state.as_str(), self.session) {
            _ if self.ends <= now => DeviceAnswer::Over,
            _ if self.early => DeviceAnswer::TooEarly,
            (SIGNED_IN, Some(session)) => DeviceAnswer::SignedIn(session),
            (REFUSED, _) => DeviceAnswer::Refused,
            _ => DeviceAnswer::Waits,
        }
    }
}

/// Counts a guess of somebody; how many there are with it.
async fn counted(tx: &mut Tx, who: &str, at: Timestamp) -> Result<i64, StoreError> {
    let count = tx
        .one(
            "INSERT INTO user_code_guesses (who, wrong, since) VALUES ($1, 1, $2)
             ON CONFLICT (who) DO UPDATE SET wrong = user_code_guesses.wrong + 1 RETURNING wrong",
            &[who.into(), at.into()],
            |row| row.int("wrong"),
            FIND,
        )
        .await?;
    Ok(count.unwrap_or(i64::MAX))
}

#[async_trait]
impl DeviceCodes for SqlStore {
    async fn begin_device_code(
        &self,
        granted: &Granted,
        new: NewDeviceCode,
    ) -> Result<DeviceCodeBegun, StoreError> {
        is_record(granted, BEGIN)?;
        let mut tx = self.record_later(BEGIN).await?;
        tx.execute(
            "DELETE FROM device_codes WHERE ends_at <= $1",
            &[new.at.plus_seconds(-OVER_SECONDS).into()],
        )
        .await
        .context(BEGIN)?;
        let held = tx
            .one(
                "SELECT COUNT(*) AS held, COUNT(CASE WHEN network = $2 THEN 1 END) AS of_network
                 FROM device_codes WHERE ends_at > $1",
                &[new.at.into(), Arg::text(&new.network)],
                |row| Ok((row.int("held")?, row.int("of_network")?)),
                BEGIN,
            )
            .await?;
        if held.is_some_and(|(all, its)| all >= DEVICE_CODES || its >= DEVICE_CODES_OF_A_NETWORK) {
            return Ok(DeviceCodeBegun::TooMany);
        }
        let made = tx
            .execute(
                "INSERT INTO device_codes (device_code, user_code, client, address, network, created_at, ends_at, polled_at,
                                           pause, early, state, session_id)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, FALSE, $9, NULL) ON CONFLICT DO NOTHING",
                &[
                    new.device_code.as_str().into(),
                    new.user_code.as_str().into(),
                    Arg::text(&new.client),
                    Arg::opt_text(new.address),
                    Arg::text(&new.network),
                    new.at.into(),
                    new.until.into(),
                    PAUSE_SECONDS.into(),
                    WAITS.into(),
                ],
            )
            .await
            .context(BEGIN)?;
        tx.commit().await.context(BEGIN)?;
        Ok(match made {
            0 => DeviceCodeBegun::Taken,
            _ => DeviceCodeBegun::Begun,
        })
    }

    async fn find_user_code(
        &self,
        granted: &Granted,
        typed: TypedUserCode,
    ) -> Result<UserCodeFound, StoreError> {
        is_record(granted, FIND)?;
        let mut tx = self.record_later(FIND).await?;
        tx.execute(
            "DELETE FROM user_code_guesses WHERE since <= $1",
            &[typed.at.plus_seconds(-WRONG_USER_CODES_SECONDS).into()],
        )
        .await
        .context(FIND)?;
        let (user, network) = (format!("user:{}", typed.by), format!("network:{}", typed.network));
        for (who, most) in [
            (&user, WRONG_USER_CODES),
            (&network, WRONG_USER_CODES_OF_A_NETWORK),
        ] {
            if counted(&mut tx, who, typed.at).await? > most {
                tx.commit().await.context(FIND)?;
                return Ok(UserCodeFound::Rests);
            }
        }
        let found = tx
            .one(
                "SELECT client, address, created_at, ends_at FROM device_codes
                 WHERE user_code = $1 AND state = $2 AND ends_at > $3",
                &[typed.user_code.as_str().into(), WAITS.into(), typed.at.into()],
                waiting,
                FIND,
            )
            .await?;
        if found.is_some() {
            tx.execute(
                "UPDATE user_code_guesses SET wrong = wrong - 1 WHERE who IN ($1, $2)",
                &[Arg::text(user), Arg::text(network)],
            )
            .await
            .context(FIND)?;
        }
        tx.commit().await.context(FIND)?;
        Ok(found.map_or(UserCodeFound::None, UserCodeFound::Device))
    }

    async fn decide_device_code(
        &self,
        granted: &Granted,
        decision: DeviceDecision,
        entry: AuditEntry,
    ) -> Result<Committed<bool>, StoreError> {
        is_record(granted, DECIDE)?;
        let mut tx = self.write_as(granted, DECIDE).await?;
        let state = match decision.session {
            Some(_) => SIGNED_IN,
            None => REFUSED,
        };
        let decided = tx
            .execute(
                "UPDATE device_codes SET state = $2, session_id = $3
                 WHERE user_code = $1 AND state = $4 AND ends_at > $5",
                &[
                    decision.user_code.as_str().into(),
                    state.into(),
                    Arg::opt_text(decision.session),
                    WAITS.into(),
                    entry.timestamp.into(),
                ],
            )
            .await
            .context(DECIDE)?;
        if decided == 0 {
            return Ok(Committed::unchanged(false));
        }
        Changes::default().commit(tx, &entry, true, DECIDE).await
    }

    async fn ask_device_code(
        &self,
        granted: &Granted,
        device_code: &CredentialHash,
        client: &str,
        at: Timestamp,
    ) -> Result<DeviceAnswer, StoreError> {
        is_record(granted, ASK)?;
        let mut tx = self.record_later(ASK).await?;
        // What is said of `early` and `pause` is said of the row as it was.
        let asked = tx
            .one(
                "UPDATE device_codes
                 SET early = $3 < polled_at + pause * 1000, polled_at = $3,
                     pause = CASE WHEN $3 < polled_at + pause * 1000 AND pause < $5 THEN pause + $4 ELSE pause END
                 WHERE device_code = $1 AND client = $2
                 RETURNING early, state, session_id, ends_at",
                &[
                    device_code.as_str().into(),
                    client.into(),
                    at.into(),
                    PAUSE_SECONDS.into(),
                    LONGEST_PAUSE_SECONDS.into(),
                ],
                asked,
                ASK,
            )
            .await?;
        let answer = asked.map_or(DeviceAnswer::Unknown, |asked| asked.answer(at));
        if matches!(answer, DeviceAnswer::SignedIn(_)) {
            tx.execute(
                "DELETE FROM device_codes WHERE device_code = $1",
                &[device_code.as_str().into()],
            )
            .await
            .context(ASK)?;
        }
        tx.commit().await.context(ASK)?;
        Ok(answer)
    }
}
