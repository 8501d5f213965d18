//! URLs that are taken, and those that are not: without TLS only where nobody listens in between.
//! And that no error and no printed form holds a password.

use super::*;

#[test]
fn tls_is_verified_unless_nobody_is_in_between() {
    for (url, tls, shown) in [
        (
            "postgresql://amanah@db.example.go.id/jemaah",
            true,
            "jemaah at db.example.go.id:5432",
        ),
        (
            "postgres://amanah@10.0.0.5:6432/jemaah?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            true,
            "jemaah at 10.0.0.5:6432",
        ),
        (
            "postgresql://amanah@127.0.0.1/jemaah?sslmode=disable",
            false,
            "jemaah at 127.0.0.1:5432",
        ),
        (
            "postgresql://amanah@[::1]:7000/jemaah?sslmode=disable",
            false,
            "jemaah at ::1:7000",
        ),
        (
            "postgresql://amanah@localhost/jemaah",
            true,
            "jemaah at localhost:5432",
        ),
        (
            "postgresql:///jemaah?host=/run/postgresql&user=amanah",
            false,
            "jemaah at /run/postgresql",
        ),
        (
            "postgresql://amanah@%2Frun%2Fpostgresql/jemaah\n",
            false,
            "jemaah at /run/postgresql",
        ),
        (
            "postgresql://amanah@a.example:1,b.example:2/jemaah",
            true,
            "jemaah at a.example:1, b.example:2",
        ),
    ] {
        let address: Address = url.parse().unwrap();
        assert_eq!(
            (address.has_tls(), address.to_string().as_str()),
            (tls, shown),
            "{url}"
        );
    }
    let named: Address = "postgresql://a@b/c?sslrootcert=/etc/ca.pem"
        .parse()
        .unwrap();
    assert_eq!(named.ca(), Some(Path::new("/etc/ca.pem")));
    assert_eq!(named.ports(), [5432]);
}

#[test]
fn what_would_not_check_whom_it_speaks_to_is_refused() {
    for url in [
        "postgresql://a@db.example/c?sslmode=disable",
        "postgresql://a@10.0.0.5/c?sslmode=disable",
        "postgresql://a@127.0.0.1,10.0.0.5/c?sslmode=disable",
        "postgresql://a@db.example/c?sslmode=prefer",
        "postgresql://a@db.example/c?sslmode=require",
        "postgresql://a@db.example/c?sslmode=verify-ca",
        "postgresql://a@db.example/c?sslrootcert=ca.pem",
        "postgresql://a@db.example/c?sslcert=/etc/c.pem",
        "postgresql:///c?host=/run/postgresql&sslmode=verify-full",
        "postgresql://a@%2Frun%2Fpostgresql,db.example/c",
        "postgresql:///c",
        "postgresql://a@db.example/c?surprise=1",
        "host=db.example user=a",
        "mysql://a@db.example/c",
        "",
    ] {
        assert!(url.parse::<Address>().is_err(), "{url}");
    }
}

#[test]
fn a_password_is_printed_nowhere() {
    let address: Address = "postgresql://amanah:kunci-RAHASIA@db.example/jemaah"
        .parse()
        .unwrap();
    assert!(address.has_password());
    assert!(!format!("{address} {address:?} {address:#?}").contains("RAHASIA"));
    for url in [
        "postgresql://amanah:RAHASIA@db.example:RAHASIA/jemaah",
        "postgresql://amanah:RAHASIA@db.example/jemaah?sslmode=RAHASIA",
        "postgresql://amanah:RAHASIA@db.example/jemaah?port=RAHASIA",
        "amanah:RAHASIA@db.example",
    ] {
        let error = url.parse::<Address>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("RAHASIA"), "{error}");
    }
}
