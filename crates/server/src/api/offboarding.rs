//! `POST /api/v1/offboarding`: a user, an application or a group leaves, in one call.
//!
//! First the user or application goes, in one transaction with sessions and access rules, so that nothing more can be submitted; then, if
//! asked, each workload that there is and each credential that they made. Of a group the access rules go, one after the other: there is nothing else of it here, its
//! members are what an identity provider says. Every step is a change like any other, with its own permission and its own event, all of
//! them of this request. A call that breaks off is repeated: it finds what is left.

mod made;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::MethodRouter;
use reeve_api::list::ListQuery;
use reeve_api::offboarding::{
    Leaving, Left, LeftCredentials, LeftWorkload, LeftWorkloads, LostRule, Offboard, Offboarding,
    OffboardingOperation,
};
use reeve_authz::{Action, Entity, Principal, Reason, RoleId, Scope, SubjectKey, Visible};
use reeve_store::{AuditAction, StoreError, SubjectId, WorkloadSummary};
use reeve_types::{Email, GroupName, ServiceAccountId, UserId};

use crate::api::access_rules::delete::{delete as delete_rule, may_delete};
use crate::api::access_rules::scope_type;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::extract::JsonBody;
use crate::handler::to;
use made::{Made, Told};

/// The handler of each operation.
pub(crate) fn route(operation: OffboardingOperation) -> MethodRouter<Arc<App>> {
    let row = operation.row();
    match operation {
        OffboardingOperation::Offboard => to(row, handle),
    }
}

/// Why somebody is not offboarded.
#[derive(Debug, thiserror::Error)]
enum OffboardingRefusal {
    /// 400: neither an id nor an email.
    #[error("`user`: an email or the id of a user is needed")]
    NoUser,
    /// 400: neither an id nor a name.
    #[error("`serviceAccount`: the name or the id of an application is needed")]
    NoServiceAccount,
    /// 400: not what a group can be called.
    #[error("`group`: the name of a group is needed")]
    NoGroup,
    /// 409: the caller's own session would end in the middle.
    #[error("nobody offboards herself: ask another administrator")]
    Herself,
    /// 409: the caller's own rights could end in the middle.
    #[error(
        "your session shows this group, and what you may do can hang on it: ask an administrator who is not a member, or sign in \
         without it"
    )]
    OwnGroup,
}

impl Refusal for OffboardingRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoUser | Self::NoServiceAccount | Self::NoGroup => RefusalKind::Invalid,
            Self::Herself | Self::OwnGroup => RefusalKind::Conflict,
        }
    }
}

/// What there is of whoever leaves.
struct Found {
    id: Option<SubjectId>,
    rules: Vec<Reason>,
    sessions: usize,
    member_sessions: Option<usize>,
    workloads: Vec<WorkloadSummary>,
    made: Made,
}

/// What of it the caller may see.
struct Seen {
    workloads: Visible,
    made: Told,
}

/// Takes away all that somebody or something has, or says what that is.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<Offboard>,
) -> Result<Json<Offboarding>, ApiError> {
    let leaving = body.leaving()?;
    let delete_workloads = matches!(
        leaving,
        Leaving::User(_, LeftWorkloads::Delete) | Leaving::ServiceAccount(_, LeftWorkloads::Delete)
    );
    let delete_credentials = body.credentials == Some(LeftCredentials::Delete);
    let (subject, seen) = {
        let directory = app.directory();
        drop(directory.allow_in_account(&caller, Action::Delete, Entity::Users)?);
        match leaving {
            Leaving::User(..) => {}
            Leaving::ServiceAccount(..) => {
                drop(directory.allow_in_account(&caller, Action::Delete, Entity::ServiceAccount)?);
            }
            Leaving::Group(_) => {
                drop(directory.allow_in_account(&caller, Action::Delete, Entity::AccessRules)?);
            }
        }
        if delete_workloads {
            drop(directory.allow_in_account(&caller, Action::Delete, Entity::Trainings)?);
        }
        if delete_credentials {
            drop(directory.allow_in_account(&caller, Action::Delete, Entity::Credentials)?);
        }
        // Who deletes users of the account is told what they have; of workloads and of what they made, what the caller may see.
        let seen = Seen {
            workloads: directory.visible(&caller, Entity::Workloads)?,
            made: Told::to(&directory, &caller),
        };
        (subject(&directory, leaving)?, seen)
    };
    not_oneself(&caller, &subject)?;
    let mut before = find(&app, &seen, &subject).await?;
    if body.dry_run {
        would(&app, &caller, &subject, &before).await?;
    } else {
        remove(&app, &caller, &call, &subject).await?;
        if delete_workloads {
            // Looked for again: until the user was gone there could be more.
            for workload in workloads(&app, &seen.workloads, &subject).await? {
                delete_workload(&app, &caller, &call, &workload).await?;
                if before.workloads.iter().all(|known| known.id != workload.id) {
                    before.workloads.push(workload);
                }
            }
        }
        if delete_credentials {
            for credential in made::find(&app, &seen.made, &subject).await?.credentials {
                made::delete_credential(&app, &caller, &call, &credential).await?;
                let known = &mut before.made.credentials;
                if known.iter().all(|known| known.id != credential.id) {
                    known.push(credential);
                }
            }
        }
    }
    let after = find(&app, &seen, &subject).await?;
    let answer = report(&app.directory(), body.dry_run, subject, before, &after);
    Ok(Json(answer))
}

/// Who or what leaves, as access rules name it.
fn subject(directory: &Directory, leaving: Leaving<'_>) -> Result<SubjectKey, ApiError> {
    match leaving {
        Leaving::User(user, _) => {
            if let Ok(id) = user.parse::<UserId>() {
                let user = directory.user(id);
                let user = user.ok_or_else(|| ApiError::not_found("user", id))?;
                return Ok(SubjectKey::User(user.email.clone()));
            }
            let email = user.parse().map_err(|_| OffboardingRefusal::NoUser)?;
            Ok(SubjectKey::User(email))
        }
        Leaving::ServiceAccount(account, _) => {
            let id = account.parse::<ServiceAccountId>().ok();
            if let Some(account) = id.and_then(|id| directory.service_account(id)) {
                return Ok(SubjectKey::ServiceAccount(account.name.clone()));
            }
            let name = account.parse().map_err(|_| OffboardingRefusal::NoServiceAccount);
            match (id, name) {
                // A name can look like an id.
                (Some(id), Ok(name)) if directory.service_account_named(&name).is_none() => {
                    Err(ApiError::not_found("service account", id))
                }
                (Some(id), Err(_)) => Err(ApiError::not_found("service account", id)),
                (_, name) => Ok(SubjectKey::ServiceAccount(name?)),
            }
        }
        Leaving::Group(group) => {
            let group: GroupName = group.parse().map_err(|_| OffboardingRefusal::NoGroup)?;
            Ok(SubjectKey::Group(group))
        }
    }
}

/// Nothing is begun that the caller could not end.
fn not_oneself(caller: &Caller, subject: &SubjectKey) -> Result<(), OffboardingRefusal> {
    match subject {
        SubjectKey::Group(group) if caller.principal.groups.contains(group) => {
            Err(OffboardingRefusal::OwnGroup)
        }
        subject if caller.principal.subject == *subject => Err(OffboardingRefusal::Herself),
        _ => Ok(()),
    }
}

fn report(
    directory: &Directory,
    dry_run: bool,
    subject: SubjectKey,
    before: Found,
    after: &Found,
) -> Offboarding {
    let (mut username, mut service_account, mut group) = (None, None, None);
    match subject {
        SubjectKey::User(email) => username = Some(email),
        SubjectKey::ServiceAccount(name) => service_account = Some(name),
        SubjectKey::Group(name) => group = Some(name.to_string()),
    }
    Offboarding {
        dry_run,
        username,
        service_account,
        group,
        id: before.id.map(|id| match id {
            SubjectId::User(id) => id.to_string(),
            SubjectId::ServiceAccount(id) => id.to_string(),
        }),
        access_rules: before.rules.iter().map(|rule| lost(directory, rule)).collect(),
        sessions: before.sessions,
        member_sessions: before.member_sessions,
        workloads: before.workloads.into_iter().map(left_workload).collect(),
        credentials: before
            .made
            .credentials
            .iter()
            .map(|it| made::credential(directory, it))
            .collect(),
        applications: before.made.applications.iter().map(made::application).collect(),
        left: Left {
            user: matches!(after.id, Some(SubjectId::User(_))),
            service_account: matches!(after.id, Some(SubjectId::ServiceAccount(_))),
            access_rules: after.rules.len(),
            sessions: after.sessions,
            workloads: after.workloads.len(),
            credentials: after.made.credentials.len(),
        },
    }
}

async fn find(app: &App, seen: &Seen, subject: &SubjectKey) -> Result<Found, ApiError> {
    let workloads = workloads(app, &seen.workloads, subject).await?;
    let made = made::find(app, &seen.made, subject).await?;
    let directory = app.directory();
    let now = app.clock.now();
    let (id, rules) = known(&directory, subject);
    let member_sessions = match subject {
        SubjectKey::Group(group) => Some(
            directory
                .user_sessions(now)
                .filter(|(_, groups)| groups.contains(group))
                .count(),
        ),
        SubjectKey::User(_) | SubjectKey::ServiceAccount(_) => None,
    };
    Ok(Found {
        id,
        rules,
        sessions: id.map_or(0, |id| directory.sessions_of(id, now)),
        member_sessions,
        workloads,
        made,
    })
}

/// Whoever has this name, and the rules that name it, those of a disabled application too.
fn known(directory: &Directory, subject: &SubjectKey) -> (Option<SubjectId>, Vec<Reason>) {
    let mut rules = directory.index().what_can(&Principal::alone(subject.clone()));
    rules.sort_unstable_by_key(|rule| rule.rule);
    let id = match subject {
        SubjectKey::User(email) => directory
            .user_by_email(email)
            .map(|user| SubjectId::User(user.id)),
        SubjectKey::ServiceAccount(name) => directory
            .service_account_named(name)
            .map(|account| SubjectId::ServiceAccount(account.id)),
        SubjectKey::Group(_) => None,
    };
    (id, rules)
}

/// Refuses what the call itself would refuse, so that a dry run promises nothing else.
async fn would(app: &App, caller: &Caller, subject: &SubjectKey, found: &Found) -> Result<(), ApiError> {
    match subject {
        SubjectKey::User(email) => keeps_an_administrator(app, email).await,
        SubjectKey::ServiceAccount(_) => Ok(()),
        SubjectKey::Group(_) => may_delete_all(&app.directory(), caller, &found.rules),
    }
}

fn may_delete_all(directory: &Directory, caller: &Caller, rules: &[Reason]) -> Result<(), ApiError> {
    rules
        .iter()
        .try_for_each(|rule| may_delete(directory, caller, rule.rule).map(drop))
}

/// Whatever is there of it but workloads; nothing where there is nothing.
async fn remove(app: &Arc<App>, caller: &Caller, call: &Call, subject: &SubjectKey) -> Result<(), ApiError> {
    let (id, rules) = known(&app.directory(), subject);
    match (subject, id) {
        (SubjectKey::Group(_), _) => remove_rules(app, caller, call, subject, rules).await,
        (_, Some(id)) => remove_subject(app, caller, call, id).await,
        // No rule can name it, either.
        (_, None) => Ok(()),
    }
}

/// All that name a group. None goes before it is known that all may.
async fn remove_rules(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    subject: &SubjectKey,
    mut rules: Vec<Reason>,
) -> Result<(), ApiError> {
    // Once more for those that were made meanwhile; whoever goes on making some is told by what is left.
    for _ in 0..2 {
        may_delete_all(&app.directory(), caller, &rules)?;
        for rule in &rules {
            match delete_rule(app, caller.clone(), call.clone(), rule.rule).await {
                // Somebody else was faster.
                Ok(_) | Err(ApiError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        (_, rules) = known(&app.directory(), subject);
    }
    Ok(())
}

/// Refuses what the deletion would: somebody without whom the account would have no local System administrator.
async fn keeps_an_administrator(app: &App, leaving: &Email) -> Result<(), ApiError> {
    let administrators: Vec<Email> = {
        let rules = app.directory().index().rules_reaching(Scope::Account);
        let administer = rules
            .into_iter()
            .filter(|rule| rule.role == RoleId::SYSTEM_ADMINISTRATOR);
        administer
            .filter_map(|rule| match rule.subject {
                SubjectKey::User(email) => Some(email),
                SubjectKey::Group(_) | SubjectKey::ServiceAccount(_) => None,
            })
            .collect()
    };
    if !administrators.contains(leaving) {
        return Ok(());
    }
    for other in administrators.iter().filter(|other| *other != leaving) {
        if app.store.password_verifier(other).await?.is_some() {
            return Ok(());
        }
    }
    Err(StoreError::LastAdministrator.into())
}

/// All that somebody submitted, page by page. A group submits nothing.
async fn workloads(
    app: &App,
    visible: &Visible,
    subject: &SubjectKey,
) -> Result<Vec<WorkloadSummary>, ApiError> {
    let name = match subject {
        SubjectKey::User(email) => email.to_string(),
        SubjectKey::ServiceAccount(name) => name.to_string(),
        SubjectKey::Group(_) => return Ok(Vec::new()),
    };
    let mut all = Vec::new();
    let mut next = Some(0);
    while let Some(offset) = next {
        let pairs = [
            ("filterBy", format!("submittedBy=={name}")),
            ("limit", "500".to_owned()),
            ("offset", offset.to_string()),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
        let page = app.store.workloads(visible, &ListQuery::parse(&pairs)?).await?;
        next = page.next.filter(|next| *next > offset);
        all.extend(page.items.into_iter().filter(|it| it.submitted_by == name));
    }
    Ok(all)
}

/// A user or application, with sessions and rules.
async fn remove_subject(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    subject: SubjectId,
) -> Result<(), ApiError> {
    let (asker, caller, call) = (caller.asker(), caller.clone(), call.clone());
    let entity = match subject {
        SubjectId::User(_) => Entity::Users,
        SubjectId::ServiceAccount(_) => Entity::ServiceAccount,
    };
    let done = app
        .revoke(asker, move |app| async move {
            let granted = app
                .directory()
                .allow_in_account(&caller, Action::Delete, entity)?;
            let entry = call.entry(&caller, &granted, AuditAction::Delete);
            // Now, not when the request arrived: a token may have been given while it waited for its turn.
            let at = app.clock.now();
            Ok(match subject {
                SubjectId::User(id) => app.store.delete_user(&granted, id, at, entry).await?,
                SubjectId::ServiceAccount(id) => {
                    app.store.delete_service_account(&granted, id, at, entry).await?
                }
            })
        })
        .await;
    match done {
        // Somebody else was faster.
        Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn delete_workload(
    app: &Arc<App>,
    caller: &Caller,
    call: &Call,
    workload: &WorkloadSummary,
) -> Result<(), ApiError> {
    let (asker, caller, call) = (caller.asker(), caller.clone(), call.clone());
    let (id, scope) = (workload.id, Scope::Project(workload.project_id));
    let done = app
        .revoke(asker, move |app| async move {
            let hidden = || ApiError::not_found("training", id);
            let kind = Entity::Trainings;
            let granted = app
                .directory()
                .allow(&caller, Action::Delete, kind, scope, kind, hidden)?;
            let mut entry = call.entry(&caller, &granted, AuditAction::Delete);
            entry.cluster_id = app.directory().cluster_of(scope);
            Ok(app.store.delete_workload(&granted, id, entry).await?)
        })
        .await;
    match done {
        Err(ApiError::NotFound { .. }) => Ok(()),
        done => done,
    }
}

fn lost(directory: &Directory, rule: &Reason) -> LostRule {
    LostRule {
        id: rule.rule,
        role_name: rule.role.display_name().to_owned(),
        scope_type: scope_type(rule.at),
        scope_id: rule.at.wire_id(),
        scope_name: directory.short_name(rule.at),
    }
}

fn left_workload(row: WorkloadSummary) -> LeftWorkload {
    LeftWorkload {
        id: row.id,
        name: row.name.to_string(),
        project_id: row.project_id,
        project_name: row.project_name.to_string(),
    }
}
