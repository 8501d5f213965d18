//! rclone: hands over (it looks at what it renamed), fetches, goes on with a cut download, and can do nothing else.
//! Its commands are those of docs/clients.md: without a shell on the other side, without times.

use super::stage::Stage;
use super::{Sheet, block, journey, nothing_else};

/// Its settings as docs/clients.md gives them, and one command.
fn rclone(line: &str) -> String {
    let block = block("rclone: fetch");
    let settings = block.lines().take_while(|line| !line.starts_with("rclone"));
    let settings: Vec<&str> = settings.collect();
    let tries =
        "export RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1\nother=$(printf %064d 1).amanah";
    format!("{}\n{tries}\nrclone {line}\n", settings.join("\n"))
}

#[test]
fn rclone_hands_over_and_fetches_and_goes_on_with_a_download() {
    let cut = rclone("copyto cut peer:incoming/$name.part");
    journey(&Sheet {
        hand_over: "rclone: hand over",
        go_on: "rclone: hand over",
        fetch: "rclone: fetch",
        fetch_on: "rclone: go on with a cut download",
        take_away: "rclone: take away a receipt that is safe here",
        cut: &cut,
    });
}

#[test]
fn rclone_can_do_nothing_else() {
    let stage = Stage::set();
    let offer = stage.offer.clone();
    let part = "copyto settings peer:incoming/$other.part; rclone lsl peer:; \
        rclone deletefile peer:incoming/$other.part";
    let own = stage.sh(&stage.small, &rclone(part)).succeeded();
    assert!(own.contains(".amanah.part"), "{own}");
    nothing_else(
        &stage,
        &[
            ("mkdir peer:incoming/x", "not-allowed"),
            ("rmdir peer:incoming", "not-allowed"),
            ("purge peer:outgoing", "not-allowed"),
            ("lsl peer:/etc", "directory not found"),
            ("copyto peer:/etc/passwd x", "not found"),
            ("copyto peer:incoming/$name x", "not found"),
            (
                "copyto settings peer:incoming/settings",
                "file does not exist",
            ),
            ("copyto settings peer:incoming/$other", "permission denied"),
            ("copyto settings peer:outgoing/$other", "permission denied"),
            ("copyto settings peer:../etc/x", "not-allowed"),
            (
                "moveto peer:outgoing/OFFER peer:incoming/OFFER",
                "permission denied",
            ),
            ("deletefile peer:outgoing/OFFER", "not-allowed"),
            ("touch peer:incoming/$other", "permission denied"),
        ],
        |line| rclone(&line.replace("OFFER", &offer)),
    );
    stage.settles();
}
