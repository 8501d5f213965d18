//! lftp: hands over, fetches, resumes both, with its own habits (folders asked for with a dot, times set), and nothing else.
//! Its commands are those of docs/clients.md; what it is refused it shows with our code.

use super::stage::Stage;
use super::{Sheet, journey, nothing_else};

const OPEN: &str = "set cmd:fail-exit yes; set net:max-retries 2; set net:timeout 10;
set sftp:connect-program \\\"ssh -a -x -F none -oUserKnownHostsFile=known_hosts -i $key\\\";
open sftp://$party:@$host:$port;";

fn lftp(line: &str) -> String {
    format!(". ./settings; other=$(printf %064d 1).amanah\nlftp -c \"{OPEN} {line}\"")
}

#[test]
fn lftp_hands_over_and_fetches_and_resumes_both() {
    let cut = lftp("put cut -o incoming/$name.part");
    journey(&Sheet {
        hand_over: "lftp: hand over, also to go on with what was cut",
        go_on: "lftp: hand over, also to go on with what was cut",
        fetch: "lftp: fetch, also to go on with what was cut",
        fetch_on: "lftp: fetch, also to go on with what was cut",
        take_away: "lftp: take away a receipt that is safe here",
        cut: &cut,
    });
}

#[test]
fn lftp_can_do_nothing_else() {
    let stage = Stage::set();
    let offer = stage.offer.clone();
    let part = "cd incoming; put settings -o $other.part; cls -l; rm $other.part";
    let own = stage.sh(&stage.small, &lftp(part)).succeeded();
    assert!(own.contains(".amanah.part"), "{own}");
    nothing_else(
        &stage,
        &[
            ("mkdir incoming/x", "not-allowed"),
            ("rmdir incoming", "not-allowed"),
            ("chmod 777 incoming", "not-allowed"),
            ("ln -s a incoming/b", "not-allowed"),
            ("cd /etc", "no-such-file"),
            ("cd ..", "no-such-file"),
            ("ls /etc", "no-such-file"),
            ("get /etc/passwd", "no-such-file"),
            ("get incoming/$name", "not-allowed"),
            ("put settings -o ../../etc/x", "no-such-file"),
            ("put settings -o incoming/settings", "no-such-file"),
            ("put settings -o incoming/$other", "not-allowed"),
            ("put settings -o outgoing/$other", "not-allowed"),
            ("put settings -o outgoing/OFFER", "not-allowed"),
            ("mv outgoing/OFFER incoming/OFFER", "not-allowed"),
            ("mv incoming/$name.part incoming/$other", "not-allowed"),
            ("mv incoming/$name.part incoming/$name", "failure"),
            ("rm incoming/$name", "not-allowed"),
            ("rm outgoing/OFFER", "not-allowed"),
            ("mirror -R . incoming", "no-such-file"),
        ],
        |line| lftp(&line.replace("OFFER", &offer)),
    );
    stage.settles();
}
