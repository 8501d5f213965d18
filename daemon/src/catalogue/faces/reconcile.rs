//! What `amanah reconcile` says: each difference between what was sent or came and what the receipts say, and what is only noted.
//! The codes are the same in both languages.

use crate::catalogue::texts;

texts! {
    HEAD_OUT = "Terkirim ke {0}, alur {1}, {2} s.d. {3}. Kiriman: {4}, diimpor: {5}" / "Sent to {0}, flow {1}, {2} to {3}. Bundles: {4}, imported: {5}";
    HEAD_IN = "Datang dari {0}, alur {1}, {2} s.d. {3}. Kiriman: {4}, diimpor: {5}" / "Came from {0}, flow {1}, {2} to {3}. Bundles: {4}, imported: {5}";
    ROWS = "Baris menurut tanda terima: {0}" / "Rows, as the receipts say: {0}";
    NOTHING = "Tidak ada kiriman {1} dengan {0} dalam jangka itu." / "No bundle of {1} with {0} in that time.";
    PLACE = "Nomor" / "Number";
    BUNDLE = "Kiriman" / "Bundle";
    FINDING = "Temuan" / "Finding";
    AGREES = "Cocok: tidak ada selisih." / "Reconciled: no difference.";
    AGREES_BUT = "Tidak ada selisih pada yang dibandingkan; baris dari {0} kiriman TIDAK dihitung." / "No difference in what was compared; the rows of {0} bundles were NOT counted.";
    DIFFERS = "SELISIH: {0}." / "DIFFERENCES: {0}.";
    NOTED = "Dicatat, bukan selisih: {0}." / "Noted, no difference: {0}.";
    UNCOUNTED = "Baris dalam basis data tidak dapat dihitung, jadi tidak ada yang dicocokkan: {0}. Perbaiki yang disebut di sana, lalu ulangi." / "The rows in the database cannot be counted, so nothing was reconciled: {0}. Mend what is named there, and run it again.";
    URL_CLOSED = "Baris dalam basis data tidak dapat dihitung, jadi tidak ada yang dicocokkan: alamat servernya ada dalam {0}, yang hanya boleh dibaca pemiliknya. Jalankan sebagai pengguna itu." / "The rows in the database cannot be counted, so nothing was reconciled: the server's URL stands in {0}, which only its owner may read. Run it as that user.";
    BAD_PERIOD = "--from harus sebelum --to" / "--from must lie before --to";
    WAITING_OUT = "disegel, belum diterima mitra ({0})" / "sealed, not taken over by the peer yet ({0})";
    NO_RECEIPT = "diterima mitra, belum ada tanda terima" / "taken over by the peer, no receipt";
    RECEIPT_GONE = "menurut jurnal sudah dijawab, tetapi tanda terimanya tidak ada" / "answered, says the journal, but its receipt is not here";
    RECEIPT_BAD = "tanda terima TIDAK SAH: {0}" / "the receipt is NOT VALID: {0}";
    RECEIPT_OTHER = "tanda terima menyebut kiriman lain: {0}" / "the receipt speaks of another bundle: {0}";
    RECEIPT_CHANGED = "bukan tanda terima yang dicatat jurnal" / "not the receipt that the journal recorded";
    REFUSED = "ditolak ({0})" / "refused ({0})";
    OUTCOME = "jurnal mengatakan {0}, tanda terima mengatakan {1}" / "the journal says {0}, the receipt says {1}";
    CONTENTS = "sidik isi pada tanda terima bukan sidik isi yang disegel" / "the receipt's digest of the contents is not that of what was sealed";
    ENTRIES = "tanda terima menghitung {0} berkas, manifes {1}" / "the receipt counts {0} files, the manifest {1}";
    ROW_CHANGED = "catatan jurnal tidak sesuai dengan manifesnya: {0}" / "the journal's row is not what its manifest says: {0}";
    NO_RECORD = "tidak ada catatannya dalam jejak audit" / "the ledger has no record of it";
    GAP = "tidak ada dalam jurnal" / "not in the journal";
    ROW_GONE = "ada tanda terimanya, tetapi jurnal tidak mengenalnya" / "its receipt is here, but the journal does not know it";
    UNDECIDED = "diterima, belum diputuskan ({0})" / "taken over, not decided yet ({0})";
    UNSIGNED = "sudah diputuskan, tanda terima belum ditandatangani" / "decided, no receipt signed yet";
    UNTAKEN = "tanda terima kita belum diambil mitra" / "the peer has not taken our receipt yet";
    NOT_STORED = "menurut tanda terima diimpor, tetapi tidak ada dalam penyimpanan" / "imported, says the receipt, but the store does not have it";
    ROWS_RECORDED = "tanda terima menyebut {0} baris, basis data mencatat {1}" / "the receipt says {0} rows, the database recorded {1}";
    ROWS_THERE = "{0} baris diimpor, {1} seharusnya masih ada, {2} ada di tabel" / "{0} rows were imported, {1} should be there still, {2} are in the table";
    STORE_ONLY = "ada dalam basis data, tetapi jurnal tidak mengenalnya" / "in the database, but the journal does not know it";
    PEER_LEDGER = "tidak ada dalam jejak audit mitra: {0}" / "not in the peer's ledger: {0}";
    VOIDED = "nomor dilepas" / "number given up";
    DESTROYED = "isinya sudah dimusnahkan" / "its contents were destroyed";
    ASIDE = "barisnya tidak dihitung: tabelnya sudah disisihkan" / "its rows were not counted: their table was put aside";
    ELSEWHERE = "barisnya tidak dihitung: menurut tanda terima ada dalam penyimpanan {0}, yang tidak disebut amanah.toml" / "its rows were not counted: the receipt says that they are in a store {0}, which amanah.toml does not name";
}
