//! The naive evaluator of lists: everything is read, then filtered, sorted and cut. What a store does in its database is compared
//! with it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use reeve_types::Timestamp;
use reeve_types::list::{Clause, Column, ListQuery, Operand, Operator};

/// A field of a listed thing, as filters and sorting see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// Text; compared in lower case.
    Text(String),
    /// A number.
    Number(i64),
    /// A moment.
    Moment(Timestamp),
    /// Null: passes only negations, sorts first.
    Nothing,
}

impl Field {
    pub(super) fn text(value: impl ToString) -> Self {
        Self::Text(value.to_string())
    }

    pub(super) fn moment(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Nothing, Self::Moment)
    }

    fn holds<C>(&self, clause: &Clause<C>) -> bool {
        let by_order = |order: Ordering| match clause.operator {
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => order.is_ne(),
            Operator::AtMost => order.is_le(),
            Operator::AtLeast => order.is_ge(),
            _ => panic!("{:?} compares no sizes", clause.operator),
        };
        match (self, &clause.operand) {
            (Self::Nothing, _) => matches!(clause.operator, Operator::NotEqual | Operator::ContainsNot),
            (Self::Text(actual), Operand::Text(wanted)) => text_holds(actual, clause.operator, wanted),
            (Self::Number(actual), Operand::Text(wanted)) => {
                text_holds(&actual.to_string(), clause.operator, wanted)
            }
            (Self::Number(actual), Operand::Number(wanted)) => by_order(actual.cmp(wanted)),
            (Self::Moment(actual), Operand::Moment(wanted)) => by_order(actual.cmp(wanted)),
            (field, operand) => panic!("{field:?} is not compared with {operand:?}"),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Moment(a), Self::Moment(b)) => a.cmp(b),
            (Self::Nothing, Self::Nothing) => Ordering::Equal,
            (Self::Nothing, _) => Ordering::Less,
            (_, Self::Nothing) => Ordering::Greater,
            (one, other) => panic!("{one:?} and {other:?} are of one column"),
        }
    }

    /// As it is written.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Moment(moment) => moment.to_string(),
            Self::Nothing => String::new(),
        }
    }
}

fn text_holds(actual: &str, operator: Operator, wanted: &str) -> bool {
    let actual = actual.to_lowercase();
    match operator {
        Operator::Equal => actual == wanted,
        Operator::NotEqual => actual != wanted,
        Operator::AtMost => actual.as_str() <= wanted,
        Operator::AtLeast => actual.as_str() >= wanted,
        Operator::Contains => actual.contains(wanted),
        Operator::ContainsNot => !actual.contains(wanted),
        Operator::StartsWith => actual.starts_with(wanted),
        Operator::EndsWith => actual.ends_with(wanted),
    }
}

/// Something listed: what tells it from others, and its fields by column.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) fields: BTreeMap<&'static str, Field>,
}

impl Line {
    fn field<C: Column>(&self, column: C) -> &Field {
        let name = column.facts().name;
        self.fields
            .get(name)
            .unwrap_or_else(|| panic!("no field `{name}`"))
    }
}

/// The ids of a page, where the next one begins, and how many lines there are on all. `lines` are in the list's own order.
pub(super) fn apply<C: Column>(lines: &[Line], query: &ListQuery<C>) -> (Vec<String>, Option<usize>, u64) {
    let mut lines: Vec<_> = lines.iter().filter(|line| matches(line, query)).collect();
    if let Some(column) = query.sort {
        // Stable: ties stay in the list's own order.
        lines.sort_by(|a, b| a.field(column).compare(b.field(column)));
    }
    if query.descending {
        lines.reverse();
    }
    let end = query.offset + query.limit;
    let page = lines.iter().skip(query.offset).take(query.limit);
    let total = lines.len();
    (
        page.map(|line| line.id.clone()).collect(),
        (end < total).then_some(end),
        u64::try_from(total).unwrap(),
    )
}

fn matches<C: Column>(line: &Line, query: &ListQuery<C>) -> bool {
    let filtered = query
        .clauses
        .iter()
        .all(|clause| line.field(clause.column).holds(clause));
    let found = |wanted: &String| {
        let mut searched = C::ALL.iter().filter(|column| column.facts().searched);
        searched.any(|column| {
            line.field(*column)
                .shown()
                .to_lowercase()
                .contains(wanted.as_str())
        })
    };
    filtered && query.search.as_ref().is_none_or(found)
}
