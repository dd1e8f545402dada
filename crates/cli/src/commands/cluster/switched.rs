//! Which switches the arguments mean.

use std::fs;

use reeve_types::Switches;

use crate::args::Switched;
use crate::failure::Failure;

/// What the file says, and then what the arguments say one by one.
pub(super) fn switches(switched: &Switched, what: &str) -> Result<Switches, Failure> {
    let usage = |cause: String| Failure::failed(what).cause(cause);
    let said = match &switched.values {
        None => Switches::default(),
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| usage(format!("cannot read `{}`: {error}", path.display())))?;
            let values: serde_json::Value = serde_saphyr::from_str(&text)
                .map_err(|error| usage(format!("`{}` is no YAML: {error}", path.display())))?;
            Switches::of_values(&values).map_err(|error| usage(format!("`{}`: {error}", path.display())))?
        }
    };
    let set = |switches: Switches, (switch, on): &(_, bool)| switches.with(*switch, *on);
    Ok(switched.switches.iter().fold(said, set))
}
