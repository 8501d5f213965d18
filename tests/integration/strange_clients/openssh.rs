//! OpenSSH's `sftp`: hands over, fetches, resumes both with many large requests in flight, and can do nothing else.
//! Its commands are those of docs/clients.md; what it is refused it says in its own words.

use super::stage::Stage;
use super::{Sheet, journey, nothing_else};

/// What it may not do, and what it says then: mostly in its own words.
const REFUSED: &[(&str, &str)] = &[
    ("mkdir /incoming/x", "Operation unsupported"),
    ("rmdir /incoming", "Operation unsupported"),
    ("chmod 777 /incoming", "Permission denied"),
    ("chown 0 /outgoing/OFFER", "Can't get current ownership"),
    ("ln -s /etc /incoming/x", "Operation unsupported"),
    (
        "ln /outgoing/OFFER /outgoing/x",
        "does not support hardlink",
    ),
    ("ls /etc", "not found"),
    ("ls /incoming/$name", "not found"),
    ("cd /etc", "no-such-file"),
    ("cd /incoming/..", "no-such-file"),
    ("get /etc/passwd", "not found"),
    ("get /outgoing/../etc/passwd", "not found"),
    ("put settings ../../etc/x", "No such file"),
    ("put settings /outgoing/$other", "Permission denied"),
    ("put settings /outgoing/OFFER", "Permission denied"),
    ("put settings /incoming/$other", "Permission denied"),
    ("put settings /incoming/settings", "No such file"),
    ("put settings /incoming/settings.part", "No such file"),
    ("get /incoming/$name", "not found"),
    ("rm /incoming/$name", "Permission denied"),
    ("rm /outgoing/OFFER", "Permission denied"),
    ("rm /incoming", "Permission denied"),
    (
        "rename /outgoing/OFFER /outgoing/$other",
        "Permission denied",
    ),
    (
        "rename /outgoing/OFFER /incoming/OFFER",
        "Permission denied",
    ),
    (
        "rename /incoming/$name.part /outgoing/$name",
        "Permission denied",
    ),
    (
        "rename /incoming/$name.part /incoming/$other",
        "Permission denied",
    ),
    (
        "rename -l /incoming/$name.part /incoming/$other.part",
        "Permission denied",
    ),
    ("rename /incoming/$name.part /incoming/$name", "Failure"),
    ("df /", "not support"),
];

/// One line of a batch.
fn sftp(line: &str) -> String {
    format!(
        ". ./settings; other=$(printf %064d 1).amanah\n\
         sftp -b - -F none -oUserKnownHostsFile=known_hosts -i $key -P $port $party@$host <<END\n{line}\nEND\n"
    )
}

#[test]
fn openssh_sftp_hands_over_and_fetches_and_resumes_both() {
    journey(&Sheet {
        hand_over: "sftp: hand over",
        go_on: "sftp: go on with a cut upload",
        fetch: "sftp: fetch, also to go on with what was cut",
        fetch_on: "sftp: fetch, also to go on with what was cut",
        take_away: "sftp: take away a receipt that is safe here",
        cut: ". ./settings; echo put -f cut /incoming/$name.part |
            sftp -b - -F none -oUserKnownHostsFile=known_hosts -i $key -P $port $party@$host",
    });
}

#[test]
fn openssh_sftp_can_do_nothing_else() {
    let stage = Stage::set();
    let offer = stage.offer.clone();
    let part =
        sftp("put settings /incoming/$other.part\nls -l /incoming\nrm /incoming/$other.part");
    let own = stage.sh(&stage.small, &part).succeeded();
    assert!(own.contains(".amanah.part"), "{own}");
    let with_offer = |line: &str| sftp(&line.replace("OFFER", &offer));
    nothing_else(&stage, REFUSED, with_offer);
    stage.settles();
}
