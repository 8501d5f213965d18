//! What each command is for, as `--help` shows it.
//! One line each; the examples stand in the commands' own files.

use crate::catalogue::{Text, texts};

texts! {
    EVERYWHERE = "Opsi umum" / "Options of every command";
    EXAMPLES = "Contoh:" / "Examples:";
    AMANAH = "Pertukaran berkas tersegel dan tertandatangani antara dua kementerian" / "Signed, encrypted file exchange between two ministries";
    INIT = "Membuat kunci, kartu, dan konfigurasi" / "Make keys, card and configuration";
    CARD = "Menampilkan dan menyalin kartu" / "Show and export cards";
    CARD_SHOW = "Menampilkan kartu" / "Show a card";
    CARD_EXPORT = "Menyalin kartu kita untuk mitra" / "Copy our card for a peer";
    CARD_SIGNERS = "Mencetak allowed_signers untuk ssh-keygen" / "Print allowed_signers for ssh-keygen";
    CARD_RENEW = "Membuat kunci dan kartu berikutnya" / "Make the next keys and card";
    CARD_RETIRE = "Menghapus kunci rahasia yang sudah berakhir" / "Remove secret keys that have ended";
    PEER = "Mengatur mitra" / "Add, renew, list and remove peers";
    PEER_ADD = "Memasang kartu mitra setelah sidik jarinya dicocokkan" / "Install a peer's card after comparing its fingerprint";
    PEER_RENEW = "Memasang kartu mitra berikutnya yang dijamin kartu lamanya" / "Install a peer's next card, which its old card vouches for";
    PEER_LIST = "Menampilkan mitra" / "List the peers";
    PEER_REMOVE = "Menghapus mitra" / "Remove a peer";
    AGREEMENT = "Menyusun, menandatangani, dan mencabut perjanjian" / "Draft, sign, exchange and revoke agreements";
    AGREEMENT_DRAFT = "Menyusun rancangan perjanjian" / "Draft an agreement";
    AGREEMENT_SIGN = "Menandatangani perjanjian" / "Sign an agreement";
    AGREEMENT_EXPORT = "Menyalin perjanjian untuk mitra" / "Copy an agreement for the peer";
    AGREEMENT_IMPORT = "Mengambil perjanjian atau tanda tangan dari mitra" / "Take over the peer's agreement or signature";
    AGREEMENT_SHOW = "Menampilkan isi perjanjian" / "Show what an agreement says";
    AGREEMENT_LIST = "Menampilkan semua perjanjian" / "List all agreements";
    AGREEMENT_REVOKE = "Mencabut perjanjian" / "Revoke an agreement";
    SEND = "Mengirim berkas atau folder" / "Send files or folders";
    STATUS = "Keadaan sambungan dan kiriman" / "Connections and what is under way";
    RECONCILE = "Membandingkan yang dikirim atau diterima dengan tanda terimanya" / "Compare what was sent or received with its receipts";
    RECEIPTS = "Menampilkan dan memeriksa tanda terima" / "List and verify receipts";
    CHECK_TABLE = "Memeriksa tabel terhadap skemanya" / "Check a table against its schema";
    RETURNED = "Menampilkan yang dikembalikan dan sebabnya" / "List what came back, and why";
    QUARANTINE = "Kiriman yang ditolak atau ditahan" / "Bundles that were refused or are held";
    QUARANTINE_LIST = "Menampilkan isi karantina" / "List the quarantine";
    QUARANTINE_SHOW = "Menampilkan satu kiriman" / "Show one of them";
    QUARANTINE_RELEASE = "Meminta kiriman yang ditahan dinilai lagi" / "Ask for a held bundle to be judged again";
    RETRY = "Mencoba lagi sekarang" / "Try again now";
    PAUSE = "Menjeda pertukaran dengan mitra" / "Pause the exchange with a peer";
    RESUME = "Melanjutkan pertukaran dengan mitra" / "Resume the exchange with a peer";
    EXPORT = "Menyalin yang menunggu ke stik USB" / "Copy what waits onto a USB stick";
    IMPORT = "Mengambil yang dibawa dengan stik USB" / "Take in what was carried on a USB stick";
    STREAM = "Urutan kiriman sesudah pemulihan dari cadangan atau kehilangan" / "Streams after a restore from a backup, or a loss";
    STREAM_REOPEN = "Membuka lagi alur data yang dihentikan, dengan urutan baru" / "Open a stopped stream again, with its next epoch";
    STREAM_VOUCH = "Menyatakan bahwa data Amanah di sini yang terbaru" / "Say that Amanah's home here is the newest there is";
    STREAM_VOID = "Melepas nomor yang kirimannya hilang dan tidak dapat dikirim lagi" / "Give up a number whose bundle is lost and cannot be sent any more";
    RETENTION = "Masa retensi, pemusnahan, dan tahan hukum" / "Retention, destruction and legal holds";
    RETENTION_DUE = "Menampilkan yang jatuh tempo, dan apa yang menahannya" / "List what is due, and what keeps it";
    RETENTION_RUN = "Memusnahkan sekarang yang jatuh tempo" / "Destroy now what is due";
    RETENTION_HOLD = "Menahan alur data atau kiriman dari pemusnahan, atau melepasnya" / "Keep a flow or bundle from being destroyed, or end that";
    VERIFY = "Memverifikasi dokumen tanpa jaringan" / "Verify documents, offline";
    INSPECT = "Melihat isi dokumen tanpa kunci (tanpa bukti)" / "Show what a document says, without keys (and without proof)";
    OPEN = "Memverifikasi dan membuka kiriman" / "Verify and open a bundle";
    LEDGER = "Memeriksa dan menampilkan jejak audit" / "Verify and show the ledger";
    LEDGER_VERIFY = "Memeriksa keutuhan jejak audit" / "Verify that the ledger is whole";
    DEMO = "Peragaan: dua kementerian di mesin ini" / "Two ministries on this machine, to see it work";
    DRILL = "Bahan latihan: dataset rekaan" / "Practice material: made-up datasets";
    DRILL_DATA = "Membuat dataset rekaan D1 sampai D9 dengan kunci jawaban" / "Make the datasets D1 to D9, fictitious, with an answer key";
    COMPLETIONS = "Mencetak pelengkapan perintah untuk shell" / "Print completions for a shell";
    DOCTOR = "Memeriksa semuanya, dan mengatakan apa yang harus dilakukan" / "Check everything, and say what to do";
    LEDGER_ACCEPT = "Menerima jejak audit yang dimulai lagi, setelah sebabnya jelas" / "Accept a ledger that begins anew, once it is known why";
    LEDGER_SHOW = "Menampilkan catatan terbaru" / "Show the newest records";
}

/// By the command's path.
pub const COMMANDS: &[(&str, Text)] = &[
    ("", AMANAH),
    ("init", INIT),
    ("card", CARD),
    ("card show", CARD_SHOW),
    ("card export", CARD_EXPORT),
    ("card allowed-signers", CARD_SIGNERS),
    ("card renew", CARD_RENEW),
    ("card retire", CARD_RETIRE),
    ("peer", PEER),
    ("peer add", PEER_ADD),
    ("peer renew", PEER_RENEW),
    ("peer list", PEER_LIST),
    ("peer remove", PEER_REMOVE),
    ("agreement", AGREEMENT),
    ("agreement draft", AGREEMENT_DRAFT),
    ("agreement sign", AGREEMENT_SIGN),
    ("agreement export", AGREEMENT_EXPORT),
    ("agreement import", AGREEMENT_IMPORT),
    ("agreement show", AGREEMENT_SHOW),
    ("agreement list", AGREEMENT_LIST),
    ("agreement revoke", AGREEMENT_REVOKE),
    ("send", SEND),
    ("status", STATUS),
    ("receipts", RECEIPTS),
    ("reconcile", RECONCILE),
    ("check-table", CHECK_TABLE),
    ("returned", RETURNED),
    ("quarantine", QUARANTINE),
    ("quarantine list", QUARANTINE_LIST),
    ("quarantine show", QUARANTINE_SHOW),
    ("quarantine release", QUARANTINE_RELEASE),
    ("retry", RETRY),
    ("pause", PAUSE),
    ("resume", RESUME),
    ("export", EXPORT),
    ("import", IMPORT),
    ("stream", STREAM),
    ("stream reopen", STREAM_REOPEN),
    ("stream vouch", STREAM_VOUCH),
    ("stream void", STREAM_VOID),
    ("retention", RETENTION),
    ("retention due", RETENTION_DUE),
    ("retention run", RETENTION_RUN),
    ("retention hold", RETENTION_HOLD),
    ("verify", VERIFY),
    ("inspect", INSPECT),
    ("open", OPEN),
    ("ledger", LEDGER),
    ("ledger verify", LEDGER_VERIFY),
    ("ledger show", LEDGER_SHOW),
    ("ledger accept", LEDGER_ACCEPT),
    ("doctor", DOCTOR),
    ("completions", COMPLETIONS),
    ("demo", DEMO),
    ("drill", DRILL),
    ("drill data", DRILL_DATA),
];
