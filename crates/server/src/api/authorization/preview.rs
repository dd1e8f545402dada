//! `POST /api/v1/authorization/preview`: what a change of access rules or groups would give and take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use reeve_api::access_rule::{CreateAccessRule, SubjectType};
use reeve_api::authorization::{AskPreview, GroupsChange, Preview, Reach};
use reeve_authz::{Action, Change, Entity, Principal, RoleId, SubjectKey};
use reeve_types::{Email, GroupName, Timestamp};

use super::subject::{groups_of, once};
use super::{actions, held_somewhere, reads_users, revision, scope_of, scope_ref, subject_ref};
use crate::api::access_rules::delete::may_delete;
use crate::api::access_rules::{subject_key, subject_of_rule};
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::{ApiError, Refusal};
use crate::extract::JsonBody;

/// Why there is no such preview: 400.
#[derive(Debug, thiserror::Error)]
enum PreviewRefusal {
    /// Two changes of one user's groups.
    #[error("`groups`: {0} is there twice: say all of a user's groups at once")]
    UserTwice(SubjectKey),
}

impl Refusal for PreviewRefusal {}

/// Whom the change is about, in the groups of before and of after it.
type People = BTreeMap<SubjectKey, (Vec<GroupName>, Vec<GroupName>)>;

/// Refuses what the change itself would be refused. What is told counts the rules in the caller's sight alone.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<AskPreview>,
) -> Result<Json<Preview>, ApiError> {
    let (people, preview, visible, complete, revision) = {
        let directory = app.directory();
        let visible = directory.visible(&caller, Entity::AccessRules)?;
        let changes = changes(&directory, &caller, &body)?;
        let members = reads_users(&directory, &caller);
        let mut people = regrouped(&directory, &caller, &body.groups, call.at)?;
        for subject in directory.index().subjects_of_changes(&changes) {
            add_subject(&directory, &mut people, subject, members, call.at);
        }
        let people: Vec<(Principal, Principal)> = people.into_iter().map(principals).collect();
        let both = people.iter().flat_map(|(before, after)| [before, after]);
        let preview = directory.index().preview(&changes, both);
        let complete = visible.everything() && members;
        (people, preview, visible, complete, revision(&directory, &caller))
    };
    // The two small indexes are our own: nobody waits for the comparison.
    let (mut gained, mut lost) = (BTreeMap::new(), BTreeMap::new());
    for (before, after) in &people {
        let difference = preview.difference(before, after, |scope| visible.contains(scope));
        for (reaches, all) in [(difference.gained, &mut gained), (difference.lost, &mut lost)] {
            for reach in reaches {
                let subjects: &mut BTreeSet<SubjectKey> = all.entry(reach).or_default();
                subjects.insert(before.subject.clone());
            }
        }
    }
    let directory = app.directory();
    Ok(Json(Preview {
        complete,
        revision,
        gained: to_wire(&directory, gained),
        lost: to_wire(&directory, lost),
    }))
}

fn principals(
    (subject, (before, after)): (SubjectKey, (Vec<GroupName>, Vec<GroupName>)),
) -> (Principal, Principal) {
    let later = Principal {
        subject: subject.clone(),
        groups: after,
    };
    let groups = before;
    (Principal { subject, groups }, later)
}

fn changes(directory: &Directory, caller: &Caller, body: &AskPreview) -> Result<Vec<Change>, ApiError> {
    let added = body.add_rules.iter().map(|rule| added(directory, caller, rule));
    let removed = body.remove_rules.iter().map(|id| {
        held_somewhere(directory, caller, Action::Delete, None)?;
        may_delete(directory, caller, *id).map(|(rule, _)| Change::RemoveRule(rule.id))
    });
    added.chain(removed).collect()
}

fn added(directory: &Directory, caller: &Caller, rule: &CreateAccessRule) -> Result<Change, ApiError> {
    let role = RoleId::new(rule.role_id)
        .filter(|id| directory.index().role(*id).is_some())
        .ok_or_else(|| ApiError::not_found("role", rule.role_id))?;
    let scope = scope_of(rule.scope_type, &rule.scope_id)?;
    let hidden = || ApiError::not_found(rule.scope_type.as_str(), &rule.scope_id);
    held_somewhere(directory, caller, Action::Create, Some(scope))?;
    drop(directory.allow_grant(caller, role, scope, hidden)?);
    let subject = subject_of_rule(directory, caller, rule.subject_type, &rule.subject_id)?;
    Ok(Change::AddRule { subject, role, scope })
}

/// Those who would be in other groups. Which they are in is nothing but for who may read users.
fn regrouped(
    directory: &Directory,
    caller: &Caller,
    changes: &[GroupsChange],
    now: Timestamp,
) -> Result<People, ApiError> {
    let mut people = People::new();
    for change in changes {
        drop(directory.allow_in_account(caller, Action::Read, Entity::Users)?);
        let subject = subject_key(directory, caller, SubjectType::User, &change.user)?;
        let groups = groups_with_sessions(directory, &subject, now);
        let mut later = groups.clone();
        later.retain(|group| !change.leave.contains(group));
        later.extend(change.join.iter().cloned());
        if people.insert(subject.clone(), (groups, once(later))).is_some() {
            return Err(PreviewRefusal::UserTwice(subject).into());
        }
    }
    Ok(people)
}

fn groups_with_sessions(directory: &Directory, subject: &SubjectKey, now: Timestamp) -> Vec<GroupName> {
    match subject {
        SubjectKey::User(email) => groups_of(directory, email, now),
        SubjectKey::Group(_) | SubjectKey::ServiceAccount(_) => Vec::new(),
    }
}

/// Somebody whom a rule names; of a group, where the caller may know them, also the users with a session in it.
fn add_subject(
    directory: &Directory,
    people: &mut People,
    subject: SubjectKey,
    members: bool,
    now: Timestamp,
) {
    let mut found: BTreeMap<SubjectKey, Vec<GroupName>> = BTreeMap::new();
    if let (SubjectKey::Group(name), true) = (&subject, members) {
        let inside = directory
            .user_sessions(now)
            .filter(|(_, groups)| groups.contains(name));
        let inside: BTreeSet<&Email> = inside.map(|(user, _)| &user.email).collect();
        for (user, groups) in directory.user_sessions(now) {
            if inside.contains(&user.email) {
                let all = found.entry(SubjectKey::User(user.email.clone())).or_default();
                all.extend_from_slice(groups);
            }
        }
    }
    let own = if members {
        groups_with_sessions(directory, &subject, now)
    } else {
        Vec::new()
    };
    found.insert(subject, own);
    for (subject, groups) in found {
        let groups = once(groups);
        people.entry(subject).or_insert_with(|| (groups.clone(), groups));
    }
}

fn to_wire(directory: &Directory, reaches: BTreeMap<reeve_authz::Reach, BTreeSet<SubjectKey>>) -> Vec<Reach> {
    let shown = |(reach, subjects): (reeve_authz::Reach, BTreeSet<SubjectKey>)| Reach {
        subjects: subjects.iter().map(subject_ref).collect(),
        scope: scope_ref(directory, reach.scope),
        except: reach
            .except
            .into_iter()
            .map(|scope| scope_ref(directory, scope))
            .collect(),
        permissions: actions(reach.permissions),
    };
    reaches.into_iter().map(shown).collect()
}
