//! Regular expressions of a schema, run in linear time with bounded memory: look-around and back-references do not compile, and
//! neither does what would grow beyond the limits. The whole value must match, and `\d` is `0` to `9` in both programs that read it.

use regex::{Regex, RegexBuilder};
use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::util::{primitives::StateID, start};

use self::sequence::Sequence;
use super::limits::{PATTERN_BYTES_MAX, PATTERN_MEMORY_BYTES};

mod sequence;

/// An expression that a whole text matches, or not.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Machine);

/// What runs it.
#[derive(Debug, Clone)]
enum Machine {
    /// Built whole, and where it starts: a step for each byte, and nothing else.
    Whole(Box<Whole>),
    /// What would be too large so, or asks where words end.
    InParts(Regex),
}

#[derive(Debug, Clone)]
struct Whole {
    dfa: dense::DFA<Vec<u32>>,
    first: StateID,
    /// Where it is of this simpler kind.
    sequence: Option<Sequence>,
}

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    /// Why it cannot be run, without repeating it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!(
                "a pattern is longer than {PATTERN_BYTES_MAX} bytes"
            ));
        }
        // Alone first: `a)|(b` must not become whole by what is put around it.
        build(text)?;
        let whole = format!(r"\A(?:{})\z", ascii_digits(text));
        let regex = build(&whole)?;
        Ok(Self(
            Whole::of(&whole).map_or(Machine::InParts(regex), |whole| {
                Machine::Whole(Box::new(whole))
            }),
        ))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Machine::Whole(whole) => whole.matches(text),
            Machine::InParts(regex) => regex.is_match(text),
        }
    }
}

impl Whole {
    /// None where it has no such machine within the limit.
    fn of(text: &str) -> Option<Self> {
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .dfa_size_limit(Some(PATTERN_MEMORY_BYTES))
            .determinize_size_limit(Some(PATTERN_MEMORY_BYTES));
        let dfa = dense::Builder::new().configure(config).build(text).ok()?;
        let from = start::Config::new().anchored(Anchored::Yes);
        let first = dfa.start_state(&from).ok()?;
        let sequence = Sequence::of(&dfa, first);
        Some(Self {
            dfa,
            first,
            sequence,
        })
    }

    fn matches(&self, text: &str) -> bool {
        let told = self.sequence.as_ref().and_then(|one| one.matches(text));
        told.unwrap_or_else(|| self.runs(text))
    }

    // INVARIANT: it gives up at no byte, for none was set to make it.
    fn runs(&self, text: &str) -> bool {
        let mut bytes = text.bytes();
        let last = bytes.try_fold(self.first, |state, byte| {
            let next = self.dfa.next_state(state, byte);
            (!self.dfa.is_dead_state(next)).then_some(next)
        });
        last.is_some_and(|last| self.dfa.is_match_state(self.dfa.next_eoi_state(last)))
    }
}

fn build(text: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(text);
    builder
        .size_limit(PATTERN_MEMORY_BYTES)
        .dfa_size_limit(PATTERN_MEMORY_BYTES);
    builder.build().map_err(|error| {
        let is_large = matches!(error, regex::Error::CompiledTooBig(_));
        let reason = if is_large {
            "a pattern is too large once compiled"
        } else {
            "a pattern is no regular expression that runs in linear time (no look-around, no back-references)"
        };
        reason.to_owned()
    })
}

/// `\d` means the ten digits, not every script's: two programs, a database and a passport reader must agree.
fn ascii_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, (c == '\\').then(|| chars.next()).flatten()) {
            // Inside a class, a class is a part of it.
            ('\\', Some('d')) => out.push_str("[0-9]"),
            (_, escaped) => out.extend(std::iter::once(c).chain(escaped)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const PIECES: [&str; 8] = ["a", "[ab]", "b", "ab", "[^a]", "é", ".", "a|cc"];
    const TIMES: [&str; 6] = ["", "*", "+", "?", "{2}", "{0,2}"];

    fn whole(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn the_whole_value_must_match() {
        assert!(whole(r"^[A-Z]\d{7}$", "Z1234567"));
        assert!(whole(r"[A-Z]\d{7}", "Z1234567"));
        for wrong in ["Z12345678", "xZ1234567", "Z1234567\n", "", "z1234567"] {
            assert!(!whole(r"[A-Z]\d{7}", wrong), "{wrong:?}");
        }
        assert!(whole("a|b", "b"));
        assert!(!whole("a|b", "ab"));
    }

    #[test]
    fn a_digit_is_one_of_ten() {
        assert!(!whole(r"\d", "١"));
        assert!(whole(r"[\dX]+", "1X2"));
        assert!(!whole(r"[\dX]", "١"));
        assert!(whole(r"\\d", r"\d"));
    }

    #[test]
    fn both_machines_say_the_same() {
        let texts = [
            "",
            "a",
            "b",
            "ab",
            "A1",
            "AB12345",
            "é",
            "É1",
            "x y",
            "x-y z",
            "a\nb",
            "1",
            "٣",
            "\u{10ffff}",
        ];
        let (mut in_parts, mut chains) = (0, 0);
        for pattern in [
            r"[A-Z]\d{7}",
            r"[A-Z]{1,2}\d+",
            r"(?i)[a-zé]\d?",
            r".*",
            r"\w+(?:[ -]\w+)*",
            r"\p{L}{1,2}",
            r"\bx\b.*",
            r"^$",
            r"^[^=+@\-\x00-\x20][^\x00-\x1f]*$",
            r"[A-Z]{2}|x",
            r"[A-Z0-9]{1,5}",
            r"(?:[A-Z][0-9]){0,2}",
            r"[a-z]{31}",
            r"[a-z]{32}",
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            in_parts += usize::from(matches!(parsed.0, Machine::InParts(_)));
            let regex = build(&format!(r"\A(?:{})\z", ascii_digits(pattern))).unwrap();
            if let Machine::Whole(whole) = &parsed.0 {
                chains += usize::from(whole.sequence.is_some());
            }
            let long = ["a".repeat(31), "a".repeat(32), "A".repeat(300)];
            for text in texts.into_iter().chain(long.iter().map(String::as_str)) {
                assert_eq!(
                    parsed.matches(text),
                    regex.is_match(text),
                    "{pattern} {text:?}"
                );
                if let Machine::Whole(whole) = &parsed.0 {
                    assert_eq!(whole.runs(text), regex.is_match(text), "{pattern} {text:?}");
                }
            }
        }
        assert!((1..4).contains(&in_parts), "{in_parts} of them");
        assert_eq!(chains, 8, "automata that are chains");
    }

    proptest! {
        /// Pieces with a repetition each, some of them chains; texts of the letters that the pieces tell apart.
        #[test]
        fn a_chain_says_what_its_automaton_says(
            pieces in proptest::collection::vec((select(&PIECES[..]), select(&TIMES[..])), 0..4),
            texts in proptest::collection::vec("[abcé]{0,6}", 20),
        ) {
            let pattern: String = pieces.into_iter().map(|(piece, times)| format!("(?:{piece}){times}")).collect();
            let parsed = Pattern::parse(&pattern).unwrap();
            let regex = build(&format!(r"\A(?:{pattern})\z")).unwrap();
            for text in texts {
                prop_assert_eq!(parsed.matches(&text), regex.is_match(&text), "{} {:?}", pattern, text);
            }
        }
    }

    #[test]
    fn what_does_not_run_in_linear_time_or_bounded_memory_is_refused() {
        for wrong in [
            r"(a)\1",
            r"(?=a)a",
            r"(?!a)b",
            r"(?<=a)b",
            "((a{100}){100}){100}",
            "a)|(b",
            "(",
            &"a".repeat(PATTERN_BYTES_MAX + 1),
        ] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
        assert!(!whole("(a+)+b", &"a".repeat(100_000)));
    }
}
