//! `reeve login user`: a password for a token.

use std::io::Read;

use reeve_api::token::TokenResponse;
use reeve_types::Secret;
use serde_json::json;

use crate::Context;
use crate::args::LoginUser;
use crate::failure::Failure;
use crate::http::Api;
use crate::settings::{ControlPlane, SignIn};

pub(in crate::commands) async fn run(context: &mut Context, arguments: LoginUser) -> Result<(), Failure> {
    let control_plane = control_plane(context, &arguments)?;
    let api = Api::anonymous(&control_plane)?;
    let password = password(&arguments)?;
    let what = format!("cannot sign in `{}` at `{}`", arguments.user, control_plane.url);
    let request =
        json!({ "grantType": "password", "username": arguments.user, "password": password.expose() });
    let answer: TokenResponse = api
        .post("/api/v1/token", &request)
        .await
        .map_err(|error| error.explain(what))?;
    let sign_in = SignIn {
        username: arguments.user,
        expires_at: context.clock.now().plus_seconds(answer.expires_in),
        access_token: answer.access_token,
    };
    context.settings.keep(&control_plane, &sign_in)?;
    let shown =
        json!({ "username": sign_in.username, "url": control_plane.url, "expiresAt": sign_in.expires_at });
    context.printer.answer(&shown, || {
        format!(
            "signed in as `{}` at `{}` until {}",
            sign_in.username, control_plane.url, sign_in.expires_at
        )
    })
}

/// The address and authority that were given, or those used last.
fn control_plane(context: &Context, arguments: &LoginUser) -> Result<ControlPlane, Failure> {
    let last = context.settings.control_plane()?;
    let url = match (&arguments.url, &last) {
        (Some(url), _) => crate::http::parse_address(url)?
            .as_str()
            .trim_end_matches('/')
            .to_owned(),
        (None, Some(last)) => last.url.clone(),
        (None, None) => {
            return Err(
                Failure::failed("the address of the control plane is not known yet")
                    .hint("give it once: `--url URL`"),
            );
        }
    };
    let certificate_authority = match &arguments.ca_file {
        Some(path) => {
            let read = std::fs::read_to_string(path);
            let pem = read.map_err(|error| {
                Failure::failed(format!("cannot read `{}`", path.display())).because(error)
            })?;
            Some(pem)
        }
        // An authority is trusted for the address it was given for.
        None => last
            .filter(|last| last.url == url)
            .and_then(|last| last.certificate_authority),
    };
    Ok(ControlPlane {
        url,
        certificate_authority,
    })
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
