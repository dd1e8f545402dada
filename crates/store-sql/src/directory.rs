//! Loading, locating and verifiers in SQL.

use async_trait::async_trait;
use reeve_authz::Scope;
use reeve_store::{
    ClusterFacts, CredentialHash, CredentialNumber, Credentials, DepartmentFacts, Directory,
    DirectorySnapshot, Locate, PasswordCheck, ProjectFacts, ServiceAccountFacts, StoreError, UserFacts,
    WrongPasswords,
};
use reeve_types::{
    AccessKeyId, AccessRuleId, ClusterId, CredentialAssetId, CredentialAssetKind, DepartmentId, Email,
    ProjectId, SecretAssetId, ServiceAccountId, ServiceAccountName, Timestamp, UserId, WorkloadId,
};

use crate::access_rules::live_rule_facts;
use crate::driver::{Arg, Row, StoreResultExt, Tx};
use crate::{
    SqlStore, change_log, credential_assets, custom_roles, policy_rows, rows, secret_assets, sessions,
    signing_keys,
};

const LOAD: &str = "load the directory";
const LOCATE: &str = "locate an object";
const VERIFY: &str = "read a verifier";

fn cluster(row: &Row) -> Result<ClusterFacts, StoreError> {
    Ok(ClusterFacts {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        revision: rows::revision(row, "revision")?,
        applied_revision: rows::revision(row, "applied_revision")?,
        settings: row.opt_json("settings")?,
        endpoint: row.opt_json("kubernetes_endpoint")?,
        credential: CredentialNumber(row.int("credential_number")?),
        lowest_id: rows::lowest_id(row)?,
    })
}

fn department(row: &Row) -> Result<DepartmentFacts, StoreError> {
    Ok(DepartmentFacts {
        id: row.number("id", DepartmentId::new)?,
        cluster_id: row.parsed("cluster_id")?,
        name: row.parsed("name")?,
    })
}

fn project(row: &Row) -> Result<ProjectFacts, StoreError> {
    Ok(ProjectFacts {
        id: row.number("id", ProjectId::new)?,
        department_id: row.number("department_id", DepartmentId::new)?,
        cluster_id: row.parsed("cluster_id")?,
        name: row.parsed("name")?,
    })
}

fn user(row: &Row) -> Result<UserFacts, StoreError> {
    Ok(UserFacts {
        id: row.parsed("id")?,
        email: row.parsed("email")?,
        posix: row.opt_json("posix")?,
        temporary_password: row.bool("temporary_password")?,
    })
}

fn service_account(row: &Row) -> Result<ServiceAccountFacts, StoreError> {
    Ok(ServiceAccountFacts {
        id: row.parsed("id")?,
        name: row.parsed("name")?,
        enabled: row.bool("enabled")?,
    })
}

macro_rules! clusters {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.name, r.revision, c.applied_revision, c.settings, c.kubernetes_endpoint,
                    c.credential_number, c.lowest_id
             FROM clusters c JOIN cluster_revisions r ON r.cluster_id = c.id ",
            $rest
        )
    };
}

macro_rules! users {
    ($rest:literal) => {
        concat!("SELECT id, email, posix, temporary_password FROM users ", $rest)
    };
}

macro_rules! service_accounts {
    ($rest:literal) => {
        concat!("SELECT id, name, enabled FROM service_accounts ", $rest)
    };
}

fn missing(what: &'static str, id: impl ToString) -> StoreError {
    StoreError::NotFound {
        what,
        id: id.to_string(),
    }
}

/// What is known of a cluster at each request, as of now.
pub(crate) async fn cluster_facts(
    tx: &mut Tx,
    id: ClusterId,
    operation: &'static str,
) -> Result<ClusterFacts, StoreError> {
    tx.one(clusters!("WHERE c.id = $1"), &[Arg::text(id)], cluster, operation)
        .await?
        .ok_or_else(|| missing("cluster", id))
}

/// What is known of a user at each request, as of now.
pub(crate) async fn user_facts(
    tx: &mut Tx,
    id: UserId,
    operation: &'static str,
) -> Result<UserFacts, StoreError> {
    tx.one(users!("WHERE id = $1"), &[Arg::text(id)], user, operation)
        .await?
        .ok_or_else(|| missing("user", id))
}

/// What is known of a service account at each request, as of now.
pub(crate) async fn service_account_facts(
    tx: &mut Tx,
    id: ServiceAccountId,
    operation: &'static str,
) -> Result<ServiceAccountFacts, StoreError> {
    tx.one(
        service_accounts!("WHERE id = $1"),
        &[Arg::text(id)],
        service_account,
        operation,
    )
    .await?
    .ok_or_else(|| missing("service account", id))
}

fn heard(row: &Row) -> Result<(ClusterId, Timestamp), StoreError> {
    Ok((row.parsed("id")?, row.time("last_liveness")?))
}

#[async_trait]
impl Directory for SqlStore {
    async fn directory(&self) -> Result<DirectorySnapshot, StoreError> {
        let mut tx = self.load(LOAD).await?;
        let reached = change_log::reached(&mut tx).await?;
        let clusters = tx.collect(clusters!(""), &[], cluster, LOAD).await?;
        let departments = tx
            .collect(
                "SELECT id, cluster_id, name FROM departments",
                &[],
                department,
                LOAD,
            )
            .await?;
        let projects = tx
            .collect(
                "SELECT id, department_id, cluster_id, name FROM projects",
                &[],
                project,
                LOAD,
            )
            .await?;
        let policies = policy_rows::facts(&mut tx, LOAD).await?;
        let roles = custom_roles::all(&mut tx, LOAD).await?;
        let rules = live_rule_facts(&mut tx, LOAD).await?;
        let users = tx.collect(users!(""), &[], user, LOAD).await?;
        let service_accounts = tx
            .collect(service_accounts!(""), &[], service_account, LOAD)
            .await?;
        let sessions = sessions::live(&mut tx, LOAD).await?;
        let signing_keys = signing_keys::all(&mut tx, LOAD).await?;
        let era = change_log::era(&mut tx).await?;
        let heard = tx
            .collect(
                "SELECT id, last_liveness FROM clusters WHERE last_liveness IS NOT NULL",
                &[],
                heard,
                LOAD,
            )
            .await?;
        Ok(DirectorySnapshot {
            reached,
            era,
            clusters,
            departments,
            projects,
            policies,
            roles,
            rules,
            users,
            service_accounts,
            sessions,
            signing_keys,
            heard,
        })
    }
}

#[async_trait]
impl Locate for SqlStore {
    async fn locate_access_rule(&self, id: AccessRuleId) -> Result<Option<Scope>, StoreError> {
        let mut tx = self.read(LOCATE).await?;
        let row = tx
            .row(
                "SELECT scope_type, scope_id FROM access_rules WHERE id = $1",
                &[id.number().into()],
            )
            .await
            .context(LOCATE)?;
        let Some(row) = row else { return Ok(None) };
        Scope::from_wire(&row.text("scope_type")?, &row.text("scope_id")?)
            .map(Some)
            .map_err(|e| StoreError::Corrupt {
                what: "scope",
                reason: e.to_string(),
            })
    }

    async fn locate_credential_asset(
        &self,
        id: CredentialAssetId,
    ) -> Result<Option<(CredentialAssetKind, Scope)>, StoreError> {
        credential_assets::locate(&mut self.read(LOCATE).await?, id, LOCATE).await
    }

    async fn locate_secret_asset(&self, id: SecretAssetId) -> Result<Option<Scope>, StoreError> {
        secret_assets::locate(&mut self.read(LOCATE).await?, id, LOCATE).await
    }

    async fn locate_workload(&self, id: WorkloadId) -> Result<Option<ProjectId>, StoreError> {
        let mut tx = self.read(LOCATE).await?;
        tx.row("SELECT project_id FROM workloads WHERE id = $1", &[Arg::text(id)])
            .await
            .context(LOCATE)?
            .map(|row| row.number("project_id", ProjectId::new))
            .transpose()
    }
}

#[async_trait]
impl Credentials for SqlStore {
    async fn password_verifier(&self, email: &Email) -> Result<Option<(UserId, CredentialHash)>, StoreError> {
        let mut tx = self.read_for_stranger(VERIFY).await?;
        tx.row(
            "SELECT id, password FROM users WHERE email = $1 AND password IS NOT NULL",
            &[Arg::text(email)],
        )
        .await
        .context(VERIFY)?
        .map(|row| Ok((row.parsed("id")?, CredentialHash::new(row.text("password")?))))
        .transpose()
    }

    async fn password_check(&self, email: &Email) -> Result<Option<PasswordCheck>, StoreError> {
        let mut tx = self.read_for_stranger(VERIFY).await?;
        tx.row(
            "SELECT id, password, wrong_passwords, wrong_since FROM users
             WHERE email = $1 AND password IS NOT NULL",
            &[Arg::text(email)],
        )
        .await
        .context(VERIFY)?
        .map(|row| {
            Ok(PasswordCheck {
                user: row.parsed("id")?,
                verifier: CredentialHash::new(row.text("password")?),
                wrong: WrongPasswords {
                    count: row.int("wrong_passwords")?,
                    since: row.time("wrong_since")?,
                },
            })
        })
        .transpose()
    }

    async fn secret_verifier(
        &self,
        client_id: &ServiceAccountName,
    ) -> Result<Option<(ServiceAccountId, CredentialHash)>, StoreError> {
        let mut tx = self.read_for_stranger(VERIFY).await?;
        tx.row(
            "SELECT id, secret FROM service_accounts WHERE name = $1",
            &[Arg::text(client_id)],
        )
        .await
        .context(VERIFY)?
        .map(|row| Ok((row.parsed("id")?, CredentialHash::new(row.text("secret")?))))
        .transpose()
    }

    async fn access_key_verifier(
        &self,
        id: AccessKeyId,
    ) -> Result<Option<(UserId, CredentialHash)>, StoreError> {
        let mut tx = self.read_for_stranger(VERIFY).await?;
        tx.row(
            "SELECT user_id, secret FROM access_keys WHERE id = $1",
            &[Arg::text(id)],
        )
        .await
        .context(VERIFY)?
        .map(|row| Ok((row.parsed("user_id")?, CredentialHash::new(row.text("secret")?))))
        .transpose()
    }

    async fn link_verifier(
        &self,
        cluster: ClusterId,
    ) -> Result<Option<(CredentialHash, CredentialNumber)>, StoreError> {
        let mut tx = self.read_for_stranger(VERIFY).await?;
        tx.row(
            "SELECT credential, credential_number FROM clusters WHERE id = $1",
            &[Arg::text(cluster)],
        )
        .await
        .context(VERIFY)?
        .map(|row| {
            let number = CredentialNumber(row.int("credential_number")?);
            Ok((CredentialHash::new(row.text("credential")?), number))
        })
        .transpose()
    }

    async fn deleted_link_verifier(&self, cluster: ClusterId) -> Result<Option<CredentialHash>, StoreError> {
        let mut tx = self.read_for_stranger(VERIFY).await?;
        tx.row(
            "SELECT credential FROM deleted_clusters WHERE id = $1",
            &[Arg::text(cluster)],
        )
        .await
        .context(VERIFY)?
        .map(|row| Ok(CredentialHash::new(row.text("credential")?)))
        .transpose()
    }
}
