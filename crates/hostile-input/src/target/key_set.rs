//! A provider's key set.

use std::sync::LazyLock;

use reeve_oidc::{Keys, jws};
use serde_json::Value;

use super::id_token::IDP;
use super::{Broken, Outcome, Target, holds, judged};
use crate::json::has_a_member_twice;
use crate::script::{expand, input};

pub(super) const TARGET: Target = Target {
    name: "key_set",
    promise: "a token is verified with a key of the set that is on the token's curve, has its name and is for verifying by its \
              algorithm, and with no set that holds a private key, too many, or a member twice",
    words: &[
        "\"use\":\"enc\",",
        "\"use\":\"sig\",",
        "\"key_ops\":[\"verify\"],",
        "\"key_ops\":[\"sign\"],",
        "\"alg\":\"ES384\",",
        "\"alg\":\"RS256\",",
        "\"kty\":\"oct\",",
        "\"kty\":\"OKP\",",
        "\"crv\":\"P-384\",",
        "\"d\":\"AA\",",
        "\"k\":\"AA\",",
        "\"n\":\"AQAB\",\"e\":\"AQAB\",",
        "\"kid\":\"k2\",",
        "\"kid\":null,",
        "\\u006bid",
        "null",
        "[]",
    ],
    seeds,
    found: include_str!("../../corpus/key_set.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, any_key),
};

/// The two halves of the point of the key that signed, and of another one.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| {
    [IDP.ours.point(), IDP.theirs.point()]
        .into_iter()
        .flatten()
        .collect()
});

static TOKEN: LazyLock<String> = LazyLock::new(|| IDP.ours.sign(r#"{"alg":"ES256","kid":"k1"}"#, "{}"));

const KEY: &str = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"\u{80}\",\"y\":\"\u{81}\",\"kid\":\"k1\",\"use\":\"sig\",\"alg\":\"ES256\"}";

fn seeds() -> Vec<Vec<u8>> {
    let key = |old: &str, new: &str| KEY.replace(old, new);
    let rsa = r#"{"kty":"RSA","n":"u1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq0_IzW7yWR7QkrmBL7jTKEn5u-qKhbwKfBstIs-bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW_VDL5AaWTg0nLVkjRo9z-40RQzuVaE8AkAFmxZzow3x-VJYKdjykkJ0iT9wCS0DRTXu269V264Vf_3jvredZiKRkgwlL9xNAwxXFg0x_XFw005UWVRIkdgcKWTjpBP2dPwVZ4WWC-9aGVd-Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbcmw","e":"AQAB","use":"sig","kid":"r"}"#;
    let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"o"}"#;
    let other = KEY.replace('\u{80}', "\u{82}").replace('\u{81}', "\u{83}");
    [
        vec![KEY.to_owned()],
        vec![other.clone(), rsa.to_owned(), okp.to_owned(), KEY.to_owned()],
        vec![other.replace("k1", "k2"), KEY.to_owned()],
        vec![key("\"use\":\"sig\"", "\"key_ops\":[\"verify\"]")],
        vec![key("\"use\":\"sig\"", "\"key_ops\":[\"encrypt\"]")],
        vec![key("sig", "enc")],
        vec![key("ES256", "ES384")],
        vec![key("\"use\":\"sig\"", "\"d\":\"AA\"")],
        vec![key("P-256", "P-384")],
        vec![key("\"k1\"", "\"k1\",\"kid\":\"k2\"")],
        vec![key("k1", "k2")],
        vec![KEY.to_owned(); 2],
    ]
    .iter()
    .map(|keys| input(&format!("{{\"keys\":[{}]}}", keys.join(","))))
    .collect()
}

fn ours(document: &str) -> Option<()> {
    let keys = Keys::read(document.as_bytes()).ok()?;
    jws::verify(&TOKEN, &keys, &["ES256".to_owned()], &[])
        .ok()
        .map(|_| ())
}

/// Tries every key, whatever it is for.
fn any_key(document: &str) -> Option<()> {
    let document: Value = serde_json::from_str(document).ok()?;
    let has = |key: &Value, name: &str, piece: usize| {
        key.get(name).and_then(Value::as_str) == PIECES.get(piece).map(String::as_str)
    };
    let keys = document.get("keys")?.as_array()?;
    keys.iter()
        .any(|key| has(key, "x", 0) && has(key, "y", 1))
        .then_some(())
}

fn check(input: &[u8], receive: impl Fn(&str) -> Option<()>) -> Result<Outcome, Broken> {
    let text = expand(input, &PIECES);
    judged(receive(&text), |()| {
        holds(!has_a_member_twice(text.as_bytes()), "a member comes twice")?;
        let document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or("no keys")?;
        holds(keys.len() <= 100, "too many keys")?;
        holds(keys.iter().all(|key| key.get("d").is_none()), "a private key")?;
        holds(
            keys.iter().filter(|key| verifies(key)).count() == 1,
            "a key that is not for this",
        )
    })
}

fn verifies(key: &Value) -> bool {
    let is = |name: &str, value: &str| key.get(name).and_then(Value::as_str) == Some(value);
    let free = |name: &str, value: &str| key.get(name).is_none_or(Value::is_null) || is(name, value);
    let for_verifying = match key.get("key_ops") {
        None => true,
        Some(list) => list
            .as_array()
            .is_some_and(|list| list.iter().any(|it| it == "verify")),
    };
    let half = |name: &str, piece: usize| PIECES.get(piece).is_some_and(|it| is(name, it));
    is("kty", "EC")
        && is("crv", "P-256")
        && half("x", 0)
        && half("y", 1)
        && is("kid", "k1")
        && free("use", "sig")
        && free("alg", "ES256")
        && for_verifying
}
