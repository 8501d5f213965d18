//! The checker sees what it is there for: an exchange that ended well passes, and each thing that is then done to the homes
//! behind its back is found.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::checker::{Side, Witness};
use super::dice::Dice;
use super::ground::{Ground, IMIGRASI, PHU};
use super::syscall::drop_both_ways;

/// What is done to the home of a side, and what the checker must say.
type Damage = (usize, &'static str, fn(&Path) -> Result<()>);

const DAMAGES: [Damage; 11] = [
    (IMIGRASI, "imported 0 times", |home| {
        Ok(fs::remove_file(a_file(&home.join("inbox/phu"))?)?)
    }),
    (IMIGRASI, "imported 0 times", |home| {
        Ok(fs::write(a_file(&home.join("inbox/phu"))?, "lain")?)
    }),
    (IMIGRASI, "imported 2 times", |home| {
        let flow = home.join("inbox/phu/manifes-umrah");
        let bundle = fs::read_dir(&flow)?.next().context("no bundle")??.path();
        copy(&bundle, &flow.join("0193aaaa-0000-7000-8000-000000000000"))
    }),
    (IMIGRASI, "entries", |home| {
        let flow = home.join("inbox/phu/manifes-umrah");
        let bundle = fs::read_dir(&flow)?.next().context("no bundle")??.path();
        Ok(fs::write(bundle.join("asing"), "x")?)
    }),
    (PHU, "lost", |home| {
        Ok(fs::remove_file(a_file(&home.join("sent"))?)?)
    }),
    (PHU, "left behind", |home| {
        Ok(fs::write(home.join("spool/work/x"), "x")?)
    }),
    (PHU, "left behind", |home| {
        Ok(fs::write(home.join("receipts/.amanah-tmp-1-1"), "x")?)
    }),
    (PHU, "two receipts", |home| {
        let receipt = a_file(&home.join("receipts/received"))?;
        let mut bytes = fs::read(&receipt)?;
        bytes.push(0);
        Ok(fs::write(receipt, bytes)?)
    }),
    (PHU, "other bundles", |home| {
        Ok(fs::remove_file(a_file(&home.join("receipts/received"))?)?)
    }),
    (IMIGRASI, "the root is", |home| {
        let ledger = home.join("ledger/records.jsonl");
        let text = fs::read_to_string(&ledger)?;
        Ok(fs::write(ledger, text.replacen("T", "t", 1))?)
    }),
    (PHU, "under way", |home| {
        let journal = rusqlite::Connection::open(home.join("spool/journal.sqlite"))?;
        Ok(journal
            .execute("UPDATE outbound SET state = 'queued'", [])
            .map(drop)?)
    }),
];

#[test]
fn the_checker_finds_what_is_done_to_a_home_behind_its_back() {
    let mut ground = Ground::running().unwrap();
    let mut dice = Dice::new(3);
    drop_both_ways(&mut ground, &mut dice).unwrap();
    ground.comes_to_rest().unwrap();
    for (number, (side, words, damage)) in DAMAGES.iter().enumerate() {
        let folder = ground.exchange.folder().join(format!("salinan-{number}"));
        let witness = copied(&ground, &folder).unwrap();
        witness.rest().unwrap();
        damage(&witness.sides[*side].home).unwrap();
        let found = witness.rest().expect_err(words);
        assert!(
            format!("{found:#}").contains(words),
            "{words:?} expected: {found:#}"
        );
    }
}

/// The same two homes once more.
fn copied(ground: &Ground, folder: &Path) -> Result<Witness> {
    fs::create_dir(folder)?;
    let mut sides = ground.witness.sides.clone();
    for Side { party, home } in &mut sides {
        let copy = folder.join(party);
        self::copy(home, &copy)?;
        *home = copy;
    }
    let dropped = ground.witness.dropped.clone();
    Ok(Witness {
        sides,
        dropped,
        may_refuse: false,
    })
}

/// A folder and what is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let ran = std::process::Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()?;
    anyhow::ensure!(ran.success(), "cp failed");
    Ok(())
}

/// The first file below a folder.
fn a_file(folder: &Path) -> Result<PathBuf> {
    let mut files = amanah_tests::exchange::files_below(folder)?;
    files.sort();
    files.into_iter().next().context("no file")
}
