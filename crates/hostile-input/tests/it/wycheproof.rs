//! The vectors of Wycheproof for JOSE (<https://github.com/C2SP/wycheproof>), through what verifies tokens of providers (`oidc`) and
//! tokens of ours (`identity`).
//!
//! Seen red: `jws::verify` that takes a token of an algorithm that is not on the list as it is, and one whose signature is wrong;
//! `Keys::read` without `may_verify`, and without `roca`; `Verifier::verify` without the signature.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use reeve_identity::{Audience, Claims, InvalidToken, KeyRing, SigningKey, SubjectKind, Verifier};
use reeve_oidc::keys::ALGORITHMS;
use reeve_oidc::{Keys, jws};
use reeve_types::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// Where the vectors are; none, and a loud `SKIPPED`, where they cannot be had.
fn folder() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testbed/build.sh");
    let output = Command::new(&script)
        .arg("wycheproof")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let wanted = std::env::var_os("TESTBED").unwrap_or_default();
    match output {
        _ if wanted == "off" => skipped("TESTBED=off"),
        Ok(output) if output.status.success() => {
            Some(String::from_utf8(output.stdout).unwrap().trim().into())
        }
        _ if wanted == "require" => {
            panic!("TESTBED=require, but no vectors: testbed/build.sh wycheproof fetches them")
        }
        _ => skipped("testbed/build.sh wycheproof failed; its messages are above"),
    }
}

/// Says so past the test runner's capture.
fn skipped(why: &str) -> Option<PathBuf> {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test").to_owned();
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: no vectors of Wycheproof ({why}): {test}"
    );
    None
}

/// One vector.
struct Vector {
    /// File, number and comment.
    name: String,
    valid: bool,
    /// The key or keys that whoever verifies has.
    keys: Value,
    token: String,
}

/// All of a file, of which it has to have so many.
fn vectors(folder: &Path, file: &str, count: usize) -> Vec<Vector> {
    let text = std::fs::read(folder.join(file)).unwrap();
    let document: Value = serde_json::from_slice(&text).unwrap();
    let mut all = Vec::new();
    for group in document["testGroups"].as_array().unwrap() {
        // A group without a public half is of symmetric keys.
        let keys = group.get("public").unwrap_or(&group["private"]);
        let mut keys = match keys.get("keys") {
            Some(_) => keys.clone(),
            None => json!({ "keys": [keys] }),
        };
        // Nobody publishes these, and a set with them is refused for them alone.
        for key in keys["keys"].as_array_mut().unwrap() {
            let members = key.as_object_mut().unwrap();
            members.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
        }
        for test in group["tests"].as_array().unwrap() {
            let token = test.get("jws").or(test.get("jwe")).unwrap();
            let valid = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("a result `{other}`"),
            };
            all.push(Vector {
                name: format!("{file} {} {}", test["tcId"], test["comment"]),
                valid,
                keys: keys.clone(),
                // A few are in the other serialization, which nobody sends where a compact one is due.
                token: token.as_str().map_or_else(|| token.to_string(), str::to_owned),
            });
        }
    }
    assert_eq!(all.len(), count, "vectors in {file}");
    all
}

const SIGNATURES: (&str, usize) = ("json_web_signature_test.json", 401);
const KEYS: (&str, usize) = ("json_web_key_test.json", 26);
const BOTH: (&str, usize) = ("json_web_crypto_test.json", 83);
const ENCRYPTION: (&str, usize) = ("json_web_encryption_test.json", 139);

fn all(folder: &Path) -> Vec<Vector> {
    [SIGNATURES, KEYS, BOTH, ENCRYPTION]
        .into_iter()
        .flat_map(|(file, count)| vectors(folder, file, count))
        .collect()
}

/// As a provider whose keys these are and that announces every algorithm.
fn by_provider(vector: &Vector) -> Result<(), String> {
    let keys = Keys::read(vector.keys.to_string().as_bytes()).map_err(|error| format!("{error:?}"))?;
    let mut algorithms: Vec<_> = ALGORITHMS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    algorithms.extend(["none", "HS256", "HS384", "HS512", "ES512"].map(str::to_owned));
    let signed = jws::verify(&vector.token, &keys, &algorithms, &[]);
    signed.map(|_| ()).map_err(|error| format!("{error:?}"))
}

/// How many are refused, by reason.
type Reasons = BTreeMap<String, usize>;

fn reasons(all: &[(&str, usize)]) -> Reasons {
    all.iter()
        .map(|(why, count)| ((*why).to_owned(), *count))
        .collect()
}

#[test]
fn a_provider_cannot_sign_what_wycheproof_calls_invalid() {
    let Some(folder) = folder() else { return };
    let (mut taken, mut wrong) = (0, Vec::new());
    let (mut valid, mut invalid) = (Reasons::new(), Reasons::new());
    for vector in all(&folder) {
        match (by_provider(&vector), vector.valid) {
            (Ok(()), true) => taken += 1,
            (Ok(()), false) => wrong.push(vector.name),
            (Err(why), true) => *valid.entry(why).or_default() += 1,
            (Err(why), false) => *invalid.entry(why).or_default() += 1,
        }
    }
    assert_eq!(wrong, [""; 0], "taken, although invalid");
    // All 527 of them.
    let expected = reasons(&[
        ("Algorithm", 43),
        ("Key(Unknown)", 21),
        ("Malformed", 156),
        ("Signature", 307),
    ]);
    assert_eq!(invalid, expected);
    let expected = reasons(&[
        // Symmetric keys, and the curve P-521.
        ("Algorithm", 17),
        // The key says that it is for PS256, and the token is signed by PS384.
        ("Key(Unknown)", 2),
        // Encryption, which is five parts and not three; and a header in base64 with a character that is not of it.
        ("Malformed", 68),
    ]);
    assert_eq!((taken, valid), (35, expected));
}

const ISSUER: &str = "https://reeve.example/auth/realms/runai";

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn verify(ring: &KeyRing, token: &str) -> Result<Claims, InvalidToken> {
    Verifier::new(ISSUER, Audience::Rest).verify(ring, token, now())
}

fn claims() -> Claims {
    let subject = (SubjectKind::User, &Uuid::nil());
    Claims::new(ISSUER, Audience::Rest, subject, "reeve", now(), 300, Uuid::max())
}

/// No vector is a token of ours; and what vectors do to a signature of ES256 is done to one of ours, since no vector names a key as we
/// do. A verifier that looks at the algorithm or the form only says so here by another reason.
#[test]
fn no_vector_of_wycheproof_is_a_token_of_ours_and_none_of_its_signatures_makes_one() {
    let Some(folder) = folder() else { return };
    let key = SigningKey::generate().unwrap();
    let ring = KeyRing::new(key.into(), Vec::new());
    let good = ring.current().sign(&claims()).unwrap().expose().to_owned();
    assert_eq!(verify(&ring, &good), Ok(claims()));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (mut moved, mut refused) = (0, Reasons::new());
    for vector in all(&folder) {
        let reason = verify(&ring, &vector.token).expect_err(&vector.name);
        *refused.entry(format!("{reason:?}")).or_default() += 1;
        // Signatures of every vector, of the right length and of wrong ones, under our message.
        let theirs = vector
            .token
            .rsplit_once('.')
            .map_or("", |(_, signature)| signature);
        let outcome = verify(&ring, &format!("{message}.{theirs}"));
        assert!(
            matches!(outcome, Err(InvalidToken::Signature | InvalidToken::Malformed)),
            "{}: {outcome:?}",
            vector.name
        );
        moved += usize::from(theirs.len() == signature.len() && outcome == Err(InvalidToken::Signature));
    }
    assert!(moved >= 30, "{moved} signatures of the right length were tried");
    let expected = reasons(&[("Algorithm", 371), ("Malformed", 232), ("UnknownKey", 46)]);
    assert_eq!(refused, expected);
}
