//! Corrections: a row of a table `ralat` replaces or withdraws a row of another table of the same peer, named by its bundle and key, in
//! the transaction in which the correction lands. All of a bundle are applied or the bundle is refused, so that its receipt proves
//! that they were. A row that was replaced keeps its `amanah_import`: the correction names it by that.

use std::io;

use amanah_format::digest::Digest;
use amanah_format::table::{Dialect, Memory, Plan, RowSink, Value, check};
use rusqlite::{CachedStatement, Connection, OptionalExtension};

use super::ddl::quoted;
use super::value::{bind, print};
use super::{StoreError, failed};
use crate::engine::policy::CORRECTING;
use crate::store::table::TableImport;

/// The word that withdraws a row; the other one replaces it.
const WITHDRAWS: &str = "TARIK";
/// Between the parts of a key.
const BETWEEN: char = '|';

/// What applies the corrections of one bundle.
pub(super) struct Corrections<'s> {
    sql: &'s Connection,
    import: &'s TableImport,
    /// Of the columns of [`CORRECTING`], in that order.
    places: Vec<usize>,
}

/// The row that is meant.
struct Target {
    table: String,
    key: Vec<String>,
    parts: Vec<String>,
    import: i64,
}

impl<'s> Corrections<'s> {
    /// None where the flow corrects nothing.
    pub(super) fn of(sql: &'s Connection, import: &'s TableImport) -> Option<Self> {
        let places = CORRECTING.iter().map(|name| import.schema.place(name));
        import.corrects.as_ref()?;
        Some(Self {
            sql,
            import,
            places: places.collect::<Option<_>>()?,
        })
    }

    /// The bundle that a correction names.
    pub(super) fn bundle(&self, values: &[Value<'_>]) -> Option<Digest> {
        let named = values.get(*self.places.get(1)?)?;
        if let Value::Text(text) = named {
            text.parse().ok()
        } else {
            None
        }
    }

    /// Applies one; whether there was exactly one row that it could mean.
    pub(super) fn apply(&self, values: &[Value<'_>]) -> Result<bool, StoreError> {
        let texts = self.places.iter().map(|place| match values.get(*place) {
            Some(Value::Text(text)) => *text,
            Some(_) | None => "",
        });
        let texts: Vec<&str> = texts.collect();
        let [flow, bundle, key, kind, row] = texts.as_slice() else {
            return Ok(false);
        };
        let Some(target) = self.target(flow, bundle, key)? else {
            return Ok(false);
        };
        if *kind == WITHDRAWS {
            let delete = format!(
                "DELETE FROM {} WHERE {}",
                quoted(&target.table),
                target.condition(0)
            );
            let mut delete = self.sql.prepare_cached(&delete).map_err(failed)?;
            target.bind(&mut delete, 0).map_err(failed)?;
            return Ok(delete.raw_execute().map_err(failed)? == 1);
        }
        self.replace(flow, &target, row)
    }

    fn target(&self, flow: &str, bundle: &str, key: &str) -> Result<Option<Target>, StoreError> {
        let peer = self.import.id.peer.as_str();
        let query =
            "SELECT name, row_key, import FROM amanah_tables JOIN amanah_imports USING (peer, flow)
            WHERE peer = ?1 AND flow = ?2 AND manifest = ?3";
        let mut query = self.sql.prepare_cached(query).map_err(failed)?;
        let found = query.query_row([peer, flow, bundle], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?))
        });
        let Some((table, columns, import)) = found.optional().map_err(failed)? else {
            return Ok(None);
        };
        let owned = |parts: std::str::Split<'_, char>| parts.map(str::to_owned).collect();
        let target = Target {
            table,
            key: owned(columns.split(',')),
            parts: owned(key.split(BETWEEN)),
            import,
        };
        let whole = !columns.is_empty() && target.key.len() == target.parts.len();
        Ok(whole.then_some(target))
    }

    /// The whole row as it should have been, held against the schema of its own flow; its key stays.
    fn replace(&self, flow: &str, target: &Target, row: &str) -> Result<bool, StoreError> {
        let mut others = self.import.corrects.iter().flatten();
        let Some((_, schema)) = others.find(|(name, _)| name.as_str() == flow) else {
            return Ok(false);
        };
        let fields = schema.fields();
        let set: Vec<String> = (1..)
            .zip(fields)
            .map(|(place, field)| format!("{} = ?{place}", quoted(field.name())))
            .collect();
        let update = format!(
            "UPDATE {} SET {} WHERE {}",
            quoted(&target.table),
            set.join(", "),
            target.condition(fields.len())
        );
        let key = target.key.iter().map(|name| schema.place(name));
        let Some(key) = key.collect::<Option<Vec<_>>>() else {
            return Ok(false);
        };
        let mut replacing = Replacing {
            update: self.sql.prepare_cached(&update).map_err(failed)?,
            target,
            key,
            replaced: 0,
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
            return Err(failed(error));
        }
        let sound = checked.is_ok_and(|checked| checked.report.is_sound() && checked.rows == 1);
        Ok(sound && replacing.replaced == 1)
    }
}

impl Target {
    /// Its row, with the parameters that come after `before` others.
    fn condition(&self, before: usize) -> String {
        let keys = (before + 1..).zip(&self.key);
        let keys = keys.map(|(place, name)| format!("{} = ?{place}", quoted(name)));
        let own = format!("amanah_import = ?{}", before + self.key.len() + 1);
        keys.chain([own]).collect::<Vec<_>>().join(" AND ")
    }

    fn bind(&self, statement: &mut CachedStatement<'_>, before: usize) -> rusqlite::Result<()> {
        for (place, part) in (before + 1..).zip(&self.parts) {
            statement.raw_bind_parameter(place, part)?;
        }
        statement.raw_bind_parameter(before + self.parts.len() + 1, self.import)
    }
}

/// Takes the one row that replaces another.
struct Replacing<'a> {
    update: CachedStatement<'a>,
    target: &'a Target,
    key: Vec<usize>,
    replaced: usize,
    failure: Option<rusqlite::Error>,
}

impl Replacing<'_> {
    fn write(&mut self, values: &[Value<'_>]) -> rusqlite::Result<usize> {
        let mut text = String::new();
        for (place, part) in self.key.iter().zip(&self.target.parts) {
            text.clear();
            print(values.get(*place).unwrap_or(&Value::Missing), &mut text);
            if text != *part {
                return Ok(0);
            }
        }
        for (place, value) in (1..).zip(values) {
            bind(&mut self.update, place, value, &mut text)?;
        }
        self.target.bind(&mut self.update, values.len())?;
        self.update.raw_execute()
    }
}

impl RowSink for Replacing<'_> {
    fn row(&mut self, _: u64, values: &[Value<'_>]) -> io::Result<()> {
        match self.write(values) {
            Ok(replaced) => {
                self.replaced += replaced;
                Ok(())
            }
            Err(error) => {
                self.failure = Some(error);
                Err(io::Error::other("the database did not take a row"))
            }
        }
    }
}
