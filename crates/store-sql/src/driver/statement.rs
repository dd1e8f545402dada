//! Statements that are put together: of text that stands in this program, and of values that are bound.

use sqlx::{Postgres, QueryBuilder};

use super::{Arg, postgres};

/// A statement, or a piece of one. Text from outside the program cannot become SQL here: what is no `&'static str` is bound.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Sql(&'static str),
    Value(Arg),
    Numbers(String),
    Texts(String),
    Bytewise,
}

impl From<&'static str> for Statement {
    fn from(sql: &'static str) -> Self {
        Self(vec![Part::Sql(sql)])
    }
}

impl Statement {
    /// Then this text.
    pub(crate) fn sql(mut self, sql: &'static str) -> Self {
        self.0.push(Part::Sql(sql));
        self
    }

    /// Then a value, bound.
    pub(crate) fn value(mut self, value: impl Into<Arg>) -> Self {
        self.0.push(Part::Value(value.into()));
        self
    }

    /// Then what another piece says.
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Then that all of these hold; nothing where there are none.
    pub(crate) fn holding(self, conditions: impl IntoIterator<Item = Self>) -> Self {
        let conditions = conditions.into_iter().enumerate();
        conditions.fold(self, |statement, (number, condition)| {
            let before = if number == 0 { " WHERE " } else { " AND " };
            statement.sql(before).then(condition)
        })
    }

    /// What stands before is compared byte by byte, as columns are; what is made of values goes by the database's collation.
    pub(crate) fn bytewise(mut self) -> Self {
        self.0.push(Part::Bytewise);
        self
    }

    /// Then a query for these numbers: one bound value, however many there are.
    pub(crate) fn numbers(mut self, numbers: impl IntoIterator<Item = i64>) -> Self {
        let all = numbers.into_iter().map(serde_json::Value::from).collect();
        self.0
            .push(Part::Numbers(serde_json::Value::Array(all).to_string()));
        self
    }

    /// As [`Statement::numbers`], for texts.
    pub(crate) fn texts(mut self, texts: impl IntoIterator<Item = String>) -> Self {
        // No text in a database has U+0000, and PostgreSQL refuses it here.
        let all = texts
            .into_iter()
            .map(|it| it.replace('\0', "\u{fffd}").into())
            .collect();
        self.0
            .push(Part::Texts(serde_json::Value::Array(all).to_string()));
        self
    }

    /// Its text for SQLite, and the values of its placeholders.
    pub(super) fn sqlite(&self) -> (String, Vec<Arg>) {
        let (mut sql, mut args) = (String::new(), Vec::new());
        let mut bind = |sql: &mut String, value| {
            args.push(value);
            sql.push('$');
            sql.push_str(&args.len().to_string());
        };
        for part in &self.0 {
            match part {
                Part::Sql(piece) => sql.push_str(piece),
                Part::Value(value) => bind(&mut sql, value.clone()),
                Part::Bytewise => {}
                Part::Numbers(list) | Part::Texts(list) => {
                    sql.push_str("SELECT value FROM json_each(");
                    bind(&mut sql, Arg::text(list));
                    sql.push(')');
                }
            }
        }
        (sql, args)
    }

    pub(super) fn postgres(&self) -> QueryBuilder<Postgres> {
        let mut builder = QueryBuilder::new("");
        for part in &self.0 {
            match part {
                Part::Sql(sql) => drop(builder.push(sql)),
                Part::Value(value) => postgres::push(&mut builder, value),
                Part::Bytewise => drop(builder.push(" COLLATE \"C\"")),
                Part::Numbers(list) => {
                    builder.push("SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(");
                    builder.push_bind(list.clone()).push(" AS JSON))");
                }
                Part::Texts(list) => {
                    builder.push("SELECT value COLLATE \"C\" FROM json_array_elements_text(CAST(");
                    builder.push_bind(list.clone()).push(" AS JSON))");
                }
            }
        }
        builder
    }
}
