//! The types of Table Schema that a column of a table flow may have, and how a cell's text is read as each. One spelling per
//! type wherever the standard leaves room. Types that nest, and those that mean "anything", are refused.

use super::decimal::Decimal;
use super::layout::Layout;
use super::raw::RawField;
use super::schema::SchemaError;
use super::temporal::{self, Date, Moment, TimeOfDay};
use super::value::Value;

/// A column's type, as stores need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal number.
    Number,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// A time of day.
    Time,
    /// A moment.
    DateTime,
    /// A year.
    Year,
    /// A month of a year.
    YearMonth,
}

impl Kind {
    /// The standard's word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "datetime",
            Self::Year => "year",
            Self::YearMonth => "yearmonth",
        }
    }
}

/// How a cell's text is read.
#[derive(Debug, Clone)]
pub(super) enum Reader {
    Text(TextForm),
    Integer,
    Number,
    Boolean { yes: Vec<String>, no: Vec<String> },
    Date(Option<Layout>),
    Time(Option<Layout>),
    DateTime(Option<Layout>),
    Year,
    YearMonth,
}

/// `format` of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextForm {
    Any,
    Email,
    Uri,
    Uuid,
}

impl Reader {
    pub(super) fn of(field: &RawField) -> Result<Self, SchemaError> {
        plain_numbers(field)?;
        let format = field.format.as_deref().unwrap_or("default");
        let layout = |date, time| {
            match format {
            "default" => Ok(None),
            // `any` guesses: 01/02/2026 would be two days.
            "any" => Err(SchemaError::rule("the format `any` guesses; use `default` or a pattern such as `%d/%m/%Y`")),
            _ => Layout::parse(format, date, time).map(Some).ok_or_else(|| {
                SchemaError::rule("a pattern has each of %Y %m %d (and %H %M, %S) that its type needs once, and only ASCII marks between")
            }),
        }
        };
        let only_default = |reader: Self| match format {
            "default" => Ok(reader),
            _ => Err(SchemaError::rule("this type has the format `default` only")),
        };
        match field.kind.as_str() {
            "string" => Ok(Self::Text(match format {
                "default" => TextForm::Any,
                "email" => TextForm::Email,
                "uri" => TextForm::Uri,
                "uuid" => TextForm::Uuid,
                _ => {
                    return Err(SchemaError::rule(
                        "a string has the format `default`, `email`, `uri` or `uuid`",
                    ));
                }
            })),
            "integer" => only_default(Self::Integer),
            "number" => only_default(Self::Number),
            "boolean" => only_default(boolean(field)?),
            "date" => layout(true, false).map(Self::Date),
            "time" => layout(false, true).map(Self::Time),
            "datetime" => layout(true, true).map(Self::DateTime),
            "year" => only_default(Self::Year),
            "yearmonth" => only_default(Self::YearMonth),
            _ => Err(SchemaError::rule(
                "a column of a table flow is string, integer, number, boolean, date, time, datetime, year or yearmonth",
            )),
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Integer => Kind::Integer,
            Self::Number => Kind::Number,
            Self::Boolean { .. } => Kind::Boolean,
            Self::Date(_) => Kind::Date,
            Self::Time(_) => Kind::Time,
            Self::DateTime(_) => Kind::DateTime,
            Self::Year => Kind::Year,
            Self::YearMonth => Kind::YearMonth,
        }
    }

    /// Whether a text has the `format` of its column.
    #[inline]
    pub(super) fn holds(&self, text: &str) -> bool {
        if let Self::Text(form) = self {
            form.holds(text)
        } else {
            true
        }
    }

    /// The text as a value of this type; `None` where it is none.
    pub(super) fn read<'a>(&self, text: &'a str) -> Option<Value<'a>> {
        Some(match self {
            Self::Text(form) => Value::Text(form.holds(text).then_some(text)?),
            Self::Integer => Value::Integer(integer(text)?),
            Self::Number => Value::Number(Decimal::parse(text)?),
            Self::Boolean { yes, no } => Value::Boolean(if yes.iter().any(|word| word == text) {
                true
            } else if no.iter().any(|word| word == text) {
                false
            } else {
                return None;
            }),
            Self::Date(None) => Value::Date(Date::parse(text)?),
            Self::Date(Some(layout)) => Value::Date(layout.date(text)?),
            Self::Time(None) => Value::Time(TimeOfDay::parse(text)?),
            Self::Time(Some(layout)) => Value::Time(layout.time(text)?),
            Self::DateTime(None) => Value::DateTime(Moment::parse(text)?),
            Self::DateTime(Some(layout)) => Value::DateTime(layout.moment(text)?),
            Self::Year => Value::Year(temporal::year(text)?),
            Self::YearMonth => Value::YearMonth(temporal::year_month(text)?),
        })
    }
}

/// `groupChar`, `decimalChar` and `bareNumber` make `1.234` two numbers: only what they are by default is taken.
fn plain_numbers(field: &RawField) -> Result<(), SchemaError> {
    let plain = field.bare_number != Some(false)
        && field.group_char.as_deref().unwrap_or_default().is_empty()
        && field.decimal_char.as_deref().unwrap_or(".") == ".";
    if plain {
        return Ok(());
    }
    Err(SchemaError::rule(
        "numbers are bare, without group characters, with a decimal point",
    ))
}

fn boolean(field: &RawField) -> Result<Reader, SchemaError> {
    let words = |given: &Option<Vec<String>>, standard: [&str; 4]| {
        given
            .clone()
            .unwrap_or_else(|| standard.map(str::to_owned).to_vec())
    };
    let yes = words(&field.true_values, ["true", "True", "TRUE", "1"]);
    let no = words(&field.false_values, ["false", "False", "FALSE", "0"]);
    let apart = !yes.iter().any(|word| no.contains(word));
    if apart && (1..=16).contains(&yes.len()) && (1..=16).contains(&no.len()) {
        return Ok(Reader::Boolean { yes, no });
    }
    Err(SchemaError::rule(
        "trueValues and falseValues are 1 to 16 words each, none in both",
    ))
}

/// `[+-]digits`, within 64 bits.
fn integer(text: &str) -> Option<i64> {
    // `parse` takes exactly this: a sign and ASCII digits, no spaces, no separators.
    text.parse().ok()
}

impl TextForm {
    #[inline]
    fn holds(self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Email => is_email(text),
            Self::Uri => is_uri(text),
            Self::Uuid => is_uuid(text),
        }
    }
}

/// One `@`, something before it, and after it a name with a point; no spaces, no quoting.
fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'@')
    };
    text.split_once('@').is_some_and(|(user, host)| {
        plain(user)
            && plain(host)
            && host.split('.').count() >= 2
            && host.split('.').all(|label| !label.is_empty())
    })
}

/// A scheme, a colon, and something after it without spaces.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
