//! Departments.

use reeve_types::{ClusterId, DepartmentId, OrgUnitName, Timestamp};
use serde::{Deserialize, Serialize};

use super::settings::{OrgUnitSettings, TotalResources};
use crate::body::{Body, InvalidBody};
use crate::list::{FieldValue, Listed};

/// `POST /api/v1/org-unit/departments`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateDepartment {
    /// Its name, unique in the cluster; never changes.
    pub name: OrgUnitName,
    /// In which cluster.
    pub cluster_id: ClusterId,
    /// The rest.
    pub settings: OrgUnitSettings,
}

impl Body for CreateDepartment {
    fn parse(bytes: &[u8]) -> Result<Self, InvalidBody> {
        let mut body = crate::body::object(bytes)?;
        let parsed = Self {
            name: body.required("name")?,
            cluster_id: body.required("clusterId")?,
            settings: OrgUnitSettings::take(&mut body)?,
        };
        body.unsupported(&["overtimeData"])?;
        body.finish()?;
        Ok(parsed)
    }
}

/// A department.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Department {
    /// Its id.
    pub id: DepartmentId,
    /// Its name.
    pub name: String,
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// The rest, as given.
    #[serde(flatten)]
    pub settings: OrgUnitSettings,
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

/// A page of departments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Departments {
    /// Those the caller may see.
    pub departments: Vec<Department>,
    /// The offset of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

impl Listed for Department {
    fn field(&self, name: &str) -> FieldValue<'_> {
        match name {
            "id" => FieldValue::Number(self.id.number()),
            "name" => FieldValue::text(&self.name),
            "clusterId" => FieldValue::shown(self.cluster_id),
            "createdAt" => FieldValue::Time(self.created_at),
            _ => FieldValue::Nothing,
        }
    }

    fn columns(&self) -> Vec<FieldValue<'_>> {
        vec![
            FieldValue::text(&self.name),
            FieldValue::text(&self.settings.description),
        ]
    }
}
