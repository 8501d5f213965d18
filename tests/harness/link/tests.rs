//! The line itself: what it says it does to bytes, it does.
//! Short ones with an echo behind it; the journeys over it are in `tests/integration/wire`.

use super::*;
use std::io::{Read, Write};
use std::time::Instant;

/// An echo behind a line, for one connection.
fn echo() -> (Link, JoinHandle<()>) {
    let listener = TcpListener::bind(free_address().unwrap()).unwrap();
    let link = Link::to(listener.local_addr().unwrap()).unwrap();
    let echoing = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut back = stream.try_clone().unwrap();
        // A cut is an end too.
        let _ended = std::io::copy(&mut stream, &mut back);
    });
    (link, echoing)
}

#[test]
fn bytes_are_carried_counted_and_cut_exactly() {
    let (link, echoing) = echo();
    link.cut_after(Direction::Up, 100_000);
    let mut stream = TcpStream::connect(link.address).unwrap();
    let sent = vec![7; 40_000];
    stream.write_all(&sent).unwrap();
    let mut back = vec![0; sent.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, sent);
    assert_eq!(link.carried(Direction::Up), 40_000);
    assert!(link.cut_is_pending(Direction::Up));
    // The cut may come before the last of it is written.
    let _cut = stream
        .write_all(&sent)
        .and_then(|()| stream.write_all(&sent));
    let mut rest = Vec::new();
    let _ended = stream.read_to_end(&mut rest);
    assert_eq!(link.carried(Direction::Up), 100_000);
    assert!(!link.cut_is_pending(Direction::Up));
    echoing.join().unwrap();
}

#[test]
fn a_delay_a_narrow_line_and_a_block_take_their_time() {
    let (link, echoing) = echo();
    link.set_both(Way {
        delay: Duration::from_millis(60),
        ..Way::default()
    });
    let mut stream = TcpStream::connect(link.address).unwrap();
    let round = |stream: &mut TcpStream, bytes: usize| {
        let begun = Instant::now();
        stream.write_all(&vec![1; bytes]).unwrap();
        stream.read_exact(&mut vec![0; bytes]).unwrap();
        begun.elapsed()
    };
    assert!(round(&mut stream, 10) >= Duration::from_millis(120));
    link.set(
        Direction::Up,
        Way {
            bytes_per_sec: Some(100_000),
            ..Way::default()
        },
    );
    assert!(round(&mut stream, 50_000) >= Duration::from_millis(400));
    link.set_both(Way {
        blocked: true,
        ..Way::default()
    });
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    stream.write_all(b"x").unwrap();
    assert!(stream.read(&mut [0]).is_err(), "it passed");
    link.set_both(Way::default());
    stream.set_read_timeout(None).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap(), 1);
    drop(stream);
    echoing.join().unwrap();
}

#[test]
fn a_silent_connection_stays_open_and_a_mute_line_answers_nobody() {
    let (link, echoing) = echo();
    let mut stream = TcpStream::connect(link.address).unwrap();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    link.fall_silent();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    stream.write_all(b"x").unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    link.mute(true);
    let mut mute = TcpStream::connect(link.address).unwrap();
    mute.set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    mute.write_all(b"x").unwrap();
    assert_eq!(
        mute.read(&mut [0]).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
    drop(link);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    echoing.join().unwrap();
}
