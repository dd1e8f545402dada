//! A container image as one tar file, an OCI image layout: a layer, a configuration, a manifest, an index (Image Format
//! Specification 1.1). containerd takes the image's name from an annotation of its own.
//!
//! The same content gives the same bytes: entries are sorted, no time is written, everything belongs to root unless an entry says
//! otherwise. No container tool takes part.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// One entry of the layer, owned by root unless [`Entry::owned_by`] says otherwise.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    path: String,
    mode: u32,
    owner: u32,
    content: Content<'a>,
}

#[derive(Debug, Clone)]
enum Content<'a> {
    Folder,
    File(Cow<'a, [u8]>),
    Link(String),
}

impl<'a> Entry<'a> {
    /// A folder at this path, without a leading slash.
    pub fn folder(path: &str, mode: u32) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner: 0,
            content: Content::Folder,
        }
    }

    /// A file with this content.
    pub fn file(path: &str, mode: u32, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            path: path.to_owned(),
            mode,
            owner: 0,
            content: Content::File(bytes.into()),
        }
    }

    /// A symbolic link.
    pub fn link(path: &str, target: &str) -> Self {
        Self {
            path: path.to_owned(),
            mode: 0o777,
            owner: 0,
            content: Content::Link(target.to_owned()),
        }
    }

    /// The same, owned by this uid and root's group.
    #[must_use]
    pub const fn owned_by(mut self, uid: u32) -> Self {
        self.owner = uid;
        self
    }
}

/// An image of one layer for this machine's architecture.
#[derive(Debug, Clone, Default)]
pub struct Image<'a> {
    /// With registry and tag.
    pub name: &'a str,
    /// What is in it, in any order.
    pub entries: &'a [Entry<'a>],
    /// The program that is run whatever the arguments are; none where empty.
    pub entrypoint: &'a [&'a str],
    /// Its arguments, or the program, unless somebody gives others.
    pub command: &'a [&'a str],
    /// `uid:gid` to run as; root where empty.
    pub user: &'a str,
    /// Labels, as `org.opencontainers.image.version`.
    pub labels: &'a [(&'a str, &'a str)],
}

impl Image<'_> {
    /// Writes the archive into a folder unless one of the same content is there; its name carries the content's hash.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
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

    /// The archive.
    ///
    /// # Errors
    /// When a path or a link is too long for the format.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let layer = self.layer()?;
        let layer_digest = hex(&layer);
        let config = serde_json::to_vec(&json!({
            "architecture": architecture(),
            "os": "linux",
            "config": self.config(),
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

    fn config(&self) -> serde_json::Value {
        let labels: serde_json::Map<_, _> = self
            .labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let mut config = json!({"Env": ["PATH=/bin:/usr/bin"]});
        let set = [
            ("Entrypoint", json!(self.entrypoint), self.entrypoint.is_empty()),
            ("Cmd", json!(self.command), self.command.is_empty()),
            ("User", json!(self.user), self.user.is_empty()),
            ("Labels", json!(labels), labels.is_empty()),
        ];
        if let Some(fields) = config.as_object_mut() {
            fields.extend(
                set.into_iter()
                    .filter(|(.., empty)| !empty)
                    .map(|(name, value, _)| (name.to_owned(), value)),
            );
        }
        config
    }

    fn layer(&self) -> Result<Vec<u8>> {
        let mut tar = Builder::new(Vec::new());
        let mut sorted: Vec<&Entry<'_>> = self.entries.iter().collect();
        sorted.sort_by(|one, other| one.path.cmp(&other.path));
        for entry in sorted {
            let mut header = header(entry.mode);
            header.set_uid(u64::from(entry.owner));
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

/// The SHA-256 of something, in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn image<'a>(entries: &'a [Entry<'a>]) -> Image<'a> {
        Image {
            name: "local.test/x:1",
            entries,
            entrypoint: &["/x"],
            user: "65532:65532",
            labels: &[("a", "b")],
            ..Image::default()
        }
    }

    #[test]
    fn the_same_content_is_the_same_bytes_in_whatever_order_it_came() {
        let mut entries = vec![
            Entry::folder("etc", 0o755),
            Entry::file("etc/passwd", 0o644, &b"x"[..]),
            Entry::file("x", 0o755, &b"program"[..]),
            Entry::link("y", "x"),
        ];
        let first = image(&entries).archive().unwrap();
        entries.reverse();
        assert_eq!(first, image(&entries).archive().unwrap());
        entries[0] = Entry::link("y", "z");
        assert_ne!(
            first,
            image(&entries).archive().unwrap(),
            "planted: another content"
        );
    }

    #[test]
    fn nothing_in_it_has_a_time_or_an_owner() {
        let entries = [Entry::file("x", 0o755, &b"program"[..])];
        let layer = image(&entries).layer().unwrap();
        for archive in [layer, image(&entries).archive().unwrap()] {
            let mut tar = tar::Archive::new(&archive[..]);
            for entry in tar.entries().unwrap() {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!(
                    (
                        header.mtime().unwrap(),
                        header.uid().unwrap(),
                        header.gid().unwrap()
                    ),
                    (0, 0, 0)
                );
                assert_eq!(header.username().unwrap(), Some(""));
            }
        }
    }

    #[test]
    fn an_entry_belongs_to_whom_it_says_and_keeps_its_bits() {
        let entries = [Entry::file("x", 0o4755, &b"program"[..]).owned_by(70099)];
        let layer = image(&entries).layer().unwrap();
        let mut tar = tar::Archive::new(&layer[..]);
        let entry = tar.entries().unwrap().next().unwrap().unwrap();
        let header = entry.header();
        assert_eq!(
            (
                header.uid().unwrap(),
                header.gid().unwrap(),
                header.mode().unwrap()
            ),
            (70099, 0, 0o4755)
        );
    }

    #[test]
    fn what_is_not_said_is_left_out_of_the_configuration() {
        let config = Image::default().config();
        assert_eq!(config, json!({"Env": ["PATH=/bin:/usr/bin"]}));
        let config = image(&[]).config();
        assert_eq!(config["User"], "65532:65532");
        assert_eq!(config["Entrypoint"], json!(["/x"]));
    }
}
