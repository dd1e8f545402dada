//! A model that is tiny and real: it has read a text, its file, and goes on with the word that most often came next there.
//!
//! Its image answers as images of models have to: `dry-run` says how it wants to be run and which files it needs; otherwise it serves over
//! HTTP at port 8000, with the files at `AIM_CACHE_PATH`. It does not start without them, and it ends when it is told to.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use reeve_oci::{Entry, Image};
use serde_json::json;

/// The registry in the image's name.
pub(super) const REGISTRY: &str = "registry.example";
/// The repository there.
pub(super) const REPOSITORY: &str = "reeve/tiny";
pub(super) const TAG: &str = "1.0.0";
/// The image.
pub const IMAGE: &str = "registry.example/reeve/tiny:1.0.0";
/// The model, at the hub of files.
pub(super) const MODEL: &str = "reeve/tiny";
/// Its one file.
pub(super) const FILE: &str = "corpus.txt";
/// What is in it, which the image does not have.
pub const CORPUS: &str = include_str!("tiny/corpus.txt");

const APPLETS: [&str; 6] = ["awk", "cat", "httpd", "kill", "ls", "sh"];

/// Writes the image.
///
/// # Errors
/// The machine has no busybox, or the archive cannot be written.
pub(super) fn archive(folder: &Path) -> Result<PathBuf> {
    let busybox = ["/bin/busybox", "/usr/bin/busybox"]
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .context("no busybox: run testbed/install-packages.sh")?;
    let profile = json!([{
        "filename": "tiny.yaml",
        "profile": {
            "model": MODEL, "engine_args": {}, "env_vars": {},
            "metadata": {
                "engine": "tiny", "gpu": "", "gpu_count": 0, "precision": "fp16", "metric": "latency", "type": "optimized",
            },
        },
        "models": [{"name": MODEL, "source": format!("hf://{MODEL}"), "size_gb": 0.0}],
    }]);
    let models = json!({"object": "list", "data": [{"id": MODEL, "object": "model"}]});
    let mut entries = vec![
        Entry::folder("bin", 0o755),
        Entry::file("bin/busybox", 0o755, busybox),
        Entry::file("bin/tiny", 0o755, include_bytes!("tiny/tiny.sh").as_slice()),
        Entry::folder("tmp", 0o1777),
        Entry::folder("usr", 0o755),
        Entry::folder("usr/share", 0o755),
        Entry::file(
            "usr/share/model.awk",
            0o644,
            include_bytes!("tiny/model.awk").as_slice(),
        ),
        Entry::file("usr/share/profile.json", 0o644, profile.to_string().into_bytes()),
        Entry::folder("www", 0o755),
        Entry::folder("www/cgi-bin", 0o755),
        Entry::file(
            "www/cgi-bin/completions",
            0o755,
            include_bytes!("tiny/completions.sh").as_slice(),
        ),
        Entry::folder("www/v1", 0o755),
        Entry::file("www/v1/models", 0o644, models.to_string().into_bytes()),
    ];
    let links: Vec<String> = APPLETS.iter().map(|applet| format!("bin/{applet}")).collect();
    entries.extend(links.iter().map(|link| Entry::link(link, "/bin/busybox")));
    let image = Image {
        name: IMAGE,
        entries: &entries,
        entrypoint: &["/bin/tiny"],
        user: "1000:1000",
        ..Image::default()
    };
    image.write(folder)
}
