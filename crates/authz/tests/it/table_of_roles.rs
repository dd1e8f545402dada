//! The reader of `src/roles.txt`, which stops the build: what it refuses, and that it names the line.

use crate::table::{Grants, parse};

const GOOD: &str = "\
# A comment.
[roles]
AA | 1 | Big boss | big-boss | any | Does everything.
BB | 7 | Little boss | looker | CC | Lets others look.
CC | 8 | Looker | looker | - | Looks.

[rights]
group     | type         | shown as     | since | AA   BB   CC
iam       | access_rules | Access rules | -     | crud c--- ----
workload  | jobs         | Jobs         | 2.24  | crud -r-- -r--

[clusters]
looker   | -
big-boss | looker
";

#[test]
fn the_file_of_the_product_is_read() {
    let table = parse(include_str!("../../src/roles.txt")).unwrap();
    assert!(table.roles.len() >= 19 && table.entities.len() >= 46);
}

#[test]
fn every_column_and_cell_is_understood() {
    let table = parse(GOOD).unwrap();
    let ids: Vec<(u32, &str)> = table
        .roles
        .iter()
        .map(|role| (role.id, role.name.as_str()))
        .collect();
    assert_eq!(ids, [(1, "Big boss"), (7, "Little boss"), (8, "Looker")]);
    assert_eq!(table.roles[0].cluster.as_deref(), Some("big-boss"));
    assert_eq!(table.roles[0].grants, Grants::Any);
    assert_eq!(table.roles[1].grants, Grants::Only(vec!["CC".to_owned()]));
    let names: Vec<_> = table
        .clusters
        .iter()
        .map(|it| (it.name.as_str(), it.includes.as_slice()))
        .collect();
    assert_eq!(
        names,
        [("looker", &[][..]), ("big-boss", &["looker".to_owned()][..])]
    );
    assert_eq!(table.entities[0].cells, [0b1111, 0b0001, 0]);
    assert_eq!(table.entities[1].cells, [0b1111, 0b0010, 0b0010]);
    assert_eq!(table.entities[1].since.as_deref(), Some("2.24"));
}

fn refused(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn every_mistake_is_refused_with_its_line() {
    let cases = [
        ("# A comment.", "AA", "line 1: `AA` stands before `[roles]`"),
        (
            "| any |",
            "| any",
            "line 3: 5 columns, not 6: code | id | name | cluster | grants | what it is for",
        ),
        (
            "| big-boss |",
            "|  |",
            "line 3: a column is empty; write `-` for nothing: code | id | name | cluster | grants | what it is for",
        ),
        (
            "BB | 7",
            "bb | 7",
            "line 4: the code `bb` is not two capital letters or digits",
        ),
        (
            "BB | 7",
            "BB | 0",
            "line 4: the id `0` is not a number from 1 to 2147483647",
        ),
        ("BB | 7", "BB | 1", "line 4: the id `1` is that of line 3"),
        ("BB | 7", "AA | 7", "line 4: the code `AA` is that of line 3"),
        (
            "Little boss",
            "Big boss",
            "line 4: the name `Big boss` is that of line 3",
        ),
        (
            "Little boss",
            "little-boss",
            "line 4: the name `little-boss` is not letters, digits and spaces after a capital letter",
        ),
        (
            "BB | 7",
            "BB | 9",
            "line 5: role 8 comes after role 9: sort them by id",
        ),
        (
            "| big-boss |",
            "| Big_1 |",
            "line 3: `Big_1` is not the end of a ClusterRole's name",
        ),
        (
            "AA   BB   CC",
            "AA   CC   BB",
            "line 8: the columns are `AA CC BB`, and the roles above are `AA BB CC`",
        ),
        (
            "AA   BB   CC",
            "AA   BB",
            "line 8: the columns are `AA BB`, and the roles above are `AA BB CC`",
        ),
        (
            "workload  |",
            "work |",
            "line 10: `work` is no group: one of organization, physical-resource, iam, dashboard, workload, workload-asset",
        ),
        (
            "jobs ",
            "Jobs ",
            "line 10: `Jobs` is not the name of a resource type",
        ),
        (
            "crud -r-- -r--",
            "crud -r--",
            "line 10: `jobs` has 2 cells for 3 roles",
        ),
        (
            "crud -r-- -r--",
            "crud -r-- r---",
            "line 10: `r---` says nothing of Looker and `jobs`: write `crud` with `-` for each letter it may not",
        ),
        (
            "crud -r-- -r--",
            "crud -r-- -r-",
            "line 10: `-r-` says nothing of Looker and `jobs`: write `crud` with `-` for each letter it may not",
        ),
        (
            "jobs ",
            "access_rules ",
            "line 10: `access_rules` has a line already",
        ),
        (
            "| CC |",
            "| DD |",
            "line 4: Little boss grants `DD`, which is no role",
        ),
        ("| CC |", "| CC CC |", "line 4: Little boss grants `CC` twice"),
        (
            "| CC |",
            "| - |",
            "line 4: Little boss creates access rules, but grants no role",
        ),
        (
            "c---",
            "----",
            "line 4: Little boss grants roles, but creates no access rules",
        ),
        (
            "crud -r-- -r--",
            "crud -r-- cr--",
            "line 4: Little boss grants `CC`, which may do more with `jobs` than itself (line 10)",
        ),
        (
            "Little boss | looker",
            "Little boss | -",
            "line 4: Little boss grants `CC`, which may do more in clusters than itself",
        ),
        (
            "Big boss | big-boss",
            "Big boss | boss",
            "line 14: `big-boss` is not the ClusterRole of a role of that name",
        ),
        (
            "big-boss | looker",
            "big-boss | viewer",
            "line 14: `big-boss` includes `viewer`, which has no line above it",
        ),
        (
            "looker   | -",
            "looker   | big-boss",
            "line 13: `looker` includes `big-boss`, which has no line above it",
        ),
        (
            "big-boss | looker",
            "looker | -",
            "line 14: `looker` has a line already",
        ),
        (
            "big-boss | looker",
            "# none",
            "line 3: Big boss has the ClusterRole `big-boss`, which has no line in `[clusters]`",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(refused(from, to), expected, "{from} -> {to}");
    }
    assert_eq!(
        parse("[roles]\n").unwrap_err().to_string(),
        "line 1: the file ends without a role or without a resource type"
    );
}
