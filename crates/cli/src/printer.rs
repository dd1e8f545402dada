//! Answers, for people or for programs.

use std::io::{self, Write};

use comfy_table::Table;
use serde::Serialize;

use crate::args::Format;
use crate::failure::{Failure, plain};

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
            Format::Json => {
                serde_json::to_string_pretty(value).map_err(|error| Failure::output(error.into()))?
            }
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
            let name = plain(&name).replace('\n', " ");
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
        io::stderr().write_all(text.as_bytes()).map_err(Failure::output)
    }

    fn write(&mut self, work: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        work(&mut *self.out)
            .and_then(|()| self.out.flush())
            .map_err(Failure::output)
    }
}

fn yaml(value: &impl Serialize) -> Result<String, Failure> {
    let cannot = |cause: String| Failure::failed("cannot print the answer").cause(cause);
    // By way of JSON, so that both say the same of every field.
    let value = serde_json::to_value(value).map_err(|error| cannot(error.to_string()))?;
    serde_saphyr::to_string(&value).map_err(|error| cannot(error.to_string()))
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
        table.add_row(row.iter().map(|cell| plain(cell).replace('\n', " ")));
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
    use super::*;

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
            let out = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
            impl Write for Kept {
                fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                    self.0.lock().unwrap().extend_from_slice(bytes);
                    Ok(bytes.len())
                }
                fn flush(&mut self) -> io::Result<()> {
                    Ok(())
                }
            }
            let thing = Thing {
                its_name: "a",
                text: "yes",
            };
            let mut printer = Printer::new(format, Box::new(Kept(std::sync::Arc::clone(&out))));
            let names = ["thing/a".to_owned(), "thing/b\nc".to_owned()];
            printer.named(&thing, names, || "people".to_owned()).unwrap();
            String::from_utf8(out.lock().unwrap().clone()).unwrap()
        };
        assert_eq!(printed(Format::Name), "thing/a\nthing/b c\n");
        assert_eq!(printed(Format::Table), "people\n");
        let yaml: serde_json::Value = serde_saphyr::from_str(&printed(Format::Yaml)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(yaml, json);
    }

    #[test]
    fn ages_are_short() {
        assert_eq!(
            [-5, 0, 119, 120, 7_199, 7_200, 172_800].map(age),
            ["0s", "0s", "119s", "2m", "119m", "2h", "2d"]
        );
    }
}
