//! Which keys one file can answer, and how many of a column's long numbers look rounded: what a check keeps of rows that it has
//! passed, beside their faults. Its size follows from the schema.

use super::report::{Fault, Level, Tally};
use super::schema::{ForeignKey, Schema};

/// From how many numbers of 16 or 17 digits on a column of rounded ones is refused: by chance one in a million is so.
const ROUNDED_ALL_MIN: u64 = 6;
/// From how many on half of them are enough: by chance one in a hundred thousand tables of 20 is so, and none of a thousand.
const ROUNDED_HALF_MIN: u64 = 20;
/// Below that many nothing is said: every tenth number ends in a zero.
const ROUNDED_WARN_MIN: u64 = 3;

/// A key that one file can answer.
pub(super) struct Key {
    pub(super) fault: Fault,
    pub(super) fields: Vec<usize>,
    /// Of a foreign key within the file: the columns that it leads to.
    pub(super) reference: Option<Vec<usize>>,
}

/// How many long numbers a column has, and which look rounded.
#[derive(Clone, Default)]
pub(super) struct Rounding {
    long: u64,
    pub(super) rounded: Tally,
}

impl Rounding {
    /// Takes a number of 16 or 17 digits.
    pub(super) fn add(&mut self, rounded: bool, row: u64) {
        self.long = self.long.saturating_add(1);
        if rounded {
            self.rounded.add(row);
        }
    }

    /// Takes those of the next rows, which are numbered from 1 and come after `before` others.
    pub(super) fn absorb(&mut self, next: Self, before: u64) {
        self.long = self.long.saturating_add(next.long);
        self.rounded.absorb(next.rounded, before);
    }

    /// Whether to refuse for it, to warn, or neither.
    pub(super) fn level(&self) -> Option<Level> {
        let (long, rounded) = (self.long, self.rounded.count);
        let all = rounded == long;
        let half = rounded.saturating_mul(2) >= long;
        if (long >= ROUNDED_ALL_MIN && all) || (long >= ROUNDED_HALF_MIN && half) {
            Some(Level::Refusal)
        } else {
            (long >= ROUNDED_WARN_MIN && all).then_some(Level::Warning)
        }
    }
}

/// The keys of a schema that one file can answer.
pub(super) fn keys(schema: &Schema) -> Vec<Key> {
    let mut list = Vec::new();
    if !schema.primary_key().is_empty() {
        list.push((Fault::PrimaryKey, schema.primary_key().to_vec(), None));
    }
    let unique = schema
        .unique_keys()
        .into_iter()
        .filter(|key| key != schema.primary_key());
    list.extend(unique.map(|fields| (Fault::Unique, fields, None)));
    for ForeignKey {
        fields,
        resource,
        reference,
    } in schema.foreign_keys()
    {
        if resource.is_none() {
            let reference = reference
                .iter()
                .filter_map(|name| schema.place(name))
                .collect();
            list.push((Fault::ForeignKey, fields.clone(), Some(reference)));
        }
    }
    let key = |(fault, fields, reference)| Key {
        fault,
        fields,
        reference,
    };
    list.into_iter().map(key).collect()
}
