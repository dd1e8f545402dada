//! What a browser brings back from a provider: the query of the redirect.

use reeve_oidc::Callback;
use url::form_urlencoded;

use super::id_token::{IDP, ISSUER};
use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::script::expand;

pub(super) const TARGET: Target = Target {
    name: "redirect",
    promise: "a code is taken from a redirect of this sign-in and this provider alone, in which each of these parameters comes once",
    words: &[
        "&code=other",
        "&state=s",
        "&iss=https%3A%2F%2Fidp.test",
        "&iss=https%3A%2F%2Fevil.test",
        "&error=access_denied",
        "&%63ode=x",
        "&code[]=x",
        ";code=x",
        "%00",
        "%",
        "+",
    ],
    seeds: || {
        texts(&[
            "code=c&state=s&iss=https%3A%2F%2Fidp.test",
            "state=s&code=c&iss=https://idp.test&session_state=1",
            "code=c&state=t&iss=https%3A%2F%2Fidp.test",
            "code=c&state=s&iss=https%3A%2F%2Fevil.test",
            "code=c&state=s",
            "code=c&code=d&state=s&iss=https%3A%2F%2Fidp.test",
            "error=access_denied&state=s&iss=https%3A%2F%2Fidp.test",
        ])
    },
    found: include_str!("../../corpus/redirect.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, last_code),
};

fn ours(query: &str) -> Option<String> {
    Callback::read(query)
        .code("s", IDP.provider.sender())
        .ok()
        .map(str::to_owned)
}

/// Takes the last code.
fn last_code(query: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .filter(|(name, _)| name == "code")
        .map(|(_, value)| value.into_owned())
        .last()
}

fn check(input: &[u8], receive: impl Fn(&str) -> Option<String>) -> Result<Outcome, Broken> {
    let query = expand::<&str>(input, &[]);
    judged(receive(&query), |code| {
        let all = |name: &str| {
            let pairs = form_urlencoded::parse(query.as_bytes());
            pairs
                .filter(|(its, _)| its == name)
                .map(|(_, value)| value.into_owned())
                .collect::<Vec<_>>()
        };
        holds(!code.is_empty() && all("code") == [code], "not the one code")?;
        holds(all("state") == ["s"], "of another sign-in")?;
        holds(all("iss") == [ISSUER], "of another provider")?;
        holds(all("error").is_empty(), "of a refusal")
    })
}
