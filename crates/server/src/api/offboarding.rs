//! `POST /api/v1/offboarding`: somebody leaves, in one call.
//!
//! First the user goes, in one transaction with sessions and access rules, so that nothing more can be submitted; then, if
//! asked, each workload that there is. Every step is a change like any other, with its own permission and its own event, all of
//! them of this request. A call that breaks off is repeated: it finds what is left.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::MethodRouter;
use reeve_api::list::ListQuery;
use reeve_api::offboarding::{
    Left, LeftWorkload, LeftWorkloads, LostRule, Offboard, Offboarding, OffboardingOperation,
};
use reeve_authz::{Action, Entity, Principal, Reason, RoleId, Scope, SubjectKey, Visible};
use reeve_store::{AuditAction, StoreError, WorkloadSummary};
use reeve_types::{Email, UserId};

use crate::api::access_rules::scope_type;
use crate::app::App;
use crate::caller::{Call, Caller};
use crate::directory::Directory;
use crate::error::{ApiError, Refusal, RefusalKind};
use crate::extract::JsonBody;
use crate::handler::to;

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
    /// 409: the caller's own session would end in the middle.
    #[error("nobody offboards herself: ask another administrator")]
    Herself,
}

impl Refusal for OffboardingRefusal {
    fn kind(&self) -> RefusalKind {
        match self {
            Self::NoUser => RefusalKind::Invalid,
            Self::Herself => RefusalKind::Conflict,
        }
    }
}

/// What there is of somebody.
struct Found {
    id: Option<UserId>,
    rules: Vec<Reason>,
    sessions: usize,
    workloads: Vec<WorkloadSummary>,
}

/// Takes away all that somebody has, or says what that is.
pub async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    call: Call,
    JsonBody(body): JsonBody<Offboard>,
) -> Result<Json<Offboarding>, ApiError> {
    let delete_workloads = body.workloads == LeftWorkloads::Delete;
    let (email, visible) = {
        let directory = app.directory();
        drop(directory.allow_in_account(&caller, Action::Delete, Entity::Users)?);
        if delete_workloads {
            drop(directory.allow_in_account(&caller, Action::Delete, Entity::Trainings)?);
        }
        // Who deletes users of the account is told what they have; of workloads, those that the caller may see.
        let visible = directory.visible(&caller, Entity::Workloads)?;
        (email(&directory, &body.user)?, visible)
    };
    if caller.principal.subject == SubjectKey::User(email.clone()) {
        return Err(OffboardingRefusal::Herself.into());
    }
    let mut before = find(&app, &visible, &email).await?;
    if body.dry_run {
        keeps_an_administrator(&app, &email).await?;
    } else {
        remove_user(&app, &caller, &call, &email).await?;
        if delete_workloads {
            // Looked for again: until the user was gone there could be more.
            for workload in workloads(&app, &visible, &email).await? {
                delete_workload(&app, &caller, &call, &workload).await?;
                if before.workloads.iter().all(|known| known.id != workload.id) {
                    before.workloads.push(workload);
                }
            }
        }
    }
    let after = find(&app, &visible, &email).await?;
    let directory = app.directory();
    Ok(Json(Offboarding {
        dry_run: body.dry_run,
        username: email,
        id: before.id,
        access_rules: before.rules.iter().map(|rule| lost(&directory, rule)).collect(),
        sessions: before.sessions,
        workloads: before.workloads.into_iter().map(left_workload).collect(),
        left: Left {
            user: after.id.is_some(),
            access_rules: after.rules.len(),
            sessions: after.sessions,
            workloads: after.workloads.len(),
        },
    }))
}

fn email(directory: &Directory, user: &str) -> Result<Email, ApiError> {
    if let Ok(id) = user.parse::<UserId>() {
        let user = directory.user(id);
        return Ok(user.ok_or_else(|| ApiError::not_found("user", id))?.email.clone());
    }
    Ok(user.parse().map_err(|_| OffboardingRefusal::NoUser)?)
}

async fn find(app: &App, visible: &Visible, email: &Email) -> Result<Found, ApiError> {
    let workloads = workloads(app, visible, email).await?;
    let directory = app.directory();
    let (id, rules) = known(&directory, email);
    let open = directory.user_sessions(app.clock.now());
    Ok(Found {
        id,
        rules,
        sessions: open.filter(|(user, _)| user.email == *email).count(),
        workloads,
    })
}

/// The user of this name, and the rules that name her.
fn known(directory: &Directory, email: &Email) -> (Option<UserId>, Vec<Reason>) {
    let named = Principal::alone(SubjectKey::User(email.clone()));
    let mut rules = directory.index().what_can(&named);
    rules.sort_unstable_by_key(|rule| rule.rule);
    (directory.user_by_email(email).map(|user| user.id), rules)
}

/// Refuses what the deletion would refuse, so that a dry run promises nothing else: somebody without whom the account would have no
/// local System administrator.
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

/// All that somebody submitted, page by page.
async fn workloads(app: &App, visible: &Visible, email: &Email) -> Result<Vec<WorkloadSummary>, ApiError> {
    let mut all = Vec::new();
    let mut next = Some(0);
    while let Some(offset) = next {
        let pairs = [
            ("filterBy", format!("submittedBy=={email}")),
            ("limit", "500".to_owned()),
            ("offset", offset.to_string()),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
        let page = app.store.workloads(visible, &ListQuery::parse(&pairs)?).await?;
        next = page.next.filter(|next| *next > offset);
        all.extend(
            page.items
                .into_iter()
                .filter(|it| it.submitted_by == email.as_str()),
        );
    }
    Ok(all)
}

/// The user, with sessions and rules; nothing where there is no user of that name, whom no rule can name either.
async fn remove_user(app: &Arc<App>, caller: &Caller, call: &Call, email: &Email) -> Result<(), ApiError> {
    let (id, _) = known(&app.directory(), email);
    let Some(id) = id else {
        return Ok(());
    };
    let (asker, caller, call) = (caller.asker(), caller.clone(), call.clone());
    let done = app
        .revoke(asker, move |app| async move {
            let granted = app
                .directory()
                .allow_in_account(&caller, Action::Delete, Entity::Users)?;
            let entry = call.entry(&caller, &granted, AuditAction::Delete);
            // Now, not when the request arrived: a token may have been given while it waited for its turn.
            let at = app.clock.now();
            Ok(app.store.delete_user(&granted, id, at, entry).await?)
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
