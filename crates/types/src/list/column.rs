//! The columns of a list: the one table that the query's parser, the API's description and the statements of a store come from.

use std::fmt;

/// What a column holds, and so what its filters can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, compared in lower case and by code point.
    Text,
    /// A whole number: compared by size, and digit by digit where a part is looked for.
    Number,
    /// A moment: compared as such alone.
    Moment,
}

/// What is known of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Its name in `filterBy` and `sortBy`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be absent: that passes negations alone, and sorts first.
    pub nullable: bool,
    /// Whether `search` looks into it.
    pub searched: bool,
    /// Whether `filterBy` and `sortBy` take it.
    pub named: bool,
}

impl ColumnFacts {
    /// A column for `filterBy` and `sortBy`.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            nullable: false,
            searched: false,
            named: true,
        }
    }

    /// It may be absent.
    #[must_use]
    pub const fn nullable(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }

    /// `search` looks into it, too.
    #[must_use]
    pub const fn searched(self) -> Self {
        Self {
            searched: true,
            ..self
        }
    }

    /// `search` alone looks into it.
    #[must_use]
    pub const fn only_searched(self) -> Self {
        Self {
            searched: true,
            named: false,
            ..self
        }
    }
}

/// The columns of one list. A statement names a column by a `match` over them: one without its expression does not compile,
/// and nothing else can be named.
pub trait Column: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// What the list takes.
    const SPEC: &'static super::ListSpec;
    /// All of them, in the order of [`super::ListSpec::columns`].
    const ALL: &'static [Self];

    /// What is known of it.
    fn facts(self) -> ColumnFacts;
}

/// Makes the columns of a list and its [`super::ListSpec`] from one table.
macro_rules! list {
    (
        $(#[$doc:meta])* $columns:ident, $spec:ident;
        operators: $operators:expr, default_limit: $limit:expr, extras: $extras:expr;
        $( $(#[$column_doc:meta])* $column:ident: $name:literal $kind:ident $(. $more:ident())* ,)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $columns {
            $( $(#[$column_doc])* $column, )+
        }

        impl Column for $columns {
            const SPEC: &'static ListSpec = &$spec;
            const ALL: &'static [Self] = &[$(Self::$column),+];

            fn facts(self) -> ColumnFacts {
                match self {
                    $( Self::$column => const { ColumnFacts::new($name, Kind::$kind)$(.$more())* }, )+
                }
            }
        }

        $(#[$doc])*
        pub const $spec: ListSpec = ListSpec {
            columns: &[$( ColumnFacts::new($name, Kind::$kind)$(.$more())* ),+],
            operators: $operators,
            default_limit: $limit,
            extras: $extras,
        };
    };
}

pub(super) use list;
