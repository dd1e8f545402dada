//! The table of rights for whoever reviews it before anything is installed: as text, as HTML, and as the page of the docs.

mod beside;

use std::fmt::Write;

use reeve_admission::names;
use reeve_types::{Switch, Switches};
use serde::Serialize;

use crate::operator::{self, Grant, Reach};
use crate::{chart, rbac};

/// What a cluster is to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Platform {
    /// Any.
    Kubernetes,
    /// OpenShift.
    OpenShift,
    /// Any on which no SecurityContextConstraints may be installed, and every namespace enforces Pod Security `restricted`.
    Restricted,
}

impl Platform {
    /// All.
    pub const ALL: [Self; 3] = [Self::Kubernetes, Self::OpenShift, Self::Restricted];

    /// The platform in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::OpenShift => "openshift",
            Self::Restricted => "restricted",
        }
    }

    /// What the platform adds to the rights or takes from them.
    pub const fn note(self) -> &'static str {
        match self {
            Self::Kubernetes => "The operator holds the same on every platform.",
            Self::OpenShift => {
                "The operator holds the same as on every platform: it may neither use nor write SecurityContextConstraints. What pods \
                 may use of them is in templates/ocp of the chart, and left out with openShift.securityContextConstraints.create=false."
            }
            Self::Restricted => {
                "The operator holds the same as on every platform, and runs under Pod Security restricted."
            }
        }
    }
}

/// What no table of rights ever says; a test asks the table.
const NEVER: &str = "Never, on any platform and with any switch: a wildcard, escalate, impersonate, bind without the names of what \
     may be bound, deletecollection of anything but Secrets (of which a policy, R26, leaves it those that it wrote), a verb on Secrets of \
     the whole cluster, a write of admission policies or webhooks.";

/// Who holds what is in the table.
const HOLDER: &str = names::OPERATOR_SERVICE_ACCOUNT;

/// One right, as a line of words.
fn right(grant: &Grant) -> String {
    let group = if grant.group.is_empty() {
        String::new()
    } else {
        format!(" ({})", grant.group)
    };
    let names = if grant.names.is_empty() {
        String::new()
    } else {
        format!(", only {}", grant.names.join(", "))
    };
    format!(
        "{} {}{group}{names}",
        grant.verbs.join(", "),
        grant.resources.join(", ")
    )
}

/// Where a right holds, in words.
const fn place(reach: Reach) -> &'static str {
    match reach {
        Reach::Cluster => "in the whole cluster",
        Reach::Projects => "in the namespaces of projects",
        Reach::System => "in reeve-system",
        Reach::Sources => "in reeve-secrets",
        Reach::Reference => "in runai",
        Reach::Default => "in default",
    }
}

/// What takes a right away, in words.
fn removed_by(grant: &Grant) -> String {
    match (grant.switch, grant.with) {
        (None, _) => "nothing: always held".to_owned(),
        (Some(switch), None) => format!("{} off", switch.key()),
        (Some(switch), Some(with)) => format!("{} off, or {} off", switch.key(), with.key()),
    }
}

/// Which rights are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those that are given.
    Given,
    /// What these switches take away from everything.
    Removed,
}

impl Shown {
    fn is_shown(self, grant: &Grant, switches: Switches) -> bool {
        grant.is_given(switches) == (self == Self::Given)
    }
}

/// The roles with what is shown of each: name, place, and its rights.
fn roles(switches: Switches, shown: Shown) -> Vec<(String, Reach, Vec<&'static Grant>)> {
    let each = rbac::PARTS
        .into_iter()
        .flat_map(|part| Reach::ALL.map(|reach| (part, reach)));
    each.map(|(part, reach)| {
        let grants = operator::of_role(reach, part).into_iter();
        let grants = grants.filter(|grant| shown.is_shown(grant, switches)).collect();
        (operator::role_name(reach, part), reach, grants)
    })
    .filter(|(_, _, grants): &(_, _, Vec<_>)| !grants.is_empty())
    .collect()
}

/// One right, for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionRow {
    /// The ClusterRole or Role that it is in.
    pub role: String,
    /// Whose it is: a ServiceAccount of ours, or pods of projects.
    pub held_by: &'static str,
    /// Where it holds.
    pub place: &'static str,
    /// The API group; empty is the core group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// Only objects of these names; empty for all.
    pub names: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Why.
    pub because: &'static str,
    /// The keys of the switches, or the value of the chart, each of which takes it away; empty for what is always held.
    pub removed_by: Vec<&'static str>,
}

/// For a program.
pub fn permission_rows(switches: Switches, platform: Platform, shown: Shown) -> Vec<PermissionRow> {
    let row = |role: &str, held_by, grant: &Grant, removed_by| PermissionRow {
        role: role.to_owned(),
        held_by,
        place: place(grant.reach),
        group: grant.group,
        resources: grant.resources,
        names: grant.names,
        verbs: grant.verbs,
        because: grant.because,
        removed_by,
    };
    let mut rows = Vec::new();
    for (name, _, grants) in roles(switches, shown) {
        rows.extend(grants.into_iter().map(|grant| {
            let keys = [grant.switch, grant.with].into_iter().flatten();
            row(&name, HOLDER, grant, keys.map(Switch::key).collect())
        }));
    }
    for beside in beside_of(platform, shown) {
        let rights = beside.grants.iter();
        rows.extend(rights.map(|grant| row(beside.role, beside.held_by, grant, vec![beside.removed_by])));
    }
    rows
}

/// What is shown of what is beside the table: no switch takes anything of it away.
fn beside_of(platform: Platform, shown: Shown) -> impl Iterator<Item = &'static beside::Beside> {
    beside::on(platform).filter(move |_| shown == Shown::Given)
}

/// For a terminal.
pub fn permissions_text(switches: Switches, platform: Platform, shown: Shown) -> String {
    let (what, mark) = match shown {
        Shown::Given => ("What the operator may do", ""),
        Shown::Removed => ("What the operator may not do any more", "- "),
    };
    let mut text = format!(
        "{what} with {switches} on {}.\n{}\n",
        platform.as_str(),
        platform.note()
    );
    for (name, reach, grants) in roles(switches, shown) {
        let _ = writeln!(text, "\n{name}, {}:", place(reach));
        for grant in grants {
            let _ = writeln!(
                text,
                "  {mark}{}\n      why: {}\n      removed by: {}",
                right(grant),
                grant.because,
                removed_by(grant)
            );
        }
    }
    if shown == Shown::Given {
        text += &beside::text(platform);
        let _ = writeln!(text, "\n{}\n\n{NEVER}", beside::UNBOUND);
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// For a browser, or to be handed on: one file without anything from elsewhere.
pub fn permissions_html(switches: Switches, platform: Platform, shown: Shown) -> String {
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Permissions of the Reeve operator</title>\n\
         <style>body{{font-family:sans-serif}}td,th{{text-align:left;vertical-align:top;padding:.3em .6em;border:1px solid \
         #bbb}}table{{border-collapse:collapse}}</style>\n<h1>Permissions of the Reeve operator</h1>\n<p>{} with {} on {}. \
         {}</p>\n<table>\n<tr><th>Role</th><th>Where</th><th>Right</th><th>Why</th><th>Removed by</th></tr>\n",
        if shown == Shown::Given {
            "What it may do"
        } else {
            "What it may not do any more"
        },
        escaped(&switches.to_string()),
        platform.as_str(),
        escaped(platform.note()),
    );
    let row = |role: &str, grant: &Grant, removed_by: &str| {
        let cells = [role, place(grant.reach), &right(grant), grant.because, removed_by];
        let cells = cells.iter().map(|it| format!("<td>{}</td>", escaped(it)));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    for (name, _, grants) in roles(switches, shown) {
        let rows = grants.iter().map(|grant| row(&name, grant, &removed_by(grant)));
        text.extend(rows);
    }
    for beside in beside_of(platform, shown) {
        let role = format!("{}, held by {}", beside.role, beside.held_by);
        let rows = beside.grants.iter();
        text.extend(rows.map(|grant| row(&role, grant, beside.removed_by)));
    }
    text += "</table>\n";
    if shown == Shown::Given {
        let _ = writeln!(text, "<p>{}</p>", escaped(beside::UNBOUND));
    }
    let _ = write!(text, "<p>{}</p>\n</html>\n", escaped(NEVER));
    text
}

const HEAD: &str = "# What the operator may do in a cluster

Generated from the table of rights by `cargo xtask gen`; do not edit. For a security officer, before anything is installed. The same \
for a set of switches: `reeve cluster permissions --switch createNamespaces=off` (`-o yaml` and `-o html` for the objects and for a \
file to hand on, `--diff` for what the switches take away). It needs no cluster and no control plane.

The chart has a file for what is always held and one for each switch, in `charts/reeve-cluster/templates/clusterroles`; `helm template` \
renders them, with the reason above each rule. Rights in namespaces are ClusterRoles that are bound in the namespaces of projects only: by \
the operator itself while automatic user assignment is on, where a policy holds it to projects and to these roles ([R11](rules.md)), by \
the installers otherwise.

";

/// `docs/security/cluster-permissions.md`.
pub fn permissions_page() -> String {
    let mut text = String::from(HEAD);
    let _ = writeln!(
        text,
        "{NEVER}\n\n## The switches\n\n| Switch | Keys below `project-controller` | File | Rules that go with it |\n|---|---|---|---|"
    );
    for switch in Switch::ALL {
        let keys: Vec<String> = switch.keys().iter().map(|key| format!("`{key}`")).collect();
        let removed = operator::grants().filter(|it| !it.is_given(Switches::default().without(switch)));
        let _ = writeln!(
            text,
            "| {} | {} | `{}` | {} |",
            switch.title(),
            keys.join(", "),
            chart::file_name(Some(switch)),
            removed.count()
        );
    }
    text += "\nThe keys are read in Helm values below `clusterConfig` (or `runai-operator.config`), and in `ReeveConfig` below `spec`. A \
             switch is off where any of its keys is false, whatever another one says. [What a switch does](../operations/switches.md) \
             says what happens when it is turned off and on again.\n";
    for part in rbac::PARTS {
        let title = part.map_or_else(
            || "Always held".to_owned(),
            |switch| format!("Only with {}", switch.title()),
        );
        let _ = writeln!(text, "\n## {title}\n\n`{}`\n", chart::file_name(part));
        let mut rows = String::new();
        for grant in Reach::ALL
            .iter()
            .flat_map(|reach| operator::of_role(*reach, part))
        {
            let also = grant
                .with
                .map(|switch| format!(". Only while {} is on, too.", switch.title()))
                .unwrap_or_default();
            let _ = writeln!(
                rows,
                "| `{}` | {} | {} | {}{also} |",
                operator::role_name(grant.reach, part),
                place(grant.reach),
                right(grant),
                grant.because
            );
        }
        if rows.is_empty() {
            text += "No right yet.\n";
        } else {
            text += "| Role | Where | Right | Why |\n|---|---|---|---|\n";
            text += &rows;
        }
    }
    text += &beside::section();
    text += "\n## On which platform\n\n";
    for platform in Platform::ALL {
        let _ = writeln!(text, "- `{}`: {}", platform.as_str(), platform.note());
    }
    let _ = write!(
        text,
        "\n## People\n\nWhat people may do in projects is in [what people may make](what-people-may-make.md); their ClusterRoles are in \
         `{}` and stay whatever the switches say. Installers are the group `{}`: they need no right from this chart.\n",
        chart::file_name(None),
        names::INSTALLERS
    );
    text
}
