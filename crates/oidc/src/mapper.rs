//! Which claim is what (control-plane 1.4): email, groups, uid, gid, supplementary groups, and a claim without which nobody is let in.

use reeve_types::{Email, Gid, GroupName, PosixIdentity, Uid};
use serde_json::Value;

use crate::groups::{self, GroupsError};
use crate::json::{self, Claims};

/// The names of the claims; each may be a path with dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapper {
    /// The email: who somebody is on the platform.
    pub email: String,
    /// The groups.
    pub groups: String,
    /// The uid in containers.
    pub uid: String,
    /// The gid in containers.
    pub gid: String,
    /// More gids in containers.
    pub supplementary_groups: String,
}

impl Default for Mapper {
    /// Control-plane 1.4.
    fn default() -> Self {
        Self {
            email: "email".to_owned(),
            groups: "GROUPS".to_owned(),
            uid: "UID".to_owned(),
            gid: "GID".to_owned(),
            supplementary_groups: "SUPPLEMENTARYGROUPS".to_owned(),
        }
    }
}

/// A claim that has to have one of these values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MandatoryClaim {
    /// Its name or path.
    pub claim: String,
    /// The values, one of which it must have or hold.
    pub values: Vec<String>,
}

/// What was understood of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The email.
    pub email: Email,
    /// The groups: sorted, each once.
    pub groups: Vec<GroupName>,
    /// How many groups were left out since they are names of the system's own.
    pub reserved_groups: usize,
    /// The POSIX identity, when the provider sends one.
    pub posix: Option<PosixIdentity>,
}

/// Why somebody cannot sign in with these claims. Each text says what to change at the provider or in the mappers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapperError {
    /// No email.
    #[error(
        "the claim `{0}` is absent or no email address: let the provider send it, or map another claim to `email`"
    )]
    Email(String),
    /// An email that the provider does not vouch for.
    #[error("the provider says that the email address is not verified (`email_verified`)")]
    Unverified,
    /// The claim that lets people in.
    #[error("the claim `{0}` has none of the values that the mandatory claim asks for")]
    Mandatory(String),
    /// Groups.
    #[error(transparent)]
    Groups(#[from] GroupsError),
    /// A number that is none.
    #[error(
        "the claim `{0}` is no id: a whole decimal number without sign, blank or leading zero is needed, or that as text"
    )]
    Number(String),
    /// Two numbers.
    #[error("the claim `{0}` has two values that differ")]
    Two(String),
    /// A uid without a gid or the other way round.
    #[error("the provider sends `{there}` and no `{missing}`: a POSIX identity needs a uid and a gid")]
    Half {
        /// What is there.
        there: String,
        /// What is not.
        missing: String,
    },
    /// Numbers that nobody can have.
    #[error("{0}")]
    Posix(String),
}

impl Mapper {
    /// Whether UserInfo has to be asked: something that is mapped is not in the ID token.
    pub fn wants_more(&self, claims: &Claims, mandatory: Option<&MandatoryClaim>) -> bool {
        let more = mandatory.map(|it| &it.claim);
        let names = [
            &self.email,
            &self.groups,
            &self.uid,
            &self.gid,
            &self.supplementary_groups,
        ];
        names
            .into_iter()
            .chain(more)
            .any(|name| json::claim(claims, name).is_none())
    }

    /// What the claims come to.
    ///
    /// # Errors
    /// [`MapperError`].
    pub fn map(&self, claims: &Claims, mandatory: Option<&MandatoryClaim>) -> Result<Mapped, MapperError> {
        if let Some(mandatory) = mandatory {
            mandatory.check(claims)?;
        }
        let email = json::claim(claims, &self.email).and_then(Value::as_str);
        let email = email
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| MapperError::Email(self.email.clone()))?;
        if claims
            .get("email_verified")
            .is_some_and(|it| *it == Value::Bool(false) || *it == "false")
        {
            return Err(MapperError::Unverified);
        }
        let groups = groups::read(claims, &self.groups)?;
        Ok(Mapped {
            email,
            groups: groups.names,
            reserved_groups: groups.reserved,
            posix: self.posix(claims)?,
        })
    }

    fn posix(&self, claims: &Claims) -> Result<Option<PosixIdentity>, MapperError> {
        let more = numbers(claims, &self.supplementary_groups)?;
        let (uid, gid) = (number(claims, &self.uid)?, number(claims, &self.gid)?);
        let half = |there: &String, missing: &String| MapperError::Half {
            there: there.clone(),
            missing: missing.clone(),
        };
        let (uid, gid) = match (uid, gid) {
            (Some(uid), Some(gid)) => (uid, gid),
            (None, None) if more.is_empty() => return Ok(None),
            (None, None) => return Err(half(&self.supplementary_groups, &self.uid)),
            (Some(_), None) => return Err(half(&self.uid, &self.gid)),
            (None, Some(_)) => return Err(half(&self.gid, &self.uid)),
        };
        let text = |error: reeve_types::InvalidPosix| MapperError::Posix(error.to_string());
        let more = more
            .into_iter()
            .map(Gid::new)
            .collect::<Result<Vec<_>, _>>()
            .map_err(text)?;
        let posix = PosixIdentity::new(Uid::new(uid).map_err(text)?, Gid::new(gid).map_err(text)?, more);
        posix.map(Some).map_err(text)
    }
}

impl MandatoryClaim {
    fn check(&self, claims: &Claims) -> Result<(), MapperError> {
        let fits = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| self.values.iter().any(|it| it == text))
        };
        let found = match json::claim(claims, &self.claim) {
            Some(Value::Array(list)) => list.iter().any(fits),
            Some(value) => fits(value),
            None => false,
        };
        if found {
            Ok(())
        } else {
            Err(MapperError::Mandatory(self.claim.clone()))
        }
    }
}

/// A whole number, or its decimal spelling.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().filter(|it| *it >= 0),
        Value::String(text) => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let plain = text == "0" || !text.starts_with('0');
            text.parse().ok().filter(|_| digits && plain)
        }
        _ => None,
    }
}

fn numbers(claims: &Claims, name: &str) -> Result<Vec<i64>, MapperError> {
    let wrong = || MapperError::Number(name.to_owned());
    match json::claim(claims, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(|it| whole(it).ok_or_else(wrong)).collect(),
        Some(one) => Ok(vec![whole(one).ok_or_else(wrong)?]),
    }
}

/// One number; several that are equal are one.
fn number(claims: &Claims, name: &str) -> Result<Option<i64>, MapperError> {
    let mut all = numbers(claims, name)?;
    all.dedup();
    match all.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(MapperError::Two(name.to_owned())),
    }
}
