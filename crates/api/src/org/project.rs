//! Projects.

use reeve_types::names::is_reserved_namespace;
use reeve_types::{ClusterId, DepartmentId, OrgUnitName, ProjectId, Timestamp};
use serde::{Deserialize, Serialize};

use super::settings::{NodeTypes, OrgUnitSettings, SchedulingRules, TotalResources};
use crate::body::{Body, InvalidBody};
use crate::list::{FieldValue, Listed};

/// `POST /api/v1/org-unit/projects`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateProject {
    /// Its name, unique in the cluster; never changes.
    pub name: OrgUnitName,
    /// In which cluster.
    pub cluster_id: ClusterId,
    /// In which department; absent means the cluster's department `default`.
    pub parent_id: Option<DepartmentId>,
    /// The namespace to adopt or make: a DNS label of at most 63 characters.
    pub requested_namespace: Option<String>,
    /// Kept and shown; the reference's client always sends it. Default true.
    pub enforce_runai_scheduler: bool,
    /// The rest.
    pub settings: OrgUnitSettings,
}

impl Body for CreateProject {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let parsed = Self {
            name: body.required("name")?,
            cluster_id: body.required("clusterId")?,
            parent_id: body.optional("parentId")?,
            requested_namespace: body.text("requestedNamespace", 63)?,
            enforce_runai_scheduler: body.optional("enforceRunaiScheduler")?.unwrap_or(true),
            settings: OrgUnitSettings::take(&mut body)?,
        };
        body.finish()?;
        if let Some(namespace) = &parsed.requested_namespace {
            check_namespace(namespace)?;
        }
        Ok(parsed)
    }
}

fn check_namespace(name: &str) -> Result<(), InvalidBody> {
    let inner = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !inner || name.starts_with('-') || name.ends_with('-') {
        let rule = "lower-case letters, digits and hyphens are needed, with a letter or digit at both ends";
        return Err(InvalidBody::wrong("requestedNamespace", rule));
    }
    if is_reserved_namespace(name) {
        return Err(InvalidBody::wrong(
            "requestedNamespace",
            format!("`{name}` belongs to the cluster itself: choose another"),
        ));
    }
    Ok(())
}

/// A project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its id: a decimal number as a string.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its department.
    pub parent_id: DepartmentId,
    /// Its department with its name.
    pub parent: Option<ParentDepartment>,
    /// As given.
    pub requested_namespace: Option<String>,
    /// As given.
    pub enforce_runai_scheduler: bool,
    /// The rest, as given.
    #[serde(flatten)]
    pub settings: OrgUnitSettings,
    /// What holds after inheritance.
    pub effective: EffectiveSettings,
    /// How it stands in its cluster.
    pub status: ProjectStatus,
    /// Sums of `resources`.
    pub total_resources: TotalResources,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// By whom: email or service account name.
    pub created_by: String,
    /// By whom it last changed.
    pub updated_by: String,
}

/// The department of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentDepartment {
    /// Its id.
    pub id: DepartmentId,
    /// Its name.
    pub name: String,
}

/// What holds for a project after inheritance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EffectiveSettings {
    /// Limits on time.
    pub scheduling_rules: Option<SchedulingRules>,
    /// Node pools.
    pub default_node_pools: Option<Vec<String>>,
    /// Kinds of node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_types: Option<NodeTypes>,
}

impl From<&OrgUnitSettings> for EffectiveSettings {
    /// A project's own settings, as long as departments pass none on.
    fn from(settings: &OrgUnitSettings) -> Self {
        Self {
            scheduling_rules: settings.scheduling_rules.clone(),
            default_node_pools: settings.default_node_pools.clone(),
            node_types: settings.node_types.clone(),
        }
    }
}

/// How a project stands in its cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectStatus {
    /// Its namespace.
    pub namespace: Option<String>,
    /// In short.
    pub phase: ProjectPhase,
    /// Why.
    pub phase_message: Option<String>,
    /// When the cluster last spoke of it.
    pub last_updated_time: Option<Timestamp>,
}

/// Phases of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProjectPhase {
    /// Waiting for the cluster.
    Creating,
    /// Changing.
    Updating,
    /// On its way out.
    Deleting,
    /// Gone.
    Deleted,
    /// Being set up.
    Initializing,
    /// All there.
    Ready,
    /// Something is in the way.
    NotReady,
    /// The cluster has not said.
    Unknown,
}

/// A page of projects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Projects {
    /// Those the caller may see.
    pub projects: Vec<Project>,
    /// The offset of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

impl Listed for Project {
    fn field(&self, name: &str) -> FieldValue<'_> {
        match name {
            "id" => FieldValue::Number(self.id.number()),
            "name" => FieldValue::text(&self.name),
            "clusterId" => FieldValue::shown(self.cluster_id),
            "departmentId" | "parentId" => FieldValue::Number(self.parent_id.number()),
            "parentName" => self
                .parent
                .as_ref()
                .map_or(FieldValue::Nothing, |parent| FieldValue::text(&parent.name)),
            "phase" => FieldValue::shown(format_args!("{:?}", self.status.phase)),
            "createdAt" => FieldValue::Time(self.created_at),
            _ => FieldValue::Nothing,
        }
    }

    fn columns(&self) -> Vec<FieldValue<'_>> {
        let mut columns = vec![
            FieldValue::text(&self.name),
            FieldValue::text(&self.settings.description),
        ];
        columns.push(self.field("parentName"));
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "123e4567-e89b-12d3-a456-426614174000";

    fn parse(rest: &str) -> Result<CreateProject, String> {
        let text = format!(r#"{{"name":"robots","clusterId":"{CLUSTER}",{rest}}}"#);
        CreateProject::parse(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_references_client_sends_is_understood() {
        let parsed = parse(
            r#""resources":[{"nodePool":{"id":"1","name":"default"},"gpu":{"deserved":2,"limit":-1},"cpu":{"deserved":null},
                "memory":{"deserved":1024,"units":"Mib"}}],"enforceRunaiScheduler":true,"parentId":"4","description":"arms"
                ,"schedulingRules":{"trainingJobTimeLimitSeconds":60},"nodeTypes":{"training":["a"]},"defaultNodePools":["x"]"#,
        )
        .unwrap();
        assert_eq!(parsed.settings.total().gpu_quota, Some(2.0));
        assert_eq!(parsed.settings.total().memory_quota, Some(1024.0));
        assert_eq!(parsed.parent_id.unwrap().number(), 4);
        let kept = serde_json::to_string(&parsed.settings).unwrap();
        assert_eq!(
            serde_json::from_str::<OrgUnitSettings>(&kept).unwrap(),
            parsed.settings
        );
    }

    #[test]
    fn wrong_input_is_refused_by_field() {
        assert_eq!(parse(r#""x":1"#).unwrap_err(), "`resources` is missing");
        assert_eq!(
            parse(r#""resources":[],"x":1"#).unwrap_err(),
            "`x` is not a field of this request"
        );
        assert!(
            parse(r#""resources":[],"parentId":4"#)
                .unwrap_err()
                .starts_with("`parentId`")
        );
        assert!(
            parse(r#""resources":[],"requestedNamespace":"kube-system""#)
                .unwrap_err()
                .contains("belongs to the cluster")
        );
        assert!(parse(r#""resources":[],"requestedNamespace":"A""#).is_err());
        assert!(parse(r#""resources":[],"schedulingRules":{"trainingJobTimeLimitSeconds":0}"#).is_err());
        assert!(parse(r#""resources":[{"gpu":{"deserved":1},"nonsense":1}]"#).is_err());
        let bad_name = format!(r#"{{"name":"Proj_1","clusterId":"{CLUSTER}","resources":[]}}"#);
        assert!(
            CreateProject::parse(bad_name.as_bytes())
                .unwrap_err()
                .to_string()
                .starts_with("`name`: `Proj_1` is not a valid")
        );
    }
}
