//! The reference's Python client, as its package has it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Result;

use crate::environment::{Missing, missing};
use crate::identity::installed_by;
use crate::skip::skipped_without;

/// The Python that `runapy` of the version in `tests/compat/requirements.txt` is installed in; none, and a loud `SKIPPED`, where it
/// cannot be had.
///
/// # Panics
/// Under `TESTBED=require`, where it cannot be had.
pub fn reference_client() -> Option<&'static Path> {
    static SHARED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    if missing() == Missing::Off {
        return skipped_without("client of the reference", "TESTBED=off");
    }
    let shared = SHARED.get_or_init(|| installed().map_err(|error| format!("{error:#}")));
    match shared {
        Ok(python) => Some(python),
        Err(why) => skipped_without("client of the reference", why),
    }
}

fn installed() -> Result<PathBuf> {
    Ok(installed_by("tests/compat/install.sh")?.join("bin/python"))
}
