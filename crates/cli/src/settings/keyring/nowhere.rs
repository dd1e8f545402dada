//! Systems whose keyrings this program does not speak to.

use super::{Ask, KeyringError};

pub(super) async fn open(_: Ask) -> Result<(), KeyringError> {
    Err(KeyringError::Absent)
}

pub(super) async fn read(_: &str, _: Ask) -> Result<Option<Vec<u8>>, KeyringError> {
    Err(KeyringError::Absent)
}

pub(super) async fn write(_: &str, _: &str, _: &[u8], _: Ask) -> Result<(), KeyringError> {
    Err(KeyringError::Absent)
}

pub(super) async fn remove(_: &str, _: Ask) -> Result<(), KeyringError> {
    Err(KeyringError::Absent)
}
