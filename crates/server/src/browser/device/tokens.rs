//! What a device is told that asks for its tokens (RFC 8628, sections 3.4 and 3.5).

use reeve_store::DeviceAnswer;

use super::{device_hash, is_on};
use crate::app::App;
use crate::browser::request::Pairs;
use crate::caller::Call;
use crate::error::ApiError;
use crate::refresh::Tokens;

/// Why a device gets no tokens: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::browser) enum DeviceRefusal {
    #[error("devices are not signed in here: an administrator would have to turn it on")]
    Off,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("nobody decided yet: ask again after the interval")]
    Waits,
    #[error("asked too early: the interval is five seconds longer from now on")]
    TooEarly,
    #[error("the person refused it")]
    Refused,
    #[error("nobody decided within ten minutes: begin again")]
    Over,
    #[error("the device code is not one of this client, was redeemed before, or its session is over")]
    Invalid,
}

impl DeviceRefusal {
    /// As the standard calls it.
    pub(in crate::browser) const fn code(self) -> &'static str {
        match self {
            Self::Off => "unsupported_grant_type",
            Self::Missing(_) => "invalid_request",
            Self::Waits => "authorization_pending",
            Self::TooEarly => "slow_down",
            Self::Refused => "access_denied",
            Self::Over => "expired_token",
            Self::Invalid => "invalid_grant",
        }
    }
}

/// The tokens of the session that a person began for the device.
pub(in crate::browser) async fn tokens(
    app: &App,
    call: &Call,
    pairs: &Pairs,
) -> Result<Result<Tokens, DeviceRefusal>, ApiError> {
    if !is_on(app).await? {
        return Ok(Err(DeviceRefusal::Off));
    }
    let given = |name: &'static str| {
        let value = pairs.get(name).filter(|value| !value.is_empty());
        value.ok_or(DeviceRefusal::Missing(name))
    };
    let (code, client) = match (given("device_code"), given("client_id")) {
        (Ok(code), Ok(client)) => (code, client),
        (Err(missing), _) | (_, Err(missing)) => return Ok(Err(missing)),
    };
    let (granted, code) = (crate::audit::session_record(), device_hash(app, code));
    let answer = app.store.ask_device_code(&granted, &code, client, call.at);
    let id = match answer.await? {
        DeviceAnswer::SignedIn(session) => session,
        DeviceAnswer::Waits => return Ok(Err(DeviceRefusal::Waits)),
        DeviceAnswer::TooEarly => return Ok(Err(DeviceRefusal::TooEarly)),
        DeviceAnswer::Refused => return Ok(Err(DeviceRefusal::Refused)),
        DeviceAnswer::Over => return Ok(Err(DeviceRefusal::Over)),
        DeviceAnswer::Unknown => return Ok(Err(DeviceRefusal::Invalid)),
    };
    match app.session_of(id, call.at).await? {
        Some((_, session)) => app.renewable_tokens(&session, client, call.at).await.map(Ok),
        None => Ok(Err(DeviceRefusal::Invalid)),
    }
}
