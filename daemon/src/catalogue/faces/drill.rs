//! What `amanah drill` says: the files that it made, and the answer key.
//! The codes of faults are the same in both languages; the questions are those of an officer.

use crate::catalogue::texts;

texts! {
    DATASET = "Dataset" / "Dataset";
    FILE = "Berkas" / "File";
    ROWS = "Baris" / "Rows";
    SIZE = "Ukuran" / "Size";
    DAMAGED = "{0}: {1} di {2} baris, mula-mula baris {3}." / "{0}: {1} in {2} rows, first in row {3}.";
    FICTITIOUS = "Semua orang, biro, dan nomor rekaan: NIK provinsi 99, paspor seri Z, PT CONTOH." /
        "All people, bureaus and numbers are made up: NIK of province 99, passports of series Z, PT CONTOH.";
    ANSWERS = "Kunci jawaban (sebelum dirusak); rombongannya dengan --json:" / "The answer key (before damage); its groups with --json:";
    CORRECTED = "Sesudah ralat D8 diterapkan:" / "After the corrections of D8:";
    MADE_UP_BUNDLES = "Ralat D8 menunjuk kiriman rekaan dan akan ditolak; kirim D1 dahulu, lalu ulangi perintah ini dengan --corrects SIDIK ke folder lain." /
        "The corrections of D8 name made-up bundles and would be refused; send D1 first, then repeat this with --corrects DIGEST into another folder.";
    CORRECTS_NOTHING = "--corrects hanya untuk D8; sebutkan pula D8 dengan --dataset" / "--corrects is for D8; name it with --dataset";
    DEPARTED = "orang berangkat" / "people left";
    WITHOUT_MANIFEST = "berangkat tanpa manifes" / "left without a manifest";
    LAPSED_LICENCE = "berangkat dengan izin yang tidak aktif pada hari itu" / "left under a licence that was not active on that day";
    LAPSED_GROUPS = "rombongan dengan izin tidak aktif" / "groups under such a licence";
    UNKNOWN_LICENCE = "berangkat dengan izin yang tidak ada dalam registri" / "left under a licence that is not in the register";
    OTHER_BUREAU = "menyebut biro lain daripada manifesnya" / "named another bureau than their manifest";
    POSTPONED = "ditunda keberangkatannya" / "were held back";
    RETURNED = "orang pulang" / "people came back";
    NOT_RETURNED = "belum pulang" / "have not come back";
    NOT_REPORTED = "pulang, tetapi tidak dilaporkan dalam manifes" / "came back, which their manifest does not say";
    NAME_DIFFERS = "bernama lain dalam manifes daripada di paspor" / "have another name in the manifest than in the passport";
    IN_TWO = "ada dalam manifes dua penyelenggara" / "are in the manifests of two organisers";
    NIK_WARNINGS = "baris manifes dengan NIK yang tidak cocok dengan tanggal lahir" / "rows of manifests whose NIK does not fit the day of birth";
    CANCELLED = "batal berangkat" / "cancelled";
}
