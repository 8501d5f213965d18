//! What `export` and `import` share: a ticket that the daemon answers in the home, and names on a stick. The stick is untrusted
//! ground: only regular files under a name of the wire are opened, over no link.

pub(crate) mod onto;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use amanah_format::{home, receipt, slip};
use amanahd::{
    by_hand::{Answer, FORMAT},
    catalogue::faces::stick as face,
    request::{NAMES_MAX, Request, Ticket},
    transport::link::WireName,
};

use crate::{
    exit::{Exit, Failure, Outcome},
    request,
    screen::Screen,
    status,
};

/// The daemon looks for requests four times a second; so long it may be busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often its answer is looked for.
const LOOK: Duration = Duration::from_millis(100);

/// A ticket that was asked for; it is given back at the end, also where something failed in between.
pub(crate) struct Counter<'a> {
    home: &'a Path,
    ticket: Ticket,
}

impl<'a> Counter<'a> {
    /// Asks, and waits for the first answer.
    pub(crate) fn ask(
        home: &'a Path,
        request: impl FnOnce(Ticket) -> Request,
        screen: &Screen<'_>,
    ) -> Outcome<(Self, Answer)> {
        let ticket = Ticket::draw().map_err(|error| Failure::new(Exit::Io, error))?;
        let asked = request::place(&request(ticket.clone()), home, screen)?;
        let counter = Self { home, ticket };
        let begun = Instant::now();
        loop {
            if let Some(answer) = counter.answer() {
                return Ok((counter, answer));
            }
            if begun.elapsed() > PATIENCE {
                // Nobody shall carry it out when nobody waits any more. Taken in this instant: its ticket runs out.
                let _ = std::fs::remove_file(&asked);
                return Err(screen.failure(Exit::Daemon, face::NO_ANSWER, &[]));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// What the daemon says now; none where there is no whole answer.
    pub(crate) fn answer(&self) -> Option<Answer> {
        let bytes = std::fs::read(self.laid_out(home::STICK_ANSWER)).ok()?;
        let answer: Answer = serde_json::from_slice(&bytes).ok()?;
        (answer.format == FORMAT).then_some(answer)
    }

    /// Something that is laid out.
    pub(crate) fn laid_out(&self, name: &str) -> PathBuf {
        let folder = self.home.join(home::STICK_OUT);
        folder.join(self.ticket.as_str()).join(name)
    }

    /// Where things are copied in.
    pub(crate) fn inward(&self) -> PathBuf {
        self.home.join(home::STICK_IN).join(self.ticket.as_str())
    }

    /// Gives the ticket back, with what lies on the stick now.
    pub(crate) fn give_back(self, names: Vec<String>, screen: &Screen<'_>) -> Outcome<()> {
        let ticket = self.ticket.clone();
        let names = names.into_iter().take(NAMES_MAX).collect();
        let request = Request::Carried { ticket, names };
        request::place(&request, self.home, screen).map(drop)
    }

    /// Whether the daemon has published nothing for a minute, or says that it stopped.
    pub(crate) fn is_deserted(&self) -> bool {
        status::read(self.home).is_none_or(|snapshot| !status::is_alive(&snapshot))
    }
}

/// The kind of a name, as people call it, and enough of its digest to find it again.
pub(crate) fn called(name: &str, screen: &Screen<'_>) -> String {
    let short: String = name.chars().take(12).collect();
    let kind = if receipt::parse_name(name).is_some() {
        face::A_RECEIPT
    } else if slip::parse_name(name).is_some() {
        face::A_SLIP
    } else {
        face::A_BUNDLE
    };
    format!("{} {short}…", screen.text(kind, &[]))
}

/// What the system says of a stick; where it does not permit something, our group is not what helps.
pub(crate) fn about(path: &Path, error: &std::io::Error, screen: &Screen<'_>) -> Failure {
    if error.kind() == std::io::ErrorKind::PermissionDenied {
        return screen.failure(Exit::Permission, face::DENIED, &[&path.display()]);
    }
    Failure::io(path, error)
}

/// It must be there: a folder made now would lie on this machine's disk where a stick was to be.
pub(crate) fn demand_folder(dir: &Path, screen: &Screen<'_>) -> Outcome<()> {
    let metadata = std::fs::metadata(dir).map_err(|error| about(dir, &error, screen))?;
    if metadata.is_dir() {
        return Ok(());
    }
    Err(Failure::io(dir, &std::io::ErrorKind::NotADirectory.into()))
}

/// Names of the wire in a folder, sorted, and how many others there are.
pub(crate) fn wire_names(folder: &Path, screen: &Screen<'_>) -> Outcome<(Vec<String>, usize)> {
    let io = |error: std::io::Error| about(folder, &error, screen);
    let (mut names, mut others) = (Vec::new(), 0_usize);
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        match name.to_str().filter(|name| WireName::parse(name).is_some()) {
            Some(name) => names.push(name.to_owned()),
            None => others = others.saturating_add(1),
        }
    }
    names.sort();
    Ok((names, others))
}

/// Bytes that an ordinary user may still write where `path` lies.
pub(crate) fn free_bytes(path: &Path) -> Outcome<u64> {
    let stat = rustix::fs::statvfs(path).map_err(|errno| Failure::io(path, &errno.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
