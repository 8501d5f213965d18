//! Moments and amounts as people here read them: `22 November 2026 20.32 WIB`, `26 jam`, `1,4 GB`.
//! WIB is UTC+7 all the year; the machine-readable form stands beside it wherever evidence is meant.

use amanah_format::time::UtcTime;

use super::{Language, Text};

/// Western Indonesian Time (WIB) is seven hours ahead of UTC, without daylight saving time.
const WIB_SECS: i64 = 7 * 3600;

const MONTHS: [Text; 12] = [
    month("Januari", "January"),
    month("Februari", "February"),
    month("Maret", "March"),
    month("April", "April"),
    month("Mei", "May"),
    month("Juni", "June"),
    month("Juli", "July"),
    month("Agustus", "August"),
    month("September", "September"),
    month("Oktober", "October"),
    month("November", "November"),
    month("Desember", "December"),
];

const fn month(id: &'static str, en: &'static str) -> Text {
    Text { id, en }
}

/// `22 November 2026 20.32 WIB` (English: `20:32`).
#[must_use]
pub fn wib(time: UtcTime, language: Language) -> String {
    format!("{} {}", date(time, language), clock(time, language))
}

/// `22 Nov 2026 20.32 WIB`: what a table has room for.
#[must_use]
pub fn brief(time: UtcTime, language: Language) -> String {
    let [day, month, year] = parts(time, language);
    let month: String = month.chars().take(3).collect();
    format!("{day} {month} {year} {}", clock(time, language))
}

/// `22 November 2026`, in WIB.
#[must_use]
pub fn date(time: UtcTime, language: Language) -> String {
    parts(time, language).join(" ")
}

/// Day, month's name and year in WIB.
fn parts(time: UtcTime, language: Language) -> [String; 3] {
    let local = time.plus_secs(WIB_SECS).to_string();
    let part = |range: std::ops::Range<usize>| local.get(range).unwrap_or_default();
    let month = part(5..7)
        .parse::<usize>()
        .ok()
        .and_then(|number| MONTHS.get(number.checked_sub(1)?))
        .map_or("?", |month| month.in_language(language));
    let day = part(8..10).trim_start_matches('0');
    [day, month, part(0..4)].map(str::to_owned)
}

/// `20.32 WIB` (English: `20:32 WIB`).
#[must_use]
pub fn clock(time: UtcTime, language: Language) -> String {
    let local = time.plus_secs(WIB_SECS).to_string();
    let part = |range: std::ops::Range<usize>| local.get(range).unwrap_or_default();
    let between = match language {
        Language::Indonesian => '.',
        Language::English => ':',
    };
    format!("{}{between}{} WIB", part(11..13), part(14..16))
}

/// The clock today, brief date and clock on another day: what a status line has room for.
#[must_use]
pub fn short(time: UtcTime, now: UtcTime, language: Language) -> String {
    if date(time, language) == date(now, language) {
        clock(time, language)
    } else {
        brief(time, language)
    }
}

/// A time span in its largest fitting unit: `45 detik`, `12 menit`, `26 jam`, `3 hari`.
#[must_use]
pub fn span(secs: i64, language: Language) -> String {
    let secs = secs.max(0);
    let (number, unit) = match secs {
        0..120 => (secs, month("detik", "s")),
        120..7_200 => (secs / 60, month("menit", "min")),
        7_200..172_800 => (secs / 3_600, month("jam", "h")),
        _ => (secs / 86_400, month("hari", "days")),
    };
    format!("{number} {}", unit.in_language(language))
}

/// An amount of bytes with a decimal unit: `512 B`, `4,1 KB`, `1,4 GB`; the decimal sign is the language's.
#[must_use]
pub fn bytes(amount: u64, language: Language) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if amount < 1_000 {
        return format!("{amount} B");
    }
    let mut tenths = amount / 100;
    let mut unit = "KB";
    for larger in UNITS.iter().skip(1) {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1_000;
        unit = larger;
    }
    let sign = match language {
        Language::Indonesian => ',',
        Language::English => '.',
    };
    format!("{}{sign}{} {unit}", tenths / 10, tenths % 10)
}

/// A whole number with its thousands apart: `18.442` (English: `18,442`).
#[must_use]
pub fn count(number: u64, language: Language) -> String {
    let sign = match language {
        Language::Indonesian => '.',
        Language::English => ',',
    };
    let digits = number.to_string();
    let mut apart = String::new();
    for (place, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        apart.push(digit);
        if place > 0 && place % 3 == 0 {
            apart.push(sign);
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{English, Indonesian};

    #[test]
    fn a_moment_is_shown_in_western_indonesian_time() {
        let time: UtcTime = "2026-11-22T13:32:00Z".parse().unwrap();
        assert_eq!(wib(time, Indonesian), "22 November 2026 20.32 WIB");
        assert_eq!(wib(time, English), "22 November 2026 20:32 WIB");
        let eve: UtcTime = "2026-12-31T17:05:00Z".parse().unwrap();
        assert_eq!(wib(eve, Indonesian), "1 Januari 2027 00.05 WIB");
    }

    #[test]
    fn today_needs_no_date() {
        let now: UtcTime = "2026-11-22T13:32:00Z".parse().unwrap();
        assert_eq!(short(now.plus_secs(-3600), now, Indonesian), "19.32 WIB");
        assert_eq!(
            short(now.plus_secs(-86_400), now, English),
            "21 Nov 2026 20:32 WIB"
        );
        let august = now.plus_secs(-100 * 86_400);
        assert_eq!(brief(august, Indonesian), "14 Agu 2026 20.32 WIB");
    }

    #[test]
    fn spans_and_amounts_have_one_unit() {
        assert_eq!(span(26 * 3600, Indonesian), "26 jam");
        assert_eq!(span(-5, English), "0 s");
        assert_eq!(span(3 * 86_400, Indonesian), "3 hari");
        assert_eq!(bytes(999, Indonesian), "999 B");
        assert_eq!(bytes(4_130, Indonesian), "4,1 KB");
        assert_eq!(bytes(1_449_000_000, English), "1.4 GB");
        assert_eq!(bytes(999_999, English), "999.9 KB");
        assert_eq!(count(18_442, Indonesian), "18.442");
        assert_eq!(count(7, English), "7");
        assert_eq!(count(1_000_000, English), "1,000,000");
    }
}
