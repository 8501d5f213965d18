//! Names and numbers with a grammar: parties, flows, bundles, agreements, epochs, sequences. FORMAT.md §3.
//! Private fields, made only by parsing: a value of these types is well formed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::document::{excerpt, text_form};
use crate::limits::{JSON_INTEGER_MAX, NAME_BYTES_MAX};

/// Longest party id: what SSH servers and Unix accounts take as a user name.
const PARTY_BYTES_MAX: usize = 32;

/// A party's id, also its SSH user name: `[a-z][a-z0-9-]{0,30}[a-z0-9]` (2 to 32 bytes), no `--`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(String);

/// A flow's name, also a folder name: `[a-z][a-z0-9-]{0,62}[a-z0-9]` (2 to 64 bytes), no `--`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowName(String);

/// An agreement's id: the grammar of a flow's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgreementId(String);

/// A bundle's sender-chosen id: a UUIDv7 (RFC 9562) in its lower-case hyphenated form.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId(uuid::Uuid);

/// The place of a bundle in its stream and epoch: 1, 2, 3 … 2^53-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

/// The epoch of a stream: 1, 2, 3 … 2^32-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u32);

/// A text or number outside its grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {expected}, found {found:?}")]
pub struct IdError {
    kind: &'static str,
    expected: &'static str,
    found: String,
}

/// A letter, then letters, digits and single hyphens, not ending in a hyphen.
fn is_name(text: &str, bytes_max: usize) -> bool {
    (2..=bytes_max).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// What the three kinds of names share.
macro_rules! name {
    ($name:ident, $kind:literal, $bytes_max:expr, $expected:literal) => {
        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text, $bytes_max) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError {
                        kind: $kind,
                        expected: $expected,
                        found: excerpt(text),
                    })
                }
            }
        }

        text_form!($name);
    };
}

name!(
    PartyId,
    "party id",
    PARTY_BYTES_MAX,
    "2 to 32 of a-z, 0-9 and single hyphens, from a letter to a letter or digit"
);
name!(
    FlowName,
    "flow name",
    NAME_BYTES_MAX,
    "2 to 64 of a-z, 0-9 and single hyphens, from a letter to a letter or digit"
);
name!(
    AgreementId,
    "agreement id",
    NAME_BYTES_MAX,
    "2 to 64 of a-z, 0-9 and single hyphens, from a letter to a letter or digit"
);

impl BundleId {
    /// A UUIDv7 of this time (milliseconds since 1970) and these random bits (RFC 9562 §5.7).
    #[must_use]
    pub const fn new_v7(unix_millis: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for BundleId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let id = uuid::Uuid::try_parse(text).map(Self).ok();
        // `try_parse` also takes braces, a URN, upper case and no hyphens: only the one spelling counts.
        id.filter(|Self(uuid)| {
            uuid.get_version_num() == 7
                && uuid.get_variant() == uuid::Variant::RFC4122
                && uuid.hyphenated().to_string() == text
        })
        .ok_or_else(|| IdError {
            kind: "bundle id",
            expected: "a UUID of version 7 in lower case with hyphens",
            found: excerpt(text),
        })
    }
}

text_form!(BundleId);

/// What the two kinds of numbers share.
macro_rules! number {
    ($name:ident, $kind:literal, $expected:literal, $as_repr:expr) => {
        impl $name {
            /// The first one: 1.
            pub const FIRST: Self = Self(1);

            /// The number.
            #[must_use]
            pub fn get(self) -> u64 {
                u64::from(self.0)
            }

            /// The one after it, or `None` after the last.
            #[must_use]
            pub fn next(self) -> Option<Self> {
                Self::try_from(self.get() + 1).ok()
            }
        }

        impl TryFrom<u64> for $name {
            type Error = IdError;

            fn try_from(number: u64) -> Result<Self, IdError> {
                let as_repr: fn(u64) -> Option<_> = $as_repr;
                as_repr(number)
                    .filter(|number| *number > 0)
                    .map(Self)
                    .ok_or_else(|| IdError {
                        kind: $kind,
                        expected: $expected,
                        found: number.to_string(),
                    })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse::<u64>()
                    .ok()
                    .and_then(|number| Self::try_from(number).ok())
                    // Refuses what `parse` also takes: a plus sign and leading zeros.
                    .filter(|number| number.to_string() == text)
                    .ok_or_else(|| IdError {
                        kind: $kind,
                        expected: $expected,
                        found: excerpt(text),
                    })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.get())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::try_from(u64::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

number!(Sequence, "sequence", "1 to 2^53-1", |number| Some(number)
    .filter(|number| *number <= JSON_INTEGER_MAX.unsigned_abs()));
number!(Epoch, "epoch", "1 to 2^32-1", |number| u32::try_from(
    number
)
.ok());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_grammar_are_read() {
        for good in ["bpkh", "k9", "haji-2026", "a-b-c"] {
            assert_eq!(good.parse::<PartyId>().unwrap().as_str(), good);
            assert_eq!(good.parse::<FlowName>().unwrap().to_string(), good);
        }
        let longest = format!("a{}", "b".repeat(63));
        assert!(longest.parse::<FlowName>().is_ok());
        assert!(longest.parse::<AgreementId>().is_ok());
        assert!(longest[..32].parse::<PartyId>().is_ok());
    }

    #[test]
    fn names_outside_the_grammar_are_refused() {
        let too_long = "a".repeat(65);
        for wrong in [
            "", "a", "A1", "9a", "a-", "-a", "a--b", "a_b", "a.b", "a/b", "a\n", "é1", &too_long,
        ] {
            assert!(wrong.parse::<FlowName>().is_err(), "{wrong:?}");
            assert!(wrong.parse::<PartyId>().is_err(), "{wrong:?}");
        }
        assert!(too_long[..33].parse::<PartyId>().is_err());
        assert!(serde_json::from_str::<PartyId>("\"A\"").is_err());
    }

    #[test]
    fn a_bundle_id_is_a_version_7_uuid() {
        // RFC 9562 appendix A.6.
        let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
        assert_eq!(text.parse::<BundleId>().unwrap().to_string(), text);
        let made = BundleId::new_v7(0x017F_22E2_79B0, [0xFF; 10]);
        assert!(made.to_string().starts_with("017f22e2-79b0-7"));
        assert_eq!(made.to_string().parse(), Ok(made));
    }

    #[test]
    fn another_version_or_spelling_of_a_uuid_is_refused() {
        for wrong in [
            "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
            "017f22e279b07cc398c4dc0c0c07398f",
            "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
            "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
            "017f22e2-79b0-7cc3-08c4-dc0c0c07398f",
        ] {
            assert!(wrong.parse::<BundleId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_start_at_one_and_end_where_json_does() {
        assert_eq!(Sequence::FIRST.next().unwrap().get(), 2);
        let last = Sequence::try_from((1 << 53) - 1).unwrap();
        assert_eq!(last.next(), None);
        assert_eq!(Epoch::try_from(u64::from(u32::MAX)).unwrap().next(), None);
        assert!(Sequence::try_from(0).is_err());
        assert!(Epoch::try_from(1 << 32).is_err());
        assert_eq!(serde_json::from_str::<Epoch>("7").unwrap().get(), 7);
        assert!(serde_json::from_str::<Epoch>("0").is_err());
        for wrong in ["01", "+1", "0", "", "-1"] {
            assert!(wrong.parse::<Sequence>().is_err(), "{wrong}");
        }
        assert_eq!("12".parse::<Sequence>().unwrap().get(), 12);
    }
}
