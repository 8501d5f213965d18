-- What the daemon needs in a database of PostgreSQL, and no more. Run it once, as whoever may make roles, in that very database:
--     psql -X -v ON_ERROR_STOP=1 -d jemaah -f postgresql-grants.sql
-- Then give the role its password (\password amanah) and put the URL into the key file postgres-url: docs/postgresql.md.
BEGIN;
-- The daemon's role: no superuser, makes no databases and no roles, sees what is granted here.
CREATE ROLE amanah LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 8;
-- Whoever reads the tables becomes a member: GRANT amanah_pembaca TO somebody;
CREATE ROLE amanah_pembaca NOLOGIN;
-- An empty schema becomes the store. An empty one in place of a lost one says that the lost one is gone for good.
CREATE SCHEMA amanah;
REVOKE ALL ON SCHEMA amanah FROM PUBLIC;
-- It makes its own tables there, and one that is gone when the import ends.
GRANT USAGE, CREATE ON SCHEMA amanah TO amanah;
DO $$
BEGIN
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO amanah', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO amanah_pembaca', current_database());
END
$$;
-- Readers see each table that it makes, also those to come, and change none.
GRANT USAGE ON SCHEMA amanah TO amanah_pembaca;
ALTER DEFAULT PRIVILEGES FOR ROLE amanah IN SCHEMA amanah GRANT SELECT ON TABLES TO amanah_pembaca;
COMMIT;
