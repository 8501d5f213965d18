//! Failures of other systems that no journey of ours would come upon by itself (tests/PAST-FAILURES.md): each is walked into on
//! purpose. The others on that page are kept shut by tests that stand where their rule is built.

use std::fs;

use amanah_format::home;
use amanah_tests::exchange::{Exchange, PATIENCE, files_below};
use amanah_tests::link::Link;
use amanah_tests::ministry::Ministry;
use rustix::process::Signal;

use crate::program;

/// How much the peak of memory may grow where the size grows by `LARGE` to `SMALL`: buffers fill, no file does.
const GROWTH_KIB_MAX: u64 = 24 * 1024;
const SMALL: usize = 1 << 20;
const LARGE: usize = 96 << 20;

/// The texts of all files of this name below the recipient's inbox.
fn imported(ministry: &Ministry, name: &str) -> Vec<String> {
    let files = files_below(&ministry.path(home::INBOX)).unwrap();
    let named = files.iter().filter(|path| path.ends_with(name));
    let mut texts: Vec<String> = named
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    texts.sort();
    texts
}

#[test]
fn two_files_of_one_name_are_both_imported_and_both_kept() {
    let mut exchange = Exchange::found(program()).unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    for (times, text) in (1..).zip(["pagi", "petang"]) {
        exchange.drop_text(&way, "manifes.csv", text).unwrap();
        // The first waits for its peer when the second of its name comes.
        let waits = |peer: &amanahd::snapshot::PeerStatus| peer.waiting_bundles == times;
        let phu = &mut exchange.pair.phu;
        phu.wait_for_peer("a sealed bundle", &way.to, waits)
            .unwrap();
    }
    exchange.pair.imigrasi.start().unwrap();
    let settled = |status: &amanahd::snapshot::Snapshot| {
        let ends = status.outgoing.iter().filter(|one| one.state == "settled");
        (ends.count() == 2).then_some(())
    };
    let phu = &mut exchange.pair.phu;
    phu.wait_for("both settled", PATIENCE, settled).unwrap();
    let both = ["pagi".to_owned(), "petang".to_owned()];
    assert_eq!(imported(&exchange.pair.imigrasi, "manifes.csv"), both);
    let sent = phu.path(&home::sent(&way.to, &way.flow));
    let originals = files_below(&sent).unwrap();
    let mut originals: Vec<String> = originals
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    originals.sort();
    assert_eq!(originals, both);
}

#[test]
fn a_changed_address_of_a_peer_is_used_for_what_already_waits() {
    let mut exchange = Exchange::found(program()).unwrap();
    let config = exchange.pair.phu.folder().join(home::CONFIG);
    let moved = fs::read_to_string(&config).unwrap();
    // It dials a line on which nobody answers, until somebody writes down where the peer is.
    let line = Link::between(&exchange.pair.phu, exchange.pair.address).unwrap();
    line.mute(true);
    exchange.pair.imigrasi.start().unwrap();
    exchange.pair.phu.start().unwrap();
    let way = exchange.out.clone();
    let dropped = exchange.drop_text(&way, "alamat lama.csv", "isi").unwrap();
    let waits = |peer: &amanahd::snapshot::PeerStatus| !peer.connected && peer.waiting_bundles == 1;
    let phu = &mut exchange.pair.phu;
    phu.wait_for_peer("a bundle that waits", &way.to, waits)
        .unwrap();
    phu.stop().unwrap();
    fs::write(&config, moved).unwrap();
    phu.start().unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    exchange.holds(&arrived).unwrap();
}

#[test]
fn what_looks_like_configuration_a_card_or_an_agreement_is_carried_as_data_alone() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    let phu = exchange.pair.phu.folder().to_owned();
    let evil = "party = \"orang-lain\"\nhome = \"/\"\n[alarm]\ncommand = [\"/bin/true\"]\n";
    let mut files = vec![
        (home::CONFIG.to_owned(), evil.to_owned()),
        (format!(".{}", home::CONFIG), evil.to_owned()),
        (
            "requests/pause.json".to_owned(),
            "{\"verb\":\"pause\"}".to_owned(),
        ),
        (
            "hooks/post-receive".to_owned(),
            "#!/bin/sh\nexit 1\n".to_owned(),
        ),
    ];
    for path in files_below(&phu.join("agreements")).unwrap() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let changed = fs::read(&path).unwrap();
        let changed = String::from_utf8_lossy(&changed).replace("GB", "TB");
        files.push((format!("agreements/{name}"), changed));
    }
    assert!(files.len() > 4, "an agreement is among them");
    let texts: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let item = exchange.item(&way, "pembaruan", &texts).unwrap();
    let loaded = |ministry: &Ministry| {
        let ledger = ministry.run(&["ledger", "show", "--json"]).unwrap().stdout;
        ["configuration", "card", "agreement"].map(|kind| ledger.matches(kind).count())
    };
    let before = [&exchange.pair.phu, &exchange.pair.imigrasi].map(loaded);
    let (sender, _) = exchange.pair.sender_and_receiver(&way.from);
    let dropped = amanah_tests::exchange::drop_item(sender, item).unwrap();
    let arrived = exchange.settled(&[dropped]).unwrap();
    for ministry in [&mut exchange.pair.phu, &mut exchange.pair.imigrasi] {
        ministry.signal(Signal::HUP).unwrap();
        ministry.stop().unwrap();
        ministry.start().unwrap();
    }
    exchange.pair.until_connected().unwrap();
    let after = exchange.drop_text(&way, "sesudahnya.csv", "isi").unwrap();
    let after = exchange.settled(&[after]).unwrap();
    let now = [&exchange.pair.phu, &exchange.pair.imigrasi].map(loaded);
    assert_eq!(now, before, "something was loaded");
    exchange.holds(&[arrived, after].concat()).unwrap();
}

/// The peaks of both daemons, in KiB.
fn peaks(exchange: &Exchange) -> [u64; 2] {
    [&exchange.pair.phu, &exchange.pair.imigrasi].map(|ministry| {
        let process = ministry.status().unwrap().unwrap().process;
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.unwrap().trim().trim_end_matches(" kB");
        peak.parse().unwrap()
    })
}

#[test]
fn the_memory_of_both_daemons_does_not_grow_with_the_size_of_a_bundle() {
    let mut exchange = Exchange::connected(program()).unwrap();
    let way = exchange.out.clone();
    // Text that zstd shortens little: hexadecimal digits of a counter that jumps.
    let text = |bytes: usize| -> String {
        let words =
            (0_u64..).map(|number| format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        words.take(bytes / 16).collect()
    };
    let mut arrived = Vec::new();
    // Twice, so that every buffer and thread of an ordinary day is there.
    for name in ["kecil.txt", "kecil juga.txt"] {
        let dropped = exchange.drop_text(&way, name, &text(SMALL)).unwrap();
        arrived.extend(exchange.settled(&[dropped]).unwrap());
    }
    let small = peaks(&exchange);
    let dropped = exchange.drop_text(&way, "besar.txt", &text(LARGE)).unwrap();
    arrived.extend(exchange.settled(&[dropped]).unwrap());
    let large = peaks(&exchange);
    println!("peaks in KiB: {small:?} after {SMALL} bytes, {large:?} after {LARGE}");
    for (small, large) in small.iter().zip(large) {
        assert!(large <= small + GROWTH_KIB_MAX, "{small} KiB, then {large}");
    }
    exchange.holds(&arrived).unwrap();
}
