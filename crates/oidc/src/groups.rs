//! Groups, in every shape that providers send them.

use reeve_types::GroupName;
use serde_json::Value;

use crate::json::{self, Claims};

/// How many groups are read at most; more are an error.
pub const MAX_GROUPS: usize = reeve_types::MAX_SESSION_GROUPS;
/// What of an object is a group's name: the first that it has.
const NAMES: [&str; 3] = ["name", "displayName", "id"];
/// Groups of the system's own, whatever their case. A provider cannot put anybody into one.
const RESERVED: [&str; 2] = ["system:", "reeve:"];

/// Why it cannot be said in which groups somebody is. Each text says what to do at the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupsError {
    /// The provider left the groups out because there are too many, and says where they could be asked for.
    #[error(
        "the provider does not send the groups of this person because they are too many for a token (`{claim}` is only pointed to): let it send only the groups that are assigned to this application, or application roles, or names by a filter"
    )]
    Overage {
        /// Which claim.
        claim: String,
    },
    /// A shape that nobody sends.
    #[error(
        "`{claim}` holds {found} where a group's name is needed: text, or an object with `name`, `displayName` or `id`"
    )]
    Shape {
        /// Which claim.
        claim: String,
        /// What is there.
        found: &'static str,
    },
    /// A name that no group can have.
    #[error(
        "`{claim}` holds a name that no group can have: 1 to 255 characters are needed, none of them invisible or turning text round, and no blank at either end"
    )]
    Name {
        /// Which claim.
        claim: String,
    },
    /// Too many.
    #[error(
        "`{claim}` names {count} groups, and {MAX_GROUPS} are possible: let the provider send only the groups that access rules name"
    )]
    TooMany {
        /// Which claim.
        claim: String,
        /// How many.
        count: usize,
    },
}

/// The groups that count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// As sent, sorted, each once. A path `/a/b`, `a/b` and `b` are three.
    pub names: Vec<GroupName>,
    /// How many were left out since they are names of the system's own groups.
    pub reserved: usize,
    /// Whether there was anything to read: an absent claim is none, and UserInfo may still have it.
    pub sent: bool,
}

/// The groups in the claim of this name or path. An absent claim and an empty list are no groups; everything else that is not
/// understood is an error.
///
/// # Errors
/// [`GroupsError`].
pub fn read(claims: &Claims, name: &str) -> Result<Groups, GroupsError> {
    refuse_overage(claims, name)?;
    let Some(value) = json::claim(claims, name) else {
        return Ok(Groups::default());
    };
    let items: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        // One group as an object, or an object whose values are groups (control-plane 1.3).
        Value::Object(members)
            if !members.keys().all(|key| NAMES.contains(&key.as_str())) || members.is_empty() =>
        {
            members.values().collect()
        }
        one => vec![one],
    };
    let texts = items.into_iter().map(|item| {
        text(item).map_err(|found| GroupsError::Shape {
            claim: name.to_owned(),
            found,
        })
    });
    named(name, &texts.collect::<Result<Vec<_>, _>>()?)
}

/// The groups of these names, which came in the claim or attribute `name`.
///
/// # Errors
/// [`GroupsError::TooMany`], [`GroupsError::Name`].
pub fn named(name: &str, texts: &[&str]) -> Result<Groups, GroupsError> {
    if texts.len() > MAX_GROUPS {
        return Err(GroupsError::TooMany {
            claim: name.to_owned(),
            count: texts.len(),
        });
    }
    let mut groups = Groups {
        sent: true,
        ..Groups::default()
    };
    for text in texts {
        let lower = text.to_ascii_lowercase();
        if RESERVED.iter().any(|prefix| lower.starts_with(prefix)) {
            groups.reserved += 1;
            continue;
        }
        let group = text.parse().ok().filter(GroupName::is_seen_whole);
        let group = group.ok_or_else(|| GroupsError::Name {
            claim: name.to_owned(),
        })?;
        groups.names.push(group);
    }
    groups.names.sort_unstable();
    groups.names.dedup();
    Ok(groups)
}

fn text(item: &Value) -> Result<&str, &'static str> {
    match item {
        Value::String(text) => Ok(text),
        Value::Object(members) => {
            let name = NAMES
                .into_iter()
                .find_map(|name| members.get(name).filter(|it| !it.is_null()));
            name.and_then(Value::as_str).ok_or("an object without a name")
        }
        Value::Number(_) => Err("a number"),
        Value::Bool(_) => Err("true or false"),
        Value::Null => Err("null"),
        Value::Array(_) => Err("a list in a list"),
    }
}

/// Distributed claims (Core 1.0, section 5.6.2), as Entra ID sends them in place of more than 200 groups; and its short form.
fn refuse_overage(claims: &Claims, name: &str) -> Result<(), GroupsError> {
    let first = name.split('.').next().unwrap_or(name);
    let pointed =
        |it: &Value| it.get(name).is_some() || it.get(first).is_some() || it.get("groups").is_some();
    let over = claims.get("_claim_names").is_some_and(pointed)
        || claims
            .get("hasgroups")
            .is_some_and(|it| *it != Value::Bool(false))
        || claims.contains_key("groups:src1");
    if over {
        Err(GroupsError::Overage {
            claim: name.to_owned(),
        })
    } else {
        Ok(())
    }
}
