//! What an operator, or somebody who may write to the outbox, drops: links, special files, impossible sizes and names. Each
//! comes back with its reason or is sent whole, and nothing else leaves.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, inbox_tree};
use anyhow::Result;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::program;

/// What becomes of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Sent,
    Returned(&'static str),
    /// Not seen as an item: unfinished, hidden, or an explanation of ours.
    Left,
}

const LINK: End = End::Returned("not-a-file");
const NAME: End = End::Returned("name-not-portable");

/// Makes it at a path.
type Maker = dyn Fn(&Path) -> Result<()>;

/// One thing to drop: made at the path, which is then renamed into the outbox.
struct Thing {
    name: OsString,
    end: End,
    make: Box<Maker>,
}

fn thing(name: impl AsRef<OsStr>, end: End, make: impl Fn(&Path) -> Result<()> + 'static) -> Thing {
    Thing {
        name: name.as_ref().to_owned(),
        end,
        make: Box::new(make),
    }
}

fn text(name: impl AsRef<OsStr>, end: End) -> Thing {
    thing(name, end, |path| Ok(fs::write(path, "isi\n")?))
}

/// A folder with these made inside.
fn folder(name: &str, end: End, fill: fn(&Path) -> Result<()>) -> Thing {
    thing(name, end, move |path| {
        fs::create_dir(path)?;
        fill(path)
    })
}

fn node(path: &Path, kind: FileType) -> Result<()> {
    Ok(mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, 0)?)
}

// One case a line, as in a table.
#[rustfmt::skip]
fn kinds(secret: PathBuf) -> Vec<Thing> {
    let (linked, hard) = (secret.clone(), secret);
    vec![
        thing("tautan.csv", LINK, move |path| Ok(symlink(&linked, path)?)),
        thing("tautan ke folder", LINK, |path| Ok(symlink("/etc", path)?)),
        thing("tautan putus", LINK, |path| Ok(symlink("tidak-ada", path)?)),
        thing("tautan ke dirinya", LINK, |path| Ok(symlink("tautan ke dirinya", path)?)),
        thing("tautan keras.csv", LINK, move |path| Ok(fs::hard_link(&hard, path)?)),
        thing("pipa", LINK, |path| node(path, FileType::Fifo)),
        thing("soket", LINK, |path| node(path, FileType::Socket)),
        thing("satu tebibita lebih", End::Returned("too-large"), |path| {
            Ok(File::create(path)?.set_len((1 << 40) + 1)?)
        }),
        thing("tujuh exbibita", End::Returned("too-large"), |path| {
            let sized = (0..12).rev().map(|less| (1_u64 << 62) >> (4 * less));
            let file = File::create(path)?;
            // As large as this file system allows.
            sized.for_each(|bytes| drop(file.set_len(bytes)));
            Ok(())
        }),
        folder("folder kosong", End::Returned("folder-empty"), |_| Ok(())),
        folder("folder berisi folder kosong", End::Returned("folder-empty"), |path| Ok(fs::create_dir_all(path.join("a/b/c"))?)),
        folder("folder dengan tautan", LINK, |path| {
            fs::write(path.join("a"), "isi")?;
            Ok(symlink("/etc/passwd", path.join("b"))?)
        }),
        folder("folder dengan pipa", LINK, |path| node(&path.join("a"), FileType::Fifo)),
        folder("folder dengan tautan folder", LINK, |path| Ok(symlink("..", path.join("naik"))?)),
        folder("folder 40 dalam", LINK, |path| deep(path, 40)),
        folder("folder 20 dalam", NAME, |path| deep(path, 20)),
        folder("folder 15 dalam", End::Sent, |path| deep(path, 14)),
        folder("folder besar kecil", NAME, |path| {
            fs::write(path.join("Data.csv"), "1")?;
            Ok(fs::write(path.join("data.CSV"), "2")?)
        }),
        folder("folder dengan nama buruk", NAME, |path| Ok(fs::write(path.join("a\u{202e}b"), "1")?)),
        folder("folder setebibita", End::Returned("too-large"), |path| {
            fs::write(path.join("a"), "1")?;
            Ok(File::create(path.join("b"))?.set_len(1 << 40)?)
        }),
        thing("berkas kosong.csv", End::Sent, |path| Ok(fs::write(path, "")?)),
        thing("berlubang.bin", End::Sent, |path| Ok(File::create(path)?.set_len(50 << 20)?)),
        folder("folder biasa", End::Sent, |path| Ok(fs::write(path.join("a.csv"), "1")?)),
    ]
}

fn deep(path: &Path, levels: usize) -> Result<()> {
    let bottom = path.join(vec!["a"; levels].join("/"));
    fs::create_dir_all(&bottom)?;
    Ok(fs::write(bottom.join("dasar.txt"), "isi")?)
}

fn names() -> Vec<Thing> {
    let long = "m".repeat(255);
    let wide = "\u{e9}".repeat(127);
    let bad: [&[u8]; 17] = [
        b"bukan utf-8 \xff.csv",
        b"terlalu panjang \xc0\xaf.csv",
        b"kendali \x01.csv",
        b"baris\nbaru.csv",
        b"layar \x1b[2J.csv",
        "arah \u{202e}vsc.txt".as_bytes(),
        "lebar nol \u{200b}.csv".as_bytes(),
        "terurai cafe\u{301}.csv".as_bytes(),
        b"garis\\miring.csv",
        b"titik dua: C.csv",
        b"CON",
        b"nul.txt",
        b"lpt1.csv",
        b"titik di akhir.",
        b"spasi di akhir ",
        b"Contents.JSON",
        b"naik\\..\\..\\x.csv",
    ];
    let good = [
        "=cmd|' ' !A1.csv",
        "-rf",
        "$(touch jejak).csv",
        "'; DROP TABLE jemaah; --.csv",
        "%00%2e%2e%2f.csv",
        "titik..titik.csv",
        &long,
        &wide,
    ];
    let left = [
        ".tersembunyi.csv",
        "..naik",
        "...",
        "belum.part",
        "belum.tmp",
        "belum.partial",
        "belum.filepart",
        "belum.crdownload",
        "belum.csv~",
        "baik.csv.why.txt",
    ];
    let bad = bad.map(|name| text(OsStr::from_bytes(name), NAME));
    let all = bad
        .into_iter()
        .chain(good.map(|name| text(name, End::Sent)));
    let left = left.map(|name| text(name, End::Left));
    left.into_iter().chain(all).collect()
}

struct Office {
    exchange: Exchange,
    wrong: Vec<String>,
}

impl Office {
    /// Drops them all, as operators are told to.
    fn drop(&self, things: &[Thing]) {
        let way = &self.exchange.out;
        let outbox = self.exchange.pair.phu.outbox(&way.to, &way.flow);
        fs::create_dir_all(&outbox).unwrap();
        for (number, thing) in things.iter().enumerate() {
            let made = outbox.join(format!(".sedang-dibuat-{number}"));
            (thing.make)(&made).unwrap();
            fs::rename(&made, outbox.join(&thing.name)).unwrap();
        }
    }

    /// What became of an item, once something did.
    fn ended(&mut self, thing: &Thing) -> Option<String> {
        let name = thing.name.to_string_lossy();
        let phu = &mut self.exchange.pair.phu;
        let ended = phu.wait_for(&name, PATIENCE, |status| {
            let mut all = status.outgoing.iter();
            let one = all.find(|one| one.items.iter().any(|item| item.name == name))?;
            match one.state.as_str() {
                "settled" => Some(None),
                "returned" => Some(Some(one.return_reason.clone().unwrap_or_default())),
                _ => None,
            }
        });
        ended.unwrap()
    }

    fn check(&mut self, thing: &Thing) {
        let way = &self.exchange.out;
        let outbox = self.exchange.pair.phu.outbox(&way.to, &way.flow);
        if thing.end == End::Left {
            if fs::symlink_metadata(outbox.join(&thing.name)).is_err() {
                self.wrong.push(format!("{:?} was taken", thing.name));
            }
            return;
        }
        let found = self.ended(thing);
        let expected = match thing.end {
            End::Sent | End::Left => None,
            End::Returned(code) => Some(code),
        };
        if found.as_deref() != expected {
            self.wrong.push(format!(
                "{:?}: {:?} expected, {found:?} found",
                thing.name, thing.end
            ));
        }
        let way = &self.exchange.out;
        let home = self.exchange.pair.phu.home();
        let place = match thing.end {
            End::Sent | End::Left => home::sent(&way.to, &way.flow),
            End::Returned(_) => home::returned(&way.to, &way.flow),
        };
        if fs::symlink_metadata(home.join(&place).join(&thing.name)).is_err() {
            self.wrong
                .push(format!("{:?} is not in {place}", thing.name));
        }
    }
}

#[test]
fn what_may_not_leave_comes_back_with_its_reason() {
    let mut office = Office {
        exchange: Exchange::connected(program()).unwrap(),
        wrong: Vec::new(),
    };
    let secret = office.exchange.folder().join("rahasia.txt");
    fs::write(&secret, "bukan milik operator").unwrap();
    let mut things = kinds(secret.clone());
    things.extend(names());
    office.drop(&things);
    for thing in &things {
        office.check(thing);
    }
    assert!(office.wrong.is_empty(), "{}", office.wrong.join("\n"));
    let sent = things.iter().filter(|thing| thing.end == End::Sent).count();
    let arrived = inbox_tree(&office.exchange.pair.imigrasi).unwrap();
    assert_eq!(arrived.len(), sent, "{arrived:?}");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "bukan milik operator");
    println!("bad input, outbox: {} cases", things.len());
    let way = office.exchange.out.clone();
    let good = office.exchange.drop_text(&way, "baik.csv", "baik").unwrap();
    office.exchange.settled(&[good]).unwrap();
}
