//! `amanah import`: brings what lies on a stick to the daemon, which believes none of it: each file is verified as if it had come
//! by wire. Then it says of each file what became of it. The stick is only read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use amanah_format::{
    container::bundle_bytes,
    limits::{BUNDLE_HEAD_BYTES, DOCUMENT_BYTES_MAX},
    manifest::UnverifiedHead,
};
use amanahd::{
    by_hand::{Answer, Fate, Told},
    catalogue::{Text, faces::stick as face, refusals, shown},
    durable,
    request::{NAMES_MAX, Request},
    transport::link::WireName,
};
use indicatif::ProgressBar;

use crate::{
    exit::{Exit, Failure, Outcome},
    place::Place,
    screen::Screen,
    send,
    stick::{Counter, called, demand_folder, free_bytes, wire_names},
};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amanah import /media/usb
  amanah import /media/usb --json")]
pub(crate) struct Wanted {
    /// The stick, or the folder on it
    dir: PathBuf,
}

/// The daemon, which belongs to the group, reads it.
const MODE: u32 = 0o660;
/// So much may lie in the home and wait for the daemon; a longer file lies there alone.
const AHEAD_BYTES: u64 = 64 * 1024 * 1024;
/// What is no container at all is shown to the daemon, which notes it, up to this length.
const JUNK_BYTES_MAX: u64 = 1024 * 1024;
const CHUNK: usize = 256 * 1024;
const LOOK: Duration = Duration::from_millis(100);
/// The daemon says something of a file at the latest after so long …
const PATIENCE: Duration = Duration::from_secs(120);
/// … and the time that a slow disk takes for it.
const BYTES_PER_SEC_MIN: u64 = 4 * 1024 * 1024;

pub(crate) fn run(wanted: &Wanted, place: &Place, screen: &mut Screen<'_>) -> Outcome {
    let config = place.config()?;
    demand_folder(&wanted.dir, screen)?;
    let (names, others) = wire_names(&wanted.dir, screen)?;
    if names.is_empty() {
        let dir = wanted.dir.display();
        return Err(screen.failure(Exit::Missing, face::NO_FILES, &[&dir]));
    }
    let mut told = Vec::new();
    for names in names.chunks(NAMES_MAX) {
        let names = names.to_vec();
        let import = |ticket| Request::Import { ticket, names };
        let (counter, answer) = Counter::ask(&config.home, import, screen)?;
        let bringing = Bringing {
            counter: &counter,
            dir: &wanted.dir,
            home: &config.home,
            free_bytes_min: config.limits.free_bytes_min,
        };
        let brought = bringing.all(answer, screen);
        counter.give_back(Vec::new(), screen)?;
        told.extend(brought?);
    }
    tell(&told, others, &wanted.dir, screen)
}

/// One ticket's work.
struct Bringing<'a> {
    counter: &'a Counter<'a>,
    dir: &'a Path,
    home: &'a Path,
    free_bytes_min: u64,
}

impl Bringing<'_> {
    /// Copies what is wanted, never much ahead of the daemon, and waits until it has said something of each.
    fn all(&self, answer: Answer, screen: &Screen<'_>) -> Outcome<Vec<Told>> {
        let bar = self.bar(&answer, screen);
        let mut local = BTreeMap::new();
        let mut ahead: Vec<(String, u64)> = Vec::new();
        let wanted = answer.files.iter().filter(|told| told.fate == Fate::Wanted);
        for told in wanted {
            match self.examine(&told.name) {
                Err(code) => {
                    local.insert(told.name.clone(), code);
                    continue;
                }
                Ok(bytes) => {
                    self.settle_until(&mut ahead, AHEAD_BYTES.saturating_sub(bytes), screen)?;
                    if free_bytes(self.home)? < self.room_for(bytes) {
                        local.insert(told.name.clone(), "no-space");
                        continue;
                    }
                    self.copy(&told.name, bytes, &bar)?;
                    ahead.push((told.name.clone(), bytes));
                }
            }
        }
        self.settle_until(&mut ahead, 0, screen)?;
        bar.finish_and_clear();
        let mut files = self.now(screen)?.files;
        for told in &mut files {
            if let Some(code) = local.get(&told.name) {
                let is_ours = *code == "no-space";
                told.fate = if is_ours {
                    Fate::Failed
                } else {
                    Fate::TurnedAway
                };
                told.code = Some((*code).to_owned());
            }
        }
        Ok(files)
    }

    /// It lies in the home twice for a while, and the daemon leaves its floor free.
    fn room_for(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(2).saturating_add(self.free_bytes_min)
    }

    fn bar(&self, answer: &Answer, screen: &Screen<'_>) -> ProgressBar {
        if !screen.shows_progress() {
            return ProgressBar::hidden();
        }
        let wanted = answer.files.iter().filter(|told| told.fate == Fate::Wanted);
        let length = |told: &Told| self.open(&told.name).ok()?.metadata().ok();
        let bytes = wanted.filter_map(length).map(|metadata| metadata.len());
        send::bar(bytes.sum(), screen.language)
    }

    /// Waits until at most so many bytes wait for the daemon.
    fn settle_until(
        &self,
        ahead: &mut Vec<(String, u64)>,
        bytes_max: u64,
        screen: &Screen<'_>,
    ) -> Outcome<()> {
        let (mut since, mut before) = (Instant::now(), ahead.len());
        loop {
            let bytes: u64 = ahead.iter().map(|(_, bytes)| bytes).sum();
            if bytes <= bytes_max || ahead.is_empty() {
                return Ok(());
            }
            if ahead.len() != before {
                (since, before) = (Instant::now(), ahead.len());
            }
            if since.elapsed() > PATIENCE + Duration::from_secs(bytes / BYTES_PER_SEC_MIN) {
                return Err(screen.failure(Exit::Daemon, face::NO_ANSWER, &[]));
            }
            let answer = self.now(screen)?;
            let waits = |name: &str| {
                let mut files = answer.files.iter();
                files.any(|told| told.name == name && told.fate == Fate::Wanted)
            };
            ahead.retain(|(name, _)| waits(name));
            if !ahead.is_empty() {
                std::thread::sleep(LOOK);
            }
        }
    }

    /// What the daemon says; a restart of it ends the ticket.
    fn now(&self, screen: &Screen<'_>) -> Outcome<Answer> {
        let answer = self.counter.answer();
        let answer = answer.filter(|_| !self.counter.is_deserted());
        answer.ok_or_else(|| screen.failure(Exit::Daemon, face::BROKEN_OFF, &[]))
    }

    fn open(&self, name: &str) -> std::io::Result<File> {
        durable::open_beneath(self.dir, Path::new(name))
    }

    /// Whether it is worth copying: a code where it is not. Nothing here is proof; it only spares the home endless files.
    fn examine(&self, name: &str) -> Result<u64, &'static str> {
        let unreadable = |_| "no-regular-file";
        let file = self.open(name).map_err(unreadable)?;
        let bytes = file.metadata().map_err(unreadable)?.len();
        if !matches!(WireName::parse(name), Some(WireName::Bundle(_))) {
            let fits = bytes <= 2 * DOCUMENT_BYTES_MAX;
            return fits.then_some(bytes).ok_or("too-large");
        }
        let mut head = Vec::new();
        let reading = file.take(BUNDLE_HEAD_BYTES).read_to_end(&mut head);
        reading.map_err(unreadable)?;
        match UnverifiedHead::parse(&head) {
            Ok(head) if bytes > bundle_bytes(head.payload_bytes()) => Err("damaged"),
            Err(refusal) if bytes > JUNK_BYTES_MAX => Err(refusal.code()),
            Ok(_) | Err(_) => Ok(bytes),
        }
    }

    /// Whole under a hidden name, then renamed: the daemon never takes half of it.
    fn copy(&self, name: &str, bytes: u64, bar: &ProgressBar) -> Outcome<()> {
        let folder = self.counter.inward();
        let reading = |error: std::io::Error| Failure::io(&self.dir.join(name), &error);
        let writing = |error: std::io::Error| Failure::io(&folder, &error);
        let mut from = self.open(name).map_err(reading)?.take(bytes);
        let mut to = tempfile::Builder::new()
            .prefix(".amanah-")
            .permissions(std::fs::Permissions::from_mode(MODE))
            .tempfile_in(&folder)
            .map_err(writing)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = from.read(&mut chunk).map_err(reading)?;
            let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else {
                break;
            };
            std::io::Write::write_all(&mut to, read).map_err(writing)?;
            bar.inc(u64::try_from(length).unwrap_or(u64::MAX));
        }
        let mode = std::fs::Permissions::from_mode(MODE);
        to.as_file().set_permissions(mode).map_err(writing)?;
        to.persist(folder.join(name))
            .map_err(|error| writing(error.error))?;
        Ok(())
    }
}

fn tell(told: &[Told], others: usize, dir: &Path, screen: &mut Screen<'_>) -> Outcome {
    let is_bad = |told: &&Told| {
        matches!(
            told.fate,
            Fate::TurnedAway | Fate::Failed | Fate::Refused | Fate::Wanted
        )
    };
    let exit = if told.iter().any(|one| is_bad(&one)) {
        Exit::Negative
    } else {
        Exit::Ok
    };
    if screen.json {
        screen.facts(&serde_json::json!({
            "format": "amanah-import/1", "folder": dir, "files": told, "others": others,
        }))?;
        return Ok(exit);
    }
    for one in told {
        line(one, screen)?;
    }
    if others > 0 {
        screen.say(face::OTHERS, &[&others])?;
    }
    let bundle = |told: &&Told| matches!(WireName::parse(&told.name), Some(WireName::Bundle(_)));
    let answered = |told: &&Told| {
        matches!(
            told.fate,
            Fate::TakenOver | Fate::Refused | Fate::AlreadyHere
        )
    };
    if told.iter().any(|one| bundle(&one) && answered(&one)) {
        screen.hint(face::BACK, &[])?;
    }
    Ok(exit)
}

/// A sentence, and for what went wrong what it means and what to do.
fn line(told: &Told, screen: &mut Screen<'_>) -> Outcome<()> {
    let text: Text = match told.fate {
        Fate::TakenOver => face::TAKEN_OVER,
        Fate::Held => face::HELD,
        Fate::Refused => face::REFUSED,
        Fate::AlreadyHere => face::ALREADY_HERE,
        Fate::Ours => face::OURS,
        Fate::TurnedAway => face::TURNED_AWAY,
        Fate::Failed | Fate::Wanted | Fate::LaidOut => face::NOT_NOW,
    };
    let called = called(&told.name, screen);
    let code = shown(told.code.as_deref().unwrap_or_default());
    let peer = shown(told.peer.as_deref().unwrap_or("?"));
    screen.say(text, &[&called, &peer, &code])?;
    let Some(found) = refusals::explain(told.code.as_deref().unwrap_or_default()) else {
        return Ok(());
    };
    for text in [found.meaning, found.remedy] {
        let text = screen.text(text, &[]);
        screen.line(&format!("    {text}"))?;
    }
    Ok(())
}
