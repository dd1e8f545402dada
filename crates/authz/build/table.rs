//! Reads `src/roles.txt`. Every mistake is refused with its line: a table of rights that is half understood is worse than none.

use std::collections::BTreeSet;
use std::fmt;

/// The groups that the wire knows (`groupId`, control-plane 2.2).
const GROUPS: [&str; 6] = [
    "organization",
    "physical-resource",
    "iam",
    "dashboard",
    "workload",
    "workload-asset",
];

/// What is wrong, and in which line; the first is 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) problem: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// What the file says.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) roles: Vec<Role>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) clusters: Vec<ClusterRole>,
}

/// A line of `[clusters]`.
#[derive(Debug)]
pub(crate) struct ClusterRole {
    pub(crate) name: String,
    /// The others of which it may do everything.
    pub(crate) includes: Vec<String>,
}

/// A line of `[roles]`.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) line: usize,
    pub(crate) code: String,
    pub(crate) id: u32,
    pub(crate) name: String,
    /// Whose ClusterRole stands for it.
    pub(crate) cluster: Option<String>,
    pub(crate) grants: Grants,
    pub(crate) purpose: String,
}

/// The roles that a role may give.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Grants {
    Any,
    /// By their codes; empty for none.
    Only(Vec<String>),
}

/// A line of `[rights]`.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) line: usize,
    pub(crate) group: String,
    pub(crate) wire_name: String,
    pub(crate) display_name: String,
    pub(crate) since: Option<String>,
    /// One for each role, in their order: bits 0 to 3 for create, read, update, delete.
    pub(crate) cells: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    Roles,
    Rights,
    Clusters,
}

/// Reads the whole file.
pub(crate) fn parse(text: &str) -> Result<Table, Malformed> {
    let mut table = Table {
        roles: Vec::new(),
        entities: Vec::new(),
        clusters: Vec::new(),
    };
    let mut section = Section::None;
    let mut headed = false;
    let mut last = 0;
    for (line, content) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim_end())) {
        last = line;
        let wrong = |problem: String| Malformed { line, problem };
        match (content, section) {
            ("", _) => {}
            (comment, _) if comment.starts_with('#') => {}
            ("[roles]", Section::None) => section = Section::Roles,
            ("[rights]", Section::Roles) => section = Section::Rights,
            ("[clusters]", Section::Rights) => section = Section::Clusters,
            (_, Section::None) => {
                return Err(wrong(format!("`{content}` stands before `[roles]`")));
            }
            (_, Section::Roles) => {
                let role = role(line, content).map_err(wrong)?;
                is_new_role(&role, &table.roles).map_err(wrong)?;
                table.roles.push(role);
            }
            (_, Section::Rights) if !headed => {
                header(content, &table.roles).map_err(wrong)?;
                headed = true;
            }
            (_, Section::Rights) => {
                let entity = entity(line, content, &table.roles).map_err(wrong)?;
                if table.entities.iter().any(|e| e.wire_name == entity.wire_name) {
                    return Err(wrong(format!("`{}` has a line already", entity.wire_name)));
                }
                table.entities.push(entity);
            }
            (_, Section::Clusters) => {
                let cluster = cluster_role(content, &table).map_err(wrong)?;
                table.clusters.push(cluster);
            }
        }
    }
    if table.roles.is_empty() || table.entities.is_empty() {
        return Err(Malformed {
            line: last,
            problem: "the file ends without a role or without a resource type".to_owned(),
        });
    }
    for role in &table.roles {
        let checked = is_bound(role, &table).and_then(|()| may_grant(role, &table));
        checked.map_err(|problem| Malformed {
            line: role.line,
            problem,
        })?;
    }
    Ok(table)
}

fn fields<'a, const N: usize>(content: &'a str, expected: &str) -> Result<[&'a str; N], String> {
    let fields: Vec<&str> = content.split('|').map(str::trim).collect();
    let count = fields.len();
    let fields: [&str; N] = fields
        .try_into()
        .map_err(|_| format!("{count} columns, not {N}: {expected}"))?;
    if fields.iter().any(|field| field.is_empty()) {
        return Err(format!("a column is empty; write `-` for nothing: {expected}"));
    }
    Ok(fields)
}

fn role(line: usize, content: &str) -> Result<Role, String> {
    let [code, id, name, cluster, grants, purpose] =
        fields(content, "code | id | name | cluster | grants | what it is for")?;
    if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return Err(format!("the code `{code}` is not two capital letters or digits"));
    }
    let id = id
        .parse()
        .ok()
        .filter(|id| (1..=i32::MAX.unsigned_abs()).contains(id))
        .ok_or_else(|| format!("the id `{id}` is not a number from 1 to {}", i32::MAX))?;
    if !name.starts_with(|c: char| c.is_ascii_uppercase())
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ')
    {
        return Err(format!(
            "the name `{name}` is not letters, digits and spaces after a capital letter"
        ));
    }
    if cluster != "-"
        && !cluster
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(format!("`{cluster}` is not the end of a ClusterRole's name"));
    }
    Ok(Role {
        line,
        code: code.to_owned(),
        id,
        name: name.to_owned(),
        cluster: (cluster != "-").then(|| cluster.to_owned()),
        grants: match grants {
            "any" => Grants::Any,
            "-" => Grants::Only(Vec::new()),
            codes => Grants::Only(codes.split_whitespace().map(str::to_owned).collect()),
        },
        purpose: purpose.to_owned(),
    })
}

/// A ClusterRole is that of the role of its name, and includes others that stand above it.
fn cluster_role(content: &str, table: &Table) -> Result<ClusterRole, String> {
    let [name, includes] = fields(content, "ClusterRole | includes")?;
    if table.clusters.iter().any(|other| other.name == name) {
        return Err(format!("`{name}` has a line already"));
    }
    let own = |role: &&Role| role.name.to_ascii_lowercase().replace(' ', "-") == name;
    let role = table.roles.iter().find(own);
    if role.is_none_or(|role| role.cluster.as_deref() != Some(name)) {
        return Err(format!("`{name}` is not the ClusterRole of a role of that name"));
    }
    let includes: Vec<String> = match includes {
        "-" => Vec::new(),
        names => names.split_whitespace().map(str::to_owned).collect(),
    };
    for included in &includes {
        let Some(other) = table.clusters.iter().find(|other| other.name == *included) else {
            return Err(format!(
                "`{name}` includes `{included}`, which has no line above it"
            ));
        };
        if let Some(left_out) = other.includes.iter().find(|name| !includes.contains(name)) {
            return Err(format!(
                "`{name}` includes `{included}`, but not `{left_out}`, which that includes"
            ));
        }
    }
    Ok(ClusterRole {
        name: name.to_owned(),
        includes,
    })
}

/// Whether the ClusterRole of a role is one of the table.
fn is_bound(role: &Role, table: &Table) -> Result<(), String> {
    match &role.cluster {
        Some(name) if table.clusters.iter().all(|one| one.name != *name) => Err(format!(
            "{} has the ClusterRole `{name}`, which has no line in `[clusters]`",
            role.name
        )),
        _ => Ok(()),
    }
}

/// Whether who is bound to the first ClusterRole may do everything that the second allows.
fn covers(own: Option<&str>, theirs: Option<&str>, table: &Table) -> bool {
    let includes = |own: &str, theirs: &str| {
        let own = table.clusters.iter().find(|one| one.name == own);
        own.is_some_and(|own| own.includes.iter().any(|name| name == theirs))
    };
    match (own, theirs) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(theirs)) => own == theirs || includes(own, theirs),
    }
}

fn is_new_role(role: &Role, others: &[Role]) -> Result<(), String> {
    for other in others {
        for (what, same, text) in [
            ("code", other.code == role.code, &role.code),
            ("id", other.id == role.id, &role.id.to_string()),
            ("name", other.name == role.name, &role.name),
        ] {
            if same {
                return Err(format!("the {what} `{text}` is that of line {}", other.line));
            }
        }
        if other.id > role.id {
            return Err(format!(
                "role {} comes after role {}: sort them by id",
                role.id, other.id
            ));
        }
    }
    Ok(())
}

const COLUMNS: &str = "group | type | shown as | since | one cell for each role";

fn header(content: &str, roles: &[Role]) -> Result<(), String> {
    let [_, _, _, _, codes] = fields(content, COLUMNS)?;
    let codes: Vec<&str> = codes.split_whitespace().collect();
    let expected: Vec<&str> = roles.iter().map(|role| role.code.as_str()).collect();
    if codes == expected {
        Ok(())
    } else {
        Err(format!(
            "the columns are `{}`, and the roles above are `{}`",
            codes.join(" "),
            expected.join(" ")
        ))
    }
}

fn entity(line: usize, content: &str, roles: &[Role]) -> Result<Entity, String> {
    let [group, wire_name, display_name, since, cells] = fields(content, COLUMNS)?;
    if !GROUPS.contains(&group) {
        return Err(format!("`{group}` is no group: one of {}", GROUPS.join(", ")));
    }
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if !wire_name.starts_with(|c: char| c.is_ascii_lowercase()) || !wire_name.bytes().all(word) {
        return Err(format!("`{wire_name}` is not the name of a resource type"));
    }
    let cells: Vec<&str> = cells.split_whitespace().collect();
    if cells.len() != roles.len() {
        return Err(format!(
            "`{wire_name}` has {} cells for {} roles",
            cells.len(),
            roles.len()
        ));
    }
    let cells = cells.iter().zip(roles).map(|(text, role)| {
        cell(text).ok_or_else(|| {
            format!(
                "`{text}` says nothing of {} and `{wire_name}`: write `crud` with `-` for each letter it may not",
                role.name
            )
        })
    });
    Ok(Entity {
        line,
        group: group.to_owned(),
        wire_name: wire_name.to_owned(),
        display_name: display_name.to_owned(),
        since: (since != "-").then(|| since.to_owned()),
        cells: cells.collect::<Result<_, _>>()?,
    })
}

fn cell(text: &str) -> Option<u8> {
    if text.len() != 4 {
        return None;
    }
    let mut bits = 0;
    for (place, (is, may)) in text.bytes().zip(*b"crud").enumerate() {
        match is {
            b'-' => {}
            _ if is == may => bits |= 1 << place,
            _ => return None,
        }
    }
    Some(bits)
}

/// Whoever may create access rules may give some role, and nobody a role that may do more than their own.
fn may_grant(role: &Role, table: &Table) -> Result<(), String> {
    let column = |code: &str| table.roles.iter().position(|other| other.code == code);
    let cells = |column: usize| {
        table
            .entities
            .iter()
            .map(move |e| (e, e.cells.get(column).copied().unwrap_or(0)))
    };
    let own = column(&role.code).unwrap_or_default();
    let creates = cells(own).any(|(e, cell)| e.wire_name == "access_rules" && cell & 1 != 0);
    match &role.grants {
        Grants::Only(codes) if codes.is_empty() && creates => {
            return Err(format!("{} creates access rules, but grants no role", role.name));
        }
        Grants::Only(codes) if codes.is_empty() => return Ok(()),
        _ if !creates => {
            return Err(format!("{} grants roles, but creates no access rules", role.name));
        }
        Grants::Any => return Ok(()),
        Grants::Only(_) => {}
    }
    let Grants::Only(codes) = &role.grants else {
        return Ok(());
    };
    let mut seen = BTreeSet::new();
    for code in codes {
        let granted =
            column(code).ok_or_else(|| format!("{} grants `{code}`, which is no role", role.name))?;
        if !seen.insert(code) {
            return Err(format!("{} grants `{code}` twice", role.name));
        }
        let more = cells(granted)
            .zip(cells(own))
            .find(|((_, theirs), (_, ours))| theirs & !ours != 0);
        if let Some(((entity, _), _)) = more {
            return Err(format!(
                "{} grants `{code}`, which may do more with `{}` than itself (line {})",
                role.name, entity.wire_name, entity.line
            ));
        }
        let given = table.roles.get(granted).and_then(|role| role.cluster.as_deref());
        if !covers(role.cluster.as_deref(), given, table) {
            return Err(format!(
                "{} grants `{code}`, which may do more in clusters than itself",
                role.name
            ));
        }
    }
    Ok(())
}
