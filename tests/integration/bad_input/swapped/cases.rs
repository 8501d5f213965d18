//! The tables of these cases: an item, the instant at which the daemon stands still, what is done to it then, and its end.
//! An operator may do all of this with no more than the right to write to the outbox.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

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
pub(super) enum End {
    /// These files arrive, and no other.
    Sent(BTreeMap<PathBuf, Vec<u8>>),
    Returned(&'static str),
    /// There is nothing left to send.
    Gone,
}

const NO_FILE: End = End::Returned("not-a-file");

/// Where the item is while the daemon stands still.
pub(super) struct Scene<'a> {
    /// The item: by its own name, or by that of its claim.
    pub(super) item: PathBuf,
    /// A name beside it that no scan looks at.
    pub(super) aside: PathBuf,
    /// Another's file, and a folder of them.
    pub(super) secret: &'a Path,
    pub(super) secrets: &'a Path,
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
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Paths below the item and texts; an empty path is the item itself.
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) point: &'static str,
    pub(super) change: Change,
    pub(super) end: End,
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
pub(super) fn before_it_is_aside() -> Vec<Case> {
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
pub(super) fn while_it_is_read() -> Vec<Case> {
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
