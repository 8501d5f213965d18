//! Sentences of `amanah status`.
//! Written for the end of a shift: what is wrong stands in capitals, with the command that helps.

use crate::catalogue::texts;

texts! {
    NO_SNAPSHOT = "Layanan Amanah belum pernah berjalan di {0}, atau berkas statusnya tidak boleh dibaca. Jalankan: systemctl start amanahd" /
        "The daemon has never run in {0}, or its status may not be read. Run: systemctl start amanahd";
    CONFIG_WRONG = "PERHATIAN: konfigurasi salah; layanan yang berjalan memakai yang lama. {0}" /
        "NOTE: the configuration is wrong; a daemon that runs keeps the old one. {0}";
    ENDS_SOON = "Perjanjian {0} dengan {1} berakhir {2}; sisa {3} hari." / "The agreement {0} with {1} ends {2}; {3} days are left.";
    NONE_IN_FORCE = "    tidak ada perjanjian yang berlaku; lihat `amanah agreement list`" / "    no agreement is in force; see `amanah agreement list`";
    RUNNING = "{0}: layanan berjalan sejak {1}." / "{0}: the daemon has been running since {1}.";
    STOPPED = "{0}: LAYANAN BERHENTI sejak {1}. Tidak ada yang dikirim atau diterima. Jalankan: systemctl start amanahd" /
        "{0}: THE DAEMON STOPPED at {1}. Nothing is sent or received. Run: systemctl start amanahd";
    SILENT = "{0}: LAYANAN TIDAK MEMBERI KABAR sejak {1}; keterangan di bawah sudah usang. Periksa: systemctl status amanahd" /
        "{0}: THE DAEMON HAS BEEN SILENT since {1}; what follows is old. Look: systemctl status amanahd";
    ALARM = "! PERLU PERHATIAN ({0}): {1}, sejak {2}" / "! NEEDS A PERSON ({0}): {1}, since {2}";
    CONNECTED = "{0}: tersambung sejak {1}" / "{0}: connected since {1}";
    PAUSED = "{0}: DIJEDA; lanjutkan dengan `amanah resume {0}`" / "{0}: PAUSED; go on with `amanah resume {0}`";
    SILENT_PEER = "{0}: mitra tidak merespons sejak {1}" / "{0}: the peer has not answered for {1}";
    NEVER_CONNECTED = "{0}: belum pernah tersambung" / "{0}: not connected yet";
    BY_HAND = "{0}: dibawa dengan tangan; `amanah export FOLDER --peer {0}`, `amanah import FOLDER`" / "{0}: carried by hand; `amanah export FOLDER --peer {0}`, `amanah import FOLDER`";
    TO_CARRY = "menunggu dibawa dengan stik (`amanah export FOLDER --peer {0}`)" / "waits to be carried on a stick (`amanah export FOLDER --peer {0}`)";
    RECEIPTS_WAITING = " · tanda terima untuk dibawa: {0}" / " · receipts to carry: {0}";
    PEER_WAITING = " · menunggu: {0} kiriman ({1})" / " · waiting: {0} ({1})";
    WAITING = "Dalam perjalanan: {0}" / "Under way: {0}";
    DONE = "Terakhir selesai: {0}" / "Last done: {0}";
    TIME = "Waktu" / "Time";
    WHAT = "Kiriman" / "What";
    FLOW = "Alur data" / "Flow";
    STATE = "Keadaan" / "State";
    NEXT = "Selanjutnya" / "Next";
    WAITS = "Menunggu" / "Waiting";
    IN_FLIGHT = "Sedang dikirim" / "In flight";
    DELIVERED = "Sampai" / "Delivered";
    IMPORTED = "Diimpor" / "Imported";
    REFUSED = "Ditolak" / "Refused";
    MISSING = "Nomor hilang" / "Missing";
    OLDEST = "Terlama" / "Oldest";
    UNREADABLE = "(tidak terbaca)" / "(unreadable)";
    RATE = " · {0}/dtk" / " · {0}/s";
    LEFT = " · sisa {0}" / " · {0} left";
    MISSING_AFTER = "{0} (sesudah {1})" / "{0} (after {1})";
    FLOW_LINE = "{0}: menunggu {1}, sampai {2}, diimpor {3}, ditolak {4}" / "{0}: waiting {1}, delivered {2}, imported {3}, refused {4}";
    FLOW_LINE_SENDING = ", sedang dikirim {0}%" / ", sending {0}%";
    FLOW_LINE_MISSING = ", nomor hilang {0}" / ", missing {0}";
    SENDING = "sedang dikirim" / "being sent";
    SENT_PERCENT = "terkirim {0}%" / "{0}% sent";
    AND_MORE = "{0} dan {1} lainnya" / "{0} and {1} more";
    LEDGER = "Jejak audit: {0} catatan." / "Ledger: {0} records.";
}
