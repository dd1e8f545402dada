//! Projects.

use reeve_authz::{Action, Entity};
use reeve_types::names::is_reserved_namespace;
use reeve_types::{
    ClusterId, DepartmentId, NodePoolName, OrgUnitName, PodRules, PodSecurity, PriorityClassName, ProjectId,
    SecondWriter, TaintKey, Timestamp,
};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::settings::{
    NodeTypes, OrgUnitSettings, Resources, SchedulingRules, SetResources, TotalResources, with_settings,
};
use crate::body::fields::text;
use crate::body::{InvalidBody, TypedBody};
use crate::error::Count;
use crate::operation::{delete, get, may, operations, patch, post, put};
use reeve_types::list::PROJECTS;

operations! {
    /// Operations on projects.
    OPERATIONS: ProjectOperation as Project, "Projects";
    /// List projects.
    GetProjects = get("get_projects", "/api/v1/org-unit/projects", may(Action::Read, Entity::Project))
        .lists(&PROJECTS).answers::<Projects>(200);
    /// Create a project.
    CreateProject = post("create_project", "/api/v1/org-unit/projects", may(Action::Create, Entity::Project))
        .takes::<CreateProject>().answers::<Project>(201).also(&[404, 409]);
    /// Count projects.
    CountProjects = get("count_projects", "/api/v1/org-unit/projects/count", may(Action::Read, Entity::Project))
        .lists(&PROJECTS).answers::<Count>(200);
    /// Get a project.
    GetProject = get("get_project", "/api/v1/org-unit/projects/{projectId}", may(Action::Read, Entity::Project))
        .answers::<Project>(200);
    /// Replace a project's description, quotas and rules.
    UpdateProject = put("update_project", "/api/v1/org-unit/projects/{projectId}", may(Action::Update, Entity::Project))
        .takes::<UpdateProject>().answers::<Project>(200);
    /// Replace a project's quotas.
    SetProjectResources = put("update_project_resources", "/api/v1/org-unit/projects/{projectId}/resources", may(Action::Update, Entity::Project))
        .takes::<SetResources>().answers::<Vec<Resources>>(200);
    /// Set a project's quotas of some node pools; those of others stay.
    PatchProjectResources = patch("patch_project_resources", "/api/v1/org-unit/projects/{projectId}/resources", may(Action::Update, Entity::Project))
        .takes::<SetResources>().answers::<Vec<Resources>>(200);
    /// Decide whether a project's people may write Ingresses and NetworkPolicies.
    SetProjectNetworking = put("set_project_networking", "/api/v1/org-unit/projects/{projectId}/networking", may(Action::Update, Entity::Project))
        .takes::<SetNetworking>().answers::<Project>(200);
    /// Decide what the pods of a project may do.
    SetProjectPodRules = put("set_project_pod_rules", "/api/v1/org-unit/projects/{projectId}/pod-rules", may(Action::Update, Entity::Project))
        .takes::<SetPodRules>().answers::<Project>(200);
    /// Delete a project; its namespace and workloads stay.
    DeleteProject = delete("delete_project", "/api/v1/org-unit/projects/{projectId}", may(Action::Delete, Entity::Project))
        .answers_nothing(204);
}

with_settings! {
/// `POST /api/v1/org-unit/projects`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"name": "speech", "clusterId": crate::EXAMPLE_UUID, "parentId": "2", "resources": []}))]
pub struct CreateProject {
    /// Its name, unique in the cluster; never changes.
    pub name: OrgUnitName,
    /// The cluster it is in.
    pub cluster_id: ClusterId,
    /// The department it is in; absent means the cluster's department `default`.
    #[serde(default)]
    pub parent_id: Option<DepartmentId>,
    /// The namespace to adopt or make: a DNS label of at most 63 characters. Absent means the installation's prefix and
    /// the name.
    #[serde(default, deserialize_with = "namespace")]
    #[schemars(length(max = 63), regex(pattern = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"))]
    pub requested_namespace: Option<String>,
    /// Kept and shown, used for nothing; the reference's client always sends it.
    #[serde(default = "yes")]
    pub enforce_runai_scheduler: bool,
}
}

impl TypedBody for CreateProject {}

with_settings! {
/// `PUT /api/v1/org-unit/projects/{projectId}`: all that can change of a project by this operation. What is left out is given no more; its
/// name, its cluster, its department and its namespace never change.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"description": "Arms and legs.", "resources": []}))]
pub struct UpdateProject {
    /// Kept and shown, used for nothing; absent is true, as when a project is made.
    #[serde(default = "yes")]
    pub enforce_runai_scheduler: bool,
}
}

impl TypedBody for UpdateProject {}

/// `PUT /api/v1/org-unit/projects/{projectId}/networking`: ours, the reference has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"allowNetworking": true}))]
pub struct SetNetworking {
    /// Whether the people of the project may write Ingresses and NetworkPolicies. It needs the right to change projects in the
    /// whole cluster: an Ingress takes a name of the cluster, and a NetworkPolicy cuts off everybody's pods.
    pub allow_networking: bool,
}

impl TypedBody for SetNetworking {}

/// `PUT /api/v1/org-unit/projects/{projectId}/pod-rules`: ours. What is left out is decided here no more: what was written from
/// here goes, and the cluster's installers decide it. It needs the right to change projects in the whole cluster, since nodes and
/// priorities are shared with other projects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(example = serde_json::json!({"podSecurity": "restricted", "nodePools": ["gpu"], "priorityClasses": ["build"]}))]
pub struct SetPodRules {
    /// The Pod Security level. The stricter of this and the cluster's holds.
    #[serde(default)]
    pub pod_security: Option<PodSecurity>,
    /// The node pools that its pods run on, at most 32; empty is every node.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub node_pools: Option<Vec<NodePoolName>>,
    /// The priority classes that its pods may name, at most 32; empty is none.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub priority_classes: Option<Vec<PriorityClassName>>,
    /// The taints under `node-role.kubernetes.io/` that its pods may tolerate, at most 32; empty is none.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub tolerations: Option<Vec<TaintKey>>,
    /// Which of the cluster's trusted second writers may change where its pods run, as `NAMESPACE/NAME`, at most 32; empty is none.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub trusted_mutators: Option<Vec<SecondWriter>>,
}

impl From<SetPodRules> for PodRules {
    fn from(body: SetPodRules) -> Self {
        Self {
            pod_security: body.pod_security,
            node_pools: body.node_pools,
            priority_classes: body.priority_classes,
            tolerations: body.tolerations,
            trusted_mutators: body.trusted_mutators,
        }
    }
}

impl TypedBody for SetPodRules {
    fn check(&self) -> Result<(), InvalidBody> {
        match PodRules::from(self.clone()).too_long() {
            Some(field) => Err(InvalidBody::wrong(field, "at most 32 entries are possible")),
            None => Ok(()),
        }
    }
}

const fn yes() -> bool {
    true
}

fn namespace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(name) = text::<D, 63>(deserializer)? else {
        return Ok(None);
    };
    let inner = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !inner || name.starts_with('-') || name.ends_with('-') {
        let rule = "lower-case letters, digits and hyphens are needed, with a letter or digit at both ends";
        return Err(D::Error::custom(rule));
    }
    if is_reserved_namespace(&name) {
        let rule = "this namespace belongs to the cluster itself: choose another";
        return Err(D::Error::custom(rule));
    }
    Ok(Some(name))
}

/// A project: a namespace of one cluster, in a department.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// A decimal number as a string. It never changes and is given to no other project.
    pub id: ProjectId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// The cluster it is in.
    pub cluster_id: ClusterId,
    /// The department it is in.
    pub parent_id: DepartmentId,
    /// The same department with its name.
    pub parent: Option<ParentDepartment>,
    /// The namespace that was asked for; null when the name made it.
    pub requested_namespace: Option<String>,
    /// As given; used for nothing.
    pub enforce_runai_scheduler: bool,
    /// Whether its people may write Ingresses and NetworkPolicies; null until somebody decided it here: then the label
    /// `reeve.dev/allow-networking` of the namespace decides, which the cluster's installers set.
    pub allow_networking: Option<bool>,
    /// What its pods may do, as far as it was decided here; of the rest the cluster's installers decide.
    #[serde(default)]
    pub pod_rules: PodRules,
    /// Quotas and rules, as given: stored and shown, not enforced.
    #[serde(flatten)]
    pub settings: OrgUnitSettings,
    /// What holds after inheritance: its own settings, as long as departments pass none on.
    pub effective: EffectiveSettings,
    /// How it stands in its cluster.
    pub status: ProjectStatus,
    /// Sums of `resources` over all node pools.
    pub total_resources: TotalResources,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed: at first, made.
    pub updated_at: Timestamp,
    /// Who made it: a user's email or a service account's name.
    pub created_by: String,
    /// Who changed it last: at first, who made it.
    pub updated_by: String,
}

/// The department of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParentDepartment {
    /// The same as `parentId`.
    pub id: DepartmentId,
    /// The name of the department, unique in the cluster.
    pub name: String,
}

/// What holds for a project after inheritance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EffectiveSettings {
    /// Limits on time; null when none were given.
    pub scheduling_rules: Option<SchedulingRules>,
    /// Names of node pools, in order of preference; null when none were given.
    pub default_node_pools: Option<Vec<String>>,
    /// Kinds of node for each kind of workload; absent when none were given.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectStatus {
    /// Its namespace in the cluster.
    pub namespace: Option<String>,
    /// How it stands, in one word.
    pub phase: ProjectPhase,
    /// Why, for people; null when there is nothing to say.
    pub phase_message: Option<String>,
    /// When the cluster last reported on it; null before it first did.
    pub last_updated_time: Option<Timestamp>,
}

/// Phases of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProjectPhase {
    /// The cluster has not taken it up yet.
    Creating,
    /// It is being changed.
    Updating,
    /// It is being deleted.
    Deleting,
    /// It is gone from the cluster.
    Deleted,
    /// It is being set up.
    Initializing,
    /// Namespace and role bindings are there.
    Ready,
    /// Something is in the way; `phaseMessage` says what.
    NotReady,
    /// The cluster has not said.
    Unknown,
}

/// A page of projects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Projects {
    /// Those the caller may see.
    pub projects: Vec<Project>,
    /// The `offset` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body as _;

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
        assert_eq!(parsed.settings().total().gpu_quota, Some(2.0));
        assert_eq!(parsed.settings().total().memory_quota, Some(1024.0));
        assert_eq!(parsed.parent_id.unwrap().number(), 4);
        let kept = serde_json::to_string(&parsed.settings()).unwrap();
        assert_eq!(
            serde_json::from_str::<OrgUnitSettings>(&kept).unwrap(),
            parsed.settings()
        );
    }

    #[test]
    fn wrong_input_is_refused_by_field() {
        assert_eq!(
            parse(r#""description":"x""#).unwrap_err(),
            "`resources` is missing"
        );
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
                .starts_with("`name`: this is not a valid name: 1 to 63")
        );
    }
}
