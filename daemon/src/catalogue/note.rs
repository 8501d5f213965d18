//! The note beside a returned item, `NAME.why.txt`: what the catalogue says of the code, in Indonesian and English, one line
//! for each question. The code is read back from it; nothing else is.

use amanah_format::time::UtcTime;

use super::refusals::explain;
use super::{Language, Text, moment, shown, texts};

texts! {
    HEAD = "Dikembalikan: {0}" / "Returned: {0}";
    REASON = "Sebab" / "Reason";
    FAULT = "Letak kesalahan" / "Whose fault";
    REMEDY = "Yang perlu dilakukan" / "What to do";
    SYSADMIN = "Untuk admin sistem" / "For the sysadmin";
    CODE = "Kode" / "Code";
    TIME = "Waktu" / "Time";
    UNKNOWN = "Sebab belum dikenal versi ini." / "A reason that this version does not know.";
    UNKNOWN_REMEDY = "Beri tahu admin sistem dan sebutkan kode ini. Berkas asli tetap tersimpan." /
        "Tell the system administrator, and give this code. The original file is kept.";
}

/// What there is to say of one item beyond its code: lines that were composed already, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Indonesian.
    pub id: String,
    /// English.
    pub en: String,
}

/// The text of `NAME.why.txt`, both languages.
#[must_use]
pub fn why(name: &str, code: &str, time: UtcTime) -> String {
    why_with(name, code, time, None)
}

/// The same, with what was found in the item.
#[must_use]
pub fn why_with(name: &str, code: &str, time: UtcTime, details: Option<&Details>) -> String {
    let half = |language| {
        let text = in_language(language, &shown(name), code, time);
        let found = details.map(|details| match language {
            Language::Indonesian => &details.id,
            Language::English => &details.en,
        });
        found.map_or_else(|| text.clone(), |found| format!("{text}\n{found}\n"))
    };
    format!(
        "{}\n----\n\n{}",
        half(Language::Indonesian),
        half(Language::English)
    )
}

fn in_language(language: Language, name: &str, code: &str, time: UtcTime) -> String {
    let mut lines = Vec::new();
    let mut say = |title: Text, words: &str| {
        let title = format!("{}:", title.in_language(language));
        lines.push(format!("{title:<21} {words}\n"));
    };
    if let Some(found) = explain(code) {
        say(REASON, found.meaning.in_language(language));
        say(FAULT, found.fault.text().in_language(language));
        say(REMEDY, found.remedy.in_language(language));
        say(SYSADMIN, found.sysadmin.in_language(language));
    } else {
        say(REASON, UNKNOWN.in_language(language));
        say(REMEDY, UNKNOWN_REMEDY.in_language(language));
    }
    say(CODE, &shown(code));
    say(TIME, &format!("{} ({time})", moment::wib(time, language)));
    let head = HEAD.with(language, &[&name]);
    format!("{head}\n\n{}", lines.concat())
}

/// The code in a text that [`why`] wrote.
#[must_use]
pub fn code_in(note: &str) -> Option<&str> {
    let code = note
        .lines()
        .find_map(|line| line.strip_prefix("Kode:"))?
        .trim();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (!code.is_empty() && code.chars().all(plain)).then_some(code)
}
