//! Makes the code of `src/roles.txt`: the resource types, and what every role may do with them.

#[path = "build/emit.rs"]
mod emit;
#[path = "build/table.rs"]
mod table;

use std::path::PathBuf;
use std::{env, fs};

const SOURCE: &str = "src/roles.txt";

fn main() -> Result<(), String> {
    for watched in [SOURCE, "build.rs", "build"] {
        tell(&format!("cargo::rerun-if-changed={watched}"));
    }
    let text = fs::read_to_string(SOURCE).map_err(|e| format!("cannot read `{SOURCE}`: {e}"))?;
    let table = table::parse(&text).map_err(|e| format!("crates/authz/{SOURCE}, {e}"))?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?);
    for (name, code) in [
        ("entities.rs", emit::entities(&table)),
        ("roles.rs", emit::roles(&table)),
    ] {
        let target = out.join(name);
        fs::write(&target, code).map_err(|e| format!("cannot write `{}`: {e}", target.display()))?;
    }
    Ok(())
}

fn tell(line: &str) {
    println!("{line}");
}
