//! Sticks of others, things that somebody put onto a stick, and operators who do by hand what the command would not do:
//! each is turned away by itself, with a code, and neither home nor daemon suffers.

use std::fs;
use std::os::unix::fs::symlink;

use amanah_format::home;
use amanah_tests::exchange::PATIENCE;
use amanah_tests::ministry::Ministry;
use amanah_tests::stick::{attempt, fates, unconnected};
use amanah_tests::waiting::until;
use amanahd::by_hand::{Answer, Fate};
use amanahd::request::{Request, Ticket};
use rustix::fs::Mode;

use super::{exported, queued, started, stick, wait};
use crate::program;

#[test]
fn another_ministrys_stick_and_foreign_things_on_it_are_turned_away_one_by_one() {
    let mut exchange = started();
    let foreign = stick(&exchange, "asing");
    let mut strangers = unconnected(program()).unwrap();
    strangers.pair.phu.start().unwrap();
    let way = strangers.out.clone();
    queued(&mut strangers, &way, "bukan untuk kita.csv", "satu");
    assert_eq!(exported(&strangers.pair.phu, &foreign).len(), 1);
    let name = |digit: &str, suffix: &str| foreign.join(format!("{}{suffix}", digit.repeat(64)));
    symlink("/etc/passwd", name("0", ".amanah")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        name("1", ".receipt.amanah"),
        Mode::from_raw_mode(0o644),
    )
    .unwrap();
    fs::create_dir(name("2", ".slip.amanah")).unwrap();
    // Sparse: two terabytes that take no room on the stick, and would in the home.
    let huge = fs::File::create(name("3", ".amanah")).unwrap();
    huge.set_len(2 << 40).unwrap();
    fs::write(name("4", ".amanah"), "junk").unwrap();
    fs::write(name("5", ".receipt.amanah"), "junk").unwrap();
    fs::write(name("6", ".slip.amanah"), "junk").unwrap();
    for other in ["foto.jpg", "autorun.inf", "A.amanah", &"F".repeat(64)] {
        fs::write(foreign.join(other), "x").unwrap();
    }
    let ran = attempt(&exchange.pair.imigrasi, "import", &foreign).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let mut codes: Vec<_> = fates(&ran).unwrap();
    codes.sort();
    let stranger = codes
        .iter()
        .position(|(_, _, code)| code == "signer-unknown");
    codes.remove(stranger.unwrap_or_else(|| panic!("{codes:?}")));
    let found: Vec<&str> = codes.iter().map(|(_, _, code)| code.as_str()).collect();
    let expected = [
        "no-regular-file",
        "no-regular-file",
        "no-regular-file",
        "container-malformed",
        "container-malformed",
        "receipt-doubtful",
        "slip-doubtful",
    ];
    assert_eq!(found, expected);
    assert!(codes.iter().all(|(_, fate, _)| fate == "turned-away"));
    assert!(ran.stdout.contains("\"others\": 4"), "{ran:?}");
    let imigrasi = &mut exchange.pair.imigrasi;
    let notes = fs::read_dir(imigrasi.path("quarantine")).unwrap().count();
    assert_eq!(notes, 4, "what the daemon itself saw is noted");
    wait(imigrasi, "a daemon that is well", |status| {
        status.running && status.incoming.is_empty() && status.alarms.is_empty()
    });
}

/// What the daemon says of a ticket.
fn answer(ministry: &Ministry, ticket: &Ticket, holds: impl Fn(&Answer) -> bool) -> Answer {
    let folder = ministry.path(home::STICK_OUT).join(ticket.as_str());
    let found = until("an answer", PATIENCE, || {
        let Ok(json) = fs::read(folder.join(home::STICK_ANSWER)) else {
            return Ok(None);
        };
        let answer: Answer = serde_json::from_slice(&json)?;
        Ok(holds(&answer).then_some(answer))
    });
    found.unwrap()
}

fn ask(ministry: &Ministry, request: &Request) {
    let folder = ministry.path(home::REQUESTS);
    let hidden = folder.join(".baru");
    fs::write(&hidden, serde_json::to_vec(request).unwrap()).unwrap();
    let ticket = Ticket::draw().unwrap();
    let name = format!("{}{}", ticket.as_str(), home::REQUEST_SUFFIX);
    fs::rename(hidden, folder.join(name)).unwrap();
}

#[test]
fn an_operator_who_copies_in_links_pipes_and_things_nobody_asked_for_gains_nothing() {
    let exchange = started();
    let imigrasi = &exchange.pair.imigrasi;
    let ticket = Ticket::draw().unwrap();
    let names = ["0", "1", "2"].map(|digit| format!("{}.amanah", digit.repeat(64)));
    let request = Request::Import {
        ticket: ticket.clone(),
        names: names
            .iter()
            .cloned()
            .chain(["../../x".to_owned()])
            .collect(),
    };
    ask(imigrasi, &request);
    let first = answer(imigrasi, &ticket, |answer| answer.files.len() == 3);
    assert!(first.files.iter().all(|told| told.fate == Fate::Wanted));
    let folder = imigrasi.path(home::STICK_IN).join(ticket.as_str());
    let uninvited = folder.join(format!("{}.amanah", "9".repeat(64)));
    fs::write(&uninvited, "x").unwrap();
    symlink(imigrasi.path(home::JOURNAL), folder.join(&names[0])).unwrap();
    let pipe = folder.join(&names[1]);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_raw_mode(0o666)).unwrap();
    fs::create_dir_all(folder.join(&names[2]).join("a/b")).unwrap();
    let last = answer(imigrasi, &ticket, |answer| {
        answer.files.iter().all(|told| told.fate != Fate::Wanted)
    });
    let code = Some("no-regular-file".to_owned());
    assert!(last.files.iter().all(|told| told.code == code), "{last:?}");
    assert!(imigrasi.path(home::JOURNAL).exists());
    assert!(uninvited.exists(), "nobody looked at it");
    ask(
        imigrasi,
        &Request::Carried {
            ticket,
            names: Vec::new(),
        },
    );
    let gone = || Ok((!folder.exists()).then_some(()));
    until("closed folders", PATIENCE, gone).unwrap();
}

#[test]
fn tickets_are_bounded_and_a_start_sweeps_what_they_left() {
    let mut exchange = started();
    let way = exchange.out.clone();
    queued(&mut exchange, &way, "menunggu.csv", "satu");
    let phu = &mut exchange.pair.phu;
    let tickets: Vec<Ticket> = (0..20).map(|_| Ticket::draw().unwrap()).collect();
    for ticket in &tickets {
        let (peer, ticket) = (way.to.clone(), ticket.clone());
        ask(phu, &Request::Export { peer, ticket });
    }
    // Taken in the order of random names: the last one is known by that nothing more is asked.
    let done = || {
        let left = fs::read_dir(phu.path(home::REQUESTS))?.count();
        Ok((left == 0).then_some(()))
    };
    until("every request", PATIENCE, done).unwrap();
    let open = || fs::read_dir(phu.path(home::STICK_OUT)).unwrap().count();
    assert_eq!(open(), 16);
    phu.kill().unwrap();
    phu.start().unwrap();
    assert_eq!(fs::read_dir(phu.path(home::STICK_OUT)).unwrap().count(), 0);
    let stick = stick(&exchange, "sesudah");
    assert_eq!(exported(&exchange.pair.phu, &stick).len(), 1);
}
