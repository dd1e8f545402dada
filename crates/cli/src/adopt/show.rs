//! The report as text for people.

use std::collections::BTreeMap;

use crate::failure::one_line;
use crate::printer::table;

use super::refusal::{Refusal, Refused};
use super::report::{Report, count};

impl Report {
    /// For people.
    pub fn text(&self) -> String {
        let parts = [
            self.head(),
            self.what_runs(),
            self.what_is_refused(),
            self.what_runs_as_root(),
            self.who_has_access(),
            self.what_is_marked(),
        ];
        parts
            .iter()
            .filter(|part| !part.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join("\n\n")
    }

    fn head(&self) -> String {
        let name = &self.namespace;
        let mut lines = vec![match &self.project {
            Some(project) if self.already => {
                format!("namespace `{name}` is project `{}`'s already", project.name)
            }
            Some(project) => format!(
                "namespace `{name}`, for project `{}` (id {})",
                project.name, project.id
            ),
            None => format!("namespace `{name}`"),
        }];
        let on = |on: bool| if on { "on" } else { "off" };
        lines.push(format!(
            "settings: enforceRunAsUser {}, enforcePreventPrivilegeEscalation {}",
            on(self.settings.enforce_run_as_user),
            on(self.settings.enforce_prevent_privilege_escalation)
        ));
        for setting in &self.namespace_settings {
            lines.push(format!(
                "the namespace says already, and it will count: {}={}",
                setting.key,
                one_line(&setting.value)
            ));
        }
        lines.join("\n")
    }

    fn what_runs(&self) -> String {
        let rows = self.runs.iter().map(|row| {
            let owner = row.owner.clone().unwrap_or_else(|| "-".to_owned());
            [
                row.kind.clone(),
                row.name.clone(),
                row.replicas.clone(),
                row.pods.to_string(),
                owner,
            ]
        });
        let mut text = if self.runs.is_empty() {
            "Nothing there makes pods.".to_owned()
        } else {
            format!(
                "What makes pods there:\n{}",
                table(["KIND", "NAME", "REPLICAS", "PODS", "OWNER"], rows)
            )
        };
        for (what, counts) in [
            ("below these", &self.counted.owned),
            ("ended", &self.counted.ended),
        ] {
            if !counts.is_empty() {
                text.push_str(&format!("\n{what}: {}", counted(counts)));
            }
        }
        text
    }

    fn what_is_refused(&self) -> String {
        if self.refused.is_empty() {
            return String::new();
        }
        let rows = self.refused.iter().map(|refused| {
            [
                refused.kind.clone(),
                refused.name.clone(),
                first(&refused.refusals),
                first(&refused.change_first),
                refused.last_written_by.clone().unwrap_or_else(|| "-".to_owned()),
                refused.command.clone(),
            ]
        });
        let by = self
            .refused
            .first()
            .map_or("", |refused| refused.written_again_by);
        format!(
            "What could make no new pod. It has to be written again, by {by}:\n{}\n\n{}",
            table(
                [
                    "KIND",
                    "NAME",
                    "REFUSED BY",
                    "CHANGE FIRST",
                    "LAST WRITTEN BY",
                    "WRITE AGAIN WITH"
                ],
                rows
            ),
            sentences(&self.refused)
        )
    }

    fn what_runs_as_root(&self) -> String {
        let rows = self.running.iter().map(|running| {
            let then = running.then.to_owned();
            let runs_as = running.runs_as.to_owned();
            [
                running.kind.clone(),
                running.name.clone(),
                running.pods.to_string(),
                runs_as,
                then,
            ]
        });
        if self.running.is_empty() {
            return String::new();
        }
        let table = table(["KIND", "NAME", "PODS", "RUNS AS", "THEN"], rows);
        format!("Pods that run as root, or as whom their image says:\n{table}")
    }

    fn who_has_access(&self) -> String {
        let rows = self.access.iter().map(|access| {
            [
                access.binding.clone(),
                access.role.clone(),
                access.subjects.join(", "),
            ]
        });
        if self.access.is_empty() {
            return String::new();
        }
        format!(
            "RoleBindings that are not Reeve's, and keep their effect:\n{}",
            table(["BINDING", "ROLE", "SUBJECTS"], rows)
        )
    }

    fn what_is_marked(&self) -> String {
        let rows = self.marks.iter().map(|mark| {
            [
                mark.kind.clone(),
                mark.name.clone(),
                mark.path(),
                mark.key.clone(),
                mark.value.clone(),
            ]
        });
        if self.marks.is_empty() {
            return String::new();
        }
        format!(
            "Marks that would be believed and that nobody we know wrote:\n{}",
            table(["KIND", "NAME", "IN", "KEY", "VALUE"], rows)
        )
    }
}

fn counted(counts: &BTreeMap<String, usize>) -> String {
    let all = counts.iter().map(|(kind, number)| count(*number, kind));
    all.collect::<Vec<_>>().join(", ")
}

/// The rule that speaks, and how many more would.
fn first(refusals: &[Refusal]) -> String {
    match refusals {
        [] => "-".to_owned(),
        [one] => format!("{} {}", one.rule, one.id),
        [one, more @ ..] => format!("{} {} +{}", one.rule, one.id, more.len()),
    }
}

/// What the rules of the table say, each once.
fn sentences(refused: &[Refused]) -> String {
    let of = |one: &Refused| {
        let change = one.change_first.iter().cloned();
        one.refusals
            .first()
            .cloned()
            .into_iter()
            .chain(change)
            .collect::<Vec<_>>()
    };
    let all: BTreeMap<&str, String> = refused
        .iter()
        .flat_map(of)
        .map(|refusal| (refusal.id, format!("{}: {}", refusal.id, refusal.sentence)))
        .collect();
    all.into_values().collect::<Vec<_>>().join("\n")
}
