//! What a form of ours sends back, in a sign-in that is not at its end: it counts together with the cookie of the sign-in that was begun in
//! the same browser, and a form of another site has neither.

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;

use super::cookie;
use super::request::Pairs;
use super::ticket::{ATTEMPT_SECONDS, Attempt, OfAttempt};
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;
use crate::extract::read_credentials;

/// What whoever comes with another form is told.
pub(super) const NOT_BEGUN: &str =
    "This sign-in was not begun in this browser, or took too long. Begin again.";

/// A form, and the sign-in of the browser that sends it.
#[derive(Debug)]
pub(super) struct Sent {
    attempt: Option<Attempt>,
    /// What was typed.
    pub(super) pairs: Pairs,
}

impl Sent {
    /// Reads it.
    ///
    /// # Errors
    /// [`ApiError`] for a body that is too large or comes too slowly.
    pub(super) async fn read(app: &App, call: &Call, request: Request<Body>) -> Result<Self, ApiError> {
        let attempt = cookie::get(request.headers(), cookie::ATTEMPT)
            .and_then(|text| app.opened::<Attempt>(text, call.at));
        let pairs = Pairs::read(&read_credentials(request).await?);
        Ok(Self { attempt, pairs })
    }

    /// The sign-in, where the form names it.
    pub(super) fn attempt(&self) -> Option<&Attempt> {
        self.attempt
            .as_ref()
            .filter(|attempt| self.pairs.get("attempt") == Some(&attempt.id))
    }

    /// The sign-in, and the form's ticket, where both are of the same.
    pub(super) fn ticket<T: OfAttempt>(&self, app: &App, call: &Call) -> Option<(&Attempt, T)> {
        let ticket: T = app.opened(self.pairs.get("ticket")?, call.at)?;
        let attempt = self.attempt.as_ref()?;
        (attempt.id == ticket.attempt()).then_some((attempt, ticket))
    }
}

/// Gives the browser its sign-in.
///
/// # Errors
/// [`ApiError::Internal`].
pub(super) fn keep(app: &App, attempt: &Attempt, response: &mut Response) -> Result<(), ApiError> {
    let ticket = app.ticket(attempt)?;
    cookie::set(response.headers_mut(), cookie::ATTEMPT, &ticket, ATTEMPT_SECONDS);
    Ok(())
}
