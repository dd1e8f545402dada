//! Access keys (control-plane 1.7): secrets with which programs act as the person who made them.
//!
//! **Promises.** Everybody has keys of their own and sees no other; administrators see whose there are, and delete them. A key has the
//! rights that its owner has at each request, never more (`directory.rs`), and is over with the owner, with its deletion and with a new
//! secret, at once. It makes and renews no keys: whoever found one cannot keep what it gave past its deletion.

pub mod create;
pub mod delete;
pub mod delete_owned;
pub mod get;
pub mod list;
pub mod list_owned;
pub mod regenerate_secret;

use std::sync::Arc;

use axum::routing::MethodRouter;
use reeve_api::access_key::{AccessKey, AccessKeyOperation, OwnedAccessKey, UserApplicationOperation};
use reeve_store::{AccessKeyRow, AuditAction, AuditEntry, SubjectId};
use reeve_types::{AccessKeyId, UserId};

use crate::app::App;
use crate::caller::{Call, Caller};
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::handler::to;

/// What client ids begin with: no name of a service account can.
const CLIENT_ID: &str = "key.";

/// The handler of each operation.
pub(crate) fn route(operation: AccessKeyOperation) -> MethodRouter<Arc<App>> {
    use AccessKeyOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetAccessKeys => to(row, list::handle),
        Op::CreateAccessKey => to(row, create::handle),
        Op::GetAccessKey => to(row, get::handle),
        Op::RegenerateAccessKeySecret => to(row, regenerate_secret::handle),
        Op::DeleteAccessKey => to(row, delete::handle),
        Op::GetOwnedAccessKeys => to(row, list_owned::handle),
        Op::DeleteOwnedAccessKey => to(row, delete_owned::handle),
    }
}

/// The handler of each operation under its older name.
pub(crate) fn user_application_route(operation: UserApplicationOperation) -> MethodRouter<Arc<App>> {
    use UserApplicationOperation as Op;
    let row = operation.row();
    match operation {
        Op::GetUserApplications => to(row, list::of_user_applications),
        Op::CreateUserApplication => to(row, create::of_user_application),
        Op::GetUserApplication => to(row, get::handle),
        Op::RegenerateUserApplicationSecret => to(row, regenerate_secret::handle),
        Op::DeleteUserApplication => to(row, delete::handle),
        Op::GetOwnedUserApplications => to(row, list_owned::of_user_applications),
        Op::DeleteOwnedUserApplication => to(row, delete_owned::handle),
    }
}

/// Whose keys those of a caller are.
#[derive(Debug, thiserror::Error)]
enum AccessKeyRefusal {
    /// 403: an application has no other secret.
    #[error("access keys are of people: an application has its own secret and no access keys")]
    NoPerson,
    /// 403: a key would outlive itself.
    #[error(
        "an access key makes and renews no access keys: sign in yourself (`reeve login`), and do it with that token"
    )]
    ByAKey,
}

impl Refusal for AccessKeyRefusal {
    fn kind(&self) -> RefusalKind {
        RefusalKind::Forbidden
    }
}

/// Whose keys the caller asks about.
fn owner(caller: &Caller) -> Result<UserId, AccessKeyRefusal> {
    match caller.id {
        SubjectId::User(id) => Ok(id),
        SubjectId::ServiceAccount(_) => Err(AccessKeyRefusal::NoPerson),
    }
}

/// As [`owner`], of somebody who is there in person.
fn owner_in_person(caller: &Caller) -> Result<UserId, AccessKeyRefusal> {
    match caller.access_key {
        None => owner(caller),
        Some(_) => Err(AccessKeyRefusal::ByAKey),
    }
}

/// An event about a key of the caller's own.
fn event(call: &Call, caller: &Caller, action: AuditAction) -> AuditEntry {
    call.by(caller, action, reeve_authz::Entity::AccessKeys.wire_name())
}

/// What a key signs in with.
fn client_id(key: AccessKeyId) -> String {
    format!("{CLIENT_ID}{key}")
}

/// The key of a client id; `None` when it is none of a key's.
pub(crate) fn key_of(client_id: &str) -> Option<AccessKeyId> {
    client_id.strip_prefix(CLIENT_ID)?.parse().ok()
}

/// A key as its owner sees it.
fn to_wire(row: AccessKeyRow) -> AccessKey {
    AccessKey {
        id: row.id,
        client_id: client_id(row.id),
        name: row.name,
        created_at: Some(row.created_at),
        last_login: row.last_login,
    }
}

/// A key as an administrator sees it.
fn to_owned_wire(row: AccessKeyRow) -> OwnedAccessKey {
    OwnedAccessKey {
        id: row.id,
        client_id: client_id(row.id),
        name: row.name,
        created_by: row.owner,
        created_at: Some(row.created_at),
        last_login: row.last_login,
    }
}

fn not_found(id: AccessKeyId) -> ApiError {
    ApiError::not_found("access key", id)
}

#[cfg(test)]
mod tests {
    use reeve_types::ServiceAccountName;

    use super::*;

    #[test]
    fn a_client_id_is_a_keys_or_an_applications_and_never_both() {
        let id: AccessKeyId = "a23e4567-e89b-12d3-a456-426614174000".parse().unwrap();
        assert_eq!(key_of(&client_id(id)), Some(id));
        assert!(client_id(id).parse::<ServiceAccountName>().is_err());
        for other in ["ci", "key.", "key.ci", &id.to_string()] {
            assert_eq!(key_of(other), None, "{other}");
        }
    }
}
