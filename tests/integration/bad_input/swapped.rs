//! What happens to an item in the very moment in which it is claimed, opened or read: the daemon stands still at a named instant
//! of SPOOL.md while somebody who may write to the outbox changes, takes away or exchanges what is there. What is sent is
//! whole and as it lay there in the end; what may not be sent comes back; another's file never leaves.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::waiting::until;
use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, FlockOperation, Mode, RenameFlags, flock, mknodat, renameat_with};

use super::limits::Used;
use crate::program;

/// The folder in which a program under test looks for gates.
const HOLD_IN: &str = "AMANAH_HOLD_IN";
/// What no operator may read; a canary.
const SECRET: &str = "bukan milik operator";

/// What goes back into the outbox is taken up again at once.
const QUIET: &str = "\n[outbox]\nquiet_secs_files = 0\nquiet_secs_folders = 0\n";

/// The claim is recorded, the item still has its own name.
const RECORDED: &str = "collect.recorded";
/// It was renamed aside and is not listed yet.
const ASIDE: &str = "collect.stood-aside";
/// Its files are listed, the first one is open and not read yet.
const OPENED: &str = "seal.opened";
/// Everything was read, nothing is signed yet.
const READ: &str = "seal.payload-synced";

/// What becomes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum End {
    /// These files arrive, and no other.
    Sent(BTreeMap<PathBuf, Vec<u8>>),
    Returned(&'static str),
    /// There is nothing left to send.
    Gone,
}

const NO_FILE: End = End::Returned("not-a-file");

/// Where the item is while the daemon stands still.
struct Scene<'a> {
    /// The item: by its own name, or by that of its claim.
    item: PathBuf,
    /// A name beside it that no scan looks at.
    aside: PathBuf,
    /// Another's file, and a folder of them.
    secret: &'a Path,
    secrets: &'a Path,
}

impl Scene<'_> {
    fn write(&self, path: &Path, text: &str) -> Result<()> {
        Ok(fs::write(path, text)?)
    }

    /// Something made aside takes the place of `path`.
    fn instead(&self, path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        make(&self.aside)?;
        let is_folder = |path: &Path| path.symlink_metadata().is_ok_and(|at| at.is_dir());
        if is_folder(path) && !is_folder(&self.aside) {
            fs::rename(path, self.aside.with_extension("dulu"))?;
        }
        Ok(fs::rename(&self.aside, path)?)
    }

    fn linked(&self, path: &Path) -> Result<()> {
        self.instead(path, |new| Ok(symlink(self.secret, new)?))
    }

    fn hard_linked(&self, path: &Path) -> Result<()> {
        self.instead(path, |new| Ok(fs::hard_link(self.secret, new)?))
    }

    fn linked_folder(&self, path: &Path) -> Result<()> {
        self.instead(path, |new| Ok(symlink(self.secrets, new)?))
    }

    fn exchanged(&self, path: &Path, text: &str) -> Result<()> {
        self.instead(path, |new| Ok(fs::write(new, text)?))
    }

    fn pipe(&self, path: &Path) -> Result<()> {
        self.instead(path, |new| {
            Ok(mknodat(CWD, new, FileType::Fifo, Mode::RUSR, 0)?)
        })
    }
}

type Change = fn(&Scene<'_>) -> Result<()>;

/// One named case: an item, the instant, what is done to it then.
struct Case {
    name: &'static str,
    /// Paths below the item and texts; an empty path is the item itself.
    files: &'static [(&'static str, &'static str)],
    point: &'static str,
    change: Change,
    end: End,
}

const ONE: &[(&str, &str)] = &[("", "semula")];
const TWO: &[(&str, &str)] = &[("a", "satu"), ("b", "dua"), ("c/d", "tiga")];

fn case(name: &'static str, point: &'static str, end: End, change: Change) -> Case {
    let files = if name.starts_with("folder") { TWO } else { ONE };
    Case {
        name,
        files,
        point,
        change,
        end,
    }
}

/// Files by their paths below the item.
fn sent(files: &[(&str, &str)]) -> End {
    let file = |(path, text): &(&str, &str)| (PathBuf::from(path), text.as_bytes().to_vec());
    End::Sent(files.iter().map(file).collect())
}

fn one(text: &str) -> End {
    sent(&[("", text)])
}

// One case a line, as in a table.
#[rustfmt::skip]
fn before_it_is_aside() -> Vec<Case> {
    vec![
        case("claim: exchanged for another", RECORDED, one("baru"), |s| s.exchanged(&s.item, "baru")),
        case("claim: link swapped in", RECORDED, NO_FILE, |s| s.linked(&s.item)),
        case("claim: hard link swapped in", RECORDED, NO_FILE, |s| s.hard_linked(&s.item)),
        case("claim: second name given", RECORDED, NO_FILE, |s| Ok(fs::hard_link(&s.item, &s.aside)?)),
        case("claim: FIFO swapped in", RECORDED, NO_FILE, |s| s.pipe(&s.item)),
        case("claim: folder swapped in", RECORDED, sent(&[("x", "lain")]), |s| { fs::create_dir(&s.aside)?; s.write(&s.aside.join("x"), "lain")?; fs::remove_file(&s.item)?; Ok(fs::rename(&s.aside, &s.item)?) }),
        case("claim: gone", RECORDED, End::Gone, |s| Ok(fs::remove_file(&s.item)?)),
        case("claim: names exchanged", RECORDED, one("yang lain"), |s| { s.write(&s.aside, "yang lain")?; Ok(renameat_with(CWD, &s.item, CWD, &s.aside, RenameFlags::EXCHANGE)?) }),
        case("folder claim: link swapped in", RECORDED, NO_FILE, |s| s.linked_folder(&s.item)),
        case("aside: grown", ASIDE, one("semula dan lagi"), |s| s.write(&s.item, "semula dan lagi")),
        case("aside: shrunk", ASIDE, one("s"), |s| s.write(&s.item, "s")),
        case("aside: gone", ASIDE, End::Gone, |s| Ok(fs::remove_file(&s.item)?)),
        case("aside: link swapped in", ASIDE, NO_FILE, |s| s.linked(&s.item)),
        case("aside: hard link swapped in", ASIDE, NO_FILE, |s| s.hard_linked(&s.item)),
        case("aside: FIFO swapped in", ASIDE, NO_FILE, |s| s.pipe(&s.item)),
        case("folder aside: a file added", ASIDE, sent(&[("a", "satu"), ("b", "dua"), ("c/d", "tiga"), ("e", "empat")]), |s| s.write(&s.item.join("e"), "empat")),
        case("folder aside: nested", ASIDE, sent(&[("a", "satu"), ("b", "dua"), ("f/c/d", "tiga")]), |s| { fs::create_dir(s.item.join("f"))?; Ok(fs::rename(s.item.join("c"), s.item.join("f/c"))?) }),
        case("folder aside: renamed inside", ASIDE, sent(&[("z", "satu"), ("b", "dua"), ("c/d", "tiga")]), |s| Ok(fs::rename(s.item.join("a"), s.item.join("z"))?)),
        case("folder aside: emptied", ASIDE, End::Returned("folder-empty"), |s| { fs::remove_dir_all(&s.item)?; Ok(fs::create_dir(&s.item)?) }),
        case("folder aside: a name of control characters", ASIDE, End::Returned("name-not-portable"), |s| s.write(&s.item.join("\u{1b}[2J"), "x")),
        case("folder aside: link swapped in", ASIDE, NO_FILE, |s| s.linked_folder(&s.item)),
        case("folder aside: link inside", ASIDE, NO_FILE, |s| s.linked_folder(&s.item.join("c"))),
        case("folder aside: file in its place", ASIDE, one("berkas"), |s| s.exchanged(&s.item, "berkas")),
    ]
}

// One case a line, as in a table.
#[rustfmt::skip]
fn while_it_is_read() -> Vec<Case> {
    vec![
        case("open: grown", OPENED, one("semula dan lagi"), |s| s.write(&s.item, "semula dan lagi")),
        case("open: shrunk", OPENED, one("s"), |s| s.write(&s.item, "s")),
        case("open: as long as before", OPENED, one("lainla"), |s| s.write(&s.item, "lainla")),
        case("open: gone", OPENED, End::Gone, |s| Ok(fs::remove_file(&s.item)?)),
        case("open: exchanged for another", OPENED, one("baru"), |s| s.exchanged(&s.item, "baru")),
        case("open: names exchanged", OPENED, one("yang lain"), |s| { s.write(&s.aside, "yang lain")?; Ok(renameat_with(CWD, &s.item, CWD, &s.aside, RenameFlags::EXCHANGE)?) }),
        case("open: link swapped in", OPENED, NO_FILE, |s| s.linked(&s.item)),
        case("open: hard link swapped in", OPENED, NO_FILE, |s| s.hard_linked(&s.item)),
        case("open: second name given", OPENED, NO_FILE, |s| Ok(fs::hard_link(&s.item, &s.aside)?)),
        case("open: other rights", OPENED, one("semula"), |s| Ok(fs::set_permissions(&s.item, Permissions::from_mode(0o640))?)),
        case("folder open: the next one gone", OPENED, sent(&[("a", "satu"), ("c/d", "tiga")]), |s| Ok(fs::remove_file(s.item.join("b"))?)),
        case("folder open: the next one grown", OPENED, sent(&[("a", "satu"), ("b", "dua dan lagi"), ("c/d", "tiga")]), |s| s.write(&s.item.join("b"), "dua dan lagi")),
        case("folder open: the next one a link", OPENED, NO_FILE, |s| s.linked(&s.item.join("b"))),
        case("folder open: the next one a hard link", OPENED, NO_FILE, |s| s.hard_linked(&s.item.join("b"))),
        case("folder open: the next one a FIFO", OPENED, NO_FILE, |s| s.pipe(&s.item.join("b"))),
        case("folder open: the next folder a link", OPENED, NO_FILE, |s| s.linked_folder(&s.item.join("c"))),
        case("folder open: a file added", OPENED, sent(&[("a", "satu"), ("b", "dua"), ("c/d", "tiga"), ("c/e", "empat")]), |s| s.write(&s.item.join("c/e"), "empat")),
        case("folder open: taken away", OPENED, End::Gone, |s| Ok(fs::rename(&s.item, &s.aside)?)),
        case("read: as long as before", READ, one("lainla"), |s| s.write(&s.item, "lainla")),
        case("read: gone", READ, End::Gone, |s| Ok(fs::remove_file(&s.item)?)),
        case("read: link swapped in", READ, NO_FILE, |s| s.linked(&s.item)),
        case("read: second name given", READ, NO_FILE, |s| Ok(fs::hard_link(&s.item, &s.aside)?)),
        case("folder read: the first one written to", READ, sent(&[("a", "SATU"), ("b", "dua"), ("c/d", "tiga")]), |s| s.write(&s.item.join("a"), "SATU")),
        case("folder read: a file added", READ, sent(&[("a", "satu"), ("b", "dua"), ("c/d", "tiga"), ("c/e", "empat")]), |s| s.write(&s.item.join("c/e"), "empat")),
        case("folder read: renamed inside", READ, sent(&[("a", "satu"), ("b", "dua"), ("f/d", "tiga")]), |s| Ok(fs::rename(s.item.join("c"), s.item.join("f"))?)),
        case("folder read: nested", READ, sent(&[("c/a", "satu"), ("b", "dua"), ("c/d", "tiga")]), |s| Ok(fs::rename(s.item.join("a"), s.item.join("c/a"))?)),
        case("folder read: link inside", READ, NO_FILE, |s| s.linked(&s.item.join("c/d"))),
    ]
}

/// A gate at which the daemon waits as long as this value lives.
struct Gate {
    place: PathBuf,
    _locked: File,
}

impl Gate {
    fn shut(folder: &Path, point: &str) -> Result<Self> {
        let (place, made) = (folder.join(point), folder.join("baru"));
        let locked = File::create(&made)?;
        flock(&locked, FlockOperation::LockExclusive)?;
        fs::rename(&made, &place)?;
        Ok(Self {
            place,
            _locked: locked,
        })
    }

    fn until_reached(&self) -> Result<()> {
        let mut reached = self.place.clone().into_os_string();
        reached.push(".reached");
        let reached = PathBuf::from(reached);
        until("the instant", PATIENCE, || {
            Ok(reached.exists().then_some(()))
        })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Who comes later does not wait; who waits goes on when the lock falls with the file.
        let _gone = fs::remove_file(&self.place);
    }
}

/// Both daemons, the sender with gates, and what it must not send.
struct Office {
    exchange: Exchange,
    gates: PathBuf,
    secret: PathBuf,
    secrets: PathBuf,
    wrong: Vec<String>,
}

impl Office {
    fn new() -> Result<Self> {
        let mut exchange = Exchange::found(program())?;
        let ground = exchange.folder().to_owned();
        let (gates, secrets) = (ground.join("gerbang"), ground.join("rahasia"));
        fs::create_dir(&gates)?;
        fs::create_dir(&secrets)?;
        let secret = secrets.join("rahasia.txt");
        fs::write(&secret, SECRET)?;
        exchange.pair.imigrasi.start()?;
        let config = exchange.pair.phu.folder().join(home::CONFIG);
        let mut text = fs::read_to_string(&config)?;
        text.push_str(QUIET);
        fs::write(&config, text)?;
        let phu = &mut exchange.pair.phu;
        let launch = phu.launch().clone();
        let gates_text = gates.to_str().context("a path")?;
        phu.launch_daemon(&launch.with(HOLD_IN, gates_text))?;
        phu.until_up()?;
        exchange.pair.until_connected()?;
        Ok(Self {
            exchange,
            gates,
            secret,
            secrets,
            wrong: Vec::new(),
        })
    }

    fn outbox(&self) -> PathBuf {
        let way = &self.exchange.out;
        self.exchange.pair.phu.outbox(&way.to, &way.flow)
    }

    /// Drops it, waits for the instant, changes it, and lets the daemon go on.
    fn play(&mut self, case: &Case) -> Result<()> {
        let (gate, name) = (Gate::shut(&self.gates, case.point)?, item_name(case));
        let way = self.exchange.out.clone();
        let item = self.exchange.item(&way, &name, case.files)?;
        item.drop_into(&self.outbox())?;
        gate.until_reached()?;
        let scene = Scene {
            item: self.place_of(&name)?,
            aside: self.outbox().join(format!(".lain-{name}")),
            secret: &self.secret,
            secrets: &self.secrets,
        };
        (case.change)(&scene)?;
        drop(gate);
        let found = self.end_of(&name, &case.end)?;
        ensure!(
            found == case.end,
            "{:?} expected, {found:?} found",
            case.end
        );
        Ok(())
    }

    /// Where the item is: under its own name, or aside.
    fn place_of(&self, name: &str) -> Result<PathBuf> {
        let own = self.outbox().join(name);
        if own.exists() {
            return Ok(own);
        }
        let entries = fs::read_dir(self.outbox())?;
        let paths = entries.flatten().map(|entry| entry.path());
        let mut claims = paths.filter(|path| {
            let name = path.file_name().unwrap_or_default();
            name.as_encoded_bytes()
                .starts_with(home::CLAIM_PREFIX.as_bytes())
        });
        claims.next().context("a claim")
    }

    /// What became of the item, once nothing more happens to it.
    fn end_of(&mut self, name: &str, expected: &End) -> Result<End> {
        if *expected == End::Gone {
            // A good item after it: so many scans later nothing of this one was taken up again.
            self.passes_on(&format!("sesudah {name}"))?;
        }
        let phu = &mut self.exchange.pair.phu;
        let (state, reason) = phu.wait_for(name, PATIENCE, |status| {
            let all = status.outgoing.iter();
            let ours = all.filter(|one| one.items.iter().any(|item| item.name == name));
            let mut ends = ours.map(|one| (one.state.clone(), one.return_reason.clone()));
            let done = |(state, _): &(String, _)| ["settled", "returned"].contains(&&**state);
            match expected {
                End::Gone => ends
                    .find(|(state, _)| state != "put-back")
                    .or(Some(Default::default())),
                End::Sent(_) | End::Returned(_) => ends.find(done),
            }
        })?;
        match (state.as_str(), reason) {
            ("", _) => Ok(End::Gone),
            ("settled", _) => Ok(End::Sent(self.arrived(name)?)),
            (_, reason) => {
                let codes = ["not-a-file", "folder-empty", "name-not-portable"];
                let reason = reason.unwrap_or(state);
                let known = codes.into_iter().find(|code| *code == reason);
                known.map(End::Returned).context(reason)
            }
        }
    }

    /// A good item goes its way.
    fn passes_on(&mut self, name: &str) -> Result<()> {
        let way = self.exchange.out.clone();
        let good = self.exchange.drop_text(&way, name, "baik")?;
        self.exchange.settled(&[good]).map(drop)
    }

    /// All files of this item at the receiver, of whatever bundle, by their paths below it.
    fn arrived(&self, name: &str) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
        let way = &self.exchange.out;
        let receiver = &self.exchange.pair.imigrasi;
        let inbox = receiver
            .path(home::INBOX)
            .join(way.from.as_str())
            .join(way.flow.as_str());
        let mut files = BTreeMap::new();
        for path in files_below(&inbox)? {
            // BUNDLE-ID/NAME, or BUNDLE-ID/NAME/ENTRY
            let below: PathBuf = path.strip_prefix(&inbox)?.components().skip(1).collect();
            if let Ok(entry) = below.strip_prefix(name) {
                let twice = files.insert(entry.to_owned(), fs::read(&path)?);
                ensure!(twice.is_none(), "{below:?} came twice");
            }
        }
        Ok(files)
    }

    /// No file of the receiver holds what is another's.
    fn keeps_the_secret(&mut self) -> Result<()> {
        ensure!(
            fs::read_to_string(&self.secret)? == SECRET,
            "it was changed"
        );
        for path in files_below(&self.exchange.pair.imigrasi.path(home::INBOX))? {
            let holds = String::from_utf8_lossy(&fs::read(&path)?).contains(SECRET);
            ensure!(!holds, "it left, as {}", path.display());
        }
        Ok(())
    }
}

/// A name that no rule of ours forbids.
fn item_name(case: &Case) -> String {
    case.name.replace(": ", " - ")
}

fn play_all(group: &str, cases: &[Case]) {
    let mut office = Office::new().unwrap();
    let before = Used::by(&office.exchange.pair.phu).unwrap();
    for case in cases {
        if let Err(error) = office.play(case) {
            office.wrong.push(format!("{}: {error:#}", case.name));
        }
    }
    office.keeps_the_secret().unwrap();
    let used = Used::by(&office.exchange.pair.phu).unwrap();
    let cpu = used.since(&before, 0).unwrap();
    println!(
        "bad input, {group}: {} cases, {cpu:?}, peak {} KiB",
        cases.len(),
        used.peak_kib
    );
    assert!(office.wrong.is_empty(), "{}", office.wrong.join("\n"));
    office.passes_on("baik.csv").unwrap();
}

#[test]
fn what_is_exchanged_while_it_is_claimed_is_sent_whole_or_comes_back() {
    play_all("exchanged while claimed", &before_it_is_aside());
}

#[test]
fn what_changes_while_it_is_read_is_sent_whole_or_comes_back() {
    play_all("changed while read", &while_it_is_read());
}
