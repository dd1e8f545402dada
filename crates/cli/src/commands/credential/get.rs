//! `reeve credential get`.

use super::list::{phase, scope_of};
use super::one;
use crate::Context;
use crate::args::OneCredential;
use crate::failure::Failure;
use crate::http::Api;

pub(super) async fn run(context: &mut Context, arguments: OneCredential) -> Result<(), Failure> {
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let what = format!("cannot show credential `{}`", arguments.name);
    let found = one(&api, &arguments.name, &what).await?;
    context.printer.answer(&found, || {
        let meta = &found.meta;
        let spec = found.spec.values().next().cloned().unwrap_or_default();
        let keys = spec.key_value_pairs.map(|pairs| {
            pairs
                .into_iter()
                .map(|pair| pair.key)
                .collect::<Vec<_>>()
                .join(", ")
        });
        let status = found.status.as_ref();
        let lines = [
            ("Name", Some(meta.name.to_string())),
            ("Kind", Some(meta.kind.slug().to_owned())),
            ("Id", Some(meta.id.to_string())),
            ("Scope", Some(scope_of(&found.meta.origin))),
            ("Description", meta.description.clone()),
            ("Address", spec.url),
            ("User", spec.user),
            ("Access key", spec.access_key_id),
            ("Keys", keys),
            (
                "Changed",
                Some(format!(
                    "{} by {}",
                    meta.origin.updated_at, meta.origin.updated_by
                )),
            ),
            ("Status", status.map(|status| phase(status.status).to_owned())),
            ("Message", status.map(|status| status.message.clone())),
        ];
        let shown = lines
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name:<12} {}", value?)));
        shown.collect::<Vec<_>>().join("\n")
    })
}
