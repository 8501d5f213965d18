//! Corrections: a row of a table `ralat` replaces or withdraws a row of another table of the same peer, named by its bundle and key, in
//! the transaction in which the correction lands. All of a bundle are applied or the bundle is refused, so that its receipt proves
//! that they were. A row that was replaced keeps its `amanah_import`: the correction names it by that.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;

use amanah_format::digest::Digest;
use amanah_format::id::PartyId;
use amanah_format::table::{Dialect, Field, Memory, Plan, RowSink, Schema, Value, check};

use super::{TableImport, Unapplied, print};
use crate::engine::policy::CORRECTING;
use crate::store::StoreError;

/// The word that withdraws a row; the other one replaces it.
pub(in crate::store) const WITHDRAWS: &str = "TARIK";
/// Between the parts of a key.
const BETWEEN: char = '|';

/// A database in the transaction of an import, as far as its rows are corrected.
pub(in crate::store) trait Correctable {
    /// Where the rows of a bundle of this peer's flow are: the table, its key's columns separated by commas, the import.
    fn rows_of(
        &self,
        peer: &PartyId,
        flow: &str,
        bundle: &str,
    ) -> Result<Option<(String, String, i64)>, StoreError>;

    /// Makes the index by which rows of a table are found by their key, where it is missing.
    fn found_by_key(&self, table: &str) -> Result<(), StoreError>;

    /// Removes the row; how many there were.
    fn withdraw(&self, target: &Target) -> Result<u64, StoreError>;

    /// Writes these values into the row; how many there were.
    fn replace(
        &self,
        target: &Target,
        fields: &[Field],
        values: &[Value<'_>],
    ) -> Result<u64, StoreError>;
}

/// What applies the corrections of one bundle.
pub(in crate::store) struct Corrections<'s, C> {
    ground: C,
    import: &'s TableImport,
    /// Of the columns of [`CORRECTING`], in that order.
    places: Vec<usize>,
    /// Tables whose rows are found by their key, as was seen to.
    indexed: RefCell<BTreeSet<String>>,
}

/// The row that is meant.
#[derive(Debug)]
pub(in crate::store) struct Target {
    /// The table.
    pub(in crate::store) table: String,
    /// The columns of its key.
    pub(in crate::store) key: Vec<String>,
    /// As texts, as [`print`] writes them; as many.
    pub(in crate::store) parts: Vec<String>,
    /// The import that brought it.
    pub(in crate::store) import: i64,
}

impl<'s, C: Correctable> Corrections<'s, C> {
    /// None where the flow corrects nothing.
    pub(in crate::store) fn of(ground: C, import: &'s TableImport) -> Option<Self> {
        let places = CORRECTING.iter().map(|name| import.schema.place(name));
        import.corrects.as_ref()?;
        Some(Self {
            ground,
            import,
            places: places.collect::<Option<_>>()?,
            indexed: RefCell::default(),
        })
    }

    /// The bundle that a correction names.
    pub(in crate::store) fn bundle(&self, values: &[Value<'_>]) -> Option<Digest> {
        let named = values.get(*self.places.get(1)?)?;
        if let Value::Text(text) = named {
            text.parse().ok()
        } else {
            None
        }
    }

    /// Applies one, or says why there is not exactly one row that it could mean.
    pub(in crate::store) fn apply(&self, values: &[Value<'_>]) -> Result<Applied, StoreError> {
        let texts = self.places.iter().map(|place| match values.get(*place) {
            Some(Value::Text(text)) => *text,
            Some(_) | None => "",
        });
        let texts: Vec<&str> = texts.collect();
        let [flow, bundle, key, kind, row] = texts.as_slice() else {
            return Ok(Err(Unapplied::NoImport));
        };
        let target = match self.target(flow, bundle, key)? {
            Ok(target) => target,
            Err(why) => return Ok(Err(why)),
        };
        if *kind == WITHDRAWS {
            let withdrawn = self.ground.withdraw(&target)?;
            return Ok(only(withdrawn));
        }
        self.replace(flow, &target, row)
    }

    fn target(
        &self,
        flow: &str,
        bundle: &str,
        key: &str,
    ) -> Result<Result<Target, Unapplied>, StoreError> {
        let found = self.ground.rows_of(&self.import.id.peer, flow, bundle)?;
        let Some((table, columns, import)) = found else {
            return Ok(Err(Unapplied::NoImport));
        };
        if self.indexed.borrow_mut().insert(table.clone()) {
            self.ground.found_by_key(&table)?;
        }
        let owned = |parts: std::str::Split<'_, char>| parts.map(str::to_owned).collect();
        let target = Target {
            table,
            key: owned(columns.split(',')),
            parts: owned(key.split(BETWEEN)),
            import,
        };
        let whole = !columns.is_empty() && target.key.len() == target.parts.len();
        Ok(if whole {
            Ok(target)
        } else {
            Err(Unapplied::NoKey)
        })
    }

    /// The whole row as it should have been, held against the schema of its own flow; its key stays.
    fn replace(&self, flow: &str, target: &Target, row: &str) -> Result<Applied, StoreError> {
        let mut others = self.import.corrects.iter().flatten();
        let Some((_, schema)) = others.find(|(name, _)| name.as_str() == flow) else {
            return Ok(Err(Unapplied::NoImport));
        };
        let key = target.key.iter().map(|name| schema.place(name));
        let Some(key) = key.collect::<Option<Vec<_>>>() else {
            return Ok(Err(Unapplied::NoKey));
        };
        let mut replacing = Replacing {
            ground: &self.ground,
            schema,
            target,
            key,
            replaced: Err(Unapplied::BadRow),
            failure: None,
        };
        let plan = Plan {
            schema,
            dialect: Dialect::JsonLines,
            rows_max: Some(1),
            totals: &[],
            key: [0; 16],
        };
        let mut line = row.as_bytes();
        let checked = check(&mut line, &plan, &mut Memory::default(), &mut replacing);
        if let Some(error) = replacing.failure {
            return Err(error);
        }
        let sound = checked.is_ok_and(|checked| checked.report.is_sound() && checked.rows == 1);
        Ok(if sound {
            replacing.replaced
        } else {
            Err(Unapplied::BadRow)
        })
    }
}

/// Whether one was applied.
pub(in crate::store) type Applied = Result<(), Unapplied>;

/// Of how many rows there were.
const fn only(rows: u64) -> Applied {
    if rows == 1 {
        Ok(())
    } else {
        Err(Unapplied::NoRow)
    }
}

/// Takes the one row that replaces another.
struct Replacing<'a, C> {
    ground: &'a C,
    schema: &'a Schema,
    target: &'a Target,
    key: Vec<usize>,
    replaced: Applied,
    failure: Option<StoreError>,
}

impl<C: Correctable> Replacing<'_, C> {
    fn write(&mut self, values: &[Value<'_>]) -> Result<Applied, StoreError> {
        let mut text = String::new();
        for (place, part) in self.key.iter().zip(&self.target.parts) {
            text.clear();
            print(values.get(*place).unwrap_or(&Value::Missing), &mut text);
            if text != *part {
                return Ok(Err(Unapplied::BadRow));
            }
        }
        let fields = self.schema.fields();
        let replaced = self.ground.replace(self.target, fields, values)?;
        Ok(only(replaced))
    }
}

impl<C: Correctable> RowSink for Replacing<'_, C> {
    fn row(&mut self, _: u64, values: &[Value<'_>]) -> io::Result<()> {
        match self.write(values) {
            Ok(replaced) => {
                self.replaced = replaced;
                Ok(())
            }
            Err(error) => {
                self.failure = Some(error);
                Err(io::Error::other("the database did not take a row"))
            }
        }
    }
}
