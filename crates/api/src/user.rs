//! Users (control-plane 1.6, 3.3 and 4.2).

use reeve_authz::{Action, Entity};
use reeve_types::posix::MAX_GROUPS;
use reeve_types::{Email, Gid, InvalidPosix, PosixIdentity, SessionId, SignInMethod, Timestamp, Uid, UserId};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::body::TypedBody;
use crate::body::fields::OnlyFalse;
use crate::error::Count;
use crate::operation::{delete, get, may, operations, post, put};
use crate::passkey::Passkeys;
use crate::revealed_secret::RevealedSecret;
use reeve_types::list::USERS;

operations! {
    /// Operations on users.
    OPERATIONS: UserOperation as User, "Users";
    /// List users.
    GetUsers = get("get_users", "/api/v1/users", may(Action::Read, Entity::Users))
        .lists(&USERS).answers::<Vec<User>>(200);
    /// Create a local user.
    CreateUser = post("create_user", "/api/v1/users", may(Action::Create, Entity::Users))
        .takes::<CreateUser>().answers::<CreatedUser>(201).also(&[409]);
    /// Count users.
    CountUsers = get("count_users", "/api/v1/users/count", may(Action::Read, Entity::Users))
        .lists(&USERS).answers::<Count>(200);
    /// Get a user.
    GetUser = get("get_user_by_id", "/api/v1/users/{userId}", may(Action::Read, Entity::Users))
        .answers::<User>(200);
    /// Take away a user's authenticator, where it is lost with its recovery codes.
    RemoveUserAuthenticator = delete("remove_user_authenticator", "/api/v1/users/{userId}/authenticator", may(Action::Update, Entity::Users))
        .answers_nothing(204);
    /// List a user's passkeys.
    GetUserPasskeys = get("get_user_passkeys", "/api/v1/users/{userId}/passkeys", may(Action::Read, Entity::Users))
        .answers::<Passkeys>(200);
    /// Take away all passkeys of a user, where they are lost.
    RemoveUserPasskeys = delete("remove_user_passkeys", "/api/v1/users/{userId}/passkeys", may(Action::Update, Entity::Users))
        .answers_nothing(204);
    /// Delete a user.
    DeleteUser = delete("delete_user_by_id", "/api/v1/users/{userId}", may(Action::Delete, Entity::Users))
        .answers_nothing(204).also(&[409]);
    /// Set the POSIX identity that a user's containers run with.
    SetUserPosix = put("set_user_posix", "/api/v1/users/{userId}/posix", may(Action::Update, Entity::Users))
        .takes::<SetPosix>().answers::<User>(200).also(&[409]);
    /// Make a uid free again that was given by mistake.
    ReleaseUid = delete("release_uid", "/api/v1/uids/{uid}", may(Action::Update, Entity::Users))
        .answers_nothing(204).also(&[409]);
    /// List a user's sessions: those that go on, and those that ended in the last day.
    GetUserSessions = get("get_user_sessions", "/api/v1/users/{userId}/sessions", may(Action::Read, Entity::Users))
        .answers::<Vec<Session>>(200);
    /// End one session of a user, with its tokens.
    EndSession = delete("end_session", "/api/v1/sessions/{sessionId}", may(Action::Update, Entity::Users))
        .answers_nothing(204);
    /// Give a user a new password, with which another has to be chosen; the user's sessions end.
    ResetUserPassword = post("reset_user_password", "/api/v1/users/{userId}/password", may(Action::Update, Entity::Users))
        .answers::<NewPassword>(200);
    /// End all sessions of a user, with their tokens.
    LogoutUser = post("logout_user", "/api/v1/users/{userId}/logout", may(Action::Update, Entity::Users))
        .answers_nothing(200);
}

/// `POST /api/v1/users`: a local user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"email": "erin@example.com", "posix": {"uid": 61000, "gid": 5000}}))]
pub struct CreateUser {
    /// The email, which is the user name from then on.
    pub email: Email,
    /// Ours: the POSIX identity that the user's containers run with. Only an administrator of the account may give one.
    #[serde(default, deserialize_with = "maybe_new_identity")]
    pub posix: Option<PosixIdentity>,
    /// Whether the user has to choose another password before anything else; so it is where nothing is said. With `false` the password
    /// that is shown stays until somebody changes it.
    #[serde(default = "yes")]
    pub reset_password: bool,
    #[serde(default)]
    notify: OnlyFalse,
}

impl TypedBody for CreateUser {}

const fn yes() -> bool {
    true
}

/// `PUT /api/v1/users/{userId}/posix` (ours): the POSIX identity itself is the body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(example = serde_json::json!({"uid": 61000, "gid": 5000, "supplementaryGroups": [5001]}))]
pub struct SetPosix(#[serde(deserialize_with = "new_identity")] pub PosixIdentity);

impl TypedBody for SetPosix {}

/// A POSIX identity that is to be somebody's from now on. What was kept before some numbers were refused can still be
/// read; what is given now cannot hold them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewIdentity {
    #[serde(deserialize_with = "uid")]
    uid: Uid,
    #[serde(deserialize_with = "gid")]
    gid: Gid,
    #[serde(default, deserialize_with = "gids")]
    supplementary_groups: Vec<Gid>,
}

fn uid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uid, D::Error> {
    Uid::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn gid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Gid, D::Error> {
    Gid::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn gids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Gid>, D::Error> {
    let numbers = Vec::<i64>::deserialize(deserializer)?;
    let groups: Result<Vec<_>, _> = numbers.into_iter().map(Gid::new).collect();
    let mut groups = groups.map_err(D::Error::custom)?;
    groups.sort_unstable();
    groups.dedup();
    if groups.len() > MAX_GROUPS {
        let count = groups.len();
        return Err(D::Error::custom(InvalidPosix::TooManyGroups { count }));
    }
    Ok(groups)
}

fn new_identity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PosixIdentity, D::Error> {
    let new = NewIdentity::deserialize(deserializer)?;
    PosixIdentity::new(new.uid, new.gid, new.supplementary_groups).map_err(D::Error::custom)
}

fn maybe_new_identity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PosixIdentity>, D::Error> {
    new_identity(deserializer).map(Some)
}

/// A user: `User2` of the reference, and the POSIX identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// A UUID. It never changes and is given to nothing else.
    pub id: UserId,
    /// The user's email, in lower case.
    pub username: Email,
    /// Who made the user: an email, a service account's name, or `system`.
    pub created_by: String,
    /// When the user was made.
    pub created_at: Option<Timestamp>,
    /// When password, POSIX identity or sessions last changed.
    pub updated_at: Option<Timestamp>,
    /// When the user last signed in; null before the first time.
    pub last_login: Option<Timestamp>,
    /// Whether the password is kept here, and not at an identity provider.
    pub is_local: Option<bool>,
    /// Ours: whether the password is one that an administrator made, and the user has not chosen another since. Null where no password is
    /// kept here.
    #[serde(default)]
    pub temporary_password: Option<bool>,
    /// The groups that the user's last sign-in showed: empty when that was with a password, null before the first one.
    pub groups: Option<Vec<String>>,
    /// Ours: the POSIX identity that the user's containers run with; null when there is none.
    #[serde(default)]
    pub posix: Option<PosixIdentity>,
}

/// Ours: what one sign-in of a user began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session's id: `sid` of its tokens.
    pub id: SessionId,
    /// How the user signed in.
    pub method: SignInMethod,
    /// The groups that the sign-in showed: access rules that name one of them count for the session.
    pub groups: Vec<String>,
    /// The POSIX identity that the identity provider gave; null when it gave none. One that an administrator set on the user comes
    /// before it.
    pub posix: Option<PosixIdentity>,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When a token was last given in it.
    pub refreshed_at: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// When it was ended; null while it goes on.
    pub ended_at: Option<Timestamp>,
}

/// The 201 of a creation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedUser {
    /// The user's id.
    pub id: UserId,
    /// The user's email, in lower case.
    pub username: Email,
    /// The password; never shown again. The user has to choose another one first, unless `resetPassword` was `false`.
    pub temp_password: RevealedSecret,
}

/// The 200 of a new password.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPassword {
    /// The new password; never shown again. The user has to choose another one first.
    pub temp_password: RevealedSecret,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body as _;

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
