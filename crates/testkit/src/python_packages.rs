//! Packages of PyPI that tests run against the product, each pinned with its hashes.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Result;

use crate::environment::{Missing, missing};
use crate::identity::installed_by;
use crate::skip::skipped_without;

/// The Python that `runapy` of the version in `tests/compat/requirements.txt` is installed in: the reference's client. None, and a
/// loud `SKIPPED`, where it cannot be had.
///
/// # Panics
/// Under `TESTBED=require`, where it cannot be had.
pub fn reference_client() -> Option<&'static Path> {
    static SHARED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    program(&SHARED, "client of the reference", "runapy", "compat", "python")
}

/// The program of `schemathesis` of the version in `tests/schemathesis/requirements.txt`. None, and a loud `SKIPPED`, where it cannot be
/// had.
///
/// # Panics
/// Under `TESTBED=require`, where it cannot be had.
pub fn schemathesis() -> Option<&'static Path> {
    static SHARED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    program(
        &SHARED,
        "schemathesis",
        "schemathesis",
        "schemathesis",
        "schemathesis",
    )
}

/// A program of what the folder `tests/<folder>` asks for.
fn program(
    shared: &'static OnceLock<Result<PathBuf, String>>,
    what: &str,
    name: &str,
    folder: &str,
    program: &str,
) -> Option<&'static Path> {
    if missing() == Missing::Off {
        return skipped_without(what, "TESTBED=off");
    }
    let installed = || {
        let requirements = format!("{folder}/requirements.txt");
        let folder = installed_by("tests/install-python-packages.sh", &[name, &requirements]);
        folder.map_err(|error| format!("{error:#}"))
    };
    match shared.get_or_init(|| Ok(installed()?.join("bin").join(program))) {
        Ok(path) => Some(path),
        Err(why) => skipped_without(what, why),
    }
}
