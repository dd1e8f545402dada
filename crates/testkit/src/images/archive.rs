//! An OCI image layout as one tar file: a layer, a configuration, a manifest, an index.
//! Image Format Specification 1.1; containerd takes the image's name from an annotation of its own.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// One entry of the layer, owned by root.
pub(super) struct Entry<'a> {
    path: String,
    mode: u32,
    content: Content<'a>,
}

enum Content<'a> {
    Folder,
    File(Cow<'a, [u8]>),
    Link(String),
}

impl<'a> Entry<'a> {
    pub(super) fn folder(path: &str, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            content: Content::Folder,
        }
    }

    pub(super) fn file(path: &str, mode: u32, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            content: Content::File(bytes.into()),
        }
    }

    pub(super) fn link(path: &str, target: &str) -> Self {
        Self {
            path: path.to_owned(),
            mode: 0o777,
            content: Content::Link(target.to_owned()),
        }
    }
}

/// An image of one layer for this machine's architecture.
pub(super) struct Image<'a> {
    pub(super) name: &'a str,
    pub(super) entries: &'a [Entry<'a>],
    pub(super) command: &'a [&'a str],
}

impl Image<'_> {
    /// Writes the archive unless one of the same content is there; its name carries the content's hash.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let archive = self
            .archive()
            .with_context(|| format!("cannot write the image `{}`", self.name))?;
        let digest = hex(&archive);
        let stem = self.name.replace(['/', ':'], "-");
        let path = folder.join(format!("{stem}-{}.tar", digest.get(..16).unwrap_or(&digest)));
        if !path.exists() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            let temporary = tempfile::NamedTempFile::new_in(folder)?;
            fs::write(temporary.path(), &archive)?;
            temporary
                .persist(&path)
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(path)
    }

    fn archive(&self) -> Result<Vec<u8>> {
        let layer = self.layer()?;
        let layer_digest = hex(&layer);
        let config = serde_json::to_vec(&json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {"Env": ["PATH=/bin:/usr/bin"], "Cmd": self.command},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_digest}")]},
        }))?;
        let manifest = serde_json::to_vec(&json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
        }))?;
        let mut listed = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
        if let Some(fields) = listed.as_object_mut() {
            fields.insert(
                "annotations".to_owned(),
                json!({"io.containerd.image.name": self.name}),
            );
        }
        let index = serde_json::to_vec(&json!({"schemaVersion": 2, "manifests": [listed]}))?;
        let mut tar = Builder::new(Vec::new());
        append(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        append(&mut tar, "index.json", &index)?;
        for blob in [&layer, &config, &manifest] {
            append(&mut tar, &format!("blobs/sha256/{}", hex(blob)), blob)?;
        }
        Ok(tar.into_inner()?)
    }

    fn layer(&self) -> Result<Vec<u8>> {
        let mut tar = Builder::new(Vec::new());
        for entry in self.entries {
            let mut header = header(entry.mode);
            match &entry.content {
                Content::Folder => {
                    header.set_entry_type(EntryType::Directory);
                    tar.append_data(&mut header, format!("{}/", entry.path), &[][..])?;
                }
                Content::File(bytes) => {
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, &entry.path, bytes.as_ref())?;
                }
                Content::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    tar.append_link(&mut header, &entry.path, target)?;
                }
            }
        }
        Ok(tar.into_inner()?)
    }
}

fn header(mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

fn append(tar: &mut Builder<Vec<u8>>, path: &str, bytes: &[u8]) -> Result<()> {
    let mut header = header(0o644);
    header.set_size(bytes.len() as u64);
    Ok(tar.append_data(&mut header, path, bytes)?)
}

fn descriptor(media_type: &str, bytes: &[u8]) -> serde_json::Value {
    json!({"mediaType": media_type, "digest": format!("sha256:{}", hex(bytes)), "size": bytes.len()})
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Go's name for this machine's architecture, which image configurations use.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
