//! A logout token that the provider signed, whatever it says.

use reeve_oidc::{Claims, LogoutToken, verify_logout};
use serde_json::Value;

use super::id_token::{CLIENT, IDP, NOW, WORDS, is_for_us, is_of_es256};
use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::json::has_a_member_twice;
use crate::script::expand;
use crate::signer::unverified;

pub(super) const TARGET: Target = Target {
    name: "logout_token",
    promise: "a logout token counts when the provider signed it as one, for this client and this moment; it can be remembered until \
              it is over, and no ID token is one",
    words: WORDS,
    seeds,
    found: include_str!("../../corpus/logout_token.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, unchecked),
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const HEADER: &str = r#"{"alg":"ES256","typ":"logout+jwt","kid":"k1"}"#;
const CLAIMS: &str = r#"{"iss":"https://idp.test","aud":"reeve","sub":"alice","jti":"1","iat":1700000000,"exp":1700000120,"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}"#;

fn seeds() -> Vec<Vec<u8>> {
    let claims = |old: &str, new: &str| format!("{HEADER}\n{}", CLAIMS.replace(old, new));
    texts(&[
        format!("{HEADER}\n{CLAIMS}"),
        claims("\"jti\":\"1\",", ""),
        claims("\"jti\"", "\"nonce\":\"n\",\"jti\""),
        claims("backchannel-logout\":{}", "other\":{}"),
        claims(":{}", ":null"),
        claims("1700000120", "1800000000"),
        claims("\"sub\":\"alice\"", "\"sid\":\"1\""),
        format!("{}\n{CLAIMS}", HEADER.replace("logout+jwt", "JWT")),
    ])
}

fn ours(token: &str) -> Option<LogoutToken> {
    verify_logout(token, &IDP.keys, &IDP.provider, CLIENT, NOW).ok()
}

/// Takes the word of whoever sends it.
fn unchecked(token: &str) -> Option<LogoutToken> {
    let claims = unverified(token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(LogoutToken {
        subject: text("sub")?,
        id: text("jti").unwrap_or_default(),
        until: NOW,
    })
}

fn check(input: &[u8], receive: impl Fn(&str) -> Option<LogoutToken>) -> Result<Outcome, Broken> {
    let text = expand::<&str>(input, &[]);
    let (header, payload) = text.split_once('\n').unwrap_or_default();
    judged(receive(&IDP.ours.sign(header, payload)), |said| {
        is_of_es256(header, &["jwt", "logout+jwt"])?;
        holds(!has_a_member_twice(payload.as_bytes()), "a claim comes twice")?;
        let claims: Claims = serde_json::from_str(payload).map_err(|error| error.to_string())?;
        is_for_us(&claims)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        holds(text("sub") == Some(&said.subject), "of somebody else")?;
        holds(
            !said.id.is_empty() && text("jti") == Some(&said.id),
            "without its id",
        )?;
        holds(claims.get("nonce").is_none(), "an ID token")?;
        let event = claims.get("events").and_then(|it| it.get(EVENT));
        holds(event.is_some_and(Value::is_object), "no logout")?;
        let ends = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
        let until = said.until as f64;
        holds(until >= ends + 59.0, "forgotten while it is good")?;
        holds(said.until <= NOW + 86_400 + 60, "remembered for more than a day")
    })
}
