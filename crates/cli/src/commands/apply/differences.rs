//! What is there under a name of the file and differs from it: what can change, and what stays.

use reeve_api::org::{Department, OrgUnitSettings, Project};
use reeve_api::user::User;
use serde::Serialize;
use serde_json::{Value, json};

use super::file::{NewDepartment, NewProject, NewUser};
use crate::commands::project::objects::Replaced;
use crate::commands::{department, find, user};

/// A field of something, as it is and as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// The field, as the file calls it.
    pub(super) field: &'static str,
    /// What it is.
    pub(super) before: String,
    /// What the file says.
    pub(super) after: String,
}

/// A change of something that is there.
pub(super) struct Change {
    /// What it is.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// What differs.
    pub(super) differences: Vec<Difference>,
    /// Where the change is put.
    pub(super) path: String,
    /// All that the operation takes, with what changes.
    pub(super) body: Value,
}

/// Something that differs and stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Left {
    /// What it is.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// What differs.
    #[serde(flatten)]
    pub(super) difference: Difference,
}

/// A description that the file gives and that is another one. One that it does not give stays as it is.
fn description(settings: &OrgUnitSettings, wanted: Option<&String>) -> Option<Difference> {
    let wanted = wanted.filter(|wanted| **wanted != settings.description)?;
    Some(Difference {
        field: "description",
        before: settings.description.clone(),
        after: wanted.clone(),
    })
}

impl Change {
    /// Of a department: its description. One of which the name alone is shown, since what is below it may be read, is not compared.
    pub(super) fn of_department(found: &Department, wanted: &NewDepartment) -> Option<Self> {
        if found.created_by.is_empty() {
            return None;
        }
        let difference = description(&found.settings, wanted.description.as_ref())?;
        let settings = OrgUnitSettings {
            description: difference.after.clone(),
            ..found.settings.clone()
        };
        Some(Self {
            kind: "department",
            name: found.name.clone(),
            path: format!("{}/{}", department::BASE, found.id),
            body: json!(settings),
            differences: vec![difference],
        })
    }

    /// Of a project: its description.
    pub(super) fn of_project(found: &Project, wanted: &NewProject) -> Option<Self> {
        let difference = description(&found.settings, wanted.description.as_ref())?;
        Some(Self {
            kind: "project",
            name: found.name.clone(),
            path: format!("{}/{}", find::PROJECTS, found.id),
            body: json!(Replaced::described(found, difference.after.clone())),
            differences: vec![difference],
        })
    }

    /// Of a user: the POSIX identity.
    pub(super) fn of_user(found: &User, wanted: &NewUser) -> Option<Self> {
        let wanted = wanted.posix.as_ref()?;
        if found.posix.as_ref() == Some(wanted) {
            return None;
        }
        let before = found.posix.as_ref();
        Some(Self {
            kind: "user",
            name: found.username.to_string(),
            path: format!("{}/{}/posix", user::BASE, found.id),
            body: json!(wanted),
            differences: vec![Difference {
                field: "posix",
                before: before.map_or_else(|| "none".to_owned(), ToString::to_string),
                after: wanted.to_string(),
            }],
        })
    }
}

impl Left {
    /// Of a project: its namespace, which never changes.
    pub(super) fn of_project(found: &Project, wanted: &NewProject) -> Option<Self> {
        let is = found
            .status
            .namespace
            .as_ref()
            .or(found.requested_namespace.as_ref())?;
        let wanted = wanted.namespace.as_ref().filter(|wanted| *wanted != is)?;
        Some(Self {
            kind: "project",
            name: found.name.clone(),
            difference: Difference {
                field: "namespace",
                before: is.clone(),
                after: wanted.clone(),
            },
        })
    }
}
