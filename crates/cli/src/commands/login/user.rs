//! `reeve login user`: a password for a token. A temporary one is changed at once: its token is good for nothing else before.

use std::io::Read;

use reeve_api::token::TokenResponse;
use reeve_types::Secret;
use serde_json::json;

use crate::Context;
use crate::args::LoginUser;
use crate::failure::Failure;
use crate::http::{Api, CLIENT, CallError};
use crate::settings::{ControlPlane, SignIn};

use super::{begin, kept};

/// How often somebody may choose at a terminal.
const CHOICES: usize = 5;

pub(in crate::commands) async fn run(context: &mut Context, arguments: LoginUser) -> Result<(), Failure> {
    let (control_plane, place) = begin(context, &arguments.at).await?;
    let api = Api::anonymous(&control_plane)?;
    let given = given(&arguments)?;
    let what = format!("cannot sign in `{}` at `{}`", arguments.user, control_plane.url);
    let mut request = json!({
        "grantType": "password", "username": arguments.user, "password": given.password.expose(), "clientId": CLIENT,
    });
    if let (Some(code), Some(body)) = (&arguments.code, request.as_object_mut()) {
        body.insert("totp".to_owned(), json!(code));
    }
    let answer: TokenResponse = api
        .post("/api/v1/token", &request)
        .await
        .map_err(|error| error.explain(what))?;
    if answer.must_change_password {
        change(context, &control_plane, &answer, &given).await?;
    }
    let sign_in = SignIn {
        username: arguments.user,
        expires_at: context.clock.now().plus_seconds(answer.expires_in),
        access_token: answer.access_token,
        refresh_token: answer.refresh_token,
    };
    kept(context, &control_plane, place, &sign_in).await
}

const MAX_PASSWORD: u64 = 4096;

/// What was typed, or stood on standard input.
struct Given {
    password: Secret,
    /// Where nobody can be asked: the one to choose, if it was there.
    next: Option<Option<Secret>>,
}

fn given(arguments: &LoginUser) -> Result<Given, Failure> {
    let given = if arguments.password_stdin {
        let mut text = String::new();
        let read = std::io::stdin().take(MAX_PASSWORD).read_to_string(&mut text);
        read.map_err(|error| Failure::failed("cannot read the password from standard input").because(error))?;
        let mut lines = text.lines();
        let mut line = || lines.next().filter(|line| !line.is_empty()).map(Secret::new);
        let password = line();
        password.map(|password| Given {
            password,
            next: Some(line()),
        })
    } else {
        let text = asked(&format!("password of {}: ", arguments.user))?;
        (!text.is_empty()).then(|| Given {
            password: Secret::new(text),
            next: None,
        })
    };
    given.ok_or_else(|| Failure::failed("no password was given"))
}

fn asked(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt).map_err(|error| {
        Failure::failed("cannot ask for the password")
            .because(error)
            .hint("without a terminal use --password-stdin")
    })
}

/// Gives the other password for the temporary one; the session goes on.
async fn change(
    context: &mut Context,
    control_plane: &ControlPlane,
    answer: &TokenResponse,
    given: &Given,
) -> Result<(), Failure> {
    let api = Api::with_token(control_plane, answer.access_token.clone())?;
    let what = "cannot change the temporary password";
    match &given.next {
        Some(Some(next)) => send(&api, &given.password, next)
            .await
            .map_err(|error| error.explain(what)),
        Some(None) => Err(
            Failure::refused("the password is a temporary one, and another has to be chosen")
                .hint("leave --password-stdin out to be asked for one, or give one as the second line"),
        ),
        None => {
            context
                .printer
                .note("your password is a temporary one: choose your own to go on\n")?;
            at_the_terminal(context, &api, &given.password).await
        }
    }
}

/// Asks twice, and again after what cannot be taken.
async fn at_the_terminal(context: &mut Context, api: &Api, current: &Secret) -> Result<(), Failure> {
    for left in (0..CHOICES).rev() {
        let (new, again) = (asked("new password: ")?, asked("the same again: ")?);
        if new != again {
            context.printer.note("the two differ\n")?;
            continue;
        }
        match send(api, current, &Secret::new(new)).await {
            Ok(()) => return Ok(()),
            Err(CallError::Refused { status, body }) if status == 400 && left > 0 => {
                context.printer.note(&format!("{}\n", body.message))?;
            }
            Err(error) => return Err(error.explain("cannot change the temporary password")),
        }
    }
    Err(Failure::refused("no other password was chosen").hint("the temporary one still signs in: try again"))
}

async fn send(api: &Api, current: &Secret, new: &Secret) -> Result<(), CallError> {
    let body = json!({"currentPassword": current.expose(), "newPassword": new.expose()});
    api.post::<Option<()>>("/api/v1/me/password", &body)
        .await
        .map(drop)
}
