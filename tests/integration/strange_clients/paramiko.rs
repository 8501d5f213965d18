//! paramiko: what docs/clients.md prints works, and requests that no other client can be brought to send are refused:
//! `refusals.py` tries them, one line of answer for each. paramiko is installed once, from pinned versions, below `target/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::stage::Stage;
use super::{Sheet, block, journey};

const REQUIREMENTS: &str = include_str!("requirements.txt");
const REFUSALS: &str = include_str!("refusals.py");

/// What is tried over SFTP, in this order, and words of the answer.
const SFTP_REFUSED: &[(&str, &str)] = &[
    ("mkdir", "not-allowed"),
    ("rmdir", "not-allowed"),
    ("chmod", "not-allowed"),
    ("times of an offer", "not-allowed"),
    ("truncate", "not-allowed"),
    ("symlink", "not-allowed"),
    ("readlink", "not-allowed"),
    ("hard link", "not-allowed"),
    ("stat of another path", "no-such-file"),
    ("lstat of another path", "no-such-file"),
    ("stat through ..", "no-such-file"),
    ("realpath of ..", "no-such-file"),
    ("list another path", "no-such-file"),
    ("list a file", "failure"),
    ("open a folder", "not-allowed"),
    ("write in /outgoing", "not-allowed"),
    ("append in /outgoing", "not-allowed"),
    ("read in /incoming", "not-allowed"),
    ("read a part", "not-allowed"),
    ("read through a part's handle", "not-allowed"),
    ("a name that is not UTF-8", "no-such-file"),
    ("a name with a zero byte", "no-such-file"),
    ("a name of the other case", "no-such-file"),
    ("open NAME for writing", "not-allowed"),
    ("create a part exclusively", "not-allowed"),
    ("remove NAME", "not-allowed"),
    ("remove a bundle that waits", "not-allowed"),
    ("rename to /outgoing", "not-allowed"),
    ("rename to another name", "not-allowed"),
    ("rename a part to a part", "not-allowed"),
    ("hand over other bytes", "container-malformed"),
    ("look at what was handed over", "no-such-file"),
    ("read what was handed over", "not-allowed"),
    ("write into what was handed over", "not-allowed"),
    ("remove what was handed over", "not-allowed"),
    ("hand over other bytes in its place", "container-malformed"),
    ("hand over what is not there", "failure"),
    ("unknown extended request", "not-allowed"),
    ("statvfs", "not-allowed"),
    ("copy-data", "not-allowed"),
    ("a malformed extended request", "failure"),
    ("a request of no type", "Bad message"),
    ("a request cut short", "Bad message"),
    ("a second INIT", "failure"),
    ("read of no bytes", "Eof"),
    ("read at the end of the numbers", "Eof"),
    ("write at the end of the numbers", "not-allowed"),
    ("write behind a hole", "not-allowed"),
    ("a handle that is none", "failure"),
    ("the handle of something closed", "failure"),
    ("too many handles", "too many open handles"),
];

/// The folder of the interpreter that has paramiko. Several tests may ask for it at once, in processes of their own.
pub(super) fn interpreter() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("paramiko");
        let lock = File::create(place.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let installed = place.join("installed");
        if fs::read_to_string(&installed).is_ok_and(|found| found == REQUIREMENTS) {
            return place.join("bin");
        }
        let _absent = fs::remove_dir_all(&place);
        let list = place.with_extension("txt");
        fs::write(&list, REQUIREMENTS).unwrap();
        let make = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&place)
            .output();
        assert!(
            make.as_ref().is_ok_and(|made| made.status.success()),
            "{make:?}"
        );
        let mut pip = Command::new(place.join("bin/pip"));
        pip.args([
            "install",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            "-r",
        ]);
        let install = pip.arg(&list).output();
        assert!(
            install.as_ref().is_ok_and(|ended| ended.status.success()),
            "{install:?}"
        );
        fs::write(&installed, REQUIREMENTS).unwrap();
        place.join("bin")
    })
}

#[test]
fn paramiko_hands_over_and_fetches_and_resumes_both() {
    journey(&Sheet {
        hand_over: "paramiko: hand over, also to go on with what was cut",
        go_on: "paramiko: hand over, also to go on with what was cut",
        fetch: "paramiko: fetch, also to go on with what was cut",
        fetch_on: "paramiko: fetch, also to go on with what was cut",
        take_away: "paramiko: take away a receipt that is safe here",
        cut: ". ./settings; python3 - $host $port $party $key $name <<'END'
import sys
import paramiko
host, port, party, key, name = sys.argv[1:]
with paramiko.SSHClient() as ssh:
    ssh.load_host_keys('known_hosts')
    ssh.connect(host, int(port), party, key_filename=key, allow_agent=False, look_for_keys=False)
    sftp = ssh.open_sftp()
    with sftp.open(f'/incoming/{name}.part', 'w') as part, open('cut', 'rb') as cut:
        part.write(cut.read())
        sftp._request(200, 'fsync@openssh.com', part.handle)
END",
    });
}

/// Runs a chapter of `refusals.py`: its lines are `ATTEMPT<TAB>ANSWER`.
fn answers(stage: &Stage, chapter: &str) -> Vec<(String, String)> {
    stage.write("refusals.py", REFUSALS);
    let script = format!(
        ". ./settings; python3 refusals.py {chapter} $host $port $party $key $name {}",
        stage.offer
    );
    let printed = stage.sh(&stage.small, &script).succeeded();
    let lines = printed.lines().filter_map(|line| line.split_once('\t'));
    lines
        .map(|(attempt, answer)| (attempt.to_owned(), answer.to_owned()))
        .collect()
}

/// Every attempt was refused, in words that contain these, and they were all tried.
fn refused(answers: &[(String, String)], expected: &[(&str, &str)]) {
    let tried: Vec<&str> = answers
        .iter()
        .map(|(attempt, _)| attempt.as_str())
        .collect();
    let foreseen: Vec<&str> = expected.iter().map(|(attempt, _)| *attempt).collect();
    assert_eq!(tried, foreseen, "{answers:#?}");
    for ((attempt, answer), (_, words)) in answers.iter().zip(expected) {
        assert!(
            answer.contains(words),
            "{attempt}: not '{words}' in {answer}"
        );
    }
}

#[test]
fn every_other_sftp_request_is_answered_with_a_refusal() {
    let mut stage = Stage::set();
    let hand_over = block("sftp: hand over");
    let small = stage.small.clone();
    stage.sh(&small, &hand_over).succeeded();
    let answer = stage.answered(&small);
    let before = stage.touched();
    refused(&answers(&stage, "sftp"), SFTP_REFUSED);
    let after = stage.touched();
    assert!(after.is_subset(&before), "{:?}", after.difference(&before));
    // The same bytes again change nothing.
    stage.sh(&small, &hand_over).succeeded();
    assert!(stage.answered(&small) == answer);
    stage.settles();
}

#[test]
fn every_other_ssh_request_is_answered_with_a_refusal() {
    let stage = Stage::set();
    refused(
        &answers(&stage, "ssh"),
        &[
            ("exec", "Channel closed"),
            ("shell", "Channel closed"),
            ("pty", "Channel closed"),
            ("x11-req", "Channel closed"),
            ("auth-agent-req", "Channel closed"),
            ("env", "Channel closed"),
            ("a request that is none", "Channel closed"),
            ("another subsystem", "Channel closed"),
            ("a second subsystem", "Channel closed"),
            ("direct-tcpip", "prohibited"),
            ("forwarded-tcpip", "prohibited"),
            ("x11", "prohibited"),
            ("agent", "ChannelException"),
            ("tunnel", "ChannelException"),
            ("a channel that is none", "ChannelException"),
            ("remote forwarding", "denied"),
            ("a global request that is none", "denied"),
            ("too many channels", "Resource shortage"),
            ("a password", "publickey"),
        ],
    );
    stage.settles();
}
