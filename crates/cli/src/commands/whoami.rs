//! `reeve whoami`.

use reeve_api::access_rule::ScopeType;
use reeve_api::me::{HeldRole, Me, PosixGiver};

use crate::Context;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let me: Me = api
        .get("/api/v1/me", &[])
        .await
        .map_err(|error| error.explain("cannot find out who you are"))?;
    context.printer.answer(&me, || people(&me))
}

fn people(me: &Me) -> String {
    let mut lines = vec![format!("user    {}", me.username), format!("id      {}", me.id)];
    if !me.groups.is_empty() {
        lines.push(format!(
            "groups  {} (from the identity provider)",
            me.groups.join(", ")
        ));
    }
    let posix = me.posix.as_ref().map(|posix| {
        let groups: Vec<_> = posix
            .supplementary_groups()
            .iter()
            .map(ToString::to_string)
            .collect();
        let more = if groups.is_empty() {
            String::new()
        } else {
            format!(" supplementary groups={}", groups.join(","))
        };
        let from = match me.posix_source {
            Some(PosixGiver::Administrator) => " (set by an administrator)",
            Some(PosixGiver::IdentityProvider) => " (from the identity provider)",
            None => "",
        };
        format!("uid={} gid={}{more}{from}", posix.uid(), posix.gid())
    });
    lines.push(format!(
        "linux   {}",
        posix.unwrap_or_else(|| "no identity: an administrator can set one".to_owned())
    ));
    let roles: Vec<_> = me.roles.iter().map(role).collect();
    lines.push(format!(
        "roles   {}",
        if roles.is_empty() {
            "none".to_owned()
        } else {
            roles.join("\n        ")
        }
    ));
    if me.must_change_password {
        lines.push("password is temporary: choose another by `reeve login user -u EMAIL`".to_owned());
    }
    lines.join("\n")
}

fn role(role: &HeldRole) -> String {
    let through = role
        .through_group
        .as_ref()
        .map(|group| format!(" through group {group}"))
        .unwrap_or_default();
    // People say account where the wire says tenant; there is but one.
    let scope = match role.scope_type {
        ScopeType::Tenant => "the whole account".to_owned(),
        other => format!("{} {}", other.as_str(), role.scope_name),
    };
    format!("{} in {scope}{through}", role.role_name)
}
