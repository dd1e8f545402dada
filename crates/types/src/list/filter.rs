//! `filterBy`: `clause ("," clause)*`, a clause being `field op value`.

use crate::Timestamp;

use super::{Column, InvalidQuery, Kind, known_column, text};

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

/// What a clause compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// In lower case; what a column of numbers holds is compared digit by digit.
    Text(String),
    /// A number, compared by size.
    Number(i64),
    /// A moment.
    Moment(Timestamp),
}

/// One condition. All conditions of a filter must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause<C> {
    /// Of which column.
    pub column: C,
    /// How to compare.
    pub operator: Operator,
    /// With what.
    pub operand: Operand,
}

/// Reads one `filterBy` parameter.
pub(super) fn parse<C: Column>(text: &str) -> Result<Vec<Clause<C>>, InvalidQuery> {
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
    pieces.iter().map(|piece| clause(piece)).collect()
}

fn wrong(problem: String) -> InvalidQuery {
    InvalidQuery::Wrong {
        name: "filterBy",
        problem,
    }
}

fn clause<C: Column>(piece: &str) -> Result<Clause<C>, InvalidQuery> {
    let Some((field, operator, value)) = split(piece) else {
        return Err(wrong(
            "each clause needs a field, one of == != <= >= =@ !@ =^ =$ and a value".to_owned(),
        ));
    };
    let column: C = known_column("filterBy", field)?;
    if !C::SPEC.operators.contains(&operator) {
        let known: Vec<_> = C::SPEC.operators.iter().map(|known| known.as_str()).collect();
        return Err(wrong(format!(
            "`{}` is not one of {}",
            operator.as_str(),
            known.join(" ")
        )));
    }
    if value.is_empty() {
        return Err(wrong(format!("`{field}` has no value")));
    }
    let value = text("filterBy", value)?;
    Ok(Clause {
        column,
        operator,
        operand: operand(column, operator, value)?,
    })
}

fn operand<C: Column>(column: C, operator: Operator, value: &str) -> Result<Operand, InvalidQuery> {
    use Operator::{AtLeast, AtMost, Equal, NotEqual};
    let facts = column.facts();
    match (facts.kind, operator) {
        (Kind::Text, _) => Ok(Operand::Text(value.to_lowercase())),
        (Kind::Number, AtMost | AtLeast) => value.parse().map(Operand::Number).map_err(|_| {
            wrong(format!(
                "`{}{}` needs a whole number",
                facts.name,
                operator.as_str()
            ))
        }),
        // A number that is written otherwise than it is shown, as `007`, is none of those shown.
        (Kind::Number, Equal | NotEqual) => Ok(match value.parse::<i64>() {
            Ok(number) if number.to_string() == value => Operand::Number(number),
            _ => Operand::Text(value.to_lowercase()),
        }),
        (Kind::Number, _) => Ok(Operand::Text(value.to_lowercase())),
        (Kind::Moment, Equal | NotEqual | AtMost | AtLeast) => {
            moment(value).map(Operand::Moment).ok_or_else(|| {
                wrong(format!(
                    "`{}` is a moment: one like `2026-01-31T12:00:00Z`, or a date, is needed",
                    facts.name
                ))
            })
        }
        (Kind::Moment, _) => Err(wrong(format!(
            "`{}` is a moment and takes == != <= >= alone",
            facts.name
        ))),
    }
}

/// ISO 8601; a date alone is its beginning in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let read = |text: &str| serde_json::from_value::<Timestamp>(text.into()).ok();
    read(text).or_else(|| read(&format!("{text}T00:00:00Z")))
}

/// Field, operator and value, when the text begins with a word and an operator.
fn split(piece: &str) -> Option<(&str, Operator, &str)> {
    let end = piece
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|end| *end > 0)?;
    let (field, rest) = piece.split_at_checked(end)?;
    let operator = Operator::ALL
        .into_iter()
        .find(|operator| rest.starts_with(operator.as_str()))?;
    Some((field, operator, rest.get(2..)?))
}

#[cfg(test)]
mod tests {
    use super::super::{ProjectColumn, UserColumn};
    use super::*;

    fn one(text: &str) -> Result<(ProjectColumn, Operand), String> {
        let mut clauses = parse(text).map_err(|error| error.to_string())?;
        let clause = clauses.remove(0);
        Ok((clause.column, clause.operand))
    }

    #[test]
    fn clauses_are_split_only_where_a_clause_follows() {
        let clauses = parse("name==A,b,clusterId!=c").unwrap();
        let seen: Vec<_> = clauses
            .into_iter()
            .map(|c| (c.column, c.operator.as_str(), c.operand))
            .collect();
        let text = |text: &str| Operand::Text(text.to_owned());
        assert_eq!(
            seen,
            [
                (ProjectColumn::Name, "==", text("a,b")),
                (ProjectColumn::ClusterId, "!=", text("c"))
            ]
        );
    }

    #[test]
    fn a_list_takes_only_its_own_operators() {
        assert!(parse::<UserColumn>("username=@alice").is_ok());
        let error = parse::<UserColumn>("username!=alice").unwrap_err();
        assert_eq!(
            error.to_string(),
            "parameter `filterBy`: `!=` is not one of == <= >= =@"
        );
        for nothing in ["name==", "", ","] {
            assert!(parse::<ProjectColumn>(nothing).is_err(), "{nothing}");
        }
    }

    #[test]
    fn a_value_is_of_its_columns_kind() {
        let at = |millis| Operand::Moment(Timestamp::from_millis(millis));
        assert_eq!(
            one("createdAt<=2023-11-14T23:13:20+01:00").unwrap().1,
            at(1_700_000_000_000)
        );
        assert_eq!(one("createdAt>=2023-11-14").unwrap().1, at(1_699_920_000_000));
        assert_eq!(one("id==10").unwrap().1, Operand::Number(10));
        assert_eq!(one("id>=010").unwrap().1, Operand::Number(10));
        assert_eq!(one("id==010").unwrap().1, Operand::Text("010".to_owned()));
        assert_eq!(one("id=@1").unwrap().1, Operand::Text("1".to_owned()));
        let refused = [
            ("id<=x", "`id<=` needs a whole number"),
            (
                "createdAt==soon",
                "`createdAt` is a moment: one like `2026-01-31T12:00:00Z`, or a date, is needed",
            ),
            (
                "createdAt=@2023",
                "`createdAt` is a moment and takes == != <= >= alone",
            ),
        ];
        for (text, why) in refused {
            assert_eq!(
                one(text).unwrap_err(),
                format!("parameter `filterBy`: {why}"),
                "{text}"
            );
        }
    }
}
