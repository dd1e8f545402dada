//! Signing in through a provider of SAML 2.0: the test provider of the crate `saml`, which signs whatever a test wants.

use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reeve_server::renewal::UNCONFIRMED_SECONDS;
use reeve_types::Timestamp;
use serde_json::{Value, json};

use super::devices;
use super::visitor::{REALM, Visitor, authorize, hidden, location, parameter, path_of};
use crate::server::{Answer, Server};
use provider::{
    ACS, ALICE, ASSERTION_ID, ATTACKER, IDP, IDP_KEY, IDP_NEXT, Key, NOW, REQUEST, RESPONSE_ID, SP, Shape,
    Signer, assertion, metadata, response,
};

#[path = "../../../../saml/tests/it/provider.rs"]
#[expect(dead_code, reason = "the attacks on the crate need more of it")]
mod provider;

const ENDPOINT: &str = "/auth/realms/runai/broker/saml/endpoint";

/// A server at the moment of which the provider's assertions speak.
async fn server() -> Server {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Server::at(NOW).await
}

fn by_file(metadata: &str) -> Value {
    let file = STANDARD.encode(metadata);
    json!({"type": "saml", "samlData": {
        "metadataXmlType": "file", "metadataXmlFile": file, "fileName": "idp.xml", "entityId": SP,
    }})
}

async fn set_up(server: &Server, body: Value) {
    let made = server.post(&server.admin, "/api/v1/idps", body).await;
    assert_eq!(made.is(201), json!({"alias": "saml"}));
}

/// What a browser was sent to the provider with.
struct Sent {
    request: String,
    relay_state: String,
    at: Timestamp,
}

async fn goes(visitor: &mut Visitor<'_>, path: &str) -> Sent {
    let address = visitor.goes_to(path, "saml").await;
    sent(&address, visitor.server.clock.now())
}

fn sent(address: &str, at: Timestamp) -> Sent {
    assert!(address.starts_with("https://idp.test/sso?x=1&"), "{address}");
    let deflated = STANDARD.decode(parameter(address, "SAMLRequest")).unwrap();
    let xml = miniz_oxide::inflate::decompress_to_vec(&deflated).unwrap();
    Sent {
        request: id_of(&String::from_utf8(xml).unwrap()),
        relay_state: parameter(address, "RelayState"),
        at,
    }
}

fn id_of(request: &str) -> String {
    assert!(
        request.contains(ACS) && request.contains(&format!(">{SP}<")),
        "{request}"
    );
    request
        .split(" ID=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// The provider's answer, unsigned: somebody with numbers, and one group that nobody can be put into.
fn answer(sent: &Sent) -> String {
    let more = |name: &str, value: &str| {
        format!(
            "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>"
        )
    };
    let more = [
        more("GID", "70002"),
        more("SUPPLEMENTARYGROUPS", "70003"),
        more("GROUPS", "system:masters"),
    ]
    .concat();
    let moment = |text: String, seconds| {
        let (its, now) = (NOW.plus_seconds(seconds), sent.at.plus_seconds(seconds));
        text.replace(&its.to_string(), &now.to_string())
    };
    let now = [-300, 0, 300].into_iter().fold(response(&assertion()), moment);
    // Each of an id of its own, as providers do.
    now.replace(ASSERTION_ID, &format!("_of{}", sent.request))
        .replace(REQUEST, &sent.request)
        .replace(
            "</saml:AttributeStatement>",
            &format!("{more}</saml:AttributeStatement>"),
        )
}

/// Signed assertion, and with it the response.
fn signed(xml: &str, shape: Shape, key: &Key) -> String {
    let signer = Signer::new(key);
    let id = xml
        .split("<saml:Assertion ")
        .nth(1)
        .unwrap()
        .split(" ID=\"")
        .nth(1)
        .unwrap();
    let signed = signer.sign(xml, id.split('"').next().unwrap());
    match shape {
        Shape::Both => signer.sign(&signed, RESPONSE_ID),
        Shape::Assertion | Shape::Response => signed,
    }
}

fn honest(sent: &Sent, key: &Key) -> String {
    signed(&answer(sent), Shape::Assertion, key)
}

async fn brings(visitor: &mut Visitor<'_>, xml: &str, relay_state: &str) -> Answer {
    let form = [
        ("SAMLResponse", STANDARD.encode(xml)),
        ("RelayState", relay_state.to_owned()),
    ];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    visitor.post(ENDPOINT, &form).await
}

async fn signs_in(server: &Server, key: &Key) -> Result<String, Answer> {
    let mut visitor = Visitor::new(server);
    let sent = goes(&mut visitor, &authorize()).await;
    let back = brings(&mut visitor, &honest(&sent, key), &sent.relay_state).await;
    if back.status.as_u16() != 303 {
        return Err(back);
    }
    let token = visitor.redeem(&location(&back)).await.is(200);
    Ok(token["access_token"].as_str().unwrap().to_owned())
}

/// Planted faults: a cookie that is `Lax` does not come back with the form of a real browser (`browser.rs` shows that), and a session
/// without a bound is still good at the end.
#[tokio::test]
async fn a_person_signs_in_with_groups_and_numbers_for_an_hour() {
    let server = server().await;
    set_up(&server, by_file(&metadata(&[&IDP_KEY]))).await;
    let token = signs_in(&server, &IDP_KEY).await.unwrap();
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(me["username"], ALICE);
    assert_eq!(me["groups"], json!(["/a/b", "ml"]));
    assert_eq!(
        me["posix"],
        json!({"uid": 70001, "gid": 70002, "supplementaryGroups": [70003]})
    );
    // In the browser itself, she is the same person; the cookie of the attempt is the one that a form brings along, and goes.
    let mut visitor = Visitor::new(&server);
    let page = visitor.get("/sign-in").await;
    let attempt = hidden(&page.text, "attempt");
    let away = visitor
        .get(&format!("{REALM}/broker/saml/login?attempt={attempt}"))
        .await;
    let cookie = away.headers["set-cookie"].to_str().unwrap();
    for guard in [
        "__Host-reeve-saml=",
        "Path=/;",
        "Secure",
        "HttpOnly",
        "SameSite=None",
        "Max-Age=600",
    ] {
        assert!(cookie.contains(guard), "{cookie}");
    }
    let sent = goes(&mut visitor, "/sign-in").await;
    let back = brings(&mut visitor, &honest(&sent, &IDP_KEY), &sent.relay_state).await;
    assert_eq!(location(&back), "https://reeve.test/account");
    assert_eq!(
        visitor.cookies.0.keys().collect::<Vec<_>>(),
        ["__Host-reeve-session"]
    );
    let users = server.get(&server.admin, "/api/v1/users").await.is(200);
    let hers = users["users"].as_array().or(users.as_array()).unwrap();
    assert_eq!(hers.iter().filter(|user| user["username"] == ALICE).count(), 1);
    // Nobody can be asked again whether she is still in these groups.
    server.clock.advance_seconds(UNCONFIRMED_SECONDS - 1);
    server.get(&token, "/api/v1/me").await.is(200);
    server.clock.advance_seconds(2);
    server.get(&token, "/api/v1/me").await.refused(401);
}

/// Planted fault: the pages after the provider go with the cookie of the page before it, which is another sign-in's (`page-after-saml-is-of-another-sign-in`).
#[tokio::test]
async fn a_device_and_a_code_that_is_shown_wait_for_somebody_of_a_provider_of_saml() {
    let server = server().await;
    set_up(&server, by_file(&metadata(&[&IDP_KEY]))).await;
    devices::turn(&server, true).await;
    let (device, code) = devices::begun(&server).await;
    let mut visitor = Visitor::new(&server);
    let sent = goes(&mut visitor, "/device").await;
    let page = brings(&mut visitor, &honest(&sent, &IDP_KEY), &sent.relay_state).await;
    assert!(page.text.contains(ALICE), "{}", page.text);
    let question = devices::types(&mut visitor, &page, &code).await;
    assert_eq!(question.status.as_u16(), 200, "{}", question.text);
    devices::decides(&mut visitor, &question, "sign-in").await;
    let tokens = devices::ask(&server, &device).await.unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    let me = server.get(access, "/api/v1/me").await.is(200);
    assert_eq!(
        (&me["username"], &me["groups"]),
        (&json!(ALICE), &json!(["/a/b", "ml"]))
    );

    let mut visitor = Visitor::new(&server);
    let path = visitor.asks_for_a_code_by_hand().await;
    let sent = goes(&mut visitor, &path).await;
    let page = brings(&mut visitor, &honest(&sent, &IDP_KEY), &sent.relay_state).await;
    let ticket = hidden(&page.text, "ticket");
    let shown = visitor.post("/oauth-code", &[("ticket", ticket.as_str())]).await;
    assert!(shown.text.contains("<code id=\"code\">"), "{}", shown.text);
}

/// Planted faults, one for each line: relay state, cookie, alias or use of the attempt not compared.
#[tokio::test]
async fn a_response_that_this_browser_did_not_ask_for_or_that_is_not_the_providers_brings_nobody_in() {
    let server = server().await;
    set_up(&server, by_file(&metadata(&[&IDP_KEY]))).await;
    let mut visitor = Visitor::new(&server);
    let sent = goes(&mut visitor, "/sign-in").await;
    let good = honest(&sent, &IDP_KEY);
    let begun = visitor.cookies.clone();
    let again = || Visitor {
        server: &server,
        cookies: begun.clone(),
    };
    // Another browser.
    let refused = brings(&mut Visitor::new(&server), &good, &sent.relay_state).await;
    assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
    // Another site's relay state, another provider's address, another binding.
    let refused = brings(&mut again(), &good, "other").await;
    assert_eq!(refused.status.as_u16(), 400);
    let form = [
        ("SAMLResponse", STANDARD.encode(&good)),
        ("RelayState", sent.relay_state.clone()),
    ];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let elsewhere = ENDPOINT.replace("saml", "other");
    assert_eq!(again().post(&elsewhere, &form).await.status.as_u16(), 400);
    assert_eq!(again().get(ENDPOINT).await.status.as_u16(), 400);
    // None of these used the attempt up; the right answer does.
    let back = brings(&mut again(), &good, &sent.relay_state).await;
    assert_eq!(back.status.as_u16(), 303, "{}", back.text);
    let refused = brings(&mut again(), &good, &sent.relay_state).await;
    assert_eq!(refused.status.as_u16(), 400);
    // An answer to another request, one that was changed after it was signed, one of another key, one for somebody else's email.
    type Made = fn(&Sent) -> String;
    let changed: Made = |sent| honest(sent, &IDP_KEY).replace(">ml<", ">admins<");
    let foreign: Made = |sent| honest(sent, &ATTACKER);
    let other: Made = |_| {
        let other = Sent {
            request: "_other".to_owned(),
            relay_state: String::new(),
            at: NOW,
        };
        honest(&other, &IDP_KEY)
    };
    // Of an id that was used; the planted fault: a provider's answer that is not noted down.
    let replayed: Made = |sent| {
        let plain = answer(sent).replace(&format!("ID=\"_of{}", sent.request), "ID=\"_used");
        signed(&plain, Shape::Both, &IDP_KEY)
    };
    let nameless: Made = |sent| {
        let plain = answer(sent).replace("Name=\"email\"", "Name=\"mail\"");
        signed(&plain, Shape::Both, &IDP_KEY)
    };
    let half: Made = |sent| {
        let plain = answer(sent).replace("Name=\"GID\"", "Name=\"no\"");
        signed(&plain, Shape::Both, &IDP_KEY)
    };
    let elsewhere: Made = |sent| {
        let plain = answer(sent).replace(
            "Name=\"GROUPS\"",
            "Name=\"http://schemas.microsoft.com/claims/groups.link\"",
        );
        signed(&plain, Shape::Both, &IDP_KEY)
    };
    let taken: Made = |sent| {
        let plain = answer(sent).replace(&format!("persistent\">{ALICE}"), "persistent\">mallory");
        signed(&plain, Shape::Both, &IDP_KEY)
    };
    for (what, made, status) in [
        ("changed", changed, 502),
        ("foreign", foreign, 502),
        ("other", other, 400),
        ("first of its id", replayed, 303),
        ("replayed", replayed, 400),
        ("nameless", nameless, 401),
        ("half", half, 403),
        ("elsewhere", elsewhere, 403),
        ("taken", taken, 409),
    ] {
        let mut visitor = Visitor::new(&server);
        let sent = goes(&mut visitor, "/sign-in").await;
        let refused = brings(&mut visitor, &made(&sent), &sent.relay_state).await;
        assert_eq!(refused.status.as_u16(), status, "{what}: {}", refused.text);
        if status == 303 {
            continue;
        }
        assert!(
            refused.text.contains("tell your administrator the reference"),
            "{what}"
        );
        assert!(!visitor.cookies.0.contains_key("__Host-reeve-session"), "{what}");
    }
    // What took too long.
    let mut visitor = Visitor::new(&server);
    let sent = goes(&mut visitor, "/sign-in").await;
    server.clock.advance_seconds(601);
    let refused = brings(&mut visitor, &honest(&sent, &IDP_KEY), &sent.relay_state).await;
    assert_eq!(refused.status.as_u16(), 400);
}

/// Where metadata comes from an address, and how often it was asked; empty it answers 503.
async fn published() -> (String, Arc<Mutex<(String, u32)>>) {
    let state = Arc::new(Mutex::new((metadata(&[&IDP_KEY]), 0)));
    let shared = Arc::clone(&state);
    let answer = move || {
        let mut state = shared.lock().unwrap();
        state.1 += 1;
        let text = state.0.clone();
        std::future::ready(match text.as_str() {
            "" => Err(StatusCode::SERVICE_UNAVAILABLE),
            _ => Ok(([("content-type", "application/samlmetadata+xml")], text)),
        })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/metadata", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let router = axum::Router::new().route("/metadata", get(answer));
        axum::serve(listener, router).await.unwrap();
    });
    (address, state)
}

/// Planted faults: metadata that is kept for ever (the withdrawn key still signs somebody in), and that is read for each response of
/// an unknown key (anybody can make us ask).
#[tokio::test]
async fn metadata_of_an_address_is_read_again_for_another_key_and_counts_for_an_hour() {
    let server = server().await;
    let (address, published) = published().await;
    let body = json!({"type": "saml", "samlData": {"metadataXmlUrl": address, "entityId": SP}});
    set_up(&server, body).await;
    let asked = || published.lock().unwrap().1;
    let shown = server.get(&server.admin, "/api/v1/idps/saml").await.is(200);
    assert_eq!((shown["samlData"].get("signingCertificate"), asked()), (None, 0));
    signs_in(&server, &IDP_KEY).await.unwrap();
    let shown = server.get(&server.admin, "/api/v1/idps/saml").await.is(200);
    assert_eq!(
        shown["samlData"]["signingCertificate"],
        IDP_KEY.certificate_base64()
    );
    assert_eq!(
        shown["samlData"]["singleSignOnServiceUrl"],
        "https://idp.test/sso?x=1"
    );

    // The provider signs with a new key: not asked again for half a minute, and then at once.
    published.lock().unwrap().0 = metadata(&[&IDP_NEXT]);
    for _ in 0..3 {
        let refused = signs_in(&server, &IDP_NEXT).await.unwrap_err();
        assert_eq!((refused.status.as_u16(), asked()), (502, 1));
    }
    server.clock.advance_seconds(31);
    signs_in(&server, &IDP_NEXT).await.unwrap();
    assert_eq!(asked(), 2);
    signs_in(&server, &IDP_KEY).await.unwrap_err();

    // Away, it is believed for an hour and no longer.
    published.lock().unwrap().0.clear();
    server.clock.advance_seconds(200);
    signs_in(&server, &IDP_NEXT).await.unwrap();
    server.clock.advance_seconds(3600);
    let mut visitor = Visitor::new(&server);
    let page = visitor.get("/sign-in").await;
    let attempt = hidden(&page.text, "attempt");
    let path = format!("{REALM}/broker/saml/login?attempt={attempt}");
    assert_eq!(visitor.get(&path).await.status.as_u16(), 502);
    // Nor longer than it says itself.
    let until = server.clock.now().plus_seconds(120);
    let ending = metadata(&[&IDP_KEY]).replace(
        "<md:EntityDescriptor ",
        &format!("<md:EntityDescriptor validUntil=\"{until}\" "),
    );
    published.lock().unwrap().0 = ending;
    assert_eq!(visitor.get(&path).await.status.as_u16(), 303);
    server.clock.advance_seconds(240);
    assert_eq!(visitor.get(&path).await.status.as_u16(), 502);
}

#[tokio::test]
async fn a_provider_of_saml_is_shown_changed_and_described_and_its_key_never_shown() {
    let server = server().await;
    set_up(&server, by_file(&metadata(&[&IDP_KEY]))).await;
    let shown = server.get(&server.admin, "/api/v1/idps/saml").await.is(200);
    let expected = json!({
        "alias": "saml", "type": "saml", "redirectUri": ACS,
        "samlData": {
            "metadataXmlType": "file", "fileName": "idp.xml", "entityId": SP, "signedParts": "either",
            "nameIdFormat": "persistent", "serviceProviderMetadataUrl": format!("{ACS}/descriptor"),
            "signingCertificate": IDP_KEY.certificate_base64(), "signingCertificateExpiresAt": "2040-01-01T00:00:00.000Z",
            "singleSignOnServiceUrl": "https://idp.test/sso?x=1",
        },
        "mappers": {"email": "email", "groups": "GROUPS", "uid": "UID", "gid": "GID", "supplementaryGroups": "SUPPLEMENTARYGROUPS"},
    });
    assert_eq!(shown, expected);
    let descriptor = Visitor::new(&server).get(&format!("{ENDPOINT}/descriptor")).await;
    assert_eq!(descriptor.headers["content-type"], "application/samlmetadata+xml");
    assert!(
        descriptor.text.contains(&format!("entityID=\"{SP}\"")) && descriptor.text.contains(ACS),
        "{}",
        descriptor.text
    );
    let none = Visitor::new(&server)
        .get(&format!("{REALM}/broker/corp/endpoint/descriptor"))
        .await;
    assert_eq!(none.status.as_u16(), 404);

    let put = async |body: Value| {
        let path = "/api/v1/idps/saml";
        server
            .call(&server.admin, Method::PUT, path, body.to_string())
            .await
    };
    let token = signs_in(&server, &IDP_KEY).await.unwrap();
    // Without a file, that stays, and so does the key; what does not change who speaks ends nothing.
    let same = json!({"type": "saml", "samlData": {"metadataXmlType": "file", "fileName": "idp.xml", "entityId": SP},
        "mappers": {"groups": "ROLES"}});
    put(same).await.is(200);
    let after = Visitor::new(&server).get(&format!("{ENDPOINT}/descriptor")).await;
    assert_eq!(after.text, descriptor.text);
    server.get(&token, "/api/v1/me").await.is(200);
    let token_after = signs_in(&server, &IDP_KEY).await.unwrap();
    let me = server.get(&token_after, "/api/v1/me").await.is(200);
    assert_eq!(me["groups"], json!([]));
    // Other keys speak for nobody who is signed in.
    put(by_file(&metadata(&[&IDP_NEXT]))).await.is(200);
    server.get(&token, "/api/v1/me").await.refused(401);
    signs_in(&server, &IDP_KEY).await.unwrap_err();
    signs_in(&server, &IDP_NEXT).await.unwrap();
    let oidc = json!({"type": "oidc", "oidcData": {"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "https://x.test"}});
    let message = put(oidc).await.refused(400);
    assert!(message.contains("type"), "{message}");
    // Of several providers the ids are listed.
    let other = metadata(&[&IDP_NEXT]).replace(IDP, "https://other.test");
    let several = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{other}</md:EntitiesDescriptor>",
        metadata(&[&IDP_KEY])
    );
    let message = put(by_file(&several)).await.refused(400);
    assert!(
        message.contains(IDP) && message.contains("https://other.test"),
        "{message}"
    );
    let mut chosen = by_file(&several);
    chosen["samlData"]["identityProviderEntityId"] = json!(IDP);
    put(chosen).await.is(200);
    signs_in(&server, &IDP_KEY).await.unwrap();
}

/// A provider that takes requests by a form alone gets one from a page whose button alone sends it, and there alone.
#[tokio::test]
async fn a_request_by_a_form_is_sent_by_a_page_without_a_script() {
    let server = server().await;
    let by_form = metadata(&[&IDP_KEY]).replace("bindings:HTTP-Redirect", "bindings:PAOS");
    set_up(&server, by_file(&by_form)).await;
    let mut visitor = Visitor::new(&server);
    let page = visitor.get("/sign-in").await;
    let attempt = hidden(&page.text, "attempt");
    let page = visitor
        .get(&format!("{REALM}/broker/saml/login?attempt={attempt}"))
        .await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("form-action 'self' https://idp.test;"),
        "{policy}"
    );
    assert!(page.text.contains("action=\"https://idp.test/sso\"") && !page.text.contains("<script"));
    let xml = STANDARD.decode(hidden(&page.text, "SAMLRequest")).unwrap();
    let sent = Sent {
        request: id_of(&String::from_utf8(xml).unwrap()),
        relay_state: hidden(&page.text, "RelayState"),
        at: NOW,
    };
    let back = brings(&mut visitor, &honest(&sent, &IDP_KEY), &sent.relay_state).await;
    assert_eq!(location(&back), "https://reeve.test/account");
}

/// Planted faults: a test that makes a session or a user; a link that is good without an administrator, for another provider, or for ever.
#[tokio::test]
async fn a_provider_of_saml_is_tested_step_by_step_and_the_test_signs_nobody_in() {
    let server = server().await;
    set_up(&server, by_file(&metadata(&[&IDP_KEY]))).await;
    let test = server.get(&server.admin, "/api/v1/idps/saml/test").await.is(200);
    let steps = test["steps"].as_array().unwrap();
    let walked: Vec<_> = steps
        .iter()
        .map(|it| (it["step"].as_str().unwrap(), it["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        walked,
        [
            ("metadata", "ok"),
            ("keys", "ok"),
            ("redirect", "ok"),
            ("signIn", "open")
        ],
        "{test}"
    );
    assert!(test.to_string().contains(&format!("{ACS}/descriptor")), "{test}");
    let link = path_of(test["signInUrl"].as_str().unwrap()).to_owned();
    let comes = async |link: &str, edit: fn(String) -> String| {
        let mut visitor = Visitor::new(&server);
        let sent = sent(&location(&visitor.get(link).await), NOW);
        let xml = signed(&edit(answer(&sent)), Shape::Both, &IDP_KEY);
        let page = brings(&mut visitor, &xml, &sent.relay_state).await;
        assert!(!visitor.cookies.0.contains_key("__Host-reeve-session"));
        page
    };
    let page = comes(&link, |xml| xml).await;
    for shown in [
        "Test of saml",
        "<dt>GROUPS</dt><dd>ml, /a/b, system:masters</dd>",
        "<dd id=\"groups\">/a/b, ml</dd>",
        "<dd id=\"posix\">70001/70002/70003</dd>",
    ] {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    let page = comes(&link, |xml| xml.replace("Name=\"email\"", "Name=\"mail\"")).await;
    assert!(
        page.text.contains("no attribute `email`") && page.text.contains("<dt>mail</dt>"),
        "{}",
        page.text
    );
    let page = comes(&link, |xml| xml.replace(SP, "https://other.test")).await;
    assert!(page.text.contains("correct the entity id"), "{}", page.text);
    let users = server.get(&server.admin, "/api/v1/users").await.is(200);
    assert!(!users.to_string().contains(ALICE), "{users}");

    let mut named = by_file(&metadata(&[&IDP_KEY]));
    named["name"] = json!("other");
    server.post(&server.admin, "/api/v1/idps", named).await.is(201);
    let elsewhere = link.replace("/saml/", "/other/");
    for bad in [
        elsewhere.as_str(),
        &link.replace("ticket=", "ticket=A"),
        &link.replace("ticket", "x"),
    ] {
        assert_eq!(Visitor::new(&server).get(bad).await.status.as_u16(), 400, "{bad}");
    }
    server.clock.advance_seconds(601);
    assert_eq!(Visitor::new(&server).get(&link).await.status.as_u16(), 400);
}

/// Each way in which the set-up is wrong is said with what to do, and no link is given then.
#[tokio::test]
async fn the_test_of_a_provider_says_which_step_failed_and_what_to_do() {
    let server = server().await;
    let (address, published) = published().await;
    let body = json!({"type": "saml", "samlData": {"metadataXmlUrl": address, "entityId": SP}});
    set_up(&server, body).await;
    let gone = json!({"clientId": "a", "clientSecret": "b", "discoverDocumentUrl": "http://127.0.0.1:1"});
    let body = json!({"name": "corp", "type": "oidc", "oidcData": gone});
    server.post(&server.admin, "/api/v1/idps", body).await.is(201);
    let expired = metadata(&[&IDP_KEY.expired()]);
    for (alias, metadata, failed, says) in [
        ("saml", String::new(), "metadata", "status 503"),
        ("saml", "<html/>".to_owned(), "metadata", "no SAML metadata"),
        ("saml", expired, "keys", "replaced at the provider"),
        ("corp", String::new(), "metadata", "--idp-ca-file"),
    ] {
        published.lock().unwrap().0 = metadata;
        let path = format!("/api/v1/idps/{alias}/test");
        let test = server.get(&server.admin, &path).await.is(200);
        let last = test["steps"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["step"], &last["outcome"]),
            (&json!(failed), &json!("failed")),
            "{test}"
        );
        assert!(
            last.to_string().contains(says) && last["toDo"].is_string(),
            "{test}"
        );
        assert_eq!(test.get("signInUrl"), None);
    }
}
