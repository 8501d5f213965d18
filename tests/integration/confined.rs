//! What a daemon may still do once it has confined itself, tried from within: its home and configuration, and nothing beside them.
//! That it can still work is what every other journey here shows.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use amanah_format::home;
use amanah_tests::exchange::Exchange;

use crate::program;

#[test]
fn a_confined_daemon_reads_writes_runs_and_dials_nothing_beside_its_own() {
    let mut exchange = Exchange::found(program()).unwrap();
    let beside = exchange.folder().join("rahasia.txt");
    fs::write(&beside, "milik orang lain").unwrap();
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let peer = TcpListener::bind(exchange.pair.address).unwrap();
    let fresh = exchange.folder().join("baru");
    let phu = &mut exchange.pair.phu;
    let (inside, config) = (phu.path("coba"), phu.folder().join(home::CONFIG));
    let tries = [
        (format!("read:{}", config.display()), "allowed"),
        ("read:/usr/bin/env".to_owned(), "allowed"),
        (format!("write:{}", inside.display()), "allowed"),
        (format!("dial:{}", exchange.pair.address), "allowed"),
        (format!("read:{}", beside.display()), "permission denied"),
        ("read:/etc/passwd".to_owned(), "permission denied"),
        ("read:/proc/1/environ".to_owned(), "permission denied"),
        (
            format!("read:/proc/self/root{}", beside.display()),
            "permission denied",
        ),
        (
            format!("read:/proc/self/cwd/../../../../../{}", beside.display()),
            "permission denied",
        ),
        (format!("write:{}", beside.display()), "permission denied"),
        (format!("write:{}", fresh.display()), "permission denied"),
        ("write:/usr/bin/env".to_owned(), "permission denied"),
        ("run:/usr/bin/env".to_owned(), "permission denied"),
        (
            format!("dial:{}", stranger.local_addr().unwrap()),
            "permission denied",
        ),
    ];
    let words: Vec<&str> = tries.iter().map(|(word, _)| word.as_str()).collect();
    let launch = phu.launch().clone().with("AMANAH_PROBE", &words.join(" "));
    phu.launch_daemon(&launch).unwrap();
    phu.until_up().unwrap();
    drop((peer, stranger));
    let log = fs::read_to_string(phu.log()).unwrap();
    if log.contains("not confined: this kernel has no Landlock") {
        eprintln!("not tried: {log}");
        return;
    }
    assert!(log.contains("confined by Landlock"), "{log}");
    for (word, expected) in tries {
        assert!(
            log.contains(&format!("probe {word} = {expected}")),
            "{word}: not '{expected}' in {log}"
        );
    }
    assert_eq!(fs::read_to_string(&beside).unwrap(), "milik orang lain");
}

#[test]
fn a_confined_daemon_dials_its_database_server() {
    let mut exchange = Exchange::found(program()).unwrap();
    let listeners = [0, 1].map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let [server, stranger] = listeners.each_ref().map(|one| one.local_addr().unwrap());
    let phu = &mut exchange.pair.phu;
    let config = phu.folder().join(home::CONFIG);
    let text = fs::read_to_string(&config).unwrap();
    let url = format!("postgresql://amanah@{server}/jemaah?sslmode=disable");
    let tables = format!("\n[store.tables]\nkind = \"postgres\"\nurl = \"{url}\"\n");
    fs::write(config, text + &tables).unwrap();
    let words = format!("dial:{server} dial:{stranger}");
    let launch = phu.launch().clone().with("AMANAH_PROBE", &words);
    phu.launch_daemon(&launch).unwrap();
    phu.until_up().unwrap();
    let log = fs::read_to_string(phu.log()).unwrap();
    if log.contains("not confined: this kernel has no Landlock") {
        eprintln!("not tried: {log}");
        return;
    }
    assert!(
        log.contains(&format!("probe dial:{server} = allowed")),
        "{log}"
    );
    let refused = format!("probe dial:{stranger} = permission denied");
    assert!(log.contains(&refused), "{log}");
}
