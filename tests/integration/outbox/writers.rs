//! The writers that people use, side by side, each into the outbox itself and slower than every quiet period: a copy, `dd`,
//! `rsync` both ways, `sftp` through a real server, editors that save by rename, `tar`, moves. Nothing half-written is sent.

use std::fs;
use std::path::Path;

use amanah_tests::drop_server::DropServer;
use amanah_tests::exchange::{Dropped, Exchange};
use amanah_tests::launch::{Launch, quoted};
use anyhow::{Context, Result};

use super::{all_arrive_once, connected, ended, shell};
use amanah_format::home;

/// How one writes, and the shape of what it writes.
struct Writer {
    name: &'static str,
    is_folder: bool,
    /// `$1` the outbox, `$2` the material, `$3` the name.
    script: &'static str,
}

const fn file(name: &'static str, script: &'static str) -> Writer {
    Writer {
        name,
        is_folder: false,
        script,
    }
}

const fn folder(name: &'static str, script: &'static str) -> Writer {
    Writer {
        name,
        is_folder: true,
        script,
    }
}

// Each pause is longer than the quiet period of files (1 s); in a folder that was there for a second, also than that of folders
// (4 s), for one of its files is open.
// One writer a line, as in a table.
#[rustfmt::skip]
const WRITERS: [Writer; 21] = [
    file("cp.csv", r#"cp "$2" "$1/$3""#),
    file("cp -p.csv", r#"cp -p "$2" "$1/$3""#),
    file("dd.csv", r#"{ dd bs=1000 count=150; sleep 2; dd bs=1000 count=1; sleep 2; dd bs=1000; } <"$2" >"$1/$3" 2>/dev/null"#),
    file("late.csv", r#"{ sleep 2; cat; } <"$2" >"$1/$3""#),
    file("append.csv", r#"exec 3>>"$1/$3"; head -c 1000 "$2" >&3; sleep 2; tail -c +1001 "$2" >&3"#),
    file("renamed while written.csv", r#"exec 3>"$1/$3.baru"; head -c 1000 "$2" >&3; mv "$1/$3.baru" "$1/$3"; sleep 2; tail -c +1001 "$2" >&3"#),
    file("named while written.csv", r#"exec 3>"$1/.$3"; head -c 1000 "$2" >&3; mv "$1/.$3" "$1/$3"; sleep 2; tail -c +1001 "$2" >&3"#),
    file("hidden and moved.csv", r#"{ head -c 1000 "$2"; sleep 2; tail -c +1001 "$2"; } >"$1/.$3"; mv "$1/.$3" "$1/$3""#),
    file("part and moved.csv", r#"{ head -c 1000 "$2"; sleep 2; tail -c +1001 "$2"; } >"$1/$3.part"; mv "$1/$3.part" "$1/$3""#),
    file("rsync.csv", r#"cp "$2" "$2.kirim"; rsync -a --bwlimit=120k "$2.kirim" "$1/$3""#),
    file("rsync --inplace.csv", r#"rsync -a --inplace --bwlimit=120k "$2" "$1/$3""#),
    file("rsync --delay-updates.csv", r#"mkdir "$2.d"; cp "$2" "$2.d/$3"; rsync -a --delay-updates --bwlimit=120k "$2.d/" "$1/""#),
    file("mv.csv", r#"cp "$2" "$1/../../../../$3"; mv "$1/../../../../$3" "$1/$3""#),
    file("mv across.csv", r#"there=$(mktemp -d -p /dev/shm); cp "$2" "$there/$3"; mv "$there/$3" "$1/$3"; rmdir "$there""#),
    file("sed -i.csv", r#"{ printf 'kepala\n'; cat "$2"; } >"$1/.$3"; sed -i 1d "$1/.$3"; mv "$1/.$3" "$1/$3""#),
    file("touched while written.csv", r#"exec 3>"$1/$3"; head -c 1000 "$2" >&3; touch -d '2001-01-01' "$1/$3"; sleep 2; tail -c +1001 "$2" >&3"#),
    file("vim.csv", r#"vim -es -n -u NONE -i NONE "$2" -c "write $1/$3" -c quitall!"#),
    folder("tar x", r#"tar c -C "$2/.." --transform "s,^isi,$3," isi | { head -c 60000; sleep 2.5; cat; } | tar x -C "$1""#),
    folder("cp -r", r#"cp -r "$2" "$1/$3""#),
    folder("folder written slowly", r#"mkdir "$1/$3"; sleep 1; exec 3>"$1/$3/a.csv"; head -c 1000 "$2/a.csv" >&3; cp -r "$2/b" "$1/$3/b"; sleep 5; tail -c +1001 "$2/a.csv" >&3"#),
    folder("named like this", r#"mkdir "$1/Folder Baru"; mv "$1/Folder Baru" "$1/$3"; cp -r "$2/b" "$1/$3/b"; sleep 1; exec 3>"$1/$3/a.csv"; head -c 1000 "$2/a.csv" >&3; sleep 5; tail -c +1001 "$2/a.csv" >&3"#),
];

/// Some 300 KB of lines.
fn lines(seed: usize) -> String {
    (0..12_000).fold(String::new(), |text, line| {
        text + &format!("{seed},{line},jemaah\n")
    })
}

/// Material as the writer will find it, and what must arrive.
fn dropped_by(exchange: &Exchange, writer: &Writer, seed: usize) -> Result<Dropped> {
    let (text, other) = (lines(seed), lines(seed + 100));
    let files: &[(&str, &str)] = if writer.is_folder {
        &[("a.csv", &text), ("b/c.csv", &other), ("b/d.csv", "satu\n")]
    } else {
        &[("", &text)]
    };
    // A place of its own for each: what a writer makes beside its material is nobody's.
    let way = exchange.out.clone();
    let mut item = exchange.item(&way, writer.name, files)?;
    let own = exchange.folder().join(format!("bahan-{seed}"));
    fs::create_dir(&own)?;
    let material = own.join(if writer.is_folder { "isi" } else { "isi.csv" });
    fs::rename(&item.material, &material)?;
    item.material = material;
    Ok(Dropped { item, at_millis: 0 })
}

/// `sftp` into the outbox through a stock server, as slow as a bad line: written under the final name.
fn sftp(exchange: &Exchange, server: &DropServer, material: &Path, outbox: &Path) -> Result<()> {
    let key = exchange.pair.phu.folder().join(home::KEY_TRANSPORT);
    let user = Launch::of(Path::new("id")).run(&["-un"], super::WRITER)?;
    let (address, batch) = (server.address(), material.with_extension("batch"));
    let (from, to) = (material.to_string_lossy(), outbox.join("sftp.csv"));
    let to = to.to_string_lossy();
    fs::write(&batch, format!("put {} {}\n", quoted(&from), quoted(&to)))?;
    let script = format!(
        "sftp -q -b \"$2\" -l 800 -P {} -i {} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
         -o IdentitiesOnly=yes {}@{} 2>/dev/null",
        address.port(),
        quoted(&key.to_string_lossy()),
        user.stdout.trim(),
        address.ip()
    );
    ended("sftp", shell(&script, outbox, &batch, "")?)
}

#[test]
fn what_every_writer_writes_slowly_arrives_whole_and_once() {
    let mut exchange = connected(1, 4).unwrap();
    let server = DropServer::start(exchange.pair.both()).unwrap();
    let way = exchange.out.clone();
    let outbox = exchange.pair.phu.outbox(&way.to, &way.flow);
    let dropped: Result<Vec<_>> = WRITERS
        .iter()
        .enumerate()
        .map(|(seed, writer)| dropped_by(&exchange, writer, seed))
        .collect();
    let mut dropped = dropped.unwrap();
    let children = WRITERS.iter().zip(&dropped).map(|(writer, dropped)| {
        let child = shell(writer.script, &outbox, &dropped.item.material, writer.name);
        (writer.name, child.context(writer.name))
    });
    let children: Vec<_> = children.collect();
    let slow = dropped_by(&exchange, &file("sftp.csv", ""), WRITERS.len()).unwrap();
    let sent = sftp(&exchange, &server, &slow.item.material, &outbox);
    dropped.push(slow);
    for (name, child) in children {
        ended(name, child.unwrap()).unwrap();
    }
    sent.unwrap();
    all_arrive_once(&mut exchange, &dropped).unwrap();
}
