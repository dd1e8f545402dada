//! What a good token is not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_identity::{Audience, InvalidToken, SigningKey};

use crate::tokens::{ISSUER, claims, ring, verify};

fn part(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

#[test]
fn no_part_of_a_token_can_be_changed() {
    let ring = ring();
    let token = ring
        .current()
        .sign(&claims(Audience::Rest))
        .unwrap()
        .expose()
        .to_owned();
    assert!(verify(&ring, &token).is_ok());
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        // The last character of a part may carry bits that mean nothing; then the library refuses the spelling.
        assert!(verify(&ring, &changed).is_err(), "character {at}");
    }
    for cut in 0..token.len() {
        assert!(verify(&ring, &token[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn another_key_or_algorithm_is_refused_whatever_the_header_says() {
    let ring = ring();
    let ours = ring.current();
    let foreign = SigningKey::generate().unwrap();
    let theirs = foreign.sign(&claims(Audience::Rest)).unwrap();
    assert_eq!(verify(&ring, theirs.expose()), Err(InvalidToken::UnknownKey));

    let payload = theirs.expose().split('.').nth(1).unwrap().to_owned();
    let signature = theirs.expose().split('.').nth(2).unwrap().to_owned();
    let with = |header: String| verify(&ring, &format!("{}.{payload}.{signature}", part(&header)));
    let kid = ours.kid();
    assert_eq!(
        with(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#)),
        Err(InvalidToken::Signature)
    );
    assert_eq!(
        with(r#"{"alg":"ES256"}"#.to_owned()),
        Err(InvalidToken::UnknownKey)
    );
    assert_eq!(
        with(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)),
        Err(InvalidToken::Algorithm)
    );
    assert_eq!(
        with(format!(r#"{{"alg":"none","kid":"{kid}"}}"#)),
        Err(InvalidToken::Malformed)
    );
    // A key that the token brings along is not looked at.
    let jwk = serde_json::to_string(&foreign.jwk()).unwrap();
    assert_eq!(
        with(format!(r#"{{"alg":"ES256","kid":"{kid}","jwk":{jwk}}}"#)),
        Err(InvalidToken::Signature)
    );
    let unsigned = format!(
        "{}.{payload}.",
        part(&format!(r#"{{"alg":"none","kid":"{kid}"}}"#))
    );
    assert!(verify(&ring, &unsigned).is_err());
}

#[test]
fn a_foreign_issuer_and_missing_claims_are_refused() {
    let ring = ring();
    let mut foreign = claims(Audience::Rest);
    foreign.iss = format!("{ISSUER}/");
    assert_eq!(
        verify(&ring, ring.current().sign(&foreign).unwrap().expose()),
        Err(InvalidToken::Issuer)
    );
    for nonsense in [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "....",
        "\u{0}.\u{0}.\u{0}",
        &"x".repeat(20_000),
    ] {
        assert_eq!(
            verify(&ring, nonsense),
            Err(InvalidToken::Malformed),
            "{nonsense:.20}"
        );
    }
}

#[test]
fn no_refusal_repeats_the_token() {
    let ring = ring();
    let token = SigningKey::generate()
        .unwrap()
        .sign(&claims(Audience::Rest))
        .unwrap();
    let error = verify(&ring, token.expose()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(token.expose().split('.').next().unwrap()));
    assert!(!format!("{token:?}").contains("ey"));
}
