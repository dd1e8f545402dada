//! The modules of the OpenID Foundation's conformance suite for back-channel logout, by their names (without
//! `oidcc-client-test-rp-backchannel-logout-`). Each bad token is first taken by a naive receiver.

use reeve_oidc::{IdTokenError, LogoutToken, LogoutTokenError as E, verify_logout};
use serde_json::{Value, json};

use crate::signer::{CLIENT, NOW, SignsAnything, encode, keys, naive, provider};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn good() -> Value {
    json!({
        "iss": "https://idp.test", "aud": CLIENT, "sub": "alice", "sid": "s1", "iat": NOW, "exp": NOW + 120, "jti": "j1",
        "events": {EVENT: {}},
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verified(header: &Value, claims: &Value) -> Result<LogoutToken, E> {
    let signer = SignsAnything::new("a");
    let token = signer.sign(header, claims);
    assert!(naive(&token).is_some(), "the attack is no token at all");
    verify_logout(&token, &keys(&[&signer]), &provider(), CLIENT, NOW)
}

fn header(kind: &str) -> Value {
    json!({"alg": "ES256", "kid": "a", "typ": kind})
}

#[test]
fn plain() {
    for header in [
        header("logout+jwt"),
        header("JWT"),
        json!({"alg": "ES256", "kid": "a"}),
    ] {
        let out = verified(&header, &good()).unwrap();
        assert_eq!(
            (out.subject.as_str(), out.id.as_str(), out.until),
            ("alice", "j1", NOW + 180)
        );
    }
}

#[test]
fn a_day_ahead_is_remembered() {
    let out = verified(&header("logout+jwt"), &with("exp", json!(NOW + 86_400))).unwrap();
    assert_eq!(out.until, NOW + 86_460);
}

#[test]
fn no_event_wrong_event_with_nonce_wrong_aud_and_wrong_iss() {
    for (claims, reason) in [
        (without("events"), E::Event),
        (
            with("events", json!({"http://schemas.openid.net/event/other": {}})),
            E::Event,
        ),
        (with("events", json!({EVENT: true})), E::Event),
        (with("events", json!([EVENT])), E::Event),
        (with("nonce", json!("n")), E::Nonce),
        (with("aud", json!("other")), E::Token(IdTokenError::Audience)),
        (
            with("iss", json!("https://other.test")),
            E::Token(IdTokenError::Issuer),
        ),
        (without("iat"), E::Token(IdTokenError::Times)),
        (without("exp"), E::Token(IdTokenError::Times)),
        (with("exp", json!(NOW - 61)), E::Token(IdTokenError::Expired)),
        (with("iat", json!(NOW - 661)), E::Token(IdTokenError::Expired)),
        (with("iat", json!(NOW + 61)), E::Token(IdTokenError::NotYet)),
        // Planted fault: what ends at no time that anybody lives to see is remembered until then.
        (with("exp", json!(NOW + 86_401)), E::Ahead),
        (with("exp", json!(9_007_199_254_740_992_i64)), E::Ahead),
        (without("jti"), E::Id),
        (with("jti", json!("")), E::Id),
        (with("jti", json!("j".repeat(256))), E::Id),
        (without("sub"), E::Token(IdTokenError::Subject)),
    ] {
        assert_eq!(verified(&header("logout+jwt"), &claims), Err(reason), "{claims}");
    }
}

#[test]
fn alg_none_and_wrong_alg() {
    let signer = SignsAnything::new("a");
    for alg in ["none", "HS256", "ES384"] {
        let head = json!({"alg": alg, "kid": "a", "typ": "logout+jwt"});
        let signed = signer.sign(&head, &good());
        let bare = format!("{}.{}.", encode(&head), encode(&good()));
        for token in [signed, bare] {
            let refused = verify_logout(&token, &keys(&[&signer]), &provider(), CLIENT, NOW);
            assert!(matches!(refused, Err(E::Token(_))), "{alg}: {refused:?}");
        }
    }
    assert_eq!(
        verified(&header("at+jwt"), &good()),
        Err(E::Token(IdTokenError::Header))
    );
    // Of another key.
    let token = SignsAnything::new("a").sign(&header("logout+jwt"), &good());
    let refused = verify_logout(&token, &keys(&[&signer]), &provider(), CLIENT, NOW);
    assert_eq!(refused, Err(E::Token(IdTokenError::Signature)));
}
