//! Container images of the programs that run in a cluster, without root and without a container tool: from scratch, with one
//! fully static program.
//!
//! `crt-static` is said for the program's own crate alone. It decides how the program is linked, so everything it uses is what
//! the workspace's ordinary build has made, and an image costs one link.

mod sbom;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use reeve_oci::{Entry, Image, hex};

/// The programs that have an image, each with the package it is in.
const PROGRAMS: [(&str, &str); 5] = [
    ("reeve-server", "reeve-server"),
    ("reeve-operator", "reeve-operator"),
    ("reeve-webhook", "reeve-admission-webhook"),
    ("reeve-serving", "reeve-serving-operator"),
    ("reeve-artifact-downloader", "reeve-artifact-downloader"),
];
/// Other names under which an image has its program, for who calls it so.
const OTHER_NAMES: [(&str, &str); 1] = [("reeve-artifact-downloader", "check-size.sh")];
/// Each of them, where one could be named.
const EACH: &str = "each";
/// Who a container is where the cluster says nothing: nobody in particular, and not root.
const USER: &str = "65532:65532";
const PASSWD: &str = "root:x:0:0::/:/nologin\nreeve:x:65532:65532::/:/nologin\n";
const GROUP: &str = "root:x:0:\nreeve:x:65532:\n";

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Images {
    /// With optimisation, for a cluster; otherwise quickly, for tests and the demo.
    #[arg(long)]
    release: bool,
    /// The registry in the images' names, with a path where there is one.
    #[arg(long, default_value = "local.test")]
    registry: String,
    /// Only these programs' images; may be repeated.
    #[arg(long, value_name = "PROGRAM")]
    only: Vec<String>,
    /// Links this program, or each, a second time and fails when an image's digest differs.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, default_missing_value = EACH)]
    twice: Option<String>,
}

/// Writes `target/images/PROGRAM.tar`, with its digest and its bill of materials (CycloneDX) beside it.
pub(crate) fn run(root: &Path, images: &Images) -> Result<()> {
    let known = |name: &str| name == EACH || PROGRAMS.iter().any(|(program, _)| *program == name);
    if let Some(unknown) = images.twice.as_deref().filter(|name| !known(name)) {
        bail!("`--twice {unknown}`: no image is of a program of this name");
    }
    if let Some(unknown) = images.only.iter().find(|name| *name == EACH || !known(name)) {
        bail!("`--only {unknown}`: no image is of a program of this name");
    }
    let wanted = |program: &str| images.only.is_empty() || images.only.iter().any(|only| only == program);
    let programs: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| wanted(program))
        .copied()
        .collect();
    let folder = root.join("target/images");
    fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
    for &(program, package) in &programs {
        let archive = build(root, images, program, package)?;
        if images
            .twice
            .as_deref()
            .is_some_and(|twice| [EACH, program].contains(&twice))
        {
            forget(root, images, program)?;
            let again = build(root, images, program, package)?;
            ensure!(
                hex(&archive) == hex(&again),
                "two builds of {program}'s image differ: {} and {}",
                hex(&archive),
                hex(&again)
            );
        }
        let write = |extension: &str, bytes: &[u8]| {
            let file = folder.join(format!("{program}.{extension}"));
            fs::write(&file, bytes).with_context(|| format!("writing `{}`", file.display()))
        };
        write("tar", &archive)?;
        write("sha256", format!("{}\n", hex(&archive)).as_bytes())?;
        write("cdx.json", sbom::of(root, package)?.as_bytes())?;
        super::say(&format!("wrote target/images/{program}.tar"));
    }
    // The ordinary programs go back to their places, where the tests look for them.
    let mut cargo = cargo(root, "build", images);
    cargo.args(programs.iter().flat_map(|(_, package)| ["--package", package]));
    succeed(cargo)
}

/// The bill of materials of each image, by its program; nothing is built.
pub(crate) fn bills(root: &Path) -> Result<Vec<(&'static str, String)>> {
    PROGRAMS
        .into_iter()
        .map(|(program, package)| Ok((program, sbom::of(root, package)?)))
        .collect()
}

fn build(root: &Path, images: &Images, program: &str, package: &str) -> Result<Vec<u8>> {
    let mut cargo = cargo(root, "rustc", images);
    cargo.args(["--package", package, "--bin", program, "--"]);
    cargo.args([
        "-C",
        "target-feature=+crt-static",
        "-C",
        "strip=symbols",
        "-C",
        "debuginfo=0",
    ]);
    succeed(cargo)?;
    let file = profile(root, images).join(program);
    let bytes = fs::read(&file).with_context(|| format!("reading `{}`", file.display()))?;
    ensure!(
        !needs_an_interpreter(&bytes),
        "`{}` is not static: it names a dynamic linker, which the image does not have",
        file.display()
    );
    let name = format!("{}/{program}:{}", images.registry, env!("CARGO_PKG_VERSION"));
    let path = format!("usr/bin/{program}");
    let mut entries = vec![
        Entry::folder("etc", 0o755),
        Entry::file("etc/group", 0o644, GROUP.as_bytes()),
        Entry::file("etc/passwd", 0o644, PASSWD.as_bytes()),
        Entry::folder("tmp", 0o1777),
        Entry::folder("usr", 0o755),
        Entry::folder("usr/bin", 0o755),
        Entry::file(&path, 0o755, bytes),
    ];
    let others = OTHER_NAMES.iter().filter(|(of, _)| *of == program);
    entries.extend(others.map(|(_, other)| Entry::link(other, &format!("/{path}"))));
    let labels = [
        ("org.opencontainers.image.title", program),
        ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION")),
        ("org.opencontainers.image.licenses", "Apache-2.0"),
    ];
    let image = Image {
        name: &name,
        entries: &entries,
        entrypoint: &[&format!("/{path}")],
        user: USER,
        labels: &labels,
        ..Image::default()
    };
    image.archive()
}

/// So that the next build makes the program again.
fn forget(root: &Path, images: &Images, program: &str) -> Result<()> {
    let deps = profile(root, images).join("deps");
    let begin = format!("{}-", program.replace('-', "_"));
    for entry in fs::read_dir(&deps).with_context(|| format!("reading `{}`", deps.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // The program alone has no extension.
        if name.starts_with(&begin) && path.extension().is_none() {
            fs::remove_file(&path).with_context(|| format!("removing `{}`", path.display()))?;
        }
    }
    Ok(())
}

fn profile(root: &Path, images: &Images) -> PathBuf {
    root.join("target")
        .join(if images.release { "release" } else { "debug" })
}

fn cargo(root: &Path, verb: &str, images: &Images) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args([verb, "--locked", "--quiet"]);
    if images.release {
        cargo.arg("--release");
    }
    cargo
}

fn succeed(mut command: Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Whether a 64-bit little-endian ELF program has a segment `PT_INTERP`: the path of a dynamic linker. What is no such program
/// counts as if it had.
fn needs_an_interpreter(program: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let number = |at: usize, length: usize| -> Option<usize> {
        let bytes = program.get(at..at.checked_add(length)?)?;
        let value = bytes
            .iter()
            .rev()
            .fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
        usize::try_from(value).ok()
    };
    let kinds = || -> Option<Vec<usize>> {
        if program.get(..6)? != b"\x7fELF\x02\x01" {
            return None;
        }
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        (0..count)
            .map(|index| number(table.checked_add(index.checked_mul(size)?)?, 4))
            .collect()
    };
    kinds().is_none_or(|kinds| kinds.contains(&(PT_INTERP as usize)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_wants_a_dynamic_linker_is_recognized() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(needs_an_interpreter(&this), "tests are linked dynamically");
        assert!(needs_an_interpreter(b"#!/bin/sh\n"));
        let mut none = vec![0_u8; 64];
        none[..6].copy_from_slice(b"\x7fELF\x02\x01");
        assert!(!needs_an_interpreter(&none), "no segments at all");
    }
}
