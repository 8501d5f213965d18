//! The JSON rules that hold for every document, whatever its type: one pass over the raw bytes. FORMAT.md §4.
//! `serde_json` itself refuses a BOM, non-UTF-8, lone surrogates and trailing bytes; here is what it would let pass.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::limits::{JSON_DEPTH_MAX, JSON_INTEGER_MAX};

/// Checks a whole text: one value, and nothing but white space after it.
pub(super) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Value { depth: 0 }.deserialize(&mut json)?;
    json.end()
}

/// Any value, inside `depth` lists and objects.
#[derive(Clone, Copy)]
struct Value {
    depth: usize,
}

impl Value {
    /// What a list or object holds.
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth < JSON_DEPTH_MAX {
            let depth = self.depth + 1;
            Ok(Self { depth })
        } else {
            Err(E::custom(format_args!("deeper than {JSON_DEPTH_MAX}")))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.visit_u64(number.unsigned_abs())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        if number <= JSON_INTEGER_MAX.unsigned_abs() {
            Ok(())
        } else {
            Err(E::custom("an integer beyond 2^53-1"))
        }
    }

    /// Whatever has a fraction or an exponent, is too long for 64 bits, or is `-0`, comes as a float.
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(E::custom("a number that is no plain integer"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') {
            Err(E::custom("NUL in a text"))
        } else {
            Ok(())
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while list.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            inside.visit_str(&name)?;
            object.next_value_seed(inside)?;
            if let Some(twice) = names.replace(name) {
                return Err(A::Error::custom(format_args!("the name {twice:?} twice")));
            }
        }
        Ok(())
    }
}
