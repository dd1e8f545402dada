//! Metadata of an identity provider.

use std::sync::LazyLock;

use reeve_saml::{Binding, IdentityProvider};
use url::Url;

use super::{Broken, Outcome, Target, holds, judged};
use crate::saml::{ATTACKER, IDP, IDP_KEY, NOW, escaped, metadata};
use crate::script::{expand, input};

pub(super) const TARGET: Target = Target {
    name: "saml_metadata",
    promise: "metadata that is taken has a name, a certificate and an address, sends a browser nowhere but over TLS or to this \
              machine, with an origin that says no more in a policy, and printed again reads the same",
    words: &[
        "https://idp.test/sso",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://idp.test/",
        "javascript:",
        "data:,",
        "https://a;b/",
        "https://a'b/",
        "https://*/",
        "https://[::1]/",
        " validUntil=\"2027-01-01T00:00:00Z\"",
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">",
        "</md:EntitiesDescriptor>",
        " use=\"encryption\"",
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
        "<!-- -->",
        "<![CDATA[",
    ],
    seeds,
    found: include_str!("../../corpus/saml_metadata.txt"),
    check: |input| check(input, ours),
    naive: |input| check(input, unchecked),
};

static PIECES: LazyLock<[String; 2]> = LazyLock::new(|| [IDP_KEY.certificate(), ATTACKER.certificate()]);

/// What is promised of metadata.
struct Read {
    entity: String,
    addresses: Vec<String>,
    provider: Option<IdentityProvider>,
}

fn seeds() -> Vec<Vec<u8>> {
    let post = Binding::Post.uri();
    let own = metadata(
        IDP,
        "",
        &[("signing", "\u{80}".to_owned())],
        &[(post, "https://idp.test/sso")],
    );
    let with = |old: &str, new: &str| own.replace(old, new);
    [
        own.clone(),
        with("https://idp.test/sso", "http://127.0.0.1:8080/sso?a=1&amp;b=2"),
        with("https://idp.test/sso", "http://idp.test/sso"),
        with("https://idp.test/sso", "https://a;b.test/sso"),
        with(" use=\"signing\"", ""),
        with(
            "<md:IDPSSODescriptor",
            "<md:IDPSSODescriptor validUntil=\"2027-01-01T00:00:00Z\"",
        ),
        with("\u{80}", "\u{81}"),
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"><!-- all -->{own}</md:EntitiesDescriptor>"
        ),
    ]
    .iter()
    .map(|text| input(text))
    .collect()
}

fn ours(text: &str) -> Option<Read> {
    let provider = IdentityProvider::from_metadata(text.as_bytes(), None, NOW).ok()?;
    let address = |binding| provider.sign_on_url(binding).map(str::to_owned);
    Some(Read {
        entity: provider.entity_id().to_owned(),
        addresses: [Binding::Redirect, Binding::Post]
            .into_iter()
            .filter_map(address)
            .collect(),
        provider: Some(provider),
    })
}

/// Takes any address.
fn unchecked(text: &str) -> Option<Read> {
    let document = roxmltree::Document::parse(text).ok()?;
    let addresses = document
        .descendants()
        .filter_map(|node| node.attribute("Location"));
    Some(Read {
        entity: document.root_element().attribute("entityID")?.to_owned(),
        addresses: addresses.map(str::to_owned).collect(),
        provider: None,
    })
}

fn check(input: &[u8], read: impl Fn(&str) -> Option<Read>) -> Result<Outcome, Broken> {
    judged(read(&expand(input, PIECES.as_slice())), |it| {
        holds(!it.entity.is_empty(), "no name")?;
        holds(!it.addresses.is_empty(), "no address")?;
        for address in &it.addresses {
            holds(is_safe(address), &format!("a browser is sent to {address}"))?;
        }
        let Some(provider) = it.provider else {
            return Ok(());
        };
        holds(!provider.signing_certificates().is_empty(), "no certificate")?;
        let again = IdentityProvider::from_metadata(printed(&provider).as_bytes(), None, NOW);
        holds(
            again.as_ref().is_ok_and(|again| *again == provider),
            &format!("{provider:?} is read again as {again:?}"),
        )
    })
}

/// By the text alone where that is enough, so that this and the product do not share a mistake.
fn is_safe(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let here = ["localhost", "[::1]"].contains(&host) || host.starts_with("127.");
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-_[]:".contains(&byte));
    !host.is_empty() && plain && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

fn printed(provider: &IdentityProvider) -> String {
    use base64::Engine as _;
    let encoded = |it: &reeve_saml::Certificate| base64::engine::general_purpose::STANDARD.encode(it.der());
    let signing = provider
        .signing_certificates()
        .iter()
        .map(|it| ("signing", encoded(it)));
    let encryption = provider
        .encryption_certificates()
        .iter()
        .map(|it| ("encryption", encoded(it)));
    let until = provider
        .valid_until()
        .map_or_else(String::new, |it| format!(" validUntil=\"{it}\""));
    let addresses: Vec<_> = [Binding::Redirect, Binding::Post]
        .into_iter()
        .filter_map(|binding| Some((binding.uri(), escaped(provider.sign_on_url(binding)?))))
        .collect();
    let addresses: Vec<_> = addresses
        .iter()
        .map(|(binding, address)| (*binding, address.as_str()))
        .collect();
    metadata(
        &escaped(provider.entity_id()),
        &until,
        &signing.chain(encryption).collect::<Vec<_>>(),
        &addresses,
    )
}
