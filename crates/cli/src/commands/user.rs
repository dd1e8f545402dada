//! `reeve user`: users of the account.

use reeve_api::access_rule::ScopeType;
use reeve_api::offboarding::{LeftWorkloads, Offboarding};
use reeve_api::user::{CreatedUser, User};
use reeve_types::Email;
use serde_json::json;

use super::objects::{self, Object};
use crate::Context;
use crate::args::{self, CreateUser, OffboardUser, Workloads};
use crate::failure::Failure;
use crate::http::Api;

pub(super) const BASE: &str = "/api/v1/users";

impl Object for User {
    const KIND: &'static str = "user";

    fn name(&self) -> String {
        self.username.to_string()
    }

    fn cells(&self) -> Vec<(&'static str, String)> {
        let kind = match self.is_local {
            Some(true) => "local",
            Some(false) => "sso",
            None => "",
        };
        let numbers = self.posix.as_ref();
        vec![
            ("USER", self.username.to_string()),
            ("TYPE", kind.to_owned()),
            ("GROUPS", self.groups.as_deref().unwrap_or_default().join(",")),
            (
                "UID:GID",
                numbers.map_or_else(String::new, |it| format!("{}:{}", it.uid(), it.gid())),
            ),
            (
                "LAST LOGIN",
                self.last_login
                    .map_or_else(|| "never".to_owned(), |at| at.to_string()),
            ),
            ("ID", self.id.to_string()),
        ]
    }
}

pub(super) async fn run(context: &mut Context, command: args::User) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now())?;
    let printer = &mut context.printer;
    match command {
        args::User::List => {
            let found = all(&api, &[("sortBy", "username")], "cannot list users").await?;
            objects::list(printer, &found)
        }
        args::User::Get(one) => {
            let what = format!("cannot show user `{}`", one.email);
            objects::show(printer, &find(&api, &one.email, &what).await?, "")
        }
        args::User::Create(arguments) => {
            let made = create(&api, &arguments).await?;
            printer.answer(&made, || {
                format!(
                    "made user `{}`: {}\ntemporary password, shown once: {}",
                    made.username,
                    made.id,
                    made.temp_password.expose()
                )
            })
        }
        args::User::Offboard(arguments) => {
            let done = offboard(&api, &arguments).await?;
            printer.answer(&done, || offboarded(&done))?;
            ended(&arguments, &done)
        }
        args::User::Delete(one) => {
            let what = format!("cannot delete user `{}`", one.email);
            let found = find(&api, &one.email, &what).await?;
            let path = format!("{BASE}/{}", found.id);
            let (): () = api.delete(&path).await.map_err(|error| error.explain(what))?;
            let said = format!("user `{}` is deleted, with sessions and access rules", one.email);
            objects::deleted::<User>(printer, &[found.name()], &said)
        }
    }
}

/// All of them, or those that a query lets through.
pub(super) async fn all(api: &Api, query: &[(&str, &str)], what: &str) -> Result<Vec<User>, Failure> {
    let mut all: Vec<User> = Vec::new();
    loop {
        let offset = all.len().to_string();
        let mut pairs = query.to_vec();
        pairs.extend([("limit", "500"), ("offset", offset.as_str())]);
        let page: Vec<User> = api.get(BASE, &pairs).await.map_err(|error| error.explain(what))?;
        let last = page.len() < 500;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}

async fn find(api: &Api, email: &Email, what: &str) -> Result<User, Failure> {
    let filter = format!("username=={email}");
    let found = all(api, &[("filterBy", &filter)], what).await?;
    found
        .into_iter()
        .find(|user| user.username == *email)
        .ok_or_else(|| {
            Failure::refused(what)
                .cause(format!("there is no user `{email}` that you can see"))
                .hint("`reeve user list` shows them")
        })
}

async fn create(api: &Api, arguments: &CreateUser) -> Result<CreatedUser, Failure> {
    let posix = arguments.uid.zip(arguments.gid).map(|(uid, gid)| {
        let groups = arguments.groups.as_ref().map(|names| names.0.as_slice());
        json!({"uid": uid, "gid": gid, "supplementaryGroups": groups.unwrap_or_default()})
    });
    api.post(BASE, &json!({"email": arguments.email, "posix": posix}))
        .await
        .map_err(|error| error.explain(format!("cannot make user `{}`", arguments.email)))
}

async fn offboard(api: &Api, arguments: &OffboardUser) -> Result<Offboarding, Failure> {
    let workloads = match arguments.workloads {
        Workloads::Delete => LeftWorkloads::Delete,
        Workloads::Leave => LeftWorkloads::Leave,
    };
    let body = json!({"user": arguments.email, "workloads": workloads, "dryRun": !arguments.yes});
    api.post("/api/v1/offboarding", &body)
        .await
        .map_err(|error| error.explain(format!("cannot offboard `{}`", arguments.email)))
}

/// Whoever means to do it learns from the exit code that nothing was done.
fn ended(arguments: &OffboardUser, done: &Offboarding) -> Result<(), Failure> {
    let what = format!("cannot offboard `{}`", arguments.email);
    if done.id.is_none() && done.access_rules.is_empty() && done.sessions == 0 && done.workloads.is_empty() {
        return Err(Failure::refused(what)
            .cause("there is no user of that name, and nothing that somebody of that name left")
            .hint("`reeve user list` shows the users"));
    }
    if arguments.yes || arguments.dry_run {
        return Ok(());
    }
    Err(Failure::refused(what)
        .cause("nothing was done")
        .hint("--yes does it, --dry-run only shows it"))
}

fn offboarded(done: &Offboarding) -> String {
    let rules = done.access_rules.iter().map(|rule| {
        let place = match rule.scope_type {
            ScopeType::Tenant => "the whole account".to_owned(),
            other => format!("{} {}", other.as_str(), rule.scope_name),
        };
        format!("  access rule {}: {} in {place}", rule.id, rule.role_name)
    });
    let workloads = done
        .workloads
        .iter()
        .map(|it| format!("  workload {} in project {}", it.name, it.project_name));
    let user = if done.id.is_some() {
        "user"
    } else {
        "there is no user of that name"
    };
    let mut lines = vec![format!("{}: {user}, {} sessions", done.username, done.sessions)];
    lines.extend(rules);
    lines.extend(workloads);
    let left = &done.left;
    lines.push(format!(
        "{}: {}{} access rules, {} sessions, {} workloads",
        if done.dry_run {
            "nothing was done; there are"
        } else {
            "left"
        },
        if left.user { "the user, " } else { "" },
        left.access_rules,
        left.sessions,
        left.workloads
    ));
    lines.join("\n")
}
