//! Sentences of `export` and `import`: bundles that people carry on a stick.
//! Whoever reads them stands there with the stick in hand: each says whether it may be pulled out, and where it goes next.

use crate::catalogue::texts;

texts! {
    A_BUNDLE = "kiriman" / "bundle";
    A_RECEIPT = "tanda terima" / "receipt";
    A_SLIP = "catatan" / "slip";
    NO_ANSWER = "Layanan Amanah tidak menjawab. Jalankan: systemctl start amanahd. Setelah itu ulangi." /
        "The daemon does not answer. Run: systemctl start amanahd. Then do it again.";
    BROKEN_OFF = "Layanan Amanah berhenti di tengah jalan. Yang sudah diambil alih aman; ulangi perintah ini setelah layanan berjalan." /
        "The daemon stopped in between. What it took over is safe; do this again when it runs.";
    IS_PAUSED = "Pertukaran dengan {0} sedang dijeda; lanjutkan dahulu dengan `amanah resume {0}`." /
        "The exchange with {0} is paused; first run `amanah resume {0}`.";
    WHICH_PEER = "Ada beberapa mitra; sebutkan dengan --peer: {0}" / "There are several peers; name one with --peer: {0}";
    NOTHING_WAITS = "Tidak ada yang menunggu untuk {0}." / "Nothing waits for {0}.";
    COPIED = "{0} disalin ke stik ({1})." / "{0} was copied to the stick ({1}).";
    THERE = "{0} sudah ada di stik ({1})." / "{0} is on the stick already ({1}).";
    NO_ROOM = "{0} TIDAK MUAT: stik penuh ({1})." / "{0} does NOT FIT: the stick is full ({1}).";
    TOO_LONG = "{0} TIDAK MUAT: format stik tidak menerima berkas sebesar itu ({1}). FAT32 hanya sampai 4 GB; pakai exFAT atau ext4." /
        "{0} does NOT FIT: the stick's file system takes no file of that length ({1}). FAT32 ends at 4 GB; use exFAT or ext4.";
    OTHER_BYTES = "{0}: stik mengembalikan isi yang berbeda dari yang ditulis. Stik rusak; pakai stik lain." /
        "{0}: the stick gives back other bytes than were written. It is broken; use another one.";
    DENIED = "{0}: akses ditolak. Stik dipasang (mount) untuk pengguna lain; pasang lagi untuk pengguna ini, atau minta admin sistem." /
        "{0}: permission denied. The stick is mounted for somebody else; mount it for this user, or ask the system administrator.";
    CARRY = "Stik boleh dilepas. Bawa ke {0}; di sana: `amanah import FOLDER`. Kiriman tetap menunggu sampai tanda terimanya kembali; bila stik hilang, salin lagi." /
        "The stick may be pulled out. Carry it to {0}; over there: `amanah import FOLDER`. Bundles wait on until their receipts come back; if the stick is lost, export again.";
    ANOTHER_STICK = "Sisanya belum disalin: pakai stik lain atau kosongkan stik ini, lalu ulangi." /
        "The rest is not copied yet: use another stick or empty this one, then do it again.";
    NO_FILES = "Tidak ada berkas Amanah di {0} (HEX.amanah, HEX.receipt.amanah, HEX.slip.amanah). Sebutkan folder yang berisi berkas itu." /
        "There are no files of Amanah in {0} (HEX.amanah, HEX.receipt.amanah, HEX.slip.amanah). Name the folder that holds them.";
    TAKEN_OVER = "{0} dari {1}: diambil alih." / "{0} from {1}: taken over.";
    HELD = "{0} dari {1}: DITAHAN ({2}); dilanjutkan sendiri." / "{0} from {1}: HELD ({2}); it goes on by itself.";
    REFUSED = "{0} dari {1}: DITOLAK ({2}); tanda terima penolakan dibawa kembali." / "{0} from {1}: REFUSED ({2}); carry the receipt that says so back.";
    ALREADY_HERE = "{0} dari {1}: sudah ada di sini." / "{0} from {1}: was here already.";
    OURS = "{0}: buatan kita sendiri; dilewati." / "{0}: our own; passed over.";
    TURNED_AWAY = "{0}: TIDAK DITERIMA ({2})." / "{0}: NOT TAKEN ({2}).";
    NOT_NOW = "{0}: GAGAL di sini ({2}); ulangi nanti dengan stik yang sama." / "{0}: FAILED here ({2}); do it again later with the same stick.";
    OTHERS = "Berkas lain di sana dibiarkan: {0}." / "Other files there were left alone: {0}.";
    BACK = "Tanda terima dibawa kembali dengan `amanah export FOLDER`, setelah kiriman selesai diimpor (lihat `amanah status`)." /
        "Carry the receipts back with `amanah export FOLDER`, once the bundles are imported (see `amanah status`).";
}
