//! The reference's label adopts a namespace: who installs, and labels one `runai/queue=PROJECT`, has labelled it as the project's.
//!
//! A policy writes our label beside it in the same request, so that every other policy holds from there on: none of them knows the
//! reference's. What was labelled so before this policy was there is adopted by nobody's annotating it: only the write that sets or
//! changes the label counts. Where our label is there already it decides.

use serde_json::{Value, json};

use crate::names;

/// The name of the policy and of its binding.
pub(crate) const NAME: &str = "reeve-adoption";

/// When the policy acts, by name.
pub(crate) fn match_conditions() -> [(&'static str, String); 3] {
    let queue = |object: &str| format!("{object}.metadata.?labels[?'{}'].orValue('')", names::QUEUE);
    [
        (
            "installer",
            format!("'{}' in request.userInfo.?groups.orValue([])", names::INSTALLERS),
        ),
        (
            "newly-labelled",
            format!(
                "{new} != '' && (oldObject == null || {old} != {new})",
                new = queue("object"),
                old = queue("oldObject")
            ),
        ),
        (
            "not-ours-yet",
            format!("!('{}' in object.metadata.?labels.orValue({{}}))", names::PROJECT),
        ),
    ]
}

/// What it writes.
pub(crate) fn mutation() -> Value {
    let expression = format!(
        "[JSONPatch{{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('{}'), value: object.metadata.labels['{}']}}]",
        names::PROJECT,
        names::QUEUE
    );
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}
