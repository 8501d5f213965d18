//! Rules across the fields of one row: the small extension of the standard (`amanah.rules`). A rule compares two columns, demands
//! columns where another has a certain value, or looks whether a NIK fits the date of birth. A rule that only warns refuses nothing.

use std::cmp::Ordering;

use super::constraint::owned;
use super::kinds::Kind;
use super::raw::{RawCompare, RawNik, RawRule, RawWhen, lexical};
use super::report::Level;
use super::schema::{Field, SchemaError, is_slug, place_of};
use super::value::Value;
use super::warning::Nik;

/// Widest distance of a comparison in days: a century.
const DAYS_MAX: i32 = 36_525;

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    name: String,
    level: Level,
    when: Option<When>,
    body: RuleBody,
}

/// What a rule demands.
#[derive(Debug, Clone)]
pub enum RuleBody {
    /// Two columns in an order. Holds where either is missing.
    Compare(Compare),
    /// Columns that may not be missing.
    Required(Vec<usize>),
    /// A NIK that fits date of birth and sex; always a warning, because a NIK is never corrected.
    Nik(Nik),
}

/// `left op right + days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compare {
    /// Place of the one column.
    pub left: usize,
    /// How it stands to the other.
    pub op: Op,
    /// Place of the other.
    pub right: usize,
    /// Days added to the right, of dates and moments.
    pub days: i32,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `!=`
    Different,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// The rows for which a rule holds.
#[derive(Debug, Clone)]
struct When {
    field: usize,
    texts: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Rule {
    pub(super) fn parse(raw: RawRule, fields: &[Field]) -> Result<Self, SchemaError> {
        if !is_slug(&raw.name, "-_") {
            return Err(SchemaError::rule(
                "a rule's name is 1 to 64 letters, digits and hyphens",
            ));
        }
        let named = |error: SchemaError| {
            let text = error.to_string();
            let reason = text.strip_prefix("schema: ").unwrap_or(&text);
            SchemaError::Rule(format!("rule {:?}: {reason}", raw.name))
        };
        let body = match (raw.compare, raw.required, raw.nik) {
            (Some(compare), None, None) => compared(&compare, fields).map(RuleBody::Compare),
            (None, Some(names), None) if !names.is_empty() => {
                let places = names.iter().map(|name| place_of(fields, name));
                places
                    .collect::<Result<Vec<_>, _>>()
                    .map(RuleBody::Required)
            }
            (None, None, Some(nik)) => of_nik(&nik, fields).map(RuleBody::Nik),
            _ => Err(SchemaError::rule(
                "a rule has exactly one of compare, required, nik",
            )),
        };
        let body = body.map_err(named)?;
        let is_nik = matches!(body, RuleBody::Nik(_));
        let level = match raw.level.as_deref() {
            Some("warning") => Level::Warning,
            None if is_nik => Level::Warning,
            Some("refusal") | None if !is_nik => Level::Refusal,
            _ => {
                return Err(named(SchemaError::rule(
                    "level is `refusal` or `warning`, and `warning` for a NIK",
                )));
            }
        };
        let when = raw
            .when
            .map(|when| When::parse(&when, fields))
            .transpose()
            .map_err(named)?;
        Ok(Self {
            name: raw.name,
            level,
            when,
            body,
        })
    }

    /// Its name: what a report calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it refuses or warns.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// What it demands.
    #[must_use]
    pub const fn body(&self) -> &RuleBody {
        &self.body
    }

    /// Whether the row keeps it; cells at the places `wrong` are missing because they are wrong.
    pub(super) fn holds(&self, row: &[Value<'_>], wrong: &[usize]) -> bool {
        if self.when.as_ref().is_some_and(|when| !when.applies(row)) {
            return true;
        }
        match &self.body {
            RuleBody::Compare(compare) => compare.holds(row),
            RuleBody::Required(places) => places.iter().all(|place| {
                row.get(*place).is_some_and(|value| !value.is_missing()) || wrong.contains(place)
            }),
            RuleBody::Nik(nik) => nik.holds(row),
        }
    }
}

impl Compare {
    fn holds(&self, row: &[Value<'_>]) -> bool {
        let (Some(left), Some(right)) = (row.get(self.left), row.get(self.right)) else {
            return true;
        };
        let order = match (left, right) {
            // What nearly all of them compare.
            (Value::Date(left), Value::Date(right)) => Some(left.cmp(&right.plus_days(self.days))),
            _ => left.order(&right.plus_days(self.days)),
        };
        order.is_none_or(|order| self.op.allows(order))
    }
}

impl Op {
    const fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::Different => order.is_ne(),
            Self::AtLeast => order.is_ge(),
            Self::Greater => order.is_gt(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" => Self::AtMost,
            "=" => Self::Equal,
            "!=" => Self::Different,
            ">=" => Self::AtLeast,
            ">" => Self::Greater,
            _ => return None,
        })
    }
}

impl When {
    fn parse(raw: &RawWhen, fields: &[Field]) -> Result<Self, SchemaError> {
        let place = place_of(fields, &raw.field)?;
        let unfit = || SchemaError::rule("`in` lists 1 to 256 values of its column's type");
        let field = fields.get(place).ok_or_else(unfit)?;
        let mut texts = raw
            .values
            .iter()
            .map(lexical)
            .collect::<Result<Vec<_>, _>>()?;
        if !(1..=256).contains(&texts.len()) {
            return Err(unfit());
        }
        let mut values = Vec::new();
        if field.kind() != Kind::Text {
            let read = texts
                .iter()
                .map(|text| field.reader.read(text).and_then(owned));
            values = read.collect::<Option<Vec<_>>>().ok_or_else(unfit)?;
            texts.clear();
        }
        Ok(Self {
            field: place,
            texts,
            values,
        })
    }

    fn applies(&self, row: &[Value<'_>]) -> bool {
        match row.get(self.field) {
            Some(Value::Text(text)) => self.texts.iter().any(|one| one == text),
            Some(value) => self
                .values
                .iter()
                .any(|one| one.order(value) == Some(Ordering::Equal)),
            None => false,
        }
    }
}

fn compared(raw: &RawCompare, fields: &[Field]) -> Result<Compare, SchemaError> {
    let (left, right) = (place_of(fields, &raw.left)?, place_of(fields, &raw.right)?);
    let kind = |place: usize| fields.get(place).map(Field::kind);
    let numeric = |kind| matches!(kind, Some(Kind::Integer | Kind::Number));
    let (one, other) = (kind(left), kind(right));
    if one != other && !(numeric(one) && numeric(other)) {
        return Err(SchemaError::rule(
            "the columns that it compares have different types",
        ));
    }
    let days = raw.days.unwrap_or_default();
    if days.abs() > DAYS_MAX || (days != 0 && !matches!(one, Some(Kind::Date | Kind::DateTime))) {
        return Err(SchemaError::rule(
            "days are added to dates and moments, at most 36,525",
        ));
    }
    let op =
        Op::parse(&raw.is).ok_or_else(|| SchemaError::rule("`is` is one of < <= = != >= >"))?;
    Ok(Compare {
        left,
        op,
        right,
        days,
    })
}

fn of_nik(raw: &RawNik, fields: &[Field]) -> Result<Nik, SchemaError> {
    let (field, birth) = (place_of(fields, &raw.field)?, place_of(fields, &raw.birth)?);
    let kind = |place: usize| fields.get(place).map(Field::kind);
    let sex = raw
        .sex
        .as_deref()
        .map(|name| place_of(fields, name))
        .transpose()?;
    let sound = kind(field) == Some(Kind::Text)
        && kind(birth) == Some(Kind::Date)
        && sex.is_none_or(|place| kind(place) == Some(Kind::Text))
        && sex.is_some() == raw.female.is_some();
    if !sound {
        return Err(SchemaError::rule(
            "a nik is a string, its birth a date, its sex a string with the word for `female`",
        ));
    }
    let sex = sex.zip(raw.female.clone());
    Ok(Nik { field, birth, sex })
}

#[cfg(test)]
mod tests {
    use crate::table::{Dialect, Fault, Memory, Plan, Rows, Schema, Subject, check};

    const SCHEMA: &str = r#"{"fields": [
        {"name": "jenis", "type": "string", "constraints": {"enum": ["L", "P"]}},
        {"name": "mulai", "type": "date"}, {"name": "akhir", "type": "date"},
        {"name": "biaya", "type": "number"}],
        "amanah": {"rules": [
            {"name": "urut", "compare": {"left": "akhir", "is": ">=", "right": "mulai"}},
            {"name": "berbayar", "required": ["biaya"]}]}}"#;

    /// What is wrong with a row, and about what.
    fn faults(row: &str) -> Vec<(Fault, Subject)> {
        let schema = Schema::parse(SCHEMA.as_bytes()).unwrap();
        let plan = Plan {
            schema: &schema,
            dialect: Dialect::Csv,
            rows_max: None,
            totals: &[],
            key: [1; 16],
        };
        let text = format!("jenis,mulai,akhir,biaya\n{row}\n");
        let checked = check(
            &mut text.as_bytes(),
            &plan,
            &mut Memory::default(),
            &mut Rows,
        );
        let report = checked.unwrap().report;
        let found = report.findings().iter();
        found
            .map(|finding| (finding.fault, finding.subject.clone()))
            .collect()
    }

    #[test]
    fn a_wrong_cell_hides_no_other_rule_and_is_not_asked_for_by_one() {
        let column = |fault, name: &str| (fault, Subject::Column(name.to_owned()));
        let rule = |name: &str| (Fault::Rule, Subject::Rule(name.to_owned()));
        assert_eq!(faults("L,2030-01-05,2030-01-06,1"), []);
        assert_eq!(
            faults("X,2030-01-05,2030-01-04,1"),
            [column(Fault::Enum, "jenis"), rule("urut")]
        );
        // A wrong date has no order to another, and a wrong fee is there.
        assert_eq!(
            faults("L,2030-01-05,04/01/2030,satu"),
            [
                column(Fault::DayFirst, "akhir"),
                column(Fault::Type, "biaya")
            ]
        );
        assert_eq!(faults("L,2030-01-05,2030-01-06,"), [rule("berbayar")]);
    }
}
