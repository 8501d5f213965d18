//! Control totals of a column: the exact sum of numbers; of everything else a hash total, which any order of the same values has
//! and another set of them has not. Sent inside the encrypted contents only: a total of one row is its value.

use super::decimal::Decimal;
use super::kinds::Kind;
use super::value::Value;

mod heads;

use heads::Heads;

/// A total under way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Total {
    /// Sum of numbers; `None` once it does not fit.
    Sum(Option<Decimal>),
    /// Sum modulo 2^128 of the first 16 bytes (big-endian) of the SHA-256 of each cell's text.
    Hash(u128),
}

/// What some rows add to a total.
#[derive(Debug, Default)]
pub(super) struct Addend {
    /// Each by itself: where a sum stops fitting depends on what came before.
    numbers: Vec<Decimal>,
    hash: u128,
}

/// The same, while its rows are read.
#[derive(Debug, Default)]
pub(super) struct Adding {
    numbers: Vec<Decimal>,
    heads: Heads,
}

impl Adding {
    /// What was added since the last time.
    pub(super) fn take(&mut self) -> Addend {
        Addend {
            numbers: std::mem::take(&mut self.numbers),
            hash: self.heads.take(),
        }
    }

    /// Takes a cell: its value, and the text it was read from. One that is missing adds nothing.
    pub(super) fn add(&mut self, value: &Value<'_>, text: &str) {
        match value {
            Value::Missing => {}
            Value::Integer(number) => self.numbers.push(Decimal::from(*number)),
            Value::Number(number) => self.numbers.push(*number),
            Value::Text(_)
            | Value::Boolean(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::DateTime(_)
            | Value::Year(_)
            | Value::YearMonth(_) => self.heads.add(text.as_bytes()),
        }
    }
}

impl Total {
    pub(super) const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer | Kind::Number => Self::Sum(Some(Decimal::ZERO)),
            Kind::Text
            | Kind::Boolean
            | Kind::Date
            | Kind::Time
            | Kind::DateTime
            | Kind::Year
            | Kind::YearMonth => Self::Hash(0),
        }
    }

    /// Takes what the next rows add.
    pub(super) fn absorb(&mut self, next: &Addend) {
        match self {
            Self::Sum(sum) => {
                let mut numbers = next.numbers.iter();
                *sum = sum.and_then(|sum| numbers.try_fold(sum, |sum, one| sum.checked_add(*one)));
            }
            Self::Hash(sum) => *sum = sum.wrapping_add(next.hash),
        }
    }

    /// As decimal text; `None` where it did not fit.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Sum(sum) => sum.map(|sum| sum.to_string()),
            Self::Hash(sum) => Some(sum.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_exact_and_a_hash_total_knows_no_order() {
        let number = |text: &str| Value::Number(Decimal::parse(text).unwrap());
        let sum = |parts: &[&[&str]]| {
            let mut total = Total::of(Kind::Number);
            for part in parts {
                let mut adding = Adding::default();
                part.iter().for_each(|text| adding.add(&number(text), text));
                adding.add(&Value::Missing, "");
                total.absorb(&adding.take());
            }
            total.text()
        };
        for parts in [
            &[&["0.1", "0.2", "-1000000000000"][..]][..],
            &[&["0.1"], &["0.2", "-1000000000000"]],
        ] {
            assert_eq!(sum(parts).as_deref(), Some("-999999999999.7"));
        }
        // What stopped fitting does not fit again, however the rows are cut.
        let most = "99999999999999999999";
        let (up, down) = ([most; 2], "-99999999999999999999");
        assert_eq!(sum(&[&[down, up[0], up[1]]]).as_deref(), Some(most));
        assert_eq!(sum(&[&up, &[down]]), None);
        assert_eq!(sum(&[&[up[0]], &[up[1], down]]), None);
        let of = |texts: &[&str]| {
            let (mut total, mut adding) = (Total::of(Kind::Text), Adding::default());
            texts
                .iter()
                .for_each(|text| adding.add(&Value::Text(text), text));
            total.absorb(&adding.take());
            total.text()
        };
        assert_eq!(of(&["a", "b", "c"]), of(&["c", "a", "b"]));
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        // printf abc | sha256sum: ba7816bf8f01cfea414140de5dae2223…
        assert_eq!(
            of(&["abc"]),
            Some(0xba78_16bf_8f01_cfea_4141_40de_5dae_2223_u128.to_string())
        );
    }
}
