//! `filterBy`: `clause ("," clause)*`, a clause being `field op value`.

use reeve_types::Timestamp;

use super::{InvalidQuery, ListSpec, known_field, short};

/// Operators; their order in [`Operator::ALL`] is irrelevant, since all have two characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `=@`
    Contains,
    /// `!@`
    ContainsNot,
    /// `=^`
    StartsWith,
    /// `=$`
    EndsWith,
}

impl Operator {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Equal,
        Self::NotEqual,
        Self::AtMost,
        Self::AtLeast,
        Self::Contains,
        Self::ContainsNot,
        Self::StartsWith,
        Self::EndsWith,
    ];

    /// As written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Contains => "=@",
            Self::ContainsNot => "!@",
            Self::StartsWith => "=^",
            Self::EndsWith => "=$",
        }
    }
}

/// One condition. All conditions of a filter must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// One of the list's fields.
    pub field: String,
    /// How to compare.
    pub operator: Operator,
    /// With what; not empty.
    pub value: String,
}

impl Clause {
    /// Compares text, without regard to case.
    pub fn holds_for_text(&self, actual: &str) -> bool {
        let (actual, wanted) = (actual.to_lowercase(), self.value.to_lowercase());
        match self.operator {
            Operator::Equal => actual == wanted,
            Operator::NotEqual => actual != wanted,
            Operator::AtMost => actual <= wanted,
            Operator::AtLeast => actual >= wanted,
            Operator::Contains => actual.contains(&wanted),
            Operator::ContainsNot => !actual.contains(&wanted),
            Operator::StartsWith => actual.starts_with(&wanted),
            Operator::EndsWith => actual.ends_with(&wanted),
        }
    }

    /// Compares numbers by size where that has a meaning, else as text.
    pub fn holds_for_number(&self, actual: i64) -> bool {
        match (self.operator, self.value.parse::<i64>()) {
            (Operator::AtMost, Ok(wanted)) => actual <= wanted,
            (Operator::AtLeast, Ok(wanted)) => actual >= wanted,
            _ => self.holds_for_text(&actual.to_string()),
        }
    }

    /// Compares moments (ISO 8601) where that has a meaning, else as text.
    pub fn holds_for_time(&self, actual: Timestamp) -> bool {
        let wanted = serde_json::from_value::<Timestamp>(self.value.as_str().into());
        match (self.operator, wanted) {
            (Operator::Equal, Ok(wanted)) => actual == wanted,
            (Operator::NotEqual, Ok(wanted)) => actual != wanted,
            (Operator::AtMost, Ok(wanted)) => actual <= wanted,
            (Operator::AtLeast, Ok(wanted)) => actual >= wanted,
            _ => self.holds_for_text(&actual.to_string()),
        }
    }

    /// Whether an absent value passes: only what a negation lets through.
    pub fn holds_for_nothing(&self) -> bool {
        matches!(self.operator, Operator::NotEqual | Operator::ContainsNot)
    }
}

/// Reads one `filterBy` parameter.
pub(super) fn parse(text: &str, spec: &ListSpec) -> Result<Vec<Clause>, InvalidQuery> {
    let mut pieces: Vec<String> = Vec::new();
    // A comma separates only where a clause follows: values may hold commas, and nothing escapes them.
    for piece in text.split(',') {
        match pieces.last_mut() {
            Some(last) if split(piece).is_none() => {
                last.push(',');
                last.push_str(piece);
            }
            _ => pieces.push(piece.to_owned()),
        }
    }
    pieces.iter().map(|piece| clause(piece, spec)).collect()
}

fn clause(piece: &str, spec: &ListSpec) -> Result<Clause, InvalidQuery> {
    let wrong = |problem: String| InvalidQuery::Wrong {
        name: "filterBy",
        problem,
    };
    let Some((field, operator, value)) = split(piece) else {
        return Err(wrong(
            "each clause needs a field, one of == != <= >= =@ !@ =^ =$ and a value".to_owned(),
        ));
    };
    let field = known_field("filterBy", field, spec)?;
    if !spec.operators.contains(&operator) {
        let known: Vec<_> = spec.operators.iter().map(|known| known.as_str()).collect();
        return Err(wrong(format!(
            "`{}` is not one of {}",
            operator.as_str(),
            known.join(" ")
        )));
    }
    if value.is_empty() {
        return Err(wrong(format!("`{field}` has no value")));
    }
    Ok(Clause {
        field,
        operator,
        value: short("filterBy", value)?.to_owned(),
    })
}

/// Field, operator and value, when the text begins with a word and an operator.
fn split(piece: &str) -> Option<(&str, Operator, &str)> {
    let end = piece
        .find(|c: char| !c.is_ascii_alphanumeric())
        .filter(|end| *end > 0)?;
    let (field, rest) = piece.split_at_checked(end)?;
    let operator = Operator::ALL
        .into_iter()
        .find(|operator| rest.starts_with(operator.as_str()))?;
    Some((field, operator, rest.get(2..)?))
}

#[cfg(test)]
mod tests {
    use super::super::{PROJECTS, USERS};
    use super::*;

    #[test]
    fn clauses_are_split_only_where_a_clause_follows() {
        let clauses = parse("name==a,b,clusterId!=c", &PROJECTS).unwrap();
        let seen: Vec<_> = clauses
            .iter()
            .map(|c| (c.field.as_str(), c.operator.as_str(), c.value.as_str()))
            .collect();
        assert_eq!(seen, [("name", "==", "a,b"), ("clusterId", "!=", "c")]);
    }

    #[test]
    fn a_list_takes_only_its_own_operators() {
        assert!(parse("username=@alice", &USERS).is_ok());
        let error = parse("username!=alice", &USERS).unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter `filterBy`: `!=` is not one of == <= >= =@"
        );
        assert!(parse("name==", &PROJECTS).is_err());
        assert!(parse("", &PROJECTS).is_err());
        assert!(parse(",", &PROJECTS).is_err());
    }

    #[test]
    fn text_is_compared_without_case_and_moments_as_moments() {
        let clause = |text: &str| parse(text, &PROJECTS).unwrap().remove(0);
        assert!(clause("name==ROBOTS").holds_for_text("robots"));
        assert!(clause("name=^rob").holds_for_text("robots"));
        assert!(clause("name=$ots").holds_for_text("robots"));
        assert!(!clause("name!@bot").holds_for_text("robots"));
        let moment = Timestamp::from_millis(1_700_000_000_000);
        assert!(clause("createdAt<=2023-11-14T23:13:20+01:00").holds_for_time(moment));
        assert!(!clause("createdAt>=2023-11-14T22:13:21Z").holds_for_time(moment));
        assert!(clause("id>=9").holds_for_number(10));
    }
}
