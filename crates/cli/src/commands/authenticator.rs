//! `reeve authenticator`: one-time codes beside a local user's password.

use reeve_api::me::{Authenticator, NewAuthenticator, RecoveryCodes};
use serde_json::json;

use crate::Context;
use crate::args::Authenticator as Command;
use crate::failure::Failure;
use crate::http::Api;

const BASE: &str = "/api/v1/me/authenticator";

pub(super) async fn run(context: &mut Context, command: Command) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let printer = &mut context.printer;
    match command {
        Command::Show => {
            let found: Authenticator = api
                .get(BASE, &[])
                .await
                .map_err(|error| error.explain("cannot say whether you have an authenticator"))?;
            printer.answer(&found, || match found.created_at.filter(|_| found.enabled) {
                Some(at) => format!(
                    "you have an authenticator since {at}, and {} recovery codes",
                    found.recovery_codes_left
                ),
                None => "you have no authenticator".to_owned(),
            })
        }
        Command::Create => {
            let made: NewAuthenticator = api
                .post(BASE, &json!({}))
                .await
                .map_err(|error| error.explain("cannot set up an authenticator"))?;
            printer.answer(&made, || {
                format!(
                    "type this into your authenticator, shown once: {}\nor give it this address: {}\n\
                     then: reeve authenticator confirm CODE",
                    made.secret.expose(),
                    made.address.expose()
                )
            })
        }
        Command::Confirm(one) => {
            let codes: RecoveryCodes = api
                .post(&format!("{BASE}/confirm"), &json!({"code": one.code}))
                .await
                .map_err(|error| error.explain("cannot confirm the authenticator"))?;
            printer.answer(&codes, || {
                let mut lines = vec![
                    "from now on a code is asked for; recovery codes, shown once, each good once:".to_owned(),
                ];
                lines.extend(codes.recovery_codes.iter().map(|code| code.expose().to_owned()));
                lines.join("\n")
            })
        }
        Command::Remove(one) => {
            let (): () = api
                .post(&format!("{BASE}/remove"), &json!({"code": one.code}))
                .await
                .map_err(|error| error.explain("cannot take the authenticator away"))?;
            printer.answer(&json!({"enabled": false}), || {
                "the authenticator is taken away: no code is asked for any more".to_owned()
            })
        }
    }
}
