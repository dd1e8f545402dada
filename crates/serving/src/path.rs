//! The path of a service at its Gateway.

use serde_json::Value;

use crate::names;

/// The longest path, before and after its parts are made fit.
const LONGEST: usize = 200;

/// A path template that does not give a path. The route then keeps the default one, and the condition says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathTemplateInvalid {
    /// It names something that the service has not.
    #[error("pathTemplate: the service has no `{0}`")]
    Missing(String),
    /// An expression that we do not read.
    #[error("pathTemplate: `{expression}` is not understood: {problem}")]
    Expression {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// What it names is no single value.
    #[error("pathTemplate: `{0}` is no single value")]
    NoValue(String),
    /// An opening brace without a closing one.
    #[error("pathTemplate: a brace is not closed")]
    Unclosed,
    /// Too long.
    #[error("pathTemplate: the path has more than {LONGEST} characters")]
    TooLong,
    /// Nothing is left.
    #[error("pathTemplate: nothing is left of the path")]
    Empty,
}

/// The path of a service without a template.
pub fn default_path(namespace: &str, uid: &str) -> String {
    format!("/{namespace}/{uid}")
}

/// Fills in a template. `service` is the service as JSON.
///
/// # Errors
/// [`PathTemplateInvalid`].
pub fn render(template: &str, service: &Value) -> Result<String, PathTemplateInvalid> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (expression, after) = split_expression(after).ok_or(PathTemplateInvalid::Unclosed)?;
        text.push_str(before);
        text.push_str(&value_of(expression.trim(), service)?);
        rest = after;
    }
    text.push_str(rest);
    if text.len() > LONGEST {
        return Err(PathTemplateInvalid::TooLong);
    }
    let segments: Vec<String> = text
        .split('/')
        .map(names::part)
        .filter(|s| !s.is_empty())
        .collect();
    if segments.is_empty() {
        return Err(PathTemplateInvalid::Empty);
    }
    Ok(format!("/{}", segments.join("/")))
}

/// Up to the closing brace that stands in no quotes.
fn split_expression(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '}') => return Some((text.get(..at)?, text.get(at + 1..)?)),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn value_of(expression: &str, service: &Value) -> Result<String, PathTemplateInvalid> {
    let steps = steps(expression)?;
    let mut value = service;
    for step in &steps {
        let next = match step {
            Step::Key(key) => value.get(key.as_str()),
            Step::Index(index) => value.get(*index),
        };
        value = next.ok_or_else(|| PathTemplateInvalid::Missing(expression.to_owned()))?;
    }
    let is_annotation =
        matches!(steps.as_slice(), [Step::Key(m), Step::Key(a), _] if m == "metadata" && a == "annotations");
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => return Err(PathTemplateInvalid::NoValue(expression.to_owned())),
    };
    // The slashes of an annotation part the path.
    Ok(if is_annotation { text } else { names::part(&text) })
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The subset of JSONPath in which exactly one result is possible: `.a.b`, `['key']`, `["key"]`, `[0]`.
fn steps(expression: &str) -> Result<Vec<Step>, PathTemplateInvalid> {
    let wrong = |problem| PathTemplateInvalid::Expression {
        expression: expression.to_owned(),
        problem,
    };
    let mut steps = Vec::new();
    let mut rest = expression.strip_prefix('$').unwrap_or(expression);
    while let Some(first) = rest.chars().next() {
        match first {
            '.' => {
                let name = rest.get(1..).unwrap_or_default();
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let (name, after) = name.split_at_checked(end).unwrap_or((name, ""));
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                if name.is_empty() || !name.chars().all(word) {
                    return Err(wrong("after a dot stands the name of a field"));
                }
                steps.push(Step::Key(name.to_owned()));
                rest = after;
            }
            '[' => {
                let (step, after) =
                    bracket(rest).ok_or_else(|| wrong("in brackets stands a number, or a key in quotes"))?;
                steps.push(step);
                rest = after;
            }
            _ => return Err(wrong("it starts with a dot: `{.metadata.name}`")),
        }
    }
    if steps.is_empty() {
        return Err(wrong("it is empty"));
    }
    Ok(steps)
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    let inner = text.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(key) = inner.strip_prefix(quote) {
            let (key, after) = key.split_once(quote)?;
            return Some((Step::Key(key.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = inner.split_once(']')?;
    Some((Step::Index(index.parse().ok()?), after))
}
