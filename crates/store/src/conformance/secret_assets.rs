//! Secret assets: their scope, what becomes of them when something above them is deleted, their events.

use reeve_authz::{Action, Entity, Principal, RoleId, Scope, SubjectKey};
use reeve_types::{ClusterId, CredentialAssetId, CredentialAssetKind, DepartmentId, ProjectId};

use super::organization::{NOW, Organization, entry, group, id, parsed};
use super::told::Log;
use crate::{
    AssetFilter, AuditAction, ChangeSecretAsset, NewCredentialAsset, NewSecretAsset, NewValues,
    ProjectSecret, SealedValues, SecretAssetFilter, SecretAssetRow, SecretAssetSpec, StoreError,
};

const ENTITY: Entity = Entity::SecretVolumeAssets;

/// A credential of this scope.
async fn credential(organization: &Organization, number: u64, scope: Scope) -> CredentialAssetId {
    named_credential(organization, number, &format!("credential-{number}"), scope).await
}

/// A credential to keep.
pub(super) fn new_credential(number: u64, name: &str, scope: Scope) -> NewCredentialAsset {
    NewCredentialAsset {
        id: id(number),
        kind: CredentialAssetKind::Password,
        name: parsed(name),
        description: None,
        scope,
        values: NewValues {
            shown: serde_json::json!({"user": "u"}),
            sealed: SealedValues {
                key_id: 1,
                text: "sealed".to_owned(),
            },
            stamp: "stamp".to_owned(),
        },
        created_at: NOW,
        created_by: "bea".to_owned(),
    }
}

async fn named_credential(
    organization: &Organization,
    number: u64,
    name: &str,
    scope: Scope,
) -> CredentialAssetId {
    let new = new_credential(number, name, scope);
    let granted = organization.may(Action::Create, Entity::Credentials, scope);
    let made = organization
        .store
        .create_credential_asset(&granted, new, entry(AuditAction::Create));
    made.await.unwrap().value.id
}

fn new(number: u64, name: &str, scope: Scope, credential_id: CredentialAssetId) -> NewSecretAsset {
    NewSecretAsset {
        id: id(number),
        name: parsed(name),
        description: None,
        scope,
        spec: SecretAssetSpec {
            credential_id,
            mount_path: Some("/keys".to_owned()),
            default_mode: None,
        },
        created_at: NOW,
        created_by: "bea".to_owned(),
    }
}

async fn keep(organization: &Organization, new: NewSecretAsset) -> SecretAssetRow {
    let granted = organization.may(Action::Create, ENTITY, new.scope);
    let made = organization
        .store
        .create_secret_asset(&granted, new, entry(AuditAction::Create));
    made.await.unwrap().value
}

async fn names(organization: &Organization) -> Vec<String> {
    let filter = SecretAssetFilter::default();
    let found = organization
        .store
        .secret_assets(&organization.sees(ENTITY), &filter)
        .await;
    let named = found.unwrap().into_iter().map(|row| row.name.to_string());
    named.collect()
}

/// Their events say what was and what is.
pub(super) async fn are_told(organization: &Organization, log: &mut Log, project: ProjectId) {
    use AuditAction::{Create, Delete, Update};
    let store = &organization.store;
    let scope = Scope::Project(project);
    let credential_id = credential(organization, 210, scope).await;
    log.seen += 1;
    assert_eq!(
        organization.audited().await,
        log.seen,
        "the credential is told of"
    );
    let row = keep(organization, new(211, "keys", scope, credential_id)).await;
    let spec = format!("spec_after={credential_id} /keys none");
    log.has(organization, "create_secret_asset", Create, row.id, &[&spec])
        .await;
    let granted = organization.may(Action::Update, ENTITY, scope);
    let change = ChangeSecretAsset {
        name: parsed("tokens"),
        description: Some("of the build".to_owned()),
        spec: Some(SecretAssetSpec {
            credential_id,
            mount_path: Some("/tokens".to_owned()),
            default_mode: Some("0440".to_owned()),
        }),
        at: NOW.plus_seconds(1),
        by: "cleo".to_owned(),
    };
    let changed = store.update_secret_asset(&granted, row.id, change, entry(Update));
    let changed = changed.await.unwrap().value;
    assert_eq!(
        (changed.origin.update_count, changed.origin.updated_by.as_str()),
        (1, "cleo")
    );
    assert_eq!(changed.description.as_deref(), Some("of the build"));
    let after = format!("spec_after={credential_id} /tokens 0440");
    let said = ["name_before=keys", "name_after=tokens", after.as_str()];
    log.has(organization, "update_secret_asset", Update, row.id, &said)
        .await;
    let granted = organization.may(Action::Delete, ENTITY, scope);
    let gone = store.delete_secret_asset(&granted, row.id, entry(Delete));
    gone.await.unwrap();
    log.has(organization, "delete_secret_asset", Delete, row.id, &[])
        .await;
    assert!(store.locate_secret_asset(row.id).await.unwrap().is_none());
}

/// Planted faults: a department's deletion that leaves those of its projects; a join that drops what names a credential that is gone.
pub async fn secret_assets_go_with_their_scope_and_outlive_their_credential(mut organization: Organization) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let other = organization.project(department, "arms").await.id;
    let everywhere = credential(&organization, 200, Scope::Account).await;
    for (number, name, scope) in [
        (201, "account", Scope::Account),
        (202, "cluster", Scope::Cluster(cluster)),
        (203, "department", Scope::Department(department)),
        (204, "project", Scope::Project(project)),
        (205, "other", Scope::Project(other)),
    ] {
        let row = keep(&organization, new(number, name, scope, everywhere)).await;
        let located = organization.store.locate_secret_asset(row.id).await.unwrap();
        assert_eq!((row.origin.scope, located), (scope, Some(scope)));
        assert_eq!(
            row.credential_name.map(|name| name.to_string()),
            Some("credential-200".to_owned())
        );
    }
    let store = &organization.store;
    let delete = || entry(AuditAction::Delete);
    let granted = organization.may(Action::Delete, Entity::Project, Scope::Project(project));
    store
        .delete_project(&granted, project, NOW, delete())
        .await
        .unwrap();
    assert_eq!(
        names(&organization).await,
        ["account", "cluster", "department", "other"]
    );
    let granted = organization.may(Action::Delete, Entity::Department, Scope::Department(department));
    store
        .delete_department(&granted, department, NOW, delete())
        .await
        .unwrap();
    assert_eq!(names(&organization).await, ["account", "cluster"]);
    let granted = organization.may(Action::Delete, Entity::Cluster, Scope::Cluster(cluster));
    store
        .delete_cluster(&granted, cluster, NOW, delete())
        .await
        .unwrap();
    assert_eq!(names(&organization).await, ["account"]);
    let granted = organization.may(Action::Delete, Entity::Credentials, Scope::Account);
    store
        .delete_credential_asset(&granted, everywhere, delete())
        .await
        .unwrap();
    let granted = organization.may(Action::Read, ENTITY, Scope::Account);
    let row = store.secret_asset(&granted, id(201)).await.unwrap().unwrap();
    assert_eq!((row.spec.credential_id, row.credential_name), (everywhere, None));
    // A name that was free again is another credential.
    credential(&organization, 206, Scope::Account).await;
    let row = store.secret_asset(&granted, id(201)).await.unwrap().unwrap();
    assert_eq!(row.credential_name, None);
}

/// A department of a cluster and its two projects, of which the group `g` has the first.
async fn two_projects(organization: &mut Organization) -> (ClusterId, DepartmentId, [ProjectId; 2]) {
    let cluster = organization.cluster(10, "a").await.id;
    let department = organization.department(cluster, "vision").await.id;
    let project = organization.project(department, "robots").await.id;
    let other = organization.project(department, "arms").await.id;
    organization
        .rule(group("g"), RoleId::L1_RESEARCHER, Scope::Project(project))
        .await;
    (cluster, department, [project, other])
}

/// Planted faults: a filter by id that is not asked; a gate that compares no scope; two of one name in a scope.
pub async fn secret_assets_are_seen_by_scope_and_written_by_who_may(mut organization: Organization) {
    let (_, _, [project, other]) = two_projects(&mut organization).await;
    let here = Scope::Project(project);
    let mine = credential(&organization, 200, here).await;
    let keys = keep(&organization, new(201, "keys", here, mine)).await;
    let same_name = new(202, "keys", Scope::Project(other), mine);
    let theirs = keep(&organization, same_name).await;
    let store = &organization.store;
    let somebody = Principal {
        subject: SubjectKey::User(parsed("x@example.com")),
        groups: vec![parsed("g")],
    };
    let sees = organization.index.visible(&somebody, ENTITY).unwrap();
    let found = async |filter: SecretAssetFilter| -> Vec<_> {
        let rows = store.secret_assets(&sees, &filter).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    };
    assert_eq!(found(SecretAssetFilter::default()).await, [keys.id]);
    let by_id = |ids| SecretAssetFilter {
        ids: Some(ids),
        ..SecretAssetFilter::default()
    };
    assert_eq!(found(by_id(vec![theirs.id])).await, []);
    assert_eq!(found(by_id(vec![theirs.id, keys.id])).await, [keys.id]);
    let by_name = SecretAssetFilter {
        asset: AssetFilter {
            name: Some("key".to_owned()),
            ..AssetFilter::default()
        },
        ..SecretAssetFilter::default()
    };
    assert_eq!(found(by_name).await, []);
    let wrong = organization.sees(Entity::Credentials);
    let refused = store.secret_assets(&wrong, &SecretAssetFilter::default()).await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");

    let create = || entry(AuditAction::Create);
    let granted = organization.may(Action::Create, ENTITY, here);
    let twice = store
        .create_secret_asset(&granted, new(203, "keys", here, mine), create())
        .await;
    assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
    let unknown = store
        .create_secret_asset(&granted, new(203, "tokens", here, id(999)), create())
        .await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
    let elsewhere = organization.may(Action::Create, ENTITY, Scope::Project(other));
    let refused = store
        .create_secret_asset(&elsewhere, new(203, "tokens", here, mine), create())
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");
    let reads = organization.may(Action::Read, ENTITY, Scope::Project(other));
    let refused = store.secret_asset(&reads, keys.id).await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");
    let deletes = organization.may(Action::Delete, ENTITY, Scope::Project(other));
    let refused = store
        .delete_secret_asset(&deletes, keys.id, entry(AuditAction::Delete))
        .await;
    assert!(matches!(refused, Err(StoreError::Gate { .. })), "{refused:?}");

    // A change of the name meets the same limit; one of nothing else leaves the rest.
    keep(&organization, new(204, "tokens", here, mine)).await;
    let granted = organization.may(Action::Update, ENTITY, here);
    let change = |name: &str| ChangeSecretAsset {
        name: parsed(name),
        description: None,
        spec: None,
        at: NOW,
        by: "bea".to_owned(),
    };
    let update = || entry(AuditAction::Update);
    let taken = store
        .update_secret_asset(&granted, id(204), change("keys"), update())
        .await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
    let renamed = store
        .update_secret_asset(&granted, id(204), change("others"), update())
        .await
        .unwrap();
    assert_eq!(renamed.value.spec, keys.spec);
}

/// Planted faults: an asset of a project beside; the wider of two credentials with one name; one that may not be seen.
pub async fn a_project_mounts_by_assets_of_the_narrowest_credential(mut organization: Organization) {
    let (cluster, department, [project, other]) = two_projects(&mut organization).await;
    let (here, there) = (Scope::Project(project), Scope::Project(other));
    let wide = named_credential(&organization, 200, "token", Scope::Department(department)).await;
    let narrow = named_credential(&organization, 201, "token", there).await;
    for (number, name, scope, credential) in [
        (210, "wide", Scope::Department(department), wide),
        (211, "mine", here, wide),
        (212, "theirs", there, wide),
        (213, "own", there, narrow),
    ] {
        keep(&organization, new(number, name, scope, credential)).await;
    }
    let somebody = Principal {
        subject: SubjectKey::User(parsed("x@example.com")),
        groups: vec![parsed("g")],
    };
    let everything = organization.sees(ENTITY);
    let little = organization.index.visible(&somebody, ENTITY).unwrap();
    let store = &organization.store;
    for (visible, project, secret, wanted) in [
        (&everything, project, "token", vec!["mine", "wide"]),
        (&everything, other, "token", vec!["own"]),
        (&everything, project, "other", vec![]),
        (&little, project, "token", vec!["mine"]),
        (&little, other, "token", vec![]),
    ] {
        let filter = SecretAssetFilter {
            mounting: Some(ProjectSecret {
                name: parsed(secret),
                project,
                department,
                cluster,
            }),
            ..SecretAssetFilter::default()
        };
        let rows = store.secret_assets(visible, &filter).await.unwrap();
        let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, wanted, "{secret} in {project}");
    }
}
