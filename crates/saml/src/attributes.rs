//! What a provider says of a person, and which of it is what here.

use std::collections::BTreeSet;

use reeve_types::{Email, Gid, Uid};
use roxmltree::Node;

use crate::SamlError;
use crate::sign_in::{Attribute, SignIn};
use crate::tree::{self, ASSERTION, shortened};

impl Attribute {
    /// Those of an assertion, repeated ones joined.
    pub(crate) fn all(assertion: Node<'_, '_>) -> Result<Vec<Self>, SamlError> {
        let mut all: Vec<Self> = Vec::new();
        for statement in tree::children(assertion, ASSERTION, "AttributeStatement") {
            if tree::children(statement, ASSERTION, "EncryptedAttribute")
                .next()
                .is_some()
            {
                return Err(SamlError::EncryptedPart {
                    name: "EncryptedAttribute",
                });
            }
            for node in tree::children(statement, ASSERTION, "Attribute") {
                let one = Self::read(node)?;
                match all.iter_mut().find(|known| known.name == one.name) {
                    Some(known) => known.join(one),
                    None => all.push(one),
                }
            }
        }
        Ok(all)
    }

    fn read(node: Node<'_, '_>) -> Result<Self, SamlError> {
        let mut one = Self {
            name: tree::attribute(node, "Name")?.to_owned(),
            friendly_name: tree::optional(node, "FriendlyName").map(str::to_owned),
            values: Vec::new(),
            structured: false,
        };
        for value in tree::children(node, ASSERTION, "AttributeValue").filter(|value| !tree::is_nil(*value)) {
            match tree::value(value) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => one.values.push(text),
                Err(_) => one.structured = true,
            }
        }
        Ok(one)
    }

    fn join(&mut self, other: Self) {
        self.values.extend(other.values);
        self.structured |= other.structured;
        self.friendly_name = self.friendly_name.take().or(other.friendly_name);
    }
}

/// Which attribute of the provider is what here; the names are those of the mappers of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mappers {
    /// The attribute of the email.
    pub email: String,
    /// Of the groups.
    pub groups: String,
    /// Of the uid.
    pub uid: String,
    /// Of the primary group's id.
    pub gid: String,
    /// Of the supplementary groups' ids.
    pub supplementary_groups: String,
    /// Of the first name.
    pub first_name: String,
    /// Of the last name.
    pub last_name: String,
}

impl Default for Mappers {
    fn default() -> Self {
        Self {
            email: "email".to_owned(),
            groups: "GROUPS".to_owned(),
            uid: "UID".to_owned(),
            gid: "GID".to_owned(),
            supplementary_groups: "SUPPLEMENTARYGROUPS".to_owned(),
            first_name: "firstName".to_owned(),
            last_name: "lastName".to_owned(),
        }
    }
}

/// What the provider says of a person, in our words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The email, in lower case.
    pub email: Email,
    /// The groups exactly as sent, each once. They are not yet names that a rule may have: that is the caller's to check.
    pub groups: Vec<String>,
    /// The uid.
    pub uid: Option<Uid>,
    /// The primary group's id.
    pub gid: Option<Gid>,
    /// The supplementary groups' ids, each once.
    pub supplementary_groups: Vec<Gid>,
    /// The first name, for display.
    pub first_name: Option<String>,
    /// The last name, for display.
    pub last_name: Option<String>,
}

impl SignIn {
    /// The attributes' names with their values, as sent, for an administrator who sets up mappers.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.attributes
            .iter()
            .map(|attribute| (attribute.name.as_str(), attribute.values.as_slice()))
    }

    /// The person, by `mappers`. An attribute is found by its `Name`, and where none has it, by its `FriendlyName`.
    ///
    /// # Errors
    /// No email or two; a number that is none, or two unlike ones for a uid or gid; a value that is no text.
    pub fn person(&self, mappers: &Mappers) -> Result<Person, SamlError> {
        let email = self
            .single(&mappers.email, "email")?
            .ok_or_else(|| SamlError::NoEmail {
                attribute: shortened(&mappers.email),
                seen: shortened(
                    &self
                        .attributes()
                        .map(|(name, _)| name)
                        .collect::<Vec<_>>()
                        .join(", "),
                ),
            })?;
        let refused = |_| SamlError::Email {
            attribute: shortened(&mappers.email),
            text: shortened(email),
        };
        Ok(Person {
            email: email.parse().map_err(refused)?,
            groups: each_once(self.values(&mappers.groups)?.to_vec()),
            uid: self.one_number(&mappers.uid, "uid", Uid::new)?,
            gid: self.one_number(&mappers.gid, "gid", Gid::new)?,
            supplementary_groups: each_once(self.numbers(&mappers.supplementary_groups, "gid", Gid::new)?),
            first_name: self.values(&mappers.first_name)?.first().cloned(),
            last_name: self.values(&mappers.last_name)?.first().cloned(),
        })
    }

    fn values(&self, wanted: &str) -> Result<&[String], SamlError> {
        let by_name = self.attributes.iter().find(|attribute| attribute.name == wanted);
        let mut friendly = self
            .attributes
            .iter()
            .filter(|a| a.friendly_name.as_deref() == Some(wanted));
        let found = match by_name {
            Some(attribute) => Some(attribute),
            None => match (friendly.next(), friendly.next()) {
                (Some(_), Some(_)) => {
                    return Err(SamlError::FriendlyName {
                        attribute: shortened(wanted),
                    });
                }
                (one, _) => one,
            },
        };
        match found {
            Some(attribute) if attribute.structured => Err(SamlError::Structured {
                attribute: shortened(wanted),
            }),
            found => Ok(found.map_or(&[], |attribute| &attribute.values)),
        }
    }

    /// The value, which may be repeated but not be two.
    fn single(&self, wanted: &str, purpose: &'static str) -> Result<Option<&str>, SamlError> {
        let values = self.values(wanted)?;
        if values.windows(2).any(|pair| pair.first() != pair.last()) {
            return Err(unlike(wanted, purpose, values));
        }
        Ok(values.first().map(String::as_str))
    }

    fn one_number<T: PartialEq + Copy, E>(
        &self,
        wanted: &str,
        purpose: &'static str,
        checked: impl Fn(i64) -> Result<T, E>,
    ) -> Result<Option<T>, SamlError> {
        let numbers = self.numbers(wanted, purpose, checked)?;
        if numbers.windows(2).any(|pair| pair.first() != pair.last()) {
            return Err(unlike(wanted, purpose, self.values(wanted)?));
        }
        Ok(numbers.first().copied())
    }

    fn numbers<T, E>(
        &self,
        wanted: &str,
        purpose: &'static str,
        checked: impl Fn(i64) -> Result<T, E>,
    ) -> Result<Vec<T>, SamlError> {
        let number = |text: &String| {
            let number = strict_decimal(text).and_then(|number| checked(number).ok());
            number.ok_or_else(|| SamlError::Number {
                purpose,
                attribute: shortened(wanted),
                text: shortened(text),
            })
        };
        self.values(wanted)?.iter().map(number).collect()
    }
}

fn unlike(wanted: &str, purpose: &'static str, values: &[String]) -> SamlError {
    SamlError::Unlike {
        purpose,
        attribute: shortened(wanted),
        values: shortened(&values.join(", ")),
    }
}

/// Digits alone: no sign, no space, no zero before others, which some programs read as octal.
fn strict_decimal(text: &str) -> Option<i64> {
    let digits = text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text == "0" || !text.starts_with('0');
    (digits && plain).then(|| text.parse().ok()).flatten()
}

fn each_once<T: Ord + Clone>(values: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    values
        .into_iter()
        .filter(|value| seen.insert(value.clone()))
        .collect()
}
