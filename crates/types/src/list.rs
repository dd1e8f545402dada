//! Lists: paging, sorting, searching and the `filterBy` grammar of control-plane 4.1.
//!
//! A query is parsed once, into columns and values of the right kind; a store answers it without looking at names again.

mod column;
mod filter;
mod specs;

pub use column::{Column, ColumnFacts, Kind};
pub use filter::{Clause, Operand, Operator};
pub use specs::{
    ACCESS_RULES, AUDIT, AUDIT_LOG, AccessRuleColumn, AuditColumn, DEPARTMENTS, DepartmentColumn, PROJECTS,
    ProjectColumn, ROLES, RoleColumn, SERVICE_ACCOUNTS, ServiceAccountColumn, USERS, UserColumn, WORKLOADS,
    WorkloadColumn,
};

/// What a list operation takes.
#[derive(Debug, Clone, Copy)]
pub struct ListSpec {
    /// Its columns.
    pub columns: &'static [ColumnFacts],
    /// Operators of `filterBy`.
    pub operators: &'static [Operator],
    /// `limit` when none is given.
    pub default_limit: usize,
    /// Other parameters of the operation, for [`ListQuery::extra`].
    pub extras: &'static [&'static str],
}

impl ListSpec {
    /// The names that `filterBy` and `sortBy` take.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter(|it| it.named).map(|it| it.name)
    }
}

/// How many clauses all `filterBy` of a request may have together.
pub const MAX_CLAUSES: usize = 32;
/// The longest `search`, and the longest value in a clause, in bytes.
pub const MAX_TEXT: usize = 256;
/// The largest `limit`.
pub const MAX_LIMIT: usize = 500;

/// A query string that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery<C> {
    /// How many rows to leave out at the front.
    pub offset: usize,
    /// How many rows to answer at most.
    pub limit: usize,
    /// What to sort by; in the list's own order otherwise, which also breaks ties.
    pub sort: Option<C>,
    /// The reverse of the order.
    pub descending: bool,
    /// All of these must hold.
    pub clauses: Vec<Clause<C>>,
    /// In lower case: what one of the searched columns must hold.
    pub search: Option<String>,
    extras: Vec<(String, String)>,
}

impl<C: Column> Default for ListQuery<C> {
    /// The query of nothing said.
    fn default() -> Self {
        Self {
            offset: 0,
            limit: C::SPEC.default_limit,
            sort: None,
            descending: false,
            clauses: Vec::new(),
            search: None,
            extras: Vec::new(),
        }
    }
}

/// A page of a list that has one order and takes no columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// How many rows to leave out at the front.
    pub offset: usize,
    /// How many rows to answer at most.
    pub limit: usize,
}

impl Default for PageQuery {
    /// The first [`MAX_LIMIT`].
    fn default() -> Self {
        Self {
            offset: 0,
            limit: MAX_LIMIT,
        }
    }
}

impl PageQuery {
    /// Reads `offset` and `limit` from decoded pairs of a query string, as [`ListQuery::parse`] does. Other pairs are the list's own.
    ///
    /// # Errors
    /// [`InvalidQuery::Wrong`]: a number out of range.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, InvalidQuery> {
        let mut page = Self::default();
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "offset" => page.offset = offset(value)?,
                "limit" => page.limit = limit(value)?,
                _ => {}
            }
        }
        Ok(page)
    }
}

/// Why a query string is refused, always with 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// A parameter that the operation does not have.
    #[error("`{name}` is not a parameter of this request")]
    Unknown {
        /// Its name, as it was sent.
        name: String,
    },
    /// A parameter whose value cannot be.
    #[error("parameter `{name}`: {problem}")]
    Wrong {
        /// Its name.
        name: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl<C: Column> ListQuery<C> {
    /// Reads decoded pairs of a query string. Empty values count as absent; `filterBy` may be repeated, and several
    /// clauses may be joined by commas in one.
    ///
    /// # Errors
    /// [`InvalidQuery`]: unknown parameters, numbers out of range, fields or operators the list does not have.
    pub fn parse(pairs: &[(String, String)]) -> Result<Self, InvalidQuery> {
        let mut query = Self::default();
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "offset" => query.offset = offset(value)?,
                "limit" => query.limit = limit(value)?,
                "sortBy" => query.sort = Some(known_column("sortBy", value)?),
                "sortOrder" => query.descending = order(value)?,
                "filterBy" => query.filter(value)?,
                "search" => query.search = Some(text("search", value)?.to_lowercase()),
                other if C::SPEC.extras.contains(&other) => {
                    query.extras.push((other.to_owned(), value.clone()))
                }
                other => {
                    return Err(InvalidQuery::Unknown {
                        name: other.chars().take(80).collect(),
                    });
                }
            }
        }
        Ok(query)
    }

    fn filter(&mut self, text: &str) -> Result<(), InvalidQuery> {
        let clauses = filter::parse(text)?;
        if self.clauses.len().saturating_add(clauses.len()) > MAX_CLAUSES {
            return Err(InvalidQuery::Wrong {
                name: "filterBy",
                problem: format!("at most {MAX_CLAUSES} clauses are possible"),
            });
        }
        self.clauses.extend(clauses);
        Ok(())
    }

    /// The value of one of [`ListSpec::extras`].
    pub fn extra(&self, name: &str) -> Option<&str> {
        self.extras
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// One of [`ListSpec::extras`] as a yes or no; absent is no.
    ///
    /// # Errors
    /// [`InvalidQuery::Wrong`] for anything but `true` and `false`.
    pub fn flag(&self, name: &'static str) -> Result<bool, InvalidQuery> {
        match self.extra(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(InvalidQuery::Wrong {
                name,
                problem: "`true` or `false` is needed".to_owned(),
            }),
        }
    }
}

fn text<'a>(name: &'static str, text: &'a str) -> Result<&'a str, InvalidQuery> {
    let problem = if text.len() > MAX_TEXT {
        format!("at most {MAX_TEXT} bytes are possible")
    } else if text.contains('\0') {
        // No text in a database has it, and some take it for the end.
        "the character U+0000 is not possible".to_owned()
    } else {
        return Ok(text);
    };
    Err(InvalidQuery::Wrong { name, problem })
}

fn offset(text: &str) -> Result<usize, InvalidQuery> {
    number("offset", text, 0, i32::MAX as usize)
}

fn limit(text: &str) -> Result<usize, InvalidQuery> {
    number("limit", text, 1, MAX_LIMIT)
}

fn number(name: &'static str, text: &str, least: usize, most: usize) -> Result<usize, InvalidQuery> {
    text.parse()
        .ok()
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| InvalidQuery::Wrong {
            name,
            problem: format!("a number from {least} to {most} is needed"),
        })
}

fn order(text: &str) -> Result<bool, InvalidQuery> {
    match text {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(InvalidQuery::Wrong {
            name: "sortOrder",
            problem: "`asc` or `desc` is needed".to_owned(),
        }),
    }
}

fn known_column<C: Column>(parameter: &'static str, text: &str) -> Result<C, InvalidQuery> {
    let mut columns = C::ALL.iter().copied();
    let known = |column: &C| column.facts().named && column.facts().name == text;
    columns.find(known).ok_or_else(|| {
        let text: String = text.chars().take(80).collect();
        let known: Vec<_> = C::SPEC.fields().collect();
        InvalidQuery::Wrong {
            name: parameter,
            problem: format!("`{text}` is not one of {}", known.join(", ")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[(&str, &str)]) -> Result<ListQuery<ProjectColumn>, String> {
        let pairs: Vec<_> = text
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        ListQuery::parse(&pairs).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_out_of_range_and_unknown_words_are_refused() {
        let wrong = [
            ("limit", "0"),
            ("limit", "501"),
            ("limit", "x"),
            ("offset", "-1"),
            ("sortOrder", "SortOrder.ASC"),
            ("sortBy", "nonsense"),
            ("filterBy", "nonsense==1"),
            ("filterBy", "name~x"),
            ("filterby", "name==x"),
            ("sortBy", "description"),
            ("filterBy", "description==x"),
            ("search", "a\0b"),
            ("filterBy", "name==a\0"),
        ];
        for pair in wrong {
            assert!(parse(&[pair]).is_err(), "{pair:?}");
        }
        for (name, value) in wrong.into_iter().take(4) {
            let pair = (name.to_owned(), value.to_owned());
            assert!(PageQuery::parse(&[pair]).is_err(), "{name}={value}");
        }
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let page = PageQuery::parse(&[pair("name", "x"), pair("offset", "7"), pair("limit", "")]);
        let seventh = PageQuery {
            offset: 7,
            limit: MAX_LIMIT,
        };
        assert_eq!(page, Ok(seventh));
        assert!(
            parse(&[
                ("limit", "500"),
                ("offset", "0"),
                ("sortBy", "name"),
                ("sortOrder", "desc")
            ])
            .is_ok()
        );
    }

    #[test]
    fn the_table_and_the_columns_are_the_same() {
        fn same<C: Column>() {
            let facts: Vec<_> = C::ALL.iter().map(|column| column.facts()).collect();
            assert_eq!(facts, C::SPEC.columns);
        }
        same::<ProjectColumn>();
        same::<UserColumn>();
        same::<AccessRuleColumn>();
        same::<AuditColumn>();
    }

    #[test]
    fn more_work_than_a_list_does_is_refused_with_the_bound() {
        let clauses = |count: usize| vec!["name!=x"; count].join(",");
        let (most, more) = (clauses(MAX_CLAUSES), clauses(MAX_CLAUSES + 1));
        assert!(parse(&[("filterBy", &most)]).is_ok());
        let refused = "parameter `filterBy`: at most 32 clauses are possible";
        assert_eq!(parse(&[("filterBy", &more)]).unwrap_err(), refused);
        let repeated = vec![("filterBy", "name!=x"); MAX_CLAUSES + 1];
        assert_eq!(parse(&repeated).unwrap_err(), refused, "however they are given");
        let long = "x".repeat(MAX_TEXT + 1);
        let clause = format!("name=={long}");
        for (name, value) in [("search", &long), ("filterBy", &clause)] {
            let error = parse(&[(name, value)]).unwrap_err();
            assert_eq!(
                error,
                format!("parameter `{name}`: at most 256 bytes are possible")
            );
        }
    }

    #[test]
    fn a_bare_question_mark_is_an_empty_query() {
        assert_eq!(parse(&[]), parse(&[("", "")]));
        assert_eq!(parse(&[]).unwrap().limit, 50);
    }
}
