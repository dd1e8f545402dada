//! `reeve cluster bindings`: what installers bind by hand. Asks nobody.

use reeve_tenancy::by_hand_yaml;
use reeve_types::names::is_reserved_namespace;

use super::switched::switches;
use crate::Context;
use crate::args::Bindings;
use crate::failure::Failure;

pub(in crate::commands) fn run(context: &mut Context, arguments: &Bindings) -> Result<(), Failure> {
    let namespace = &arguments.namespace;
    let what = format!("cannot print the bindings of namespace `{namespace}`");
    let cause = if is_reserved_namespace(namespace) {
        Some("it is a namespace of the system, which is no project's")
    } else if is_name(namespace) {
        None
    } else {
        Some("a namespace has lower-case letters, digits and hyphens, at most 63")
    };
    if let Some(cause) = cause {
        return Err(Failure::failed(what).cause(cause));
    }
    let switches = switches(&arguments.switched, &what)?;
    let text =
        by_hand_yaml(namespace, switches).map_err(|error| Failure::failed(what).cause(error.to_string()))?;
    context.printer.raw(text.as_bytes())
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=63).contains(&text.len())
        && text.chars().all(|c| plain(c) || c == '-')
        && text.starts_with(plain)
        && text.ends_with(plain)
}
