//! One cell: missing or not, of its type, within its constraints; and, where it is not, what most likely happened to it, so that the
//! message says "a spreadsheet did this" and not "does not match".

use super::kinds::Kind;
use super::layout::is_day_first;
use super::report::Fault;
use super::rows::Form;
use super::schema::{Field, Schema};
use super::value::Value;

/// Longest text that is remembered for the next row: it is copied each time.
const LAST_BYTES_MAX: usize = 64;
/// Texts in a row, each other than the one before, after which the next ones are not remembered; of 256 as many are.
const TRIES_MAX: u8 = 32;

/// The last sound text of a column. Airports, flights, agencies: many a column says the same in row after row, and is looked at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Last {
    text: String,
    /// How many texts were others.
    others: u8,
}

impl Last {
    fn is(&mut self, text: &str) -> bool {
        let is = !text.is_empty() && text == self.text;
        if is {
            self.others = 0;
        }
        is
    }

    fn becomes(&mut self, text: &str) {
        self.others = self.others.wrapping_add(1);
        self.text.clear();
        if self.others <= TRIES_MAX && text.len() <= LAST_BYTES_MAX {
            self.text.push_str(text);
        }
    }
}

/// Adds the cell's value to its row; of one that is wrong `Missing`, and what is wrong.
///
/// The value is made where it stays: most cells are texts, and moving them about would cost more than checking them. `last` is that
/// of the column.
pub(super) fn read<'a>(
    schema: &Schema,
    field: &Field,
    (form, text): (Form, &'a str),
    row: &mut Vec<Value<'a>>,
    last: &mut Last,
) -> Option<Fault> {
    let missing = match form {
        Form::Null => true,
        Form::Text => schema.is_missing(text),
        Form::Number | Form::Boolean | Form::Nested => false,
    };
    let fault = if missing {
        field.constraints.required.then_some(Fault::Required)
    } else if !is_of(form, field.kind()) {
        Some(Fault::Type)
    } else if field.kind() == Kind::Text {
        if last.is(text) {
            row.push(Value::Text(text));
            return None;
        }
        match text_fault(field, text) {
            None => {
                last.becomes(text);
                row.push(Value::Text(text));
                return None;
            }
            fault => fault,
        }
    } else {
        match field.reader.read(text) {
            None => Some(why_not(field.kind(), text)),
            Some(value) => match field.constraints.broken(&value) {
                None => {
                    row.push(value);
                    return None;
                }
                fault => fault,
            },
        }
    };
    row.push(Value::Missing);
    fault
}

/// What is wrong with a text: first what a spreadsheet would do, or has done, to it.
fn text_fault(field: &Field, text: &str) -> Option<Fault> {
    let suspect = || {
        if is_formula(text) {
            Some(Fault::Formula)
        } else {
            is_exponent(text).then_some(Fault::ExcelExponent)
        }
    };
    // What a list of agreed values has is agreed.
    if !field.constraints.is_listed()
        && let Some(fault) = suspect()
    {
        return Some(fault);
    }
    if !field.reader.holds(text) {
        return Some(Fault::Type);
    }
    match field.constraints.broken_text(text) {
        Some(Fault::Enum) => suspect().or(Some(Fault::Enum)),
        fault => fault,
    }
}

/// Whether JSON wrote it as its column's type may be written.
const fn is_of(form: Form, kind: Kind) -> bool {
    match form {
        Form::Text | Form::Null => true,
        Form::Number => matches!(kind, Kind::Integer | Kind::Number | Kind::Year),
        Form::Boolean => matches!(kind, Kind::Boolean),
        Form::Nested => false,
    }
}

fn why_not(kind: Kind, text: &str) -> Fault {
    let is_dated = matches!(kind, Kind::Date | Kind::DateTime);
    let is_number = matches!(kind, Kind::Integer | Kind::Number);
    if is_dated && is_day_first(text) {
        Fault::DayFirst
    } else if is_number && is_exponent(text) {
        Fault::ExcelExponent
    } else {
        Fault::Type
    }
}

/// What a spreadsheet would run: a text that begins with `=`, `@`, `+`, `-`, a tabulator or a line end. A sign before nothing but
/// digits and what groups them is a number, and a hyphen alone is a hyphen.
pub(super) fn is_formula(text: &str) -> bool {
    // Nearly every text ends here; 0xef is how the wide forms begin.
    if !matches!(
        text.as_bytes(),
        [b'=' | b'@' | b'+' | b'-' | b'\t' | b'\r' | b'\n' | 0xef, ..]
    ) {
        return false;
    }
    let mut chars = text.chars();
    match chars.next() {
        // The wide forms are what an input method for East Asian scripts writes, and some spreadsheets run them too.
        Some(
            '=' | '@' | '\t' | '\r' | '\n' | '\u{ff1d}' | '\u{ff20}' | '\u{ff0b}' | '\u{ff0d}',
        ) => true,
        Some('+' | '-') => {
            let rest = chars.as_str();
            let number = rest.starts_with(|first: char| first.is_ascii_digit())
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.' | b','));
            !number && text != "-"
        }
        _ => false,
    }
}

/// `3.27E+15`, also with a decimal comma: how a spreadsheet shows a number of twelve digits and more.
fn is_exponent(text: &str) -> bool {
    // Nearly every text ends here: it is longer, or does not begin or end with a digit.
    let framed = matches!(
        text.as_bytes(),
        [b'0'..=b'9' | b'+' | b'-', .., b'0'..=b'9']
    );
    if !framed || !(4..=24).contains(&text.len()) {
        return false;
    }
    // And most others here.
    if memchr::memchr2(b'E', b'e', text.as_bytes()).is_none() {
        return false;
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(['E', 'e'])
        .is_some_and(|(mantissa, exponent)| {
            let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
            digits(whole.trim_start_matches(['+', '-']))
                && digits(fraction)
                && exponent.strip_prefix('+').is_some_and(digits)
        })
}

/// Whether a spreadsheet may have rounded it: 16 or 17 digits, of which those after the fifteenth are zeros. `None` for other texts.
pub(super) fn is_rounded(text: &str) -> Option<bool> {
    if !matches!(text.len(), 16 | 17) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.get(15..)
        .map(|rest| rest.bytes().all(|byte| byte == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_told_from_a_signed_number() {
        for text in [
            "=cmd|' /C calc'!A0",
            "@SUM(1)",
            "+A1",
            "-2+3+cmd|' /C calc'!A0",
            "-1e5",
            "\t=1",
            "+",
            "--1",
            "-",
            "- 1",
            "-Nama",
        ] {
            assert_eq!(is_formula(text), text != "-", "{text:?}");
        }
        for text in [
            "-5",
            "+62812345678",
            "+62 812 3456",
            "-1.234,5",
            "Nama-Nama",
            "a=b",
            "",
            "O'Brien",
        ] {
            assert!(!is_formula(text), "{text:?}");
        }
    }

    #[test]
    fn a_text_is_remembered_for_one_row_and_not_where_each_is_another() {
        let mut last = Last::default();
        assert!(!last.is(""));
        last.becomes("CGK");
        assert!(last.is("CGK") && last.is("CGK") && !last.is("CGX") && !last.is(""));
        last.becomes("JED");
        assert!(!last.is("CGK") && last.is("JED"));
        last.becomes(&"x".repeat(LAST_BYTES_MAX + 1));
        assert!(!last.is("JED") && !last.is(&"x".repeat(LAST_BYTES_MAX + 1)));
        // Of many that differ few are remembered, and the column is tried again.
        let remembered = (0..1_024).filter(|number: &u32| {
            let text = number.to_string();
            last.becomes(&text);
            last.text == text
        });
        let tries = usize::from(TRIES_MAX);
        assert!((3 * tries..=5 * tries).contains(&remembered.count()));
    }

    #[test]
    fn what_a_spreadsheet_did_to_a_number_is_recognised() {
        assert!(is_exponent("3.27E+15") && is_exponent("3,27E+15") && is_exponent("3E+15"));
        assert!(
            !is_exponent("E+15")
                && !is_exponent("3.27E")
                && !is_exponent("A3E+15")
                && !is_exponent("1E5")
        );
        assert_eq!(is_rounded("9901011204860000"), Some(true));
        assert_eq!(is_rounded("9901011204860001"), Some(false));
        assert_eq!(is_rounded("02201051212440000"), Some(true));
        assert_eq!(is_rounded("02201051212440010"), Some(false));
        assert_eq!(is_rounded("123"), None);
    }
}
