//! `reeve logout`: ends the session and forgets the tokens.
//!
//! Where the control plane cannot be told, the token is forgotten all the same and the session ends by itself; that is said, and is no
//! failure: nobody has the token any more. A token that is in a keyring which cannot be used stays there, and that is a failure.

use serde_json::json;

use crate::Context;
use crate::failure::{Failure, REFUSED};
use crate::http::Api;

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let ended = match Api::signed_in(&context.settings, context.clock.now()).await {
        // 401: it had ended before.
        Ok(api) => match api.ask("/api/v1/me/logout").await {
            Ok(()) => true,
            Err(error) => error.status() == Some(401),
        },
        // Refused: nobody is signed in, or not any more. Else it cannot be read.
        Err(failure) => failure.exit_code() == REFUSED,
    };
    let forgotten = context.settings.forget().await?;
    let was_there = forgotten.was_there;
    let left = forgotten.sentence();
    let answer = json!({ "signedOut": was_there, "sessionEnded": was_there && ended, "leftInKeyring": left.is_some() });
    context.printer.answer(&answer, || {
        let text = match (was_there, ended) {
            (true, true) => "signed out: the session was ended and the token removed from this machine",
            (true, false) => {
                "signed out: the token was removed from this machine. The control plane could not be told: the session ends by \
                 itself, or when an administrator ends it"
            }
            (false, _) => "you were not signed in",
        };
        match left {
            Some(left) => format!("{text}\n{left}"),
            None => text.to_owned(),
        }
    })
}
