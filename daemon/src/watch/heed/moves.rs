//! What moves: the two halves of a move are told one after the other, and belong together by their cookie. What is known of a
//! name goes along; where the events leave two histories open, the names become unsure.

use amanah_format::home;

use super::{Ear, now_of};
use crate::durable;
use crate::watch::known::{ITEM_DEPTH, Key, Mark, depth, folder_of, moved, name_of};
use crate::watch::session::Folder;

/// Most moves whose second half has not come yet: it follows at once, or what was moved has left the outbox.
const MOVING_MAX: usize = 16;

/// The first half of a move.
pub(super) struct Moving {
    cookie: u32,
    from: Key,
    marks: Vec<(Key, Mark)>,
    opens: u32,
    folders: Vec<(Key, Folder)>,
    /// Since when its folder was listened to.
    since_nanos: Option<i128>,
}

impl Ear {
    /// The first half of a move.
    pub(super) fn left(&mut self, key: &Key, cookie: u32) -> bool {
        let since_nanos = self.since(folder_of(key));
        let folders = self.session.as_mut().map(|session| session.take(key));
        self.moving.push_back(Moving {
            cookie,
            from: key.clone(),
            marks: self.known.take(key),
            opens: self.known.take_opens(key),
            folders: folders.unwrap_or_default(),
            since_nanos,
        });
        if self.moving.len() > MOVING_MAX
            && let (Some(gone), Some(session)) = (self.moving.pop_front(), &self.session)
        {
            session.leave(&gone.folders);
        }
        depth(key) < ITEM_DEPTH
    }

    /// The second half of a move, or something from elsewhere.
    pub(super) fn came(&mut self, key: &Key, cookie: u32, is_folder: bool) -> bool {
        let now = now_of(&self.clock);
        let displaced = self.known.take(key);
        self.known.take_opens(key);
        if let Some(session) = &mut self.session {
            session.take(key);
            if is_folder {
                session.listen(key, &now);
            }
        }
        let place = self.moving.iter().position(|half| half.cookie == cookie);
        let Some(moving) = place.and_then(|place| self.moving.remove(place)) else {
            if depth(key) == ITEM_DEPTH {
                self.remember(key, Mark::MovedIn(self.clock.unix_millis()));
            }
            return true;
        };
        let before = self.last.replace((moving.from.clone(), key.clone()));
        let was_claim = name_of(&moving.from).starts_with(home::CLAIM_PREFIX.as_bytes());
        if !was_claim && before.is_some_and(|before| before == (key.clone(), moving.from.clone())) {
            self.exchanged(key, &moving.from);
            return true;
        }
        self.known.give_opens(key, moving.opens);
        for (inside, mark) in moving.marks.iter().filter(|(at, _)| *at != moving.from) {
            // What else is said of a folder's files was said for the place where they were.
            if *mark == Mark::Writing {
                self.remember(&moved(inside, &moving.from, key), *mark);
            }
        }
        let own = |marks: &[(Key, Mark)], key: &Key| {
            let mut own = marks.iter().filter(|(at, _)| at == key);
            own.next().map(|(_, mark)| *mark)
        };
        let carried = own(&moving.marks, &moving.from);
        let mark = if is_folder {
            self.of_moved_folder(&moving.from, key)
        } else {
            self.of_moved_file(&moving, carried, own(&displaced, key), key)
        };
        match mark {
            Some(mark) if depth(key) <= ITEM_DEPTH || mark == Mark::Writing => {
                self.remember(key, mark);
            }
            Some(_) | None => {}
        }
        true
    }

    /// Staged under a hidden name, or in a hidden folder (`amanah send`), and then named, a folder has come whole; under any other, it
    /// may only have got a better name before it is filled.
    fn of_moved_folder(&self, from: &[u8], key: &[u8]) -> Option<Mark> {
        let names = || from.split(|byte| *byte == b'/');
        let was_claim = names().any(|name| name.starts_with(home::CLAIM_PREFIX.as_bytes()));
        let is_whole = depth(key) == ITEM_DEPTH && names().any(home::is_ignored) && !was_claim;
        is_whole.then(|| Mark::MovedIn(self.clock.unix_millis()))
    }

    /// Who wrote it under the old name writes on under the new one; what was put back after a claim has not just come.
    fn of_moved_file(
        &self,
        moving: &Moving,
        carried: Option<Mark>,
        displaced: Option<Mark>,
        key: &Key,
    ) -> Option<Mark> {
        let was_claim = name_of(&moving.from).starts_with(home::CLAIM_PREFIX.as_bytes());
        let came = Mark::MovedIn(self.clock.unix_millis());
        match (carried, displaced) {
            // Told under the new name before the rename itself was told: by its own writer, or by that of what lay there.
            (Some(Mark::Writing), Some(Mark::Closed(_)))
            | (_, Some(Mark::Writing | Mark::Unsure))
            | (Some(Mark::Unsure), _) => Some(Mark::Unsure),
            (Some(Mark::Writing), _) => Some(Mark::Writing),
            _ if was_claim => None,
            (Some(Mark::Closed(_) | Mark::MovedIn(_)), _) => Some(came),
            // Out of a folder where it was made ready (`amanah send`, `rsync --delay-updates`), which is heard a moment late.
            (None, _) if depth(&moving.from) > ITEM_DEPTH && moving.opens == 0 => Some(came),
            (Some(Mark::Made) | None, _) => {
                let path = self.session.as_ref()?.path(key);
                let born = durable::born_nanos(&path.symlink_metadata().ok()?);
                let is_of_this_time = |since| born > since;
                let whole_life = moving.since_nanos.is_some_and(is_of_this_time);
                Some(if whole_life { came } else { Mark::Unsure })
            }
        }
    }

    /// Two names were exchanged, or something was moved and moved back: the events are the same.
    fn exchanged(&mut self, one: &Key, other: &Key) {
        let now = now_of(&self.clock);
        for key in [one, other] {
            self.known.take(key);
            self.known.take_opens(key);
            let Some(session) = &mut self.session else {
                return;
            };
            session.take(key);
            if !session.listen(key, &now) && depth(key) <= ITEM_DEPTH {
                self.remember(key, Mark::Unsure);
            }
        }
    }
}
