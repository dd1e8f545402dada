//! Writes the Rust of the table: `enum Entity`, the ids of roles by name, and one value a role.

use std::fmt::Write as _;

use crate::table::{Entity, Grants, Role, Table};

/// The text that `src/entity.rs` includes.
pub(crate) fn entities(table: &Table) -> String {
    let entities = &table.entities;
    let mut text = String::from(
        "/// What it is done to: the resource types of control-plane 2.2. Made of `roles.txt`, a line each.\n\
         #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ::serde::Serialize, ::serde::Deserialize)]\n\
         pub enum Entity {\n",
    );
    for entity in entities {
        let _ = writeln!(
            text,
            "    /// {}.\n    #[serde(rename = {:?})]\n    {},",
            entity.display_name,
            entity.wire_name,
            variant(&entity.wire_name)
        );
    }
    let _ = writeln!(
        text,
        "}}\n\nimpl Entity {{\n    /// All of them, in the order of `roles.txt`.\n    pub const ALL: [Self; {}] = [",
        entities.len()
    );
    for entity in entities {
        let _ = writeln!(text, "        Self::{},", variant(&entity.wire_name));
    }
    text.push_str("    ];\n");
    type Of = fn(&Entity) -> String;
    let methods: [(&str, &str, Of); 4] = [
        (
            "wire_name(self) -> &'static str",
            "The `resourceType` on the wire.",
            |e| format!("{:?}", e.wire_name),
        ),
        (
            "display_name(self) -> &'static str",
            "The `displayName` of the wire's role permissions.",
            |e| format!("{:?}", e.display_name),
        ),
        (
            "group_id(self) -> &'static str",
            "The `groupId` of the wire's role permissions.",
            |e| format!("{:?}", e.group),
        ),
        (
            "since(self) -> Option<&'static str>",
            "The version of the reference that brought it; `None` where the document of version 1 of the API has it. The \
             routes of version 1 do not show the others: their client refuses a name it does not know.",
            |e| format!("{:?}", e.since),
        ),
    ];
    for (signature, meaning, value) in methods {
        let _ = writeln!(
            text,
            "\n    /// {meaning}\n    pub const fn {signature} {{\n        match self {{"
        );
        for entity in entities {
            let _ = writeln!(
                text,
                "            Self::{} => {},",
                variant(&entity.wire_name),
                value(entity)
            );
        }
        text.push_str("        }\n    }\n");
    }
    text.push_str("}\n");
    text
}

/// The text that `src/role.rs` includes.
pub(crate) fn roles(table: &Table) -> String {
    let mut text = String::from("impl RoleId {\n");
    for role in &table.roles {
        let _ = writeln!(
            text,
            "    /// {}. {}\n    pub const {}: Self = Self({});",
            role.name,
            role.purpose,
            constant(&role.name),
            role.id
        );
    }
    text.push_str("}\n");
    for (column, role) in table.roles.iter().enumerate() {
        let cells: Vec<u8> = table
            .entities
            .iter()
            .map(|entity| entity.cells.get(column).copied().unwrap_or_default())
            .collect();
        let _ = writeln!(
            text,
            "\nstatic {constant}: Definition = Definition {{\n    id: RoleId::{constant},\n    code: {:?},\n    \
             name: Cow::Borrowed({:?}),\n    purpose: Cow::Borrowed({:?}),\n    cluster: {},\n    \
             permissions: PermissionSet::of_cells(&{cells:?}),\n    grants: {},\n}};",
            role.code,
            role.name,
            role.purpose,
            match &role.cluster {
                Some(name) => format!("Some(Cow::Borrowed({name:?}))"),
                None => "None".to_owned(),
            },
            grants(role, table),
            constant = constant(&role.name),
        );
    }
    let _ = writeln!(text, "\nstatic PREDEFINED: [Role; {}] = [", table.roles.len());
    for role in &table.roles {
        let _ = writeln!(text, "    Role::predefined(&{}),", constant(&role.name));
    }
    text.push_str("];\n");
    let _ = writeln!(
        text,
        "\nstatic CLUSTER_ROLES: [(&str, &[&str]); {}] = [",
        table.clusters.len()
    );
    for cluster in &table.clusters {
        let _ = writeln!(text, "    ({:?}, &{:?}),", cluster.name, cluster.includes);
    }
    text.push_str("];\n");
    text
}

fn grants(role: &Role, table: &Table) -> String {
    match &role.grants {
        Grants::Any => "Grants::Any".to_owned(),
        Grants::Only(codes) => {
            let ids: Vec<String> = table
                .roles
                .iter()
                .filter(|other| codes.contains(&other.code))
                .map(|other| format!("RoleId::{}", constant(&other.name)))
                .collect();
            format!("Grants::Only(Cow::Borrowed(&[{}]))", ids.join(", "))
        }
    }
}

/// `access_rules` becomes `AccessRules`.
fn variant(wire_name: &str) -> String {
    wire_name
        .split(['-', '_'])
        .flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
        .collect()
}

/// `L1 researcher` becomes `L1_RESEARCHER`.
fn constant(name: &str) -> String {
    name.to_ascii_uppercase().replace(' ', "_")
}
