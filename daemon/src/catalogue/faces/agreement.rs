//! Sentences of `amanah agreement`.
//! An officer reads these before signing: they say no more than the agreement does.

use crate::catalogue::texts;

texts! {
    UNKNOWN = "Tidak ada perjanjian {0} di {1}." / "There is no agreement {0} in {1}.";
    DRAFT_NEEDS = "Sebutkan --id, --peer, --title, --flow, --from, --until, --purpose, --legal-basis, --dpia, --officer, --peer-officer, atau --file." /
        "Give --id, --peer, --title, --flow, --from, --until, --purpose, --legal-basis, --dpia, --officer, --peer-officer, or --file.";
    NOT_A_PARTY = "{0} bukan pihak dalam perjanjian ini." / "{0} is not a party to this agreement.";
    DRAFTED = "Rancangan perjanjian ditulis di {0}." / "The draft was written to {0}.";
    DIGEST = "Nilai hash naskah: {0}" / "Digest of the text: {0}";
    DRAFT_ENDED = "PERHATIAN: jangka waktunya sudah lewat ({0}); periksa --from dan --until." /
        "NOTE: its dates have passed ({0}); check --from and --until.";
    DRAFT_NEXT = "Baca dengan `amanah agreement show {0}`, lalu tanda tangani: `amanah agreement sign {0}`." /
        "Read it with `amanah agreement show {0}`, then sign it: `amanah agreement sign {0}`.";
    KEY_NOT_ON_CARD = "Kunci tanda tangan {0} tidak tercantum pada kartu kita." / "The signing key {0} is not on our card.";
    PINS_ANOTHER_CARD = "Tidak ditandatangani: bagi {0} naskah menunjuk kartu {1}, yang tidak ada di sini; ia tidak akan pernah berlaku. Susun lagi dengan digest kartu pertamanya (`amanah card show {0} --json`)." /
        "Not signed: for {0} the text pins the card {1}, which is not here; it would never be in force. Draft it anew with the digest of its first card (`amanah card show {0} --json`).";
    SIGNED = "Perjanjian {0} versi {1} ditandatangani oleh {2}." / "Agreement {0} version {1} was signed by {2}.";
    SIGN_NEXT = "Serahkan kepada mitra: `amanah agreement export {0} BERKAS`." / "Hand it to the peer: `amanah agreement export {0} FILE`.";
    EXPORTED = "Perjanjian disalin ke {0}." / "The agreement was copied to {0}.";
    IMPORT_REFUSED = "Perjanjian tidak dipasang: {0}." / "The agreement was not installed: {0}.";
    PROPOSAL_STORED = "Usulan ini disimpan dan belum berlaku sebelum kita menandatanganinya." /
        "The proposal is stored; it is not in force before we sign it.";
    SIGNATURES_MERGED = "Naskah sama; tanda tangan digabungkan di {0}." / "The same text; the signatures were joined in {0}.";
    IMPORT_NEXT = "Bila setuju, tanda tangani: `amanah agreement sign {0}`." / "If you agree, sign it: `amanah agreement sign {0}`.";
    IN_FORCE = "BERLAKU" / "IN FORCE";
    NOT_SIGNED = "belum berlaku: {0}" / "not in force: {0}";
    UNSIGNED = "belum ditandatangani oleh {0}" / "not signed yet by {0}";
    NOT_BEGUN = "belum berlaku: mulai {0}" / "not in force: begins {0}";
    ENDED = "tidak berlaku: berakhir {0}" / "not in force: ended {0}";
    IS_REVOKED = "tidak berlaku: DICABUT" / "not in force: REVOKED";
    SET_ASIDE = "tidak berlaku: digantikan versi baru, atau bertentangan dengan naskah lain" /
        "not in force: superseded by a later version, or in conflict with another text";
    TITLE = "Perjanjian {0} versi {1}: {2}" / "Agreement {0} version {1}: {2}";
    DATES = "Jangka waktu:  dari {0}\n               sampai sebelum {1}" / "Term:          from {0}\n               until before {1}";
    LEGAL_BASIS = "Dasar hukum:   {0}" / "Legal basis:   {0}";
    PURPOSE = "Tujuan:        {0}: {1}" / "Purpose:       {0}: {1}";
    DPIA = "DPIA:          {0}" / "DPIA:          {0}";
    DRAIN = "Masa peralihan setelah digantikan: {0} hari" / "Drain after it is superseded: {0} days";
    PARTY = "Pihak {0}: {1}" / "Party {0}: {1}";
    PARTY_PAPER = "    Nomor dokumen {0}; penanda tangan {1}" / "    Document number {0}; signatory {1}";
    PARTY_CONTACT = "    Narahubung {0}; pejabat pelindungan data {1}" / "    Contact {0}; data protection officer {1}";
    PARTY_CARD = "    Kartu {0}" / "    Card {0}";
    FLOW = "Alur data {0}: {1} → {2}" / "Flow {0}: {1} → {2}";
    FLOW_BOUNDS = "    Ukuran maksimal {0}; jalur {1}; disimpan {2} hari" / "    At most {0}; lane {1}; kept {2} days";
    FLOW_TABLE = "    Tabel; skema {0}; impor {1}; jumlah kendali: {2}" / "    A table; schema {0}; import {1}; control totals: {2}";
    FLOW_COLUMNS = "    Kolom: {0}" / "    Columns: {0}";
    FLOW_PURPOSE = "    Tujuan {0}; klasifikasi {1}" / "    Purpose {0}; classification {1}";
    LANE_URGENT = "segera" / "urgent";
    LANE_NORMAL = "biasa" / "normal";
    LANE_BULK = "massal" / "bulk";
    NOBODY = "belum ada" / "nobody yet";
    SIGNERS = "Ditandatangani oleh: {0}" / "Signed by: {0}";
    STANDING = "Status: {0}" / "Standing: {0}";
    LIST_LINE = "{0} v{1} · {2} – {3} · sampai {4} · {5}" / "{0} v{1} · {2} – {3} · until {4} · {5}";
    NO_AGREEMENTS = "Belum ada perjanjian." / "No agreement yet.";
    REVOKED = "Perjanjian {0} versi {1} dicabut. Pemberitahuan dikirim kepada {2} setelah layanan dimuat ulang." /
        "Agreement {0} version {1} is revoked. {2} is told once the daemon has reloaded.";
}
