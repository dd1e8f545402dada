//! The cookies that a browser sends, and what is sealed in one.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reeve_identity::{Binding, MasterKey};
use reeve_types::cookie::{self, SameSite};

use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::script::{expand, input};

pub(super) const TARGET: Target = Target {
    name: "cookie",
    promise: "a cookie is read when exactly one has its name, up to the next `;`; what is sealed in it opens as what we sealed or not at \
              all; and what is set comes back the same, among whatever other cookies",
    words: &[
        "__Host-reeve-session=",
        "__host-reeve-session=",
        "__Host-reeve-session",
        "; ",
        ";",
        "=",
        "\"",
        ",",
        "\n",
        "\t",
        "$Version=1; ",
    ],
    seeds,
    found: include_str!("../../corpus/cookie.txt"),
    check: |input| {
        check(input, |lines| {
            cookie::value(lines.lines(), NAME).map(str::to_owned)
        })
    },
    naive: |input| check(input, first),
};

const NAME: &str = "__Host-reeve-session";
const PLAIN: &[u8] = b"who this is";
const WHERE: Binding<'static> = Binding {
    account: "1",
    kind: "sign_in.attempt",
    row: "",
};
const ELSEWHERE: Binding<'static> = Binding {
    account: "1",
    kind: "sign_in.code",
    row: "",
};

static KEY: LazyLock<MasterKey> = LazyLock::new(|| MasterKey::from_bytes(&[7; 32]).unwrap());

/// What was sealed for this cookie, and something that was sealed for another use.
static PIECES: LazyLock<[String; 2]> = LazyLock::new(|| {
    let sealed = |place, text: &[u8]| URL_SAFE_NO_PAD.encode(KEY.sealer().seal(place, text).unwrap());
    [sealed(WHERE, PLAIN), sealed(ELSEWHERE, b"somebody else")]
});

fn sealed() -> &'static str {
    let [ours, _] = &*PIECES;
    ours
}

/// A line is a header.
fn seeds() -> Vec<Vec<u8>> {
    let mut all: Vec<_> = [
        "a=b; __Host-reeve-session=\u{80}; c=d",
        "__Host-reeve-session=\u{80}\n__Host-reeve-session=x",
        "__Host-reeve-session=\u{81}",
        "x__Host-reeve-session=\u{81}; __Host-reeve-session=\u{80}",
    ]
    .iter()
    .map(|text| input(text))
    .collect();
    all.extend(texts(&[
        "",
        "__Host-reeve-session",
        "__Host-reeve-session=",
        ";;=;__Host-reeve-session =x",
    ]));
    all
}

/// Takes the first of several.
fn first(lines: &str) -> Option<String> {
    let mut pairs = lines.lines().flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        pair.trim()
            .strip_prefix(NAME)?
            .strip_prefix('=')
            .map(str::to_owned)
    })
}

fn check(input: &[u8], read: impl Fn(&str) -> Option<String>) -> Result<Outcome, Broken> {
    let text = expand(input, PIECES.as_slice());
    let set = cookie::set(NAME, sealed(), 60, SameSite::Lax);
    comes_back(&text, &set).map_err(Broken)?;
    judged(read(&text), |value| {
        let given = format!("{NAME}=");
        let all = text.lines().flat_map(|line| line.split(';')).map(str::trim);
        let ours: Vec<_> = all.filter_map(|pair| pair.strip_prefix(&given)).collect();
        holds(ours == [value.as_str()], &format!("{value:?} of {ours:?}"))?;
        let octets = URL_SAFE_NO_PAD.decode(&value).unwrap_or_default();
        let opened = KEY.sealer().open(WHERE, &octets);
        holds(
            opened.is_err() || (value == sealed() && opened.is_ok_and(|it| *it == PLAIN)),
            "opens as what was not sealed",
        )
    })
}

/// A browser sends the first part of what was set among its other cookies.
fn comes_back(others: &str, set: &str) -> Result<(), String> {
    let (pair, guards) = set.split_once(';').ok_or("no guard")?;
    for guard in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=60"] {
        let mut all = guards.split(';').map(str::trim);
        holds(all.any(|it| it == guard), guard)?;
    }
    if others.contains(NAME) {
        return Ok(());
    }
    let sent = format!("{others}; {pair}");
    holds(
        cookie::value(sent.lines(), NAME) == Some(sealed()),
        "what was set does not come back",
    )
}
