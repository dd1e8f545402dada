//! What expressions of CEL are put together of.

/// A list of names as a CEL literal.
pub(crate) fn cel_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    format!("[{}]", quoted.join(", "))
}
