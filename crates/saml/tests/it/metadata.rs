//! Identity providers' metadata, and ours.

use reeve_saml::{Binding, IdentityProvider, NameIdFormat, SamlError, ServiceProvider, SignedParts};

use crate::provider::{ACS, DS, IDP, IDP_KEY, IDP_NEXT, Key, NOW, SP, SP_KEY, SP_OLD, at, entity, metadata};
use crate::receive::{key, service_provider};

const MD: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

fn read(xml: &str) -> Result<IdentityProvider, SamlError> {
    IdentityProvider::from_metadata(xml.as_bytes(), None, NOW)
}

fn of(xml: &str, entity: &str) -> Result<IdentityProvider, SamlError> {
    IdentityProvider::from_metadata(xml.as_bytes(), Some(entity), NOW)
}

fn descriptor(key: &Key, key_use: &str) -> String {
    format!(
        "<md:KeyDescriptor{key_use}><ds:KeyInfo xmlns:ds=\"{DS}\"><ds:X509Data><ds:X509Certificate>\n{}\n\
         </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
        key.certificate_base64()
    )
}

fn federation(entities: &[String]) -> String {
    format!(
        "<md:EntitiesDescriptor xmlns:md=\"{MD}\">{}</md:EntitiesDescriptor>",
        entities.concat()
    )
}

#[test]
fn a_key_without_use_signs_and_encrypts() {
    let both = read(&entity(IDP, &descriptor(&IDP_KEY, ""))).unwrap();
    assert_eq!(
        (
            both.signing_certificates().len(),
            both.encryption_certificates().len()
        ),
        (1, 1)
    );
    let split = descriptor(&IDP_KEY, " use=\"signing\"") + &descriptor(&IDP_NEXT, " use=\"encryption\"");
    let split = read(&entity(IDP, &split)).unwrap();
    assert_eq!(split.signing_certificates()[0].der(), IDP_KEY.certificate);
    assert_eq!(split.encryption_certificates()[0].der(), IDP_NEXT.certificate);
    let rotation =
        descriptor(&IDP_KEY, " use=\"signing\"") + &descriptor(&IDP_NEXT, "") + &descriptor(&IDP_KEY, "");
    assert_eq!(
        read(&entity(IDP, &rotation))
            .unwrap()
            .signing_certificates()
            .len(),
        2
    );
    let certificate = &split.signing_certificates()[0];
    assert!(certificate.not_after() > NOW && certificate.not_before() < NOW);
    assert_eq!(certificate.fingerprint().len(), 64);
}

#[test]
fn keys_that_cannot_verify_are_refused() {
    let encryption_only = descriptor(&IDP_KEY, " use=\"encryption\"");
    assert!(matches!(
        read(&entity(IDP, &encryption_only)),
        Err(SamlError::NoSigningKey { .. })
    ));
    assert!(matches!(
        read(&entity(IDP, "")),
        Err(SamlError::NoSigningKey { .. })
    ));
    assert!(matches!(
        read(&entity(IDP, &descriptor(&IDP_KEY, " use=\"other\""))),
        Err(SamlError::KeyUse { .. })
    ));
    let broken = descriptor(&IDP_KEY, "").replace("\nMII", "\nAAA");
    assert!(matches!(
        read(&entity(IDP, &broken)),
        Err(SamlError::Certificate { .. })
    ));
    let two = descriptor(&IDP_KEY, "").replace(
        "</ds:X509Data>",
        &format!(
            "<ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>",
            IDP_NEXT.certificate_base64()
        ),
    );
    assert_eq!(read(&entity(IDP, &two)), Err(SamlError::SeveralKeys));
}

#[test]
fn of_several_entities_the_configured_one_is_taken_or_the_ids_are_listed() {
    let provider = |id: &str, key: &Key| entity(id, &descriptor(key, ""));
    let service = format!(
        "<md:EntityDescriptor xmlns:md=\"{MD}\" entityID=\"https://sp.test\"><md:SPSSODescriptor/></md:EntityDescriptor>"
    );
    let inner = federation(&[provider("https://two.test", &IDP_NEXT)]);
    let several = federation(&[service.clone(), provider(IDP, &IDP_KEY), inner]);
    let chosen = of(&several, "https://two.test").unwrap();
    assert_eq!(
        (chosen.entity_id(), chosen.signing_certificates()[0].der()),
        ("https://two.test", IDP_NEXT.certificate.as_slice())
    );
    insta::assert_snapshot!(read(&several).unwrap_err());
    insta::assert_snapshot!(of(&several, "https://three.test").unwrap_err());
    assert!(matches!(
        of(&several, "https://sp.test"),
        Err(SamlError::NoProvider { .. })
    ));
    let only = federation(&[service.clone(), provider(IDP, &IDP_KEY)]);
    assert_eq!(read(&only).unwrap().entity_id(), IDP);
    assert!(matches!(
        of(&metadata(&[&IDP_KEY]), "https://two.test"),
        Err(SamlError::NoSuchEntity { .. })
    ));
    let twice = federation(&[provider(IDP, &IDP_KEY), provider(IDP, &IDP_NEXT)]);
    assert!(matches!(of(&twice, IDP), Err(SamlError::Several { .. })));
    assert!(matches!(read(&service), Err(SamlError::NoProvider { .. })));
    let many: Vec<_> = (0..30)
        .map(|n| provider(&format!("https://{n}.test"), &IDP_KEY))
        .collect();
    assert!(
        read(&federation(&many))
            .unwrap_err()
            .to_string()
            .contains("https://19.test and 10 more")
    );
}

#[test]
fn the_earliest_end_around_the_entity_counts() {
    let plain = metadata(&[&IDP_KEY]);
    let until = |seconds| format!(" validUntil=\"{}\" ", at(seconds));
    let entity = |seconds| plain.replace(" entityID", &format!("{}entityID", until(seconds)));
    assert_eq!(read(&entity(100)).unwrap().valid_until(), Some(at(100)));
    read(&entity(-59)).unwrap();
    insta::assert_snapshot!(read(&entity(-60)).unwrap_err());
    let within = plain.replace(
        " protocolSupportEnumeration",
        &format!("{}protocolSupportEnumeration", until(-60)),
    );
    assert!(matches!(read(&within), Err(SamlError::Expired { .. })));
    let around = federation(&[entity(100)]).replace(
        "<md:EntitiesDescriptor",
        &format!("<md:EntitiesDescriptor{}", until(50)),
    );
    assert_eq!(read(&around).unwrap().valid_until(), Some(at(50)));
    assert!(matches!(
        read(&plain.replace(" entityID", " validUntil=\"soon\" entityID")),
        Err(SamlError::Time { .. })
    ));
}

#[test]
fn addresses_are_web_addresses() {
    let plain = metadata(&[&IDP_KEY]);
    for bad in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "/sso",
        "",
        "https://",
        "https://idp.test/#x",
    ] {
        assert!(
            read(&plain.replace("https://idp.test/sso\"", &format!("{bad}\""))).is_err(),
            "{bad}"
        );
        assert!(
            ServiceProvider::new(SP, bad, vec![key(&SP_KEY)]).is_err(),
            "{bad}"
        );
    }
    let provider = read(&plain).unwrap();
    assert_eq!(provider.preferred_binding(), Binding::Redirect);
    assert_eq!(
        provider.sign_on_url(Binding::Redirect),
        Some("https://idp.test/sso?x=1")
    );
    let redirect = read(&plain.replace("bindings:HTTP-POST", "bindings:SOAP")).unwrap();
    assert_eq!(
        (redirect.preferred_binding(), redirect.sign_on_url(Binding::Post)),
        (Binding::Redirect, None)
    );
    let post = read(&plain.replace("bindings:HTTP-Redirect", "bindings:PAOS")).unwrap();
    assert_eq!(post.preferred_binding(), Binding::Post);
    let none = plain
        .replace("bindings:HTTP-POST", "bindings:SOAP")
        .replace("bindings:HTTP-Redirect", "bindings:PAOS");
    assert!(matches!(read(&none), Err(SamlError::NoBinding { .. })));
}

#[test]
fn people_write_comments_into_metadata_but_not_into_values() {
    let plain = metadata(&[&IDP_KEY]);
    read(&format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<!-- ours --><?pi x?>{plain}\n<!-- end -->\n"
    ))
    .unwrap();
    let cut = plain.replacen("<ds:X509Certificate>MII", "<ds:X509Certificate>MII<!-- -->", 1);
    assert!(matches!(read(&cut), Err(SamlError::NotText { .. })));
    for bad in [
        format!("<!DOCTYPE x [<!ENTITY e \"x\">]>{plain}"),
        format!("<!DOCTYPE x>{plain}"),
        format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{plain}"),
        plain.replace("</md:EntityDescriptor>", ""),
        format!("{plain}{plain}"),
        "<html/>".to_owned(),
        String::new(),
        " ".repeat(2 * 1024 * 1024),
        "<a>".repeat(1000),
        format!("<a{}/>", " b=''".repeat(1000)),
    ] {
        assert!(read(&bad).is_err(), "{bad:.60}");
    }
    assert!(IdentityProvider::from_metadata(&[0xff, 0xfe, 0x3c], None, NOW).is_err());
    let other_protocol = plain.replace("SAML:2.0:protocol", "SAML:1.1:protocol");
    assert!(matches!(read(&other_protocol), Err(SamlError::NoProvider { .. })));
}

#[test]
fn ours_names_keys_and_address() {
    let us = service_provider().naming(NameIdFormat::Email);
    let xml = us.metadata();
    let document = roxmltree::Document::parse(&xml).unwrap();
    assert_eq!(document.root_element().attribute("entityID"), Some(SP));
    let keys: Vec<_> = document
        .descendants()
        .filter(|n| n.has_tag_name((MD, "KeyDescriptor")))
        .map(|n| {
            let certificate = n
                .descendants()
                .find(|n| n.has_tag_name((DS, "X509Certificate")))
                .unwrap();
            (
                n.attribute("use").unwrap(),
                certificate.text().unwrap().to_owned(),
            )
        })
        .collect();
    let (new, old) = (SP_KEY.certificate_base64(), SP_OLD.certificate_base64());
    assert_eq!(
        keys,
        [("signing", new.clone()), ("encryption", new), ("signing", old)]
    );
    let acs = document
        .descendants()
        .find(|n| n.has_tag_name((MD, "AssertionConsumerService")))
        .unwrap();
    assert_eq!(
        (acs.attribute("Location"), acs.attribute("Binding")),
        (Some(ACS), Some(Binding::Post.uri()))
    );
    assert!(xml.contains("WantAssertionsSigned=\"true\"") && xml.contains("emailAddress"));
    let response_only = service_provider().requiring(SignedParts::Response).metadata();
    assert!(response_only.contains("WantAssertionsSigned=\"false\""));
    let strange = ServiceProvider::new("https://a.test/?x=1&y=\"<>", ACS, vec![key(&SP_KEY)])
        .unwrap()
        .metadata();
    let document = roxmltree::Document::parse(&strange).unwrap();
    assert_eq!(
        document.root_element().attribute("entityID"),
        Some("https://a.test/?x=1&y=\"<>")
    );
}

#[test]
fn our_key_is_checked_and_never_printed() {
    let wrong = reeve_saml::ServiceProviderKey::new(&SP_KEY.pkcs8, SP_OLD.certificate.clone()).unwrap_err();
    assert!(matches!(wrong, SamlError::Key { .. }));
    assert!(reeve_saml::ServiceProviderKey::new(b"x", SP_OLD.certificate.clone()).is_err());
    assert!(ServiceProvider::new(SP, ACS, Vec::new()).is_err());
    assert!(ServiceProvider::new("", ACS, vec![key(&SP_KEY)]).is_err());
    assert!(!format!("{:?}", service_provider()).contains("pkcs8"));
}

/// Of an address a browser is sent to, the origin stands in our pages' Content-Security-Policy. Planted fault: the origin is not
/// looked at, or the scheme.
#[test]
fn a_sign_on_address_says_nothing_but_where_a_form_goes_and_is_https() {
    let with = |address: &str| {
        read(&metadata(&[&IDP_KEY]).replace("https://idp.test/sso\"", &format!("{address}\"")))
    };
    for wrong in [
        "https://idp.test;script-src/sso",
        "https://idp.test,x/sso",
        "https://idp.test'x/sso",
        "https://*.test/sso",
        "http://idp.test/sso",
        "http://10.0.0.1/sso",
    ] {
        let refused = with(wrong);
        assert!(
            matches!(refused, Err(SamlError::SignOnAddress { .. })),
            "{wrong}: {refused:?}"
        );
    }
    for right in [
        "https://idp.test:8443/sso;x=1,2?a='b'",
        "http://localhost:8080/sso",
        "http://127.0.0.1/sso",
        "http://[::1]:8080/sso",
        "https://[2001:db8::1]/sso",
        "https://bücher.test/sso",
    ] {
        with(right).unwrap();
    }
}
