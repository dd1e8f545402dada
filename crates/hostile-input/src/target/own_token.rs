//! Our own tokens: ones that a key of ours signed, whatever they say, and pieces of signed ones put together anew.

use std::sync::{Arc, LazyLock};

use reeve_identity::token::REST_SECONDS;
use reeve_identity::{Audience, Claims, KeyRing, SigningKey, SubjectKind, Verifier};
use reeve_types::{PosixIdentity, Timestamp};
use serde_json::Value;
use uuid::Uuid;

use super::{Broken, Outcome, Target, holds, judged};
use crate::script::{expand, input};
use crate::signer::{Signer, parts, unverified};

pub(super) const TARGET: Target = Target {
    name: "own_token",
    promise: "a token of ours counts when the key that it names signed it by ES256, for this issuer and this audience, and within its \
              time; its claims, signed again, are the same",
    words: &[
        "\"alg\":\"none\"",
        "\"alg\":\"HS256\"",
        "\"alg\":\"ES384\"",
        "\"kid\":\"\u{8b}\",",
        "\"aud\":[\"reeve-api\"],",
        "\"aud\":\"reeve-link\",",
        "\"exp\":9223372036854775807",
        "\"exp\":1e3",
        "\"iat\":-1",
        "\"sid\":null,",
        "\"groups\":[\"system:masters\"],",
        "\"uid\":\"0\",",
        "\"subject_type\":\"cluster\",",
        "\u{80}.\u{81}.\u{82}",
        "null",
        ".",
        "=",
        "\n",
    ],
    seeds,
    found: include_str!("../../corpus/own_token.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, |token| serde_json::from_value(unverified(token)?).ok()),
};

const ISSUER: &str = "https://reeve.example/auth/realms/runai";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

struct Us {
    ring: KeyRing,
    /// The key that signs, as somebody who signs anything.
    signer: Signer,
    honest: Claims,
    header: String,
    payload: String,
    pieces: Vec<String>,
}

static US: LazyLock<Us> = LazyLock::new(|| {
    let key = || Arc::new(SigningKey::generate().unwrap());
    let (current, former, foreign) = (key(), key(), key());
    let claims = |audience, name: &str| {
        Claims::new(
            ISSUER,
            audience,
            (SubjectKind::User, &Uuid::nil()),
            "reeve",
            NOW,
            REST_SECONDS,
            Uuid::max(),
        )
        .person(
            &name.parse().unwrap(),
            &["ml".to_owned()],
            serde_json::from_str::<PosixIdentity>(r#"{"uid":70012,"gid":5000,"supplementaryGroups":[5001]}"#)
                .ok()
                .as_ref(),
        )
    };
    let honest = claims(Audience::Rest, "alice@reeve.example");
    let admin = |audience| claims(audience, "admin@reeve.example");
    let tokens = [
        current.sign(&honest),
        former.sign(&admin(Audience::Link)),
        foreign.sign(&admin(Audience::Rest)),
    ]
    .map(|token| token.unwrap().expose().to_owned());
    let mut pieces: Vec<String> = tokens.iter().flat_map(|token| parts(token)).collect();
    // The names of keys, and the word for the audience.
    pieces.extend([&current, &former, &foreign].map(|key| key.kid().to_owned()));
    Us {
        signer: Signer::from_pkcs8(current.expose_pkcs8()),
        header: "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"\u{89}\"}".to_owned(),
        payload: serde_json::to_string(&honest).unwrap(),
        ring: KeyRing::new(current, vec![former]),
        honest,
        pieces,
    }
});

/// The first byte says whether what follows is a token in pieces, or a header and claims, a line each, that a key of ours signs.
fn seeds() -> Vec<Vec<u8>> {
    let (header, payload) = (&US.header, &US.payload);
    let claims = |old: &str, new: &str| format!("s{header}\n{}", payload.replace(old, new));
    [
        "r\u{80}.\u{81}.\u{82}".to_owned(),
        "r\u{83}.\u{84}.\u{85}".to_owned(),
        "r\u{80}.\u{87}.\u{82}".to_owned(),
        "r\u{86}.\u{87}.\u{88}".to_owned(),
        format!("s{header}\n{payload}"),
        format!("s{}\n{payload}", header.replace('\u{89}', "\u{8a}")),
        format!("s{}\n{payload}", header.replace('\u{89}', "\u{8b}")),
        format!("s{}\n{payload}", header.replace("ES256", "none")),
        claims("\"aud\":\"", "\"aud\":\"x"),
        claims("1700036000", "1700000000"),
        claims("\"iat\":1700000000", "\"iat\":1700000061"),
        claims("/auth/", "//auth/"),
        claims(
            "\"groups\"",
            "\"sid\":\"ffffffff-ffff-ffff-ffff-ffffffffffff\",\"groups\"",
        ),
        claims("\"user\"", "\"cluster\""),
    ]
    .iter()
    .map(|text| input(text))
    .collect()
}

fn ours(token: &str) -> Option<Claims> {
    Verifier::new(ISSUER, Audience::Rest)
        .verify(&US.ring, token, NOW)
        .ok()
}

fn check(input: &[u8], receive: impl Fn(&str) -> Option<Claims>) -> Result<Outcome, Broken> {
    let text = expand(input, &US.pieces);
    if let Some(token) = text.strip_prefix('r') {
        return judged(receive(token), |claims| {
            holds(claims == US.honest, &format!("{claims:?} was signed by nobody"))
        });
    }
    let (header, payload) = text
        .get(1..)
        .and_then(|it| it.split_once('\n'))
        .unwrap_or_default();
    judged(receive(&US.signer.sign(header, payload)), |claims| {
        let header: Value = serde_json::from_str(header).map_err(|error| error.to_string())?;
        holds(header.get("alg") == Some(&"ES256".into()), "of another algorithm")?;
        holds(
            header.get("kid") == Some(&US.ring.current().kid().into()),
            "of another key",
        )?;
        holds(claims.iss == ISSUER, "of another issuer")?;
        holds(claims.aud == Audience::Rest.to_string(), "for another audience")?;
        holds(claims.exp > NOW.as_seconds(), "over")?;
        holds(claims.iat <= NOW.as_seconds() + 60, "of the future")?;
        // What we write has escapes that others need not write, and a long token is not looked at.
        let again = US.ring.current().sign(&claims).ok();
        let same = again.is_some_and(|again| ours(again.expose()).as_ref() == Some(&claims));
        holds(
            same || payload.len() > 1_500,
            "not the same when it is signed again",
        )
    })
}
