//! `reeve logout`: forgets the token.

use serde_json::json;

use crate::Context;
use crate::failure::Failure;

pub(super) fn run(context: &mut Context) -> Result<(), Failure> {
    let forgotten = context.settings.forget()?;
    context.printer.answer(&json!({ "signedOut": forgotten }), || {
        let text = if forgotten {
            "signed out: the token was removed from this machine"
        } else {
            "you were not signed in"
        };
        text.to_owned()
    })
}
