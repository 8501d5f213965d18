//! Alarms about the database that rows of tables land in: what is there is another one, its table does not fit any more, or it is a
//! copy that has what was destroyed (so may the inbox be). Each says what to do; the first two are not mended by the daemon, for that
//! would lose or double rows.

use crate::catalogue::refusals::{Words, because};

/// Of the alarm codes.
pub(super) fn explain(code: &str) -> Option<Words> {
    let found = match code {
        "store-other" => because(
            (
                "Di tempat basis data tabel ada basis data lain; tidak ada yang ditulis ke dalamnya, kiriman tabel ditahan.",
                "Where the database of tables was, there is another one; nothing is written to it, and tables are held.",
            ),
            (
                "Kembalikan basis data yang semula. Bila sudah hilang untuk selamanya, letakkan yang kosong di sana (berkas kosong untuk SQLite, skema tanpa tabel untuk PostgreSQL): isinya diimpor lagi dari arsip.",
                "Put the former one back. If it is gone for good, put an empty one there (a file of no bytes for SQLite, a schema without tables for PostgreSQL): what it had is imported again from the archive.",
            ),
        ),
        "destroyed-came-back" => because(
            (
                "Data yang sudah dimusnahkan ada lagi di sini: basis data, kotak masuk, atau arsip dipulihkan dari cadangan yang lebih tua daripada pemusnahannya.",
                "What was destroyed is here again: the database, the inbox or the archive was restored from a backup that is older than its destruction.",
            ),
            (
                "Amanah memusnahkannya lagi dengan berita acara baru; yang ditahan (`amanah retention due`) tetap ada. Cadangan itu masih memuatnya: musnahkan juga di sana.",
                "Amanah destroys it again, with a new destruction record; what is held (`amanah retention due`) stays. The backup has it still: destroy it there too.",
            ),
        ),
        "store-schema" => because(
            (
                "Tabel yang ada tidak dapat menerima kolom menurut versi perjanjian yang baru; kiriman alur ini ditahan.",
                "The table that is there cannot take the columns of the agreement's new version; this flow is held.",
            ),
            (
                "Admin sistem membaca log, yang menyebut kolom dan perintahnya (`ALTER TABLE … RENAME TO …`). Tidak ada data yang dihapus.",
                "The system administrator reads the log, which names the column and the command (`ALTER TABLE … RENAME TO …`). No data is removed.",
            ),
        ),
        _ => return None,
    };
    Some(found)
}
