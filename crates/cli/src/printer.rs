//! Answers, for people or for programs.
//!
//! **Promises.** What goes through here and came from elsewhere steers no terminal and is read in the order in which it is written, in every
//! format: text for people has a mark in the place of such a character, JSON and YAML name it by its number, so that programs read
//! what was there. [`Printer::raw`] alone passes bytes on.

use std::fmt::Write as _;
use std::io::{self, Write};

use comfy_table::Table;
use serde::Serialize;

use crate::args::Format;
use crate::failure::{Failure, one_line, plain, reorders};

/// Writes answers to standard output.
pub struct Printer {
    format: Format,
    out: Box<dyn Write>,
}

impl Printer {
    /// A printer that writes to `out`.
    pub fn new(format: Format, out: Box<dyn Write>) -> Self {
        Self { format, out }
    }

    /// How answers are to be printed.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The value as JSON, or the text made for people.
    ///
    /// # Errors
    /// Of writing.
    pub fn answer(&mut self, value: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = match self.format {
            Format::Json => json(value)?,
            Format::Table | Format::Wide => plain(&people()),
            Format::Yaml => yaml(value)?,
            Format::Name | Format::Html => {
                let cause = "this command prints neither names nor html";
                return Err(Failure::failed("cannot print the answer").cause(cause));
            }
        };
        self.write(|out| writeln!(out, "{}", text.trim_end()))
    }

    /// As [`Printer::answer`]; where names are asked for, these.
    ///
    /// # Errors
    /// Of writing.
    pub fn named(
        &mut self,
        value: &impl Serialize,
        names: impl IntoIterator<Item = String>,
        people: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.format != Format::Name {
            return self.answer(value, people);
        }
        for name in names {
            let name = one_line(&name);
            self.write(|out| writeln!(out, "{name}"))?;
        }
        Ok(())
    }

    /// Bytes as they are, at once.
    ///
    /// # Errors
    /// Of writing.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.write(|out| out.write_all(bytes))
    }

    /// Says something to the person, beside the answer: on standard error.
    ///
    /// # Errors
    /// Of writing.
    pub fn note(&mut self, text: &str) -> Result<(), Failure> {
        noted(&mut io::stderr(), text).map_err(Failure::output)
    }

    fn write(&mut self, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        work(&mut *self.out)
            .and_then(|()| self.out.flush())
            .map_err(Failure::output)
    }
}

fn noted(to: &mut dyn Write, text: &str) -> io::Result<()> {
    to.write_all(plain(text).as_bytes())
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::output(error.into()))?;
    Ok(escaped(&text))
}

/// JSON in which characters that steer a terminal, or change the order of others, are named by their numbers (RFC 8259, section 7). They
/// stand in strings alone: those that JSON itself does not let stand there are escaped already.
pub fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if (c.is_control() && c != '\n') || reorders(c) {
            // All of them have one unit of UTF-16; writing to a string cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

fn yaml(value: &impl Serialize) -> Result<String, Failure> {
    let cannot = |cause: String| Failure::failed("cannot print the answer").cause(cause);
    // By way of JSON, so that both say the same of every field.
    let value = serde_json::to_value(value).map_err(|error| cannot(error.to_string()))?;
    let text = serde_saphyr::to_string(&value).map_err(|error| cannot(error.to_string()))?;
    // What steers a terminal was escaped; what reorders was not. JSON is YAML, too (YAML 1.2, section 1.2).
    if text.contains(reorders) {
        return json(&value);
    }
    Ok(text)
}

/// Columns without lines, as kubectl shows them.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    columns(&header, rows.into_iter().map(Vec::from))
}

/// The same of as many columns as there are.
pub fn columns(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_header(header.iter().copied());
    for row in rows {
        // A name from elsewhere stays in its cell.
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// How long ago, in the largest unit that fits.
pub fn age(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s}s"),
        s @ 120..7_200 => format!("{}m", s / 60),
        s @ 7_200..172_800 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed_as(format: Format, print: impl FnOnce(&mut Printer) -> Result<(), Failure>) -> String {
        let out = Kept::default();
        print(&mut Printer::new(format, Box::new(out.clone()))).unwrap();
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// Planted fault: `a-cell-steers-the-terminal`.
    #[test]
    fn a_table_has_columns_and_no_lines() {
        let rows = [
            ["a".to_owned(), "Ready".to_owned()],
            ["longer\u{1b}[0m".to_owned(), String::new()],
        ];
        assert_eq!(
            table(["NAME", "STATUS"], rows),
            "NAME         STATUS\na            Ready\nlonger\u{fffd}[0m"
        );
    }

    #[test]
    fn names_are_lines_and_yaml_says_what_json_says() {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Thing {
            its_name: &'static str,
            text: &'static str,
        }
        let printed = |format| {
            let thing = Thing {
                its_name: "a",
                text: "yes",
            };
            let names = ["thing/a".to_owned(), "thing/b\nc".to_owned()];
            printed_as(format, |printer| {
                printer.named(&thing, names, || "people".to_owned())
            })
        };
        assert_eq!(printed(Format::Name), "thing/a\nthing/b c\n");
        assert_eq!(printed(Format::Table), "people\n");
        let yaml: serde_json::Value = serde_saphyr::from_str(&printed(Format::Yaml)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(yaml, json);
    }

    /// A name that a stranger chose: a cluster's alarm, a Kubernetes object, an event. Planted faults: `json-steers-the-terminal`,
    /// `yaml-is-read-in-another-order`, `a-line-steers-the-terminal`, `a-name-steers-the-terminal`.
    #[test]
    fn nothing_from_elsewhere_steers_the_terminal_in_any_format() {
        let evil = "a\u{1b}]0;x\u{7}\u{9b}2J\u{7f}\r\u{85}\u{202e}b\u{2066}\tc\nd é 日本";
        let value = serde_json::json!({"name": evil, evil: [evil], "plain": "x"});
        for format in [
            Format::Table,
            Format::Wide,
            Format::Json,
            Format::Yaml,
            Format::Name,
        ] {
            let text = printed_as(format, |printer| {
                printer.named(&value, [evil.to_owned()], || {
                    format!("{evil}\n{}", table(["NAME"], [[evil.to_owned()]]))
                })
            });
            let left: String = text.chars().filter(|c| c.is_control() || reorders(*c)).collect();
            assert!(
                left.chars().all(|c| c == '\n' || c == '\t'),
                "{format:?}: {text:?}"
            );
            assert!(text.contains("日本"), "{format:?}: {text}");
            match format {
                Format::Json => assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value),
                Format::Yaml => {
                    assert_eq!(serde_saphyr::from_str::<serde_json::Value>(&text).unwrap(), value)
                }
                Format::Name => assert_eq!(text.lines().count(), 1, "{text}"),
                _ => {}
            }
        }
        // Without what reorders, YAML is YAML.
        let value = serde_json::json!({"name": "a\u{1b}[2J\u{9b}\n\u{7f}"});
        let text = printed_as(Format::Yaml, |printer| printer.answer(&value, String::new));
        assert!(
            !text.starts_with('{') && !text.trim_end().contains(|c: char| c.is_control()),
            "{text:?}"
        );
        assert_eq!(serde_saphyr::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    /// Planted fault: `a-note-steers-the-terminal`.
    #[test]
    fn what_is_said_beside_the_answer_steers_no_terminal() {
        let mut said = Vec::new();
        noted(&mut said, "not shown: a\u{1b}[2J\u{9b}\u{202e}\n").unwrap();
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "not shown: a\u{fffd}[2J\u{fffd}\u{fffd}\n"
        );
    }

    #[test]
    fn ages_are_short() {
        assert_eq!(
            [-5, 0, 119, 120, 7_199, 7_200, 172_800].map(age),
            ["0s", "0s", "119s", "2m", "119m", "2h", "2d"]
        );
    }
}
