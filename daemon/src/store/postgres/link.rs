//! A connection to the server, driven by a thread of its own and waited for by whoever asks: stages are ordinary threads, and no
//! answer is waited for without end. Each session is set up so that what the role or the server has as a default changes nothing.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::complaint::Failure;
use crate::store::StoreError;

/// To be connected, authenticated and set up.
const CONNECT: Duration = Duration::from_secs(15);
/// For an answer to a small question, and for a piece of rows to be taken.
const QUESTION: Duration = Duration::from_secs(60);
/// For what grows with the rows: merging them, an index, the commit.
pub(super) const WORK: Duration = Duration::from_secs(3_600);
/// Parameters of a question.
pub(super) type Asked<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Where the server is, and how it proves that it is the one.
#[derive(Clone)]
pub(super) struct Reach {
    pub(super) address: Address,
    pub(super) tls: Option<MakeRustlsConnect>,
}

impl Reach {
    /// A connection, which the runtime drives that this runs in.
    pub(super) async fn connected(&self) -> Result<Client, tokio_postgres::Error> {
        let config = self.address.config();
        match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

/// The thread that speaks to the server.
pub(super) struct Courier(Option<Runtime>);

impl Courier {
    pub(super) fn start() -> Result<Self, StoreError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(Self(Some(runtime)))
    }

    /// Waits on this thread, which may be one of another runtime's, and no longer than so.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        future: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Option<tokio_postgres::Error>> {
        // INVARIANT: there until it is dropped.
        let _inside = self.0.as_ref().map(Runtime::enter);
        let timed = tokio::time::timeout(limit, future);
        match futures_executor::block_on(timed) {
            Ok(answer) => answer.map_err(Some),
            Err(_) => Err(None),
        }
    }

    /// A new connection; a failure is told without the place.
    pub(super) fn connect(&self, reach: &Reach) -> Result<Client, Option<tokio_postgres::Error>> {
        self.wait(CONNECT, reach.connected())
    }

    /// Goes on beside whatever is waited for.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(work);
        }
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        // Connections are nothing to wait for, and this may be a thread that may not wait.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// What is asked over one connection.
pub(super) struct Session<'c> {
    courier: &'c Courier,
    client: &'c Client,
    place: &'c str,
    /// Of one import: a few for each table that it meets.
    statements: RefCell<HashMap<String, Statement>>,
}

impl<'c> Session<'c> {
    pub(super) fn new(courier: &'c Courier, client: &'c Client, place: &'c str) -> Self {
        Self {
            courier,
            client,
            place,
            statements: RefCell::default(),
        }
    }

    pub(super) const fn place(&self) -> &str {
        self.place
    }

    /// Waits for whatever this connection is asked.
    pub(super) fn wait<T>(
        &self,
        limit: Duration,
        future: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        let answer = self.courier.wait(limit, future);
        answer.map_err(|error| Failure {
            place: self.place.to_owned(),
            error,
        })
    }

    /// The same within the time for a small question.
    pub(super) fn soon<T>(
        &self,
        future: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Failure> {
        self.wait(QUESTION, future)
    }

    /// Statements without parameters, which may take long.
    pub(super) fn run(&self, sql: &str) -> Result<(), Failure> {
        self.wait(WORK, self.client.batch_execute(sql))
    }

    fn prepared(&self, sql: &str) -> Result<Statement, Failure> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.soon(self.client.prepare(sql))?;
        let mut statements = self.statements.borrow_mut();
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Rows of an answer.
    pub(super) fn rows(&self, sql: &str, asked: Asked<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(sql)?;
        self.soon(self.client.query(&statement, asked))
    }

    /// The same where finding them takes as long as there are rows in tables.
    pub(super) fn many(&self, sql: &str, asked: Asked<'_>) -> Result<Vec<Row>, Failure> {
        let statement = self.prepared(sql)?;
        self.wait(WORK, self.client.query(&statement, asked))
    }

    /// How many rows were changed.
    pub(super) fn change(&self, sql: &str, asked: Asked<'_>) -> Result<u64, Failure> {
        let statement = self.prepared(sql)?;
        self.wait(WORK, self.client.execute(&statement, asked))
    }

    pub(super) const fn client(&self) -> &Client {
        self.client
    }
}
