-- What a ministry would ask of manifests, register and crossings: one line for each question, its name and the number. For SQLite,
-- where the tables are manifes_umrah, registri_penyelenggara and perlintasan, and empty cells are NULL or empty texts. `amanah drill
-- data` prints the same numbers as its answer key.

CREATE INDEX IF NOT EXISTS manifes_paspor ON manifes_umrah (nomor_paspor);
CREATE INDEX IF NOT EXISTS perlintasan_paspor ON perlintasan (nomor_paspor);
CREATE INDEX IF NOT EXISTS registri_kunci ON registri_penyelenggara (izin_kunci);

CREATE TEMP VIEW keluar AS
  SELECT *, substr(waktu_perlintasan, 1, 10) AS hari FROM perlintasan WHERE arah = 'KELUAR' AND hasil = 'LINTAS';

-- A departure and the manifest's rows that name it: the same passport, three days apart at most.
CREATE TEMP VIEW tercatat AS
  SELECT k.id_perlintasan, k.nama_mrz, k.biro_dinyatakan, m.*
  FROM keluar k JOIN manifes_umrah m ON m.nomor_paspor = k.nomor_paspor
  WHERE abs(julianday(m.tanggal_berangkat) - julianday(k.hari)) <= 3;

-- Those whose licence was not active on the day of departure.
CREATE TEMP VIEW tidak_aktif AS
  SELECT t.* FROM tercatat t JOIN registri_penyelenggara r ON r.izin_kunci = t.izin_penyelenggara
  WHERE r.status <> 'AKTIF' AND t.tanggal_berangkat >= r.status_sejak
    AND (coalesce(r.status_sampai, '') = '' OR t.tanggal_berangkat <= r.status_sampai);

SELECT 'departed', count(*) FROM keluar;

SELECT 'without_manifest', count(*) FROM keluar k WHERE NOT EXISTS (
  SELECT 1 FROM manifes_umrah m WHERE m.nomor_paspor = k.nomor_paspor
    AND abs(julianday(m.tanggal_berangkat) - julianday(k.hari)) <= 3);

SELECT 'lapsed_licence', count(DISTINCT id_perlintasan) FROM tidak_aktif;

SELECT 'unknown_licence', count(DISTINCT id_perlintasan) FROM tercatat t
  WHERE NOT EXISTS (SELECT 1 FROM registri_penyelenggara r WHERE r.izin_kunci = t.izin_penyelenggara);

SELECT 'other_bureau', count(*) FROM (
  SELECT id_perlintasan FROM tercatat WHERE coalesce(biro_dinyatakan, '') <> ''
  GROUP BY id_perlintasan HAVING max(biro_dinyatakan = nama_penyelenggara) = 0);

SELECT 'postponed', count(*) FROM perlintasan WHERE arah = 'KELUAR' AND hasil = 'TUNDA';

SELECT 'returned', count(*) FROM perlintasan WHERE arah = 'MASUK';

SELECT 'not_returned', count(*) FROM keluar k WHERE NOT EXISTS (
  SELECT 1 FROM perlintasan p WHERE p.nomor_paspor = k.nomor_paspor AND p.arah = 'MASUK');

SELECT 'return_not_reported', count(*) FROM manifes_umrah m WHERE m.status_rekam = 'BERANGKAT' AND EXISTS (
  SELECT 1 FROM perlintasan p WHERE p.nomor_paspor = m.nomor_paspor AND p.arah = 'MASUK');

SELECT 'name_differs', count(DISTINCT p.nomor_paspor)
  FROM perlintasan p JOIN manifes_umrah m ON m.nomor_paspor = p.nomor_paspor
  WHERE p.arah = 'KELUAR' AND replace(m.nama_paspor, ' ', '<') <> p.nama_mrz;

SELECT 'in_two_manifests', count(*) FROM (
  SELECT nomor_paspor FROM manifes_umrah GROUP BY nomor_paspor HAVING count(DISTINCT izin_penyelenggara) > 1);

SELECT 'nik_warnings', count(*) FROM manifes_umrah WHERE coalesce(nik, '') <> '' AND substr(nik, 7, 6) <>
  printf('%02d', substr(tanggal_lahir, 9, 2) + CASE jenis_kelamin WHEN 'P' THEN 40 ELSE 0 END)
    || substr(tanggal_lahir, 6, 2) || substr(tanggal_lahir, 3, 2);

SELECT 'cancelled', count(*) FROM manifes_umrah WHERE status_rekam = 'BATAL';

SELECT 'group', tanggal_berangkat, nomor_penerbangan, izin_penyelenggara, count(DISTINCT id_perlintasan)
  FROM tidak_aktif GROUP BY 2, 3, 4 ORDER BY 2, 3, 4;
