//! The tables of the flows, made from their schemas and kept fitting: what can be added is added, what would drop a column or read
//! one as something else is refused, with what must be done. Nothing is ever dropped here. Names come from the checked schema
//! and from the grammar of flows and parties, are quoted all the same, and are never taken from a row.
//!
//! What is decided is the same for every database; how one is asked and changed is its [`Ground`].

use std::collections::BTreeMap;

use amanah_format::manifest::AgreementRef;
use amanah_format::table::Field;

use super::TableImport;
use crate::engine::policy::Mode;
use crate::store::StoreError;

/// Beginning of names that are the store's own.
const OWN: &str = "amanah_";
/// More tables than any store has flows: a bound for the search of a free name.
const NAMES_TRIED: u32 = 1_000;

/// Why an index that tells rows apart cannot be made.
const SEVERAL: &str = "several rows have one key there";

/// The table of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Table {
    /// Its name.
    pub(in crate::store) name: String,
    /// The agreement that it fits.
    pub(in crate::store) agreement_id: String,
    /// Its version.
    pub(in crate::store) agreement_version: u32,
    /// The columns that rows are named by, separated by commas.
    pub(in crate::store) key: String,
    /// The import that made it: names of indexes are built on it, so that a table that was put aside keeps its own.
    pub(in crate::store) made_by: i64,
}

impl Table {
    /// Whether this import makes it: nothing is there that its rows could meet, in whichever mode. Its indexes come after the commit.
    pub(in crate::store) const fn is_new(&self, import: &TableImport, record: i64) -> bool {
        self.made_by == record && import.corrects.is_none()
    }
}

/// What rows of a table are found by.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Index<'a> {
    /// The word for it in the index's name.
    pub(in crate::store) what: &'static str,
    /// Whether one key is one row.
    pub(in crate::store) is_unique: bool,
    /// Names of columns.
    pub(in crate::store) columns: &'a [&'a str],
}

/// Name and kind of each column, by its name in lower case.
pub(in crate::store) type Columns = BTreeMap<String, (String, String)>;

/// A database in the transaction of an import, as far as tables are made and changed in it.
pub(in crate::store) trait Ground {
    /// Beginning of names that are the database's own.
    const RESERVED: &'static str;
    /// Names that no column may have.
    const NO_COLUMNS: &'static [&'static str];
    /// Longest name of a table, in bytes.
    const NAME_BYTES_MAX: usize;

    /// The table of a peer's flow, as the store's own tables know it.
    fn known(&self, import: &TableImport) -> Result<Option<Table>, StoreError>;

    /// A table by its name, and the word for the mode of the import that made it.
    fn noted(&self, name: &str) -> Result<Option<(Table, String)>, StoreError>;

    /// Whether anything of this name is there.
    fn is_there(&self, name: &str) -> Result<bool, StoreError>;

    /// Takes a table out of the store's own tables; itself it stays.
    fn forget(&self, name: &str) -> Result<(), StoreError>;

    /// Makes it, with the columns of provenance, and notes it and its columns.
    fn make(&self, table: &Table, import: &TableImport) -> Result<(), StoreError>;

    /// What is noted of its columns.
    fn columns(&self, table: &str) -> Result<Columns, StoreError>;

    /// Adds a column, and notes it.
    fn add(&self, table: &str, field: &Field) -> Result<(), StoreError>;

    /// Notes the agreement that it fits now.
    fn fits(&self, table: &str, agreement: &AgreementRef) -> Result<(), StoreError>;

    /// How whoever keeps the database names a table of this store.
    fn place_of(&self, table: &str) -> String {
        table.to_owned()
    }

    /// Makes an index unless it is there; `false`: several rows have one key.
    fn index(&self, table: &Table, index: Index<'_>) -> Result<bool, StoreError>;
}

/// A name as SQL writes it. Every name here is of letters, digits and underscores.
pub(in crate::store) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The table that this import's rows go to, made or widened where it must be. Its indexes are another matter:
/// [`indexed`], [`indexed_afterwards`].
pub(in crate::store) fn ensure<G: Ground>(
    ground: &G,
    import: &TableImport,
    record: i64,
) -> Result<Table, StoreError> {
    let fields = import.schema.fields();
    if let Some(field) = fields.iter().find(|field| no_column::<G>(field.name())) {
        return Err(StoreError::Schema(format!(
            "column {} of flow {}: the name is the store's or the database's own; agree on another",
            field.name(),
            import.flow()
        )));
    }
    let table = match ground.known(import)? {
        Some(table) if ground.is_there(&table.name)? => widened(ground, import, table)?,
        // Renamed or removed by whoever keeps the database: it is theirs, and a new one is made.
        Some(table) => {
            ground.forget(&table.name)?;
            made(ground, import, record)?
        }
        None => made(ground, import, record)?,
    };
    Ok(table)
}

fn is_reserved<G: Ground>(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(OWN) || name.starts_with(G::RESERVED)
}

fn no_column<G: Ground>(name: &str) -> bool {
    is_reserved::<G>(name) || G::NO_COLUMNS.contains(&name.to_ascii_lowercase().as_str())
}

/// The flow's name; with the peer's behind it where that is taken, by another peer's flow or by whatever stands there.
fn free_name<G: Ground>(ground: &G, import: &TableImport) -> Result<String, StoreError> {
    let plain = import.flow().as_str().replace('-', "_");
    let plain = if is_reserved::<G>(&plain) {
        format!("flow_{plain}")
    } else {
        plain
    };
    let peer = import.id.peer.as_str().replace('-', "_");
    for tried in 0..NAMES_TRIED {
        let behind = match tried {
            0 => String::new(),
            1 => format!("__{peer}"),
            _ => format!("__{peer}_{tried}"),
        };
        // What a database would cut off would make two names one.
        let room = G::NAME_BYTES_MAX.saturating_sub(behind.len());
        let name = format!("{}{behind}", plain.get(..room).unwrap_or(&plain));
        if !ground.is_there(&name)? {
            return Ok(name);
        }
    }
    Err(StoreError::Schema(format!(
        "no free name for a table of flow {}",
        import.flow()
    )))
}

fn made<G: Ground>(ground: &G, import: &TableImport, record: i64) -> Result<Table, StoreError> {
    let table = Table {
        name: free_name(ground, import)?,
        agreement_id: import.agreement.id.to_string(),
        agreement_version: import.agreement.version,
        key: key_of(import).join(","),
        made_by: record,
    };
    ground.make(&table, import)?;
    Ok(table)
}

fn key_of(import: &TableImport) -> Vec<&str> {
    let fields = import.schema.fields();
    let key = import.landing.key.iter();
    key.filter_map(|place| Some(fields.get(*place)?.name()))
        .collect()
}

/// Adds what the schema has more; refuses what it has not, or has as something else.
fn widened<G: Ground>(ground: &G, import: &TableImport, table: Table) -> Result<Table, StoreError> {
    let mut there = ground.columns(&table.name)?;
    for field in import.schema.fields() {
        match there.remove(&field.name().to_ascii_lowercase()) {
            None => ground.add(&table.name, field)?,
            Some((name, kind)) if name == field.name() && kind == field.kind().code() => {}
            Some((name, kind)) => {
                let (now, is) = (field.name(), field.kind().code());
                let reason = format!(
                    "column {name} holds {kind} there, and by this version column {now} holds {is}"
                );
                return Err(refused(ground, import, &table, &reason));
            }
        }
    }
    let same = table.agreement_id == import.agreement.id.as_str();
    let is_older = same && import.agreement.version < table.agreement_version;
    // What a version before this one sends while it drains has no more than it had.
    if !is_older && let Some((name, _)) = there.into_values().next() {
        let reason = format!("column {name} is there, and is not agreed any more");
        return Err(refused(ground, import, &table, &reason));
    }
    if is_older || (same && import.agreement.version == table.agreement_version) {
        return Ok(table);
    }
    ground.fits(&table.name, &import.agreement)?;
    Ok(table)
}

/// Nothing is dropped: whoever keeps the database puts the table aside, and the next import makes one that fits.
fn refused<G: Ground>(ground: &G, import: &TableImport, table: &Table, reason: &str) -> StoreError {
    StoreError::Schema(format!(
        "table {name} cannot take agreement {id} version {version}: {reason}. Keep the old rows under another name: \
         ALTER TABLE {place} RENAME TO {aside};",
        name = table.name,
        aside = aside(ground, &table.name),
        place = ground.place_of(&table.name),
        id = import.agreement.id,
        version = import.agreement.version,
    ))
}

/// A free name for a table that is put aside.
fn aside<G: Ground>(ground: &G, name: &str) -> String {
    let plain = format!("{name}_lama");
    let numbered = (2..NAMES_TRIED).map(|number| format!("{plain}_{number}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    let is_free = |name: &String| !ground.is_there(name).unwrap_or(true);
    names.find(is_free).unwrap_or(plain)
}

/// Makes the indexes of a table unless they are there. Rows are found by their key, and by the partition that is replaced; where they
/// are merged, one key is one row.
pub(in crate::store) fn indexed<G: Ground>(
    ground: &G,
    import: &TableImport,
    table: &Table,
) -> Result<(), StoreError> {
    let key = key_of(import);
    let upserts = import.landing.mode == Mode::Upsert;
    if upserts && key.join(",") != table.key {
        let reason = format!(
            "rows are named by ({}), and are by ({}) now",
            table.key,
            key.join(",")
        );
        return Err(refused(ground, import, table, &reason));
    }
    let fields = import.schema.fields();
    let partition = import.landing.partition.and_then(|place| fields.get(place));
    let partition: Vec<&str> = partition.iter().map(|field| field.name()).collect();
    let by_part = Index {
        what: "bagian",
        is_unique: false,
        columns: &partition,
    };
    // By what its rows were named when it was made, as corrections name them.
    let key = if table.key.is_empty() {
        key
    } else {
        table.key.split(',').collect()
    };
    for index in [by_key(upserts, &key), by_part] {
        if !index.columns.is_empty() && !ground.index(table, index)? {
            return Err(refused(ground, import, table, SEVERAL));
        }
    }
    Ok(())
}

const fn by_key<'a>(upserts: bool, columns: &'a [&'a str]) -> Index<'a> {
    Index {
        what: if upserts { "kunci" } else { "baris" },
        is_unique: upserts,
        columns,
    }
}

/// The same for the table of an import that is committed, unless it was put aside since.
pub(in crate::store) fn indexed_afterwards<G: Ground>(
    ground: &G,
    import: &TableImport,
) -> Result<(), StoreError> {
    match ground.known(import)? {
        Some(table) if ground.is_there(&table.name)? => indexed(ground, import, &table),
        Some(_) | None => Ok(()),
    }
}

/// Makes the index by which rows of a table are found by their key, where the daemon died before it came to that. It is the one that
/// the import which made the table left out: any other import of the flow makes it before its rows.
pub(in crate::store) fn found_by_key<G: Ground>(ground: &G, name: &str) -> Result<(), StoreError> {
    let Some((table, mode)) = ground.noted(name)? else {
        return Ok(());
    };
    let key: Vec<&str> = table.key.split(',').collect();
    let index = by_key(mode == Mode::Upsert.as_str(), &key);
    if table.key.is_empty() || ground.index(&table, index)? {
        return Ok(());
    }
    Err(StoreError::Schema(format!(
        "table {name} cannot be corrected: {SEVERAL}, and none but its imports may write into it"
    )))
}
