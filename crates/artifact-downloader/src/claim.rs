//! A claim that is mounted: its files are copied.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Kind};
use crate::listing::{Digest, Origin, Remote, under};

/// The files under a path of the mount. A link that leads out of the mount is refused.
pub(crate) fn list(mount: &Path, path: &str) -> Result<Vec<Remote>, Failure> {
    let missing = || {
        Failure::new(
            Kind::Missing,
            format!("file not found: `{path}` is not in the claim"),
        )
    };
    let mount = mount.canonicalize().map_err(|_| missing())?;
    let root = mount.join(path).canonicalize().map_err(|_| missing())?;
    let mut files = Vec::new();
    walk(&mount, &root, &root, &mut files, 0)?;
    Ok(files)
}

/// How deep folders are looked into.
const DEPTH: usize = 32;

fn walk(mount: &Path, root: &Path, at: &Path, files: &mut Vec<Remote>, depth: usize) -> Result<(), Failure> {
    let cannot = |error: &std::io::Error| Failure::of_io(&format!("reading `{}`", at.display()), error);
    let real = at.canonicalize().map_err(|error| cannot(&error))?;
    if !real.starts_with(mount) || depth > DEPTH {
        return Err(Failure::new(
            Kind::Usage,
            format!("`{}` leads out of the claim", at.display()),
        ));
    }
    let kind = real.metadata().map_err(|error| cannot(&error))?;
    if kind.is_dir() {
        let entries = std::fs::read_dir(&real).map_err(|error| cannot(&error))?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(at.join(entry.ok()?.file_name())))
            .collect();
        paths.sort();
        return paths
            .iter()
            .try_for_each(|path| walk(mount, root, path, files, depth + 1));
    }
    if kind.is_file() {
        let name = if at == root {
            at.file_name().map(Path::new)
        } else {
            at.strip_prefix(root).ok()
        };
        let name = name.and_then(Path::to_str).unwrap_or_default();
        files.push(Remote {
            path: under(name)?,
            size: kind.len(),
            digest: Digest::None,
            origin: Origin::File(real),
        });
    }
    Ok(())
}
