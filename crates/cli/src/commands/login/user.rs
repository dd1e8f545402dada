//! `reeve login user`: a password for a token.

use std::io::Read;

use reeve_api::token::TokenResponse;
use reeve_types::Secret;
use serde_json::json;

use crate::Context;
use crate::args::LoginUser;
use crate::failure::Failure;
use crate::http::{Api, CLIENT};
use crate::settings::SignIn;

use super::{control_plane, kept};

pub(in crate::commands) async fn run(context: &mut Context, arguments: LoginUser) -> Result<(), Failure> {
    let control_plane = control_plane(context, &arguments.at)?;
    let api = Api::anonymous(&control_plane)?;
    let password = password(&arguments)?;
    let what = format!("cannot sign in `{}` at `{}`", arguments.user, control_plane.url);
    let mut request = json!({
        "grantType": "password", "username": arguments.user, "password": password.expose(), "clientId": CLIENT,
    });
    if let (Some(code), Some(body)) = (&arguments.code, request.as_object_mut()) {
        body.insert("totp".to_owned(), json!(code));
    }
    let answer: TokenResponse = api
        .post("/api/v1/token", &request)
        .await
        .map_err(|error| error.explain(what))?;
    let sign_in = SignIn {
        username: arguments.user,
        expires_at: context.clock.now().plus_seconds(answer.expires_in),
        access_token: answer.access_token,
        refresh_token: answer.refresh_token,
    };
    kept(context, &control_plane, &sign_in).await
}

const MAX_PASSWORD: u64 = 4096;

fn password(arguments: &LoginUser) -> Result<Secret, Failure> {
    let text = if arguments.password_stdin {
        let mut text = String::new();
        let read = std::io::stdin().take(MAX_PASSWORD).read_to_string(&mut text);
        read.map_err(|error| Failure::failed("cannot read the password from standard input").because(error))?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        rpassword::prompt_password(format!("password of {}: ", arguments.user)).map_err(|error| {
            Failure::failed("cannot ask for the password")
                .because(error)
                .hint("without a terminal use --password-stdin")
        })?
    };
    if text.is_empty() {
        return Err(Failure::failed("no password was given"));
    }
    Ok(Secret::new(text))
}
