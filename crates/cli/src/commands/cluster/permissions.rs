//! `reeve cluster permissions`: the table of the operator's rights. Asks nobody: it is for before anything is installed.

use reeve_tenancy::{Platform, Shown, permission_rows, permissions_html, permissions_text, rbac_yaml};

use super::switched::switches;
use crate::Context;
use crate::args::{self, Format, Permissions};
use crate::failure::Failure;

const WHAT: &str = "cannot show the permissions";

pub(in crate::commands) fn run(context: &mut Context, arguments: &Permissions) -> Result<(), Failure> {
    let switches = switches(&arguments.switched, WHAT)?;
    let platform = match arguments.platform {
        args::Platform::Kubernetes => Platform::Kubernetes,
        args::Platform::Openshift => Platform::OpenShift,
        args::Platform::Restricted => Platform::Restricted,
    };
    let shown = if arguments.diff {
        Shown::Removed
    } else {
        Shown::Given
    };
    let failed = |cause: String| Failure::failed(WHAT).cause(cause);
    let text = match context.printer.format() {
        Format::Html => permissions_html(switches, platform, shown),
        Format::Yaml if arguments.diff => {
            let cause = "of what is taken away there are no objects: leave out --diff or -o yaml";
            return Err(failed(cause.to_owned()));
        }
        Format::Yaml => rbac_yaml(switches).map_err(|error| failed(error.to_string()))?,
        Format::Table | Format::Wide | Format::Json | Format::Name => {
            let rows = permission_rows(switches, platform, shown);
            return context
                .printer
                .answer(&rows, || permissions_text(switches, platform, shown));
        }
    };
    context.printer.raw(text.as_bytes())
}
