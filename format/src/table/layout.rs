//! Formats of dates and times other than the default: patterns of fixed widths. And what a date with the day first looks like, which
//! is the commonest thing that a spreadsheet does to a date.

use super::temporal::{Date, Moment, TimeOfDay, digits};

/// One piece of a pattern format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Byte(u8),
}

/// A format of `%Y %m %d %H %M %S` and ASCII between them: fixed widths, so that it is read in one way only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout(Vec<Piece>);

impl Layout {
    /// Reads the format; `date` and `time` say which parts it must have, each once.
    pub(super) fn parse(format: &str, date: bool, time: bool) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut bytes = format.bytes();
        while let Some(byte) = bytes.next() {
            pieces.push(match byte {
                b'%' => match bytes.next()? {
                    b'Y' => Piece::Year,
                    b'm' => Piece::Month,
                    b'd' => Piece::Day,
                    b'H' => Piece::Hour,
                    b'M' => Piece::Minute,
                    b'S' => Piece::Second,
                    _ => return None,
                },
                b' ' | b'-' | b'/' | b'.' | b':' | b',' | b'T' | b'_' => Piece::Byte(byte),
                _ => return None,
            });
        }
        let count = |piece: Piece| pieces.iter().filter(|one| **one == piece).count();
        let dated = [Piece::Year, Piece::Month, Piece::Day].map(count);
        let timed = [Piece::Hour, Piece::Minute].map(count);
        let whole = dated == [usize::from(date); 3]
            && timed == [usize::from(time); 2]
            && count(Piece::Second) <= usize::from(time);
        whole.then_some(Self(pieces))
    }

    fn read(&self, text: &str) -> Option<(Option<Date>, TimeOfDay)> {
        let mut rest = text.as_bytes();
        let [
            mut year,
            mut month,
            mut day,
            mut hour,
            mut minute,
            mut second,
        ] = [0_i64; 6];
        for piece in &self.0 {
            let (slot, width) = match piece {
                Piece::Year => (&mut year, 4),
                Piece::Month => (&mut month, 2),
                Piece::Day => (&mut day, 2),
                Piece::Hour => (&mut hour, 2),
                Piece::Minute => (&mut minute, 2),
                Piece::Second => (&mut second, 2),
                Piece::Byte(byte) => {
                    rest = rest.strip_prefix(&[*byte])?;
                    continue;
                }
            };
            let (taken, after) = rest.split_at_checked(width)?;
            *slot = digits(taken)?;
            rest = after;
        }
        let time = TimeOfDay::of(hour, minute, second)?;
        let date = if self.0.contains(&Piece::Year) {
            Some(Date::of(year, month, day)?)
        } else {
            None
        };
        rest.is_empty().then_some((date, time))
    }

    pub(super) fn date(&self, text: &str) -> Option<Date> {
        self.read(text)?.0
    }

    pub(super) fn time(&self, text: &str) -> Option<TimeOfDay> {
        self.read(text).map(|(_, time)| time)
    }

    pub(super) fn moment(&self, text: &str) -> Option<Moment> {
        let (date, time) = self.read(text)?;
        Some(Moment::of(date?, time))
    }
}

/// Whether this looks like a day first, then month and year: `31/12/2026`, as a sheet with Indonesian settings writes dates.
pub(super) fn is_day_first(text: &str) -> bool {
    let head = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = head.split(['/', '-', '.']).collect();
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts.as_slice(), [day, month, year]
        if day.len() <= 2 && month.len() <= 2 && matches!(year.len(), 2 | 4) && parts.iter().all(numeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_in_one_way_only() {
        let layout = Layout::parse("%d/%m/%Y", true, false).unwrap();
        assert_eq!(layout.date("31/12/2026"), Date::parse("2026-12-31"));
        assert_eq!(layout.date("1/12/2026"), None);
        assert_eq!(layout.date("31/12/2026x"), None);
        let layout = Layout::parse("%Y-%m-%d %H:%M", true, true).unwrap();
        assert_eq!(
            layout.moment("1970-01-02 01:00").map(Moment::micros),
            Some(90_000_000_000)
        );
        for wrong in [
            "%d/%m",
            "%Y%Y%m%d",
            "%y-%m-%d",
            "%d %b %Y",
            "%",
            "%Y-%m-%d%H",
        ] {
            assert_eq!(Layout::parse(wrong, true, false), None, "{wrong}");
        }
    }

    #[test]
    fn a_day_first_is_recognised() {
        for text in [
            "31/12/2026",
            "1/2/2026",
            "01-02-2026",
            "1.2.26",
            "31/12/2026 10:00",
        ] {
            assert!(is_day_first(text), "{text}");
        }
        for text in ["2026-12-31", "2026/12/31", "abc", "1/2", "31 Desember 2026"] {
            assert!(!is_day_first(text), "{text}");
        }
    }
}
