//! Lists: paging, sorting, searching and the `filterBy` grammar of control-plane 4.1.

mod apply;
mod filter;
mod specs;

pub use apply::{FieldValue, Listed, Page};
pub use filter::{Clause, Operator};
pub use specs::{ACCESS_RULES, DEPARTMENTS, PROJECTS, USERS, WORKLOADS};

/// What a list operation takes.
#[derive(Debug, Clone, Copy)]
pub struct ListSpec {
    /// Fields for `filterBy` and `sortBy`.
    pub fields: &'static [&'static str],
    /// Operators of `filterBy`.
    pub operators: &'static [Operator],
    /// `limit` when none is given.
    pub default_limit: usize,
    /// Whether `search` is taken.
    pub search: bool,
    /// Other parameters of the operation, for [`ListQuery::extra`].
    pub extras: &'static [&'static str],
}

/// How many clauses all `filterBy` of a request may have together.
pub const MAX_CLAUSES: usize = 32;
/// The longest `search`, and the longest value in a clause, in bytes.
pub const MAX_TEXT: usize = 256;
/// The largest `limit`.
pub const MAX_LIMIT: usize = 500;

/// A query string that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    offset: usize,
    limit: usize,
    sort: Option<String>,
    descending: bool,
    clauses: Vec<Clause>,
    search: Option<String>,
    extras: Vec<(String, String)>,
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

impl ListQuery {
    /// Reads decoded pairs of a query string. Empty values count as absent; `filterBy` may be repeated, and several
    /// clauses may be joined by commas in one.
    ///
    /// # Errors
    /// [`InvalidQuery`]: unknown parameters, numbers out of range, fields or operators the list does not have.
    pub fn parse(pairs: &[(String, String)], spec: &ListSpec) -> Result<Self, InvalidQuery> {
        let mut query = Self {
            offset: 0,
            limit: spec.default_limit,
            sort: None,
            descending: false,
            clauses: Vec::new(),
            search: None,
            extras: Vec::new(),
        };
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            match name.as_str() {
                "offset" => query.offset = number("offset", value, 0, i32::MAX as usize)?,
                "limit" => query.limit = number("limit", value, 1, MAX_LIMIT)?,
                "sortBy" => query.sort = Some(known_field("sortBy", value, spec)?),
                "sortOrder" => query.descending = order(value)?,
                "filterBy" => query.filter(value, spec)?,
                "search" if spec.search => query.search = Some(short("search", value)?.to_lowercase()),
                other if spec.extras.contains(&other) => query.extras.push((other.to_owned(), value.clone())),
                other => {
                    return Err(InvalidQuery::Unknown {
                        name: other.chars().take(80).collect(),
                    });
                }
            }
        }
        Ok(query)
    }

    fn filter(&mut self, text: &str, spec: &ListSpec) -> Result<(), InvalidQuery> {
        let clauses = filter::parse(text, spec)?;
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

fn short<'a>(name: &'static str, text: &'a str) -> Result<&'a str, InvalidQuery> {
    if text.len() > MAX_TEXT {
        return Err(InvalidQuery::Wrong {
            name,
            problem: format!("at most {MAX_TEXT} bytes are possible"),
        });
    }
    Ok(text)
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

fn known_field(name: &'static str, text: &str, spec: &ListSpec) -> Result<String, InvalidQuery> {
    if spec.fields.contains(&text) {
        return Ok(text.to_owned());
    }
    let text: String = text.chars().take(80).collect();
    Err(InvalidQuery::Wrong {
        name,
        problem: format!("`{text}` is not one of {}", spec.fields.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[(&str, &str)]) -> Result<ListQuery, String> {
        let pairs: Vec<_> = text
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        ListQuery::parse(&pairs, &PROJECTS).map_err(|error| error.to_string())
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
        ];
        for pair in wrong {
            assert!(parse(&[pair]).is_err(), "{pair:?}");
        }
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
