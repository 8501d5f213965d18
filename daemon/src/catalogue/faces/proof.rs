//! Sentences of `verify`, `inspect`, `open`, `ledger`.
//! What is not proven is said as plainly as what is.

use crate::catalogue::texts;

texts! {
    BUNDLE = "kiriman" / "bundle";
    RECEIPT = "tanda terima" / "receipt";
    CARD = "kartu" / "card";
    AGREEMENT = "perjanjian" / "agreement";
    SLIP = "pemberitahuan" / "slip";
    DESTRUCTION = "berita acara pemusnahan" / "destruction record";
    SAYS_DESTROYED = "{0} menyatakan: berita acara nomor {1}, pemusnahan mulai {2}, selesai {3}" / "{0} says: record number {1}, destruction begun {2}, finished {3}";
    DESTROYED_SENT = "Yang dikirim kepada {0}, alur data {1}: {2} kiriman; {3} salinan tersegel, {4} berkas asli, {5} baris dimusnahkan" /
        "Of what was sent to {0}, flow {1}: {2} bundles; {3} sealed copies, {4} originals, {5} rows destroyed";
    DESTROYED_RECEIVED = "Yang diterima dari {0}, alur data {1}: {2} kiriman; {3} salinan tersegel, {4} berkas hasil impor, {5} baris dimusnahkan" /
        "Of what was received from {0}, flow {1}: {2} bundles; {3} sealed copies, {4} imported files, {5} rows destroyed";
    DESTROYED_BY = "Menurut perjanjian {0} versi {1}: {2} hari setelah selesai; oleh {3}" / "By agreement {0} version {1}: {2} days after settlement; by {3}";
    DESTROYED_RECORDS = "Catatan jejak audit {0}: {1} sampai {2}" / "Records of the ledger {0}: {1} to {2}";
    DESTRUCTION_NOT_PROVEN = "Tidak terbukti: bahwa tidak ada salinan lain (cadangan, media SSD, salinan oleh pemakai); dan catatannya sendiri (gunakan `amanah ledger verify`)." /
        "Not proven: that there is no other copy (backups, SSD media, copies made by users); and the records themselves (use `amanah ledger verify`).";
    CHECKPOINT = "titik jejak audit" / "checkpoint";
    UNKNOWN = "tidak dikenal" / "unknown";
    UNKNOWN_KIND = "bukan kiriman, tanda terima, atau dokumen Amanah lain" / "no bundle, receipt or other document of Amanah";
    GOOD = "{0}: {1} SAH, ditandatangani oleh {2}" / "{0}: {1} VALID, signed by {2}";
    BAD = "{0}: {1} TIDAK SAH: {2}" / "{0}: {1} NOT VALID: {2}";
    NOTHING_PROVEN = "{0}: TIDAK TERBUKTI: {1}" / "{0}: NOT PROVEN: {1}";
    DIGEST = "    Nilai hash: {0}" / "    Digest: {0}";
    VALID = "sah" / "valid";
    VALID_THEN = "sah; waktu tidak terbukti" / "valid; time not proven";
    TIME_NOT_PROVEN = "Waktu TIDAK terbukti: kunci penanda tangan kini tidak berlaku lagi; hanya waktu yang tertulis di dokumen yang dipakai." /
        "Time NOT proven: the signer's key is not valid any more; only the time that the document itself states was used.";
    SAYS_IMPORTED = "{0} menyatakan: diimpor dan tersimpan, {1}" / "{0} says: imported and durable, {1}";
    SAYS_REFUSED = "{0} menyatakan: ditolak, {1}, kode {2}" / "{0} says: refused, {1}, code {2}";
    ABOUT_BUNDLE = "Tentang kiriman {0}" / "About the bundle {0}";
    RECEIPT_NOT_PROVEN = "Tidak terbukti: kiriman yang disebut ada di sini (verifikasi juga berkas kirimannya)." /
        "Not proven: that the bundle it names is here (verify the bundle's file as well).";
    CARD_OF = "Kartu {0}, {1}" / "The card of {0}, {1}";
    CARD_FINGERPRINT = "Sidik jari kartu: {0}" / "Fingerprint: {0}";
    CARD_TRUSTED = "Kartu ini sudah dipercaya di sini." / "This card is trusted here already.";
    CARD_NOT_TRUSTED = "Tidak terbukti: bahwa ini kartu pihak tersebut. Cocokkan sidik jarinya lewat telepon." /
        "Not proven: that it is that party's card. Compare the fingerprint over the telephone.";
    CARD_FOLLOWS = "Terbukti: kartu ini ditandatangani kartu sebelumnya, yang dipercaya di sini. Kapan, tidak terbukti." /
        "Proven: this card is signed by the card before it, which is trusted here. When, is not proven.";
    CARD_RIVAL = "PERHATIAN: kartu lain dengan nomor yang sama sudah dipercaya di sini; salah satunya tidak asli. Hubungi pihak itu lewat nomor resmi." /
        "ATTENTION: another card of this number is trusted here; one of the two is not genuine. Call that party at its official number.";
    AGREEMENT_IS = "Perjanjian {0} versi {1}: {2}" / "Agreement {0} version {1}: {2}";
    AGREEMENT_DATES = "Jangka waktu {0} sampai {1}" / "Term {0} to {1}";
    AGREEMENT_NOT_PROVEN = "Tidak terbukti: bahwa tidak pernah dicabut atau digantikan." / "Not proven: that it was never revoked or superseded.";
    SAYS_HELD = "Kiriman {0} ditahan di penerima; belum final." / "The bundle {0} is held at the recipient; not final.";
    SAYS_REVOKED = "Perjanjian {0} versi {1} dicabut: {2}" / "Agreement {0} version {1} is revoked: {2}";
    SAYS_RESEND = "Nomor {1} sampai {2} alur data {0} diminta lagi." / "Numbers {1} to {2} of the flow {0} are asked for again.";
    SAYS_VOID = "Nomor {1} alur data {0} dilepas: {2}" / "Number {1} of the flow {0} is given up: {2}";
    SAYS_POSITION = "Posisi terakhir yang terlihat: {0}" / "The last places seen: {0}";
    SAYS_CHECKPOINT = "Menunjukkan jejak auditnya: {0} catatan" / "Shows its ledger: {0} records";
    SAYS_COSIGNED = "Sudah melihat jejak audit: {0} catatan" / "Has seen the ledger: {0} records";
    SAYS_CARD = "Menyampaikan kartu nomor dan sidik jari: {0}" / "Tells a card, number and fingerprint: {0}";
    CHECKPOINT_IS = "Jejak audit {0}, {1} catatan" / "Ledger {0}, {1} records";
    CHECKPOINT_NOT_PROVEN = "Tidak terbukti: catatannya sendiri (gunakan `amanah ledger verify`)." / "Not proven: the records themselves (use `amanah ledger verify`).";
    CUT_SHORT = "muatan terpotong" / "the payload is cut short";
    PAYLOAD_DIFFERS = "isi muatan tidak sama dengan yang ditandatangani" / "the payload is not the one that was signed";
    TAIL_WRONG = "ada sesuatu setelah muatan" / "something follows the payload";
    BUNDLE_IS = "Dari {0} ke {1}, alur data {2}, nomor {3}" / "From {0} to {1}, flow {2}, number {3}";
    BUNDLE_CREATED = "Dibuat {0}; berlaku sampai {1}" / "Made {0}; expires {1}";
    BUNDLE_AGREEMENT = "Perjanjian {0} versi {1}, {2}" / "Agreement {0} version {1}, {2}";
    BUNDLE_PAYLOAD = "Seluruh muatan ({0} bita) sama dengan yang ditandatangani" / "The whole payload ({0} bytes) is the one that was signed";
    BUNDLE_NOT_PROVEN = "Tidak terbukti: isi muatan (perlu kunci penyandian), penyerahan, dan impor (perlu tanda terima)." /
        "Not proven: what the payload holds (needs a decryption key), the hand-over, the import (needs the receipt).";
    UNVERIFIED = "BELUM DIVERIFIKASI. Yang tertulis pada {0} ini dapat ditulis siapa pun; gunakan `amanah verify`." /
        "NOT VERIFIED. Anybody could have written what this {0} says; use `amanah verify`.";
    PAYLOAD_BYTES = "    Muatan: {0}" / "    Payload: {0}";
    INTO_EXISTS = "{0} sudah ada; sebutkan folder yang belum ada." / "{0} exists already; name a folder that does not.";
    LOOSE_KEY = "{0}: izin {1} membuat kunci dapat dibaca orang lain; jalankan: chmod 600 {0}" / "{0}: mode {1} lets others read the key; run: chmod 600 {0}";
    NOT_OPENED = "Kiriman tidak dibuka ({0}): {1}" / "The bundle was not opened ({0}): {1}";
    OPENED = "Berkas yang dibuka ke {1}: {0}." / "Files written to {1}: {0}.";
    LEDGER_WHOLE = "Rantai jejak audit utuh: {0} catatan ({1})." / "The ledger is whole: {0} records ({1}).";
    LEDGER_BEYOND = "{0} catatan terbaru belum tercakup titik jejak audit." / "The checkpoint does not cover the newest {0} records yet.";
    LEDGER_SEEN = "Dilihat {0} pada {2}: {1} catatan pertama tidak berubah sejak itu." / "Seen by {0} on {2}: the first {1} records have not changed since.";
    LEDGER_UNSEEN = "Tidak terbukti: bahwa jejak audit tidak pernah ditulis ulang; belum ada mitra yang ikut menandatangani titiknya." /
        "Not proven: that the ledger was never rewritten; no peer has cosigned a checkpoint of it.";
    LEDGER_TAIL = "Tidak terbukti: {0} catatan sesudah itu belum dilihat mitra mana pun." / "Not proven: no peer has seen the {0} records after that.";
    LEDGER_SEEN_MORE = "{0} melihat {1} catatan pada {2}, yang ada hanya {3}: jejak audit dipotong" /
        "{0} saw {1} records on {2}, only {3} are here: the ledger was cut off";
    LEDGER_REWRITTEN = "{1} catatan pertama bukan lagi yang dilihat {0} pada {2}: jejak audit ditulis ulang" /
        "the first {1} records are not those that {0} saw on {2} any more: the ledger was rewritten";
    LEDGER_BROKEN = "Jejak audit TIDAK utuh: {0}" / "The ledger is NOT whole: {0}";
    AS_IT_IS = "{0}" / "{0}";
    LEDGER_ORIGIN = "baris pertama titik jejak audit seharusnya amanah/PIHAK/EPOS, yang ada {0}" /
        "the checkpoint's first line should be amanah/PARTY/EPOCH, it is {0}";
    LEDGER_NO_KEY = "tidak ada kartu {0} yang memuat kunci jejak audit; sebutkan dengan --card" /
        "no card of {0} with a ledger key is here; name one with --card";
    LEDGER_WHOSE = "seharusnya jejak audit {0}, yang ada milik {1}" / "this should be the ledger of {0}, it is that of {1}";
    LEDGER_RECORD = "catatan {0} rusak: {1}" / "record {0} is damaged: {1}";
    LEDGER_LONG = "catatan {0} lebih panjang daripada {1} bita" / "record {0} is longer than {1} bytes";
    LEDGER_INDEX = "catatan {0} hilang atau tertukar: di tempatnya ada catatan {1}" /
        "record {0} is missing or out of place: record {1} stands there";
    LEDGER_SHORT = "titik jejak audit mencakup {0} catatan, yang ada hanya {1}" / "the checkpoint covers {0} records, only {1} are here";
    LEDGER_ROOTS = "ada catatan yang diubah: nilai hash seluruhnya tidak sama dengan yang ditandatangani" /
        "a record was changed: the digest of all of them is not the signed one";
    OPENED_FROM = "Isi sama dengan yang ditandatangani {0} ({1})." / "What they hold is what {0} signed ({1}).";
    NO_KEY_FITS = "Kiriman tidak dibuka (decryption-failed): kunci yang dipakai bukan kunci penerimanya. Kiriman ini untuk {0}." /
        "The bundle was not opened (decryption-failed): the key that was used is not its recipient's. It is for {0}.";
    INDEX = "Nomor" / "Index";
    TIME = "Waktu" / "Time";
    EVENT = "Kejadian" / "Event";
    ABOUT = "Tentang" / "About";
}
