//! One catalogue of what people read, in Indonesian and English: refusals, reasons of return, states, and the faces'
//! sentences. A sentence stands here once, in both languages, and nowhere else. Words follow the project's glossary;
//! codes stay ASCII and untranslated.

pub mod faces;
pub mod faults;
pub mod moment;
pub mod note;
pub mod page;
pub mod refusals;
pub mod states;
pub mod table;

mod alarms;
mod door;
mod returns;

use std::fmt::{Display, Write};

/// The two languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
pub enum Language {
    /// `id`
    #[default]
    #[serde(rename = "id")]
    Indonesian,
    /// `en`
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The language of a POSIX locale's name (`id_ID.UTF-8`): Indonesian for `id`, English for everything else.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '.', '@']).next().unwrap_or_default();
        if language == "id" {
            Self::Indonesian
        } else {
            Self::English
        }
    }

    /// `id` or `en`, as configuration and command line have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Indonesian => "id",
            Self::English => "en",
        }
    }
}

/// A sentence in both. `{0}`, `{1}` … stand for values ([`Text::with`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Indonesian.
    pub id: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// In one language.
    #[must_use]
    pub const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::Indonesian => self.id,
            Language::English => self.en,
        }
    }

    /// In one language, with `values` in the places `{0}`, `{1}` …; what a value contains is never filled again.
    #[must_use]
    pub fn with(self, language: Language, values: &[&dyn Display]) -> String {
        let mut filled = String::new();
        let mut rest = self.in_language(language);
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let place = after
                .split_once('}')
                .and_then(|(number, tail)| Some((number.parse::<usize>().ok()?, tail)))
                .and_then(|(number, tail)| Some((values.get(number)?, tail)));
            if let Some((value, tail)) = place {
                // INVARIANT: writing to a String cannot fail.
                let _ = write!(filled, "{value}");
                rest = tail;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// Declares sentences: `NAME = "Indonesian" / "English";`. The English one is also the constant's documentation.
macro_rules! texts {
    ($($name:ident = $id:literal / $en:literal;)+) => {
        $(
            // In a fence: the sentences hold brackets and angle signs that are no links or tags.
            #[doc = concat!("```text\n", $en, "\n```")]
            pub const $name: $crate::catalogue::Text = $crate::catalogue::Text { id: $id, en: $en };
        )+
        /// All of this file, for the test that both languages say the same.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, $crate::catalogue::Text)] = &[$((stringify!($name), $name)),+];
    };
}
pub(crate) use texts;

/// A foreign text as a terminal may show it: control, bidirectional and zero-width characters, which could hide or
/// reorder what an operator reads, become `\u{..}`.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = c.is_control()
            || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}');
        if hidden {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Text = Text {
        id: "{1} dari {0}",
        en: "{0} has {1} {x} {9}",
    };

    #[test]
    fn values_stand_where_each_language_wants_them_and_are_not_filled_again() {
        assert_eq!(ORDER.with(Language::Indonesian, &[&"a", &2]), "2 dari a");
        assert_eq!(
            ORDER.with(Language::English, &[&"{1}", &2]),
            "{1} has 2 {x} {9}"
        );
    }

    #[test]
    fn a_locale_names_a_language() {
        for indonesian in ["id", "id_ID", "id_ID.UTF-8", "id@latin"] {
            assert_eq!(Language::of_locale(indonesian), Language::Indonesian);
        }
        for english in ["", "C", "en_GB.UTF-8", "ido", "POSIX"] {
            assert_eq!(Language::of_locale(english), Language::English);
        }
    }

    #[test]
    fn hidden_characters_are_shown_and_plain_ones_left_alone() {
        assert_eq!(shown("manifes é 1.csv"), "manifes é 1.csv");
        assert_eq!(
            shown("a\u{1b}[2J\u{202e}b\n"),
            "a\\u{1b}[2J\\u{202e}b\\u{a}"
        );
    }
}
