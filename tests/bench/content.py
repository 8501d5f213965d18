"""What is carried: rows like the pilgrims' manifests, fictitious by construction (province 99, passports of series Z),
and bytes that no compressor can shorten. The same at every run, by seed."""

import os
import random

HEADER = (
    "nomor_registrasi,izin_penyelenggara,nama_penyelenggara,kode_rombongan,nama_paspor,nomor_paspor,kewarganegaraan,"
    "tanggal_lahir,jenis_kelamin,nik,jenis_visa,nomor_visa,tanggal_akhir_visa,nomor_penerbangan,bandara_berangkat,"
    "bandara_tujuan,tanggal_berangkat,rencana_tanggal_pulang,status_rekam\n"
)
# Names are put together from syllables: as varied as real ones, and nobody's.
SYLLABLES = (
    "TI", "RU", "NA", "WAS", "KA", "RI", "ME", "LANG", "SA", "DI", "PRA", "LU", "RA", "BE", "RIN", "DA", "JA", "NU", "WIS",
    "TA", "CON", "TOH", "CO", "BA", "TE", "LA", "MI", "SAL", "KAN", "UM", "PA", "MA", "GA", "WI", "REK", "AN", "TO", "SYAH",
)
AGENCIES = [f"PT CONTOH {name}" for name in ("BERKAH", "SAFAR", "TELADAN", "UJI COBA", "MISAL", "UMPAMA", "PERAGA", "TIRUAN")]
AIRPORTS = ("CGK", "SUB", "UPG", "KNO")
# Rows that differ before they repeat: some 38 MB, far beyond the window of any level that is measured here.
BLOCK_ROWS = 200_000


def name(dice):
    return "".join(dice.choices(SYLLABLES, k=dice.randrange(2, 5)))


def row(number, dice):
    year, month, day = dice.randrange(1950, 2018), dice.randrange(1, 13), dice.randrange(1, 29)
    woman, agency = dice.randrange(2), dice.randrange(3000)
    nik = f"990101{day + 40 * woman:02}{month:02}{year % 100:02}{dice.randrange(1, 10000):04}"
    return (
        f"UJI-{dice.randrange(10**9):09},OSS:000000000{agency:04}:0001,{AGENCIES[agency % 8]} {agency},ROM-{number // 40:04},"
        f"{name(dice)} {name(dice)} {name(dice)},Z{dice.randrange(10**7):07},IDN,{year}-{month:02}-{day:02},"
        f"{'LP'[woman]},{nik},UMRAH,00{dice.randrange(10**8):08},2030-03-06,ZZ{dice.randrange(100, 900)},"
        f"{dice.choice(AIRPORTS)},JED,2030-01-05,2030-01-14,TERDAFTAR\n"
    )


def write_csv(path, size):
    """A CSV of about `size` bytes."""
    dice = random.Random(1)
    block = "".join(row(number, dice) for number in range(BLOCK_ROWS)).encode()
    with open(path, "wb") as out:
        out.write(HEADER.encode())
        for _ in range(max(1, round(size / len(block)))):
            out.write(block)


def write_random(path, size):
    """`size` bytes of noise."""
    with open(path, "wb") as out:
        for _ in range(size >> 20):
            out.write(os.urandom(1 << 20))


def write_many(folder, count, size):
    """`count` files of `size` bytes of rows, each unlike the others."""
    dice = random.Random(2)
    text = "".join(row(number, dice) for number in range(2000)).encode()
    for number in range(count):
        start = dice.randrange(len(text) - size)
        name = f"{number:05}.csv".encode()
        (folder / name.decode()).write_bytes(name + text[start:start + size - len(name)])
