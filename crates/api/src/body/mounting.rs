//! Where something is mounted, and with which mode: as Kubernetes takes them. Empty is absent.

use reeve_types::{FileMode, MountPath};
use serde::Deserializer;
use serde::de::Error as _;

use super::fields::text;

/// A path in a container.
pub(crate) fn mount_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<MountPath>, D::Error> {
    let text = text::<_, 4096>(deserializer)?;
    text.map(|path| path.parse().map_err(D::Error::custom))
        .transpose()
}

/// A mode of files.
pub(crate) fn default_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FileMode>, D::Error> {
    let text = text::<_, 4>(deserializer)?;
    text.map(|mode| mode.parse().map_err(D::Error::custom))
        .transpose()
}
