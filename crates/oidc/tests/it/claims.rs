//! Groups in every shape, and numbers.

use reeve_oidc::groups::{self, MAX_GROUPS};
use reeve_oidc::{Claims, Groups, GroupsError, MandatoryClaim, Mapper, MapperError};
use serde_json::{Value, json};

fn claims(value: Value) -> Claims {
    match value {
        Value::Object(members) => members,
        other => panic!("{other}"),
    }
}

fn read(value: Value) -> Result<Groups, GroupsError> {
    groups::read(&claims(value), "groups")
}

fn names(value: Value) -> Vec<String> {
    read(value)
        .unwrap()
        .names
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn groups_come_in_every_shape() {
    for one in [
        json!({"groups": "ml"}),
        json!({"groups": ["ml"]}),
        json!({"groups": ["ml", "ml"]}),
        json!({"groups": {"name": "ml", "id": "7"}}),
        json!({"groups": [{"name": "ml", "id": "7"}]}),
        json!({"groups": [{"displayName": "ml", "id": "7"}]}),
        json!({"groups": [{"id": "ml"}]}),
        json!({"groups": [{"name": null, "id": "ml"}]}),
        json!({"groups": {"0": "ml"}}),
        json!({"groups": {"0": {"name": "ml"}}}),
    ] {
        assert_eq!(names(one.clone()), ["ml"], "{one}");
    }
    let nested =
        claims(json!({"resource_access": {"reeve": {"roles": ["a", "b"]}}, "https://x.test/groups": ["c"]}));
    assert_eq!(
        groups::read(&nested, "resource_access.reeve.roles")
            .unwrap()
            .names
            .len(),
        2
    );
    assert_eq!(
        groups::read(&nested, "https://x.test/groups")
            .unwrap()
            .names
            .len(),
        1
    );
}

#[test]
fn absent_and_empty_are_none_and_it_is_known_which() {
    for (none, sent) in [
        (json!({}), false),
        (json!({"groups": null}), false),
        (json!({"groups": []}), true),
        (json!({"groups": {}}), true),
    ] {
        let groups = read(none.clone()).unwrap();
        assert_eq!((groups.names.len(), groups.sent), (0, sent), "{none}");
    }
}

#[test]
fn a_path_and_its_end_are_three_groups() {
    assert_eq!(
        names(json!({"groups": ["/a/b", "a/b", "b", "B", "a,b"]})),
        ["/a/b", "B", "a,b", "a/b", "b"]
    );
}

/// The naive reader takes what it does not understand for no groups, and lets somebody in who lost them.
#[test]
fn what_is_not_understood_is_an_error_and_never_none() {
    let naive = |value: &Value| {
        value["groups"]
            .as_array()
            .map_or(0, |list| list.iter().filter(|it| it.is_string()).count())
    };
    for wrong in [
        json!({"groups": 7}),
        json!({"groups": true}),
        json!({"groups": [7]}),
        json!({"groups": [null]}),
        json!({"groups": [["ml"]]}),
        json!({"groups": [{}]}),
        json!({"groups": [{"name": 7}]}),
        json!({"groups": ""}),
        json!({"groups": "a\u{0}b"}),
        json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.test"}}}),
        json!({"hasgroups": true}),
        json!({"hasgroups": "true"}),
        json!({"groups:src1": "x"}),
    ] {
        assert_eq!(naive(&wrong), 0);
        assert!(read(wrong.clone()).is_err(), "{wrong}");
    }
    let over = read(json!({"groups": ["ml"], "_claim_names": {"groups": "src1"}}));
    assert!(
        over.unwrap_err()
            .to_string()
            .contains("assigned to this application")
    );
    let many: Vec<_> = (0..=MAX_GROUPS).map(|n| format!("g{n}")).collect();
    assert!(matches!(
        read(json!({ "groups": many })),
        Err(GroupsError::TooMany { .. })
    ));
}

/// The planted fault is the group beside them, which counts.
#[test]
fn nobody_is_put_into_a_group_of_the_system() {
    let groups =
        read(json!({"groups": ["system:masters", "SYSTEM:authenticated", "reeve:admins", "ml"]})).unwrap();
    assert_eq!((groups.names.len(), groups.reserved), (1, 3));
}

fn map(value: Value) -> Result<reeve_oidc::Mapped, MapperError> {
    let mut all = claims(value);
    all.entry("email").or_insert("Alice@Example.com".into());
    Mapper::default().map(&all, None)
}

#[test]
fn numbers_are_strict_decimal() {
    for good in [
        json!({"UID": 2001, "GID": 2002, "SUPPLEMENTARYGROUPS": [3001, "3002"]}),
        json!({"UID": "2001", "GID": ["2002", 2002], "SUPPLEMENTARYGROUPS": ["3001", "3002"]}),
    ] {
        let mapped = map(good).unwrap();
        assert_eq!(mapped.email.as_str(), "alice@example.com");
        let posix = mapped.posix.unwrap();
        assert_eq!(
            (
                posix.uid().number(),
                posix.gid().number(),
                posix.supplementary_groups().len()
            ),
            (2001, 2002, 2)
        );
    }
    assert_eq!(map(json!({})).unwrap().posix, None);
    for wrong in [
        json!("0x7d1"),
        json!("+2001"),
        json!(" 2001"),
        json!("02001"),
        json!("2001.0"),
        json!(2001.5),
        json!(-1),
        json!("2e3"),
        json!(true),
        json!("٢٠٠١"),
        json!("2001,2002"),
        json!({"v": 2001}),
        json!([2001, "x"]),
        json!("99999999999999999999"),
    ] {
        let answer = map(json!({"UID": wrong, "GID": 2002}));
        assert!(
            matches!(answer, Err(MapperError::Number(_))),
            "{wrong}: {answer:?}"
        );
    }
    assert!(matches!(
        map(json!({"UID": [2001, 2002], "GID": 2002})),
        Err(MapperError::Two(_))
    ));
    assert!(matches!(map(json!({"UID": 2001})), Err(MapperError::Half { .. })));
    assert!(matches!(map(json!({"GID": 2001})), Err(MapperError::Half { .. })));
    assert!(matches!(
        map(json!({"SUPPLEMENTARYGROUPS": [2001]})),
        Err(MapperError::Half { .. })
    ));
    for root in [json!(0), json!(65_534), json!(4_294_967_295_i64)] {
        assert!(
            matches!(map(json!({"UID": root, "GID": 2002})), Err(MapperError::Posix(_))),
            "{root}"
        );
    }
}

#[test]
fn an_email_is_needed_and_not_one_that_is_not_verified() {
    for wrong in [
        json!(""),
        json!("alice"),
        json!(["a@b.co"]),
        json!("a@b@c.co"),
        json!(7),
    ] {
        let all = claims(json!({ "email": wrong }));
        assert!(
            matches!(Mapper::default().map(&all, None), Err(MapperError::Email(_))),
            "{wrong}"
        );
    }
    for unverified in [json!(false), json!("false")] {
        assert_eq!(
            map(json!({ "email_verified": unverified })).unwrap_err(),
            MapperError::Unverified
        );
    }
    assert!(map(json!({"email_verified": true})).is_ok());
}

#[test]
fn a_mandatory_claim_lets_in_by_one_of_its_values_alone() {
    let mandatory = MandatoryClaim {
        claim: "org.unit".to_owned(),
        values: vec!["ml".to_owned(), "hpc".to_owned()],
    };
    let all = |unit: Value| claims(json!({"email": "a@b.co", "org": {"unit": unit}}));
    for good in [json!("ml"), json!(["x", "hpc"])] {
        assert!(Mapper::default().map(&all(good), Some(&mandatory)).is_ok());
    }
    for bad in [
        json!("ML"),
        json!("ml "),
        json!([]),
        json!(null),
        json!({"ml": 1}),
        json!("mlhpc"),
    ] {
        let answer = Mapper::default().map(&all(bad), Some(&mandatory));
        assert_eq!(answer, Err(MapperError::Mandatory("org.unit".to_owned())));
    }
}

/// Planted fault: the name is taken as it comes.
#[test]
fn a_group_that_looks_like_another_is_none() {
    for name in ["ml\u{200b}", "ml\u{202e}", " ml", "ml "] {
        let refused = read(json!({"groups": ["other", name]}));
        assert!(
            matches!(refused, Err(GroupsError::Name { .. })),
            "{name:?}: {refused:?}"
        );
    }
}
