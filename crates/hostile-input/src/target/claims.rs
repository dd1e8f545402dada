//! Claims of an ID token or of UserInfo, by the mappers.

use reeve_oidc::groups::MAX_GROUPS;
use reeve_oidc::{Mapped, Mapper, json};
use reeve_types::{GroupName, PosixIdentity};
use serde_json::{Map, Value};

use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::json::has_a_member_twice;
use crate::script::expand;

pub(super) const TARGET: Target = Target {
    name: "claims",
    promise: "somebody is in no group of the system, each group is seen whole and comes once, numbers are the ones that were sent, \
              nothing is taken from JSON that reads in two ways, and what was understood, printed again, is understood the same",
    words: &[
        "\"system:masters\"",
        "\"SYSTEM:x\"",
        "\"reeve:installers\"",
        "\"\\u202e\"",
        "\"\\u0073ystem:x\"",
        "\"a\\u200b\"",
        "{\"name\":\"g\"}",
        "{\"displayName\":\"g\"}",
        "{\"id\":\"g\"}",
        "{\"a\":\"g\",\"b\":{\"name\":\"h\"}}",
        "\"hasgroups\":true,",
        "\"_claim_names\":{\"GROUPS\":\"src1\"},",
        "\"groups:src1\":{},",
        "\"SUPPLEMENTARYGROUPS\":[\"5001\"],",
        "\"UID\":\"070\",",
        "70001.0",
        "-1",
        "2147483648",
        "1e5",
        "\"email_verified\":false,",
        "\"email_verified\":\"true\",",
        "null",
        "[[]]",
    ],
    seeds,
    found: include_str!("../../corpus/claims.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, trusting),
};

fn seeds() -> Vec<Vec<u8>> {
    let with = |groups: &str| {
        format!(
            r#"{{"email":"Alice@Example.com","email_verified":true,"GROUPS":{groups},"UID":70001,"GID":"5000","SUPPLEMENTARYGROUPS":["5001",5002]}}"#
        )
    };
    texts(&[
        with("[\"ml\",\"/a/b\"]"),
        with("\"ml\""),
        with("{\"name\":\"ml\"}"),
        with("{\"1\":\"ml\",\"2\":{\"id\":\"x\",\"displayName\":\"y\"}}"),
        with("[\"system:masters\",\"ml\",\"Reeve:x\"]"),
        with("[]"),
        with("[1]"),
        with("[\" ml\"]"),
        with("null,\"_claim_names\":{\"groups\":\"src1\"}"),
        with("[\"a\"],\"GROUPS\":[\"b\"]"),
        r#"{"email":"a@b.c"}"#.to_owned(),
        r#"{"email":"a@b.c","UID":1}"#.to_owned(),
        r#"{"email":"a@b.c","UID":["70001","70001"],"GID":[5000]}"#.to_owned(),
    ])
}

fn ours(text: &str) -> Option<Mapped> {
    Mapper::default()
        .map(&json::object(text.as_bytes()).ok()?, None)
        .ok()
}

/// Takes every group by its name.
fn trusting(text: &str) -> Option<Mapped> {
    let claims: Value = serde_json::from_str(text).ok()?;
    let groups = claims
        .get("GROUPS")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    Some(Mapped {
        email: claims.get("email")?.as_str()?.parse().ok()?,
        groups: groups.iter().filter_map(|it| it.as_str()?.parse().ok()).collect(),
        reserved_groups: 0,
        posix: None,
    })
}

fn check(input: &[u8], map: impl Fn(&str) -> Option<Mapped>) -> Result<Outcome, Broken> {
    let text = expand::<&str>(input, &[]);
    judged(map(&text), |mapped| {
        holds(!has_a_member_twice(text.as_bytes()), "a claim comes twice")?;
        holds(mapped.groups.len() <= MAX_GROUPS, "too many groups")?;
        holds(mapped.groups.is_sorted_by(|a, b| a < b), "a group comes twice")?;
        for group in &mapped.groups {
            let lower = group.to_string().to_lowercase();
            holds(
                !lower.starts_with("system:") && !lower.starts_with("reeve:"),
                "a group of the system",
            )?;
            holds(GroupName::is_seen_whole(group), "a group that looks like another")?;
        }
        let claims: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        holds(
            claims.get("email_verified") != Some(&Value::Bool(false)),
            "an email address that the provider does not vouch for",
        )?;
        if let Some(posix) = &mapped.posix {
            numbers_were_sent(&claims, posix)?;
        }
        let again = Mapper::default().map(&printed(&mapped), None);
        let same = Mapped {
            reserved_groups: 0,
            ..mapped
        };
        holds(
            again.as_ref() == Ok(&same),
            &format!("{same:?} is understood again as {again:?}"),
        )
    })
}

fn numbers_were_sent(claims: &Value, posix: &PosixIdentity) -> Result<(), String> {
    let sent = |name: &str, number: i64| {
        let is =
            |value: &Value| value.as_i64() == Some(number) || value.as_str() == Some(&number.to_string());
        match claims.get(name) {
            Some(Value::Array(list)) => list.iter().any(is),
            Some(one) => is(one),
            None => false,
        }
    };
    holds(sent("UID", posix.uid().number()), "a uid that was not sent")?;
    holds(sent("GID", posix.gid().number()), "a gid that was not sent")?;
    let mut more = posix.supplementary_groups().iter();
    holds(
        more.all(|gid| sent("SUPPLEMENTARYGROUPS", gid.number())),
        "a supplementary group that was not sent",
    )
}

fn printed(mapped: &Mapped) -> Map<String, Value> {
    let mut claims = Map::new();
    let groups: Vec<Value> = mapped.groups.iter().map(|it| it.to_string().into()).collect();
    claims.insert("email".to_owned(), mapped.email.to_string().into());
    claims.insert("GROUPS".to_owned(), groups.into());
    if let Some(posix) = &mapped.posix {
        let more = posix
            .supplementary_groups()
            .iter()
            .map(|it| it.number().to_string().into());
        claims.insert("UID".to_owned(), posix.uid().number().into());
        claims.insert("GID".to_owned(), posix.gid().number().to_string().into());
        claims.insert(
            "SUPPLEMENTARYGROUPS".to_owned(),
            more.collect::<Vec<Value>>().into(),
        );
    }
    claims
}
