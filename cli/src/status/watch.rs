//! `amanah status --watch`. On a terminal the picture is drawn over the one before, on the screen that programs have for
//! themselves, until q or Ctrl-C; what the terminal was before is given back. Elsewhere a line tells each change.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use amanahd::catalogue::moment;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr,
};

use super::{facts, life, read, show, streams};
use crate::{
    demo::{signals, waiting},
    exit::{Exit, Failure, Outcome},
    papers,
    screen::{Screen, Streams},
};

const EVERY: Duration = Duration::from_secs(1);
/// The same in tenths of a second, as a terminal waits for a key.
const EVERY_TENTHS: u8 = 10;

/// ECMA-48 and what terminals agreed on: the other screen, no cursor; and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
/// A picture is shown at once where the terminal can (mode 2026), from the upper left corner, over the old one.
const BEGIN: &str = "\u{1b}[?2026h\u{1b}[H";
/// What is left of the old picture on this line, and below.
const REST_OF_LINE: &str = "\u{1b}[K";
const END: &str = "\u{1b}[J\u{1b}[?2026l";

/// q, Q, Ctrl-C, Ctrl-D, and Escape alone.
const QUIT: [u8; 5] = [b'q', b'Q', 3, 4, 27];

/// Until a key or a signal ends it.
pub(super) fn run(home: &Path, screen: &mut Screen<'_>) -> Outcome {
    signals::listen().map_err(|error| Failure::new(Exit::Io, error))?;
    let told = if screen.size().is_some() && !screen.json {
        let keys = Keys::listen();
        screen.raw(ENTER)?;
        let told = draw_until_quit(home, &keys, screen);
        screen.raw(LEAVE)?;
        told
    } else {
        tell_changes(home, screen)
    };
    told.map(|()| Exit::Ok)
}

fn draw_until_quit(home: &Path, keys: &Keys, screen: &mut Screen<'_>) -> Outcome<()> {
    while waiting::not_interrupted().is_ok() {
        picture(home, screen)?;
        if keys.quit_within_a_second() {
            break;
        }
    }
    Ok(())
}

/// The status at one moment, in a single write.
fn picture(home: &Path, screen: &mut Screen<'_>) -> Outcome<()> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let streams = Streams {
        out: &mut out,
        err: &mut err,
        is_terminal: screen.is_terminal(),
    };
    let mut inner = Screen::new(streams, screen.language, screen.json);
    let text = match show(read(home).as_ref(), home, &mut inner) {
        Ok(_) => String::from_utf8_lossy(&out).into_owned(),
        Err(failure) => failure.sentence(screen.language),
    };
    let size = screen.size().unwrap_or((24, 80));
    let lines = fitting(&text, size).replace('\n', &format!("{REST_OF_LINE}\n"));
    screen.raw(&format!("{BEGIN}{lines}{REST_OF_LINE}\n{END}"))
}

/// The lines that a terminal of so many rows and columns shows at once, from the top: what needs a person stands there.
fn fitting(text: &str, (rows, columns): (u16, u16)) -> String {
    let columns = usize::from(columns).max(1);
    let mut left = usize::from(rows).saturating_sub(1);
    let mut kept = Vec::new();
    for line in text.lines() {
        let takes = line.chars().count().div_ceil(columns).max(1);
        if takes > left {
            break;
        }
        left -= takes;
        kept.push(line);
    }
    kept.join("\n")
}

/// What the keyboard says, without waiting for a whole line; at the end the terminal is as it was.
struct Keys {
    before: Option<Termios>,
}

impl Keys {
    /// Without a keyboard (input is no terminal) only a signal ends the watch.
    fn listen() -> Self {
        let input = std::io::stdin();
        let before = tcgetattr(&input).ok().filter(|_| isatty(&input));
        if let Some(before) = &before {
            let mut now = before.clone();
            now.local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
            now.special_codes[SpecialCodeIndex::VMIN] = 0;
            now.special_codes[SpecialCodeIndex::VTIME] = EVERY_TENTHS;
            let _ = tcsetattr(&input, OptionalActions::Now, &now);
        }
        Self { before }
    }

    fn quit_within_a_second(&self) -> bool {
        if self.before.is_none() {
            std::thread::sleep(EVERY);
            return false;
        }
        let mut typed = [0; 16];
        match rustix::io::read(std::io::stdin(), &mut typed) {
            Ok(0) | Err(rustix::io::Errno::INTR) => false,
            Ok(length) => is_quit(typed.get(..length).unwrap_or_default()),
            Err(_) => true,
        }
    }
}

/// An arrow key begins with an escape too, and ends nothing.
fn is_quit(typed: &[u8]) -> bool {
    match typed {
        [27, _, ..] => false,
        keys => keys.iter().any(|key| QUIT.contains(key)),
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// A line for each peer, flow, alarm or daemon that is not as it was; with `--json` the whole status on a line.
fn tell_changes(home: &Path, screen: &mut Screen<'_>) -> Outcome<()> {
    let mut before = BTreeMap::new();
    while waiting::not_interrupted().is_ok() {
        let now = papers::now();
        let lines = match read(home) {
            Some(snapshot) if screen.json => {
                let mut facts = facts(&snapshot, life(&snapshot, now.unix()));
                if let Some(object) = facts.as_object_mut() {
                    object.remove("written");
                }
                BTreeMap::from([(String::new(), facts.to_string())])
            }
            Some(snapshot) => streams::lines(&snapshot, life(&snapshot, now.unix()), now, screen),
            None => BTreeMap::new(),
        };
        let clock = moment::clock(now, screen.language);
        for (about, line) in &lines {
            if before.get(about) == Some(line) {
                continue;
            }
            if screen.json {
                screen.line(line)?;
            } else {
                screen.line(&format!("{clock} {line}"))?;
            }
        }
        screen.flush()?;
        before = lines;
        std::thread::sleep(EVERY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_terminal_shows_the_beginning_and_long_lines_count_as_they_wrap() {
        assert_eq!(fitting("a\nb\nc\nd\n", (3, 80)), "a\nb");
        assert_eq!(fitting("aaaa\nb\n", (3, 2)), "aaaa");
        assert_eq!(fitting("aaaa\nb\n", (2, 2)), "");
        assert_eq!(fitting("a\n\nb\n", (9, 80)), "a\n\nb");
    }

    #[test]
    fn q_and_control_c_end_it_and_an_arrow_does_not() {
        for typed in [&b"q"[..], b"Q", b"\x03", b"\x1b", b"xq"] {
            assert!(is_quit(typed), "{typed:?}");
        }
        for typed in [&b""[..], b"x", b"\x1b[A"] {
            assert!(!is_quit(typed), "{typed:?}");
        }
    }
}
