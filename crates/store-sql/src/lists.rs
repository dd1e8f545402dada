//! Lists as statements: page, order, filters and search over the columns of [`reeve_types::list`], cut to what the caller may see.
//!
//! A column becomes SQL by a `match` over its list's columns; all else is bound ([`Statement`]). Both databases compare text byte by
//! byte, and what is compared is in lower case on both sides, made so by the program.

use reeve_authz::{Scope, Visible};
use reeve_store::{Page, StoreError};
use reeve_types::list::{Clause, Column, Kind, ListQuery, Operand, Operator, PageQuery};
use reeve_types::{ClusterId, DepartmentId};

use crate::driver::{Row, Statement, Tx};

/// A list of one resource, for one caller.
pub(crate) struct List<'a, C> {
    /// What was asked for.
    pub(crate) query: &'a ListQuery<C>,
    /// Its table.
    pub(crate) table: &'static str,
    /// What expressions call the table.
    pub(crate) alias: &'static str,
    /// The list's own order, the last of it unique: it breaks ties, so that no page repeats or leaves out a row.
    pub(crate) order: &'static [&'static str],
    /// A column over the alias.
    pub(crate) term: &'a (dyn Fn(C) -> Term + Sync),
    /// What must hold of every row, whatever was asked for.
    pub(crate) conditions: Vec<Statement>,
}

/// A column in SQL.
pub(crate) struct Term {
    /// An expression over the list's alias.
    value: Statement,
    shared: Option<Shared>,
}

/// A value of something that many rows belong to. A condition on it finds those first, once for all rows; the expression would be
/// worked out row by row.
pub(crate) struct Shared {
    /// What a condition begins with: the row's key, up to the `WHERE` of the query for those that it may be.
    pub(crate) before: &'static str,
    /// The value in that query.
    pub(crate) value: &'static str,
}

impl Term {
    /// The expression, for whoever asks for it by row, and its other form for conditions. Every row has such a thing, and one.
    pub(crate) fn shared(value: &'static str, shared: Shared) -> Self {
        Self {
            value: value.into(),
            shared: Some(shared),
        }
    }

    /// A condition on this, where `holds` makes one of an expression.
    fn that(self, holds: impl FnOnce(Statement) -> Statement) -> Statement {
        match self.shared {
            Some(shared) => Statement::from(shared.before)
                .sql(" ")
                .then(holds(shared.value.into()))
                .sql(")"),
            None => holds(self.value),
        }
    }
}

impl From<Statement> for Term {
    fn from(value: Statement) -> Self {
        Self { value, shared: None }
    }
}

impl From<&'static str> for Term {
    fn from(value: &'static str) -> Self {
        Statement::from(value).into()
    }
}

impl<C: Column> List<'_, C> {
    /// A page: `select` ends before its `FROM`, and `joins` begin after it. Both use the alias.
    pub(crate) async fn page<T>(
        &self,
        tx: &mut Tx,
        (select, joins): (&'static str, &'static str),
        read: fn(&Row) -> Result<T, StoreError>,
        operation: &'static str,
    ) -> Result<Page<T>, StoreError> {
        let rows = tx.select(&self.page_statement(select, joins), operation).await?;
        let more = rows.len() > self.query.limit;
        let items = rows
            .iter()
            .take(self.query.limit)
            .map(read)
            .collect::<Result<_, _>>()?;
        let end = self.query.offset.saturating_add(self.query.limit);
        Ok(Page {
            items,
            next: more.then_some(end),
        })
    }

    /// How many rows all pages hold.
    pub(crate) async fn count(&self, tx: &mut Tx, operation: &'static str) -> Result<u64, StoreError> {
        let rows = tx.select(&self.count_statement(), operation).await?;
        let found = rows.first().map(|row| row.int("found")).transpose()?;
        Ok(found
            .and_then(|found| u64::try_from(found).ok())
            .unwrap_or_default())
    }

    /// The rows of one page and one more, which says that there is a next one. What is joined is read for these alone.
    pub(crate) fn page_statement(&self, select: &'static str, joins: &'static str) -> Statement {
        let page = PageQuery {
            offset: self.query.offset,
            limit: self.query.limit.saturating_add(1),
        };
        Statement::from(select)
            .sql("FROM (SELECT ")
            .sql(self.alias)
            .sql(".* ")
            .then(self.matching())
            .then(self.ordering())
            .then(cut(page))
            .sql(") ")
            .sql(self.alias)
            .sql(" ")
            .sql(joins)
            .then(self.ordering())
    }

    fn count_statement(&self) -> Statement {
        Statement::from("SELECT COUNT(*) AS found ").then(self.matching())
    }

    fn matching(&self) -> Statement {
        Statement::from("FROM ")
            .sql(self.table)
            .sql(" ")
            .sql(self.alias)
            .then(self.conditions())
    }

    fn conditions(&self) -> Statement {
        let clauses = self.query.clauses.iter().map(|clause| self.clause(clause));
        let search = self.query.search.iter().map(|text| self.search(text));
        let all = self.conditions.iter().cloned().chain(clauses).chain(search);
        Statement::default().holding(all)
    }

    fn ordering(&self) -> Statement {
        let mut ordering = Statement::from(" ORDER BY ");
        if let Some(column) = self.query.sort {
            ordering = ordering.then((self.term)(column).value).sql(self.direction());
            if column.facts().nullable {
                let absent = if self.query.descending {
                    " NULLS LAST"
                } else {
                    " NULLS FIRST"
                };
                ordering = ordering.sql(absent);
            }
            ordering = ordering.sql(", ");
        }
        for (number, key) in self.order.iter().enumerate() {
            ordering = ordering.sql(if number == 0 { "" } else { ", " });
            ordering = ordering.sql(key).sql(self.direction());
        }
        ordering
    }

    const fn direction(&self) -> &'static str {
        if self.query.descending { " DESC" } else { "" }
    }

    fn clause(&self, clause: &Clause<C>) -> Statement {
        let facts = clause.column.facts();
        let (as_text, value) = match &clause.operand {
            Operand::Number(number) => (false, Statement::default().value(*number)),
            Operand::Moment(moment) => (false, Statement::default().value(*moment)),
            Operand::Text(text) => (
                true,
                Statement::default().value(pattern(clause.operator, text).as_str()),
            ),
        };
        let negated = matches!(clause.operator, Operator::NotEqual | Operator::ContainsNot);
        (self.term)(clause.column).that(|term| {
            let compare = if as_text {
                text(facts.kind, term.clone())
            } else {
                term.clone()
            };
            let held = compare
                .sql(operator(clause.operator))
                .then(value)
                .sql(like_end(clause.operator));
            if facts.nullable && negated {
                Statement::from("(")
                    .then(term)
                    .sql(" IS NULL OR ")
                    .then(held)
                    .sql(")")
            } else {
                held
            }
        })
    }

    fn search(&self, search: &str) -> Statement {
        let mut any = Statement::from("(1 = 0");
        for column in C::ALL.iter().filter(|column| column.facts().searched) {
            any = any.sql(" OR ").then((self.term)(*column).that(|term| {
                text(column.facts().kind, term)
                    .sql(operator(Operator::Contains))
                    .value(pattern(Operator::Contains, search).as_str())
                    .sql(like_end(Operator::Contains))
            }));
        }
        any.sql(")")
    }
}

/// A number of rows, as a database knows them.
pub(crate) fn bound(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// The end of a statement whose rows come in a page's order.
pub(crate) fn cut(page: PageQuery) -> Statement {
    Statement::from(" LIMIT ")
        .value(bound(page.limit))
        .sql(" OFFSET ")
        .value(bound(page.offset))
}

/// An expression as text.
fn text(kind: Kind, term: Statement) -> Statement {
    match kind {
        Kind::Text => term,
        Kind::Number | Kind::Moment => Statement::from("CAST(").then(term).sql(" AS TEXT)"),
    }
}

const fn operator(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => " = ",
        Operator::NotEqual => " <> ",
        Operator::AtMost => " <= ",
        Operator::AtLeast => " >= ",
        Operator::ContainsNot => " NOT LIKE ",
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => " LIKE ",
    }
}

const fn like_end(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal | Operator::NotEqual | Operator::AtMost | Operator::AtLeast => "",
        Operator::ContainsNot | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            r" ESCAPE '\'"
        }
    }
}

/// What is compared with: itself, or a pattern in which its own `%`, `_` and `\` are letters as others.
fn pattern(operator: Operator, text: &str) -> String {
    let escaped = || {
        let mut escaped = String::with_capacity(text.len());
        for letter in text.chars() {
            if matches!(letter, '%' | '_' | '\\') {
                escaped.push('\\');
            }
            escaped.push(letter);
        }
        escaped
    };
    match operator {
        Operator::Equal | Operator::NotEqual | Operator::AtMost | Operator::AtLeast => text.to_owned(),
        Operator::Contains | Operator::ContainsNot => format!("%{}%", escaped()),
        Operator::StartsWith => format!("{}%", escaped()),
        Operator::EndsWith => format!("%{}", escaped()),
    }
}

/// The scopes at which somebody may see something, by kind; `None` who sees everything.
pub(crate) struct Reach {
    clusters: Vec<String>,
    departments: Vec<i64>,
    projects: Vec<i64>,
}

impl Reach {
    /// Of what may be seen.
    pub(crate) fn of(visible: &Visible) -> Option<Self> {
        let mut reach = Self {
            clusters: Vec::new(),
            departments: Vec::new(),
            projects: Vec::new(),
        };
        for scope in visible.scopes() {
            match scope {
                Scope::Account => return None,
                Scope::Cluster(id) => reach.clusters.push(id.to_string()),
                Scope::Department(id) => reach.departments.push(id.number()),
                Scope::Project(id) => reach.projects.push(id.number()),
            }
        }
        Some(reach)
    }

    /// Whether something of this cluster and this department is within.
    pub(crate) fn contains(&self, cluster: ClusterId, department: Option<DepartmentId>) -> bool {
        self.clusters.contains(&cluster.to_string())
            || department.is_some_and(|id| self.departments.contains(&id.number()))
    }

    /// That one of these, each up to its `IN (`, is within. One alone stands without an `OR`: PostgreSQL goes by its index then.
    pub(crate) fn any(&self, of: &[(Level, &'static str)]) -> Statement {
        let mut within: Vec<_> = of
            .iter()
            .filter_map(|(level, before)| Some((*before, self.query(*level)?)))
            .map(|(before, query)| {
                let mut one = Statement::from(before).then(query);
                for _ in before.matches(')').count()..before.matches('(').count() {
                    one = one.sql(")");
                }
                one
            })
            .collect();
        let Some(first) = within.pop() else {
            return "1 = 0".into();
        };
        if within.is_empty() {
            return first;
        }
        let mut any = Statement::from("(").then(first);
        for one in within {
            any = any.sql(" OR ").then(one);
        }
        any.sql(")")
    }

    /// The scopes of a kind, where there are some.
    fn query(&self, level: Level) -> Option<Statement> {
        let ids = match level {
            Level::Cluster => {
                let clusters = Some(&self.clusters).filter(|ids| !ids.is_empty())?;
                return Some(Statement::default().texts(clusters.iter().cloned()));
            }
            Level::Department => &self.departments,
            Level::Project => &self.projects,
        };
        (!ids.is_empty()).then(|| Statement::default().numbers(ids.iter().copied()))
    }
}

/// A kind of scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Cluster,
    Department,
    Project,
}
