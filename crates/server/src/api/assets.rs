//! What credentials and secret assets have in common: for what scope they are kept, and how they are listed and shown.

use reeve_api::TENANT_ID;
use reeve_api::credential::{AssetOrigin, CreateAssetMeta};
use reeve_authz::Scope;
use reeve_store::AssetFilter;
use reeve_types::ProjectId;

use crate::api::access_rules::scope_type;
use crate::directory::Directory;
use crate::error::{ApiError, Refusal};
use crate::extract::{InvalidRequest, QueryPairs};

const SCOPES: [&str; 4] = ["tenant", "cluster", "department", "project"];

/// Why no asset is kept there: 400.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlaceRefusal {
    /// The scope lies in another cluster.
    #[error("`meta.clusterId` is not the cluster of the scope: leave it out")]
    ClusterElsewhere,
    /// The project lies in another department.
    #[error("`meta.departmentId` is not the department of the project: leave it out")]
    DepartmentElsewhere,
}

impl Refusal for PlaceRefusal {}

/// Whether the wider ids of a body are those of the scope.
pub(super) fn lies_there(
    directory: &Directory,
    meta: &CreateAssetMeta,
    scope: Scope,
) -> Result<(), PlaceRefusal> {
    if meta.cluster_id.is_some() && meta.cluster_id != directory.cluster_of(scope) {
        return Err(PlaceRefusal::ClusterElsewhere);
    }
    if let (Scope::Project(id), Some(department)) = (scope, meta.department_id)
        && directory
            .project(id)
            .is_some_and(|it| it.department_id != department)
    {
        return Err(PlaceRefusal::DepartmentElsewhere);
    }
    Ok(())
}

/// Which of them a list is asked for: a page, of the names that fit.
pub(super) fn filter(pairs: &QueryPairs) -> Result<AssetFilter, ApiError> {
    pairs.one_of("scope", &SCOPES)?;
    let text = |name: &str| pairs.get(name).filter(|text| !text.is_empty());
    let number = |name: &'static str| {
        let parsed = text(name).map(str::parse::<i64>).transpose();
        parsed.map_err(|_| InvalidRequest::NoNumber(name))
    };
    Ok(AssetFilter {
        name: text("name").map(str::to_owned),
        scope_type: SCOPES.into_iter().find(|scope| text("scope") == Some(scope)),
        cluster_id: text("clusterId").map(str::to_owned),
        department_id: number("departmentId")?,
        project_id: number("projectId")?,
        page: Some(pairs.page()?),
    })
}

/// Whether an answer has a `status`.
pub(super) fn wants_status(pairs: &QueryPairs) -> Result<bool, ApiError> {
    let words = ["true", "false"];
    pairs.one_of("usageInfo", &words)?;
    pairs.one_of("statusInfo", &words)?;
    Ok(pairs.get("statusInfo") != Some("false"))
}

/// Whose one is, and who made and changed it, as that is shown.
pub(super) fn origin(origin: reeve_store::AssetOrigin, directory: &Directory) -> AssetOrigin {
    let project = origin.project_id;
    let number = |id: ProjectId| u32::try_from(id.number()).unwrap_or_default();
    AssetOrigin {
        scope: scope_type(origin.scope),
        cluster_id: origin.cluster_id,
        department_id: origin.department_id,
        project_id: project.map(number),
        project_name: project.map(|id| directory.short_name(Scope::Project(id))),
        tenant_id: TENANT_ID,
        created_by: origin.created_by,
        created_at: origin.created_at,
        updated_by: origin.updated_by,
        updated_at: origin.updated_at,
        update_count: origin.update_count,
        auto_delete: false,
        private: false,
    }
}
