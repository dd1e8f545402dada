//! By the Secret Service, over the session's bus.

use std::collections::HashMap;

use secret_service::{Collection, EncryptionType, Error, Item, SecretService};

use super::{Ask, KeyringError};

type Outcome<T> = Result<T, KeyringError>;

/// What a text of ours is to services that tell kinds apart.
const KIND: &str = "text/plain";
/// What a bus says of a service that nobody offers (D-Bus specification, "Message Bus Messages"). Neither this nor [`NO_BUS`] has a variant
/// of the library's own.
const NO_SERVICE: &str = "org.freedesktop.DBus.Error.ServiceUnknown";
/// How the system says that there is no socket where the bus would listen (`ENOENT`).
const NO_BUS: &str = "(os error 2)";

impl From<Error> for KeyringError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable => Self::Absent,
            Error::NoResult => Self::NotSetUp,
            // The second is a window that was closed, or that could not be shown.
            Error::Locked | Error::Prompt => Self::Locked,
            other => {
                let text = other.to_string();
                if text.contains(NO_SERVICE) || text.ends_with(NO_BUS) {
                    Self::Absent
                } else {
                    Self::Failed(text)
                }
            }
        }
    }
}

pub(super) async fn open(ask: Ask) -> Outcome<()> {
    let service = connected().await?;
    collection(&service, ask).await?;
    Ok(())
}

pub(super) async fn read(name: &str, ask: Ask) -> Outcome<Option<Vec<u8>>> {
    let service = connected().await?;
    match items(&service, name, ask).await?.first() {
        Some(item) => Ok(Some(item.get_secret().await?)),
        None => Ok(None),
    }
}

pub(super) async fn write(name: &str, label: &str, text: &[u8], ask: Ask) -> Outcome<()> {
    let service = connected().await?;
    let mut items = items(&service, name, ask).await?.into_iter();
    match items.next() {
        Some(item) => {
            item.set_secret(text, KIND).await?;
            item.set_label(label).await?;
        }
        None => {
            let collection = collection(&service, ask).await?;
            collection
                .create_item(label, attributes(name), text, true, KIND)
                .await?;
        }
    }
    deleted(items).await
}

pub(super) async fn remove(name: &str, ask: Ask) -> Outcome<()> {
    let service = connected().await?;
    deleted(items(&service, name, ask).await?).await
}

async fn connected() -> Outcome<SecretService<'static>> {
    Ok(SecretService::connect(EncryptionType::Dh).await?)
}

fn attributes(name: &str) -> HashMap<&str, &str> {
    HashMap::from([("application", "reeve"), ("sign-in", name)])
}

/// The default collection, open.
async fn collection<'s>(service: &'s SecretService<'_>, ask: Ask) -> Outcome<Collection<'s>> {
    let collection = service.get_default_collection().await?;
    if collection.is_locked().await? {
        if ask == Ask::Nobody {
            return Err(KeyringError::Locked);
        }
        collection.unlock().await?;
    }
    Ok(collection)
}

/// The items of this name, open, in whatever collection they are.
async fn items<'s>(service: &'s SecretService<'_>, name: &str, ask: Ask) -> Outcome<Vec<Item<'s>>> {
    let mut found = service.search_items(attributes(name)).await?;
    if found.unlocked.is_empty() && found.locked.is_empty() {
        // Some services, as KDE's, do not show what is in a locked collection.
        match collection(service, ask).await {
            Ok(_) => found = service.search_items(attributes(name)).await?,
            Err(KeyringError::NotSetUp) => {}
            Err(error) => return Err(error),
        }
    }
    for item in &found.locked {
        if ask == Ask::Nobody {
            return Err(KeyringError::Locked);
        }
        item.unlock().await?;
    }
    found.unlocked.append(&mut found.locked);
    Ok(found.unlocked)
}

async fn deleted<'s>(items: impl IntoIterator<Item = Item<'s>>) -> Outcome<()> {
    for item in items {
        item.delete().await?;
    }
    Ok(())
}
