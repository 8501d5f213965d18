//! `swap`: who may write to the outbox exchanges what lies there for links to somebody else's file, in the moments in which the
//! daemon looks, claims, opens and reads: items, their claims, files in folders, and the folder of the flow itself. No byte of
//! that file leaves, the daemon lives, and every item has an end.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::waiting::until;
use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::Settings;
use super::dice::Dice;
use super::progress::Progress;
use crate::program;

/// What no operator may send: it is looked for in everything that arrives.
const CANARY: &str = "kenari: milik orang lain";
/// So many items lie in the outbox at a time.
const ITEMS: usize = 8;
/// What goes back is taken up again at once: more moments to meet.
const QUIET: &str = "\n[outbox]\nquiet_secs_files = 0\nquiet_secs_folders = 0\n";
/// States in which nothing more happens.
const ENDS: [&str; 4] = [
    "outbound.settled",
    "outbound.returned",
    "outbound.put-back",
    "inbound.delivered",
];

/// The outbox, and what lies beside it.
struct Yard {
    exchange: Exchange,
    flow: PathBuf,
    /// Somebody else's file, and a folder of such files under the names of items.
    secret: PathBuf,
    secrets: PathBuf,
    dropped: u64,
    decoys: u64,
}

/// What happened, to be printed.
#[derive(Default)]
struct Figures {
    attempts: u64,
    on_claims: u64,
    on_folders: u64,
}

#[test]
fn no_byte_of_anothers_file_leaves_in_three_hundred_swaps() {
    campaign(Settings::short("swap", 300)).unwrap();
}

#[test]
#[ignore = "the full tier: ten thousand swaps"]
fn no_byte_of_anothers_file_leaves_in_ten_thousand_swaps() {
    campaign(Settings::full("swap", 10_000)).unwrap();
}

fn campaign(settings: Settings) -> Result<()> {
    let (mut dice, start) = (Dice::new(settings.seed), Instant::now());
    let (mut yard, mut figures) = (Yard::new()?, Figures::default());
    let mut progress = Progress::of("swap", settings.count);
    while figures.attempts < settings.count {
        progress.at(figures.attempts);
        yard.attempt(&mut dice, &mut figures)?;
    }
    yard.comes_to_an_end()?;
    let (sent, returned) = yard.keeps_the_secret()?;
    let way = yard.exchange.out.clone();
    let good = yard.exchange.drop_text(&way, "baik.csv", "baik")?;
    yard.exchange.settled(&[good])?;
    println!(
        "swap: {} swaps ({} of claims, {} of folders) among {} items: {sent} files arrived, {returned} came back, none was \
         another's; {:.0?}",
        figures.attempts,
        figures.on_claims,
        figures.on_folders,
        yard.dropped,
        start.elapsed()
    );
    Ok(())
}

impl Yard {
    fn new() -> Result<Self> {
        let mut exchange = Exchange::found(program())?;
        let config = exchange.pair.phu.folder().join(home::CONFIG);
        let text = fs::read_to_string(&config)?;
        fs::write(&config, format!("{text}{QUIET}"))?;
        exchange.pair.start()?;
        let secrets = exchange.folder().join("rahasia");
        fs::create_dir(&secrets)?;
        let secret = exchange.folder().join("rahasia.txt");
        fs::write(&secret, CANARY)?;
        let way = &exchange.out;
        let flow = exchange.pair.phu.outbox(&way.to, &way.flow);
        Ok(Self {
            exchange,
            flow,
            secret,
            secrets,
            dropped: 0,
            decoys: 0,
        })
    }

    /// One swap of whatever lies there now. What went its way in this very moment is no swap.
    fn attempt(&mut self, dice: &mut Dice, figures: &mut Figures) -> Result<()> {
        match self.swap(dice, figures) {
            Err(error) if is_gone(&error) => Ok(()),
            done => done,
        }
    }

    fn swap(&mut self, dice: &mut Dice, figures: &mut Figures) -> Result<()> {
        let here = self.here()?;
        let claims: Vec<_> = here.iter().filter(|name| is_claim(name)).cloned().collect();
        if here.len() - claims.len() < ITEMS {
            self.drop_one(dice)?;
        }
        if here.is_empty() {
            return Ok(());
        }
        // A claim lives for a few milliseconds only: it goes first.
        let name = dice.pick(if claims.is_empty() { &here } else { &claims });
        let item = self.flow.join(name);
        let is_folder = item.symlink_metadata().is_ok_and(|item| item.is_dir());
        match dice.below(10) {
            0 => {
                self.swap_flow(&here)?;
                figures.on_folders += 1;
            }
            1 => self.over(&item, dice)?,
            2 => drop(self.exchange_for(&item, dice)?),
            _ if is_folder => self.swap_inside(&item, dice)?,
            _ => self.there_and_back(&item, dice)?,
        }
        figures.attempts += 1;
        figures.on_claims += u64::from(is_claim(name));
        Ok(())
    }

    /// Names in the flow's folder that are items or claims.
    fn here(&self) -> Result<Vec<OsString>> {
        let mut here = Vec::new();
        for entry in fs::read_dir(&self.flow)? {
            let name = entry?.file_name();
            if is_claim(&name) || !is_hidden(&name) {
                here.push(name);
            }
        }
        here.sort();
        Ok(here)
    }

    fn drop_one(&mut self, dice: &mut Dice) -> Result<()> {
        let name = format!("butir-{:05}", self.dropped + 1);
        let made = self.flow.join(format!(".{name}"));
        let text = format!("asli: {}\n", dice.text(200));
        // The same name leads to a secret, for who follows the folder of the flow to elsewhere.
        fs::write(self.secrets.join(&name), CANARY)?;
        self.dropped += 1;
        if dice.chance(40) {
            fs::create_dir(&made)?;
            fs::create_dir(made.join("regu"))?;
            for place in ["a.csv", "b.csv", "regu/c.csv"] {
                fs::write(made.join(place), &text)?;
            }
        } else {
            fs::write(&made, &text)?;
        }
        Ok(fs::rename(made, self.flow.join(name))?)
    }

    /// Something that is not the operator's, or only another text, under a hidden name beside the item.
    fn decoy(&mut self, dice: &mut Dice) -> Result<PathBuf> {
        self.decoys += 1;
        let place = self.flow.join(format!(".umpan-{}", self.decoys));
        match dice.below(4) {
            0 => symlink(&self.secret, &place)?,
            1 => symlink(&self.secrets, &place)?,
            2 => fs::hard_link(&self.secret, &place)?,
            _ => fs::write(&place, format!("asli: {}\n", dice.text(300)))?,
        }
        Ok(place)
    }

    /// Takes its place by a rename; a folder cannot be replaced so.
    fn over(&mut self, item: &Path, dice: &mut Dice) -> Result<()> {
        if item.symlink_metadata()?.is_dir() {
            return self.exchange_for(item, dice).map(drop);
        }
        let decoy = self.decoy(dice)?;
        Ok(fs::rename(decoy, item)?)
    }

    fn exchange_for(&mut self, item: &Path, dice: &mut Dice) -> Result<PathBuf> {
        let decoy = self.decoy(dice)?;
        exchange(item, &decoy)?;
        Ok(decoy)
    }

    fn there_and_back(&mut self, item: &Path, dice: &mut Dice) -> Result<()> {
        let decoy = self.exchange_for(item, dice)?;
        exchange(item, &decoy)
    }

    /// One of the files in a folder, or the folder in it.
    fn swap_inside(&mut self, item: &Path, dice: &mut Dice) -> Result<()> {
        let inside = item.join(dice.pick(&["a.csv", "b.csv", "regu", "regu/c.csv"]));
        let decoy = self.exchange_for(&inside, dice)?;
        if dice.chance(80) {
            return exchange(&inside, &decoy);
        }
        Ok(())
    }

    /// The flow's folder is a link to a folder of secrets for a moment.
    fn swap_flow(&mut self, here: &[OsString]) -> Result<()> {
        for name in here {
            fs::write(self.secrets.join(name), CANARY)?;
        }
        self.decoys += 1;
        let link = self.flow.with_file_name(format!(".tautan-{}", self.decoys));
        symlink(&self.secrets, &link)?;
        exchange(&self.flow, &link)?;
        // The daemon may hand the link back, which lies where no item belongs: then the name is free.
        while link.symlink_metadata().is_ok_and(|there| there.is_dir()) {
            if exchange(&self.flow, &link).is_err() {
                let _ = fs::rename(&link, &self.flow);
            }
        }
        Ok(())
    }

    /// Everything that was dropped was sent or came back.
    fn comes_to_an_end(&mut self) -> Result<()> {
        let ended = until("the end of every item", PATIENCE, || {
            ensure!(!self.exchange.pair.phu.has_ended()?, "the daemon has died");
            if !self.here().is_ok_and(|here| here.is_empty()) {
                return Ok(None);
            }
            for ministry in self.exchange.pair.both() {
                let text = fs::read(ministry.path(home::STATUS))?;
                let status: serde_json::Value = serde_json::from_slice(&text)?;
                let counts = status["counts"].as_object().context("counts")?;
                if counts
                    .iter()
                    .any(|(state, rows)| rows != 0 && !ENDS.contains(&&**state))
                {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        });
        ended.with_context(|| self.under_way())
    }

    /// What is there still, and what the daemon said last.
    fn under_way(&self) -> String {
        let phu = &self.exchange.pair.phu;
        let log = fs::read_to_string(phu.log()).unwrap_or_default();
        let last: Vec<_> = log.lines().rev().take(20).collect();
        let status = fs::read_to_string(phu.path(home::STATUS)).unwrap_or_default();
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        let here = files_below(&phu.path(home::OUTBOX)).unwrap_or_default();
        let (counts, last) = (&status["counts"], last.join("\n"));
        format!("{:?}; {here:?}; {counts}\n{last}", self.here())
    }

    /// What arrived is the operator's own, whole; what is another's lies where it lay. How many files arrived, and came back.
    fn keeps_the_secret(&self) -> Result<(usize, usize)> {
        let [phu, imigrasi] = self.exchange.pair.both();
        let arrived = files_below(&imigrasi.path(home::INBOX).join(phu.party().as_str()))?;
        for path in &arrived {
            let text = fs::read_to_string(path)?;
            let is_whole = text.starts_with("asli: ") && text.ends_with('\n');
            ensure!(is_whole, "{}: {text:?}", path.display());
        }
        let returned = names_below(&phu.path(home::RETURNED))?;
        for path in returned.iter().chain(&names_below(&phu.path(home::SENT))?) {
            let metadata = path.symlink_metadata()?;
            // A second name of the secret is the operator's own doing; a copy would be the daemon's.
            let is_copy = metadata.is_file()
                && metadata.nlink() == 1
                && String::from_utf8_lossy(&fs::read(path)?).contains(CANARY);
            ensure!(!is_copy, "{} is a copy of the secret", path.display());
        }
        for entry in fs::read_dir(&self.secrets)? {
            ensure!(fs::read_to_string(entry?.path())? == CANARY);
        }
        for number in 1..=self.dropped {
            let decoy = self.secrets.join(format!("butir-{number:05}"));
            ensure!(decoy.exists(), "{} was taken", decoy.display());
        }
        ensure!(fs::read_to_string(&self.secret)? == CANARY);
        let notes = |path: &&PathBuf| !path.to_string_lossy().ends_with(home::WHY_SUFFIX);
        Ok((arrived.len(), returned.iter().filter(notes).count()))
    }
}

fn exchange(one: &Path, other: &Path) -> Result<()> {
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

fn is_claim(name: &OsStr) -> bool {
    name.as_encoded_bytes()
        .starts_with(home::CLAIM_PREFIX.as_bytes())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The item, or a folder on the way to it, is no longer there, or is something else.
fn is_gone(error: &anyhow::Error) -> bool {
    let kind = error
        .downcast_ref::<std::io::Error>()
        .map(std::io::Error::kind)
        .or_else(|| {
            let errno = error.downcast_ref::<rustix::io::Errno>();
            errno.map(|errno| std::io::Error::from(*errno).kind())
        });
    let gone = [
        ErrorKind::NotFound,
        ErrorKind::NotADirectory,
        ErrorKind::IsADirectory,
    ];
    kind.is_some_and(|kind| gone.contains(&kind))
}

/// Everything below a folder that is no folder, links too, and no link followed.
fn names_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(names_below(&entry.path())?);
        } else {
            names.push(entry.path());
        }
    }
    Ok(names)
}
