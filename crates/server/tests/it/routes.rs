//! The router and the operation table are one.

use axum::http::Method;
use reeve_api::{Access, OPERATIONS};

use crate::server::{OrganizationFixture, Server};

fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "1" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_operation_is_routed_and_every_protected_one_asks_for_a_token() {
    let server = Server::new().await;
    for operation in OPERATIONS {
        let method: Method = operation.method.into();
        let answer = server.call("", method, &filled(operation.path), "").await;
        assert_ne!(answer.status, 405, "{}", operation.name);
        assert!(
            !answer.text.contains("no operation has this path"),
            "{}",
            operation.name
        );
        assert_eq!(
            answer.status == 401,
            operation.access != Access::Public,
            "{}: {}",
            operation.name,
            answer.status
        );
        assert!(answer.headers.contains_key("x-request-id"), "{}", operation.name);
    }
}

#[tokio::test]
async fn every_answer_has_a_status_its_row_names() {
    let organization = OrganizationFixture::new().await;
    for operation in OPERATIONS {
        let method: Method = operation.method.into();
        for token in [
            &organization.server.admin,
            &organization.alice,
            &organization.nobody,
            &String::new(),
        ] {
            let answer = organization
                .server
                .call(token, method.clone(), &filled(operation.path), "{}")
                .await;
            let status = answer.status.as_u16();
            let named = status == operation.success || operation.errors().contains(&status);
            assert!(named, "{} answered {status}: {}", operation.name, answer.text);
        }
    }
}

#[tokio::test]
async fn the_rights_matrix_holds_for_who_has_no_rule() {
    let organization = OrganizationFixture::new().await;
    for operation in OPERATIONS {
        if matches!(operation.access, Access::Requires(..)) {
            let method: Method = operation.method.into();
            organization
                .server
                .call(&organization.nobody, method, &filled(operation.path), "{}")
                .await
                .refused(403);
        }
    }
}
