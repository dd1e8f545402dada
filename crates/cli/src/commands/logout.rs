//! `reeve logout`: ends the session and forgets the tokens.
//!
//! The token is forgotten in any case. Where the control plane cannot be told, the session ends by itself; that is said, and is
//! no failure: nobody has the token any more.

use serde_json::json;

use crate::Context;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let ended = match Api::signed_in(&context.settings, context.clock.now()) {
        // 401: it had ended before.
        Ok(api) => match api.ask("/api/v1/me/logout").await {
            Ok(()) => true,
            Err(error) => error.status() == Some(401),
        },
        // Nobody is signed in, or not any more.
        Err(_) => true,
    };
    let forgotten = context.settings.forget().await?;
    let answer = json!({ "signedOut": forgotten, "sessionEnded": forgotten && ended });
    context.printer.answer(&answer, || {
        let text = match (forgotten, ended) {
            (true, true) => "signed out: the session was ended and the token removed from this machine",
            (true, false) => {
                "signed out: the token was removed from this machine. The control plane could not be told: the session ends by \
                 itself, or when an administrator ends it"
            }
            (false, _) => "you were not signed in",
        };
        text.to_owned()
    })
}
