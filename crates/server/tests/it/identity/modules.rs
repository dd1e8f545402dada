//! The relying-party modules of the OpenID Foundation's conformance suite that are about requests, by their names (without
//! `oidcc-client-test-`), and what OAuth's security practice (RFC 9700) asks of a client beside them. In each the first sign-in, of
//! the same provider before it lies, is taken: that is the planted fault turned round.

use reeve_identity::SigningKey;
use reeve_server::renewal::{self, CONFIRMED_SECONDS, EACH_SECONDS};
use serde_json::{Value, json};

use super::hostile::{HostileProvider, Lies};
use super::visitor::{REALM, Visitor, authorize, follow, location, path_of, server, set_up};
use crate::server::Server;

async fn provider() -> (Server, std::sync::Arc<HostileProvider>) {
    let (server, provider) = (server().await, HostileProvider::start().await);
    set_up(&server, "corp", &provider.issuer, Value::Null).await;
    (server, provider)
}

/// Taken as it is, and refused with this status once it lies so.
async fn refused_when(status: u16, lie: impl FnOnce(&mut Lies)) {
    let (server, provider) = provider().await;
    Visitor::new(&server).signs_in("corp").await.unwrap();
    provider.lie(lie);
    let answer = Visitor::new(&server).signs_in("corp").await.unwrap_err();
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    let reference = answer.headers["x-request-id"].to_str().unwrap();
    assert!(answer.text.contains(reference), "{}", answer.text);
    assert!(!answer.headers.contains_key("set-cookie"), "{:?}", answer.headers);
}

#[tokio::test]
async fn client_test() {
    let (server, provider) = provider().await;
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(
        (&me["username"], &me["groups"]),
        (&json!("alice@example.com"), &json!(["ml"]))
    );
    assert_eq!(
        me["posix"],
        json!({"uid": 2001, "gid": 2002, "supplementaryGroups": [3001]})
    );
    assert_eq!(me["posixSource"], "identity-provider");
    // Everything was in the ID token.
    assert_eq!(provider.count("userinfo"), 0);
}

/// With a secret that has to be encoded before it goes into the header.
#[tokio::test]
async fn client_secret_basic() {
    let (server, provider) = provider().await;
    Visitor::new(&server).signs_in("corp").await.unwrap();
    // reeve:s%3Ae%26cret
    assert_eq!(
        provider.count("token authorization_code Basic cmVldmU6cyUzQWUlMjZjcmV0"),
        1
    );
}

#[tokio::test]
async fn nonce_invalid() {
    refused_when(502, |it| {
        it.id_token = Box::new(|claims| claims["nonce"] = json!("other"))
    })
    .await;
}

#[tokio::test]
async fn invalid_iss() {
    refused_when(502, |it| {
        it.id_token = Box::new(|claims| claims["iss"] = json!("https://other.test"))
    })
    .await;
}

#[tokio::test]
async fn invalid_aud() {
    refused_when(502, |it| {
        it.id_token = Box::new(|claims| claims["aud"] = json!("other"))
    })
    .await;
}

#[tokio::test]
async fn email_absent() {
    refused_when(401, |it| {
        it.id_token = Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("email")));
    })
    .await;
}

/// Too many groups for a token are never none.
#[tokio::test]
async fn groups_overage() {
    refused_when(403, |it| {
        it.id_token = Box::new(|claims| {
            claims.as_object_mut().unwrap().remove("groups");
            claims["_claim_names"] = json!({"groups": "src1"});
        });
    })
    .await;
}

/// The provider's word for another provider's (RFC 9207).
#[tokio::test]
async fn mix_up() {
    refused_when(400, |it| it.says_issuer = Some("https://other.test".to_owned())).await;
    refused_when(400, |it| it.says_issuer = None).await;
}

#[tokio::test]
async fn userinfo_bearer_header_and_scope_userinfo_claims() {
    let (server, provider) = provider().await;
    provider.lie(|it| {
        it.id_token = Box::new(|claims| {
            for name in ["email", "groups"] {
                claims.as_object_mut().unwrap().remove(name);
            }
        });
        it.userinfo =
            json!({"sub": "alice", "email": "alice@example.com", "groups": ["from-userinfo"], "uid": 7});
    });
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    assert_eq!(provider.count("userinfo Bearer access"), 1);
    let me = server.get(&token, "/api/v1/me").await.is(200);
    // What the ID token says comes first.
    assert_eq!(
        (&me["groups"], &me["posix"]["uid"]),
        (&json!(["from-userinfo"]), &json!(2001))
    );
}

#[tokio::test]
async fn userinfo_invalid_sub() {
    let (server, provider) = provider().await;
    provider.lie(|it| {
        it.id_token = Box::new(|claims| drop(claims.as_object_mut().unwrap().remove("groups")));
        it.userinfo = json!({"sub": "alice"});
    });
    Visitor::new(&server).signs_in("corp").await.unwrap();
    for other in [
        json!({"sub": "mallory", "groups": ["admins"]}),
        json!({"groups": ["admins"]}),
    ] {
        provider.lie(|it| it.userinfo = other);
        let answer = Visitor::new(&server).signs_in("corp").await.unwrap_err();
        assert_eq!(answer.status.as_u16(), 502);
    }
}

/// Keys are read again for a token of one that is not known, and not for each such token.
#[tokio::test]
async fn signing_key_rotation_just_before_signing() {
    let (server, provider) = provider().await;
    Visitor::new(&server).signs_in("corp").await.unwrap();
    assert_eq!(provider.count("jwks"), 1);
    server.clock.advance_seconds(31);
    provider.lie(|it| {
        it.keys.push(SigningKey::generate().unwrap());
        it.published = 2;
    });
    Visitor::new(&server).signs_in("corp").await.unwrap();
    assert_eq!(provider.count("jwks"), 2);
    // Tokens of a key that it does not publish do not make us ask without end.
    provider.lie(|it| it.keys.push(SigningKey::generate().unwrap()));
    for _ in 0..3 {
        assert!(Visitor::new(&server).signs_in("corp").await.is_err());
    }
    assert_eq!((provider.count("jwks"), provider.count("discovery")), (2, 1));
}

#[tokio::test]
async fn answers_that_are_none() {
    for (status, kind, body) in [
        (400, "application/json", r#"{"error":"invalid_grant"}"#.to_owned()),
        (200, "text/html", "{}".to_owned()),
        (200, "application/json", "{}".to_owned()),
        (200, "application/json", "[".to_owned()),
        (
            200,
            "application/json",
            format!("{{\"id_token\":\"{}\"}}", "a".repeat(300_000)),
        ),
        (
            200,
            "application/json",
            r#"{"id_token":"a.b.c","id_token":"d.e.f"}"#.to_owned(),
        ),
        (302, "application/json", String::new()),
    ] {
        let (server, provider) = provider().await;
        provider.lie(|it| it.token = Some((status, kind, body)));
        let answer = Visitor::new(&server).signs_in("corp").await.unwrap_err();
        assert_eq!(answer.status.as_u16(), 502, "{status} {kind}");
    }
}

/// AUTH-06: what one browser began is finished in no other, not twice, not later, and not at another provider's address.
#[tokio::test]
async fn an_attempt_is_of_one_browser_one_provider_and_one_use() {
    let (server, provider) = provider().await;
    set_up(&server, "other", &provider.issuer, Value::Null).await;
    let mut alice = Visitor::new(&server);
    let to = alice.goes_to(&authorize(), "corp").await;
    let back = follow(&to).await;
    // Another browser: one without an attempt, and one with its own.
    let mut mallory = Visitor::new(&server);
    mallory.get(path_of(&back)).await.refused_page(400);
    mallory.goes_to(&authorize(), "corp").await;
    mallory.get(path_of(&back)).await.refused_page(400);
    alice
        .get(&path_of(&back).replace("/corp/", "/other/"))
        .await
        .refused_page(400);
    let cookies = alice.cookies.clone();
    let sent = location(&alice.get(path_of(&back)).await);
    assert!(!alice.cookies.0.contains_key("__Host-reeve-sign-in"));
    // The same once more, with the cookie that was taken away.
    alice.cookies = cookies.clone();
    alice.get(path_of(&back)).await.refused_page(400);
    alice.redeem(&sent).await.is(200);
    // A code that is shown twice ends what it gave.
    let mut bob = Visitor::new(&server);
    let token = bob.signs_in("corp").await.unwrap();
    server.get(&token, "/api/v1/me").await.is(200);
    let mut late = Visitor::new(&server);
    let to = late.goes_to(&authorize(), "corp").await;
    let back = follow(&to).await;
    server.clock.advance_seconds(601);
    late.get(path_of(&back)).await.refused_page(400);
}

/// AUTH-06: the same address from another provider, a renamed person, and the same subject of another issuer.
#[tokio::test]
async fn a_person_is_known_by_issuer_and_subject_alone() {
    let (server, one) = provider().await;
    let two = HostileProvider::start().await;
    set_up(&server, "other", &two.issuer, Value::Null).await;
    let id = async |token: &str| server.get(token, "/api/v1/me").await.is(200)["id"].clone();
    let first = id(&Visitor::new(&server).signs_in("corp").await.unwrap()).await;
    // Her address, said by somebody else.
    let refused = Visitor::new(&server).signs_in("other").await.unwrap_err();
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.text);
    two.lie(|it| {
        it.id_token = Box::new(|claims| {
            claims["email"] = json!("other@example.com");
            claims["uid"] = json!(2005);
        });
    });
    assert_ne!(
        id(&Visitor::new(&server).signs_in("other").await.unwrap()).await,
        first
    );
    one.lie(|it| it.id_token = Box::new(|claims| claims["email"] = json!("alice.miller@example.com")));
    assert_eq!(
        id(&Visitor::new(&server).signs_in("corp").await.unwrap()).await,
        first
    );
    // The administrator's address is no way to become the administrator.
    one.lie(|it| {
        it.id_token = Box::new(|claims| {
            claims["email"] = json!("ADMIN@reeve.example");
            claims["sub"] = json!("mallory");
        });
    });
    assert_eq!(
        Visitor::new(&server)
            .signs_in("corp")
            .await
            .unwrap_err()
            .status
            .as_u16(),
        409
    );
}

/// Planted fault: the uid is claimed by the session alone, after the user was made.
#[tokio::test]
async fn whoever_is_refused_for_a_uid_leaves_no_user_behind() {
    let (server, provider) = provider().await;
    let numbers = json!({"uid": 70012, "gid": 5000});
    server.user("owner@example.com", numbers).await;
    let says = |uid: u32| {
        provider.lie(|it| {
            it.id_token = Box::new(move |claims| {
                claims["uid"] = json!(uid);
                claims["gid"] = json!(5000);
            });
        });
    };
    let users = async || server.get(&server.admin, "/api/v1/users").await.is(200);
    let before = users().await;
    says(70012);
    let refused = Visitor::new(&server).signs_in("corp").await.unwrap_err();
    assert_eq!(refused.status.as_u16(), 409, "{}", refused.text);
    assert_eq!(users().await, before);
    // With a uid of her own she is made, and comes again.
    says(70013);
    for _ in 0..2 {
        Visitor::new(&server).signs_in("corp").await.unwrap();
    }
}

/// The planted fault is the same group without the prefix, which counts.
#[tokio::test]
async fn nobody_becomes_a_member_of_a_group_of_the_system() {
    let (server, provider) = provider().await;
    provider.lie(|it| {
        it.id_token =
            Box::new(|claims| claims["groups"] = json!(["system:masters", "reeve:admins", "masters"]));
    });
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    let me = server.get(&token, "/api/v1/me").await.is(200);
    assert_eq!(me["groups"], json!(["masters"]));
}

#[tokio::test]
async fn refresh_token() {
    let (server, provider) = provider().await;
    provider.lie(|it| it.refresh = true);
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    let me = async || server.get(&token, "/api/v1/me").await;
    let due = async || {
        server.clock.advance_seconds(EACH_SECONDS + 1);
        renewal::renew_due(&server.app).await.unwrap()
    };
    assert_eq!(renewal::renew_due(&server.app).await.unwrap(), 0);
    // Taken away there, gone here.
    provider.lie(|it| it.id_token = Box::new(|claims| claims["groups"] = json!([])));
    assert_eq!(due().await, 1);
    assert_eq!(me().await.is(200)["groups"], json!([]));
    provider.lie(|it| it.id_token = Box::new(|claims| claims["uid"] = json!(2009)));
    due().await;
    let now = me().await.is(200);
    assert_eq!(
        (&now["groups"], &now["posix"]["uid"]),
        (&json!(["ml"]), &json!(2009))
    );
    // One that does not answer is no word; it is asked again, and believed for so long.
    provider.lie(|it| it.token = Some((503, "text/plain", String::new())));
    due().await;
    me().await.is(200);
    server.clock.advance_seconds(CONFIRMED_SECONDS);
    me().await.refused(401);
}

#[tokio::test]
async fn refresh_token_invalid_sub_and_invalid_issuer() {
    for (name, value) in [("sub", "mallory"), ("iss", "https://other.test")] {
        let (server, provider) = provider().await;
        provider.lie(|it| it.refresh = true);
        let token = Visitor::new(&server).signs_in("corp").await.unwrap();
        provider.lie(|it| it.id_token = Box::new(move |claims| claims[name] = json!(value)));
        server.clock.advance_seconds(EACH_SECONDS + 1);
        renewal::renew_due(&server.app).await.unwrap();
        server.get(&token, "/api/v1/me").await.refused(401);
    }
}

/// Whoever the provider says is gone is signed out at the next look, and everybody when the provider is removed.
#[tokio::test]
async fn whoever_is_gone_there_is_signed_out_here() {
    let (server, provider) = provider().await;
    provider.lie(|it| it.refresh = true);
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    provider.lie(|it| it.token = Some((400, "application/json", r#"{"error":"invalid_grant"}"#.to_owned())));
    server.clock.advance_seconds(EACH_SECONDS + 1);
    renewal::renew_due(&server.app).await.unwrap();
    server.get(&token, "/api/v1/me").await.refused(401);
    provider.lie(|it| it.token = None);
    let token = Visitor::new(&server).signs_in("corp").await.unwrap();
    server.get(&token, "/api/v1/me").await.is(200);
    server.delete(&server.admin, "/api/v1/idps/corp").await.is(200);
    server.get(&token, "/api/v1/me").await.refused(401);
    let page = Visitor::new(&server)
        .get(&format!("{REALM}/broker/corp/login"))
        .await;
    assert_eq!(page.status.as_u16(), 400);
}

/// The test of a provider shows what it sends and what that comes to, or which check failed, and signs nobody in.
#[tokio::test]
async fn a_test_shows_what_arrives_and_signs_nobody_in() {
    let (server, provider) = provider().await;
    let test = server.get(&server.admin, "/api/v1/idps/corp/test").await.is(200);
    let said = test.to_string();
    assert!(
        said.contains(&provider.issuer) && said.contains("/broker/corp/endpoint"),
        "{said}"
    );
    let link = path_of(test["signInUrl"].as_str().unwrap());
    let comes = async || {
        let mut visitor = Visitor::new(&server);
        let to = location(&visitor.get(link).await);
        let page = visitor.get(path_of(&follow(&to).await)).await.text;
        assert!(!visitor.cookies.0.contains_key("__Host-reeve-session"));
        page
    };
    let page = comes().await;
    for shown in [
        "Test of corp",
        "<dt>iss</dt>",
        "<dd id=\"user\">alice@example.com</dd>",
        "<dd id=\"groups\">ml</dd>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    provider.lie(|lies| lies.id_token = Box::new(|claims| claims["aud"] = json!("other")));
    let page = comes().await;
    assert!(page.contains("Nobody could sign in so"), "{page}");
    let users = server.get(&server.admin, "/api/v1/users").await.is(200);
    assert!(!users.to_string().contains("alice@example.com"), "{users}");
}

/// Back-channel logout: the person is out at once, here and with what the command line holds; a local sign-in and other people stay. The
/// planted faults are in the words: an ID token that is taken for a logout token, and a token that counts twice.
#[tokio::test]
async fn backchannel_logout() {
    let (server, provider) = provider().await;
    let path = format!("{REALM}/broker/corp/backchannel-logout");
    let now = server.clock.now().as_seconds();
    let claims = |id: &str| {
        json!({
            "iss": provider.issuer, "aud": "reeve", "sub": "alice", "iat": now, "exp": now + 120, "jti": id,
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        })
    };
    let says = async |token: String| {
        let answer = Visitor::new(&server)
            .post(&path, &[("logout_token", &token)])
            .await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.status.as_u16()
    };
    let tokens = [
        Visitor::new(&server).signs_in("corp").await.unwrap(),
        Visitor::new(&server).signs_in("corp").await.unwrap(),
    ];
    let mut id_token = claims("1");
    id_token.as_object_mut().unwrap().remove("events");
    let mut other = claims("2");
    other["sub"] = json!("bob");
    assert_eq!(says(provider.signed(&id_token)).await, 400);
    assert_eq!(says("x.y.z".to_owned()).await, 400);
    assert_eq!(says(provider.signed(&other)).await, 200);
    for token in &tokens {
        server.get(token, "/api/v1/me").await.is(200);
    }
    assert_eq!(says(provider.signed(&claims("3"))).await, 200);
    for token in &tokens {
        server.get(token, "/api/v1/me").await.refused(401);
    }
    server.get(&server.admin, "/api/v1/me").await.is(200);
    // Shown again it ends nothing.
    let again = Visitor::new(&server).signs_in("corp").await.unwrap();
    assert_eq!(says(provider.signed(&claims("3"))).await, 400);
    server.get(&again, "/api/v1/me").await.is(200);
}
