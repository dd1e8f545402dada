//! How objects are shown that administrators list, look at, make and delete.

use serde::Serialize;
use serde_json::json;

use crate::args::Format;
use crate::failure::{Failure, one_line};
use crate::printer::{Printer, columns};

/// Something with a name.
pub(super) trait Object: Serialize {
    /// What `-o name` and messages call its kind.
    const KIND: &'static str;

    /// Its name among those of its kind.
    fn name(&self) -> String;

    /// What is shown of it, by the heads of columns.
    fn cells(&self) -> Vec<(&'static str, String)>;

    /// What `-o wide`, and showing one alone, add to that.
    fn more_cells(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

fn all_cells<T: Object>(found: &T) -> Vec<(&'static str, String)> {
    [found.cells(), found.more_cells()].concat()
}

fn named<T: Object>(found: &T) -> String {
    format!("{}/{}", T::KIND, found.name())
}

/// All of them, a line each.
pub(super) fn list<T: Object>(printer: &mut Printer, found: &[T]) -> Result<(), Failure> {
    let cells = match printer.format() {
        Format::Wide => all_cells::<T>,
        _ => T::cells,
    };
    printer.named(&found, found.iter().map(named), || {
        let Some(first) = found.first() else {
            return format!("no {}s", T::KIND);
        };
        let header: Vec<&str> = cells(first).into_iter().map(|(head, _)| head).collect();
        let row = |it: &T| cells(it).into_iter().map(|(_, cell)| cell).collect();
        columns(&header, found.iter().map(row))
    })
}

/// One of them, a line for each of what is known, and `more` below.
pub(super) fn show<T: Object>(printer: &mut Printer, found: &T, more: &str) -> Result<(), Failure> {
    printer.named(found, [named(found)], || shown(found, more))
}

fn shown<T: Object>(found: &T, more: &str) -> String {
    let shown = all_cells(found).into_iter().filter(|(_, cell)| !cell.is_empty());
    let mut lines: Vec<String> = shown
        .map(|(head, cell)| format!("{:<12} {}", sentence_case(head), one_line(&cell)))
        .collect();
    lines.extend((!more.is_empty()).then(|| more.to_owned()));
    lines.join("\n")
}

/// That these are no more.
pub(super) fn deleted<T: Object>(printer: &mut Printer, names: &[String], said: &str) -> Result<(), Failure> {
    let all = names.iter().map(|name| format!("{}/{name}", T::KIND));
    printer.named(&json!({"deleted": names}), all, || said.to_owned())
}

fn sentence_case(head: &str) -> String {
    let mut letters = head.chars();
    letters
        .next()
        .map(|first| format!("{first}{}", letters.as_str().to_lowercase()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Thing;

    impl Object for Thing {
        const KIND: &'static str = "thing";

        fn name(&self) -> String {
            "a".to_owned()
        }

        fn cells(&self) -> Vec<(&'static str, String)> {
            vec![("MESSAGE", "gone\nState        Connected\u{1b}[2J".to_owned())]
        }
    }

    /// Planted fault: `a-cell-shown-alone-looks-like-lines`.
    #[test]
    fn a_message_of_one_thing_looks_like_no_other_line() {
        assert_eq!(
            shown(&Thing, "below"),
            "Message      gone State        Connected\u{fffd}[2J\nbelow"
        );
    }
}
