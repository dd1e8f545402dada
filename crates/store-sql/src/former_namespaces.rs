//! Whose the namespaces of deleted projects were.

use reeve_store::{NewProject, ProjectRow, StoreError};
use reeve_types::DepartmentId;

use crate::driver::{Arg, StoreResultExt, Tx};

const READ: &str = "read whose a namespace was";
const REMEMBER: &str = "remember whose a namespace was";

/// Remembers whose the namespace of a project that goes was.
pub(crate) async fn remember(tx: &mut Tx, row: &ProjectRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO former_namespaces (cluster_id, namespace, department_id) VALUES ($1, $2, $3)
         ON CONFLICT (cluster_id, namespace) DO UPDATE SET department_id = excluded.department_id",
        &[
            Arg::text(row.cluster_id),
            Arg::text(&row.namespace),
            row.department_id.number().into(),
        ],
    )
    .await
    .context(REMEMBER)?;
    Ok(())
}

/// Remembers whose the namespaces of a department that goes were.
pub(crate) async fn remember_all_of(tx: &mut Tx, department: DepartmentId) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO former_namespaces (cluster_id, namespace, department_id)
         SELECT cluster_id, namespace, department_id FROM projects WHERE department_id = $1
         ON CONFLICT (cluster_id, namespace) DO UPDATE SET department_id = excluded.department_id",
        &[department.number().into()],
    )
    .await
    .context(REMEMBER)?;
    Ok(())
}

/// Refuses a namespace that another department's project left behind: a right in one department must not open what is
/// another's.
pub(crate) async fn refuse_of_others(tx: &mut Tx, cluster: &Arg, new: &NewProject) -> Result<(), StoreError> {
    let others = tx
        .row(
            "SELECT department_id FROM former_namespaces
             WHERE cluster_id = $1 AND namespace = $2 AND department_id <> $3",
            &[
                cluster.clone(),
                Arg::text(&new.namespace),
                new.department_id.number().into(),
            ],
        )
        .await
        .context(READ)?;
    match others {
        Some(_) => Err(StoreError::NamespaceOfOthers {
            namespace: new.namespace.clone(),
        }),
        None => Ok(()),
    }
}
