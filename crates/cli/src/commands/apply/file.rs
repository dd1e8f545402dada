//! The file.

use reeve_types::{Email, GroupName, OrgUnitName, PosixIdentity, ServiceAccountName};
use serde::Deserialize;

/// An organization, or a part of one. What it does not name stays as it is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    /// The cluster of its departments and projects, by name or id; absent: the only one that can be seen.
    #[serde(default)]
    pub(super) cluster: Option<String>,
    #[serde(default)]
    pub(super) departments: Vec<NewDepartment>,
    #[serde(default)]
    pub(super) users: Vec<NewUser>,
    #[serde(default)]
    pub(super) access_rules: Vec<NewRule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewDepartment {
    pub(super) name: OrgUnitName,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) projects: Vec<NewProject>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewProject {
    pub(super) name: OrgUnitName,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewUser {
    pub(super) email: Email,
    #[serde(default)]
    pub(super) posix: Option<PosixIdentity>,
}

/// Exactly one of the first three, and one of the last four.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRule {
    /// By name or number.
    pub(super) role: String,
    #[serde(default)]
    pub(super) user: Option<Email>,
    #[serde(default)]
    pub(super) group: Option<GroupName>,
    #[serde(default)]
    pub(super) service_account: Option<ServiceAccountName>,
    #[serde(default)]
    pub(super) project: Option<OrgUnitName>,
    #[serde(default)]
    pub(super) department: Option<OrgUnitName>,
    /// The cluster of the file, whole.
    #[serde(default)]
    pub(super) cluster: bool,
    #[serde(default)]
    pub(super) account: bool,
}

/// Where a rule of the file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Account,
    Cluster,
    Department(OrgUnitName),
    Project(OrgUnitName),
}

impl NewRule {
    /// `subjectType` and `subjectId`; `None` unless it names exactly one.
    pub(super) fn subject(&self) -> Option<(&'static str, String)> {
        let named = [
            self.user.as_ref().map(|it| ("user", it.to_string())),
            self.group.as_ref().map(|it| ("group", it.to_string())),
            self.service_account
                .as_ref()
                .map(|it| ("service-account", it.to_string())),
        ];
        only(named)
    }

    /// Where; `None` unless it names exactly one.
    pub(super) fn place(&self) -> Option<Place> {
        let named = [
            self.account.then_some(Place::Account),
            self.cluster.then_some(Place::Cluster),
            self.department.clone().map(Place::Department),
            self.project.clone().map(Place::Project),
        ];
        only(named)
    }
}

fn only<T, const N: usize>(named: [Option<T>; N]) -> Option<T> {
    let mut named = named.into_iter().flatten();
    let one = named.next()?;
    named.next().is_none().then_some(one)
}
