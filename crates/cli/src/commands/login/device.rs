//! `reeve login device`: a person types a short code in a browser anywhere (RFC 8628), and this process asks until that is done.
//!
//! The page there says which program asks, from where and since when. Nothing is brought back here by hand.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::code::{PROTOCOL, Token, signed_in};
use super::{begin, kept};
use crate::Context;
use crate::args::LoginRemote;
use crate::failure::Failure;
use crate::http::{Api, CLIENT, CallError};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How much longer it is waited between two questions after one too early (RFC 8628, section 3.5), and at first where nothing is said.
const STEP: Duration = Duration::from_secs(5);
/// The longest wait between two questions.
const LONGEST: Duration = Duration::from_secs(60);
/// How long somebody may take, whatever the control plane says.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The answer of the device authorization endpoint (RFC 8628, section 3.2).
#[derive(Deserialize)]
struct Begun {
    device_code: reeve_api::RevealedSecret,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: Option<u64>,
}

pub(in crate::commands) async fn run(context: &mut Context, arguments: LoginRemote) -> Result<(), Failure> {
    let (control_plane, place) = begin(context, &arguments.at).await?;
    let api = Api::anonymous(&control_plane)?;
    let what = format!("cannot sign in at `{}`", control_plane.url);
    let form = [("client_id", CLIENT.to_owned()), ("scope", "openid".to_owned())];
    let begun: Begun = api
        .form(&format!("{PROTOCOL}/auth/device"), &form)
        .await
        .map_err(|error| error.explain(&what))?;
    // What is shown is what a terminal shows of it: letters alone, and an address.
    let page = crate::http::parse_address(&begun.verification_uri)?;
    let code: String = begun
        .user_code
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .take(32)
        .collect();
    context.printer.note(&format!(
        "open this address in a browser, on any machine, sign in, and type the code there:\n{page}\n\ncode: {code}\n\n\
         give the code to nobody; waiting until you have confirmed it\n"
    ))?;
    let until = Instant::now() + Duration::from_secs(begun.expires_in).min(PATIENCE);
    let token = match timeout_at(until, asked(&api, &begun)).await {
        Ok(outcome) => outcome.map_err(|error| error.explain(&what))?,
        Err(_) => {
            return Err(Failure::refused(what)
                .cause("nobody typed the code in time")
                .hint("run the command again"));
        }
    };
    let sign_in = signed_in(context, &control_plane, token).await?;
    kept(context, &control_plane, place, &sign_in).await
}

/// The tokens, when a person has confirmed. A control plane that is away, or has no time, is asked again after longer.
async fn asked(api: &Api, begun: &Begun) -> Result<Token, CallError> {
    let form = [
        ("grant_type", GRANT.to_owned()),
        ("client_id", CLIENT.to_owned()),
        ("device_code", begun.device_code.expose().to_owned()),
    ];
    let mut pause = begun.interval.map_or(STEP, Duration::from_secs);
    pause = pause.clamp(Duration::from_secs(1), LONGEST);
    loop {
        sleep(pause).await;
        match api.form(&format!("{PROTOCOL}/token"), &form).await {
            Ok(token) => return Ok(token),
            Err(error) => match after(&error, pause) {
                Some(longer) => pause = longer,
                None => return Err(error),
            },
        }
    }
}

/// How long it is waited after this; none where asking again is of no use.
fn after(error: &CallError, pause: Duration) -> Option<Duration> {
    match error {
        CallError::OAuth { error, .. } if error == "authorization_pending" => Some(pause),
        CallError::OAuth { error, .. } if error == "slow_down" => Some((pause + STEP).min(LONGEST)),
        CallError::Unreachable { .. } => Some((pause * 2).min(LONGEST)),
        other => match other.status() {
            Some(429 | 503) => Some((pause * 2).min(LONGEST)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn said(status: u16, error: &str) -> CallError {
        CallError::OAuth {
            status: StatusCode::from_u16(status).unwrap(),
            error: error.to_owned(),
            text: None,
        }
    }

    #[test]
    fn it_is_asked_again_while_that_is_of_use_and_later_each_time_it_was_too_early() {
        let (five, ten) = (Duration::from_secs(5), Duration::from_secs(10));
        assert_eq!(after(&said(400, "authorization_pending"), five), Some(five));
        assert_eq!(after(&said(400, "slow_down"), five), Some(ten));
        assert_eq!(after(&said(400, "slow_down"), LONGEST), Some(LONGEST));
        assert_eq!(after(&said(429, "temporarily_unavailable"), five), Some(ten));
        for over in [
            "expired_token",
            "access_denied",
            "invalid_grant",
            "unsupported_grant_type",
        ] {
            assert_eq!(after(&said(400, over), five), None, "{over}");
        }
    }
}
