//! Credentials and secret assets.

use reeve_authz::{Action, Entity, Scope};
use reeve_types::{CredentialAssetId, SecretAssetId};

use super::super::organization::{NOW, Organization, entry, id, parsed};
use super::super::secret_assets::new_credential;
use super::{Fixture, Granted, Opens, Tried};
use crate::{AuditAction, ChangeCredentialAsset, ChangeSecretAsset, NewSecretAsset, SecretAssetSpec};

fn new_secret(number: u64, scope: Scope, credential_id: CredentialAssetId) -> NewSecretAsset {
    NewSecretAsset {
        id: id(number),
        name: parsed(&format!("secret-{number}")),
        description: None,
        scope,
        spec: SecretAssetSpec {
            credential_id,
            mount_path: None,
            default_mode: None,
        },
        created_at: NOW,
        created_by: "admin".to_owned(),
    }
}

/// One of each.
pub(super) async fn keep(organization: &Organization, scope: Scope) -> (CredentialAssetId, SecretAssetId) {
    let store = &organization.store;
    let create = || entry(AuditAction::Create);
    let granted = organization.may(Action::Create, Entity::Credentials, scope);
    let made =
        store.create_credential_asset(&granted, new_credential(200, "credential-200", scope), create());
    let credential = made.await.unwrap().value.id;
    let granted = organization.may(Action::Create, Entity::SecretVolumeAssets, scope);
    let made = store.create_secret_asset(&granted, new_secret(210, scope, credential), create());
    (credential, made.await.unwrap().value.id)
}

pub(super) async fn try_all(tried: &mut Tried<'_>, fixture: &Fixture) {
    let store = &tried.organization.store;
    let scope = Scope::Project(fixture.project);
    let credentials = |action| Opens::Rule(action, Entity::Credentials, scope);
    let secrets = |action| Opens::Rule(action, Entity::SecretVolumeAssets, scope);
    let event = || entry(AuditAction::Update);
    let changed = || ChangeCredentialAsset {
        description: None,
        values: None,
        at: NOW,
        by: "admin".to_owned(),
    };
    let renamed = || ChangeSecretAsset {
        name: parsed("renamed"),
        description: None,
        spec: None,
        at: NOW,
        by: "admin".to_owned(),
    };
    let (credential, secret) = (fixture.credential, fixture.secret);
    by_granted! { tried, store:
        credential_asset(credential) by [credentials(Action::Read)];
        create_credential_asset(new_credential(201, "credential-201", scope), event()) by [credentials(Action::Create)];
        update_credential_asset(credential, changed(), event()) by [credentials(Action::Update)];
        secret_asset(secret) by [secrets(Action::Read)];
        create_secret_asset(new_secret(211, scope, credential), event()) by [secrets(Action::Create)];
        update_secret_asset(secret, renamed(), event()) by [secrets(Action::Update)];
        delete_secret_asset(secret, event()) by [secrets(Action::Delete)];
        delete_credential_asset(credential, event()) by [credentials(Action::Delete)];
    }
}
