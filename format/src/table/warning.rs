//! A NIK against date of birth and sex: `PPKKCC DDMMYY SSSS`, a woman's day plus 40. Only ever a warning: a NIK is permanent, and is
//! not corrected where a date of birth was.

use super::value::Value;

/// The columns of the comparison.
#[derive(Debug, Clone)]
pub struct Nik {
    pub(super) field: usize,
    pub(super) birth: usize,
    /// Place of the sex, and the word for a woman.
    pub(super) sex: Option<(usize, String)>,
}

impl Nik {
    /// Whether the row's NIK fits. One that is missing, or is no 16 digits, is for other rules.
    pub(super) fn holds(&self, row: &[Value<'_>]) -> bool {
        let (Some(Value::Text(nik)), Some(Value::Date(birth))) =
            (row.get(self.field), row.get(self.birth))
        else {
            return true;
        };
        let Some(digits) = digits(nik) else {
            return true;
        };
        let pair = |at: usize| -> i64 {
            let two = digits.get(at..at + 2).unwrap_or_default();
            two.iter()
                .fold(0, |sum, digit| sum * 10 + i64::from(*digit))
        };
        let (day, month, year) = (pair(6), pair(8), pair(10));
        let is_woman = day > 40;
        let of_birth = birth.civil();
        let fits = (if is_woman { day - 40 } else { day }, month, year)
            == (of_birth.2, of_birth.1, of_birth.0.rem_euclid(100));
        let sex_fits = self
            .sex
            .as_ref()
            .is_none_or(|(place, female)| match row.get(*place) {
                Some(Value::Text(sex)) => (sex == female) == is_woman,
                _ => true,
            });
        fits && sex_fits
    }
}

fn digits(nik: &str) -> Option<[u8; 16]> {
    let bytes = <[u8; 16]>::try_from(nik.as_bytes()).ok()?;
    let digits = bytes.map(|byte| byte.wrapping_sub(b'0'));
    digits.iter().all(|digit| *digit < 10).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Date;

    fn fits(nik: &str, birth: &str, sex: &str) -> bool {
        let rule = Nik {
            field: 0,
            birth: 1,
            sex: Some((2, "P".to_owned())),
        };
        let birth = Value::Date(Date::parse(birth).unwrap());
        rule.holds(&[Value::Text(nik), birth, Value::Text(sex)])
    }

    #[test]
    fn a_nik_says_the_date_of_birth_and_the_sex() {
        assert!(fits("9901011204860001", "1986-04-12", "L"));
        assert!(fits("9901015204860001", "1986-04-12", "P"));
        assert!(fits("9901010101050001", "2005-01-01", "L"));
        assert!(!fits("9901011204860001", "1986-04-13", "L"));
        assert!(!fits("9901011204860001", "1986-04-12", "P"));
        assert!(!fits("9901015204860001", "1986-04-12", "L"));
    }

    #[test]
    fn what_is_no_nik_is_left_to_other_rules() {
        for other in ["", "123", "99010112048600011", "990101120486000X"] {
            assert!(fits(other, "1986-04-12", "L"));
        }
    }
}
