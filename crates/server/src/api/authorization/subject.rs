//! Whom a question is about.

use reeve_api::authorization::{AskedSubject, GroupsFrom, JudgedSubject};
use reeve_authz::{Principal, SubjectKey};
use reeve_types::{Email, GroupName, Timestamp};

use super::reads_users;
use crate::api::access_rules::{subject_key, subject_type};
use crate::caller::Caller;
use crate::directory::Directory;
use crate::error::ApiError;

/// Somebody, in the groups that count.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) principal: Principal,
    pub(super) groups_from: GroupsFrom,
}

impl Judged {
    /// Whom a question is about: the caller where it says nothing.
    ///
    /// # Errors
    /// 400 for a name that no subject can have, 404 for an id that the caller does not see.
    pub(super) fn of(
        directory: &Directory,
        caller: &Caller,
        asked: Option<AskedSubject>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let Some(asked) = asked else {
            return Ok(Self::caller(caller));
        };
        let subject = subject_key(directory, caller, asked.subject_type, &asked.subject_id)?;
        let (groups, groups_from) = match (&subject, asked.groups) {
            (own, None) if *own == caller.principal.subject => return Ok(Self::caller(caller)),
            (SubjectKey::User(_), Some(groups)) => (once(groups), GroupsFrom::Question),
            (SubjectKey::User(email), None) if reads_users(directory, caller) => {
                (groups_of(directory, email, now), GroupsFrom::OpenSessions)
            }
            (SubjectKey::User(_), None) => (Vec::new(), GroupsFrom::Hidden),
            (SubjectKey::Group(_) | SubjectKey::ServiceAccount(_), _) => (Vec::new(), GroupsFrom::None),
        };
        Ok(Self {
            principal: Principal { subject, groups },
            groups_from,
        })
    }

    fn caller(caller: &Caller) -> Self {
        Self {
            principal: caller.principal.clone(),
            groups_from: GroupsFrom::ThisSession,
        }
    }

    /// Whether the caller asks about the caller.
    pub(super) fn is_the_caller(&self) -> bool {
        self.groups_from == GroupsFrom::ThisSession
    }

    /// Whether all of the groups are known that count.
    pub(super) fn groups_are_known(&self) -> bool {
        self.groups_from != GroupsFrom::Hidden
    }

    pub(super) fn to_wire(&self) -> JudgedSubject {
        JudgedSubject {
            subject_id: self.principal.subject.name().to_owned(),
            subject_type: subject_type(&self.principal.subject),
            groups: self.principal.groups.iter().map(ToString::to_string).collect(),
            groups_from: self.groups_from,
        }
    }
}

/// The groups of a user's open sessions, all together: a permission is held by them exactly where one of the sessions has it.
pub(super) fn groups_of(directory: &Directory, email: &Email, now: Timestamp) -> Vec<GroupName> {
    let own = directory
        .user_sessions(now)
        .filter(|(user, _)| user.email == *email);
    once(own.flat_map(|(_, groups)| groups.iter().cloned()).collect())
}

/// Each once, in order.
pub(super) fn once(mut groups: Vec<GroupName>) -> Vec<GroupName> {
    groups.sort_unstable();
    groups.dedup();
    groups
}
