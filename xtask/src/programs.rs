//! The programs that cargo builds of tests.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A program of tests.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The folder of its crate.
    pub(crate) home: PathBuf,
    /// The name of what is tested: of the library, a program, or a file of `tests`.
    pub(crate) target: String,
    /// Whether its tests are those beside the code of a library.
    pub(crate) unit: bool,
    pub(crate) program: PathBuf,
}

impl Program {
    pub(crate) fn crate_folder(&self) -> String {
        let name = self.home.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// What cargo says of something it built.
#[derive(Deserialize)]
struct Artifact {
    executable: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// The cargo that runs this, or any.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program of tests as cargo would start it, in the folder of its crate; what it says goes into a file.
pub(crate) fn started(program: &Path, home: &Path, log: &Path) -> Result<Command> {
    let file = File::create(log).with_context(|| format!("making `{}`", log.display()))?;
    let both = file.try_clone().context("writing what tests print")?;
    let mut command = Command::new(program);
    command
        .current_dir(home)
        .env("CARGO_MANIFEST_DIR", home)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(both);
    Ok(command)
}

/// The programs of tests among what `cargo test --no-run` says with `--message-format=json-render-diagnostics`.
pub(crate) fn built(said: &[u8]) -> Vec<Program> {
    let said = String::from_utf8_lossy(said);
    let artifacts = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok());
    artifacts.filter_map(program).collect()
}

fn program(artifact: Artifact) -> Option<Program> {
    artifact.profile.filter(|profile| profile.test)?;
    let target = artifact.target?;
    Some(Program {
        home: artifact.manifest_path?.parent()?.to_owned(),
        unit: target.kind.iter().any(|kind| kind == "lib"),
        target: target.name,
        program: artifact.executable?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_tests_alone_are_found() {
        let said = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","target":{"kind":["lib"],"name":"reeve_a"},"profile":{"test":true},"executable":"/w/target/a-1"}
{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","target":{"kind":["lib"],"name":"reeve_a"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/w/crates/b/Cargo.toml","target":{"kind":["test"],"name":"it"},"profile":{"test":true},"executable":"/w/target/it-2"}
{"reason":"build-finished","success":true}
some program wrote this"#;
        let found = built(said.as_bytes());
        let found: Vec<_> = found.iter().map(|it| (it.crate_folder(), it.unit)).collect();
        assert_eq!(found, [("a".to_owned(), true), ("b".to_owned(), false)]);
    }
}
