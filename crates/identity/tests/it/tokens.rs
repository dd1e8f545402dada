//! What a good token is.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use reeve_identity::token::CLUSTER_SECONDS;
use reeve_identity::{Audience, Claims, InvalidToken, KeyRing, SigningKey, SubjectKind, Verifier};
use reeve_types::{SessionId, Timestamp};
use uuid::Uuid;

pub(crate) const ISSUER: &str = "https://reeve.example/auth/realms/runai";
pub(crate) const CLUSTER: &str = "123e4567-e89b-12d3-a456-426614174000";

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_250)
}

pub(crate) fn ring() -> KeyRing {
    let key = || SigningKey::generate().unwrap();
    KeyRing::new(key().into(), vec![key().into()])
}

pub(crate) fn claims(audience: Audience) -> Claims {
    let posix = serde_json::from_str(r#"{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}"#).unwrap();
    Claims::new(
        ISSUER,
        audience,
        (SubjectKind::User, &Uuid::nil()),
        "reeve",
        now(),
        CLUSTER_SECONDS,
        Uuid::max(),
    )
    .person(
        &"alice@reeve.example".parse().unwrap(),
        &["ml".to_owned()],
        Some(&posix),
    )
}

pub(crate) fn verify(ring: &KeyRing, token: &str) -> Result<Claims, InvalidToken> {
    Verifier::new(ISSUER, Audience::Rest).verify(ring, token, now())
}

#[test]
fn a_token_says_what_kubernetes_and_old_clients_read() {
    let ring = ring();
    let said = |claims: &Claims| -> serde_json::Value {
        let token = ring.current().sign(claims).unwrap();
        let payload = token.expose().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let claims = claims(Audience::Cluster(CLUSTER.parse().unwrap()));
    let mut expected = serde_json::json!({
        "iss": ISSUER, "aud": format!("reeve-cluster:{CLUSTER}"), "sub": Uuid::nil(), "exp": 1_700_000_300,
        "iat": 1_700_000_000, "jti": Uuid::max(), "typ": "Bearer", "azp": "reeve",
        "subject_type": "user", "tenant_id": "1", "email": "alice@reeve.example",
        "preferred_username": "alice@reeve.example", "groups": ["ml"], "uid": "70012", "gid": "5000",
        "supplementaryGroups": ["5001"],
    });
    assert_eq!(said(&claims), expected);
    let session = SessionId::from_uuid(Uuid::max());
    expected["sid"] = serde_json::json!(session);
    assert_eq!(said(&claims.in_session(session)), expected);
}

#[test]
fn every_key_of_the_ring_verifies_its_own_tokens() {
    let keys: Vec<Arc<SigningKey>> = (0..5).map(|_| SigningKey::generate().unwrap().into()).collect();
    let sign = |key: &Arc<SigningKey>| key.sign(&claims(Audience::Rest)).unwrap();
    let tokens: Vec<_> = keys.iter().map(sign).collect();
    let ring = KeyRing::new(Arc::clone(&keys[0]), keys[1..].to_vec());
    let published: Vec<_> = ring.jwks().keys.into_iter().map(|key| key.kid).collect();
    let kids: Vec<_> = keys.iter().map(|key| key.kid().to_owned()).collect();
    assert_eq!(published, kids);
    for token in &tokens {
        assert_eq!(verify(&ring, token.expose()).unwrap(), claims(Audience::Rest));
    }
    // One that is taken off verifies nothing any more.
    let ring = KeyRing::new(Arc::clone(&keys[0]), keys[2..].to_vec());
    assert_eq!(verify(&ring, tokens[1].expose()), Err(InvalidToken::UnknownKey));
}

#[test]
fn a_token_ends_on_the_second() {
    let ring = ring();
    let token = ring.current().sign(&claims(Audience::Rest)).unwrap();
    let at = |seconds| {
        Verifier::new(ISSUER, Audience::Rest).verify(&ring, token.expose(), now().plus_seconds(seconds))
    };
    assert!(at(299).is_ok());
    assert_eq!(at(300), Err(InvalidToken::Expired));
    assert!(at(-60).is_ok());
    assert_eq!(at(-61), Err(InvalidToken::NotYet));
}

#[test]
fn the_three_audiences_are_disjoint() {
    let ring = ring();
    let other = "223e4567-e89b-12d3-a456-426614174000".parse().unwrap();
    let audiences = [
        Audience::Rest,
        Audience::Link,
        Audience::Cluster(CLUSTER.parse().unwrap()),
        Audience::Cluster(other),
    ];
    for made in audiences {
        let token = ring.current().sign(&claims(made)).unwrap();
        for asked in audiences {
            let answer = Verifier::new(ISSUER, asked)
                .verify(&ring, token.expose(), now())
                .map(|_| ());
            assert_eq!(
                answer,
                if made == asked {
                    Ok(())
                } else {
                    Err(InvalidToken::Audience)
                },
                "{made} at {asked}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_references_client_can_decode_every_payload(group in ".{0,40}", client in "[ -~]{0,30}") {
        // It drops `-` and `_` silently and then decodes with the standard alphabet (control-plane 0.3, trap 4).
        let mut claims = claims(Audience::Rest);
        claims.groups = vec![group.clone()];
        claims.azp = client;
        let token = ring().current().sign(&claims).unwrap();
        let parts: Vec<_> = token.expose().split('.').collect();
        prop_assert_eq!(parts.len(), 3);
        prop_assert!(!parts[1].contains(['-', '_']));
        let padded = format!("{}{}", parts[1], "=".repeat((4 - parts[1].len() % 4) % 4));
        let seen: serde_json::Value = serde_json::from_slice(&STANDARD.decode(padded).unwrap()).unwrap();
        prop_assert_eq!(seen["groups"][0].as_str(), Some(group.as_str()));
        prop_assert_eq!(seen["exp"].as_i64(), Some(claims.exp));
    }
}
