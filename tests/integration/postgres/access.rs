//! Who may not, or cannot: each is said so that a person knows what to do, the bundle is kept, and no password is in any word.
//! What a role may, is tried with the one of the shipped script; TLS with certificates of the test's own.

use amanah_tests::certificates::authority;
use amanah_tests::postgres::{PASSWORD, Postgres};
use amanahd::store::StoreError;
use amanahd::store::table::TableStore;

use super::ground::{import, land, server, store, store_at, table};

/// What it says instead of an identity.
fn said(url: &str, schema: &str) -> (StoreError, String) {
    let error = store_at(url, schema).identity().unwrap_err();
    let words = format!("{error} {error:?}");
    assert!(!words.contains(PASSWORD), "{words}");
    (error, words)
}

#[test]
fn what_is_wrong_with_a_server_or_a_role_is_said_and_no_password_is() {
    let server = server();
    let role = server.url("amanah");
    let port = server.port();
    let plain = Postgres::url_of_port(port, "?sslmode=disable");
    server
        .ask("CREATE SCHEMA tertutup; GRANT USAGE ON SCHEMA tertutup TO amanah")
        .unwrap();
    let wrong_password = "password authentication failed for user \"amanah\"";
    for (url, schema, expected) in [
        (plain.replace(PASSWORD, "salah"), "amanah", wrong_password),
        (
            plain.replace("/jemaah", "/lain"),
            "amanah",
            "database \"lain\" does not exist",
        ),
        (
            plain.replace("amanah:", "siapa:"),
            "amanah",
            "password authentication failed",
        ),
        (
            Postgres::url_of_port(1, "?sslmode=disable"),
            "amanah",
            "refused",
        ),
        (
            Postgres::url_of_port(port, ""),
            "amanah",
            "does not support TLS",
        ),
        (role.clone(), "lain", "there is no schema lain"),
        (role.clone(), "tertutup", "see docs/postgresql-grants.sql"),
    ] {
        let (error, words) = said(&url, schema);
        assert!(matches!(error, StoreError::Missing(_)), "{words}");
        assert!(words.contains(expected), "{expected}: {words}");
    }
}

#[test]
fn what_is_no_store_or_does_not_last_is_not_written_to() {
    let mut server = server();
    let role = server.url("amanah");
    server.schema("berisi").unwrap();
    server
        .ask("CREATE TABLE berisi.milik_orang (a integer)")
        .unwrap();
    let (error, words) = said(&role, "berisi");
    assert!(matches!(error, StoreError::Strange { .. }), "{words}");
    // A right that is taken away from a table that is there.
    let own = store(&server);
    land(&own, &import("manifes", 1), &table(1, 1, "a"), true).unwrap();
    server
        .ask("REVOKE INSERT ON amanah.manifes FROM amanah")
        .unwrap();
    let refused = land(&own, &import("manifes", 2), &table(2, 1, "RAHASIA"), true);
    let Err(StoreError::Database(words)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        words.contains("permission denied for table manifes") && words.contains("grants.sql"),
        "{words}"
    );
    server.configure("fsync = off\n").unwrap();
    server.stop().unwrap();
    server.again().unwrap();
    let (error, words) = said(&role, "amanah");
    assert!(
        matches!(error, StoreError::Strange { .. }) && words.contains("fsync"),
        "{words}"
    );
}

#[test]
fn a_row_that_the_database_does_not_take_is_told_without_its_values() {
    let server = server();
    let store = store(&server);
    land(&store, &import("manifes", 1), &table(1, 1, "a"), true).unwrap();
    server
        .ask("CREATE UNIQUE INDEX milik_kita ON amanah.manifes (nama)")
        .unwrap();
    let refused = land(&store, &import("manifes", 2), &table(2, 2, "RAHASIA"), true);
    let Err(StoreError::Database(words)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        words.contains("milik_kita") && !words.contains("RAHASIA"),
        "{words}"
    );
    // Nor of a trigger of the database's keeper, whatever that says.
    server
        .ask("DROP INDEX amanah.milik_kita; CREATE FUNCTION public.lapor() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'baris %', NEW.nama; END $$;
            CREATE TRIGGER lapor BEFORE INSERT ON amanah.manifes FOR EACH ROW EXECUTE FUNCTION public.lapor()")
        .unwrap();
    let refused = land(&store, &import("manifes", 3), &table(3, 2, "RAHASIA"), true);
    let words = format!("{refused:?}");
    assert!(refused.is_err() && !words.contains("RAHASIA"), "{words}");
    assert_eq!(
        server.ask("SELECT count(*) FROM amanah.manifes").unwrap(),
        "1"
    );
    // A reader sees the tables, and no more; the daemon's role is bounded too.
    server
        .ask("CREATE ROLE pembaca LOGIN; GRANT amanah_pembaca TO pembaca")
        .unwrap();
    let as_reader = |words: &str| server.ask(&format!("SET ROLE pembaca; {words}"));
    assert_eq!(
        as_reader("SELECT count(*) FROM amanah.manifes").unwrap(),
        "1"
    );
    for words in [
        "DELETE FROM amanah.manifes",
        "CREATE TABLE amanah.x (a integer)",
    ] {
        assert!(as_reader(words).is_err(), "{words}");
    }
    let as_daemon = |words: &str| server.ask(&format!("SET ROLE amanah; {words}"));
    for words in [
        "CREATE ROLE x",
        "CREATE DATABASE x",
        "CREATE TABLE public.x (a integer)",
        "SELECT * FROM pg_authid",
    ] {
        assert!(as_daemon(words).is_err(), "{words}");
    }
}

#[test]
fn a_server_is_spoken_to_over_tls_only_under_its_own_authority() {
    let mut server = server();
    let ours = server.certify().unwrap();
    let other = authority(server.folder(), "lain").unwrap();
    let port = server.port();
    let by = |ca: &std::path::Path| {
        Postgres::url_of_port(port, &format!("?sslrootcert={}", ca.display()))
    };
    let store = store_at(&by(&ours), "amanah");
    land(&store, &import("manifes", 1), &table(1, 3, "a"), true)
        .unwrap()
        .unwrap();
    let sessions = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'amanahd'";
    assert_eq!(server.ask(sessions).unwrap(), "t");
    for url in [
        by(&other),
        Postgres::url_of_port(port, ""),
        // Another name than the certificate has.
        by(&ours).replace("127.0.0.1", "localhost"),
    ] {
        let (error, words) = said(&url, "amanah");
        assert!(
            matches!(error, StoreError::Missing(_)) && words.contains("TLS"),
            "{words}"
        );
    }
    let nobody = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'amanahd'";
    assert_eq!(server.ask(nobody).unwrap(), "2");
}
