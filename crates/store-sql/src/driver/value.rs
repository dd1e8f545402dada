//! What goes into a statement and what comes out of one.

use std::str::FromStr;

use reeve_store::StoreError;
use reeve_types::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row as _};

use super::sqlite::{Cell, SqliteRow};

/// A value for a placeholder. Absent ones are typed too: PostgreSQL wants to know.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Text(Option<String>),
    Int(Option<i64>),
    Bool(bool),
}

impl Arg {
    /// Anything that is kept as its text.
    pub(crate) fn text(value: impl ToString) -> Self {
        Self::Text(Some(value.to_string()))
    }

    /// Anything that may be absent and is kept as its text.
    pub(crate) fn opt_text(value: Option<impl ToString>) -> Self {
        Self::Text(value.map(|v| v.to_string()))
    }

    /// A JSON text.
    pub(crate) fn json(value: &impl serde::Serialize) -> Result<Self, StoreError> {
        serde_json::to_string(value)
            .map(|text| Self::Text(Some(text)))
            .map_err(|e| StoreError::Corrupt {
                what: "value to keep as JSON",
                reason: e.to_string(),
            })
    }
}

impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Arg {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Timestamp> for Arg {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.as_millis()))
    }
}

/// A row.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    fn get<'r, T>(&'r self, column: &'static str) -> Result<T, StoreError>
    where
        T: Cell + sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.get(column),
            Self::Postgres(row) => row.try_get(column).map_err(|e| e.to_string()),
        }
        .map_err(|reason| StoreError::Corrupt { what: column, reason })
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.get(column)
    }

    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        self.get(column)
    }

    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.get(column)
    }

    pub(crate) fn bool(&self, column: &'static str) -> Result<bool, StoreError> {
        self.get(column)
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_millis)
    }

    pub(crate) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }

    /// Something that is kept as its text.
    pub(crate) fn parsed<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?
            .parse()
            .map_err(|e: T::Err| StoreError::Corrupt {
                what: column,
                reason: e.to_string(),
            })
    }

    /// Something that may be absent and is kept as its text.
    pub(crate) fn opt_parsed<T>(&self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        self.opt_text(column)?
            .map(|text| {
                text.parse().map_err(|e: T::Err| StoreError::Corrupt {
                    what: column,
                    reason: e.to_string(),
                })
            })
            .transpose()
    }

    /// A JSON text.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        from_json(column, &self.text(column)?)
    }

    /// A JSON text that may be absent.
    pub(crate) fn opt_json<T: serde::de::DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.opt_text(column)?
            .map(|text| from_json(column, &text))
            .transpose()
    }

    /// A number that is an id.
    pub(crate) fn number<T>(
        &self,
        column: &'static str,
        read: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, StoreError> {
        let number = self.int(column)?;
        read(number).ok_or_else(|| StoreError::Corrupt {
            what: column,
            reason: format!("{number} is out of range"),
        })
    }
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt {
        what,
        reason: e.to_string(),
    })
}
