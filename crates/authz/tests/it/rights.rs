//! The reviewed table of rights. A change of `rights.txt` is a change of what people may do: review it as such.

use std::fmt::Write as _;

use reeve_authz::{Action, Entity, Permission, Role};

/// What a reviewer approved. Also what the oracle decides by.
pub(crate) const REVIEWED: &str = include_str!("rights.txt");

fn printed() -> String {
    let mut text = String::from("entity           ");
    for role in Role::ALL {
        write!(text, "{:<32}", format!("{} ({})", role.display_name(), role.id())).unwrap();
    }
    for entity in Entity::ALL {
        text = text.trim_end().to_owned();
        write!(text, "\n{:<17}", entity.wire_name()).unwrap();
        for role in Role::ALL {
            let words = Action::ALL
                .into_iter()
                .filter(|action| role.allows(Permission::new(*action, entity)))
                .map(Action::wire_name)
                .collect::<Vec<_>>();
            let cell = if words.is_empty() {
                "-".to_owned()
            } else {
                words.join(",")
            };
            write!(text, "{cell:<32}").unwrap();
        }
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn roles_may_do_what_the_reviewed_table_says() {
    let printed = printed();
    assert!(
        printed == REVIEWED,
        "the rights changed; if that is meant, put this into tests/it/rights.txt:\n{printed}"
    );
}

#[test]
fn the_permission_lists_of_the_wire_are_the_table() {
    for role in Role::ALL {
        let listed = role.permissions().by_entity().collect::<Vec<_>>();
        let expected = Entity::ALL
            .into_iter()
            .map(|entity| {
                let on = |action: &Action| role.allows(Permission::new(*action, entity));
                (entity, Action::ALL.into_iter().filter(on).collect::<Vec<_>>())
            })
            .filter(|(_, actions)| !actions.is_empty())
            .collect::<Vec<_>>();
        assert_eq!(listed, expected);
        assert!(!role.description().is_empty());
    }
}
