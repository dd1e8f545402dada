//! `reeve user offboard`, `reeve application offboard`, `reeve group offboard`: whoever leaves, in one call.

use reeve_api::access_rule::ScopeType;
use reeve_api::offboarding::{LeftCredentials, LeftWorkloads, Offboarding};
use serde_json::{Value, json};

use crate::Context;
use crate::args::{OffboardApplication, OffboardGroup, OffboardUser, Sure, Workloads};
use crate::failure::Failure;
use crate::http::Api;
use crate::printer::Printer;

/// Who leaves.
struct Leaver<'a> {
    kind: &'static str,
    name: &'a str,
    body: Value,
    /// Where those are listed who could be meant.
    hint: &'static str,
}

pub(super) async fn user(api: &Api, printer: &mut Printer, arguments: &OffboardUser) -> Result<(), Failure> {
    let leaver = Leaver {
        kind: "user",
        name: arguments.email.as_str(),
        body: body(
            ("user", arguments.email.as_str()),
            arguments.workloads,
            arguments.credentials,
        ),
        hint: "`reeve user list` shows the users",
    };
    leaver.leaves(api, printer, arguments.sure).await
}

pub(super) async fn application(
    api: &Api,
    printer: &mut Printer,
    arguments: &OffboardApplication,
) -> Result<(), Failure> {
    let leaver = Leaver {
        kind: "application",
        name: arguments.name.as_str(),
        body: body(
            ("serviceAccount", arguments.name.as_str()),
            arguments.workloads,
            arguments.credentials,
        ),
        hint: "`reeve application list` shows the applications",
    };
    leaver.leaves(api, printer, arguments.sure).await
}

pub(super) async fn group(context: &mut Context, arguments: OffboardGroup) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let leaver = Leaver {
        kind: "group",
        name: arguments.name.as_str(),
        body: json!({"group": arguments.name}),
        hint: "`reeve access-rule list` shows which groups have some",
    };
    leaver.leaves(&api, &mut context.printer, arguments.sure).await
}

/// A request without `dryRun`. Credentials are named in it only where they are to go: an older control plane knows no such field.
fn body((kind, name): (&str, &str), workloads: Workloads, credentials: Workloads) -> Value {
    let workloads = match workloads {
        Workloads::Delete => LeftWorkloads::Delete,
        Workloads::Leave => LeftWorkloads::Leave,
    };
    let mut body = json!({kind: name, "workloads": workloads});
    if let (Workloads::Delete, Some(fields)) = (credentials, body.as_object_mut()) {
        fields.insert("credentials".to_owned(), json!(LeftCredentials::Delete));
    }
    body
}

/// Where something is, in words.
fn place(scope: ScopeType, name: &str) -> String {
    match scope {
        ScopeType::Tenant => "the whole account".to_owned(),
        other => format!("{} {name}", other.as_str()),
    }
}

impl Leaver<'_> {
    async fn leaves(mut self, api: &Api, printer: &mut Printer, sure: Sure) -> Result<(), Failure> {
        let what = format!("cannot offboard {} `{}`", self.kind, self.name);
        if let Some(body) = self.body.as_object_mut() {
            body.insert("dryRun".to_owned(), json!(!sure.yes));
        }
        let done: Offboarding = api
            .post("/api/v1/offboarding", &self.body)
            .await
            .map_err(|error| error.explain(what.as_str()))?;
        printer.answer(&done, || self.told(&done))?;
        self.ended(what, sure, &done)
    }

    /// Whoever means to do it learns from the exit code that nothing was done.
    fn ended(&self, what: String, sure: Sure, done: &Offboarding) -> Result<(), Failure> {
        let nothing = done.id.is_none()
            && done.access_rules.is_empty()
            && done.sessions == 0
            && done.workloads.is_empty()
            && done.credentials.is_empty()
            && done.applications.is_empty();
        if nothing {
            let cause = match self.kind {
                "group" => "no access rule names it".to_owned(),
                kind => {
                    format!("there is no {kind} of that name, and nothing that one of that name left")
                }
            };
            return Err(Failure::refused(what).cause(cause).hint(self.hint));
        }
        if sure.yes || sure.dry_run {
            return Ok(());
        }
        Err(Failure::refused(what)
            .cause("nothing was done")
            .hint("--yes does it, --dry-run only shows it"))
    }

    fn told(&self, done: &Offboarding) -> String {
        let rules = done.access_rules.iter().map(|rule| {
            let place = place(rule.scope_type, &rule.scope_name);
            format!("  access rule {}: {} in {place}", rule.id, rule.role_name)
        });
        let workloads = done
            .workloads
            .iter()
            .map(|it| format!("  workload {} in project {}", it.name, it.project_name));
        let credentials = done.credentials.iter().map(|it| {
            let place = place(it.scope_type, &it.scope_name);
            format!("  credential {} ({}) of {place}", it.name, it.kind.slug())
        });
        let applications = done.applications.iter().map(|it| {
            format!(
                "  application {} stays: whoever made it has seen its secret",
                it.name
            )
        });
        let mut lines = vec![self.heading(done)];
        lines.extend(rules);
        lines.extend(workloads);
        lines.extend(credentials);
        lines.extend(applications);
        let left = &done.left;
        let there = if left.user || left.service_account {
            format!("the {}, ", self.kind)
        } else {
            String::new()
        };
        let what = if done.dry_run {
            "nothing was done; there are"
        } else {
            "left"
        };
        lines.push(match done.member_sessions {
            Some(_) => format!("{what}: {} access rules", left.access_rules),
            None => format!(
                "{what}: {there}{} access rules, {} sessions, {} workloads, {} credentials",
                left.access_rules, left.sessions, left.workloads, left.credentials
            ),
        });
        lines.join("\n")
    }

    fn heading(&self, done: &Offboarding) -> String {
        let (name, kind) = (self.name, self.kind);
        match (done.member_sessions, &done.id) {
            (Some(sessions), _) => {
                format!("{name}: group, shown by {sessions} sessions, which go on without its access rules")
            }
            (None, Some(_)) => format!("{name}: {kind}, {} sessions", done.sessions),
            (None, None) => format!(
                "{name}: there is no {kind} of that name, {} sessions",
                done.sessions
            ),
        }
    }
}
