//! `reeve cluster set-endpoint`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_api::cluster::Cluster;
use reeve_api::kubernetes::KubernetesEndpoint;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use crate::Context;
use crate::args::SetEndpoint;
use crate::failure::Failure;
use crate::http::{Api, parse_address};

pub(in crate::commands) async fn run(context: &mut Context, arguments: SetEndpoint) -> Result<(), Failure> {
    let cluster = arguments.cluster;
    let what = format!("cannot set the address of cluster `{cluster}`");
    parse_address(&arguments.server)?;
    let authority = match &arguments.ca_file {
        None => Vec::new(),
        Some(file) => {
            let cannot = || Failure::failed(format!("cannot use `{}`", file.display()));
            let pem = std::fs::read(file).map_err(|error| cannot().because(error))?;
            let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect();
            if certificates.is_empty() || certificates.iter().any(Result::is_err) {
                return Err(cannot().cause("it holds no certificate in PEM"));
            }
            pem
        }
    };
    let api = Api::signed_in(&context.settings, context.clock.now()).await?;
    let endpoint = KubernetesEndpoint {
        server: arguments.server,
        certificate_authority_data: STANDARD.encode(authority),
    };
    let body = json!({ "kubernetesEndpoint": endpoint });
    let shown: Cluster = api
        .patch(&format!("/api/v1/clusters/{cluster}"), &body)
        .await
        .map_err(|error| error.explain(what))?;
    context.printer.answer(&shown, || {
        format!(
            "people now reach the API server of cluster `{}` at `{}`; each confirms it once with `reeve kubeconfig set --cluster \
             {cluster} --accept-new-endpoint`",
            shown.name, endpoint.server
        )
    })
}
