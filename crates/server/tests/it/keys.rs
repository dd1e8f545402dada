//! Signing keys: rotated on request and by schedule, and nobody is refused for it.

use std::sync::Arc;

use reeve_identity::token::{REST_SECONDS, Verifier};
use reeve_identity::{Audience, KeyRing};
use reeve_server::keys::{PUBLISHED_SECONDS, RETIRING_SECONDS};
use reeve_server::rotation;
use reeve_store::SubjectId;
use reeve_types::Timestamp;
use serde_json::{Value, json};

use crate::server::{ADMIN, KEY_DAYS, OrganizationFixture, Server, URL};

const KEYS: &str = "/api/v1/security/signing-keys";
const ROTATE: &str = "/api/v1/security/signing-keys/rotate";
const JWKS: &str = "/auth/realms/runai/protocol/openid-connect/certs";

async fn published(server: &Server) -> Vec<String> {
    let answer = server.get("", JWKS).await.is(200);
    let keys = answer["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// Whose key signed a token.
pub(crate) fn kid(token: &str) -> String {
    use base64::Engine;
    let head = token.split('.').next().unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(head)
        .unwrap();
    let head: Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

async fn admin(server: &Server) -> String {
    let id = server
        .app
        .directory()
        .user_by_email(&ADMIN.parse().unwrap())
        .unwrap()
        .id;
    server.token_of(SubjectId::User(id)).await
}

#[tokio::test]
async fn the_next_key_signs_when_everybody_can_know_it_and_the_former_one_stays_as_long_as_its_tokens() {
    let organization = OrganizationFixture::new().await;
    let server = &organization.server;
    let before = published(server).await;
    assert_eq!(before.len(), 2);
    server.get(&organization.alice, KEYS).await.refused(403);
    server
        .post(&organization.alice, ROTATE, json!({}))
        .await
        .refused(403);
    server
        .post(&server.admin, ROTATE, json!({"force": true}))
        .await
        .refused(400);
    let early = server.post(&server.admin, ROTATE, json!({})).await.refused(409);
    assert!(early.contains("atOnce"), "{early}");
    server.clock.advance_seconds(PUBLISHED_SECONDS);
    let keys = server.post(&server.admin, ROTATE, json!({})).await.is(200);
    assert_eq!(keys, server.get(&server.admin, KEYS).await.is(200));
    let uses: Vec<_> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["use"].clone())
        .collect();
    assert_eq!(uses, ["current", "next", "retiring"]);
    let after = published(server).await;
    assert_eq!((&after[0], &after[2]), (&before[1], &before[0]));
    assert!(
        !before.contains(&after[1]),
        "a new key is published, and does not sign"
    );
    server.get(&organization.alice, "/api/v1/me").await.is(200);
    let fresh = server.token_of(SubjectId::User(organization.alice_id)).await;
    assert_eq!(
        (kid(&organization.alice), kid(&fresh)),
        (before[0].clone(), before[1].clone())
    );
    server.get(&fresh, "/api/v1/me").await.is(200);
    // It goes when its last token is worth nothing, and no sooner.
    server.clock.advance_seconds(RETIRING_SECONDS);
    rotation::rotate_when_due(&server.app).await;
    assert_eq!(published(server).await.len(), 3);
    server.clock.advance_seconds(1);
    rotation::rotate_when_due(&server.app).await;
    assert_eq!(published(server).await, after[..2]);
    // What is kept is what is used after a restart.
    let again = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    assert_eq!(published(&again).await, after[..2]);
}

#[tokio::test]
async fn at_once_is_possible_when_a_key_leaked() {
    let server = Server::new().await;
    let before = published(&server).await;
    for _ in 0..3 {
        server
            .post(&server.admin, ROTATE, json!({"atOnce": true}))
            .await
            .is(200);
        server.get(&server.admin, "/api/v1/me").await.is(200);
    }
    let after = published(&server).await;
    assert_eq!(after.len(), 5);
    assert!(
        before.iter().all(|kid| after.contains(kid)),
        "all that signed, the second only for a moment"
    );
}

#[tokio::test]
async fn by_schedule_one_process_rotates_and_the_others_follow() {
    let server = Server::new().await;
    let replica = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    let before = published(&server).await;
    server.clock.advance_seconds(i64::from(KEY_DAYS) * 24 * 3600);
    rotation::rotate_when_due(&server.app).await;
    assert_eq!(published(&server).await, before, "not before its time");
    server.clock.advance_seconds(1);
    rotation::rotate_when_due(&server.app).await;
    let after = published(&server).await;
    assert_eq!(after[0], before[1]);
    // The other one finds it due as well, and comes second.
    rotation::rotate_when_due(&replica.app).await;
    assert_eq!(published(&replica).await, after);
    // A token of the key that took over is good where nobody has heard of that.
    let deaf = Server::open(Arc::clone(&server.dir), server.clock.clone()).await;
    server
        .post(&admin(&server).await, ROTATE, json!({"atOnce": true}))
        .await
        .is(200);
    let token = admin(&server).await;
    assert_eq!(kid(&token), after[1]);
    deaf.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        published(&deaf).await,
        published(&server).await,
        "it has heard of it now"
    );
}

/// Whatever happens in which order, each good token verifies by what is published, and no key signs that was not published an hour
/// before. The naive receiver knows only the key that signs and the next one: it refuses tokens, so that the check can fail.
#[tokio::test]
async fn every_token_verifies_as_long_as_it_lives_however_keys_are_rotated() {
    let server = Server::new().await;
    let verifier = Verifier::new(&format!("{URL}/auth/realms/runai"), Audience::Rest);
    let (mut tokens, mut naive_refused) = (Vec::<(String, Timestamp)>::new(), 0);
    let mut known: Vec<(String, Timestamp)> = Vec::new();
    let mut state = 5_u64;
    for _ in 0..60 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        server.clock.advance_seconds(i64::try_from(state >> 50).unwrap());
        let now = server.clock.now();
        let token = admin(&server).await;
        if state & (1 << 40) != 0 {
            let _ = server.post(&token, ROTATE, json!({})).await;
        }
        rotation::rotate_when_due(&server.app).await;
        for kid in published(&server).await {
            if !known.iter().any(|(it, _)| *it == kid) {
                known.push((kid, now));
            }
        }
        let fresh = admin(&server).await;
        let since = known.iter().find(|(it, _)| *it == kid(&fresh)).unwrap().1;
        let first = known.iter().take(2).any(|(it, _)| *it == kid(&fresh));
        assert!(
            first || since.plus_seconds(PUBLISHED_SECONDS) <= now,
            "it signs as soon as it is published"
        );
        tokens.extend([token, fresh].map(|token| (token, now)));
        tokens.retain(|(_, given)| now < given.plus_seconds(REST_SECONDS));
        let ring = server.app.security.keys.ring();
        let naive = naive(&ring, &published(&server).await);
        for (token, _) in &tokens {
            assert!(verifier.verify(&ring, token, now).is_ok());
            naive_refused += usize::from(verifier.verify(&naive, token, now).is_err());
        }
    }
    assert!(known.len() > 5, "keys were rotated: {}", known.len());
    assert!(naive_refused > 0);
}

fn naive(ring: &KeyRing, published: &[String]) -> KeyRing {
    let key = |kid: &String| Arc::clone(ring.find(kid).unwrap());
    KeyRing::new(key(&published[0]), vec![key(&published[1])])
}
