//! A server with the role of the shipped script, stores in it, and bundles whose rows are written as an import writes them: read by
//! the checker, under the schema of every type.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use amanah_format::contents::ContentsSummary;
use amanah_format::digest::Digest;
use amanah_format::id::{Epoch, Sequence};
use amanah_format::manifest::AgreementRef;
use amanah_format::receipt::StoreRef;
use amanah_format::table::{Dialect, Memory, Plan, RowSink, Schema, check};
use amanah_tests::postgres::Postgres;
use amanahd::engine::policy::{Landing, Mode};
use amanahd::store::postgres::PostgresStore;
use amanahd::store::table::{Sums, TableImport, TableStore};
use amanahd::store::{ImportId, StoreError};

use crate::stores::ground::SCHEMA;

pub(super) use super::granted as server;

/// A store by the server's Unix socket.
pub(super) fn store(server: &Postgres) -> PostgresStore {
    store_at(&server.url("amanah"), "amanah")
}

pub(super) fn store_at(url: &str, schema: &str) -> PostgresStore {
    PostgresStore::new(url.parse().unwrap(), schema, "imigrasi".parse().unwrap()).unwrap()
}

pub(super) fn schema(text: &str) -> Arc<Schema> {
    Arc::new(Schema::parse(text.as_bytes()).unwrap())
}

/// A bundle of a flow, the `number`-th; appended, of the agreement's first version. A day may be missing.
pub(super) fn import(flow: &str, number: u8) -> TableImport {
    let text = SCHEMA.replace(
        r#""type": "date", "constraints": {"required": true}"#,
        r#""type": "date""#,
    );
    TableImport {
        id: ImportId {
            manifest: Digest::of(&[number]),
            peer: "kemenhaj".parse().unwrap(),
            flow: flow.parse().unwrap(),
            bundle: "01934f6e-0000-7000-8000-000000000001".parse().unwrap(),
            contents: ContentsSummary {
                digest: Digest::of(b"isi"),
                entries: 1,
                bytes: 1,
            },
        },
        agreement: AgreementRef {
            id: "pks".parse().unwrap(),
            version: 1,
            digest: Digest::of(b"pks"),
        },
        epoch: Epoch::FIRST,
        sequence: Sequence::FIRST,
        schema: schema(&text),
        landing: Landing {
            mode: Mode::Append,
            key: vec![0],
            partition: None,
        },
        corrects: None,
        received: "2030-01-02T00:00:00Z".parse().unwrap(),
        now: "2030-01-02T00:00:01Z".parse().unwrap(),
    }
}

/// A row of a number, a day and a name.
pub(super) fn row(number: u32, day: &str, name: &str) -> String {
    format!("U-{number:06},{day},{name},10.5{},,,,,,\n", number % 10)
}

/// A table of so many rows from a number on, all of one name.
pub(super) fn table(from: u32, count: u32, name: &str) -> String {
    let head = "nomor,hari,nama,biaya,umur,transit,waktu,jam,tahun,bulan\n";
    let rows = (from..from + count).map(|number| row(number, "2030-01-02", name));
    head.to_owned() + &rows.collect::<String>()
}

type Landed = Result<Option<StoreRef>, StoreError>;

/// Writes a table's rows; commits where `commits`.
pub(super) fn land(
    store: &dyn TableStore,
    import: &TableImport,
    text: &str,
    commits: bool,
) -> Landed {
    store.import(import, &mut |rows| {
        fill(import, text, rows).filter(|_| commits)
    })
}

/// The same, with something done when all rows were written.
pub(super) fn land_with(
    store: &dyn TableStore,
    import: &TableImport,
    text: &str,
    done: &mut dyn FnMut(),
) -> Landed {
    store.import(import, &mut |rows| {
        let sums = fill(import, text, rows);
        done();
        sums
    })
}

/// None where the database took no more rows; a table that is not sound is a mistake of the test.
fn fill(import: &TableImport, text: &str, rows: &mut dyn RowSink) -> Option<Sums> {
    // Numbers at the borders of their type have no sum.
    let totals: &[usize] = if import.flow().as_str() == "manifes-umrah" {
        &[3]
    } else {
        &[]
    };
    let plan = Plan {
        schema: &import.schema,
        dialect: Dialect::Csv,
        rows_max: None,
        totals,
        key: [7; 16],
    };
    let checked = check(&mut text.as_bytes(), &plan, &mut Memory::default(), rows).ok()?;
    assert!(checked.report.is_sound(), "{:?}", checked.report);
    Some(Sums {
        rows: checked.rows,
        totals: checked.totals,
    })
}

/// A session of `psql` that holds what these words took, until it ends.
pub(super) struct Holder(Child);

impl Holder {
    pub(super) fn end(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

pub(super) fn hold(server: &Postgres, words: &str) -> Holder {
    let url = server.url("pengelola");
    let mut child = Command::new("psql")
        .args(["-X", "-q", "-At", "-d", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = child.stdin.as_mut().unwrap();
    writeln!(typed, "{words}\n\\echo siap").unwrap();
    let mut said = BufReader::new(child.stdout.as_mut().unwrap());
    let mut line = String::new();
    while line.trim() != "siap" {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "{words}");
    }
    Holder(child)
}
