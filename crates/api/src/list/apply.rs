//! From all that the caller may see to the page she asked for.

use std::borrow::Cow;
use std::cmp::Ordering;

use reeve_types::Timestamp;

use super::{Clause, ListQuery};

/// A field of a listed thing, as filters and sorting see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// Text; compared without regard to case.
    Text(Cow<'a, str>),
    /// A number.
    Number(i64),
    /// A moment.
    Time(Timestamp),
    /// Yes or no: `true` and `false`.
    Flag(bool),
    /// Null: passes only negations, sorts first.
    Nothing,
}

impl<'a> FieldValue<'a> {
    /// Text that is only borrowed.
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Text made for the occasion.
    pub fn shown(value: impl ToString) -> Self {
        Self::Text(Cow::Owned(value.to_string()))
    }

    /// A moment that may be absent.
    pub fn time(moment: Option<Timestamp>) -> Self {
        moment.map_or(Self::Nothing, Self::Time)
    }

    fn holds(&self, clause: &Clause) -> bool {
        match self {
            Self::Text(text) => clause.holds_for_text(text),
            Self::Number(number) => clause.holds_for_number(*number),
            Self::Time(moment) => clause.holds_for_time(*moment),
            Self::Flag(flag) => clause.holds_for_text(if *flag { "true" } else { "false" }),
            Self::Nothing => clause.holds_for_nothing(),
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Flag(a), Self::Flag(b)) => a.cmp(b),
            (Self::Nothing, Self::Nothing) => Ordering::Equal,
            (Self::Nothing, _) => Ordering::Less,
            (_, Self::Nothing) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    }
}

/// A thing that appears in lists.
pub trait Listed {
    /// The field of this name of the list's [`super::ListSpec`].
    fn field(&self, name: &str) -> FieldValue<'_>;

    /// The visible columns that `search` looks into.
    fn columns(&self) -> Vec<FieldValue<'_>>;
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many match in all.
    pub total: usize,
    /// Where the next page starts; `None` on the last.
    pub next: Option<usize>,
}

impl ListQuery {
    /// How many match, whatever the page.
    pub fn count<T: Listed>(&self, items: &[T]) -> u64 {
        items.iter().filter(|item| self.matches(*item)).count() as u64
    }

    /// Filters, sorts (stable: ties keep the given order) and cuts.
    pub fn apply<T: Listed>(&self, mut items: Vec<T>) -> Page<T> {
        items.retain(|item| self.matches(item));
        if let Some(field) = &self.sort {
            items.sort_by(|a, b| {
                let order = a.field(field).compare(&b.field(field));
                if self.descending { order.reverse() } else { order }
            });
        } else if self.descending {
            items.reverse();
        }
        let total = items.len();
        let end = self.offset.saturating_add(self.limit);
        let items = items.into_iter().skip(self.offset).take(self.limit).collect();
        Page {
            items,
            total,
            next: (end < total).then_some(end),
        }
    }

    fn matches<T: Listed>(&self, item: &T) -> bool {
        let filtered = self
            .clauses
            .iter()
            .all(|clause| item.field(&clause.field).holds(clause));
        filtered && self.search.as_ref().is_none_or(|wanted| found(item, wanted))
    }
}

fn found<T: Listed>(item: &T, wanted: &str) -> bool {
    item.columns().iter().any(|column| match column {
        FieldValue::Text(text) => text.to_lowercase().contains(wanted),
        FieldValue::Number(number) => number.to_string().contains(wanted),
        FieldValue::Time(moment) => moment.to_string().to_lowercase().contains(wanted),
        FieldValue::Flag(_) | FieldValue::Nothing => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::PROJECTS;
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Thing(&'static str, i64);

    impl Listed for Thing {
        fn field(&self, name: &str) -> FieldValue<'_> {
            if name == "name" {
                FieldValue::text(self.0)
            } else {
                FieldValue::Number(self.1)
            }
        }

        fn columns(&self) -> Vec<FieldValue<'_>> {
            vec![FieldValue::text(self.0)]
        }
    }

    fn page(query: &[(&str, &str)]) -> Page<Thing> {
        let pairs: Vec<_> = query
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let things = vec![Thing("b", 2), Thing("A", 10), Thing("c", 1)];
        ListQuery::parse(&pairs, &PROJECTS).unwrap().apply(things)
    }

    fn names(page: &Page<Thing>) -> Vec<&str> {
        page.items.iter().map(|thing| thing.0).collect()
    }

    #[test]
    fn next_is_absent_on_the_last_page() {
        let first = page(&[("limit", "2")]);
        assert_eq!(
            (names(&first), first.total, first.next),
            (vec!["b", "A"], 3, Some(2))
        );
        let last = page(&[("limit", "2"), ("offset", "2")]);
        assert_eq!((names(&last), last.total, last.next), (vec!["c"], 3, None));
        assert_eq!(page(&[("limit", "3")]).next, None);
        assert_eq!(page(&[("offset", "7")]).items, []);
    }

    #[test]
    fn sorting_is_by_value_and_not_by_spelling() {
        assert_eq!(names(&page(&[("sortBy", "name")])), ["A", "b", "c"]);
        assert_eq!(
            names(&page(&[("sortBy", "id"), ("sortOrder", "desc")])),
            ["A", "b", "c"]
        );
        assert_eq!(names(&page(&[("search", "C")])), ["c"]);
        assert_eq!(names(&page(&[("filterBy", "id>=2,name!=b")])), ["A"]);
    }
}
