//! The case table against the Rust predicates alone: no cluster.

use std::collections::BTreeSet;

use reeve_admission::{Request, checks, failing, fill};

use crate::fixture;
use crate::table::{Row, rows};

/// The request of a row as the validating policies would see it, without a cluster.
pub(crate) fn filled(row: &Row) -> Request {
    let base = row.base.as_deref().map(|owner| fixture::base(&row.kind, owner));
    let mut request = row.request(base.as_ref());
    fill(&mut request);
    request
}

#[test]
fn the_predicates_judge_every_row_as_the_table_says() {
    let mut wrong = Vec::new();
    for row in rows().unwrap() {
        let first = failing(&filled(&row)).first().map(|c| c.id);
        let expected = row.refused.then_some(row.check.as_str());
        if first != expected {
            wrong.push(format!("{row}: the predicates say {first:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_refuses_and_allows_something_for_every_check() {
    let rows = rows().unwrap();
    let seen = |refused| {
        rows.iter()
            .filter(|r| r.refused == refused)
            .map(|r| r.check.as_str())
            .collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> = checks().map(|c| c.id).collect();
    assert_eq!(seen(true), all);
    assert_eq!(seen(false), all);
}

#[test]
fn the_expanded_table_has_the_reviewed_size() {
    let rows = rows().unwrap();
    let refused = rows.iter().filter(|r| r.refused).count();
    insta::assert_snapshot!(format!(
        "{} rows, {refused} refused, {} checks",
        rows.len(),
        checks().count()
    ));
}

#[test]
fn her_older_numbers_go_with_their_stamp_also_where_identity_is_not_enforced() {
    for settings in ["strict", "no-identity"] {
        // Her Deployment of before her groups changed, brought back by herself.
        let row = rows()
            .unwrap()
            .into_iter()
            .find(|row| {
                row.to_string().contains("an older revision brought back")
                    && row.settings == settings
                    && row.kind == "Deployment"
            })
            .unwrap();
        let template = filled(&row).object["spec"]["template"].clone();
        let context = &template["spec"]["securityContext"];
        assert_eq!(
            template["metadata"]["annotations"][reeve_admission::names::RUNS_AS],
            fixture::stamp("alice-regrouped").to_string()
        );
        assert_eq!(context["runAsGroup"], 5002, "{settings}: {context}");
        assert_eq!(
            context["supplementalGroups"],
            serde_json::json!([5001, 5003]),
            "{settings}: {context}"
        );
    }
}

#[test]
fn the_page_of_rules_names_every_policy_and_every_rule() {
    let page = include_str!("../../../../docs/security/rules.md");
    for policy in reeve_admission::Policy::ALL {
        let name = format!("`{}`", policy.name());
        assert!(page.contains(&name), "{name} is not on the page");
    }
    for check in checks() {
        let row = format!("| {} |", check.rule);
        assert!(page.contains(&row), "{row} of {} is not on the page", check.id);
    }
}
