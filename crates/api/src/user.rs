//! People (control-plane 1.6, 3.3 and 4.2).

use reeve_types::{Email, PosixIdentity, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::body::{Body, InvalidBody, Object};
use crate::list::{FieldValue, Listed};
use crate::shown::Shown;

/// `POST /api/v1/users`: a local user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUser {
    /// Her email, her user name from then on.
    pub email: Email,
    /// Ours: her numbers in containers. Only an account's administrator may give them.
    pub posix: Option<PosixIdentity>,
}

impl Body for CreateUser {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let parsed = Self {
            email: body.required("email")?,
            posix: posix(&mut body)?,
        };
        body.only("resetPassword", &[json!(false)])?;
        body.only("notify", &[json!(false)])?;
        body.finish()?;
        Ok(parsed)
    }
}

fn posix(body: &mut Object) -> Result<Option<PosixIdentity>, InvalidBody> {
    body.object("posix")?.map(numbers).transpose()
}

/// The numbers, each refused by its own name.
fn numbers(mut body: Object) -> Result<PosixIdentity, InvalidBody> {
    let groups: Option<Vec<i64>> = body.optional("supplementaryGroups")?;
    let (uid, gid): (i64, i64) = (body.required("uid")?, body.required("gid")?);
    let wrong = |name, body: &Object, error| InvalidBody::wrong(body.path(name), error);
    let uid = reeve_types::Uid::new(uid).map_err(|error| wrong("uid", &body, error))?;
    let gid = reeve_types::Gid::new(gid).map_err(|error| wrong("gid", &body, error))?;
    let place = body.path("supplementaryGroups");
    body.finish()?;
    let groups: Result<Vec<_>, _> = groups.into_iter().flatten().map(reeve_types::Gid::new).collect();
    let groups = groups.map_err(|error| InvalidBody::wrong(place.clone(), error))?;
    PosixIdentity::new(uid, gid, groups).map_err(|error| InvalidBody::wrong(place, error))
}

/// `PUT /api/v1/users/{userId}/posix` (ours): the numbers themselves are the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPosix(pub PosixIdentity);

impl Body for SetPosix {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        numbers(crate::body::object(bytes)?).map(Self)
    }
}

/// A user: `User2`, and her numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Her id.
    pub id: UserId,
    /// Her email.
    pub username: Email,
    /// By whom she was made.
    pub created_by: String,
    /// When.
    pub created_at: Option<Timestamp>,
    /// When she last changed.
    pub updated_at: Option<Timestamp>,
    /// When she last signed in.
    pub last_login: Option<Timestamp>,
    /// Whether her password is kept here.
    pub is_local: Option<bool>,
    /// Her groups at the identity provider.
    pub groups: Option<Vec<String>>,
    /// Ours: her numbers; null when she has none.
    #[serde(default)]
    pub posix: Option<PosixIdentity>,
}

/// The 201 of a creation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedUser {
    /// Her id.
    pub id: UserId,
    /// Her email.
    pub username: Email,
    /// Her password, shown once.
    pub temp_password: Shown,
}

/// The 200 of a reset.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewPassword {
    /// Shown once.
    pub temp_password: Shown,
}

impl Listed for User {
    fn field(&self, name: &str) -> FieldValue<'_> {
        match name {
            "username" => FieldValue::text(self.username.as_str()),
            "createdBy" => FieldValue::text(&self.created_by),
            "lastLogin" => FieldValue::time(self.last_login),
            "creationTime" => FieldValue::time(self.created_at),
            "lastUpdated" => FieldValue::time(self.updated_at),
            "isLocal" => self.is_local.map_or(FieldValue::Nothing, FieldValue::Flag),
            "type" => FieldValue::text(if self.is_local == Some(true) {
                "local"
            } else {
                "sso"
            }),
            _ => FieldValue::Nothing,
        }
    }

    fn columns(&self) -> Vec<FieldValue<'_>> {
        vec![
            FieldValue::text(self.username.as_str()),
            FieldValue::text(&self.created_by),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_nobody_sends_cannot_be_ordered() {
        let parse = |text: &str| CreateUser::parse(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(
            parse(r#"{"email":"Alice@Reeve.Example","notify":false}"#)
                .unwrap()
                .email
                .as_str(),
            "alice@reeve.example"
        );
        assert_eq!(
            parse(r#"{"email":"a@b.co","notify":true}"#).unwrap_err(),
            "`notify` is not supported yet: leave it out"
        );
        assert!(
            parse(r#"{"email":"a@b.co","posix":{"uid":0,"gid":5000}}"#)
                .unwrap_err()
                .contains("from 1 to")
        );
        for (number, what) in reeve_types::posix::RESERVED_IDS {
            for posix in [
                format!(r#"{{"uid":{number},"gid":5000}}"#),
                format!(r#"{{"uid":70012,"gid":{number}}}"#),
                format!(r#"{{"uid":70012,"gid":5000,"supplementaryGroups":[{number}]}}"#),
            ] {
                let said = parse(&format!(r#"{{"email":"a@b.co","posix":{posix}}}"#)).unwrap_err();
                assert!(
                    said.contains(what) && said.contains(&number.to_string()),
                    "{said}"
                );
            }
        }
        assert!(parse(r#"{"email":"nonsense"}"#).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_number_is_said_by_its_name() {
        let wrong = |text: &str| CreateUser::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            wrong(r#"{"email":"a@b.co","posix":{"uid":"70012","gid":5000}}"#),
            "`posix.uid`: a whole number, without quotes, is needed"
        );
        assert_eq!(
            wrong(r#"{"email":"a@b.co","posix":{"uid":70012}}"#),
            "`posix.gid` is missing"
        );
        assert_eq!(
            wrong(r#"{"email":"a@b.co","posix":[]}"#),
            "`posix`: a JSON object is needed"
        );
    }

    #[test]
    fn numbers_are_set_whole() {
        let parse = |text: &str| SetPosix::parse(text.as_bytes()).map_err(|error| error.to_string());
        let set = parse(r#"{"uid":70012,"gid":5000,"supplementaryGroups":[5001,5001]}"#).unwrap();
        assert_eq!(set.0.supplementary_groups().len(), 1);
        assert_eq!(parse(r#"{"uid":70012}"#).unwrap_err(), "`gid` is missing");
        assert!(parse(r#"{"uid":0,"gid":5000}"#).is_err());
    }
}
