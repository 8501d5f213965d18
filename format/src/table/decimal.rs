//! Exact decimal numbers: money is never a float. At most 20 digits before the point and 18 behind it, so that every number is a
//! whole count of 10^-18 in 128 bits, and comparing is comparing integers.

use std::fmt;

/// Digits behind the point.
const PLACES: usize = 18;
/// Digits before the point, without leading zeros.
const WHOLE_MAX: usize = 20;
/// 10^18.
const ONE: i128 = 1_000_000_000_000_000_000;

/// A number of at most 20 digits before the point and 18 behind it. Text form: no exponent, no leading or trailing zeros, `0` for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(i128);

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads `[+-]digits[.digits]`: no exponent, no separators, no `INF`. `None` for anything else, and beyond the digits above.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut parts = digits.splitn(2, |byte| *byte == b'.');
        let whole = parts.next()?;
        let fraction = parts.next();
        // `.5` and `5.` are written by some programs, and read by few.
        if whole.is_empty() || fraction.is_some_and(<[u8]>::is_empty) {
            return None;
        }
        let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
        let whole = whole.get(zeros..)?;
        let fraction = fraction.unwrap_or_default();
        if whole.len() > WHOLE_MAX || fraction.len() > PLACES {
            return None;
        }
        let mut count = read(whole)?.checked_mul(ONE)?;
        let scale = 10_i128.checked_pow(u32::try_from(PLACES - fraction.len()).ok()?)?;
        count = count.checked_add(read(fraction)?.checked_mul(scale)?)?;
        Some(Self(if negative { -count } else { count }))
    }

    /// The sum, or `None` where it has too many digits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// How many 10^-18 it is: the same for all spellings of a number.
    #[must_use]
    pub const fn count(self) -> i128 {
        self.0
    }
}

fn read(digits: &[u8]) -> Option<i128> {
    digits.iter().try_fold(0_i128, |sum, digit| {
        let value = digit.wrapping_sub(b'0');
        (value < 10).then(|| sum * 10 + i128::from(value))
    })
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        // INVARIANT: 2^63 has 19 digits; with 18 more it stays below 2^127.
        Self(i128::from(whole) * ONE)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        let one = ONE.unsigned_abs();
        let (whole, fraction) = (size / one, size % one);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:018}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Decimal::parse(text).map(|number| number.to_string())
    }

    #[test]
    fn a_number_is_exact_whatever_its_spelling() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("+7", "7"),
            ("0.1", "0.1"),
            ("1234567.890", "1234567.89"),
            ("000000000000000000000000000001", "1"),
            (
                "-99999999999999999999.999999999999999999",
                "-99999999999999999999.999999999999999999",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        let sum = Decimal::parse("0.1")
            .unwrap()
            .checked_add(Decimal::parse("0.2").unwrap());
        assert_eq!(sum, Decimal::parse("0.3"));
        assert!(Decimal::parse("2").unwrap() < Decimal::parse("10").unwrap());
        assert!(Decimal::parse("-2").unwrap() < Decimal::parse("-1.5").unwrap());
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in [
            "",
            "+",
            "-",
            ".",
            ".5",
            "5.",
            "1e3",
            "3.27E+15",
            "INF",
            "NaN",
            "1,000",
            "1_000",
            " 1",
            "1 ",
            "0x1",
            "١",
            "1.2.3",
            "--1",
            "100000000000000000000",
            "0.0000000000000000001",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_sum_that_does_not_fit_is_no_sum() {
        let most = Decimal::parse("99999999999999999999").unwrap();
        let mut sum = most;
        let overflowed = (0..3).any(|_| match sum.checked_add(most) {
            Some(more) => {
                sum = more;
                false
            }
            None => true,
        });
        assert!(overflowed);
    }
}
