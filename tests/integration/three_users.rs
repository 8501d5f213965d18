//! The journey and a crash with three users, as `systemd/` sets them up: the daemon, an operator, somebody else. What each may
//! do is tried, and what each may not do as well. Only root can become three users: `./check` runs as root in CI.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use amanah_format::home;
use amanah_tests::accounts::{Accounts, OPERATOR, OPERATORS, as_user};
use amanah_tests::exchange::{Dropped, PATIENCE};
use amanah_tests::launch::{Launch, Ran};
use amanah_tests::pilgrims;
use amanah_tests::waiting::until;
use rustix::process::Signal;

use crate::{program, tree};

/// Longest run of a small command.
const COMMAND: Duration = Duration::from_secs(30);

/// The ground, or none where the test does not run as root.
fn accounts() -> Option<Accounts> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not tried: only root can become three users; run ./check as root");
        return None;
    }
    let tmpfiles = fs::read_to_string(tree::root().join("systemd/amanahd.tmpfiles")).unwrap();
    Some(Accounts::found(program(), &tmpfiles).unwrap())
}

/// A shell command as somebody; `$1` is the path.
fn shell(who: &Launch, command: &str, path: &Path) -> Ran {
    let words = [
        "-c".as_ref(),
        command.as_ref(),
        "sh".as_ref(),
        path.as_os_str(),
    ];
    who.for_program(Path::new("/bin/sh"))
        .run::<&std::ffi::OsStr>(&words, COMMAND)
        .unwrap()
}

/// The operator drops an item as operators do: with the tools of their own account.
fn operator_drops(accounts: &Accounts, name: &str, text: &str) -> Dropped {
    let exchange = &accounts.exchange;
    let way = exchange.out.clone();
    let item = exchange.item(&way, name, &[("", text)]).unwrap();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    let command = format!(
        "cp '{}' \"$1/.baru\" && mv \"$1/.baru\" \"$1/{name}\"",
        item.material.display()
    );
    let ran = shell(exchange.pair.phu.launch(), &command, &outbox);
    assert!(ran.status.success(), "{ran:?}");
    Dropped { item, at_millis: 0 }
}

#[test]
fn the_journey_works_with_three_users_and_an_operator_sees_what_became_of_it() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    accounts.start().unwrap();
    let dropped = operator_drops(&accounts, "manifes umrah.csv", &pilgrims::manifest(11, 20));
    let arrived = accounts.exchange.settled(&[dropped]).unwrap();
    accounts.exchange.holds(&arrived).unwrap();
    let way = accounts.exchange.out.clone();
    let pair = &accounts.exchange.pair;
    pair.phu.run(&["status"]).unwrap();
    pair.phu.run(&["receipts"]).unwrap();
    let item = accounts
        .exchange
        .item(&way, "dikirim.csv", &[("", "satu")])
        .unwrap();
    let words = [
        "send".as_ref(),
        way.to.as_str().as_ref(),
        way.flow.as_str().as_ref(),
        item.material.as_os_str(),
        "--wait".as_ref(),
    ];
    pair.phu.run::<&std::ffi::OsStr>(&words).unwrap();
    for (ministry, place) in [
        (&pair.phu, home::SENT),
        (&pair.imigrasi, home::INBOX),
        (&pair.phu, home::RECEIPTS),
    ] {
        let ran = shell(
            ministry.launch(),
            "find \"$1\" -name '.?*' -prune -o -type f -exec cat {} +",
            &ministry.path(place),
        );
        assert!(
            ran.status.success() && !ran.stdout.is_empty(),
            "the operator cannot read {place}: {ran:?}"
        );
    }
}

#[test]
fn what_cannot_be_moved_is_explained_in_place_and_sent_when_it_can_be() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    accounts.start().unwrap();
    let exchange = &mut accounts.exchange;
    let way = exchange.out.clone();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    let why = outbox.join("tertahan.csv.why.txt");
    // In a folder of somebody else's with the sticky bit, only a file's owner may rename it.
    std::os::unix::fs::chown(&outbox, Some(0), Some(OPERATORS)).unwrap();
    fs::set_permissions(&outbox, fs::Permissions::from_mode(0o1775)).unwrap();
    let dropped = exchange.drop_text(&way, "tertahan.csv", "isi").unwrap();
    until("the explanation", PATIENCE, || {
        Ok(why.exists().then_some(()))
    })
    .unwrap();
    fs::set_permissions(&outbox, fs::Permissions::from_mode(0o775)).unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    assert!(!why.exists(), "it holds no longer");
    exchange.holds(&arrived).unwrap();
}

#[test]
fn what_comes_back_is_readable_by_the_operator_with_its_reason() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    accounts.start().unwrap();
    let phu = &mut accounts.exchange.pair.phu;
    let peer = phu.path(home::OUTBOX).join("imigrasi");
    let ran = shell(
        phu.launch(),
        "mkdir \"$1/bukan-alur\" && echo x > \"$1/bukan-alur/.x\" && mv \"$1/bukan-alur/.x\" \"$1/bukan-alur/x.csv\"",
        &peer,
    );
    assert!(ran.status.success(), "{ran:?}");
    phu.wait_for("the returned item", PATIENCE, |status| {
        status
            .outgoing
            .iter()
            .any(|bundle| bundle.state == "returned")
            .then_some(())
    })
    .unwrap();
    let place = phu.path(home::RETURNED).join("imigrasi/bukan-alur");
    let ran = shell(
        phu.launch(),
        "cat \"$1/x.csv\" \"$1/x.csv.why.txt\"",
        &place,
    );
    assert!(
        ran.status.success() && ran.stdout.contains("flow-not-agreed"),
        "{ran:?}"
    );
    phu.run(&["returned"]).unwrap();
}

#[test]
fn an_operator_reaches_neither_spool_nor_keys_nor_the_configuration() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    accounts.start().unwrap();
    let phu = &accounts.exchange.pair.phu;
    for (command, path) in [
        ("ls \"$1\"", phu.path(home::SPOOL)),
        ("cat \"$1\"", phu.path(home::JOURNAL)),
        ("ls \"$1\"", phu.folder().join(home::KEYS)),
        ("cat \"$1\"", phu.folder().join(home::KEY_SIGNING)),
        ("echo >> \"$1\"", phu.folder().join(home::CONFIG)),
        ("touch \"$1/x\"", phu.folder().join(home::AGREEMENTS)),
        ("touch \"$1/x\"", phu.folder().join(home::CARDS)),
        ("touch \"$1/x\"", phu.path(home::INBOX)),
        ("touch \"$1/x\"", phu.path(home::SENT)),
        ("touch \"$1/x\"", phu.path(home::RETURNED)),
        ("touch \"$1/x\"", phu.path(home::RECEIPTS)),
        ("touch \"$1/x\"", phu.path(home::LEDGER)),
        ("rm -f \"$1\" && echo > \"$1\"", phu.path(home::STATUS)),
    ] {
        let ran = shell(phu.launch(), command, &path);
        assert!(
            !ran.status.success(),
            "the operator may: {command} {}",
            path.display()
        );
    }
    let own = as_user(phu.launch(), OPERATOR, &[OPERATORS]);
    assert!(
        shell(&own, "test -r \"$1\"", &phu.path(home::STATUS))
            .status
            .success()
    );
}

#[test]
fn somebody_else_reaches_nothing_at_all() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    accounts.start().unwrap();
    let dropped = operator_drops(&accounts, "rahasia.csv", &pilgrims::manifest(12, 5));
    accounts.exchange.settled(&[dropped]).unwrap();
    let other = accounts.other();
    for ministry in accounts.exchange.pair.both() {
        for (command, path) in [
            ("ls \"$1\"", ministry.home().to_owned()),
            ("cat \"$1\"", ministry.path(home::STATUS)),
            ("ls \"$1\"", ministry.path(home::OUTBOX)),
            ("touch \"$1/x\"", ministry.path(home::REQUESTS)),
            ("ls \"$1\"", ministry.path(home::INBOX)),
            ("cat \"$1\"", ministry.folder().join(home::KEY_DECRYPTION)),
        ] {
            let ran = shell(&other, command, &path);
            assert!(
                !ran.status.success(),
                "somebody else may: {command} {}",
                path.display()
            );
        }
        let words = [
            "status".as_ref(),
            "--home".as_ref(),
            ministry.folder().as_os_str(),
        ];
        assert!(
            !other
                .run::<&std::ffi::OsStr>(&words, COMMAND)
                .unwrap()
                .status
                .success()
        );
    }
}

#[test]
fn a_crash_with_three_users_loses_and_doubles_nothing() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    let [phu, imigrasi] = accounts.daemons.clone();
    let pair = &mut accounts.exchange.pair;
    pair.imigrasi
        .launch_daemon(&imigrasi.with("AMANAH_KILL_AT", "import.committed"))
        .unwrap();
    pair.imigrasi.until_up().unwrap();
    pair.phu
        .launch_daemon(&phu.with("AMANAH_KILL_AT", "settle.moved"))
        .unwrap();
    pair.phu.until_up().unwrap();
    pair.until_connected().unwrap();
    let mut dropped = vec![operator_drops(
        &accounts,
        "sebelum.csv",
        &pilgrims::manifest(13, 20),
    )];
    let [phu, imigrasi] = &accounts.daemons;
    let pair = &mut accounts.exchange.pair;
    for (ministry, launch) in [(&mut pair.imigrasi, imigrasi), (&mut pair.phu, phu)] {
        let status = ministry.until_ended().unwrap();
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "{status}");
        ministry.launch_daemon(launch).unwrap();
        ministry.until_up().unwrap();
    }
    dropped.push(operator_drops(&accounts, "sesudah.csv", "satu"));
    let arrived = accounts.exchange.settled(&dropped).unwrap();
    accounts.exchange.holds(&arrived).unwrap();
}

#[test]
fn an_operator_carries_a_stick_though_the_spool_is_closed_to_him() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    let [phu, imigrasi] = accounts.daemons.clone();
    let stick = accounts.exchange.folder().join("stik");
    fs::create_dir(&stick).unwrap();
    std::os::unix::fs::chown(&stick, Some(OPERATOR), Some(OPERATOR)).unwrap();
    accounts.exchange.pair.phu.launch_daemon(&phu).unwrap();
    accounts.exchange.pair.phu.until_up().unwrap();
    operator_drops(&accounts, "manifes.csv", &pilgrims::manifest(14, 20));
    let other = accounts.other();
    let pair = &mut accounts.exchange.pair;
    let queued = |status: &amanahd::snapshot::Snapshot| {
        (status.peers.first()?.waiting_bundles == 1).then_some(())
    };
    pair.phu.wait_for("the queue", PATIENCE, queued).unwrap();
    let words = |verb: &'static str| {
        [
            std::ffi::OsString::from(verb),
            stick.clone().into_os_string(),
        ]
    };
    pair.phu.run(&words("export")).unwrap();
    pair.phu.stop().unwrap();
    pair.imigrasi.launch_daemon(&imigrasi).unwrap();
    pair.imigrasi.until_up().unwrap();
    pair.imigrasi.run(&words("import")).unwrap();
    let answered = |status: &amanahd::snapshot::Snapshot| {
        (status.peers.first()?.waiting_receipts == 1).then_some(())
    };
    pair.imigrasi
        .wait_for("the receipt", PATIENCE, answered)
        .unwrap();
    let ran = pair.imigrasi.run(&words("export")).unwrap();
    pair.imigrasi.stop().unwrap();
    assert!(ran.stdout.lines().count() == 1, "{ran:?}");
    pair.phu.launch_daemon(&phu).unwrap();
    pair.phu.until_up().unwrap();
    pair.phu.run(&words("import")).unwrap();
    let settled = |status: &amanahd::snapshot::Snapshot| {
        (status.outgoing.first()?.state == "settled").then_some(())
    };
    pair.phu.wait_for("settlement", PATIENCE, settled).unwrap();
    let spool = pair.phu.path(home::SPOOL).into_os_string();
    let closed = ["import".into(), spool, "--lang".into(), "en".into()];
    let ran = pair.phu.attempt(&closed).unwrap();
    assert_eq!(ran.status.code(), Some(77), "{ran:?}");
    assert!(ran.stderr.contains("mounted for somebody else"), "{ran:?}");
    for place in [home::STICK_OUT, home::STICK_IN] {
        let command = "ls \"$1\"";
        let path = pair.phu.path(place);
        assert!(!shell(&other, command, &path).status.success());
        let ran = shell(pair.phu.launch(), "touch \"$1/x\"", &path);
        assert!(
            !ran.status.success(),
            "the operator makes no ticket of his own"
        );
    }
}

#[test]
fn an_operator_does_not_give_back_what_another_one_asked_for() {
    let Some(mut accounts) = accounts() else {
        return;
    };
    let daemon = accounts.daemons[0].clone();
    accounts.exchange.pair.phu.launch_daemon(&daemon).unwrap();
    accounts.exchange.pair.phu.until_up().unwrap();
    let phu = &accounts.exchange.pair.phu;
    let ticket = amanahd::request::Ticket::draw().unwrap();
    let text = |verb: &str| {
        let (ticket, peer) = (ticket.as_str(), accounts.exchange.pair.imigrasi.party());
        match verb {
            "export" => format!(r#"{{"verb":"export","peer":"{peer}","ticket":"{ticket}"}}"#),
            _ => format!(r#"{{"verb":"carried","ticket":"{ticket}","names":[]}}"#),
        }
    };
    let colleague = as_user(&Launch::of(&accounts.program), OPERATOR + 2, &[OPERATORS]);
    let folder = phu.path(home::STICK_OUT).join(ticket.as_str());
    for (who, verb) in [(phu.launch(), "export"), (&colleague, "carried")] {
        let command = format!(
            "printf '%s' '{}' > \"$1/.{verb}\" && mv \"$1/.{verb}\" \"$1/{verb}.request.json\"",
            text(verb)
        );
        let requests = phu.path(home::REQUESTS);
        let ran = shell(who, &command, &requests);
        assert!(ran.status.success(), "{ran:?}");
        let taken = || {
            let left = requests.join(format!("{verb}.request.json")).exists();
            Ok((!left).then_some(()))
        };
        until("the request", PATIENCE, taken).unwrap();
        assert!(folder.exists(), "{verb}");
    }
}
