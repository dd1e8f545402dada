//! Clusters in SQL.

use async_trait::async_trait;
use reeve_authz::{Action, Entity, Granted, Scope, Visible};
use reeve_link::KubernetesEndpoint;
use reeve_store::{
    AuditEntry, ClusterRow, Clusters, Committed, CredentialHash, CredentialNumber, DirectoryChange,
    LinkSecret, NewCluster, REPORTED_ENDPOINT, StoreError, gate,
};
use reeve_types::list::PageQuery;
use reeve_types::{AccessRuleId, ClusterId, ClusterName, LowestId, Timestamp};

use crate::access_rules::{live_rules_at_account, live_rules_of_cluster};
use crate::changes::{Changes, soft_delete_rules};
use crate::driver::{Arg, Row, Statement, StoreResultExt, Tx};
use crate::folded::folded;
use crate::lists::{Level, Reach, cut};
use crate::resource::{Resource, missing, needed, one};
use crate::{SqlStore, credential_assets, directory, policy_rows, revision_tokens, rows};

const READ: &str = "read clusters";
const CREATE: &str = "create a cluster";
const UPDATE: &str = "change a cluster";
const REVEAL: &str = "read a cluster's link secret";
const DELETE: &str = "delete a cluster";

macro_rules! columns {
    () => {
        "SELECT c.id, c.name, c.domain, c.version, c.created_at, c.created_by, c.settings, c.last_liveness,
                c.kubernetes_endpoint, c.reported_endpoint, c.connected_since, c.wrong_since,
                c.applied_revision, c.lowest_id, r.revision "
    };
}

macro_rules! joined {
    () => {
        "JOIN cluster_revisions r ON r.cluster_id = c.id "
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!(columns!(), "FROM clusters c ", joined!(), $rest)
    };
}

pub(crate) struct Cluster;

impl Resource for Cluster {
    type Id = ClusterId;
    type Row = ClusterRow;

    const WHAT: &'static str = "cluster";
    const ENTITY: Entity = Entity::Cluster;
    const READ: &'static str = READ;
    const ONE: &'static str = select!("WHERE c.id = $1");
    const KEY: fn(Self::Id) -> Arg = Arg::text;
    const SCOPE: fn(Self::Id) -> Scope = Scope::Cluster;
    const ROW: fn(&Row) -> Result<Self::Row, StoreError> = rows::cluster;
}

/// That a cluster is now as its row says: read after the row was written, which keeps it locked.
async fn changed(tx: &mut Tx, id: ClusterId, operation: &'static str) -> Result<Changes, StoreError> {
    let facts = directory::cluster_facts(tx, id, operation).await?;
    Ok(Changes::of(DirectoryChange::Cluster(facts)))
}

/// A page of those within reach, or above something that is, by name. The revisions of these alone are looked up.
pub(crate) fn list(reach: Option<&Reach>, page: PageQuery) -> Statement {
    const ORDER: &str = " ORDER BY c.name";
    let mut inner = Statement::from("(SELECT c.* FROM clusters c");
    if let Some(reach) = reach {
        inner = inner.sql(" WHERE ").then(reach.any(&[
            (Level::Cluster, "c.id IN ("),
            (
                Level::Department,
                "c.id IN (SELECT cluster_id FROM departments WHERE id IN (",
            ),
            (
                Level::Project,
                "c.id IN (SELECT cluster_id FROM projects WHERE id IN (",
            ),
        ]));
    }
    Statement::from(concat!(columns!(), "FROM "))
        .then(inner)
        .sql(ORDER)
        .then(cut(page))
        .sql(concat!(") c ", joined!()))
        .sql(ORDER)
}

#[async_trait]
impl Clusters for SqlStore {
    async fn clusters(&self, visible: &Visible, page: PageQuery) -> Result<Vec<ClusterRow>, StoreError> {
        gate::sees(visible, Entity::Cluster, READ)?;
        let reach = Reach::of(visible);
        let mut tx = self.read(READ).await?;
        let found = tx.select(&list(reach.as_ref(), page), READ).await?;
        let whole = |row: &ClusterRow| reach.as_ref().is_none_or(|reach| reach.contains(row.id, None));
        let shown = |row: ClusterRow| if whole(&row) { row } else { row.named() };
        found.iter().map(|row| rows::cluster(row).map(shown)).collect()
    }

    async fn cluster_name(&self, visible: &Visible, id: ClusterId) -> Result<Option<ClusterRow>, StoreError> {
        gate::sees(visible, Entity::Cluster, READ)?;
        if !visible.contains_name(Scope::Cluster(id)) {
            return Ok(None);
        }
        let row = one::<Cluster>(&mut self.read(READ).await?, id, READ).await?;
        Ok(row.map(ClusterRow::named))
    }

    async fn cluster(&self, granted: &Granted, id: ClusterId) -> Result<Option<ClusterRow>, StoreError> {
        self.get::<Cluster>(granted, id).await
    }

    async fn create_cluster(
        &self,
        granted: &Granted,
        new: NewCluster,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError> {
        gate::fits(granted, Action::Create, Entity::Cluster, Scope::Account, CREATE)?;
        let mut tx = self.write_as(granted, CREATE).await?;
        let name = new.name.to_string();
        tx.execute(
            "INSERT INTO clusters (id, name, domain, version, credential, sealed_secret, applied_revision, created_at, created_by)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
            &[
                Arg::text(new.id),
                Arg::text(&name),
                Arg::opt_text(new.domain),
                Arg::opt_text(new.version),
                new.secret.credential.as_str().into(),
                Arg::opt_text(new.secret.sealed),
                new.created_at.into(),
                Arg::text(&new.created_by),
            ],
        )
        .await
        .or_conflict(CREATE, || StoreError::Conflict { what: "cluster", name: name.clone(), context: "" })?;
        tx.execute(
            "INSERT INTO cluster_revisions (cluster_id, revision) VALUES ($1, 0)",
            &[Arg::text(new.id)],
        )
        .await
        .context(CREATE)?;
        revision_tokens::begin(&mut tx, new.id, 0).await?;
        let mut changes = changed(&mut tx, new.id, CREATE).await?;
        for rule in live_rules_at_account(&mut tx).await? {
            changes.upsert(new.id, reeve_store::desired::of_access_rule(&rule));
        }
        for credential in credential_assets::of_account(&mut tx).await? {
            changes.upsert(new.id, reeve_store::desired::of_credential(&credential));
        }
        let mut value = needed::<Cluster>(&mut tx, new.id, CREATE).await?;
        let entry = entry.about(new.id, &name);
        let committed = changes.commit(tx, &entry, (), CREATE).await?;
        if let Some((_, revision)) = committed.revisions.first() {
            value.revision = *revision;
        }
        Ok(committed.map(|()| value))
    }

    async fn rename_cluster(
        &self,
        granted: &Granted,
        id: ClusterId,
        name: ClusterName,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError> {
        let (mut tx, before) = self
            .change::<Cluster>(granted, Action::Update, id, UPDATE)
            .await?;
        tx.execute(
            "UPDATE clusters SET name = $2 WHERE id = $1",
            &[Arg::text(id), Arg::text(&name)],
        )
        .await
        .or_conflict(UPDATE, || StoreError::Conflict {
            what: "cluster",
            name: name.to_string(),
            context: "",
        })?;
        // Those that were deleted keep the name of then.
        tx.execute(
            "UPDATE access_rules SET scope_name = $2, scope_name_folded = $3
             WHERE cluster_id = $1 AND scope_type = 'cluster' AND deleted_at IS NULL",
            &[Arg::text(id), Arg::text(&name), Arg::text(folded(name.as_str()))],
        )
        .await
        .context(UPDATE)?;
        let value = needed::<Cluster>(&mut tx, id, UPDATE).await?;
        let entry = entry
            .about(id, &value.name)
            .changing("name", &before.name, &value.name);
        let changes = changed(&mut tx, id, UPDATE).await?;
        changes.commit(tx, &entry, value, UPDATE).await
    }

    async fn set_lowest_id(
        &self,
        granted: &Granted,
        id: ClusterId,
        lowest: LowestId,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError> {
        gate::fits(granted, Action::Update, Entity::Cluster, Scope::Account, UPDATE)?;
        let mut tx = self.write_as(granted, UPDATE).await?;
        let before = needed::<Cluster>(&mut tx, id, UPDATE).await?;
        tx.execute(
            "UPDATE clusters SET lowest_id = $2 WHERE id = $1",
            &[Arg::text(id), lowest.number().into()],
        )
        .await
        .context(UPDATE)?;
        let mut entry = entry.about(id, &before.name);
        for (name, value) in [
            ("lowest_id_before", before.lowest_id),
            ("lowest_id_after", lowest),
        ] {
            entry.metadata.insert(name.to_owned(), value.to_string());
        }
        let value = ClusterRow {
            lowest_id: lowest,
            ..before
        };
        let changes = changed(&mut tx, id, UPDATE).await?;
        changes.commit(tx, &entry, value, UPDATE).await
    }

    async fn set_kubernetes_endpoint(
        &self,
        granted: &Granted,
        id: ClusterId,
        endpoint: KubernetesEndpoint,
        entry: AuditEntry,
    ) -> Result<Committed<ClusterRow>, StoreError> {
        let (mut tx, before) = self
            .change::<Cluster>(granted, Action::Update, id, UPDATE)
            .await?;
        let mut wrong = before.wrong_since;
        wrong.remove(REPORTED_ENDPOINT);
        tx.execute(
            "UPDATE clusters SET kubernetes_endpoint = $2, reported_endpoint = NULL, wrong_since = $3 WHERE id = $1",
            &[Arg::text(id), Arg::json(&endpoint)?, Arg::json(&wrong)?],
        )
        .await
        .context(UPDATE)?;
        let row = needed::<Cluster>(&mut tx, id, UPDATE).await?;
        let entry = entry.about(id, &row.name);
        let changes = changed(&mut tx, id, UPDATE).await?;
        changes.commit(tx, &entry, row, UPDATE).await
    }

    async fn set_cluster_credential(
        &self,
        granted: &Granted,
        id: ClusterId,
        secret: LinkSecret,
        entry: AuditEntry,
    ) -> Result<Committed<CredentialNumber>, StoreError> {
        gate::fits(
            granted,
            Action::Update,
            Entity::Cluster,
            Scope::Cluster(id),
            UPDATE,
        )?;
        let mut tx = self.write_as(granted, UPDATE).await?;
        let row = tx
            .row(
                "UPDATE clusters SET credential = $2, sealed_secret = $3, credential_number = credential_number + 1 WHERE id = $1
                 RETURNING name, credential_number",
                &[Arg::text(id), secret.credential.as_str().into(), Arg::opt_text(secret.sealed)],
            )
            .await
            .context(UPDATE)?
            .ok_or_else(|| missing::<Cluster>(id))?;
        let number = CredentialNumber(row.int("credential_number")?);
        let entry = entry.about(id, row.text("name")?);
        let changes = changed(&mut tx, id, UPDATE).await?;
        changes.commit(tx, &entry, number, UPDATE).await
    }

    async fn reveal_cluster_secret(
        &self,
        granted: &Granted,
        id: ClusterId,
        entry: AuditEntry,
    ) -> Result<Committed<LinkSecret>, StoreError> {
        let (mut tx, cluster) = self
            .change::<Cluster>(granted, Action::Update, id, REVEAL)
            .await?;
        let row = tx
            .row(
                "SELECT credential, sealed_secret FROM clusters WHERE id = $1",
                &[Arg::text(id)],
            )
            .await
            .context(REVEAL)?
            .ok_or_else(|| missing::<Cluster>(id))?;
        let secret = LinkSecret {
            credential: CredentialHash::new(row.text("credential")?),
            sealed: row.opt_text("sealed_secret")?,
        };
        let entry = entry.about(id, &cluster.name);
        Changes::default().commit(tx, &entry, secret, REVEAL).await
    }

    async fn delete_cluster(
        &self,
        granted: &Granted,
        id: ClusterId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<Committed<Vec<AccessRuleId>>, StoreError> {
        let (mut tx, row) = self
            .change::<Cluster>(granted, Action::Delete, id, DELETE)
            .await?;
        // First, as whoever keeps a report of the cluster does: neither waits for the other with something in hand.
        tx.execute(
            "UPDATE cluster_revisions SET revision = revision WHERE cluster_id = $1",
            &[Arg::text(id)],
        )
        .await
        .context(DELETE)?;
        let rules = live_rules_of_cluster(&mut tx, id).await?;
        // A suspended secret, too, tells its operator that the cluster is gone; it opens nothing else any more.
        tx.execute(
            "INSERT INTO deleted_clusters (id, credential, deleted_at)
             SELECT id, CASE WHEN credential LIKE 'suspended:%' THEN substr(credential, 11) ELSE credential END, $2
             FROM clusters WHERE id = $1",
            &[Arg::text(id), at.into()],
        )
        .await
        .context(DELETE)?;
        // The desired state goes as a whole, and no batch tells of it: the secret then only earns the 410 that ends people's
        // rights.
        let value = soft_delete_rules(&mut tx, &mut Changes::default(), &rules, at).await?;
        policy_rows::remove_in(&mut tx, Scope::Cluster(id), DELETE).await?;
        for statement in [
            "DELETE FROM credential_assets WHERE cluster_id = $1",
            "DELETE FROM secret_assets WHERE cluster_id = $1",
            "DELETE FROM workloads WHERE cluster_id = $1",
            "DELETE FROM projects WHERE cluster_id = $1",
            "DELETE FROM former_namespaces WHERE cluster_id = $1",
            "DELETE FROM departments WHERE cluster_id = $1",
            "DELETE FROM object_status WHERE cluster_id = $1",
            "DELETE FROM desired_objects WHERE cluster_id = $1",
            "DELETE FROM revision_tokens WHERE cluster_id = $1",
            "DELETE FROM cluster_revisions WHERE cluster_id = $1",
            "DELETE FROM clusters WHERE id = $1",
        ] {
            tx.execute(statement, &[Arg::text(id)]).await.context(DELETE)?;
        }
        let changes = Changes::of(DirectoryChange::ScopeDeleted(Scope::Cluster(id)));
        changes
            .commit(tx, &entry.about(id, row.name), value, DELETE)
            .await
    }
}
