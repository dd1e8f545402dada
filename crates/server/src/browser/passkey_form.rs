//! What the sign-in page asks a browser for a passkey: the same of everybody.

use reeve_types::Timestamp;

use super::page::escape;
use super::ticket::{Attempt, ShowsPasskey};
use crate::app::App;
use crate::error::ApiError;
use crate::own_passkeys::CHALLENGE_SECONDS;

/// The form in the page of a sign-in; empty where browsers allow no passkeys.
///
/// # Errors
/// [`ApiError::Internal`].
pub(super) fn form(app: &App, attempt: &Attempt, now: Timestamp) -> Result<String, ApiError> {
    let Some(party) = app.relying_party() else {
        return Ok(String::new());
    };
    let challenge = app.new_challenge()?;
    let options = party.request_options(&challenge, CHALLENGE_SECONDS);
    let ticket = app.ticket(&ShowsPasskey {
        attempt: attempt.id.clone(),
        challenge,
        until: now.plus_seconds(CHALLENGE_SECONDS).min(attempt.until),
    })?;
    Ok(format!(
        "<form method=\"post\" action=\"{}{}\" data-passkey=\"get\" data-options=\"{}\" hidden>\
         <input type=\"hidden\" name=\"attempt\" value=\"{}\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <p role=\"alert\" class=\"problem\" hidden></p>\
         <button type=\"submit\">Sign in with a passkey</button></form>",
        escape(&app.settings.public_url),
        super::PASSKEY,
        escape(&options.to_string()),
        escape(&attempt.id),
        escape(&ticket),
    ))
}
