#[test]
fn the_definitions_are_what_was_reviewed() {
    for (name, text) in reeve_crds::all_yaml().unwrap() {
        insta::assert_snapshot!(name, text);
    }
}
