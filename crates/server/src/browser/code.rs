//! `POST /oauth-code`: a code for a command line on another machine, after the person has confirmed it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::response::Response;

use super::cookie;
use super::page::{escape, page, problem};
use super::sent::Sent;
use super::ticket::Unconfirmed;
use crate::app::App;
use crate::caller::Call;
use crate::error::ApiError;

/// Shows it, in the browser that signed in.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    call: Call,
    request: Request<Body>,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&app, &call, request).await?;
    let Some((_, ticket)) = sent.ticket::<Unconfirmed>(&app, &call) else {
        return Ok(problem(
            &app,
            &call,
            400,
            "This code was not asked for in this browser, or it is over. Run the command again.",
        ));
    };
    let body = format!(
        "<p>Copy this code into the command line that waits for it. It is good once, for five minutes. Give it to nobody.</p>\
         <p><code id=\"code\">{}</code></p>",
        escape(&app.ticket(&ticket.code)?)
    );
    let mut response = page(StatusCode::OK, "Your code", &body, None);
    cookie::remove(response.headers_mut(), cookie::ATTEMPT);
    Ok(response)
}
