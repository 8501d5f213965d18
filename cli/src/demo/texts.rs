//! The demo's sentences, in Indonesian and English: each stands here once. `{0}`, `{1}` … stand for values.
//! Words follow the daemon's catalogue; what the daemon itself says is there, not here.

use amanahd::catalogue::Text;

/// Declares sentences: `NAME = "Indonesian" / "English";`.
macro_rules! texts {
    ($($name:ident = $id:literal / $en:literal;)+) => {
        $(
            #[doc = $en]
            pub(crate) const $name: Text = Text { id: $id, en: $en };
        )+
        #[cfg(test)]
        const ALL: &[(&str, Text)] = &[$((stringify!($name), $name)),+];
    };
}

texts! {
    TITLE = "Peragaan Amanah: dua kementerian di mesin ini. Semua data rekaan." / "Amanah demo: two ministries on this machine. All data is made up.";
    FOUNDING = "1. Kunci, kartu dan perjanjian" / "1. Keys, cards and agreement";
    STARTING = "2. Kedua daemon dijalankan; SSH di {0}, hanya satu pihak membuka port" / "2. Both daemons start; SSH on {0}, only one side has an open port";
    DROPPING = "3. Berkas ditaruh di kotak keluar: {0} butir, {1}, dua arah" / "3. Files are dropped: {0} items, {1}, in both directions";
    TABLES = "4. Tabel kedua kementerian: {0} baris manifes, registri, perlintasan, dan temuan, menjadi baris SQLite di pihak lain" / "4. The ministries' tables: {0} rows of manifests, register, crossings and findings become rows of SQLite at the other side";
    CORRECTING = "   phu meralat manifesnya: kiriman {0}" / "   phu corrects its manifest: bundle {0}";
    SPOILT = "   ✓ {0} dirusak lembar kerja, tidak dikirim, kembali utuh ({1}):" / "   ✓ {0}, spoilt by a spreadsheet, was not sent and came back whole ({1}):";
    ROWS_COMPARED = "   ✓ {0} → {1}: {2} baris di basis data, setiap tabel tepat satu kali" / "   ✓ {0} → {1}: {2} rows in the database, each table exactly once";
    ASKING = "7. Pertanyaan kementerian, dijawab SQL dari yang tiba" / "7. What a ministry asks, answered by SQL from what arrived";
    ASKED_AT = "   {0}:" / "   {0}:";
    ANSWER = "   {0}  {1}" / "   {0}  {1}";
    GROUP = "             mis. {0}, {1}, izin {2}: {3} orang" / "             e.g. {0}, {1}, licence {2}: {3} people";
    KEY_HOLDS = "   ✓ {0}: {1} jawaban dan {2} rombongan sama dengan kunci latihan" / "   ✓ {0}: {1} answers and {2} groups are those of the exercise's key";
    KEY_FAILS = "   ✗ {0}: TIDAK SESUAI dengan kunci latihan: {1}" / "   ✗ {0}: NOT as the exercise's key says: {1}";
    COMPARING = "6. Diperiksa: berkas dan baris yang tiba, tanda terima, jejak audit" / "6. Checked: files and rows that arrived, the receipts, the ledgers";
    ATTACKING = "5. Serangan: pengirim dijeda, kuncinya dipakai penyusup" / "5. Attacks: the sender is paused, an intruder uses its keys";
    OUTBOX = "   {0} menaruh berkasnya di {1}" / "   {0} drops into {1}";
    WAITING = "   {0} → {1}: {2} dari {3} butir selesai" / "   {0} → {1}: {2} of {3} items done";
    COMPARED = "   ✓ {0} → {1}: {2} berkas sama persis (SHA-256), masing-masing tepat satu kali" / "   ✓ {0} → {1}: {2} files identical (SHA-256), each exactly once";
    RECEIPTS_VERIFIED = "   ✓ {0}: {1} tanda terima sah" / "   ✓ {0}: {1} receipts valid";
    RECONCILED = "   ✓ {0}: {1} alur tabel cocok dengan tanda terimanya (amanah reconcile)" / "   ✓ {0}: {1} table flows reconcile with their receipts (amanah reconcile)";
    LEDGER_VERIFIED = "   ✓ {0}: jejak audit utuh" / "   ✓ {0}: ledger intact";
    ATTACK = "   ✓ {0}: {1}; tidak ada yang diimpor" / "   ✓ {0}: {1}; nothing imported";
    ATTACK_WRONG = "   ✗ {0}: {1} TIDAK SESUAI, seharusnya {2}" / "   ✗ {0}: {1} NOT AS EXPECTED, should be {2}";
    DAMAGED = "rusak (damaged), dibuang dan diminta lagi" / "damaged, dropped and asked for again";
    TURNED_AWAY = "ditolak di pintu (signer-unknown), tanpa tanda terima" / "turned away (signer-unknown), no receipt";
    REFUSED_RECIPIENT = "penolakan bertanda tangan (wrong-recipient)" / "signed refusal (wrong-recipient)";
    REFUSED_FLOW = "penolakan bertanda tangan (flow-not-agreed)" / "signed refusal (flow-not-agreed)";
    SAME_RECEIPT = "tanda terima yang sama, bita demi bita" / "the same receipt again, byte for byte";
    CAME_BACK = "dikembalikan dengan alasannya (flow-not-agreed)" / "returned with the reason (flow-not-agreed)";
    HELD_BACK = "   ✓ Kiriman yang asli, sesudah jeda dicabut: tiba dan sama persis" / "   ✓ The true bundle, once resumed: arrived and identical";
    FLIPPED_BIT = "Satu bit diubah di jalan" / "One bit changed on the way";
    UNKNOWN_SIGNER = "Penanda tangan tidak dikenal" / "Unknown signer";
    WRONG_RECIPIENT = "Ditujukan kepada pihak lain" / "Addressed to another party";
    FLOW_NOT_AGREED = "Alur di luar perjanjian" / "A flow that is not in the agreement";
    REPLAY = "Kiriman yang sama sekali lagi" / "The same bundle again";
    DROP_NOT_AGREED = "Berkas ditaruh di luar perjanjian" / "A file dropped outside the agreement";
    AND_MORE = "{0} (dan {1} lagi)" / "{0} (and {1} more)";
    COLUMN_ITEM = "butir" / "item";
    COLUMN_WAY = "arah" / "direction";
    COLUMN_BYTES = "ukuran" / "size";
    COLUMN_OUTCOME = "hasil" / "outcome";
    COLUMN_TIME = "waktu" / "time";
    IMPORTED = "diimpor, tanda terima sah" / "imported, receipt valid";
    ROWS = "{0} baris" / "{0} rows";
    TOTAL_ROWS = "{0} tabel, {1} baris dalam {2} s" / "{0} tables, {1} rows in {2} s";
    TOTAL = "{0} butir, {1} dalam {2} s; dari taruh sampai tanda terima: tengah {3} ms, terlama {4} ms" / "{0} items, {1} in {2} s; from drop to receipt: median {3} ms, longest {4} ms";
    ALL_GOOD = "Semua sesuai harapan." / "All as expected.";
    NOT_GOOD = "ADA YANG TIDAK SESUAI HARAPAN." / "NOT ALL WAS AS EXPECTED.";
    BY_HAND = "Periksa sendiri dengan alat bawaan (tanpa Amanah):" / "Verify it yourself with stock tools (without Amanah):";
    KEEP_HINT = "Dengan --keep FOLDER semuanya disimpan, berikut perintah untuk memeriksanya sendiri." / "With --keep DIR all of it is kept, with the commands to verify it yourself.";
    KEPT = "Disimpan di {0}" / "Kept in {0}";
    KEEP_NOT_EMPTY = "{0} sudah berisi; sebutkan folder baru atau kosong" / "{0} is not empty; name a new or empty folder";
    HAND_RECEIPT = "tanda terima: tanda tangan Imigrasi atas isinya" / "the receipt: the signature of Imigrasi on its text";
    HAND_DIGEST = "kiriman: sidik manifest (nama berkasnya) dan isi, seperti disebut tanda terima" / "the bundle: digests of manifest (its name) and payload, as the receipt names it";
    HAND_MANIFEST = "kiriman: tanda tangan PHU atas manifesnya" / "the bundle: the signature of PHU on its manifest";
    HAND_ROWS = "jemaah terdaftar pada izin yang tidak aktif di hari berangkat, dari tabel yang tiba di Imigrasi" / "pilgrims registered under a licence that is not active on their day, from the tables that arrived at Imigrasi";
    HAND_OPEN = "isi kiriman, dengan kunci Imigrasi" / "what is in it, with the key of Imigrasi";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<&str> {
        let mut places: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next())
            .collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn both_languages_say_the_same_with_the_same_values() {
        for (name, text) in ALL {
            assert_eq!(places(text.id), places(text.en), "{name}");
            assert!(!text.id.is_empty() && !text.en.is_empty(), "{name}");
        }
    }
}
