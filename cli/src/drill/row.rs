//! One row of CSV under construction: cells in the schema's order, RFC 4180. Reused for every row, so that millions of them
//! allocate nothing.

use super::day::{Day, Moment};

/// The cells written so far, with their separators.
#[derive(Debug, Default)]
pub(crate) struct Row {
    bytes: Vec<u8>,
    cells: usize,
}

impl Row {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.cells = 0;
    }

    /// The row without its line end.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The row with its line end; after it nothing more is added.
    pub(crate) fn line(&mut self) -> &[u8] {
        self.bytes.push(b'\n');
        &self.bytes
    }

    /// How many cells it has.
    #[cfg(test)]
    pub(crate) const fn cells(&self) -> usize {
        self.cells
    }

    fn begin(&mut self) -> &mut Vec<u8> {
        if self.cells > 0 {
            self.bytes.push(b',');
        }
        self.cells += 1;
        &mut self.bytes
    }

    /// A text that needs no quotes.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.begin().extend_from_slice(text.as_bytes());
        self
    }

    /// Several texts in one cell.
    pub(crate) fn joined(&mut self, parts: &[&str]) -> &mut Self {
        let bytes = self.begin();
        for part in parts {
            bytes.extend_from_slice(part.as_bytes());
        }
        self
    }

    /// A text that may hold commas and quotes.
    pub(crate) fn quoted(&mut self, text: &str) -> &mut Self {
        let bytes = self.begin();
        bytes.push(b'"');
        for byte in text.bytes() {
            if byte == b'"' {
                bytes.push(b'"');
            }
            bytes.push(byte);
        }
        bytes.push(b'"');
        self
    }

    /// Nothing: a missing value.
    pub(crate) fn nothing(&mut self) -> &mut Self {
        self.begin();
        self
    }

    /// A whole number.
    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        let bytes = self.begin();
        digits(bytes, number, 1);
        self
    }

    /// A prefix and a number of at least `width` digits.
    pub(crate) fn coded(&mut self, prefix: &str, number: u64, width: u32) -> &mut Self {
        let bytes = self.begin();
        bytes.extend_from_slice(prefix.as_bytes());
        digits(bytes, number, width);
        self
    }

    /// `2030-01-05`.
    pub(crate) fn day(&mut self, day: Day) -> &mut Self {
        let bytes = self.begin();
        date(bytes, day);
        self
    }

    /// A day or nothing.
    pub(crate) fn maybe_day(&mut self, day: Option<Day>) -> &mut Self {
        match day {
            Some(day) => self.day(day),
            None => self.nothing(),
        }
    }

    /// `2030-01-05T05:10:00+07:00`.
    pub(crate) fn moment(&mut self, moment: Moment) -> &mut Self {
        let bytes = self.begin();
        date(bytes, moment.day);
        bytes.push(b'T');
        digits(bytes, unsigned(moment.minute / 60), 2);
        bytes.push(b':');
        digits(bytes, unsigned(moment.minute % 60), 2);
        bytes.extend_from_slice(b":00+");
        digits(bytes, unsigned(moment.zone), 2);
        bytes.extend_from_slice(b":00");
        self
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn date(bytes: &mut Vec<u8>, day: Day) {
    let (year, month, day) = day.civil();
    digits(bytes, unsigned(year), 4);
    bytes.push(b'-');
    digits(bytes, unsigned(month), 2);
    bytes.push(b'-');
    digits(bytes, unsigned(day), 2);
}

/// Decimal digits, zeros in front up to `width`.
pub(crate) fn digits(bytes: &mut Vec<u8>, number: u64, width: u32) {
    let mut power = 10_u64.saturating_pow(width.saturating_sub(1));
    while number / power >= 10 {
        power = power.saturating_mul(10);
    }
    while power > 0 {
        let digit = u8::try_from(number / power % 10).unwrap_or(0);
        bytes.push(b'0' + digit);
        power /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_as_the_tables_want_them() {
        let mut row = Row::default();
        let day = Day::of(jiff::civil::date(2030, 1, 5));
        row.text("A").nothing().number(0).number(1_234);
        row.coded("Z", 42, 7).day(day).quoted("a,\"b\"");
        row.moment(Moment {
            day,
            minute: 310,
            zone: 7,
        });
        let expected = "A,,0,1234,Z0000042,2030-01-05,\"a,\"\"b\"\"\",2030-01-05T05:10:00+07:00";
        assert_eq!(std::str::from_utf8(row.bytes()).unwrap(), expected);
        assert_eq!(row.cells(), 8);
        row.clear();
        assert_eq!((row.bytes(), row.cells()), (&b""[..], 0));
    }
}
