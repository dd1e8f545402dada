//! The rights matrix is reviewed, not generated away: change the snapshot only with the table.

#[test]
fn the_rights_matrix_is_as_committed() {
    insta::assert_snapshot!(reeve_api::rights::matrix());
}

#[test]
fn roles_are_shown_as_committed() {
    let since = reeve_types::Timestamp::from_millis(1_700_000_000_000);
    let shown: Vec<_> = reeve_authz::Role::all_predefined()
        .iter()
        .map(|role| reeve_api::role::Role::to_wire(role, since))
        .collect();
    insta::assert_json_snapshot!(shown);
}
