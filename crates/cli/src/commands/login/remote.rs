//! `reeve login sso`, `reeve login remote-browser`: the browser is on another machine, and a person carries the code.
//!
//! The control plane is told first, so that its page can say which program asks, from where and since when: whoever is sent such a link
//! by somebody else sees that.

use std::io::{BufRead, Read};

use serde::Deserialize;

use super::code::{PROTOCOL, Proof, redeem};
use super::{begin, kept};
use crate::Context;
use crate::args::LoginRemote;
use crate::failure::Failure;
use crate::http::{Api, CLIENT};

const LONGEST_CODE: u64 = 16 * 1024;

#[derive(Debug, Deserialize)]
struct Pushed {
    request_uri: String,
}

pub(in crate::commands) async fn run(context: &mut Context, arguments: LoginRemote) -> Result<(), Failure> {
    let (control_plane, place) = begin(context, &arguments.at).await?;
    let proof = Proof::new()?;
    let api = Api::anonymous(&control_plane)?;
    let redirect_uri = format!("{}/oauth-code", control_plane.url);
    let what = format!("cannot sign in at `{}`", control_plane.url);
    let pushed: Pushed = api
        .form(
            &format!("{PROTOCOL}/ext/par/request"),
            &proof.request(&redirect_uri),
        )
        .await
        .map_err(|error| error.explain(what))?;
    let mut link = crate::http::parse_address(&format!("{}{PROTOCOL}/auth", control_plane.url))?;
    link.query_pairs_mut()
        .append_pair("client_id", CLIENT)
        .append_pair("request_uri", &pushed.request_uri);
    context.printer.note(&format!(
        "open this address in a browser, sign in, and bring the code here:\n{link}\n\ncode: "
    ))?;
    let code = read()?;
    let sign_in = redeem(context, &control_plane, &proof, &redirect_uri, &code).await?;
    kept(context, &control_plane, place, &sign_in).await
}

fn read() -> Result<String, Failure> {
    let mut line = String::new();
    let input = std::io::stdin();
    let read = std::io::BufReader::new(input.lock().take(LONGEST_CODE)).read_line(&mut line);
    read.map_err(|error| Failure::failed("cannot read the code").because(error))?;
    match line.trim() {
        "" => Err(Failure::failed("no code was given")),
        code => Ok(code.to_owned()),
    }
}
