//! The User object that an OpenShift cluster's API server gives for a token.

use reeve_oidc::openshift::{User, usual_mapper};
use serde_json::Value;

use super::{Broken, Outcome, Target, holds, judged, texts};
use crate::json::has_a_member_twice;
use crate::script::expand;

pub(super) const TARGET: Target = Target {
    name: "openshift_user",
    promise: "whoever is taken is a User of that API with a UID of its own and a name without a colon, in no group of the system, by JSON \
              that reads in one way",
    words: &[
        "\"kube:admin\"",
        "\"system:admin\"",
        "\"kube\\u003aadmin\"",
        "\"uid\":\"\",",
        "\"uid\":7,",
        "\"uid\":null,",
        "\"kind\":\"UserList\",",
        "\"kind\":\"Status\",",
        "\"user.openshift.io/v2\"",
        "\"metadata\":{},",
        "\"metadata\":[],",
        "\"system:cluster-admins\"",
        "\"SYSTEM:x\"",
        "\"groups\":[7],",
        "\"groups\":null,",
        "null",
        "[]",
    ],
    seeds,
    found: include_str!("../../corpus/openshift_user.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, trusting),
};

/// A user as far as it was understood: UID and groups.
struct Taken {
    uid: String,
    groups: Vec<String>,
}

fn seeds() -> Vec<Vec<u8>> {
    let with = |name: &str, uid: &str, groups: &str| {
        format!(
            r#"{{"kind":"User","apiVersion":"user.openshift.io/v1","metadata":{{"name":"{name}","uid":"{uid}"}},"groups":{groups}}}"#
        )
    };
    let (alice, uid) = ("alice@example.com", "7b0c9a52-3f0e-4a1f-9d27-0f6f3c1f4a11");
    texts(&[
        with(alice, uid, "[\"ml\",\"/a/b\"]"),
        with(alice, uid, "null"),
        with(alice, uid, "[\"system:cluster-admins\",\"ml\"]"),
        with("bob@example.com", "u", "[]"),
        with(alice, uid, "[\"ml:admins\"]"),
        with("alice", uid, "[]"),
        with("kube:admin", "", "[\"system:cluster-admins\"]"),
        with("system:admin", uid, "[]"),
        with(alice, "", "[]"),
        with(alice, uid, "[7]"),
        with(alice, uid, "[\"a\"],\"groups\":[\"b\"]"),
        with(alice, uid, "[]").replace("\"User\"", "\"UserList\""),
    ])
}

fn ours(text: &str) -> Option<Taken> {
    let user = User::read(text.as_bytes()).ok()?;
    let mapped = user.mapped(&usual_mapper()).ok()?;
    Some(Taken {
        uid: user.uid().to_owned(),
        groups: mapped.groups.iter().map(ToString::to_string).collect(),
    })
}

/// Takes whatever has a name.
fn trusting(text: &str) -> Option<Taken> {
    let object: Value = serde_json::from_str(text).ok()?;
    object.pointer("/metadata/name")?.as_str()?;
    let groups = object.get("groups").and_then(Value::as_array);
    Some(Taken {
        uid: object.pointer("/metadata/uid")?.as_str()?.to_owned(),
        groups: groups
            .into_iter()
            .flatten()
            .filter_map(|it| it.as_str().map(str::to_owned))
            .collect(),
    })
}

fn check(input: &[u8], read: impl Fn(&str) -> Option<Taken>) -> Result<Outcome, Broken> {
    let text = expand::<&str>(input, &[]);
    judged(read(&text), |taken| {
        holds(!has_a_member_twice(text.as_bytes()), "a member comes twice")?;
        let object: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let said = |path: &str| object.pointer(path).and_then(Value::as_str);
        holds(
            said("/kind") == Some("User") && said("/apiVersion") == Some("user.openshift.io/v1"),
            "no User",
        )?;
        holds(
            said("/metadata/name").is_some_and(|name| !name.is_empty() && !name.contains(':')),
            "an account of the cluster's own",
        )?;
        holds(
            !taken.uid.is_empty() && said("/metadata/uid") == Some(taken.uid.as_str()),
            "another UID, or none",
        )?;
        let reserved = |group: &String| {
            let lower = group.to_lowercase();
            lower.starts_with("system:") || lower.starts_with("reeve:")
        };
        holds(!taken.groups.iter().any(reserved), "a group of the system")
    })
}
