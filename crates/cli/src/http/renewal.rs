//! A sign-in is renewed by its refresh token a minute before its token ends, and nobody has to say so.
//!
//! However many commands run at once (kubectl starts one for each of its own), one of them renews: it holds the lock of the sign-in, and
//! the others find what it brought. A refresh token that is used twice ends the sign-in at the control plane, which takes that for a
//! theft; so one that is replaced is written down before anything else is done.

use std::io::Write;

use reeve_api::token::TokenResponse;
use reeve_types::Clock;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::Mutex;

use super::{Api, CLIENT, CallError};
use crate::failure::{Failure, plain};
use crate::settings::{Settings, SignIn};

/// How long before its end a token is renewed, in seconds.
const MARGIN_SECONDS: i64 = 60;

/// The sign-in that a command works with, which may last longer than its token.
#[derive(Debug)]
pub(super) struct Held {
    sign_in: Mutex<SignIn>,
    settings: Settings,
    /// Not the moment at which the command began.
    clock: Clock,
}

impl Held {
    pub(super) fn new(sign_in: SignIn, settings: &Settings) -> Self {
        Self {
            sign_in: Mutex::new(sign_in),
            settings: settings.clone(),
            clock: Clock::system(),
        }
    }

    /// Where what is kept between commands is.
    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The sign-in as it is good now.
    pub(super) async fn now(&self, api: &Api) -> Result<SignIn, CallError> {
        let mut held = self.sign_in.lock().await;
        if !self.lasts(&held, MARGIN_SECONDS)
            && held.refresh_token.is_some()
            && let Some(other) = self.renewed(api, &held).await?
        {
            *held = other;
        }
        Ok(held.clone())
    }

    fn lasts(&self, sign_in: &SignIn, seconds: i64) -> bool {
        sign_in.expires_at > self.clock.now().plus_seconds(seconds)
    }

    /// Another in its place; none where it is gone on with.
    async fn renewed(&self, api: &Api, held: &SignIn) -> Result<Option<SignIn>, CallError> {
        let _lock = self.settings.lock_sign_in().await;
        let kept = self.kept(api).await.map_err(CallError::Settings)?;
        // Somebody signed out, or in as somebody else: this command ends as who began it.
        let Some(kept) = kept.filter(|kept| kept.username == held.username) else {
            return Ok(None);
        };
        if self.lasts(&kept, MARGIN_SECONDS) {
            return Ok(Some(kept));
        }
        let Some(token) = &kept.refresh_token else {
            return Ok(None);
        };
        let body =
            json!({ "grantType": "refresh_token", "refreshToken": token.expose(), "clientId": CLIENT });
        let url = api.url("/api/v1/token");
        let asked = api.exchange::<TokenResponse>(None, Method::POST, url, |request| request.json(&body));
        match asked.await {
            Ok(answer) => {
                let renewed = SignIn {
                    expires_at: self.clock.now().plus_seconds(answer.expires_in),
                    access_token: answer.access_token,
                    refresh_token: answer.refresh_token,
                    ..kept
                };
                self.keep(&renewed).await?;
                Ok(Some(renewed))
            }
            Err(error) if error.status() == Some(400) => {
                let over = SignIn {
                    refresh_token: None,
                    ..kept
                };
                // Nobody need ask again.
                self.keep(&over).await?;
                if self.lasts(&over, 0) {
                    return Ok(Some(over));
                }
                let message = format!("the sign-in of `{}` has ended", over.username);
                let status = StatusCode::UNAUTHORIZED;
                let body = reeve_api::ErrorBody::new(status.as_u16(), message);
                Err(CallError::Refused { status, body })
            }
            Err(_) if self.lasts(&kept, 0) => Ok(Some(kept)),
            Err(error) => Err(error),
        }
    }

    /// Writes it down, and says so where that is not where the one before was.
    async fn keep(&self, sign_in: &SignIn) -> Result<(), CallError> {
        let moved = self.settings.renew(sign_in).await.map_err(CallError::Settings)?;
        if let Some(sentence) = moved {
            let _ = writeln!(std::io::stderr(), "reeve: {}", plain(&sentence));
        }
        Ok(())
    }

    /// What is kept now, if it is of the same control plane.
    async fn kept(&self, api: &Api) -> Result<Option<SignIn>, Failure> {
        let there = self.settings.control_plane()?;
        let same = there
            .and_then(|there| super::parse_address(&there.url).ok())
            .is_some_and(|url| url == api.base);
        if same {
            self.settings.sign_in().await
        } else {
            Ok(None)
        }
    }
}
