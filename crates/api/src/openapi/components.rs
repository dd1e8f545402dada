//! The schemas that operations refer to.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

const PLACE: &str = "#/components/schemas/";

/// Schemas of what is taken and of what is given. A type may be both and differ: a field that may be left out of a request
/// is always there in an answer. Then what is taken has `Input` behind its name.
pub(super) struct Components {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

/// Marks a reference of what is taken until all names are known.
const TAKEN: &str = "#/taken/";

impl Components {
    pub(super) fn new() -> Self {
        let settings = |place: &str| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = place.to_owned().into();
            settings.meta_schema = None;
            settings
        };
        Self {
            taken: settings(TAKEN.trim_start_matches('#').trim_end_matches('/'))
                .for_deserialize()
                .into_generator(),
            given: settings("/components/schemas").for_serialize().into_generator(),
        }
    }

    /// The schema of something in a request.
    pub(super) fn taken(&mut self, schema: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
        schema(&mut self.taken).to_value()
    }

    /// The schema of something in an answer.
    pub(super) fn given(&mut self, schema: impl FnOnce(&mut SchemaGenerator) -> Schema) -> Value {
        schema(&mut self.given).to_value()
    }

    /// All schemas under their final names, to which the references in the document are brought.
    pub(super) fn finish(mut self, document: &mut Value) -> Value {
        let mut given = self.given.take_definitions(true);
        let taken = self.taken.take_definitions(true);
        let differing = differing(&given, &taken);
        let named = |name: &str| {
            if differing.iter().any(|it| it == name) {
                format!("{name}Input")
            } else {
                name.to_owned()
            }
        };
        for (name, mut schema) in taken {
            rename(&mut schema, &named);
            given.insert(named(&name), schema);
        }
        rename(document, &named);
        Value::Object(given)
    }
}

/// The names that mean one thing in requests and another in answers, themselves or by what they refer to.
fn differing(given: &Map<String, Value>, taken: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let found = names.len();
        for (name, schema) in taken {
            let mut same = schema.clone();
            rename(&mut same, &|name: &str| {
                if names.iter().any(|it| it == name) {
                    format!("{name}Input")
                } else {
                    name.to_owned()
                }
            });
            let other = given.get(name).is_some_and(|given| *given != same);
            if other && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.len() == found {
            return names;
        }
    }
}

/// Brings marked references to their final names.
fn rename(value: &mut Value, named: &impl Fn(&str) -> String) {
    match value {
        Value::Object(members) => {
            for (key, value) in members.iter_mut() {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix(TAKEN) {
                            *target = format!("{PLACE}{}", named(name));
                        }
                    }
                    value => rename(value, named),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, named)),
        _ => {}
    }
}
