//! An ID token: one that the provider signed, whatever it says, or pieces of signed ones put together anew.

use std::sync::LazyLock;

use reeve_oidc::{Claims, Expected, Keys, Provider, discovery_address};
use serde_json::{Value, json};

use super::{Broken, Outcome, Target, holds, judged};
use crate::json::has_a_member_twice;
use crate::script::{expand, input};
use crate::signer::{Signer, parts, unverified};

pub(super) const TARGET: Target = Target {
    name: "id_token",
    promise: "a token counts when a key that the provider publishes signed it by ES256, and it is of this provider, for this client \
              and this sign-in, and within its time; each member of it comes once",
    words: WORDS,
    seeds,
    found: include_str!("../../corpus/id_token.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, |token| unverified(token)?.as_object().cloned()),
};

pub(super) const WORDS: &[&str] = &[
    "\"alg\":\"none\"",
    "\"alg\":\"HS256\"",
    "\"alg\":\"ES256\",",
    "\"crit\":[\"b64\"],\"b64\":false,",
    "\"jwk\":{},",
    "\"kid\":null,",
    "\"typ\":\"at+jwt\",",
    "\"iss\":\"https://evil.test\",",
    "\"aud\":[\"reeve\",\"other\"],",
    "\"azp\":\"reeve\",",
    "\"azp\":null,",
    "\"exp\":1e300,",
    "\"exp\":\"1700000300\",",
    "\"iat\":-1,",
    "\"nbf\":1700000061,",
    "\"nonce\":[\"n\"],",
    "\"sub\":\"admin\",",
    "\\u0073ub",
    "null",
    "1700000300.5",
    "9223372036854775807",
    ".",
    "=",
    "\n",
];

pub(super) const NOW: i64 = 1_700_000_000;
pub(super) const ISSUER: &str = "https://idp.test";
pub(super) const CLIENT: &str = "reeve";
const NONCE: &str = "n";
const HEADER: &str = r#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#;
const CLAIMS: &str =
    r#"{"iss":"https://idp.test","aud":"reeve","sub":"alice","nonce":"n","iat":1700000000,"exp":1700000300}"#;

/// The provider: its key, the key of somebody else, and what it publishes.
pub(super) struct Idp {
    pub(super) ours: Signer,
    pub(super) theirs: Signer,
    pub(super) keys: Keys,
    pub(super) provider: Provider,
}

pub(super) static IDP: LazyLock<Idp> = LazyLock::new(|| {
    let ours = Signer::new();
    let [x, y] = ours.point();
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "k1", "use": "sig", "alg": "ES256"}]});
    let document = json!({
        "issuer": ISSUER, "authorization_endpoint": "https://idp.test/auth", "token_endpoint": "https://idp.test/token",
        "jwks_uri": "https://idp.test/jwks", "id_token_signing_alg_values_supported": ["ES256", "RS256", "none", "HS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    Idp {
        ours,
        theirs: Signer::new(),
        keys: Keys::read(keys.to_string().as_bytes()).unwrap(),
        provider: Provider::read(
            &discovery_address(ISSUER).unwrap(),
            document.to_string().as_bytes(),
        )
        .unwrap(),
    }
});

/// The parts of an honest token; of another one of the provider, for another client; of a forged one; and a header without an
/// algorithm.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let admin = CLAIMS.replace("alice", "admin");
    let tokens = [
        IDP.ours.sign(HEADER, CLAIMS),
        IDP.ours.sign(HEADER, &admin.replace(CLIENT, "another client")),
        IDP.theirs.sign(HEADER, &admin),
        IDP.theirs.sign(r#"{"alg":"none"}"#, &admin),
    ];
    tokens.iter().flat_map(|token| parts(token)).collect()
});

/// The first byte says whether what follows is a token in pieces, or a header and claims, a line each, that the provider signs.
fn seeds() -> Vec<Vec<u8>> {
    let claims = |old: &str, new: &str| format!("s{HEADER}\n{}", CLAIMS.replace(old, new));
    [
        "r\u{80}.\u{81}.\u{82}".to_owned(),
        "r\u{80}.\u{84}.\u{85}".to_owned(),
        "r\u{80}.\u{87}.\u{82}".to_owned(),
        "r\u{86}.\u{87}.\u{88}".to_owned(),
        "r\u{89}.\u{8a}.".to_owned(),
        format!("s{HEADER}\n{CLAIMS}"),
        claims("\"reeve\"", "[\"reeve\",\"other\"],\"azp\":\"reeve\""),
        claims("\"reeve\"", "\"other\""),
        claims("\"alice\"", "\"alice\",\"sub\":\"admin\""),
        claims("1700000300", "1699999900"),
        claims("1700000000", "1700000000.5"),
        claims("\"nonce\":\"n\",", ""),
        claims("\"nonce\":\"n\"", "\"nonce\":\"m\""),
        claims("https://idp.test", "https://idp.test/"),
        format!(
            "s{}\n{CLAIMS}",
            HEADER.replace("\"typ\"", "\"crit\":[\"x\"],\"typ\"")
        ),
        format!("s{}\n{CLAIMS}", HEADER.replace("JWT", "at+jwt")),
    ]
    .iter()
    .map(|text| input(text))
    .collect()
}

fn ours(token: &str) -> Option<Claims> {
    let expected = Expected {
        provider: &IDP.provider,
        client_id: CLIENT,
        nonce: Some(NONCE),
        access_token: None,
        now: NOW,
    };
    reeve_oidc::verify(token, &IDP.keys, &expected).ok()
}

fn check(input: &[u8], receive: impl Fn(&str) -> Option<Claims>) -> Result<Outcome, Broken> {
    let text = expand(input, &PIECES);
    if let Some(token) = text.strip_prefix('r') {
        let honest = serde_json::from_str::<Claims>(CLAIMS).unwrap();
        return judged(receive(token), |claims| {
            holds(claims == honest, &format!("{claims:?} was signed by nobody"))
        });
    }
    let (header, payload) = text
        .get(1..)
        .and_then(|it| it.split_once('\n'))
        .unwrap_or_default();
    judged(receive(&IDP.ours.sign(header, payload)), |claims| {
        is_of_es256(header, &["jwt"])?;
        holds(!has_a_member_twice(payload.as_bytes()), "a claim comes twice")?;
        holds(
            serde_json::from_str::<Claims>(payload).is_ok_and(|it| it == claims),
            "claims that were not signed",
        )?;
        is_for_us(&claims)?;
        holds(claims.get("nonce") == Some(&json!(NONCE)), "of another sign-in")
    })
}

/// What a header has to be, whatever signed it.
pub(super) fn is_of_es256(header: &str, kinds: &[&str]) -> Result<(), String> {
    holds(
        !has_a_member_twice(header.as_bytes()),
        "a member of the header comes twice",
    )?;
    let header: Value = serde_json::from_str(header).map_err(|error| error.to_string())?;
    let named = |name: &str| header.get(name).and_then(Value::as_str);
    holds(named("alg") == Some("ES256"), "of another algorithm")?;
    holds(
        header.get("kid").is_none() || named("kid") == Some("k1"),
        "of another key",
    )?;
    let kind = named("typ").map(str::to_lowercase);
    holds(
        header.get("typ").is_none() || kind.is_some_and(|it| kinds.contains(&it.as_str())),
        "another kind of token",
    )?;
    holds(
        ["crit", "b64", "enc", "zip"]
            .iter()
            .all(|it| header.get(it).is_none()),
        "a header that changes what the token means",
    )
}

/// What every token of the provider has to say.
pub(super) fn is_for_us(claims: &Claims) -> Result<(), String> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| {
        claims
            .get(name)
            .filter(|it| it.is_number())
            .and_then(Value::as_f64)
    };
    holds(text("iss") == Some(ISSUER), "of another issuer")?;
    let audience = match claims.get("aud") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => text("aud").into_iter().collect::<Vec<_>>(),
    };
    holds(audience.contains(&CLIENT), "for another client")?;
    holds(
        audience.iter().all(|it| *it == CLIENT) || text("azp") == Some(CLIENT),
        "for others, and not said to be for us",
    )?;
    holds(
        !claims.contains_key("azp") || text("azp") == Some(CLIENT),
        "given to another client",
    )?;
    holds(text("sub").is_some_and(|it| !it.is_empty()), "of nobody")?;
    let now = 1_700_000_000.0;
    holds(number("exp").is_some_and(|it| it > now - 61.0), "over")?;
    holds(
        number("iat").is_some_and(|it| it < now + 61.0 && it > now - 662.0),
        "of another time",
    )?;
    holds(
        !claims.contains_key("nbf") || number("nbf").is_some_and(|it| it < now + 61.0),
        "of the future",
    )
}
