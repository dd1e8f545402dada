//! What is the same in the bodies of every kind.

use reeve_authz::Scope;
use reeve_types::{ClusterId, CredentialAssetName, DepartmentId, ProjectId};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::access_rule::ScopeType;
use crate::body::InvalidBody;
use crate::body::fields::{OnlyFalse, Unsupported, text};

/// The longest description, in bytes.
const DESCRIPTION: usize = 250;

/// Name and scope of a credential or secret asset to make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateAssetMeta {
    /// Its name, unique in its scope; a credential's is also that of the Secrets that it becomes.
    pub name: CredentialAssetName,
    /// For people; at most 250 bytes.
    #[serde(default, deserialize_with = "text::<_, DESCRIPTION>")]
    pub description: Option<String>,
    /// Whose it is: `tenant`, `cluster`, `department` or `project`. It is for every project below that.
    pub scope: ScopeType,
    /// Needed for the scope `cluster`; of narrower ones it has to be their cluster.
    #[serde(default)]
    pub cluster_id: Option<ClusterId>,
    /// Needed for the scope `department`.
    #[serde(default)]
    pub department_id: Option<DepartmentId>,
    /// Needed for the scope `project`: a number, or the same as text.
    #[serde(default, deserialize_with = "project")]
    #[schemars(with = "Option<u32>")]
    pub project_id: Option<ProjectId>,
    #[serde(default)]
    auto_delete: OnlyFalse,
    #[serde(default)]
    private: OnlyFalse,
    #[serde(default)]
    workload_supported_types: Unsupported,
}

impl CreateAssetMeta {
    /// The scope that it names.
    ///
    /// # Errors
    /// [`InvalidBody::Missing`] without the id of that scope, [`InvalidBody::Wrong`] with that of a narrower one.
    pub fn scope(&self) -> Result<Scope, InvalidBody> {
        let missing = |path: &str| InvalidBody::Missing {
            path: path.to_owned(),
        };
        let wider = |path: &str, given: bool| {
            let problem = "this is no part of the scope: leave it out, or choose a narrower `scope`";
            if given {
                Err(InvalidBody::wrong(path, problem))
            } else {
                Ok(())
            }
        };
        let (cluster, department, project) = (self.cluster_id, self.department_id, self.project_id);
        if self.scope != ScopeType::Project {
            wider("meta.projectId", project.is_some())?;
        }
        match self.scope {
            ScopeType::Tenant => {
                wider("meta.clusterId", cluster.is_some())?;
                wider("meta.departmentId", department.is_some())?;
                Ok(Scope::Account)
            }
            ScopeType::Cluster => {
                wider("meta.departmentId", department.is_some())?;
                cluster
                    .map(Scope::Cluster)
                    .ok_or_else(|| missing("meta.clusterId"))
            }
            ScopeType::Department => department
                .map(Scope::Department)
                .ok_or_else(|| missing("meta.departmentId")),
            ScopeType::Project => project
                .map(Scope::Project)
                .ok_or_else(|| missing("meta.projectId")),
        }
    }
}

/// What of a credential's meta can change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateAssetMeta {
    /// For people; at most 250 bytes; empty removes it.
    #[serde(default, deserialize_with = "described")]
    pub description: Option<String>,
}

/// Unlike [`text`], an empty one is not absent: it removes what is there.
pub(crate) fn described<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text::<_, DESCRIPTION>(deserializer).map(|text| Some(text.unwrap_or_default()))
}

/// The reference types a project's id as int32 here and as text elsewhere: both are taken.
fn project<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProjectId>, D::Error> {
    let digits = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text,
        Value::Null => return Ok(None),
        _ => String::new(),
    };
    let id = digits.parse();
    id.map(Some)
        .map_err(|_| D::Error::custom("the number of a project is needed"))
}
